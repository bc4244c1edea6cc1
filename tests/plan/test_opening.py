"""Business calendars against counting minute by minute and against the reference engine (spec 8.9)."""

from __future__ import annotations

import random
import time
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from leadcore._opening import NEVER, Opening, after
from leadcore._plan.zones import zone_bytes, zone_table
from leadcore._time import FIRST, LAST, to_micros
from leadcore.model.duration import Duration
from leadcore.model.lifecycle import Calendar

MINUTE, HOUR, DAY = 60_000_000, 3_600_000_000, 86_400_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
OFFICE = {day: ["09:00-12:00", "13:00-17:30"] for day in ("mon", "tue", "wed", "thu", "fri")}


def due(calendar, entered, duration, timezone="UTC"):
    """One due time."""
    made = Opening(Calendar.model_validate(calendar), timezone)
    return int(made.due(np.array([to_micros(entered)]), Duration(duration))[0])


@pytest.mark.parametrize(
    ("entered", "duration", "expected"),
    [
        ("2026-03-02T09:00Z", "3h", "2026-03-02T12:00Z"),  # on the closing instant
        ("2026-03-02T09:00Z", "3h1s", "2026-03-02T13:00:01Z"),
        ("2026-03-02T12:30Z", "1s", "2026-03-02T13:00:01Z"),
        ("2026-03-02T12:00Z", "4h30m", "2026-03-02T17:30Z"),
        ("2026-03-06T17:00Z", "1h", "2026-03-10T09:30Z"),  # Monday is a holiday
        ("2026-03-07T11:00Z", "0s", "2026-03-07T11:00Z"),
        ("2026-03-07T11:00:00.000001Z", "7h30m", "2026-03-10T17:30Z"),
        ("2026-03-03T08:59:59.999999Z", "1s", "2026-03-03T09:00:01Z"),
    ],
)
def test_due(entered, duration, expected):
    """Open microseconds count and others do not; by hand."""
    assert due({"hours": OFFICE, "holidays": ["2026-03-09"]}, entered, duration) == to_micros(expected)


def test_hours_up_to_midnight_go_on():
    """24:00 is the next day's 00:00, and a calendar that is always open counts all time."""
    always = {"hours": {day: ["00:00-24:00"] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}}
    for timezone in ("UTC", "Asia/Kolkata", "America/St_Johns"):
        assert due({**always, "timezone": timezone}, "2026-03-05T22:00Z", "48h") == to_micros("2026-03-07T22:00Z")
    night = {"hours": {"mon": ["22:00-24:00"], "tue": ["00:00-02:00"]}}
    assert due(night, "2026-03-02T23:00Z", "2h") == to_micros("2026-03-03T01:00Z")
    assert due(night, "2026-03-02T23:00Z", "1h") == to_micros("2026-03-03T00:00Z")


def test_clock_changes():
    """Hours are wall times by PEP 495 fold 0: an hour of the night may be missing, and the longer night is open twice."""
    berlin = {"timezone": "Europe/Berlin", "hours": {"sun": ["01:00-04:00"]}}
    assert due(berlin, "2026-03-29T00:00Z", "2h") == to_micros(
        "2026-03-29T02:00Z"
    )  # all that opens, from 01:00 to 04:00
    assert due(berlin, "2026-10-24T23:00Z", "4h") == to_micros("2026-10-25T03:00Z")
    gap = {"timezone": "Europe/Berlin", "hours": {"sun": ["02:30-03:15", "03:20-03:30"]}}
    assert due(gap, "2026-03-29T00:00Z", "10m") == to_micros("2026-03-29T01:30Z")  # 02:30 reads as 03:30


def test_model_timezone_is_the_default():
    """A calendar that names no timezone has the model's (spec 1.3)."""
    assert due({"hours": OFFICE}, "2026-07-01T00:00Z", "1h", "Asia/Tokyo") == to_micros("2026-07-01T01:00Z")
    own = {"hours": OFFICE, "timezone": "UTC"}
    assert due(own, "2026-07-01T00:00Z", "1h", "Asia/Tokyo") == to_micros("2026-07-01T10:00Z")


