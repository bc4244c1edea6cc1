"""Which matching events count: resets, and the three filters of event criteria (spec 4.6, 4.8)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from leadcore._reference.calendar import unit_of
from leadcore._reference.conditions import Value
from leadcore._reference.moment import Moment
from leadcore._reference.tables import Event
from leadcore.model.criterion import Limit, Reset

MOST_VALUES = 65_536
"""Spec 4.6: "at most 65,536 values per lead"."""


def after_reset(events: Iterable[Event], resets: Sequence[tuple[Reset, bool]], moment: Moment) -> list[Event]:
    """Events after the last reset event of each reset, in canonical order.

    Spec 4.8: "events up to and including the last reset event at or before T, in canonical order, do not count ...; a
    criterion's and its group's reset both act".

    Args:
        events: Events at or before T in canonical order.
        resets: Each reset with whether its conditions are case-sensitive by its criterion.
        moment: The lead at T.
    """
    place = {event.row: number for number, event in enumerate(moment.events)}
    left = list(events)
    for reset, case_sensitive in resets:
        found = moment.matching(reset.on, reset.where, case_sensitive)
        if found:
            left = [event for event in left if place[event.row] > place[found[-1].row]]
    return left


def first_per_value(events: Iterable[Event], name: str) -> tuple[list[Event], int]:
    """Spec 4.6, `unique_by`: "the first per distinct value; null is a value; ... further ones do not count and are reported".

    Returns:
        The events let through, and how many were not because their value was one too many.
    """
    kept = []
    values: set[Value] = set()
    overflow = 0
    for event in events:
        value = event.properties.get(name)
        if value in values:
            continue
        if len(values) == MOST_VALUES:
            overflow += 1
            continue
        values.add(value)
        kept.append(event)
    return kept, overflow


def cooled_down(events: Iterable[Event], cooldown: int) -> list[Event]:
    """Spec 4.6, `cooldown`: "at least D after the last it let through"."""
    kept: list[Event] = []
    for event in events:
        if not kept or event.at - kept[-1].at >= cooldown:
            kept.append(event)
    return kept


def limited(events: Iterable[Event], limit: Limit, timezone: str) -> list[Event]:
    """Spec 4.6, `limit`: "the first n of each calendar unit"."""
    kept = []
    counts: dict[int, int] = {}
    for event in events:
        unit = unit_of(timezone, limit.per, event.at)
        counts[unit] = counts.get(unit, 0) + 1
        if counts[unit] <= limit.count:
            kept.append(event)
    return kept
