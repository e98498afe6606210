#!/usr/bin/env bash
# --trace, --trace-content and --metrics of every command that runs something, as a user types them; and what a
# TRACEPARENT and a collector that is not there change. PAWL_TOOL is the built tool.
set -u
tool=${PAWL_TOOL:?}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failed=0
while read -r name; do unset "$name"; done < <(compgen -e OTEL_)
unset TRACEPARENT TRACESTATE BAGGAGE

fail() { echo "FAILED: $*" >&2 && failed=$((failed + 1)); }

# expect NAME STATUS COMMAND ARG...: runs pawl; its streams are in out and err.
expect() {
    local name=$1 status=$2 rc
    shift 2
    "$tool" "$@" </dev/null >out 2>err
    rc=$?
    [ "$rc" = "$status" ] || fail "$name: exit status $rc instead of $status: $(head -c 300 err)"
}
says() { grep -qF -- "$1" "$2" || fail "$3: '$1' is not in $2: $(head -c 300 "$2")"; }
lacks() { ! grep -qF -- "$1" "$2" || fail "$3: '$1' is in $2"; }

# ---- the trace file ----

expect "a trace file" 0 exec --trace run.jsonl -c 'print("the output")'
says '{"resourceSpans":[' run.jsonl "a trace file"
says '"name":"exec"' run.jsonl "the node's span"
says '"name":"sandbox.run"' run.jsonl "the sandbox's span"
says '"key":"service.name","value":{"stringValue":"pawl"}' run.jsonl "the tool's name"
lacks 'the output' run.jsonl "no content unless asked"
lacks 'resourceMetrics' run.jsonl "spans alone"
[ -s err ] && fail "a trace file gives words: $(cat err)"
[ "$(stat -c %a run.jsonl)" = 600 ] || fail "the trace file is readable by others"
expect "a second run in the same file" 7 exec --trace run.jsonl -c 'import sys; sys.exit(7)'
[ "$(grep -o '"traceId":"[0-9a-f]*"' run.jsonl | sort -u | wc -l)" = 2 ] || fail "the file does not hold both traces"
expect "what it made is what view reads" 0 trace view run.jsonl
says '"name":"exec"' run.html "the page"
expect "content when asked" 0 exec --trace content.jsonl --trace-content -c 'print("the output")'
says 'the output' content.jsonl "content when asked"
OTEL_TRACES_SAMPLER=always_off expect "a trace file whatever a sampler says" 0 exec --trace sampled.jsonl -c 1
says '"name":"exec"' sampled.jsonl "a trace file whatever a sampler says"
OTEL_SDK_DISABLED=true OTEL_TRACES_EXPORTER=console expect "a file although telemetry is off" 0 \
    exec --trace disabled.jsonl -c 1
says '"name":"exec"' disabled.jsonl "a file although telemetry is off"
[ -s err ] && fail "OTEL_SDK_DISABLED does not disable: $(cat err)"
OTEL_SERVICE_NAME=mine expect "a name of one's own" 0 exec --trace named.jsonl -c 1
says '{"stringValue":"mine"}' named.jsonl "a name of one's own"

# ---- metrics ----

expect "metrics" 0 exec --metrics metrics.txt -c 1
says 'pawl_primitive_executions_total{' metrics.txt "metrics"
says 'pawl_outcome="ok"' metrics.txt "metrics"
expect "metrics of a program that failed" 3 exec --metrics metrics.txt -c 'import sys; sys.exit(3)'
[ "$(grep -c '^pawl_primitive_executions_total' metrics.txt)" = 1 ] || fail "metrics are not written anew"
expect "metrics beside a trace" 0 exec --trace beside.jsonl --metrics beside.txt -c 1
says 'otel_sdk_exporter_span_exported_total{otel_component_type="otlp_json_file_exporter"} 3' beside.txt \
    "metrics know what became of the spans"
expect "metrics of a limit" 124 exec --metrics limit.txt --timeout 0.2 -c 'while True: pass'
says 'pawl_primitive_executions_total{' limit.txt "metrics of a limit"
expect "metrics beside the record" 0 exec --json --metrics - -c 'print("x")'
[ "$(head -c 1 out)" = '{' ] || fail "the record does not come first: $(head -c 100 out)"
says '# TYPE pawl_primitive_executions_total counter' out "metrics beside the record"

