"""Bad tables and arguments of a replay, and what users are told: every message as it stands in `bad_replays.txt`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

import leadcore as lc

SNAPSHOT = Path(__file__).with_name("bad_replays.txt")
ENGINES = ("kernel", "reference")
SCORER = lc.Scorer(
    lc.Model.from_yaml("""
leadcore: 1
name: stages
attributes: {size: number}
events: {visit: {url: text, seconds: number}, moved: {to: text}}
scores: {total: {criteria: [{name: visits, kind: event, on: [visit], points: 1}]}}
thresholds: {warm: {score: total, at: 3}}
lifecycle:
  initial: new
  evaluate: {every: 1d}
  manual: {on: moved, field: to}
  stages: [{name: new}, {name: warm}, {name: won, kind: exit}]
  transitions: [{name: visited, from: new, to: warm, when: {field: threshold.warm, op: eq, value: true}}]
""")
)
PLAIN = lc.Scorer(
    lc.Model.from_yaml("{leadcore: 1, name: plain, events: {visit: {}}, scores: {total: {criteria: []}}}")
)
CIRCLES = lc.Scorer(
    lc.Model.from_yaml("""
leadcore: 1
name: circles
events: {tick: {}}
scores: {total: {criteria: []}}
lifecycle:
  initial: spring
  evaluate: {every: 1h}
  stages: [{name: spring}, {name: summer}, {name: autumn}, {name: winter}]
  transitions:
    - {name: warmer, from: spring, to: summer}
    - {name: colder, from: summer, to: autumn}
    - {name: coldest, from: autumn, to: winter}
    - {name: warm, from: winter, to: spring}
