#!/usr/bin/env bash
# The page of `pawl trace view` in a headless Chromium: what it shows, keys, search, differences, and that nothing in a
# trace can break out of it.
set -eu
tool=${PAWL_TOOL:?} source=${PAWL_SOURCE_DIR:?}
chromium=$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)
if [ -z "$chromium" ]; then
    echo "SKIPPED: there is no chromium here; install it (apt-get install chromium) to test the trace page" >&2
    exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
HOME=$work PYTHONDONTWRITEBYTECODE=1 python3 "$source/tests/integration/trace_page/check.py" "$chromium" "$tool" "$work"
