# shellcheck shell=bash
# Sourced by tests: starts sink.js, tells it how to fail, reads what it saw, stops it.
#
#     sink_start WORK [OPTION...]   SINK_PORT, SINK_RECORD (a file beneath WORK); skips the whole test (77) without peers
#     sink_faults JSON              sets the faults to come
#     sink_counter NAME             prints one counter
#     sink_items KIND               prints the lines of items taken: span, point, log, request
#     sink_await NAME COUNT         waits, 10 s at most, until a counter has come so far
#     sink_stop                     call it in the test's EXIT trap

sink_start() {
    local here work=$1
    shift
    here=$(dirname "${BASH_SOURCE[0]}")
    bash "$here/peers.sh" otlp || exit $?
    SINK_RECORD=$work/sink.jsonl
    : >"$SINK_RECORD"
    : >"$work/sink.out"
    node "$here/sink.js" --record "$SINK_RECORD" "$@" >"$work/sink.out" 2>&1 </dev/null &
    SINK_PID=$!
    until grep -q '^listening' "$work/sink.out"; do
        kill -0 "$SINK_PID" 2>/dev/null || { cat "$work/sink.out" >&2 && exit 1; }
        sleep 0.05
    done
    SINK_PORT=$(sed -n 's/^listening on //p' "$work/sink.out")
}

sink_stop() {
    [ -z "${SINK_PID:-}" ] || { kill "$SINK_PID" 2>/dev/null || :; wait "$SINK_PID" 2>/dev/null || :; }
    SINK_PID=
}

sink_faults() {
    curl -sSf -X PUT "http://127.0.0.1:$SINK_PORT/control/faults" --data-binary "$1" >/dev/null
}
sink_counters() { curl -sSf "http://127.0.0.1:$SINK_PORT/control/counters"; }
sink_counter() { sink_counters | grep -o "\"$1\":[0-9]*" | cut -d: -f2; }
sink_reset() { curl -sSf -X DELETE "http://127.0.0.1:$SINK_PORT/control/counters" >/dev/null; }
sink_items() { grep "^{\"item\":\"$1\"" "$SINK_RECORD" || :; }

sink_await() {
    local i
    for ((i = 0; i < 200; i++)); do
        [ "$(sink_counter "$1")" -lt "$2" ] || return 0
        sleep 0.05
    done
    echo "sink_await: $1 is $(sink_counter "$1") instead of $2" >&2
    return 1
}
