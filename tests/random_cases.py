"""Random valid cases (a model document and its rows) from a seeded generator, for runs of many thousands.

Alphabets are small, so that conditions hit; events and T sit on the edges that the document itself sets: windows,
half-lives, delays, steps, and the changes of its time zone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from random import Random
from typing import Any

from leadcore._reference.calendar import FIRST, LAST, changes, offset
from tests.fields import ALL_FIELDS, fields_hit
from tests.random_models import Documents
from tests.random_parts import DAY, HOUR, NUMBERS, TEXTS, ZONES
from tests.rows import ALL_ROWS, rows_hit

__all__ = ["ALL_FIELDS", "ALL_ROWS", "Case", "case", "fields_hit", "rows_hit"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MIDNIGHT_AGAIN = (
    ("America/St_Johns", 1987, 2 * HOUR),
    ("America/St_Johns", 2010, 2 * HOUR),
    ("Pacific/Kwajalein", 1969, 30 * HOUR),
    ("America/Juneau", 1867, 30 * HOUR),
)
"""Zones and years whose last change set the clocks back past a midnight, and within what after it this is felt."""

YEARS = (1844, 1893, 1915, 1919, 1935, 1969, 1987, 2011, 2016, 2024, 2037, 2051)


@dataclass(frozen=True)
class Case:
    """What a scorer is given.

    Attributes:
        document: A valid model document.
        leads: Rows of leads, or None where there is no such table.
        events: Rows of events.
        as_of: One T, T by lead, or (lead, T) pairs.
        aliases: Rows of aliases, or None.
        unknown_leads: ``"score"`` or ``"ignore"``.
    """

    document: dict[str, Any]
    leads: list[dict[str, Any]] | None
    events: list[dict[str, Any]]
    as_of: int | dict[int | str, int] | list[tuple[int | str, int]]
    aliases: list[dict[str, Any]] | None = None
    unknown_leads: str = "score"
    instants: list[int] = field(default_factory=list)


def case(seed: int) -> Case:
    """The random case of this number; the same on every machine."""
    rng = Random(seed)
    zone = rng.choice(ZONES) if rng.random() < 0.7 else "UTC"
    anchor = anchor_of(rng, zone)
    midnight_again = rng.random() < 0.06
    if midnight_again:
        zone, year, spread = rng.choice(MIDNIGHT_AGAIN)
        anchor = zone_changes(zone, year)[-1] + rng.randrange(spread)
    documents = Documents(rng, anchor, write_instant, zone)
    if midnight_again:
        documents.limited, documents.spread = 0.9, spread
    document = documents.document()
    return Rows(rng, anchor, documents).case(document)


def write_instant(instant: int, rng: Random) -> str:
    """An instant in ISO 8601: with Z, with an offset, or naive, which is UTC (spec 1.1)."""
    moment = EPOCH + timedelta(microseconds=held(instant))
    form = rng.choice(("Z", "naive", "offset")) if FIRST + DAY < instant < LAST - DAY else "Z"
    if form == "offset":
        ahead = timedelta(minutes=rng.choice((330, -480, 60)))
        text = (moment + ahead).replace(tzinfo=None).isoformat()
        sign = "-" if ahead < timedelta(0) else "+"
        minutes = abs(ahead) // timedelta(minutes=1)
        return f"{text}{sign}{minutes // 60:02}:{minutes % 60:02}"
    return moment.replace(tzinfo=None).isoformat() + ("Z" if form == "Z" else "")


def held(instant: int) -> int:
    """An instant within years 1 to 9999."""
    return min(max(instant, FIRST), LAST)


@cache
def zone_changes(zone: str, year: int) -> tuple[int, ...]:
    """The instants of a year at which a zone's offset changes."""
    first = (datetime(year, 1, 1, tzinfo=UTC) - EPOCH).days
    days = [day for day in range(first, first + 366) if offset(zone, day * DAY) != offset(zone, (day + 1) * DAY)]
    return tuple(instant for day in days for instant, _ in changes(zone, day))


def anchor_of(rng: Random, zone: str) -> int:
    """An instant to build a case around."""
    draw = rng.random()
    if draw < 0.4:
        found = zone_changes(zone, rng.choice(YEARS))
        if found:
            return rng.choice(found) + rng.choice((0, 0, HOUR, HOUR, DAY, 7 * DAY, -1))
    if draw < 0.45:
        return rng.choice((FIRST + 5 * DAY, LAST - 5 * DAY, 0, FIRST, LAST))
    if draw < 0.7:  # whole multiples of every duration there is
        return rng.randrange(-200, 800) * 91 * DAY
    return rng.randrange(-40 * 365 * DAY, 80 * 365 * DAY)


