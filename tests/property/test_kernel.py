"""The kernel gives the bits of the reference engine, however the same rows are laid out (spec 10.1)."""

from __future__ import annotations

import os
import random
from collections import Counter
from zlib import crc32

import pytest

from leadcore.model import Model
from tests.engines import Answer, run
from tests.layouts import laid_out
from tests.random_cases import Case, case

# test_random_cases.py shows that these cases hit every field of the spec.
CASES = int(os.environ.get("LEADCORE_CASES", "1000"))
FIRST = int(os.environ.get("LEADCORE_FIRST_CASE", "0"))


def ask(engine: str, one: Case, model: Model, **changes) -> Answer:
    """Run a case, with other rows or options."""
    given = {"leads": one.leads, "events": one.events, "as_of": one.as_of} | changes
    return run(engine, model, aliases=one.aliases, unknown_leads=one.unknown_leads, **given)


def bits(answer: Answer) -> tuple:
    """Everything an answer says, lines worth nothing left out."""
    lines = [[tuple(line) for line in lines if line[-1]] for lines in answer.lines]
    return answer.rows, lines, answer.accounts, answer.ignored


def by_lead(answer: Answer) -> Counter:
    """Rows in no order."""
    return Counter(repr(row) for row in answer.rows)


@pytest.mark.parametrize("block", range(10))
def test_kernel_equals_reference(block):
    """Kernel and reference give the same bits for every case and every order, chunking, thread count and partition."""
    for seed in range(FIRST + block * CASES // 10, FIRST + (block + 1) * CASES // 10):
        one = case(seed)
        rng = random.Random(seed)
        model = Model.model_validate(one.document)
        expected = ask("reference", one, model)
        if not isinstance(one.as_of, int):
            expected.accounts.clear()
        found = ask("kernel", one, model)
        assert bits(found) == bits(expected), f"case({seed})"

        shuffled = rng.sample(one.events, len(one.events))
        again = ask("kernel", one, model, events=shuffled, layout=laid_out(rng), threads=rng.choice([2, 3, 8]))
        assert bits(again) == bits(expected), f"case({seed}), other layout"

        if not one.aliases and one.as_of is not None and isinstance(one.as_of, int):
            split = Counter()
            for part in range(2):
                mine = {lead for lead in ids_of(one) if crc32(repr(lead).encode()) % 2 == part}
                leads = None if one.leads is None else [row for row in one.leads if row["lead_id"] in mine]
                events = [row for row in one.events if row["lead_id"] in mine]
                split += by_lead(ask("kernel", one, model, leads=leads, events=events))
            assert split == by_lead(expected), f"case({seed}), partitioned"


def ids_of(one: Case) -> set:
    """Every lead of a case."""
    return {row["lead_id"] for row in [*(one.leads or []), *one.events]}
