#!/usr/bin/env bash
# Judges a metrics exposition by all that is strict about it: promtool's lint (text 0.0.4 alone), Debian's Python
# parsers, and rules that neither knows (check_exposition.py). Prints what is wrong.
#
#     check_exposition.sh FILE text|openmetrics      77: a judge is not installed
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
file=${1:?which file} format=${2:?text or openmetrics}
command -v promtool >/dev/null || { echo "check_exposition.sh: skipped: promtool is not installed" && exit 77; }
failed=0
if [ "$format" = text ]; then
    promtool check metrics <"$file" >&2 || failed=1
fi
/usr/bin/python3 "$here/check_exposition.py" "$file" "$format" >&2 || failed=$?
[ $failed != 77 ] || echo "check_exposition.sh: skipped: python3-prometheus-client is not installed"
exit $failed
