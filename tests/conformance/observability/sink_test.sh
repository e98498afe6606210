#!/usr/bin/env bash
# The strict sink is strict: it takes what is right in every form, refuses each thing that is wrong and says why, and
# fails in every way it is told to. Right requests are written as protoc's text; wrong ones are one change away.
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=tests/conformance/observability/sink.sh
. "$here/sink.sh"
command -v protoc >/dev/null || { echo "skipped: protoc is not installed" && exit 77; }
work=$(mktemp -d)
trap 'sink_stop; rm -rf "$work"' EXIT
sink_start "$work"
schema=${PAWL_PEERS:-$here/../../../build/peers}/otlp/node_modules/@elastic/mockotlpserver
base=http://127.0.0.1:$SINK_PORT
agent='User-Agent: test OTel-OTLP-Exporter-C/0'
failed=0
fail() { echo "FAILED: $*" >&2 && failed=$((failed + 1)); }
# shellcheck disable=SC2001 # each pair of digits
unhex() { printf '%b' "$(sed 's/../\\x&/g' <<<"$1")"; }
hex() { od -An -v -tx1 "$1" | tr -d ' \n'; }

# encode SIGNAL: protoc's text to bytes.
encode() {
    local package=${1/traces/trace} title
    title=${package^}
    protoc -I "$schema" --encode="opentelemetry.proto.collector.$package.v1.Export${title}ServiceRequest" \
        "opentelemetry/proto/collector/$package/v1/${package}_service.proto"
}

# post SIGNAL FILE [CURL-OPTION...]: prints the status; the reply's body is in reply, its headers in head.
post() {
    local status=0
    : >"$work/reply"
    curl -sS -m 30 -o "$work/reply" -D "$work/head" -w '%{http_code}' -H "$agent" -H 'Expect:' \
        -H "Content-Type: ${type:-application/x-protobuf}" --data-binary "@$2" "${@:3}" "$base/v1/$1" \
        2>"$work/curl" || status=$?
    [ "$status" = 0 ] || printf ' curl %d' "$status"
}

# right NAME SIGNAL FILE: it is taken.
right() {
    local got
    got=$(post "$2" "$3" "${@:4}")
    [ "$got" = 200 ] || fail "$1: $got $(tr -c '[:print:]' ' ' <"$work/reply")"
}

# wrong NAME SIGNAL FILE REASON [CURL-OPTION...]: it is refused, for that reason.
wrong() {
    local got
    got=$(post "$2" "$3" "${@:5}")
    case $got in 4??) ;; *) fail "$1: $got" ;; esac
    grep -qaF -- "$4" "$work/reply" || fail "$1: refused for '$(tr -c '[:print:]' ' ' <"$work/reply")', not '$4'"
}

# The inputs below differ from the right ones by one sed script.
text() { sed -E "$2" "$work/$1.txt" | encode "$1" >"$work/body"; }
wrong_text() { text "$2" "$3" && wrong "$1" "$2" "$work/body" "$4"; }
right_text() { text "$2" "$3" && right "$1" "$2" "$work/body"; }

# ---- traces ----

golden=0a660a160a140a0c736572766963652e6e616d6512040a027766124c0a040a02776612440a10101112131415161718191a1b1c1d1e1f
golden+=1208a0a1a2a3a4a5a6a72a0372756e30013900002a36fe9c97174180b21045fe9c97174a070a016e1202182a850101010000
unhex "$golden" >"$work/golden"
right "the golden vector" traces "$work/golden"
[ "$(grep -c Content-Length:.0 "$work/head")" = 1 ] || fail "the reply to success is not empty"
span=$(sink_items span)
for part in '"traceId":"101112131415161718191a1b1c1d1e1f"' '"spanId":"a0a1a2a3a4a5a6a7"' '"name":"run"' '"kind":1' \
    '"startTimeUnixNano":"1700000000000000000"' '"attributes":{"n":"42"}' '"resource":{"service.name":"wf"}' '"flags":257'; do
    case $span in *"$part"*) ;; *) fail "the record lacks $part: $span" ;; esac
done

