"""The hand-computed cases of the spec, section by section, over every engine."""

from pathlib import Path

import pytest

from leadcore.errors import DataError
from leadcore.model import Model
from tests.engines import ENGINES, run
from tests.spec.cases import Case, MalformedCase, load, load_all

CASES = load_all(Path(__file__).parent)


@pytest.fixture(params=ENGINES)
def engine(request):
    return request.param


@pytest.mark.parametrize("case", [pytest.param(case, id=f"{case.spec} {case.name}") for case in CASES])
def test_case(case: Case, engine: str):
    """What the spec says by hand is what the engine says."""
    model = Model.model_validate(case.document)
    arguments = (engine, model, case.leads, case.events, case.as_of, case.aliases, case.unknown_leads)
    if "error" in case.expected:
        with pytest.raises(DataError, match=case.expected["error"]):
            run(*arguments)
        return

    answer = run(*arguments)

    for kind in ("rows", "accounts"):
        if kind in case.expected:
            given = getattr(answer, kind)
            named = [{key: row.get(key) for key in want} for row, want in zip(given, case.expected[kind], strict=False)]
            assert (named, len(given)) == (case.expected[kind], len(case.expected[kind])), case.why
    if "lines" in case.expected:
        given = [
            list(line) for lines in answer.lines for line in lines if line[-1] != 0
        ]  # an engine may leave out zeros
        assert given == [line for line in case.expected["lines"] if line[-1] != 0], case.why
    if "ignored" in case.expected:
        assert answer.ignored == case.expected["ignored"], case.why


def test_there_are_enough_cases():
    """Every section from 1 to 6 and section 9 has its cases."""
    assert len(CASES) >= 120
    assert {case.spec.split(".")[0] for case in CASES} >= set("1234569")


MALFORMED = {
    "unknown key": "cases: [{name: a, spec: '4', why: w, T: 2024-01-01T00:00Z, criterion: {kind: event}, valeu: 3}]",
    "no reason": "cases: [{name: a, spec: '4', T: 2024-01-01T00:00Z, criterion: {kind: event}, value: 3}]",
    "no expectation": "cases: [{name: a, spec: '4', why: w, T: 2024-01-01T00:00Z, criterion: {kind: event}}]",
    "a fraction of a micropoint": "cases: [{name: a, spec: '4', why: w, T: 2024-01-01T00:00Z, model: {scores: {}}, value: 3.5}]",
    "a naive instant": "cases: [{name: a, spec: '4', why: w, T: 2024-01-01T00:00, model: {scores: {}}, value: 3}]",
    "no T": "cases: [{name: a, spec: '4', why: w, model: {scores: {}}, value: 3}]",
    "an unknown column": "{base: {events: {visit: {}}}, cases: [{name: a, spec: '4', why: w, T: 2024-01-01T00:00Z,"
    " model: {scores: {}}, events: [{at: T, tpye: visit}], value: 3}]}",
    "a key twice": "cases: [{name: a, name: b}]",
    "no cases": "about: nothing",
}


@pytest.mark.parametrize("text", MALFORMED.values(), ids=MALFORMED)
def test_malformed_cases_are_errors(text, tmp_path):
    """A case with a slip of the pen fails instead of testing nothing."""
    path = tmp_path / "case.yaml"
    path.write_text(text)

    with pytest.raises(MalformedCase):
        load(path)
