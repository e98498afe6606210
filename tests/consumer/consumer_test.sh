#!/usr/bin/env bash
# Installs the build into an empty prefix and uses it as a stranger would: CMake from C and C++, pkg-config, shared and
# static.
set -euo pipefail
source=${PAWL_SOURCE_DIR:?}/tests/consumer build=${PAWL_BUILD_DIR:?}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
prefix=$work/prefix

# expect_hello PROGRAM...: each prints the same line.
expect_hello() {
    local program output
    for program; do
        output=$("$program")
        echo "$(basename "$program"): $output"
        [ "$output" = 'pawl says {"hello":"world"}' ]
    done
}

cmake --install "$build" --prefix "$prefix" >/dev/null
cmake -S "$source" -B "$work/cmake" -G Ninja -DCMAKE_PREFIX_PATH="$prefix" >/dev/null
cmake --build "$work/cmake" >/dev/null
expect_hello "$work/cmake/c_shared" "$work/cmake/c_static" "$work/cmake/cpp_shared"

pc=$(find "$prefix" -name pawl.pc)
libdir=$(dirname "$(dirname "$pc")")
export PKG_CONFIG_PATH=${pc%/*}
read -ra flags < <(pkg-config --cflags --libs pawl)
"${CC:-cc}" -std=c11 -o "$work/pc_shared" "$source/consumer.c" "${flags[@]}" -Wl,-rpath,"$libdir"
read -ra flags < <(pkg-config --static --cflags --libs pawl)
"${CC:-cc}" -std=c11 -o "$work/pc_static" "$source/consumer.c" "${flags[@]/#-lpawl/$libdir/libpawl.a}"
expect_hello "$work/pc_shared" "$work/pc_static"

fail() { echo "$1" && exit 1; }
ldd "$work/pc_shared" | grep -q "libpawl.so.0 => $libdir/" || fail "pc_shared does not load the installed libpawl.so.0"
! ldd "$work/pc_static" | grep libpawl || fail "pc_static loads the shared library"
[ "$(pkg-config --modversion pawl)" = "$("$work/pc_shared" --version)" ] || fail "the versions differ"

cd "$prefix"
[ -x libexec/pawl/pawl-sandbox ] || fail "the sandbox helper is not installed"
[ -x bin/pawl ] || fail "the command-line tool is not installed"
stray=$(find . -type f ! -path './include/pawl/*.h' ! -path "./${libdir#"$prefix"/}/*" \
    ! -path ./libexec/pawl/pawl-sandbox ! -path ./bin/pawl)
[ -z "$stray" ] || fail "installed but not expected: $stray"
[ -z "$(find include -name '*internal*')" ] || fail "internal headers are installed"
