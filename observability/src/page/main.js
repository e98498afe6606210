// ---- main.js: what the parts have to do with one another; the address holds what is shown ----

const traceList = new VirtualList($('traces'), renderTraceRow);

function renderTraceRow(index) {
    const trace = model.traces[index];
    const row = make('div', 'row trace');
    row.id = 'trace-' + index;
    row.classList.toggle('selected', trace === state.trace);
    row.classList.toggle('faint', state.test !== null && !trace.hits);
    row.title = trace.id + '\n' + clock(trace.startNs);
    row.append(make('span', 'dot ' + trace.outcome.kind), make('span', 'label', oneLine(trace.name) || trace.id),
        make('span', 'dim', state.test ? trace.hits + ' of ' + trace.spans.length : plural(trace.spans.length, 'span')),
        make('span', 'number', duration(trace.end - trace.start)));
    return row;
}

// ---- selecting ----

function select(span) {
    const before = state.span;
    state.span = span;
    if (span) {
        unfoldTo(span);
        if (state.view === 'spans' && isShown(span)) spanList.reveal(span.row);
        if (state.view === 'attempts' && span.attempt) attemptList.reveal(span.attempt.row);
    }
    for (const row of document.querySelectorAll('.row.selected[data-span]')) markRow(row, false);
    if (span) for (const row of document.querySelectorAll('.row[data-span="' + span.raw.id + '"]')) markRow(row, true);
    if (isShown(span)) $('rows').setAttribute('aria-activedescendant', 'row-' + span.row);
    if (span?.attempt) $('attempts').setAttribute('aria-activedescendant', 'attempt-' + span.attempt.row);
    if (span !== before) showDetails();
    remember();
}

function markRow(row, selected) {
    row.classList.toggle('selected', selected);
    row.setAttribute('aria-selected', String(selected));
}

function showTrace(trace) {
    state.trace = trace;
    state.zoom = null;
    state.span = null;
    showAll();
    showDetails();
    traceList.reveal(model.traces.indexOf(trace));
    remember();
}

// ---- searching ----

function countHits() {
    let all = 0;
    for (const trace of model.traces) {
        trace.hits = 0;
        for (const span of state.test ? trace.spans : []) trace.hits += state.test(span) ? 1 : 0;
        all += trace.hits;
    }
    const elsewhere = model.traces.length > 1 && all > state.trace.hits ? ', ' + all.toLocaleString('en') + ' in all traces' : '';
    $('found').textContent = state.test ? plural(state.trace.hits, 'span') + elsewhere : '';
}

function search() {
    state.test = compile(state.query, state.failuresOnly);
    $('failures').setAttribute('aria-pressed', String(state.failuresOnly));
    countHits();
    showAll();
    if (isShown(state.span)) spanList.reveal(state.span.row);
    remember();
}

// The next or previous span that matches, or that failed when nothing is searched.
function jump(step) {
    const wanted = state.test ?? isBad;
    const from = isShown(state.span) ? state.span.row : step > 0 ? -1 : rows.length;
    for (let i = 1; i <= rows.length; i++) {
        const span = rows[(from + step * i + rows.length * 2) % rows.length];
        if (wanted(span)) return select(span);
    }
    return undefined;
}

// ---- views ----

function showAll() {
    showAttempts();
    const attempts = state.view === 'attempts';
    $('spans').hidden = attempts;
    $('attempts').hidden = !attempts;
    document.body.classList.toggle('attempts', attempts);
    $('view-spans').setAttribute('aria-selected', String(!attempts));
    $('view-attempts').setAttribute('aria-selected', String(attempts));
    $('view-spans').textContent = 'Spans ' + state.trace.spans.length.toLocaleString('en');
    showRows();
    if (attempts) attemptList.reset(attemptItems.length);
    traceList.reset(model.traces.length);
    showFacts();
}

function setView(view) {
    state.view = view;
    showAll();
    const first = attemptsOf(state.trace)[0]?.attempts[0].span;
    if (state.view === 'attempts' && first && !state.span?.attempt) state.span = null;
    select(state.span ?? (state.view === 'attempts' ? first : null));
    $(state.view === 'attempts' ? 'attempts' : 'rows').focus();
}

function showFacts() {
    const { trace } = state;
    const facts = [duration(trace.end - trace.start), clock(trace.startNs)];
    if (trace.failures > 0) facts.push(plural(trace.failures, 'span') + ' failed');
    $('facts').textContent = facts.join('  \u00b7  ');
}

function showNotes() {
    const { badLines, badSpans, leftOut, otherLines, unread, cutOff, faults } = data.notes;
    const notes = [];
    const where = faults.length > 0 ? ' (line ' + faults[0][0] + ': ' + faults[0][1] + ')' : '';
    if (badLines + badSpans > 0)
        notes.push([plural(badLines, 'line'), plural(badSpans, 'span')].filter((_, i) => [badLines, badSpans][i])
            .join(' and ') + ' could not be read' + where + '.');
    if (cutOff) notes.push('The last line is cut off: the program may still be writing.');
    if (leftOut > 0) notes.push(plural(leftOut, 'further span') + ' left out.');
    if (unread > 0) notes.push(plural(unread, 'byte') + ' at the end not read.');
    if (otherLines > 0) notes.push(plural(otherLines, 'line') + ' without spans.');
    if (model.repeated > 0) notes.push(plural(model.repeated, 'span') + ' came more than once and ' +
        (model.repeated === 1 ? 'is' : 'are') + ' shown once.');
    $('notes').hidden = notes.length === 0;
    $('notes').textContent = visible(notes.join(' '));
    $('notes').title = visible(faults.map(([line, what]) => 'line ' + line + ': ' + what).join('\n'));
}

