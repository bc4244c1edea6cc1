"""Aliases: records of one person are one lead, under ``same_as`` (spec 2.8)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from leadcore._reference.tables import Facts, Id, Problems, Row, RowReader

Aliases = Mapping[Id, Id]
"""``same_as`` by ``lead_id``."""


def read_aliases(rows: Iterable[Row], problems: Problems) -> dict[Id, Id]:
    """Rows of aliases: "cycles, and two different `same_as` for one id, are refused" (spec 2.8)."""
    aliases: dict[Id, Id] = {}
    where: dict[Id, int] = {}
    for number, row in enumerate(rows):
        reader = RowReader("aliases", number, row, problems)
        lead, same_as = reader.id("lead_id"), reader.id("same_as")
        if lead is None or same_as is None:
            continue
        if aliases.setdefault(lead, same_as) != same_as:
            reader.fault("same_as", same_as, f"lead {lead} is the same as {aliases[lead]} in row {where[lead]}")
        where.setdefault(lead, number)
    for lead, same_as in aliases.items():
        if in_cycle(lead, aliases):
            problems.add("aliases", where[lead], "same_as", same_as, f"lead {lead} is an alias of itself")
    return aliases


def in_cycle(lead: Id, aliases: Aliases) -> bool:
    """Whether following the chain from a lead comes back to it."""
    seen: set[Id] = set()
    at = lead
    while at in aliases and at not in seen:
        seen.add(at)
        at = aliases[at]
        if at == lead:
            return True
    return False


def person_of(lead: Id, aliases: Aliases) -> Id:
    """Whose record this is: "chains are followed" (spec 2.8); there are no cycles."""
    while lead in aliases:
        lead = aliases[lead]
    return lead


def merge_facts(person: Id, facts: Sequence[Facts]) -> list[Facts]:
    """One row of leads per instant for a person of several records.

    Spec 2.8: "Without `valid_from` the row of `same_as` counts, else that of the lowest id". The same is done for rows of
    several records that are in force from the same instant on (2.1 wants them unique).
    """
    chosen: dict[int | None, Facts] = {}
    for row in facts:
        other = chosen.setdefault(row.valid_from, row)
        if row.source == person or (other.source != person and below(row.source, other.source)):
            chosen[row.valid_from] = row
    return list(chosen.values())


def below(left: Id, right: Id) -> bool:
    """Whether an id sorts before another: integers by value, text by code point."""
    return left < right  # type: ignore[operator]  # both are integers or both are text
