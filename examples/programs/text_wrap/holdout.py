from program import wrap

assert wrap("a b c d", 3) == ["a b", "c d"]
assert wrap("a b c d", 1) == ["a", "b", "c", "d"]
assert wrap("an extraordinary day", 5) == ["an", "extraordinary", "day"]
assert wrap("  spaces   everywhere ", 40) == ["spaces everywhere"]
assert wrap("   ", 4) == []

text = "It was a bright cold day in April and the clocks were striking thirteen"
for width in range(8, 80):
    lines = wrap(text, width)
    assert " ".join(lines) == text
    assert all(len(line) <= width for line in lines), (width, lines)
    for line, following in zip(lines, lines[1:]):
        assert len(line) + 1 + len(following.split()[0]) > width
