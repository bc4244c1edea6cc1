"""Faulty tables are refused with a message that names table, column, row and value, and says why (spec 10, 11)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import leadcore as lc

SNAPSHOT = Path(__file__).with_name("bad_tables.txt")
MODEL = lc.Model.from_yaml("""
leadcore: 1
name: tables
attributes: {title: text, employees: number, student: boolean, since: instant, note: {type: text, optional: true}}
events: {visit: {url: text, seconds: number}, reply: {positive: boolean, on: instant}}
scores: {total: {criteria: [{name: visits, kind: event, on: [visit], points: 1, limit: {count: 2, per: day}}]}}
""")
SCORER = lc.Scorer(MODEL)
NOW = "2026-03-10"
LEAD = {"lead_id": 1, "title": "VP", "employees": 5, "student": False, "since": "2026-01-01"}
EVENT = {
    "lead_id": 1,
    "at": "2026-03-01T12:00Z",
    "type": "visit",
    "url": "/",
    "seconds": 1.0,
    "positive": None,
    "on": None,
}


class Broken:
    """A table whose stream cannot be had."""

    def __arrow_c_stream__(self, requested_schema=None):
        raise ZeroDivisionError("the disk is gone")


def leads(*rows: dict, **columns: object):
    """Score with these leads."""
    given = [{**LEAD, **row} for row in rows] if rows else {**{k: [v] for k, v in LEAD.items()}, **columns}
    return lambda: SCORER.score([EVENT], given, as_of=NOW)


def events(*rows: dict, **columns: object):
    """Score with these events."""
    given = [{**EVENT, **row} for row in rows] if rows else {**{k: [v] for k, v in EVENT.items()}, **columns}
    return lambda: SCORER.score(given, [LEAD], as_of=NOW)


def without(row: dict, *names: str) -> dict:
    """The row without some columns."""
    return {k: v for k, v in row.items() if k not in names}


BAD: dict[str, Callable[[], object]] = {
    "a table of another kind": lambda: SCORER.score(42, as_of=NOW),
    "a path instead of a table": lambda: SCORER.score("events.csv", as_of=NOW),
    "leads without lead_id": lambda: SCORER.score(None, [without(LEAD, "lead_id")], as_of=NOW),
    "leads without a declared column": lambda: SCORER.score(None, [without(LEAD, "employees", "title")], as_of=NOW),
    "events without at": lambda: SCORER.score([without(EVENT, "at")], as_of=NOW),
    "events without type and a property": lambda: SCORER.score([without(EVENT, "type", "url")], as_of=NOW),
    "a null lead id": leads({"lead_id": None}, {"lead_id": 2}),
    "a lead twice": leads({}, {"title": "CEO"}),
    "a lead twice from one instant": leads({"valid_from": "2026-01-01"}, {"valid_from": "2026-01-01T00:00Z"}),
    "ids of two kinds in one list": leads({"lead_id": 1}, {"lead_id": "one"}),
    "ids of two kinds in two tables": lambda: SCORER.score([{**EVENT, "lead_id": "one"}], [LEAD], as_of=NOW),
    "an id beyond 64 bits": leads(lead_id=pa.array([2**64 - 1], pa.uint64())),
    "an id that is a fraction": leads(lead_id=np.array([1.5])),
    "text for a number": leads(employees=["many"]),
    "a number for text": leads(title=[7]),
    "a boolean for a number": leads(employees=[True]),
    "a number for a boolean": leads(student=[1]),
    "a number for an instant": leads(since=[1.0]),
    "infinity": leads(employees=[float("inf")]),
    "an integer no float64 holds": leads(employees=np.array([2**53 + 1])),
    "a date that is none": leads(since=["2026-02-30"]),
    "a date in words": events({"at": "yesterday"}),
    "a null instant": events({}, {"at": None}),
    "not a time": events(at=np.array(["NaT"], "datetime64[us]")),
    "an instant before year 1": events(at=pa.array([-(2**62)], pa.timestamp("us", "UTC"))),
    "an instant after year 9999": events(at=pa.array([2**62], pa.timestamp("us", "UTC"))),
    "a null type": events({"type": None}),
    "an event id repeated with another property": events({"event_id": "e1"}, {"event_id": "e1", "url": "/pricing"}),
    "an event id repeated at another instant": events({"event_id": 7}, {"event_id": 7, "at": "2026-03-02"}),
    "columns of different lengths": lambda: SCORER.score(
        {**{k: [v] for k, v in EVENT.items()}, "url": ["/", "/"]}, as_of=NOW
    ),
    "a column map with an unknown name": lambda: SCORER.score([EVENT], as_of=NOW, columns={"events": {"emial": "x"}}),
    "a flat column map with an unknown name": lambda: SCORER.score([EVENT], as_of=NOW, columns={"emial": "x"}),
    "a column map to a column that is not there": lambda: SCORER.score([EVENT], as_of=NOW, columns={"at": "when"}),
    "an as_of that is no instant": lambda: SCORER.score([EVENT], as_of="tomorrow"),
    "an as_of beyond year 9999": lambda: SCORER.score([EVENT], as_of="12026-01-01"),
    "an as_of column without leads": lambda: SCORER.score([EVENT], as_of=lc.column("booked")),
    "an as_of column that is not there": lambda: SCORER.score([EVENT], [LEAD], as_of=lc.column("booked")),
    "an as_of column with a null": lambda: SCORER.score([EVENT], [{**LEAD, "booked": None}], as_of=lc.column("booked")),
    "an as_of table without instants": lambda: SCORER.score([EVENT], as_of=[{"lead_id": 1}]),
    "an unknown lead": lambda: SCORER.score([{**EVENT, "lead_id": 9}], [LEAD], as_of=NOW, unknown_leads="error"),
    "aliases in a circle": lambda: SCORER.score(
        [EVENT], [LEAD], as_of=NOW, aliases=[{"lead_id": 1, "same_as": 2}, {"lead_id": 2, "same_as": 1}]
    ),
    "aliases that disagree": lambda: SCORER.score(
        [EVENT], [LEAD], as_of=NOW, aliases=[{"lead_id": 1, "same_as": 2}, {"lead_id": 1, "same_as": 3}]
    ),
    "two faults at once": events({"at": "soon"}, {"at": "later"}, {"lead_id": None}),
    "a table that fails to give a stream": lambda: SCORER.score(Broken(), as_of=NOW),
    "no as_of": lambda: SCORER.score([EVENT], as_of=None),
    "columns that are no mapping": lambda: SCORER.score([EVENT], as_of=NOW, columns=5),
    "a column mapped to a number": lambda: SCORER.score([EVENT], as_of=NOW, columns={"at": 5}),
    "half a thread": lambda: SCORER.score([EVENT], as_of=NOW, threads=1.5),
    "one lead: attributes that are none": lambda: SCORER.score_lead(5, [], as_of=NOW),
    "one lead: events that are none": lambda: SCORER.score_lead({}, 5, as_of=NOW),
    "one lead: an event that is none": lambda: SCORER.score_lead({}, [5], as_of=NOW),
    "an unknown engine": lambda: SCORER.score([EVENT], as_of=NOW, engine="gpu"),
    "an unknown policy": lambda: SCORER.score([EVENT], as_of=NOW, on_error="ignore"),
    "no threads": lambda: SCORER.score([EVENT], as_of=NOW, threads=0),
    "explanations without explain": lambda: SCORER.score([EVENT], as_of=NOW).explanations(),
    "a lead that is not in the result": lambda: SCORER.score([EVENT], as_of=NOW)["nobody"],
    "accounts of a model without": lambda: SCORER.score([EVENT], as_of=NOW).accounts,
    "one lead: text for a number": lambda: SCORER.score_lead({"employees": "many"}, [], as_of=NOW),
    "one lead: an event without at": lambda: SCORER.score_lead({}, [{"type": "visit"}], as_of=NOW),
    "one lead: an event id repeated": lambda: SCORER.score_lead(
        {}, [{**EVENT, "event_id": 1}, {**EVENT, "event_id": 1, "url": "/x"}], as_of=NOW
    ),
    "one lead: an as_of table": lambda: SCORER.score_lead({}, [], as_of=[{"lead_id": 1}]),
    "one lead: a naive as_of number": lambda: SCORER.score_lead(
        {}, [], as_of=datetime(2026, 1, 1, tzinfo=UTC).timestamp()
    ),
}


def messages() -> dict[str, str]:
    """What each bad table is told, with the error's class."""
    told = {}
    for name, attempt in BAD.items():
        try:
            attempt()
        except (lc.LeadcoreError, KeyError) as error:
            told[name] = f"{type(error).__name__}: {error}"
        else:
            told[name] = "nothing was said"
    return told


def snapshot(told: dict[str, str]) -> str:
    """The messages as a page a person can read."""
    return "".join(f"# {name}\n{text}\n\n" for name, text in told.items())


def test_messages():
    """Every message is the one on the page; to accept new ones, run this file and read the page aloud."""
    assert snapshot(messages()) == SNAPSHOT.read_text()


@pytest.mark.parametrize("name", BAD)
def test_refused(name):
    """Each is refused by our own family of errors, and says something."""
    with pytest.raises((lc.LeadcoreError, KeyError)) as caught:
        BAD[name]()
    assert str(caught.value)


if __name__ == "__main__":
    SNAPSHOT.write_text(snapshot(messages()))
