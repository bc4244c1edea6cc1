"""Zone tables say what zoneinfo says of the same package's files, for every zone and time (spec 1.3)."""

from __future__ import annotations

import random
from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from io import BytesIO
from zoneinfo import ZoneInfo

import pytest

from leadcore._plan.zones import CYCLE, zone_bytes, zone_table

ZONES = [name for name in files("tzdata").joinpath("zones").read_text().split() if name]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


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
        zone = ZoneInfo.from_file(BytesIO(zone_bytes(name)), key=name)
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
