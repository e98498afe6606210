// ---- diff.js: the lines two texts have in common, by longest common subsequence of what is left between their equal
// beginnings and ends ----

const MOST_CELLS = 4e6; // beyond, what differs is shown as replaced as a whole

function common(a, b, from, step) {
    let count = 0;
    while (count < a.length - from && count < b.length - from &&
        a[step > 0 ? from + count : a.length - 1 - count] === b[step > 0 ? from + count : b.length - 1 - count]) count++;
    return count;
}

// table[i][j]: length of the longest common subsequence of a from i and b from j, rows behind one another.
function tableOf(a, b) {
    const width = b.length + 1;
    const table = new Uint16Array((a.length + 1) * width);
    for (let i = a.length - 1; i >= 0; i--)
        for (let j = b.length - 1; j >= 0; j--)
            table[i * width + j] = a[i] === b[j] ? table[(i + 1) * width + j + 1] + 1
                : Math.max(table[(i + 1) * width + j], table[i * width + j + 1]);
    return table;
}

// [['=', line], ['-', line], ['+', line], ...] for the part that differs.
function middleOf(a, b) {
    const parts = [];
    let i = 0, j = 0;
    if ((a.length + 1) * (b.length + 1) <= MOST_CELLS) {
        const table = tableOf(a, b);
        const width = b.length + 1;
        while (i < a.length && j < b.length) {
            if (a[i] === b[j]) {
                parts.push(['=', a[i++]]);
                j++;
            } else if (table[(i + 1) * width + j] >= table[i * width + j + 1]) {
                parts.push(['-', a[i++]]);
            } else {
                parts.push(['+', b[j++]]);
            }
        }
    }
    while (i < a.length) parts.push(['-', a[i++]]);
    while (j < b.length) parts.push(['+', b[j++]]);
    return parts;
}

const linesOf = (text) => (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n');

function diffOf(before, after) {
    const a = linesOf(before), b = linesOf(after);
    const head = common(a, b, 0, 1);
    const tail = Math.min(common(a, b, head, -1), a.length - head, b.length - head);
    return [
        ...a.slice(0, head).map((line) => ['=', line]),
        ...middleOf(a.slice(head, a.length - tail), b.slice(head, b.length - tail)),
        ...a.slice(a.length - tail).map((line) => ['=', line]),
    ];
}

function countChanges(parts) {
    let added = 0, removed = 0;
    for (const [sign] of parts) {
        added += sign === '+' ? 1 : 0;
        removed += sign === '-' ? 1 : 0;
    }
    return { added, removed };
}

// What one attempt changed against the one before it; made once.
function changesOf(attempt) {
    if (!attempt.changes && attempt.program !== null && attempt.previous)
        attempt.changes = countChanges(diffOf(attempt.previous.program, attempt.program));
    return attempt.changes ?? null;
}
