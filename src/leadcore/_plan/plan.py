"""The plan: a model as record tables for the kernel and rules for the edge, made once, shared by all runs."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from leadcore._arrow import match_text
from leadcore._kernel import DTYPES
from leadcore._plan.conditions import Json, Programs, listed, lower_clause, lower_row
from leadcore._plan.folds import Folds
from leadcore._plan.hits import ADD, ADD_PER, LEAF, RESET, VALUE, Rules
from leadcore._plan.lifecycle import Happenings, LifecycleTables, lifecycle_tables, manual_moves
from leadcore._plan.numbers import HELD, as_number, millionths
from leadcore._plan.zones import zone_table
from leadcore.model import Model
from leadcore.model.checks.score import combined_first
from leadcore.model.condition import Clause, Condition
from leadcore.model.criterion import (
    AttributeCriterion,
    ByProperty,
    Criterion,
    EventCriterion,
    FrequencyCriterion,
    PerProperty,
    RecencyCriterion,
    Reset,
)
from leadcore.model.document import FieldDeclaration
from leadcore.model.scalar import Points
from leadcore.model.score import Group, Score


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an explanation: what it is about, and where its micropoints stand among a lead's lines."""

    score: str
    group: str | None
    criterion: str | None
    part: str
    index: int


@dataclass(frozen=True, eq=False)
class Plan:
    """A compiled model: immutable, printable, picklable.

    Attributes:
        program: Rules for the edge, as JSON.
        ordered_program: The same, where the order of events at one instant is asked for in any case.
        tables: Record tables for the kernel, by name.
        scores: Score names in document order.
        grades: Grade names by score, best first.
        ratings: Every possible rating in code order; empty without a rating.
        labels: Label names in document order.
        lines: Lines of an explanation, in document order.
        folds: What each fold is for: a criterion's name, or ``group.fade``.
        shared: Name and fold of each criterion that counts events (spec 7, shares).
        codes: How many code columns the edge gives beside each event row.
        numbers: How many number columns.
        ordered: Whether the order of events at one instant matters (spec 2.4).
    """

    program: bytes
    ordered_program: bytes
    tables: dict[str, Any]
    scores: tuple[str, ...]
    grades: dict[str, tuple[str, ...]]
    ratings: tuple[str, ...]
    labels: tuple[str, ...]
    lines: tuple[Line, ...]
    folds: tuple[str, ...]
    shared: tuple[tuple[str, int], ...]
    codes: int
    numbers: int
    ordered: bool


def plan_model(model: Model, replay: bool = False) -> Plan:
    """Compile a checked model, for scoring alone or with its lifecycle for replay too."""
    return _Planner(model, replay).plan()


