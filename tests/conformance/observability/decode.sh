#!/usr/bin/env bash
# Decodes one export request with protoc and the official schema, prints it, and fails on fields it does not know.
#
#     decode.sh traces|metrics|logs [REQUEST|RESPONSE] < body.bin      77: protoc or the schema cannot be had here
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
case ${1:-} in
traces) package=trace message=ExportTraceService ;;
metrics) package=metrics message=ExportMetricsService ;;
logs) package=logs message=ExportLogsService ;;
*) echo "usage: decode.sh traces|metrics|logs [REQUEST|RESPONSE]" >&2 && exit 2 ;;
esac
message+=$([ "${2:-REQUEST}" = RESPONSE ] && echo Response || echo Request)
command -v protoc >/dev/null || { echo "decode.sh: skipped: protoc is not installed" && exit 77; }
bash "$here/peers.sh" otlp || exit $?
schema=${PAWL_PEERS:-$here/../../../build/peers}/otlp/node_modules/@elastic/mockotlpserver
output=$(mktemp -d)
trap 'rm -rf "$output"' EXIT
protoc -I "$schema" --decode="opentelemetry.proto.collector.$package.v1.$message" \
    "opentelemetry/proto/collector/$package/v1/${package}_service.proto" >"$output/text" 2>"$output/errors" || {
    cat "$output/errors" >&2
    exit 1
}
cat "$output/text"
[ ! -s "$output/errors" ] || { cat "$output/errors" >&2 && exit 1; } # such as invalid UTF-8, which it only mentions
if grep -nE '^ *[0-9]+(:| \{)' "$output/text" >&2; then
    echo "decode.sh: the schema does not know these fields" >&2
    exit 1
fi
