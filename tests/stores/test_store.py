"""What a ledger of a store promises beyond one in memory: it lasts, counts once, keeps tenants apart, and forgets."""

from __future__ import annotations

import os
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pytest

import leadcore as lc
from leadcore._opening import Opening
from leadcore._replay_tables import transition_table
from leadcore.errors import DataError, LeadcoreError, StateError
from leadcore.ledger import changes
from leadcore.ledger.stores import keeper

MODEL = """
leadcore: 1
name: NAME
attributes: {title: {type: text, optional: true}}
events: {visit: {points: {type: number, optional: true}}, call: {}}
scores:
  interest:
    criteria:
      - {name: visits, kind: event, on: visit, points: {per: points, rate: 1}, decay: {half_life: 7d}}
      - {name: boss, kind: attribute, when: {field: title, op: eq, value: CEO}, points: 20}
lifecycle:
  initial: new
  stages: [{name: new}, {name: warm}, {name: cold}]
  transitions:
    - {name: keen, from: [new, cold], to: warm, when: {field: score.interest, op: ge, value: 10}}
    - {name: off, from: warm, to: cold, after: 3d}
"""


def made(name: str = "store") -> lc.Scorer:
    return lc.Scorer(lc.Model.from_yaml(MODEL.replace("NAME", name)))


SCORER = made()


def visits(*rows: tuple[str, str, float, str | None]) -> list[dict[str, object]]:
    """Lead, instant, points, event id."""
    return [
        {"lead_id": lead, "at": at, "type": "visit", "points": points, "event_id": event_id}
        for lead, at, points, event_id in rows
    ]


def by_lead(frame: lc.Frame) -> list[dict[str, object]]:
    """Rows of each lead in their order; leads come in an order of the store's own."""
    return sorted(frame.to_dicts(), key=lambda row: str(row["lead_id"]))


def opened(url: str, tenant: str = "default", scorer: lc.Scorer = SCORER, late: str = "2d") -> lc.Ledger:
    return lc.Ledger.open(url, scorer, late=late, tenant=tenant)


def seen(ledger: lc.Ledger) -> tuple[object, ...]:
    """All that a ledger says."""
    leads = sorted(ledger, key=str)
    states = [str(ledger.lead(lead_id)) for lead_id in leads]
    scores = sorted(ledger.score("2026-09-01", micropoints=True).to_dicts(), key=str) if leads else []
    return ledger.clock, leads, states, scores, ledger.changes(0, 10**6).to_dicts()


SOME = visits(("a", "2026-03-01", 6, "e1"), ("b", "2026-03-01T12:00", 3, "e2"), ("a", "2026-03-02", 6, "e3"))


def test_lasts(url):
    """Closed and opened again it says what it said."""
    with opened(url) as ledger:
        ledger.apply(SOME, [{"lead_id": "a", "title": "CEO"}])
        ledger.advance("2026-03-20")
        before = seen(ledger)
    with opened(url) as again:
        assert seen(again) == before
        assert len(again) == 2
        assert "a" in again
        assert "c" not in again


def test_equals_memory(url):
    """What comes in time has the answers and changes of a ledger in memory."""
    memory = lc.Ledger(SCORER, late="2d")
    with opened(url) as ledger:
        for call in (
            lambda one: one.apply(SOME, [{"lead_id": "c", "title": "CEO"}]),
            lambda one: one.add("b", "2026-03-03", "visit", {"points": 9}, "e4"),
            lambda one: one.advance("2026-03-04"),
            lambda one: one.retract([{"lead_id": "b", "event_id": "e4"}]),
            lambda one: one.merge("c", "b"),
            lambda one: one.advance("2026-04-01"),
        ):
            mine, other = call(ledger), call(memory)
            for table in ("scores", "thresholds", "transitions", "alerts"):
                assert by_lead(getattr(mine, table)) == by_lead(getattr(other, table))
            assert mine.counts == other.counts


