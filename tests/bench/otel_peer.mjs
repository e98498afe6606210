// OpenTelemetry's JavaScript SDK doing what the bench's rows do; prints one JSON object, metric -> figure in the row's
// unit. As on our side: a batch processor, an exporter that throws everything away, bursts of less than the queue
// holds, exported between them, so that only spans that are recorded are timed.
import assert from "node:assert";
import { createRequire } from "node:module";

const peer = createRequire(`${process.env.PAWL_PEERS}/js/package.json`);
const api = peer("@opentelemetry/api");

const WARM_UP = 20; // rounds
const ROUNDS = 101;

const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];

// What one call of fn costs, ns: the median of rounds, after what `between` has cleaned up.
async function time(fn, times, between) {
    const rounds = [];
    for (let round = -WARM_UP; round < ROUNDS; round++) {
        const start = process.hrtime.bigint();
        for (let i = 0; i < times; i++) fn();
        const ns = Number(process.hrtime.bigint() - start) / times;
        if (round >= 0) rounds.push(ns);
        await between();
    }
    return median(rounds);
}

// ---- tracing ----

const QUEUE = 4096;
const BURST = QUEUE / 2; // spans

function newTracer(sampler) {
    const { BasicTracerProvider, BatchSpanProcessor } = peer("@opentelemetry/sdk-trace-base");
    const seen = { spans: 0 };
    const exporter = {
        export: (spans, done) => ((seen.spans += spans.length), done({ code: 0 })),
        shutdown: async () => {},
    };
    const processor = new BatchSpanProcessor(exporter, {
        maxQueueSize: QUEUE,
        maxExportBatchSize: QUEUE,
        scheduledDelayMillis: 3600_000,
    });
    const provider = new BasicTracerProvider({ sampler, spanProcessors: [processor] });
    return { tracer: provider.getTracer("bench"), flush: () => provider.forceFlush(), seen, provider };
}

function parentOf(traceFlags) {
    const ids = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331" };
    return api.trace.setSpanContext(api.ROOT_CONTEXT, { ...ids, traceFlags });
}

async function timeSpans(spans, fn, parts) {
    const times = Math.floor(BURST / spans);
    parts.seen.spans = 0;
    const ns = await time(fn, times, parts.flush);
    assert.equal(parts.seen.spans, times * spans * (WARM_UP + ROUNDS), "spans were dropped: the figures are too good");
    return ns;
}

async function tracing() {
    const parts = newTracer();
    const { tracer } = parts;
    const parent = parentOf(1);
    const one = () => tracer.startSpan("no-op", {}, parent).end();
    const withAttributes = () => {
        const span = tracer.startSpan("no-op", {}, parent);
        span.setAttribute("shop.queue", "fast");
        span.setAttribute("shop.items", 3);
        span.setAttribute("shop.paid", true);
        span.end();
    };
    const nest = (context, depth) => {
        const span = tracer.startSpan("again", {}, context);
        if (depth > 1) nest(api.trace.setSpan(context, span), depth - 1);
        span.end();
    };
    const span = await timeSpans(1, one, parts);
    const figures = {
        tracer_primitive_ns: span,
        tracer_primitive_monotonic_ns: span,
        tracer_3_attributes_ns: await timeSpans(1, withAttributes, parts),
        tracer_nested_10_ns: await timeSpans(10, () => nest(parent, 10), parts),
    };
    await parts.provider.shutdown();
    return Object.assign(figures, await unsampled());
}

async function unsampled() {
    const { AlwaysOffSampler, ParentBasedSampler } = peer("@opentelemetry/sdk-trace-base");
    const parts = newTracer(new ParentBasedSampler({ root: new AlwaysOffSampler() }));
    const dropped = parentOf(0);
    const beneath = () => parts.tracer.startSpan("no-op", {}, dropped).end();
    const root = () => parts.tracer.startSpan("no-op", {}, api.ROOT_CONTEXT).end();
    const figures = {
        tracer_unsampled_ns: await time(beneath, BURST, parts.flush),
        tracer_unsampled_new_trace_ns: await time(root, BURST, parts.flush),
    };
    assert.equal(parts.seen.spans, 0);
    await parts.provider.shutdown();
    return figures;
}