cat >"$work/traces.txt" <<'TEXT'
resource_spans {
  resource { attributes { key: "service.name" value { string_value: "wf" } } }
  scope_spans {
    scope { name: "pawl" version: "1" }
    spans {
      trace_id: "0123456789abcdef" span_id: "01234567" parent_span_id: "76543210" trace_state: "ot=th:8,a@b=c d"
      name: "run" kind: SPAN_KIND_CLIENT start_time_unix_nano: 1700000000000000000 end_time_unix_nano: 1700000000000000001
      attributes { key: "none" value { } }
      attributes { key: "list" value { array_value { values { int_value: -1 } values { double_value: nan } } } }
      attributes { key: "map" value { kvlist_value { values { key: "k" value { bytes_value: "\377" } } } } }
      events { time_unix_nano: 1700000000000000000 name: "exception" attributes { key: "e" value { bool_value: true } } }
      links { trace_id: "fedcba9876543210" span_id: "abcdefgh" flags: 769 }
      status { code: STATUS_CODE_ERROR message: "was\303\237" } flags: 259
    }
  }
}
TEXT
right_text "a full span" traces ''
right_text "a root" traces 's/parent_span_id: "[0-9]*"//'
right_text "no duration" traces 's/(end_time.*)1$/\10/'
wrong_text "no resource spans" traces d "no resourceSpans"
wrong_text "no scope spans" traces '/scope_spans/,/^  }/d' "no scopeSpans"
wrong_text "no spans" traces '/ spans \{/,/^    }/d' "no spans"
wrong_text "no resource" traces '/ resource \{/d' "no resource"
wrong_text "no service name" traces 's/service.name/service.nam/' "no service.name"
wrong_text "no scope" traces '/ scope \{/d' "no scope name"
wrong_text "a short trace id" traces 's/trace_id: "0123/trace_id: "123/' "trace id has 15 bytes"
wrong_text "no trace id" traces 's/trace_id: "0123[0-9a-f]*"//' "trace id has 0 bytes"
wrong_text "a zero trace id" traces 's/"0123456789abcdef"/"\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000"/' "trace id is zero"
wrong_text "a long span id" traces 's/"01234567"/"012345678"/' "span id has 9 bytes"
wrong_text "a short parent" traces 's/"76543210"/"7654321"/' "parent span id has 7 bytes"
wrong_text "its own parent" traces 's/"76543210"/"01234567"/' "its own parent"
wrong_text "end before start" traces 's/(end_time.*)1$/\10/; s/(start[a-z_]*: 1700000000000000000)/\1/; s/end_time_unix_nano: 17/end_time_unix_nano: 16/' "end before start"
wrong_text "milliseconds" traces 's/(start[a-z_]*): 1700000000000000000/\1: 1700000000000/' "start is 1700000000000 ns since 1970"
wrong_text "no end" traces 's/end_time[a-z_]*: [0-9]*//' "end is 0 ns"
wrong_text "no name" traces 's/name: "run"//' "no name"
wrong_text "no kind" traces 's/kind: SPAN_KIND_CLIENT//' "kind 0"
wrong_text "a bad trace state" traces 's/ot=th:8/OT=th:8/' "trace state"
wrong_text "unknown flags" traces 's/flags: 259/flags: 65536/' "flags 65536"
wrong_text "an attribute twice" traces 's/"list"/"none"/' "key none twice"
wrong_text "an attribute without a key" traces 's/"list"/""/' "no key"
wrong_text "an attribute without a value" traces 's/key: "none" value \{ \}/key: "none"/' "no value"
wrong_text "an event without a time" traces 's/events \{ time_unix_nano: [0-9]*/events {/' "time is 0"
wrong_text "a link to nowhere" traces 's/"abcdefgh"/""/' "links[0]: span id"
wrong_text "a message without an error" traces 's/code: STATUS_CODE_ERROR//' "a status message without an error"

# Bytes that a decoder forgives. The first three bytes of what follows go behind the whole request.
bytes() { unhex "$2" | cat "$work/golden" - >"$work/body" && wrong "$1" traces "$work/body" "$3"; }
bytes "an unknown field" 9a0600 "unknown field 99"
bytes "a field cut off" 0a05 "cut off"
bytes "a field with another wire type" 0801 "wire type 0"
bytes "a varint over 64 bits" ffffffffffffffffffffff "a varint over 64 bits"
edit() { unhex "${golden/$2/$3}" >"$work/body" && wrong "$1" traces "$work/body" "$4"; }
edit "a string that is no UTF-8" 2a0372756e 2a0372ffff "not valid"
edit "an enum that is none" 3001 3009 "enum value 9"
edit "a number given twice" 0a016e1202182a 0a016e0a016e182a "given twice"
edit "two values for one" 1202182a850101010000 1202102a850101010000 "bool value 42"

