"""``leadcore init``: a first model, from a starter that ships with leadcore or from one's own files."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadcore.cli import _options as options
from leadcore.cli._errors import DATA, Stop, telling_files
from leadcore.presets import PRESETS, preset_text

if TYPE_CHECKING:
    from leadcore._sources import Format
    from leadcore.cli._sample import ColumnSample
    from leadcore.cli._starter import Starter


def init(
    preset: Annotated[
        str | None, typer.Option("--preset", metavar="NAME", help=f"One of {', '.join(PRESETS)}.")
    ] = None,
    leads: options.Leads = None,
    events: options.Events = None,
    columns: Annotated[
        list[str] | None,
        typer.Option(
            "--columns",
            metavar="TABLE.NAME=COLUMN",
            help="Your column for leads.lead_id, events.lead_id, events.at, events.type, where its name does not tell.",
        ),
    ] = None,
    out: Annotated[
        str | None, typer.Option("--out", metavar="FILE", help="Write it there instead of printing.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over the file if it is there.")] = False,
) -> None:
    """Write a first model with comments: from a starter, or from the columns of your files.

    The model is valid and scores your files at once; what its points should be, you know better.
    """  # fmt: skip
    if preset is not None and (leads is not None or events is not None):
        raise Stop("give --preset, or --leads and --events, not both")
    if preset is not None and preset not in PRESETS:
        raise Stop(f"--preset: there is no starter {preset!r}, only {', '.join(PRESETS)}")
    options.check_files({"--leads": leads, "--events": events}, {"--out": out})
    if "-" in (leads, events):
        raise Stop("init reads the tables twice, which the standard stream does not allow: give files")
    if out is not None and out != "-" and Path(out).exists() and not force:
        raise Stop(f"--out: {out} is there already; --force writes over it")
    if leads is None and events is None:
        text, told = preset_text(preset or "b2b"), [f"the starter {preset or 'b2b'}: {PRESETS[preset or 'b2b']}"]
    else:
        text, told = _from_files(leads, events, columns or [], out or "model.yaml")
    if out is None or out == "-":
        sys.stdout.write(text)
    else:
        Path(out).write_text(text, encoding="utf-8")
        print("\n".join([f"wrote {out}", *told]), file=sys.stderr)


def _from_files(leads: str | None, events: str | None, columns: list[str], out: str) -> tuple[str, list[str]]:
    """The document, and what to say of it."""
    from leadcore._time import to_text
    from leadcore.cli._census import census
    from leadcore.cli._sample import sample
    from leadcore.cli._starter import Starter

    given = _given(columns)
    starter, maps = Starter("starter"), list[str]()
    roles: dict[str, dict[str, str]] = {}
    files: dict[str, tuple[list[str], Format]] = {}
    for table, source in (("leads", leads), ("events", events)):
        if source is None:
            continue
        files[table] = options.find(source, f"--{table}")
        path, kind = files[table][0][0], files[table][1]  # what columns look like, the first file tells
        try:
            found = sample(path, kind)
        except (OSError, ValueError) as error:
            raise Stop(f"--{table}: cannot read {path}: {error}", DATA) from error
        needed = ("lead_id", "at", "type") if table == "events" else ("lead_id",)
        roles[table] = _roles(table, path, found, needed, given.get(table, {}))
        maps += [f"{table}.{role}={name}" for role, name in roles[table].items() if role != name]
        rest = [column for column in found if column.name not in roles[table].values()]
        if table == "leads":
            starter.attributes = rest
        else:
            starter.properties = [c for c in rest if c.kind is not None and "." not in c.name and c.name != "event_id"]
    as_of = "T"
    if events is not None:
        kinds = {c.name: str(c.kind) for c in starter.properties}
        with telling_files({}):
            starter.events = census(*files["events"], roles["events"], kinds)
        if starter.events.last is not None:
            as_of = to_text(starter.events.last)
            if starter.document():
                _set_marks(starter, leads, events, maps, as_of)
    document = starter.document()
    if not document:
        raise Stop("nothing in these tables to score leads by: no event types, no attribute with a pattern", DATA)
    tables = [text for t, source in (("leads", leads), ("events", events)) if source for text in (f"--{t}", source)]
    columns = [text for mapped in maps for text in ("--columns", mapped)]
    command = shlex.join(["leadcore", "score", out, *tables, *columns, "--as-of", as_of, "--out", "scores.csv"])
    head = [f"# Made by leadcore init from {' and '.join(p for p in (leads, events) if p)}.", f"# {command}", ""]
    return "\n".join(head) + document, ["try it:", f"  {command}"]


def _given(columns: list[str]) -> dict[str, dict[str, str]]:
    maps: dict[str, dict[str, str]] = {}
    for text in columns:
        left, _, column = text.partition("=")
        table, _, role = left.partition(".")
        if not column or left not in ("leads.lead_id", "events.lead_id", "events.at", "events.type"):
            raise Stop(
                f"--columns: write leads.lead_id=COLUMN, or events.lead_id, events.at, events.type, not {text!r}"
            )
        maps.setdefault(table, {})[role] = column
    return maps


def _roles(
    table: str, path: str, columns: list[ColumnSample], needed: tuple[str, ...], given: dict[str, str]
) -> dict[str, str]:
    """Which column is the lead's id, the instant, the type."""
    from leadcore.cli._starter import ROLES

    names = {column.name.lower(): column.name for column in columns}
    found: dict[str, str] = {}
    for role in needed:
        if role in given:
            if given[role] not in names.values():
                raise Stop(f"--columns: {path} has no column {given[role]!r}")
            found[role] = given[role]
            continue
        likely = [names[name] for name in ROLES[role] if name in names and names[name] not in found.values()]
        if role == "at":
            instants = {column.name for column in columns if column.kind == "instant"}
            likely = [name for name in likely if name in instants] or sorted(instants)
        if likely:
            found[role] = likely[0]
        else:
            raise Stop(f"which column of {path} is {role}? Say it with --columns {table}.{role}=COLUMN")
    return found


def _set_marks(starter: Starter, leads: str | None, events: str, maps: list[str], as_of: str) -> None:
    """Run the model once, and put threshold and grades where they part the leads of these files."""
    import numpy as np

    from leadcore.cli._starter import rounded
    from leadcore.model import Model
    from leadcore.scorer import Scorer

    model = Model.from_yaml(starter.document())
    columns = options.column_map(model, maps)
    files = {t: options.open_input(p, model, t, columns) for t, p in (("leads", leads), ("events", events))}
    with telling_files(files):
        scores = Scorer(model).score(
            files["events"], files["leads"], as_of=as_of, columns=columns, on_error="reject"
        )  # fmt: skip
    if len(scores):
        values = np.asarray(scores.table.column(list(model.scores)[-1]), np.float64)
        shares = {"A": 0.95, "hot": 0.9, "B": 0.8, "C": 0.5}
        starter.marks = {name: rounded(float(np.quantile(values, share))) for name, share in shares.items()}
