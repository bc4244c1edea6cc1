"""``leadcore score``: every lead at an instant, from files to a file (spec 12)."""

from __future__ import annotations

from typing import Annotated

import typer

from leadcore.cli import _options as options
from leadcore.cli._counts import tell_counts
from leadcore.cli._errors import Stop, telling_files
from leadcore.cli._progress import reading_bar


def score(
    model: options.ModelFile,
    as_of: options.AsOf,
    out: Annotated[
        str, typer.Option("--out", metavar="FILE", help="Where the scores go: .parquet, .csv, .jsonl, or -.")
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
    threads: options.Threads = None,
    format: options.StreamFormat = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar and no counts.")] = False,
) -> None:
    """Score every lead at an instant: one row per lead, sorted by lead_id.

    Nothing is written unless everything went well. Afterwards stderr says where every row went.
    """
    outputs = {"--out": out, "--rejects": rejects, "--accounts": accounts, "--explanations": explanations}
    if leads is None and events is None:
        raise Stop("give --leads, --events or both: there is nothing to score")
    options.check_files({"--leads": leads, "--events": events, "--aliases": aliases}, outputs)
    formats = {p: options.output_format(p, option, format) for option, p in outputs.items() if p is not None}
    options.instant(as_of)
    document = options.load(model)
    if accounts is not None and document.accounts is None:
        raise Stop(f"--accounts: the model {model} declares no accounts")
    maps = options.column_map(document, columns)

    from leadcore._arrow import write_table
    from leadcore._files import located
    from leadcore.scorer import Scorer

    tables = {"leads": leads, "events": events, "aliases": aliases}
    files = {table: options.open_input(path, document, table, maps, format) for table, path in tables.items()}
    with telling_files(files), reading_bar(files["events"], quiet) as progress:
        scores = Scorer(document).score(
            files["events"],
            files["leads"],
            as_of=as_of,
            columns=maps,
            aliases=files["aliases"],
            unknown_leads=unknown_leads,
            on_error="raise" if rejects is None else "reject",
            explain=explanations is not None,
            micropoints=micropoints,
            sort=True,
            threads=threads,
            progress=progress,
        )
    if explanations is not None:
        write_table(scores.explanations().table, explanations, formats[explanations])
    if accounts is not None:
        write_table(scores.accounts.table, accounts, formats[accounts])
    if rejects is not None:
        write_table(located(scores.rejects, files), rejects, formats[rejects])
    write_table(scores.table, out, formats[out])
    if not quiet:
        tell_counts(scores.counts, document, f"{len(scores):,} leads scored as of {as_of}", as_of, rejects)
