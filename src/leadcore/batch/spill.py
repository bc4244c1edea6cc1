"""Tables cut into partitions by lead, in the work folder of a job."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from leadcore._aliases import canonical_codes
from leadcore._arrow import ArrowStream, PartReader, Table, TableReader, parts_of, split_table
from leadcore._ids import id_encoder
from leadcore._inputs import data_errors
from leadcore.accounts import scored
from leadcore.batch.inputs import Input
from leadcore.batch.rejected import Rows
from leadcore.batch.task import Options
from leadcore.errors import LeadcoreError
from leadcore.model import Model

_ROW = "leadcore.row"
_PROBLEM = "leadcore.problem"
_SHARE = 4
"""Of the memory of a job, the part for rows on their way to disk."""
_IDS = {
    "leads": ("lead_id", "account_id"),
    "events": ("lead_id", "event_id"),
    "aliases": ("lead_id", "same_as"),
    "start": ("lead_id",),
}


class Spill:
    """The partitions of every table of a job.

    Args:
        folder: Where they are.
        sources: The tables.
        options: What is done with them.
        partitions: How many there are.
    """

    def __init__(self, folder: Path, sources: Mapping[str, Input], options: Options, partitions: int) -> None:
        self._folder, self._sources, self._options, self._partitions = folder, sources, options, partitions

    def path(self, table: str, partition: int) -> Path:
        """The file of a table's partition."""
        return self._folder / f"{table}-{partition:05}.parquet"

    def cut(self, memory: int, progress: Callable[[int], None], known: Mapping[str, str]) -> dict[str, Any]:
        """Cut every table; all is on disk when this returns.

        Args:
            memory: Bytes the job may take.
            progress: Called with the rows of events done.
            known: What ids are by what was read on earlier days: ``integer`` or ``text`` of ``lead_id`` and ``event_id``.

        Returns:
            ``rows`` by table and partition; ``typed``: what untyped ids of a table's columns are told to be; ``kinds``:
            what ids are.

        Raises:
            DataError: Aliases contradict each other, or a table cannot be read.
            OSError: A file cannot be written.
        """
        self._folder.mkdir(exist_ok=True)
        aliases: ArrowStream | None = self._sources.get("aliases")
        moved = None
        if aliases is not None:
            with data_errors("aliases"):
                aliases = Table.collect(aliases)
            moved = self._moved(aliases)
        rows: dict[str, list[int]] = {}
        untyped: dict[str, bool] = {}
        kinds: dict[str, dict[str, str]] = {}
        for table, source in self._sources.items():
            stream = aliases if table == "aliases" and aliases is not None else source
            paths = [str(self.path(table, partition)) for partition in range(self._partitions)]
            ids = [self._named(table, name) for name in _IDS[table]]
            types = self._types() if table == "events" else None
            with data_errors(table), _passing(progress if table == "events" else _silent) as tell:
                rows[table], untyped[table], kinds[table] = split_table(
                    stream, paths, self._named(table, "lead_id"), ids, max(memory // _SHARE, 1 << 26), types, moved, tell
                )  # fmt: skip
        return {"rows": rows, **self._settled(untyped, kinds, known)}

    def _types(self) -> dict[str, Any]:
        """What the model declares of events, in the table's own names."""
        fields = {
            name: [(self._named("events", field), declared.type) for field, declared in properties.items()]
            for name, properties in self._options.model.events.items()
        }
        return {"kind": self._named("events", "type"), "at": self._named("events", "at"), "declared": fields}

    def _settled(
        self, untyped: Mapping[str, bool], kinds: Mapping[str, Mapping[str, str]], known: Mapping[str, str]
    ) -> dict[str, Any]:
        """What ids are, decided for all partitions together, and what untyped ones are told to be.

        One that is no integer makes all untyped ids text; where a table has types, they decide (spec 2.1). Leads' ids
        without such a one are integers in every partition by themselves; of events' ids a partition may have none.
        """
        typed: dict[str, dict[str, str]] = {table: {} for table in untyped}
        settled = dict(known)
        for space in (("lead_id", "same_as"), ("event_id",), ("account_id",)):
            named = [(table, self._named(table, name)) for table in untyped for name in _IDS[table] if name in space]
            found = {kinds[table][column] for table, column in named if column in kinds[table]}
            has_types = any(column in kinds[table] and not untyped[table] for table, column in named)
            kind = known.get(space[0]) or ("text" if "text" in found else "integer" if found else None)
            if kind is not None:
                settled[space[0]] = kind
            if space[0] in known or (not has_types and (kind == "text" or space == ("event_id",))):
                for table, column in named:
                    if untyped[table]:
                        typed[table][column] = kind or "text"
        return {"typed": typed, "kinds": settled}

    def _named(self, table: str, name: str) -> str:
        names = {"leads": self._options.names.leads, "events": self._options.names.events}
        return names.get(table, {}).get(name, name)

    def _moved(self, aliases: ArrowStream) -> tuple[Table, Any]:
        """Every record that is another's, and the partition of the one it stands for (spec 2.8)."""
        encoder = id_encoder(reject=True)
        with data_errors("aliases"):
            pairs = encoder.read_pairs(aliases, "aliases", {}, ["lead_id", "same_as"], [])
        count = encoder.lead_count

        def id_of(code: int) -> Any:
            return encoder.ids(np.array([code], np.uint32)).row(0)["lead_id"]

        stands = canonical_codes(pairs["lead_id"], pairs["same_as"], count, id_of)
        return encoder.ids(np.arange(count, dtype=np.uint32)), parts_of(encoder.ids(stands), self._partitions)

    def tables(self, partition: int, typed: Mapping[str, Mapping[str, str]]) -> dict[str, ArrowStream | None]:
        """The tables of a partition, as `cut` left them."""
        return {
            table: PartReader(
                str(self.path(table, partition)), {**source.fields, _PROBLEM: "text"}, typed[table]
            )
            for table, source in self._sources.items()
        }  # fmt: skip

    def rows(self, partition: int) -> Rows:
        """By table: where the rows of a partition stand in the whole table."""

        def read(table: str) -> Callable[[], Any]:
            path = str(self.path(table, partition))
            return lambda: Table.collect(TableReader([path], "parquet", {_ROW: "number"})).column(_ROW)

        return {table: read(table) for table in self._sources}

    def is_damaged(self, partition: int, rows: Mapping[str, Sequence[int]]) -> bool:
        """Whether a file of a partition cannot be read, or has not the rows that were written."""

        def whole(table: str) -> bool:
            try:
                reader = TableReader([str(self.path(table, partition))], "parquet", {_ROW: "number"})
                return len(Table.collect(reader)) == rows[table][partition]
            except (OSError, ValueError):
                return False

        return not all(map(whole, self._sources))

    def drop(self, partition: int) -> None:
        """Remove the files of a partition."""
        for table in self._sources:
            self.path(table, partition).unlink(missing_ok=True)

    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.stat().st_size for file in self._folder.glob("*.parquet"))


