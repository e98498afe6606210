#!/usr/bin/env bash
# Measures w3c_service with the public W3C trace-context harness, at both levels of the standard. Not a test of the
# suite, since the harness is not ours and listens at a fixed port; w3c_test.c asks the same in our words.
#
#     w3c_harness.sh FOLDER     the harness' folder with test.py; needs Debian's python3-aiohttp; PAWL_BUILD_DIR
set -euo pipefail
folder=${1:?which folder has the test.py of the harness}
service=${PAWL_BUILD_DIR:?}/tests/conformance/observability/w3c_service
work=$(mktemp -d)
: >"$work/out"
"$service" >>"$work/out" &
pid=$!
trap 'kill $pid 2>/dev/null; wait $pid 2>/dev/null; rm -rf "$work"' EXIT
until grep -q listening "$work/out"; do
    kill -0 $pid || exit 1
    sleep 0.05
done
port=$(sed 's/.* //' "$work/out")
for level in 1 2; do
    echo "== level $level"
    (cd "$folder" && SPEC_LEVEL=$level /usr/bin/python3 test.py "http://127.0.0.1:$port/test")
done
