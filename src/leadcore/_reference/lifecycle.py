"""One lead's way through the stages, evaluation by evaluation (spec 8.3 to 8.7)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Any

from leadcore._reference.arithmetic import POINT, exact_points
from leadcore._reference.calendar import DAY
from leadcore._reference.changes import mover
from leadcore._reference.conditions import Field, Scope, holds
from leadcore._reference.grid import grid_instants
from leadcore._reference.moment import Moment, Person, properties_of
from leadcore._reference.scores import Scored, grades_of, label_of, score_lead
from leadcore._reference.stays import Stay
from leadcore._reference.tables import Event
from leadcore.errors import DataError, Problem
from leadcore.model.document import Model
from leadcore.model.lifecycle import Lifecycle, Stage, Transition

MOST_TRANSITIONS = 10**6
"""Transitions of one lead in a run (spec 11)."""

ORDER = ("birth", "attribute", "event", "timer", "grid")
"""Spec 8.4: "At one instant in this order"."""


@dataclass(frozen=True)
class Sight(Moment):
    """A lead as an evaluation sees it: only the first events of those at or before its instant (spec 8.4).

    Attributes:
        seen: How many events in canonical order.
        scopes: The properties of all the lead's events by row.
    """

    seen: int
    scopes: dict[int, Scope]

    @cached_property
    def events(self) -> list[Event]:
        """Spec 8.4: "An evaluation sees the events up to and including the one at hand"."""
        return self.person.events[: self.seen]

    @cached_property
    def properties(self) -> dict[int, Scope]:
        """The properties of the lead's events, the same at every evaluation."""
        return self.scopes


@dataclass(frozen=True, slots=True)
class Occasion:
    """Why and when a lead is evaluated, and what the evaluation sees (spec 8.4)."""

    at: int
    cause: str
    seen: int
    event: Event | None = None


@dataclass(slots=True)
class Tally:
    """What a run counts: transitions passed over by name (spec 8.5), and manual moves to no other stage (8.7)."""

    loop_stops: Counter[str] = field(default_factory=Counter)
    manual_current: int = 0
    manual_unknown: int = 0


def birth_of(person: Person, end: int) -> int | None:
    """When a lead is born, or None.

    Spec 8.3: "at the first of `created_at`, earliest non-null `valid_from`, first declared event ... Events after the end
    are ignored here too". Rows of leads are not: by one of these it may be born after the end.
    """
    instants = [facts.valid_from for facts in person.facts if facts.valid_from is not None]
    if person.created_at is not None:
        instants.append(person.created_at)
    instants.extend(event.at for event in person.events[:1] if event.at <= end)
    return min(instants, default=None)


