"""Asks a Prometheus every query of a Grafana dashboard and of the rules it has loaded.

    check_dashboards.py PROMETHEUS-URL DASHBOARD.json
"""
import json
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

SECONDS = 30  # a rate needs two scrapes, a rule one evaluation more
VARIABLES = {
    "$__rate_interval": "20s",
    "$__range": "5m",
    "$job": ".*",
    "$node": ".*",
    "$objective": "0.99",
}
url, path = sys.argv[1:]
failures = []


def get(what, **parameters):
    try:
        with urllib.request.urlopen(f"{url}/api/v1/{what}?{urllib.parse.urlencode(parameters)}") as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        return json.load(error)


def plain(expression):
    for name in sorted(VARIABLES, key=len, reverse=True):
        expression = expression.replace(name, VARIABLES[name])
    if "$" in expression:
        raise ValueError(f"a variable that is not known: {expression}")
    return expression


def has_data(answer):
    """Some series, and not only NaN."""
    result = answer.get("data", {}).get("result", [])
    return any(series.get("value", [0, "NaN"])[1] != "NaN" for series in result)


def ask(where, expression):
    expression, end = plain(expression), time.monotonic() + SECONDS
    while True:
        answer = get("query", query=expression)
        if answer["status"] != "success":
            return failures.append(f"{where}: {answer['error']}: {expression}")
        if has_data(answer):
            return None
        if time.monotonic() > end:
            return failures.append(f"{where}: no data: {expression}")
        time.sleep(0.5)


def check_variable(variable):
    """label_values(series, label) must have values."""
    inside = variable["query"]["query"].removeprefix("label_values(").removesuffix(")")
    series, label = (part.strip() for part in inside.rsplit(",", 1))
    answer = get(f"label/{label}/values", **{"match[]": plain(series)})
    if not answer.get("data"):
        failures.append(f"variable {variable['name']}: {answer}")


dashboard = json.load(open(path, encoding="utf-8"))
if len({panel["id"] for panel in dashboard["panels"]}) != len(dashboard["panels"]):
    failures.append("two panels have one id")
targets = 0
for panel in dashboard["panels"]:
    for target in panel.get("targets", []):
        targets += 1
        ask(f"panel '{panel['title']}' {target['refId']}", target["expr"])
for variable in dashboard["templating"]["list"]:
    if variable["type"] == "query":
        check_variable(variable)
for annotation in dashboard["annotations"]["list"]:
    answer = get("query", query=plain(annotation["expr"]))
    if answer["status"] != "success":
        failures.append(f"annotation {annotation['name']}: {answer}")

rules = [rule for group in get("rules")["data"]["groups"] for rule in group["rules"]]
for rule in rules:
    if rule["health"] != "ok":
        failures.append(f"rule {rule['name']}: {rule['health']}: {rule.get('lastError')}")
    if rule["type"] == "recording":
        ask(f"rule {rule['name']}", rule["name"])

for failure in failures:
    print(f"FAILED: {failure}", file=sys.stderr)
print(f"{targets} queries of the dashboard and {len(rules)} rules asked, {len(failures)} failures")
sys.exit(1 if failures or not targets or not rules else 0)
