"""What `Scorer.replay` gives is the same from both engines to the type, and histories are what scoring says (spec 8, 10.2)."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

import leadcore as lc
from leadcore._replay_tables import NAMES
from leadcore._time import to_text
from tests.engines import arrow
from tests.random_lifecycles import replay_case

CASES, BLOCKS = 60, 6


@pytest.mark.parametrize("block", range(BLOCKS))
def test_both_engines_and_scoring_agree(block):
    """Tables have the same types and rows, leads the same stories; a history has the scores that scoring then gives."""
    for seed in range(block * CASES // BLOCKS, (block + 1) * CASES // BLOCKS):
        case = replay_case(seed)
        model = lc.Model.model_validate(case.document)
        scorer = lc.Scorer(model)
        properties = {name: field.type for declared in model.events.values() for name, field in declared.items()}
        attributes = {name: field.type for name, field in model.attributes.items()}
        events = arrow(case.events, {"at": "instant", "type": "text", **properties})
        leads = case.leads
        if leads is not None:
            leads = arrow(leads, {"created_at": "instant", "valid_from": "instant", **attributes})
        aliases = arrow(case.aliases, {}) if case.aliases else None
        given = {
            "until": to_text(case.until), "aliases": aliases, "unknown_leads": case.unknown_leads, "score_changes": True,
            "start": arrow(case.start, {"stage": "text", "entered_at": "instant"}) if case.start else None,
        }  # fmt: skip
        fast = scorer.replay(events, leads, **given)
        slow = scorer.replay(events, leads, engine="reference", **given)
        for name in (*NAMES, "score_changes"):
            assert pa.table(getattr(fast, name)).equals(pa.table(getattr(slow, name))), f"replay_case({seed}), {name}"
        for lead_id in fast.states.to_polars()["lead_id"].to_list():
            assert str(fast.lead(lead_id)) == str(slow.lead(lead_id))
            assert fast.lead(lead_id)._repr_html_().startswith("<p>")
        assert repr(fast) == repr(slow)

        history = fast.history("5000d").to_dicts()[:200]
        asked = [{"lead_id": row["lead_id"], "as_of": row["at"]} for row in history]
        if asked:
            then = scorer.score(events, leads, as_of=asked, aliases=aliases).to_dicts()
            shown = ["lead_id", *model.scores]
            assert [[row[n] for n in shown] for row in history] == [[row[n] for n in shown] for row in then]


def test_a_record_of_a_person_finds_the_person():
    """The story of a lead is found under each id that stands for it; a stranger is a KeyError."""
    model = lc.Model.load(Path(__file__).parents[1] / "data" / "six_stage.yaml")
    events = [{"lead_id": one, "at": "2026-03-01", "type": "page_view", "url": "/"} for one in ("a", "b")]
    rows = [{"form": None, "minutes": None, "status": None, **event} for event in events]
    replay = lc.Scorer(model).replay(rows, until="2026-03-02", aliases=[{"lead_id": "b", "same_as": "a"}])
    assert len(replay) == 1
    assert str(replay.lead("b")) == str(replay.lead("a"))
    assert "b" in replay
    with pytest.raises(KeyError, match="no lead 'c'"):
        replay.lead("c")
