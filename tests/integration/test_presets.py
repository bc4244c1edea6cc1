"""All presets: every rule fires and every stage is reached, nothing circles, engines agree, pages and pictures fit."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from leadcore.presets import PRESETS
from tests.integration.preset_stories import LIFECYCLES, SCORERS, day, log, model_of


@pytest.mark.parametrize("preset", LIFECYCLES)
def test_no_rule_is_dead_and_none_circles(preset):
    """Among many leads every rule fires and every stage is entered; no rule is held up for going round in circles."""
    leads, events = log(preset, 3000, seed=1)
    replay = SCORERS[preset].replay(events, leads, until=day(1200))
    lifecycle = SCORERS[preset].model.lifecycle

    fired = {row["rule"] for row in replay.transitions.to_dicts()}
    entered = {row["to_stage"] for row in replay.transitions.to_dicts()}
    assert {rule.name for rule in lifecycle.transitions} - fired == set()
    assert {stage.name for stage in lifecycle.stages} - entered == set()
    assert replay.counts.loop_stops == {}


@pytest.mark.parametrize("preset", LIFECYCLES)
def test_settles(preset):
    """A lead that does nothing any more comes to rest: two years after the last event nothing moves."""
    leads, events = log(preset, 300, seed=4)
    last = max(row["at"] for row in events)
    replay = SCORERS[preset].replay(events, leads, until=last + timedelta(1500))

    assert max(row["at"] for row in replay.transitions.to_dicts()) < last + timedelta(740)


@pytest.mark.parametrize("preset", LIFECYCLES)
def test_engines_agree(preset):
    """Both engines say the same of leads that hands move as well."""
    leads, events = log(preset, 15, seed=2, hands=True)
    one, other = (
        SCORERS[preset].replay(events, leads, until=day(365), micropoints=True, engine=engine)
        for engine in ("kernel", "reference")
    )

    for table in ("transitions", "spans", "alerts", "states"):
        assert getattr(one, table).to_dicts() == getattr(other, table).to_dicts()


@pytest.mark.parametrize("preset", PRESETS)
def test_findings(preset):
    """Nothing that is allowed but hardly meant, and a model that has the preset's name."""
    model = model_of(preset)

    assert [str(finding) for finding in model.findings() if finding.kind != "range"] == []
    assert model.name == preset


@pytest.mark.parametrize("preset", LIFECYCLES)
def test_documented(preset):
    """Titles for people, an owner for each stage, and a page that names every stage and every rule."""
    lifecycle = SCORERS[preset].model.lifecycle
    assert all(stage.title and stage.owner for stage in lifecycle.stages)
    page = (Path(__file__).parents[2] / f"docs/presets/{preset}.md").read_text(encoding="utf-8")
    names = [part.name for part in (*lifecycle.stages, *lifecycle.transitions)]
    assert [name for name in names if f"`{name}`" not in page] == []


@pytest.mark.parametrize("preset", LIFECYCLES)
def test_picture_is_of_today(preset):
    """``docs/images`` holds what the preset draws; ``python docs/plots.py`` makes it anew."""
    there = Path(__file__).parents[2] / f"docs/images/preset-{preset}.svg"

    assert there.read_text(encoding="utf-8") == model_of(preset).diagram().to_svg()
