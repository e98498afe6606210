from program import identity, multiply, power

assert multiply([[1, 2, 3]], [[4], [5], [6]]) == [[32]]
assert multiply([[4], [5], [6]], [[1, 2, 3]]) == [[4, 8, 12], [5, 10, 15], [6, 12, 18]]
assert multiply([[1, 0, 2], [0, 3, 0]], [[1, 2], [3, 4], [5, 6]]) == [[11, 14], [9, 12]]
assert multiply([[7]], [[-3]]) == [[-21]]
assert power([[2, 0], [0, 3]], 0) == identity(2)
assert power([[2, 0], [0, 3]], 4) == [[16, 0], [0, 81]]
assert power([[1, 1], [1, 0]], 10)[0][1] == 55

try:
    multiply([[1, 2]], [[1, 2]])
    fitted = True
except ValueError:
    fitted = False
assert not fitted