def test_delivered_again_changes_nothing(url):
    """A call that is made again, in whole or in part, hands out nothing: not even that a score has faded since."""
    with opened(url) as ledger:
        ledger.apply(SOME, [{"lead_id": "a", "valid_from": "2026-03-01", "title": "CEO"}])
        ledger.retract([{"lead_id": "b", "event_id": "e2"}])
        ledger.advance("2026-03-20")
        before = seen(ledger)
        again = ledger.apply(SOME, [{"lead_id": "a", "valid_from": "2026-03-01", "title": "CEO"}])
        assert not again
        assert again.counts.duplicates == 3
        assert ledger.add("a", "2026-03-01", "visit", {"points": 6}, "e1").counts.duplicates == 1
        assert ledger.retract([{"lead_id": "b", "event_id": "e2"}]).counts.duplicates == 1
        assert not ledger.advance("2026-03-20")
        assert seen(ledger) == before


def test_rows_without_an_id_always_count(url):
    """They are a multiset, as everywhere."""
    with opened(url) as ledger:
        row = visits(("a", "2026-03-01", 6, None))
        ledger.apply(row + row)
        ledger.apply(row)
        assert ledger.lead("a")["interest"] == 18


def test_told_otherwise_however_long_ago(url):
    """An event_id that was told with other content is refused by row, also where no state knows it any more."""
    with opened(url) as ledger:
        ledger.apply(SOME)
        ledger.apply(visits(("a", "2026-06-01", 1, "e9")))
        before = seen(ledger)
        with pytest.raises(DataError, match=r"events, row 1, column event_id: 'e1' repeats an event_id"):
            ledger.apply(visits(("a", "2026-06-02", 1, "e10"), ("a", "2026-06-02", 6, "e1")))
        assert seen(ledger) == before


@pytest.mark.parametrize("kept", ["in memory", "in a store"])
def test_taken_back_and_told_otherwise(url, kept):
    """The id of an event that was taken back stays that event's: the same again is a repeat, and all else an error."""
    with lc.Ledger(SCORER, "2d") if kept == "in memory" else opened(url) as ledger:
        ledger.apply(SOME)
        ledger.retract([{"lead_id": "a", "event_id": "e1"}])
        assert ledger.apply(SOME[:1]).counts.duplicates == 1
        for at, points in (("2026-03-01", 7), ("2026-03-01T01:00", 6)):
            with pytest.raises(DataError, match=r"events, row 0, column event_id: 'e1' repeats an event_id"):
                ledger.apply(visits(("a", at, points, "e1")))
            with pytest.raises(DataError, match=r"events, row 0, column event_id: 'e1' repeats an event_id"):
                ledger.add("a", at, "visit", {"points": points}, "e1")
        assert ledger.lead("a")["interest"] == 6


def test_nothing_is_too_late(url):
    """Facts older than the lateness of states give what they would have given in time."""
    with opened(url) as ledger, opened(url, "in time") as other:
        ledger.apply(visits(("a", "2026-03-20", 1, "e5"), ("b", "2026-03-20", 1, "e6")))
        ledger.advance("2026-04-01")
        told = ledger.apply([*SOME, *visits(("b", "2026-03-21", 1, "e7"))], [{"lead_id": "a", "title": "CEO"}])
        assert len(told.late) == 0
        assert told.counts.events == 4
        ledger.add("a", "2026-02-01", "visit", {"points": 50}, "e8")
        ledger.retract([{"lead_id": "a", "event_id": "e3"}])
        other.apply(
            [
                *SOME[:2],
                *visits(
                    ("a", "2026-03-20", 1, "e5"),
                    ("b", "2026-03-20", 1, "e6"),
                    ("b", "2026-03-21", 1, "e7"),
                    ("a", "2026-02-01", 50, "e8"),
                ),
            ],
            [{"lead_id": "a", "title": "CEO"}],
        )
        other.advance("2026-04-01")
        assert [str(ledger.lead(one)) for one in "ab"] == [str(other.lead(one)) for one in "ab"]
        assert ledger.score("2026-02-02").to_dicts() == other.score("2026-02-02").to_dicts()


