#!/usr/bin/env bash
# The strict sink is no stricter than the standard: it takes what OpenTelemetry's own JavaScript SDK sends, in protobuf,
# and obeys the retry rules that SDK obeys. Whatever it refuses of ours is therefore ours to mend.
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=tests/conformance/observability/sink.sh
. "$here/sink.sh"
bash "$here/peers.sh" js || exit $?
work=$(mktemp -d)
trap 'sink_stop; rm -rf "$work"' EXIT
sink_start "$work"
failed=0
fail() { echo "FAILED: $*" >&2 && failed=$((failed + 1)); }

sink_faults '[{"signal": "traces", "status": 503, "retryAfter": 1}]'
node - "${PAWL_PEERS:-$here/../../../build/peers}/js/package.json" "http://127.0.0.1:$SINK_PORT" <<'JS'
const fromPeer = require('module').createRequire(require('path').resolve(process.argv[2]));
const url = signal => `${process.argv[3]}/v1/${signal}`;
const { NodeTracerProvider, BatchSpanProcessor } = fromPeer('@opentelemetry/sdk-trace-node');
const { MeterProvider, PeriodicExportingMetricReader, AggregationType } = fromPeer('@opentelemetry/sdk-metrics');
const { LoggerProvider, BatchLogRecordProcessor } = fromPeer('@opentelemetry/sdk-logs');
const { OTLPTraceExporter } = fromPeer('@opentelemetry/exporter-trace-otlp-proto');
const { OTLPMetricExporter } = fromPeer('@opentelemetry/exporter-metrics-otlp-proto');
const { OTLPLogExporter } = fromPeer('@opentelemetry/exporter-logs-otlp-proto');
const { trace, context } = fromPeer('@opentelemetry/api');

async function traces() {
  const exporter = new OTLPTraceExporter({ url: url('traces'), compression: 'gzip' });
  const provider = new NodeTracerProvider({ spanProcessors: [new BatchSpanProcessor(exporter)] });
  const tracer = provider.getTracer('test'), outer = tracer.startSpan('outer', { kind: 2 });
  const inner = tracer.startSpan('inner', { links: [{ context: outer.spanContext() }], attributes: { list: [1, 2.5] } },
    trace.setSpan(context.active(), outer));
  inner.recordException(new Error('no'));
  inner.setStatus({ code: 2, message: 'no' });
  inner.end();
  outer.end();
  await provider.shutdown();
}

async function metrics() {
  const reader = new PeriodicExportingMetricReader({ exporter: new OTLPMetricExporter({ url: url('metrics') }) });
  const provider = new MeterProvider({ readers: [reader],
    views: [{ instrumentName: 'exponential', aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM } }] });
  const meter = provider.getMeter('test');
  meter.createCounter('counter').add(1, { a: 'b' });
  meter.createUpDownCounter('updown').add(-1);
  meter.createHistogram('explicit', { unit: 'ms' }).record(30);
  meter.createHistogram('exponential').record(0.3);
  meter.createObservableGauge('gauge').addCallback(result => result.observe(1.5));
  await provider.shutdown();
}

async function logs() {
  const provider = new LoggerProvider({ processors: [new BatchLogRecordProcessor(new OTLPLogExporter({ url: url('logs') }))] });
  provider.getLogger('test').emit({ severityNumber: 9, severityText: 'INFO', body: 'said', attributes: { a: 1 } });
  await provider.shutdown();
}

Promise.all([traces(), metrics(), logs()]);
JS
[ "$(sink_counter refused)" = 0 ] || fail "refused: $(sink_counters)"
[ "$(sink_counter spans)/$(sink_counter points)/$(sink_counter logs)" = 2/5/1 ] || fail "taken: $(sink_counters)"
[ "$(sink_counter gzip)" = 2 ] || fail "the retried request was not zipped: $(sink_counters)"
waited=$(sink_items request | sed -n 's/.*"signal":"traces".*"atMs":\([0-9]*\).*/\1/p' | awk 'NR == 1 {first = $1} END {print $1 - first}')
[ "$waited" -ge 1000 ] || fail "the SDK retried after $waited ms"
[ "$failed" = 0 ] || exit 1
echo "the sink takes what OpenTelemetry sends"
