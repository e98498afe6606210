#!/usr/bin/env bash
# Installs the build into an empty prefix and uses it as a stranger would: CMake from C and C++, pkg-config, shared and
# static.
set -euo pipefail
source=${PAWL_SOURCE_DIR:?}/tests/consumer build=${PAWL_BUILD_DIR:?}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
prefix=$work/prefix

fail() { echo "$1" && exit 1; }

# expect_hello PROGRAM [ARGUMENT...]: it runs a program in the sandbox of the installed helper.
expect_hello() {
    local output
    output=$("$@") || fail "$1: exit status $?: $output"
    echo "$(basename "$1"): $output"
    [ "$output" = "hello from the sandbox" ]
}

cmake --install "$build" --prefix "$prefix" >/dev/null
cmake -S "$source" -B "$work/cmake" -G Ninja -DCMAKE_PREFIX_PATH="$prefix" >/dev/null
cmake --build "$work/cmake" >/dev/null
helper=$prefix/libexec/pawl/pawl-sandbox
expect_hello "$work/cmake/c_shared"
expect_hello "$work/cmake/c_static" "$helper" # the library is inside the program, so nothing is beside it
expect_hello "$work/cmake/cpp_shared"

pc=$(find "$prefix" -name pawl.pc)
libdir=$(dirname "$(dirname "$pc")")
export PKG_CONFIG_PATH=${pc%/*}
read -ra flags < <(pkg-config --cflags --libs pawl)
"${CC:-cc}" -std=c11 -o "$work/pc_shared" "$source/consumer.c" "${flags[@]}" -Wl,-rpath,"$libdir"
read -ra flags < <(pkg-config --static --cflags --libs pawl)
"${CC:-cc}" -std=c11 -o "$work/pc_static" "$source/consumer.c" "${flags[@]/#-lpawl/$libdir/libpawl.a}"
expect_hello "$work/pc_shared"
expect_hello "$work/pc_static" "$helper"
expect_hello "$prefix/bin/pawl" exec -c "print('hello from the sandbox')"

# In a prefix that is not the configured one, started by name, in a folder that is not its own.
mkdir -p "$work/traps" "$work/moved"
printf '#!/bin/sh\necho trapped >&2\nexit 1\n' | tee "$work/traps/pawl" >"$work/traps/pawl-sandbox"
chmod +x "$work"/traps/*
mv "$prefix" "$work/moved/prefix"
from_traps() (cd "$work/traps" && PATH=$work/moved/prefix/bin:$PATH && expect_hello "$@")
from_traps pawl exec -c "print('hello from the sandbox')"
cp "$work/pc_static" "$work/moved/prefix/bin/own" # a stranger's program beside the tool
from_traps own
rm "$work/moved/prefix/bin/own"
mv "$work/moved/prefix" "$prefix"

loaded=$(ldd "$work/pc_shared") # whole: a reader that stops at its match makes ldd fail, and so the pipe
grep -q "libpawl.so.0 => $libdir/" <<<"$loaded" || fail "pc_shared does not load the installed libpawl.so.0"
! ldd "$work/pc_static" | grep libpawl || fail "pc_static loads the shared library"
[ "$(pkg-config --modversion pawl)" = "$("$work/pc_shared" --version)" ] || fail "the versions differ"

cd "$prefix"
stray=$(find . -type f ! -path './include/pawl/*.h' ! -path "./${libdir#"$prefix"/}/*" \
    ! -path ./libexec/pawl/pawl-sandbox ! -path ./bin/pawl)
[ -z "$stray" ] || fail "installed but not expected: $stray"
[ -z "$(find include -name '*internal*')" ] || fail "internal headers are installed"
