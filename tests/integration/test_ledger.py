"""What a ledger gives back: tables of changes, scores, states of leads, and how it is talked to."""

from __future__ import annotations

import copy
import os
import pickle
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random
from types import MappingProxyType

import numpy as np
import polars as pl
import pytest

import leadcore as lc
from leadcore._time import to_text

MODEL = lc.Model.from_yaml("""
leadcore: 1
name: stages
attributes: {size: number}
events: {visit: {page: text}, demo: {}, moved: {to: text}}
rating: [total]
scores:
  total:
    criteria:
      - {name: visits, kind: event, on: [visit], points: 10, decay: {half_life: 7d}}
      - {name: demos, kind: event, on: [demo], points: 40}
      - {name: large, kind: attribute, when: {field: size, op: ge, value: 100}, points: 25}
    grades: [{name: A, at_least: 50}, {name: B}]
thresholds: {hot: {score: total, at: 40, release: 15}}
labels: [{name: known, when: {field: lead.size, op: exists, value: true}}, {name: unknown}]
lifecycle:
  initial: new
  evaluate: {every: 1d}
  manual: {on: moved, field: to}
  stages:
    - {name: new, owner: marketing}
    - {name: warm, owner: sales, sla: {due: 2d, alerts: [{after: 1d, notify: [rep]}, {after: 3d, notify: [rep, boss]}]}}
    - {name: cold}
    - {name: won, kind: exit}
  transitions:
    - {name: keen, from: [new, cold], to: warm, when: {field: threshold.hot, op: eq, value: true}}
    - {name: cools, from: warm, to: cold, when: {field: threshold.hot, op: eq, value: false}}
""")
SCORER = lc.Scorer(MODEL)
PLAIN = lc.Scorer(
    lc.Model.from_yaml("""
{leadcore: 1, name: visits, events: {visit: {}}, thresholds: {hot: {score: total, at: 10}},
 scores: {total: {criteria: [{name: visits, kind: event, on: visit, points: 5}]}}}
""")
)
COLUMNS = {"page": None, "to": None}


def event(lead_id, at, type="visit", **more):
    return {"lead_id": lead_id, "at": at, "type": type, **COLUMNS, "event_id": None, **more}


HISTORY = [
    event("a", "2026-03-01T10:00Z", event_id="e1"),
    event("b", "2026-03-01T11:00Z", event_id="e2"),
    event("a", "2026-03-02T10:00Z", "demo", event_id="e3"),
    event("a", "2026-03-04T10:00Z", event_id="e4"),
    event("b", "2026-03-05T10:00Z", "moved", to="won", event_id="e5"),
]
LEADS = [{"lead_id": "b", "size": 500.0}, {"lead_id": "c", "size": None}]


def told(*history, late="7d", until=None):
    """A ledger to which these events were told one by one, and what it said."""
    ledger = lc.Ledger(SCORER, late=late)
    said = [ledger.apply([row]) for row in history]
    if until is not None:
        said.append(ledger.advance(until))
    return ledger, said


def net(said, name, ledger=None):
    """Rows of a table of all changes that were not withdrawn, by key, without the columns of changes."""
    rows = {}
    for changes in said:
        for row in getattr(changes, name).to_dicts():
            key, change = row.pop("key"), row.pop("change")
            if change == "withdrawn":
                assert rows.pop(key) == row
            else:
                assert key not in rows
                rows[key] = row
    return list(rows.values())


def same(one, other):
    """Whether rows are the same, in any order."""
    return sorted(map(repr, one)) == sorted(map(repr, other))


# what changed


def test_tables_of_changes():
    """The first event of a lead: its score from 0, its birth; a later one: what it moved and whom it alerts."""
    _, (first, _, third, *_) = told(*HISTORY)

    assert first.scores.to_dicts() == [
        {"lead_id": "a", "as_of": datetime(2026, 3, 1, 10, tzinfo=UTC), "score": "total", "before": 0.0, "after": 10.0}
    ]
    assert first.thresholds.to_dicts() == first.alerts.to_dicts() == []
    (born,) = first.transitions.to_dicts()
    assert len(born.pop("key")) == 32
    assert born == {
        "lead_id": "a", "at": datetime(2026, 3, 1, 10, tzinfo=UTC), "from_stage": None, "to_stage": "new", "rule": None,
        "cause": "birth", "event_id": None, "total": 0.0, "change": "new",
    }  # fmt: skip
    assert third.thresholds.to_dicts() == [
        {"lead_id": "a", "as_of": datetime(2026, 3, 2, 10, tzinfo=UTC), "threshold": "hot", "reached": True}
    ]
    assert [
        (row["from_stage"], row["to_stage"], row["rule"], row["event_id"]) for row in third.transitions.to_dicts()
    ] == [("new", "warm", "keen", "e3")]
    assert third.counts.events == 1
    assert third.version == MODEL.semantics == first.version


