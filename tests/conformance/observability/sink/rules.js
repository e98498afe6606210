// What a request must mean, beyond being well-formed: ids, times, names, temporality, counts that agree.
'use strict';

const STATE = /^([a-z0-9][a-z0-9_\-*/@]{0,255}=[ -+\--<>-~]{0,255}[!-+\--<>-~](,|$)){1,32}$/;
const NAME = /^[A-Za-z][A-Za-z0-9_.\/-]{0,254}$/;
const EARLIEST = 1577836800000000000n; // 2020: catches seconds and milliseconds given for nanoseconds
const LATEST = 4102444800000000000n; // 2100

function must(right, what) {
  if (!right) throw Error(what);
}
function within(where, work) {
  try {
    return work();
  } catch (error) {
    throw Error(`${where}: ${error.message}`);
  }
}
const each = (list, what, check) => (list || []).forEach((item, i) => within(`${what}[${i}]`, () => check(item)));
const some = (list, what) => must(list && list.length > 0, `no ${what}`);

function time(value, what) {
  const nanoseconds = BigInt(value || 0);
  must(nanoseconds >= EARLIEST && nanoseconds < LATEST, `${what} is ${nanoseconds} ns since 1970`);
  return nanoseconds;
}

function id(value, bytes, what) {
  must(value && value.length === bytes, `${what} has ${value ? value.length : 0} bytes`);
  must(value.some(byte => byte !== 0), `${what} is zero`);
}
const absent = value => !value || value.length === 0;

function ids(of) {
  id(of.traceId, 16, 'trace id');
  id(of.spanId, 8, 'span id');
}

function value(any) {
  must(any, 'no value');
  if (any.arrayValue) each(any.arrayValue.values, 'values', value);
  if (any.kvlistValue) attributes(any.kvlistValue.values);
}

function attributes(list) {
  const keys = new Set();
  each(list, 'attributes', attribute => {
    must(attribute.key, 'no key');
    must(!keys.has(attribute.key), `key ${attribute.key} twice`);
    keys.add(attribute.key);
    within(attribute.key, () => value(attribute.value));
  });
}

function resource(of) {
  must(of, 'no resource');
  attributes(of.attributes);
  const service = (of.attributes || []).find(a => a.key === 'service.name');
  must(service && service.value.stringValue, 'no service.name');
}

function scope(of) {
  must(of && of.name, 'no scope name');
  attributes(of.attributes);
}

// ---- traces ----

function span(s) {
  ids(s);
  if (!absent(s.parentSpanId)) {
    id(s.parentSpanId, 8, 'parent span id');
    must(Buffer.compare(s.parentSpanId, s.spanId) !== 0, 'it is its own parent');
  }
  must(s.name, 'no name');
  must(s.kind >= 1 && s.kind <= 5, `kind ${s.kind || 0}`);
  must(time(s.startTimeUnixNano, 'start') <= time(s.endTimeUnixNano, 'end'), 'end before start');
  must(!s.traceState || STATE.test(s.traceState), `trace state ${JSON.stringify(s.traceState)}`);
  must(((s.flags || 0) & ~0x3ff) === 0, `flags ${s.flags}`);
  attributes(s.attributes);
  each(s.events, 'events', event => {
    time(event.timeUnixNano, 'time');
    must(event.name, 'no name');
    attributes(event.attributes);
  });
  each(s.links, 'links', link => {
    ids(link);
    must(!link.traceState || STATE.test(link.traceState), `trace state ${JSON.stringify(link.traceState)}`);
    attributes(link.attributes);
  });
  must(!s.status || !s.status.message || s.status.code === 2, 'a status message without an error');
}

// ---- metrics ----

const total = list => (list || []).reduce((sum, count) => sum + BigInt(count), 0n);
const isNumber = of => of.asInt !== undefined || of.asDouble !== undefined;

function exemplar(of) {
  must(isNumber(of), 'no value');
  time(of.timeUnixNano, 'time');
  if (!absent(of.traceId) || !absent(of.spanId)) ids(of);
  attributes(of.filteredAttributes);
}

function counted(point, buckets) {
  must(buckets === BigInt(point.count || 0), `count ${point.count || 0}, in buckets ${buckets}`);
  must(point.min === undefined || point.max === undefined || point.min <= point.max, 'min over max');
}