def test_attributes_stay_when_all_is_read_again(url):
    """A row of attributes that the state keeps too is not lost when a late fact makes all facts be read again."""
    with opened(url) as ledger, opened(url, "in time") as other:
        ledger.apply(leads=[{"lead_id": "a", "title": "CEO"}])
        ledger.apply(visits(("a", "2026-03-20", 1, "e5")))
        ledger.apply(visits(("a", "2026-03-01", 1, "e1")))
        other.apply(
            visits(("a", "2026-03-01", 1, "e1"), ("a", "2026-03-20", 1, "e5")), [{"lead_id": "a", "title": "CEO"}]
        )
        assert str(ledger.lead("a")) == str(other.lead("a"))


def test_rows_of_one_call_late_and_not(url):
    """A refused row is named by its place in the table, also where the table was taken in parts."""
    with opened(url) as ledger:
        ledger.apply(visits(("a", "2026-03-20", 1, "e5"), ("b", "2026-03-20", 1, "e6")))
        rows = visits(("b", "2026-03-21", 1, "e7"), ("a", "2026-03-01", 1, "e8"), ("a", "2026-03-02", 1, "e8"))
        with pytest.raises(DataError, match=r"row [12]"):
            ledger.apply(rows)
        assert len(ledger.changes()) == 4


def test_merge_of_old_leads(url):
    """Leads whose facts are older than states keep are merged by what the store keeps; an id of both counts once."""
    with opened(url) as ledger, opened(url, "one") as one:
        ledger.apply([*SOME, *visits(("b", "2026-03-01", 6, "e1"), ("b", "2026-06-01", 6, "e7"))])
        ledger.merge("a", "b")
        ledger.add("a", "2026-06-02", "visit", {"points": 2}, "e8")
        one.apply([{**row, "lead_id": "b"} for row in SOME])
        one.apply(visits(("b", "2026-06-01", 6, "e7"), ("b", "2026-06-02", 2, "e8")))
        assert str(ledger.lead("a")) == str(one.lead("b"))
        assert list(ledger) == ["b"]
        assert "a" in ledger
        with pytest.raises(LeadcoreError):
            ledger.merge("b", "a")
        assert ledger.forget("a")
        assert len(ledger) == 0
        assert "a" not in ledger


def test_tenants_and_models_stand_apart(url):
    """What one tenant or model is told, told again or made to forget, no other sees."""
    ledgers = [opened(url, tenant, scorer) for tenant in ("x", "y") for scorer in (SCORER, made("other"))]
    for i, ledger in enumerate(ledgers):
        ledger.apply(visits(("a", "2026-03-01", i + 1, "e1")))
    before = [seen(ledger) for ledger in ledgers]
    assert [ledger.lead("a")["interest"] for ledger in ledgers] == [1, 2, 3, 4]
    assert ledgers[0].forget("a")
    ledgers[0].advance("2027-01-01")
    assert [seen(ledger) for ledger in ledgers[1:]] == before[1:]
    for ledger in ledgers:
        ledger.close()


def test_many_ledgers_in_one_store(url):
    """Hundreds of tenants side by side each find their own again."""
    for i in range(60):
        with opened(url, f"tenant-{i}") as ledger:
            ledger.add("a", "2026-03-01", "visit", {"points": i}, "e1")
    for i in range(0, 60, 10):
        with opened(url, f"tenant-{i}") as ledger:
            assert ledger.lead("a")["interest"] == i


def test_tables_of_a_call_are_made_once(url, monkeypatch):
    """The feed and the caller have the same ones; opening hours are counted once for all ledgers of a model."""
    counted, tables = [], []
    monkeypatch.setattr(Opening, "__init__", lambda self, *given: counted.append(given))
    monkeypatch.setattr(changes, "transition_table", lambda *given: tables.append(given) or transition_table(*given))
    scorer = lc.Scorer(
        lc.Model.from_yaml(MODEL.replace("NAME", "hours") + "calendars: {office: {hours: {mon: ['09:00-17:00']}}}")
    )
    for tenant in ("x", "y"):
        with opened(url, tenant, scorer) as ledger:
            said = ledger.apply(SOME)
            assert (
                len(said.transitions)
                == len([row for row in ledger.changes().to_dicts() if row["kind"] == "transition"])
                > 0
            )
            assert (len(said.scores), len(said.thresholds), len(said.alerts)) == (2, 0, 0)
    assert (len(counted), len(tables)) == (1, 2)


