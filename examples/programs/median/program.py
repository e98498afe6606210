"""A few statistics for a list of numbers."""


def median(numbers):
    if not numbers:
        raise ValueError("no numbers")
    ordered = sorted(numbers)
    middle = len(ordered) // 2
    if len(ordered) % 2 == 1:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) // 2


def spread(numbers):
    """Distance from the smallest to the largest number."""
    return max(numbers) - min(numbers)


def summary(numbers):
    return {"median": median(numbers), "spread": spread(numbers), "count": len(numbers)}
