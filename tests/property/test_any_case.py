"""The kernel and the slow engine give the same bits for every valid input."""

import os

from hypothesis import HealthCheck, given, settings

from leadcore.model import Model
from tests.engines import run
from tests.random_cases import Case
from tests.strategies import cases

EXAMPLES = int(os.environ.get("LEADCORE_EXAMPLES", "100"))


def answer(engine: str, one: Case):
    """What an engine says about a case, lines of value 0 left out."""
    model = Model.model_validate(one.document)
    said = run(engine, model, one.leads, one.events, one.as_of, one.aliases, one.unknown_leads)
    lines = [[tuple(line) for line in lines if line[-1] != 0] for lines in said.lines]
    accounts = said.accounts if isinstance(one.as_of, int) else None
    return {"rows": said.rows, "accounts": accounts, "lines": lines, "ignored": said.ignored}


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(one=cases())
def test_kernel_equals_reference(one):
    """Whatever the model, the rows and the question; a difference shrinks to the smallest case that shows it."""
    assert answer("kernel", one) == answer("reference", one)
