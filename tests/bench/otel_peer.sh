#!/usr/bin/env bash
# Runs OpenTelemetry's JavaScript SDK, installed once into build/peers; 77 after a line that says why it cannot be had.
#
#     otel_peer.sh tracing|metrics|otlp
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
export PAWL_PEERS=${PAWL_PEERS:-$PWD/build/peers}
command -v node >/dev/null || { echo "otel_peer.sh: skipped: node is not installed" >&2 && exit 77; }
tests/conformance/observability/peers.sh js >&2 || exit
exec node tests/bench/otel_peer.mjs "$1"
