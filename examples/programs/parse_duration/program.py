UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}


def parse_duration(text):
    """Seconds in a text such as "1h30m" or "45s"; ValueError when it is not one."""
    total = 0
    digits = ""
    for letter in text:
        if letter.isdigit():
            digits += letter
        elif letter in UNITS and digits:
            total = int(digits) * UNITS[letter]
            digits = ""
        else:
            raise ValueError(f"unexpected {letter!r} in {text!r}")
    if digits or not text:
        raise ValueError(f"no unit at the end of {text!r}")
    return total


def format_duration(seconds):
    if seconds == 0:
        return "0s"
    parts = []
    for unit, size in UNITS.items():
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts)
