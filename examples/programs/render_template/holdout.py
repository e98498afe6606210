from program import missing, render

assert render("", {"a": 1}) == ""
assert render("{a}{b}", {"a": "x", "b": "y"}) == "xy"
assert render("{a} {unknown}", {"a": 1}) == "1 {unknown}"
assert render("Total: {total} EUR", {"total": 12.5}) == "Total: 12.5 EUR"
assert render("{user_name}", {"user": "no", "user_name": "yes"}) == "yes"
assert render("Grace wrote to {name}", {"name": "Grace"}) == "Grace wrote to Grace"
assert render("{gone}!", {"gone": ""}) == "!"

assert missing("plain", {}) == []
assert missing("{x} {y} {x}", {}) == ["x", "y"]
assert missing("{x", {}) == []
assert missing("{x}", {"x": None}) == []
