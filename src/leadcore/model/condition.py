"""Conditions: clauses on fields, joined by ``all``, ``any`` and ``not`` (spec 3)."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from leadcore.model.base import Part

Op = Literal[
    "eq", "ne", "in", "not_in", "exists", "lt", "le", "gt", "ge", "between",
    "contains", "has_word", "starts_with", "ends_with", "matches",
]  # fmt: skip

Literal_ = bool | Decimal | str | datetime
"""A value of a clause: instants are ISO 8601 text in documents and stay text here."""


class Clause(Part):
    """One test of one field (spec 3.1, 3.2)."""

    field: str
    op: Op
    value: Any
    case_sensitive: bool | None = None


class All(Part):
    """True when every part is; true when there are none."""

    all: tuple[Condition, ...]


class Any_(Part):
    """True when some part is; false when there are none."""

    any: tuple[Condition, ...]


class Not(Part):
    """True when the part is false."""

    not_: Condition = Field(alias="not")


def _form(value: Any) -> str | None:
    if isinstance(value, Part):
        return {Clause: "clause", All: "all", Any_: "any", Not: "not"}.get(type(value))  # type: ignore[call-overload]
    if isinstance(value, dict):
        for key in ("all", "any", "not"):
            if key in value:
                return key
        return "clause"
    return None


Condition = Annotated[
    Annotated[Clause, Tag("clause")] | Annotated[All, Tag("all")] | Annotated[Any_, Tag("any")] | Annotated[Not, Tag("not")],
    Discriminator(_form),
]
