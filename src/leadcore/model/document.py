"""The model: the whole document that says how leads are scored and how they move (spec 11)."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from functools import cached_property
from os import PathLike
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, ModelWrapValidatorHandler, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from leadcore.model.account import Accounts
from leadcore.model.base import Named, Opaque, Part
from leadcore.model.canonical import canonical, digest
from leadcore.model.criterion import CriterionPart
from leadcore.model.fields import Attributes, EventType, declared
from leadcore.model.lifecycle import Calendar, Lifecycle
from leadcore.model.scalar import EXACT, Flag, Number, Points, Stars, Text
from leadcore.model.score import Label, Score, Threshold

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from leadcore._diagram.traffic import Replayed
    from leadcore.diagram import Diagram
    from leadcore.model.accepted import Document, NumberLike
    from leadcore.model.finding import Finding

FieldType = Literal["text", "number", "boolean", "instant"]


class FieldDeclaration(Part):
    """A declared attribute or property: its type, and whether its column may be missing (spec 2.3, 2.7)."""

    type: FieldType = Field(description="text, number, boolean or instant.")
    optional: Flag = Field(False, description="The column may be missing; then all values are null.")
    title: Text | None = Field(None, description="What people read instead of the name.")
    description: Text | None = Field(None, description="What it says about the lead or event.")


def _declared(value: Any) -> Any:
    return {"type": value} if isinstance(value, str) else value


Declared = Annotated[FieldDeclaration, BeforeValidator(_declared)]


def _properties(value: Any) -> Any:
    """An event type without properties may be written with nothing behind its name."""
    return {} if value is None else value


Properties = Annotated[Named[Declared], BeforeValidator(_properties)]


def _attributes(value: Any) -> Any:
    """An `Attributes` class stands for what it declares."""
    return declared(value) if isinstance(value, type) and issubclass(value, Attributes) else value


def _events(value: Any) -> Any:
    """`EventType` classes stand for what they declare: alone in a list, or under names of their own."""
    if isinstance(value, (list, tuple)) and all(
        isinstance(item, type) and issubclass(item, EventType) for item in value
    ):
        names = [item.__event_type__ for item in value]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(
                f"two event types are called `{twice}`: class ...(lc.EventType, name=...) tells them apart"
            )
        return {item.__event_type__: declared(item) for item in value}
    if isinstance(value, dict) and any(isinstance(item, type) for item in value.values()):
        return {
            name: declared(item) if isinstance(item, type) and issubclass(item, EventType) else item
            for name, item in value.items()
        }
    return value


def _one(value: Any) -> Any:
    if isinstance(value, bool):  # True == 1 in Python
        raise PydanticCustomError("version", "1 is wanted here, not {found}", {"found": "true" if value else "false"})
    return 1 if isinstance(value, Decimal) and value == 1 else value


class Model(Part):
    """A model document: frozen, checked, and the same whether written as YAML, JSON or Python.

    Example:
        >>> model = Model.model_validate({
        ...     "name": "tiny",
        ...     "attributes": {"country": "text"},
        ...     "scores": {"fit": {"criteria": [
        ...         {"name": "home", "kind": "attribute", "field": "country", "table": {"NO": 5}},
        ...     ]}},
        ... })
        >>> model.scores["fit"].criteria[0].table["NO"]
        Decimal('5')
    """

    leadcore: Annotated[Literal[1], BeforeValidator(_one)] = Field(1, description="The version of this format: 1.")
    name: Text = Field(description="The model's name.")
    title: Text | None = Field(None, description="What people read instead of the name.")
    description: Text | None = Field(None, description="What the model is for.")
    timezone: Text = Field("UTC", description="The IANA timezone of calendar days and of the grid.")
    points_per_star: Number = Field(Decimal(10), description="What one star is worth.")
    attributes: Annotated[Named[Declared], BeforeValidator(_attributes)] = Field(
        default_factory=Named, description="The attributes of leads and their types."
    )
    events: Annotated[Named[Properties], BeforeValidator(_events)] = Field(
        default_factory=Named, description="The event types and their properties."
    )
    scores: Named[Score] = Field(description="The scores by name.")
    rating: tuple[Text, ...] | None = Field(None, description="The scores whose grades are joined to a rating, as A1.")
    labels: tuple[Label, ...] | None = Field(None, description="Labels, the first that fits; the last has no when.")
    thresholds: Named[Threshold] = Field(default_factory=Named, description="Marks on scores that are reached or not.")
    accounts: Accounts | None = Field(None, description="Scores of companies from those of their leads.")
    calendars: Named[Calendar] = Field(default_factory=Named, description="Opening hours for service levels.")
    lifecycle: Lifecycle | None = Field(None, description="The stages of a lead and what moves it.")
    segments: Opaque = Field(None, description="Kept as it is.")
    tests: Opaque = Field(None, description="Kept as it is.")

    if TYPE_CHECKING:  # what may be given; what is there afterwards is annotated above

        def __init__(
            self,
            *,
            name: str,
            scores: Mapping[str, Score | Document],
            attributes: type[Attributes] | Mapping[str, str | FieldDeclaration | Document] = ...,
            events: Sequence[type[EventType]] | Mapping[str, type[EventType] | Document | None] = ...,
            leadcore: Literal[1] = 1,
            title: str | None = None,
            description: str | None = None,
            timezone: str = "UTC",
            points_per_star: NumberLike = 10,
            rating: Sequence[str] | None = None,
            labels: Sequence[Label | Document] | None = None,
            thresholds: Mapping[str, Threshold | Document] = ...,
            accounts: Accounts | Document | None = None,
            calendars: Mapping[str, Calendar | Document] = ...,
            lifecycle: Lifecycle | Document | None = None,
            segments: Any = None,
            tests: Any = None,
        ) -> None: ...

    @model_validator(mode="wrap")
    @classmethod
    def _checked(cls, value: Any, inner: ModelWrapValidatorHandler[Self], info: ValidationInfo) -> Self:
        """Refuse the document with all its faults, those of shape and those of meaning."""
        from leadcore.model.check import checked

        return checked(cls, value, inner, info)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """Read a document from a file: JSON if its name ends in ``.json``, else YAML.

        Raises:
            ModelError: The document is refused; it lists every fault with line and column.
            OSError: The file cannot be read.
        """
        from leadcore.model.read import parse_file

        return parse_file(cls, path)

    @classmethod
    def from_yaml(cls, text: str | bytes) -> Self:
        """Read a YAML 1.2 document (core schema).

        Raises:
            ModelError: The document is refused; it lists every fault with line and column.
        """
        from leadcore.model.read import parse

        return parse(cls, text, "yaml")

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read a JSON document.

        Raises:
            ModelError: The document is refused; it lists every fault with line and column.
        """
        from leadcore.model.read import parse

        return parse(cls, text, "json")

    def to_yaml(self) -> str:
        """The canonical document as YAML: only what was set, in short forms; reading it gives an equal model."""
        from leadcore.model.write import yaml_text

        return yaml_text(canonical(self))

    def to_json(self) -> str:
        """The canonical document as JSON; reading it gives an equal model."""
        from leadcore.model.write import json_text

        return json_text(canonical(self))

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the whole document, however it was written: 64 hexadecimal digits."""
        return digest(self, semantic=False)

    @cached_property
    def semantics(self) -> str:
        """SHA-256 of all that has a meaning: without title, description, tests, goal, notify and ``x-`` keys."""
        return digest(self, semantic=True)

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """The JSON Schema (2020-12) of documents, for editors and for checks elsewhere."""
        from leadcore.model.schema import json_schema

        return json_schema(cls)

    def findings(self) -> list[Finding]:
        """What is allowed but hardly meant, and which values each score can reach."""
        from leadcore.model.findings import findings

        return findings(self)

    def diagram(self, replay: Replayed | None = None) -> Diagram:
        """The picture of the lifecycle, with the figures of a replay if one is given.

        Raises:
            LeadcoreError: The model has no lifecycle, or the replay is of another model.
        """
        from leadcore.diagram import Diagram  # above the model: loaded when asked for

        return Diagram(self, replay)

    def points(self, value: Points) -> Decimal:
        """Points as an exact decimal: stars times ``points_per_star`` (spec 4)."""
        return EXACT.multiply(value.stars, self.points_per_star) if isinstance(value, Stars) else value

    def micropoints(self, value: Points) -> int:
        """Points as whole micropoints (spec 9); the checked model has at most six places."""
        return int(self.points(value).scaleb(6, EXACT))

    def criteria(self) -> Iterator[CriterionPart]:
        """Every criterion of every score, in document order."""
        for score in self.scores.values():
            yield from score.criteria or ()
            for group in (score.groups or {}).values():
                yield from group.criteria
