def merge(intervals):
    """Join (start, end) intervals that overlap or touch; the answer is sorted by start."""
    merged = []
    for start, end in intervals:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return merged


def covered(intervals):
    """How much of the line the intervals cover together."""
    return sum(end - start for start, end in merge(intervals))