def test_columns_are_those_of_a_replay():
    """Transitions and alerts have the columns and types of `Replay`, then ``change`` and ``key``."""
    _, said = told(*HISTORY, until="2026-03-20")
    replay = SCORER.replay(HISTORY, until="2026-03-20")

    for name in ("transitions", "alerts"):
        batch = getattr(replay, name).to_arrow().schema
        for changes in said:
            schema = getattr(changes, name).to_arrow().schema
            assert schema.names == [*batch.names, "change", "key"]
            if len(getattr(changes, name)):
                assert [schema.field(one).type for one in batch.names] == [batch.field(one).type for one in batch.names]


@pytest.mark.parametrize("seed", range(5))
def test_net_of_changes_is_one_replay(seed):
    """However the events are cut and mixed within ``late``, what stands in the end is the batch replay."""
    random, rows = Random(seed), list(HISTORY)
    random.shuffle(rows)
    ledger, said = lc.Ledger(SCORER), []
    while rows:
        cut = random.randint(1, 3)
        said.append(ledger.apply(rows[:cut], random.choice([LEADS, None])))
        rows = rows[cut:]
    said += [ledger.apply(None, LEADS), ledger.advance("2026-03-06"), ledger.advance("2026-04-01")]
    replay = SCORER.replay(HISTORY, LEADS, until="2026-04-01")

    assert same(net(said, "transitions"), replay.transitions.to_dicts())
    assert same(net(said, "alerts"), replay.alerts.to_dicts())
    for lead_id in "abc":
        assert ledger.lead(lead_id).timeline == replay.lead(lead_id)


def test_a_late_event_withdraws_and_tells_anew():
    """What is no longer so is withdrawn before what is so now, alerts included; the net is right."""
    ledger, said = told(*HISTORY[:4], until="2026-03-06")
    late = ledger.apply([event("a", "2026-03-01T12:00Z", "demo")])

    rows = [(row["change"], row["to_stage"], row["at"].day) for row in late.transitions.to_dicts()]
    assert rows == [("withdrawn", "warm", 2), ("new", "warm", 1)]
    assert [(row["change"], row["level"]) for row in late.alerts.to_dicts()] == [
        ("withdrawn", 1), ("withdrawn", 2), ("new", 1), ("new", 2)
    ]  # fmt: skip
    late_rows = [*HISTORY[:4], event("a", "2026-03-01T12:00Z", "demo")]
    replay = SCORER.replay(late_rows, until="2026-03-06")
    assert same(net([*said, late], "alerts"), replay.alerts.to_dicts())


def test_a_move_whose_scores_alone_differ_keeps_its_key():
    """It is withdrawn with the old scores and new with the new ones, in this order, under one key."""
    ledger, _ = told(HISTORY[0])
    ledger.apply([HISTORY[2]])
    changes = ledger.apply(None, [{"lead_id": "a", "size": 500.0}])
    rows = changes.transitions.to_dicts()

    assert [(row["change"], row["to_stage"], row["total"]) for row in rows[:2]] == [
        ("withdrawn", "new", 0.0), ("withdrawn", "warm", pytest.approx(49.05, abs=0.01))
    ]  # fmt: skip
    keys = Counter(row["key"] for row in rows)
    assert set(keys.values()) == {2}
    assert "new" not in repr(changes).split("\n")[1]  # the story tells what happened otherwise, not the numbers


def test_moves_alike_at_one_instant_have_keys_of_their_own():
    """Events without ids may move a lead there and back and there again at one instant, told at once or in pieces."""
    moves = [event("a", "2026-03-01", "moved", to=to) for to in ("warm", "cold", "warm")]
    ledger, said = told(*moves)
    at_once = lc.Ledger(SCORER).apply(moves)
    keys = [row["key"] for row in at_once.transitions.to_dicts()]

    assert len(set(keys)) == len(keys) > 3
    replay = SCORER.replay(moves, until="2026-03-01")
    assert same(net(said, "transitions"), replay.transitions.to_dicts())
    assert same([row["key"] for row in at_once.transitions.to_dicts()], keys_of_net(said))
    assert ledger.lead("a").stage == replay.lead("a").stage


def keys_of_net(said):
    keys = Counter()
    for changes in said:
        for row in changes.transitions.to_dicts():
            keys[row["key"]] += 1 if row["change"] == "new" else -1
    assert set(keys.values()) <= {0, 1}
    return [key for key, n in keys.items() if n]


def test_keys_are_the_same_for_ever():
    """A key is a hash of what happened: these were written down, and consumers keep them."""
    _, said = told(*HISTORY, until="2026-03-06")
    keys = {(row["lead_id"], row["to_stage"]): row["key"] for changes in said for row in changes.transitions.to_dicts()}
    alerts = [row["key"] for changes in said for row in changes.alerts.to_dicts()]

    assert keys["a", "warm"] == "7d6f1fd38c2d3b67e81e8209372cd73c"
    assert alerts == ["227e340cc5d774172ebb11ddf131c2a9", "cb4458c3d483dfb8afa0044bb05c2cdb"]


def test_integer_and_text_ids_have_other_keys():
    """The lead 1 and the lead "1" are two."""
    one, other = (lc.Ledger(SCORER).apply([event(lead, "2026-03-01")]).transitions.to_dicts() for lead in (1, "1"))

    assert one[0]["lead_id"] == 1
    assert other[0]["lead_id"] == "1"
    assert one[0]["key"] != other[0]["key"]


