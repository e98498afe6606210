#!/usr/bin/env bash
# An include of an upper or a neighbouring layer does not compile; one of the own layer or a lower one does.
set -euo pipefail
source=${PAWL_SOURCE_DIR:?} build=${PAWL_BUILD_DIR:?}
read -ra cflags < <(pkg-config --cflags libcjson libcurl)

declare -A may_use=(
    [core]="core"
    [primitives]="core primitives"
    [observability]="core observability"
    [integrations]="core primitives observability integrations"
)
failures=0 checks=0

# compiles LAYER HEADER: whether a source of the layer can include the header.
compiles() {
    local folders=()
    mapfile -t folders < <(grep . "$build/tests/layers/$1.folders" | sort -u)
    echo "#include <$2>" |
        "${CC:-cc}" -std=c11 -D_GNU_SOURCE -fsyntax-only "${folders[@]/#/-I}" "${cflags[@]}" -x c - 2>"$errors"
}

wrong() {
    echo "$1"
    cat "$errors"
    failures=$((failures + 1))
}

errors=$(mktemp)
trap 'rm -f "$errors"' EXIT
for layer in "${!may_use[@]}"; do
    for used in "${!may_use[@]}"; do
        while IFS= read -r header; do
            checks=$((checks + 1))
            if [[ " ${may_use[$layer]} " == *" $used "* ]]; then
                compiles "$layer" "$header" || wrong "$layer cannot include <$header>"
            elif compiles "$layer" "$header" || ! grep -q 'file not found\|No such file' "$errors"; then
                wrong "$layer can reach <$header> of $used"
            fi
        done < <(cd "$source/$used/include" 2>/dev/null && find . -name '*.h' -printf '%P\n')
    done
done
echo "$checks includes checked, $failures wrong"
[ "$checks" -gt 0 ] && [ "$failures" = 0 ]
