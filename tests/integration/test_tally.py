"""A tally as programs use it: forms of values, ids, forgetting, threads, and what it remembers of texts."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta, timezone
from random import Random
from zoneinfo import ZoneInfo

import numpy as np
import pytest

import leadcore as lc

T = datetime(2026, 3, 9, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
MODEL = lc.Model.from_yaml("""
leadcore: 1
name: m
attributes: {country: text, size: number}
events:
  visit: {url: text, seconds: number, paid: boolean, due: instant, note: text}
  call: {seconds: number}
  ping: {}
scores:
  fit: {criteria: [{name: size, kind: attribute, field: size, bands: [{at_least: 10, points: 5}]}]}
  web:
    groups:
      pages:
        max: 1000000
        criteria:
          - {name: prices, kind: event, on: visit, where: {field: url, op: contains, value: /pricing}, points: 8, decay: {half_life: 1d}}
          - {name: long, kind: event, on: [visit, call], points: {per: seconds, rate: 0.5, max: 100}, decay: {linear: 10d}}
          - {name: paid, kind: event, on: visit, where: {field: paid, op: eq, value: true}, points: 3}
          - {name: home, kind: event, on: ping, when: {field: country, op: eq, value: DE}, points: 100}
      soon:
        weight: 0.5
        fade: {on: ping, bands: [{within: 7d, factor: 1}], otherwise: 0.25}
        criteria:
          - {name: due, kind: event, on: visit, where: {field: due, op: ge, value: "2026-04-01"}, points: 7, decay: {expire: 5d}}
          - {name: calls, kind: frequency, on: call, within: 2d, bands: [{at_least: 2, points: 4}]}
          - {name: pings, kind: event, on: ping, points: 1, cooldown: 1h, decay: {steps: [{after: 1d, factor: 0.5}]}}
  total: {combine: {fit: 1, web: 1.5}}
