#!/usr/bin/env bash
# The OTLP exporter over TLS: it trusts the authority it is given and nobody else, and says who it is.
set -euo pipefail
command -v openssl >/dev/null || { echo "skipped: openssl is not installed" && exit 77; }
command -v node >/dev/null || { echo "skipped: node is not installed" && exit 77; }
producer=${PAWL_BUILD_DIR:?}/tests/conformance/observability/otlp_producer
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$work"' EXIT
failed=0
fail() { echo "FAILED: $*; $(cat "$work/out" "$work/errors")" >&2 && failed=$((failed + 1)); }

# authority NAME; certificate NAME AUTHORITY
authority() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$1" \
        -keyout "$work/$1.key" -out "$work/$1.pem" 2>/dev/null
}
certificate() {
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -keyout "$work/$1.key" \
        -out "$work/$1.csr" 2>/dev/null
    printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\n' >"$work/names"
    openssl x509 -req -days 2 -in "$work/$1.csr" -CA "$work/$2.pem" -CAkey "$work/$2.key" -CAcreateserial \
        -extfile "$work/names" -out "$work/$1.pem" 2>/dev/null
}
authority ours
authority strangers
certificate collector ours
certificate exporter ours
cat "$work/exporter.pem" "$work/exporter.key" >"$work/both.pem"

cat >"$work/server.js" <<'JS'
const https = require('https'), fs = require('fs'), folder = process.argv[2];
const read = name => fs.readFileSync(`${folder}/${name}`);
const server = https.createServer({ cert: read('collector.pem'), key: read('collector.key'), ca: read('ours.pem'),
  requestCert: true, rejectUnauthorized: false }, (request, response) => {
  request.resume();
  request.on('end', () => response.writeHead(request.socket.authorized ? 200 : 403).end());
});
server.listen(0, '127.0.0.1', () => fs.writeFileSync(`${folder}/port`, String(server.address().port)));
JS
node "$work/server.js" "$work" &
server=$!
for ((i = 0; i < 100; i++)); do [ ! -s "$work/port" ] || break; sleep 0.1; done
url=https://127.0.0.1:$(cat "$work/port")

send() { "$producer" tls "$url" "$@" >"$work/out" 2>"$work/errors"; }
send "$work/ours.pem" "$work/exporter.pem" "$work/exporter.key" || fail "certificate and key"
send "$work/ours.pem" "$work/both.pem" "" || fail "one file with both"
send "$work/ours.pem" "" "" && fail "no certificate was enough"
grep -q 'answered 403' "$work/errors" || fail "no certificate"
send "$work/strangers.pem" "$work/both.pem" "" && fail "a stranger was trusted"
grep -q 'not trusted' "$work/errors" || fail "a stranger"
grep -q 'requests=1' "$work/out" || fail "a stranger was asked again"
send "" "" "" && fail "the system trusts our authority"
send "$work/none.pem" "" "" && fail "a missing file"
grep -q 'ca_file' "$work/errors" || fail "a missing file"
send "$work/ours.pem" "$work/none.pem" "" && fail "a missing certificate"
grep -q 'client_cert_file' "$work/errors" || fail "a missing certificate"
[ "$failed" = 0 ] && echo "trusts whom it is told to trust"
exit $((failed > 0))
