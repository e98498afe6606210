from program import decode, encode

assert encode("q") == [("q", 1)]
assert encode("zzzz") == [("z", 4)]
assert encode("aabaa") == [("a", 2), ("b", 1), ("a", 2)]
assert encode("  !") == [(" ", 2), ("!", 1)]
assert encode("abbb") == [("a", 1), ("b", 3)]
assert decode([]) == ""

for text in ("a", "ab", "aab", "abb", "hello, world", "1112223", "x" * 500, "abab" * 20):
    runs = encode(text)
    assert decode(runs) == text
    assert sum(count for _, count in runs) == len(text)
    assert all(left[0] != right[0] for left, right in zip(runs, runs[1:]))
