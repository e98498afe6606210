from program import median, summary

assert median([5]) == 5
assert median([3, 1, 2]) == 2
assert median([1, 2, 3, 4]) == 2.5
assert summary([10, 2, 4]) == {"median": 4, "spread": 8, "count": 3}
