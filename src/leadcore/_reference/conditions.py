"""Conditions: clauses on typed fields, two-valued (spec 3)."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from functools import lru_cache
from typing import Any

from leadcore._reference.arithmetic import exact, nearest_float
from leadcore._reference.calendar import EPOCH, MICROSECOND
from leadcore.model.condition import All, Any_, Clause, Condition, Not
from leadcore.model.text import fold_text, match_text

Value = str | float | bool | int | Fraction | None
"""A field's value: text, number, boolean, instant (microseconds), score (exact), or null."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field at hand: its type (``text``, ``number``, ``boolean``, ``instant`` or ``score``) and its value."""

    type: str
    value: Value


@dataclass(frozen=True, slots=True)
class Scope:
    """The fields a condition may name.

    Attributes:
        fields: By full name, ``lead.country``.
        bare: What a name without it stands for (spec 3.1: "`lead.X` in `when` and `event.X` in `where` may be written
            X").
    """

    fields: Mapping[str, Field]
    bare: str

    def field(self, name: str) -> Field:
        """The field of this name; a checked model names no other."""
        return self.fields[name] if name in self.fields else self.fields[self.bare + name]


def holds(condition: Condition | None, scope: Scope, case_sensitive: bool = False) -> bool:
    """Whether a condition holds (spec 3.1); none at all always does.

    Args:
        condition: A clause, or ``all``, ``any``, ``not`` of conditions. "`all` of nothing is true, `any` of nothing
            false."
        scope: The fields.
        case_sensitive: What the criterion says; "a clause's own value goes first" (spec 3.4).
    """
    if condition is None:
        return True
    if isinstance(condition, All):
        return all(holds(part, scope, case_sensitive) for part in condition.all)
    if isinstance(condition, Any_):
        return any(holds(part, scope, case_sensitive) for part in condition.any)
    if isinstance(condition, Not):
        return not holds(condition.not_, scope, case_sensitive)
    return clause_holds(condition, scope, case_sensitive)


def clause_holds(clause: Clause, scope: Scope, case_sensitive: bool) -> bool:
    """Whether a clause holds (spec 3.2, 3.3).

    "Every positive op on null is false. `ne` and `not_in` are exactly `not eq` and `not in`, hence true on null.
    `exists: false` is true on null."
    """
    field = scope.field(clause.field)
    exactly = case_sensitive if clause.case_sensitive is None else clause.case_sensitive
    if clause.op == "exists":
        return (field.value is not None) is clause.value
    if clause.op == "ne":
        return not positive("eq", field, clause.value, exactly)
    if clause.op == "not_in":
        return not positive("in", field, clause.value, exactly)
    return positive(clause.op, field, clause.value, exactly)


def positive(op: str, field: Field, value: Any, exactly: bool) -> bool:
    """Whether a positive op holds; false on null (spec 3.3)."""
    if field.value is None:
        return False
    if op == "in":
        return any(equal(field, one, exactly) for one in value)
    if op == "eq":
        return equal(field, value, exactly)
    if op == "between":
        low, high = (literal(field.type, bound) for bound in value)
        return bool(low <= field.value <= high)
    if op in ("lt", "le", "gt", "ge"):
        right = literal(field.type, value)
        return bool(getattr(operator, op)(field.value, right))
    assert isinstance(field.value, str)  # the other ops are for text
    values = [value] if isinstance(value, str) else list(value)
    return text_op_holds(op, field.value, values, exactly)


def equal(field: Field, value: Any, exactly: bool) -> bool:
    """Whether a field equals a literal; text by folding unless case-sensitive (spec 3.4)."""
    if field.type == "text":
        assert isinstance(field.value, str)
        return same_text(field.value, value, exactly)
    return bool(field.value == literal(field.type, value))


def literal(type_: str, value: Any) -> Any:
    """A literal to compare a field of this type with.

    Spec 3.2: "Against number columns a literal is its nearest float64; against scores and `stage.*` it is the exact
    decimal. Instants are written in ISO 8601."
    """
    if type_ == "number":
        return nearest_float(value)
    if type_ == "score":
        return exact(value)
    if type_ == "instant":
        return read_instant(value)
    return value


@lru_cache(maxsize=4_096)
def read_instant(value: str | datetime) -> int:
    """An ISO 8601 instant in microseconds since 1970; without a zone it is UTC (spec 1.1)."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    ahead = moment.utcoffset()
    instant = (moment.replace(tzinfo=UTC) - EPOCH) // MICROSECOND
    return instant if ahead is None else instant - ahead // MICROSECOND


def same_text(left: str, right: str, exactly: bool) -> bool:
    """Whether two texts are equal: exactly, or by simple case folding (spec 3.4)."""
    return left == right if exactly else folded(left) == folded(right)


def text_op_holds(op: str, text: str, values: Sequence[str], exactly: bool) -> bool:
    """Whether a text op holds for any of its values (spec 3.2: "the value may be a list: any of them")."""
    if op == "matches":
        return match_text("matches", values, exactly, [text])[0]
    subject = text if exactly else folded(text)
    wanted = [value if exactly else folded(value) for value in values]
    if op == "contains":
        return any(value in subject for value in wanted)
    if op == "starts_with":
        return any(subject.startswith(value) for value in wanted)
    if op == "ends_with":
        return any(subject.endswith(value) for value in wanted)
    assert op == "has_word"
    return any(has_word(subject, value) for value in wanted)


def has_word(text: str, word: str) -> bool:
    r"""Whether a word is contained "with no `\w` character directly before or after" (spec 3.2)."""
    for start in range(len(text) - len(word) + 1):
        end = start + len(word)
        if text[start:end] != word:
            continue
        if not (start > 0 and is_word_character(text[start - 1])) and not (
            end < len(text) and is_word_character(text[end])
        ):
            return True
    return False


@lru_cache(maxsize=65_536)
def is_word_character(character: str) -> bool:
    r"""Whether a character is ``\w`` in the dialect of ``matches``, the `regex` crate with Unicode on (spec 3.2)."""
    return match_text("matches", [r"^\w$"], True, [character])[0]


@lru_cache(maxsize=65_536)
def folded(text: str) -> str:
    """Text by Unicode simple case folding (spec 3.4: "No trimming, no normalization")."""
    return fold_text(text)