def test_feed_goes_on_behind_what_was_seen(url):
    """Read page by page it gives every change once, in the order it was told."""
    with opened(url) as ledger:
        ledger.apply(SOME)
        whole = ledger.changes().to_dicts()
        paged: list[dict[str, object]] = []
        while page := ledger.changes(after=paged[-1]["seq"] if paged else 0, limit=2).to_dicts():
            paged += page
        assert paged == whole
        assert [row["seq"] for row in whole] == list(range(1, len(whole) + 1))


def test_threads_of_one_ledger_and_of_many(url):
    """Sixteen threads that deliver the same events through two ledgers tell each change once."""
    rows = [visits((f"lead-{i % 7}", f"2026-03-{1 + i % 20:02}", 2, f"e{i}")) for i in range(60)]
    with opened(url) as one, opened(url) as other, opened(url, "calm") as calm:
        barrier = threading.Barrier(16)

        def deliver(which: int) -> None:
            barrier.wait()
            for i in range(len(rows)):
                (one, other)[which % 2].apply(rows[(i + 7 * which) % len(rows)])

        with ThreadPoolExecutor(16) as pool:
            list(pool.map(deliver, range(16)))
        calm.apply([row for some in rows for row in some])
        one.advance("2026-05-01")
        calm.advance("2026-05-01")
        assert [str(one.lead(lead)) for lead in calm] == [str(calm.lead(lead)) for lead in calm]
        counted = one._keeping.changes(0, 10**6)
        net: dict[str, int] = {}
        for entry in counted:
            if "key" in entry.payload:
                key = entry.payload["key"]
                net[key] = net.get(key, 0) + (1 if entry.payload["change"] == "new" else -1)
        assert set(net.values()) <= {0, 1}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_forked(url):
    """A forked child goes on with a connection of its own, and neither harms the other."""
    with opened(url) as ledger:
        ledger.apply(SOME)
        if (child := os.fork()) == 0:
            try:
                ledger.add("child", "2026-03-05", "visit", {"points": 1}, "c1")
                os._exit(0 if len(ledger) == 3 else 1)
            except BaseException:
                os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        ledger.add("parent", "2026-03-05", "visit", {"points": 1}, "p1")
        assert sorted(ledger) == ["a", "b", "child", "parent"]


def test_advance_in_parts(url, monkeypatch):
    """An advance that goes in many parts tells what one that goes in a single part tells."""
    rows = visits(*((f"lead-{i:02}", "2026-03-01", 12, f"e{i}") for i in range(50)))
    with opened(url) as whole, opened(url, "parts") as parts:
        whole.apply(rows)
        parts.apply(rows)
        told = whole.advance("2026-04-01")
        monkeypatch.setattr(keeper, "AT_ONCE", 7)
        in_parts = parts.advance("2026-04-01")
        assert in_parts.transitions.to_dicts() == told.transitions.to_dicts()
        assert parts.score("2026-05-01").to_dicts() == whole.score("2026-05-01").to_dicts()
        assert [*parts] == [*whole]
        assert parts.clock == whole.clock


def test_advance_that_fails_half_way_goes_on(url, monkeypatch):
    """Parts told before a fault hold; the next advance tells the rest, and the clock moves once."""
    rows = visits(*((f"lead-{i:02}", "2026-03-01", 12, f"e{i}") for i in range(30)))
    monkeypatch.setattr(keeper, "AT_ONCE", 7)
    with opened(url) as ledger, opened(url, "calm") as calm:
        ledger.apply(rows)
        calm.apply(rows)
        from leadcore.ledger.stores.sql import Transaction

        done, whole = [], Transaction.settle

        def settle(self: Transaction) -> None:
            done.append(None)
            if len(done) == 3:
                raise StateError("out of luck")
            whole(self)

        with monkeypatch.context() as patch:
            patch.setattr(Transaction, "settle", settle)
            with pytest.raises(StateError, match="out of luck"):
                ledger.advance("2026-04-01")
        assert ledger.clock is None
        assert len(ledger.advance("2026-04-01").transitions) == 30 - 14
        calm.advance("2026-04-01")
        assert seen(ledger) == seen(calm)


