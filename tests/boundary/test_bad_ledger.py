"""Bad facts and arguments of a ledger, and what users are told: every message as it stands in `bad_ledger.txt`."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import pyarrow as pa
import pytest

import leadcore as lc

SNAPSHOT = Path(__file__).with_name("bad_ledger.txt")
MODEL = lc.Model.from_yaml("""
leadcore: 1
name: stages
attributes: {size: number}
events: {visit: {url: text, seconds: number}, moved: {to: text}}
scores: {total: {criteria: [{name: visits, kind: event, on: [visit], points: 1}]}}
thresholds: {warm: {score: total, at: 3}}
lifecycle:
  initial: new
  stages: [{name: new}, {name: warm}]
  transitions: [{name: visited, from: new, to: warm, when: {field: threshold.warm, op: eq, value: true}}]
""")
SCORER = lc.Scorer(MODEL)
EVENT = {
    "lead_id": 1,
    "at": "2026-03-09T12:00Z",
    "type": "visit",
    "url": "/",
    "seconds": 1.0,
    "to": None,
    "event_id": "e1",
}
LEAD = {"lead_id": 1, "size": 5.0}
LONG, NEW, LATER = 1000, 1001, 1002
"""A lead whose older events are kept as a sum, a new one, and one whose event is still to come."""

Attempt = Callable[[lc.Ledger], object]


def events(*rows: dict, **arguments: object) -> Attempt:
    """Tell these events."""
    return lambda ledger: ledger.apply([{**EVENT, **row} for row in rows], **arguments)


def leads(*rows: dict, **arguments: object) -> Attempt:
    """Tell these rows of leads."""
    return lambda ledger: ledger.apply(None, [{**LEAD, **row} for row in rows], **arguments)


def add(*arguments: object, **named: object) -> Attempt:
    """Tell one event."""
    given = (1, "2026-03-09", "visit", {})
    return lambda ledger: ledger.add(*arguments, *given[len(arguments) :], **named)


def retract(*rows: dict, **columns: object) -> Attempt:
    """Take events back."""
    return lambda ledger: ledger.retract(columns or [*rows])


def made(*arguments: object, **named: object) -> Attempt:
    """Make a ledger."""
    return lambda _: lc.Ledger(*arguments, **named)


def without(row: dict, *names: str) -> dict:
    """The row without some columns."""
    return {k: v for k, v in row.items() if k not in names}


OLD = {"at": "2026-02-01T12:00Z", "event_id": "old"}

BAD: dict[str, Attempt] = {
    # making one
    "a model instead of a scorer": made(MODEL),
    "no scorer": made(None),
    "lateness in words": made(SCORER, late="a week"),
    "lateness in months": made(SCORER, late="1 month"),
    "lateness as a number": made(SCORER, late=7),
    "negative lateness": made(SCORER, late=timedelta(days=-1)),
    "lateness of a thousand years": made(SCORER, late="365250d"),
    "lateness of a fraction of a second": made(SCORER, late=timedelta(milliseconds=5)),
    "a URL that is a path": lambda _: lc.Ledger.open(Path("leads.db"), SCORER),
    "a URL of nothing": lambda _: lc.Ledger.open("leads.db", SCORER),
    "a store of a model": lambda _: lc.Ledger.open("sqlite:///:memory:", MODEL),
    "a tenant without a name": lambda _: lc.Ledger.open("sqlite:///:memory:", SCORER, tenant=""),
    # events
    "events of another kind": lambda ledger: ledger.apply(5),
    "a path instead of events": lambda ledger: ledger.apply("events.csv"),
    "events without instants": lambda ledger: ledger.apply([without(EVENT, "at")]),
    "events without a property": lambda ledger: ledger.apply([without(EVENT, "url")]),
    "an event at no time": events({"at": None}),
    "an event of nobody": events({"lead_id": None}),
    "a number in words": events({"seconds": "ten"}),
    "an infinite number": events({"seconds": float("inf")}),
    "columns of another kind": events({}, columns=["lead_id"]),
    "columns of another model": events({}, columns={"colour": "color"}),
    "lateness handled otherwise": events({}, on_late="drop"),
    "an end in words": events({}, until="tomorrow"),
    "an end of another kind": events({}, until=5),
    "no threads": events({}, threads=0),
    "an event that is too late": events({}, OLD, {**OLD, "event_id": None, "lead_id": 2}),
    "three events that are too late": events(*[{**OLD, "event_id": f"x{i}"} for i in range(3)]),
    "an event told otherwise": events({"seconds": 2.0}),
    "events of leads named in text, where leads have numbers": events({"lead_id": "ada"}, {"lead_id": "1"}),
    "two events of one id": events({"event_id": "twice"}, {"event_id": "twice", "url": "/other"}),
    # leads
    "a lead of nobody": leads({"lead_id": None}),
    "a lead in two rows": leads({}, {"size": 6.0}),
    "a size in words": leads({"size": "large"}),
    "attributes since long ago": leads({"valid_from": "2026-01-01", "size": 9.0}),
    "attributes since ever": leads({"lead_id": LONG, "size": 9.0}),
    "a creation long ago": leads({"lead_id": LONG, "created_at": "2025-01-01"}),
    "leads named in text, where leads have numbers": leads({"lead_id": "1"}),
    # one event
    "one event at no time": add(1, None),
    "one event at a time in words": add(1, "soon"),
    "one event of nobody": add(None),
    "one event of a lead that is a fraction": add(1.5),
    "one event of a lead that is true": add(True),
    "one event of a lead beyond 64 bits": add(2**63),
    "one event of a lead that is broken text": add("\ud800"),
    "one event of a lead named in text, where leads have numbers": add("1"),
    "one event of no type": add(1, "2026-03-09", None),
    "one event with properties in a list": add(1, "2026-03-09", "visit", ["/"]),
    "one event with a number in words": add(1, "2026-03-09", "visit", {"seconds": "ten"}),
    "one event with an id that is a fraction": add(event_id=1.5),
    "one event that is too late": add(1, "2026-02-01"),
    "one event told otherwise": add(1, "2026-03-09T12:00Z", "visit", {"url": "/other"}, "e1"),
    # retractions
    "nothing to take back": lambda ledger: ledger.retract(None),
    "retractions of another kind": lambda ledger: ledger.retract("e1"),
    "retractions without event ids": retract({"lead_id": 1}),
    "retractions without leads": retract({"event_id": "e1"}),
    "a retraction of nothing": retract({"lead_id": 1, "event_id": None}),
    "a retraction of nobody's": retract({"lead_id": None, "event_id": "e1"}),
    "a retraction of a fraction": retract(lead_id=[1.5], event_id=["e1"]),
    "a retraction of lists": retract(lead_id=pa.array([[1]]), event_id=pa.array(["e1"])),
    "a retraction of a lead named in text, where leads have numbers": retract({"lead_id": "1", "event_id": "e1"}),
    # merging and forgetting
    "a lead merged into itself": lambda ledger: ledger.merge(1, into=1),
    "a merge of a record elsewhere": lambda ledger: (
        ledger.merge(2, into=1),
        ledger.add(3, "2026-03-09", "visit", {"url": None, "seconds": None}),
        ledger.merge(2, into=3),
    ),
    "a merge of what is only kept as a sum": lambda ledger: ledger.merge(LONG, into=NEW),
    "a merge of a lead named in text, where leads have numbers": lambda ledger: ledger.merge("1", into=1),
    "a merge into a lead named in text, where leads have numbers": lambda ledger: ledger.merge(2, into="1"),
    "a merge of a number into text, where there is nobody": lambda _: lc.Ledger(SCORER).merge(1, into="1"),
    "a merge of None": lambda ledger: ledger.merge(None, into=1),
    "forgetting a list": lambda ledger: ledger.forget([1]),
    "forgetting true": lambda ledger: ledger.forget(True),
    # questions
    "a score in words": lambda ledger: ledger.score("tomorrow"),
    "a score at no time": lambda ledger: ledger.score(None),
    "a score at times of a table": lambda ledger: ledger.score({"lead_id": [1], "as_of": ["2026-03-09"]}),
    "a score of one lead, not in a list": lambda ledger: ledger.score("2026-03-09", "ab"),
    "a score of a number of leads": lambda ledger: ledger.score("2026-03-09", 5),
    "a score of nobody": lambda ledger: ledger.score("2026-03-09", [1, 99]),
    "a score of what is no id": lambda ledger: ledger.score("2026-03-09", [1.5]),
    "a score of long ago": lambda ledger: ledger.score("2026-01-02", [LONG]),
    "a score in no threads": lambda ledger: ledger.score("2026-03-09", threads=-1),
    "account scores": lambda ledger: ledger.score("2026-03-09").accounts,
    "each event's part of a score": lambda ledger: ledger.score("2026-03-09")[1].explain(shares=True),
    "every line of explanations not asked for": lambda ledger: ledger.score("2026-03-09").explanations(),
    "nobody in a result": lambda ledger: ledger.score("2026-03-09", [1])[2],
    "a lead that is nobody": lambda ledger: ledger.lead(99),
    "a lead that is no id": lambda ledger: ledger.lead(None),
    "a lead in words of time": lambda ledger: ledger.lead(1, "tomorrow"),
    "a lead long ago": lambda ledger: ledger.lead(LONG, "2026-01-02"),
    "a lead of whom nothing was told": lambda ledger: ledger.lead(LATER),
    "changes next of nobody": lambda ledger: ledger.next_change("2026-03-09", leads=[99]),
    "changes next within words": lambda ledger: ledger.next_change("2026-03-09", "a year"),
    "changes next within a number": lambda ledger: ledger.next_change("2026-03-09", 365),
    "changes next since no time": lambda ledger: ledger.next_change(None),
    "an advance in words": lambda ledger: ledger.advance("tomorrow"),
    "an advance to nothing": lambda ledger: ledger.advance(None),
    "an advance in a fraction of threads": lambda ledger: ledger.advance("2026-03-10", threads=1.5),
    "a feed of a ledger in memory": lambda ledger: ledger.changes(),
    "a feed from before the beginning": lambda ledger: ledger.changes(after=-1),
    "a feed of nothing": lambda ledger: ledger.changes(limit=0),
    # files and models
    "a file of another kind": lambda ledger: ledger.save(5),
    "a file with a name that cannot be": lambda ledger: ledger.save("leads\0.state"),
    "a file of another kind to load": lambda _: lc.Ledger.load(None),
    "a file that is not there": lambda _: lc.Ledger.load("no-such-file.state"),
    "a file with a scorer that is none": lambda _: lc.Ledger.load("no-such-file.state", MODEL),
    "a migration of what is no ledger": lambda _: SCORER.migrate(SCORER),
    "a migration in words of time": lambda ledger: SCORER.migrate(ledger, at="tomorrow"),
    "a migration with events of another kind": lambda ledger: SCORER.migrate(ledger, events=5),
}


@cache
def prepared() -> bytes:
    """With two leads, one whose older events are kept as a sum, and one whose event is still to come."""
    ledger = lc.Ledger(SCORER, late="7d")
    ledger.apply([EVENT, {**EVENT, "lead_id": 2, "event_id": "e2"}], [LEAD])
    for hours in range(0, 50 * 24, 3):
        ledger.add(LONG, datetime(2026, 1, 1) + timedelta(hours=hours), "visit", {"url": "/", "seconds": 1.0})
    ledger.apply([{**EVENT, "lead_id": NEW, "at": "2026-02-20", "event_id": None}])
    ledger.apply([{**EVENT, "lead_id": LATER, "at": "2027-01-01", "event_id": None}], until="2026-03-01")
    return pickle.dumps(ledger)


@pytest.fixture(name="ledger")
def a_ledger() -> lc.Ledger:
    """A ledger of its own for each test."""
    return pickle.loads(prepared())


def message(attempt: Attempt, ledger: lc.Ledger) -> str:
    """What is said, with the error's class."""
    try:
        attempt(ledger)
    except (lc.LeadcoreError, KeyError) as error:
        return f"{type(error).__name__}: {error}"
    return "nothing was said"


