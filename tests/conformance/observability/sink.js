// A strict OTLP/HTTP receiver: takes traces, metrics and logs as protobuf or JSON, plain or gzip; refuses with 400 what
// a lenient one lets pass (see sink/wire.js, json.js, rules.js), writes down what it took, and fails as it is told to.
//
//     node sink.js [--port N] [--record FILE] [--prefix /path]      prints "listening on N"; ends with SIGTERM or its parent
//
// FILE gets a line of JSON for each item taken and for each request (sink/record.js). Control, on the same port:
//     PUT /control/faults [..]     sets the faults to come (sink/faults.js)
//     GET /control/counters        what happened so far
//     DELETE /control/counters     forgets counts and faults
'use strict';

const fs = require('fs');
const http = require('http');
const zlib = require('zlib');
const faults = require('./sink/faults.js');
const json = require('./sink/json.js');
const record = require('./sink/record.js');
const rules = require('./sink/rules.js');
const schema = require('./sink/schema.js');
const wire = require('./sink/wire.js');

const option = (name, otherwise) => {
  const at = process.argv.indexOf(`--${name}`);
  return at > 0 ? process.argv[at + 1] : otherwise;
};
const file = option('record') && fs.openSync(option('record'), 'a');
const prefix = option('prefix', '');
const PROTOBUF = 'application/x-protobuf', JSON_TYPE = 'application/json';
const MOST_UNPACKED = 64 << 20;

let counters, seen;
function forget() {
  counters = { requests: 0, connections: 0, accepted: 0, refused: 0, faults: 0, spans: 0, points: 0, logs: 0,
    partialRejected: 0, duplicateSpans: 0, bodyBytes: 0, gzip: 0, json: 0, reasons: [] };
  seen = new Set();
  faults.set([]);
}
forget();

class Refusal extends Error {
  constructor(status, message) { super(message); this.status = status; }
}
const write = line => file && fs.writeSync(file, JSON.stringify(line) + '\n');

// ---- what a request must be ----

function unpack(request, body) {
  const encoding = request.headers['content-encoding'];
  if (encoding === undefined) return body;
  if (encoding !== 'gzip') throw new Refusal(415, `content encoding '${encoding}'`);
  counters.gzip++;
  try {
    return zlib.gunzipSync(body, { maxOutputLength: MOST_UNPACKED });
  } catch (error) {
    throw new Refusal(400, `gzip: ${error.message}`);
  }
}

function parse(signal, type, bytes) {
  if (type === PROTOBUF) {
    wire.check(signal.Request, bytes);
    return signal.Request.decode(bytes);
  }
  counters.json++;
  return signal.Request.fromObject(json.read(signal.Request, bytes));
}

function understand(signal, request, body) {
  const type = request.headers['content-type'];
  if (type !== PROTOBUF && type !== JSON_TYPE) throw new Refusal(415, `content type '${type}'`);
  if (!/(^| )OTel-OTLP-Exporter-[A-Za-z]+\/\S+( |$)/.test(request.headers['user-agent'] || ''))
    throw new Refusal(400, `user agent '${request.headers['user-agent']}'`);
  try {
    const message = signal.Request.toObject(parse(signal, type, unpack(request, body)), { longs: String });
    rules.check(signal.name, message);
    return record.items(signal.name, message);
  } catch (error) {
    throw error instanceof Refusal ? error : new Refusal(400, error.message);
  }
}

// ---- replies ----

const bodyOf = (type, object, isJson) => (isJson ? JSON.stringify(object) : Buffer.from(type.encode(type.fromObject(object)).finish()));

async function reply(response, status, headers, body, fault = {}) {
  if (fault.slowReply) await faults.pause(fault.slowReply);
  if (fault.drip) return faults.drip(fault, response.socket, { 'Content-Length': Buffer.byteLength(body), ...headers }, body);
  response.writeHead(status, { 'Content-Length': Buffer.byteLength(body), ...headers });
  response.end(body);
}

function take(items) {
  for (const item of items) {
    counters[`${item.item}s`]++;
    if (item.item === 'span') {
      const key = `${item.traceId}-${item.spanId}`;
      if (seen.has(key)) counters.duplicateSpans++;
      seen.add(key);
    }
    write(item);
  }
}

