"""The hand-computed replays of section 8, over every engine that replays."""

from pathlib import Path

import pytest

import leadcore as lc
from leadcore.errors import DataError
from leadcore.model import Model
from tests.engines import ENGINES, Replayed, replay
from tests.spec.cases import MalformedCase
from tests.spec.replay_cases import COUNTS, ReplayCase, load, load_replays

CASES = load_replays(Path(__file__).parent)


@pytest.fixture(params=ENGINES)
def engine(request):
    return request.param


@pytest.mark.parametrize("case", [pytest.param(case, id=f"{case.spec} {case.name}") for case in CASES])
def test_replay(case: ReplayCase, engine: str):
    """What the spec says by hand is what the engine says."""
    model = Model.model_validate(case.document)
    options = {"aliases": case.aliases, "unknown_leads": case.unknown_leads, "start": case.start}
    if case.error is not None:
        with pytest.raises(DataError, match=case.error):
            replay(engine, model, case.leads, case.events, case.until, **options)
        return

    for score_changes in (True, False):  # without them, the kernel passes over evaluations that change nothing
        answer = replay(engine, model, case.leads, case.events, case.until, **options, score_changes=score_changes)

        for table, wanted in case.rows.items():
            if table == "score_changes" and not score_changes:
                continue
            given = rows(answer, table)
            named = [{key: row.get(key) for key in want} for row, want in zip(given, wanted, strict=False)]
            assert (named, len(given)) == (wanted, len(wanted)), case.why
        for name in COUNTS:
            if name in case.counts:
                assert getattr(answer, name) == case.counts[name], case.why


def rows(answer: Replayed, table: str):
    """The rows of a table, or of what a case may say beside tables."""
    if table == "evaluations":
        return [row for row in answer.transitions if row["rule"] is not None]
    if table == "service":
        return [row for row in answer.spans if row["sla_status"] is not None]
    return getattr(answer, table)


def test_there_are_enough_cases():
    """Every subsection of section 8 has its cases."""
    assert len(CASES) >= 80
    assert {case.spec for case in CASES} >= {f"8.{n}" for n in range(1, 11)}


COLUMNS = {
    "transitions": ["lead_id", "at", "from_stage", "to_stage", "rule", "cause", "event_id", "s"],
    "spans": [
        *("lead_id", "stage", "visit", "entered_at", "left_at", "entered_by", "left_by"),
        *("owner", "sla_due_at", "sla_status"),
    ],
    "alerts": ["lead_id", "stage", "entered_at", "at", "level", "notify"],
    "states": ["lead_id", "stage", "entered_at", "s", "hot"],
    "score_changes": ["lead_id", "at", "cause", "event_id", "score", "before", "after", "criterion"],
}


def test_columns(engine):
    """The tables have the columns of spec 8.10, in that order."""
    model = Model.model_validate(
        {
            "name": "columns",
            "events": {"visit": {}},
            "scores": {"s": {"criteria": [{"name": "c", "kind": "event", "on": "visit", "points": 1}]}},
            "thresholds": {"hot": {"score": "s", "at": 1}},
            "lifecycle": {
                "initial": "a",
                "stages": [{"name": "a", "sla": {"due": "1d", "alerts": [{"after": "0s", "notify": "rep"}]}}],
            },
        }
    )

    answer = replay(engine, model, None, [{"lead_id": 1, "at": 0, "type": "visit"}], 1, score_changes=True)

    assert {table: list(getattr(answer, table)[0]) for table in COLUMNS} == COLUMNS


def test_a_model_without_lifecycle_is_not_replayed(engine):
    """There is nothing to replay."""
    model = Model.model_validate({"name": "m", "scores": {"s": {"criteria": []}}})

    with pytest.raises(lc.LeadcoreError, match="lifecycle"):
        replay(engine, model, [{"lead_id": 1}], [], 0)


MALFORMED = {
    "unknown key": "cases: [{name: a, spec: '8', why: w, T: 2024-01-01T00:00Z, until: T, spanz: []}]",
    "no reason": "cases: [{name: a, spec: '8', T: 2024-01-01T00:00Z, until: T, spans: []}]",
    "no expectation": "cases: [{name: a, spec: '8', why: w, T: 2024-01-01T00:00Z, until: T}]",
    "no lifecycle": "cases: [{name: a, spec: '8', why: w, T: 2024-01-01T00:00Z, until: T, model: {scores: {}}, spans: []}]",
    "a short row": "cases: [{name: a, spec: '8', why: w, T: 2024-01-01T00:00Z, until: T, model: {scores: {}},"
    " lifecycle: {initial: a}, transitions: [[T, null, a]]}]",
    "no cases": "about: nothing",
}


@pytest.mark.parametrize("text", MALFORMED.values(), ids=MALFORMED)
def test_malformed_cases_are_errors(text, tmp_path):
    """A case with a slip of the pen fails instead of testing nothing."""
    path = tmp_path / "case.yaml"
    path.write_text(text)

    with pytest.raises(MalformedCase):
        load(path)


def test_a_lead_that_circles_without_end(monkeypatch):
    """More transitions of one lead than allowed are an error that names it and its circle (spec 11)."""
    monkeypatch.setattr("leadcore._reference.lifecycle.MOST_TRANSITIONS", 5)
    transitions = [{"name": f"{a}{b}", "from": a, "to": b, "on": "visit"} for a, b in ("ab", "bc", "cb")]
    document = {
        "name": "circle",
        "events": {"visit": {}},
        "scores": {"s": {"criteria": []}},
        "lifecycle": {"initial": "a", "stages": [{"name": name} for name in "abc"], "transitions": transitions},
    }
    model = Model.model_validate(document)
    visits = [{"lead_id": "round", "at": at, "type": "visit"} for at in range(5)]

    assert len(replay("reference", model, None, visits[:4], 9).transitions) == 5
    with pytest.raises(DataError, match=r"events, column lead_id: 'round' moves more than 5 times.*: b -> c -> b$"):
        replay("reference", model, None, visits, 9)
