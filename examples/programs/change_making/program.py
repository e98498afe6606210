def fewest_coins(coins, amount):
    """The smallest number of coins that adds up to amount, or -1 when none does.

    Every kind of coin may be used as often as wanted.
    """
    used = 0
    for coin in sorted(coins, reverse=True):
        while amount >= coin:
            amount -= coin
            used += 1
    if amount > 0:
        return -1
    return used
