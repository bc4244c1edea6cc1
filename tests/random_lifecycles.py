"""Random cases of a replay (a model with a lifecycle, its rows, and the end) from a seeded generator.

Spans and grids are chosen together, so that a lead is evaluated some dozens of times; thresholds, grades and conditions
stand at values that the scores really reach; rows sit on timers, grid instants, due times and changes of the clocks.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random
from typing import Any

from leadcore._reference import replay, score
from leadcore._reference.calendar import FIRST, LAST
from leadcore._reference.engine import Unknown
from leadcore.model import Model
from tests.grids import grid
from tests.random_cases import YEARS, Rows, anchor_of, held, write_instant, zone_changes
from tests.random_parts import DAY, HOUR, MINUTE, SECOND, ZONES
from tests.random_stages import Lifecycles, Stretch

EVERY = (HOUR, HOUR, 90 * MINUTE, HOUR + SECOND, 5 * HOUR, 6 * HOUR, 7 * HOUR, 12 * HOUR, DAY, DAY, DAY, 25 * HOUR, 36 * HOUR, 2 * DAY,
         5 * DAY, 7 * DAY, 7 * DAY, 10 * DAY, 100 * DAY, 365 * DAY, 36_525 * DAY)  # fmt: skip
SHORT = (*EVERY[:8], *EVERY[2:9])
SPANS = (6 * HOUR, DAY, 3 * DAY, 10 * DAY, 40 * DAY, 300 * DAY, 20 * 365 * DAY)

CLOCKS = (
    ("Pacific/Apia", 2011),
    ("Pacific/Kwajalein", 1993),
    ("Pacific/Kwajalein", 1969),
    ("America/Juneau", 1867),
    ("Asia/Manila", 1844),
    ("Antarctica/Troll", 2016),
    ("Australia/Lord_Howe", 2024),
    ("Europe/Dublin", 2024),
    ("America/St_Johns", 2010),
    ("America/Scoresbysund", 2024),
)
"""Zones and years with peculiar changes of the clocks, by up to a day."""


@dataclass(frozen=True)
class ReplayCase:
    """What a replay is given; instants in microseconds.

    Attributes:
        document: A valid model document with a lifecycle.
        leads: Rows of leads, or None where there is no such table.
        events: Rows of events.
        until: The end.
        aliases: Rows of aliases, or None.
        unknown_leads: ``"score"`` or ``"ignore"``.
        start: Rows of ``lead_id``, ``stage``, ``entered_at``, or None.
    """

    document: dict[str, Any]
    leads: list[dict[str, Any]] | None
    events: list[dict[str, Any]]
    until: int
    aliases: list[dict[str, Any]] | None = None
    unknown_leads: Unknown = "score"
    start: list[dict[str, Any]] | None = None


def replay_case(seed: int) -> ReplayCase:
    """The random case of this number; the same on every machine."""
    rng = Random(f"replay {seed}")
    zone = rng.choice(ZONES) if rng.random() < 0.7 else "UTC"
    anchor = anchor_of(rng, zone)
    if not FIRST + 30 * DAY < anchor < LAST - 30 * DAY and rng.random() < 0.5:
        anchor = anchor_of(rng, zone)
    draw, other = rng.random(), zone
    if draw < 0.25:
        zone, year = rng.choice(CLOCKS)
        anchor, other = rng.choice(zone_changes(zone, year) or (anchor,)), zone
    elif draw < 0.4:  # clocks of a calendar change, those of the model do not
        zone, other = rng.choice(("UTC", zone)), rng.choice(ZONES)
        anchor = rng.choice(zone_changes(other, rng.choice(YEARS)) or (anchor,))
    stretch = stretch_of(rng, anchor, EVERY if draw > 0.25 else SHORT)
    lifecycles = Lifecycles(rng, anchor, write_instant, zone, stretch)
    lifecycles.calendar_zone = other
    document = lifecycles.scoring()
    rows = ReplayRows(rng, anchor, lifecycles)
    ids = rows.ids(rng.choice((1, 2, 2, 3, 4, 6)))
    leads, events = rows.tables(ids)
    lifecycles.conclude(document, levels_of(document, leads, events, stretch))
    return rows.replay_case(document, ids, leads, events)


def stretch_of(rng: Random, anchor: int, grids: tuple[int, ...]) -> Stretch:
    """A span around the anchor of some dozen grid instants, or of any length where there is no grid."""
    every = None if rng.random() < 0.15 else rng.choice(grids)
    if every is None:
        span = rng.choice(SPANS)
    else:
        span = every * rng.choice((1, 3, 8, 12, 20, 30) if every < 300 * DAY else (1, 2, 4)) + rng.choice(
            (0, 0, HOUR, 1)
        )
        if rng.random() < 0.03 and every < 20 * DAY:
            span = every * 200
    begin = min(max(anchor - rng.choice((span // 2, span // 4, span // 8, 0, 0, span)), FIRST), LAST - DAY)
    return Stretch(begin, held(begin + span), every)


def levels_of(
    document: dict[str, Any], leads: list[dict[str, Any]] | None, events: list[dict[str, Any]], stretch: Stretch
) -> dict[str, list[int]]:
    """What every score is worth now and then, ascending."""
    asked = [(row["lead_id"], row["at"]) for row in events[:8]]
    asked += [(lead, stretch.end) for lead in {row["lead_id"]: None for row in [*(leads or []), *events[:20]]}]
    asked += [(lead, (stretch.begin + stretch.end) // 2) for lead, _ in asked[-2:]] or [(0, 0)]
    if not leads and not events:
        asked = []
    found = score(Model.model_validate(document), leads, events, asked).rows if asked else []
    return {name: sorted({row[name] for row in found}) or [0] for name in document["scores"]}


class ReplayRows(Rows):
    """Makes the rows of one case."""

    def __init__(self, rng: Random, anchor: int, documents: Lifecycles) -> None:
        super().__init__(rng, anchor, documents)
        self.documents = documents
        self.stretch = documents.stretch
        self.pool = self.moments([*documents.durations, HOUR])

    def moments(self, durations: list[int]) -> list[int]:
        """Instants at which rows lie: many of few, so that they meet each other and the grid."""
        rng, stretch = self.rng, self.stretch
        span = stretch.end - stretch.begin
        found = [stretch.begin, held(self.anchor + rng.choice((0, 0, 1, -1, HOUR, -HOUR))), stretch.end]
        if self.documents.clocks_go_on:
            found += [self.anchor - rng.randrange(6) * HOUR, self.anchor - rng.randrange(3 * DAY)]
        for unit in (1, SECOND, MINUTE, HOUR, DAY, MINUTE, HOUR):
            found.append((stretch.begin + rng.randrange(max(span, 1))) // unit * unit)
        if stretch.every is not None:
            instants = grid(self.documents.zone, stretch.every, stretch.begin, stretch.end)
            found += rng.sample(instants, min(4, len(instants)))
        for _ in range(6):
            found.append(
                rng.choice(found) + rng.choice(durations) * rng.choice((1, 1, 2)) + rng.choice((0, 0, 0, 1, -1))
            )
        last = held(stretch.end + span // 4 + DAY)
        return sorted({max(one, stretch.begin) for one in found if one <= last})

    def tables(self, ids: list[Any]) -> tuple[list[dict[str, Any]] | None, list[dict[str, Any]]]:
        """Leads and events."""
        rng = self.rng
        listed = rng.sample(ids, rng.randrange(len(ids) + 1)) if rng.random() < 0.4 else ids
        leads = None if rng.random() < 0.1 else self.facts(listed)
        return leads, self.acts(ids)

    def facts(self, ids: list[Any]) -> list[dict[str, Any]]:
        """Rows of leads: born early rather than late, and changing now and then."""
        rng = self.rng
        timed, created, accounted = rng.random() < 0.5, rng.random() < 0.6, rng.random() < 0.15
        early = self.pool[: max(2, len(self.pool) // 3)]
        rows: list[dict[str, Any]] = []
        for lead in ids:
            starts: list[Any] = [None]
            if timed:
                pool = [None, *self.pool]
                starts = rng.sample(pool, min(len(pool), rng.choice((1, 2, 3, 4))))
            values = {name: self.value(type_) for name, type_ in self.attributes.items()}
            for start in starts:
                row = {"lead_id": lead, **values}
                if timed:
                    row["valid_from"] = start
                if created:
                    row["created_at"] = rng.choice((None, rng.choice(early), rng.choice(early), rng.choice(self.pool)))
                if accounted:
                    row["account_id"] = rng.choice((None, "acme", "b"))
                rows.append(row)
                if rng.random() < 0.8:  # else the next row says the same again
                    values = {name: self.value(type_) for name, type_ in self.attributes.items()}
        rng.shuffle(rows)
        return rows

    def acts(self, ids: list[Any]) -> list[dict[str, Any]]:
        """Rows of events: several at one instant, some twice."""
        rng = self.rng
        with_ids = rng.random() < 0.6
        types = [*self.types, *self.types, *(["ghost"] if rng.random() < 0.2 else [])]
        rows: list[dict[str, Any]] = []
        for number in range(rng.choice((0, 2, 5, 5, 8, 8, 12, 12, 20, 30))):
            row = {"lead_id": rng.choice(ids), "at": rng.choice(self.pool), **self.act(rng.choice(types))}
            if with_ids:
                row["event_id"] = None if rng.random() < 0.3 else f"e{number}" if self.text_event_ids else 100 - number
            rows.append(row)
            if with_ids and row["event_id"] is not None and rng.random() < 0.15:
                declared = self.types.get(row["type"], {})
                rows.append(row | {name: one for name, one in self.act(row["type"]).items() if name not in declared})
            elif rng.random() < 0.1:  # at the same instant, of another type or with other properties
                rows.append(row | self.act(rng.choice(types)) | ({"event_id": None} if with_ids else {}))
        rng.shuffle(rows)
        return rows

    def act(self, type_: str) -> dict[str, Any]:
        """The type and all properties of an event; ``status`` mostly names a stage."""
        rng = self.rng
        kinds = {name: kind for properties in self.types.values() for name, kind in properties.items()}
        row: dict[str, Any] = {"type": type_, **{name: self.value(kind) for name, kind in kinds.items()}}
        if "status" in row:
            one = rng.choice(self.documents.stages)
            row["status"] = rng.choice((one, one, one, one, one.upper(), "nowhere", None, ""))
        return row

    def replay_case(
        self,
        document: dict[str, Any],
        ids: list[Any],
        leads: list[dict[str, Any]] | None,
        events: list[dict[str, Any]],
    ) -> ReplayCase:
        """The end, aliases and starts of a case; half of them once more with rows where the first run had something due."""
        rng = self.rng
        aliases = self.aliases(ids) if rng.random() < 0.2 else None
        same_as = {row["lead_id"]: row["same_as"] for row in aliases or ()}
        start = self.starts(ids, same_as) if rng.random() < (0.5 if aliases else 0.2) else None
        unknown: Unknown = "ignore" if rng.random() < 0.1 else "score"
        found = ReplayCase(document, leads, events, self.until(events), aliases, unknown, start)
        return self.to_the_point(found) if rng.random() < 0.5 else found

    def to_the_point(self, case: ReplayCase) -> ReplayCase:
        """The case with events, and sometimes the end, on timers, due times and alerts, or a microsecond beside."""
        rng = self.rng
        model = Model.model_validate(case.document)
        assert model.lifecycle is not None
        result = replay(model, case.leads, case.events, case.until, case.aliases, case.unknown_leads, case.start)
        points = [(row["lead_id"], row["at"]) for row in (*result.alerts, *result.transitions[-4:])]
        points += [(row["lead_id"], row["sla_due_at"]) for row in result.spans if row["sla_due_at"] is not None] * 2
        waits = [(set(rule.from_), int(rule.after)) for rule in model.lifecycle.transitions if rule.after is not None]
        for row in result.spans:
            points += [
                (row["lead_id"], row["entered_at"] + wait) for from_, wait in waits if {"*", row["stage"]} & from_
            ]
        last = held(self.stretch.end + (self.stretch.end - self.stretch.begin) // 4)
        points = [(lead, at) for lead, at in points if self.stretch.begin < at < last]
        if not points:
            return case
        events, until = list(case.events), case.until
        for lead, at in rng.sample(points, min(len(points), rng.choice((0, 1, 2, 4)))):
            row = {"lead_id": lead, "at": at + rng.choice((0, 0, 0, 1, -1)), **self.act(rng.choice(list(self.types)))}
            events.append(row | ({"event_id": None} if any("event_id" in one for one in events) else {}))
        if rng.random() < 0.5:
            until = rng.choice(points)[1] + rng.choice((0, 0, 0, 1, -1))
        return replace(case, events=events, until=until)

    def starts(self, ids: list[Any], same_as: dict[Any, Any]) -> list[dict[str, Any]]:
        """Where some leads stand at first, a person once; also leads that no other table knows."""
        rng = self.rng
        rows, seen = [], set()
        extra = [one for one in self.ids(3) if one not in ids][:1] if rng.random() < 0.3 else []
        for lead in [*rng.sample(ids, rng.randrange(len(ids) + 1)), *extra]:
            person = lead
            while person in same_as:
                person = same_as[person]
            if person not in seen:
                seen.add(person)
                at = rng.choice((self.stretch.begin, rng.choice(self.pool), rng.choice(self.pool)))
                rows.append({"lead_id": lead, "stage": rng.choice(self.documents.stages), "entered_at": at})
        return rows

    def until(self, events: list[dict[str, Any]]) -> int:
        """The end: where something happens, or might."""
        rng, stretch = self.rng, self.stretch
        late = self.pool[len(self.pool) // 2 :]
        last = held(stretch.end + (stretch.end - stretch.begin) // 4)
        draw = rng.random()
        if draw < 0.3:
            found = stretch.end
        elif draw < 0.55:
            found = rng.choice(late)
        elif draw < 0.65 and events:
            found = max(row["at"] for row in events)
        elif draw < 0.8:
            found = rng.choice(self.pool) + rng.choice([*self.documents.durations, HOUR])
        elif draw < 0.84:
            return held(stretch.begin - rng.choice((1, DAY)))
        elif draw < 0.92 and stretch.every is not None:
            instants = grid(self.documents.zone, stretch.every, stretch.begin, stretch.end)
            found = rng.choice(instants[-3:] or [stretch.end])
        else:
            found = stretch.end + rng.choice((1, -1, HOUR))
        return max(min(found, last), stretch.begin)
