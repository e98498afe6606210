from program import factors, is_prime, primes_up_to

assert not is_prime(-7)
assert not is_prime(0)
for square in (4, 9, 25, 49, 121, 169):
    assert not is_prime(square), square
assert is_prime(97)
assert not is_prime(91)
assert is_prime(7919)
assert primes_up_to(1) == []
assert primes_up_to(2) == [2]
assert len(primes_up_to(1000)) == 168
assert factors(1) == []
assert factors(97) == [97]

for number in range(1, 300):
    product = 1
    for factor in factors(number):
        assert is_prime(factor)
        product *= factor
    assert product == number
