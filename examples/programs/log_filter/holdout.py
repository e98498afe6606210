from program import at_least, count_by_component, parse

assert parse("") is None
assert parse("INFO web started") is None
assert parse("NOTICE web: hm") is None
assert parse("INFO web main: two words") is None
assert parse("ERROR api: bad value: 7 ") == ("ERROR", "api", "bad value: 7")

log = ["DEBUG a: 1", "junk", "INFO a: 2", "", "WARNING b: 3", "ERROR a: 4", "Traceback: x"]
assert [entry[2] for entry in at_least(log, "DEBUG")] == ["1", "2", "3", "4"]
assert [entry[2] for entry in at_least(log, "INFO")] == ["2", "3", "4"]
assert [entry[2] for entry in at_least(log, "WARNING")] == ["3", "4"]
assert [entry[2] for entry in at_least(log, "ERROR")] == ["4"]
assert at_least([], "INFO") == []
assert count_by_component([]) == {}
assert count_by_component(at_least(log, "DEBUG")) == {"a": 3, "b": 1}
