"""Business calendars: when a duration of open time has passed (spec 8.9)."""

from __future__ import annotations

import threading
from datetime import date

import numpy as np
import numpy.typing as npt

from leadcore._plan.zones import wall_to_instant, zone_changes
from leadcore._time import LAST
from leadcore.model.lifecycle import Calendar

Ints = npt.NDArray[np.int64]

NEVER = 2**63 - 1
"""In place of an instant beyond the year 9999."""

_MINUTE = 60_000_000
_DAY = 86_400_000_000
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_THURSDAY = 3
"""The weekday of 1970-01-01, from Monday."""
_SHIFT = 40
"""A key is a pattern's number, then this many bits of microseconds within a day."""


def after(entered: Ints, duration: int) -> Ints:
    """The instants a duration of all time later, `NEVER` beyond the year 9999."""
    due = entered + duration
    return np.where(due > LAST, NEVER, due)


class Opening:
    """The open time of a calendar, counted.

    Days of UTC that open alike share a pattern: their offset, weekday, holidays and changes of the clock nearby are
    the same. So a calendar takes eight bytes a day for the sum of open time before it, as far as anybody asked, and a
    few patterns, however many opening times a day has. Any number of threads may ask.

    Args:
        calendar: Its hours, holidays and timezone.
        timezone: The model's, for a calendar that names none.
    """

    def __init__(self, calendar: Calendar, timezone: str) -> None:
        self._lock = threading.Lock()
        self._zone = calendar.timezone or timezone
        self._hours: list[npt.NDArray[np.int64]] = [
            np.array([_hours(text) for text in calendar.hours.get(day, ())], np.int64).reshape(-1, 2)
            for day in _WEEKDAYS
        ]
        self._weekly = int(sum((hours[:, 1] - hours[:, 0]).sum() for hours in self._hours))
        holidays = {date.fromisoformat(text).toordinal() - date(1970, 1, 1).toordinal() for text in calendar.holidays}
        self._holidays = np.array(sorted(holidays), np.int64)
        self._numbers: dict[tuple[object, ...], int] = {}
        self._patterns: list[Ints] = []
        self._merged: tuple[Ints, Ints, Ints, Ints]
        """By opening time of a pattern: key of its start, open time of the day before it, length, key of the sum after it."""
        self._totals: Ints
        """Open time of a day by pattern."""
        self._first = 0
        """The first day counted, from 1970-01-01."""
        self._pattern = np.empty(0, np.int64)
        """By day counted."""
        self._open = np.zeros(1, np.int64)
        """Open time before each day counted, and before the day after the last."""

    def due(self, entered: Ints, duration: int) -> Ints:
        """The first instants at which so much open time has passed since entries.

        A due time that falls on a closing instant stays on it; no time at all is the entry itself.

        Args:
            entered: Instants, in any order.
            duration: Microseconds.

        Returns:
            Instants; `NEVER` where the calendar does not open for so long up to the year 9999.
        """
        if not duration or not len(entered):
            return entered.copy()
        first, last = int(entered.min()) // _DAY, int(entered.max()) // _DAY
        needed = duration * 7 // self._weekly
        more = needed + needed // 4 + 14
        while True:
            with self._lock:
                self._count(first, min(last + more, LAST // _DAY) + 1)
                due = self._due(entered, duration)
            if due.max() <= LAST or last + more >= LAST // _DAY:
                return np.where(due > LAST, NEVER, due)
            more *= 2

    def _due(self, entered: Ints, duration: int) -> Ints:
        starts, before, lengths, ends = self._merged
        day = entered // _DAY - self._first
        pattern, since = self._pattern[day] << _SHIFT, entered % _DAY
        at = np.searchsorted(starts, pattern | since, "right") - 1
        passed = self._open[day] + before[at] + np.minimum((pattern | since) - starts[at], lengths[at])
        wanted = passed + duration

        due_day = np.searchsorted(self._open, wanted, "left") - 1
        found = due_day < len(self._pattern)
        due_day = np.minimum(due_day, len(self._pattern) - 1)
        pattern, rest = self._pattern[due_day] << _SHIFT, wanted - self._open[due_day]
        at = np.searchsorted(ends, pattern | np.where(found, rest, 0), "left")
        due = (due_day + self._first) * _DAY + (starts[at] - pattern) + (rest - before[at])
        return np.where(found, due, NEVER)

    def _count(self, first: int, stop: int) -> None:
        """Have the days from ``first`` to before ``stop`` counted."""
        counted = self._first + len(self._pattern)
        if first < self._first or not len(self._pattern):
            stop = max(stop, counted) if len(self._pattern) else stop
            self._first = counted = first
            self._pattern, self._open = np.empty(0, np.int64), np.zeros(1, np.int64)
        if stop <= counted:
            return
        more = self._pattern_of(np.arange(counted, stop))
        self._merge()
        self._pattern = np.concatenate([self._pattern, more])
        self._open = np.concatenate([self._open, self._open[-1] + np.cumsum(self._totals[more])])

    def _pattern_of(self, days: Ints) -> Ints:
        """The pattern of each of these successive days."""
        begins, offsets = zone_changes(self._zone, (int(days[-1]) + 3) * _DAY)
        # Offsets are less than a day, so the dates of a day's hours are its own and those beside it, and changes
        # further away than another day have no part in reading their wall times.
        at = np.searchsorted(begins, (days - 2) * _DAY, "right")
        behind = np.searchsorted(begins, (days + 3) * _DAY, "left")
        closed = sum(np.isin(days + by, self._holidays) << (by + 1) for by in (-1, 0, 1))
        alike = (days + _THURSDAY) % 7 * 8 + closed
        steady = at == behind
        known, inverse = np.unique(offsets, return_inverse=True)
        key = inverse[at - 1] * 56 + alike
        pattern, sample = np.zeros((2, len(known) * 56), np.int64)
        sample[key[steady]] = days[steady]
        for k in np.flatnonzero(np.bincount(key[steady], minlength=len(pattern))).tolist():
            pattern[k] = self._number((int(known[k // 56]), k % 56, ()), int(sample[k]))
        patterns = pattern[key]
        for i in np.flatnonzero(~steady).tolist():
            near, day = slice(int(at[i]), int(behind[i])), int(days[i])
            changes = tuple(zip((begins[near] - day * _DAY).tolist(), offsets[near].tolist(), strict=True))
            patterns[i] = self._number((int(offsets[at[i] - 1]), int(alike[i]), changes), day)
        return patterns

    def _number(self, key: tuple[object, ...], day: int) -> int:
        """The number of a pattern; a new one is read off ``day``."""
        number = self._numbers.setdefault(key, len(self._patterns))
        if number == len(self._patterns):
            self._patterns.append(self._opens(day))
        return number

    def _opens(self, day: int) -> Ints:
        """What is open on a day of UTC: rows (begin, end) since its start, ascending and apart."""
        dates = [d for d in (day - 1, day, day + 1) if d not in self._holidays]
        walls = np.concatenate(
            [np.empty((0, 2), np.int64), *(self._hours[(d + _THURSDAY) % 7] + d * _DAY for d in dates)]
        )
        begin, end = (wall_to_instant(self._zone, walls[:, i].copy()) - day * _DAY for i in (0, 1))
        order = np.argsort(begin[begin < end], kind="stable")  # hours in a gap of the clock may end before they begin
        begin, end = (times[begin < end][order] for times in (begin, end))
        reached = np.maximum.accumulate(np.append(0, end))
        begin, end = np.maximum(begin, reached[:-1]), np.minimum(end, _DAY)
        return np.stack([begin, end], axis=1)[begin < end]

    def _merge(self) -> None:
        """Put all patterns side by side, each behind an empty stretch at the start of its day."""
        rows = [np.concatenate([np.zeros((1, 2), np.int64), opens]) for opens in self._patterns]
        pattern = np.repeat(np.arange(len(rows)), [len(opens) for opens in rows]) << _SHIFT
        starts, stops = np.concatenate(rows).T
        lengths = stops - starts
        sums = np.concatenate([np.cumsum(opens[:, 1] - opens[:, 0]) for opens in rows])
        self._merged = (pattern | starts, sums - lengths, lengths, pattern | sums)
        self._totals = np.array([(opens[:, 1] - opens[:, 0]).sum() for opens in rows], np.int64)


def _hours(text: str) -> tuple[int, int]:
    """``09:00-12:30`` in microseconds of the wall clock since midnight."""
    begin, end = ((int(time[:2]) * 60 + int(time[3:])) * _MINUTE for time in text.split("-"))
    return begin, end
