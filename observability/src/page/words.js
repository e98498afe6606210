// ---- words.js: what people read. Everything from the file goes through visible() and textContent. ----

const $ = (id) => document.getElementById(id);

function make(tag, className, text) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
}

function button(text, className, onClick) {
    const element = make('button', className, text);
    element.type = 'button';
    element.addEventListener('click', onClick);
    return element;
}

// Control characters and those that reorder text would show something else than what is there.
const hidden =
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

function visible(text) {
    return String(text).replace(/\r\n/g, '\n').replace(hidden, (character) => {
        const code = character.charCodeAt(0);
        if (code < 0x20) return '\u2039^' + String.fromCharCode(0x40 + code) + '\u203a';
        return '\u2039U+' + code.toString(16).toUpperCase().padStart(4, '0') + '\u203a';
    });
}

const oneLine = (text) => visible(text).replace(/\s+/g, ' ');
const plural = (count, word) => count.toLocaleString('en') + ' ' + word + (count === 1 ? '' : 's');

function digits(number) {
    return number >= 100 ? number.toFixed(0) : number >= 10 ? number.toFixed(1) : number.toFixed(2);
}

function duration(ns) {
    if (ns < 1e3) return ns + ' ns';
    if (ns < 1e6) return digits(ns / 1e3) + ' \u00b5s';
    if (ns < 1e9) return digits(ns / 1e6) + ' ms';
    if (ns < 60e9) return digits(ns / 1e9) + ' s';
    const minutes = Math.floor(ns / 60e9);
    return minutes + ' min ' + Math.floor(ns / 1e9 - minutes * 60) + ' s';
}

function clock(epochNs) {
    const date = new Date(Number(epochNs / 1000000n));
    const two = (n) => String(n).padStart(2, '0');
    return date.getFullYear() + '-' + two(date.getMonth() + 1) + '-' + two(date.getDate()) + ' ' +
        two(date.getHours()) + ':' + two(date.getMinutes()) + ':' + two(date.getSeconds()) + '.' +
        String(date.getMilliseconds()).padStart(3, '0');
}

// An attribute's value as one text.
function valueText(value) {
    if (value === null) return '';
    if (Array.isArray(value)) return '[' + value.map(valueText).join(', ') + ']';
    if (typeof value !== 'object') return String(value);
    if (value.m) return '{' + value.m.map(([key, item]) => key + ': ' + valueText(item)).join(', ') + '}';
    return value.i ?? value.d ?? value.b ?? '';
}

// Kinds of ends: ok, failed (the work itself), limit (time, memory), broken (infrastructure), cancelled, open.
const kindOfWord = new Map([
    ['ok', 'ok'], ['cancelled', 'cancelled'],
    ...['wall_timeout', 'cpu_limit', 'memory_limit', 'output_limit', 'process_limit', 'timeout', 'deadline', 'limit']
        .map((word) => [word, 'limit']),
    ...['spawn_error', 'sandbox_lost', 'sandbox_not_ready', 'transport_error', 'rate_limited', 'quota', 'internal',
        'denied', 'unavailable', 'protocol', 'unsupported', 'nomem', 'rejected'].map((word) => [word, 'broken']),
]);

function outcomeOf(span) {
    const word = span.isForeign ? undefined : span.get('pawl.code.outcome') ?? span.get('pawl.status');
    if (typeof word === 'string' && word) return { word, kind: kindOfWord.get(word) ?? 'failed' };
    const type = span.get('error.type');
    if (span.raw.code === 2 || type) {
        const named = typeof type === 'string' && type ? type : 'error';
        return { word: named, kind: kindOfWord.get(named) ?? 'failed' };
    }
    if (span.isOpen) return { word: 'unfinished', kind: 'open' };
    return { word: 'ok', kind: 'ok' };
}

const isBad = (span) => span.outcome.kind !== 'ok' && span.outcome.kind !== 'open';
