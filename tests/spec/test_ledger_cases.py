"""The hand-computed ledgers of section 10, over the ledger and the oracle that keeps every fact."""

from pathlib import Path

import pytest

import leadcore as lc
from leadcore.errors import LeadcoreError
from leadcore.model import Model
from tests.ledger_oracle import OracleLedger
from tests.ledgers import LiveLedger
from tests.spec.cases import MalformedCase
from tests.spec.ledger_cases import LedgerCase, load, load_ledgers

CASES = load_ledgers(Path(__file__).parent)


@pytest.mark.parametrize("kind", [OracleLedger, LiveLedger])
@pytest.mark.parametrize("case", [pytest.param(case, id=f"{case.spec} {case.name}") for case in CASES])
def test_ledger(case: LedgerCase, kind, tmp_path):
    """What the spec says by hand is what the ledger says."""
    ledger = kind(lc.Scorer(Model.model_validate(case.document)), case.late)
    keys = {}
    for number, step in enumerate(case.steps):
        why = f"step {number}, {step.call}: {case.why}"
        if step.call == "reload":
            ledger.save(tmp_path / "ledger")
            ledger = ledger.load(tmp_path / "ledger")
            continue
        if step.error is not None:
            with pytest.raises(LeadcoreError, match=step.error):
                getattr(ledger, step.call)(**step.given)
            continue
        said = getattr(ledger, step.call)(**step.given)

        if step.call == "forget":
            assert said is (step.counts != {"leads": 0}), why
            continue
        if step.rows is not None:
            given = said if step.call == "score" else []
            named = [{key: row.get(key) for key in want} for row, want in zip(given, step.rows, strict=False)]
            assert (named, len(given)) == (step.rows, len(step.rows)), why
        for table, wanted in step.tables.items():
            given = getattr(said, table)
            named = [{key: row.get(key) for key in want} for row, want in zip(given, wanted, strict=False)]
            assert (named, len(given)) == (wanted, len(wanted)), why
        for name, count in step.counts.items():
            assert said.counts[name] == count, why
        for name, places in step.keys.items():
            found = {said.transitions[place]["key"] for place in places}
            assert found == {keys.setdefault(name, min(found))}, why
    assert len(set(keys.values())) == len(keys), case.why


def test_there_are_enough_cases():
    """Each guarantee has its cases."""
    assert len(CASES) >= 25
    assert {case.spec for case in CASES} >= {"10.1", "10.2", "10.3"}


MALFORMED = {
    "unknown key": "{name: a, spec: '10.2', why: w, stepz: []}",
    "no reason": "{name: a, spec: '10.2', steps: [{advance: {until: T}, scores: []}]}",
    "no expectation": "{name: a, spec: '10.2', why: w, steps: [{advance: {until: T}}]}",
    "two calls": "{name: a, spec: '10.2', why: w, steps: [{advance: {until: T}, reload: {}, scores: []}]}",
    "an unknown argument": "{name: a, spec: '10.2', why: w, steps: [{advance: {till: T}, scores: []}]}",
    "a short row": "{name: a, spec: '10.2', why: w, steps: [{advance: {until: T}, scores: [[1]]}]}",
}


@pytest.mark.parametrize("text", MALFORMED.values(), ids=MALFORMED)
def test_malformed_cases_are_errors(text, tmp_path):
    """A case with a slip of the pen fails instead of testing nothing."""
    path = tmp_path / "case.yaml"
    path.write_text(f"T: 2024-01-01T00:00Z\nbase: {{scores: {{}}}}\ncases: [{text}]")

    with pytest.raises(MalformedCase):
        load(path)
