#!/usr/bin/env bash
# check_exposition.sh takes what is right and refuses each thing that is wrong, also what one judge alone lets pass.
# Wrong expositions differ from the right one by one sed script.
set -uo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
fail() { echo "FAILED: $*" >&2 && failed=$((failed + 1)); }

cat >"$work/text" <<'TEXT'
# HELP pawl_runs_total Runs, a line with \\ and \n in it.
# TYPE pawl_runs_total counter
pawl_runs_total{node="a \"b\" \\ \n c",outcome="ok"} 3
pawl_runs_total{node="a",outcome="failed"} 1e+06
# HELP pawl_live Runs in flight.
# TYPE pawl_live gauge
pawl_live 0
# HELP pawl_run_duration_seconds Duration.
# TYPE pawl_run_duration_seconds histogram
pawl_run_duration_seconds_bucket{node="a",le="0.5"} 1
pawl_run_duration_seconds_bucket{node="a",le="1"} 3
pawl_run_duration_seconds_bucket{node="a",le="+Inf"} 4
pawl_run_duration_seconds_sum{node="a"} 3.25
pawl_run_duration_seconds_count{node="a"} 4
TEXT
cat >"$work/openmetrics" <<'TEXT'
# TYPE pawl_runs counter
# HELP pawl_runs Runs.
pawl_runs_total{node="a \"b\" \\ \n c",outcome="ok"} 3.0 # {trace_id="4bf92f3577b34da6a3ce929d0e0e4736"} 1.0 1700000000.0
# TYPE pawl_live gauge
# HELP pawl_live Runs in flight.
pawl_live 0.0
# TYPE pawl_run_duration_seconds histogram
# UNIT pawl_run_duration_seconds seconds
# HELP pawl_run_duration_seconds Duration.
pawl_run_duration_seconds_bucket{node="a",le="0.5"} 1
pawl_run_duration_seconds_bucket{node="a",le="1.0"} 3 # {trace_id="4bf92f3577b34da6a3ce929d0e0e4736",span_id="00f067aa0ba902b7"} 0.7 1700000000.5
pawl_run_duration_seconds_bucket{node="a",le="+Inf"} 4
pawl_run_duration_seconds_sum{node="a"} 3.25
pawl_run_duration_seconds_count{node="a"} 4
# EOF
TEXT

check() { bash "$here/check_exposition.sh" "$1" "$2" >"$work/said" 2>&1; }
check "$work/text" text
[ $? != 77 ] || { cat "$work/said" && exit 77; }
for format in text openmetrics; do
    check "$work/$format" "$format" || fail "what is right as $format: $(cat "$work/said")"
done

sed -E '/_(sum|count)/d; s/le="0.5"/le="-0.5"/' "$work/openmetrics" >"$work/right"
check "$work/right" openmetrics || fail "OpenMetrics has no sum of what may be negative: $(cat "$work/said")"

# wrong NAME FORMAT SED: refused, and something is said.
wrong() {
    sed -E "$3" "$work/$2" >"$work/wrong"
    if check "$work/wrong" "$2"; then fail "$2: $1 was taken"; fi
    [ -s "$work/said" ] || fail "$2: $1 was refused without a word"
}
for format in text openmetrics; do
    wrong "a bucket missing at the end" $format '/le="\+Inf"/d'
    wrong "buckets that fall" $format 's/(le="1(\.0)?"\}) 3/\1 0/'
    wrong "bounds that fall" $format 's/le="0.5"/le="2.0"/'
    wrong "a count of its own" $format 's/(_count.*) 4/\1 5/'
    wrong "no sum" $format '/_sum/d'
    wrong "a family in two parts" $format '/pawl_live 0/{p;s/.*/pawl_runs_total{node="z",outcome="ok"} 1/}'
    wrong "a second HELP" $format 's/^(# HELP pawl_live) .*/&\n\1 Again./'
    wrong "a second TYPE" $format 's/^# TYPE pawl_live .*/&\n&/'
    wrong "a series twice" $format 's/^pawl_live .*/&\n&/'
    wrong "no help" $format '/HELP pawl_live/d'
    wrong "no type" $format '/TYPE pawl_live/d'
    wrong "metadata after samples" $format '/# TYPE pawl_live/d; s/^pawl_live .*/&\n# TYPE pawl_live gauge/'
    wrong "a CR" $format 's/^pawl_live .*/&\r/'
    wrong "a dot in a name" $format 's/pawl_live/pawl.live/'
    wrong "no number" $format 's/^pawl_live .*/pawl_live none/'
    wrong "a label without quotes" $format 's/node="a"/node=a/'
    wrong "bytes that are no UTF-8" $format 's/flight/\xff/'
    wrong "nothing" $format '/^pawl|HELP|TYPE|UNIT/d'
    wrong "a counter without _total" $format 's/pawl_runs_total/pawl_runs/'
done
wrong "an exemplar" text 's/^pawl_live 0/& # {trace_id="a"} 1/'
wrong "camel case" text 's/pawl_live/pawlLive/'
wrong "milliseconds" text 's/_seconds/_milliseconds/'
head -c -1 "$work/text" >"$work/short"
if check "$work/short" text; then fail "text: no last line end was taken"; fi
wrong "no end" openmetrics '/# EOF/d'
wrong "something behind the end" openmetrics 's/# EOF/&\npawl_late 1/'
wrong "a blank line" openmetrics 's/^pawl_live .*/&\n/'
wrong "a unit that is no suffix" openmetrics 's/^# UNIT .*/# UNIT pawl_run_duration_seconds bytes/'
wrong "an exemplar on a gauge" openmetrics 's/^pawl_live 0.0/& # {trace_id="a"} 1/'
wrong "an exemplar that is too long" openmetrics "s/trace_id=\"4bf/&$(printf 'x%.0s' {1..120})/"
[ "$failed" = 0 ] || exit 1
echo "all judges judge"
