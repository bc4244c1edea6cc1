"""Scores from sums alone are those of events in their order, also where a half-life's oldest events hardly count (spec 9.4)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

import pytest

import leadcore as lc

HOUR = timedelta(hours=1)
T = datetime(2026, 3, 1, tzinfo=UTC)


def scorer(points, decay, ordered=False):
    """One criterion; ``ordered`` adds one whose events must come in order, so that nothing is summed."""
    criteria = [{"name": "c", "kind": "event", "on": "visit", "points": points, "decay": decay}]
    if ordered:
        criteria.append({"name": "o", "kind": "event", "on": "visit", "points": 0, "cooldown": "1h"})
    document = {"leadcore": 1, "name": "m", "events": {"visit": {}}, "scores": {"s": {"criteria": criteria}}}
    return lc.Scorer(lc.Model.model_validate(document))


def rows(instants):
    return [{"lead_id": 1, "at": at, "type": "visit"} for at in instants]


def points_of(engine, one, instants, as_of=T):
    return one.score(rows(instants), as_of=as_of, micropoints=True, engine=engine).to_dicts()[0]["s"]


@pytest.mark.parametrize("points", [1, -1, 0.000001, -0.000001, 100_000, -33.333333])
@pytest.mark.parametrize(
    "ages",
    [
        [0],
        [113],
        [5000],
        [56, 57, 112, 113, 154, 155, 156, 400],
        [0, 400],  # a whole number and next to nothing
        [0, 0, 113, 113],
        [12, 5000, 5000],
        [0.5, 300, 3000],
        [0.25, 56.25, 112.75, 113.5, 175.5],
    ],
)
def test_half_lives_long_past(points, ages):
    """Ages in half-lives, at an instant where epochs begin and beside it."""
    instants = [T - age * HOUR for age in ages]
    for as_of in (T, T + timedelta(microseconds=1), T + HOUR / 3):
        found = points_of("kernel", scorer(points, {"half_life": "1h"}), instants, as_of)
        assert found == points_of("kernel", scorer(points, {"half_life": "1h"}, ordered=True), instants, as_of)
        assert found == points_of("reference", scorer(points, {"half_life": "1h"}), instants, as_of)


DECAYS = [
    None, {"half_life": "90m"}, {"linear": "7d"}, {"expire": "3d"}, {"expire": "3d", "delay": "1h"},
    {"steps": [{"after": "1d", "factor": 0.5}, {"after": "5d", "factor": 0.333333}]},
    {"periodic": {"every": "1d", "lose": 0.07}}, {"periodic": {"every": "1d", "lose": 0.07, "compound": True}}, {"half_life": "2d", "delay": "1d"},
]  # fmt: skip


@pytest.mark.parametrize("decay", DECAYS, ids=str)
def test_any_order(decay):
    """Rows come in any order, some later than the instant asked."""
    random = Random(str(decay))
    instants = [T - timedelta(seconds=random.randint(-86_400, 20 * 86_400)) for _ in range(300)]
    expected = points_of("reference", scorer(7.5, decay), sorted(instants))
    for _ in range(3):
        random.shuffle(instants)
        assert points_of("kernel", scorer(7.5, decay), instants) == expected
        assert points_of("kernel", scorer(7.5, decay, ordered=True), instants) == expected
