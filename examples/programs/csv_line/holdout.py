from program import split_line

assert split_line("") == [""]
assert split_line(",") == ["", ""]
assert split_line('""') == [""]
assert split_line('"",x') == ["", "x"]
assert split_line('""""') == ['"']
assert split_line('"a""b","c,""d"') == ['a"b', 'c,"d']
assert split_line('"""quoted"""') == ['"quoted"']
assert split_line("a;b,c", ";") == ["a", "b,c"]
assert split_line('"a;b";c', ";") == ["a;b", "c"]
assert split_line(" a , b ") == [" a ", " b "]
