"""``leadcore replay``: what happened to every lead, from files to files (spec 8.10, 12)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from leadcore.cli import _options as options
from leadcore.cli._counts import tell_counts
from leadcore.cli._errors import Stop, telling_files
from leadcore.cli._job import telling_job

if TYPE_CHECKING:
    from leadcore.batch import Outcome


def replay(
    model: options.ModelFile,
    until: Annotated[
        str, typer.Option("--until", metavar="T", help="The end, ISO 8601: 2026-06-01 or 2026-06-01T12:00Z.")
    ],
    leads: options.Leads = None,
    events: options.Events = None,
    out: Annotated[
        str | None,
        typer.Option(
            "--out", metavar="DIR",
            help="The directory of the tables: transitions, spans, alerts, states. It is made if it is not there.",
        ),
    ] = None,
    format: options.TablesFormat = None,
    lead: Annotated[
        str | None, typer.Option("--lead", metavar="LEAD_ID", help="Print what happened to this lead.")
    ] = None,
    start: Annotated[
        str | None,
        typer.Option("--start", metavar="FILES", help="A table lead_id, stage, entered_at of where leads begin."),
    ] = None,
    score_changes: Annotated[
        bool, typer.Option("--score-changes", help="Also a table of every change of a score.")
    ] = False,
    columns: options.Columns = None,
    rejects: Annotated[
        str | None,
        typer.Option("--rejects", metavar="FILE", help="Go on without faulty rows, and write them and why there."),
    ] = None,
    aliases: options.Aliases = None,
    unknown_leads: options.UnknownLeads = "score",
    micropoints: Annotated[
        bool, typer.Option("--micropoints", help="Whole micropoints (1 point = 1,000,000) instead of decimals.")
    ] = False,
    memory: options.Memory = None,
    partitions: options.Partitions = None,
    work: options.Work = None,
    resume: options.Resume = False,
    partitioned: options.Partitioned = False,
    threads: options.Threads = None,
    log_format: options.LogFormat = "text",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar and no counts.")] = False,
) -> None:  # fmt: skip
    """Say what happened to every lead until an instant: tables of transitions, spans, alerts and states.

    Rows are sorted by lead_id, a lead's as they happened. All tables are written, or none. In CSV, names of a list
    (notify) are joined by a semicolon. Afterwards stderr says who stands where, and where every row went.
    """
    inputs = {"--leads": leads, "--events": events, "--aliases": aliases, "--start": start}
    if leads is None and events is None and start is None:
        raise Stop("give --leads, --events or both: there is nothing to replay")
    if out is None and lead is None:
        raise Stop("give --out DIR for tables, or --lead LEAD_ID for one lead's story")
    options.check_files(inputs, {"--rejects": rejects})
    if rejects is not None:
        options.output_format(rejects, "--rejects", format)

    from leadcore._replay_tables import NAMES
    from leadcore.cli._folder import check_folder

    kind = format or "parquet"
    if out is not None:
        names = [*NAMES, *(["score_changes"] if score_changes else [])]
        taken = [] if partitioned else [f"{name}.{kind}" for name in names]
        check_folder(out, "--out", taken, inputs, {"--rejects": rejects})
    options.instant(until, "--until")
    size = options.memory_size(memory)
    document = options.load(model)
    if document.lifecycle is None:
        raise Stop(f"the model {model} has no lifecycle: there is nothing to replay")
    maps = options.column_map(document, columns)

    from leadcore import batch

    given = {"leads": leads, "events": events, "aliases": aliases, "start": start}
    files = {table: options.open_input(path, document, table, maps, format) for table, path in given.items()}
    with telling_files(files), telling_job(quiet, log_format) as log:
        done = batch.replay(
            document, files["events"], files["leads"], until=until, out=out, lead=lead, start=files["start"],
            aliases=files["aliases"], rejects=rejects, score_changes=score_changes, columns=maps,
            unknown_leads=unknown_leads, micropoints=micropoints, partitioned=partitioned, memory=size, partitions=partitions, work=work,
            resume=resume, threads=threads, format=format, progress=log.report, plan=log.plan,
        )  # fmt: skip
        log.done(done)
    if done.story is not None:
        print(done.story)
    if not quiet and log_format == "text":
        tell_counts(done.counts, document, _done(done, until), until, rejects)


def _done(done: Outcome, until: str) -> str:
    """How many leads there are, how much happened, who stands where."""
    standing = ", ".join(f"{stage} {number:,}" for stage, number in done.standing.items())
    numbers = f"{done.rows['transitions']:,} transitions, {done.rows['alerts']:,} alerts"
    return f"{done.rows['states']:,} leads replayed until {until}: {numbers}\n{standing}"
