from program import find

for size in range(0, 40):
    evens = [2 * n for n in range(size)]
    for place, value in enumerate(evens):
        assert find(evens, value) == place, (size, value)
    for missing in range(-1, 2 * size + 2, 2):
        assert find(evens, missing) == -1, (size, missing)

assert find(["ant", "bee", "cow"], "cow") == 2
assert find(["ant", "bee", "cow"], "dog") == -1
assert find([5], 5) == 0
