from program import longest_streak, parse_days

assert longest_streak([]) == 0
assert longest_streak(parse_days("2024-05-01")) == 1
assert longest_streak(parse_days("2024-05-01 2024-05-02 2024-05-03 2024-05-09")) == 3
assert longest_streak(parse_days("2024-05-10 2024-05-01 2024-05-11")) == 2
