from program import covered, merge

assert merge([(1, 3), (2, 5), (8, 9)]) == [(1, 5), (8, 9)]
assert merge([(1, 2), (2, 4)]) == [(1, 4)]
assert merge([(1, 10), (2, 3)]) == [(1, 10)]
assert merge([(6, 8), (1, 3), (2, 4)]) == [(1, 4), (6, 8)]
assert covered([(0, 5), (3, 4)]) == 5
