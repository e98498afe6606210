// The official OTLP schema, read from the .proto files of the peer "otlp" (see ../peers.sh).
'use strict';
const path = require('path');
const { createRequire } = require('module');

const peers = process.env.PAWL_PEERS || path.join(__dirname, '../../../../build/peers');
const fromPeer = createRequire(path.join(peers, 'otlp/package.json'));
const protobuf = fromPeer('protobufjs');
const base = path.dirname(fromPeer.resolve('@elastic/mockotlpserver/package.json'));

const root = new protobuf.Root();
root.resolvePath = (origin, target) => path.join(base, target);
root.loadSync(['trace', 'metrics', 'logs'].map(d => `opentelemetry/proto/collector/${d}/v1/${d}_service.proto`));
root.resolveAll();

// google.rpc.Status, the body of an error reply; it is not among the files.
const Status = new protobuf.Type('Status')
  .add(new protobuf.Field('code', 1, 'int32'))
  .add(new protobuf.Field('message', 2, 'string'));

function signal(name, folder, title, rejected) {
  const type = kind => root.lookupType(`opentelemetry.proto.collector.${folder}.v1.Export${title}Service${kind}`);
  return { name, Request: type('Request'), Response: type('Response'), rejected };
}

module.exports = {
  Status,
  signals: {
    '/v1/traces': signal('traces', 'trace', 'Trace', 'rejectedSpans'),
    '/v1/metrics': signal('metrics', 'metrics', 'Metrics', 'rejectedDataPoints'),
    '/v1/logs': signal('logs', 'logs', 'Logs', 'rejectedLogRecords'),
  },
};
