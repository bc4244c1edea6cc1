"""A batch job: tables in, results out, by partitions where memory is short, and on after whatever stopped it."""

from __future__ import annotations

import fcntl
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import reduce
from pathlib import Path
from typing import Any

import leadcore
from leadcore._arrow import Table, write_table
from leadcore._durable import clean, write_whole
from leadcore._files import FileTable
from leadcore._sources import STANDARD_STREAM
from leadcore.accounts import combine_members
from leadcore.batch.inputs import Input, identity
from leadcore.batch.manifest import NAME, Cut, Done, Manifest
from leadcore.batch.memory import resident_memory
from leadcore.batch.plan import MANY, Plan
from leadcore.batch.progress import Canceled, Progress, Report, Stage
from leadcore.batch.rejected import Rows, ordered, renumbered
from leadcore.batch.results import LEDGERS, PASSED, Result, remove_folder, write_all
from leadcore.batch.spill import Carried, Spill, cut_members
from leadcore.batch.task import MEMBERS, Piece, Task, added
from leadcore.errors import DataError, LeadcoreError
from leadcore.ledger.ledger import ledger_bytes
from leadcore.scorer import Scorer

_LOCK = "lock"
_MARK = "the work folder of a leadcore job\n"


@dataclass(frozen=True)
class Outcome:
    """What a job did.

    Attributes:
        plan: The way it took.
        counts: Where every row went: `leadcore._run.Counts` of a scoring, as in ``Scores.counts``; of a replay as in
            ``Replay.counts``, of ledgers as in ``Changes.counts``.
        rows: Rows of each result.
        files: Files of each result.
        standing: For a replay, how many leads stand in each stage.
        spilled: Bytes written into the work folder for partitions of the input.
        resumed: Partitions that had been done before.
        story: What happened to the one lead asked for.
    """

    plan: Plan
    counts: Any
    rows: dict[str, int]
    files: dict[str, list[str]]
    standing: dict[str, int] = field(default_factory=dict)
    spilled: int = 0
    resumed: int = 0
    story: str | None = None


class _Outgrown(LeadcoreError):  # noqa: N818 - the job goes another way
    """Rows take more memory than was expected."""


class UnknownLead(LeadcoreError):  # noqa: N818 - it is the caller's
    """The lead whose story is asked for is in no table."""


