from program import format_duration, parse_duration

assert parse_duration("45s") == 45
assert parse_duration("1h30m") == 5400
assert parse_duration("2d") == 172800
assert format_duration(5400) == "1h30m"
assert format_duration(0) == "0s"

try:
    parse_duration("12")
    accepted = True
except ValueError:
    accepted = False
assert not accepted
