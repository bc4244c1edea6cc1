"""Criteria: what a lead earns or loses points for (spec 4)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Discriminator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    Tag,
    model_validator,
)
from pydantic_core import CoreSchema, core_schema

from leadcore.model.base import Part, Table
from leadcore.model.condition import When, Where
from leadcore.model.decay import Decay
from leadcore.model.scalar import (
    AS_IT_IS,
    Duration,
    EventTypes,
    Flag,
    Number,
    Points,
    PositiveInt,
    Stars,
    Text,
    read_number,
    take_stars,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from leadcore.model.accepted import (
        ConditionLike,
        DecayLike,
        Document,
        DurationLike,
        FieldLike,
        NumberLike,
        PointsLike,
        TypesLike,
    )


def _name(value: Any) -> Any:
    """A field proxy of typed Python stands for the name of its field."""
    return getattr(value, "__field_name__", value)


FieldName = Annotated[Text, BeforeValidator(_name)]
"""The name of a declared attribute or property, or its typed field."""


class Reset(Part):
    """Events up to and including the last one like this do not count (spec 4.8)."""

    on: EventTypes = Field(description="The event types that reset.")
    where: Where | None = Field(None, description="Which of these events reset; all by default.")

    if TYPE_CHECKING:  # what may be given; what is there afterwards is annotated above

        def __init__(self, *, on: TypesLike, where: ConditionLike | None = None) -> None: ...


class PointsBand(Part):
    """Points from a number on (spec 4.3, 4.5)."""

    at_least: Number = Field(description="The number from which on these points are given.")
    points: Points = Field(description="The points.")

    _stars = model_validator(mode="before")(take_stars)

    if TYPE_CHECKING:  # what may be given; what is there afterwards is annotated above

        def __init__(self, *, at_least: NumberLike, points: PointsLike) -> None: ...


class AgeBand(Part):
    """Points up to an age (spec 4.7)."""

    within: Duration = Field(description="The age up to which (not included) these points are given.")
    points: Points = Field(description="The points.")

    _stars = model_validator(mode="before")(take_stars)

    if TYPE_CHECKING:  # what may be given; what is there afterwards is annotated above

        def __init__(self, *, within: DurationLike, points: PointsLike) -> None: ...


class PerProperty(Part):
    """Points by a number the event carries: clamp(rate x property, min, max), 0 on null (spec 4.4)."""

    per: FieldName = Field(description="The number property that is multiplied.")
    rate: Number = Field(description="Points for each unit of the property.")
    min: Points | None = Field(None, description="At least these points for an event.")
    max: Points | None = Field(None, description="At most these points for an event.")

    if TYPE_CHECKING:  # what may be given; what is there afterwards is annotated above

        def __init__(
            self,
            *,
            per: FieldLike,
            rate: NumberLike,
            min: PointsLike | None = None,
            max: PointsLike | None = None,
        ) -> None: ...


class ByProperty(Part):
    """Points by a text the event carries (spec 4.4)."""

    by: FieldName = Field(description="The text property looked up in the table.")
    table: Table[Points] = Field(description="Points by text.")
    otherwise: Points | None = Field(None, description="Points where no row fits; 0 by default.")
    missing: Points | None = Field(None, description="Points where the property is null; 0 by default.")

    if TYPE_CHECKING:  # what may be given; what is there afterwards is annotated above

        def __init__(
            self,
            *,
            by: FieldLike,
            table: Mapping[str, PointsLike],
            otherwise: PointsLike | None = None,
            missing: PointsLike | None = None,
        ) -> None: ...


class Limit(Part):
    """At most the first ``count`` events of each calendar unit (spec 4.6)."""

    count: PositiveInt = Field(description="How many events count.")
    per: Literal["hour", "day", "week", "ever"] = Field(
        description="In each hour, day or week of the model's timezone, or ever."
    )

    if TYPE_CHECKING:  # what may be given; what is there afterwards is annotated above

        def __init__(self, *, count: int, per: Literal["hour", "day", "week", "ever"]) -> None: ...


class CriterionPart(Part):
    """What all kinds of criterion have in common."""

    name: Text = Field(description="A name unique in the model.")
    title: Text | None = Field(None, description="What people read instead of the name.")
    description: Text | None = Field(None, description="Why this criterion is there.")
    min: Points | None = Field(None, description="The criterion is never worth less.")
    max: Points | None = Field(None, description="The criterion is never worth more.")
    when: When | None = Field(
        None, description="A condition on the lead's attributes; where it is false the criterion is worth 0."
    )
    case_sensitive: Flag = Field(False, description="Compare text of this criterion's conditions and table exactly.")


class AttributeCriterion(CriterionPart):
    """Points by what a lead is (spec 4.3): ``when`` + ``points``, ``field`` + ``table`` or ``field`` + ``bands``."""

    kind: Literal["attribute"] = Field("attribute", description="Points by what a lead is.")
    points: Points | None = Field(None, description="The points where `when` holds.")
    field: FieldName | None = Field(None, description="The attribute looked up in `table` or `bands`.")
    table: Table[Points] | None = Field(None, description="Points by text of `field`.")
    bands: tuple[PointsBand, ...] | None = Field(
        None, description="Points by the number of `field`: the highest band reached counts."
    )
    otherwise: Points | None = Field(None, description="Points where no row or band fits; 0 by default.")
    missing: Points | None = Field(None, description="Points where `field` is null; 0 by default.")

    _stars = model_validator(mode="before")(take_stars)

    if TYPE_CHECKING:  # what may be given; what is there afterwards is annotated above

        def __init__(
            self,
            *,
            name: str,
            title: str | None = None,
            description: str | None = None,
            min: PointsLike | None = None,
            max: PointsLike | None = None,
            when: ConditionLike | None = None,
            case_sensitive: bool = False,
            points: PointsLike | None = None,
            field: FieldLike | None = None,
            table: Mapping[str, PointsLike] | None = None,
            bands: Sequence[PointsBand | Document] | None = None,
            otherwise: PointsLike | None = None,
            missing: PointsLike | None = None,
        ) -> None: ...


class _EventPointsForm:
    """Reads a number, or what its keys say: stars, `per` or `by`."""

    _FORMS = (Stars, PerProperty, ByProperty)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        forms = {f"<{form.__name__}>": handler.generate_schema(form) for form in self._FORMS}
        union = core_schema.tagged_union_schema(forms, discriminator=_event_points_form)
        return core_schema.no_info_wrap_validator_function(_event_points, union, serialization=AS_IT_IS)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        stars, *others = handler(schema)["oneOf"]
        return {"oneOf": [stars, {"type": "number"}, *others]}


def _event_points_form(value: Any) -> str:
    if isinstance(value, dict):
        return "<PerProperty>" if "per" in value else "<ByProperty>" if "by" in value else "<Stars>"
    return f"<{type(value).__name__}>"


def _event_points(value: Any, union: Callable[[Any], Any]) -> Any:
    return union(value) if isinstance(value, (dict, Part)) else read_number(value)


EventPoints = Annotated[Stars | Decimal | PerProperty | ByProperty, _EventPointsForm()]


class EventCriterion(CriterionPart):
    """Points by what a lead does: a sum over counted events of points x weight (spec 4.4, 4.6, 5)."""

    kind: Literal["event"] = Field("event", description="Points by what a lead does.")
    on: EventTypes = Field(description="The event types that count.")
    where: Where | None = Field(None, description="A condition on the event's properties.")
    points: EventPoints = Field(
        description="Points for each event: a number, `{per: PROPERTY, rate: r}` or `{by: PROPERTY, table: {...}}`."
    )
    decay: Decay | None = Field(None, description="How the points fall with the event's age; not at all by default.")
    unique_by: FieldName | None = Field(
        None, description="Only the first event for each value of this property counts."
    )
    cooldown: Duration | None = Field(None, description="An event this soon after the last counted one does not count.")
    limit: Limit | None = Field(None, description="At most so many events count per hour, day, week or ever.")
    reset: Reset | None = Field(None, description="Events after which this criterion starts afresh.")

    _stars = model_validator(mode="before")(take_stars)

    if TYPE_CHECKING:  # what may be given; what is there afterwards is annotated above

        def __init__(
            self,
            *,
            name: str,
            on: TypesLike,
            points: PointsLike | PerProperty | ByProperty,
            title: str | None = None,
            description: str | None = None,
            min: PointsLike | None = None,
            max: PointsLike | None = None,
            when: ConditionLike | None = None,
            case_sensitive: bool = False,
            where: ConditionLike | None = None,
            decay: DecayLike | None = None,
            unique_by: FieldLike | None = None,
            cooldown: DurationLike | None = None,
            limit: Limit | Document | None = None,
            reset: Reset | Document | None = None,
        ) -> None: ...


class FrequencyCriterion(CriterionPart):
    """Points by how often a lead did something (spec 4.5): ``at_least`` + ``points``, or ``bands``."""

    kind: Literal["frequency"] = Field("frequency", description="Points by how often a lead did something.")
    on: EventTypes = Field(description="The event types that count.")
    where: Where | None = Field(None, description="A condition on the event's properties.")
    within: Duration | None = Field(None, description="Only events of this last stretch of time; all by default.")
    distinct: FieldName | None = Field(None, description="Count distinct values of this property instead of events.")
    at_least: PositiveInt | None = Field(None, description="How many events earn `points`; at most 1000.")
    points: Points | None = Field(None, description="Points from `at_least` events on.")
    bands: tuple[PointsBand, ...] | None = Field(
        None, description="Points by the number of events: the highest band reached counts."
    )
    reset: Reset | None = Field(None, description="Events after which this criterion starts afresh.")

    _stars = model_validator(mode="before")(take_stars)

    if TYPE_CHECKING:  # what may be given; what is there afterwards is annotated above

        def __init__(
            self,
            *,
            name: str,
            on: TypesLike,
            title: str | None = None,
            description: str | None = None,
            min: PointsLike | None = None,
            max: PointsLike | None = None,
            when: ConditionLike | None = None,
            case_sensitive: bool = False,
            where: ConditionLike | None = None,
            within: DurationLike | None = None,
            distinct: FieldLike | None = None,
            at_least: int | None = None,
            points: PointsLike | None = None,
            bands: Sequence[PointsBand | Document] | None = None,
            reset: Reset | Document | None = None,
        ) -> None: ...


class RecencyCriterion(CriterionPart):
    """Points by how long ago a lead last did something (spec 4.7)."""

    kind: Literal["recency"] = Field("recency", description="Points by how long ago a lead last did something.")
    on: EventTypes = Field(description="The event types that count.")
    where: Where | None = Field(None, description="A condition on the event's properties.")
    bands: tuple[AgeBand, ...] = Field(description="Points by the age of the newest event: the shortest that fits.")
    otherwise: Points | None = Field(None, description="Points where the newest event is older than all; 0 by default.")
    never: Points | None = Field(None, description="Points where there is no such event; `otherwise` by default.")
    reset: Reset | None = Field(None, description="Events after which this criterion starts afresh.")

    if TYPE_CHECKING:  # what may be given; what is there afterwards is annotated above

        def __init__(
            self,
            *,
            name: str,
            on: TypesLike,
            bands: Sequence[AgeBand | Document],
            title: str | None = None,
            description: str | None = None,
            min: PointsLike | None = None,
            max: PointsLike | None = None,
            when: ConditionLike | None = None,
            case_sensitive: bool = False,
            where: ConditionLike | None = None,
            otherwise: PointsLike | None = None,
            never: PointsLike | None = None,
            reset: Reset | Document | None = None,
        ) -> None: ...


def _kind(value: Any) -> str | None:
    kind = value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)
    return f"<{kind}>" if isinstance(kind, str) else None


CRITERIA: dict[str, type[CriterionPart]] = {
    "attribute": AttributeCriterion,
    "event": EventCriterion,
    "frequency": FrequencyCriterion,
    "recency": RecencyCriterion,
}

Criterion = Annotated[
    Annotated[AttributeCriterion, Tag("<attribute>")]
    | Annotated[EventCriterion, Tag("<event>")]
    | Annotated[FrequencyCriterion, Tag("<frequency>")]
    | Annotated[RecencyCriterion, Tag("<recency>")],
    Discriminator(_kind),
]
