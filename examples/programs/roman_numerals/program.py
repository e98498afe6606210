"""Roman numerals, both ways."""

VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}

STEPS = [
    (1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"),
    (50, "L"), (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"),
]


def to_roman(number):
    """Write 1..3999 as a Roman numeral."""
    if not 1 <= number <= 3999:
        raise ValueError(f"cannot write {number} as a Roman numeral")
    out = []
    for value, letters in STEPS:
        while number > value:
            out.append(letters)
            number -= value
    return "".join(out)


def from_roman(text):
    """Read a well-formed Roman numeral."""
    total = 0
    for i, letter in enumerate(text):
        value = VALUES[letter]
        if i + 1 < len(text) and value < VALUES[text[i + 1]]:
            total -= value
        else:
            total += value
    return total