function refuse(request, response, error) {
  const isJson = request.headers['content-type'] === JSON_TYPE, status = error.status || 500;
  counters.refused++;
  counters.reasons = [...counters.reasons, error.message].slice(-20);
  write({ item: 'request', url: request.url, outcome: 'refused', status, reason: error.message });
  return reply(response, status, { 'Content-Type': isJson ? JSON_TYPE : PROTOBUF },
    bodyOf(schema.Status, { code: 3, message: error.message }, isJson));
}

// ---- exports ----

async function serveFault(fault, request, response, type) {
  if (await faults.misreply(fault, response)) return;
  if (fault.garbage) return reply(response, 200, { 'Content-Type': type }, Buffer.from('ff07fe\x00garbage{', 'latin1'));
  const isJson = type === JSON_TYPE;
  const body = fault.body !== undefined ? fault.body : bodyOf(schema.Status, { code: 14, message: 'injected' }, isJson);
  return reply(response, fault.status, { 'Content-Type': type, ...faults.retryAfter(fault.retryAfter), ...fault.headers }, body);
}

async function receive(signal, request, response) {
  const fault = faults.next(signal.name), kind = faults.kind(fault), started = Date.now();
  const type = request.headers['content-type'], isJson = type === JSON_TYPE;
  counters.requests++;
  if (kind) counters.faults++;
  if (fault.reset === 'before') {
    write({ item: 'request', signal: signal.name, outcome: 'fault', fault: kind, atMs: started });
    return response.socket.resetAndDestroy();
  }
  const body = await faults.readBody(request, fault);
  counters.bodyBytes += body.length;
  const items = understand(signal, request, body); // also what is to fail must be right
  const replies = kind === undefined || kind === 'partial' || kind === 'slowRead' || kind === 'slowReply' || kind === 'drip';
  const rejected = fault.partial || 0;
  if (replies || fault.accept) {
    take(items.slice(0, items.length - rejected));
    counters.accepted++;
  }
  counters.partialRejected += rejected;
  write({ item: 'request', signal: signal.name, outcome: kind ? 'fault' : 'accepted', fault: kind, atMs: started,
    bytes: body.length, items: items.length, headers: request.headers });
  if (!replies) return serveFault(fault, request, response, type);
  const partialSuccess = { ...(rejected && { [signal.rejected]: rejected }), errorMessage: fault.message || 'injected' };
  return reply(response, 200, { 'Content-Type': type },
    bodyOf(signal.Response, kind === 'partial' ? { partialSuccess } : {}, isJson), fault);
}

async function control(request, response) {
  const act = `${request.method} ${request.url}`;
  const body = await faults.readBody(request, {});
  if (act === 'PUT /control/faults') faults.set(JSON.parse(body.toString()));
  else if (act === 'DELETE /control/counters') forget();
  else if (act !== 'GET /control/counters') throw new Refusal(404, `no control '${act}'`);
  return reply(response, 200, { 'Content-Type': JSON_TYPE }, JSON.stringify({ ...counters, faultsLeft: faults.left() }) + '\n');
}

async function handle(request, response) {
  try {
    if (request.url.startsWith('/control/')) return await control(request, response);
    const path = request.url.startsWith(prefix) ? request.url.slice(prefix.length) : '';
    const signal = Object.hasOwn(schema.signals, path) && schema.signals[path];
    if (!signal) throw new Refusal(404, `no path '${request.url}'`);
    if (request.method !== 'POST') throw new Refusal(405, `method ${request.method}`);
    await receive(signal, request, response);
  } catch (error) {
    if (response.headersSent || response.socket === null || response.socket.destroyed) return;
    if (request.url.startsWith('/control/'))
      await reply(response, error.status || 400, { 'Content-Type': 'text/plain' }, `${error.message}\n`);
    else await refuse(request, response, error);
  }
}

const server = http.createServer({ keepAliveTimeout: 60000 }, handle);
server.on('connection', socket => {
  counters.connections++;
  socket.on('error', () => socket.destroy());
});
server.listen(Number(option('port', 0)), '127.0.0.1', () => console.log(`listening on ${server.address().port}`));
const parent = process.ppid;
setInterval(() => process.ppid === parent || process.exit(0), 500);
process.on('SIGTERM', () => process.exit(0));