def test_alerts_come_when_their_time_does():
    """Advancing tells the alerts of stays that go on, each once."""
    ledger, _ = told(*HISTORY[:3])
    days = {day: ledger.advance(f"2026-03-{day:02}T12:00Z") for day in (3, 4, 5, 6)}

    assert {day: [row["level"] for row in changes.alerts.to_dicts()] for day, changes in days.items()} == {
        3: [1], 4: [], 5: [2], 6: [],
    }  # fmt: skip
    assert days[5].alerts.to_dicts()[0]["notify"] == ["rep", "boss"]


def test_a_model_without_lifecycle():
    """Scores and thresholds are told; transitions and alerts are empty tables of the usual columns."""
    ledger = lc.Ledger(PLAIN)
    ledger.add(1, "2026-03-01", "visit")
    changes = ledger.add(1, "2026-03-02", "visit")

    assert changes.scores.to_dicts()[0]["after"] == 10.0
    assert changes.thresholds.to_dicts()[0]["reached"] is True
    assert len(changes.transitions) == len(changes.alerts) == 0
    assert changes.transitions.to_polars().schema["at"] == pl.Datetime("us", "UTC")
    assert changes.alerts.column_names == ["lead_id", "stage", "entered_at", "at", "level", "notify", "change", "key"]
    assert (ledger.lead(1).stage, ledger.lead(1).timeline.transitions) == (None, [])
    assert ledger.lead(1).thresholds == {"hot": True}


def test_micropoints():
    """Score columns are whole micropoints where they are asked for."""
    changes = lc.Ledger(SCORER).apply(HISTORY, micropoints=True)

    assert changes.scores.to_dicts()[0]["after"] == 57_429_971
    assert changes.transitions.to_arrow().schema.field("total").type == "int64"
    assert changes.scores.to_arrow().schema.field("before").type == "int64"


def test_changes_are_false_when_nothing_did():
    """An event delivered twice changes nothing; a decayed score does, and so does an alert alone."""
    ledger = lc.Ledger(SCORER)

    assert ledger.apply([HISTORY[2]])
    again = ledger.apply([HISTORY[2]])
    assert not again
    assert again.counts.duplicates == 1
    assert ledger.advance("2026-03-03T11:00Z").alerts.to_dicts()[0]["level"] == 1
    assert not ledger.advance("2026-03-03T11:00Z")
    assert not ledger.advance("2026-03-01")


def test_counts():
    """Where every row went."""
    ledger = lc.Ledger(SCORER, late="1d")
    rows = [*HISTORY, event("a", "2026-03-04T11:00Z", "unheard"), event("a", "2026-03-04T11:00Z", "unheard")]
    changes = ledger.apply(rows, LEADS)
    mixed = ledger.apply([HISTORY[3], event("a", "2026-03-01", event_id="old")], on_late="set_aside")
    ledger, _ = told(*HISTORY)
    gone = ledger.retract({"lead_id": ["a", "a", "z"], "event_id": ["e4", "e99", "e1"]})

    assert (changes.counts.events, changes.counts.leads, changes.counts.ignored) == (5, 2, {"unheard": 2})
    assert (mixed.counts.events, mixed.counts.duplicates, mixed.counts.late) == (0, 1, 1)
    assert (gone.counts.events, gone.counts.unknown) == (1, 2)
    assert ledger.retract([{"lead_id": "a", "event_id": "e4"}]).counts.duplicates == 1


def test_late_rows_are_handed_back():
    """Each with its place, how late it is and why that is too late; the rest is taken in."""
    ledger = lc.Ledger(SCORER, late="1d")
    ledger.apply(HISTORY)
    rows = [event("a", "2026-03-04T12:00Z"), event("a", "2026-03-01T08:00Z"), event("z", "2020-01-01")]
    changes = ledger.apply(rows, [{"lead_id": "a", "size": 3.0}], on_late="set_aside")

    late = changes.late.to_dicts()
    reasons = [row.pop("reason") for row in late]
    assert late == [
        {"table": "events", "row": 1, "lead_id": "a", "at": datetime(2026, 3, 1, 8, tzinfo=UTC), "late_by": "2d2h"},
        {"table": "leads", "row": 0, "lead_id": "a", "at": None, "late_by": None},
    ]
    assert all("lead 'a'" in reason for reason in reasons)
    assert changes.counts.events == 2
    assert "2 too late" in repr(changes)
    assert len(ledger.apply(None, None).late) == 0


def test_a_change_is_words():
    """It prints as what happened to whom; in a notebook as a table; names cannot break out of it."""
    ledger = lc.Ledger(SCORER)
    changes = ledger.apply(HISTORY[2:3])

    assert repr(changes) == (
        "changes of 1 lead by 'stages': 1 score, 1 threshold, 2 transitions\n"
        "  a  total 0 -> 40; hot reached; born new; new -> warm by keen"
    )
    assert repr(ledger.retract([{"lead_id": "a", "event_id": "e3"}])).startswith(
        "changes of 1 lead by 'stages': 1 score"
    )
    evil = ledger.add("<script>", "2026-03-01", "visit")
    assert "&lt;script&gt;" in evil._repr_html_()
    assert "<script>" not in evil._repr_html_()
    many = ledger.apply([event(f"lead{i}", "2026-03-01") for i in range(50)])
    assert len(repr(many).split("\n")) == 11


