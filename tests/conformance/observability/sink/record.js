// Items as lines of JSON: one span, metric point or log record a line, with its resource and scope, ids in hex,
// attributes as a plain object, 64-bit integers as text.
'use strict';

const { SHAPE } = require('./rules.js');

const POINTS = ['gauge', 'sum', 'histogram', 'exponentialHistogram'];
const hex = bytes => (bytes && bytes.length ? Buffer.from(bytes).toString('hex') : undefined);

function plainValue(any) {
  if (any.arrayValue) return (any.arrayValue.values || []).map(plainValue);
  if (any.kvlistValue) return plainAttributes(any.kvlistValue.values);
  if (any.bytesValue !== undefined) return { bytes: Buffer.from(any.bytesValue).toString('base64') };
  const kind = ['stringValue', 'boolValue', 'intValue', 'doubleValue'].find(name => any[name] !== undefined);
  const value = any[kind];
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value === undefined ? null : value;
}

function plainAttributes(list) {
  return Object.fromEntries((list || []).map(a => [a.key, plainValue(a.value || {})]));
}

// Ids to hex, attribute lists to objects, at every depth.
function plain(of) {
  if (Array.isArray(of)) return of.map(plain);
  if (Buffer.isBuffer(of) || of instanceof Uint8Array) return Buffer.from(of).toString('base64');
  if (typeof of === 'number' && !Number.isFinite(of)) return String(of);
  if (!of || typeof of !== 'object') return of;
  const result = {};
  for (const [key, value] of Object.entries(of)) {
    if (key === 'attributes' || key === 'filteredAttributes') result[key] = plainAttributes(value);
    else if (key === 'traceId' || key === 'spanId' || key === 'parentSpanId') result[key] = hex(value);
    else result[key] = key === 'body' ? plainValue(value) : plain(value);
  }
  return result;
}

function pointsOf(m) {
  const kind = POINTS.find(name => m[name]), data = m[kind];
  const metric = { name: m.name, unit: m.unit || '', description: m.description || '', kind,
    temporality: data.aggregationTemporality, monotonic: data.isMonotonic };
  return data.dataPoints.map(point => ({ item: 'point', metric, ...plain(point) }));
}

const ITEMS = {
  traces: s => [{ item: 'span', ...plain(s) }],
  metrics: pointsOf,
  logs: r => [{ item: 'log', ...plain(r) }],
};

// All items of a checked request, in order.
exports.items = (signal, request) => {
  const [resources, scopes, list] = SHAPE[signal];
  return request[resources].flatMap(r =>
    r[scopes].flatMap(s =>
      s[list].flatMap(ITEMS[signal]).map(item => ({
        ...item,
        resource: plainAttributes(r.resource.attributes),
        scope: { name: s.scope.name, version: s.scope.version },
      }))));
};
