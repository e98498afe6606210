#!/usr/bin/env bash
# Brings peers written by others, which the observability tests are judged by, into a folder of the build: pinned npm
# packages, installed once, run by the node that is there. Never committed.
#
#     peers.sh PEER...     otlp: the official .proto files and protobufjs   js: OpenTelemetry's JavaScript SDK
#
# PAWL_PEERS is the folder (build/peers). Ends with 0 when all are there; with 77 after a line that says why one cannot
# be had on this machine; with 1 when installing failed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
folder=${PAWL_PEERS:-$PWD/build/peers}

packages_of() {
    case $1 in
    otlp) echo @elastic/mockotlpserver@0.10.0 protobufjs@7.5.4 ;;
    js)
        echo @opentelemetry/api@1.9.0 @opentelemetry/core@2.2.0 @opentelemetry/resources@2.2.0 \
            @opentelemetry/sdk-trace-node@2.2.0 @opentelemetry/sdk-metrics@2.2.0 @opentelemetry/sdk-logs@0.208.0 \
            @opentelemetry/exporter-{trace,metrics,logs}-otlp-{proto,http}@0.208.0
        ;;
    *) echo "peers.sh: there is no peer '$1'; there are otlp and js" >&2 && return 1 ;;
    esac
}

unavailable() { echo "peers.sh: skipped: $*" && exit 77; }

# explain PEER FILE: why npm failed, in one line.
explain() {
    local package required actual
    if grep -q EBADENGINE "$2"; then
        package=$(sed -n 's/.*Not compatible with your version of node\/npm: //p' "$2" | head -n 1)
        required=$(sed -n 's/.*Required: .*"node":"\([^"]*\)".*/\1/p' "$2" | head -n 1)
        actual=$(sed -n 's/.*Actual: .*"node":"\([^"]*\)".*/\1/p' "$2" | head -n 1)
        unavailable "peer $1: $package needs node $required, this is node ${actual#v}"
    fi
    echo "peers.sh: npm could not install peer $1: $(head -n 4 "$2" | tr '\n' ' ')" >&2
    exit 1
}

# install PEER PACKAGE...: complete or not at all, so that a broken-off installation is not taken for one.
install() {
    local peer=$1 new=$folder/$1.new
    shift
    rm -rf "$new"
    mkdir -p "$new"
    echo '{"private": true}' >"$new/package.json"
    (cd "$new" && npm install --no-fund --no-audit --loglevel=error --ignore-scripts --engine-strict --save-exact "$@") \
        >"$folder/$peer.log" 2>&1 </dev/null || explain "$peer" "$folder/$peer.log"
    echo "$@" >"$new/packages"
    rm -rf "${folder:?}/$peer"
    mv "$new" "$folder/$peer"
}

for peer; do
    packages=$(packages_of "$peer")
    [ "$(cat "$folder/$peer/packages" 2>/dev/null)" != "$packages" ] || continue
    command -v node >/dev/null || unavailable "peer $peer: node is not installed"
    command -v npm >/dev/null || unavailable "peer $peer: npm is not installed (node $(node --version) is)"
    mkdir -p "$folder"
    exec 9>"$folder/lock"
    flock 9 # tests run side by side
    # shellcheck disable=SC2086 # a list of packages
    [ "$(cat "$folder/$peer/packages" 2>/dev/null)" = "$packages" ] || install "$peer" $packages
    exec 9>&-
done
