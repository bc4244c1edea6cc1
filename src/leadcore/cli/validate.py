"""``leadcore validate``: what is wrong with a model, and what of it never meets the data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from leadcore.cli import _options as options
from leadcore.cli._errors import telling_files
from leadcore.cli._progress import reading_bar

if TYPE_CHECKING:
    from leadcore._files import FileTable
    from leadcore.batch.sql import QueryTable
    from leadcore.cli._probes import Probe
    from leadcore.cli._profile import Profile
    from leadcore.model import Model


def validate(
    model: options.ModelFile,
    events: options.Events = None,
    leads: options.Leads = None,
    as_of: options.AsOfMaybe = None,
    columns: options.Columns = None,
    format: options.StreamFormat = None,
) -> None:
    """Check a model: every fault with line and column, then what is allowed but hardly meant.

    With --events and --leads also whether model and data fit: undeclared types, nulls, conditions and texts that no
    row fits, instants after --as-of. The clock is never read.
    """
    options.check_files({"--leads": leads, "--events": events}, {})
    instant = None if as_of is None else options.instant(as_of)
    document = options.load(model)
    _tell_model(document, model)
    if leads is None and events is None:
        return
    maps = options.column_map(document, columns)

    from leadcore._inputs import column_names
    from leadcore.cli._profile import profile

    files = {"leads": leads, "events": events}
    tables = {table: options.open_input(path, document, table, maps, format) for table, path in files.items()}
    with telling_files(tables), reading_bar(tables["events"]) as progress:
        found = profile(document, tables["leads"], tables["events"], column_names(document, maps), instant, progress)
    if tables["leads"] is not None:
        _tell_leads(document, found, tables["leads"].source, as_of)
    if tables["events"] is not None:
        _tell_events(document, found, tables["events"].source, as_of)
    _tell_unmet(found)
    if as_of is None:
        print("\nNo instant was compared with a date: give --as-of to learn what lies after it.")
    if any(found.rejected.values()):
        _tell_faults(found, tables)
        raise typer.Exit(3)


def _tell_model(model: Model, path: str) -> None:
    criteria = sum(1 for _ in model.criteria())
    print(
        f"{path} is valid: {model.name}, {criteria} criteria, {len(model.scores)} scores, {len(model.events)} event types"
    )
    print(f"fingerprint {model.fingerprint}")
    findings = model.findings()
    if model.scores:
        print("\nReach of each score")
    width = max(map(len, model.scores), default=0)
    for finding in findings:
        if finding.kind == "range":
            low = "no lower end" if finding.lowest is None else f"{finding.lowest:f}"
            high = "no upper end" if finding.highest is None else f"{finding.highest:f}"
            print(f"  {finding.path.removeprefix('scores.'):<{width}}  {low} to {high}")
    others = [finding for finding in findings if finding.kind != "range"]
    if others:
        print("\nAllowed, but hardly meant")
        for finding in others:
            print(f"  {finding}")


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "-"


def _tell_leads(model: Model, found: Profile, path: str, as_of: str | None) -> None:
    rows = found.rows.get("leads", 0)
    kept = rows - found.rejected.get("leads", 0)
    print(f"\n{path}: {rows:,} rows")
    width = max(map(len, model.attributes), default=0)
    for probe, count in found.found["leads"]:
        if probe.asks == "exists":
            print(f"  {probe.name:<{width}}  {_share(kept - count, kept):>6} null")
    if found.later_rows:
        print(f"  {found.later_rows:,} rows are created, or in force from, after {as_of}")
    if found.without_events:
        print(f"  {found.without_events:,} rows' leads have no event")


def _tell_events(model: Model, found: Profile, path: str, as_of: str | None) -> None:
    from leadcore._time import to_text
    from leadcore.cli._counts import type_counts

    rows = found.rows.get("events", 0)
    span = "" if found.first is None or found.last is None else f", {to_text(found.first)} to {to_text(found.last)}"
    print(f"\n{path}: {rows:,} rows{span}")
    counts = {(probe.type, probe.name): n for probe, n in found.found["events"] if probe.asks in ("type", "exists")}
    width = max(map(len, model.events), default=0)
    for number, (name, properties) in enumerate(model.events.items()):
        total = counts[number, name] if name not in properties else _type_total(found, number)
        nulls = [f"{p} {_share(total - _exists(found, number, p), total)}" for p in properties] if total else []
        print(
            f"  {name:<{width}}  {total:>11,}  {_share(total, rows):>6}"
            + (f"  null: {', '.join(nulls)}" if nulls else "")
        )
    if found.ignored:
        print(f"  undeclared types: {type_counts(found.ignored, model.events)}")
    if found.later:
        print(f"  {found.later:,} rows ({_share(found.later, rows)}) are after {as_of} and would not count yet")
    if found.only_events:
        print(f"  {found.only_events:,} leads are not in the leads table")


def _type_total(found: Profile, number: int) -> int:
    return next(n for probe, n in found.found["events"] if probe.asks == "type" and probe.type == number)


def _exists(found: Profile, number: int, name: str) -> int:
    wanted = ("exists", number, name)
    return next(n for probe, n in found.found["events"] if (probe.asks, probe.type, probe.name) == wanted)


def _tell_unmet(found: Profile) -> None:
    """Criteria and texts that no row fits."""
    told: list[str] = []
    for table, answers in found.found.items():
        row = "lead" if table == "leads" else "event"
        never = {probe.criterion for probe, n in answers if probe.asks == "fits" and not n}
        told += [f"{name}: no {row} fits its condition" for name in dict.fromkeys(_names(answers)) if name in never]
        told += [
            f"{probe.criterion}: no {row} has {probe.name!r}"
            for probe, n in answers
            if probe.asks == "text" and not n and probe.criterion not in never
        ]
    print(
        "\nNever met in these tables"
        if told
        else "\nEvery condition and every text of the model is met in these tables."
    )
    for line in told:
        print(f"  {line}")
    if found.left_out:
        print(f"  ({found.left_out:,} more texts were not looked for)")


def _names(answers: list[tuple[Probe, int]]) -> list[str]:
    return [probe.criterion for probe, _ in answers if probe.asks == "fits"]


def _tell_faults(found: Profile, tables: dict[str, FileTable | QueryTable | None]) -> None:
    from leadcore.cli._errors import problem_lines
    from leadcore.errors import DataError, Problem

    faults = [Problem(f["table"], f["row"], f["column"], f["value"], f["reason"]) for f in found.faults]
    for table, count in found.rejected.items():
        if count:
            print(f"\n{count:,} faulty rows of {table}")
    for line in problem_lines(DataError(faults), tables):
        print(f"  {line}")
