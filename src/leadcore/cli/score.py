"""``leadcore score``: every lead at an instant, from files to a file (spec 12)."""

from __future__ import annotations

from typing import Annotated

import typer

from leadcore.cli import _options as options
from leadcore.cli._counts import tell_counts
from leadcore.cli._errors import Stop, telling_files
from leadcore.cli._folder import check_folder
from leadcore.cli._job import telling_job


def score(
    model: options.ModelFile,
    as_of: options.AsOf,
    out: Annotated[
        str,
        typer.Option(
            "--out",
            metavar="FILE",
            help="Where the scores go: .parquet, .csv, .jsonl, or -; with --partitioned a folder.",
        ),
    ],
    leads: options.Leads = None,
    events: options.Events = None,
    columns: options.Columns = None,
    rejects: Annotated[
        str | None,
        typer.Option("--rejects", metavar="FILE", help="Go on without faulty rows, and write them and why there."),
    ] = None,
    aliases: options.Aliases = None,
    accounts: Annotated[
        str | None, typer.Option("--accounts", metavar="FILE", help="Where the scores of accounts go.")
    ] = None,
    explanations: Annotated[
        str | None, typer.Option("--explanations", metavar="FILE", help="Where every line of every score goes.")
    ] = None,
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
    format: options.StreamFormat = None,
    log_format: options.LogFormat = "text",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar and no counts.")] = False,
) -> None:
    """Score every lead at an instant: one row per lead, sorted by lead_id.

    Nothing is written unless everything went well. Afterwards stderr says where every row went.
    """
    outputs = {"--out": out, "--rejects": rejects, "--accounts": accounts, "--explanations": explanations}
    if leads is None and events is None:
        raise Stop("give --leads, --events or both: there is nothing to score")
    inputs = {"--leads": leads, "--events": events, "--aliases": aliases}
    if partitioned:
        check_folder(out, "--out", [], inputs, {name: path for name, path in outputs.items() if name != "--out"})
    options.check_files(inputs, {name: path for name, path in outputs.items() if name != "--out" or not partitioned})
    for option, path in outputs.items():
        if path is not None and not (partitioned and option == "--out"):
            options.output_format(path, option, format)
    options.instant(as_of)
    size = options.memory_size(memory)
    document = options.load(model)
    if accounts is not None and document.accounts is None:
        raise Stop(f"--accounts: the model {model} declares no accounts")
    maps = options.column_map(document, columns)

    from leadcore import batch

    given = {"leads": leads, "events": events, "aliases": aliases}
    files = {table: options.open_input(path, document, table, maps, format) for table, path in given.items()}
    with telling_files(files), telling_job(quiet, log_format) as log:
        done = batch.score(
            document, files["events"], files["leads"], as_of=as_of, out=out, aliases=files["aliases"], rejects=rejects,
            accounts=accounts, explanations=explanations, columns=maps, unknown_leads=unknown_leads,
            micropoints=micropoints, partitioned=partitioned, memory=size, partitions=partitions, work=work, resume=resume, threads=threads,
            format=format, progress=log.report, plan=log.plan,
        )  # fmt: skip
        log.done(done)
    if not quiet and log_format == "text":
        tell_counts(done.counts, document, f"{done.rows['scores']:,} leads scored as of {as_of}", as_of, rejects)
