#!/usr/bin/env bash
# pawl trace view as a user types it: where the page goes, what is never written over, words, exit statuses.
set -u
tool=${PAWL_TOOL:?}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failed=0

fail() { echo "FAILED: $*" >&2 && failed=$((failed + 1)); }

# expect NAME STATUS ARG...: runs pawl trace; its streams are in out and err.
expect() {
    local name=$1 status=$2
    shift 2
    "$tool" trace "$@" <"${from:-/dev/null}" >out 2>err
    local rc=$?
    [ "$rc" = "$status" ] || fail "$name: exit status $rc instead of $status: $(tail -c 300 err)"
}
says() { grep -qF -- "$1" "$2" || fail "$3: '$1' is not in $2: $(head -c 300 "$2")"; }
lacks() { ! grep -qF -- "$1" "$2" || fail "$3: '$1' is in $2"; }
is_page() { [ "$(head -n 1 "$1")$(tail -n 1 "$1")" = '<!doctype html></html>' ] || fail "$2: $1 is no page"; }

ids='"traceId":"101112131415161718191a1b1c1d1e1f","startTimeUnixNano":"1700000000000000000","endTimeUnixNano":"1700000000250000000"'
span() { printf '{%s,"spanId":"a0a1a2a3a4a5a6a%s","name":"%s","attributes":[{"key":"pawl.code.stdout","value":{"stringValue":"the output"}}]}' "$ids" "$1" "$2"; }
request() { printf '{"resourceSpans":[{"scopeSpans":[{"spans":[%s]}]}]}\n' "$1"; }
request "$(span 1 first),$(span 2 second)" >run.jsonl

expect "a page beside the file" 0 view run.jsonl
[ "$(cat out)" = run.html ] || fail "the page's name is not what is printed: $(cat out)"
is_page run.html "beside the file"
says '"name":"second"' run.html "the spans"
says '"title":"run.jsonl"' run.html "the title"
says 'the output' run.html "the output"
[ -s err ] && fail "a clean file gives words: $(cat err)"

expect "again, over our own page" 0 view run.jsonl --title mine
says '"title":"mine"' run.html "the given title"
request "$(span 1 first)" >trace
expect "a name without an ending" 0 view ./trace
is_page trace.html "a name without an ending"
(umask 022 && cp run.jsonl private.jsonl && chmod 600 private.jsonl && "$tool" trace view private.jsonl >out &&
    "$tool" trace view private.jsonl --no-content -o public.html >out)
[ "$(stat -c %a private.html)" = 600 ] || fail "the page of a private trace is readable by others"
[ "$(stat -c %a public.html)" = 644 ] || fail "a page to give away is not readable by others"
expect "without content" 0 view run.jsonl --no-content
lacks 'the output' run.html "without content"

echo precious >other.html
expect "another file" 2 view run.jsonl -o other.html
[ "$(cat other.html)" = precious ] || fail "another file was written over"
says '--force' err "another file"
cp run.jsonl notes.html.jsonl && echo precious >notes.html.html
expect "another file by the default name" 2 view notes.html.jsonl
chmod 640 other.html
expect "another file by force" 0 view run.jsonl --force -o other.html
is_page other.html "by force"
[ "$(stat -c %a other.html)" = 640 ] || fail "the file's mode was lost"
: >fresh.html
expect "an empty file is nobody's" 0 view run.jsonl -o fresh.html
cp run.jsonl input.jsonl && ln input.jsonl linked.jsonl && ln -s input.jsonl pointing.jsonl
for name in input.jsonl ./input.jsonl linked.jsonl pointing.jsonl; do
    expect "the trace itself, as $name" 2 view input.jsonl --force -o "$name"
    says 'is the trace itself' err "the trace itself, as $name"
done
from=input.jsonl expect "the trace itself, from stdin" 2 view - --force -o input.jsonl
cmp -s run.jsonl input.jsonl || fail "the trace was written over"
mkdir folder
expect "a folder" 2 view run.jsonl -o folder

expect "to stdout" 0 view run.jsonl -o -
is_page out "stdout"
from=run.jsonl expect "from stdin" 0 view -
is_page out "from stdin"
expect "to a device" 0 view run.jsonl -o /dev/null
[ -c /dev/null ] || fail "/dev/null is no device any more"
"$tool" trace view run.jsonl -o - >/dev/full 2>err
[ $? = 1 ] || fail "a full disk is not told"
says 'No space' err "a full disk"
expect "a folder that is not there" 1 view run.jsonl -o absent/run.html

{ request "$(span 1 first)" && echo nonsense && printf '{"resourceSpans":[{"sc'; } >bad.jsonl
expect "a bad line" 0 view bad.jsonl
says 'line 2' err "a bad line"
says 'incomplete' err "a bad line"
expect "fewer spans" 0 view run.jsonl --max-spans 1
says '1 further' err "fewer spans"
cp run.html before.html
echo '{"resourceMetrics":[]}' >run.jsonl
expect "no spans" 2 view run.jsonl
says 'no span' err "no spans"
cmp -s run.html before.html || fail "a file without spans changed the page"
printf 'hello\n' >hello.txt
expect "no trace at all" 2 view hello.txt
[ -e hello.txt.html ] && fail "no trace, and yet a page"
expect "no file" 2 view absent.jsonl
says 'absent.jsonl' err "no file"
expect "no argument" 2 view
expect "two files" 2 view run.jsonl bad.jsonl
expect "an unknown option" 2 view --colour run.jsonl
expect "a bad number" 2 view --max-spans none run.jsonl
expect "no command" 2
expect "an unknown command" 2 show
expect "help" 0 view --help
says 'usage: pawl trace view' out "help"
expect "help of the two" 0 --help
[ -n "$(find . -name '*.html.*' ! -name 'notes.html.*')" ] && fail "a temporary file was left"

[ "$failed" = 0 ] || exit 1