class Rows:
    """Makes the rows of one case."""

    def __init__(self, rng: Random, anchor: int, documents: Documents) -> None:
        self.rng = rng
        self.anchor = anchor
        self.attributes = documents.attributes
        self.types = documents.types
        self.spread = documents.spread
        spans = sorted(documents.durations) or [DAY]
        self.pool = sorted({held(anchor + shift) for shift in self.shifts(spans)})
        self.text_ids = rng.random() < 0.5
        self.text_event_ids = rng.random() < 0.5
        self.values = {
            "text": [None, "", *documents.texts, *rng.sample(TEXTS, 2)],
            "number": [None, float("nan"), -0.0, 0, *rng.sample(NUMBERS, 6), 0.30000000000000004, -7],
            "boolean": [None, True, False],
            "instant": [None, *(held(anchor + step) for step in (0, 1, -1, HOUR, -DAY))],
        }

    def shifts(self, spans: list[int]) -> list[int]:
        """Distances from the anchor at which events lie: whole spans before it, give or take a microsecond."""
        found = [0, 0, -1, 1, -HOUR, HOUR, -DAY, DAY]
        for _ in range(12):
            span = self.rng.choice(spans) * self.rng.choice((1, 1, 1, 2, 3))
            found.append(-span + self.rng.choice((0, 0, 1, -1)))
        if self.rng.random() < 0.5:  # both sides of a change of the clocks, and hours that come twice
            quarter = self.spread // 8
            found += [quarter * self.rng.randrange(-8, 9) + self.rng.choice((0, 0, -1)) for _ in range(10)]
        found += [-self.rng.randrange(1, 30 * DAY) for _ in range(4)]
        found += [-self.rng.randrange(1, 3 * HOUR) for _ in range(3)]
        if self.rng.random() < 0.1:
            found.append(-self.rng.choice((100, 500, 1900)) * 365 * DAY)
        return found

    def case(self, document: dict[str, Any]) -> Case:
        rng = self.rng
        ids = self.ids(rng.choice((1, 2, 4, 6)))
        listed = rng.sample(ids, rng.randrange(len(ids) + 1))
        leads = None if rng.random() < 0.1 else self.leads(listed, document)
        if leads is None:
            listed = []
        events = self.events(ids)
        aliases = self.aliases(ids) if rng.random() < 0.2 else None
        instants = [held(self.anchor + rng.choice((0, 0, 1, -1, DAY, HOUR)))]
        instants += rng.sample(self.pool, min(3, len(self.pool)))
        draw = rng.random()
        as_of: Any = instants[0]
        if draw < 0.25:
            as_of = [(rng.choice(ids), rng.choice(instants)) for _ in range(rng.choice((1, 4, 8)))]
        elif draw < 0.35 and listed and aliases is None:
            as_of = {lead: rng.choice(instants) for lead in listed}
        unknown = "ignore" if rng.random() < 0.15 else "score"
        return Case(document, leads, events, as_of, aliases, unknown, instants)

    def ids(self, count: int) -> list[Any]:
        if self.text_ids:
            return self.rng.sample(("a", "B", "é", "10", "9", "lead-1", "", "\U00010428", "\uffff"), count)
        return self.rng.sample((0, 1, -1, 2, 10, 9, 2**63 - 1, -(2**63)), count)

    def value(self, type_: str) -> Any:
        return self.rng.choice(self.values[type_])

    def leads(self, ids: list[Any], document: dict[str, Any]) -> list[dict[str, Any]]:
        rng = self.rng
        timed, created, accounted = (
            rng.random() < 0.45,
            rng.random() < 0.3,
            "accounts" in document or rng.random() < 0.2,
        )
        accounts = [None, "acme", "b", "ACME"] if rng.random() < 0.5 else [None, 1, 2, -5]
        rows: list[dict[str, Any]] = []
        for lead in ids:
            starts: list[Any] = [None]
            if timed:
                starts = rng.sample([None, *self.pool], rng.choice((1, 2, 3)))
            for start in starts:
                row = {"lead_id": lead, **{name: self.value(type_) for name, type_ in self.attributes.items()}}
                if timed:
                    row["valid_from"] = start
                if created:
                    row["created_at"] = rng.choice([None, *self.pool])
                if accounted:
                    row["account_id"] = rng.choice(accounts)
                rows.append(row)
        rng.shuffle(rows)
        return rows

    def events(self, ids: list[Any]) -> list[dict[str, Any]]:
        rng = self.rng
        with_ids = rng.random() < 0.5
        names = sorted({name for properties in self.types.values() for name in properties})
        kinds = {name: type_ for properties in self.types.values() for name, type_ in properties.items()}
        types = [*self.types, *self.types, *(["ghost"] if rng.random() < 0.3 else [])]
        rows: list[dict[str, Any]] = []
        for number in range(rng.choice((0, 3, 10, 20, 40))):
            # a property may have a value in rows whose type does not declare it: it is not read (spec 2.2)
            row = {"lead_id": rng.choice(ids), "at": rng.choice(self.pool), "type": rng.choice(types)}
            row.update({name: self.value(kinds[name]) for name in names})
            if with_ids:
                row["event_id"] = (
                    None if rng.random() < 0.3 else (f"e{number}" if self.text_event_ids else 100 - number)
                )
            rows.append(row)
            if with_ids and row["event_id"] is not None and rng.random() < 0.15:
                undeclared = {
                    name: self.value(kinds[name]) for name in names if name not in self.types.get(row["type"], ())
                }
                rows.append({**row, **undeclared})
        rng.shuffle(rows)
        return rows

    def aliases(self, ids: list[Any]) -> list[dict[str, Any]]:
        """Chains without cycles: an id stands for one that comes later in a random order."""
        order = self.rng.sample(ids, len(ids))
        rows = []
        for i, lead in enumerate(order[:-1]):
            if self.rng.random() < 0.5:
                rows.append({"lead_id": lead, "same_as": self.rng.choice(order[i + 1 :])})
        return rows + rows[:1]
