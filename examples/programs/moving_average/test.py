from program import moving_average, smooth

assert moving_average([1, 2, 3, 4, 5], 3) == [2.0, 3.0, 4.0]
assert moving_average([4, 8], 2) == [6.0]
assert moving_average([1, 2], 3) == []
assert smooth([1, 1, 2, 3], 3) == [1.33, 2.0]
