"""Conditions lowered to what the edge and the kernel run (spec 3, 8.2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from leadcore._arrow import match_text
from leadcore._plan.numbers import as_number, scaled_down, scaled_up
from leadcore._time import to_micros
from leadcore.model.condition import All, Any_, Clause, Condition, Not

NEGATED = {"ne": "eq", "not_in": "in"}
DAY = 86_400_000_000
"""Microseconds; `stage.age` is in days (spec 8.2)."""
TEXT_OPS = ("contains", "has_word", "starts_with", "ends_with", "matches")

Json = dict[str, Any]
ALWAYS: Json = {"all": []}

# Step kinds of a kernel condition program; the names and numbers of ext/kernel/leadcore_kernel/layout.pxd.
CONST, LEAF, SCORE_AT_LEAST, GRADE_IN, RATING_IN, NOT, AND, OR = range(8)
LABEL_IN, THRESHOLD, EVENT, AGE_AT_LEAST, VISITS_AT_LEAST = range(8, 13)
Step = tuple[int, int, int]


def listed(value: Any) -> Sequence[Any]:
    """A clause's value as a list."""
    return value if isinstance(value, (list, tuple)) else (value,)


def lower_row(
    condition: Condition | None, fields: Mapping[str, int], types: Sequence[str], prefix: str, case_sensitive: bool
) -> Json:
    """A condition on one row's fields, as the edge's COND.

    Args:
        condition: None is always true.
        fields: Index by field name.
        types: Type by field index.
        prefix: ``lead.`` or ``event.``, which a field's name may carry.
        case_sensitive: What holds where a clause does not say (spec 3.4).
    """
    match condition:
        case None:
            return ALWAYS
        case All(all=parts):
            return {"all": [lower_row(part, fields, types, prefix, case_sensitive) for part in parts]}
        case Any_(any=parts):
            return {"any": [lower_row(part, fields, types, prefix, case_sensitive) for part in parts]}
        case Not(not_=part):
            return {"not": lower_row(part, fields, types, prefix, case_sensitive)}
        case Clause():
            index = fields[condition.field.removeprefix(prefix)]
            return lower_clause(condition, index, types[index], case_sensitive)
    raise TypeError(f"not a condition: {condition!r}")


def lower_clause(clause: Clause, index: int, kind: str, case_sensitive: bool) -> Json:
    """One clause on a field of a row; ``ne`` and ``not_in`` are exactly the negations (spec 3.3)."""
    if clause.op in NEGATED:
        return {"not": lower_clause(clause.model_copy(update={"op": NEGATED[clause.op]}), index, kind, case_sensitive)}
    if clause.op == "exists":
        exists: Json = {"field": index, "op": "exists"}
        return exists if clause.value else {"not": exists}
    convert: Callable[[Any], Any] = {"number": as_number, "instant": to_micros}.get(kind, lambda value: value)
    op = "in" if clause.op == "eq" else clause.op
    lowered: Json = {"field": index, "op": op, "values": [convert(value) for value in listed(clause.value)]}
    if kind == "text":
        lowered["fold"] = not (case_sensitive if clause.case_sensitive is None else clause.case_sensitive)
    return lowered


