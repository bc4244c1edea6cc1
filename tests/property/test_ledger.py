"""A ledger says what batch runs over all facts say, whatever it is told in whatever order (spec 10.2, 10.3)."""

from __future__ import annotations

import os
from collections import Counter
from functools import wraps
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from leadcore._reference.calendar import FIRST, LAST
from tests.broken_ledgers import BROKEN
from tests.ledger_oracle import OracleLedger
from tests.ledgers import Difference, LiveLedger, Pair
from tests.random_cases import held
from tests.random_ledgers import LedgerCase, Row, ledger_case, pieces, variant
from tests.random_parts import DAY, HOUR

LONG = "LEADCORE_RUNS" in os.environ
RUNS = int(os.environ.get("LEADCORE_RUNS", "40"))
STEPS = int(os.environ.get("LEADCORE_STEPS", "50"))
CASES = int(os.environ.get("LEADCORE_CASES", "60"))
FIRST_CASE = int(os.environ.get("LEADCORE_FIRST_CASE", "0"))
LEDGER: Any = OracleLedger if os.environ.get("LEADCORE_LEDGER") == "oracle" else LiveLedger

number = st.integers(0, 2**16)
SPANS = (HOUR, DAY, 10 * DAY, 40 * DAY, 300 * DAY)
few = st.lists(number, min_size=1, max_size=4)
CENSUS: Counter[str] = Counter()


def step(**arguments: Any) -> Any:
    """A rule whose calls are counted."""

    def counted(method: Any) -> Any:
        @wraps(method)
        def call(self: Any, *values: Any, **named: Any) -> None:
            self.steps[method.__name__] += 1
            method(self, *values, **named)

        return rule(**arguments)(call)

    return counted


