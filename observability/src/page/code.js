// ---- code.js: programs, their differences, their output ----

const MOST_LINES = 2000; // of one block; the rest on demand
const AROUND_CHANGE = 3;

function codeLine(className, before, after, sign, ...content) {
    const line = make('div', 'line ' + className);
    const text = make('span', 'text');
    text.append(...content);
    line.append(make('span', 'number', before), make('span', 'number', after), make('span', 'sign', sign), text);
    return line;
}

// Appends the lines that make(i) gives, in portions.
function appendLines(block, count, lineAt, from = 0) {
    const behind = Math.min(count, from + MOST_LINES);
    for (let i = from; i < behind; i++) block.append(lineAt(i));
    if (behind === count) return;
    const more = button('\u2026 ' + plural(count - behind, 'more line'), 'more', () => {
        more.remove();
        appendLines(block, count, lineAt, behind);
    });
    block.append(more);
}

function programBlock(text) {
    const block = make('div', 'code');
    const lines = linesOf(text);
    appendLines(block, lines.length, (i) => codeLine('', i + 1, '', '', visible(lines[i])));
    return block;
}

// ---- differences ----

// Splits two versions of a line into what they share at both ends and what differs between.
function splitPair(a, b) {
    const most = Math.min(a.length, b.length);
    let head = 0, tail = 0;
    while (head < most && a[head] === b[head]) head++;
    while (tail < most - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
    return head + tail > most / 3 ? { head, tail } : null;
}

function marked(line, split) {
    if (!split) return [visible(line)];
    const behind = line.length - split.tail;
    return [visible(line.slice(0, split.head)), make('mark', '', visible(line.slice(split.head, behind))),
        visible(line.slice(behind))];
}

// For each changed line the one it stands for, where as many were removed as were added.
function pairsOf(parts) {
    const splits = new Map();
    for (let i = 0; i < parts.length;) {
        const from = i;
        while (parts[i]?.[0] === '-') i++;
        const removed = i - from;
        while (parts[i]?.[0] === '+') i++;
        if (removed > 0 && i - from === 2 * removed)
            for (let k = from; k < from + removed; k++) {
                const split = splitPair(parts[k][1], parts[k + removed][1]);
                splits.set(k, split).set(k + removed, split);
            }
        if (i === from) i++;
    }
    return splits;
}

function numbered(parts) {
    let before = 0, after = 0;
    return parts.map(([sign, line]) => ({
        sign, line, before: sign === '+' ? '' : ++before, after: sign === '-' ? '' : ++after,
    }));
}

// Whether a line is near enough to a change to be shown.
function nearChange(parts) {
    const near = new Uint8Array(parts.length);
    parts.forEach(([sign], i) => {
        if (sign !== '=') near.fill(1, Math.max(0, i - AROUND_CHANGE), i + AROUND_CHANGE + 1);
    });
    return near;
}

function diffBlock(before, after) {
    const parts = diffOf(before, after);
    const block = make('div', 'code diff');
    const lines = numbered(parts), splits = pairsOf(parts), near = nearChange(parts);
    const lineAt = (i) => {
        const { sign, line, before: old, after: now } = lines[i];
        const className = { '-': 'del', '+': 'add', '=': '' }[sign];
        return codeLine(className, old, now, sign === '=' ? '' : sign, ...marked(line, splits.get(i)));
    };
    for (let i = 0; i < lines.length;) {
        let behind = i;
        while (behind < lines.length && near[behind] === near[i]) behind++;
        const from = i;
        if (near[i]) appendLines(block, behind, lineAt, from);
        else block.append(gap(behind - from, (to) => appendTo(to, from, behind, lineAt)));
        i = behind;
    }
    return block;
}

function appendTo(fragment, from, behind, lineAt) {
    for (let i = from; i < behind; i++) fragment.append(lineAt(i));
}

function gap(count, fill) {
    const more = button('\u22ef ' + plural(count, 'unchanged line'), 'more', () => {
        const lines = document.createDocumentFragment();
        fill(lines);
        more.replaceWith(lines);
    });
    return more;
}

// ---- output ----

function outputBlock(whole) {
    const text = whole.replace(/\x1b\[[0-9;]*m/g, ''); // colours for a terminal
    const block = make('pre', 'output');
    const most = 200000;
    block.append(visible(text.slice(0, most)));
    if (text.length > most)
        block.append(button('\u2026 ' + plural(text.length - most, 'more character'), 'more', (event) =>
            event.target.replaceWith(visible(text.slice(most)))));
    return block;
}
