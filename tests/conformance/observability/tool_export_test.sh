#!/usr/bin/env bash
# The tool sends its telemetry to a collector when the environment names one, in the form that it asks for, and nothing
# otherwise; a strict sink takes it. PAWL_TOOL is the built tool.
set -uo pipefail
tool=${PAWL_TOOL:?}
here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=tests/conformance/observability/sink.sh
. "$here/sink.sh"
work=$(mktemp -d)
trap 'sink_stop; rm -rf "$work"' EXIT
failed=0
fail() { echo "FAILED: $*" >&2 && failed=$((failed + 1)); }
while read -r name; do unset "$name"; done < <(compgen -e OTEL_)
unset TRACEPARENT TRACESTATE BAGGAGE
sink_start "$work"
collector=http://127.0.0.1:$SINK_PORT

# run NAME STATUS ARG...: the sink has refused nothing of it.
run() {
    local name=$1 status=$2 rc
    shift 2
    sink_reset
    : >"$SINK_RECORD"
    "$tool" "$@" </dev/null >"$work/out" 2>"$work/err"
    rc=$?
    [ "$rc" = "$status" ] || fail "$name: exit status $rc instead of $status: $(head -c 300 "$work/err")"
    [ "$(sink_counter refused)" = 0 ] || fail "$name: refused: $(sink_counters)"
}
counted() { test "$(sink_counter "$2")" "$3" "$4" || fail "$1: $2 is $(sink_counter "$2"), not $3 $4"; }

run "nothing is said" 0 exec -c 1
counted "nothing is said" requests = 0
OTEL_SERVICE_NAME=x OTEL_BSP_SCHEDULE_DELAY=1 run "no endpoint is said" 0 exec -c 1
counted "no endpoint is said" requests = 0

OTEL_EXPORTER_OTLP_ENDPOINT=$collector run "protobuf" 7 exec -c 'import sys; sys.exit(7)'
counted "protobuf" spans = 3
counted "protobuf" points -gt 0
sink_items span | grep -q '"exec"' || fail "protobuf: no span of the node"
[ -s "$work/err" ] && fail "protobuf: $(cat "$work/err")"

OTEL_EXPORTER_OTLP_ENDPOINT=$collector OTEL_EXPORTER_OTLP_PROTOCOL=http/json OTEL_EXPORTER_OTLP_COMPRESSION=gzip \
    OTEL_EXPORTER_OTLP_HEADERS='x-key=a%20b' run "json and gzip" 0 exec -c 1
counted "json and gzip" spans = 3

OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=$collector/v1/traces run "spans alone" 0 exec -c 1
counted "spans alone" spans = 3
counted "spans alone" points = 0
OTEL_EXPORTER_OTLP_ENDPOINT=$collector OTEL_TRACES_EXPORTER=none run "metrics alone" 0 exec -c 1
counted "metrics alone" spans = 0
counted "metrics alone" points -gt 0
OTEL_EXPORTER_OTLP_ENDPOINT=$collector OTEL_SDK_DISABLED=true run "disabled" 0 exec -c 1
counted "disabled" requests = 0
OTEL_EXPORTER_OTLP_ENDPOINT=$collector OTEL_TRACES_SAMPLER=always_off OTEL_METRICS_EXPORTER=none \
    run "sampled out" 0 exec -c 1
counted "sampled out" requests = 0

# One refusal is told once, although the exporter and the flush both know of it.
sink_faults '[{"status": 400}]'
OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=$collector/v1/traces "$tool" exec -c 1 </dev/null >"$work/out" 2>"$work/err"
grep -q 'the collector answered 400' "$work/err" || fail "one refusal: $(cat "$work/err")"
grep -q ' more)' "$work/err" && fail "one refusal is told as more: $(cat "$work/err")"

trace=0123456789abcdef0123456789abcdef
TRACEPARENT=00-$trace-00f067aa0ba902b7-01 OTEL_EXPORTER_OTLP_ENDPOINT=$collector run "joined" 0 exec -c 1
[ "$(sink_items span | grep -c "$trace")" = 3 ] || fail "joined: $(sink_items span | head -c 400)"
TRACEPARENT=00-$trace-00f067aa0ba902b7-00 OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=$collector/v1/traces \
    run "joined, but not sampled" 0 exec -c 1
counted "joined, but not sampled" requests = 0

printf 'def f(x):\n    return x - 1\n' >"$work/program.py"
printf 'from program import f\nassert f(1) == 2\n' >"$work/test.py"
OTEL_EXPORTER_OTLP_ENDPOINT=$collector run "fix" 0 fix -q "$work/program.py" --test "$work/test.py"
counted "fix" spans -gt 10
sink_items span | grep -q '"mutate"' || fail "fix: no span of the generator"

# A program of one's own, with log records; the example that also runs by itself.
tool=${PAWL_BUILD_DIR:?}/examples/10_telemetry
if [ -x "$tool" ]; then
    OTEL_EXPORTER_OTLP_ENDPOINT=$collector run "a program of one's own" 0
    counted "a program of one's own" logs = 2
    counted "a program of one's own" spans = 11
    sink_items log | grep -q 'the price list is 9 days old' || fail "logs: $(sink_items log | head -c 400)"
    sink_items log | grep -q '"traceId":"0*"' && fail "logs without a trace: $(sink_items log | head -c 400)"
    sink_items point | grep -q 'shop.order.size' || fail "an instrument of one's own is not sent"
fi

[ "$failed" = 0 ] || exit 1
echo "a strict sink takes what the tool sends"