class LedgerMachine(RuleBasedStateMachine):
    """Facts of a random case, told in any way to a ledger and to the oracle."""

    pair: Pair | None = None
    block = 0

    @initialize(case_number=st.integers(0, 2**32))
    def begin(self, case_number: int) -> None:
        self.case: LedgerCase = ledger_case((self.block << 32) + case_number)
        self.pair = Pair(self.case.document, self.case.lateness, LEDGER)
        self.steps: Counter[str] = Counter()
        self.folder = TemporaryDirectory()
        self.given: list[Row] = []
        self.ahead = sorted(self.case.events, key=lambda row: row["at"])
        self.rows = list(self.case.leads)
        with_ids = [row for row in self.case.events if row.get("event_id") is not None]
        self.keeps_ids = bool(with_ids) or case_number % 4 > 0
        self.text_ids = isinstance(with_ids[0]["event_id"], str) if with_ids else case_number % 2 > 0
        self.fresh = 10**6

    # -- choices -----------------------------------------------------------------------------------------------------

    def instant(self, choice: int) -> int:
        """An instant of the case, or one at which something was told, or beside it."""
        oracle, choices = self.pair.oracle, self.case.instants or [0]
        if choice % 3 == 2:
            leads = list(oracle.leads.values())
            told = {row["at"] for lead in leads for row in (*lead.state.transitions[-3:], *lead.state.alerts[-2:])}
            told |= {lead.told for lead in leads if lead.told is not None}
            told |= {lead.newest - oracle.late for lead in leads if lead.newest is not None and oracle.late is not None}
            choices = sorted(told) or choices
        return min(max(choices[choice // 3 % len(choices)] + (0, 0, 0, 1, -1)[choice // 7 % 5], FIRST), LAST)

    def span(self, choice: int) -> int:
        """A stretch of time, not many times that of the case: rules may come again each minute."""
        spans = [span for span in SPANS if span < 2 * (self.case.instants[-1] - self.case.instants[0])]
        return spans[choice % len(spans)] if spans else SPANS[0]

    def lead_id(self, choice: int) -> Any:
        return self.case.ids[choice % len(self.case.ids)] if self.case.ids else 1

    def event(self, choice: int) -> Row:
        """A row of the case, or of another lead, at another instant, with another id or none."""
        row = dict(self.case.events[choice % len(self.case.events)])
        if choice % 5 < 3:
            row |= {"lead_id": self.lead_id(choice // 5), "at": self.instant(choice // 11)}
            if self.keeps_ids:
                self.fresh += 1
                fresh = f"f{self.fresh}" if self.text_ids else self.fresh
                row["event_id"] = None if choice % 7 < 2 else fresh
        return row

    def apply(self, rows: list[Row], leads: list[Row], **more: Any) -> None:
        """Tell rows; those that were not refused are known from now on."""
        said = self.pair.tell("apply", events=rows, leads=leads, **more)
        if said is not None:
            self.given += rows

    # -- rules -------------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.ahead)
    @step(count=st.integers(1, 8), until=st.none() | number)
    def go_on(self, count: int, until: int | None) -> None:
        """The next events as they happened."""
        rows, self.ahead = self.ahead[:count], self.ahead[count:]
        self.apply(rows, [], until=None if until is None else self.instant(until), on_late="set_aside")

    @precondition(lambda self: self.ahead)
    @step(count=st.integers(3, 20), lead=st.integers(1, 3))
    def go_on_with_leads(self, count: int, lead: int) -> None:
        """The next events as they happened, and some rows of leads."""
        rows, self.ahead = self.ahead[:count], self.ahead[count:]
        leads, self.rows = self.rows[:lead], self.rows[lead:]
        self.apply(rows, leads, on_late="set_aside")

    @precondition(lambda self: self.rows)
    @step(choices=few, until=st.none() | number, set_aside=st.booleans())
    def know_leads(self, choices: list[int], until: int | None, set_aside: bool) -> None:
        """Rows of leads that were not told yet."""
        rows = [self.rows.pop(choice % len(self.rows)) for choice in choices if self.rows]
        end = None if until is None else self.instant(until)
        self.apply([], rows, until=end, on_late="set_aside" if set_aside else "raise")

    @precondition(lambda self: self.case.events)
    @step(choices=few, until=st.none() | number, set_aside=st.booleans())
    def events(self, choices: list[int], until: int | None, set_aside: bool) -> None:
        """Any events, in any order."""
        rows = [self.event(choice) for choice in choices]
        end = None if until is None else self.instant(until)
        self.apply(rows, [], until=end, on_late="set_aside" if set_aside else "raise")

    @precondition(lambda self: self.case.events)
    @step(choice=number)
    def one_event(self, choice: int) -> None:
        """One event, straight from values."""
        row = self.event(choice)
        more = {name: value for name, value in row.items() if name not in ("lead_id", "at", "type", "event_id")}
        given = {"lead_id": row["lead_id"], "at": row["at"], "type": row["type"], "properties": more}
        if self.pair.tell("add", **given, event_id=row.get("event_id")) is not None:
            self.given.append(row)

    @precondition(lambda self: self.given)
    @step(choices=few)
    def again(self, choices: list[int]) -> None:
        """Events told before: with an id they count once."""
        lives = {row["event_id"] for row in self.live()}
        dead = [row for row in self.given if row.get("event_id") is not None and row["event_id"] not in lives]
        known = dead if dead and choices[0] % 2 else self.given
        self.apply([known[choice % len(known)] for choice in choices], [], on_late="set_aside")

    @precondition(lambda self: self.live())
    @step(choice=number, other=number)
    def differing(self, choice: int, other: int) -> None:
        """An id told before with other content is refused; where the first is not kept any more, nobody knows."""
        rows = self.live()
        row = rows[choice % len(rows)]
        floor = self.pair.oracle._floor(self.pair.oracle.leads[self.pair.oracle.person(row["lead_id"])])
        if floor is None or row["at"] >= floor:
            self.apply([row | {"at": self.instant(other)}], [])

    def live(self) -> list[Row]:
        """Events with an id that are known."""
        return [row for lead in self.pair.oracle.leads.values() for row in lead.by_id.values()]

    @precondition(lambda self: self.case.leads)
    @step(choice=number, other=number, since=st.none() | number, created=st.booleans())
    def correct(self, choice: int, other: int, since: int | None, created: bool) -> None:
        """A row of a lead anew, with the attributes of another, since then or since another instant."""
        leads = self.case.leads
        row, values = leads[choice % len(leads)], leads[other % len(leads)]
        changed = row | {name: values.get(name) for name in self.pair.model_names()}
        if since is not None:
            changed["valid_from"] = self.instant(since)
        if not created:
            changed.pop("created_at", None)
        self.apply([], [changed], on_late="set_aside")

    @precondition(lambda self: self.named())
    @step(choices=few, unknown=st.booleans())
    def retract(self, choices: list[int], unknown: bool) -> None:
        """Take events back, mostly such as are kept; some were taken back before, some are not known."""
        named = (self.kept() if choices[0] % 4 else []) or self.named()
        rows = [{name: named[choice % len(named)][name] for name in ("lead_id", "event_id")} for choice in choices]
        if unknown:
            rows.append({"lead_id": self.lead_id(choices[0]), "event_id": "?" if self.text_ids else -1})
        self.pair.tell("retract", events=rows)

    def kept(self) -> list[Row]:
        """Events with an id that do not come too late; each lead's newest, and those that moved it, count for some."""
        oracle, found = self.pair.oracle, []
        for lead in oracle.leads.values():
            floor = oracle._floor(lead)
            rows = [row for row in lead.by_id.values() if floor is None or row["at"] >= floor]
            found += [*rows, *[max(rows, key=lambda row: row["at"])] * (len(rows) // 2)] if rows else []
            movers = {move["event_id"] for move in lead.state.transitions}
            found += [row for row in rows if row["event_id"] in movers] * 3
        return found

    def named(self) -> list[Row]:
        """Events with an id that were told, and those that are still known once more."""
        return self.live() * 2 + [row for row in self.given if row.get("event_id") is not None]

    @precondition(lambda self: len(set(map(self.pair.oracle.person, self.case.ids))) > 1)
    @step(choice=number, other=number)
    def merge(self, choice: int, other: int) -> None:
        """Two leads are one."""
        ids, person = self.case.ids, self.pair.oracle.person
        pairs = [(one, into) for one in ids for into in ids if person(one) != person(into)]
        taken_over = {lead_id for lead_id, lead in self.pair.oracle.leads.items() if lead.adopted is not None}
        pairs = [pair for pair in pairs if not {*map(person, pair)} & taken_over]
        if not pairs:
            return
        one, into = pairs[choice * 31 % len(pairs)] if other % 3 else pairs[other % len(pairs)]
        self.pair.tell("merge", lead_id=one, into=into)

    @precondition(lambda self: len(self.pair.calls) > 5)
    @step(choice=number)
    def forget(self, choice: int) -> None:
        """Drop a lead."""
        self.pair.forget(self.lead_id(choice))

    @precondition(lambda self: [name for name, _ in self.pair.calls[-1:]] != ["advance"])
    @step(choice=number, on=st.none() | number)
    def advance(self, choice: int, on: int | None) -> None:
        """Bring all leads to an instant, or back, which does nothing; or on from where the last of them stands."""
        told = [lead.told for lead in self.pair.oracle.leads.values() if lead.told is not None]
        if on is None or not told:
            self.pair.tell("advance", until=self.instant(choice))
        else:
            self.pair.tell("advance", until=min(max(told) + self.span(on), LAST))

    @precondition(lambda self: "reload" not in [name for name, _ in self.pair.calls[-2:]])
    @step()
    def save_and_load(self) -> None:
        self.pair.reload(Path(self.folder.name) / "ledger")

    @precondition(lambda self: len(self.pair.calls) > 5)
    @step(choice=number, with_dead=st.booleans())
    def swap_model(self, choice: int, with_dead: bool) -> None:
        """Another version of the model, as if it had been there from the start; retracted events may be given or not."""
        self.pair.tell("migrate", document=variant(self.pair.document, choice, self.case.document), with_dead=with_dead)

    @precondition(lambda self: len(self.pair.calls) > 5)
    @step(choice=number, at=number, with_dead=st.booleans())
    def swap_model_at(self, choice: int, at: int, with_dead: bool) -> None:
        """Another version of the model from an instant on."""
        leads = list(self.pair.oracle.leads.values())
        floors = [floor for lead in leads if (floor := self.pair.oracle._floor(lead)) is not None]
        earliest = max([*floors, *(lead.adopted.at for lead in leads if lead.adopted is not None)], default=FIRST)
        document = variant(self.pair.document, choice, self.case.document, at=True)
        self.pair.tell("migrate", document=document, at=max(self.instant(at), earliest), with_dead=with_dead)

    @step(choice=number, leads=st.none() | few)
    def ask(self, choice: int, leads: list[int] | None) -> None:
        """Scores at any instant."""
        asked = None if leads is None else list(dict.fromkeys(map(self.lead_id, leads)))
        self.pair.ask_score(self.instant(choice), asked)

    @precondition(lambda self: len(self.pair.oracle))
    @step(choice=number, as_of=st.none() | number)
    def ask_one(self, choice: int, as_of: int | None) -> None:
        """Where a lead stands."""
        self.pair.ask_lead(self.lead_id(choice), None if as_of is None else self.instant(as_of))

    @precondition(lambda self: len(self.pair.oracle))
    @step(choice=number, as_of=number, horizon=number)
    def ask_next(self, choice: int, as_of: int, horizon: int) -> None:
        """What changes next if nothing happens."""
        start = self.instant(as_of)
        span = self.span(horizon)
        if start + span <= LAST:
            self.pair.ask_next(self.lead_id(choice), start, start + span)

    # -- always ------------------------------------------------------------------------------------------------------

    @invariant()
    def leads_are_the_same(self) -> None:
        if self.pair is not None:
            self.pair.check_leads()

    def teardown(self) -> None:
        if self.pair is None:
            return
        self.folder.cleanup()
        if self.pair.failed:
            return
        CENSUS.update(self.pair.census)
        CENSUS.update(f"calls of {name}" for name in self.steps.elements())
        CENSUS.update(["runs", *(["full runs"] if self.steps.total() >= STEPS else [])])
        CENSUS["steps"] += self.steps.total()
        self.pair.check_all()
        end = max([self.pair.oracle.clock or FIRST, *self.case.instants])
        self.pair.tell("advance", until=held(end + 1))
        self.pair.check_all()


def quiet(examples: int) -> settings:
    """Settings of some runs."""
    return settings(
        max_examples=examples, stateful_step_count=STEPS + 1, deadline=None, database=None,
        suppress_health_check=list(HealthCheck), phases=[Phase.generate, Phase.shrink], print_blob=False,
        report_multiple_bugs=False,
    )  # fmt: skip


def test_any_calls():
    """Whatever is called: changes add up to the batch replay, and answers are those of a batch run, to the last bit.

    The long form is some twenty minutes on one core, or half of that in each of two processes:
    ``LEADCORE_RUNS=1000`` beside ``LEADCORE_RUNS=1000 LEADCORE_FIRST_CASE=1000000``, with ``-s`` to see what was run.
    """
    block = 0
    while CENSUS["full runs"] < RUNS:  # runs that hypothesis ends early do not count
        machine = type("Machine", (LedgerMachine,), {"block": FIRST_CASE + block})  # hypothesis likes to repeat numbers
        run_state_machine_as_test(seed(FIRST_CASE + block)(machine), settings=quiet(20))
        block += 1


@pytest.mark.skipif(
    not LONG, reason="the better part of a minute, and the machine changes seldom: LEADCORE_RUNS=60 runs it"
)
@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.__name__)
def test_broken_ledgers_are_found(broken, monkeypatch):
    """The machine sees what is wrong with each of these within some dozens of runs."""
    before = CENSUS.copy()
    monkeypatch.setitem(globals(), "LEDGER", broken)
    found = False
    for block in range(10):
        machine = type("Machine", (LedgerMachine,), {"block": block})
        try:
            run_state_machine_as_test(seed(block)(machine), settings=settings(quiet(20), phases=[Phase.generate]))
        except Difference:
            found = True
            break
    CENSUS.clear()
    CENSUS.update(before)
    assert found


@pytest.mark.parametrize("block", range(10))
def test_any_cuts(block, tmp_path):
    """The facts in any pieces, held up by at most ``late``, with saves and loads between, are one batch run."""
    for number_ in range(FIRST_CASE + block * CASES // 10, FIRST_CASE + (block + 1) * CASES // 10):
        cut_case(number_, tmp_path)


def cut_case(case_number: int, folder: Path) -> None:
    """Deliver one case."""
    case, rng = ledger_case(case_number), Random(f"cut {case_number}")
    pair = Pair(case.document, case.lateness, LEDGER)
    try:
        for piece in pieces(rng, case):
            until = None if rng.random() < 0.7 else rng.choice(case.instants)
            if pair.tell("apply", events=piece.events, leads=piece.leads, until=until) is None:
                pair.fail("held up by no more than late, and refused")
            if rng.random() < 0.2:
                pair.reload(folder / "ledger")
            if rng.random() < 0.15:
                pair.tell("advance", until=rng.choice(case.instants))
        pair.check_all()
        if case.instants:
            pair.tell("advance", until=held(case.instants[-1] + rng.choice((0, 1, 10**12))))
        pair.check_all()
    except Difference as difference:
        raise AssertionError(f"ledger_case({case_number}): {difference}") from None
    CENSUS.update(pair.census)


RULES = (
    *(
        "go_on",
        "go_on_with_leads",
        "know_leads",
        "events",
        "one_event",
        "again",
        "differing",
        "correct",
        "retract",
        "merge",
    ),
    *("forget", "advance", "save_and_load", "swap_model", "swap_model_at", "ask", "ask_one", "ask_next"),
)
OFTEN = (
    *("apply", "add", "advance", "retract", "merge", "migrate", "migrate_at", "reload", "forget.known", "score", "lead.told"),
    *("apply.duplicates", "apply.late", "apply.ignored", "apply.refused", "apply.with_base", "apply.moved", "add.with_base"),
    *("add.moved", "add.refused", "event.late", "event.at_newest", "event.before_told", "pending"),
    *("advance.with_base", "retract.duplicates", "retract.unknown", "retract.refused", "retract.moved", "retract.with_base"),
    *("merge.refused", "merge.moved", "score.old"),
    *("migrate.moved", "migrate.with_base", "migrate.with_dead", "migrate.lifecycle_lost", "migrate.lifecycle_gained"),
    *("migrate_at.with_base", "migrate_at.with_dead"),
    *("transitions.new", "transitions.withdrawn", "transitions.only_scores", "alerts.new", "alerts.withdrawn"),
    *(f"transitions.new.{cause}" for cause in ("birth", "event", "attribute", "timer", "grid", "manual")),
    *(f"transitions.withdrawn.{cause}" for cause in ("birth", "event", "timer", "grid")),
    *("thresholds.True", "thresholds.False"),
)  # fmt: skip
RARE = (
    *("score.refused", "merge.with_base", "next.stage", "next.threshold", "advance.moved", "migrate_at.moved"),
    *("migrate_at.lifecycle_lost", "transitions.withdrawn.attribute", "transitions.withdrawn.manual"),
)
"""What happens too seldom for the short form: the long one has it."""


def test_everything_happens():
    """The tests before mean something: all of this happened, and more than once (they run first, in this file)."""
    if not CENSUS["full runs"]:
        pytest.skip("asked alone")
    if LONG:
        print(f"\n{CENSUS['full runs']} full runs of {CENSUS['runs']}, {CENSUS['steps']} steps, from {FIRST_CASE}:")
        print(*(f"{count:8} {name}" for name, count in sorted(CENSUS.items())), sep="\n")
    wanted = [*(f"calls of {name}" for name in RULES), *OFTEN, *(RARE if LONG else ())]
    assert {name: CENSUS[name] for name in wanted if CENSUS[name] < 3} == {}