# A file is there as a whole or not at all: the old one stays until the new one takes its place.
[ "$(stat -c %a metrics.txt)" = "$(printf %o $((0666 & ~$(umask))))" ] || fail "a new metrics file's mode"
echo old >old.txt && chmod 640 old.txt && ln old.txt same.txt && ln -s old.txt link.txt
(ulimit -f 0; "$tool" exec -q --metrics old.txt -c 1 >out 2>err </dev/null)
[ "$(cat old.txt)" = old ] || fail "metrics that could not be written took the old ones away"
expect "metrics in place of a file" 0 exec --metrics link.txt -c 1
says 'pawl_primitive_executions_total{' old.txt "metrics through a link"
[ -L link.txt ] || fail "metrics took a link's place"
[ "$(stat -c %a old.txt)" = 640 ] || fail "a metrics file's mode was lost"
[ "$(cat same.txt)" = old ] || fail "metrics were written into the old file, not in its place"
[ -n "$(find . -name '*.txt.*')" ] && fail "a temporary file was left: $(find . -name '*.txt.*')"
"$tool" exec -q --metrics /dev/stdout -c 'print("the output")' >stdout.txt 2>err </dev/null || fail "metrics to /dev/stdout"
[ "$(head -n 1 stdout.txt)" = "the output" ] || fail "metrics took the program's output away: $(head -n 1 stdout.txt)"
says 'pawl_primitive_executions_total{' stdout.txt "metrics to /dev/stdout"
expect "metrics to a device" 0 exec --metrics /dev/null -c 1
[ -c /dev/null ] || fail "/dev/null is no device any more"

mkfifo pipe full
exec 8<>pipe
expect "metrics for a FIFO that somebody reads" 0 exec --metrics pipe -c 1
timeout 5 head -n 1 <&8 >read.txt
says '# TYPE' read.txt "metrics for a FIFO that somebody reads"
[ -p pipe ] || fail "metrics took a FIFO's place"
exec 8>&-
expect "metrics for a FIFO that nobody reads" 125 exec --metrics pipe -c 'print(1)'
(ulimit -f 0; "$tool" exec -q --metrics limited.txt -c 'raise SystemExit(7)' >out 2>err </dev/null)
rc=$?
[ "$rc" != 153 ] || fail "a file that may not grow ends the tool"

# A terminal's reader that does not read holds up nothing for long.
# shellcheck disable=SC2217 # it only has to hold the pipe open
sleep 60 <full &
sleeper=$!
exec 9>full
python3 -c 'import os
os.set_blocking(9, False)
try:
    while True: os.write(9, b"x")
except BlockingIOError: os.set_blocking(9, True)'
OTEL_TRACES_EXPORTER=console timeout 10 "$tool" exec -q -c 'raise SystemExit(7)' </dev/null >out 2>&9
rc=$?
[ "$rc" = 7 ] || fail "a console that nobody reads: exit status $rc"
exec 9>&-
kill "$sleeper"

# ---- usage ----

expect "metrics in the program's output" 125 exec --metrics - -c 'print(1)'
says 'add --json' err "metrics in the program's output"
[ -s out ] && fail "something ran: $(cat out)"
expect "an unwritable trace file" 125 exec --trace /nowhere/run.jsonl -c 'print(1)'
says '/nowhere/run.jsonl' err "an unwritable trace file"
[ -s out ] && fail "something ran: $(cat out)"
expect "a path that would steer the terminal" 125 exec --trace $'/nowhere/\e[31m\u202e\xff.jsonl' -c 'print(1)'
says '/nowhere/?[31m?' err "a path that would steer the terminal"
expect "one file for both" 125 exec --trace one --metrics ./one -c 'print(1)'
says 'name another file' err "one file for both"
expect "a folder as trace file" 125 exec --trace . -c 'print(1)'
expect "an unwritable metrics file" 125 exec --metrics /nowhere/metrics -c 'print(1)'
[ -s out ] && fail "something ran: $(cat out)"
expect "content for nobody" 125 exec --trace-content -c 'print(1)'
says '--trace FILE' err "content for nobody"
printf 'def f(x):\n    return x - 1\n' >program.py
printf 'from program import f\nassert f(1) == 2\n' >test.py
expect "fix: an unwritable trace file" 2 fix program.py --test test.py --trace /nowhere/run.jsonl
expect "fix: an unwritable metrics file" 2 fix program.py --test test.py --metrics /nowhere/metrics
expect "fix: content for nobody" 2 fix program.py --test test.py --trace-content