def test_another_model_takes_over(url):
    """After a migration the old model is told so, wherever it is open, and the new one goes on."""
    other = lc.Scorer(lc.Model.from_yaml(MODEL.replace("NAME", "store").replace("value: 10", "value: 5")))
    with opened(url) as ledger, opened(url) as beside:
        ledger.apply(SOME)
        other.migrate(ledger)
        with pytest.raises(StateError, match="went on with another model"):
            beside.add("a", "2026-03-05", "visit", {"points": 1}, "e9")
        with pytest.raises(StateError, match="went on with another model"):
            opened(url)
    with opened(url, scorer=other) as again, opened(url, "anew", other) as anew:
        anew.apply(SOME)
        assert [str(again.lead(one)) for one in "ab"] == [str(anew.lead(one)) for one in "ab"]
        again.add("a", "2026-01-01", "visit", {"points": 70}, "e10")
        anew.add("a", "2026-01-01", "visit", {"points": 70}, "e10")
        assert str(again.lead("a")) == str(anew.lead("a"))


EDITED = lc.Scorer(lc.Model.from_yaml(MODEL.replace("NAME", "store").replace("points: 20", "points: 25")))


def test_an_edited_model_begins_no_empty_ledger(url):
    """Who forgets to migrate is told so, and loses nothing; models of another name and other tenants are not asked."""
    with opened(url) as ledger:
        opened(url, scorer=EDITED).close()  # there is nothing yet that could be forgotten
        ledger.apply(SOME, [{"lead_id": "a", "title": "CEO"}])
        third = lc.Scorer(lc.Model.from_yaml(MODEL.replace("NAME", "store").replace("points: 20", "points: 30")))
        with pytest.raises(StateError) as told:
            opened(url, scorer=third)
        assert str(told.value) == (
            f"tenant 'default' has no ledger of this version of 'store', of semantics {third.model.semantics[:12]}, but of "
            f"{SCORER.model.semantics[:12]}: open that with its own scorer and move it on, scorer.migrate(ledger), or begin an empty one beside it, "
            "with side_by_side=True"
        )
        opened(url, scorer=made("another")).close()
        opened(url, "other", third).close()
        with lc.Ledger.open(url, third, late="2d", side_by_side=True) as beside:
            assert len(beside) == 0
        opened(url, scorer=third).close()  # found from then on
        EDITED.migrate(ledger)
        with pytest.raises(StateError, match="went on with another model"):
            opened(url)


def test_an_empty_ledger_gives_its_place(url):
    """A ledger may be moved to a model that has an empty one; who has that one open is told, and one with leads stays."""
    with opened(url, scorer=EDITED) as empty, opened(url) as ledger:
        empty.advance("2026-01-01")
        ledger.apply(SOME, [{"lead_id": "a", "title": "CEO"}])
        EDITED.migrate(ledger)
        with pytest.raises(StateError, match="was empty, and another took its place: open it again"):
            empty.apply(SOME)
        with opened(url, scorer=EDITED) as again:
            assert seen(again) == seen(ledger)
            again.add("b", "2026-03-05", "visit", {"points": 1}, "e9")
        assert ledger.lead("b")["interest"] > 1
        with lc.Ledger.open(url, made("third"), late="2d") as third:
            third.apply(SOME)
            with pytest.raises(StateError, match="has a ledger of this model already, with leads"):
                made("third").migrate(ledger)
        ledger.add("b", "2026-03-06", "visit", {"points": 1}, "e10")


def test_lateness_stays(url):
    """A ledger is opened with the lateness it was made with, which is told as durations are."""
    opened(url, late="36h").close()
    with pytest.raises(StateError, match='made with late="1d12h": open it with that, not with "10d"'):
        opened(url, late="10d")


