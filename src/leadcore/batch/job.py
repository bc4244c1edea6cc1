"""A batch job: tables in, results out, by partitions where memory is short, and on after whatever stopped it."""

from __future__ import annotations

import fcntl
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import reduce
from pathlib import Path
from typing import Any

import leadcore
from leadcore._arrow import Table, TableReader, write_table
from leadcore._files import FileTable
from leadcore.accounts import combine_members, scored
from leadcore.batch.inputs import Input, identity
from leadcore.batch.manifest import NAME, Manifest, write_whole
from leadcore.batch.plan import Plan
from leadcore.batch.progress import Canceled, Progress, Report, Stage
from leadcore.batch.rejected import Rows, ordered, renumbered
from leadcore.batch.results import LEDGERS, PASSED, Result, remove_folder, write_all
from leadcore.batch.spill import Spill, cut_members
from leadcore.batch.task import MEMBERS, Piece, Task, added
from leadcore.errors import DataError, LeadcoreError
from leadcore.ledger.ledger import ledger_bytes
from leadcore.scorer import Scorer

_LOCK = "lock"


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
    """

    def __init__(
        self, task: Task, sources: Mapping[str, Input], results: Sequence[Result], plan: Plan, work: Path,
        threads: int | None = None, report: Report | None = None, canceled: Callable[[], bool] | None = None,
    ) -> None:  # fmt: skip
        self._task, self._sources, self._results, self._plan, self._work = (
            task,
            dict(sources),
            list(results),
            plan,
            work,
        )
        self._threads, self._report, self._canceled = threads, report, canceled
        self._scorer = Scorer(task.options.model)
        self._spilled = 0

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
            return self._run_whole()
        with self._locked():
            manifest = self._begin(resume)
            try:
                return self._run_partitions(manifest)
            except (DataError, UnknownLead):
                remove_folder(self._work, NAME)
                raise

    # all in memory

    def _run_whole(self) -> Outcome:
        piece = self._task.run(
            self._scorer, self._sources, self._threads, lambda rows: self._tell("run", rows, 0), None
        )
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
        new = not self._work.exists()
        self._work.mkdir(parents=True, exist_ok=True)
        if not new and any(self._work.iterdir()) and not (self._work / _LOCK).exists():
            raise LeadcoreError(f"{self._work} is not empty and no work folder of a job: name another")
        with (self._work / _LOCK).open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise LeadcoreError(f"another process is at work in {self._work}") from error
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
                remove_folder(old, NAME) if old.is_dir() else old.unlink()
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
        """Remove what was not whole when the run before was stopped."""
        for file in self._parts.glob(".*.part"):
            file.unlink()
        for result in self._results:
            result.clean()
        for partition in range(len(manifest.done), manifest.partitions):
            for file in self._part_files(partition).values():
                file.unlink(missing_ok=True)

    @property
    def _parts(self) -> Path:
        return self._work / "parts"

    def _run_partitions(self, manifest: Manifest) -> Outcome:
        spill = Spill(self._work / "split", self._sources, self._task.options, manifest.partitions)
        if manifest.split is None:
            split = spill.cut(self._plan.memory, lambda rows: self._tell("split", rows, 0))
            starts = {table: source.starts for table, source in self._files().items()}
            manifest.split = {**split, "bytes": spill.size(), "starts": starts}
            manifest.save(self._work)
        for table, source in self._files().items():
            source.remember(manifest.split["starts"][table])
        self._spilled = manifest.split["bytes"]
        self._parts.mkdir(exist_ok=True)
        resumed = len(manifest.done)
        events = manifest.split["rows"].get("events", [0] * manifest.partitions)
        for partition in range(resumed, manifest.partitions):
            before = sum(events[:partition])

            def tell(rows: int, before: int = before, partition: int = partition) -> None:
                self._tell("run", before + rows, partition, sum(events))

            tell(0)
            manifest.done.append(self._run_partition(spill, partition, manifest.split, tell))
            manifest.save(self._work)
            spill.drop(partition)
        story = next((entry["story"] for entry in manifest.done if entry["story"] is not None), None)
        self._check_story(story, sum(entry["rows"].get("states", 0) for entry in manifest.done))
        self._merge(manifest)
        return self._outcome(manifest, resumed)

    def _run_partition(
        self, spill: Spill, partition: int, split: Mapping[str, Any], progress: Callable[[int], None]
    ) -> dict[str, Any]:
        """Do one partition and write what came of it; where its rows went."""
        tables, rows = spill.tables(partition, split), spill.rows(partition)
        try:
            piece = self._task.run(self._scorer, tables, self._threads, progress, partition)
        except DataError as error:
            raise renumbered(error, rows) from error
        made = _tables(piece, rows)
        for name, path in self._part_files(partition).items():
            if name == LEDGERS and piece.ledger is not None:
                write_whole(path, ledger_bytes(piece.ledger))
            else:
                write_table(made[name], str(path), "parquet")
        return _entry(piece, made)

    def _check_story(self, story: str | None, leads: int) -> None:
        lead = getattr(self._task, "lead", None)
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
            else:
                result.merge(parts, self._work, self._files())
            manifest.merged.append(result.name)
            manifest.save(self._work)

    def _account_parts(self, partitions: int) -> list[Path]:
        """Scores of accounts, combined by partitions of accounts."""
        options = self._task.options
        members = [self._part_files(partition)[MEMBERS] for partition in range(partitions)]
        fields = {"account_id": "id", **{f"score.{name}": "number" for name in scored(options.model)}}
        made = []
        for cut in cut_members(members, self._work / "split", options.model, self._plan.memory):
            of_leads = Table.collect(TableReader([str(cut)], "parquet", fields))
            made.append(self._parts / cut.name.replace(MEMBERS, "accounts"))
            write_table(combine_members(options.model, of_leads, options.micropoints), str(made[-1]), "parquet")
        return made

    def _outcome(self, manifest: Manifest, resumed: int) -> Outcome:
        """What the job did; the work folder goes."""
        counts = reduce(added, [self._task.counts(**entry["counts"]) for entry in manifest.done])
        rows, standing = Counter[str](), Counter[str]()
        for entry in manifest.done:
            rows.update(entry["rows"])
            standing.update(entry["standing"])
        files = {result.name: result.files(manifest.partitions) for result in self._results}
        self._task.finish(manifest.partitions)
        remove_folder(self._work, NAME)
        story = next((entry["story"] for entry in manifest.done if entry["story"] is not None), None)
        return Outcome(self._plan, counts, dict(rows), files, dict(standing), self._spilled, resumed, story)

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


def _entry(piece: Piece, made: Mapping[str, Table]) -> dict[str, Any]:
    """What a manifest keeps of a partition."""
    rows = Counter({name.removesuffix(PASSED): 0 for name in made})
    for name, table in made.items():
        rows[name.removesuffix(PASSED)] += len(table)
    return {"counts": asdict(piece.counts), "rows": dict(rows), "standing": piece.standing, "story": piece.story}


def work_folder(out: str, given: str | os.PathLike[str] | None) -> Path:
    """The folder for the partitions of a job: that given, else one beside the result."""
    if given is not None:
        return Path(given)
    path = Path(os.path.realpath(out))
    return path.with_name(f"{path.name}.work")
