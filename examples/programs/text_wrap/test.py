from program import wrap

assert wrap("the quick brown fox", 10) == ["the quick", "brown fox"]
assert wrap("one", 10) == ["one"]
assert wrap("aa bb cc", 4) == ["aa", "bb", "cc"]
assert wrap("", 10) == []
