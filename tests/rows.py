"""Which peculiarities of rows and questions a case has, as names, and all there are."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.random_cases import Case

YEAR = 365 * 86_400_000_000

ALL_ROWS = [
    "leads.none", "leads.valid_from", "leads.valid_from.null", "leads.created_at", "leads.account_id", "leads.none_of_events",
    "id.text", "id.integer", "event_id.text", "event_id.integer", "event_id.repeated", "event_id.mixed_with_none",
    "events.undeclared", "events.tie", "events.after_t", "events.at_t", "events.before_1970", "events.centuries_old",
    "events.null", "events.nan", "aliases", "aliases.chain", "as_of.one", "as_of.by_lead", "as_of.pairs",
    "as_of.year_1", "as_of.year_9999", "unknown_leads.ignore",
]  # fmt: skip
"""Every name that random cases must hit."""


def rows_hit(case: Case) -> set[str]:
    """What is peculiar about a case's rows and the question asked of them."""
    return {*leads_hit(case), *events_hit(case), *asks_hit(case)}


def leads_hit(case: Case) -> Iterator[str]:
    """Peculiarities of leads and aliases."""
    if case.leads is None:
        yield "leads.none"
    for row in case.leads or []:
        yield from (f"leads.{name}" for name in ("valid_from", "created_at", "account_id") if row.get(name) is not None)
        if "valid_from" in row and row["valid_from"] is None:
            yield "leads.valid_from.null"
    known = {row["lead_id"] for row in case.leads or []}
    if any(row["lead_id"] not in known for row in case.events):
        yield "leads.none_of_events"
    if case.aliases:
        yield "aliases"
        same_as = {row["same_as"] for row in case.aliases}
        yield from ["aliases.chain"] if any(row["lead_id"] in same_as for row in case.aliases) else []


def events_hit(case: Case) -> Iterator[str]:
    """Peculiarities of events."""
    declared = case.document["events"]
    times = Counter((row["lead_id"], row["at"]) for row in case.events)
    ids = Counter(row["event_id"] for row in case.events if row.get("event_id") is not None)
    yield from ["events.tie"] if max(times.values(), default=0) > 1 else []
    yield from ["event_id.repeated"] if max(ids.values(), default=0) > 1 else []
    yield from (f"event_id.{'text' if isinstance(one, str) else 'integer'}" for one in ids)
    if ids and any(row["event_id"] is None for row in case.events):
        yield "event_id.mixed_with_none"
    latest = max(case.instants)
    for row in case.events:
        yield "id.text" if isinstance(row["lead_id"], str) else "id.integer"
        if row["type"] not in declared:
            yield "events.undeclared"
            continue
        yield from ["events.before_1970"] if row["at"] < 0 else []
        yield from ["events.centuries_old"] if row["at"] < latest - 100 * YEAR else []
        for name in declared[row["type"]]:
            yield from ["events.null"] if row[name] is None else []
            yield from ["events.nan"] if isinstance(row[name], float) and math.isnan(row[name]) else []


def asks_hit(case: Case) -> Iterator[str]:
    """Peculiarities of T."""
    asked = case.as_of
    if isinstance(asked, int):
        yield "as_of.one"
        instants = {asked}
    elif isinstance(asked, dict):
        yield "as_of.by_lead"
        instants = set(asked.values())
    else:
        yield "as_of.pairs"
        instants = {now for _, now in asked}
    yield from ["as_of.year_1"] if min(instants) < -1_968 * YEAR else []
    yield from ["as_of.year_9999"] if max(instants) > 8_028 * YEAR else []
    yield from ["events.at_t"] if any(row["at"] in instants for row in case.events) else []
    yield from ["events.after_t"] if any(row["at"] > max(instants) for row in case.events) else []
    yield from ["unknown_leads.ignore"] if case.unknown_leads == "ignore" else []
