LEVELS = ["DEBUG", "INFO", "WARNING", "ERROR"]


def parse(line):
    """Split "LEVEL component: message" into its three parts, or None for any other line."""
    head, colon, message = line.partition(": ")
    words = head.split()
    if not colon or len(words) != 2 or words[0] not in LEVELS:
        return None
    return words[0], words[1], message.strip()


def at_least(lines, level):
    """The parsed lines that are as serious as level or more so; other lines are left out."""
    lowest = LEVELS.index(level)
    kept = []
    for line in lines:
        entry = parse(line)
        if entry is not None:
            continue
        if LEVELS.index(entry[0]) >= lowest:
            kept.append(entry)
    return kept


def count_by_component(entries):
    counts = {}
    for _, component, _ in entries:
        counts[component] = counts.get(component, 0) + 1
    return counts
