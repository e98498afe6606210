#!/usr/bin/env bash
# decode.sh prints what the official schema knows and fails on anything else.
set -uo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
fail() { echo "FAILED: $*" >&2 && failed=$((failed + 1)); }
golden=0a660a160a140a0c736572766963652e6e616d6512040a027766124c0a040a02776612440a10101112131415161718191a1b1c1d1e1f
golden+=1208a0a1a2a3a4a5a6a72a0372756e30013900002a36fe9c97174180b21045fe9c97174a070a016e1202182a850101010000

# shellcheck disable=SC2001 # each pair of digits
unhex() { printf '%b' "$(sed 's/../\\x&/g' <<<"$1")"; }

# decode SIGNAL HEX [KIND]: into out; the status is that of decode.sh.
decode() { unhex "$2" | bash "$here/decode.sh" "$1" "${@:3}" >"$work/out" 2>"$work/err"; }

decode traces "$golden"
status=$?
[ $status != 77 ] || { cat "$work/out" && exit 77; }
[ $status = 0 ] || fail "the golden vector: $(cat "$work/err")"
grep -q 'start_time_unix_nano: 1700000000000000000' "$work/out" || fail "the golden vector's start is not printed"
decode traces "" || fail "an empty request"
decode traces 0a0408011200 RESPONSE || fail "a reply: $(cat "$work/err")"
grep -q 'rejected_spans: 1' "$work/out" || fail "a reply is not printed"
if decode traces "${golden}9a0600"; then fail "an unknown field of bytes"; fi
grep -q 99 "$work/err" || fail "the unknown field is not named: $(cat "$work/err")"
if decode traces "${golden}980601"; then fail "an unknown field with a number"; fi
if decode traces "${golden}9a0603980601"; then fail "an unknown field with a message"; fi
if decode traces "${golden/2a0372756e/2a0372ffff}"; then fail "a string that is no UTF-8"; fi
if decode traces "${golden%0000}"; then fail "cut off"; fi
if decode logs "$golden"; then fail "traces for logs"; fi
if decode spans "$golden"; then fail "an unknown signal"; fi
[ "$failed" = 0 ] || exit 1
echo "protoc and the schema judge"
