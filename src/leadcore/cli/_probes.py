"""Questions to every row of a table: does it fit this condition, this text, this property (for ``validate``)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from leadcore._plan import plan_model
from leadcore._plan.conditions import ALWAYS, Json, listed, lower_clause, lower_row
from leadcore.model import Model
from leadcore.model.condition import All, Any_, Clause, Condition, Not
from leadcore.model.criterion import AttributeCriterion, ByProperty, CriterionPart
from leadcore.model.score import Group

MOST_TEXTS = 1_000
"""Texts looked for, one by one, in one run."""

_TEXT_OPS = frozenset(("eq", "in", "contains", "has_word", "starts_with", "ends_with", "matches"))


@dataclass(frozen=True)
class Probe:
    """One question.

    Attributes:
        asks: ``type`` (is a row of it), ``exists`` (has a value in ``name``), ``fits`` (fits the condition of
            ``criterion``) or ``text`` (fits this one text of it).
        type: Index of the event type, or -1.
    """

    asks: Literal["type", "exists", "fits", "text"]
    criterion: str = ""
    name: str = ""
    type: int = -1


@dataclass
class Probes:
    """The questions to one kind of row, with the edge's rules that answer them: hit number = place in the list."""

    probes: list[Probe] = field(default_factory=list)
    rules: list[Json] = field(default_factory=list)

    def ask(self, probe: Probe, when: Json, types: Sequence[int] | None) -> None:
        """Add a question."""
        rule: dict[str, Any] = {"rule": "test", "hit": len(self.probes), "when": when}
        self.rules.append(rule if types is None else rule | {"types": list(types)})
        self.probes.append(probe)


class Questions:
    """All that ``validate`` wants to know of the rows of both tables.

    Attributes:
        source: The edge's program.
        leads: The questions to leads.
        events: The questions to events.
        left_out: Texts that are not looked for because there are too many.
    """

    def __init__(self, model: Model) -> None:
        self.model, self.leads, self.events, self.left_out = model, Probes(), Probes(), 0
        source: dict[str, Any] = json.loads(plan_model(model).program)
        self._fields = {
            side: {f["name"]: i for i, f in enumerate(source["fields"][side])} for side in ("lead", "event")
        }
        self._types = {side: [f["type"] for f in source["fields"][side]] for side in ("lead", "event")}
        self._numbers = {name: i for i, name in enumerate(model.events)}
        for name, index in self._fields["lead"].items():
            self.leads.ask(Probe("exists", name=name), {"field": index, "op": "exists"}, None)
        for number, (name, properties) in enumerate(model.events.items()):
            self.events.ask(Probe("type", name=name, type=number), ALWAYS, [number])
            for prop in properties:
                exists: Json = {"field": self._fields["event"][prop], "op": "exists"}
                self.events.ask(Probe("exists", name=prop, type=number), exists, [number])
        for score_name, score in model.scores.items():
            for criterion in score.criteria or ():
                self._criterion(criterion)
            for group_name, group in (score.groups or {}).items():
                self._group(f"{score_name}.{group_name}", group)
        rules = {"lead_rules": self.leads.rules, "event_rules": self.events.rules}
        self.source = json.dumps({**source, **rules, "codes": [], "numbers": [], "ordered": False}).encode()

    def _group(self, name: str, group: Group) -> None:
        for criterion in group.criteria:
            self._criterion(criterion)
        if group.fade is not None:
            self._events(f"fade of {name}", group.fade.on, group.fade.where, group.fade.case_sensitive)
        if group.reset is not None:
            self._events(f"reset of {name}", group.reset.on, group.reset.where, False)

    def _criterion(self, criterion: CriterionPart) -> None:
        exact = criterion.case_sensitive
        if criterion.when is not None:
            self._condition(self.leads, "lead", criterion.name, criterion.when, None, exact)
        if isinstance(criterion, AttributeCriterion):
            if criterion.table is not None:
                self._table(self.leads, "lead", criterion.name, str(criterion.field), criterion.table, None, exact)
            return
        part: Any = criterion  # the kinds that look at events
        self._events(part.name, part.on, part.where, exact)
        if part.reset is not None:
            self._events(f"reset of {part.name}", part.reset.on, part.reset.where, exact)
        points = getattr(part, "points", None)
        if isinstance(points, ByProperty):
            self._table(self.events, "event", part.name, str(points.by), points.table, self._on(part.on), exact)

    def _on(self, names: Sequence[str]) -> list[int]:
        return [self._numbers[name] for name in dict.fromkeys(names)]

    def _events(self, name: str, on: Sequence[str], where: Condition | None, exact: bool) -> None:
        self._condition(self.events, "event", name, where, self._on(on), exact)

    def _condition(
        self, probes: Probes, side: str, name: str, condition: Condition | None, types: list[int] | None, exact: bool
    ) -> None:
        when = lower_row(condition, self._fields[side], self._types[side], f"{side}.", exact)
        probes.ask(Probe("fits", name), when, types)
        for clause in _clauses(condition):
            index = self._fields[side][clause.field.removeprefix(f"{side}.")]
            values = listed(clause.value)
            if (
                clause.op not in _TEXT_OPS
                or self._types[side][index] != "text"
                or (len(values) == 1 and clause is condition)
            ):
                continue
            for value in values:
                one = clause.model_copy(update={"value": (value,) if clause.op == "in" else value})
                self._text(probes, name, str(value), lower_clause(one, index, "text", exact), types)

    def _table(
        self, probes: Probes, side: str, name: str, field_name: str, table: Any, types: list[int] | None, exact: bool
    ) -> None:
        index = self._fields[side][field_name.removeprefix(f"{side}.")]
        for text in table:
            self._text(probes, name, text, {"field": index, "op": "in", "values": [text], "fold": not exact}, types)

    def _text(self, probes: Probes, name: str, text: str, when: Json, types: list[int] | None) -> None:
        if sum(probe.asks == "text" for probe in (*self.leads.probes, *self.events.probes)) >= MOST_TEXTS:
            self.left_out += 1
        else:
            probes.ask(Probe("text", name, text), when, types)


def _clauses(condition: Condition | None) -> Iterator[Clause]:
    match condition:
        case Clause():
            yield condition
        case All(all=parts) | Any_(any=parts):
            for part in parts:
                yield from _clauses(part)
        case Not(not_=part):
            yield from _clauses(part)
