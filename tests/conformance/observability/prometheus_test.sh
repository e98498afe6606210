#!/usr/bin/env bash
# The tests' Prometheus scrapes both formats of a hand-written exposition, answers histogram_quantile and exemplars, says
# why a scrape fails, and is gone afterwards.
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=tests/conformance/observability/prometheus.sh
. "$here/prometheus.sh"
work=$(mktemp -d)
server=
cleanup() {
    prometheus_stop
    [ -z "$server" ] || kill "$server" 2>/dev/null || :
    rm -rf "$work"
}
trap cleanup EXIT
failed=0
fail() { echo "FAILED: $*" >&2 && failed=$((failed + 1)); }

cat >"$work/text" <<'TEXT'
# HELP try_seconds Tries.
# TYPE try_seconds histogram
try_seconds_bucket{le="1"} 0
try_seconds_bucket{le="2"} 10
try_seconds_bucket{le="+Inf"} 10
try_seconds_sum 15
try_seconds_count 10
# HELP format Which one this is.
# TYPE format gauge
format{name="text"} 1
TEXT
sed -E 's/le="([12])"/le="\1.0"/; s/name="text"/name="openmetrics"/; s/^try_seconds_bucket\{le="2.0".*/& # {trace_id="4bf92f35"} 1.5/' \
    "$work/text" >"$work/openmetrics"
echo '# EOF' >>"$work/openmetrics"
cp "$work/openmetrics" "$work/served"

# Serves the file "served" as what its last line says it is.
/usr/bin/python3 - "$work" >"$work/port" 2>/dev/null <<'PY' &
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = open(sys.argv[1] + "/served", "rb").read()
        kind = "application/openmetrics-text; version=1.0.0" if body.endswith(b"# EOF\n") else "text/plain; version=0.0.4"
        self.send_response(200)
        self.send_header("Content-Type", kind + "; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
PY
server=$!
until [ -s "$work/port" ]; do sleep 0.05; done

cat >"$work/rules.yml" <<'TEXT'
groups: [{name: tries, rules: [{record: "tries:mean", expr: try_seconds_sum / try_seconds_count}]}]
TEXT
prometheus_start "$work" "127.0.0.1:$(cat "$work/port")" "$work/rules.yml"
pid=$PROMETHEUS_PID
[ -z "$(prometheus_target up)" ] || fail "the target is up with an error"
prometheus_await 'format{name="openmetrics"}' 1 || fail "OpenMetrics"
[ "$(prometheus_value 'histogram_quantile(0.5, try_seconds_bucket)')" = 1.5 ] || fail "the median"
prometheus_await tries:mean 1.5 || fail "a rule"
case $(prometheus_exemplars try_seconds_bucket) in
*'"trace_id":"4bf92f35"'*) ;;
*) fail "no exemplar: $(prometheus_exemplars try_seconds_bucket)" ;;
esac
[ -z "$(prometheus_value 'absent_series')" ] || fail "the value of nothing"
cp "$work/text" "$work/served"
prometheus_await 'format{name="text"}' 1 || fail "text"
echo 'no exposition' >"$work/served"
reason=$(prometheus_target down)
[ -n "$reason" ] || fail "no reason for being down"
prometheus_stop
if kill -0 "$pid" 2>/dev/null; then fail "it still runs"; fi
[ "$failed" = 0 ] || exit 1
echo "Prometheus scrapes and answers"