class _Planner:
    """Walks a model once, in document order, and collects its tables."""

    def __init__(self, model: Model, replay: bool) -> None:
        self.model, self.replay = model, replay
        self.lead_index = {name: i for i, name in enumerate(model.attributes)}
        self.lead_types = [declared.type for declared in model.attributes.values()]
        self.properties = _merge(model)
        self.event_index = {name: i for i, name in enumerate(self.properties)}
        self.event_types = [declared.type for declared in self.properties.values()]
        self.type_index = {name: i for i, name in enumerate(model.events)}
        self.score_index = {name: i for i, name in enumerate(model.scores)}
        self.codes: list[int] = []
        self.numbers: list[int] = []
        self.leads, self.events = Rules(), Rules()
        self.folds = Folds(self._points, self._number, self._code, model.points)
        self.values = 0
        self.leaves: dict[str, int] = {}
        self.criteria: list[tuple[int, ...]] = []
        self.groups: list[tuple[int, ...]] = []
        self.parts: list[tuple[int, ...]] = []
        self.scores: list[tuple[int, ...]] = []
        self.grades: list[int] = []
        self.lines: list[Line] = []
        self.width = 0
        self.shared: list[tuple[str, int]] = []
        self.ordered = False
        self.needs_zone = False
        self.still = self._still()

    def _points(self, points: Points | None) -> int:
        return 0 if points is None else self.model.micropoints(points)

    def _bounds(self, low: Points | None, high: Points | None) -> tuple[int, int]:
        return -HELD if low is None else self._points(low), HELD if high is None else self._points(high)

    def _number(self, name: str) -> int:
        return _place(self.numbers, self.event_index[name])

    def _code(self, name: str) -> int:
        return _place(self.codes, self.event_index[name])

    def _leaf(self, when: Json) -> int:
        """A bit of the lead: equal conditions share one."""
        key = json.dumps(when)
        if key not in self.leaves:
            self.leaves[key] = len(self.leaves)
            self.leads.test(when, self.leads.hit((LEAF, self.leaves[key], 0)))
        return self.leaves[key]

    def _when(self, when: Condition | None, case_sensitive: bool) -> Json:
        return lower_row(when, self.lead_index, self.lead_types, "lead.", case_sensitive)

    def _where(self, where: Condition | None, case_sensitive: bool) -> Json:
        return lower_row(where, self.event_index, self.event_types, "event.", case_sensitive)

    def _on(self, on: Sequence[str]) -> list[int]:
        return [self.type_index[name] for name in dict.fromkeys(on)]

    # criteria

    def criterion(self, criterion: Criterion, group_reset: list[int]) -> None:
        """Append one criterion; folds that a group's reset clears are added to ``group_reset``."""
        fold, value, gate = -1, -1, -1
        if isinstance(criterion, AttributeCriterion):
            value, self.values = self.values, self.values + 1
            gate = self._attribute(criterion, value)
        else:
            if criterion.when is not None:
                gate = self._leaf(self._when(criterion.when, criterion.case_sensitive))
            self.folds.criterion = len(self.criteria)
            fold = self._fold(criterion)
            self.folds.criterion = -1
            group_reset.append(fold)
            self.shared.append((criterion.name, fold))
            if criterion.reset is not None:
                self._reset(criterion.reset, [fold], criterion.case_sensitive)
        self.criteria.append((fold, value, gate, 0, *self._bounds(criterion.min, criterion.max)))

    def _attribute(self, criterion: AttributeCriterion, value: int) -> int:
        """Rules of an attribute criterion (spec 4.3); its gate, or -1."""
        gate = -1
        if criterion.when is not None:
            when = self._when(criterion.when, criterion.case_sensitive)
            gate = self._leaf(when)
            if criterion.points is not None:
                self.leads.test(when, self.leads.hit((VALUE, value, self._points(criterion.points))))

        def worth(points: Points | None) -> int | None:
            micropoints = self._points(points)
            return self.leads.hit((VALUE, value, micropoints)) if micropoints else None

        otherwise, missing = worth(criterion.otherwise), worth(criterion.missing)
        if criterion.table is not None:
            index = self.lead_index[str(criterion.field).removeprefix("lead.")]
            rows = {text: self.leads.hit((VALUE, value, self._points(p))) for text, p in criterion.table.items()}
            self.leads.table(index, rows, otherwise, missing, not criterion.case_sensitive)
        elif criterion.bands is not None:
            index = self.lead_index[str(criterion.field).removeprefix("lead.")]
            bands = sorted(
                (as_number(b.at_least), self.leads.hit((VALUE, value, self._points(b.points)))) for b in criterion.bands
            )
            self.leads.bands(index, bands, otherwise, missing)
        return gate

    def _fold(self, criterion: EventCriterion | FrequencyCriterion | RecencyCriterion) -> int:
        types = self._on(criterion.on)
        where = self._where(criterion.where, criterion.case_sensitive)
        if isinstance(criterion, FrequencyCriterion):
            fold = self.folds.frequency(criterion)
            self.events.test(where, self.events.hit((fold, ADD, 0)), types)
            return fold
        if isinstance(criterion, RecencyCriterion):
            fold = self.folds.recency(criterion)
            self.events.test(where, self.events.hit((fold, ADD, 0)), types)
            return fold
        fold = self.folds.event(criterion)
        filtered = criterion.unique_by is not None or criterion.cooldown is not None or criterion.limit is not None
        self.needs_zone |= criterion.limit is not None
        points = criterion.points
        if filtered and (criterion.unique_by is not None or isinstance(points, (PerProperty, ByProperty))):
            self.ordered = True
        if isinstance(points, PerProperty):
            self.events.test(where, self.events.hit((fold, ADD_PER, 0)), types)
        elif isinstance(points, ByProperty):

            def worth(p: Points | None) -> int | None:
                # An event worth nothing still takes a place among those the filters of spec 4.6 count.
                return self.events.hit((fold, ADD, self._points(p))) if filtered or self._points(p) else None

            rows = {text: self.events.hit((fold, ADD, self._points(p))) for text, p in points.table.items()}
            index = self.event_index[points.by.removeprefix("event.")]
            fold_case = not criterion.case_sensitive
            self.events.table(index, rows, worth(points.otherwise), worth(points.missing), fold_case, where, types)
        else:
            self.events.test(where, self.events.hit((fold, ADD, self._points(points))), types)
        return fold

    def _reset(self, reset: Reset, folds: Sequence[int], case_sensitive: bool) -> None:
        if folds:
            self.ordered = True
            hit = self.events.hit(*((fold, RESET, 0) for fold in folds))
            self.events.test(self._where(reset.where, case_sensitive), hit, self._on(reset.on))

    # scores

    def _line(self, score: str, group: str | None, criterion: str | None, *parts: str, shown: bool = True) -> None:
        for part in parts:
            if shown:
                self.lines.append(Line(score, group, criterion, part, self.width))
            self.width += 1

    def group(self, score: str, name: str | None, group: Group) -> None:
        """Append one group with its criteria; without a name, the criteria given directly (spec 6.1)."""
        begin = len(self.criteria)
        self.folds.group = len(self.groups)
        resettable: list[int] = []
        for criterion in group.criteria:
            self.criterion(criterion, resettable)
            self._line(score, name, criterion.name, "raw", "gate", "bounds")
        fade = -1
        if group.fade is not None:
            fade = self.folds.fade(f"{score}.{name}.fade", group.fade)
            where = self._where(group.fade.where, group.fade.case_sensitive)
            self.events.test(where, self.events.hit((fade, ADD, 0)), self._on(group.fade.on))
        if group.reset is not None:
            self._reset(group.reset, resettable, False)
        self._line(score, name, None, "group_bounds", "fade", "weight", shown=name is not None)
        weight = 10**6 if group.weight is None else millionths(group.weight)
        size = len(group.criteria)
        self.groups.append((begin, size, fade, 0, *self._bounds(group.min, group.max), weight))

    def score(self, name: str, score: Score) -> None:
        """Append one score (spec 6.1, 6.2)."""
        line, groups, parts, grades = self.width, len(self.groups), len(self.parts), len(self.grades)
        if score.criteria is not None:
            self.group(name, None, Group(criteria=score.criteria))
        for group_name, group in (score.groups or {}).items():
            self.group(name, group_name, group)
        for other, factor in (score.combine or {}).items():
            self.parts.append((self.score_index[other], 0, millionths(factor)))
            self._line(name, None, other, "component")
        self._line(name, None, None, "score_bounds")
        for grade in score.grades or ():
            if grade.at_least is not None:
                self.grades.append(self._points(grade.at_least))
        self.scores.append(
            (
                *(groups, len(self.groups) - groups, parts, len(self.parts) - parts, grades, len(self.grades) - grades),
                *(line, int(name in self.still), *self._bounds(score.min, score.max)),
            )
        )

    def _still(self) -> set[str]:
        """Scores that only attributes move: no event, and no time passing."""
        still: set[str] = set()
        for name in combined_first(self.model.scores):
            score = self.model.scores[name]
            groups = [Group(criteria=score.criteria or ()), *(score.groups or {}).values()]
            if still.issuperset(score.combine or ()) and all(
                group.fade is None and all(isinstance(one, AttributeCriterion) for one in group.criteria)
                for group in groups
            ):
                still.add(name)
        return still

    def _with_levers(self) -> list[tuple[Any, ...]]:
        """Groups with how far a score can move, at most, when one of their criteria moves by one, and by rounding."""
        lever = [1.0] * len(self.scores)
        for name in reversed(
            combined_first(self.model.scores)
        ):  # those that are combined after what they are combined in
            combined = lever[self.score_index[name]]
            for other, factor in (self.model.scores[name].combine or {}).items():
                index = self.score_index[other]
                lever[index] += abs(float(factor)) * combined
        # Each product is rounded, which moves it by less than one; what follows multiplies that too.
        rounded = sum(lever[self.score_index[n]] * len(s.combine or ()) for n, s in self.model.scores.items())
        levers, slacks = [0.0] * len(self.groups), [0.0] * len(self.groups)
        for score, (begin, size, *_) in enumerate(self.scores):
            for group in range(begin, begin + size):
                levers[group] = lever[score] * abs(self.groups[group][-1]) / 1e6 * 1.0000001
                slacks[group] = (lever[score] + rounded) * 1.0000001 + 1
        return [(*row, *moves) for row, *moves in zip(self.groups, levers, slacks, strict=True)]

    def _order(self) -> list[int]:
        """Scores, each after those it combines."""
        return [self.score_index[name] for name in combined_first(self.model.scores)]

    # the whole

    def plan(self) -> Plan:
        """Every table of the model."""
        model = self.model
        for name, score in model.scores.items():
            self.score(name, score)
        grades = {n: tuple(g.name for g in s.grades) for n, s in model.scores.items() if s.grades is not None}
        names = list(model.scores)
        ratings = ["".join(r) for r in itertools.product(*(grades[n] for n in model.rating))] if model.rating else []
        happenings = Happenings(self.events)

        def happening(clause: Clause, types: tuple[int, ...]) -> int:
            return happenings.number(self._happening(clause), types)

        label_names = tuple(label.name for label in model.labels or ())
        reached = {name: i for i, name in enumerate(model.thresholds)}
        programs = Programs(
            self.score_index, grades, ratings, label_names, reached, self._label_leaf, happening
        )  # fmt: skip
        labels = [programs.add(label.when) for label in model.labels or () if label.when is not None]
        lifecycle = LifecycleTables()
        if self.replay and model.lifecycle is not None:
            lifecycle = lifecycle_tables(model.lifecycle, self.type_index, programs, happenings)
            if model.lifecycle.manual is not None:
                manual = model.lifecycle.manual
                index, kind = self.event_index[manual.field.removeprefix("event.")], self.type_index[manual.on]
                manual_moves(manual, self.events, index, kind, [stage.name for stage in model.lifecycle.stages])
        thresholds = [self._threshold(self.score_index[t.score], t) for t in model.thresholds.values()]
        zones, cycle_begin = zone_table(model.timezone if self.needs_zone else "UTC")
        acts, hit_acts = _spans(self.events.meanings)
        says, hit_says = _spans(self.leads.meanings)
        tables: dict[str, Any] = {
            "folds": _records("fold", self.folds.rows),
            "steps": _records("step", self.folds.steps),
            "factors": np.array(self.folds.factors, np.int64),
            "bands": _records("band", self.folds.bands),
            "zones": _records("zone", zones),
            "cycle_begin": cycle_begin,
            "criteria": _records("criterion", self.criteria),
            "groups": _records("group", self._with_levers()),
            "parts": _records("part", self.parts),
            "scores": _records("score", self.scores),
            "order": np.array(self._order(), np.int32),
            "grades": np.array(self.grades, np.int64),
            "rating": np.array([self.score_index[n] for n in model.rating or ()], np.int32),
            "labels": _records("span", labels),
            "labels_size": len(model.labels or ()),
            "conditions": _records("cond", programs.steps),
            "members": np.array(programs.members, np.uint8),
            "thresholds": _records("threshold", thresholds),
            "hit_acts": _records("span", hit_acts),
            "acts": _records("act", acts),
            "hit_says": _records("span", hit_says),
            "says": _records("say", says),
            "values_size": self.values,
            "leaves_size": len(self.leaves),
            "lines_size": self.width,
            "stages": _records("stage", lifecycle.stages),
            "rules": _records("rule", lifecycle.rules),
            "leaving": np.array(lifecycle.leaving, np.int32),
            "timers": np.array(lifecycle.timers, np.int64),
            "initial": lifecycle.initial,
            "happenings_size": len(happenings.numbers),
            "labelled": lifecycle.labelled,
        }
        return Plan(
            program=self._program(self.ordered),
            ordered_program=self._program(True),
            tables=tables,
            scores=tuple(names),
            grades=grades,
            ratings=tuple(ratings),
            labels=label_names,
            lines=tuple(self.lines),
            folds=tuple(self.folds.names),
            shared=tuple(self.shared),
            codes=len(self.codes),
            numbers=len(self.numbers),
            ordered=self.ordered,
        )

    def _label_leaf(self, clause: Clause) -> int:
        index = self.lead_index[clause.field.removeprefix("lead.")]
        return self._leaf(lower_clause(clause, index, self.lead_types[index], False))

    def _happening(self, clause: Clause) -> Json:
        """A clause on an event, as the edge's COND."""
        name = clause.field.removeprefix("event.")
        if name != "type":
            index = self.event_index[name]
            return lower_clause(clause, index, self.event_types[index], False)
        if clause.op == "exists":
            return {"all": []} if clause.value else {"any": []}
        test = "in" if clause.op == "eq" else clause.op
        names = list(self.model.events)
        found = match_text(test, list(listed(clause.value)), bool(clause.case_sensitive), names)
        return {"op": "type", "types": [self.type_index[name] for name, fits in zip(names, found, strict=True) if fits]}

    def _threshold(self, score: int, threshold: Any) -> tuple[int, int, int, int]:
        at = self._points(threshold.at)
        release = at if threshold.release is None else self._points(threshold.release)
        return score, int(threshold.latch), at, release

    def _program(self, ordered: bool) -> bytes:
        def fields(declared: dict[str, FieldDeclaration]) -> list[Json]:
            return [{"name": n, "type": d.type, "optional": d.optional} for n, d in declared.items()]

        types = [
            {"name": name, "fields": [self.event_index[p] for p in properties]}
            for name, properties in self.model.events.items()
        ]
        source = {
            "fields": {"lead": fields(dict(self.model.attributes)), "event": fields(self.properties)},
            "types": types,
            "lead_rules": self.leads.rules,
            "event_rules": self.events.rules,
            "codes": self.codes,
            "numbers": self.numbers,
            "ordered": ordered,
        }
        return json.dumps(source, ensure_ascii=False).encode()


