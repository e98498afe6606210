from program import at_least, count_by_component, parse

log = [
    "INFO web: started",
    "DEBUG db: 3 rows",
    "ERROR db: connection lost",
    "WARNING web: slow answer",
]

assert parse("INFO web: started") == ("INFO", "web", "started")
assert parse("  at line 12") is None
assert at_least(log, "ERROR") == [("ERROR", "db", "connection lost")]
assert at_least(["no log line"], "DEBUG") == []
assert count_by_component(at_least(log, "INFO")) == {"web": 2, "db": 1}
