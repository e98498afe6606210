#!/usr/bin/env bash
# Every complete C program in README.md and docs/ compiles, links and runs; README's first one stays under 30 lines.
# The other C of docs/observability.md compiles inside a function, and its Python program's span joins the trace. Every
# function that the documents name is in a header.
set -euo pipefail
source=${PAWL_SOURCE_DIR:?} build=${PAWL_BUILD_DIR:?}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir "$work/fragments"
# Writes each ```c block with a main() to WORK/<document>_<line>.c, the others of docs/observability.md to
# WORK/fragments/, and its ```python block to WORK/program.py.
cd "$source"
awk -v work="$work" '
    BEGIN {
        f = "void f(pawl_runtime *runtime, pawl_observability *telemetry, pawl_context *ctx, pawl_error *err)"
        head = "#include <pawl/pawl.h>\n#include <stdio.h>\n#include <stdlib.h>\n" f ";\n" f "{{\n"
    }
    /^```c$/ { block = ""; inside = 1; first = FNR; next }
    /^```/ && inside {
        inside = 0
        name = FILENAME "_" first
        gsub("/", "_", name)
        if (block ~ /int main\(/) printf "%s", block >(work "/" name ".c")
        else if (name ~ /observability/) printf "%s%s}}\n", head, block >(work "/fragments/" name ".c")
    }
    /^```python$/ { python = 1; next }
    /^```/ { python = 0 }
    python { print >(work "/program.py") }
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

for fragment in fragments/*.c; do
    echo "$fragment"
    "${CC:-cc}" -std=c11 -Wall -Wextra -Werror -Wno-unused -fsyntax-only "$fragment" "${flags[@]:0:4}" "${cjson[@]}"
done

"$build/pawl" exec --verbose program.py >/dev/null 2>tree
grep -q 'load .* in the sandbox' tree || { cat tree && exit 1; }

cd "$source"
mapfile -t names < <(grep -oh 'pawl_[a-z0-9_]*()' README.md CHANGELOG.md docs/*.md | sort -u)
missing=0
for name in "${names[@]}"; do
    grep -rqw "${name%()}" {core,primitives,observability,integrations}/include || { echo "no header has $name" && missing=1; }
done
exit $missing
