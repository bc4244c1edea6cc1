"""The model: the whole document that says how leads are scored and how they move (spec 11)."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from leadcore.model.account import Accounts
from leadcore.model.base import Part
from leadcore.model.lifecycle import Calendar, Lifecycle
from leadcore.model.scalar import Number, Points, Stars
from leadcore.model.score import Label, Score, Threshold

FieldType = Literal["text", "number", "boolean", "instant"]


class FieldDeclaration(Part):
    """A declared attribute or property: its type, and whether its column may be missing (spec 2.3, 2.7)."""

    type: FieldType
    optional: bool = False
    title: str | None = None
    description: str | None = None


def _field(value: Any) -> Any:
    return {"type": value} if isinstance(value, str) else value


Declared = Annotated[FieldDeclaration, BeforeValidator(_field)]


class Model(Part):
    """A model document: frozen, checked, and the same whether written as YAML, JSON or Python."""

    leadcore: Literal[1] = 1
    name: str
    title: str | None = None
    description: str | None = None
    timezone: str = "UTC"
    points_per_star: Number = Decimal(10)
    attributes: dict[str, Declared] = Field(default_factory=dict)
    events: dict[str, dict[str, Declared]] = Field(default_factory=dict)
    scores: dict[str, Score]
    rating: tuple[str, ...] | None = None
    labels: tuple[Label, ...] | None = None
    thresholds: dict[str, Threshold] = Field(default_factory=dict)
    accounts: Accounts | None = None
    calendars: dict[str, Calendar] = Field(default_factory=dict)
    lifecycle: Lifecycle | None = None
    segments: Any = None
    tests: Any = None

    def points(self, value: Points) -> Decimal:
        """Points as an exact decimal: stars times ``points_per_star`` (spec 4)."""
        return value.stars * self.points_per_star if isinstance(value, Stars) else value

    def micropoints(self, value: Points) -> int:
        """Points as whole micropoints (spec 9); the checked model has at most six places."""
        return int(self.points(value).scaleb(6))
