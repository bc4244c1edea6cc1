"""Zone tables say what zoneinfo says of the same package's files, for every zone and time (spec 1.3)."""

from __future__ import annotations

import random
from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from io import BytesIO
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from leadcore._plan.zones import CYCLE, MONDAY, grid_pieces, wall_to_instant, zone_bytes, zone_table

ZONES = [name for name in files("tzdata").joinpath("zones").read_text().split() if name]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


HOUR, DAY = 3_600_000_000, 86_400_000_000


def zone_of(name: str) -> ZoneInfo:
    """The zone of the tzdata package, as Python reads it."""
    return ZoneInfo.from_file(BytesIO(zone_bytes(name)), key=name)


def as_python_reads(zone: ZoneInfo, wall: int) -> int:
    """The instant of a wall time by PEP 495 fold 0."""
    moment = (EPOCH + timedelta(microseconds=wall)).replace(tzinfo=zone)
    return (moment.astimezone(UTC) - EPOCH) // timedelta(microseconds=1)


def offset(name: str, instant: int) -> int:
    """Offset by our table."""
    rows, cycle_begin = zone_table(name)
    if instant >= cycle_begin + CYCLE:
        instant -= (instant - cycle_begin) // CYCLE * CYCLE
    return rows[bisect_right([row[0] for row in rows], instant) - 1][1]


@pytest.mark.parametrize("block", range(20))
def test_offsets(block):
    """Offsets agree at random instants and just before and at every change we list, from year 1 to 9999."""
    rng = random.Random(block)
    for name in ZONES[block::20]:
        zone = zone_of(name)
        rows, _ = zone_table(name)
        begins = [row[0] // 1_000_000 for row in rows[1:]]
        seconds = [rng.randrange(-62_000_000_000, 253_300_000_000) for _ in range(60)]
        seconds += [second + by for second in rng.sample(begins, min(60, len(begins))) for by in (-1, 0)]
        for second in seconds:
            expected = (EPOCH + timedelta(seconds=second)).astimezone(zone).utcoffset()
            assert timedelta(microseconds=offset(name, second * 1_000_000)) == expected, (name, second)


def test_wall_clock_runs_forward():
    """The latest wall clock reached never falls, so that every calendar unit is one stretch of time."""
    for name in ("Europe/Berlin", "America/St_Johns", "Pacific/Apia", "Australia/Lord_Howe", "America/Havana"):
        reached = [row[2] for row in zone_table(name)[0]]
        assert reached == sorted(reached)


@pytest.mark.parametrize("block", range(20))
def test_wall_times(block):
    """Every wall time, also one that is skipped or comes twice, is the instant PEP 495 fold 0 says."""
    rng = random.Random(block)
    for name in ZONES[block::20]:
        zone = zone_of(name)
        changes = zone_table(name)[0][1:]
        walls = [rng.randrange(-62_000_000_000, 253_300_000_000) * 1_000_000 for _ in range(60)]
        for begin, after, _ in rng.sample(changes, min(60, len(changes))):
            before = offset(name, begin - 1)
            walls += [begin + shift + by for shift in (before, after) for by in (-1, 0, 1, HOUR // 2)]

        instants = wall_to_instant(name, np.array(walls, np.int64))

        for wall, instant in zip(walls, instants.tolist(), strict=True):
            assert instant == as_python_reads(zone, wall), (name, wall)


def test_wall_times_at_the_ends_of_time():
    """Wall times of the years 0 and 10000, which Python cannot write, have the offsets of four centuries away."""
    for name in ("Asia/Tokyo", "America/Los_Angeles", "Europe/Berlin"):
        edges = np.array([253_402_300_799_999_999 + DAY, 253_402_300_799_999_999], np.int64)
        assert (wall_to_instant(name, edges - CYCLE) + CYCLE == wall_to_instant(name, edges)).all()
    assert len(wall_to_instant("UTC", np.empty(0, np.int64))) == 0


def members(pieces: np.ndarray, every: int) -> list[int]:
    """The instants that pieces of a grid stand for, each once, ascending."""
    found: set[int] = set()
    for start, stop, residue in pieces.tolist():
        found.update(range(start + (residue - start) % every, stop, every))
    return sorted(found)


@pytest.mark.parametrize("every", [HOUR, HOUR * 3 // 2, 6 * HOUR, DAY, 7 * DAY, 100 * DAY])
def test_grid(every):
    """A grid is the wall times at whole multiples of its step from Monday 1970-01-05, each an instant once (spec 8.6)."""
    rng = random.Random(every)
    named = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Monrovia",
             "America/St_Johns", "Africa/Casablanca", "Asia/Kathmandu", "America/Havana"]  # fmt: skip
    for name in named + rng.sample(ZONES, 40):
        zone = zone_of(name)
        changes = [row[0] for row in zone_table(name)[0][1:]] or [0]
        for near in (rng.choice(changes), rng.randrange(-62_000_000_000, 253_200_000_000) * 1_000_000):
            first = near - rng.randrange(3 * every + DAY)
            last = first + rng.randrange(12 * every + 3 * DAY)
            count = range((first - 2 * DAY - MONDAY) // every, (last + 2 * DAY - MONDAY) // every + 2)
            expected = sorted({at for k in count if first <= (at := as_python_reads(zone, MONDAY + k * every)) <= last})

            pieces = grid_pieces(name, every, first, last)

            assert members(pieces, every) == expected, (name, first, last)
            assert pieces[:, 0].tolist() == sorted(pieces[:, 0].tolist())
            assert ((pieces[:, 0] >= first) & (pieces[:, 1] <= last + 1)).all()


def test_grid_of_no_time_and_of_all_time():
    """There is no grid before it begins, and one over all years takes few pieces."""
    assert grid_pieces("Europe/Berlin", DAY, 1, 0).shape == (0, 3)
    assert grid_pieces("UTC", DAY, 0, DAY).tolist() == [[0, DAY + 1, 0]]
    assert members(grid_pieces("Europe/Berlin", DAY, 5, 5), DAY) == []
    whole = grid_pieces("Europe/Berlin", DAY, -62_135_596_800_000_000, 253_402_300_799_999_999)
    assert 15_000 < len(whole) < 17_000
    assert (whole[1:, 0] >= whole[:-1, 0]).all()
