"""The lifecycle: stages, transitions, manual moves, service levels, calendars (spec 8)."""

from __future__ import annotations

import re
from datetime import date

from leadcore.model.checks.condition import A, faults_of_condition, when_of_transition
from leadcore.model.checks.scope import Flaws, Scope, no_event_types, unknown_name, unknown_timezone
from leadcore.model.duration import HOUR, MINUTE
from leadcore.model.lifecycle import Calendar, Lifecycle, Manual, Sla, Stage, Transition
from leadcore.model.limits import too_long
from leadcore.model.path import Flaw, Nearest, Path, listed, shown

MOST_ALERTS = 1_000
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_RESERVED_RULES = ("birth", "manual")
"""What ``entered_by`` and ``left_by`` say where no rule was at work (spec 8.10)."""
_HOURS = re.compile(r"([01][0-9]|2[0-4]):([0-5][0-9])-([01][0-9]|2[0-4]):([0-5][0-9])")


def check(scope: Scope) -> Flaws:
    """Every fault of the lifecycle and its calendars."""
    for name, calendar in scope.model.calendars.items():
        yield from _calendar(calendar, ("calendars", name))
    lifecycle = scope.model.lifecycle
    if lifecycle is None:
        return
    path: Path = ("lifecycle",)
    yield from _stages(scope, lifecycle, path)
    yield from _manual(scope, lifecycle.manual, (*path, "manual"))
    if lifecycle.evaluate is not None and lifecycle.evaluate.every < HOUR:
        yield Flaw(
            (*path, "evaluate", "every"), f"leads are evaluated at most every 1h, not {lifecycle.evaluate.every}"
        )
    yield from _transitions(scope, lifecycle, path)


def _stages(scope: Scope, lifecycle: Lifecycle, path: Path) -> Flaws:
    if not lifecycle.stages:
        yield Flaw((*path, "stages"), "there are no stages", "at least one")
    else:
        at = (*path, "initial")
        yield from unknown_name(lifecycle.initial, scope.stages, scope.ghosts.stages, at, "stage", "stage")
    seen: set[str] = set()
    for n, stage in enumerate(lifecycle.stages):
        at = (*path, "stages", n)
        yield from _unfit_name(stage, at, seen)
        if stage.sla is not None:
            yield from _sla(scope, stage.sla, (*at, "sla"))


def _unfit_name(part: Stage | Transition, path: Path, seen: set[str]) -> Flaws:
    what = type(part).__name__.lower()
    at = (*path, "name")
    if not part.name:
        yield Flaw(at, "the name is empty")
    elif part.name in seen:
        yield Flaw(at, f"two {what}s are called `{part.name[:40]}`")
    elif isinstance(part, Stage) and part.name == "*":
        yield Flaw(at, "`*` means every stage, it is no name")
    elif isinstance(part, Transition) and part.name in _RESERVED_RULES:
        yield Flaw(at, f"`{part.name}` is what results say where no rule was at work", f"{part.name}_rule perhaps")
    seen.add(part.name)


def _sla(scope: Scope, sla: Sla, path: Path) -> Flaws:
    if sla.calendar is not None:
        at = (*path, "calendar")
        yield from unknown_name(sla.calendar, scope.model.calendars, scope.ghosts.calendars, at, "calendar", "calendar")
    if len(sla.alerts) > MOST_ALERTS:
        yield Flaw((*path, "alerts"), too_long(MOST_ALERTS, "alerts", len(sla.alerts)))
    for n, alert in enumerate(sla.alerts):
        if not alert.notify or "" in alert.notify:
            yield Flaw((*path, "alerts", n, "notify"), "an alert tells somebody", "at least one name")


