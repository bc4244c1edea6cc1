"""A ledger of a store says what batch runs over all facts say, however late they come (spec 10.2)."""

from __future__ import annotations

import os
from itertools import count
from random import Random

import pytest
from hypothesis import Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, run_state_machine_as_test

from tests.ledgers import Difference
from tests.property.test_ledger import LedgerMachine, quiet
from tests.random_cases import held
from tests.random_ledgers import ledger_case, pieces
from tests.stores.machine import StorePair

RUNS = int(os.environ.get("LEADCORE_RUNS", "15"))
CASES = int(os.environ.get("LEADCORE_CASES", "20"))
FIRST_CASE = int(os.environ.get("LEADCORE_FIRST_CASE", "0"))
_tenant = count()


class StoreMachine(LedgerMachine):
    """Facts of a random case, told in any way to a ledger of a store and to the oracle."""

    url: str

    @initialize(case_number=st.integers(0, 2**32))
    def begin(self, case_number: int) -> None:
        super().begin(case_number)
        self.pair = StorePair(self.case.document, self.case.lateness, self.url, f"tenant-{next(_tenant)}")

    def teardown(self) -> None:
        super().teardown()
        if self.pair is not None:
            self.pair.ledger.ledger.close()


def test_any_calls(url):
    """Whatever is called: changes add up to the batch replay, and answers are those of a batch run, to the last bit."""
    machine = type("Machine", (StoreMachine,), {"url": url, "block": FIRST_CASE})
    # Not made smaller: each step of it costs a transaction, and the machine of ledgers in memory does that better.
    run_state_machine_as_test(seed(FIRST_CASE)(machine), settings=settings(quiet(RUNS), phases=[Phase.generate]))


@pytest.mark.parametrize("block", range(2))
def test_any_cuts(url, block, tmp_path):
    """The facts in any pieces, held up for however long, are one batch run."""
    for number in range(FIRST_CASE + block * CASES // 2, FIRST_CASE + (block + 1) * CASES // 2):
        case, dice = ledger_case(number), Random(f"cut {number}")
        pair = StorePair(case.document, case.lateness, url, f"cut-{number}")
        try:
            some = list(pieces(dice, case))
            if number % 2:
                dice.shuffle(some)
            for piece in some:
                until = None if dice.random() < 0.7 else dice.choice(case.instants)
                if pair.tell("apply", events=piece.events, leads=piece.leads, until=until) is None:
                    pair.fail("nothing is too late for a store, and it was refused")
                if dice.random() < 0.2:
                    pair.reload(tmp_path)
                if dice.random() < 0.15:
                    pair.tell("advance", until=dice.choice(case.instants))
            pair.check_all()
            if case.instants:
                pair.tell("advance", until=held(case.instants[-1] + dice.choice((0, 1, 10**12))))
            pair.check_all()
        except Difference as difference:
            raise AssertionError(f"ledger_case({number}): {difference}") from None
        finally:
            pair.ledger.ledger.close()
