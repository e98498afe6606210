from datetime import date, timedelta

from program import longest_streak, parse_days

assert parse_days("") == []
assert longest_streak(parse_days("2024-02-28 2024-02-29 2024-03-01")) == 3
assert longest_streak(parse_days("2023-02-28 2023-03-01 2023-03-03")) == 2
assert longest_streak(parse_days("2023-12-31 2024-01-01")) == 2
assert longest_streak(parse_days("2024-01-01 2024-01-01 2024-01-01")) == 1
assert longest_streak(parse_days("2024-01-01 2024-01-03 2024-01-05")) == 1

start = date(2024, 1, 1)
first = [start + timedelta(days=n) for n in range(40)]
later = [start + timedelta(days=n) for n in range(60, 65)]
assert longest_streak(first + later) == 40
assert longest_streak(later + first[::-1]) == 40
assert longest_streak(first[::2]) == 1
