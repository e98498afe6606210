from program import format_duration, parse_duration

assert parse_duration("0s") == 0
assert parse_duration("1d2h3m4s") == 93784
assert parse_duration("90m") == 5400
assert parse_duration("1m1m") == 120
assert parse_duration("30s1h") == 3630
assert format_duration(59) == "59s"
assert format_duration(86401) == "1d1s"

for seconds in list(range(0, 200)) + [3599, 3600, 86399, 86400, 1000000]:
    assert parse_duration(format_duration(seconds)) == seconds

for bad in ("", "h", "1", "1x", "1h 2m", "-5s", "1hm"):
    try:
        parse_duration(bad)
    except ValueError:
        continue
    assert False, f"{bad!r} was accepted"
