# shellcheck shell=bash
# Sourced by tests: a real Prometheus that scrapes one address every two seconds, which is also what a scrape may take:
# a machine that is busy with other tests needs that.
#
#     prometheus_start WORK HOST:PORT [RULE-FILE...]   PROMETHEUS_URL; skips the whole test (77) when it is not installed
#     prometheus_query EXPRESSION                      prints the answer, JSON
#     prometheus_value EXPRESSION                      prints the first value of the answer; nothing for no answer
#     prometheus_await EXPRESSION VALUE                waits, a minute at most, until that is its first value
#     prometheus_exemplars EXPRESSION                  prints the exemplars of the last minute, JSON
#     prometheus_await_exemplar EXPRESSION TEXT        waits, a minute at most, until that has the text
#     prometheus_target up|down                        waits, a minute at most, for the target's health; prints its last error
#     prometheus_stop                                  call it in the test's EXIT trap; WORK holds all that it wrote

prometheus_config() {
    local rule
    cat <<TEXT
global: {scrape_interval: 2s, scrape_timeout: 2s, evaluation_interval: 1s}
scrape_configs:
  - job_name: pawl
    metrics_path: ${PROMETHEUS_PATH:-/metrics}
    static_configs: [{targets: ["$1"]}]
TEXT
    shift
    [ $# = 0 ] || echo "rule_files:"
    for rule; do echo "  - $(realpath "$rule")"; done
}

# A port that nobody listens at; whoever takes it before Prometheus does makes it end, and another one is tried.
prometheus_free_port() {
    local port
    while :; do
        port=$((20000 + RANDOM % 12000))
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
    done
    echo "$port"
}

prometheus_try() {
    local port i
    port=$(prometheus_free_port)
    rm -rf "$1/prometheus.data"
    prometheus --config.file="$1/prometheus.yml" --storage.tsdb.path="$1/prometheus.data" --log.level=warn \
        --web.listen-address="127.0.0.1:$port" --enable-feature=exemplar-storage \
        >"$1/prometheus.log" 2>&1 </dev/null &
    PROMETHEUS_PID=$!
    PROMETHEUS_URL=http://127.0.0.1:$port
    for ((i = 0; i < 600; i++)); do
        if curl -sf "$PROMETHEUS_URL/-/ready" >/dev/null; then return 0; fi
        kill -0 "$PROMETHEUS_PID" 2>/dev/null || return 1
        sleep 0.05
    done
    return 1
}

prometheus_start() {
    local work=$1 i
    shift
    command -v prometheus >/dev/null || { echo "prometheus.sh: skipped: prometheus is not installed" && exit 77; }
    prometheus_config "$@" >"$work/prometheus.yml"
    promtool check config "$work/prometheus.yml" >"$work/prometheus.check" 2>&1 ||
        { cat "$work/prometheus.check" >&2 && exit 1; }
    for ((i = 0; i < 5; i++)); do
        ! prometheus_try "$work" || return 0
        prometheus_stop
    done
    cat "$work/prometheus.log" >&2
    exit 1
}

prometheus_stop() {
    [ -z "${PROMETHEUS_PID:-}" ] || { kill "$PROMETHEUS_PID" 2>/dev/null || :; wait "$PROMETHEUS_PID" 2>/dev/null || :; }
    PROMETHEUS_PID=
}

prometheus_query() { curl -sS --get "$PROMETHEUS_URL/api/v1/query" --data-urlencode "query=$1"; }
prometheus_value() { prometheus_query "$1" | sed -n 's/[^]]*"value":\[[0-9.]*,"\([^"]*\)".*/\1/p'; }
prometheus_exemplars() {
    local now
    now=$(date +%s)
    curl -sS --get "$PROMETHEUS_URL/api/v1/query_exemplars" --data-urlencode "query=$1" \
        --data-urlencode "start=$((now - 60))" --data-urlencode "end=$((now + 1))"
}

prometheus_await_exemplar() {
    local i
    for ((i = 0; i < 300; i++)); do
        case $(prometheus_exemplars "$1") in *"$2"*) return 0 ;; esac
        sleep 0.2
    done
    echo "prometheus_await_exemplar: no $2 in $(prometheus_exemplars "$1")" >&2
    return 1
}

prometheus_await() {
    local i
    for ((i = 0; i < 300; i++)); do
        [ "$(prometheus_value "$1")" != "$2" ] || return 0
        sleep 0.2
    done
    echo "prometheus_await: $1 is '$(prometheus_value "$1")' instead of '$2'" >&2
    return 1
}

prometheus_target() {
    local i targets
    for ((i = 0; i < 300; i++)); do
        targets=$(curl -sS "$PROMETHEUS_URL/api/v1/targets?state=active")
        case $targets in
        *"\"health\":\"$1\""*)
            sed -n 's/.*"lastError":"\(\([^"\\]\|\\.\)*\)".*/\1/p' <<<"$targets"
            return 0
            ;;
        esac
        sleep 0.2
    done
    echo "prometheus_target: not $1 but $targets" >&2
    return 1
}
