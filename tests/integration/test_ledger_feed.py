"""A ledger of a store through its face: the same answers as in memory, and a feed of what it said."""

from __future__ import annotations

import json
import pickle

import polars as pl
import pytest

import leadcore as lc
from tests.integration.test_ledger import HISTORY, LEADS, SCORER, event, net, same

TABLES = ("scores", "thresholds", "transitions", "alerts")


@pytest.fixture(name="stored")
def a_stored_ledger(tmp_path):
    """A ledger of a new SQLite file."""
    with lc.Ledger.open(f"sqlite:///{tmp_path}/leads.db", SCORER) as ledger:
        yield ledger


def test_a_store_says_what_memory_says(stored):
    """Call by call the same tables, and in the end the same states, scores and foresight."""
    memory = lc.Ledger(SCORER)
    calls = [
        *(lambda one, row=row: one.apply([row]) for row in HISTORY),
        lambda one: one.apply(None, LEADS),
        lambda one: one.add("a", "2026-03-05", "visit", {"page": "/"}, "x"),
        lambda one: one.retract([{"lead_id": "a", "event_id": "e3"}]),
        lambda one: one.merge("c", into="b"),
        lambda one: one.advance("2026-03-20"),
    ]
    for call in calls:
        said, expected = call(stored), call(memory)
        for name in TABLES:
            assert same(getattr(said, name).to_dicts(), getattr(expected, name).to_dicts())
        assert said.counts == expected.counts
    assert {*stored} == {*memory}
    assert (len(stored), stored.clock, "c" in stored) == (len(memory), memory.clock, True)
    assert same(stored.score("2026-05-01").to_dicts(), memory.score("2026-05-01").to_dicts())
    assert same(stored.next_change("2026-03-20").to_dicts(), memory.next_change("2026-03-20").to_dicts())
    for lead_id in "abc":
        assert str(stored.lead(lead_id)) == str(memory.lead(lead_id))
    assert stored.score("2026-05-01")["a"].explain().totals == memory.score("2026-05-01")["a"].micropoints
    assert stored.forget("b")
    assert "c" not in stored


def test_the_feed_is_what_was_said(stored):
    """Every row of every table of changes, in the order of calls, under one number each; and no more."""
    said = [stored.apply([row]) for row in HISTORY]
    said += [stored.apply(None, LEADS), stored.advance("2026-03-20")]
    feed = stored.changes().to_dicts()

    assert [row["seq"] for row in feed] == list(range(1, len(feed) + 1))
    assert len(feed) == sum(len(getattr(changes, name)) for changes in said for name in TABLES)
    for kind, name, columns in (
        ("score", "scores", ("score", "before", "after")),
        ("threshold", "thresholds", ("threshold", "reached")),
        ("transition", "transitions", ("from_stage", "to_stage", "rule", "cause", "event_id", "change", "key")),
        ("alert", "alerts", ("stage", "entered_at", "level", "notify", "change", "key")),
    ):
        mine = [row for row in feed if row["kind"] == kind]
        told = [row for changes in said for row in getattr(changes, name).to_dicts()]
        at = "as_of" if kind in ("score", "threshold") else "at"
        assert [(row["lead_id"], row["at"], *(row[c] for c in columns)) for row in mine] == [
            (row["lead_id"], row[at], *(row[c] for c in columns)) for row in told
        ]
        scores = [None if row["scores"] is None else json.loads(row["scores"]) for row in mine]
        assert scores == [{"total": row["total"]} if kind == "transition" else None for row in told]


def test_the_feed_goes_on_where_one_left_off(stored):
    """Pages follow each other; at the end there is an empty one of the same columns."""
    stored.apply(HISTORY)
    whole = stored.changes().to_dicts()
    first = stored.changes(limit=3)
    rest = stored.changes(after=first.to_dicts()[-1]["seq"])
    end = stored.changes(after=len(whole))

    assert first.to_dicts() + rest.to_dicts() == whole
    assert len(end) == 0
    assert end.column_names == first.column_names
    types = stored.changes().to_polars().schema
    assert (types["at"], types["before"], types["notify"]) == (pl.Datetime("us", "UTC"), pl.Float64, pl.List(pl.String))


def test_the_net_of_a_feed_is_one_replay(stored):
    """Late events included: transitions and alerts not withdrawn are those of the batch."""
    rows = [*HISTORY[2:], *HISTORY[:2], event("a", "2026-03-01T12:00Z", "demo", event_id="late")]
    said = [stored.apply([row], LEADS) for row in rows] + [stored.advance("2026-03-20")]
    replay = SCORER.replay(rows, LEADS, until="2026-03-20")
    standing = {}
    for row in stored.changes().to_dicts():
        if row["change"] == "new":
            standing[row["key"]] = row
        elif row["change"] == "withdrawn":
            del standing[row["key"]]

    assert len(standing) == len(replay.transitions) + len(replay.alerts)
    assert same(net(said, "transitions"), replay.transitions.to_dicts())


def test_what_a_store_does_not_do(stored, tmp_path):
    """It is not pickled, and not filled from a file; it is saved to one."""
    stored.apply(HISTORY, LEADS)
    stored.save(tmp_path / "s")
    again = lc.Ledger.load(tmp_path / "s")
    assert same(again.score("2026-05-01").to_dicts(), stored.score("2026-05-01").to_dicts())
    with pytest.raises(lc.LeadcoreError, match="a ledger of a store is not pickled: open the store"):
        pickle.dumps(stored)
    with pytest.raises(lc.LeadcoreError, match="is not loaded from a file: load it in memory"):
        stored.load(tmp_path / "s")
