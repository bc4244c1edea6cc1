"""Scores at T, recomputed from the whole event set (spec 2, 6, 7, 12)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from leadcore._reference.accounts import account_rows
from leadcore._reference.aliases import Aliases, merge_facts, person_of, read_aliases
from leadcore._reference.calendar import FIRST, LAST
from leadcore._reference.criteria import overflow
from leadcore._reference.explain import Share, placed_criteria, shares
from leadcore._reference.moment import Moment, Person
from leadcore._reference.order import canonical, once
from leadcore._reference.scores import Line, Scored, conclusions, score_lead
from leadcore._reference.tables import (
    Event,
    Facts,
    Id,
    Problems,
    Row,
    check_ids_agree,
    is_id,
    read_events,
    read_leads,
)
from leadcore.model.document import Model

AsOf = int | Mapping[Id, int] | Sequence[tuple[Id, int]]
Unknown = Literal["score", "error", "ignore"]


@dataclass
class Result:
    """Scores at T.

    Attributes:
        moments: Each lead asked for at its T, in the order of the rows.
        scored: Their scores.
        rows: One per moment: ``lead_id``, ``as_of`` where several were asked, then the columns of spec 12 with scores
            in micropoints.
        ignored: Rows of each undeclared event type (spec 2.6).
    """

    moments: list[Moment]
    scored: list[Scored]
    rows: list[dict[str, Any]]
    ignored: dict[str, int]
    one_instant: bool = field(default=True)

    @cached_property
    def lines(self) -> list[list[Line]]:
        """Each row's explanation: lines in document order that sum to each score (spec 7)."""
        return [scored.lines for scored in self.scored]

    @cached_property
    def shares(self) -> list[list[Share]]:
        """Each row's counted events with their shares of the raw values (spec 7)."""
        return [shares(moment) for moment in self.moments]

    @cached_property
    def accounts(self) -> list[dict[str, Any]]:
        """Account scores (spec 6.6): one row per account, or per (``as_of``, account) where several were asked."""
        if not self.moments or self.moments[0].model.accounts is None:
            return []
        accounts = self.moments[0].model.accounts
        by_instant: dict[int, dict[Id, tuple[Id | None, dict[str, int]]]] = {}
        for moment, scored in zip(self.moments, self.scored, strict=True):
            account = moment.facts.account if moment.facts else None
            by_instant.setdefault(moment.now, {})[moment.person.lead_id] = (account, scored.values)
        rows = []
        for now in sorted(by_instant):
            for row in account_rows(accounts, list(by_instant[now].values())):
                rows.append(row if self.one_instant else {"as_of": now, **row})
        return rows

    @cached_property
    def unique_by_overflow(self) -> int:
        """Events not counted, over all rows, because `unique_by` had too many values (spec 4.6)."""
        return sum(
            overflow(criterion, group_reset, moment)
            for moment in self.moments
            for _, _, criterion, group_reset in placed_criteria(moment)
        )


def score(
    model: Model,
    leads: Sequence[Row] | None,
    events: Sequence[Row],
    as_of: AsOf,
    aliases: Sequence[Row] | None = None,
    unknown_leads: Unknown = "score",
) -> Result:
    """Score leads at T from rows of plain Python values; instants are microseconds since 1970.

    Args:
        model: A checked model.
        leads: Rows of leads (spec 2.1), or None where there is no such table.
        events: Rows of events (spec 2.2).
        as_of: T; or T by lead; or (lead, T) as often as wanted.
        aliases: Rows of ``lead_id``, ``same_as`` (spec 2.8).
        unknown_leads: What to do with leads known only from events (spec 2.6).

    Returns:
        For one T, and for T by lead: the leads in input order, then those known only from events by id (spec 12); by lead,
        only those that have a T. For pairs: one row per pair in their order, a lead nobody knows being scored with all
        attributes null and no events.

    Raises:
        DataError: Rows are faulty, or leads unknown and ``unknown_leads`` is ``"error"``.
    """
    problems = Problems()
    facts = read_leads(model, leads or (), problems)
    happened, ignored = read_events(model, events, problems)
    same_as = read_aliases(aliases or (), problems)
    check_ids(facts, happened, same_as, problems)
    problems.stop()

    people = people_of(facts, happened, same_as, problems)
    problems.stop()

    asks = asks_of(people, as_of, same_as, problems)
    problems.stop()
    kept = []
    for number, moment in enumerate(Moment(model, person, now) for person, now in asks):
        if not moment.person.in_leads and unknown_leads == "error":
            problems.add("events", first_row(moment), "lead_id", moment.person.lead_id, "is not among the leads")
        elif moment.person.in_leads or unknown_leads == "score":
            kept.append((number, moment))
    problems.stop()

    moments = [moment for _, moment in kept]
    scored = [score_lead(moment) for moment in moments]
    rows = []
    for moment, one in zip(moments, scored, strict=True):
        row: dict[str, Any] = {"lead_id": moment.person.lead_id}
        if not isinstance(as_of, int):
            row["as_of"] = moment.now
        rows.append({**row, **conclusions(moment, one.values)})
    return Result(moments, scored, rows, ignored, one_instant=isinstance(as_of, int))


