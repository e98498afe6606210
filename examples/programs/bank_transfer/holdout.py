from program import Account, NotEnoughMoney, total, transfer


def refused(error, action, *args):
    try:
        action(*args)
    except error:
        return True
    return False


ada = Account("Ada", 50)
bob = Account("Bob")

transfer(ada, bob, 50)
assert (ada.balance, bob.balance) == (0, 50)

for amount in (1, 10, 1000):
    assert refused(NotEnoughMoney, transfer, ada, bob, amount)
    assert (ada.balance, bob.balance) == (0, 50)

for amount in (0, -5):
    assert refused(ValueError, transfer, bob, ada, amount)
    assert (ada.balance, bob.balance) == (0, 50)

assert refused(NotEnoughMoney, bob.withdraw, 51)
bob.withdraw(50)
assert bob.balance == 0
bob.deposit(5)
transfer(bob, bob, 5)
assert bob.balance == 5
assert total([ada, bob]) == 5
