"""Scores: criteria in groups, bounded, faded, weighted and combined (spec 6.1 to 6.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from leadcore.model.base import Named, Part
from leadcore.model.condition import When, Where
from leadcore.model.criterion import Criterion, Reset
from leadcore.model.scalar import Duration, EventTypes, Flag, Number, Points, Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from leadcore.model.accepted import ConditionLike, Document, DurationLike, NumberLike, PointsLike, TypesLike
    from leadcore.model.criterion import CriterionPart

TITLE = "What people read instead of the name."
DESCRIPTION = "What it is for."


class FadeBand(Part):
    """Factor up to an age."""

    within: Duration = Field(description="The age up to which (not included) the factor holds.")
    factor: Number = Field(description="The factor, 0 to 1.")

    if TYPE_CHECKING:  # what may be given; what is there afterwards is annotated above

        def __init__(self, *, within: DurationLike, factor: NumberLike) -> None: ...


class Fade(Part):
    """Inactivity decay: a factor by the age of the newest event (spec 6.1, 4.7)."""

    on: EventTypes = Field(description="The event types that keep the group alive.")
    where: Where | None = Field(None, description="A condition on the event's properties.")
    bands: tuple[FadeBand, ...] = Field(description="Factors by the age of the newest event.")
    otherwise: Number | None = Field(None, description="The factor where it is older than all; 0 by default.")
    never: Number | None = Field(None, description="The factor where there is no such event; 1 by default.")
    case_sensitive: Flag = Field(False, description="Compare text of this condition exactly.")

    if TYPE_CHECKING:  # what may be given; what is there afterwards is annotated above

        def __init__(
            self,
            *,
            on: TypesLike,
            bands: Sequence[FadeBand | Document],
            where: ConditionLike | None = None,
            otherwise: NumberLike | None = None,
            never: NumberLike | None = None,
            case_sensitive: bool = False,
        ) -> None: ...


class Group(Part):
    """clamp(sum of criteria), then x fade, then x weight (spec 6.1)."""

    title: Text | None = Field(None, description=TITLE)
    description: Text | None = Field(None, description=DESCRIPTION)
    criteria: tuple[Criterion, ...] = Field(description="The criteria that add up to the group.")
    min: Points | None = Field(None, description="The group is never worth less, before fade and weight.")
    max: Points | None = Field(None, description="The group is never worth more, before fade and weight.")
    weight: Number | None = Field(None, description="The group counts this many times; 1 by default.")
    fade: Fade | None = Field(None, description="A factor that falls while the lead is inactive.")
    reset: Reset | None = Field(None, description="Events after which all criteria of the group start afresh.")

    if TYPE_CHECKING:  # what may be given; what is there afterwards is annotated above

        def __init__(
            self,
            *,
            criteria: Sequence[CriterionPart | Document],
            title: str | None = None,
            description: str | None = None,
            min: PointsLike | None = None,
            max: PointsLike | None = None,
            weight: NumberLike | None = None,
            fade: Fade | Document | None = None,
            reset: Reset | Document | None = None,
        ) -> None: ...


class Grade(Part):
    """A name from a score on; the last has no ``at_least`` (spec 6.3)."""

    name: Text = Field(description="The grade.", examples=["A"])
    at_least: Points | None = Field(None, description="The score from which on it is given; not for the last.")

    if TYPE_CHECKING:  # what may be given; what is there afterwards is annotated above

        def __init__(self, *, name: str, at_least: PointsLike | None = None) -> None: ...


class Score(Part):
    """``groups``, or ``criteria`` directly, or ``combine`` of other scores (spec 6.1, 6.2).

    Criteria given directly are one unnamed group without bounds, fade, weight or reset.
    """

    title: Text | None = Field(None, description=TITLE)
    description: Text | None = Field(None, description=DESCRIPTION)
    groups: Named[Group] | None = Field(None, description="Groups of criteria by name.")
    criteria: tuple[Criterion, ...] | None = Field(None, description="Criteria, where no groups are needed.")
    combine: Named[Number] | None = Field(None, description="Other scores and their factors.", examples=[{"fit": 1}])
    min: Points | None = Field(None, description="The score is never less.")
    max: Points | None = Field(None, description="The score is never more.")
    grades: tuple[Grade, ...] | None = Field(None, description="Grades, the best first; the last has no at_least.")

    if TYPE_CHECKING:  # what may be given; what is there afterwards is annotated above

        def __init__(
            self,
            *,
            title: str | None = None,
            description: str | None = None,
            groups: Mapping[str, Group | Document] | None = None,
            criteria: Sequence[CriterionPart | Document] | None = None,
            combine: Mapping[str, NumberLike] | None = None,
            min: PointsLike | None = None,
            max: PointsLike | None = None,
            grades: Sequence[Grade | Document] | None = None,
        ) -> None: ...


class Label(Part):
    """A name for the leads a condition holds for; the last has no ``when`` (spec 6.4)."""

    name: Text = Field(description="The label.")
    when: When | None = Field(
        None, description="A condition over score.X, grade.X, rating and lead.X; not for the last."
    )

    if TYPE_CHECKING:  # what may be given; what is there afterwards is annotated above

        def __init__(self, *, name: str, when: ConditionLike | None = None) -> None: ...


class Threshold(Part):
    """Reached at ``at``, left below ``release``, or never with ``latch`` (spec 6.5)."""

    title: Text | None = Field(None, description=TITLE)
    description: Text | None = Field(None, description=DESCRIPTION)
    score: Text = Field(description="The score watched.")
    at: Points = Field(description="Reached when the score is at least this.")
    release: Points | None = Field(None, description="Left when the score falls below this; `at` by default.")
    latch: Flag = Field(False, description="Once reached, it stays reached for ever.")

    if TYPE_CHECKING:  # what may be given; what is there afterwards is annotated above

        def __init__(
            self,
            *,
            score: str,
            at: PointsLike,
            title: str | None = None,
            description: str | None = None,
            release: PointsLike | None = None,
            latch: bool = False,
        ) -> None: ...
