from program import median, spread, summary

assert median([2, 4]) == 3
assert median([1, 2]) == 1.5
assert median([9, 1, 8, 2, 7, 4]) == 5.5
assert median([-3, -2]) == -2.5
assert median([0.5, 1.0]) == 0.75
assert median([7, 7, 7, 7]) == 7
assert median([5, 3, 1, 4, 2]) == 3
assert spread([4]) == 0
assert summary([1, 6])["median"] == 3.5

numbers = [3, 1, 2]
median(numbers)
assert numbers == [3, 1, 2]

try:
    median([])
    answered = True
except ValueError:
    answered = False
assert not answered
