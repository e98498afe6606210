// ---- waterfall.js: the tree of spans beside their bars ----

const state = {
    trace: model.traces[0], span: null, query: '', failuresOnly: false, view: 'spans',
    test: null, // what query and failuresOnly mean
    collapsed: new Set(), zoom: null, // [start, end] or null for the whole trace
    compare: 'previous', theme: '',
};

let rows = []; // spans in the order shown
let matches = 0;
const spanList = new VirtualList($('rows'), renderSpanRow);

// ---- which rows ----

// The spans that match, and those above them.
function wantedSpans(trace) {
    const wanted = new Set();
    matches = 0;
    for (const span of trace.spans) {
        span.matches = state.test(span);
        if (!span.matches) continue;
        matches++;
        for (let at = span; at && !wanted.has(at); at = at.parent) wanted.add(at);
    }
    return wanted;
}

function collectRows() {
    const wanted = state.test ? wantedSpans(state.trace) : null;
    const open = [...state.trace.roots].reverse();
    rows = [];
    while (open.length > 0) {
        const span = open.pop();
        if (wanted && !wanted.has(span)) continue;
        rows.push(span);
        span.row = rows.length - 1;
        if (!wanted && state.collapsed.has(span)) continue;
        for (let i = span.children.length - 1; i >= 0; i--) open.push(span.children[i]);
    }
}

function isShown(span) {
    return span !== null && rows[span.row] === span;
}

function showRows() {
    collectRows();
    spanList.reset(rows.length);
    $('rows').setAttribute('aria-rowcount', rows.length);
    renderAxis();
}

// ---- time ----

function timeWindow() {
    const [from, to] = state.zoom ?? [state.trace.start, state.trace.end];
    return { from, length: Math.max(1, to - from) };
}

// Percent of the lane's width; far beyond its edges nothing needs to be exact.
function placeOf(ns, { from, length }) {
    return Math.min(200, Math.max(-100, (ns - from) / length * 100));
}

function tickStep(length) {
    const rough = length / 6;
    const power = 10 ** Math.floor(Math.log10(rough));
    return Math.max(1, [1, 2, 5, 10].map((n) => n * power).find((step) => step >= rough));
}

function renderAxis() {
    const view = timeWindow();
    const lane = make('div', 'lane');
    const step = tickStep(view.length);
    const offset = view.from - state.trace.start;
    for (let at = Math.ceil(offset / step) * step; at <= offset + view.length; at += step) {
        const left = (at - offset) / view.length * 100;
        const text = left > 90 ? '' : at === 0 ? '0' : duration(at); // no room before the edge
        const tick = make('span', 'tick', text);
        tick.style.left = left + '%';
        lane.append(tick);
    }
    const name = make('div', 'name', 'span');
    if (state.zoom) name.append(button('whole trace', 'link', () => zoomTo(null)));
    $('axis').replaceChildren(name, lane);
    lane.addEventListener('pointerdown', (event) => dragZoom(event, lane, view));
    lane.addEventListener('dblclick', () => zoomTo(null));
}

function zoomTo(range) {
    state.zoom = range;
    spanList.reset(rows.length);
    renderAxis();
}

function dragZoom(event, lane, view) {
    const box = lane.getBoundingClientRect();
    const fraction = (at) => Math.min(1, Math.max(0, (at.clientX - box.left) / box.width));
    const from = fraction(event);
    const mark = make('div', 'selection');
    const draw = (at) => {
        mark.style.left = Math.min(from, fraction(at)) * 100 + '%';
        mark.style.width = Math.abs(fraction(at) - from) * 100 + '%';
    };
    lane.setPointerCapture(event.pointerId);
    lane.append(mark);
    lane.addEventListener('pointermove', draw);
    lane.addEventListener('pointerup', (end) => {
        const [a, b] = [from, fraction(end)].sort((x, y) => x - y);
        mark.remove();
        lane.removeEventListener('pointermove', draw);
        if (b - a > 0.01) zoomTo([view.from + a * view.length, view.from + b * view.length]);
    }, { once: true });
    event.preventDefault();
}

// ---- one row ----

const tagKeys = [['pawl.branch', 'branch'], ['pawl.attempt', 'attempt'], ['pawl.round', 'round'],
    ['pawl.candidate', 'candidate'], ['pawl.cache', 'cache'], ['pawl.stop_reason', 'stopped:']];

function appendTags(to, span) {
    if (span.isForeign) {
        const tag = make('span', 'tag', 'from the program');
        tag.title = 'The sandboxed program wrote this span itself';
        to.append(tag);
    }
    for (const [key, word] of span.isForeign ? [] : tagKeys) {
        const value = span.get(key);
        if (value !== undefined) to.append(make('span', 'tag', word + ' ' + oneLine(valueText(value))));
    }
    if (span.isOrphan) {
        const tag = make('span', 'tag orphan', 'orphan');
        tag.title = 'Its parent ' + span.raw.parent + ' is not in this file';
        to.append(tag);
    }
}