class Journey:
    """A lead from its birth to the end of the run.

    Args:
        model: A model with a lifecycle.
        person: The lead.
        birth: When it is born; not after the end.
        initial: The stage it is born into.
        end: The end of the run.
        tally: Where to count.

    Attributes:
        stays: Its stays, the last of them not left.
        thresholds: Which thresholds are reached as of the last evaluation (spec 6.5).
        transitions: Rows of transitions (spec 8.10).
        score_changes: One row for each score that an evaluation finds changed.
    """

    def __init__(self, model: Model, person: Person, birth: int, initial: str, end: int, tally: Tally) -> None:
        assert model.lifecycle is not None  # there is no replay without
        self.model, self.lifecycle = model, model.lifecycle
        self.person, self.birth, self.initial, self.end, self.tally = person, birth, initial, end, tally
        self.stages = {stage.name: stage for stage in self.lifecycle.stages}
        self.scopes = {event.row: properties_of(model, event) for event in person.events}
        self.visits: Counter[str] = Counter()
        self.timers: list[int] = []
        self.scored = Scored(dict.fromkeys(model.scores, 0), [])
        self.stays: list[Stay] = []
        self.thresholds = dict.fromkeys(model.thresholds, False)
        self.transitions: list[dict[str, Any]] = []
        self.score_changes: list[dict[str, Any]] = []

    def run(self) -> None:
        """All evaluations, in order; timers are those of the stay at hand."""
        for occasion in self.fixed():
            while self.timers and (self.timers[0], ORDER.index("timer")) < rank(occasion):
                self.evaluate(self.timer())
            self.evaluate(occasion)
        while self.timers and self.timers[0] <= self.end:
            self.evaluate(self.timer())

    def fixed(self) -> list[Occasion]:
        """Every evaluation but those by timers, in order.

        Spec 8.4: "birth; each change of attributes (each `valid_from` later than birth, whether or not a value differs);
        each event; ... each grid instant"; "birth and attribute changes see those before their instant; timers and grid
        all at theirs. The end of the run is no evaluation".
        """
        occasions = [Occasion(self.birth, "birth", self.before(self.birth))]
        for facts in self.person.facts:
            if facts.valid_from is not None and self.birth < facts.valid_from <= self.end:
                occasions.append(Occasion(facts.valid_from, "attribute", self.before(facts.valid_from)))
        for number, event in enumerate(self.person.events):
            if self.birth <= event.at <= self.end:
                occasions.append(Occasion(event.at, "event", number + 1, event))
        if self.lifecycle.evaluate is not None:
            every = int(self.lifecycle.evaluate.every)
            for instant in grid_instants(self.model.timezone, every, self.birth, self.end):
                occasions.append(Occasion(instant, "grid", self.before(instant + 1)))
        return sorted(occasions, key=rank)  # stable: events stay in canonical order

    def before(self, instant: int) -> int:
        """How many events are before an instant."""
        return sum(event.at < instant for event in self.person.events)

    def timer(self) -> Occasion:
        """The next end of an `after` of the current stage."""
        instant = self.timers.pop(0)
        return Occasion(instant, "timer", self.before(instant + 1))

    def evaluate(self, occasion: Occasion) -> None:
        """Spec 8.5: "One evaluation: thresholds move; of the transitions ... the first in document order fires"."""
        moment = Sight(self.model, self.person, occasion.at, occasion.seen, self.scopes)
        before, self.scored = self.scored, score_lead(moment)
        self.move_thresholds()
        by_hand = self.named_by_hand(occasion.event)
        cause = "manual" if by_hand is not None else occasion.cause
        stamp = {"at": occasion.at, "cause": cause, "event_id": occasion.event.event_id if occasion.event else None}
        self.note_changes(before, stamp)

        left: set[str] = set()
        event = occasion.event
        if occasion.cause == "birth":
            self.move(None, self.stages[self.initial], stamp)
        elif by_hand is not None:
            left.add(self.stage.name)
            self.move(None, by_hand, stamp)
            event = None
        while True:
            rule = self.first_that_fires(moment, event, left)
            if rule is None:
                return
            left.add(self.stage.name)
            self.move(rule, self.stages[rule.to], stamp)
            event = None  # spec 8.5: "An event serves one transition"

    @property
    def stage(self) -> Stage:
        """The current stage."""
        return self.stays[-1].stage

    def move_thresholds(self) -> None:
        """Spec 6.5: "reached when score >= `at` ... stays reached until score < `release`, for ever with `latch`"."""
        for name, threshold in self.model.thresholds.items():
            points = Fraction(self.scored.values[threshold.score], POINT)
            at = exact_points(self.model, threshold.at)
            release = at if threshold.release is None else exact_points(self.model, threshold.release)
            stays = self.thresholds[name] and (threshold.latch or points >= release)
            self.thresholds[name] = stays or points >= at

    def named_by_hand(self, event: Event | None) -> Stage | None:
        """The stage a manual event moves the lead to, or None.

        Spec 8.7: "Naming the current or an unknown stage, it is counted and is an ordinary event". Null names no stage.
        """
        manual = self.lifecycle.manual
        if event is None or manual is None or event.type != manual.on:
            return None
        name = event.properties.get(manual.field)
        if not isinstance(name, str) or name not in self.stages:
            self.tally.manual_unknown += 1
            return None
        if name == self.stage.name:
            self.tally.manual_current += 1
            return None
        return self.stages[name]

    def first_that_fires(self, moment: Moment, event: Event | None, left: set[str]) -> Transition | None:
        """The first transition in document order that fits, or None.

        Spec 8.5: "A stage left in this evaluation is not entered again in it: such a transition is passed over, and counted
        each time it would have fired".
        """
        scope: Scope | None = None
        for transition in self.lifecycle.transitions:
            if not leaves(transition, self.stage):
                continue
            if transition.on is not None and (event is None or event.type not in transition.on):
                continue
            if transition.after is not None and moment.now - self.stays[-1].entered_at < transition.after:
                continue
            scope = scope or self.fields(moment, event)
            if not holds(transition.when, scope):
                continue
            if transition.to not in left:
                return transition
            self.tally.loop_stops[transition.name] += 1
        return None

    def fields(self, moment: Moment, event: Event | None) -> Scope:
        """The fields of conditions (spec 8.2); stage.* "is the exact decimal" (3.2)."""
        values = self.scored.values
        fields = dict(moment.attributes.fields)
        fields.update({f"score.{name}": Field("score", Fraction(value, POINT)) for name, value in values.items()})
        grades = grades_of(self.model, values)
        fields.update({f"grade.{name}": Field("text", grade) for name, grade in grades.items()})
        rating = "".join(grades[name] for name in self.model.rating) if self.model.rating else None
        fields["rating"] = Field("text", rating)
        if self.model.labels:
            fields["label"] = Field("text", label_of(moment, values, grades, rating))
        fields.update({f"threshold.{name}": Field("boolean", reached) for name, reached in self.thresholds.items()})
        stay = self.stays[-1]
        fields["stage.age"] = Field("score", Fraction(moment.now - stay.entered_at, DAY))
        fields["stage.visits"] = Field("score", Fraction(stay.visit))
        if event is not None:
            fields["event.type"] = Field("text", event.type)
            fields.update(moment.properties[event.row].fields)
        return Scope(fields, bare="lead.")

    def move(self, rule: Transition | None, to: Stage, stamp: dict[str, Any]) -> None:
        """Leave the current stage, if there is one, and enter another (spec 8.8: at the instant of the evaluation)."""
        at = stamp["at"]
        by = rule.name if rule is not None else stamp["cause"]
        if self.stays:
            self.stays[-1].left_at, self.stays[-1].left_by = at, by
        self.transitions.append(
            {
                "lead_id": self.person.lead_id,
                "at": at,
                "from_stage": self.stage.name if self.stays else None,
                "to_stage": to.name,
                "rule": None if rule is None else rule.name,
                "cause": stamp["cause"],
                "event_id": stamp["event_id"],
                **self.scored.values,
            }
        )
        self.visits[to.name] += 1
        self.stays.append(Stay(to, self.visits[to.name], at, by))
        self.timers = sorted({at + int(after) for after in timers_of(self.lifecycle, to)})
        if len(self.transitions) > MOST_TRANSITIONS:
            raise DataError([self.circling()])

    def note_changes(self, before: Scored, stamp: dict[str, Any]) -> None:
        """A row for each score that differs from the evaluation before; before birth all are 0."""
        for name, value in self.scored.values.items():
            if value != before.values[name]:
                self.score_changes.append(
                    {
                        "lead_id": self.person.lead_id,
                        **stamp,
                        "score": name,
                        "before": before.values[name],
                        "after": value,
                        "criterion": mover(self.model, name, before.lines, self.scored.lines),
                    }
                )

    def circling(self) -> Problem:
        """Spec 11: more transitions than allowed "is an error naming the lead and the stages it circles"."""
        circle = [self.stage.name]
        for stay in reversed(self.stays[:-1]):
            circle.append(stay.stage.name)
            if stay.stage is self.stage:
                break
        way = " -> ".join(reversed(circle))
        reason = f"moves more than {MOST_TRANSITIONS:,} times, at last in a circle: {way}"
        return Problem("events", None, "lead_id", str(self.person.lead_id)[:32], reason)


def rank(occasion: Occasion) -> tuple[int, int]:
    """Where an evaluation comes (spec 8.4)."""
    return occasion.at, ORDER.index(occasion.cause)


def leaves(transition: Transition, stage: Stage) -> bool:
    """Whether a transition's `from` fits a stage (spec 8.1: "`"*"` = every stage but `to` and exits")."""
    if "*" in transition.from_:
        return stage.name != transition.to and stage.kind != "exit"
    return stage.name in transition.from_


def timers_of(lifecycle: Lifecycle, stage: Stage) -> Iterator[int]:
    """Every `after` of the transitions that leave a stage, with `on` or without (spec 8.4)."""
    for transition in lifecycle.transitions:
        if transition.after is not None and leaves(transition, stage):
            yield int(transition.after)