def test_tables_are_made_when_asked_for(monkeypatch):
    """A call that nobody asks about makes no table."""
    from leadcore.ledger import changes

    monkeypatch.setattr(changes, "Table", None)
    ledger = lc.Ledger(SCORER)
    said = ledger.add("a", "2026-03-01", "visit", {"page": "/"}, "e1")
    assert said.counts.events == 1
    with pytest.raises(AttributeError):
        _ = said.scores


def test_tables_asked_for_later_say_the_same():
    """What the ledger does afterwards, and letting go of it, is nothing to what was said before."""
    calls = [
        *(lambda one, row=row: one.apply([row], LEADS) for row in HISTORY),
        lambda one: one.add("a", "2026-03-04T11:00Z", "demo", {}, "x"),
        lambda one: one.retract([{"lead_id": "a", "event_id": "e3"}]),
        lambda one: one.merge("b", into="a"),
        lambda one: one.advance("2026-03-20"),
    ]
    at_once, later = lc.Ledger(SCORER), lc.Ledger(SCORER)
    names = ("scores", "thresholds", "transitions", "alerts")
    expected = [[getattr(said, name).to_dicts() for name in names] for said in (call(at_once) for call in calls)]
    said = [call(later) for call in calls]
    later.forget("a")
    del later

    assert [[getattr(one, name).to_dicts() for name in names] for one in said] == expected


# what is asked


def test_scores_are_those_of_tables():
    """`Ledger.score` gives the columns, values, grades, ratings and labels of `Scorer.score`, in the order asked."""
    ledger = lc.Ledger(SCORER)
    ledger.apply(HISTORY, LEADS)
    for as_of in ("2026-03-05T10:00Z", "2026-06-01"):
        mine, batch = ledger.score(as_of), SCORER.score(HISTORY, LEADS, as_of=as_of)
        assert mine.column_names == batch.column_names
        assert same(mine.to_dicts(), batch.to_dicts())
        assert mine["a"].micropoints == batch["a"].micropoints
        assert str(mine["b"].explain()) == str(batch["b"].explain())
    some = ledger.score("2026-06-01", ["c", "a", "c"], micropoints=True)
    assert some.to_polars()["lead_id"].to_list() == ["c", "a", "c"]
    assert some.to_arrow().schema.field("total").type == "int64"
    assert [row.lead_id for row in some] == ["c", "a", "c"]
    assert "a" in some
    assert "b" not in some
    assert len(ledger.score("2026-06-01", [])) == 0
    assert len(lc.Ledger(SCORER).score("2026-06-01")) == 0
    assert len(some.rejects) == 0


def test_asking_changes_nothing():
    """Whatever is asked, the state stays as it is to the last byte (spec 10.3)."""
    ledger, _ = told(*HISTORY)
    before = pickle.dumps(ledger)
    ledger.score("2027-01-01")
    ledger.score("2027-01-01")["a"].explain()
    ledger.lead("a"), ledger.lead("b", "2028-01-01"), ledger.next_change("2026-03-05T10:00Z")
    assert ("a" in ledger, "zz" in ledger, len(ledger), [*ledger]) == (True, False, 2, ["a", "b"])
    repr(ledger), ledger._repr_html_()

    assert pickle.dumps(ledger) == before


def test_an_explanation_fits_its_score_or_says_that_it_cannot():
    """Facts that came since are not explained into a score that did not know of them."""
    ledger, _ = told(*HISTORY)
    scores, kept = ledger.score("2026-06-01"), ledger.score("2026-06-01", explain=True)
    ledger.apply([event("b", "2026-03-05T11:00Z")])
    assert scores["a"].explain().totals == scores["a"].micropoints
    ledger.apply([event("a", "2026-03-05", "demo")])

    with pytest.raises(lc.LeadcoreError, match="took in facts of 'a' since"):
        scores["a"].explain()
    assert kept["a"].explain().totals == scores["a"].micropoints
    lines = SCORER.score(HISTORY, as_of="2026-06-01", explain=True).explanations()
    assert same(kept.explanations().to_dicts(), lines.to_dicts())
    ledger.forget("b")
    with pytest.raises(lc.LeadcoreError, match="let go of lead 'b'"):
        scores["b"].explain()
    assert (
        ledger.lead("a", "2026-06-01").explain().totals["total"] == ledger.score("2026-06-01")["a"].micropoints["total"]
    )


