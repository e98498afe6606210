#!/usr/bin/env bash
# pawl exec as a user types it: streams, exit statuses, the JSON record. PAWL_TOOL is the built tool.
set -u
tool=${PAWL_TOOL:?}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
export PAWL_TEST_SECRET=secret

fail() { echo "FAILED: $*" >&2 && failed=$((failed + 1)); }

# expect NAME STATUS STDOUT ARG...: runs pawl exec, compares status and standard output.
expect() {
    local name=$1 status=$2 out=$3 got
    shift 3
    got=$("$tool" exec "$@" </dev/null 2>"$work/err")
    local rc=$?
    [ "$rc" = "$status" ] || fail "$name: exit status $rc instead of $status: $(head -c 300 "$work/err")"
    [ "$got" = "$out" ] || fail "$name: printed '$got' instead of '$out'"
}

expect "python by default" 0 42 -c 'print(6 * 7)'
expect "javascript" 0 42 -l javascript -c 'console.log(6 * 7)'
# shellcheck disable=SC2016 # the sandbox's bash is to expand it
expect "bash" 0 42 -l bash -c 'echo $((6 * 7))'
expect "the program's own status" 7 "" -c 'import sys; sys.exit(7)'
expect "an exception" 1 "" -c '1 / 0'
# shellcheck disable=SC2016
expect "a signal" 137 "" -l bash -c 'kill -9 $$'
expect "the wall limit" 124 "" --timeout 0.3 -c 'while True: pass'
expect "no time at all" 124 "" --timeout 0 -c 'print(1)'
expect "the memory limit" 123 "" --mem 64M -c 'x = "x" * (1 << 30)'
expect "arguments" 0 "a b" -c 'import sys; print(*sys.argv[1:])' a b
expect "the environment is what was asked for" 0 "yes" -e 'ONE=yes' -c 'import os; print(os.environ["ONE"])'
expect "no secret of the caller gets in" 0 "None" -c 'import os; print(os.environ.get("PAWL_TEST_SECRET"))'
expect "no such program" 127 "" "$work/absent.py"
expect "an unknown option" 125 "" --frobnicate -c 1
expect "no program" 125 ""
expect "a bad number" 125 "" --timeout soon -c 1
expect "an unknown language" 125 "" -l cobol -c 1

grep -q cobol "$work/err" || fail "the complaint does not name the language"
printf 'print(open("data.txt").read())' >"$work/reads.py"
printf 'hello' >"$work/data.txt"
expect "a file put in" 0 hello --file "$work/data.txt" "$work/reads.py"
expect "a file under another name" 0 hello --file "$work/data.txt=data.txt" "$work/reads.py"

[ "$(echo 'print("from stdin")' | "$tool" exec -)" = "from stdin" ] || fail "a program from standard input"
[ "$(printf 'a\nb\n' | "$tool" exec -c 'import sys; print(len(sys.stdin.readlines()))')" = 2 ] || fail "input for the program"

"$tool" exec -c 'import sys; print("out"); print("err", file=sys.stderr)' </dev/null >"$work/out" 2>"$work/err"
[ "$(cat "$work/out" "$work/err")" = $'out\nerr' ] || fail "streams stay apart"

"$tool" exec --json -c 'print("x"); raise KeyError("k")' </dev/null >"$work/json" 2>"$work/err"
rc=$?
[ "$rc" = 1 ] || fail "--json keeps the exit status: $rc"
grep -q '^x$' "$work/err" || fail "--json: the program's output goes to standard error"
/usr/bin/env python3 - "$work/json" <<'PY' || fail "--json: the record"
import json, sys
record = json.load(open(sys.argv[1]))
assert record["outcome"] == "exception" and record["success"] is False, record
assert record["error"]["name"] == "KeyError", record["error"]
assert record["output"] == "x\n", record["output"]
PY

"$tool" exec -v -c 'pass' </dev/null 2>"$work/err" || fail "--verbose"
grep -q 'sandbox.run' "$work/err" || fail "--verbose writes the trace tree"
"$tool" exec --help | grep -q 'usage: pawl exec' || fail "--help"
"$tool" frobnicate 2>/dev/null && fail "an unknown command"
"$tool" --version | grep -q '^pawl [0-9]' || fail "--version"

# Started through PATH it knows itself by name alone; a folder of traps must not become its own folder.
mkdir "$work/traps"
printf '#!/bin/sh\ntouch "%s/trapped"\n' "$work" | tee "$work/traps/pawl" >"$work/traps/pawl-sandbox"
chmod +x "$work"/traps/*
got=$(cd "$work/traps" && PATH=$(dirname "$(realpath "$tool")"):$PATH pawl exec -c 'print("mine")' </dev/null 2>"$work/err")
[ "$got" = mine ] || fail "through PATH it does not find its own helper: $(head -c 300 "$work/err")"
[ ! -e "$work/trapped" ] || fail "through PATH it executes pawl-sandbox of the current folder"

# An interrupt ends the sandbox before the tool.
"$tool" exec -c 'import time; time.sleep(60)' </dev/null 2>/dev/null &
pid=$!
sleep 0.5
kill -INT $pid
wait $pid
[ $? = 130 ] || fail "an interrupt gives 130"

# Output that cannot be written is no success, and a reader that left ends the run.
"$tool" exec -c 'print(1)' </dev/null >/dev/full 2>"$work/err" && fail "a full disk is no success"
grep -q 'standard output' "$work/err" || fail "a full disk: the complaint"
"$tool" exec --json -c 'print(1)' </dev/null >/dev/full 2>/dev/null && fail "a full disk is no success with --json"
"$tool" exec -c 'print(1)' </dev/null >&- 2>/dev/null && fail "a closed standard output is no success"
"$tool" exec -c 'print(1)' <&- >/dev/null 2>&- || fail "closed input and error are no failure"
begun=$SECONDS
"$tool" exec --timeout 20 -c 'while True: print("x")' </dev/null 2>/dev/null | head -1 >/dev/null
[ $((SECONDS - begun)) -lt 10 ] || fail "a reader that left does not end the run"
[ "$(head -c 70000000 /dev/zero | "$tool" exec -c 'print(1)' 2>"$work/err")" = "" ] || fail "too much input is cut"
grep -q -- --no-input "$work/err" || fail "too much input: the complaint"
[ "$(head -c 70000000 /dev/zero | "$tool" exec -n -c 'print(1)')" = 1 ] || fail "--no-input"
expect "the last of two options" 0 "B" -c 'print("A")' -c 'import os; print(os.environ["X"])' -e X=A -e X=B
expect "no text" 125 "" -c $'\xff'
expect "a secret" 0 "[REDACTED]" --env PIN=swordfish9 --secret-env PIN -c 'import os; print(os.environ["PIN"])'
expect "a secret that is not there" 125 "" --secret-env PIN -c 'print(1)'

# A reader that does not read: a signal still ends it, and the sandbox with it.
mkfifo "$work/fifo"
# shellcheck disable=SC2217 # it only has to hold the pipe open
sleep 20 <"$work/fifo" &
reader=$!
"$tool" exec --timeout 30 -c 'while True: print("x" * 1000)' </dev/null >"$work/fifo" 2>/dev/null &
pid=$!
sleep 1
begun=$SECONDS
kill -TERM $pid
wait $pid
[ $((SECONDS - begun)) -lt 5 ] || fail "a stalled reader: the signal does not end it"
kill $reader

[ "$failed" = 0 ] && echo "pawl exec: all as expected"
exit "$failed"
