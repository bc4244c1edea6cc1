"""Stages are left and entered as the state machines of the library `transitions` do it: first fitting rule, guards, run to completion.

What a lifecycle says is told to the library in its own terms: a rule's event types are triggers, ``when`` is a condition,
``"*"`` is the source ``"*"``, a manual move is the automatic trigger ``to_STAGE``, and rules without ``on`` belong to every
trigger and to one of their own, ``settle``, which a queued machine is sent after every change of state until nothing fires.

Where both differ on purpose:

- A stage left in an evaluation is not entered again in it (spec 8.5). The library has no such rule and would go round for
  ever. One test has only histories in which no rule is passed over for this reason, and leaves the library alone; the other
  gives each rule a last condition that says so, and counts how often it failed, as ``loop_stops`` does.
- ``"*"`` leaves out the stage entered and the exits (spec 8.1); the library's includes them, so a condition takes them out.
- A manual move to the stage a lead is in, or to none of the model, is an ordinary event (spec 8.7); the library would enter
  the state anew, or raise.
- Time (``after``, the grid) is not compared: the library has no clock.
"""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any

import pytest
from transitions import Machine

import leadcore as lc
from leadcore._time import to_datetime, to_micros

logging.getLogger("transitions").setLevel(logging.ERROR)  # it warns of each event that no rule serves

CASES = int(os.environ.get("LEADCORE_CASES", "300"))
FIRST = int(os.environ.get("LEADCORE_FIRST_CASE", "0"))
LEADS = 8
STEP = 3_600 * 10**6  # microseconds between what happens to a lead
EVENTS = {"call": {"n": "number"}, "visit": {"n": "number", "page": "text"}, "ping": {}, "moved": {"to": "text"}}
POINTS = {"call": 3, "visit": 1, "ping": -2, "moved": 0}

Guard = Callable[["Lead"], bool]
Log = list[tuple[int, str, str | None]]
OPS: dict[str, Callable[[Any, Any], bool]] = {
    "ge": lambda found, value: found is not None and found >= value,
    "lt": lambda found, value: found is not None and found < value,
    "eq": lambda found, value: found is not None and found == value,
    "ne": lambda found, value: not (found is not None and found == value),
}


class Lead:
    """What the library moves: its state, and what conditions look at."""

    def __init__(self, lifecycle: dict[str, Any], guards: dict[str, Guard], closed: bool) -> None:
        """Tell the library the lifecycle; ``closed``: a stage left in an evaluation is closed to it."""
        self.score, self.reached, self.vip, self.event = 0, False, False, {}
        self.left: set[str] = set()
        self.visits: Counter[str] = Counter()
        self.log: Log = []
        self.passed: Counter[str] = Counter()
        self.step, self.rule = 0, None
        self.machine = Machine(
            self, states=[stage["name"] for stage in lifecycle["stages"]], initial=lifecycle["initial"], queued=True,
            ignore_invalid_triggers=True, before_state_change="leave", after_state_change=["enter", "go_on"],
        )  # fmt: skip
        exits = {stage["name"] for stage in lifecycle["stages"] if stage.get("kind") == "exit"}
        for rule in lifecycle["transitions"]:
            conditions = [partial(guards[rule["name"]], self)]
            if rule["from"] == "*":
                conditions.insert(0, partial(self.is_elsewhere, {rule["to"], *exits}))
            if closed:
                conditions.append(partial(self.is_open, rule["name"], rule["to"]))
            for trigger in rule.get("on", [*EVENTS, "settle"]):
                self.machine.add_transition(
                    trigger, rule["from"], rule["to"], conditions, before=partial(self.choose, rule["name"])
                )
        self.enter()

    def is_elsewhere(self, stages: set[str]) -> bool:
        """Whether the lead is in none of these."""
        return self.state not in stages

    def is_open(self, rule: str, stage: str) -> bool:
        """Whether this evaluation did not leave the stage; a rule that fails here is counted."""
        self.passed[rule] += stage in self.left
        return stage not in self.left

    def choose(self, rule: str) -> None:
        """A rule fires."""
        self.rule = rule

    def leave(self) -> None:
        """A state is left."""
        self.left.add(self.state)

    def enter(self) -> None:
        """A state was entered."""
        self.visits[self.state] += 1
        self.log.append((self.step, self.state, self.rule))
        self.rule = None

    def go_on(self) -> None:
        """See whether a rule without an event fires next."""
        self.send("settle")

    def send(self, trigger: str) -> None:
        """Trigger, where any rule listens."""
        if trigger in self.machine.events:
            self.trigger(trigger)

    def evaluate(self, step: int, trigger: str) -> None:
        """One evaluation (spec 8.5)."""
        self.step, self.left = step, set()
        self.reached = self.score >= 6 or (self.reached and self.score >= 3)
        self.send(trigger)

    def live(self, happenings: list[dict[str, Any]]) -> None:
        """Everything that happens to the lead, in order; the first is its birth."""
        for step, happening in enumerate(happenings):
            self.event = happening if "type" in happening else {}
            self.vip = happening.get("vip", self.vip)
            self.score += POINTS.get(happening.get("type"), 0)
            to = happening.get("to")
            moves = to != self.state and to in self.machine.states
            self.evaluate(step, f"to_{to}" if moves else happening.get("type", "settle"))