""")
SCORER = lc.Scorer(MODEL)


class Anything(Mapping):
    """A mapping that is no dict."""

    def __init__(self, **values):
        self.values_ = values

    def __getitem__(self, name):
        return self.values_[name]

    def __iter__(self):
        return iter(self.values_)

    def __len__(self):
        return len(self.values_)


class Text(str):
    """Text of another class."""


class Whole(int):
    """An integer of another class."""


@pytest.mark.parametrize(
    "at",
    [
        T,
        T.replace(tzinfo=None),
        T.astimezone(ZoneInfo("Asia/Kolkata")),
        T.astimezone(timezone(-HOUR)),
        T.astimezone(ZoneInfo("UTC")),
        "2026-03-09T12:00Z",
        "2026-03-09T14:00+02:00",
        np.datetime64("2026-03-09T12:00"),
        T.timestamp().__int__() * 10**6,
        Whole(int(T.timestamp()) * 10**6),
    ],
    ids=repr,
)
@pytest.mark.parametrize("type_", ["visit", "ghost"])
def test_forms_of_an_instant(at, type_):
    """Every form of an instant is that instant, also where the type is not declared."""
    tally = lc.Tally(SCORER, "web")
    tally.add(1, T - 24 * HOUR, "visit", {"url": "/pricing"})
    assert tally.add(1, at, type_, {"seconds": 2.0}) == 4.0 + (1.0 if type_ == "visit" else 0)


def test_a_date_is_its_midnight():
    tally = lc.Tally(SCORER, "web")
    tally.add(1, date(2026, 3, 8), "visit", {"url": "/pricing"})
    assert tally.add(1, date(2026, 3, 9), "ghost") == tally.score(1, date(2026, 3, 9))["web"] == 4.0


@pytest.mark.parametrize(
    "micros", [-62_135_596_800_000_000, -1, 0, 951_782_399_999_999, 951_782_400_000_000, 253_402_300_799_999_999]
)
def test_datetimes_of_all_times(micros):
    """The ends of time, 1970, and leap days: a datetime is read as its microseconds are."""
    at = datetime(1970, 1, 1) + timedelta(microseconds=micros)
    tally = lc.Tally(SCORER, "web")
    tally.add(1, at, "visit", {"paid": True})
    assert tally.add(1, micros, "visit", {"paid": True}) == 6.0
    if micros > -62_135_596_800_000_000:
        with pytest.raises(lc.DataError, match="before the newest"):
            tally.add(1, micros - 1, "visit")


def test_days_one_by_one():
    """Every day from 1899 to 2101 and around the ends of the years 1 and 9999 has its number."""
    tally = lc.Tally(SCORER, "web")
    for first, days in ((date(1, 1, 1), 800), (date(1899, 1, 1), 73_800), (date(9998, 1, 1), 730)):
        for number in range(first.toordinal(), first.toordinal() + days):
            day = date.fromordinal(number)
            tally.add(1, datetime(day.year, day.month, day.day, 23, 59, 59, 999_999), "ping")
            micros = (number - 719_163) * 86_400_000_000 + 86_399_999_999
            tally.add(1, micros, "ping")  # neither before it ...
            with pytest.raises(lc.DataError):
                tally.add(1, micros - 1, "ping")  # ... nor after


@pytest.mark.parametrize(
    "properties",
    [
        {"url": "/pricing", "seconds": 4.0, "paid": True},
        {"url": "/pricing", "seconds": 4, "paid": True, "due": None, "other": object()},
        {"url": Text("/pricing"), "seconds": np.float32(4), "paid": np.True_},
        Anything(url="/pricing", seconds=4.0, paid=True),
        {"url": "/pricing", "seconds": 4.0, "paid": True, "note": "Straße", "due": "2026-03-31T23:59:59Z"},
    ],
)
def test_forms_of_properties(properties):
    """Whatever says the same counts the same, the first time and again."""
    tally = lc.Tally(SCORER, "web", micropoints=True)
    assert [tally.add(1, T, Text("visit"), properties) for _ in range(3)] == [13_000_000, 26_000_000, 39_000_000]
    assert tally.add(1, T, "visit", properties) == 52_000_000


def test_nulls_and_bounds_of_numbers():
    for value, worth in ((None, 0), (float("nan"), 0), (-0.0, 0), (1e300, 100), (-3, -1.5), (2**53, 100), (0.1, 0.05)):
        assert lc.Tally(SCORER, "web").add(1, T, "call", {"seconds": value}) == worth


def test_ids():
    """Ids are of one kind; equal ones are one lead, whatever class they have."""
    numbers, texts = lc.Tally(SCORER), lc.Tally(SCORER)
    for lead_id in (1, np.int64(1), Whole(1), 2, -(2**63), 2**63 - 1):
        numbers.add(lead_id, T, "ping")
    assert list(numbers) == [1, 2, -(2**63), 2**63 - 1]
    assert all(type(lead_id) is int for lead_id in numbers)
    for lead_id in ("a", Text("a"), "ä", "", "1"):
        texts.add(lead_id, T, "ping")
    assert list(texts) == ["a", "ä", "", "1"]
    assert all(type(lead_id) is str for lead_id in texts)
    assert 1 in numbers
    assert "1" not in numbers
    assert "ä" in texts
    assert None not in texts


def test_forgetting():
    """A lead forgotten is as one that never was."""
    tally = lc.Tally(SCORER, "total")
    tally.put("a", {"size": 50, "country": "DE"})
    assert (len(tally), tally.add("a", T, "ping")) == (1, 5 + 1.5 * (100 + 0.5))
    assert (tally.forget("a"), tally.forget("a"), len(tally), "a" in tally) == (True, False, 0, False)
    assert tally.add("a", T - HOUR, "call", {"seconds": 2}) == 1.5
    assert list(tally) == ["a"]


@pytest.mark.parametrize("kind", [int, str])
def test_many_leads_come_and_go(kind):
    """Thousands of leads, forgotten and told again at random, each with its own count."""
    tally, counts, random = lc.Tally(SCORER, "web"), {}, Random(1)
    for _ in range(40_000):
        lead_id = kind(random.choice((random.randrange(5_000), random.randrange(100) << 40)))
        if random.random() < 0.3:
            assert tally.forget(lead_id) == (counts.pop(lead_id, None) is not None)
        else:
            counts[lead_id] = counts.get(lead_id, 0) + 1
            assert tally.add(lead_id, T, "visit", {"paid": True}) == 3 * counts[lead_id]
    assert list(tally) == list(counts)
    assert len(tally) == len(counts)
    assert all(tally.score(lead_id, T)["web"] == 3 * count for lead_id, count in counts.items())


def test_attributes_change():
    """Attributes are those put last; what events came to stays."""
    tally = lc.Tally(SCORER, "total")
    assert tally.add(1, T, "ping") == 0.75
    tally.put(1, {"country": "DE"})
    assert tally.score(1, T) == {"fit": 0.0, "web": 100.5, "total": 150.75}
    tally.put(1, {"size": 10})
    assert tally.score(1, T) == {"fit": 5.0, "web": 0.5, "total": 5.75}
    tally.put(1, None)
    assert tally.add(1, T + HOUR, "ghost") == 0.75


def test_a_type_not_declared():
    """No lead begins with it, and the score then is given, also later than the newest event: that is not moved."""
    tally = lc.Tally(SCORER, "web")
    assert tally.add(1, T, "ghost", {"url": 5}) == 0.0
    assert len(tally) == 0
    tally.add(1, T, "visit", {"url": "/pricing"})
    assert tally.add(1, T + 48 * HOUR, "ghost") == 2.0
    assert tally.add(1, T + 24 * HOUR, "ghost") == 4.0
    assert tally.add(1, T + HOUR, "call", {"seconds": 0}) < 8.0


def test_points_beyond_float64():
    """Points are the float64 nearest to the micropoints, also where these do not fit one."""
    document = {
        "leadcore": 1, "name": "large", "events": {"e": {}},
        "scores": {"s": {"criteria": [{"name": "c", "kind": "event", "on": "e", "points": 99999.999999}]},
                   "t": {"combine": {"s": 999_999.999999}}},
    }  # fmt: skip
    scorer = lc.Scorer(lc.Model.model_validate(document))
    points, whole = lc.Tally(scorer), lc.Tally(scorer, micropoints=True)
    micropoints = whole.add(1, T, "e")
    assert micropoints > 2**53
    assert points.add(1, T, "e") == micropoints / 10**6
    assert points.score(1, T)["t"] == scorer.score([{"lead_id": 1, "at": T, "type": "e"}], as_of=T)[1]["t"]


def test_half_lives_over_decades():
    """An event every few years: sums that fell to nothing, and a fold that is idle for long."""
    tally, events = lc.Tally(SCORER, micropoints=True), []
    at = datetime(1971, 1, 1, tzinfo=UTC)
    for step in (1, 40, 1, 900, 5_000, 1, 2, 10_000, 60):
        at += timedelta(days=step, microseconds=step)
        events.append(
            {
                "lead_id": 1,
                "at": at,
                "type": "visit",
                "url": "/pricing",
                "seconds": 9.5,
                "paid": None,
                "due": at,
                "note": None,
            }
        )
        properties = {name: events[-1][name] for name in ("url", "seconds", "due")}
        found = tally.add(1, at, "visit", properties)
        for engine in ("kernel", "reference"):
            assert SCORER.score(events, as_of=at, micropoints=True, engine=engine)[1].micropoints["total"] == found


def test_more_texts_than_are_remembered():
    """Texts by the hundred thousand, short and long, count as what they say."""
    tally = lc.Tally(SCORER, "web", micropoints=True)
    expected = 0
    for i in range(150_000):
        url = f"/{i}/{'pricing' if i % 3 else 'page'}" + ("x" * 5000 if i % 1000 == 0 else "")
        expected += 8_000_000 if i % 3 else 0
        assert tally.add(i % 7, T, "visit", {"url": url}) <= expected
    assert sum(tally.score(lead_id, T)["web"] for lead_id in tally) == expected


def test_threads_take_turns():
    """Events of many threads to the same leads all count."""
    tally = lc.Tally(SCORER, "web")

    def tell(thread):
        for i in range(2_000):
            tally.add(i % 50, T, "visit", {"paid": True, "url": f"/{thread}/{i}", "seconds": 0})
            if i % 500 == 0:
                tally.put(i % 50, {"country": f"{thread}"})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(tell, range(8)))
    assert [tally.score(lead_id, T)["web"] for lead_id in range(50)] == [3.0 * 8 * 40] * 50


def test_a_mapping_that_comes_back():
    """Properties whose reading tells the same lead another event: both count, in the order of their ends."""
    tally = lc.Tally(SCORER, "web")

    class Back(Anything):
        def __getitem__(self, name):
            if name == "url":
                tally.add(1, T + HOUR, "visit", {"paid": True})
            return super().__getitem__(name)

    with pytest.raises(lc.DataError, match="before the newest event"):
        tally.add(1, T, "visit", Back(url="/", paid=True))
    assert tally.add(1, T + HOUR, "visit", Back(url="/", paid=True)) == 9.0


def test_the_score_given_back():
    """Any score; without a name the one that no other combines."""
    answers = {name: lc.Tally(SCORER, name).add(1, T, "visit", {"paid": True}) for name in (None, *MODEL.scores)}
    assert answers == {None: 4.5, "fit": 0.0, "web": 3.0, "total": 4.5}
    assert repr(lc.Tally(SCORER)) == "Tally('m', 0 leads)"
    assert lc.Tally(SCORER).scorer is SCORER