# ---- fix ----

expect "fix" 0 fix program.py --test test.py --trace fix.jsonl --trace-content --metrics fix.txt
says '"name":"mutate"' fix.jsonl "fix"
says 'pawl_primitive_type="code_execution"' fix.txt "fix"
expect "fix prints metrics" 0 fix -q program.py --test test.py --metrics -
says 'pawl_primitive_executions_total{' out "fix prints metrics"

# ---- the environment ----

trace=0123456789abcdef0123456789abcdef
TRACEPARENT=00-$trace-00f067aa0ba902b7-00 expect "a trace that is joined" 0 exec --trace joined.jsonl \
    -c 'import os; print(os.environ["TRACEPARENT"])'
says "\"traceId\":\"$trace\"" joined.jsonl "a trace that is joined"
says '"parentSpanId":"00f067aa0ba902b7"' joined.jsonl "a trace that is joined"
says "00-$trace-" out "the program's own TRACEPARENT"
TRACEPARENT=nonsense expect "nonsense is not joined" 0 exec --trace alone.jsonl -c 1
lacks '"parentSpanId":"00f067aa0ba902b7"' alone.jsonl "nonsense is not joined"

OTEL_TRACES_EXPORTER=console expect "the console is stderr" 0 exec -c 'print(1)'
[ "$(cat out)" = 1 ] || fail "the console is in the program's output: $(cat out)"
says 'sandbox.run' err "the console is stderr"
OTEL_METRICS_EXPORTER=console expect "metrics on the console, once" 0 exec -c 'print(1)'
[ "$(grep -c '^# TYPE pawl_primitive_executions_total' err)" = 1 ] || fail "metrics are not told once: $(head -c 300 err)"
OTEL_METRICS_EXPORTER=console expect "metrics in a file and on the console, once" 0 exec --metrics both.txt -c 'print(1)'
[ "$(grep -c '^# TYPE pawl_primitive_executions_total' err)" = 1 ] || fail "a file doubles metrics: $(head -c 300 err)"
OTEL_BSP_MAX_QUEUE_SIZE=many OTEL_TRACES_EXPORTER=nobody expect "a wrong variable" 0 exec -c 'print(1)'
[ "$(wc -l <err)" = 1 ] || fail "not one line: $(cat err)"
says 'and 1 more' err "a wrong variable"
OTEL_BSP_MAX_QUEUE_SIZE=many expect "a wrong variable, quietly" 0 exec -q -c 'print(1)'
[ -s err ] && fail "--quiet speaks: $(cat err)"
OTEL_CONFIG_FILE=x expect "a configuration file" 0 exec --trace config.jsonl -c 'print(1)'
says 'OTEL_CONFIG_FILE' err "a configuration file"
says '"name":"exec"' config.jsonl "a configuration file"

# A collector that is not there costs at most 2 s, one line, and no status.
started=$(date +%s%N)
OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:9 expect "no collector" 7 exec --trace dead.jsonl -c 'import sys; sys.exit(7)'
took=$((($(date +%s%N) - started) / 1000000))
[ "$took" -lt 4500 ] || fail "no collector: it took $took ms"
[ "$(wc -l <err)" = 1 ] || fail "no collector: not one line: $(cat err)"
says 'telemetry: not everything was taken within 2 s: ' err "no collector"
says '127.0.0.1:9' err "no collector: why"
says '"name":"exec"' dead.jsonl "the file is written all the same"
OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:9 expect "no collector, quietly" 0 exec -q -c 1
[ -s err ] && fail "--quiet speaks: $(cat err)"

[ "$failed" = 0 ] || exit 1
echo "traces and metrics of the tool"
