#!/usr/bin/env bash
# pawl doctor as a user types it. PAWL_TOOL is the built tool.
set -u
tool=${PAWL_TOOL:?}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
unset "${!OTEL_@}" 2>/dev/null

fail() { echo "FAILED: $*" >&2 && failed=$((failed + 1)); }

# expect NAME STATUS ARG...: runs pawl doctor; what it prints is in out and err.
expect() {
    local name=$1 status=$2 rc
    shift 2
    "$tool" doctor "$@" >"$work/out" 2>"$work/err" </dev/null
    rc=$?
    [ "$rc" = "$status" ] || fail "$name: exit status $rc instead of $status: $(head -c 400 "$work/out" "$work/err")"
}
says() { grep -q -- "$2" "$work/out" || fail "$1: nothing says '$2': $(cat "$work/out")"; }

expect "a machine that can run bash" 0 --language bash --probes 2
says "the helper" '^ok    helper .*pawl-sandbox (protocol'
says "the mechanisms" '^ok    sandboxes have: user namespace'
says "the limits" '^ok    limits that hold for a sandbox: timeout'
says "the language" '^ok    bash [0-9]'
says "the probes" '^ok    2 of 2 probes ran'
says "what holds less" '^warn  limits that hold for each process by itself'
says "the verdict" '^healthy$'
grep -q '^fail' "$work/out" && fail "a line says fail though the status is 0"

expect "all of it as JSON" 0 --json --language bash --language python
/usr/bin/env python3 - "$work/out" <<'PY' || fail "--json: the value"
import json, sys
found = json.load(open(sys.argv[1]))
assert found["verdict"] == "healthy" and found["version"] == 1 and found["reachable"] is True
assert set(found["languages"]) == {"bash", "python"}
assert all(one["available"] and one["version"] for one in found["languages"].values())
assert found["latency"]["probes"] == 3 and found["latency"]["failed"] == 0
assert 0 < found["latency"]["total"]["min"] <= found["latency"]["total"]["median"] <= found["latency"]["total"]["max"]
assert found["limits"]["timeout"]["enforced"] == "yes"
assert found["helper"]["pid"] > 0
assert found["collectors"] == [] and found["recent"] is None
PY

# nothing listens there
export OTEL_EXPORTER_OTLP_ENDPOINT=http://name:unsaid-password@127.0.0.1:9
expect "a collector that does not answer" 1 --language bash --probes 1
says "every one" '^fail  no collector takes metrics at http://'
says "the last one" '^fail  no collector takes logs at http://'
says "which one" '^fail  no collector takes traces at http://.*127.0.0.1:9/v1/traces'
says "the verdict" '^degraded$'
grep -q unsaid "$work/out" && fail "the password is shown"
OTEL_TRACES_EXPORTER=none OTEL_METRICS_EXPORTER=none OTEL_LOGS_EXPORTER=none \
    expect "signals that are not exported are not asked about" 0 --language bash --probes 1
unset OTEL_EXPORTER_OTLP_ENDPOINT

# a collector of the simplest kind
/usr/bin/env python3 - "$work/port" <<'PY' &
import http.server, sys
class Collector(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        good = self.headers["Content-Type"] == "application/x-protobuf" and self.headers["x-key"] == "k"
        self.send_response(200 if good and self.path == "/v1/metrics" else 400)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *_):
        pass
server = http.server.HTTPServer(("127.0.0.1", 0), Collector)
open(sys.argv[1], "w").write(str(server.server_port))
server.handle_request()
PY
collector=$!
for _ in $(seq 100); do
    [ -s "$work/port" ] && break
    sleep 0.1
done
OTEL_EXPORTER_OTLP_METRICS_ENDPOINT="http://127.0.0.1:$(cat "$work/port")/v1/metrics" \
    OTEL_EXPORTER_OTLP_HEADERS=x-key=k \
    expect "a collector that answers" 0 --language bash --probes 1
says "that it answers" '^ok    a collector takes metrics at'
kill "$collector" 2>/dev/null
wait "$collector" 2>/dev/null

# a machine without a helper: the tool and nothing beside it
cp "$tool" "$work/pawl"
tool=$work/pawl
prefix=$(sed -n 's/^CMAKE_INSTALL_PREFIX:PATH=//p' "${PAWL_BUILD_DIR:?}/CMakeCache.txt")
if [ ! -e "$prefix/libexec/pawl/pawl-sandbox" ]; then
    expect "no helper" 1
    says "what is wrong" '^fail  no program can be run in a sandbox'
    says "where it was looked for" 'pawl-sandbox'
    says "the verdict" '^unhealthy$'
fi

tool=${PAWL_TOOL:?}
expect "help" 0 --help
expect "an unknown option" 2 --frobnicate
expect "an argument" 2 here
expect "an unknown language" 2 --language cobol
grep -q cobol "$work/err" || fail "the complaint does not name the language"
expect "no probes" 2 --probes 0
expect "a bad time" 2 --timeout soon

[ "$failed" = 0 ] || exit 1
echo "pawl doctor: all well"
