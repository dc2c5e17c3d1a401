"""What a CronJob's schedule means: five fields or a macro, as Kubernetes reads them."""

from __future__ import annotations

import re

# Lowest and highest value of each field, and the names that two of them know.
FIELDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
NAMES = dict(zip(MONTHS, range(1, 13), strict=True)) | dict(zip(DAYS, range(7), strict=True))
MACROS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
# A duration as Go reads it: `1m`, `1m0s`, `60s`, `+1m`.
EVERY = re.compile(r"@every\s+\+?((?:[0-9.]+(?:ns|us|µs|ms|s|m|h))+)")
PART = re.compile(r"([0-9.]+)(ns|us|µs|ms|s|m|h)")
UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def every_minute(text: str) -> bool:
    """Whether a schedule begins a run in each minute of every day."""
    words = text.strip().lower()
    if every := EVERY.fullmatch(words):
        # Less than a second is cut off, and no time at all becomes a second.
        return (
            int(sum(float(number) * UNITS[unit] for number, unit in PART.findall(every[1]))) == 60
        )
    parts = MACROS.get(words, words).split()
    if len(parts) != len(FIELDS):
        return False
    try:
        sets = [values(part, *FIELDS[place]) for place, part in enumerate(parts)]
    except ValueError:
        return False
    full = [
        found == set(range(low, high + 1)) for found, (low, high) in zip(sets, FIELDS, strict=True)
    ]
    minute, hour, day, month, weekday = full
    # Where both kinds of days are restricted, one of the two is enough.
    either = not (is_star(parts[2]) or is_star(parts[4]))
    days = day or weekday if either else day and weekday
    return minute and hour and month and days


def values(field: str, low: int, high: int) -> set[int]:
    """The numbers that a field stands for; raises ValueError for what is none."""
    found: set[int] = set()
    # Nothing between two commas, or after the last one, is left out.
    for part in filter(None, field.split(",")):
        several, _, step = part.partition("/")
        first, dash, last = several.partition("-")
        if first in ("*", "?"):
            begin, end = low, high
        else:
            begin = number(first)
            # A step without an end goes on to the last value.
            end = number(last) if dash else high if step else begin
        if not low <= begin <= end <= high or (step and int(step) < 1):
            raise ValueError(f"{field!r} is no field of a schedule")
        found |= set(range(begin, end + 1, int(step or 1)))
    return found


def number(word: str) -> int:
    """A number of a field, or a month or a day by its name."""
    return NAMES[word] if word in NAMES else int(word)


def is_star(field: str) -> bool:
    """Whether a field of days says nothing of days, so that the other one decides."""
    several = (one.partition("/") for one in field.split(","))
    return any(head[:1] in ("*", "?") and int(step or 1) == 1 for head, _, step in several)
