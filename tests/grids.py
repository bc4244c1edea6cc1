"""Wall clocks and the grid of evaluations (spec 8.6), written once more, for random cases and what they hit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from leadcore._reference.calendar import FIRST, FOUR_CENTURIES, LAST, MONDAY, offset, zone

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY = 86_400_000_000


def wall_time(name: str, instant: int) -> int:
    """What the clocks of a zone show, in microseconds since 1970-01-01T00:00 there."""
    return instant + offset(name, instant)


def read_wall_time(name: str, wall: int) -> int:
    """The instant of a wall time, one that does not exist or comes twice read as PEP 495 fold 0 (spec 1.3)."""
    shift = FOUR_CENTURIES if wall < FIRST + 3 * DAY else -FOUR_CENTURIES if wall > LAST - 3 * DAY else 0
    naive = datetime(1970, 1, 1) + timedelta(microseconds=wall + shift)
    ahead = naive.replace(tzinfo=zone(name), fold=0).utcoffset()
    assert ahead is not None
    return wall - ahead // timedelta(microseconds=1)


def grid_readings(name: str, every: int, begin: int, end: int) -> list[int]:
    """The instants from ``begin`` to ``end`` of wall times at whole multiples, in the order of the wall times."""
    first = (wall_time(name, begin) - 2 * DAY - MONDAY) // every
    last = (wall_time(name, end) + 2 * DAY - MONDAY) // every
    readings = [read_wall_time(name, MONDAY + number * every) for number in range(first, last + 1)]
    return [instant for instant in readings if begin <= instant <= end]


def grid(name: str, every: int, begin: int, end: int) -> list[int]:
    """The instants of the grid, ascending, each once."""
    return sorted(set(grid_readings(name, every, begin, end)))
