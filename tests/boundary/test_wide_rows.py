"""Rows with more numbers than a page of the kernel's store has words."""

from __future__ import annotations

import pytest

import leadcore as lc

WIDTH = 2_600


@pytest.fixture(scope="module")
def scorer() -> lc.Scorer:
    """A criterion for each of so many properties of one type."""
    criteria = [
        {"name": f"c{i}", "kind": "event", "on": "t", "points": {"per": f"p{i}", "rate": 1}} for i in range(WIDTH)
    ]
    document = {
        "leadcore": 1,
        "name": "wide",
        "events": {"t": {f"p{i}": "number" for i in range(WIDTH)}},
        "scores": {"s": {"criteria": criteria}},
    }
    return lc.Scorer(lc.Model.model_validate(document))


def test_one_lead(scorer: lc.Scorer) -> None:
    events = [{"type": "t", "at": f"2026-01-0{day}", "p0": day, f"p{WIDTH - 1}": 10 * day} for day in (1, 2, 3)]

    assert scorer.score_lead({}, events, as_of="2026-02-01")["s"] == 66


def test_a_table(scorer: lc.Scorer) -> None:
    columns = {f"p{i}": [float(i == 7), 0.0, 2.0 * (i == WIDTH - 1)] for i in range(WIDTH)}
    events = {"lead_id": [1, 2, 1], "at": ["2026-01-01"] * 3, "type": ["t"] * 3, **columns}

    scores = scorer.score(events, as_of="2026-02-01")

    assert {row["lead_id"]: row["s"] for row in scores.table.to_dicts()} == {1: 3.0, 2: 0.0}
