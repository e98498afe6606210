#!/usr/bin/env bash
# Every query of the dashboard and of the rules, asked of a real Prometheus that scraped a real program: it must parse
# and give data (an alert's: evaluate). Alerts fire, and keep still, as dashboards/rules_test.yml says.
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
dashboards=${PAWL_SOURCE_DIR:?}/observability/dashboards
# shellcheck source=tests/conformance/observability/prometheus.sh
. "$here/prometheus.sh"
# shellcheck source=tests/conformance/observability/metrics_service.sh
. "$here/metrics_service.sh"
work=$(mktemp -d)
cleanup() {
    prometheus_stop
    metrics_service_stop || :
    rm -rf "$work"
}
trap cleanup EXIT

command -v promtool >/dev/null || { echo "dashboards_test.sh: skipped: promtool is not installed" && exit 77; }
cp "$dashboards/pawl.rules.yml" "$here/dashboards/rules_test.yml" "$work"
promtool check rules "$work/pawl.rules.yml"
promtool test rules "$work/rules_test.yml"

metrics_service_start "$work"
prometheus_start "$work" "$METRICS_ADDRESS" "$dashboards/pawl.rules.yml"
prometheus_await 'sum(rate(pawl_executions_total[5m])) > bool 0' 1
prometheus_await 'count(job:pawl_run_failures:ratio_rate3d)' 1
/usr/bin/python3 "$here/check_dashboards.py" "$PROMETHEUS_URL" "$dashboards/pawl.json"
