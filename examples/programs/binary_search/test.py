from program import find

primes = [2, 3, 5, 7, 11, 13, 17]

assert find(primes, 7) == 3
assert find(primes, 2) == 0
assert find(primes, 17) == 6
assert find(primes, 4) == -1
assert find([], 1) == -1
