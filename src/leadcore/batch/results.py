"""Where the tables of a job go: one file each, or a folder of partitions."""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from leadcore._arrow import Table, TableReader, merge_parts, write_table
from leadcore._durable import clean, sync_folder, write_whole
from leadcore._files import FileTable, located
from leadcore._sources import STANDARD_STREAM, Format
from leadcore.batch.rejected import ORDER

_KEYS = {"accounts": "account_id", "rejects": ORDER}
PASSED = "-passed"
"""Ends the name of a table whose rows come behind those of the table called so without it."""
_OURS = re.compile(r"part-(\d{5}\.(parquet|ledger)|all\.json)")
"""What a job leaves in a folder of partitions."""
LEDGERS = "ledgers"
"""The result that is no table: saved ledgers."""


def ledger_file(folder: Path, partition: int) -> Path:
    """The file of the ledger of a partition."""
    return folder / f"part-{partition:05}.ledger"


@dataclass(frozen=True)
class Result:
    """One table of a job.

    Attributes:
        name: ``scores``, ``transitions``, ``rejects`` ...
        path: Its file, or the folder of its partitions.
        format: The file's format; partitions are Parquet.
        partitioned: Whether it stays in partitions.
    """

    name: str
    path: str
    format: Format
    partitioned: bool = False

    @property
    def key(self) -> str:
        """The column its rows are sorted by."""
        return _KEYS.get(self.name, "lead_id")

    def part(self, folder: Path, partition: int) -> Path:
        """The file of a partition in the work folder."""
        return folder / f"{self.name}-{partition:05}.{'ledger' if self.name == LEDGERS else 'parquet'}"

    def files(self, partitions: int) -> list[str]:
        """Where its rows are in the end."""
        if not self.partitioned:
            return [self.path]
        folder = Path(self.path)
        if self.name == LEDGERS:
            return [str(ledger_file(folder, partition)) for partition in range(partitions)]
        return [str(folder / f"part-{partition:05}.parquet") for partition in range(partitions)]

    def publish(self, parts: Sequence[Path]) -> None:
        """Move its partitions where they stay, in place of all that an earlier job left there.

        Those that are there already, since an earlier attempt was stopped, stay.
        """
        folder = Path(self.path)
        folder.mkdir(parents=True, exist_ok=True)
        targets = [Path(file) for file in self.files(len(parts))]
        for old in folder.iterdir():
            if _OURS.fullmatch(old.name) and old not in targets:
                old.unlink()
        for part, target in zip(parts, targets, strict=True):
            if part.exists():
                _move(part, target)
        sync_folder(folder)

    def clean(self) -> None:
        """Remove what a writer that was killed left beside the file."""
        path = Path(self.path)
        clean(path if self.partitioned else path.parent, "" if self.partitioned else path.name)

    def merge(self, parts: Sequence[Path], work: Path, files: Mapping[str, FileTable]) -> int:
        """Put its partitions together where it belongs.

        Returns:
            How many rows there are.

        Raises:
            OSError: It cannot be written; the partitions are there still.
        """
        paths = [str(part) for part in parts]
        target = self.path
        if target != STANDARD_STREAM:
            target = os.path.realpath(target)
            Path(target).parent.mkdir(exist_ok=True)
        if self.name != "rejects":
            return merge_parts(paths, self.key, target, self.format)
        together = str(work / "rejects.parquet")
        merge_parts(paths, self.key, together, "parquet", hidden=True)
        kinds = {"table": "text", "row": "number", "column": "text", "value": "text", "reason": "text"}
        rejects = _plain(Table.collect(TableReader([together], "parquet", kinds)))
        return write_table(located(rejects, files), target, self.format)


def _plain(rejects: Table) -> Table:
    """Text as it is instead of numbered, as a scorer lists rejected rows."""
    text = {name: ("text", list(rejects.column(name))) for name in ("table", "column", "value", "reason")}
    return Table.build([(name, text.get(name, ("column", rejects.select([name])))) for name in rejects.column_names])


def write_all(results: Sequence[Result], tables: Mapping[str, Table], files: Mapping[str, FileTable]) -> None:
    """Write whole tables: beside their names first, and renamed when all are whole.

    Raises:
        OSError: One cannot be written; then what was there before is there still.
    """
    folders = {Path(result.files(1)[0]).parent for result in results if result.path != STANDARD_STREAM}
    new = [folder for folder in folders if not folder.exists()]
    beside: dict[Path, str] = {}
    done = False
    try:
        for folder in new:
            folder.mkdir(parents=True)
        for result in results:
            table = tables[result.name]
            if result.name == "rejects":
                table = located(table.select([name for name in table.column_names if name != ORDER]), files)
            target = Path(result.files(1)[0])
            if result.path == STANDARD_STREAM or (target.exists() and not target.is_file()):  # a pipe, a device
                write_table(table, result.path, result.format)
                continue
            target = Path(os.path.realpath(target))
            temporary = target.with_name(f".{target.name}.{os.getpid()}.part")
            beside[temporary] = str(target)
            write_table(table, str(temporary), result.format)
        for temporary, path in beside.items():
            temporary.replace(path)
        for result in results:
            if result.partitioned:
                result.publish([Path(result.files(1)[0])])
        done = True
    finally:
        for temporary in () if done else beside:
            temporary.unlink(missing_ok=True)
        for folder in () if done else new:
            shutil.rmtree(folder, ignore_errors=True)


def _move(part: Path, target: Path) -> None:
    """Rename a file, or copy it where it would leave its file system."""
    try:
        part.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        write_whole(target, part.read_bytes())
        part.unlink()


def remove_folder(folder: Path, last: Sequence[str]) -> None:
    """Remove a folder and all that is in it, the files called ``last`` after all others and in their order."""
    for one in sorted(folder.iterdir(), key=lambda one: last.index(one.name) if one.name in last else -1):
        if one.is_dir():
            shutil.rmtree(one)
        else:
            one.unlink()
    folder.rmdir()
