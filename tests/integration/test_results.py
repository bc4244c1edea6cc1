"""What a scorer gives out: frames, explanations, counts, rejects (spec 7, 8.10, 12)."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import leadcore as lc

MODEL = lc.Model.from_yaml("""
leadcore: 1
name: results
attributes: {title: text, employees: {type: number, optional: true}}
events: {visit: {url: text}, demo: {}}
scores:
  fit:
    criteria: [{name: vp, kind: attribute, when: {field: title, op: has_word, value: vp}, points: 20}]
    grades: [{name: A, at_least: 20}, {name: B}]
  engagement:
    max: 50
    groups:
      intent:
        weight: 2
        criteria:
          - {name: visits, kind: event, on: visit, points: 5, decay: {half_life: 7d}, limit: {count: 2, per: day}}
          - {name: demo, kind: event, on: demo, points: 10, when: {field: employees, op: ge, value: 10}}
    grades: [{name: "1", at_least: 30}, {name: "2"}]
  total: {combine: {fit: 1, engagement: 0.5}}
rating: [fit, engagement]
labels: [{name: hot, when: {all: [{field: rating, op: eq, value: a1}, {field: score.total, op: gt, value: 40}]}}, {name: cold}]
thresholds: {mql: {score: total, at: 35}}
accounts: {scores: {best: {of: total, by: max}, all: {of: total, by: sum}}}
""")
SCORER = lc.Scorer(MODEL)
T = "2026-03-08T00:00Z"
LEADS = [
    {"lead_id": "b", "title": "VP Sales", "employees": 100.0, "account_id": "acme"},
    {"lead_id": "a", "title": None, "employees": None, "account_id": "acme"},
    {"lead_id": "c", "title": "Clerk", "employees": 3.0, "account_id": None},
]
EVENTS = [
    {"lead_id": "b", "at": "2026-03-01T00:00Z", "type": "visit", "url": "/"},
    {"lead_id": "b", "at": "2026-03-08T00:00Z", "type": "visit", "url": "/pricing"},
    {"lead_id": "b", "at": "2026-03-07T00:00Z", "type": "demo", "url": None},
    {"lead_id": "b", "at": "2026-03-07T00:00Z", "type": "demo", "url": None},
    {"lead_id": "z", "at": "2026-03-08T00:00Z", "type": "visit", "url": "/"},
    {"lead_id": "y", "at": "2026-03-08T00:00Z", "type": "visit", "url": "/"},
    {"lead_id": "x", "at": "2026-03-09T00:00Z", "type": "visit", "url": "/"},
    {"lead_id": "c", "at": "2026-03-08T00:00Z", "type": "unsubscribe", "url": "/"},
]


@pytest.fixture(scope="module")
def scores() -> lc.Scores:
    """A small result."""
    return SCORER.score(EVENTS, LEADS, as_of=T, explain=True)


def test_rows(scores):
    """One row per lead in the order of leads, then leads known only from events by id; columns as in spec 12."""
    assert scores.column_names == [
        *("lead_id", "fit", "engagement", "total", "fit_grade", "engagement_grade", "rating", "label", "mql"),
    ]
    rows = scores.to_dicts()
    assert [row["lead_id"] for row in rows] == ["b", "a", "c", "y", "z"]  # x comes after T
    first = {"lead_id": "b", "fit": 20.0, "engagement": 50.0, "total": 45.0, "fit_grade": "A", "engagement_grade": "1"}
    assert rows[0] == {**first, "rating": "A1", "label": "hot", "mql": True}
    assert rows[3]["engagement"] == 10.0
    assert rows[3]["label"] == "cold"


def test_frames(scores):
    """Every frame library reads the same rows, again and again, and one stream serves two readers."""
    expected = [row["total"] for row in scores.to_dicts()]
    assert scores.to_polars()["total"].to_list() == expected
    assert scores.to_pandas()["total"].tolist() == expected
    assert scores.to_arrow().column("total").to_pylist() == expected
    assert pa.table(scores).equals(pa.table(scores))
    assert pl.DataFrame(scores).equals(scores.to_polars())
    relation = duckdb.sql("select sum(total), count(*) from scores")
    assert relation.fetchall() == [(sum(expected), len(expected))]
    assert duckdb.sql("select lead_id from scores where mql").fetchall() == [("b",)]


@pytest.mark.parametrize(
    "make", [pl.DataFrame, pd.DataFrame, pa.Table.from_pylist, list], ids=["polars", "pandas", "pyarrow", "dicts"]
)
def test_any_table_in(scores, make):
    """The kind of table does not matter."""
    again = SCORER.score(make(EVENTS), make(LEADS), as_of=datetime(2026, 3, 8, tzinfo=UTC), micropoints=True)
    assert again.to_dicts()[0]["total"] == 45_000_000
    assert (
        again.to_polars()
        .drop("lead_id")
        .equals(SCORER.score(EVENTS, LEADS, as_of=T, micropoints=True).to_polars().drop("lead_id"))
    )


def test_columns_of_arrays():
    """A dict of lists and numpy arrays is a table too."""
    events = {
        "lead_id": np.array([1, 1]),
        "at": np.array(["2026-03-01", "2026-03-08"], "datetime64[ns]"),
        "type": ["visit", "visit"],
        "url": [None, "/"],
    }
    assert SCORER.score(events, as_of=T)[1]["engagement"] == 15.0


def test_mapped_columns():
    """Names are mapped per table or flat (spec 2.3)."""
    events = [{"contact": e["lead_id"], "when": e["at"], "type": e["type"], "url": e["url"]} for e in EVENTS]
    flat = SCORER.score(events, as_of=T, columns={"lead_id": "contact", "at": "when"})
    nested = SCORER.score(events, LEADS, as_of=T, columns={"events": {"lead_id": "contact", "at": "when"}})
    assert flat["b"]["engagement"] == 15.0
    assert nested["b"]["engagement"] == 50.0


def test_one_lead(scores):
    """A lead of the result, and the same lead scored by itself, say the same."""
    events = [event for event in EVENTS if event["lead_id"] == "b"]
    alone = SCORER.score_lead(LEADS[0], events, as_of=T)
    assert repr(alone) == repr(scores["b"])
    assert alone.explain().lines == scores.explain("b").lines == scores["b"].explain().lines
    assert (alone.rating, alone.label, alone.thresholds, alone.grades["fit"]) == ("A1", "hot", {"mql": True}, "A")
    assert "b" in scores
    assert "nobody" not in scores


def test_explanations_add_up(scores):
    """Lines sum to each score exactly, in the long table and lead by lead (spec 7)."""
    long = scores.explanations().to_polars()
    sums = {(r["lead_id"], r["score"]): r["micropoints"] for r in long.group_by("lead_id", "score").sum().to_dicts()}
    for one in scores:
        for name, value in one.micropoints.items():
            assert sums.get((one.lead_id, name), 0) == value
            assert sum(line.micropoints for line in one.explain().lines if line.score == name) == value
    lines = {
        (line.score, line.group, line.criterion, line.part): line.micropoints for line in scores.explain("b").lines
    }
    assert lines["engagement", "intent", "visits", "raw"] == 7_500_000
    assert lines["engagement", "intent", None, "weight"] == 27_500_000
    assert lines["engagement", None, None, "score_bounds"] == -5_000_000
    assert lines["total", None, "engagement", "component"] == 25_000_000


def test_shares(scores):
    """Each event's share sums to its criterion's raw value (spec 7)."""
    told = scores.explain("b", shares=True)
    assert [(s.criterion, s.row, s.micropoints) for s in told.shares] == [
        *(("visits", 0, 2_500_000), ("demo", 2, 10_000_000), ("demo", 3, 10_000_000), ("visits", 1, 5_000_000)),
    ]


def test_explains_by_reading_again():
    """Without ``explain=True`` the input is read again; a stream read once says so."""
    kept = SCORER.score(EVENTS, LEADS, as_of=T)
    assert kept.explain("b").totals["total"] == 45_000_000
    once = pa.RecordBatchReader.from_stream(pa.Table.from_pylist(EVENTS))
    scores = SCORER.score(once, LEADS, as_of=T)
    with pytest.raises(lc.LeadcoreError, match="read only once"):
        scores.explain("b")


def test_told_in_words(scores):
    """The explanation reads well in a terminal and escapes what it shows in a notebook."""
    text = str(scores.explain("b"))
    assert text.splitlines()[:3] == ["b as of 2026-03-08T00:00:00Z", "fit  +20", "           +20  vp"]
    assert "weighted" in text
    assert "held to the score's bounds" in text
    odd = SCORER.score([{**EVENTS[0], "lead_id": "<script>"}], as_of=T)
    assert "<script>" not in odd["<script>"].explain()._repr_html_()
    assert "<script>" not in odd._repr_html_()
    assert "lead_id" in repr(odd)


def test_counts(scores):
    """Every row is accounted for (spec 2.6, 12)."""
    counts = scores.counts
    assert (counts.leads, counts.events, counts.ignored, counts.later) == (3, 8, {"unsubscribe": 1}, 1)
    assert counts.used + sum(counts.ignored.values()) == counts.leads + counts.events


def test_accounts(scores):
    """Accounts of the leads that have one (spec 6.6)."""
    assert scores.accounts.to_dicts() == [{"account_id": "acme", "best": 45.0, "all": 45.0}]


def test_instants_of_their_own():
    """A table (lead_id, as_of) asks a lead as often as wanted; a column of leads once (design 5)."""
    asked = [
        {"lead_id": "b", "as_of": "2026-03-08"},
        {"lead_id": "b", "as_of": "2026-03-01"},
        {"lead_id": "q", "as_of": T},
    ]
    rows = SCORER.score(EVENTS, LEADS, as_of=asked).to_dicts()
    assert [(r["lead_id"], r["as_of"].day, r["engagement"]) for r in rows] == [
        ("b", 8, 50.0),
        ("b", 1, 10.0),
        ("q", 8, 0.0),
    ]
    leads = [{**lead, "booked": "2026-03-07"} for lead in LEADS]
    assert SCORER.score(EVENTS, leads, as_of=lc.column("booked"))["b"].as_of == datetime(2026, 3, 7, tzinfo=UTC)


def test_rejects():
    """Faulty rows are listed with their reasons, the rest is scored, and the leads concerned say so (spec 12)."""
    leads = [*LEADS, {"lead_id": "b", "title": "CEO", "employees": 1.0, "account_id": None}]
    events = [
        *EVENTS,
        {"lead_id": "a", "at": None, "type": "visit", "url": "/"},
        {"lead_id": None, "at": "2026-03-08", "type": "visit", "url": "/"},
        {"lead_id": "c", "at": "noon", "type": "visit", "url": "/"},
    ]
    scores = SCORER.score(events, leads, as_of=T, on_error="reject")
    rejected = {row["lead_id"]: row["rejected_rows"] for row in scores.to_dicts()}
    assert rejected["a"] == 1
    assert rejected["c"] == 1
    assert rejected["z"] == 0
    assert rejected["b"] > 0
    listed = scores.rejects.to_dicts()
    assert {(r["table"], r["row"]) for r in listed} >= {("events", 8), ("events", 9), ("events", 10)}
    counts = scores.counts
    assert counts.leads + counts.events == counts.used + sum(counts.ignored.values()) + sum(counts.rejected.values())


def test_aliases_of_nobody():
    """A table of aliases without rows changes nothing, also where no lead is known before the events (spec 2.8)."""
    nobody = pa.table({"lead_id": pa.array([], pa.string()), "same_as": pa.array([], pa.string())})
    assert SCORER.score(EVENTS, as_of=T, aliases=nobody).to_dicts() == SCORER.score(EVENTS, as_of=T).to_dicts()


def test_repeats_rejected():
    """Rows that repeat an event id and differ are all rejected, whatever their order (spec 2.5)."""
    rows = [{**EVENTS[0], "event_id": 1}, {**EVENTS[0], "event_id": 1, "url": "/x"}, {**EVENTS[1], "event_id": 2}]
    for order in ([0, 1, 2], [2, 1, 0]):
        scores = SCORER.score([rows[i] for i in order], LEADS, as_of=T, on_error="reject")
        assert scores["b"]["engagement"] == 10.0
        assert len(scores.rejects) == 2
        assert scores.counts.rejected["events"] == 2
        assert scores.to_dicts()[0]["rejected_rows"] == 2


def test_shared_and_pickled():
    """A scorer is shared by threads and pickled by its model; scoring changes nothing (spec 10.3)."""
    again = pickle.loads(pickle.dumps(SCORER))
    with ThreadPoolExecutor(8) as pool:
        found = set(
            pool.map(lambda i: repr((SCORER, again)[i % 2].score(EVENTS, LEADS, as_of=T).to_dicts()), range(40))
        )
        found |= {
            repr(r)
            for r in pool.map(
                lambda i: SCORER.score_lead(LEADS[0], EVENTS[:4], as_of=T).micropoints["total"], range(200)
            )
        }
    assert found == {repr(SCORER.score(EVENTS, LEADS, as_of=T).to_dicts()), "45000000"}


def test_rejects_of_aliases():
    """A rejected row of an alias marks the lead it stands for, and makes no lead of its own (spec 2.8)."""
    events = [{**EVENTS[0], "lead_id": "q", "at": "bad"}, {**EVENTS[0], "lead_id": "new", "at": "bad"}]
    aliases = [{"lead_id": "q", "same_as": "a"}]
    rows = SCORER.score(events, LEADS, as_of=T, aliases=aliases, on_error="reject").to_dicts()
    assert {row["lead_id"]: row["rejected_rows"] for row in rows} == {"b": 0, "a": 1, "c": 0, "new": 1}
    left = SCORER.score(events, LEADS, as_of=T, aliases=aliases, on_error="reject", unknown_leads="error")
    assert len(left) == 3


def test_rejects_of_the_reference_engine():
    """Both engines reject the same rows and score the rest alike."""
    events = [{**row, "event_id": i % 2} for i, row in enumerate(EVENTS)] + [
        {**EVENTS[0], "at": "noon", "event_id": 99}
    ]
    kernel, slow = (SCORER.score(events, LEADS, as_of=T, on_error="reject", engine=e) for e in ("kernel", "reference"))
    assert kernel.to_dicts() == slow.to_dicts()
    assert kernel.rejects.to_dicts() == slow.rejects.to_dicts()
    assert len(kernel.rejects) > 1


def test_counts_of_rejected_asks():
    """Rejected rows of ``as_of`` are no rows of the two tables."""
    asked = [{"lead_id": "b", "as_of": None}, {"lead_id": "b", "as_of": T}]
    counts = SCORER.score(EVENTS, LEADS, as_of=asked, on_error="reject").counts
    assert counts.rejected == {"as_of": 1}
    assert counts.used == 3 + 8 - 1


def test_any_number_of_threads():
    """More threads than there is work for is no harm."""
    assert SCORER.score(EVENTS, LEADS, as_of=T, threads=10**9)["b"]["total"] == 45.0


def test_no_events_and_no_leads():
    """Either table may be absent or empty."""
    assert len(SCORER.score([], LEADS, as_of=T)) == 3
    assert len(SCORER.score([], [], as_of=T)) == 0
    assert len(SCORER.score(EVENTS, [], as_of=[])) == 0
    assert len(SCORER.score(None, None, as_of=T)) == 0
    assert len(SCORER.score(None, LEADS, as_of=T)) == 3
    assert SCORER.score(None, LEADS, as_of=T).to_polars().height == 3


def test_reference_engine(scores):
    """The slow engine gives the same table and the same lines."""
    slow = SCORER.score(EVENTS, LEADS, as_of=T, engine="reference")
    assert slow.to_dicts() == scores.to_dicts()
    assert slow.explain("b").lines == scores.explain("b").lines
    assert slow.explanations().to_dicts() == scores.explanations().to_dicts()


def test_reference_engine_reads_what_the_kernel_reads():
    """Extra columns of any type are ignored, and a mapped name is read from its own column only (spec 2.3)."""
    events = pa.table(
        {
            "lead_id": ["x", "y"],
            "contact": ["b", "b"],
            "at": ["2026-03-01", "2026-03-08"],
            "type": ["visit", "visit"],
            "url": ["/", "/"],
            "extra": pa.array([{"a": [1]}, None]),
            "gap": pa.array([(1, 2, 3), None], pa.month_day_nano_interval()),
        }
    )
    kernel, slow = (
        SCORER.score(events, LEADS, as_of=T, columns={"events": {"lead_id": "contact"}}, engine=engine)
        for engine in ("kernel", "reference")
    )
    assert kernel.to_dicts() == slow.to_dicts()
    assert kernel["b"]["engagement"] == 15.0
