from datetime import date, timedelta


def longest_streak(days):
    """Length of the longest row of consecutive days in days (any order, repeats allowed)."""
    best = 0
    current = 0
    previous = None
    for day in sorted(set(days)):
        if previous is not None and day - previous == timedelta(days=1):
            current += 1
        else:
            current = 1
        best = max(best, current)
        previous = day
    return current


def parse_days(text):
    """Read ISO dates separated by white space."""
    return [date.fromisoformat(word) for word in text.split()]