def test_integers_and_odd_text(url):
    """Any integer and any text is an id, and any value comes back as it was; events may have ids of both kinds."""
    with opened(url, "integers") as ledger:
        ledger.add(1, "2026-03-01", "visit", {"points": 1}, 1)
        ledger.add(-(2**63), "2026-03-01", "visit", {"points": 8}, 2**63 - 1)
        ledger.add(1, "2026-03-01", "visit", {"points": 16}, "1")
        assert [*ledger] == [-(2**63), 1]
        assert [ledger.lead(one)["interest"] for one in ledger] == [8, 17]
        ledger.add(1, "2026-06-01", "visit", {"points": 32}, None)
        ledger.add(1, "2026-02-01", "visit", {"points": 64}, 5)
        ledger.retract([{"lead_id": 1, "event_id": "1"}])
        assert ledger.score("2026-03-01", [1])[1]["interest"] == 5
    with opened(url, "texts") as ledger:
        ledger.add("1", "2026-03-01", "visit", {"points": 2}, "1")
        ledger.add("ü\0'%s?", "2026-03-01", "visit", {"points": 4}, "ü\0'%s?")
        assert [*ledger] == ["1", "ü\0'%s?"]
        assert [ledger.lead(one)["interest"] for one in ledger] == [2, 4]
        assert {*ledger.changes().table.column("lead_id")} == {*ledger}


@pytest.mark.parametrize("kept", ["in memory", "in a store"])
@pytest.mark.parametrize(("lead_id", "kind"), [(7, "int64"), ("ada", "string")])
def test_tables_without_rows_have_the_ids_of_the_ledger(url, kept, lead_id, kind):
    """So the changes of quiet nights can be put behind those of others."""
    with lc.Ledger(SCORER) if kept == "in memory" else opened(url) as ledger:
        ledger.apply([{**SOME[0], "lead_id": lead_id}])
        said = [ledger.advance("2026-01-01"), ledger.advance("2026-01-01"), ledger.apply([]), ledger.apply(SOME[:0])]
        frames = [
            getattr(one, name) for one in said for name in ("scores", "thresholds", "transitions", "alerts", "late")
        ]
        frames += [ledger.next_change("2026-03-01", "1h"), ledger.score("2026-03-01", [])]
        frames += [] if kept == "in memory" else [ledger.changes(10**6)]
        assert {(len(one), str(pa.table(one).schema.field("lead_id").type)) for one in frames} == {(0, kind)}


@pytest.mark.parametrize("known", ["a lead", "a record"])
def test_ids_of_leads_are_of_one_kind(url, known):
    """A slip in typing makes no second person; an alias is enough to know the kind, and who forgets all may begin anew."""
    with opened(url) as ledger:
        if known == "a lead":
            ledger.add("a", "2026-03-01", "visit")
        else:
            ledger.merge("b", into="a")
        before = seen(ledger)
        for attempt, where in (
            (lambda: ledger.add(1, "2026-03-01", "visit"), "events, row 0, column lead_id: '1'"),
            (lambda: ledger.apply([{**SOME[0], "lead_id": 1}]), "events, row 0, column lead_id: '1'"),
            (lambda: ledger.apply(None, [{"lead_id": 1, "title": "CEO"}]), "leads, row 0, column lead_id: '1'"),
            (lambda: ledger.retract([{"lead_id": 1, "event_id": "e1"}]), "events, row 0, column lead_id: '1'"),
            (lambda: ledger.merge(1, into=2), "lead_id: '1'"),
            (lambda: ledger.merge("c", into=2), "into: '2'"),
        ):
            with pytest.raises(DataError, match=f"^{where}.* is an integer, but the ids read before are text"):
                attempt()
        assert seen(ledger) == before
        ledger.add("a", "2026-03-01", "visit")
        ledger.forget("a")
        ledger.add(1, "2026-03-01", "visit")
        with pytest.raises(DataError, match="'a' is text, but the ids read before are integers"):
            ledger.apply(SOME)
        assert [*ledger] == [1]


