"""Findings: what is allowed but hardly meant, and how far scores reach (spec 4 to 6)."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from leadcore._reference import score
from leadcore.model import Model
from leadcore.model.duration import DAY
from leadcore.model.finding import Finding
from leadcore.model.reach import weight_sum
from tests.random_cases import case

EXAMPLE = Path(__file__).parents[1] / "data" / "six_stage.yaml"


def found(*criteria: dict[str, Any], **keys: Any) -> list[Finding]:
    """Findings of a model whose score `s` has these criteria."""
    document = {
        "name": "m",
        "attributes": {"title": "text", "size": "number", "vip": "boolean"},
        "events": {"visit": {"url": "text", "seconds": "number", "known": "boolean"}, "mail": {"subject": "text"}},
        "scores": {"s": {"criteria": [{"name": f"c{n}", **c} for n, c in enumerate(criteria)]}},
    }
    for key, value in keys.items():
        document[key] = {**document.get(key, {}), **value} if isinstance(value, dict) else value  # type: ignore[dict-item]
    return Model.model_validate(document).findings()


def reach(*criteria: dict[str, Any], **keys: Any) -> tuple[Any, Any]:
    """The range of the score `s`."""
    one = next(f for f in found(*criteria, **keys) if f.kind == "range" and f.path == "scores.s")
    return one.lowest, one.highest


def others(*criteria: dict[str, Any], **keys: Any) -> list[tuple[str, str]]:
    """Path and kind of all findings but ranges."""
    return [(f.path, f.kind) for f in found(*criteria, **keys) if f.kind != "range"]


def event(**keys: Any) -> dict[str, Any]:
    return {"kind": "event", "on": "visit", "points": 10, **keys}


def attribute(**keys: Any) -> dict[str, Any]:
    return {"kind": "attribute", **keys}


BIG = {"field": "size", "op": "ge", "value": 200}


def test_the_example() -> None:
    assert [str(finding) for finding in Model.load(EXAMPLE).findings()] == [
        "scores.fit: the score is at least -50 and at most 30",
        "scores.engagement: the score is at least -10 and at most 77",
        "scores.total: the score is at least -60 and at most 107",
        "scores.engagement.max: this bound never binds: the value is at most 77 without it",
    ]


@pytest.mark.parametrize(
    ("criteria", "low", "high"),
    [
        ([], 0, 0),
        ([attribute(when=BIG, points=5)], 0, 5),
        ([attribute(when=BIG, points=-5)], -5, 0),
        ([attribute(when=BIG, points=5, min=7)], 0, 7),
        ([attribute(field="title", table={"a": 3, "b": 8})], 0, 8),
        ([attribute(field="title", table={"a": 3, "b": 8}, otherwise=2, missing=-1)], -1, 8),
        ([attribute(field="title", table={"a": 3, "b": 8}, otherwise=2, missing=1, min=2)], 2, 8),
        ([attribute(field="title", table={"a": 3}, otherwise=2, missing=1, when=BIG)], 0, 3),
        ([{"kind": "frequency", "on": "visit", "at_least": 3, "points": 5}], 0, 5),
        ([{"kind": "recency", "on": "visit", "bands": [{"within": "7d", "points": 5}], "otherwise": -3}], -3, 5),
        ([{"kind": "recency", "on": "visit", "bands": [{"within": "7d", "points": 5}], "otherwise": 1, "never": 2}], 1, 5),
        ([event()], 0, None),
        ([event(points=-10)], None, 0),
        ([event(max=50)], 0, 50),
        ([event(points={"per": "seconds", "rate": 2})], None, None),
        ([event(points={"per": "seconds", "rate": 2, "min": 0, "max": 7}, limit={"count": 3, "per": "ever"})], 0, 21),
        ([event(points={"per": "seconds", "rate": 0})], 0, 0),
        ([event(points={"by": "url", "table": {"a": 3, "b": -2}}, limit={"count": 2, "per": "ever"})], -4, 6),
        ([event(limit={"count": 3, "per": "ever"})], 0, 30),
        ([event(limit={"count": 3, "per": "day"})], 0, None),
        ([event(unique_by="known")], 0, 30),
        ([event(unique_by="url")], 0, 655_360),
        ([event(cooldown="1d")], 0, None),
        ([event(cooldown="1d", decay={"expire": "3d"})], 0, 30),
        ([event(cooldown="1d", decay={"expire": "3d", "keep": 0.1})], 0, None),
        ([event(cooldown="1d", decay={"steps": [{"after": "2d", "factor": 0.5}, {"after": "3d", "factor": 0}]})], 0, 25),
        ([event(cooldown="1d", decay={"steps": [{"after": "2d", "factor": 0.5}]})], 0, None),
        ([event(decay={"half_life": "14d"})], 0, None),
        ([event(max=5), event(max=6, when=BIG), event(points=-1, min=-3)], -3, 11),
    ],
)  # fmt: skip
def test_how_far_a_score_reaches(criteria: list[dict[str, Any]], low: int | None, high: int | None) -> None:
    assert reach(*criteria) == (low, high)


def test_a_half_life_with_a_cooldown_has_a_limit() -> None:
    """One event a day of half-life 1d: 1 + 1/2 + 1/4 + ... = 2."""
    low, high = reach(event(cooldown="1d", decay={"half_life": "1d"}))

    assert low == 0
    assert 20 <= high <= Decimal("20.001")


@pytest.mark.parametrize(
    ("decay", "weight"),
    [
        ({"half_life": "3d"}, lambda d: 2 ** (-d / 3)),
        ({"linear": "10d"}, lambda d: max(0, 1 - d / 10)),
        ({"expire": "10d"}, lambda d: d < 10),
        ({"linear": "10d", "delay": "60h"}, lambda d: max(0, 1 - max(0, d - 2.5) / 10)),
        ({"steps": [{"after": "2d", "factor": 0.2}, {"after": "4d", "factor": 0.9}, {"after": "9d", "factor": 0}]}, lambda d: 1 if d < 2 else 0.2 if d < 4 else 0.9 if d < 9 else 0),
        ({"periodic": {"every": "2d", "lose": 0.3}}, lambda d: max(0, 1 - 0.3 * (d // 2))),
        ({"periodic": {"every": "2d", "lose": 0.3, "compound": True}}, lambda d: 0.7 ** (d // 2)),
    ],
)  # fmt: skip
def test_no_events_weigh_more_than_the_bound(decay: dict[str, Any], weight: Any) -> None:
    """Events one apart from each other, the newest at any age: their weights never sum to more."""
    criterion = Model.model_validate(
        {"name": "m", "events": {"visit": {}}, "scores": {"s": {"criteria": [{"name": "c", "kind": "event", "on": "visit", "points": 1, "decay": decay}]}}}
    ).scores["s"].criteria[0]  # type: ignore[index]  # fmt: skip
    for days in (0.25, 1, 1.5, 7):
        bound = weight_sum(criterion.decay, int(days * DAY)) or 0  # type: ignore[union-attr]
        for youngest in (0, 0.1, 0.5, 1, 2, 2.4):
            total = sum(weight(youngest + days * n) for n in range(2_000))
            assert total <= float(bound) * (1 + 1e-9)


def test_groups_fade_weigh_and_combine() -> None:
    groups = {
        "g": {
            "criteria": [{"name": "a", **event(max=40)}, {"name": "b", **event(points=-5, min=-10)}],
            "max": 30,
            "weight": -2,
            "fade": {"on": "visit", "bands": [{"within": "7d", "factor": 0.5}]},
        }
    }
    scores = {
        "s": {"combine": {"t": 0.5, "u": -1}},
        "t": {"groups": groups},
        "u": {"criteria": [{"name": "c", **event()}]},
    }
    model = Model.model_validate({"name": "m", "events": {"visit": {}}, "scores": scores})
    ranges = {f.path: (f.lowest, f.highest) for f in model.findings() if f.kind == "range"}

    assert ranges == {"scores.t": (-60, 20), "scores.u": (0, None), "scores.s": (None, 10)}


@pytest.mark.parametrize(
    ("criteria", "path", "kind"),
    [
        ([event(max=50, limit={"count": 3, "per": "ever"})], "scores.s.criteria[0].max", "never_binds"),
        ([event(max=5, min=0)], "scores.s.criteria[0].min", "never_binds"),
        ([event(where={"all": [{"field": "url", "op": "eq", "value": "a"}, {"field": "url", "op": "in", "value": ["b", "c"]}]})], "scores.s.criteria[0].where", "never_hits"),
        ([event(where={"all": [{"field": "seconds", "op": "gt", "value": 5}, {"field": "seconds", "op": "le", "value": 5}]})], "scores.s.criteria[0].where", "never_hits"),
        ([event(where={"any": []})], "scores.s.criteria[0].where", "never_hits"),
        ([event(on=["visit", "mail"], where={"field": "url", "op": "contains", "value": "a"})], "scores.s.criteria[0].where", "never_hits"),
        ([attribute(when={"not": {"all": []}}, points=1)], "scores.s.criteria[0].when", "never_hits"),
        ([attribute(when={"all": [BIG, {"field": "size", "op": "exists", "value": False}]}, points=1)], "scores.s.criteria[0].when", "never_hits"),
        ([attribute(when={"field": "size", "op": "lt", "value": 100}, field="size", bands=[{"at_least": 10, "points": 1}, {"at_least": 500, "points": 2}])], "scores.s.criteria[0].bands[1]", "unreachable"),
        ([attribute(when=BIG, field="size", bands=[{"at_least": 10, "points": 1}, {"at_least": 100, "points": 2}])], "scores.s.criteria[0].bands[0]", "unreachable"),
        ([{"kind": "frequency", "on": "visit", "distinct": "known", "bands": [{"at_least": 2, "points": 1}, {"at_least": 3, "points": 2}]}], "scores.s.criteria[0].bands[1]", "unreachable"),
    ],
)  # fmt: skip
def test_criteria_that_cannot_be_meant(criteria: list[dict[str, Any]], path: str, kind: str) -> None:
    assert others(*criteria) == [(path, kind)]


@pytest.mark.parametrize(
    "criterion",
    [
        event(where={"all": [{"field": "url", "op": "ne", "value": "a"}, {"field": "url", "op": "ne", "value": "b"}]}),
        event(where={"all": [{"field": "url", "op": "contains", "value": "a"}, {"field": "url", "op": "eq", "value": "b"}]}),
        event(where={"all": [{"field": "seconds", "op": "ge", "value": 5}, {"field": "seconds", "op": "le", "value": 5}]}),
        event(on=["visit", "mail"], where={"field": "url", "op": "ne", "value": "a"}),
        event(where={"all": [{"field": "url", "op": "eq", "value": "A"}, {"field": "url", "op": "eq", "value": "a"}]}),
        event(max=5),
        attribute(when=BIG, field="size", bands=[{"at_least": 100, "points": 1}, {"at_least": 500, "points": 2}]),
    ],
)  # fmt: skip
def test_criteria_that_may_be_meant(criterion: dict[str, Any]) -> None:
    assert others(criterion) == []


def test_thresholds_and_grades() -> None:
    capped = event(max=50)
    thresholds = {"a": {"score": "s", "at": 51}, "b": {"score": "s", "at": 50}, "c": {"score": "s", "at": 0}}
    assert others(capped, thresholds=thresholds) == [("thresholds.a.at", "unreachable"), ("thresholds.c.at", "always")]
    grades = [{"name": "A", "at_least": 60}, {"name": "B", "at_least": 20}, {"name": "C", "at_least": 0}, {"name": "D"}]
    scores = {"s": {"criteria": [{"name": "c", **capped}], "grades": grades}}
    assert others(scores=scores) == [("scores.s.grades[0]", "unreachable"), ("scores.s.grades[3]", "unreachable")]


def test_rules_that_never_fire() -> None:
    lifecycle = {
        "initial": "a",
        "stages": [{"name": "a"}, {"name": "b"}],
        "transitions": [
            {"name": "x", "from": "a", "to": "b", "when": {"field": "score.s", "op": "gt", "value": 50}},
            {"name": "y", "from": "a", "to": "b", "when": {"field": "score.s", "op": "ge", "value": 50}},
            {"name": "z", "from": "a", "to": "b", "when": {"field": "stage.visits", "op": "lt", "value": 1}},
        ],
    }
    labels = [{"name": "hot", "when": {"field": "score.s", "op": "ge", "value": 51}}, {"name": "cold"}]
    assert others(event(max=50), lifecycle=lifecycle, labels=labels) == [
        ("labels[0].when", "never_hits"),
        ("lifecycle.transitions[0].when", "never_hits"),
        ("lifecycle.transitions[2].when", "never_hits"),
    ]


def test_no_lead_gets_beyond_the_ends() -> None:
    """Over random models and data: every score of the reference engine lies within the range that was found."""
    ends = 0
    for seed in range(300):
        one = case(seed)
        model = Model.model_validate(one.document)
        ranges = {f.path.removeprefix("scores."): f for f in model.findings() if f.kind == "range"}
        for row in score(model, one.leads, one.events, one.as_of, one.aliases, one.unknown_leads).rows:
            for name in model.scores:
                value, found = Decimal(row[name]).scaleb(-6), ranges[name]
                assert found.lowest is None or value >= found.lowest - Decimal("0.001"), (seed, name)
                assert found.highest is None or value <= found.highest + Decimal("0.001"), (seed, name)
                ends += (found.lowest is not None) + (found.highest is not None)
    assert ends > 1_000
