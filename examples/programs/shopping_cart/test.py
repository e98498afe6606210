from program import Cart

first = Cart()
first.add("tea", 350)
first.add("cup", 800, 2)
assert first.total() == 1950
assert first.count() == 3

second = Cart()
assert second.count() == 0
second.add("milk", 120)
assert second.total() == 120
assert first.total() == 1950