def clause(rng: Random, types: list[str] | None) -> tuple[dict[str, Any], Guard]:
    """A condition as the document has it, and as Python has it."""
    fields: list[tuple[str, Any, list[Any], list[str]]] = [
        ("score.points", lambda lead: lead.score, [-1, 0, 2, 4, 7], ["ge", "lt", "eq"]),
        ("threshold.keen", lambda lead: lead.reached, [True, False], ["eq"]),
        ("lead.vip", lambda lead: lead.vip, [True, False], ["eq", "ne"]),
        ("stage.visits", lambda lead: lead.visits[lead.state], [2, 3], ["ge", "lt"]),
    ]
    if types:
        fields.append(("event.type", lambda lead: lead.event.get("type"), types, ["eq", "ne"]))
        if {"call", "visit"} & {*types}:
            fields.append(("event.n", lambda lead: lead.event.get("n"), [1, 2, 3], ["ge", "lt", "eq", "ne"]))
    field, found, values, ops = rng.choice(fields)
    op, value = rng.choice(ops), rng.choice(values)
    return {"field": field, "op": op, "value": value}, lambda lead: OPS[op](found(lead), value)


def condition(rng: Random, types: list[str] | None, depth: int = 0) -> tuple[dict[str, Any], Guard]:
    """A clause, or several joined."""
    kind = rng.choice(["clause", "clause", "all", "any", "not"]) if depth < 2 else "clause"
    if kind == "clause":
        return clause(rng, types)
    parts = [condition(rng, types, depth + 1) for _ in range(1 if kind == "not" else rng.randint(1, 3))]
    guards = [guard for _, guard in parts]
    if kind == "not":
        return {"not": parts[0][0]}, lambda lead: not guards[0](lead)
    joined = all if kind == "all" else any
    return {kind: [document for document, _ in parts]}, lambda lead: joined(guard(lead) for guard in guards)


def lifecycle(rng: Random) -> tuple[dict[str, Any], dict[str, Guard]]:
    """A random lifecycle, and the guard of each of its rules."""
    names = [f"s{n}" for n in range(rng.randint(2, 6))]
    stages = [{"name": name, "kind": rng.choice(["success", "success", "detour", "exit"])} for name in names]
    ahead = rng.random() < 0.5  # every rule leads on along the stages, so none goes back to one that was left
    rules, guards = [], {}
    for n in range(rng.randint(1, 12)):
        to = rng.choice(names[ahead:])
        others = names[: names.index(to)] if ahead else [name for name in names if name != to]
        rule: dict[str, Any] = {"name": f"r{n}", "to": to}
        rule["from"] = rng.choice([rng.choice(others), rng.sample(others, rng.randint(1, len(others))), "*"])
        if ahead and to != names[-1] and rule["from"] == "*":
            rule["from"] = others
        types = rng.sample([*EVENTS], rng.randint(1, 3)) if rng.random() < 0.6 else None
        if types:
            rule["on"] = types
        guards[rule["name"]] = lambda lead: True
        if rng.random() < 0.7:
            rule["when"], guards[rule["name"]] = condition(rng, types)
        rules.append(rule)
    manual = {"on": "moved", "field": "to"}
    return {"initial": rng.choice(names), "manual": manual, "stages": stages, "transitions": rules}, guards


def life(rng: Random, stages: list[str]) -> list[dict[str, Any]]:
    """What happens to a lead, hour by hour: its birth with an attribute, then events and changes of it."""
    happenings: list[dict[str, Any]] = [{"vip": rng.random() < 0.5}]
    for _ in range(rng.randint(1, 15)):
        kind = rng.choice([*EVENTS, "call", "visit", "attribute"])
        if kind == "attribute":
            happenings.append({"vip": rng.random() < 0.5})
            continue
        event: dict[str, Any] = {"type": kind, "n": None, "page": None, "to": None}
        if kind in ("call", "visit"):
            event["n"] = rng.choice([None, 0, 1, 2, 3])
        if kind == "moved":
            event["to"] = rng.choice([*stages, "nowhere", None])
        happenings.append(event)
    return happenings