const POINTS = {
  gauge(point) {
    must(isNumber(point) || point.flags === 1, 'no value');
  },
  sum(point, of) {
    must(isNumber(point) || point.flags === 1, 'no value');
    must(!of.isMonotonic || !(point.asDouble < 0 || BigInt(point.asInt || 0) < 0n), 'a monotonic sum below zero');
  },
  histogram(point) {
    const bounds = point.explicitBounds || [], counts = point.bucketCounts || [];
    must(counts.length === bounds.length + 1 || (counts.length === 0 && bounds.length === 0),
      `${counts.length} buckets for ${bounds.length} bounds`);
    bounds.forEach((bound, i) => must(Number.isFinite(bound) && (i === 0 || bounds[i - 1] < bound), `bound ${bound}`));
    counted(point, counts.length ? total(counts) : BigInt(point.count || 0));
  },
  exponentialHistogram(point) {
    must((point.scale || 0) >= -10 && (point.scale || 0) <= 20, `scale ${point.scale}`);
    must(!(point.zeroThreshold < 0), 'zero threshold below zero');
    const side = buckets => total(buckets && buckets.bucketCounts);
    counted(point, side(point.positive) + side(point.negative) + BigInt(point.zeroCount || 0));
  },
};

const series = point => JSON.stringify((point.attributes || []).map(a => [a.key, a.value]).sort());

function points(kind, of) {
  const known = new Set();
  some(of.dataPoints, 'data points');
  if (kind !== 'gauge') must(of.aggregationTemporality === 1 || of.aggregationTemporality === 2, 'no temporality');
  each(of.dataPoints, 'points', point => {
    const at = time(point.timeUnixNano, 'time');
    if (kind !== 'gauge' || BigInt(point.startTimeUnixNano || 0) > 0n)
      must(time(point.startTimeUnixNano, 'start') <= at, 'time before start');
    attributes(point.attributes);
    must(!known.has(series(point)), 'the same attributes twice');
    known.add(series(point));
    must(((point.flags || 0) & ~1) === 0, `flags ${point.flags}`);
    each(point.exemplars, 'exemplars', exemplar);
    POINTS[kind](point, of);
  });
}

function metric(m) {
  must(NAME.test(m.name || ''), `name ${JSON.stringify(m.name)}`);
  must(/^[\x20-\x7e]{0,63}$/.test(m.unit || ''), `unit ${JSON.stringify(m.unit)}`);
  const kinds = Object.keys(POINTS).filter(kind => m[kind]);
  must(kinds.length === 1 && !m.summary, 'it is no gauge, sum or histogram');
  within(m.name, () => points(kinds[0], m[kinds[0]]));
}

function metrics(list) {
  const names = new Set();
  each(list, 'metrics', m => {
    metric(m);
    must(!names.has(m.name), `metric ${m.name} twice in one scope`);
    names.add(m.name);
  });
}

// ---- logs ----

function record(r) {
  time(r.observedTimeUnixNano, 'observed time');
  if (BigInt(r.timeUnixNano || 0) > 0n) time(r.timeUnixNano, 'time');
  must((r.severityNumber || 0) <= 24, `severity ${r.severityNumber}`);
  if (!absent(r.traceId) || !absent(r.spanId)) ids(r);
  must(((r.flags || 0) & ~0xff) === 0, `flags ${r.flags}`);
  if (r.body) value(r.body);
  attributes(r.attributes);
}

// ---- envelopes ----

const SHAPE = {
  traces: ['resourceSpans', 'scopeSpans', 'spans', list => each(list, 'spans', span)],
  metrics: ['resourceMetrics', 'scopeMetrics', 'metrics', metrics],
  logs: ['resourceLogs', 'scopeLogs', 'logRecords', list => each(list, 'records', record)],
};

// Throws what is wrong, with the way to it.
exports.check = (signal, request) => {
  const [resources, scopes, items, check] = SHAPE[signal];
  some(request[resources], resources);
  each(request[resources], resources, r => {
    resource(r.resource);
    some(r[scopes], scopes);
    each(r[scopes], scopes, s => {
      scope(s.scope);
      some(s[items], items);
      check(s[items]);
    });
  });
};
exports.SHAPE = SHAPE;
