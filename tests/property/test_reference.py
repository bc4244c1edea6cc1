"""What the reference engine rests on, against even more direct readings of the spec."""

import importlib.resources
import itertools
import struct
from decimal import Decimal, localcontext
from fractions import Fraction
from math import isqrt
from random import Random

import pytest

from leadcore._reference import calendar, half_life, score
from leadcore._reference.calendar import DAY, HOUR, LAST, MINUTE, PROBE, WEEK
from leadcore._reference.decay import decayed
from leadcore.model import Model

SECOND = 1_000_000


def test_growth_table_is_rounded_roots():
    """G[i] is round(2^42 2^(i/1024)), here by ten integer square roots (spec 9.4)."""
    for i in range(0, 1024, 31):
        root = 1 << (1024 * 43 + i)
        for _ in range(10):
            root = isqrt(root)
        assert half_life.powers()[i] == (root + 1) // 2


def by_recurrence(duration, worth, now):
    """Spec 9.4 epoch by epoch: S_e = A_e + S_(e-1) // 2."""
    sums = {}
    for at, points in worth:
        sums[at // duration] = sums.get(at // duration, 0) + points * half_life.growth(duration, at % duration)
    total = 0
    for epoch in range(min(sums, default=now // duration), now // duration + 1):
        total = sums.get(epoch, 0) + total // 2
    rest = now % duration
    d = 2**43 if rest == 0 else half_life.growth(duration, duration - rest)
    return round(Fraction((total >> 24) * d, 2**61))


def random_worth(rng, now, span):
    """Events of up to 100,000 points before T, some at T."""
    sizes = (1, 1_000_000, 10**11)
    return [
        (now - rng.choice((0, rng.randrange(span), rng.randrange(span * 20))), rng.randint(-size, size))
        for size in rng.choices(sizes, k=rng.randrange(1, 8))
    ]


def test_half_life_skips_empty_epochs_exactly():
    """Empty epochs are one arithmetic shift: the same bits as halving once per epoch."""
    rng = Random(1)
    for _ in range(300):
        duration = rng.choice((HOUR, DAY, 14 * DAY + 1, HOUR + 12_345_678))
        now = rng.randrange(-(10**16), 10**16)
        worth = random_worth(rng, now, duration)
        assert half_life.value(duration, worth, now) == by_recurrence(duration, worth, now)


DECAYS = [
    {"half_life": "1h"}, {"half_life": "14d"}, {"half_life": "36525d"}, {"half_life": "1h1s"}, {"linear": "10d"},
    {"expire": "3d"}, {"steps": [{"after": "1d", "factor": 0.333333}, {"after": "5d", "factor": 0.1}]},
    {"periodic": {"every": "1d", "lose": 0.01}}, {"periodic": {"every": "1d", "lose": 0.01, "compound": True}},
    {"periodic": {"every": "1d", "lose": 0.333333, "compound": True}},
]  # fmt: skip


def weight(decay, age):
    """The real-number reading of section 5, to 50 digits."""
    with localcontext() as context:
        context.prec = 50
        a = Decimal(age)
        if "half_life" in decay:
            return Decimal(2) ** -(a / span(decay["half_life"]))
        if "linear" in decay:
            return max(Decimal(0), 1 - a / span(decay["linear"]))
        if "expire" in decay:
            return Decimal(1 if age < span(decay["expire"]) else 0)
        if "steps" in decay:
            factors = [Decimal(str(step["factor"])) for step in decay["steps"] if age >= span(step["after"])]
            return factors[-1] if factors else Decimal(1)
        lose, n = Decimal(str(decay["periodic"]["lose"])), age // span(decay["periodic"]["every"])
        return (1 - lose) ** n if decay["periodic"].get("compound") else max(Decimal(0), 1 - lose * n)


def span(text):
    """A duration of these tests in microseconds."""
    units = {"d": DAY, "h": HOUR}
    return HOUR + SECOND if text == "1h1s" else int(text[:-1]) * units[text[-1]]


@pytest.mark.parametrize("decay", DECAYS, ids=str)
@pytest.mark.parametrize("extra", [{}, {"delay": "2d", "keep": 0.333333}], ids=["plain", "delay and keep"])
def test_values_are_close_to_the_real_numbers(decay, extra):
    """Within 10^-11 of the sum of |points| plus two micropoints per event; exact at age 0 (spec 9.7)."""
    document = {"leadcore": 1, "name": "m", "events": {"v": {}}}
    criterion = {"name": "c", "kind": "event", "on": "v", "points": 1, "decay": {**decay, **extra}}
    model = Model.model_validate({**document, "scores": {"s": {"criteria": [criterion]}}})
    parsed = model.scores["s"].criteria[0].decay
    rng = Random(repr(decay))
    for _ in range(100):
        now = rng.randrange(-(10**17), 2 * 10**17)
        worth = random_worth(rng, now, 30 * DAY)
        with localcontext() as context:
            context.prec = 50
            keep = Decimal(str(extra.get("keep", 0)))
            delay = span(extra["delay"]) if extra else 0
            real = sum(p * (keep + (1 - keep) * weight(decay, max(0, now - at - delay))) for at, p in worth)
            allowed = Decimal(10) ** -11 * sum(abs(p) for _, p in worth) + 2 * len(worth)
            assert abs(decayed(parsed, worth, now) - real) <= allowed
        assert decayed(parsed, [(now, 10**11)], now) == 10**11
        assert decayed(parsed, [(now, -1)], now) == -1


def test_no_zone_changes_twice_between_probes():
    """`calendar.changes` looks for changes of the offset in steps; no release of tzdata may outrun them."""
    folder = importlib.resources.files("tzdata")
    for name in folder.joinpath("zones").read_text().split():
        times = transitions(folder.joinpath("zoneinfo", *name.split("/")).read_bytes())
        gaps = [after - before for before, after in itertools.pairwise(times)]
        assert min(gaps, default=PROBE) * SECOND >= PROBE or len(times) < 2, name


def transitions(data):
    """The transition times of a TZif file's 64-bit part (RFC 8536), in seconds."""

    def header(at):
        return struct.unpack(">4s16x6l", data[at : at + 44])[1:]

    isut, isstd, leap, timecnt, typecnt, charcnt = header(0)
    second = 44 + timecnt * 5 + typecnt * 6 + charcnt + leap * 8 + isstd + isut
    timecnt = header(second)[3]
    return struct.unpack(f">{timecnt}q", data[second + 44 : second + 44 + 8 * timecnt])


ODD_DAYS = [
    ("Europe/Berlin", 1_711_846_800), ("Europe/Berlin", 1_729_990_800), ("America/St_Johns", 1_289_097_060),
    ("America/St_Johns", 1_268_537_460), ("Pacific/Apia", 1_325_239_200), ("Australia/Lord_Howe", 1_712_415_600),
    ("America/Havana", 1_699_160_400), ("Africa/Monrovia", 63_593_070), ("America/Juneau", -3_225_223_727),
]  # fmt: skip


@pytest.mark.parametrize(("zone", "change"), ODD_DAYS)
def test_units_follow_the_furthest_wall_time(zone, change):
    """Minute by minute around a change: the unit is that of the furthest time the wall clock has shown (spec 1.3)."""
    start = change * SECOND - 3 * DAY
    furthest = -LAST
    for minute in range(5 * 24 * 60):
        instant = start + minute * MINUTE
        furthest = max(
            furthest, instant - 1 + calendar.offset(zone, instant - 1), instant + calendar.offset(zone, instant)
        )
        if minute < 2 * 24 * 60:
            continue
        assert calendar.unit_of(zone, "hour", instant) == furthest // HOUR
        assert calendar.unit_of(zone, "day", instant) == furthest // DAY
        assert calendar.unit_of(zone, "week", instant) == (furthest - 4 * DAY) // WEEK


def test_too_many_values():
    """At most 65,536 values of `unique_by` count; events of further ones do not, and are reported (spec 4.6)."""
    criterion = {"name": "c", "kind": "event", "on": "v", "points": 1, "unique_by": "n"}
    document = {
        "leadcore": 1,
        "name": "m",
        "events": {"v": {"n": "number"}},
        "scores": {"s": {"criteria": [criterion]}},
    }
    values = [None, *range(65_540), 3, 65_539]
    events = [{"lead_id": 1, "at": at, "type": "v", "n": value} for at, value in enumerate(values)]

    result = score(Model.model_validate(document), None, events, len(events))

    assert result.rows == [{"lead_id": 1, "s": 65_536_000_000}]
    assert result.unique_by_overflow == 6  # 65,535 to 65,539 once and the last again
