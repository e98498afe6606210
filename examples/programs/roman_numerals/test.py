from program import from_roman, to_roman

assert from_roman("MCMXCIV") == 1994
assert from_roman("III") == 3
assert to_roman(4) == "IV"
assert to_roman(27) == "XXVII"
assert to_roman(1994) == "MCMXCIV"
