from program import factors, is_prime, primes_up_to

assert is_prime(2)
assert is_prime(13)
assert not is_prime(1)
assert not is_prime(15)
assert primes_up_to(20) == [2, 3, 5, 7, 11, 13, 17, 19]
assert factors(12) == [2, 2, 3]