# ---- metrics ----

cat >"$work/metrics.txt" <<'TEXT'
resource_metrics {
  resource { attributes { key: "service.name" value { string_value: "wf" } } }
  scope_metrics {
    scope { name: "pawl" }
    metrics { name: "pawl.runs" unit: "{run}" sum { aggregation_temporality: AGGREGATION_TEMPORALITY_CUMULATIVE is_monotonic: true
      data_points { start_time_unix_nano: 1700000000000000000 time_unix_nano: 1700000000000000009 as_int: 0
        attributes { key: "a" value { string_value: "1" } } }
      data_points { start_time_unix_nano: 1700000000000000000 time_unix_nano: 1700000000000000009 as_double: 2.5
        attributes { key: "a" value { string_value: "2" } }
        exemplars { time_unix_nano: 1700000000000000001 as_int: -3 trace_id: "0123456789abcdef" span_id: "01234567" } } } }
    metrics { name: "pawl.live" gauge { data_points { time_unix_nano: 1700000000000000009 as_double: inf } } }
    metrics { name: "pawl.duration" unit: "s" histogram { aggregation_temporality: AGGREGATION_TEMPORALITY_DELTA
      data_points { start_time_unix_nano: 1700000000000000000 time_unix_nano: 1700000000000000009
        count: 6 sum: 0 min: 0 max: 3 explicit_bounds: 1 explicit_bounds: 2 bucket_counts: 1 bucket_counts: 2 bucket_counts: 3 } } }
    metrics { name: "pawl.size" exponential_histogram { aggregation_temporality: AGGREGATION_TEMPORALITY_CUMULATIVE
      data_points { start_time_unix_nano: 1700000000000000000 time_unix_nano: 1700000000000000009
        count: 9 scale: -1 zero_count: 4 positive { offset: -2 bucket_counts: 2 bucket_counts: 3 } } } }
  }
}
TEXT
right_text "metrics of all kinds" metrics ''
case $(sink_items point | head -n 1) in
*'"metric":{"name":"pawl.runs","unit":"{run}","description":"","kind":"sum","temporality":2,"monotonic":true}'*'"asInt":"0"'*) ;;
*) fail "the record of a point: $(sink_items point | head -n 1)" ;;
esac
wrong_text "no points" metrics 's/data_points \{ time_unix_nano.* \} \} \}/} }/; s/gauge \{ \} \}/gauge { } }/' "no data points"
wrong_text "no kind of metric" metrics 's/gauge \{.*/}/' "no gauge, sum or histogram"
wrong_text "a bad name" metrics 's/pawl.live/9live/' 'name "9live"'
wrong_text "a name twice" metrics 's/pawl.live/pawl.runs/' "metric pawl.runs twice"
wrong_text "no temporality" metrics 's/aggregation_temporality: [A-Z_]*DELTA//' "no temporality"
wrong_text "the same attributes twice" metrics 's/string_value: "2"/string_value: "1"/' "the same attributes twice"
wrong_text "a falling counter" metrics 's/as_double: 2.5/as_double: -2.5/' "below zero"
wrong_text "no value" metrics 's/as_double: inf//' "no value"
wrong_text "time before start" metrics 's/(data_points \{ start[a-z_]*: 17)/\11/' "start is 1"
wrong_text "no start" metrics 's/data_points \{ start[a-z_]*: [0-9]*/data_points {/' "start is 0"
wrong_text "a bucket too many" metrics 's/count: 6/count: 7/; s/bucket_counts: 3/bucket_counts: 3 bucket_counts: 1/' "buckets for 2 bounds"
wrong_text "bounds that fall" metrics 's/explicit_bounds: 2/explicit_bounds: 0.5/' "bound 0.5"
wrong_text "a count of its own" metrics 's/count: 6/count: 7/' "count 7, in buckets 6"
wrong_text "an exponential count of its own" metrics 's/zero_count: 4/zero_count: 5/' "count 9, in buckets 10"
wrong_text "min over max" metrics 's/min: 0/min: 4/' "min over max"
wrong_text "an exemplar with half a trace" metrics 's/span_id: "01234567"//' "span id has 0 bytes"

# ---- logs ----

