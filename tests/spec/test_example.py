"""The example of spec 13, scored: figures worked out by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

import leadcore as lc

MODEL = lc.Model.load(Path(__file__).parents[1] / "data" / "six_stage.yaml")
SCORER = lc.Scorer(MODEL)
T = "2026-03-15T00:00Z"
LEADS = [
    {"lead_id": "vp", "job_title": "Vice President Sales", "country": "DE", "revenue": 60e6, "student": False},
    {"lead_id": "student", "job_title": "MVP coach", "country": None, "revenue": None, "student": True},
]
EMPTY = {"url": None, "form": None, "minutes": None, "status": None}
EVENTS = [
    *(
        {**EMPTY, "lead_id": "vp", "at": f"2026-03-01T00:0{m}Z", "type": "page_view", "url": "/Pricing"}
        for m in range(5)
    ),
    {**EMPTY, "lead_id": "vp", "at": T, "type": "form_submit", "form": "Demo"},
    {**EMPTY, "lead_id": "student", "at": "2026-03-01T00:00Z", "type": "webinar", "minutes": 60.0},
]


@pytest.mark.parametrize("engine", ["kernel", "reference"])
def test_example(engine):
    """A vice president's three counted views a half-life ago and a demo now; a student long gone."""
    scores = SCORER.score(EVENTS, LEADS, as_of=T, engine=engine)
    lead = scores["vp"]
    assert lead.scores["fit"] == 30  # vice president 20, revenue 10
    # three of five pricing views count, at 14 days less 0, 1 and 2 minutes old; 40 for the demo; 5 for being recent
    pricing = sum(15 * 2 ** (-(14 * 1440 - minutes) / (14 * 1440)) for minutes in range(3))
    assert lead.scores["engagement"] == pytest.approx(min(60, pricing + 40) + 5, abs=1e-6)
    assert lead.scores["engagement"] == 65  # 22.5 and a little: intent is held at 60
    assert lead.scores["total"] == 95
    assert lead.thresholds == {"mql": True}
    gone = scores["student"]
    assert (gone.scores["fit"], gone.scores["engagement"], gone.thresholds["mql"]) == (-50, -10, False)
