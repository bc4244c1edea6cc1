"""Conditions lowered to what the edge and the kernel run (spec 3, 8.2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from leadcore._arrow import match_text
from leadcore._plan.numbers import as_number, ceil_millionths, floor_millionths
from leadcore._time import to_micros
from leadcore.model.condition import All, Any_, Clause, Condition, Not

NEGATED = {"ne": "eq", "not_in": "in"}
TEXT_OPS = ("contains", "has_word", "starts_with", "ends_with", "matches")

Json = dict[str, Any]
ALWAYS: Json = {"all": []}

# Step kinds of a kernel condition program; the names and numbers of ext/kernel/leadcore_kernel/layout.pxd.
CONST, LEAF, SCORE_AT_LEAST, GRADE_IN, RATING_IN, NOT, AND, OR = range(8)
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
    """Condition programs over scores, grades, the rating and leaves, in postfix order, in one table."""

    def __init__(
        self,
        scores: Mapping[str, int],
        grades: Mapping[str, Sequence[str]],
        ratings: Sequence[str],
        leaf: Callable[[Clause], int],
    ) -> None:
        """``grades`` are each score's grade names, ``ratings`` every possible rating in code order."""
        self.scores, self.grades, self.ratings, self.leaf = scores, grades, ratings, leaf
        self.steps: list[Step] = []
        self.members: list[int] = []

    def add(self, condition: Condition) -> tuple[int, int]:
        """Append the program of a condition; its first step and length."""
        begin = len(self.steps)
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
        room, _, name = clause.field.partition(".")
        if clause.op in NEGATED:
            self._clause(clause.model_copy(update={"op": NEGATED[clause.op]}))
            self.steps.append((NOT, 0, 0))
        elif clause.field == "rating":
            self._set(RATING_IN, 0, clause, self.ratings)
        elif room == "grade":
            self._set(GRADE_IN, self.scores[name], clause, self.grades[name])
        elif room == "score":
            self._score(self.scores[name], clause)
        else:
            self.steps.append((LEAF, self.leaf(clause), 0))

    def _set(self, op: int, arg: int, clause: Clause, names: Sequence[str]) -> None:
        """Membership of a grade or rating, worked out once for every name there is."""
        if clause.op == "exists":
            self.steps.append((CONST, 0, int(clause.value)))
            return
        test = "in" if clause.op in ("eq", "in") else clause.op
        found = match_text(test, list(listed(clause.value)), bool(clause.case_sensitive), list(names))
        self.steps.append((op, arg, len(self.members)))
        self.members.extend(int(hit) for hit in found)

    def _score(self, score: int, clause: Clause) -> None:
        """A score against exact decimals (spec 3.2)."""

        def at_least(bound: int) -> None:
            self.steps.append((SCORE_AT_LEAST, score, bound))

        def below(bound: int) -> None:
            at_least(bound)
            self.steps.append((NOT, 0, 0))

        values = listed(clause.value)
        match clause.op:
            case "exists":
                self.steps.append((CONST, 0, int(clause.value)))
            case "ge":
                at_least(ceil_millionths(values[0]))
            case "gt":
                at_least(floor_millionths(values[0]) + 1)
            case "lt":
                below(ceil_millionths(values[0]))
            case "le":
                below(floor_millionths(values[0]) + 1)
            case "between":
                at_least(ceil_millionths(values[0]))
                below(floor_millionths(values[1]) + 1)
                self.steps.append((AND, 0, 0))
            case _:  # eq, in: equal to a decimal of more than six places, no score ever is
                self.steps.append((CONST, 0, 0))
                for value in values:
                    at_least(ceil_millionths(value))
                    below(floor_millionths(value) + 1)
                    self.steps.append((AND, 0, 0))
                    self.steps.append((OR, 0, 0))
