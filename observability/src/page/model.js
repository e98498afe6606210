// ---- model.js: the file's spans as trees, one or more for each trace ----

const data = JSON.parse($('data').textContent);

class Span {
    constructor(raw, group) {
        this.raw = raw;
        this.group = group;
        this.children = [];
        this.parent = null;
        this.isOrphan = false; // names a parent that is not in the file
        this.level = 0;
        this.isOpen = raw.end === '0';
        this.haystack = null;
    }

    get(key) {
        const pair = this.raw.attributes?.find(([name]) => name === key);
        return pair ? pair[1] : undefined;
    }

    get length() {
        return this.end - this.start;
    }

    // Written by a sandboxed program: shown and marked, but what it says of attempts and outcomes is not believed.
    get isForeign() {
        return this.get('pawl.span.source') === 'sandbox';
    }

    get isCode() {
        if (this.isForeign) return false;
        return this.get('pawl.code.digest') !== undefined || this.get('pawl.code.text') !== undefined ||
            this.get('pawl.primitive.type') === 'code_execution';
    }
}

class Trace {
    constructor(id) {
        this.id = id;
        this.spans = [];
        this.roots = [];
        this.byId = new Map();
    }
}

const model = { traces: [], spans: 0, repeated: 0, base: 0n };

function readSpans() {
    const traces = new Map();
    for (const group of data.groups) {
        for (const raw of group.spans) {
            let trace = traces.get(raw.trace);
            if (!trace) traces.set(raw.trace, trace = new Trace(raw.trace));
            const known = trace.byId.get(raw.id);
            if (known) { // an exporter's retry may write a span twice; what a sandboxed program wrote stands for nothing
                if (known.isForeign) Object.assign(known, { raw, group, isOpen: raw.end === '0' });
                model.repeated++;
                continue;
            }
            const span = new Span(raw, group);
            span.trace = trace;
            trace.byId.set(raw.id, span);
            trace.spans.push(span);
            model.spans++;
        }
    }
    model.traces = [...traces.values()];
}

// Times become nanoseconds since the file's first span, which doubles hold exactly for a hundred days.
function placeInTime() {
    let base = null;
    for (const trace of model.traces)
        for (const span of trace.spans) {
            span.startNs = BigInt(span.raw.start);
            if (base === null || span.startNs < base) base = span.startNs;
        }
    model.base = base;
    for (const trace of model.traces)
        for (const span of trace.spans) {
            span.start = Number(span.startNs - base);
            span.end = Math.max(span.start, span.isOpen ? 0 : Number(BigInt(span.raw.end) - base));
        }
}

const byStart = (a, b) => a.start - b.start || b.end - a.end;

function setRoot(trace, span) {
    span.isOrphan = span.raw.parent !== undefined;
    trace.roots.push(span);
}

// Numbers the levels beneath a root; returns how many spans it reached.
function descend(root) {
    const open = [root];
    let count = 0;
    root.seen = true;
    while (open.length > 0) {
        const span = open.pop();
        count++;
        span.children.sort(byStart);
        for (const child of span.children) {
            child.level = span.level + 1;
            child.seen = true;
            open.push(child);
        }
    }
    return count;
}

function growTree(trace) {
    for (const span of trace.spans) {
        const parent = trace.byId.get(span.raw.parent);
        if (parent) {
            span.parent = parent;
            parent.children.push(span);
        } else {
            setRoot(trace, span);
        }
    }
    let reached = 0;
    for (const root of trace.roots) reached += descend(root);
    for (const span of reached < trace.spans.length ? trace.spans : []) {
        if (span.seen) continue; // what is left goes round in a circle: cut it here
        span.parent.children.splice(span.parent.children.indexOf(span), 1);
        span.parent = null;
        setRoot(trace, span);
        descend(span);
    }
    trace.roots.sort(byStart);
}

function summarise(trace) {
    let start = Infinity, end = -Infinity, failures = 0;
    for (const span of trace.spans) {
        span.outcome = outcomeOf(span);
        span.type = valueText(span.get('pawl.primitive.type') ?? '');
        start = Math.min(start, span.start);
        end = Math.max(end, span.end);
        failures += isBad(span) ? 1 : 0;
    }
    const main = trace.roots.find((root) => !root.isOrphan) ?? trace.roots[0];
    const startNs = model.base + BigInt(start);
    Object.assign(trace, { start, startNs, end, failures, name: main.raw.name, outcome: main.outcome });
}

readSpans();
placeInTime();
model.traces.forEach(growTree);
model.traces.forEach(summarise);
model.traces.sort((a, b) => a.start - b.start);

// ---- attempts: executions of code, and what a retry tried ----

const attemptKeys = ['pawl.attempt', 'pawl.round', 'pawl.candidate'];
const hasAttempt = (span) => attemptKeys.some((key) => span.get(key) !== undefined);

// The repair loop or retry as a whole that a try belongs to.
function containerOf(span) {
    let found = span.parent;
    let isLoop = false;
    for (let at = span; at.parent; at = at.parent) {
        if (at.parent.type === 'fix' || at.parent.type === 'refine') {
            found = at.parent;
            isLoop = true;
        } else if (!isLoop && hasAttempt(at)) {
            found = at.parent;
        }
    }
    return found ?? span;
}

function labelOf(span, container) {
    const parts = [];
    for (let at = span; at && at !== container; at = at.parent)
        for (const key of ['pawl.attempt', 'pawl.branch', 'pawl.candidate', 'pawl.round']) {
            const value = at.get(key);
            if (value !== undefined) parts.unshift(key.slice(5) + ' ' + valueText(value));
        }
    return parts.length > 0 ? parts.join(' \u00b7 ') : span.raw.name;
}

// The text that changes from try to try: a repair loop's candidate, else the program that ran. What ran before the first
// candidate was the loop's own program; what runs after the last repeats one, without saying which.
function programOf(span, { container, last }) {
    for (let at = span; at && at !== container; at = at.parent) {
        const candidate = at.get('pawl.candidate.text');
        if (typeof candidate === 'string') return candidate;
    }
    const original = container.get('pawl.fix.program');
    if (typeof original === 'string') return last ? null : original;
    const code = span.get('pawl.code.text');
    return typeof code === 'string' ? code : null;
}

function makeAttempt(span, groups) {
    const container = span.isCode ? containerOf(span) : span.parent ?? span;
    let group = groups.get(container);
    if (!group) groups.set(container, group = { container, attempts: [], first: null, last: null });
    const program = programOf(span, group);
    const attempt = { span, group, program, number: group.attempts.length + 1, label: labelOf(span, container) };
    attempt.previous = group.last;
    if (program !== null) {
        group.first ??= attempt;
        group.last = attempt;
    }
    group.attempts.push(attempt);
    span.attempt = attempt;
}

function attemptsOf(trace) {
    if (trace.groups) return trace.groups;
    const groups = new Map();
    const tries = trace.spans.filter((span) => span.isCode);
    const above = new Set();
    for (const span of tries)
        for (let at = span; at && !above.has(at); at = at.parent) above.add(at);
    for (const span of trace.spans)
        if (span.get('pawl.attempt') !== undefined && !span.isForeign && !above.has(span)) tries.push(span);
    tries.sort(byStart).forEach((span) => makeAttempt(span, groups));
    return trace.groups = [...groups.values()];
}
