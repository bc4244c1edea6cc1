"""A replay says the same in both engines and however its rows are laid out, and its tables agree with each other (spec 8, 10)."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from functools import cached_property
from random import Random
from zlib import crc32

import pytest

from leadcore.model import Model
from tests.engines import ENGINES, Replayed, replay, run
from tests.grids import grid
from tests.layouts import laid_out
from tests.random_cases import held
from tests.random_lifecycles import ReplayCase, replay_case
from tests.random_parts import DAY
from tests.replayed import assert_same, cut, together, without_ends

# test_random_lifecycles.py shows that these cases hit every field of spec 8 and all that happens.
CASES = int(os.environ.get("LEADCORE_CASES", "300"))
FIRST = int(os.environ.get("LEADCORE_FIRST_CASE", "0"))
BLOCKS = max(10, CASES // 200)


@dataclass
class Run:
    """A case and what the engines say of it."""

    seed: int

    @cached_property
    def case(self) -> ReplayCase:
        return replay_case(self.seed)

    @cached_property
    def model(self) -> Model:
        return Model.model_validate(self.case.document)

    @cached_property
    def reference(self) -> Replayed:
        return self.ask("reference")

    @cached_property
    def kernel(self) -> Replayed:
        return self.ask("kernel")

    def ask(self, engine: str, **changes) -> Replayed:
        """Run the case, with other rows or options."""
        case = self.case
        given = {"leads": case.leads, "events": case.events, "until": case.until, "start": case.start}
        given |= {"score_changes": True} | changes
        return replay(engine, self.model, aliases=case.aliases, unknown_leads=case.unknown_leads, **given)

    def __str__(self) -> str:
        return f"replay_case({self.seed})"


@pytest.fixture(scope="module", params=range(BLOCKS))
def runs(request):
    """Some of the cases; each is asked once."""
    return [
        Run(seed)
        for seed in range(FIRST + request.param * CASES // BLOCKS, FIRST + (request.param + 1) * CASES // BLOCKS)
    ]


both = pytest.mark.parametrize("engine", ENGINES)
kernel_only = pytest.mark.parametrize("engine", ["kernel"])


@kernel_only
def test_kernel_equals_reference(runs, engine):
    """Kernel and reference say the same in every table and count, bit by bit."""
    for one in runs:
        assert_same(one.kernel, one.reference, str(one))


@kernel_only
def test_passing_over_does_not_matter(runs, engine):
    """Without score changes evaluations that change nothing are passed over; all else is the same (spec 8.4, 8.6)."""
    for one in runs:
        again = one.ask(engine, score_changes=False)
        assert_same(replace(again, score_changes=one.kernel.score_changes), one.reference, f"{one}, passing over")


@kernel_only
def test_layouts_and_threads_do_not_matter(runs, engine):
    """Every order of rows, chunking, encoding of text and number of threads gives the same bits (spec 10.1)."""
    for one in runs:
        rng = Random(one.seed)
        events = rng.sample(one.case.events, len(one.case.events))
        start = one.case.start and rng.sample(one.case.start, len(one.case.start))
        again = one.ask(engine, events=events, start=start, layout=laid_out(rng), threads=rng.choice([2, 3, 8]))
        assert_same(again, one.reference, f"{one}, other layout")


@both
def test_partitions_do_not_matter(runs, engine):
    """The leads in two runs give the rows and counts of one run (spec 10.1)."""
    for one in runs:
        case = one.case
        if case.aliases:
            continue
        parts = []
        for part in range(2):
            leads, events, start = (
                rows and [row for row in rows if crc32(repr(row["lead_id"]).encode()) % 2 == part]
                for rows in (case.leads, case.events, case.start)
            )
            parts.append(one.ask(engine, leads=leads, events=events, start=start or None))
        for found, expected in zip(together(parts), together([getattr(one, engine)]), strict=True):
            assert found == expected, f"{one}, partitioned"


@both
def test_states_have_the_scores_at_the_end(runs, engine):
    """Scoring at T gives the scores of a replay to T, for every lead that has a state (spec 10.2)."""
    for one in runs:
        case, states = one.case, getattr(one, engine).states
        if not states:
            continue
        asked = [(row["lead_id"], case.until) for row in states]
        answer = run(engine, one.model, case.leads, case.events, asked, case.aliases)
        for state, scored in zip(states, answer.rows, strict=True):
            assert {name: state[name] for name in one.model.scores} == {
                name: scored[name] for name in one.model.scores
            }, f"{one}, {state['lead_id']!r}"


@both
def test_an_earlier_end_gives_a_prefix(runs, engine):
    """A replay to an earlier end says of the time until then what the longer one says (spec 8.4: the end is no evaluation)."""
    for one in runs:
        rng = Random(one.seed)
        longer = getattr(one, engine)
        instants = [row["at"] for row in (*longer.transitions, *longer.alerts)] or [one.case.until]
        until = min(held(rng.choice(instants) + rng.choice((0, 0, 1, -1))), one.case.until)
        shorter = one.ask(engine, until=until)
        assert_same(without_ends(shorter), cut(longer, until), f"{one} until {until}")


@both
def test_balances_add_up(runs, engine):
    """For each stage and UTC day, leads at its end are leads at its start and entries less exits: spans against transitions."""
    for one in runs:
        result = getattr(one, engine)
        moved: dict[str, Counter[int]] = defaultdict(Counter)
        for row in result.transitions:
            moved[row["to_stage"]][row["at"] // DAY] += 1
            if row["from_stage"] is not None:
                moved[row["from_stage"]][row["at"] // DAY] -= 1
        for stage in one.model.lifecycle.stages:
            days = moved[stage.name]
            balance = 0
            for day in sorted({*days, one.case.until // DAY}):
                assert balance == staying(result, stage.name, day * DAY), (
                    f"{one}, {stage.name} at the start of day {day}"
                )
                balance += days[day]
                assert balance == staying(result, stage.name, (day + 1) * DAY), f"{one}, {stage.name} on day {day}"


def staying(result: Replayed, stage: str, before: int) -> int:
    """How many leads are in a stage just before an instant, by spans."""
    return sum(
        row["stage"] == stage and row["entered_at"] < before and (row["left_at"] is None or row["left_at"] >= before)
        for row in result.spans
    )


@both
def test_spans_tell_what_transitions_tell(runs, engine):
    """Each transition ends one stay and begins the next, and states name the last (spec 8.10)."""
    for one in runs:
        result = getattr(one, engine)
        told = []
        stays: dict[object, dict] = {}
        for row in result.transitions:
            by = row["rule"] or row["cause"]
            if row["from_stage"] is not None:
                stays[row["lead_id"]] |= {"left_at": row["at"], "left_by": by}
                assert stays[row["lead_id"]]["stage"] == row["from_stage"], str(one)
            stay = {"lead_id": row["lead_id"], "stage": row["to_stage"], "entered_at": row["at"], "entered_by": by}
            stays[row["lead_id"]] = stay | {"left_at": None, "left_by": None}
            told.append(stays[row["lead_id"]])
        assert told == [{key: row[key] for key in told[0]} for row in result.spans], str(one)
        last = [(row["lead_id"], stays[row["lead_id"]]["stage"], stays[row["lead_id"]]["entered_at"])
                for row in result.states if row["stage"] is not None]  # fmt: skip
        assert last == [(r["lead_id"], r["stage"], r["entered_at"]) for r in result.states if r["stage"] is not None], (
            str(one)
        )


@both
def test_moves_have_a_reason(runs, engine):
    """The clock moves leads only at instants of the grid and at the end of a wait (spec 8.4, 8.6)."""
    for one in runs:
        lifecycle, result = one.model.lifecycle, getattr(one, engine)
        first = min((row["at"] for row in result.transitions), default=one.case.until)
        instants = set()
        if lifecycle.evaluate is not None:
            instants = set(grid(one.model.timezone, int(lifecycle.evaluate.every), first, one.case.until))
        waits = {int(rule.after) for rule in lifecycle.transitions if rule.after is not None}
        entered: dict[object, set[int]] = defaultdict(set)
        for row in result.transitions:
            if row["cause"] == "grid":
                assert row["at"] in instants, f"{one}: {row}"
            if row["cause"] == "timer":
                assert any(row["at"] - wait in entered[row["lead_id"]] for wait in waits), f"{one}: {row}"
            entered[row["lead_id"]].add(row["at"])
