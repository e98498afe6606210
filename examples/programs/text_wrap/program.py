def wrap(text, width):
    """Break text into lines of at most width characters, between words only.

    A word longer than width gets a line of its own.
    """
    lines = []
    line = ""
    for word in text.split():
        if not line:
            line = word
        elif len(line) + len(word) <= width:
            line += " " + word
        else:
            lines.append(line)
            line = word
    return lines
