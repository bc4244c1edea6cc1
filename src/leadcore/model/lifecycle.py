"""The lifecycle: stages, transitions, service levels and business calendars (spec 8)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from leadcore.model.base import Named, Part
from leadcore.model.condition import When
from leadcore.model.criterion import FieldName
from leadcore.model.scalar import Duration, DurationOrZero, EventTypes, Names, Text
from leadcore.model.score import DESCRIPTION, TITLE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from leadcore.model.accepted import ConditionLike, Document, DurationLike, FieldLike, NamesLike, TypesLike
    from leadcore.model.fields import EventType as EventTypeClass

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class Alert(Part):
    """Who is told when a stay has lasted ``after``."""

    after: DurationOrZero = Field(description="Time since the stage was entered; 0s is the entry itself.")
    notify: Names = Field(description="Who is told.")

    if TYPE_CHECKING:  # what may be given; what is there afterwards is annotated above

        def __init__(self, *, after: DurationLike, notify: NamesLike) -> None: ...


class Sla(Part):
    """When a stay is due, and whom to tell on the way (spec 8.9)."""

    due: Duration = Field(description="The lead should have left the stage by then.")
    alerts: tuple[Alert, ...] = Field((), description="Who is told, and when; the first is level 1.")
    calendar: Text | None = Field(None, description="The calendar whose open time counts; all time by default.")

    if TYPE_CHECKING:  # what may be given; what is there afterwards is annotated above

        def __init__(
            self,
            *,
            due: DurationLike,
            alerts: Sequence[Alert | Document] = ...,
            calendar: str | None = None,
        ) -> None: ...


class Stage(Part):
    """A stage of the lifecycle (spec 8.1)."""

    name: Text = Field(description="A name unique among the stages.")
    title: Text | None = Field(None, description=TITLE)
    description: Text | None = Field(None, description=DESCRIPTION)
    goal: Text | None = Field(None, description="What should be reached in this stage.")
    owner: Text | None = Field(None, description="Who looks after leads in this stage.")
    kind: Literal["success", "detour", "exit"] = Field(
        "success", description="success: on the path to success; detour: a side way; exit: the end."
    )
    sla: Sla | None = Field(None, description="How long a lead may stay, and whom to tell.")

    if TYPE_CHECKING:  # what may be given; what is there afterwards is annotated above

        def __init__(
            self,
            *,
            name: str,
            title: str | None = None,
            description: str | None = None,
            goal: str | None = None,
            owner: str | None = None,
            kind: Literal["success", "detour", "exit"] = ...,
            sla: Sla | Document | None = None,
        ) -> None: ...


class Transition(Part):
    """A rule that moves a lead (spec 8.1, 8.5)."""

    name: Text = Field(description="A name unique among the transitions.")
    title: Text | None = Field(None, description=TITLE)
    description: Text | None = Field(None, description=DESCRIPTION)
    from_: Names = Field(
        alias="from", description="The stage or stages left; `*`: every stage but `to` and the exits.", examples=["new"]
    )
    to: Text = Field(description="The stage entered.")
    on: EventTypes | None = Field(None, description="Only at an event of these types; at any evaluation by default.")
    when: When | None = Field(
        None,
        description="A condition over score.X, grade.X, rating, label, threshold.X, lead.X, stage.age, stage.visits"
        " and, with `on`, event.type and event.X.",
    )
    after: Duration | None = Field(None, description="Only after this time in the stage; at least 1m.")

    if TYPE_CHECKING:  # what may be given; what is there afterwards is annotated above

        def __init__(
            self,
            *,
            name: str,
            from_: NamesLike,
            to: str,
            title: str | None = None,
            description: str | None = None,
            on: TypesLike | None = None,
            when: ConditionLike | None = None,
            after: DurationLike | None = None,
        ) -> None: ...


class Evaluate(Part):
    """The grid of evaluations (spec 8.6)."""

    every: Duration = Field(description="How often leads are looked at between events; at least 1h.")

    if TYPE_CHECKING:  # what may be given; what is there afterwards is annotated above

        def __init__(self, *, every: DurationLike) -> None: ...


def _type_name(value: Any) -> Any:
    """An `EventType` class stands for its name."""
    return getattr(value, "__event_type__", value)


class Manual(Part):
    """The event by which people move leads (spec 8.7)."""

    on: Annotated[Text, BeforeValidator(_type_name)] = Field(description="The event type of manual moves.")
    field: FieldName = Field(description="Its text property that names the stage.")

    if TYPE_CHECKING:  # what may be given; what is there afterwards is annotated above

        def __init__(self, *, on: str | type[EventTypeClass], field: FieldLike) -> None: ...


class Lifecycle(Part):
    """Stages and the transitions between them."""

    initial: Text = Field(description="The stage a lead is born into.")
    evaluate: Evaluate | None = Field(None, description="When leads are looked at between events; never by default.")
    manual: Manual | None = Field(None, description="The event by which people move leads.")
    stages: tuple[Stage, ...] = Field(description="The stages; the success stages in order are the success path.")
    transitions: tuple[Transition, ...] = Field((), description="The rules, the first that fits fires.")

    if TYPE_CHECKING:  # what may be given; what is there afterwards is annotated above

        def __init__(
            self,
            *,
            initial: str,
            stages: Sequence[Stage | Document],
            evaluate: Evaluate | Document | None = None,
            manual: Manual | Document | None = None,
            transitions: Sequence[Transition | Document] = ...,
        ) -> None: ...


class Calendar(Part):
    """Opening hours (spec 8.9): ``{"mon": ["09:00-12:00", ...]}`` and closed dates."""

    timezone: Text | None = Field(None, description="Its IANA timezone; the model's by default.")
    hours: Named[tuple[Text, ...]] = Field(
        description="Opening hours by weekday (mon, tue, wed, thu, fri, sat, sun).",
        examples=[{"mon": ["09:00-12:00", "13:00-17:00"]}],
    )
    holidays: tuple[Text, ...] = Field((), description="Closed dates.", examples=[["2026-12-25"]])

    if TYPE_CHECKING:  # what may be given; what is there afterwards is annotated above

        def __init__(
            self,
            *,
            hours: Mapping[str, Sequence[str]],
            timezone: str | None = None,
            holidays: Sequence[str] = ...,
        ) -> None: ...
