// ---- details.js: everything about the selected span ----

const shownElsewhere = new Set(['pawl.code.text', 'pawl.code.stdout', 'pawl.code.stderr', 'pawl.candidate.text',
    'pawl.fix.program']);
const openSections = new Map([['Resource', false], ['Scope', false], ['Program that ran', false]]);

// A part that stays open or closed from span to span.
function section(title, count, ...content) {
    const part = make('details', 'part');
    const summary = make('summary', '', title);
    if (count !== null) summary.append(make('span', 'count', count));
    part.open = openSections.get(title) ?? true;
    part.addEventListener('toggle', () => openSections.set(title, part.open));
    part.append(summary, ...content);
    return part;
}

function chip(outcome) {
    return make('span', 'chip ' + outcome.kind, oneLine(outcome.word));
}

function valueCell(value) {
    const text = valueText(value);
    const cell = make('td', typeof value === 'string' ? 'value' : 'value typed', visible(text.slice(0, 20000)));
    if (text.length > 20000) cell.append(' \u2026 ' + plural(text.length - 20000, 'more character'));
    return cell;
}

function attributeTable(pairs, leaveOut) {
    const table = make('table', 'pairs');
    for (const [key, value] of pairs) {
        if (leaveOut?.has(key)) continue;
        const row = make('tr');
        row.append(make('th', '', visible(key)), valueCell(value));
        table.append(row);
    }
    return table;
}

// ---- head ----

function spanLink(span, text) {
    const link = button(text ?? (oneLine(span.raw.name) || '(no name)'), 'link', () => {
        if (span.trace !== state.trace) showTrace(span.trace);
        select(span);
    });
    return link;
}

function pathOf(span) {
    const above = [];
    for (let at = span.parent; at; at = at.parent) above.unshift(at);
    const shown = above.length > 6 ? [...above.slice(0, 2), null, ...above.slice(-3)] : above;
    const path = make('div', 'path');
    for (const at of shown) path.append(at ? spanLink(at) : '\u2026', ' \u203a ');
    return path;
}

// Time not covered by children.
function ownTime(span) {
    let own = 0, at = span.start;
    for (const child of span.children) {
        if (child.start > at) own += Math.min(child.start, span.end) - at;
        at = Math.max(at, child.end);
        if (at >= span.end) return own;
    }
    return own + span.end - at;
}

function factsOf(span) {
    const facts = [
        ['type', [span.type, span.raw.kind].filter(Boolean).join(', ') || 'span'],
        ['start', '+' + duration(span.start - span.trace.start) + '  (' + clock(span.startNs) + ')'],
        ['time', span.isOpen ? 'not ended' : duration(span.length) +
            (span.children.length > 0 ? ', own ' + duration(ownTime(span)) : '')],
        ['span', span.raw.id], ['trace', span.raw.trace],
    ];
    if (span.isOrphan) facts.splice(3, 0, ['parent', span.raw.parent + ' (not in this file)']);
    if (span.raw.state) facts.push(['trace state', span.raw.state]);
    if (span.raw.dropped) facts.push(['dropped', span.raw.dropped.map((count, i) =>
        count ? plural(count, ['attribute', 'event', 'link'][i]) : '').filter(Boolean).join(', ')]);
    const list = make('dl', 'facts');
    for (const [name, text] of facts) list.append(make('dt', '', name), make('dd', '', visible(text)));
    return list;
}

// ---- parts ----

function compareChooser(attempt) {
    const choose = make('select', 'compare');
    const options = [['previous', 'against attempt ' + attempt.previous.number], ['first', 'against the first attempt'],
        ['none', 'whole program']];
    for (const [value, text] of options) {
        const option = make('option', '', text);
        option.value = value;
        option.selected = value === state.compare;
        choose.append(option);
    }
    choose.setAttribute('aria-label', 'Compare the program');
    choose.addEventListener('change', () => {
        state.compare = choose.value;
        showDetails();
    });
    return choose;
}

function programPart(attempt) {
    if (!attempt.previous) return section('Program', null, programBlock(attempt.program));
    const other = state.compare === 'first' ? attempt.group.first : attempt.previous;
    const bar = make('div', 'bar-of-part');
    bar.append(compareChooser(attempt));
    if (state.compare === 'none') return section('Program', null, bar, programBlock(attempt.program));
    const same = other.program === attempt.program;
    const { added, removed } = countChanges(same ? [] : diffOf(other.program, attempt.program));
    return section('Program', same ? 'unchanged' : '+' + added + ' \u2212' + removed, bar,
        same ? programBlock(attempt.program) : diffBlock(other.program, attempt.program));
}

function textPart(title, text) {
    if (typeof text !== 'string' || text === '') return [];
    return [section(title, plural(linesOf(text).length, 'line'), outputBlock(text))];
}

