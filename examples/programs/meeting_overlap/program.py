"""Meetings as (start, end) in minutes since midnight; the end is not part of the meeting."""


def minutes(clock):
    hours, mins = clock.split(":")
    return int(hours) * 60 + int(mins)


def meeting(text):
    """Read "09:00-10:30"."""
    start, end = text.split("-")
    return minutes(start), minutes(end)


def overlap(first, second):
    return first[0] < second[1] or second[0] < first[1]


def conflicts(planned, wanted):
    """The planned meetings that clash with the wanted one."""
    return [other for other in planned if overlap(other, wanted)]