class Told:
    """What a replay says.

    Attributes:
        logs: By lead: at which step it entered which stage by which rule.
        moves: Cause and rule of every transition.
        counts: What was counted.
    """

    def __init__(self, replay: lc.Replay, leads: int) -> None:
        self.logs: list[Log] = [[] for _ in range(leads)]
        self.moves, self.counts = [], replay.counts
        for row in replay.transitions.to_dicts():
            self.logs[row["lead_id"]].append((to_micros(row["at"]) // STEP, row["to_stage"], row["rule"]))
            self.moves.append((row["cause"], row["rule"]))


class Case:
    """A lifecycle, leads' lives, and what both engines say of them."""

    def __init__(self, seed: int) -> None:
        rng = Random(seed)
        self.lifecycle, self.guards = lifecycle(rng)
        self.lives = [life(rng, [stage["name"] for stage in self.lifecycle["stages"]]) for _ in range(LEADS)]
        points = [
            {"name": kind, "kind": "event", "on": kind, "points": worth} for kind, worth in POINTS.items() if worth
        ]
        model = lc.Model.model_validate(
            {
                "leadcore": 1, "name": "machine", "attributes": {"vip": "boolean"}, "events": EVENTS,
                "scores": {"points": {"criteria": points}},
                "thresholds": {"keen": {"score": "points", "at": 6, "release": 3}}, "lifecycle": self.lifecycle,
            }
        )  # fmt: skip
        leads, events = [], []
        for lead, happenings in enumerate(self.lives):
            for step, happening in enumerate(happenings):
                at = to_datetime(step * STEP)
                if "type" in happening:
                    events.append({"lead_id": lead, "at": at, **happening})
                else:
                    leads.append({"lead_id": lead, "valid_from": at, **happening})
        columns = {"lead_id": None, "at": None, "type": None, "n": None, "page": None, "to": None}
        rows = [{**columns, **event} for event in events] or None
        scorer = lc.Scorer(model)
        self.told = {
            engine: Told(scorer.replay(rows, leads, until="1971-01-01", engine=engine), len(self.lives))
            for engine in ("kernel", "reference")
        }

    def by_library(self, closed: bool) -> tuple[list[Log], Counter[str]]:
        """The same lives in the library's hands: what every lead did, and how often each rule was passed over."""
        logs, passed = [], Counter[str]()
        for happenings in self.lives:
            lead = Lead(self.lifecycle, self.guards, closed)
            lead.live(happenings)
            logs.append(lead.log)
            passed += lead.passed
        return logs, passed


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    """The random cases, replayed."""
    return [Case(seed) for seed in range(FIRST, FIRST + CASES)]


def test_the_library_alone_moves_leads_alike(cases):
    """Where no rule is passed over, leads go through the same stages by the same rules at the same events."""
    found = Counter()
    for case in cases:
        if case.told["kernel"].counts.loop_stops:
            continue
        logs, _ = case.by_library(closed=False)
        assert logs == case.told["kernel"].logs == case.told["reference"].logs, case.lifecycle
        found["cases"] += 1
        found["moves"] += sum(map(len, logs))
    assert found["cases"] > CASES // 4
    assert found["moves"] > 5 * CASES


def test_with_stages_closed_that_were_left_all_leads_move_alike(cases):
    """The same of every case, once the library is told of loop stops; and each is counted as often."""
    stops = 0
    for case in cases:
        logs, passed = case.by_library(closed=True)
        for told in case.told.values():
            assert logs == told.logs, case.lifecycle
            assert passed == told.counts.loop_stops, case.lifecycle
        stops += passed.total()
    assert stops > CASES


def test_the_cases_have_what_is_compared(cases):
    """Chains of rules in one evaluation, rules that several events or none serve, wildcards, manual moves, attributes."""
    found = Counter()
    for case in cases:
        rules = {rule["name"]: rule for rule in case.lifecycle["transitions"]}
        told = case.told["kernel"]
        found["to where one is"] += told.counts.manual_current
        found["to nowhere"] += told.counts.manual_unknown
        for cause, name in told.moves:
            found[cause] += 1
            found["wildcard"] += rules.get(name, {}).get("from") == "*"
            found["automatic at an event"] += cause == "event" and "on" not in rules[name]
        for log in told.logs:
            found["chain"] += sum(a[0] == b[0] == c[0] for a, b, c in zip(log, log[1:], log[2:], strict=False))
    names = (
        "to where one is",
        "to nowhere",
        "wildcard",
        "automatic at an event",
        "chain",
        "event",
        "manual",
        "attribute",
    )
    assert {name: found[name] for name in names if found[name] < CASES // 10} == {}