function setTheme(theme) {
    state.theme = theme;
    if (theme) document.documentElement.dataset.theme = theme;
    else delete document.documentElement.dataset.theme;
}

function toggleTheme() {
    const dark = matchMedia('(prefers-color-scheme: dark)').matches;
    setTheme(state.theme === '' ? (dark ? 'light' : 'dark') : '');
    remember();
}

// ---- the address ----

function remember() {
    const parts = new URLSearchParams();
    if (model.traces.length > 1) parts.set('trace', state.trace.id);
    if (state.span) parts.set('span', state.span.raw.id);
    if (state.query) parts.set('q', state.query);
    if (state.failuresOnly) parts.set('failed', '1');
    if (state.view !== 'spans') parts.set('view', state.view);
    if (state.theme) parts.set('theme', state.theme);
    try {
        history.replaceState(null, '', '#' + parts);
    } catch {
        // where a page may not change its address nothing is lost but the link
    }
}

function recall() {
    const parts = new URLSearchParams(location.hash.slice(1));
    state.trace = model.traces.find((trace) => trace.id === parts.get('trace')) ?? model.traces[0];
    state.query = parts.get('q') ?? '';
    state.failuresOnly = parts.get('failed') === '1';
    state.view = parts.get('view') === 'attempts' ? 'attempts' : 'spans';
    state.span = state.trace.byId.get(parts.get('span')) ?? null;
    setTheme(['light', 'dark'].find((theme) => theme === parts.get('theme')) ?? '');
    $('search').value = state.query;
    search();
    if (state.view === 'attempts') setView('attempts');
    showDetails();
    if (state.span) select(state.span);
}

// ---- keys ----

const keys = [
    ['\u2191 \u2193', 'previous, next row (also k, j)'], ['\u2190 \u2192', 'fold, unfold; to the parent, the first child'],
    ['Enter', 'to the details'], ['/', 'search'], ['Esc', 'clear the search'], ['n  N', 'next, previous match, or failure'],
    ['f', 'failures only'], ['s  a', 'spans, attempts'], ['z  x', 'zoom to the span, to the whole trace'],
    ['[  ]', 'previous, next trace'], ['t', 'light or dark'],
];
const searching = 'A search finds spans that hold every word in name, attributes, program, output or outcome. Also: ' +
    '"two words", key=value, -word, is:failed, is:orphan, >10ms, <1s. Drag over the time axis to zoom.';

function showHelp() {
    const list = make('dl', 'keys');
    for (const [key, text] of keys) list.append(make('dt', '', key), make('dd', '', text));
    $('help').replaceChildren(make('h2', '', 'Keys'), list, make('p', '', searching), button('Close', '', () => $('help').close()));
    $('help').showModal();
}

function stepTrace(step) {
    const trace = model.traces[model.traces.indexOf(state.trace) + step];
    if (trace) showTrace(trace);
}

const actions = {
    '/': () => $('search').select(), n: () => jump(1), N: () => jump(-1), '?': showHelp, t: toggleTheme,
    f: () => { state.failuresOnly = !state.failuresOnly; search(); },
    s: () => setView('spans'), a: () => setView('attempts'), '[': () => stepTrace(-1), ']': () => stepTrace(1),
    Escape: () => { $('search').value = state.query = ''; state.failuresOnly = false; search(); $('rows').focus(); },
};

document.addEventListener('keydown', (event) => {
    const typing = event.target.matches('input, select, textarea');
    if (event.ctrlKey || event.metaKey || event.altKey || $('help').open || (typing && event.key !== 'Escape')) return;
    const action = actions[event.key];
    if (!action) return;
    action();
    event.preventDefault();
});

let pause = 0;
$('search').addEventListener('input', () => {
    clearTimeout(pause);
    pause = setTimeout(() => {
        state.query = $('search').value.trim();
        search();
    }, 100);
});
$('search').addEventListener('keydown', (event) => {
    if (event.key === 'Enter' || event.key === 'ArrowDown') {
        $('rows').focus();
        jump(1);
        event.preventDefault();
    }
});
$('traces').addEventListener('click', (event) => {
    const row = event.target.closest('.row');
    if (row) showTrace(model.traces[Number(row.id.slice(6))]);
});
$('failures').addEventListener('click', actions.f);
$('theme').addEventListener('click', toggleTheme);
$('help-button').addEventListener('click', showHelp);
$('view-spans').addEventListener('click', () => setView('spans'));
$('view-attempts').addEventListener('click', () => setView('attempts'));
addEventListener('hashchange', recall);

makeDivider($('divider'), $('details'), () => state.view === 'attempts' ? '--attempts-width' : '--details-width');
document.title = visible(data.title) + ' \u2014 pawl trace';
$('title').textContent = visible(data.title);
$('traces').hidden = model.traces.length < 2;
document.body.classList.toggle('many', model.traces.length > 1);
showNotes();
recall();
$(state.view === 'attempts' ? 'attempts' : 'rows').focus();
document.body.dataset.ready = 'yes';
