from program import covered, merge

assert merge([]) == []
assert merge([(4, 7)]) == [(4, 7)]
assert merge([(5, 6), (1, 2), (3, 4)]) == [(1, 2), (3, 4), (5, 6)]
assert merge([(3, 4), (1, 10), (5, 6)]) == [(1, 10)]
assert merge([(1, 10), (2, 3), (4, 12), (5, 6)]) == [(1, 12)]
assert merge([(0, 0), (0, 0)]) == [(0, 0)]
assert merge([(-5, -1), (-3, 2)]) == [(-5, 2)]
assert covered([]) == 0
assert covered([(10, 20), (0, 5), (12, 15)]) == 15

given = [(3, 4), (1, 2)]
merge(given)
assert given == [(3, 4), (1, 2)], "the caller's list was changed"
