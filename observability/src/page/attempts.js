// ---- attempts.js: what was tried, one row a try, by the loop or retry it belongs to ----

let attemptItems = []; // groups and their attempts in the order shown
const attemptList = new VirtualList($('attempts'), renderAttemptRow);

function groupRow(group) {
    const row = make('div', 'row group');
    const strip = make('span', 'strip');
    for (const attempt of group.attempts.slice(-120)) strip.append(make('i', attempt.span.outcome.kind));
    row.append(make('b', 'label', oneLine(group.container.raw.name)),
        make('span', 'dim', plural(group.attempts.length, 'attempt')), strip);
    return row;
}

// The first words of what a person would read of it.
function gist(span) {
    for (const text of [span.raw.message, lastLine(span.get('pawl.code.stderr')), lastLine(span.get('pawl.code.stdout'))])
        if (typeof text === 'string' && text.trim()) return oneLine(text.trim()).slice(0, 200);
    return '';
}

function lastLine(text) {
    return typeof text === 'string' ? text.trimEnd().slice(-400).split('\n').pop() : '';
}

function renderAttemptRow(index) {
    const item = attemptItems[index];
    const row = item.span ? attemptRow(item) : groupRow(item);
    row.id = 'attempt-' + index;
    row.setAttribute('role', 'treeitem');
    row.setAttribute('aria-level', item.span ? 2 : 1);
    row.setAttribute('aria-selected', String(item.span === state.span));
    return row;
}

function attemptRow(attempt) {
    const { span } = attempt;
    const row = make('div', 'row attempt');
    const changes = changesOf(attempt);
    const diff = make('span', 'changes');
    if (changes && changes.added + changes.removed === 0) diff.append(make('span', 'dim', 'same'));
    else if (changes) diff.append(make('span', 'add', '+' + changes.added), ' ', make('span', 'del', '\u2212' + changes.removed));
    row.classList.toggle('selected', span === state.span);
    row.classList.toggle('faint', state.test !== null && !state.test(span));
    row.dataset.span = span.raw.id;
    row.append(make('span', 'number', '#' + attempt.number), make('span', 'dot ' + span.outcome.kind),
        make('span', 'word ' + span.outcome.kind, oneLine(span.outcome.word)), make('span', 'number', duration(span.length)),
        diff, make('span', 'label', oneLine(attempt.label)), make('span', 'gist', gist(span)));
    return row;
}

function showAttempts() {
    const groups = attemptsOf(state.trace);
    const count = groups.reduce((sum, group) => sum + group.attempts.length, 0);
    $('view-attempts').textContent = 'Attempts ' + count.toLocaleString('en');
    $('view-attempts').disabled = count === 0;
    if (count === 0 && state.view === 'attempts') state.view = 'spans';
    if (state.view !== 'attempts') return;
    attemptItems = groups.flatMap((group) => [group, ...group.attempts]);
    attemptItems.forEach((item, index) => item.row = index);
    attemptList.reset(attemptItems.length);
}

function onAttemptKey(event) {
    const index = state.span?.attempt?.row ?? -1;
    let to = moveBy(event.key, index, attemptList);
    if (to !== undefined && !attemptItems[to].span) // a group's own row: on to what is beyond it
        to = to < index && to > 0 ? to - 1 : to + 1;
    if (to !== undefined) select(attemptItems[to].span);
    else if (event.key === 'Enter') $('details').focus();
    else return;
    event.preventDefault();
}

$('attempts').addEventListener('keydown', (event) => {
    if (!event.ctrlKey && !event.metaKey && !event.altKey) onAttemptKey(event);
});
$('attempts').addEventListener('click', (event) => {
    const row = event.target.closest('.row');
    const item = row && attemptItems[Number(row.id.slice(8))];
    if (item) select(item.span ?? item.container);
});