class Programs:
    """Condition programs over what is known of a lead, in postfix order, in one table (spec 6.4, 8.2)."""

    def __init__(
        self,
        scores: Mapping[str, int],
        grades: Mapping[str, Sequence[str]],
        ratings: Sequence[str],
        labels: Sequence[str],
        thresholds: Mapping[str, int],
        leaf: Callable[[Clause], int],
        happening: Callable[[Clause, tuple[int, ...]], int],
    ) -> None:
        """``grades`` are each score's grade names, ``ratings`` every possible rating in code order.

        ``leaf`` numbers a condition on the attributes, ``happening`` one on an event of these types.
        """
        self.scores, self.grades, self.ratings = scores, grades, ratings
        self.labels, self.thresholds = labels, thresholds
        self.leaf, self.happening = leaf, happening
        self.steps: list[Step] = []
        self.members: list[int] = []
        self.types: tuple[int, ...] = ()

    def add(self, condition: Condition, types: tuple[int, ...] = ()) -> tuple[int, int]:
        """Append the program of a condition, at events of these types; its first step and length."""
        begin = len(self.steps)
        self.types = types
        self._lower(condition)
        return begin, len(self.steps) - begin

    def _lower(self, condition: Condition) -> None:
        match condition:
            case All(all=parts):
                self._join(parts, AND, 1)
            case Any_(any=parts):
                self._join(parts, OR, 0)
            case Not(not_=part):
                self._lower(part)
                self.steps.append((NOT, 0, 0))
            case Clause():
                self._clause(condition)

    def _join(self, parts: Sequence[Condition], op: int, empty: int) -> None:
        if not parts:
            self.steps.append((CONST, 0, empty))
        for i, part in enumerate(parts):
            self._lower(part)
            if i:
                self.steps.append((op, 0, 0))

    def _clause(self, clause: Clause) -> None:
        room, dot, name = clause.field.partition(".")
        if clause.op in NEGATED:
            self._clause(clause.model_copy(update={"op": NEGATED[clause.op]}))
            self.steps.append((NOT, 0, 0))
        elif room == "event" and dot:
            self.steps.append((EVENT, self.happening(clause, self.types), 0))
        elif clause.field not in ("rating", "label") and (not dot or room == "lead"):
            self.steps.append((LEAF, self.leaf(clause), 0))
        elif clause.op == "exists":
            self.steps.append((CONST, 0, int(clause.value)))
        elif clause.field == "rating":
            self._set(RATING_IN, 0, clause, self.ratings)
        elif clause.field == "label":
            self._set(LABEL_IN, 0, clause, self.labels)
        elif room == "grade":
            self._set(GRADE_IN, self.scores[name], clause, self.grades[name])
        elif room == "threshold":
            self._flag(self.thresholds[name], clause)
        elif clause.field == "stage.age":
            self._ordered(AGE_AT_LEAST, 0, clause, DAY)
        elif clause.field == "stage.visits":
            self._ordered(VISITS_AT_LEAST, 0, clause, 1)
        else:
            self._ordered(SCORE_AT_LEAST, self.scores[name], clause, 10**6)

    def _set(self, op: int, arg: int, clause: Clause, names: Sequence[str]) -> None:
        """Membership of a grade, rating or label, worked out once for every name there is."""
        test = "in" if clause.op in ("eq", "in") else clause.op
        found = match_text(test, list(listed(clause.value)), bool(clause.case_sensitive), list(names))
        self.steps.append((op, arg, len(self.members)))
        self.members.extend(int(hit) for hit in found)

    def _flag(self, threshold: int, clause: Clause) -> None:
        """A threshold that is, or is not, reached."""
        wanted = set(listed(clause.value))
        if len(wanted) == 2:
            self.steps.append((CONST, 0, 1))
            return
        self.steps.append((THRESHOLD, threshold, 0))
        if False in wanted:
            self.steps.append((NOT, 0, 0))

    def _ordered(self, op: int, arg: int, clause: Clause, scale: int) -> None:
        """A whole number of 1/scale against exact decimals (spec 3.2)."""

        def at_least(bound: int) -> None:
            self.steps.append((op, arg, bound))

        def below(bound: int) -> None:
            at_least(bound)
            self.steps.append((NOT, 0, 0))

        values = listed(clause.value)
        match clause.op:
            case "ge":
                at_least(scaled_up(values[0], scale))
            case "gt":
                at_least(scaled_down(values[0], scale) + 1)
            case "lt":
                below(scaled_up(values[0], scale))
            case "le":
                below(scaled_down(values[0], scale) + 1)
            case "between":
                at_least(scaled_up(values[0], scale))
                below(scaled_down(values[1], scale) + 1)
                self.steps.append((AND, 0, 0))
            case _:  # eq, in: equal to a decimal between two whole numbers, nothing ever is
                self.steps.append((CONST, 0, 0))
                for value in values:
                    at_least(scaled_up(value, scale))
                    below(scaled_down(value, scale) + 1)
                    self.steps.append((AND, 0, 0))
                    self.steps.append((OR, 0, 0))
