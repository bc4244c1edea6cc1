"""Time zones as tables of wall-clock offsets, from the pinned tzdata package (spec 1.3)."""

from __future__ import annotations

import re
import struct
from datetime import UTC, date, datetime
from functools import lru_cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt

CYCLE = 12_622_780_800_000_000
"""400 years in microseconds: the Gregorian calendar and every rule of a zone repeat after them."""

MONDAY = 345_600_000_000
"""Wall time of Monday 1970-01-05T00:00, in microseconds since 1970-01-01T00:00: where grids and weeks begin."""

_EARLIEST = -(2**63)
_SECOND = 1_000_000


def zone_bytes(name: str) -> bytes:
    """The compiled zone of the tzdata package."""
    return files("tzdata.zoneinfo").joinpath(*name.split("/")).read_bytes()


def _listed(data: bytes) -> tuple[list[tuple[int, int]], int, str]:
    """What a TZif file (RFC 8536) says: transitions as (second, offset in seconds), the offset before, the footer."""
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
    footer = data[data.rindex(b"\n", 0, -1) + 1 : -1].decode()
    return [(instant, infos[kind][0]) for instant, kind in zip(instants, kinds, strict=True)], first, footer


_RULE = re.compile(
    r"(?:<[^>]+>|[A-Za-z]+)(?P<std>[-+0-9:]+)"
    r"(?:(?:<[^>]+>|[A-Za-z]+)(?P<dst>[-+0-9:]+)?,(?P<start>[^,]+),(?P<end>[^,]+))?"
)
_DAY = re.compile(
    r"(?:M(?P<month>\d+)\.(?P<week>\d)\.(?P<weekday>\d)|J(?P<julian>\d+)|(?P<ordinal>\d+))(?:/(?P<time>[-+0-9:]+))?"
)


def _seconds(text: str) -> int:
    """``[+-]hh[:mm[:ss]]`` in seconds."""
    sign = -1 if text.startswith("-") else 1
    parts = [int(part) for part in text.lstrip("+-").split(":")]
    return sign * sum(part * unit for part, unit in zip(parts, (3600, 60, 1), strict=False))


def _change(rule: re.Match[str], year: int) -> int:
    """Wall-clock second, counted from 1970, at which a rule's day and time fall in a year."""
    if rule["month"]:
        first = date(year, int(rule["month"]), 1)
        day = first.toordinal() + (int(rule["weekday"]) - first.isoweekday()) % 7 + 7 * (int(rule["week"]) - 1)
        while date.fromordinal(day).month != first.month:  # the fifth is the last
            day -= 7
    elif rule["julian"]:  # 1 to 365, February 29 never counted
        month_day = date(2001, 1, 1).toordinal() + int(rule["julian"]) - 1
        day = date.fromordinal(month_day).replace(year=year).toordinal()
    else:
        day = date(year, 1, 1).toordinal() + int(rule["ordinal"])
    return (day - date(1970, 1, 1).toordinal()) * 86_400 + _seconds(rule["time"] or "2")


def _by_rule(footer: str, first_year: int, last_year: int) -> list[tuple[int, int]]:
    """Changes by the rule of a zone file's footer (POSIX TZ, RFC 8536), as (second, offset in seconds), ascending."""
    rule = _RULE.fullmatch(footer)
    if rule is None:
        raise ValueError(f"a time zone rule of unknown form: {footer}")
    if rule["start"] is None:
        return []
    standard = -_seconds(rule["std"])
    summer = -_seconds(rule["dst"]) if rule["dst"] else standard + 3600
    start, end = _DAY.fullmatch(rule["start"]), _DAY.fullmatch(rule["end"])
    if start is None or end is None:
        raise ValueError(f"a time zone rule of unknown form: {footer}")
    changes = []
    for year in range(first_year, last_year + 1):
        changes.append((_change(start, year) - standard, summer))
        changes.append((_change(end, year) - summer, standard))
    return sorted(changes)


