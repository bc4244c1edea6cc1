"""Reads the tables of hand-computed ledgers, ``10_*.yaml`` beside this file; a malformed one is an error."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.spec.cases import Loader, MalformedCase, events_of, instant, rows_of
from tests.spec.replay_cases import document_of

FILE_KEYS = {"about", "base", "T", "cases"}
CASE_KEYS = {"name", "spec", "why", "T", "model", "lifecycle", "sla", "late", "steps"}
TABLES = {
    "scores": ("lead_id", "score", "before", "after"),
    "thresholds": ("lead_id", "threshold", "reached"),
    "transitions": ("change", "at", "from_stage", "to_stage", "rule", "cause"),
    "alerts": ("change", "at", "stage", "level"),
    "late": ("table", "row", "at"),
}
"""What a row of a table of changes says that is a list; a row that is a mapping names its columns."""
CALLS = {
    "apply": {"events", "leads", "until", "on_late"},
    "advance": {"until"},
    "retract": {"events"},
    "merge": {"lead_id", "into"},
    "forget": {"lead_id"},
    "reload": set(),
    "score": {"as_of", "leads"},
}
"""Calls, and what each is given."""
EXPECTED = {*TABLES, "counts", "error", "rows", "keys"}
INSTANTS = {"at", "until", "as_of", "entered_at"}


@dataclass(frozen=True)
class Step:
    """One call.

    Attributes:
        call: Its name.
        given: Its arguments, instants in microseconds.
        tables: By table of changes, what the columns named there hold; tables not named are not looked at.
        counts: By name.
        rows: Of a score: lead id and micropoints by score.
        keys: By name, the places of rows of ``transitions`` whose keys are one, here and in other steps.
        error: A pattern of the error with which it is refused, and changes nothing; or None.
    """

    call: str
    given: dict[str, Any]
    tables: dict[str, list[dict[str, Any]]]
    counts: dict[str, Any]
    rows: list[dict[str, Any]] | None
    keys: dict[str, list[int]]
    error: str | None


@dataclass(frozen=True)
class LedgerCase:
    """One case: calls in order, and what each must say."""

    name: str
    spec: str
    why: str
    document: dict[str, Any]
    late: str
    steps: list[Step]


def load_ledgers(folder: Path) -> list[LedgerCase]:
    """Every case of every ``10_*.yaml`` in a folder, with unique names."""
    cases = [case for path in sorted(folder.glob("10_*.yaml")) for case in load(path)]
    names = [case.name for case in cases]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise MalformedCase(f"names must be unique: {twice}")
    return cases


def load(path: Path) -> list[LedgerCase]:
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


def read_case(row: Any, content: dict[str, Any]) -> LedgerCase:
    """One row of a file."""
    if not isinstance(row, dict):
        raise MalformedCase("a case is a mapping")
    if set(row) - CASE_KEYS:
        raise MalformedCase(f"unknown keys {sorted(set(row) - CASE_KEYS)}")
    for key in ("name", "spec", "why"):
        if not isinstance(row.get(key), str) or not row[key].strip():
            raise MalformedCase(f"{key} is wanted, as text")
    base = instant(row.get("T", content.get("T")), None)
    model = row.get("model", {})
    lifecycle = {**(content.get("base") or {}), **model}.get("lifecycle")
    if lifecycle is None and "lifecycle" not in row:
        document = {"leadcore": 1, "name": "case", **(content.get("base") or {}), **model}
        document.pop("lifecycle", None)
    else:
        document = document_of(row, content.get("base") or {})
    steps = [read_step(one, document, base) for one in row.get("steps", ())]
    if not any(step.tables or step.counts or step.error or step.rows is not None for step in steps):
        raise MalformedCase("what is expected?")
    return LedgerCase(row["name"], row["spec"], row["why"], document, row.get("late", "7d"), steps)


def read_step(row: Any, document: dict[str, Any], base: int) -> Step:
    """One call with what it is given and what it says."""
    calls = [key for key in row if key in CALLS] if isinstance(row, dict) else []
    if len(calls) != 1 or set(row) - EXPECTED - set(calls):
        raise MalformedCase(f"a step is one call of {sorted(CALLS)} with {sorted(EXPECTED)}: {row}")
    call = calls[0]
    given = dict(row[call] or {})
    if set(given) - CALLS[call]:
        raise MalformedCase(f"{call} is given {sorted(CALLS[call])}, not {sorted(given)}")
    given = {key: instant(value, base) if key in INSTANTS else value for key, value in given.items()}
    if call == "apply":
        named = {"model": document, "leads": given.get("leads"), "events": given.get("events")}
        given["leads"], given["events"] = rows_of(named["leads"], base, named, {}), events_of(named, base, {})
    tables = {
        table: [expected(TABLES[table], one, base) for one in row[table]]
        for table in TABLES
        if row.get(table) is not None
    }
    return Step(call, given, tables, row.get("counts", {}), row.get("rows"), row.get("keys", {}), row.get("error"))


def expected(columns: tuple[str, ...], row: Any, base: int) -> dict[str, Any]:
    """A row that is expected: a list, or a mapping."""
    if isinstance(row, list):
        if len(row) != len(columns):
            raise MalformedCase(f"a row has {columns}: {row}")
        row = dict(zip(columns, row, strict=True))
    return {key: instant(value, base) if key in INSTANTS and value is not None else value for key, value in row.items()}
