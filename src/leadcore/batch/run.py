"""Score and replay tables of any size from files to files (spec 12)."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from leadcore._files import FileTable
from leadcore._inputs import column_names, one_instant
from leadcore._sources import STANDARD_STREAM, Format, format_of
from leadcore._time import to_text
from leadcore.batch.applying import CHANGES, ApplyTask, State
from leadcore.batch.inputs import Given, Input, open_any, rows_of
from leadcore.batch.job import Job, Outcome, work_folder
from leadcore.batch.manifest import Manifest
from leadcore.batch.memory import memory_of
from leadcore.batch.plan import MOST_PARTITIONS, Plan, plan_of
from leadcore.batch.progress import Report
from leadcore.batch.replaying import ReplayTask
from leadcore.batch.results import LEDGERS, Result
from leadcore.batch.scoring import ScoreTask
from leadcore.batch.sql import QueryTable
from leadcore.batch.task import Options, Task
from leadcore.errors import DataError, LeadcoreError, Problem
from leadcore.model import Model
from leadcore.model.duration import Duration

Path_ = str | os.PathLike[str]
Moment = datetime | date | str


def score(
    model: Model | Path_,
    events: Given | None = None,
    leads: Given | None = None,
    *,
    as_of: Moment,
    out: Path_,
    aliases: Given | None = None,
    rejects: Path_ | None = None,
    accounts: Path_ | None = None,
    explanations: Path_ | None = None,
    columns: Mapping[str, Any] | None = None,
    unknown_leads: Literal["score", "error", "ignore"] = "score",
    micropoints: bool = False,
    partitioned: bool = False,
    memory: str | int | None = None,
    partitions: int | None = None,
    work: Path_ | None = None,
    resume: bool = False,
    threads: int | None = None,
    format: Format | None = None,
    progress: Report | None = None,
    plan: Callable[[Plan], object] | None = None,
    cancel: Callable[[], bool] | None = None,
) -> Outcome:
    r"""Score every lead at an instant, from files to files, however large: the bits that `Scorer.score` gives.

    Where all rows fit into ``memory`` they are scored there. Else tables are cut into partitions by lead in a work
    folder, and scored one after another. Either way one file of results has the same bytes.

    Args:
        model: The model, or the file of its document.
        events: The events table: a file (``.parquet``, ``.csv``, ``.jsonl``, also ``.gz``), a glob, a folder (also of
            ``key=value`` folders), a list of these, or a query (`leadcore.batch.sql`).
        leads: The leads table, likewise.
        as_of: The instant: datetime, date or ISO 8601 text; naive is UTC.
        out: The file of scores, sorted by lead; with ``partitioned`` a folder.
        aliases: A table (``lead_id``, ``same_as``).
        rejects: Go on without faulty rows, and write them there: ``table``, ``file``, ``row``, ``line``, ``column``,
            ``value``, ``reason``.
        accounts: The file of account scores.
        explanations: The file of every line of every score.
        columns: The model's names to yours, as for `Scorer.score`.
        unknown_leads: What to do with leads known only from events: score, refuse or ignore them.
        micropoints: Scores as int64 micropoints.
        partitioned: Leave the scores in Parquet partitions, ``part-00000.parquet`` and so on.
        memory: What the process may take in all, such as ``"2GB"``; by default 70 % of what the machine or its control
            group has.
        partitions: How many partitions; by default as many as ``memory`` asks for.
        work: The folder for partitions; by default ``out`` with ``.work``. It goes when the job is done.
        resume: Go on with the job that was stopped, if there is one.
        threads: How many threads to use; by default as many as the process may.
        format: The format of a table that is ``-``, the standard stream.
        progress: Called with a `Progress` now and then.
        plan: Called with the `Plan` before the first row is read.
        cancel: Asked now and then; when it says True, the job ends.

    Returns:
        Where rows went, and the way that was taken.

    Raises:
        DataError: A table is faulty; nothing is written.
        LeadcoreError: An argument is none of those above, or the job in the work folder is another one.
        OSError: A file cannot be read or written, or the disk is full: with ``resume`` the job goes on.
        Canceled: ``cancel`` said so; with ``resume`` the job goes on.

    Example:
        >>> import tempfile, pathlib
        >>> import leadcore as lc
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> _ = (folder / "visits.csv").write_text("lead_id,at,type\n7,2026-03-01,visit\n7,2026-03-02,visit\n")
        >>> model = lc.Model.from_yaml('''
        ... {leadcore: 1, name: visits, events: {visit: {}},
        ...  scores: {interest: {criteria: [{name: visits, kind: event, on: visit, points: 5}]}}}
        ... ''')
        >>> done = lc.batch.score(model, folder / "visits.csv", as_of="2026-03-08", out=folder / "scores.csv")
        >>> (folder / "scores.csv").read_text()
        'lead_id,interest\n7,10.0\n'
        >>> done.counts.used, done.plan.spills
        (2, False)
    """
    document = _model(model)
    if accounts is not None and document.accounts is None:
        raise LeadcoreError(f"the model {document.name!r} declares no accounts")
    task = ScoreTask(
        _options(document, as_of, "as_of", columns, unknown_leads, rejects, micropoints),
        explanations is not None, accounts is not None,
    )  # fmt: skip
    given = {"explanations": explanations, "accounts": accounts, "rejects": rejects}
    results = [Result(name, os.fspath(path), _format(path, format)) for name, path in given.items() if path is not None]
    kind: Format = "parquet" if partitioned else _format(out, format)
    results.append(Result("scores", os.fspath(out), kind, partitioned))
    tables = {"leads": leads, "events": events, "aliases": aliases}
    how = _How(memory, partitions, work, resume, threads, format, progress, plan, cancel)
    return _run(task, tables, results, out, how)


def replay(
    model: Model | Path_,
    events: Given | None = None,
    leads: Given | None = None,
    *,
    until: Moment,
    out: Path_ | None,
    lead: str | None = None,
    start: Given | None = None,
    aliases: Given | None = None,
    rejects: Path_ | None = None,
    score_changes: bool = False,
    columns: Mapping[str, Any] | None = None,
    unknown_leads: Literal["score", "error", "ignore"] = "score",
    micropoints: bool = False,
    partitioned: bool = False,
    memory: str | int | None = None,
    partitions: int | None = None,
    work: Path_ | None = None,
    resume: bool = False,
    threads: int | None = None,
    format: Format | None = None,
    progress: Report | None = None,
    plan: Callable[[Plan], object] | None = None,
    cancel: Callable[[], bool] | None = None,
) -> Outcome:
    """Take every lead through its stages until an instant, from files to files: the bits that `Scorer.replay` gives.

    Args:
        model: As for `score`.
        events: As for `score`.
        leads: As for `score`.
        until: The end: datetime, date or ISO 8601 text; naive is UTC.
        out: The folder of ``transitions``, ``spans``, ``alerts`` and ``states``, each a file there, or with
            ``partitioned`` a folder of partitions; None: no tables, with ``lead``.
        lead: The id of a lead, as text, whose story is told too.
        start: A table (``lead_id``, ``stage``, ``entered_at``) of leads adopted with a stage.
        aliases: As for `score`.
        rejects: As for `score`.
        score_changes: Also a table of every change of a score.
        columns: As for `score`.
        unknown_leads: As for `score`.
        micropoints: As for `score`.
        partitioned: Leave the tables in Parquet partitions.
        memory: As for `score`.
        partitions: As for `score`.
        work: As for `score`.
        resume: As for `score`.
        threads: As for `score`.
        format: The format of the tables (Parquet by default), and of a table that is ``-``.
        progress: As for `score`.
        plan: As for `score`.
        cancel: As for `score`.

    Returns:
        Where rows went, how many leads stand in each stage, and the way that was taken.

    Raises:
        DataError: A table is faulty, or a lead makes more than 1,000,000 transitions; nothing is written.
        LeadcoreError: As for `score`, or the model has no lifecycle.
        OSError: As for `score`.
        Canceled: As for `score`.
    """
    document = _model(model)
    if document.lifecycle is None:
        raise LeadcoreError(f"the model {document.name!r} has no lifecycle: there is nothing to replay")
    options = _options(document, until, "until", columns, unknown_leads, rejects, micropoints)
    task = ReplayTask(replace(options, lead=lead), score_changes)
    results = [] if rejects is None else [Result("rejects", os.fspath(rejects), _format(rejects, format))]
    if out is not None:
        folder = Path(out)
        if folder.exists() and not folder.is_dir():
            raise LeadcoreError(f"{out} is a file, and a folder is wanted")
        for name in task.results:
            kind: Format = "parquet" if partitioned else format or "parquet"
            path = folder / (name if partitioned else f"{name}.{kind}")
            results.append(Result(name, str(path), kind, partitioned))
    elif lead is None:
        raise LeadcoreError("give out, or a lead: there is nothing to do")
    tables = {"leads": leads, "events": events, "start": start, "aliases": aliases}
    beside = f"leadcore-{os.getpid()}" if out is None else out
    how = _How(memory, partitions, work, resume, threads, format, progress, plan, cancel)
    return _run(task, tables, results, beside, how)


def apply(
    model: Model | Path_,
    events: Given | None = None,
    leads: Given | None = None,
    *,
    until: Moment,
    out: Path_,
    new_state: Path_,
    state: Path_ | None = None,
    late: str | timedelta = "7d",
    on_late: Literal["raise", "set_aside"] = "raise",
    columns: Mapping[str, Any] | None = None,
    micropoints: bool = False,
    memory: str | int | None = None,
    partitions: int | None = None,
    work: Path_ | None = None,
    resume: bool = False,
    threads: int | None = None,
    format: Format | None = None,
    progress: Report | None = None,
    plan: Callable[[Plan], object] | None = None,
    cancel: Callable[[], bool] | None = None,
) -> Outcome:
    """Take today's facts into yesterday's ledgers, and say what changed: the net of all nights is that of one replay.

    A state is a folder of ledgers (`leadcore.Ledger`), each of the leads of one partition, and only one of them is in
    memory at a time. The old state is read only, so that a night can be done again.

    Args:
        model: As for `score`; of the semantics of the state.
        events: Events that are new: as for `score`.
        leads: Rows of leads, new or changed: as for `score`.
        until: The end: datetime, date or ISO 8601 text; naive is UTC. Later facts are kept for a later night.
        out: The folder of what changed: ``scores``, ``thresholds``, ``transitions``, ``alerts`` and ``late``, with the
            columns of `leadcore.Changes`; sorted by lead, and of one lead what facts changed before what time did.
        new_state: The folder of the new state.
        state: The folder of the old one; None begins one.
        late: How much older than the newest event of its lead a fact may be, of a state begun here.
        on_late: ``raise`` ends the job if a fact comes too late, ``set_aside`` hands such rows back in ``late``.
        columns: As for `score`.
        micropoints: As for `score`.
        memory: As for `score`; a ledger takes some 700 bytes a lead while it is at work.
        partitions: Of a state begun here: into how many it is cut, for ever.
        work: As for `score`.
        resume: As for `score`.
        threads: As for `score`.
        format: The format of the tables (Parquet by default), and of a table that is ``-``.
        progress: As for `score`.
        plan: As for `score`.
        cancel: As for `score`.

    Returns:
        Where rows went, and the way that was taken.

    Raises:
        DataError: A table is faulty, or a fact comes too late; nothing is left of the new state.
        StateError: The old state is not whole, or of another model.
        LeadcoreError: As for `score`, or both states are one folder.
        OSError: As for `score`.
        Canceled: As for `score`.
    """
    document = _model(model)
    if on_late not in ("raise", "set_aside"):
        raise LeadcoreError(f"on_late is 'raise' or 'set_aside', not {on_late!r}")
    folder = Path(os.path.realpath(new_state))
    before = None if state is None else State.open(Path(os.path.realpath(state)), document)
    if before is not None:
        if before.folder == folder:
            raise LeadcoreError(f"{new_state} is the old state: the new one needs a folder of its own")
        if partitions not in (None, before.partitions):
            raise LeadcoreError(f"the state has {before.partitions} partitions, for ever: not {partitions!r}")
        partitions = before.partitions
    options = _options(document, until, "until", columns, "score", None, micropoints)
    task = ApplyTask(options, before, folder, "all" if late == "all" else str(Duration(late)), on_late)
    kind: Format = format or "parquet"
    results = [Result(name, str(Path(out) / f"{name}.{kind}"), kind) for name in CHANGES]
    results.append(Result(LEDGERS, str(folder), "parquet", True))
    how = _How(memory, partitions, work, resume, threads, format, progress, plan, cancel)
    return _run(task, {"leads": leads, "events": events}, results, out, how, stays=True)


@dataclass(frozen=True)
class _How:
    """How a job is done; see `score`."""

    memory: str | int | None
    partitions: int | None
    work: Path_ | None
    resume: bool
    threads: int | None
    format: Format | None
    progress: Report | None
    plan: Callable[[Plan], object] | None
    cancel: Callable[[], bool] | None

    def __post_init__(self) -> None:
        if self.partitions is not None and not 1 <= _whole(self.partitions, "partitions") <= MOST_PARTITIONS:
            raise LeadcoreError(f"partitions={self.partitions!r}: there are at most {MOST_PARTITIONS}")
        if self.threads is not None:
            _whole(self.threads, "threads")


def _whole(number: Any, name: str) -> int:
    if type(number) is not int or number < 1:
        raise LeadcoreError(f"{name} is a whole number of at least 1, not {number!r}")
    return number


def _run(
    task: Task, tables: Mapping[str, Given | None], results: list[Result], out: Path_, how: _How, *, stays: bool = False
) -> Outcome:  # fmt: skip
    """Plan and run a job; ``stays``: what it leaves is in partitions, which all tables are cut into."""
    if all(table is None for name, table in tables.items() if name != "aliases"):
        raise LeadcoreError("give events, leads or both: there is nothing to do")
    budget = memory_of(how.memory)
    options = task.options
    sources = {
        name: open_any(given, options.model, name, options.names, how.format)
        for name, given in tables.items()
        if given is not None
    }
    rows = {name: rows_of(source) for name, source in sources.items()}
    told, needed = _needed(task, rows, sources)
    chosen = plan_of(budget, told, needed, how.partitions, fold=how.memory is None)
    if stays:
        chosen = replace(chosen, spills=True)
    work = work_folder(os.fspath(out), how.work)
    _check_places(results, sources, work)
    before = Manifest.load(work) if how.resume else None
    if before is not None:  # a job goes on in the partitions it began with
        chosen = replace(chosen, partitions=before.partitions, spills=True, asked=True)
    if how.plan is not None:
        how.plan(chosen)
    job = Job(task, sources, results, chosen, work, how.threads, how.progress, how.cancel, how.plan)
    try:
        return job.run(how.resume)
    except DataError as error:
        for problem in error.problems:
            source = sources.get(problem.table)
            if problem.row is not None and isinstance(source, FileTable):
                place = source.place(problem.row)
                line = "" if place.line is None else f", line {place.line}"
                error.add_note(f"{problem.table}, row {problem.row}: {place.file}, row {place.row_in_file}{line}")
        raise


def _check_places(results: Sequence[Result], sources: Mapping[str, Input], work: Path) -> None:
    """Refuse results that would cost somebody else's file, or could not be written at the end.

    Raises:
        LeadcoreError: A result would be written over or among other files of the job, or where nothing can be written.
    """
    work = Path(os.path.realpath(work))
    if work.exists() and not work.is_dir():
        raise LeadcoreError(f"{work} is a file, and a folder for partitions is wanted")
    taken: dict[Path, str] = {}
    for table, source in sources.items():
        paths: Sequence[str | None] = source.paths if isinstance(source, FileTable) else []
        paths = [source.file] if isinstance(source, QueryTable) else paths
        taken |= {Path(os.path.realpath(path)): table for path in paths if path not in (None, STANDARD_STREAM)}
    if inside := [path for path in taken if path.is_relative_to(work)]:
        raise LeadcoreError(f"{inside[0]} lies in the work folder {work}: name another")
    for result in results:
        if result.path == STANDARD_STREAM:
            continue
        path = Path(os.path.realpath(result.path))
        others = [other for other in taken if path == other or (result.partitioned and other.is_relative_to(path))]
        if others:
            raise LeadcoreError(f"{result.name} would be written over {taken[others[0]]} {others[0]}")
        if path.is_relative_to(work) or (result.partitioned and work.is_relative_to(path)):
            raise LeadcoreError(f"{result.name} and the partitions would both be in {path}: give another work folder")
        if path.is_dir() != result.partitioned and path.exists():
            raise LeadcoreError(f"{path} is a {'directory' if path.is_dir() else 'file, and a folder is wanted'}")
        if not path.parent.exists() and not path.parent.parent.is_dir():
            raise LeadcoreError(f"there is no directory {path.parent}")
        taken[path] = result.name


def _needed(task: Task, rows: Mapping[str, int | None], sources: Mapping[str, Input]) -> tuple[int | None, int | None]:
    """Rows of all tables and the memory they would take, where that can be told."""
    if any(known is None for known in rows.values()):
        return None, None
    events, leads = rows.get("events") or 0, rows.get("leads") or 0
    # Without a table of leads nobody knows how many there are; a twentieth of the events is usual.
    identity = task.options.names.events.get("event_id", "event_id")
    event_ids = "events" in sources and identity in sources["events"].column_names
    return sum(known or 0 for known in rows.values()), task.bytes_needed(events, leads or events // 20, event_ids)


def _model(given: Model | Path_) -> Model:
    return given if isinstance(given, Model) else Model.load(given)


def _options(
    model: Model, instant: Moment, name: str, columns: Mapping[str, Any] | None, unknown_leads: Any,
    rejects: Path_ | None, micropoints: bool,
) -> Options:  # fmt: skip
    micros = one_instant(instant, name)
    if micros is None:
        reason = "is not one instant: give a datetime, a date or ISO 8601 text"
        raise DataError([Problem(name, None, None, type(instant).__name__, reason)])
    if unknown_leads not in ("score", "error", "ignore"):
        raise LeadcoreError(f"unknown_leads is 'score', 'error' or 'ignore', not {unknown_leads!r}")
    return Options(
        model, to_text(micros), column_names(model, columns), unknown_leads, rejects is not None, micropoints
    )  # fmt: skip


def _format(path: Path_, format: Format | None) -> Format:
    if os.fspath(path) == STANDARD_STREAM:
        if format is None:
            raise LeadcoreError("say the format of the standard stream: csv, jsonl or parquet")
        return format
    known = format_of(os.fspath(path))
    if known is None or os.fspath(path).lower().endswith(".gz"):
        raise LeadcoreError(
            f"{os.fspath(path)}: the ending of a result's name is one of .parquet, .csv, .jsonl, .ndjson"
        )
    return known
