"""Conditions: clauses on fields, joined by ``all``, ``any`` and ``not`` (spec 3)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, PlainValidator, Tag, WithJsonSchema
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


class Clause(Part):
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


class All(Part):
    """True when every part is; true when there are none."""

    all: tuple[Condition, ...] = Field(description="Conditions that must all hold.")


class Any_(Part):
    """True when some part is; false when there are none."""

    any: tuple[Condition, ...] = Field(description="Conditions of which one must hold.")


class Not(Part):
    """True when the part is false."""

    not_: Condition = Field(alias="not", description="The condition that must not hold.")


_FORMS = {Clause: "<clause>", All: "<all>", Any_: "<any>", Not: "<not>"}


def _written(value: Any) -> Any:
    """An expression of typed Python stands for the condition it builds."""
    return getattr(value, "__condition__", value)


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
    BeforeValidator(_written),
]
