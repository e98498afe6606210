#!/usr/bin/env bash
# The endpoint of a running pawl program: all judges accept both formats, with the seed names and without, and a real
# Prometheus scrapes both, answers histogram_quantile and finds the exemplars' trace.
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=tests/conformance/observability/prometheus.sh
. "$here/prometheus.sh"
# shellcheck source=tests/conformance/observability/metrics_service.sh
. "$here/metrics_service.sh"
work=$(mktemp -d)
proxy=
cleanup() {
    prometheus_stop
    metrics_service_stop || :
    [ -z "$proxy" ] || kill "$proxy" 2>/dev/null || :
    rm -rf "$work"
}
trap cleanup EXIT
failed=0
fail() { echo "FAILED: $*" >&2 && failed=$((failed + 1)); }

open='application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1'
get() { curl -sSf --max-time 10 "http://$METRICS_ADDRESS/metrics" "$@"; }
# has FILE TEXT...
has() {
    local text
    for text in "${@:2}"; do grep -qF -- "$text" "$1" || fail "no '$text' in $(basename "$1")"; done
}

judge() {
    local status=0
    get >"$work/text"
    get --compressed -H "Accept: $open" >"$work/openmetrics"
    for format in text openmetrics; do
        bash "$here/check_exposition.sh" "$work/$format" "$format" >"$work/said" 2>&1 || status=$?
        [ $status != 77 ] || { cat "$work/said" && exit 77; }
        [ $status = 0 ] || fail "$format: $(cat "$work/said")"
        has "$work/$format" 'pawl_primitive_duration_seconds_bucket{' 'pawl_primitive_active{' \
            'gen_ai_workflow_duration_seconds_count{' 'http_client_request_duration_seconds_count{' \
            'pawl_executions_total{' 'service_name="metrics_service"' 'odd_size_bytes_bucket{' 'odd_one_2{' \
            'pawl_node_name="stumble",pawl_outcome="unavailable"'
    done
    has "$work/openmetrics" '# TYPE target info' '# {trace_id="4bf92f3577b34da6a3ce929d0e0e4736",span_id='
}

metrics_service_start "$work" seed
judge
has "$work/text" 'tta_primitive_executions_total{' 'tta_execution_duration_seconds_bucket{' 'e2b_executions_total{'
metrics_service_stop || fail "the program ended with $?: $(cat "$work/service")"
metrics_service_start "$work"
judge
if grep -E '^(tta|e2b)_' "$work/text"; then fail "seed names that nobody asked for"; fi

prometheus_start "$work" "$METRICS_ADDRESS"
[ -z "$(prometheus_target up)" ] || fail "the target is up with an error"
prometheus_await 'up' 1 || fail "up"
prometheus_await 'count(rate(pawl_primitive_duration_seconds_count[30s]) > 0) > bool 5' 1 || fail "rates"
prometheus_await 'histogram_quantile(0.95, sum by (le) (rate(pawl_primitive_duration_seconds_bucket[1m]))) > bool 0' 1 ||
    fail "a quantile"
prometheus_await 'count(target_info{service_name="metrics_service"})' 1 || fail "target_info"
prometheus_await_exemplar pawl_primitive_duration_seconds_bucket '"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736"' ||
    fail "exemplars"
prometheus_stop

# A proxy that asks for text, since Prometheus prefers the other format.
/usr/bin/python3 - "http://$METRICS_ADDRESS/metrics" >"$work/port" 2>/dev/null <<'PY' &
import http.server, sys, urllib.request
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        with urllib.request.urlopen(urllib.request.Request(sys.argv[1], headers={"Accept": "text/plain"})) as answer:
            body = answer.read()
            self.send_response(200)
            self.send_header("Content-Type", answer.headers["Content-Type"])
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
PY
proxy=$!
until [ -s "$work/port" ]; do sleep 0.05; done
prometheus_start "$work" "127.0.0.1:$(cat "$work/port")"
[ -z "$(prometheus_target up)" ] || fail "text: the target is up with an error"
prometheus_await 'count(target_info{service_name="metrics_service"})' 1 || fail "text: target_info"
prometheus_await 'histogram_quantile(0.5, sum by (le) (rate(odd_wait_seconds_bucket[1m]))) > bool 0' 1 || fail "text: a quantile"
prometheus_stop
metrics_service_stop || fail "the program ended with $?: $(cat "$work/service")"
[ "$failed" = 0 ] || exit 1
echo "both formats are accepted, scraped and answered from"