""")
)
END = "2026-04-01"
EVENT = {"lead_id": 1, "at": "2026-03-01T12:00Z", "type": "visit", "url": "/", "seconds": 1.0, "to": None}
LEAD = {"lead_id": 1, "size": 5.0}
START = {"lead_id": 1, "stage": "warm", "entered_at": "2026-02-01"}
CIRCLE = [{"lead_id": 1, "same_as": 2}, {"lead_id": 2, "same_as": 1}]

Attempt = Callable[[str], object]


def start(*rows: dict, **columns: object) -> Attempt:
    """Replay with these leads adopted."""
    given = [{**START, **row} for row in rows] if rows else {**{k: [v] for k, v in START.items()}, **columns}
    return lambda engine: SCORER.replay([EVENT], [LEAD], until=END, start=given, engine=engine)


def events(*rows: dict) -> Attempt:
    """Replay with these events."""
    return lambda engine: SCORER.replay([{**EVENT, **row} for row in rows], [LEAD], until=END, engine=engine)


def leads(*rows: dict) -> Attempt:
    """Replay with these leads."""
    return lambda engine: SCORER.replay([EVENT], [{**LEAD, **row} for row in rows], until=END, engine=engine)


def given(**arguments: object) -> Attempt:
    """Replay with these arguments."""
    return lambda engine: SCORER.replay([EVENT], [LEAD], **{"until": END, "engine": engine, **arguments})


def asked(question: Callable[[lc.Replay], object], **arguments: object) -> Attempt:
    """Ask a replay that went well."""
    return lambda engine: question(SCORER.replay([EVENT], **{"until": END, "engine": engine, **arguments}))


def without(row: dict, *names: str) -> dict:
    """The row without some columns."""
    return {k: v for k, v in row.items() if k not in names}


def stream() -> pa.RecordBatchReader:
    """Events that can be read once."""
    table = pa.Table.from_pylist([{**EVENT, "to": "won"}])
    return pa.RecordBatchReader.from_batches(table.schema, table.to_batches())


BAD: dict[str, Attempt] = {
    "a start of another kind": given(start=5),
    "a path instead of a start": given(start="start.csv"),
    "a start without stages": lambda engine: SCORER.replay(
        [EVENT], until=END, start=[without(START, "stage")], engine=engine
    ),
    "a start without instants": lambda engine: SCORER.replay(
        [EVENT], until=END, start=[without(START, "entered_at")], engine=engine
    ),
    "a start without leads": lambda engine: SCORER.replay(
        [EVENT], until=END, start=[without(START, "lead_id")], engine=engine
    ),
    "an unknown stage": start({"stage": "lukewarm"}),
    "a stage in capitals": start({"stage": "Warm"}),
    "an empty stage": start({"stage": ""}),
    "a null stage": start({"stage": None}),
    "a stage that is a number": start(stage=[5]),
    "a stage that is a list": start(stage=pa.array([["warm"]])),
    "a null lead in start": start({"lead_id": None}),
    "a lead of another kind in start": start({"lead_id": "one"}),
    "a null entry": start({"entered_at": None}),
    "an entry in words": start({"entered_at": "soon"}),
    "an entry that is a number": start({"entered_at": 5}),
    "an entry after year 9999": start(entered_at=pa.array([2**62], pa.timestamp("us", "UTC"))),
    "a lead in two stages": start({}, {"stage": "won"}),
    "two records of one person in two stages": lambda engine: SCORER.replay(
        [EVENT], until=END, start=[START, {**START, "lead_id": 2}], aliases=CIRCLE[1:], engine=engine
    ),
    "several faults of start": start({"stage": "cold"}, {"lead_id": 2, "stage": None}, {"lead_id": 3}, {"lead_id": 3}),
    "no end": given(until=None),
    "an end that is a table": given(until=[{"lead_id": 1, "as_of": "2026-01-01"}]),
    "an end that is a column": given(until=lc.column("booked")),
    "an end in words": given(until="tomorrow"),
    "an end beyond year 9999": given(until="12026-01-01"),
    "an end before year 1": given(until="0000-12-31"),
    "an end that is a number": given(until=datetime(2026, 1, 1, tzinfo=UTC).timestamp()),
    "events of another kind": lambda engine: SCORER.replay(42, until=END, engine=engine),
    "events without the manual field": lambda engine: SCORER.replay([without(EVENT, "to")], until=END, engine=engine),
    "events without at": lambda engine: SCORER.replay([without(EVENT, "at")], until=END, engine=engine),
    "an event at no time": events({"at": None}),
    "an event of no type": events({"type": None}),
    "an event of nobody": events({"lead_id": None}),
    "a manual move to a number": events({"type": "moved", "to": 5}),
    "an event id repeated with another property": events({"event_id": 7}, {"event_id": 7, "url": "/x"}),
    "two manual moves of one id": events(
        {"event_id": "m", "type": "moved", "to": "won"}, {"event_id": "m", "type": "moved", "to": "warm"}
    ),
    "an event id repeated after the end": events(
        {"event_id": 7, "at": "2027-01-01"}, {"event_id": 7, "at": "2027-01-02"}
    ),
    "a lead twice": leads({}, {"size": 6.0}),
    "a lead twice from one instant": leads({"valid_from": "2026-01-01"}, {"valid_from": "2026-01-01T00:00Z"}),
    "a birth in words": leads({"created_at": "lately"}),
    "text for a number": leads({"size": "many"}),
    "aliases in a circle": given(aliases=CIRCLE),
    "an unknown lead": lambda engine: SCORER.replay(
        [{**EVENT, "lead_id": 9}], [LEAD], until=END, unknown_leads="error", engine=engine
    ),
    "more than a million transitions": lambda _: CIRCLES.replay(
        [{"lead_id": "anna", "at": "1900-01-01", "type": "tick"}], until="2020-01-01"
    ),
    "a model without a lifecycle": lambda engine: PLAIN.replay([EVENT], until=END, engine=engine),
    "an unknown engine": given(engine="gpu"),
    "no threads": given(threads=0),
    "half a thread": given(threads=1.5),
    "an unknown policy for leads": given(unknown_leads="drop"),
    "an unknown policy for faults": given(on_error="skip"),
    "progress that cannot be called": given(progress=5),
    "columns of start": given(columns={"start": {"stage": "status"}}),
    "columns that are no mapping": given(columns=5),
    "score changes that were not asked for": asked(lambda replay: replay.score_changes),
    "a lead that is not in the result": asked(lambda replay: replay.lead("nobody")),
    "a lead of no kind": asked(lambda replay: replay.lead(None)),
    "a history in words": asked(lambda replay: replay.history("fortnight")),
    "a history every half hour": asked(lambda replay: replay.history("30m")),
    "a history every month": asked(lambda replay: replay.history("1mo")),
    "a history every 5": asked(lambda replay: replay.history(5)),
    "a history of nobody": asked(lambda replay: replay.history(leads=[1, "nobody"])),
    "a history of one lead": asked(lambda replay: replay.history(leads=1)),
    "a history of one lead by text": asked(lambda replay: replay.history(leads="anna")),
    "a history of all time": lambda _: SCORER.replay(
        [{**EVENT, "lead_id": n, "at": "0001-01-01"} for n in range(2)], until="9999-12-31"
    ).history("1h"),
    "a history of a stream": lambda _: SCORER.replay(stream(), until=END).history(),
}


def message(attempt: Attempt, engine: str) -> str:
    """What is said, with the error's class."""
    try:
        attempt(engine)
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
    assert len(BAD) >= 40


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", BAD)
def test_message(name, engine):
    """Each is refused by our own family of errors, in these words, whichever engine was asked."""
    assert message(BAD[name], engine) == pages()[name] != "nothing was said"


