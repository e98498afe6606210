from program import split_line

assert split_line("a,b,c") == ["a", "b", "c"]
assert split_line('1,"two, three",4') == ["1", "two, three", "4"]
assert split_line("x,,z") == ["x", "", "z"]
assert split_line('"say ""hi""",ok') == ['say "hi"', "ok"]