def test_the_state_of_a_lead():
    """Stage, scores, grade, rating, label, thresholds, story and reasons, and the model's version."""
    ledger = lc.Ledger(SCORER)
    ledger.apply(HISTORY, LEADS)
    state = ledger.lead("a")

    assert (state.lead_id, state.stage, state.as_of) == ("a", "warm", datetime(2026, 3, 4, 10, tzinfo=UTC))
    assert state.entered_at == datetime(2026, 3, 2, 10, tzinfo=UTC)
    assert (state.grades, state.rating, state.label, state.thresholds) == (
        {"total": "A"},
        "A",
        "unknown",
        {"hot": True},
    )
    assert state["total"] == state.scores["total"] == state.micropoints["total"] / 10**6
    assert state.explain().totals == state.micropoints
    assert state.version == MODEL.semantics
    assert [step["to_stage"] for step in state.timeline] == ["new", "warm"]
    assert "warm since 2026-03-02T10:00:00Z (2d)" in str(state)
    assert str(state).split("\n")[-1] == "total 57.429971 (A), A, unknown; reached: hot"
    assert "<table>" in state._repr_html_()
    never_born = ledger.lead("c", "2026-03-05")
    assert (never_born.stage, never_born.entered_at, len(never_born.timeline)) == (None, None, 0)
    assert "c has no stage" in repr(never_born)


@pytest.mark.parametrize("as_of", ["2026-03-02T09:59Z", "2026-03-03", "2026-03-04T10:00Z", "2026-03-09", "2026-12-01"])
def test_the_state_of_a_lead_at_other_instants(as_of):
    """Earlier than told as far as events are kept, later as if nothing else happened: what a replay to it says."""
    ledger, _ = told(*HISTORY)
    state, replay = ledger.lead("a", as_of), SCORER.replay(HISTORY, until=as_of).lead("a")

    assert state.timeline == replay
    assert (state.stage, state.entered_at, state.thresholds) == (replay.stage, replay.entered_at, replay.thresholds)
    assert ledger.lead("a").as_of == datetime(2026, 3, 4, 10, tzinfo=UTC)


def test_what_changes_next():
    """Thresholds by name with what they will be, stages with the stage entered; nobody for whom nothing does."""
    ledger = lc.Ledger(SCORER)
    ledger.apply([event("a", "2026-03-01") for _ in range(5)] + [event("b", "2026-03-01")])
    rows = {(row["lead_id"], row["kind"]): row for row in ledger.next_change("2026-03-02").to_dicts()}

    assert set(rows) == {("a", "threshold"), ("a", "stage")}
    assert (rows["a", "threshold"]["name"], rows["a", "threshold"]["reached"]) == ("hot", False)
    assert (rows["a", "stage"]["name"], rows["a", "stage"]["reached"]) == ("cold", None)
    assert rows["a", "stage"]["at"] == rows["a", "threshold"]["at"].replace(
        hour=0, minute=0, second=0, microsecond=0
    ) + (timedelta(days=1))
    at = rows["a", "threshold"]["at"]
    assert ledger.score(at - timedelta(microseconds=1))["a"]["total"] > ledger.score(at)["a"]["total"]
    assert len(ledger.next_change("2026-03-02", timedelta(days=1))) == 0
    assert len(ledger.next_change("2026-03-02", leads=["b"])) == 0
    assert len(ledger.next_change("2026-03-02", leads=[])) == 0
    columns = ["lead_id", "kind", "name", "at", "reached"]
    assert lc.Ledger(SCORER).next_change("2026-03-02").column_names == columns


def test_next_change_without_a_lifecycle_heeds_no_release():
    document = {
        "leadcore": 1, "name": "m", "events": {"visit": {}},
        "scores": {"s": {"criteria": [
            {"name": "fresh", "kind": "event", "on": "visit", "points": 20, "decay": {"expire": "1d"}},
            {"name": "ever", "kind": "event", "on": "visit", "points": 10},
        ]}},
        "thresholds": {"hot": {"score": "s", "at": 20, "release": 5}, "kept": {"score": "s", "at": 20, "latch": True}},
    }  # fmt: skip
    ledger = lc.Ledger(lc.Scorer(lc.Model.model_validate(document)))
    ledger.add(1, "2026-03-01", "visit")
    rows = ledger.next_change("2026-03-01").to_dicts()
    assert [(row["name"], row["at"], row["reached"]) for row in rows] == [
        (name, datetime(2026, 3, 2, tzinfo=UTC), False) for name in ("hot", "kept")
    ]


# other models

CHANGED = lc.Scorer(
    lc.Model.from_yaml(
        MODEL.to_yaml()
        .replace("name: stages", "name: changed")
        .replace("cold", "frozen")
        .replace("cools", "freezes")
        .replace("points: 25", "points: 5")
        .replace("after: 1d", "after: 12h")
    )
)
"""The same stages but for one that is called otherwise, with another rule, fewer points and an earlier alert."""


def cooled():
    """Events of a lead that was warm and is cold."""
    return [event("a", "2026-03-01", event_id=f"e{i}") for i in range(5)]


