"""One lead at T: its attributes in force and its events up to T (spec 1.4, 2.1, 2.4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from leadcore._reference.conditions import Field, Scope, holds
from leadcore._reference.tables import Event, Facts, Id
from leadcore.model.condition import Condition
from leadcore.model.document import Model


@dataclass(slots=True)
class Person:
    """A lead: its rows of leads, its events in canonical order, and the earliest `created_at` of all its records."""

    lead_id: Id
    facts: list[Facts] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    created_at: int | None = None

    @property
    def in_leads(self) -> bool:
        """Whether the lead is in the leads table."""
        return bool(self.facts)


@dataclass(frozen=True)
class Moment:
    """A lead at T, as a model sees it."""

    model: Model
    person: Person
    now: int

    @cached_property
    def facts(self) -> Facts | None:
        """The row of leads in force at T.

        Spec 2.1: "each row's attributes are in force from that instant on ...; a null `valid_from` means since ever;
        before the earliest all attributes are null".
        """
        begun = [facts for facts in self.person.facts if facts.valid_from is None or facts.valid_from <= self.now]
        return max(begun, key=since, default=None)

    @cached_property
    def attributes(self) -> Scope:
        """The attributes in force at T as fields of conditions (spec 3.1)."""
        return Scope(
            {
                f"lead.{name}": Field(declared.type, self.facts.attributes[name] if self.facts else None)
                for name, declared in self.model.attributes.items()
            },
            bare="lead.",
        )

    @cached_property
    def events(self) -> list[Event]:
        """Events at or before T in canonical order (spec 1.4: "later ones are ignored, not refused")."""
        return [event for event in self.person.events if event.at <= self.now]

    @cached_property
    def properties(self) -> dict[int, Scope]:
        """Each event's properties as fields of conditions, by its row."""
        return {event.row: properties_of(self.model, event) for event in self.events}

    def matching(self, on: Sequence[str], where: Condition | None, case_sensitive: bool) -> list[Event]:
        """Events at or before T of these types for which the condition holds (spec 4.4)."""
        return [
            event
            for event in self.events
            if event.type in on and holds(where, self.properties[event.row], case_sensitive)
        ]


def since(facts: Facts) -> tuple[bool, int]:
    """Sorts rows of leads by ``valid_from``, null ("since ever") first."""
    return (False, 0) if facts.valid_from is None else (True, facts.valid_from)


def properties_of(model: Model, event: Event) -> Scope:
    """An event's properties as fields of conditions; null where its type does not declare them (spec 3.5)."""
    return Scope(
        {
            f"event.{name}": Field(declared.type, event.properties.get(name))
            for properties in model.events.values()
            for name, declared in properties.items()
        },
        bare="event.",
    )
