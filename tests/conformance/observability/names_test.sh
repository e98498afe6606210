#!/usr/bin/env bash
# docs/observability.md names every span, attribute, event, metric and variable that the sources and a real run have,
# and no other.
set -euo pipefail
source=${PAWL_SOURCE_DIR:?} here=$(dirname "${BASH_SOURCE[0]}")
unset http_proxy HTTP_PROXY all_proxy ALL_PROXY
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PAWL_BUILD_DIR:?}/tests/conformance/observability/names_producer" >"$work/names"
python3 "$here/check_names.py" "$source/docs/observability.md" "$source" "$work/names"

# The checker complains about what is missing on either side.
complains() {
    python3 "$here/check_names.py" "$work/document.md" "$source" "$work/names" 2>"$work/said" && echo "no complaint: $1" && exit 1
    grep -q "$1" "$work/said" || { echo "not the right complaint: $1" && cat "$work/said" && exit 1; }
}
grep -v '^| .pawl.attempt.' "$source/docs/observability.md" >"$work/document.md"
complains 'retry.c has pawl.attempt'
sed 's/^\(| .pawl.attempt\)/\1s/' "$source/docs/observability.md" >"$work/document.md"
complains 'has pawl.attempts, which the sources have not'
grep -v '^| .OTEL_PROPAGATORS' "$source/docs/observability.md" >"$work/document.md"
complains 'OTEL_PROPAGATORS is read'
