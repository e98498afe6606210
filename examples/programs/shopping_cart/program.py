class Cart:
    """A shopping cart of (name, price in cents, quantity) lines.

    It may start with some lines, for example those of an earlier order; the list
    that was handed over stays as it is.
    """

    def __init__(self, lines=[]):
        self.lines = lines

    def add(self, name, cents, quantity=1):
        if quantity < 1:
            raise ValueError("quantity must be at least 1")
        self.lines.append((name, cents, quantity))

    def remove(self, name):
        self.lines = [line for line in self.lines if line[0] != name]

    def count(self):
        return sum(quantity for _, _, quantity in self.lines)

    def total(self):
        return sum(cents * quantity for _, cents, quantity in self.lines)
