from program import Account, NotEnoughMoney, total, transfer

ada = Account("Ada", 100)
bob = Account("Bob", 20)

transfer(ada, bob, 30)
assert ada.balance == 70
assert bob.balance == 50

refused = False
try:
    transfer(bob, ada, 80)
except NotEnoughMoney:
    refused = True
assert refused
assert ada.balance == 70, "a refused transfer must not pay anybody"
assert total([ada, bob]) == 120
