def moving_average(values, window):
    """The mean of every `window` neighbouring values, from left to right."""
    if window < 1:
        raise ValueError("window must be at least 1")
    averages = []
    for start in range(len(values) - window):
        part = values[start:start + window]
        averages.append(sum(part) / window)
    return averages


def smooth(values, window):
    """Like moving_average, rounded to two places for a report."""
    return [round(value, 2) for value in moving_average(values, window)]
