from program import fewest_coins

assert fewest_coins([1, 5, 10, 25], 30) == 2
assert fewest_coins([1, 7, 10], 14) == 2
assert fewest_coins([9, 6, 1], 12) == 2
assert fewest_coins([3, 5], 4) == -1
assert fewest_coins([3, 5], 7) == -1
assert fewest_coins([3, 5], 9) == 3
assert fewest_coins([], 5) == -1
assert fewest_coins([], 0) == 0
assert fewest_coins([2], 200) == 100
assert fewest_coins([1, 15, 25], 30) == 2
assert fewest_coins([7, 11], 60) == 8
