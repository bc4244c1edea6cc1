"""Calendar units of a time zone: hours, days and weeks of its wall clock (spec 1.3, 4.6)."""

from __future__ import annotations

import importlib.resources
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

MICROSECOND = timedelta(microseconds=1)
SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WEEK = 7 * DAY
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST = (datetime(1, 1, 1, tzinfo=UTC) - EPOCH) // MICROSECOND
LAST = (datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC) - EPOCH) // MICROSECOND
MONDAY = 4 * DAY
"""Wall time of Monday 1970-01-05T00:00 since 1970-01-01T00:00."""

FOUR_CENTURIES = 146_097 * DAY
"""The Gregorian calendar repeats, weekdays included, after this long."""

PROBE = 15 * MINUTE
"""No zone of the tz database changes its offset twice within this long."""


@cache
def zone(name: str) -> ZoneInfo:
    """A zone of the pinned ``tzdata`` package, never of the system (spec 1.3)."""
    path = importlib.resources.files("tzdata").joinpath("zoneinfo", *name.split("/"))
    with path.open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


def offset(name: str, instant: int) -> int:
    """How far the wall clock is ahead of UTC at an instant, in microseconds (spec 1.3).

    Within two days of the ends of time the wall clock may show year 0 or 10000, which Python cannot write; there the
    offset is that of four centuries away, when the same rules are in force.
    """
    if instant < FIRST + 2 * DAY:
        instant += FOUR_CENTURIES
    elif instant > LAST - 2 * DAY:
        instant -= FOUR_CENTURIES
    moment = (EPOCH + instant * MICROSECOND).astimezone(zone(name))
    ahead = moment.utcoffset()
    assert ahead is not None  # an aware datetime has one
    return ahead // MICROSECOND


def from_wall(name: str, wall: int) -> int:
    """The instant at which the wall clock shows a time, given in microseconds since 1970-01-01T00:00 wall time.

    Spec 1.3: "wall times that do not exist or come twice read as PEP 495 fold 0". Where Python cannot write the year, the
    offset is that of four centuries away, as in `offset`.
    """
    shift = FOUR_CENTURIES if wall < FIRST else -FOUR_CENTURIES if wall > LAST else 0
    shown = datetime(1970, 1, 1, tzinfo=zone(name)) + (wall + shift) * MICROSECOND  # counts on the wall clock, fold 0
    ahead = shown.utcoffset()
    assert ahead is not None  # an aware datetime has one
    return wall - ahead // MICROSECOND


@lru_cache(maxsize=65_536)
def changes(name: str, day: int) -> tuple[tuple[int, int], ...]:
    """Each instant of a UTC day at which the offset changes, with the offset before it."""
    found = []
    for start in range(day * DAY, (day + 1) * DAY, PROBE):
        low, high = start, start + PROBE
        before = offset(name, low)
        if offset(name, high) == before:
            continue
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if offset(name, middle) == before else (low, middle)
        found.append((high, before))
    return tuple(found)


def furthest_wall_time(name: str, instant: int) -> int:
    """The furthest time the wall clock has shown up to an instant, in microseconds since 1970-01-01T00:00 wall time.

    Spec 1.3: "A calendar unit begins where the wall clock first reaches its start, so every unit is one stretch of
    time". The clock has reached a start once it has shown that time or a later one; setting it back does not undo this.
    So the unit of an instant is that of the furthest time shown. Offsets of a zone differ by less than two days, so
    only changes within the last two days matter.
    """
    furthest = instant + offset(name, instant)
    today = instant // DAY
    for day in (today - 2, today - 1, today):
        for change, before in changes(name, day):
            if change <= instant:
                furthest = max(furthest, change - 1 + before)
    return furthest


def unit_of(name: str, per: str, instant: int) -> int:
    """The number of the calendar unit an instant falls in (spec 4.6: "weeks begin on Monday"); ``ever`` is one unit."""
    if per == "ever":
        return 0
    wall = furthest_wall_time(name, instant)
    if per == "hour":
        return wall // HOUR
    if per == "day":
        return wall // DAY
    return (wall - MONDAY) // WEEK
