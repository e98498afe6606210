from program import decode, encode

assert encode("aaab") == [("a", 3), ("b", 1)]
assert encode("xyz") == [("x", 1), ("y", 1), ("z", 1)]
assert encode("") == []
assert decode([("a", 2), ("b", 3)]) == "aabbb"
assert decode(encode("mississippi")) == "mississippi"