def test_another_model():
    """What it says otherwise is told, in names of both where stages and rules are gone; the net is its own replay."""
    ledger = lc.Ledger(SCORER)
    said = [ledger.apply(cooled(), LEADS), ledger.advance("2026-04-01")]
    assert ledger.lead("a").stage == "cold"
    said.append(CHANGED.migrate(ledger, events=cooled(), leads=LEADS))
    changes, replay = said[-1], CHANGED.replay(cooled(), LEADS, until="2026-04-01")

    assert (ledger.scorer, ledger.lead("a").stage) == (CHANGED, "frozen")
    assert changes.version == CHANGED.model.semantics != said[0].version == MODEL.semantics
    rows = [(row["change"], row["to_stage"], row["rule"]) for row in changes.transitions.to_dicts()]
    assert rows == [("withdrawn", "cold", "cools"), ("new", "frozen", "freezes")]
    assert [(row["change"], row["at"].hour) for row in changes.alerts.to_dicts()] == [("withdrawn", 0), ("new", 12)]
    assert same(net(said, "transitions"), replay.transitions.to_dicts())
    assert same(net(said, "alerts"), replay.alerts.to_dicts())
    assert ledger.lead("a").timeline == replay.lead("a")
    batch = CHANGED.score(cooled(), LEADS, as_of="2026-05-01")
    assert same(ledger.score("2026-05-01").to_dicts(), batch.to_dicts())


def test_another_model_from_an_instant_on():
    """What was told up to it stays told, alerts too; what the model would have said of then is not."""
    ledger = lc.Ledger(SCORER)
    ledger.apply(cooled())
    ledger.advance("2026-03-01T18:00Z")
    changes = CHANGED.migrate(ledger, at="2026-03-01T18:00Z", events=cooled())

    assert len(changes.alerts) == len(changes.transitions) == 0  # 12h after 2026-03-01 was before
    later = ledger.advance("2026-04-01")
    assert [row["to_stage"] for row in later.transitions.to_dicts()] == ["frozen"]
    assert [row["level"] for row in later.alerts.to_dicts()] == [2]
    assert ledger.lead("a").stage == "frozen"


def test_a_first_lifecycle_from_an_instant_on():
    """Where there were no stages before, stays and their alerts are told from the beginning, and are those of a replay."""
    ledger = lc.Ledger(lc.Scorer(lc.Model.model_validate({**MODEL.model_dump(exclude_unset=True), "lifecycle": None})))
    ledger.apply(cooled())
    said = [SCORER.migrate(ledger, at="2026-03-04", events=cooled()), ledger.advance("2026-04-01")]
    replay = SCORER.replay(cooled(), until="2026-04-01")

    assert len(said[0].alerts) > 0
    assert same(net(said, "transitions"), replay.transitions.to_dicts())
    assert same(net(said, "alerts"), replay.alerts.to_dicts())


def test_a_model_that_cannot_be_moved_to_changes_nothing():
    """A stage is gone that a lead is in, or events are missing: the ledger stays with its model."""
    ledger = lc.Ledger(SCORER)
    ledger.apply(cooled())
    ledger.advance("2026-04-01")
    before = pickle.dumps(ledger)
    with pytest.raises(lc.LeadcoreError, match=r"in stage 'cold'.*which 'changed' does not have"):
        CHANGED.migrate(ledger, at="2026-04-01", events=cooled())
    with pytest.raises(lc.LeadcoreError, match=r"lack .* such as one of lead 'a'"):
        CHANGED.migrate(ledger)

    assert ledger.scorer is SCORER
    assert pickle.dumps(ledger) == before


@pytest.mark.parametrize("at", [None, "2026-03-05"])
@pytest.mark.parametrize("late", ["7d", "all"])
@pytest.mark.parametrize(
    ("given", "rows", "message"),
    [
        ([0, 2, 3], True, "lack 1 .* lead 'a' at 2026-03-02"),
        ([3], True, "lack 3 .* lead 'a' at 2026-03-01"),
        ([0, 1, 2], True, "lack 1 .* lead 'a' at 2026-03-04"),
        ([], True, "lack 4 "),
        ([0, 1, 2, 3], False, "the leads given lack a row of lead 'a', in force from 2026-03-02T00:00:00Z"),
    ],
)
def test_migrate_notices_what_is_missing(at, late, given, rows, message):
    """Rows of a type that neither model declares, and of other leads, do not stand in for what is missing."""
    document = {
        "leadcore": 1, "name": "m", "events": {"visit": {}}, "attributes": {"size": "number"},
        "scores": {"s": {"criteria": [{"name": "v", "kind": "event", "on": "visit", "points": 5}]}},
    }  # fmt: skip
    scorer = lc.Scorer(lc.Model.model_validate(document))
    ledger = lc.Ledger(scorer, late=late)
    events, leads = (
        [event("a", f"2026-03-0{day}") for day in (1, 2, 3, 4)],
        [{"lead_id": "a", "valid_from": "2026-03-02", "size": 3}],
    )
    ledger.apply(events, leads)
    before = pickle.dumps(ledger)
    told = [events[i] for i in given] + [event("z", "2026-03-01") | {"type": "other"}]
    with pytest.raises(lc.LeadcoreError, match=message):
        scorer.migrate(ledger, at=at, events=told, leads=leads if rows else None)
    assert pickle.dumps(ledger) == before
    scorer.migrate(ledger, at=at, events=events, leads=leads)


