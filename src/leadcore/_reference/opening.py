"""Business calendars: which microseconds are open, and when a duration of them has passed (spec 8.9)."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from leadcore._reference.calendar import DAY, HOUR, LAST, MINUTE, from_wall
from leadcore.model.lifecycle import Calendar

Stretch = tuple[int, int]
"""Instants [start, end)."""

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
THURSDAY = 3
"""The weekday of 1970-01-01."""


class Opening:
    """The open microseconds of a calendar.

    Opening hours are wall times of the calendar's timezone, each read as an instant by PEP 495 fold 0 (spec 1.3); what
    begins no earlier than it ends, as in a gap of daylight saving, is never open, and what is open twice is open once.

    Args:
        calendar: Its hours, holidays and timezone.
        timezone: The model's, for a calendar that names none (spec 1.3).
    """

    def __init__(self, calendar: Calendar, timezone: str) -> None:
        self._timezone = calendar.timezone or timezone
        self._hours = {WEEKDAYS.index(day): [hours(text) for text in texts] for day, texts in calendar.hours.items()}
        epoch = date(1970, 1, 1).toordinal()
        self._holidays = {date.fromisoformat(text).toordinal() - epoch for text in calendar.holidays}
        self._date = lru_cache(maxsize=1_024)(self._of_date)  # dates near each other are asked for again and again

    def _of_date(self, day: int) -> list[Stretch]:
        """What opens on a date of the wall clock, counted in days from 1970-01-01."""
        hours_of_day = self._hours.get((day + THURSDAY) % 7)
        if not hours_of_day or day in self._holidays:
            return []
        midnight = day * DAY
        return [
            (from_wall(self._timezone, midnight + begin), from_wall(self._timezone, midnight + end))
            for begin, end in hours_of_day
        ]

    def of_utc_day(self, day: int) -> list[Stretch]:
        """What is open on a day of UTC, ascending and apart; dates of the wall clock two days away may reach into it."""
        near = [stretch for number in range(day - 2, day + 3) for stretch in self._date(number)]
        found: list[Stretch] = []
        covered = day * DAY
        for start, end in sorted(near):
            start, end = max(start, covered), min(end, (day + 1) * DAY)
            if start < end:
                found.append((start, end))
                covered = end
        return found

    def after(self, start: int, duration: int) -> int | None:
        """The instant at which a duration of open time has passed since a start; None where time ends before.

        Spec 8.9: "durations count open microseconds only; a due time that falls on a closing instant stays on it; an
        `after` of 0s is the entry itself".
        """
        if duration == 0:
            return start
        if start + duration > LAST:  # not even with everything open
            return None
        left = duration
        for day in range(start // DAY, LAST // DAY + 1):
            for opens, closes in self.of_utc_day(day):
                begins = max(opens, start)
                if closes <= begins:
                    continue
                if closes - begins >= left:
                    return begins + left if begins + left <= LAST else None
                left -= closes - begins
        return None


def hours(text: str) -> tuple[int, int]:
    """``09:00-12:30`` in microseconds since midnight of the wall clock."""
    begin, end = ((int(part[:2]) * HOUR + int(part[3:]) * MINUTE) for part in text.split("-"))
    return begin, end
