# shellcheck shell=bash
# Sourced by tests: a pawl program with a metrics endpoint.
#
#     metrics_service_start WORK [seed]   METRICS_ADDRESS, once every kind of series is there
#     metrics_service_stop                call it in the test's EXIT trap; fails when the program did

metrics_service_start() {
    local i
    : >"$1/service" # what is started may come to make it only after it was looked at
    "${PAWL_BUILD_DIR:?}/tests/conformance/observability/metrics_service" "${@:2}" >"$1/service" 2>&1 </dev/null &
    METRICS_PID=$!
    for ((i = 0; i < 600; i++)); do
        METRICS_ADDRESS=127.0.0.1:$(sed -n 's/^listening on //p' "$1/service")
        [ "$METRICS_ADDRESS" = 127.0.0.1: ] || return 0
        kill -0 "$METRICS_PID" 2>/dev/null || break
        sleep 0.05
    done
    cat "$1/service" >&2
    exit 1
}

metrics_service_stop() {
    local pid=${METRICS_PID:-}
    METRICS_PID=
    [ -z "$pid" ] || { kill "$pid" 2>/dev/null && wait "$pid"; }
}
