from program import missing, render

assert render("Dear {name},", {"name": "Grace"}) == "Dear Grace,"
assert render("{n} x {n}", {"n": 3}) == "3 x 3"
assert render("nothing to do", {"a": "b"}) == "nothing to do"
assert missing("{a} and {b}", {"a": 1}) == ["b"]
