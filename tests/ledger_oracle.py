"""The slow ledger: plain facts in dicts, every answer by one batch run over all of them (spec 10.2).

Rows are dicts, instants whole microseconds, scores micropoints. What the real ledger says, brought into this form by
`tests.ledgers`, is the same.
"""

from __future__ import annotations

import pickle
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import leadcore as lc
from leadcore._reference.aliases import read_aliases
from leadcore._reference.calendar import FIRST, LAST
from leadcore._reference.engine import people_of
from leadcore._reference.lifecycle import Journey, Occasion, Tally, timers_of
from leadcore._reference.moment import Moment, Person
from leadcore._reference.opening import Opening
from leadcore._reference.scores import score_lead
from leadcore._reference.stays import Stay, alert_rows
from leadcore._reference.tables import Problems, read_events, read_leads
from leadcore._time import to_micros, to_text
from leadcore.errors import DataError, LeadcoreError, Problem
from leadcore.model import Model
from leadcore.model.duration import Duration
from tests.engines import arrow
from tests.random_parts import DURATIONS

Id = int | str
Row = dict[str, Any]


@dataclass
class Changed:
    """What one call changed, as plain rows: tables and counts of `leadcore.Changes`; and whom it touched, as the oracle knows."""

    scores: list[Row] = field(default_factory=list)
    thresholds: list[Row] = field(default_factory=list)
    transitions: list[Row] = field(default_factory=list)
    alerts: list[Row] = field(default_factory=list)
    late: list[Row] = field(default_factory=list)
    counts: dict[str, Any] = field(default_factory=dict)
    touched: list[Id] = field(default_factory=list)


@dataclass
class Told:
    """What is true of a lead at an instant, and so what was said of it when it was brought there.

    Attributes:
        scores: None for a lead that is not there: none of its facts is, or is yet.
        reached: Thresholds as of the last evaluation; without a lifecycle as of the scores.
        transitions, alerts: With their keys.
    """

    scores: Row | None = None
    reached: Row = field(default_factory=dict)
    transitions: list[Row] = field(default_factory=list)
    alerts: list[Row] = field(default_factory=list)


@dataclass
class Record:
    """Rows of leads of one id: attributes by ``valid_from``, and the earliest ``created_at``."""

    rows: dict[int | None, Row] = field(default_factory=dict)
    created_at: int | None = None


@dataclass(frozen=True)
class Adoption:
    """Where a lead stood when another model took it over: up to then all stays as it was told."""

    at: int
    state: Told


@dataclass
class Lead:
    """All there is of one lead.

    Attributes:
        records: By id, its own and those merged into it.
        events: Rows of events without an id.
        by_id: Rows of events with one.
        dead: Events that were retracted, by their ids.
        unread: Events told under an earlier model, of types that the model at hand does not have.
        told: The instant it was brought to, None: never.
        newest: The newest event told, ever.
        state: What was told.
        adopted: How another model took it over, None: it did not, or as if it had been there from the start.
    """

    records: dict[Id, Record] = field(default_factory=dict)
    events: list[Row] = field(default_factory=list)
    by_id: dict[Id, Row] = field(default_factory=dict)
    dead: dict[Id, Row] = field(default_factory=dict)
    unread: list[Row] = field(default_factory=list)
    told: int | None = None
    newest: int | None = None
    state: Told = field(default_factory=Told)
    adopted: Adoption | None = None

    def happened(self) -> list[Row]:
        """All rows of events."""
        return [*self.events, *self.by_id.values()]

    def dated(self) -> list[int]:
        """Instants of rows of leads; of ``created_at`` the earliest counts (spec 2.1)."""
        found = [since for record in self.records.values() for since in record.rows if since is not None]
        created_at = least(*(record.created_at for record in self.records.values()))
        return found if created_at is None else [*found, created_at]

    def instants(self) -> list[int]:
        """Instants of all facts."""
        return [row["at"] for row in self.happened()] + self.dated()

    def begun(self) -> int:
        """The earliest instant of all facts there ever were."""
        return min([*self.instants(), *(row["at"] for row in self.dead.values())], default=LAST)

    def since_ever(self) -> list[Row]:
        """Rows of leads without an instant."""
        return [record.rows[None] for record in self.records.values() if None in record.rows]

    def __bool__(self) -> bool:
        """Whether there is any fact."""
        return bool(self.events or self.by_id or any(record.rows for record in self.records.values()))