@pytest.mark.parametrize("engine", ENGINES)
def test_faulty_rows_of_start_can_be_rejected(engine):
    """They are listed, the leads concerned are marked, and begin as if they had not been adopted (spec 12)."""
    rows = [{"lead_id": 2, "stage": "cold"}, {}, {"stage": "won"}, {"lead_id": 3, "stage": None}, {"entered_at": None}]
    replay = SCORER.replay(
        [EVENT], until=END, start=[{**START, **row} for row in rows], on_error="reject", engine=engine
    )

    assert [(row["table"], row["row"], row["column"], row["value"]) for row in replay.rejects.to_dicts()] == [
        ("start", 4, "entered_at", None), ("start", 0, "stage", "cold"), ("start", 2, "lead_id", "1"),
        ("start", 3, "stage", None),
    ]  # fmt: skip
    assert [(row["lead_id"], row["stage"], row["rejected_rows"]) for row in replay.states.to_dicts()] == [
        (1, "warm", 2), (2, None, 1), (3, None, 1),
    ]  # fmt: skip
    assert replay.counts.rejected == {"start": 4}
    assert replay.counts.used == 1


@pytest.mark.parametrize("engine", ENGINES)
def test_a_lead_of_rejected_rows_alone_has_a_state(engine):
    """It says how many there were, in its place by id."""
    faulty = [{**EVENT, "lead_id": 5, "at": None}, {**EVENT, "lead_id": 9}]
    replay = SCORER.replay([EVENT, *faulty], until=END, on_error="reject", engine=engine)

    assert [(row["lead_id"], row["stage"], row["rejected_rows"]) for row in replay.states.to_dicts()] == [
        (1, "new", 0), (5, None, 1), (9, "new", 0),
    ]  # fmt: skip
    assert replay.lead(9).stage == "new"


def test_what_progress_raises_is_not_taken_for_a_fault_of_the_table():
    """A caller's own error comes out as it is."""

    def stop(_: int) -> None:
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        SCORER.replay([EVENT], until=END, progress=stop)


if __name__ == "__main__":
    SNAPSHOT.write_text(snapshot({name: message(attempt, "kernel") for name, attempt in BAD.items()}))