// ---- metrics ----

const BOUNDS = [1e-6, 1e-5, 1e-4, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
const TIMES = 20_000;

async function metrics() {
    const { AggregationTemporality, MeterProvider, PeriodicExportingMetricReader } = peer("@opentelemetry/sdk-metrics");
    const seen = { points: 0 };
    const exporter = {
        export: (all, done) => {
            for (const scope of all.scopeMetrics)
                for (const metric of scope.metrics) seen.points += metric.dataPoints.length;
            done({ code: 0 });
        },
        forceFlush: async () => {},
        shutdown: async () => {},
        selectAggregationTemporality: () => AggregationTemporality.CUMULATIVE,
    };
    const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3600_000 });
    const provider = new MeterProvider({ readers: [reader] });
    const meter = provider.getMeter("bench");
    const waits = meter.createHistogram("bench.wait", { unit: "s", advice: { explicitBucketBoundaries: BOUNDS } });
    const orders = meter.createCounter("bench.orders", { unit: "{order}" });
    const nothing = async () => {};
    const figures = {
        histogram_observe_ns: await time(() => waits.record(0.003), TIMES, nothing),
        measure_3_attributes_ns: await time(
            () => waits.record(0.003, { shop: "north", article: "bread", size: 3 }),
            TIMES,
            nothing,
        ),
        counter_add_ns: await time(() => orders.add(1), TIMES, nothing),
    };
    await provider.forceFlush();
    assert.equal(seen.points, 3, "not everything was measured");
    await provider.shutdown();
    return figures;
}

// ---- otlp ----

const BATCH = 512;

// As usual_span() in tests/support/telemetry_data.c.
function richSpan(tracer, parent) {
    const attributes = {
        "pawl.primitive.type": "code_execution",
        "pawl.primitive.path": "fix/again/run",
        "pawl.attempt": 2,
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "python",
        "pawl.execution.seconds": 0.125,
        "pawl.cached": false,
    };
    const links = [{ context: api.trace.getSpanContext(parent) }];
    const span = tracer.startSpan("run", { attributes, links }, parent);
    const exception = { "exception.type": "ValueError", "exception.message": "invalid literal for int()" };
    span.addEvent("exception", exception);
    span.setStatus({ code: api.SpanStatusCode.ERROR, message: "the program exited with 1" });
    span.end();
}

async function otlp() {
    const { BasicTracerProvider, BatchSpanProcessor } = peer("@opentelemetry/sdk-trace-base");
    const { JsonTraceSerializer, ProtobufTraceSerializer } = peer("@opentelemetry/otlp-transformer");
    const batch = [];
    const exporter = { export: (spans, done) => (batch.push(...spans), done({ code: 0 })), shutdown: async () => {} };
    const provider = new BasicTracerProvider({ spanProcessors: [new BatchSpanProcessor(exporter)] });
    for (let i = 0; i < BATCH; i++) richSpan(provider.getTracer("bench"), parentOf(1));
    await provider.forceFlush();
    assert.equal(batch.length, BATCH);
    const cost = (serializer) => { // of the processor's time: nothing here waits
        const rounds = [];
        for (let round = -WARM_UP; round < ROUNDS; round++) {
            const start = process.cpuUsage();
            serializer.serializeRequest(batch);
            const used = process.cpuUsage(start);
            if (round >= 0) rounds.push(((used.user + used.system) * 1000) / BATCH);
        }
        return median(rounds);
    };
    return { otlp_encode_protobuf_ns: cost(ProtobufTraceSerializer), otlp_encode_json_ns: cost(JsonTraceSerializer) };
}

const areas = { tracing, metrics, otlp };
process.stdout.write(`${JSON.stringify(await areas[process.argv[2]]())}\n`);
