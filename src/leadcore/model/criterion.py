"""Criteria: what a lead earns or loses points for (spec 4)."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from leadcore.model.base import Part
from leadcore.model.condition import Condition
from leadcore.model.decay import Decay
from leadcore.model.scalar import Duration, EventTypes, Number, Points, PositiveInt, take_stars


class Reset(Part):
    """Events up to and including the last one like this do not count (spec 4.8)."""

    on: EventTypes
    where: Condition | None = None


class PointsBand(Part):
    """Points from a number on (spec 4.3, 4.5)."""

    at_least: Number
    points: Points

    _stars = model_validator(mode="before")(take_stars)


class AgeBand(Part):
    """Points up to an age (spec 4.7)."""

    within: Duration
    points: Points

    _stars = model_validator(mode="before")(take_stars)


class PerProperty(Part):
    """Points by a number the event carries: clamp(rate x property, min, max), 0 on null (spec 4.4)."""

    per: str
    rate: Number
    min: Points | None = None
    max: Points | None = None


class ByProperty(Part):
    """Points by a text the event carries (spec 4.4)."""

    by: str
    table: dict[str, Points]
    otherwise: Points | None = None
    missing: Points | None = None


class Limit(Part):
    """At most the first ``count`` events of each calendar unit (spec 4.6)."""

    count: PositiveInt
    per: Literal["hour", "day", "week", "ever"]


class CriterionPart(Part):
    """What all kinds of criterion have in common."""

    name: str
    title: str | None = None
    description: str | None = None
    min: Points | None = None
    max: Points | None = None
    when: Condition | None = None
    case_sensitive: bool = False


class AttributeCriterion(CriterionPart):
    """Points by what a lead is (spec 4.3): ``when`` + ``points``, ``field`` + ``table`` or ``field`` + ``bands``."""

    kind: Literal["attribute"] = "attribute"
    points: Points | None = None
    field: str | None = None
    table: dict[str, Points] | None = None
    bands: tuple[PointsBand, ...] | None = None
    otherwise: Points | None = None
    missing: Points | None = None

    _stars = model_validator(mode="before")(take_stars)


class EventCriterion(CriterionPart):
    """Points by what a lead does: a sum over counted events of points x weight (spec 4.4, 4.6, 5)."""

    kind: Literal["event"] = "event"
    on: EventTypes
    where: Condition | None = None
    points: Points | PerProperty | ByProperty
    decay: Decay | None = None
    unique_by: str | None = None
    cooldown: Duration | None = None
    limit: Limit | None = None
    reset: Reset | None = None

    _stars = model_validator(mode="before")(take_stars)


class FrequencyCriterion(CriterionPart):
    """Points by how often a lead did something (spec 4.5): ``at_least`` + ``points``, or ``bands``."""

    kind: Literal["frequency"] = "frequency"
    on: EventTypes
    where: Condition | None = None
    within: Duration | None = None
    distinct: str | None = None
    at_least: PositiveInt | None = None
    points: Points | None = None
    bands: tuple[PointsBand, ...] | None = None
    reset: Reset | None = None

    _stars = model_validator(mode="before")(take_stars)


class RecencyCriterion(CriterionPart):
    """Points by how long ago a lead last did something (spec 4.7)."""

    kind: Literal["recency"] = "recency"
    on: EventTypes
    where: Condition | None = None
    bands: tuple[AgeBand, ...]
    otherwise: Points | None = None
    never: Points | None = None
    reset: Reset | None = None


Criterion = Annotated[
    AttributeCriterion | EventCriterion | FrequencyCriterion | RecencyCriterion, Field(discriminator="kind")
]