def test_a_balance_that_cannot_be_foreseen():
    """What rises and what falls alike, at a threshold: an error, not an answer after hours."""
    rule = {"kind": "event", "decay": {"linear": "30d"}}
    document = {
        "leadcore": 1, "name": "m", "events": {"form": {}, "bounce": {}},
        "scores": {"s": {"criteria": [
            {"name": "a", "on": "form", "points": 20, **rule}, {"name": "b", "on": "bounce", "points": -20, **rule},
        ]}},
        "thresholds": {"positive": {"score": "s", "at": 0.000001}},
    }  # fmt: skip
    ledger = lc.Ledger(lc.Scorer(lc.Model.model_validate(document)))
    ledger.apply([{"lead_id": 1, "at": "2026-03-01", "type": type_} for type_ in ("form", "bounce")])
    with pytest.raises(lc.LeadcoreError, match=r"lead 1 stays so near to threshold 'positive' .* shorter horizon"):
        ledger.next_change("2026-03-02")
    assert len(ledger.next_change("2026-03-02", "1s")) == 0


@pytest.mark.parametrize("at", [None, "2026-03-05"])
def test_migrate_to_a_model_without_a_type_of_event(at):
    """The rows given are ignored under it; the newest event ever told stays what it was."""
    document = {
        "leadcore": 1, "name": "m", "events": {"visit": {}, "buy": {}},
        "scores": {"s": {"criteria": [{"name": "v", "kind": "event", "on": "visit", "points": 5}]}},
    }  # fmt: skip
    ledger = lc.Ledger(lc.Scorer(lc.Model.model_validate(document)), late="1d")
    events = [event("a", "2026-03-01"), event("a", "2026-03-04") | {"type": "buy"}]
    ledger.apply(events)
    without = lc.Scorer(lc.Model.model_validate(document | {"events": {"visit": {}}}))
    without.migrate(ledger, at=at, events=events)
    assert ledger.score("2026-03-06")["a"]["s"] == 5
    with pytest.raises(lc.DataError, match="late"):
        ledger.add("a", "2026-03-02", "visit")


# how it is talked to


def test_tables_of_every_kind_and_names_of_the_caller():
    """Frames, dicts of columns and lists of dicts, with columns called otherwise."""
    mine = {"events": {"lead_id": "contact", "at": "when"}, "leads": {"lead_id": "contact"}}
    rows = [{**row, "contact": row["lead_id"], "when": row["at"]} for row in HISTORY]
    for row in rows:
        del row["lead_id"], row["at"]
    types = {"page": pl.String, "to": pl.String, "event_id": pl.String}
    frames = [rows, pl.DataFrame(rows, schema_overrides=types), {name: [row[name] for row in rows] for name in rows[0]}]
    ledgers = [lc.Ledger(SCORER) for _ in frames]
    said = [ledger.apply(frame, columns=mine) for ledger, frame in zip(ledgers, frames, strict=True)]

    assert said[0].scores.to_dicts() == said[1].scores.to_dicts() == said[2].scores.to_dicts() != []
    assert ledgers[0].apply([], None).counts.events == 0
    frame = pl.DataFrame({"lead_id": ["a"], "event_id": ["e3"]})
    assert ledgers[0].retract(frame).counts.events == 1
    assert ledgers[1].retract([]).counts.events == 0


def test_one_event_is_a_table_of_one_row():
    """`add` and `apply` say and come to the same."""
    one, other = lc.Ledger(SCORER), lc.Ledger(SCORER)
    for row in HISTORY:
        said = one.add(row["lead_id"], row["at"], row["type"], {k: row[k] for k in COLUMNS}, row["event_id"])
        table = other.apply([row])
        for name in ("scores", "thresholds", "transitions", "alerts"):
            assert getattr(said, name).to_dicts() == getattr(table, name).to_dicts()
    assert one.score("2026-04-01").to_dicts() == other.score("2026-04-01").to_dicts()
    aware = datetime(2026, 3, 9, 12, tzinfo=UTC)
    assert one.add("a", aware, "demo").scores.to_dicts()[0]["as_of"] == aware
    numbered = lc.Ledger(SCORER)
    assert numbered.add(np.int64(5), "2026-03-01", "demo", MappingProxyType({})).scores.to_dicts()[0]["lead_id"] == 5
    assert [*numbered] == [5]
    assert one.add("a", aware, "unheard").counts.ignored == {"unheard": 1}


def test_until_keeps_later_facts():
    """They are kept, and told when a later call reaches them."""
    ledger = lc.Ledger(SCORER)
    first = ledger.apply(HISTORY, until="2026-03-03")
    assert [row["event_id"] for row in first.transitions.to_dicts() if row["event_id"]] == ["e3"]
    assert ledger.score("2026-03-03")["b"]["total"] < 10
    later = ledger.advance("2026-03-10")
    replay = SCORER.replay(HISTORY, until="2026-03-10")
    assert same(net([first, later], "transitions"), replay.transitions.to_dicts())