@contextmanager
def _passing(call: Callable[[int], None]) -> Iterator[Callable[[int], None]]:
    """What a caller's function raises passes through code that takes every fault for one of a table."""
    raised: list[BaseException] = []

    def carried(rows: int) -> None:
        try:
            call(rows)
        except BaseException as fault:
            raised.append(fault)
            raise

    try:
        yield carried
    except BaseException:
        if raised:
            raise Carried from raised[0]
        raise


class Carried(LeadcoreError):  # noqa: N818 - it is the cause that counts
    """Carries what a caller's function raised, as its cause."""


def _silent(rows: int) -> None:
    """Nobody is told of small tables."""


def cut_members(paths: Sequence[Path], folder: Path, model: Model, memory: int) -> Iterator[Table]:
    """What leads are to their accounts (`account_members`), cut into as many partitions by account; each in its turn."""
    fields = {"account_id": "id", **{f"score.{name}": "number" for name in scored(model)}}
    made = [str(folder / f"members-{partition:05}.parquet") for partition in range(len(paths))]
    folder.mkdir(exist_ok=True)
    stream = TableReader([str(path) for path in paths], "parquet", fields)
    split_table(stream, made, "account_id", [], max(memory // _SHARE, 1 << 26))
    for path in made:
        yield Table.collect(TableReader([path], "parquet", fields))
