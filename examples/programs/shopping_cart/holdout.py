from program import Cart

order = [("tea", 350, 1), ("rice", 200, 3)]
again = Cart(order)
assert again.total() == 950
assert again.count() == 4

again.add("salt", 90)
assert again.total() == 1040
assert order == [("tea", 350, 1), ("rice", 200, 3)]
assert Cart(order).total() == 950

again.remove("rice")
assert again.total() == 440
again.remove("not there")
assert again.count() == 2

empty = Cart()
assert (empty.count(), empty.total()) == (0, 0)
empty.add("pen", 150, 10)
assert empty.total() == 1500
assert Cart().lines == []
