from program import fewest_coins

assert fewest_coins([1, 2, 5], 11) == 3
assert fewest_coins([1, 2, 5], 0) == 0
assert fewest_coins([5, 10], 3) == -1
assert fewest_coins([1, 3, 4], 6) == 2
assert fewest_coins([4, 3], 6) == 2