def test_retract_forget_and_merge():
    """An event taken back, a lead erased, two records made one: as if it had always been so."""
    ledger, said = told(*HISTORY)
    said.append(ledger.retract([{"lead_id": "a", "event_id": "e3"}]))
    kept = [row for row in HISTORY if row["event_id"] != "e3"]
    replay = SCORER.replay(kept, until="2026-03-05T10:00Z")
    assert same(net(said, "transitions"), replay.transitions.to_dicts())
    assert ledger.apply([HISTORY[2]]).counts.duplicates == 1

    said.append(ledger.merge("b", into="a"))
    assert ("b" in ledger, len(ledger), [*ledger]) == (True, 1, ["a"])
    replay = SCORER.replay(kept, aliases=[{"lead_id": "b", "same_as": "a"}], until="2026-03-05T10:00Z")
    assert same(net(said, "transitions"), replay.transitions.to_dicts())
    assert ledger.lead("b").lead_id == "a"
    assert ledger.lead("b").timeline == replay.lead("a")
    assert ledger.score("2026-04-01")["b"].micropoints == ledger.score("2026-04-01", ["b"])["b"].micropoints
    assert ledger.add("b", "2026-03-05T11:00Z", "demo").scores.to_dicts()[0]["lead_id"] == "a"

    assert ledger.forget("b")
    assert not ledger.forget("a")
    assert len(ledger) == 0
    assert ledger.apply([HISTORY[0]]).scores.to_dicts()[0]["before"] == 0.0


def test_properties():
    """What a ledger says of itself."""
    ledger = lc.Ledger(SCORER, late=timedelta(days=3))

    assert (ledger.scorer, ledger.model, str(ledger.late), ledger.clock) == (SCORER, MODEL, "3d", None)
    assert lc.Ledger(SCORER, late="all").late == "all"
    assert repr(ledger) == "Ledger('stages', 0 leads, late 3d, never advanced)"
    ledger.add("a", "2026-03-01", "visit")
    ledger.advance("2026-03-04")
    assert ledger.clock == datetime(2026, 3, 4, tzinfo=UTC)
    assert repr(ledger) == "Ledger('stages', 1 lead, late 3d, advanced to 2026-03-04T00:00:00Z)"
    assert "<td>stages " in ledger._repr_html_()
    with lc.Ledger(SCORER) as other:
        assert len(other) == 0


def test_copies_are_ledgers_of_their_own():
    """A pickled ledger, and a deep copy, goes on by itself with the same answers."""
    ledger, _ = told(*HISTORY, until="2026-03-06")
    ledger.merge("b", into="a")
    for other in (pickle.loads(pickle.dumps(ledger)), copy.deepcopy(ledger)):
        assert other.score("2026-04-01").to_dicts() == ledger.score("2026-04-01").to_dicts()
        assert (other.clock, other.late, "b" in other) == (ledger.clock, ledger.late, True)
        other.add("a", "2026-03-07", "demo")
        assert other.score("2026-04-01")["a"].micropoints != ledger.score("2026-04-01")["a"].micropoints


def test_threads_take_turns():
    """Events told by eight threads at a time come to what one would have told, and none is lost."""
    ledger = lc.Ledger(SCORER)
    rows = [event(i % 7, to_text(1_772_359_200_000_000 + i * 10**9), event_id=i) for i in range(400)]
    failed = []

    def work(mine):
        try:
            for row in mine:
                ledger.add(row["lead_id"], row["at"], row["type"], {"page": None}, row["event_id"])
                ledger.score("2026-04-01", [row["lead_id"]])
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(rows[i::8],)) for i in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]

    assert not failed
    assert same(ledger.score("2026-04-01").to_dicts(), SCORER.score(rows, as_of="2026-04-01").to_dicts())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_tables_are_read_by_the_model_that_answers():
    """A call that waits while the ledger goes on to another model has its columns named by that one."""
    ledger = lc.Ledger(SCORER)
    other = lc.Scorer(lc.Model.from_yaml(MODEL.to_yaml().replace("page", "site")))
    table = [{"lead_id": "a", "at": "2026-03-01", "type": "visit", "url": "/", "to": None, "event_id": 1}]
    said = []
    with ledger._lock:
        caller = threading.Thread(
            target=lambda: said.extend([
                ledger.apply(table, columns={"site": "url"}), ledger.retract([{"lead_id": "a", "event_id": 1}])
            ])
        )  # fmt: skip
        caller.start()
        caller.join(0.1)
        other.migrate(ledger)
    caller.join()

    assert [changes.model for changes in said] == [other.model] * 2
    assert [changes.counts.events for changes in said] == [1, 1]


def test_a_forked_child_finds_it_free():
    """Even when another thread is in the middle of a call: the fork waits for it."""
    ledger, _ = told(*HISTORY)
    halt = threading.Event()

    def work():
        i = 0
        while not halt.is_set():
            ledger.add("a", "2026-03-04T10:00Z", "visit", {"page": None}, f"x{i}")
            i += 1

    thread = threading.Thread(target=work)
    thread.start()
    try:
        for _ in range(10):
            child = os.fork()
            if not child:
                try:
                    os._exit(0 if ledger.lead("a").stage == "warm" and ledger.add("b", "2026-03-06", "demo") else 1)
                finally:
                    os._exit(2)
            assert os.waitpid(child, 0)[1] == 0
    finally:
        halt.set()
        thread.join()
