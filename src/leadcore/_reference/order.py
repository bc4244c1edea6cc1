"""Canonical order of a lead's events, and rows that repeat an ``event_id`` (spec 2.4, 2.5)."""

from __future__ import annotations

from collections.abc import Iterable

from leadcore._reference.conditions import Value
from leadcore._reference.tables import Event, Problems


def once(events: Iterable[Event], problems: Problems) -> list[Event]:
    """One lead's events, each ``event_id`` once.

    Spec 2.5: "Rows of one lead that repeat an `event_id`: equal in `at`, `type` and that type's properties, they count
    once; else an error naming both rows."
    """
    kept = []
    first: dict[int | str, Event] = {}
    for event in events:
        if event.event_id is None:
            kept.append(event)
            continue
        earlier = first.setdefault(event.event_id, event)
        if earlier is event:
            kept.append(event)
        elif (earlier.at, earlier.type, earlier.properties) != (event.at, event.type, event.properties):
            problems.add(
                "events",
                event.row,
                "event_id",
                event.event_id,
                f"rows {earlier.row} and {event.row} of lead {event.lead_id} have this id and differ",
            )
    return kept


def canonical(events: Iterable[Event]) -> list[Event]:
    """One lead's events in canonical order (spec 2.4)."""
    return sorted(events, key=position)


def position(event: Event) -> tuple[object, ...]:
    """Where an event stands among its lead's.

    Spec 2.4: "by `at`; at equal `at` rows without `event_id` first, by `type`, then by that type's properties in document
    order (null first, false before true, numbers by value, text by code point); then rows with one, by `event_id`."
    """
    if event.event_id is not None:
        return (event.at, 1, event.event_id)
    return (event.at, 0, event.type, *(null_first(value) for value in event.properties.values()))


def null_first(value: Value) -> tuple[int, Value]:
    """Sorts null before every value; Python sorts text by code point and false before true."""
    return (0, 0) if value is None else (1, value)