def snapshot(told: dict[str, str]) -> str:
    """The messages as a page a person can read."""
    return "".join(f"# {name}\n{text}\n\n" for name, text in told.items())


def pages() -> dict[str, str]:
    """The page, by case."""
    blocks = SNAPSHOT.read_text().removeprefix("# ").split("\n\n# ")
    return {name: text.rstrip("\n") for name, _, text in (block.partition("\n") for block in blocks)}


def test_the_page_is_of_these_cases():
    """To accept new messages, run this file and read the page aloud."""
    assert [*pages()] == [*BAD]
    assert len(BAD) >= 90


@pytest.mark.parametrize("name", BAD)
def test_message(name, ledger):
    """Each is refused by our own family of errors, in these words."""
    assert message(BAD[name], ledger) == pages()[name] != "nothing was said"


@pytest.mark.parametrize("name", BAD)
def test_what_is_refused_changes_nothing(name, ledger):
    """The ledger is the same to the last byte (spec 11); one case does something before it is refused."""
    before = pickle.dumps(ledger)
    message(BAD[name], ledger)

    assert (pickle.dumps(ledger) == before) != (name == "a merge of a record elsewhere")


if __name__ == "__main__":
    SNAPSHOT.write_text(snapshot({name: message(attempt, pickle.loads(prepared())) for name, attempt in BAD.items()}))
