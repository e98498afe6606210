// ---- search.js: which spans a query means. Words are all to be found; "two words"; key=value; -word; is:failed;
// >10ms or <1s for durations ----

function haystackOf(span) {
    if (span.haystack !== null) return span.haystack;
    const raw = span.raw;
    const parts = [raw.name, span.outcome.word, raw.message ?? '', raw.id];
    const add = (pairs) => pairs?.forEach(([key, value]) => parts.push(key + '=' + valueText(value)));
    add(raw.attributes);
    for (const event of raw.events ?? []) {
        parts.push(event.name);
        add(event.attributes);
    }
    return span.haystack = parts.join('\n').toLowerCase();
}

const unitNs = { ns: 1, us: 1e3, '\u00b5s': 1e3, ms: 1e6, s: 1e9, min: 60e9 };

function testOf(word) {
    if (word === 'is:failed') return isBad;
    if (word === 'is:orphan') return (span) => span.isOrphan;
    const bound = /^([<>])(\d+(?:\.\d+)?)(ns|us|\u00b5s|ms|s|min)$/.exec(word);
    if (bound) {
        const ns = Number(bound[2]) * unitNs[bound[3]];
        return bound[1] === '>' ? (span) => span.length > ns : (span) => span.length < ns;
    }
    const pair = /^([\w.]+)=(.+)$/.exec(word);
    if (pair)
        return (span) => span.raw.attributes?.some(([key, value]) =>
            key.toLowerCase() === pair[1] && valueText(value).toLowerCase().includes(pair[2])) ?? false;
    return (span) => haystackOf(span).includes(word);
}

// A function that says whether a span is meant, or null for everything.
function compile(query, failuresOnly) {
    const tests = failuresOnly ? [isBad] : [];
    for (const [, minus, quoted, plain] of query.toLowerCase().matchAll(/(-?)(?:"([^"]*)"|(\S+))/g)) {
        const word = quoted ?? plain;
        if (!word) continue;
        const test = quoted === undefined ? testOf(word) : (span) => haystackOf(span).includes(word);
        tests.push(minus ? (span) => !test(span) : test);
    }
    return tests.length > 0 ? (span) => tests.every((test) => test(span)) : null;
}