cat >"$work/logs.txt" <<'TEXT'
resource_logs {
  resource { attributes { key: "service.name" value { string_value: "wf" } } }
  scope_logs {
    scope { name: "pawl" }
    log_records { time_unix_nano: 1700000000000000000 observed_time_unix_nano: 1700000000000000001
      severity_number: SEVERITY_NUMBER_WARN severity_text: "WARN" body { string_value: "said" } flags: 1
      attributes { key: "a" value { int_value: 1 } } trace_id: "0123456789abcdef" span_id: "01234567" }
  }
}
TEXT
right_text "a log record" logs ''
case $(sink_items log) in *'"body":"said"'*) ;; *) fail "the record of a log: $(sink_items log)" ;; esac
wrong_text "no records" logs '/log_records/,/span_id/d' "no logRecords"
wrong_text "no observed time" logs 's/observed_time_unix_nano: [0-9]*//' "observed time is 0"
wrong_text "half a trace" logs 's/trace_id: "[0-9a-f]*"//' "trace id has 0 bytes"

# ---- JSON ----

type=application/json
cat >"$work/good.json" <<'TEXT'
{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"wf"}}]},
 "scopeSpans":[{"scope":{"name":"wf"},"spans":[{"traceId":"101112131415161718191a1b1c1d1e1f","spanId":"a0a1a2a3a4a5a6a7",
 "name":"run","kind":1,"startTimeUnixNano":"1700000000000000000","endTimeUnixNano":"1700000000250000000",
 "attributes":[{"key":"n","value":{"intValue":"42"}},{"key":"d","value":{"doubleValue":"NaN"}},{"key":"b","value":{"bytesValue":"/w=="}}],
 "flags":257,"status":{}}]}]}]}
TEXT
right "JSON" traces "$work/good.json"
[ "$(cat "$work/reply")" = '{}' ] || fail "the reply to JSON is '$(cat "$work/reply")'"
case $(sink_items span | tail -n 1) in *'"n":"42","d":"NaN","b":{"bytes":"/w=="}'*) ;; *) fail "the record of JSON" ;; esac
wrong_json() { sed -E "$2" "$work/good.json" >"$work/body" && wrong "$1" traces "$work/body" "$3"; }
wrong_json "snake case" 's/startTimeUnixNano/start_time_unix_nano/' 'unknown key \"start_time_unix_nano\"'
wrong_json "an unknown key" 's/"kind"/"kinds"/' 'unknown key \"kinds\"'
wrong_json "an id in base64" 's/"a0a1a2a3a4a5a6a7"/"oKGio6Slpqc="/' "lower-case hex"
wrong_json "an id in upper case" 's/a0a1a2a3a4a5a6a7/A0A1A2A3A4A5A6A7/' "lower-case hex"
wrong_json "a time as a number" 's/"(1700000000000000000)"/\1/' "a 64-bit integer is a decimal string"
wrong_json "an integer as a number" 's/"42"/42/' "a 64-bit integer is a decimal string"
wrong_json "an integer that does not fit" 's/"42"/"9223372036854775808"/' "it must fit"
wrong_json "an enum by name" 's/"kind":1/"kind":"SPAN_KIND_INTERNAL"/' "an enum is a known number"
wrong_json "flags as a string" 's/257/"257"/' "fixed32 is a number"
wrong_json "null for NaN" 's/"NaN"/null/' "a number, not null"
wrong_json "two values for one" 's/\{"intValue"/{"boolValue":true,"intValue"/' "two values for one"
wrong_json "a key twice" 's/"kind":1/"kind":1,"kind":1/' 'key \"kind\" twice'
wrong_json "half a character" 's/"run"/"\\ud800"/' "whole characters"
wrong_json "no UTF-8" 's/"run"/"\xff"/' "not valid"
wrong_json "cut off" '5d' "JSON"
wrong_json "a list for an object" 's/"status":\{\}/"status":[]/' "Status is an object"

# ---- HTTP ----

