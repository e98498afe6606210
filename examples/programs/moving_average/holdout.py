from program import moving_average, smooth

assert moving_average([], 1) == []
assert moving_average([7], 1) == [7.0]
assert moving_average([3, 1, 2], 1) == [3.0, 1.0, 2.0]
assert moving_average([1, 2, 3, 4], 2) == [1.5, 2.5, 3.5]
assert moving_average([10, 0, 20, 0, 30], 5) == [12.0]
assert moving_average([1, 2, 3], 9) == []
assert smooth([1, 2, 2], 3) == [1.67]

for length in range(1, 12):
    for window in range(1, length + 1):
        averages = moving_average(list(range(length)), window)
        assert len(averages) == length - window + 1
        assert averages[-1] == (length - window + length - 1) / 2

try:
    moving_average([1], 0)
    accepted = True
except ValueError:
    accepted = False
assert not accepted
