#!/usr/bin/env bash
# peers.sh skips with a line that says why, and installs completely or not at all. npm is a stand-in that says what the
# real one says.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
fail() { echo "FAILED: $*" >&2 && failed=$((failed + 1)); }
mkdir "$work/bin" "$work/without"
for program in bash cat dirname flock grep head mkdir mv rm sed tail tr; do
    ln -s "$(command -v "$program")" "$work/without/$program"
done

# stand_in PROGRAM: a script, read from standard input.
stand_in() { { echo '#!/bin/bash' && cat; } >"$work/bin/$1" && chmod +x "$work/bin/$1"; }
# peers STATUS PEER...: what it says is in said.
peers() {
    local wanted=$1 got=0
    shift
    PATH=$path PAWL_PEERS=$work/peers bash "$here/peers.sh" "$@" >"$work/said" 2>&1 || got=$?
    [ "$got" = "$wanted" ] || fail "status $got instead of $wanted: $(cat "$work/said")"
}
says() { grep -qF -- "$1" "$work/said" || fail "it says '$(cat "$work/said")', not '$1'"; }

path=$work/without
peers 77 otlp
says "peers.sh: skipped: peer otlp: node is not installed"

path=$work/bin:$work/without
stand_in node <<<'echo v20.20.2'
peers 77 otlp
says "peers.sh: skipped: peer otlp: npm is not installed (node v20.20.2 is)"

stand_in npm <<'SH'
echo 'npm error code EBADENGINE
npm error engine Not compatible with your version of node/npm: a-peer@27.1.0
npm error notsup Not compatible with your version of node/npm: a-peer@27.1.0
npm error notsup Required: {"npm":">=8","node":">=22.5 <25"}
npm error notsup Actual:   {"node":"v20.20.2","npm":"11.19.1"}' >&2
exit 1
SH
peers 77 otlp
says "peers.sh: skipped: peer otlp: a-peer@27.1.0 needs node >=22.5 <25, this is node 20.20.2"
[ "$(wc -l <"$work/said")" = 1 ] || fail "that is more than a line"

stand_in npm <<<'mkdir -p node_modules/half; echo npm error code ECONNREFUSED >&2; exit 1'
peers 1 otlp
says "npm could not install peer otlp: npm error code ECONNREFUSED"
[ ! -e "$work/peers/otlp" ] || fail "half a peer is left"

# shellcheck disable=SC2016 # expanded by the stand-in
stand_in npm <<<'mkdir -p node_modules/whole; echo "$*" >>"$0.calls"'
peers 0 otlp
peers 0 otlp js
[ -d "$work/peers/otlp/node_modules/whole" ] || fail "the peer is not there"
[ "$(wc -l <"$work/bin/npm.calls")" = 2 ] || fail "installed again: $(cat "$work/bin/npm.calls")"
grep -qE -- '--engine-strict .*@elastic/mockotlpserver@[0-9.]+ protobufjs@[0-9.]+$' "$work/bin/npm.calls" || fail "not pinned"
echo another >"$work/peers/otlp/packages"
peers 0 otlp
[ "$(wc -l <"$work/bin/npm.calls")" = 3 ] || fail "another version was left"

peers 1 nonsense
says "there is no peer 'nonsense'"
[ "$failed" = 0 ] || exit 1
echo "peers come whole, or say why not"