def test_forgotten_for_good(tmp_path):
    """Nothing of a lead is left in the files: neither what it was told nor what was remembered and handed out."""
    path = tmp_path / "leads.db"
    model = MODEL.replace("call: {}", "call: {note: {type: text, optional: true}}")
    scorer = lc.Scorer(lc.Model.from_yaml(model))
    with lc.Ledger.open(f"sqlite:///{path}", scorer) as ledger:
        for i in range(40):
            ledger.apply(
                [
                    {
                        "lead_id": "secret-person",
                        "at": f"2026-03-{1 + i % 20:02}",
                        "type": "call",
                        "note": f"secret {i}",
                    },
                    {"lead_id": f"other-{i}", "at": "2026-03-01", "type": "call", "note": "public" * 20},
                ],
                [{"lead_id": "secret-person", "title": f"secret title {i}"}],
            )
        ledger.merge("secret-alias", "secret-person")
        assert b"secret" in b"".join(file.read_bytes() for file in tmp_path.iterdir())
        assert ledger.forget("secret-alias")
        assert not ledger.forget("secret-alias")
        for file in tmp_path.iterdir():
            assert b"secret" not in file.read_bytes(), file.name
        assert len(ledger) == 40
        assert not [row for row in ledger.changes(0, 10**6).to_dicts() if "secret" in str(row["lead_id"])]


def test_forgotten_while_others_read(tmp_path):
    """While somebody still reads what was there it stays in the log; the next write after that takes it away."""
    path = tmp_path / "leads.db"
    with opened(f"sqlite:///{path}?timeout=0.1") as ledger:
        ledger.add("secret-person", "2026-03-01", "visit", {"points": 1}, "secret-event")
        with closing(sqlite3.connect(path, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT * FROM leadcore_event").fetchall()
            assert ledger.forget("secret-person")
            ledger.add("other", "2026-03-01", "visit", {"points": 1}, "e1")
            assert b"secret" in Path(f"{path}-wal").read_bytes()
        ledger.add("other", "2026-03-02", "visit", {"points": 1}, "e2")
        assert not [file for file in tmp_path.iterdir() if b"secret" in file.read_bytes()]


def test_closed(url):
    """Closed, a ledger says so, and others of the store go on."""
    with opened(url) as one, opened(url, "other") as other:
        one.close()
        one.close()
        with pytest.raises(StateError, match="this ledger is closed"):
            len(one)
        other.apply(SOME)
        assert len(other) == 2


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_opened_by_many_at_once(url):
    """A store that many processes make at the same instant is made once."""
    begin = os.pipe()
    children = []
    for i in range(6):
        if (child := os.fork()) == 0:
            try:
                os.close(begin[1])
                os.read(begin[0], 1)
                with opened(url) as ledger:
                    ledger.add(f"lead-{i}", "2026-03-01", "visit", {"points": 1}, "e1")
                os._exit(0)
            except BaseException:
                import traceback

                traceback.print_exc()
                os._exit(1)
        children.append(child)
    os.close(begin[1])  # all of them go on
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0] * 6
    os.close(begin[0])
    with opened(url) as ledger:
        assert len(ledger) == 6


def test_files_are_sound(tmp_path):
    """SQLite finds nothing to complain of after any of these calls."""
    url = f"sqlite:///{tmp_path}/leads.db"
    with opened(url) as ledger:
        ledger.apply(SOME)
        ledger.merge("a", "b")
        ledger.forget("a")
        ledger.apply(SOME)
    with closing(sqlite3.connect(Path(tmp_path, "leads.db"))) as raw:
        assert raw.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert raw.execute("PRAGMA foreign_key_check").fetchall() == []
        assert raw.execute("PRAGMA journal_mode").fetchall() == [("wal",)]


def test_a_closed_ledger_says_so(url):
    """Looking at one is no error, in a debugger or a notebook."""
    with opened(url) as ledger:
        pass
    assert "closed" in repr(ledger)
    assert "closed" in ledger._repr_html_()