class Job:
    """A job.

    Args:
        task: What is done with each partition.
        sources: The tables.
        results: Where the results go.
        plan: The way to take.
        work: The folder for partitions.
        threads: How many threads to use; None: as many as the process may.
        report: Who is told how far it is.
        canceled: Asked now and then; True ends the job.
        planned: Told if another way is taken on the way.
    """

    def __init__(
        self, task: Task, sources: Mapping[str, Input], results: Sequence[Result], plan: Plan, work: Path,
        threads: int | None = None, report: Report | None = None, canceled: Callable[[], bool] | None = None,
        planned: Callable[[Plan], object] | None = None,
    ) -> None:  # fmt: skip
        self._task, self._sources, self._results = task, dict(sources), list(results)
        self._plan, self._work, self._threads = plan, work, threads
        self._report, self._canceled = report, canceled
        self._scorer = Scorer(task.options.model)
        self._planned, self._spilled = planned, 0

    def run(self, resume: bool) -> Outcome:
        """Do it.

        Args:
            resume: Go on where an earlier run was stopped; without one, begin.

        Raises:
            DataError: A table is faulty; nothing is left of the job.
            UnknownLead: The lead whose story is asked for is in no table; likewise.
            LeadcoreError: The earlier run was another job.
            OSError: A file cannot be read or written, the disk is full: the job can be resumed.
            Canceled: The caller canceled it: the job can be resumed.
        """
        if not self._plan.spills:
            try:
                return self._run_whole()
            except _Outgrown:
                self._plan = replace(self._plan, partitions=MANY, spills=True, outgrown=True)
                if self._planned is not None:
                    self._planned(self._plan)
        with self._locked():
            manifest = self._begin(resume)
            try:
                return self._run_partitions(manifest)
            except (DataError, UnknownLead):
                remove_folder(self._work, [NAME, _LOCK])
                raise
            except Carried as carried:
                raise carried.__cause__ or carried from None

    # all in memory

    def _run_whole(self) -> Outcome:
        events = self._sources.get("events")
        watch = all(source.rereadable for source in self._sources.values())

        def tell(rows: int) -> None:
            if watch and resident_memory() > self._plan.memory:
                raise _Outgrown
            self._tell("run", rows, 0, None if events is None else events.rows_total)

        piece = self._task.run(self._scorer, self._sources, self._threads, tell, None)
        tables = _tables(piece, {})
        rows = {name: len(table) for name, table in tables.items()}
        self._check_story(piece.story, rows.get("states", 0))
        write_all(self._results, tables, self._files())
        files = {result.name: result.files(1) for result in self._results}
        return Outcome(self._plan, piece.counts, rows, files, piece.standing, story=piece.story)

    # partitions

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep the work folder to this process."""
        self._work.mkdir(parents=True, exist_ok=True)
        if any(self._work.iterdir()) and not _is_ours(self._work):
            raise LeadcoreError(f"{self._work} is not empty and no work folder of a job: name another")
        with (self._work / _LOCK).open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise LeadcoreError(f"another process is at work in {self._work}") from error
            if not lock.tell():
                lock.write(_MARK)
                lock.flush()
            yield

    def _begin(self, resume: bool) -> Manifest:
        """The manifest to go on with, or a new one in an empty folder."""
        told = self._told()
        manifest = Manifest.load(self._work) if resume else None
        if manifest is not None:
            manifest.check(told, self._work)
            self._clean(manifest)
            return manifest
        for old in self._work.iterdir():
            if old.name not in (_LOCK, NAME):
                remove_folder(old, []) if old.is_dir() else old.unlink()
        manifest = Manifest(told, self._plan.partitions)
        manifest.save(self._work)
        return manifest

    def _told(self) -> dict[str, Any]:
        """What must be the same for a job to go on."""
        return {
            "leadcore": leadcore.__version__,
            "task": self._task.name,
            **self._task.told(),
            "inputs": {table: identity(source) for table, source in self._sources.items()},
            "results": {result.name: [result.path, result.format, result.partitioned] for result in self._results},
        }

    def _clean(self, manifest: Manifest) -> None:
        """Remove what was not whole when the run before was stopped.

        Raises:
            LeadcoreError: What should be whole is not there.
        """
        for folder in (self._work, self._parts):
            clean(folder)
        for result in self._results:
            result.clean()
        published = {result.name for result in self._results if result.partitioned}
        for partition in range(manifest.partitions):
            files = self._part_files(partition)
            if partition >= len(manifest.done):
                for file in files.values():
                    file.unlink(missing_ok=True)
            elif lost := [file for name, file in files.items() if name not in published and not file.is_file()]:
                raise LeadcoreError(f"{lost[0]} is gone: remove {self._work} and start again")

    @property
    def _parts(self) -> Path:
        return self._work / "parts"

    def _run_partitions(self, manifest: Manifest) -> Outcome:
        spill = Spill(self._work / "split", self._sources, self._task.options, manifest.partitions)
        if manifest.cut is None:
            cut = spill.cut(self._plan.memory, lambda rows: self._tell("split", rows, 0), self._task.ids)
            starts = {table: source.starts for table, source in self._files().items()}
            manifest.cut = Cut(**cut, bytes=spill.size(), starts=starts)
            manifest.save(self._work)
        for table, source in self._files().items():
            source.remember(manifest.cut.starts[table])
        self._spilled = manifest.cut.bytes
        self._parts.mkdir(exist_ok=True)
        resumed = len(manifest.done)
        events = manifest.cut.rows.get("events", [0] * manifest.partitions)
        for partition in range(resumed, manifest.partitions):
            before = sum(events[:partition])

            def tell(rows: int, before: int = before, partition: int = partition) -> None:
                self._tell("run", before + rows, partition, sum(events))

            tell(0)
            manifest.done.append(self._run_partition(spill, partition, manifest.cut, tell))
            manifest.save(self._work)
            spill.drop(partition)
        leads = sum(done.rows.get("states", 0) for done in manifest.done)
        self._check_story(_story(manifest), leads)
        self._merge(manifest)
        return self._outcome(manifest, resumed)

    def _run_partition(self, spill: Spill, partition: int, cut: Cut, progress: Callable[[int], None]) -> Done:
        """Do one partition and write what came of it; where its rows went."""
        tables, rows = spill.tables(partition, cut.typed), spill.rows(partition)
        try:
            piece = self._task.run(self._scorer, tables, self._threads, progress, partition)
        except DataError as error:
            if spill.is_damaged(partition, cut.rows):
                raise LeadcoreError(f"a file in {self._work} is damaged: remove the folder and start again") from error
            raise renumbered(error, rows) from error
        made = _tables(piece, rows)
        for name, path in self._part_files(partition).items():
            if name == LEDGERS and piece.ledger is not None:
                write_whole(path, ledger_bytes(piece.ledger))
            else:
                write_table(made[name], str(path), "parquet")
        told = Counter({name.removesuffix(PASSED): 0 for name in made if name != MEMBERS})
        for name in made.keys() - {MEMBERS}:
            told[name.removesuffix(PASSED)] += len(made[name])
        return Done(asdict(piece.counts), dict(told), piece.standing, piece.story)

    def _check_story(self, story: str | None, leads: int) -> None:
        lead = self._task.options.lead
        if lead is not None and story is None:
            raise UnknownLead(f"no lead {lead!r} among the {leads:,} leads of these tables")

    def _part_files(self, partition: int) -> dict[str, Path]:
        """The files of a partition by table: of results, and of what they are put together from."""
        wanted = {result.name: result for result in self._results}
        files = {}
        for name in (*self._task.results, "rejects"):
            if name in wanted:
                files[name] = wanted[name].part(self._parts, partition)
            elif name == MEMBERS or name.removesuffix(PASSED) in wanted:
                files[name] = self._parts / f"{name}-{partition:05}.parquet"
        return files

    def _merge(self, manifest: Manifest) -> None:
        for result in self._results:
            if result.name in manifest.merged:
                continue
            self._tell("merge", 0, manifest.partitions)
            if result.name == "accounts":
                parts = self._account_parts(manifest.partitions)
            else:
                files = [self._part_files(partition) for partition in range(manifest.partitions)]
                names = (result.name, result.name + PASSED)
                parts = [found[name] for name in names for found in files if name in found]
            if result.partitioned:
                result.publish(parts)
                rows = sum(done.rows.get(result.name, 0) for done in manifest.done)
            else:
                rows = result.merge(parts, self._work, self._files())
            manifest.merged[result.name] = rows
            manifest.save(self._work)

    def _account_parts(self, partitions: int) -> list[Path]:
        """Scores of accounts, combined by partitions of accounts."""
        options = self._task.options
        members = [self._part_files(partition)[MEMBERS] for partition in range(partitions)]
        made = []
        for partition, of_leads in enumerate(
            cut_members(members, self._work / "split", options.model, self._plan.memory)
        ):
            made.append(self._parts / f"accounts-{partition:05}.parquet")
            write_table(combine_members(options.model, of_leads, options.micropoints), str(made[-1]), "parquet")
        return made

    def _outcome(self, manifest: Manifest, resumed: int) -> Outcome:
        """What the job did; the work folder goes."""
        counts = reduce(added, [self._task.counts(**done.counts) for done in manifest.done])
        rows, standing = Counter[str](), Counter[str]()
        for done in manifest.done:
            rows.update(done.rows)
            standing.update(done.standing)
        files = {result.name: result.files(manifest.partitions) for result in self._results}
        self._task.finish(manifest.partitions, {} if manifest.cut is None else manifest.cut.kinds)
        remove_folder(self._work, [NAME, _LOCK])
        told = {name: number for name, number in {**rows, **manifest.merged}.items() if name != LEDGERS}
        return Outcome(self._plan, counts, told, files, dict(standing), self._spilled, resumed, _story(manifest))

    # telling

    def _files(self) -> dict[str, FileTable]:
        return {table: source for table, source in self._sources.items() if isinstance(source, FileTable)}

    def _tell(self, stage: Stage, rows: int, done: int, total: int | None = None) -> None:
        """Tell how far the job is, and ask whether it is to end."""
        if self._canceled is not None and self._canceled():
            raise Canceled(
                f"the job was canceled{f'; it can be resumed from {self._work}' if self._plan.spills else ''}"
            )
        if self._report is None:
            return
        events = self._sources.get("events")
        read, size = (0, None) if events is None else events.progress
        known = total if total is not None or events is None else events.rows_total
        self._report(
            Progress(stage, rows, known, read, size, done, self._plan.partitions, self._spilled)
        )  # fmt: skip


def _tables(piece: Piece, rows: Rows) -> dict[str, Table]:
    """The tables of a piece; rejected rows by their place in whole tables."""
    return piece.tables if piece.rejects is None else {**piece.tables, "rejects": ordered(piece.rejects, rows)}


def _story(manifest: Manifest) -> str | None:
    return next((done.story for done in manifest.done if done.story is not None), None)


def _is_ours(folder: Path) -> bool:
    """Whether a folder is the work folder of a job, by what its lock says."""
    try:
        return (folder / _LOCK).read_text() == _MARK
    except (OSError, ValueError):
        return False


def work_folder(out: str, given: str | os.PathLike[str] | None) -> Path:
    """The folder for the partitions of a job: that given, else one beside the result."""
    if given is not None:
        return Path(given)
    path = Path(os.path.realpath("leadcore" if out == STANDARD_STREAM else out))
    return path.with_name(f"{path.name}.work")
