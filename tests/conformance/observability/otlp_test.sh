#!/usr/bin/env bash
# What the OTLP exporter sends is decoded by protoc with the official schema, without unknown fields, and taken by the
# strict sink in every encoding; and no span is lost, whatever a collector does that may pass.
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=tests/conformance/observability/sink.sh
. "$here/sink.sh"
producer=${PAWL_BUILD_DIR:?}/tests/conformance/observability/otlp_producer
work=$(mktemp -d)
trap 'sink_stop; rm -rf "$work"' EXIT
sink_start "$work"
unset http_proxy HTTP_PROXY all_proxy ALL_PROXY
base=http://127.0.0.1:$SINK_PORT
failed=0
fail() { echo "FAILED: $*" >&2 && failed=$((failed + 1)); }
value() { sed -n "s/^$1=//p" "$work/out"; }
expect() { [ "$(value "$2")" = "$3" ] || fail "$1: $2 is $(value "$2"), not $3"; }

# ---- protoc and the official schema ----

for signal in traces metrics logs; do
    "$producer" dump "$signal" protobuf >"$work/body"
    status=0
    bash "$here/decode.sh" "$signal" <"$work/body" >"$work/text" || status=$?
    [ "$status" = 77 ] && break
    [ "$status" = 0 ] || fail "protoc does not take $signal"
    grep -q 'caf\\357\\277\\275 \\357\\277\\275\\357\\277\\275' "$work/text" || fail "$signal: bad UTF-8 was not mended"
done

# ---- the strict sink: everything, in every encoding ----

for protocol in protobuf json; do
    for packing in plain gzip; do
        sink_reset
        : >"$SINK_RECORD"
        "$producer" send "$base" "$protocol" "$packing" >"$work/out" || fail "$protocol $packing: an export failed"
        expect "$protocol $packing" traces.sent 8
        expect "$protocol $packing" metrics.sent 11
        expect "$protocol $packing" logs.sent 5
        [ "$(sink_counter refused)" = 0 ] || { fail "$protocol $packing was refused" && sink_counters; }
        [ "$(sink_counter spans) $(sink_counter points) $(sink_counter logs)" = "8 11 5" ] || fail "items are missing"
        sink_items span | sed 's/"resource":.*//' >"$work/spans.$protocol.$packing"
        sink_items point | sed 's/"resource":.*//' >"$work/points.$protocol.$packing"
        sink_items log | sed 's/"resource":.*//' >"$work/logs.$protocol.$packing"
    done
done
for kind in spans points logs; do
    for other in protobuf.gzip json.plain json.gzip; do
        cmp "$work/$kind.protobuf.plain" "$work/$kind.$other" || fail "$kind differ between encodings"
    done
done

# ---- faults ----

# survives NAME RETRIES FAULTS: 50 spans in five requests arrive, each of them, with so many retries.
survives() {
    sink_reset
    : >"$SINK_RECORD"
    sink_faults "$3"
    "$producer" spans "$base" 50 10000 >"$work/out" || fail "$1: an export failed"
    expect "$1" traces.sent 50
    expect "$1" traces.dropped 0
    expect "$1" traces.retries "$2"
    local spans
    spans=$(sink_items span | grep -o '"spanId":"[0-9a-f]*"' | sort -u | wc -l)
    [ "$spans" -ge 50 ] || fail "$1: only $spans spans arrived"
}
survives "503 with Retry-After in seconds" 1 '[{"status": 503, "retryAfter": 1}]'
survives "429 with Retry-After as a date" 1 '[{"status": 429, "retryAfter": {"dateIn": 2}}]'
survives "502 and 504" 2 '[{"status": 502, "retryAfter": 1}, {"status": 504, "retryAfter": 1}]'
survives "a reset before and after the body" 2 '[{"reset": "before"}, {"reset": "after"}]'
survives "a close without reply, although taken" 1 '[{"close": true, "accept": true}]'
survives "slow reads and replies" 0 '[{"slowRead": 4000}, {"slowReply": 300}, {"drip": 5}]'

# loses NAME COUNT FAULTS: those spans are lost, and counted; the program goes on.
loses() {
    sink_reset
    sink_faults "$3"
    "$producer" spans "$base" 50 1500 >"$work/out" 2>"$work/errors" || :
    expect "$1" traces.sent $((50 - $2))
    [ $(($(value traces.dropped) + $(value traces.rejected))) = "$2" ] || fail "$1: $(cat "$work/out")"
    [ -s "$work/errors" ] || fail "$1: nothing was told"
}
loses "partial success" 3 '[{"partial": 3}]'
loses "400" 10 '[{"status": 400}]'
loses "500, which is final" 10 '[{"status": 500, "retryAfter": 1}]'
loses "a hang" 10 '[{"hang": true}]'
loses "a reply that is none" 20 '[{"garbage": "body"}, {"garbage": "http"}]'
loses "a huge reply" 10 '[{"huge": 5000000}]'
loses "patience asked for beyond the time-out" 10 '[{"status": 503, "retryAfter": 3600}]'

# ---- through the tracer ----

# traced NAME RUNS MODE FAULTS: four spans of each run arrive, connected.
traced() {
    sink_reset
    : >"$SINK_RECORD"
    sink_faults "$4"
    "$producer" traced "$base" "$2" "$3" >"$work/out" || fail "$1: a run or an export failed"
    expect "$1" tracer.dropped 0
    expect "$1" traces.sent $(($2 * 4))
    [ "$(sink_counter spans) $(sink_counter duplicateSpans)" = "$(($2 * 4)) 0" ] || fail "$1: $(sink_counters)"
    [ "$(sink_items span | grep -c parentSpanId)" = $(($2 * 3)) ] || fail "$1: parents are missing"
}
traced "runs below the queue's capacity" 400 batch '[]'
traced "a busy collector" 400 batch '[{"status": 503, "retryAfter": 1}, {"reset": "before"}]'
# A dead collector: runs do not wait for it, what does not fit the queue is counted, and the end comes soon.
sink_reset
sink_faults '[{"hang": true, "times": 0}]'
begin=$SECONDS
"$producer" traced "$base" 5000 brief >"$work/out" 2>/dev/null || :
[ "$(value tracer.runs_ms)" -lt 3000 ] || fail "a dead collector: the runs took $(value tracer.runs_ms) ms"
[ "$(value tracer.dropped)" -gt 15000 ] || fail "a dead collector: $(value tracer.dropped) spans dropped"
expect "a dead collector" traces.sent 0
[ $((SECONDS - begin)) -lt 10 ] || fail "a dead collector: the end took $((SECONDS - begin)) s"

traced "each span at its end" 10 simple '[]'

[ "$failed" = 0 ] && echo "taken by every judge"
exit $((failed > 0))