class OracleLedger:
    """A ledger that keeps every fact and runs the batch again at every call.

    Args:
        scorer: The compiled model.
        late: How much older than the newest event told facts may be, or ``"all"``.
    """

    def __init__(self, scorer: lc.Scorer, late: str | timedelta = "7d") -> None:
        self.scorer = scorer
        self.late = None if late == "all" else int(Duration(late))
        self.clock: int | None = None
        self.leads: dict[Id, Lead] = {}
        self.aliases: dict[Id, Id] = {}

    @property
    def model(self) -> Model:
        """The model at hand."""
        return self.scorer.model

    # -- facts in ----------------------------------------------------------------------------------------------------

    def apply(
        self,
        events: Sequence[Row] | None = None,
        leads: Sequence[Row] | None = None,
        *,
        until: int | None = None,
        on_late: str = "raise",
        taken: Container[int] = (),
    ) -> Changed:
        """Add rows; bring every lead they are of to the newest of its rows that is not after ``until``.

        Rows of leads named in ``taken`` may correct others however late they are: another ledger found that nothing looks
        at what they change.
        """
        changed = Changed(counts=no_counts())
        known, self.leads = self.leads, deepcopy(self.leads)
        try:
            touched = self._add_leads(leads or (), known, changed, taken)
            for lead_id, instants in self._add_events(events or (), known, changed).items():
                touched.setdefault(lead_id, []).extend(instants)
            if changed.late and on_late == "raise":
                raise DataError([late_problem(row) for row in changed.late])
        except DataError:
            self.leads = known
            raise
        for lead_id, instants in touched.items():  # facts kept that lie further ahead are still to come
            instants = instants if until is None else [*instants, *self.leads[lead_id].instants()]
            reached = [at for at in instants if at is not None and (until is None or at <= until)]
            self._bring(self.leads[lead_id], [self.clock, *reached])
        changed.counts["late"] = len(changed.late)
        return self._tell(touched, changed)

    def add(
        self, lead_id: Id, at: int, type: str, properties: Row | None = None, event_id: Id | None = None
    ) -> Changed:
        """Add one event."""
        return self.apply([{"lead_id": lead_id, "at": at, "type": type, **(properties or {}), "event_id": event_id}])

    def _add_events(
        self, rows: Sequence[Row], known: Mapping[Id, Lead], changed: Changed
    ) -> dict[Id, list[int | None]]:
        touched: dict[Id, list[int | None]] = {}
        counts = changed.counts
        for number, row in enumerate(rows):
            if row["type"] not in self.model.events:
                counts["ignored"][row["type"]] = counts["ignored"].get(row["type"], 0) + 1
                continue
            lead_id = self.person(row["lead_id"])
            floor = self._floor(known.get(lead_id))
            if floor is not None and row["at"] < floor:
                changed.late.append(late_row("events", number, row, row["at"], floor))
                touched.setdefault(lead_id, [])  # the call is about it: what it keeps up to ``until`` is told
                continue
            instants = touched.setdefault(lead_id, [])
            lead, event_id = self._lead(lead_id), row.get("event_id")
            if event_id is None:
                lead.events.append(row)
            elif event_id in lead.dead:
                counts["duplicates"] += 1
                continue
            elif event_id in lead.by_id:
                if self.content(lead.by_id[event_id]) != self.content(row):
                    reason = f"is known of lead {lead_id!r} with other content"
                    raise DataError([Problem("events", number, "event_id", str(event_id), reason)])
                counts["duplicates"] += 1
                continue
            else:
                lead.by_id[event_id] = row
            counts["events"] += 1
            instants.append(row["at"])
        return touched

    def _add_leads(
        self, rows: Sequence[Row], known: Mapping[Id, Lead], changed: Changed, taken: Container[int]
    ) -> dict[Id, list[int | None]]:
        touched: dict[Id, list[int | None]] = {}
        for number, row in enumerate(rows):
            lead_id, since, created_at = self.person(row["lead_id"]), row.get("valid_from"), row.get("created_at")
            values = self.attributes(row)
            before = known.get(lead_id, Lead())
            late_at = self._late_row(before, row["lead_id"], since, created_at, values)
            if late_at is not None and not (
                number in taken and since in before.records.get(row["lead_id"], Record()).rows
            ):
                floor = self._floor(before)
                assert floor is not None
                changed.late.append(late_row("leads", number, row, late_at[0], floor))
                touched.setdefault(lead_id, [])
                continue
            touched.setdefault(lead_id, []).extend([since, created_at])
            record = self._lead(lead_id).records.setdefault(row["lead_id"], Record())
            record.rows[since] = values
            record.created_at = least(record.created_at, created_at)
            changed.counts["leads"] += 1
        return touched

    def _late_row(
        self, lead: Lead, record_id: Id, since: int | None, created_at: int | None, values: Row
    ) -> tuple[int | None] | None:
        """The instant for which a row of leads comes too late (None: since ever), or None if it does not."""
        floor = self._floor(lead)
        if floor is None:
            return None
        record = lead.records.get(record_id, Record())
        if since not in record.rows or record.rows[since] != values:
            if since is None and lead.begun() < floor:
                return (None,)
            if since is not None and since < floor:
                return (since,)
        birth = birth_of(lead)
        if created_at is not None and created_at < floor and (birth is None or created_at < birth):
            return (created_at,)
        return None

    def retract(self, events: Sequence[Row]) -> Changed:
        """Take events back, as if they had never been; their ids stay dead."""
        changed = Changed(counts=no_counts())
        found: dict[tuple[Id, Id], Row] = {}
        touched: dict[Id, None] = {}
        for number, row in enumerate(events):
            lead_id, event_id = self.person(row["lead_id"]), row["event_id"]
            lead = self.leads.get(lead_id, Lead())
            floor, dead = self._floor(lead), lead.dead.get(event_id)
            if (lead_id, event_id) in found or (dead is not None and (floor is None or dead["at"] >= floor)):
                changed.counts["duplicates"] += 1
            elif event_id not in lead.by_id:
                changed.counts["unknown"] += 1
                if floor is not None and lead.begun() < floor:
                    changed.late.append(late_row("events", number, row, None, floor))  # it may have been known once
            else:
                event = found[lead_id, event_id] = lead.by_id[event_id]
                if floor is not None and event["at"] < floor:
                    changed.late.append(late_row("events", number, row, event["at"], floor))
                touched[lead_id] = None
        if changed.late:
            raise DataError([late_problem(row) for row in changed.late])
        for lead_id, event_id in found:
            self.leads[lead_id].dead[event_id] = self.leads[lead_id].by_id.pop(event_id)
        changed.counts["events"] = len(found)
        return self._tell(touched, changed)

    def forget(self, lead_id: Id) -> bool:
        """Drop all there is of a lead and of the records merged into it."""
        lead_id = self.person(lead_id)
        self.aliases = {one: other for one, other in self.aliases.items() if self.person(one) != lead_id}
        return bool(self.leads.pop(lead_id, None))

    def merge(self, lead_id: Id, into: Id) -> Changed:
        """Make a lead a record of another, as a row of aliases would (spec 2.8)."""
        changed = Changed(counts=no_counts())
        one, other = self.person(lead_id), self.person(into)
        if one == other:
            if self.aliases.get(lead_id) == into:
                return changed
            raise LeadcoreError(f"{lead_id!r} and {into!r} are one lead already")
        if lead_id in self.aliases:
            raise LeadcoreError(f"{lead_id!r} is a record of {one!r} already")
        known = one in self.leads
        mine, others = self.leads.get(one, Lead()), self.leads.get(other, Lead())
        self._check_merge(mine, others)
        for event_id in mine.by_id.keys() & others.by_id.keys():
            if self.content(mine.by_id[event_id]) != self.content(others.by_id[event_id]):
                raise DataError([Problem("events", None, "event_id", str(event_id), "differs between the two")])
        self.aliases[lead_id] = into
        lead = self._lead(other)
        lead.records |= mine.records
        lead.events += mine.events
        lead.unread += mine.unread
        lead.dead |= mine.dead
        lead.by_id = {id_: row for id_, row in (mine.by_id | lead.by_id).items() if id_ not in lead.dead}
        told = mine.told if mine.told is not None else FIRST - 1
        lead.newest = most(
            lead.newest, *(row["at"] for row in mine.happened() if row["at"] <= told)
        )  # but not of dead ones
        withdrawn = mine.state
        if lead:
            self._bring(lead, [mine.told])
        changed.transitions = [row | {"change": "withdrawn"} for row in withdrawn.transitions]
        changed.alerts = [row | {"change": "withdrawn"} for row in withdrawn.alerts]
        self.leads.pop(one, None)
        return self._tell({other: None} if known else {}, changed)  # of nothing nothing is told

    def _check_merge(self, mine: Lead, others: Lead) -> None:
        """Refuse what a ledger cannot do that keeps only facts within ``late``."""
        own, floor = self._floor(mine), self._floor(others)
        if own is not None and mine.begun() < own:  # those taken back too: an image says where it began, not why
            raise LeadcoreError("not all of its facts are kept any more")
        if floor is None:
            return
        if mine.begun() < floor:
            raise LeadcoreError("its facts come too late for the other")
        if mine.since_ever() and others.begun() < floor:
            raise LeadcoreError("its attributes since ever come too late for the other")

    def advance(self, until: int) -> Changed:
        """Bring every lead to an instant."""
        changed = Changed(counts=no_counts())
        if self.clock is not None and until <= self.clock:
            return changed
        self.clock = until
        for lead in self.leads.values():
            self._bring(lead, [until])
        return self._tell(dict.fromkeys(self.leads), changed)

    def migrate(
        self,
        scorer: lc.Scorer,
        at: int | None = None,
        events: Sequence[Row] | None = None,
        leads: Sequence[Row] | None = None,
    ) -> Changed:
        """Move to another model with scores of the same names: from ``at`` on, or as if it had always been there."""
        changed = Changed(counts=no_counts())
        both = self.model.lifecycle is not None and scorer.model.lifecycle is not None
        if at is not None:
            self.clock = most(self.clock, at)
            for lead in self.leads.values():
                self._bring(lead, [self.clock])
        stood = {} if at is None or not both else self.states(dict.fromkeys(self.leads, at))
        for lead_id, lead in self.leads.items():
            state = stood.get(lead_id)
            lead.adopted = Adoption(at, state) if at is not None and state is not None and state.transitions else None
        self.scorer = scorer
        for lead in self.leads.values():
            rows, types = [*lead.happened(), *lead.unread], self.model.events
            lead.events = [row for row in rows if row["type"] in types and row.get("event_id") is None]
            lead.by_id = {
                row["event_id"]: row for row in rows if row["type"] in types and row.get("event_id") is not None
            }
            lead.unread = [row for row in rows if row["type"] not in types]
            self._bring(lead, [])
            floor = self._floor(lead)  # of what was taken back and cannot come again the other book knows nothing
            lead.dead = {one: row for one, row in lead.dead.items() if floor is None or row["at"] >= floor}
        return self._tell(dict.fromkeys(self.leads), changed)

    # -- what is told ------------------------------------------------------------------------------------------------

    def _bring(self, lead: Lead, instants: Iterable[int | None]) -> None:
        """Move the instant told on to the latest of these."""
        for instant in instants:
            lead.told = most(lead.told, instant)
        for row in lead.happened():
            if lead.told is not None and row["at"] <= lead.told:
                lead.newest = most(lead.newest, row["at"])

    def _tell(self, touched: Iterable[Id], changed: Changed) -> Changed:
        """Run the batch anew for some leads and say what is different from what was said before."""
        changed.touched = list(touched)
        states = self.states({lead_id: told for lead_id in touched if (told := self.leads[lead_id].told) is not None})
        for lead_id, state in states.items():
            lead = self.leads[lead_id]
            before, lead.state = lead.state, state
            names = list(self.model.scores)
            for name in names:
                pair = ((before.scores or {}).get(name, 0), (state.scores or {}).get(name, 0))
                if pair[0] != pair[1]:
                    row = {"lead_id": lead_id, "as_of": lead.told, "score": name, "before": pair[0], "after": pair[1]}
                    changed.scores.append(row)
            for name in self.model.thresholds:
                reached = state.reached.get(name, False)
                if before.reached.get(name, False) != reached:
                    row = {"lead_id": lead_id, "as_of": lead.told, "threshold": name, "reached": reached}
                    changed.thresholds.append(row)
            changed.transitions += differences(before.transitions, state.transitions)
            changed.alerts += differences(before.alerts, state.alerts)
        return changed

    def states(self, asked: Mapping[Id, int]) -> dict[Id, Told]:
        """What is true of leads at instants, by batch runs over their facts."""
        found: dict[Id, Told] = {}
        by_instant: dict[int, list[Id]] = defaultdict(list)
        for lead_id, instant in asked.items():
            by_instant[instant].append(lead_id)
        for instant, ids in by_instant.items():
            found |= {lead_id: Told() for lead_id in ids}
            rest = ids
            if self.model.lifecycle is not None:
                self._replayed([one for one in ids if self.leads[one].adopted is None], instant, found)
                rest = [lead_id for lead_id in ids if found[lead_id].scores is None]
            for row in self._scored(rest, instant):
                one = found[row["lead_id"]]
                one.scores = {name: row[name] for name in self.model.scores}
                if self.model.lifecycle is None:
                    one.reached = {name: row[name] for name in self.model.thresholds}
            for lead_id in rest:
                if self.leads[lead_id].adopted is not None and self.model.lifecycle is not None:
                    self._taken_over(lead_id, instant, found[lead_id])
        return {lead_id: found[lead_id] for lead_id in asked}

    def _replayed(self, ids: Sequence[Id], until: int, found: dict[Id, Told]) -> None:
        """Put what a replay says to what is true of leads; of those born later it says nothing."""
        if not ids:
            return
        events, leads, aliases = self.tables(ids)
        end = to_text(until)
        result = self.scorer.replay(events, leads, until=end, aliases=aliases, micropoints=True, threads=1)
        for lead_id in ids:
            found[lead_id].reached = dict.fromkeys(self.model.thresholds, False)
        for row in plain(result.states):
            found[row["lead_id"]].reached = {name: row[name] for name in self.model.thresholds}
            found[row["lead_id"]].scores = {name: row[name] for name in self.model.scores}
        for row in plain(result.transitions):
            found[row["lead_id"]].transitions.append(row)
        for row in plain(result.alerts):
            found[row["lead_id"]].alerts.append(row)
        for lead_id in ids:
            found[lead_id].transitions = keyed(found[lead_id].transitions, TRANSITION)
            found[lead_id].alerts = keyed(found[lead_id].alerts, ALERT)

    def _taken_over(self, lead_id: Id, until: int, found: Told) -> None:
        """The same of a lead that another model took over: what was told by then, and what that model does from then on."""
        adoption = self.leads[lead_id].adopted
        assert adoption is not None
        found.transitions = [row for row in adoption.state.transitions if row["at"] <= until]
        found.alerts = [row for row in adoption.state.alerts if row["at"] <= until]
        if until < adoption.at:
            return
        journey = TakenOver(self.model, self._person(lead_id), adoption, until)
        if self.leads[lead_id]:  # one of whom nothing holds any more stays where it was
            journey.run()
            found.reached = journey.thresholds
        found.transitions += journey.transitions
        calendars = {name: Opening(one, self.model.timezone) for name, one in self.model.calendars.items()}
        for stay in journey.stays:
            rows = alert_rows(lead_id, stay, until, calendars)
            found.alerts += [row for row in rows if row["at"] > adoption.at]
        found.transitions = keyed(found.transitions, TRANSITION)
        found.alerts = keyed(found.alerts, ALERT)

    def _person(self, lead_id: Id) -> Person:
        """A lead as the reference engine has it."""
        events, leads, aliases = self.rows([lead_id])
        problems = Problems()
        facts = read_leads(self.model, leads, problems)
        happened, _ = read_events(self.model, events, problems)
        same_as = read_aliases(aliases, problems)
        problems.stop()
        return people_of(facts, happened, same_as, problems, more=[lead_id])[lead_id]

    # -- questions ---------------------------------------------------------------------------------------------------

    def score(self, as_of: int, leads: Sequence[Id] | None = None) -> list[Row]:
        """Rows of `leadcore.Scorer.score` over all facts; leads named are asked, whether or not there are facts by then."""
        if leads is None:
            return self._scored(list(self.leads), as_of)
        rows = self._asked([(lead_id, as_of) for lead_id in leads])
        return [{"lead_id": one} | without(row, "lead_id", "as_of") for one, row in zip(leads, rows, strict=True)]

    def lead(self, lead_id: Id, as_of: int | None = None) -> Told:
        """What is true of a lead at an instant, by default the one told."""
        lead_id = self.person(lead_id)
        instant = self.leads[lead_id].told if as_of is None else as_of
        return Told() if instant is None else self.states({lead_id: instant})[lead_id]

    def foreseen(self, lead_id: Id, as_of: int, until: int) -> tuple[Told, list[Row]]:
        """What is true of a lead at an instant by the facts up to then, and its moves after that if nothing happens."""
        apart = self.by_then([lead_id], as_of)
        state = apart.states({lead_id: as_of})[lead_id]
        if self.model.lifecycle is None:
            return state, []
        after = apart.states({lead_id: until})[lead_id].transitions
        return state, [row for row in after if row["at"] > as_of] if state.transitions else []

    def next_change(self, as_of: int, until: int, leads: Sequence[Id]) -> list[Row]:
        """When thresholds and stages of leads change next if nothing happens, by looking at many instants."""
        found = []
        for lead_id in leads:
            state, moves = self.foreseen(self.person(lead_id), as_of, until)
            if state.scores is None:
                continue
            for name in self.model.thresholds:
                row = {"lead_id": lead_id, "kind": "threshold", "name": name}
                if (at := self.crossing(name, self.person(lead_id), as_of, until, [])) is not None:
                    found.append(row | {"at": at, "reached": not state.reached[name]})
            row = {"lead_id": lead_id, "kind": "stage", "reached": None}
            found += [row | {"name": move["to_stage"], "at": move["at"]} for move in moves[:1]]
        return found

    def crossing(self, name: str, lead_id: Id, as_of: int, until: int, more: Sequence[int]) -> int | None:
        """The first of many instants at which a threshold would change, or one before it; None if it does at none."""
        threshold, lifecycle = self.model.thresholds[name], self.model.lifecycle
        at = self.model.micropoints(threshold.at)
        release = at if threshold.release is None or lifecycle is None else self.model.micropoints(threshold.release)
        apart = self.by_then([lead_id], as_of)
        reached = apart.states({lead_id: as_of})[lead_id].reached[name]
        if reached and threshold.latch and lifecycle is not None:
            return None

        def first(marks: Iterable[int]) -> int | None:
            ordered = sorted(mark for mark in {*marks} if as_of <= mark <= until)
            rows = apart._asked([(lead_id, mark) for mark in ordered])
            changed = (row[threshold.score] < release if reached else row[threshold.score] >= at for row in rows)
            return next((mark for mark, yes in zip(ordered, changed, strict=True) if yes), None)

        marks = {as_of, until, *more, *sampled(apart.leads[lead_id].instants(), as_of, until)}
        low, high = as_of - 1, first(marks)
        if high is None:
            return None
        low = max((mark for mark in marks if as_of <= mark < high), default=low)
        while high - low > 1:
            steps = [low + (high - low) * i // 16 for i in range(1, 16)]
            found = first([*steps, high])
            assert found is not None
            low, high = max([low, *(step for step in steps if step < found)]), found
        return high

    def by_then(self, leads: Sequence[Id], as_of: int) -> OracleLedger:
        """A ledger that knows only the facts of some leads up to an instant."""
        apart = OracleLedger(self.scorer)
        apart.aliases = self.aliases
        for lead_id in leads:
            lead = self.leads[lead_id]
            records = {
                record_id: Record(
                    {since: row for since, row in one.rows.items() if since is None or since <= as_of},
                    one.created_at if one.created_at is None or one.created_at <= as_of else None,
                )
                for record_id, one in lead.records.items()
            }
            by_id = {event_id: row for event_id, row in lead.by_id.items() if row["at"] <= as_of}
            events = [row for row in lead.events if row["at"] <= as_of]
            apart.leads[lead_id] = Lead(records, events, by_id, adopted=lead.adopted)
        return apart

    def _asked(self, pairs: Sequence[tuple[Id, int]]) -> list[Row]:
        """Scores of leads at instants of their own."""
        events, leads, aliases = self.tables(list(dict.fromkeys(self.person(one) for one, _ in pairs)))
        asked = arrow([{"lead_id": one, "as_of": at} for one, at in pairs], {"as_of": "instant"})
        return plain(self.scorer.score(events, leads, as_of=asked, aliases=aliases, micropoints=True, threads=1))

    def __len__(self) -> int:
        return sum(map(bool, self.leads.values()))

    def __contains__(self, lead_id: Id) -> bool:
        return bool(self.leads.get(self.person(lead_id)))

    def __iter__(self) -> Iterator[Id]:
        return (lead_id for lead_id, lead in self.leads.items() if lead)

    def save(self, path: Path) -> None:
        """Write everything to a file."""
        path.write_bytes(pickle.dumps(self.__dict__))

    def load(self, path: Path) -> OracleLedger:
        """Read everything from a file."""
        self.__dict__ |= pickle.loads(path.read_bytes())
        return self

    def _scored(self, ids: Sequence[Id], as_of: int) -> list[Row]:
        if not ids:
            return []
        events, leads, aliases = self.tables(ids)
        return plain(
            self.scorer.score(events, leads, as_of=to_text(as_of), aliases=aliases, micropoints=True, threads=1)
        )

    # -- parts -------------------------------------------------------------------------------------------------------

    def person(self, lead_id: Id) -> Id:
        """The lead whose record an id is."""
        while lead_id in self.aliases:
            lead_id = self.aliases[lead_id]
        return lead_id

    def tables(self, ids: Sequence[Id]) -> tuple[Any, Any, Any]:
        """Events, leads and aliases of some leads, as a batch run takes them."""
        events, leads, aliases = self.rows(ids)
        return event_table(self.model, events), lead_table(self.model, leads), arrow(aliases, {}) if aliases else None

    def rows(self, ids: Sequence[Id]) -> tuple[list[Row], list[Row], list[Row]]:
        """Rows of events, leads and aliases of some leads."""
        chosen = [self.leads[one] for one in ids]
        events = [row for lead in chosen for row in lead.happened()]
        rows = [
            {"lead_id": record_id, "valid_from": since, "created_at": record.created_at, **values}
            for lead in chosen
            for record_id, record in lead.records.items()
            for since, values in record.rows.items()
        ]
        wanted = set(ids)
        pairs = [
            {"lead_id": one, "same_as": other} for one, other in self.aliases.items() if self.person(one) in wanted
        ]
        return events, rows, pairs

    def content(self, row: Row) -> tuple[Any, ...]:
        """What makes two rows with one event id the same (spec 2.5)."""
        declared = self.model.events[row["type"]]
        return (row["at"], row["type"], *(exact(row.get(name), one.type) for name, one in declared.items()))

    def attributes(self, row: Row) -> Row:
        """What a row of leads says."""
        return {name: exact(row.get(name), one.type) for name, one in self.model.attributes.items()}

    def _lead(self, lead_id: Id) -> Lead:
        return self.leads.setdefault(lead_id, Lead())

    def _floor(self, lead: Lead | None) -> int | None:
        """Before this instant facts of a lead come too late."""
        if lead is None or lead.newest is None or self.late is None:
            return None
        return lead.newest - self.late


class TakenOver(Journey):
    """A lead's way on under a model that took it over: what was before counts for scores and moves nothing."""

    def __init__(self, model: Model, person: Person, adoption: Adoption, end: int) -> None:
        moves = adoption.state.transitions
        super().__init__(model, person, adoption.at, moves[-1]["to_stage"], end, Tally())
        self.visits = Counter(row["to_stage"] for row in moves)
        stage, entered = self.stages[self.initial], moves[-1]["at"]
        self.stays = [Stay(stage, self.visits[stage.name], entered, "")]
        ends = {entered + int(after) for after in timers_of(self.lifecycle, stage)}
        self.timers = sorted(end for end in ends if end > adoption.at)
        values = score_lead(Moment(model, person, adoption.at)).values
        for name, threshold in model.thresholds.items():
            fresh = values[threshold.score] >= model.micropoints(threshold.at)
            self.thresholds[name] = adoption.state.reached.get(name, fresh)

    def fixed(self) -> list[Occasion]:
        """Only what comes after."""
        return [occasion for occasion in super().fixed() if occasion.at > self.birth]


TRANSITION = ("lead_id", "at", "from_stage", "to_stage", "rule", "cause", "event_id")
ALERT = ("lead_id", "stage", "entered_at", "level", "at")


def keyed(rows: Sequence[Row], columns: Sequence[str]) -> list[Row]:
    """The rows with a key: what they are in these columns, and which of those equal in them."""
    seen: Counter[Any] = Counter()
    found = []
    for row in rows:
        same = tuple(row[name] for name in columns)
        found.append(row | {"key": repr((*same, seen[same]))})
        seen[same] += 1
    return found


def without(row: Row, *names: str) -> Row:
    """A row without some columns."""
    return {name: value for name, value in row.items() if name not in names}


def differences(before: Sequence[Row], after: Sequence[Row]) -> list[Row]:
    """What leads from the one to the other: withdrawn, then new."""
    withdrawn = [row | {"change": "withdrawn"} for row in before if row not in after]
    return withdrawn + [row | {"change": "new"} for row in after if row not in before]


def birth_of(lead: Lead) -> int | None:
    """When a lead is born by all its facts (spec 8.3)."""
    return min(lead.instants(), default=None)


def no_counts() -> dict[str, Any]:
    """Counts of a call that did nothing."""
    return {"events": 0, "leads": 0, "duplicates": 0, "ignored": {}, "late": 0, "unknown": 0}


def late_row(table: str, number: int, row: Row, at: int | None, floor: int) -> Row:
    """A row of facts that came too late."""
    late_by = None if at is None else floor - at
    return {"table": table, "row": number, "lead_id": row["lead_id"], "at": at, "late_by": late_by}


def late_problem(row: Row) -> Problem:
    """What is said of it."""
    return Problem(row["table"], row["row"], "at", None, f"comes too late by {row['late_by']} us")


def least(*instants: int | None) -> int | None:
    """The earliest, if there is one."""
    return min((one for one in instants if one is not None), default=None)


def most(*instants: int | None) -> int | None:
    """The latest, if there is one."""
    return max((one for one in instants if one is not None), default=None)


def sampled(instants: Sequence[int], as_of: int, until: int) -> list[int]:
    """Instants within a stretch: at even distances, and at usual durations after others, or beside."""
    found = [as_of + (until - as_of) * i // 40 for i in range(40)]
    return found + [one + span + step for one in {*instants[-6:], as_of} for span in DURATIONS for step in (-1, 0, 1)]


def exact(value: Any, type_: str) -> Any:
    """A value as it is compared: of two zeros one, NaN as null, numbers as float64 (spec 2.7)."""
    if type_ != "number" or value is None:
        return value
    return None if value != value else float(value) + 0.0


def event_table(model: Model, rows: Sequence[Row]) -> Any:
    """Rows of events as Arrow."""
    properties = {name: one.type for declared in model.events.values() for name, one in declared.items()}
    return arrow(rows, {"at": "instant", "type": "text", **properties})


def lead_table(model: Model, rows: Sequence[Row]) -> Any:
    """Rows of leads as Arrow, None without any."""
    attributes = {name: one.type for name, one in model.attributes.items()}
    return arrow(rows, {"created_at": "instant", "valid_from": "instant", **attributes}) if rows else None


def plain(frame: Any) -> list[Row]:
    """Rows of a result, instants in microseconds."""
    return micros(frame.to_dicts())


def micros(rows: Iterable[Row]) -> list[Row]:
    """Rows with instants in microseconds."""
    return [
        {name: to_micros(value) if isinstance(value, datetime) else value for name, value in row.items()}
        for row in rows
    ]
