class NotEnoughMoney(Exception):
    pass


class Account:
    def __init__(self, owner, balance=0):
        self.owner = owner
        self.balance = balance

    def deposit(self, amount):
        if amount <= 0:
            raise ValueError("the amount must be positive")
        self.balance += amount

    def withdraw(self, amount):
        if amount <= 0:
            raise ValueError("the amount must be positive")
        if amount > self.balance:
            raise NotEnoughMoney(f"{self.owner} has only {self.balance}")
        self.balance -= amount


def transfer(source, target, amount):
    """Move amount from source to target; when it fails, nobody's balance has changed."""
    target.deposit(amount)
    source.withdraw(amount)


def total(accounts):
    return sum(account.balance for account in accounts)
