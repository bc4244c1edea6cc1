"""``leadcore apply``: yesterday's ledgers, today's facts, and what changed (spec 10.2)."""

from __future__ import annotations

import sys
from typing import Annotated, Literal

import typer

from leadcore.cli import _options as options
from leadcore.cli._counts import type_counts
from leadcore.cli._errors import Stop, telling_files
from leadcore.cli._folder import check_folder
from leadcore.cli._job import telling_job


def apply(
    model: options.ModelFile,
    until: Annotated[
        str, typer.Option("--until", metavar="T", help="The end, ISO 8601; later facts are kept for a later night.")
    ],
    out: Annotated[
        str,
        typer.Option(
            "--out", metavar="DIR",
            help="The directory of what changed: scores, thresholds, transitions, alerts, late.",
        ),
    ],
    new_state: Annotated[
        str, typer.Option("--new-state", metavar="DIR", help="The directory of the new state: a ledger per partition.")
    ],
    state: Annotated[
        str | None, typer.Option("--state", metavar="DIR", help="The state of the night before; without it one begins.")
    ] = None,
    leads: options.Leads = None,
    events: options.Events = None,
    columns: options.Columns = None,
    late: Annotated[
        str,
        typer.Option("--late", metavar="D", help="How late a fact may come, of a state that begins: 7d, 12h, all."),
    ] = "7d",
    on_late: Annotated[
        Literal["raise", "set_aside"],
        typer.Option("--on-late", help="Facts that come too late end the job, or are handed back in the table late."),
    ] = "raise",
    format: options.TablesFormat = None,
    micropoints: Annotated[
        bool, typer.Option("--micropoints", help="Whole micropoints (1 point = 1,000,000) instead of decimals.")
    ] = False,
    memory: options.Memory = None,
    partitions: options.Partitions = None,
    work: options.Work = None,
    resume: options.Resume = False,
    threads: options.Threads = None,
    log_format: options.LogFormat = "text",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar and no counts.")] = False,
) -> None:  # fmt: skip
    """Take today's facts into yesterday's ledgers, and say what changed.

    The net of all nights is what one replay of everything gives. The old state is only read: a night can be done again.
    """
    if leads is None and events is None:
        raise Stop("give --leads, --events or both: there is nothing to apply")
    inputs = {"--leads": leads, "--events": events}
    options.check_files(inputs, {})
    options.instant(until, "--until")

    from leadcore import batch
    from leadcore.batch.applying import CHANGES

    check_folder(out, "--out", [f"{name}.{format or 'parquet'}" for name in CHANGES], inputs, {})
    size = options.memory_size(memory)
    document = options.load(model)
    maps = options.column_map(document, columns)
    files = {
        table: options.open_input(path, document, table, maps, format)
        for table, path in (("leads", leads), ("events", events))
    }
    with telling_files(files), telling_job(quiet, log_format) as log:
        done = batch.apply(
            document, files["events"], files["leads"], until=until, out=out, new_state=new_state, state=state, late=late,
            on_late=on_late, columns=maps, micropoints=micropoints, memory=size, partitions=partitions, work=work,
            resume=resume, threads=threads, format=format, progress=log.report, plan=log.plan,
        )  # fmt: skip
        log.done(done)
    if not quiet and log_format == "text":
        changed = ", ".join(f"{done.rows[name]:,} {name}" for name in CHANGES[:-1])
        print(f"changes until {until}: {changed}", file=sys.stderr)
        counts = done.counts
        more = [
            f"{number:,} {what}"
            for number, what in ((counts.duplicates, "repeated"), (counts.late, "too late"))
            if number
        ]
        print(", ".join([f"{counts.events + counts.leads:,} rows in", *more]), file=sys.stderr)
        if counts.ignored:
            told = type_counts(counts.ignored, document.events)
            print(f"ignored, of event types the model does not declare: {told}", file=sys.stderr)
