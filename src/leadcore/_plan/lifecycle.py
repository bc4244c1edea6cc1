"""The lifecycle as record tables: stages, rules, and what events tell them (spec 8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from leadcore._plan.conditions import ALWAYS, Programs
from leadcore._plan.hits import HAPPENED, MANUAL, Rules
from leadcore.model.condition import All, Any_, Clause, Condition, Not
from leadcore.model.lifecycle import Lifecycle, Manual


@dataclass
class Happenings:
    """Conditions on an event as bits: equal ones share one."""

    events: Rules
    numbers: dict[str, int] = field(default_factory=dict)

    def number(self, when: Any, types: Sequence[int]) -> int:
        """The bit of a condition at events of these types."""
        key = repr((when, tuple(types)))
        if key not in self.numbers:
            self.numbers[key] = len(self.numbers)
            self.events.test(when, self.events.hit((self.numbers[key], HAPPENED, 0)), types)
        return self.numbers[key]


@dataclass
class LifecycleTables:
    """Rows of the kernel's tables ``stages``, ``rules``, ``leaving`` and ``timers``."""

    stages: list[tuple[int, ...]] = field(default_factory=list)
    rules: list[tuple[int, ...]] = field(default_factory=list)
    leaving: list[int] = field(default_factory=list)
    timers: list[int] = field(default_factory=list)
    initial: int = 0
    labelled: bool = False


def lifecycle_tables(
    lifecycle: Lifecycle, types: Mapping[str, int], programs: Programs, happenings: Happenings
) -> LifecycleTables:
    """Compile stages and transitions; ``types`` are event types by name."""
    tables = LifecycleTables()
    place = {stage.name: i for i, stage in enumerate(lifecycle.stages)}
    tables.initial = place[lifecycle.initial]
    everywhere = [stage.name for stage in lifecycle.stages if stage.kind != "exit"]
    outs: list[list[int]] = [[] for _ in lifecycle.stages]
    for number, transition in enumerate(lifecycle.transitions):
        on = tuple(types[name] for name in dict.fromkeys(transition.on or ()))
        happening = happenings.number(ALWAYS, on) if on else -1
        when = (0, 0) if transition.when is None else programs.add(transition.when, on)
        after = 0 if transition.after is None else int(transition.after)
        tables.rules.append((place[transition.to], happening, after, *when))
        tables.labelled |= "label" in _fields(transition.when)
        names = everywhere if "*" in transition.from_ else transition.from_
        for name in dict.fromkeys(names):
            if name != transition.to:
                outs[place[name]].append(number)
    for rules in outs:
        free = [number for number in rules if tables.rules[number][1] < 0]
        timers = sorted({tables.rules[number][2] for number in rules} - {0})
        begin = len(tables.leaving)
        tables.stages.append((begin, len(rules), begin + len(rules), len(free), len(tables.timers), len(timers)))
        tables.leaving += rules + free
        tables.timers += timers
    return tables


def manual_moves(manual: Manual, events: Rules, field_index: int, kind: int, stages: Sequence[str]) -> None:
    """Let the events by which people move leads name their stage (spec 8.7)."""
    nowhere = events.hit((0, MANUAL, -1))
    named = {name: events.hit((0, MANUAL, i)) for i, name in enumerate(stages)}
    events.table(field_index, named, nowhere, nowhere, False, ALWAYS, [kind])


def _fields(condition: Condition | None) -> list[str]:
    """Every field a condition reads."""
    match condition:
        case All(all=parts) | Any_(any=parts):
            return [name for part in parts for name in _fields(part)]
        case Not(not_=part):
            return _fields(part)
        case Clause():
            return [condition.field]
    return []
