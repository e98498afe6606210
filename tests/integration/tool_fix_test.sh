#!/usr/bin/env bash
# pawl fix as a user types it: the diff, the words, exit statuses, the record, a generator of one's own.
set -u
tool=${PAWL_TOOL:?}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

fail() { echo "FAILED: $*" >&2 && failed=$((failed + 1)); }

# expect NAME STATUS ARG...: runs pawl fix; its streams are in $work/out and $work/err.
expect() {
    local name=$1 status=$2
    shift 2
    "$tool" fix "$@" </dev/null >"$work/out" 2>"$work/err"
    local rc=$?
    [ "$rc" = "$status" ] || fail "$name: exit status $rc instead of $status: $(tail -c 300 "$work/err")"
}
says() { grep -qF -- "$1" "$work/$2" || fail "$3: '$1' is not in $2: $(head -c 300 "$work/$2")"; }

cat >"$work/program.py" <<'PY'
def biggest(numbers):
    best = numbers[0]
    for n in numbers:
        if n < best:
            best = n
    return best
PY
cat >"$work/test.py" <<'PY'
from program import biggest
assert biggest([1, 5, 3]) == 5
PY
cat >"$work/holdout.py" <<'PY'
from program import biggest
assert biggest([-3, -7]) == -3
assert biggest([2]) == 2
PY
printf 'from program import biggest\nassert biggest([1]) == 2\n' >"$work/impossible.py"
printf 'from program import biggest\nassert biggest([1, 1]) == 1\n' >"$work/weak.py"

expect "fixes" 0 "$work/program.py" --test "$work/test.py" --holdout "$work/holdout.py"
says '-        if n < best:' out "the diff"
says 'passes the given checks and the held-back checks' err "the last word"
says 'sandbox.run' err "the trace tree"

expect "writes the program" 0 -q "$work/program.py" --test "$work/test.py" -o "$work/fixed.py"
(cd "$work" && mkdir try && cp fixed.py try/program.py && cp holdout.py try/ && /usr/bin/env python3 try/holdout.py) ||
    fail "the program written does not pass the held-back test"

expect "nothing to fix" 0 "$work/program.py" --test "$work/weak.py"
says 'nothing to fix' err "a program that passes"

printf 'from program import biggest\nassert False\n' >"$work/no.py"
expect "held-back checks fail" 1 "$work/program.py" --test "$work/test.py" --holdout "$work/no.py"
says 'passes the given checks only' err "three words"

expect "budget" 3 "$work/program.py" --test "$work/impossible.py" --attempts 5
expect "no file" 2 "$work/absent.py" --test "$work/test.py"
expect "no test" 2 "$work/program.py"
expect "a bad number" 2 "$work/program.py" --test "$work/test.py" --jobs none
expect "an unknown generator" 2 "$work/program.py" --test "$work/test.py" --generator llm

cat >"$work/model.py" <<'PY'
import json, sys
for line in sys.stdin:
    request = json.loads(line)
    assert request["version"] == 1 and "holdout" not in request["input"], request
    program = request["input"]["program"].replace("n < best", "n > best")
    print(json.dumps({"program": program, "description": "turned the comparison"}), flush=True)
PY
expect "a generator of one's own" 0 --json "$work/program.py" --test "$work/test.py" --holdout "$work/holdout.py" \
    --generator "cmd:python3 $work/model.py"
/usr/bin/env python3 - "$work/out" <<'PY' || fail "--json: the record"
import json, sys
record = json.load(open(sys.argv[1]))
assert record["version"] == 1 and record["success"] is True and record["passed_holdout"] is True, record
assert record["executions"] == 1 and record["attempts"][0]["pass"] is True, record
PY
expect "a generator that is not there" 4 "$work/program.py" --test "$work/test.py" --generator "cmd:pawl-no-such-command"
expect "a generator that ends" 4 "$work/program.py" --test "$work/test.py" --generator "cmd:false"
"$tool" fix --help | grep -q 'usage: pawl fix' || fail "--help"

[ "$failed" = 0 ] && echo "pawl fix: all as expected"
exit "$failed"
