"""Reads the tables of hand-computed replays, ``8_*.yaml`` beside this file; a malformed one is an error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.spec.cases import Loader, MalformedCase, events_of, instant, rows_of

FILE_KEYS = {"about", "base", "T", "until", "cases"}
INPUT_KEYS = {
    "name", "spec", "why", "T", "until", "model", "lifecycle", "sla", "leads", "events", "aliases", "unknown_leads", "start",
}  # fmt: skip
COLUMNS = {
    "transitions": ("at", "from_stage", "to_stage", "rule", "cause"),
    "evaluations": ("at", "cause"),
    "spans": ("stage", "visit", "entered_at", "left_at", "entered_by", "left_by"),
    "service": ("sla_due_at", "sla_status"),
    "alerts": ("at", "level"),
    "states": ("lead_id", "stage", "entered_at"),
    "score_changes": ("at", "cause", "score", "before", "after", "criterion"),
}
"""What a row that is a list says; a row that is a mapping names its columns."""
COUNTS = ("ignored", "loop_stops", "manual_current", "manual_unknown")
INSTANTS = {"at", "entered_at", "left_at", "sla_due_at"}


@dataclass(frozen=True)
class ReplayCase:
    """One case: what is replayed and what must come out.

    Attributes:
        name: Unique over all files.
        spec: The section it is about.
        why: The reason in words.
        document: The whole model document.
        leads, events, aliases, start: Rows, instants in microseconds.
        until: The end of the run.
        unknown_leads: What to do with leads known only from events.
        rows: By table, what the columns named there hold, row by row. ``evaluations`` are the transitions that a rule made:
            where two stages lead to each other, each evaluation makes one. ``service`` is of each stay with an sla.
        counts: By name.
        error: A pattern the error's text matches, or None.
    """

    name: str
    spec: str
    why: str
    document: dict[str, Any]
    leads: list[dict[str, Any]] | None
    events: list[dict[str, Any]]
    aliases: list[dict[str, Any]] | None
    start: list[dict[str, Any]] | None
    until: int
    unknown_leads: str
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    counts: dict[str, Any] = field(default_factory=dict)
    error: str | None = None


def load_replays(folder: Path) -> list[ReplayCase]:
    """Every case of every ``8_*.yaml`` in a folder, with unique names."""
    cases = [case for path in sorted(folder.glob("8_*.yaml")) for case in load(path)]
    names = [case.name for case in cases]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise MalformedCase(f"names must be unique: {twice}")
    return cases


def load(path: Path) -> list[ReplayCase]:
    """The cases of one file."""
    content = yaml.load(path.read_text(encoding="utf-8"), Loader)
    if not isinstance(content, dict) or set(content) - FILE_KEYS or not content.get("cases"):
        raise MalformedCase(f"{path.name}: a file has only {sorted(FILE_KEYS)}, and cases")
    found = []
    for number, row in enumerate(content["cases"]):
        try:
            found.append(read_case(row, content))
        except MalformedCase as error:
            name = row.get("name") if isinstance(row, dict) else None
            raise MalformedCase(f"{path.name}, case {number} ({name}): {error}") from None
    return found


def read_case(row: Any, content: dict[str, Any]) -> ReplayCase:
    """One row of a file."""
    if not isinstance(row, dict):
        raise MalformedCase("a case is a mapping")
    unknown = set(row) - INPUT_KEYS - set(COLUMNS) - set(COUNTS) - {"error"}
    if unknown:
        raise MalformedCase(f"unknown keys {sorted(unknown)}")
    for key in ("name", "spec", "why"):
        if not isinstance(row.get(key), str) or not row[key].strip():
            raise MalformedCase(f"{key} is wanted, as text")
    if not set(row) - INPUT_KEYS:
        raise MalformedCase(f"what is expected? one of {[*COLUMNS, *COUNTS, 'error']}")
    base = instant(row.get("T", content.get("T")), None)
    document = document_of(row, content.get("base") or {})
    read = {**row, "model": document}
    start = row.get("start")
    return ReplayCase(
        name=row["name"],
        spec=row["spec"],
        why=row["why"],
        document=document,
        leads=rows_of(row.get("leads"), base, read, {}),
        events=events_of(read, base, {}),
        aliases=row.get("aliases"),
        start=None if start is None else [start_row(one, base) for one in start],
        until=instant(row.get("until", content.get("until")), base),
        unknown_leads=row.get("unknown_leads", "score"),
        rows={table: [expected(table, one, base) for one in row[table]] for table in COLUMNS if table in row},
        counts={name: row[name] for name in COUNTS if name in row},
        error=row.get("error"),
    )


def document_of(row: Mapping[str, Any], base: Mapping[str, Any]) -> dict[str, Any]:
    """The model document: the file's base with the case's ``model``, keys of its ``lifecycle`` and the first stage's ``sla``."""
    document = {"leadcore": 1, "name": "case", **base, **row.get("model", {})}
    lifecycle = {**document.get("lifecycle", {}), **row.get("lifecycle", {})}
    if "sla" in row:
        first, *others = lifecycle["stages"]
        lifecycle["stages"] = [{**first, "sla": row["sla"]}, *others]
    if "scores" not in document or not lifecycle:
        raise MalformedCase("no scores, or no lifecycle")
    return {**document, "lifecycle": lifecycle}


def start_row(row: Any, base: int) -> dict[str, Any]:
    """A row of ``start``."""
    if not isinstance(row, dict) or set(row) != {"lead_id", "stage", "entered_at"}:
        raise MalformedCase(f"not a row of start: {row}")
    at = row["entered_at"]
    return {**row, "entered_at": None if at is None else instant(at, base)}


def expected(table: str, row: Any, base: int) -> dict[str, Any]:
    """An expected row, by column, instants in microseconds."""
    if isinstance(row, list):
        if len(row) != len(COLUMNS[table]):
            raise MalformedCase(f"a row of {table} is {COLUMNS[table]}, not {row}")
        row = dict(zip(COLUMNS[table], row, strict=True))
    if not isinstance(row, dict):
        raise MalformedCase(f"not a row of {table}: {row}")
    return {
        name: instant(value, base) if name in INSTANTS and value is not None else value for name, value in row.items()
    }