function exceptionParts(span) {
    return (span.raw.events ?? []).filter((event) => event.name === 'exception').map((event) => {
        const get = (key) => valueText(event.attributes?.find(([name]) => name === 'exception.' + key)?.[1] ?? '');
        const part = section('Exception', null, make('p', 'message failed',
            visible([get('type'), get('message')].filter(Boolean).join(': '))));
        if (get('stacktrace')) part.append(outputBlock(get('stacktrace')));
        return part;
    });
}

function attemptRows(attempts) {
    const table = make('table', 'attempts-of');
    for (const attempt of attempts.slice(0, 200)) {
        const row = make('tr');
        const name = make('td'), end = make('td');
        name.append(spanLink(attempt.span, attempt.label));
        end.append(chip(attempt.span.outcome));
        row.append(make('td', 'number', '#' + attempt.number), name, end,
            make('td', 'number', duration(attempt.span.length)));
        table.append(row);
    }
    if (attempts.length > 200) table.append(make('caption', '', plural(attempts.length - 200, 'more') + ' under Attempts'));
    return table;
}

function attemptsPart(span) {
    const group = attemptsOf(span.trace).find((one) => one.container === span && one.attempts[0].span !== span);
    return group ? [section('Attempts', group.attempts.length, attemptRows(group.attempts))] : [];
}

function eventsPart(span) {
    const events = span.raw.events ?? [];
    if (events.length === 0) return [];
    const list = make('div', 'events');
    for (const event of events) {
        const at = Number(BigInt(event.time) - model.base) - span.start;
        const head = make('div', 'event');
        head.append(make('span', 'number', (at < 0 ? '\u2212' : '+') + duration(Math.abs(at))),
            make('b', '', oneLine(event.name)));
        list.append(head);
        if (event.attributes) list.append(attributeTable(event.attributes, new Set(['exception.stacktrace'])));
    }
    return [section('Events', events.length, list)];
}

function linksPart(span) {
    const links = span.raw.links ?? [];
    if (links.length === 0) return [];
    const list = make('div', 'events');
    for (const link of links) {
        const target = model.traces.find((trace) => trace.id === link.trace)?.byId.get(link.id);
        const line = make('div', 'event');
        line.append(target ? spanLink(target) : make('span', 'mono', link.trace + ' / ' + link.id));
        list.append(line);
        if (link.attributes) list.append(attributeTable(link.attributes));
    }
    return [section('Links', links.length, list)];
}

function tablePart(title, pairs, leaveOut) {
    const left = (pairs ?? []).filter(([key]) => !leaveOut?.has(key));
    return left.length > 0 ? [section(title, left.length, attributeTable(left))] : [];
}

function scopePairs(scope) {
    return [['name', scope.name], ['version', scope.version]].filter(([, text]) => text).concat(scope.attributes);
}

// ---- the panel ----

function showDetails() {
    const span = state.span;
    const panel = $('details');
    document.body.classList.toggle('has-details', span !== null);
    if (!span) {
        panel.replaceChildren(make('p', 'hint', 'Select a span: click it, or use the arrow keys.'));
        return;
    }
    attemptsOf(span.trace);
    const title = make('h2', '', oneLine(span.raw.name) || '(no name)');
    const code = span.get('pawl.code.text');
    const parts = [pathOf(span), title, factsOf(span)];
    title.append(' ', chip(span.outcome));
    if (span.attempt) parts.splice(2, 0, make('p', 'hint', 'Attempt ' + span.attempt.number + ' of ' +
        span.attempt.group.attempts.length + ' \u2014 ' + visible(span.attempt.label)));
    const original = span.get('pawl.fix.program');
    if (span.raw.message) parts.push(make('p', 'message ' + span.outcome.kind, visible(span.raw.message)));
    if (span.isCode && typeof code !== 'string')
        parts.push(make('p', 'hint', 'The program and its output were not recorded: --trace-content does.'));
    if (typeof original === 'string') parts.push(section('Program before', null, programBlock(original)));
    if (span.attempt && span.attempt.program !== null) parts.push(programPart(span.attempt));
    if (span.attempt && typeof code === 'string' && span.attempt.program !== code)
        parts.push(...textPart('Program that ran', code));
    parts.push(...textPart('Output', span.get('pawl.code.stdout')), ...textPart('Error output', span.get('pawl.code.stderr')),
        ...exceptionParts(span), ...attemptsPart(span), ...tablePart('Attributes', span.raw.attributes, shownElsewhere),
        ...eventsPart(span), ...linksPart(span), ...tablePart('Resource', span.group.resource),
        ...tablePart('Scope', scopePairs(span.group.scope)));
    panel.replaceChildren(...parts);
    panel.scrollTop = 0;
}
