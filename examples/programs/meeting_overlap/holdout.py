from program import conflicts, meeting, overlap

a = meeting("09:00-10:00")
b = meeting("10:00-11:00")
assert not overlap(a, b)
assert not overlap(b, a)
assert overlap(a, a)
assert overlap(meeting("08:00-12:00"), a)
assert overlap(a, meeting("08:00-12:00"))
assert overlap(meeting("09:59-10:01"), b)
assert not overlap(meeting("16:00-17:00"), a)
assert not overlap(a, meeting("16:00-17:00"))

day = [a, b, meeting("13:00-14:00")]
assert conflicts(day, meeting("08:00-09:00")) == []
assert conflicts(day, meeting("11:00-13:00")) == []
assert conflicts(day, meeting("09:30-13:30")) == day
assert conflicts(day, meeting("10:15-10:45")) == [b]
assert conflicts([], a) == []
