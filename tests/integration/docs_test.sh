#!/usr/bin/env bash
# Every complete C program in README.md and docs/ compiles, links and runs; README's first one stays under 30 lines.
set -euo pipefail
source=${PAWL_SOURCE_DIR:?} build=${PAWL_BUILD_DIR:?}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Writes each ```c block with a main() to WORK/<document>_<line>.c.
cd "$source"
awk -v work="$work" '
    /^```c$/ { block = ""; inside = 1; first = FNR; next }
    /^```/ && inside {
        inside = 0
        name = FILENAME "_" first
        gsub("/", "_", name)
        if (block ~ /int main\(/) printf "%s", block >(work "/" name ".c")
    }
    inside { block = block $0 "\n" }
' README.md docs/*.md

cd "$work"
[ "$(grep -c . "$(find . -name 'README.md_*.c' | sort -V | head -n 1)")" -lt 30 ]
flags=("-I$source"/{core,primitives,observability,integrations}/include "$build/libpawl.so" "-Wl,-rpath,$build")
read -ra cjson < <(pkg-config --cflags --libs libcjson)
for program in *.c; do
    echo "$program"
    "${CC:-cc}" -std=c11 -Wall -Wextra -Werror -o program "$program" "${flags[@]}" "${cjson[@]}"
    ./program </dev/null
done