@lru_cache(maxsize=64)
def zone_table(name: str) -> tuple[list[tuple[int, int, int]], int]:
    """Rows (begin, offset, latest wall clock reached before), ascending, and where the 400-year cycle begins.

    Offsets hold from ``begin`` on; all in microseconds. The running maximum of the wall clock makes every calendar
    unit one stretch of time.
    """
    if name == "UTC":
        return [(_EARLIEST, 0, _EARLIEST)], 0
    data = zone_bytes(name)
    transitions, first, footer = _listed(data)
    year = max(2040, 1970 + transitions[-1][0] // 31_556_952 + 2) if transitions else 2040
    cycle_begin = datetime(year, 1, 1, tzinfo=UTC)
    last = transitions[-1][0] if transitions else -(2**62)
    begin = 1970 + last // 31_556_952 - 1 if transitions else 1900
    transitions += [change for change in _by_rule(footer, begin, year + 401) if change[0] > last]
    rows: list[tuple[int, int, int]] = [(_EARLIEST, first * _SECOND, _EARLIEST)]
    for second, seconds in transitions:
        begin, offset = second * _SECOND, seconds * _SECOND
        _, before, reached = rows[-1]
        if offset != before:
            rows.append((begin, offset, max(reached, begin + before - 1)))
    return rows, int((cycle_begin - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()) * _SECOND


@lru_cache(maxsize=64)
def _changes(name: str, cycles: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    rows, cycle_begin = zone_table(name)
    begins = np.array([row[0] for row in rows], np.int64)
    offsets = np.array([row[1] for row in rows], np.int64)
    listed = begins < cycle_begin + CYCLE
    begins, offsets = begins[listed], offsets[listed]
    again = begins >= cycle_begin
    begins = np.concatenate([begins, *(begins[again] + k * CYCLE for k in range(1, cycles))])
    offsets = np.concatenate([offsets, *(offsets[again] for _ in range(1, cycles))])
    return begins, offsets


def zone_changes(zone: str, latest: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Instants from which on a zone has an offset, and these offsets, at least two days beyond ``latest``.

    In microseconds; the first row begins before all time.
    """
    return _changes(zone, max(1, (latest + 2 * 86_400 * _SECOND - zone_table(zone)[1]) // CYCLE + 1))


def _pieces(zone: str, latest: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Wall times read by PEP 495 fold 0: from when on, and the offset they have from then on, in microseconds.

    Where the clock is set, both a wall time that is skipped and one that comes twice have the offset before.
    """
    begins, offsets = zone_changes(zone, latest)
    walls = begins.copy()
    walls[1:] += np.maximum(offsets[:-1], offsets[1:])
    return walls, offsets


def wall_to_instant(zone: str, walls: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Instants of wall times of a zone, both in microseconds (spec 1.3).

    A wall time that does not exist or comes twice reads as PEP 495 fold 0.

    Example:
        >>> noon = np.array([1_774_785_600_000_000])  # 2026-03-29T12:00
        >>> int(noon[0] - wall_to_instant("Europe/Berlin", noon)[0])
        7200000000
    """
    if not len(walls):
        return np.empty(0, np.int64)
    begins, offsets = _pieces(zone, int(walls.max()))
    instants: npt.NDArray[np.int64] = walls - offsets[np.searchsorted(begins, walls, "right") - 1]
    return instants


def grid_pieces(zone: str, every: int, first: int, last: int) -> npt.NDArray[np.int64]:
    """The grid of evaluations between two instants, both included (spec 8.6), as arithmetic progressions.

    Args:
        zone: The model's timezone.
        every: The grid's step, microseconds.
        first: The earliest instant wanted.
        last: The latest instant wanted.

    Returns:
        Rows (start, stop, residue), shape (pieces, 3), ascending by start: the grid is every instant u with
        start <= u < stop and u mod ``every`` == residue (floored) of any row. Where the clock is set forward rows
        overlap, and may name one instant twice; where it is set back there is a hole.
    """
    if last < first:
        return np.empty((0, 3), np.int64)
    walls, offsets = _pieces(zone, last)
    starts = walls.copy()
    starts[1:] -= offsets[1:]
    starts[0] = first
    stops = np.append(walls[1:] - offsets[:-1], last + 1)
    rows = np.stack([np.maximum(starts, first), np.minimum(stops, last + 1), (MONDAY - offsets) % every], axis=1)
    return np.ascontiguousarray(rows[rows[:, 0] < rows[:, 1]])
