from program import conflicts, meeting, overlap

assert meeting("09:00-10:30") == (540, 630)
assert overlap(meeting("09:00-10:00"), meeting("09:30-11:00"))

day = [meeting("09:00-10:00"), meeting("10:00-11:00"), meeting("13:00-14:00")]
assert conflicts(day, meeting("13:30-15:00")) == [day[2]]
assert conflicts(day, meeting("15:00-16:00")) == []