type=
gzip -c "$work/golden" >"$work/golden.gz"
right "gzip" traces "$work/golden.gz" -H 'Content-Encoding: gzip'
wrong "no gzip" traces "$work/golden" "gzip:" -H 'Content-Encoding: gzip'
head -c 40 "$work/golden.gz" >"$work/cut.gz"
wrong "gzip cut off" traces "$work/cut.gz" "gzip:" -H 'Content-Encoding: gzip'
wrong "another encoding" traces "$work/golden" "content encoding" -H 'Content-Encoding: br'
type=text/plain wrong "another type" traces "$work/golden" "content type"
agent='User-Agent: curl' wrong "no user agent" traces "$work/golden" "user agent"
wrong "another path" spans "$work/golden" "no path"
wrong "another method" traces "$work/golden" "method PUT" -X PUT
wrong "traces for metrics" metrics "$work/golden" "ResourceMetrics"
truncate -s 65M "$work/big"
wrong "more than anybody may send" traces "$work/big" "over 64 MiB"
gzip -1 -c "$work/big" >"$work/big.gz"
wrong "a bomb" traces "$work/big.gz" "gzip:" -H 'Content-Encoding: gzip'
wrong "nothing" traces /dev/null "no resourceSpans"

# ---- faults ----

# fault NAME FAULT WANTED [HEADER]: how the next request ends, and a header of the reply.
fault() {
    local got
    sink_faults "[$2]"
    got=$(post traces "$work/golden")
    [ "$got" = "$3" ] || fail "$1: '$got' instead of '$3'"
    [ $# -lt 4 ] || grep -qiE "$4" "$work/head" || fail "$1: $(cat "$work/head")"
}
sink_reset
fault "unavailable, seconds" '{"status": 503, "retryAfter": 2}' 503 '^Retry-After: 2'
fault "too many, a date" '{"status": 429, "retryAfter": {"dateIn": 3}}' 429 '^Retry-After: [A-Z][a-z]{2}, [0-9]{2} .* GMT'
fault "a header" '{"status": 307, "headers": {"Location": "http://127.0.0.1:1/"}}' 307 '^Location: http://127.0.0.1:1/'
fault "reset at the end" '{"reset": "after"}' '000 curl 56'
fault "reset at the beginning" '{"reset": "before"}' '000 curl 56'
fault "closed" '{"close": true}' '000 curl 52'
fault "no HTTP" '{"garbage": "http"}' '000 curl 1'
[ "$(sink_counter spans)" = 0 ] || fail "what failed was taken"
fault "a lost reply" '{"close": true, "accept": true}' '000 curl 52'
[ "$(sink_counter spans)" = 1 ] || fail "a lost reply: the span was not taken"
fault "garbage" '{"garbage": "body"}' 200
head -c 2 "$work/reply" | grep -q ff || fail "garbage: no garbage"
fault "a huge reply" '{"huge": 5000000}' 200
[ "$(wc -c <"$work/reply")" = 5000000 ] || fail "a huge reply has $(wc -c <"$work/reply") bytes"
fault "partial success" '{"partial": 1, "message": "no"}' 200
[ "$(hex "$work/reply")" = 0a06080112026e6f ] || fail "partial success: $(hex "$work/reply")"
fault "a warning" '{"partial": 0, "message": "hm"}' 200
[ "$(hex "$work/reply")" = 0a041202686d ] || fail "a warning: $(hex "$work/reply")"
slow() { # it takes 300 ms at least
    local began
    began=$(date +%s%N)
    fault "$@"
    [ $(($(date +%s%N) - began)) -ge 300000000 ] || fail "$1 is fast"
}
slow "a slow reply" '{"slowReply": 300}' 200
slow "a slow reader" '{"slowRead": 300}' 200
slow "byte by byte" '{"drip": 4}' 200
sink_faults '[{"hang": true}]'
case $(post traces "$work/golden" -m 1) in *'curl 28') ;; *) fail "it did not hang" ;; esac
sink_faults '[{"signal": "logs", "status": 500}, {"times": 2, "status": 502}, {"times": 0, "status": 504}]'
got=$(for _ in 1 2 3 4; do post traces "$work/golden" && echo; done | tr '\n' ' ')
[ "$got" = "502 502 504 504 " ] || fail "faults in order: $got"
text logs ''
[ "$(post logs "$work/body")" = 500 ] || fail "the fault that waited for logs"
if sink_faults '[{"nonsense": 1}]' 2>/dev/null; then fail "an unknown fault was taken"; fi
sink_reset
right "after all that" traces "$work/golden"
right "and once more" traces "$work/golden"
[ "$(sink_counter duplicateSpans)" = 1 ] || fail "a span sent twice is not seen"
[ "$(sink_counter requests)" = 2 ] || fail "requests are counted wrong"

[ "$failed" = 0 ] || exit 1
echo "the sink is strict"
