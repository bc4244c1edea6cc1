"""Time zones as tables of wall-clock offsets, from the pinned tzdata package (spec 1.3)."""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from importlib.resources import files
from io import BytesIO
from zoneinfo import ZoneInfo

CYCLE = 12_622_780_800_000_000
"""400 years in microseconds: the Gregorian calendar and every rule of a zone repeat after them."""

_EARLIEST = -(2**63)
_SECOND = 1_000_000


def zone_bytes(name: str) -> bytes:
    """The compiled zone of the tzdata package."""
    return files("tzdata.zoneinfo").joinpath(*name.split("/")).read_bytes()


def _listed(data: bytes) -> tuple[list[tuple[int, int]], int]:
    """Transitions a TZif file (RFC 8536) lists as (second, offset in seconds), and the offset before the first."""
    head = struct.Struct(">4s1s15x6I")
    _, version, isut, isstd, leaps, times, types, chars = head.unpack_from(data)
    if version < b"2":
        raise ValueError("a zone file of version 1")
    position = head.size + times * 5 + types * 6 + chars + leaps * 8 + isstd + isut
    _, _, isut, isstd, leaps, times, types, chars = head.unpack_from(data, position)
    position += head.size
    instants = struct.unpack_from(f">{times}q", data, position)
    kinds = data[position + 8 * times : position + 9 * times]
    infos = [struct.unpack_from(">ibB", data, position + 9 * times + 6 * i) for i in range(types)]
    first = next((info for info in infos if not info[1]), infos[0])[0]
    return [(instant, infos[kind][0]) for instant, kind in zip(instants, kinds, strict=True)], first


def _by_rule(zone: ZoneInfo, begin: datetime, end: datetime) -> list[tuple[int, int]]:
    """Changes of offset from ``begin`` to ``end``, found by looking every ten days and halving."""

    def offset(moment: datetime) -> timedelta:
        return moment.astimezone(zone).utcoffset() or timedelta(0)

    found, at = [], begin
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    while at < end:
        following = min(at + timedelta(days=10), end)
        if offset(following) != offset(at):
            low, high = at, following
            while high - low > timedelta(seconds=1):
                middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
                low, high = (middle, high) if offset(middle) == offset(at) else (low, middle)
            found.append(((high - epoch) // timedelta(seconds=1), int(offset(high).total_seconds())))
        at = following
    return found


@lru_cache(maxsize=64)
def zone_table(name: str) -> tuple[list[tuple[int, int, int]], int]:
    """Rows (begin, offset, latest wall clock reached before), ascending, and where the 400-year cycle begins.

    Offsets hold from ``begin`` on; all in microseconds. The running maximum of the wall clock makes every calendar
    unit one stretch of time.
    """
    if name == "UTC":
        return [(_EARLIEST, 0, _EARLIEST)], 0
    data = zone_bytes(name)
    transitions, first = _listed(data)
    zone = ZoneInfo.from_file(BytesIO(data), key=name)
    year = 2040 if not transitions else max(2040, 1970 + transitions[-1][0] // 31_556_952 + 2)
    cycle_begin = datetime(year, 1, 1, tzinfo=UTC)
    last = datetime.fromtimestamp(transitions[-1][0], UTC) if transitions else datetime(2030, 1, 1, tzinfo=UTC)
    transitions += _by_rule(zone, last, datetime(year + 401, 1, 1, tzinfo=UTC))
    rows: list[tuple[int, int, int]] = [(_EARLIEST, first * _SECOND, _EARLIEST)]
    for second, seconds in transitions:
        begin, offset = second * _SECOND, seconds * _SECOND
        _, before, reached = rows[-1]
        if offset != before:
            rows.append((begin, offset, max(reached, begin + before - 1)))
    return rows, int((cycle_begin - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()) * _SECOND