def by_minutes(calendar, timezone, entered, duration):
    """The due time found by walking through minutes; hours, offsets and durations are whole minutes."""
    zone = ZoneInfo.from_file(BytesIO(zone_bytes(timezone)))
    days = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    open_minutes = set()
    first = date(1970, 1, 1) + timedelta(days=entered // DAY - 2)
    for n in range(60):
        day = first + timedelta(days=n)
        if day.isoformat() in calendar["holidays"]:
            continue
        for text in calendar["hours"].get(days[day.weekday()], ()):
            begin, end = (
                (datetime(day.year, day.month, day.day) + timedelta(minutes=int(t[:2]) * 60 + int(t[3:])))
                .replace(tzinfo=zone).astimezone(UTC) for t in text.split("-")
            )  # fmt: skip
            open_minutes.update(range((begin - EPOCH) // timedelta(minutes=1), (end - EPOCH) // timedelta(minutes=1)))
    left, at = duration, entered
    for minute in sorted(m for m in open_minutes if (m + 1) * MINUTE > entered):
        at = max(entered, minute * MINUTE)
        if (minute + 1) * MINUTE - at >= left:
            return at + left
        left -= (minute + 1) * MINUTE - at
    return None


def random_calendar(rng):
    """Some hours of some weekdays, with holidays in 2026."""
    hours = {}
    for day in rng.sample(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), rng.randint(1, 7)):
        edges = sorted(rng.sample(range(0, 1441, rng.choice([1, 30, 60])), 2 * rng.randint(1, 4)))
        times = [f"{edge // 60:02}:{edge % 60:02}" for edge in edges]
        hours[day] = [f"{begin}-{end}" for begin, end in zip(times[::2], times[1::2], strict=True)]
    holidays = [(date(2026, 1, 1) + timedelta(days=rng.randrange(365))).isoformat() for _ in range(rng.choice([0, 60]))]
    return {"hours": hours, "holidays": holidays}


@pytest.mark.parametrize("seed", range(12))
def test_due_is_what_minutes_say(seed):
    """The due time is where walking minute by minute ends, for random calendars, zones, entries and durations."""
    rng = random.Random(seed)
    zones = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Cairo"]
    for _ in range(6):
        calendar, timezone = random_calendar(rng), rng.choice(zones)
        opening = Opening(Calendar.model_validate(calendar), timezone)
        changes = [row[0] for row in zone_table(timezone)[0] if row[0] // DAY in range(20454, 20819)] or [
            to_micros("2026-06-01")
        ]
        entered = [rng.choice(changes) + rng.randrange(-5 * DAY, 5 * DAY) for _ in range(6)]
        entered += [round(at / HOUR) * HOUR for at in entered]
        for duration in (rng.randrange(1, 300) * MINUTE, rng.randrange(1, 40) * 1_000_000, 3 * HOUR):
            found = opening.due(np.array(entered), duration).tolist()
            for at, one in zip(entered, found, strict=True):
                expected = by_minutes(calendar, timezone, at, duration)
                if expected is not None:
                    assert one == expected, (calendar, timezone, at, duration)
                else:
                    assert one > at + 55 * DAY


def test_order_of_questions_does_not_matter():
    """Entries before those asked first, and longer durations, give what a fresh calendar gives."""
    rng = random.Random(3)
    calendar = Calendar.model_validate(random_calendar(rng))
    kept = Opening(calendar, "America/New_York")
    for _ in range(20):
        entered = np.array([rng.randrange(to_micros("1900-01-01"), to_micros("2100-01-01")) for _ in range(3)])
        duration = rng.choice([1, HOUR, 40 * DAY])
        assert (
            kept.due(entered, duration).tolist()
            == Opening(calendar, "America/New_York").due(entered, duration).tolist()
        )


def test_beyond_the_year_9999():
    """A due time that never comes is none; the last one that does is found."""
    rare = Opening(Calendar.model_validate({"hours": {"mon": ["09:00-09:01"]}}), "Europe/Berlin")
    entered = np.array([FIRST, to_micros("2026-01-01"), LAST])
    assert rare.due(entered, Duration("36525d")).tolist() == [NEVER] * 3
    assert rare.due(entered, 0).tolist() == entered.tolist()
    weeks = rare.due(entered, 8_050 * 52 * MINUTE).tolist()
    assert weeks[0] < LAST
    assert weeks[1:] == [NEVER, NEVER]
    always = Opening(
        Calendar.model_validate({"hours": {d: ["00:00-24:00"] for d in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}}),
        "America/Los_Angeles",
    )  # fmt: skip
    edges = np.array([LAST - 5, LAST - 6, FIRST])
    for by in (5, 6):
        assert always.due(edges, by).tolist() == after(edges, by).tolist()
    assert after(edges, 6).tolist() == [NEVER, LAST, FIRST + 6]
    assert after(np.array([LAST]), Duration("36525d")).tolist() == [NEVER]


def test_nobody_and_a_calendar_of_many_openings():
    """No entries, no due times; 720 openings a day over all years are patterns, not lists."""
    hours = [f"{m // 60:02}:{m % 60:02}-{(m + 1) // 60:02}:{(m + 1) % 60:02}" for m in range(0, 1440, 2)]
    many = Opening(Calendar.model_validate({"hours": {"mon": hours, "thu": hours}}), "Europe/Berlin")
    assert many.due(np.empty(0, np.int64), HOUR).tolist() == []
    entered = np.linspace(FIRST, LAST - DAY, 1000).astype(np.int64)
    begun = time.perf_counter()
    found = many.due(entered, Duration("36525d"))
    assert time.perf_counter() - begun < 10
    assert 0 < (found == NEVER).sum() < 1000


def test_a_million_stays():
    """Due times of a million stays over ten years come quickly, and rising entries have rising due times."""
    office = Opening(Calendar.model_validate({"hours": OFFICE, "holidays": ["2026-12-25"]}), "Europe/Berlin")
    entered = np.sort(np.random.default_rng(1).integers(to_micros("2016-01-01"), to_micros("2026-01-01"), 1_000_000))
    begun = time.perf_counter()
    found = office.due(entered, Duration("48h"))
    assert time.perf_counter() - begun < 5
    assert (np.diff(found) >= 0).all()
    assert (found > entered + 2 * DAY).all()