// Deep trees are pressed together, so that names stay in sight.
function indentOf(level) {
    return Math.min(level, 12) * 14 + Math.min(Math.max(level - 12, 0), 40) * 3;
}

function nameCell(span) {
    const cell = make('div', 'name');
    cell.setAttribute('role', 'gridcell');
    cell.style.paddingLeft = 6 + indentOf(span.level) + 'px';
    const twist = make('span', 'twist', span.children.length === 0 ? '' : state.collapsed.has(span) ? '\u25b8' : '\u25be');
    const label = make('span', 'label', oneLine(span.raw.name) || '(no name)');
    twist.dataset.twist = '1';
    label.title = visible(span.raw.name);
    cell.append(twist, make('span', 'dot ' + span.outcome.kind), label);
    if (state.collapsed.has(span)) cell.append(make('span', 'tag', '+' + span.children.length));
    appendTags(cell, span);
    return cell;
}

function eventMarks(span, view) {
    return (span.raw.events ?? []).slice(0, 20).map((event) => {
        const mark = make('i', event.name === 'exception' ? 'mark exception' : 'mark');
        mark.style.left = placeOf(Number(BigInt(event.time) - model.base), view) + '%';
        return mark;
    });
}

function laneCell(span) {
    const view = timeWindow();
    const lane = make('div', 'lane');
    const left = placeOf(span.start, view), right = placeOf(span.end, view);
    const bar = make('div', 'bar ' + span.outcome.kind + (span.children.length > 0 ? ' outer' : ''));
    const time = make('span', 'time', span.isOpen ? 'unfinished' : duration(span.length));
    bar.style.left = left + '%';
    bar.style.width = right - left + '%';
    if (isBad(span)) time.append(' ', make('b', span.outcome.kind, oneLine(span.outcome.word)));
    if (right < 75) time.style.left = Math.max(0, right) + '%';
    else if (left > 25) time.style.right = 100 - Math.min(100, left) + '%';
    else {
        time.style.left = Math.max(0, left) + '%';
        time.classList.add('inside');
    }
    lane.setAttribute('role', 'gridcell');
    lane.append(bar, ...eventMarks(span, view), time);
    return lane;
}

function renderSpanRow(index) {
    const span = rows[index];
    const row = make('div', 'row');
    row.id = 'row-' + index;
    row.setAttribute('role', 'row');
    row.setAttribute('aria-rowindex', index + 1);
    row.setAttribute('aria-level', span.level + 1);
    row.setAttribute('aria-selected', String(span === state.span));
    if (span.children.length > 0) row.setAttribute('aria-expanded', String(!state.collapsed.has(span)));
    row.classList.toggle('selected', span === state.span);
    row.classList.toggle('faint', state.test !== null && !span.matches);
    row.dataset.span = span.raw.id;
    row.append(nameCell(span), laneCell(span));
    return row;
}

// ---- folding and moving ----

function setCollapsed(span, collapsed) {
    if (span.children.length === 0 || collapsed === state.collapsed.has(span)) return;
    if (collapsed) state.collapsed.add(span);
    else state.collapsed.delete(span);
    showRows();
}

function unfoldTo(span) {
    let changed = false;
    for (let at = span.parent; at; at = at.parent) changed = state.collapsed.delete(at) || changed;
    if (changed) showRows();
}

function onSpanKey(event) {
    const span = state.span;
    const index = isShown(span) ? span.row : -1;
    const to = moveBy(event.key, index, spanList);
    if (to !== undefined && rows.length > 0) select(rows[to]);
    else if (event.key === 'ArrowRight' && span)
        state.collapsed.has(span) ? setCollapsed(span, false) : span.children[0] && select(span.children[0]);
    else if (event.key === 'ArrowLeft' && span)
        span.children.length > 0 && !state.collapsed.has(span) ? setCollapsed(span, true) : span.parent && select(span.parent);
    else if (event.key === 'z' && span) zoomTo([span.start, span.end]);
    else if (event.key === 'x') zoomTo(null);
    else if (event.key === 'Enter') $('details').focus();
    else return;
    event.preventDefault();
}

$('rows').addEventListener('keydown', (event) => {
    if (!event.ctrlKey && !event.metaKey && !event.altKey) onSpanKey(event);
});
$('rows').addEventListener('click', (event) => {
    const row = event.target.closest('.row');
    if (!row) return;
    const span = rows[Number(row.id.slice(4))];
    if (event.target.dataset.twist) setCollapsed(span, !state.collapsed.has(span));
    else select(span);
});
$('rows').addEventListener('dblclick', (event) => {
    const row = event.target.closest('.row');
    if (row && !event.target.dataset.twist) zoomTo([rows[Number(row.id.slice(4))].start, rows[Number(row.id.slice(4))].end]);
});
