"""Conditions: clauses on fields, joined by ``all``, ``any`` and ``not`` (spec 3)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal, NoReturn

from pydantic import AfterValidator, Discriminator, Field, PlainValidator, Tag, WithJsonSchema
from pydantic_core import PydanticCustomError

from leadcore.model.base import Part
from leadcore.model.scalar import Flag, Text, instant_text, number

Op = Literal[
    "eq", "ne", "in", "not_in", "exists", "lt", "le", "gt", "ge", "between",
    "contains", "has_word", "starts_with", "ends_with", "matches",
]  # fmt: skip

Scalar = bool | Decimal | str
"""One value of a clause: instants are ISO 8601 text in documents and stay text here."""

Value = Scalar | tuple[Scalar, ...]
"""What a clause compares with: one value, or for some ops a list."""


def _scalar(value: Any) -> Scalar:
    if isinstance(value, (str, bool)):
        return value
    if isinstance(value, date):  # a datetime is a date
        return instant_text(value)
    if value is None:
        raise PydanticCustomError("clause_value", "null is no value: test for it with `op: exists, value: false`")
    try:
        return number(value)
    except ValueError as error:
        why = str(error)
    if not isinstance(value, (int, float, Decimal)):
        why = "a value is text, a number, true or false, or a list of these"
    raise PydanticCustomError("clause_value", "{why}", {"why": why})


def _value(value: Any) -> Value:
    if isinstance(value, (list, tuple, set, frozenset)):
        items = sorted(value) if isinstance(value, (set, frozenset)) else value
        return tuple(_scalar(item) for item in items)
    return _scalar(value)


_SCALARS = [{"type": kind} for kind in ("string", "number", "boolean")]


def refuse_truth(what: str) -> NoReturn:
    """Conditions are asked of leads later, they are not true or false where they are written."""
    raise TypeError(
        f"{what} is not true or false here, it makes a condition: join conditions with & | ~ and parentheses instead of"
        " and, or, not, and write x.between(10, 200) instead of 10 < x < 200"
    )


class Joinable(Part):
    """A condition that Python joins with ``&``, ``|`` and ``~``."""

    def __and__(self, other: Condition) -> All:
        if not isinstance(other, Joinable):
            return NotImplemented
        return All(all=(*_parts(self, All, "all"), *_parts(other, All, "all")))

    def __or__(self, other: Condition) -> Any_:
        if not isinstance(other, Joinable):
            return NotImplemented
        return Any_(any=(*_parts(self, Any_, "any"), *_parts(other, Any_, "any")))

    def __invert__(self) -> Condition:
        return self.not_ if isinstance(self, Not) else Not(not_=self)

    def __bool__(self) -> bool:
        refuse_truth("a condition")

    def __contains__(self, item: object) -> NoReturn:
        raise TypeError("`in` cannot look into a condition: use field.is_in(...) or field.contains(...)")


def _parts(condition: Joinable, kind: type[Part], key: str) -> Any:
    """The parts of an `all` (an `any`), so that ``a & b & c`` is one `all` of three; else the condition itself."""
    return getattr(condition, key) if type(condition) is kind and not condition.model_extra else (condition,)


class Clause(Joinable):
    """One test of one field (spec 3.1, 3.2)."""

    field: Text = Field(
        description="The attribute or property tested; where several kinds are allowed `lead.X`, `event.X`, `score.X`,"
        " `grade.X`, `threshold.X`, `rating`, `label`, `stage.age`, `stage.visits`, `event.type`.",
        examples=["job_title", "lead.country", "score.fit"],
    )
    op: Op = Field(
        description="How the field is compared. Any type: eq, ne, in, not_in, exists. Numbers and instants: lt, le, gt,"
        " ge, between. Text: contains, has_word, starts_with, ends_with, matches."
    )
    value: Annotated[
        Any,
        PlainValidator(_value),
        WithJsonSchema({"anyOf": [*_SCALARS, {"type": "array", "minItems": 1, "items": {"anyOf": _SCALARS}}]}),
    ] = Field(description="What the field is compared with; for the text ops and in, not_in also a list.")
    case_sensitive: Flag | None = Field(
        None, description="Compare text exactly, not by case folding; goes before the criterion's case_sensitive."
    )


class All(Joinable):
    """True when every part is; true when there are none."""

    all: tuple[Condition, ...] = Field(description="Conditions that must all hold.")


class Any_(Joinable):  # noqa: N801
    """True when some part is; false when there are none."""

    any: tuple[Condition, ...] = Field(description="Conditions of which one must hold.")


class Not(Joinable):
    """True when the part is false."""

    not_: Condition = Field(alias="not", description="The condition that must not hold.")


_FORMS = {Clause: "<clause>", All: "<all>", Any_: "<any>", Not: "<not>"}


def _form(value: Any) -> str | None:
    if isinstance(value, dict):
        for key in ("all", "any", "not"):
            if key in value:
                return f"<{key}>"
        return "<clause>"
    return _FORMS.get(type(value))


Condition = Annotated[
    Annotated[Clause, Tag("<clause>")]
    | Annotated[All, Tag("<all>")]
    | Annotated[Any_, Tag("<any>")]
    | Annotated[Not, Tag("<not>")],
    Discriminator(_form),
]


def _short(prefix: str) -> Callable[[Any], Any]:
    """Where a name alone means ``lead.name`` (or ``event.name``), that prefix is left out (spec 3.1)."""

    def shorten(condition: Any, depth: int = 0) -> Any:
        if isinstance(condition, Clause):
            if condition.field.startswith(prefix):
                return condition.model_copy(update={"field": condition.field.removeprefix(prefix)})
        elif depth > _DEEPEST:
            return condition  # refused by the checks
        elif isinstance(condition, Not):
            inner = shorten(condition.not_, depth + 1)
            return condition if inner is condition.not_ else condition.model_copy(update={"not_": inner})
        elif isinstance(condition, (All, Any_)):
            key = "all" if isinstance(condition, All) else "any"
            old = getattr(condition, key)
            new = tuple(shorten(part, depth + 1) for part in old)
            if any(a is not b for a, b in zip(old, new, strict=True)):
                return condition.model_copy(update={key: new})
        return condition

    return shorten


_DEEPEST = 64

When = Annotated[Condition, AfterValidator(_short("lead."))]
"""A condition in which a name alone is an attribute."""

Where = Annotated[Condition, AfterValidator(_short("event."))]
"""A condition in which a name alone is a property."""
