"""Run length coding: "aaab" <-> [("a", 3), ("b", 1)]."""


def encode(text):
    if not text:
        return []
    runs = []
    current = text[0]
    count = 0
    for letter in text[1:]:
        if letter == current:
            count += 1
        else:
            runs.append((current, count))
            current = letter
            count = 1
    runs.append((current, count))
    return runs


def decode(runs):
    return "".join(letter * count for letter, count in runs)
