from program import from_roman, to_roman

known = {1: "I", 3: "III", 9: "IX", 14: "XIV", 40: "XL", 58: "LVIII", 90: "XC", 400: "CD",
         444: "CDXLIV", 1000: "M", 2023: "MMXXIII", 3999: "MMMCMXCIX"}
for number, text in known.items():
    assert to_roman(number) == text, (number, to_roman(number))
    assert from_roman(text) == number, (text, from_roman(text))

for number in range(1, 4000):
    assert from_roman(to_roman(number)) == number

for bad in (0, -1, 4000):
    try:
        to_roman(bad)
    except ValueError:
        continue
    assert False, f"{bad} was accepted"