def check_ids(
    facts: Sequence[Facts],
    events: Sequence[Event],
    aliases: Aliases,
    problems: Problems,
    more: Sequence[tuple[str, int, str, Id | None]] = (),
) -> None:
    """Lead ids are of one kind in all tables, and so are event ids and accounts; ``more`` are further lead ids."""
    leads: list[tuple[str, int, str, Id | None]] = [("leads", row.row, "lead_id", row.source) for row in facts]
    leads += [("events", event.row, "lead_id", event.lead_id) for event in events]
    for number, (lead, same_as) in enumerate(aliases.items()):
        leads += [("aliases", number, "lead_id", lead), ("aliases", number, "same_as", same_as)]
    check_ids_agree([*leads, *more], problems)
    check_ids_agree([("events", event.row, "event_id", event.event_id) for event in events], problems)
    check_ids_agree([("leads", row.row, "account_id", row.account) for row in facts], problems)


def people_of(
    facts: Sequence[Facts], events: Sequence[Event], aliases: Aliases, problems: Problems, more: Iterable[Id] = ()
) -> dict[Id, Person]:
    """Everybody in the tables: those of the leads table in input order, then the others by id (spec 2.8, 12).

    ``more`` are people who may be in no table. Of several records of one person the earliest `created_at` counts (2.1), also
    where the attributes of another count.
    """
    people: dict[Id, Person] = {}
    for row in facts:
        lead = person_of(row.source, aliases)
        people.setdefault(lead, Person(lead)).facts.append(row)
    others = {*(person_of(event.lead_id, aliases) for event in events), *more} - set(people)
    for lead in sorted(others, key=lambda id_: (isinstance(id_, str), id_)):
        people[lead] = Person(lead)
    for event in events:
        people[person_of(event.lead_id, aliases)].events.append(event)
    for person in people.values():
        created = [row.created_at for row in person.facts if row.created_at is not None]
        person.created_at = min(created, default=None)
        person.facts = merge_facts(person.lead_id, person.facts)
        person.events = canonical(once(person.events, problems))
    return people


def asks_of(people: Mapping[Id, Person], as_of: AsOf, aliases: Aliases, problems: Problems) -> list[tuple[Person, int]]:
    """Who is to be scored at which T, in the order of the rows.

    Spec 2.6: leads of the leads table are scored at every T, "a lead known only from declared events at or before T" too.
    """
    if isinstance(as_of, int):
        check_instant(None, as_of, problems)
        wanted = [(person, as_of) for person in people.values()]
    elif isinstance(as_of, Mapping):
        at = {person_of(lead, aliases): now for lead, now in as_of.items()}
        for now in at.values():
            check_instant(None, now, problems)
        for lead, person in people.items():
            if person.in_leads and lead not in at:
                problems.add("leads", person.facts[0].row, "as_of", None, "is null")
        wanted = [(person, at[lead]) for lead, person in people.items() if lead in at]
    else:
        pairs = []
        for number, (lead, now) in enumerate(as_of):
            check_instant(number, now, problems)
            if not is_id(lead):
                problems.add("as_of", number, "lead_id", lead, "an id is a 64-bit integer or text")
            one = person_of(lead, aliases)
            pairs.append((people.get(one, Person(one)), now))
        return pairs
    return [(person, now) for person, now in wanted if person.in_leads or person.events[0].at <= now]


def check_instant(row: int | None, now: Any, problems: Problems) -> None:
    """T is an instant (spec 1.1)."""
    if isinstance(now, bool) or not isinstance(now, int) or not FIRST <= now <= LAST:
        problems.add("as_of", row, "as_of", now, "an instant within years 1 to 9999 is wanted here")


def first_row(moment: Moment) -> int | None:
    """The row of events by which a lead is known, or None."""
    return min((event.row for event in moment.events), default=None)