def _merge(model: Model) -> dict[str, FieldDeclaration]:
    """Properties of all event types; a column may be missing where every type that declares it says so."""
    merged: dict[str, FieldDeclaration] = {}
    for properties in model.events.values():
        for name, declared in properties.items():
            known = merged.get(name)
            if known is None or (known.optional and not declared.optional):
                merged[name] = declared
    return merged


def _place(places: list[int], item: int) -> int:
    """Index of an item in a list, put at its end if it is new."""
    if item not in places:
        places.append(item)
    return places.index(item)


def _spans(meanings: Sequence[Sequence[tuple[int, int, int]]]) -> tuple[list[tuple[int, ...]], list[tuple[int, int]]]:
    """Meanings in one list, and where those of each hit id stand in it."""
    flat, spans = list[tuple[int, ...]](), list[tuple[int, int]]()
    for meaning in meanings:
        spans.append((len(flat), len(meaning)))
        flat.extend(meaning)
    return flat, spans


def _records(kind: str, rows: Sequence[Any]) -> np.ndarray[Any, np.dtype[Any]]:
    """A record table of the kernel's own layout, from tuples or dicts."""
    table = np.zeros(len(rows), DTYPES[kind])
    for i, row in enumerate(rows):
        if isinstance(row, dict):
            for name, value in row.items():
                table[name][i] = value
        else:
            table[i] = tuple(row)
    return table
