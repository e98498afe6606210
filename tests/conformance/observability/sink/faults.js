// How a request is answered wrongly on purpose. A list of faults is used up one after another, one a request:
//
//   {"signal": "traces"}    only for requests of that signal; any when left out
//   {"times": 3}            so often (1); 0: until other faults are set
//   {"accept": true}        take the request in although its reply goes wrong, as a server does whose reply is lost
// and one of
//   {"status": 503, "retryAfter": 2 | "text" | {"dateIn": 2}, "headers": {}, "body": "text"}
//   {"partial": 2, "message": "text"}   refuse so many items (0: a warning), the last ones
//   {"reset": "before" | "after"}       reset the connection before or after the body was read
//   {"close": true}                     close it without a reply
//   {"hang": true}                      neither reply nor close
//   {"slowRead": 1000}                  read the body with so many bytes a second
//   {"slowReply": 500}                  reply after so many milliseconds
//   {"drip": 20}                        reply byte by byte, so many milliseconds apart
//   {"garbage": "http" | "body"}        reply with what is no HTTP; with a body that is no reply
//   {"huge": 5000000}                   200 with so many bytes
'use strict';

const KINDS = ['status', 'partial', 'reset', 'close', 'hang', 'slowRead', 'slowReply', 'drip', 'garbage', 'huge'];
const OTHERS = ['signal', 'times', 'accept', 'retryAfter', 'headers', 'body', 'message'];
let faults = [];

// Throws for one that is not known.
exports.set = list => {
  if (!Array.isArray(list)) throw Error('faults are a list');
  for (const fault of list) {
    const unknown = Object.keys(fault).find(key => !KINDS.includes(key) && !OTHERS.includes(key));
    if (unknown) throw Error(`unknown fault '${unknown}'`);
    if (KINDS.filter(kind => kind in fault).length > 1) throw Error('a fault is of one kind');
  }
  faults = list.map(fault => ({ ...fault }));
};

// The fault for the next request of a signal; {} for none.
exports.next = signal => {
  const at = faults.findIndex(fault => !fault.signal || fault.signal === signal);
  if (at < 0) return {};
  const fault = faults[at];
  if (fault.times === undefined || fault.times === 1) faults.splice(at, 1);
  else if (fault.times > 1) fault.times--;
  return fault;
};
exports.left = () => faults.length;
exports.kind = fault => KINDS.find(kind => kind in fault);

exports.retryAfter = value => {
  if (value === undefined) return {};
  const date = value.dateIn !== undefined && new Date(Date.now() + value.dateIn * 1000).toUTCString();
  return { 'Retry-After': date || String(value) };
};

const pause = ms => new Promise(done => setTimeout(done, ms));
exports.pause = pause;

// The body of a request, read as fast as the fault lets it be.
exports.readBody = async (request, fault) => {
  const parts = [];
  let bytes = 0;
  if (fault.slowRead) await pause(1); // so that the first bytes wait in the connection too
  for await (const part of request) {
    parts.push(part);
    bytes += part.length;
    if (bytes > 64 << 20) throw Object.assign(Error('over 64 MiB'), { status: 413 });
    if (fault.slowRead) await pause((part.length * 1000) / fault.slowRead);
  }
  return Buffer.concat(parts);
};

// A right reply, head and body, byte by byte.
exports.drip = async (fault, socket, headers, body) => {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const whole = Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\nConnection: close\r\n${lines.join('')}\r\n`), Buffer.from(body)]);
  for (let at = 0; at < whole.length && !socket.destroyed; at++) {
    socket.write(whole.subarray(at, at + 1));
    await pause(fault.drip);
  }
  socket.end();
};

// Sends status, headers and body wrongly. Returns whether it did.
exports.misreply = async (fault, response) => {
  const socket = response.socket;
  if (fault.reset) socket.resetAndDestroy();
  else if (fault.close) socket.destroy();
  else if (fault.hang) socket.setTimeout(0);
  else if (fault.garbage === 'http') socket.end('\x00\xff\x7f this is no HTTP\r\n\r\n'.repeat(20));
  else if (fault.huge) {
    response.writeHead(200, { 'Content-Length': fault.huge, 'Content-Type': 'application/x-protobuf' });
    const filler = Buffer.alloc(65536, 0x0a);
    for (let sent = 0; sent < fault.huge && !socket.destroyed; sent += filler.length) {
      const room = response.write(filler.subarray(0, Math.min(filler.length, fault.huge - sent)));
      if (!room) await Promise.race([new Promise(done => response.once('drain', done)), new Promise(done => socket.once('close', done))]);
    }
    response.end();
  } else return false;
  return true;
};
