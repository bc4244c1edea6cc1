"""The lifecycle: stages, transitions, service levels and business calendars (spec 8)."""

from typing import Literal

from pydantic import Field

from leadcore.model.base import Part
from leadcore.model.condition import Condition
from leadcore.model.scalar import Duration, EventTypes, Names


class Alert(Part):
    """Who is told when a stay has lasted ``after``."""

    after: Duration
    notify: Names


class Sla(Part):
    """When a stay is due, and whom to tell on the way (spec 8.9)."""

    due: Duration
    alerts: tuple[Alert, ...] = ()
    calendar: str | None = None


class Stage(Part):
    """A stage of the lifecycle (spec 8.1)."""

    name: str
    title: str | None = None
    description: str | None = None
    goal: str | None = None
    owner: str | None = None
    kind: Literal["success", "detour", "exit"] = "success"
    sla: Sla | None = None


class Transition(Part):
    """A rule that moves a lead (spec 8.1, 8.5)."""

    name: str
    title: str | None = None
    description: str | None = None
    from_: Names = Field(alias="from")
    to: str
    on: EventTypes | None = None
    when: Condition | None = None
    after: Duration | None = None


class Evaluate(Part):
    """The grid of evaluations (spec 8.6)."""

    every: Duration


class Manual(Part):
    """The event by which people move leads (spec 8.7)."""

    on: str
    field: str


class Lifecycle(Part):
    """Stages and the transitions between them."""

    initial: str
    evaluate: Evaluate | None = None
    manual: Manual | None = None
    stages: tuple[Stage, ...]
    transitions: tuple[Transition, ...] = ()


class Calendar(Part):
    """Opening hours (spec 8.9): ``{"mon": ["09:00-12:00", ...]}`` and closed dates."""

    timezone: str | None = None
    hours: dict[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], tuple[str, ...]]
    holidays: tuple[str, ...] = ()