def _manual(scope: Scope, manual: Manual | None, path: Path) -> Flaws:
    if manual is None:
        return
    faults = list(no_event_types(scope, (manual.on,), (*path, "on")))
    yield from (flaw._replace(path=(*path, "on")) for flaw in faults)
    kind = scope.property(manual.field, (manual.on,))
    if kind is None:
        hint = Nearest(manual.field, scope.property_names((manual.on,)), "property")
        yield Flaw((*path, "field"), f"`{manual.on[:40]}` has no property `{manual.field[:40]}`", hint)
    elif kind not in ("text", ""):
        yield Flaw((*path, "field"), f"a text property is wanted here, `{manual.field[:40]}` is {A[kind]}")


def _transitions(scope: Scope, lifecycle: Lifecycle, path: Path) -> Flaws:
    seen: set[str] = set()
    for n, transition in enumerate(lifecycle.transitions):
        at = (*path, "transitions", n)
        yield from _unfit_name(transition, at, seen)
        yield from _unknown_stages(scope, transition, at)
        if transition.on is not None:
            yield from no_event_types(scope, transition.on, (*at, "on"))
        if transition.after is not None and transition.after < MINUTE:
            yield Flaw((*at, "after"), f"a time in a stage is at least 1m, not {transition.after}")
        if transition.when is not None:
            place = when_of_transition(transition.on)
            yield from faults_of_condition(scope, transition.when, (*at, "when"), place)


def _unknown_stages(scope: Scope, transition: Transition, path: Path) -> Flaws:
    at = (*path, "from")
    if not transition.from_:
        yield Flaw(at, "at least one stage is wanted here", 'or "*" for every stage but `to` and the exits')
    elif "*" in transition.from_ and len(transition.from_) > 1:
        yield Flaw(at, "`*` means every stage and stands alone")
    for n, name in enumerate(transition.from_):
        if name == transition.to:
            yield Flaw((*at, n), f"`{name[:40]}` is left and entered by the same transition")
        elif name != "*":
            yield from unknown_name(name, scope.stages, scope.ghosts.stages, (*at, n), "stage", "stage")
    yield from unknown_name(transition.to, scope.stages, scope.ghosts.stages, (*path, "to"), "stage", "stage")


def _calendar(calendar: Calendar, path: Path) -> Flaws:
    if calendar.timezone is not None:
        yield from unknown_timezone(calendar.timezone, (*path, "timezone"))
    for day, hours in calendar.hours.items():
        at = (*path, "hours", day)
        if day not in WEEKDAYS:
            yield Flaw(at, f"{shown(day)} is no weekday", f"one of {listed(WEEKDAYS)}", True)
        yield from _no_hours(hours, at)
    if not any(calendar.hours.values()):
        yield Flaw((*path, "hours"), "a calendar opens at least one minute a week")
    for n, day in enumerate(calendar.holidays):
        yield from _no_date(day, (*path, "holidays", n))


def _no_hours(hours: tuple[str, ...], path: Path) -> Flaws:
    """Opening hours that are none, end before they begin, or overlap."""
    known: list[tuple[int, int]] = []
    for n, text in enumerate(hours):
        match = _HOURS.fullmatch(text)
        minutes = [int(part) for part in match.groups()] if match else [24, 1, 24, 1]
        begin, end = minutes[0] * 60 + minutes[1], minutes[2] * 60 + minutes[3]
        if begin > 1440 or end > 1440:
            yield Flaw((*path, n), f"{shown(text)} is no opening time", 'text such as "09:00-17:30", at most to 24:00')
        elif begin == end:
            yield Flaw((*path, n), f"{shown(text)} is no time at all", 'all day is "00:00-24:00"')
        elif begin > end:
            hint = "over midnight: end with 24:00 and begin the next day at 00:00"
            yield Flaw((*path, n), f"{shown(text)} ends before it begins", hint)
        elif any(begin < other_end and other_begin < end for other_begin, other_end in known):
            yield Flaw((*path, n), f"{shown(text)} overlaps with another opening time of the day")
        else:
            known.append((begin, end))


def _no_date(text: str, path: Path) -> Flaws:
    try:
        fits = len(text) == 10 and date.fromisoformat(text) is not None
    except ValueError:
        fits = False
    if not fits:
        yield Flaw(path, f"{shown(text)} is no date", "text such as 2026-12-25")
