"""Scores: criteria in groups, bounded, faded, weighted and combined (spec 6.1 to 6.4)."""

from leadcore.model.base import Part
from leadcore.model.condition import Condition
from leadcore.model.criterion import Criterion, Reset
from leadcore.model.scalar import Duration, EventTypes, Number, Points


class FadeBand(Part):
    """Factor up to an age."""

    within: Duration
    factor: Number


class Fade(Part):
    """Inactivity decay: a factor by the age of the newest event (spec 6.1, 4.7)."""

    on: EventTypes
    where: Condition | None = None
    bands: tuple[FadeBand, ...]
    otherwise: Number | None = None  # default 0
    never: Number | None = None  # default 1
    case_sensitive: bool = False


class Group(Part):
    """clamp(sum of criteria), then x fade, then x weight (spec 6.1)."""

    title: str | None = None
    description: str | None = None
    criteria: tuple[Criterion, ...]
    min: Points | None = None
    max: Points | None = None
    weight: Number | None = None  # default 1
    fade: Fade | None = None
    reset: Reset | None = None


class Grade(Part):
    """A name from a score on; the last has no ``at_least`` (spec 6.3)."""

    name: str
    at_least: Points | None = None


class Score(Part):
    """``groups``, or ``criteria`` directly, or ``combine`` of other scores (spec 6.1, 6.2).

    Criteria given directly are one unnamed group without bounds, fade, weight or reset.
    """

    title: str | None = None
    description: str | None = None
    groups: dict[str, Group] | None = None
    criteria: tuple[Criterion, ...] | None = None
    combine: dict[str, Number] | None = None
    min: Points | None = None
    max: Points | None = None
    grades: tuple[Grade, ...] | None = None


class Label(Part):
    """A name for the leads a condition holds for; the last has no ``when`` (spec 6.4)."""

    name: str
    when: Condition | None = None


class Threshold(Part):
    """Reached at ``at``, left below ``release``, or never with ``latch`` (spec 6.5)."""

    title: str | None = None
    description: str | None = None
    score: str
    at: Points
    release: Points | None = None
    latch: bool = False
