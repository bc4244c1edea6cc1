"""Score a dirty gigabyte of CSV, and hold every rejected row against what was done to it.

``python -m benchmarks.dirty [--bytes 1_000_000_000] [--folder F]``: W1's events in four files and its leads, in each of
which one row in a thousand is made faulty in a way that is written down (``truth.parquet``). ``leadcore score
--rejects`` then has to name exactly these rows, by file, line and column, and to give every lead the score it has
without them (the files of ``clean/``).
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import csv

from benchmarks.measure import Watched, surroundings, watched
from benchmarks.workload import AS_OF, make, w1_document

FILES = 4
SHARE = 1e-3  # of rows made faulty, and of rows that only look strange
ROW_BYTES = 91  # of an event
CHUNK = 100_000  # rows
LACKED = "value"  # optional in the model, and no column of the last file
SWAPPED = 2  # the file whose columns stand the other way round

Cells = dict[bytes, bytes]
Rng = np.random.Generator
Spoil = Callable[[Cells, Rng], bytes]


@dataclass(frozen=True)
class Fault:
    """One way to spoil a row.

    Attributes:
        column: The column to be blamed; None for the row as a whole.
        reasons: What is said of it: it begins with one of these.
        spoil: Makes the line, without its end, of the cells in the file's order.
    """

    column: str | None
    reasons: tuple[str, ...]
    spoil: Spoil


def _line(cells: Cells) -> bytes:
    return b",".join(cells.values())


def _put(column: str, *values: bytes) -> Spoil:
    """Write one of these values into the column."""

    def spoil(cells: Cells, rng: Rng) -> bytes:
        return _line({**cells, column.encode(): values[rng.integers(len(values))]})

    return spoil


NULL = ("is null",)
NO_NUMBER = ("is not a number", "is infinite")
FIELDS = ("the row has",)
OPEN = ("a quote opens here that is not closed properly", "a quote opens here that is never closed")

FAULTS = {
    "events": {
        "bad date": Fault(
            "ts", ("is not an instant in ISO 8601",),
            _put("ts", b"2026-02-30T10:00:00Z", b"yesterday", b"31/12/2025", b"2025-06-01T25:00Z", b"0"),
        ),
        "no date": Fault("ts", NULL, _put("ts", b"")),
        "no number": Fault("value", NO_NUMBER, _put("value", b'"12,5"', b"n/a", b"1e999", b"1.2.3", b'""')),
        "torn quote": Fault("url", ("text stands behind the closing quote",), _put("url", b'"https://x.test"/pricing/')),
        "open quote": Fault(None, OPEN, _put("url", b'"https://www.example.com/pricing/')),
        "open quote where nobody reads": Fault(None, OPEN, _put("note", b'"web')),
        "latin-1": Fault("url", ("not UTF-8",), _put("url", b"https://www.example.com/M\xfcnchen")),
        "too few fields": Fault(None, FIELDS, lambda cells, rng: _line(cells).rpartition(b",")[0]),
        "too many fields": Fault(None, FIELDS, lambda cells, rng: _line(cells) + b",12"),
        "no lead": Fault("lead_id", NULL, _put("lead_id", b"")),
        "text among integers": Fault(
            "lead_id", ("is not an integer of 64 bits",),
            _put("lead_id", b"A17", b"1.5", b"99999999999999999999", b'""'),
        ),
        "no type": Fault("event_type", NULL, _put("event_type", b"")),
    },
    "leads": {
        "no number": Fault("employees", NO_NUMBER, _put("employees", b"many", b'"1,200"', b"-inf")),
        "no lead": Fault("lead_id", NULL, _put("lead_id", b"")),
        "latin-1": Fault("title", ("not UTF-8",), _put("title", b"G\xe9rant")),
        "too few fields": Fault(None, FIELDS, lambda cells, rng: _line(cells).rpartition(b",")[0]),
        "open quote": Fault(None, OPEN, _put("title", b'"VP Sales')),
    },
}  # fmt: skip
STRANGE: dict[str, tuple[Spoil, ...]] = {
    "events": (
        _put("url", b'"https://www.example.com/pricing/\n\n#a"', b'"https://www.example.com/docs/\r\n,""b"","'),
        _put("note", b"M\xfcnchen", b'"a\n""b"', b'"web"s'),
        lambda cells, rng: _line(cells) + b"\r",
        lambda cells, rng: b"\n\r\n" + _line(cells),
    ),
    "leads": (_put("title", b'"VP, ""Sales"""', b'"VP\nSales"'), lambda cells, rng: b"\n" + _line(cells)),
}
"""What makes rows look strange that are right."""


@dataclass
class Dirt:
    """Writes tables of which it spoils rows, and knows which.

    Attributes:
        folder: Where the files go; ``clean/`` in it has the same ones without the rows that were spoiled.
        rng: What is spoiled, and how.
        rows: Rows written so far, spoiled ones included.
        faults: Table, file, line, column and kind of each fault.
    """

    folder: Path
    rng: Rng
    rows: int = 0
    faults: list[tuple[str, str, int, str | None, str]] = field(default_factory=list)

    def write(self, table: str, name: str, rows: pa.Table) -> None:
        """Write a file of a table, in the order of its columns."""
        columns = tuple(column.encode() for column in rows.column_names)
        faults = {
            kind: fault
            for kind, fault in FAULTS[table].items()
            if fault.column is None or fault.column.encode() in columns
        }
        with (self.folder / name).open("wb") as dirty, (self.folder / "clean" / name).open("wb") as clean:
            line = 1
            for chunk in _chunks(rows):
                line = self._soil(table, name, line, columns, chunk, faults, (dirty, clean))
        self.rows += len(rows)

    def _soil(
        self, table: str, name: str, line: int, columns: tuple[bytes, ...], lines: list[bytes],
        faults: dict[str, Fault], out: tuple[BinaryIO, BinaryIO],
    ) -> int:  # fmt: skip
        """Write some lines; the number of the next one."""
        dirty, clean = out
        kinds, chosen, begun = list(faults), self.rng.random(len(lines)), 0
        if line == 1:
            chosen[0] = 1.0  # the header stays as it is
        for i in np.flatnonzero(chosen < 2 * SHARE).tolist():
            for file in out:
                file.writelines(lines[begun:i])
            line += i - begun
            begun = i + 1
            cells = dict(zip(columns, lines[i].removesuffix(b"\n").split(b","), strict=True))
            if chosen[i] < SHARE:
                kind = kinds[self.rng.integers(len(kinds))]
                made = faults[kind].spoil(cells, self.rng) + b"\n"
                self.faults.append((table, name, line, faults[kind].column, kind))
            else:
                odd = STRANGE[table]
                made = odd[self.rng.integers(len(odd))](cells, self.rng) + b"\n"
                clean.write(made)
            dirty.write(made)
            line += made.count(b"\n")
        for file in out:
            file.writelines(lines[begun:])
        return line + len(lines) - begun

    def truth(self) -> pl.DataFrame:
        """The faults as a table."""
        names = {"table": pl.String, "file": pl.String, "line": pl.Int64, "column": pl.String, "fault": pl.String}
        return pl.DataFrame(self.faults, names, orient="row")


def _chunks(rows: pa.Table) -> Iterator[list[bytes]]:
    """The lines of a table, the first one with the names of its columns."""
    yield [",".join(rows.column_names).encode() + b"\n"]
    options = csv.WriteOptions(include_header=False, quoting_style="none")
    for begin in range(0, len(rows), CHUNK):
        text = io.BytesIO()
        csv.write_csv(rows.slice(begin, CHUNK), text, options)
        yield text.getvalue().splitlines(keepends=True)


def make_dirty(folder: Path, size: int, seed: int = 1) -> Dirt:
    """Write model, leads, aliases and some ``size`` bytes of events, and the truth about them."""
    (folder / "clean").mkdir(parents=True)
    data = make(max(FILES, size // ROW_BYTES), seed=seed)
    document = w1_document()
    for properties in document["events"].values():
        properties[LACKED] = {"type": "number", "optional": True}
    (folder / "model.json").write_text(json.dumps(document))
    ids = data.leads["lead_id"]
    half = min(100, len(ids) // 2)
    # Integers, and so all other ids have to be.
    aliases = pa.table({"lead_id": ids.slice(0, half), "same_as": ids.slice(half, half)})
    pq.write_table(aliases, folder / "aliases.parquet")
    dirt = Dirt(folder, np.random.default_rng([seed, size]))
    plain = pc.replace_substring(data.leads["title"], ",", "")
    dirt.write("leads", "leads.csv", data.leads.set_column(1, "title", plain))
    events = data.events.append_column("note", pa.array(["web"]).take(pa.array(np.zeros(len(data.events), np.int8))))
    del data
    names = events.column_names
    for number in range(FILES):
        begin, end = (len(events) * n // FILES for n in (number, number + 1))
        kept = {SWAPPED: names[::-1], FILES - 1: [name for name in names if name != LACKED]}.get(number, names)
        dirt.write("events", f"events-{number + 1}.csv", events.slice(begin, end - begin).select(kept))
    dirt.truth().write_parquet(folder / "truth.parquet")
    return dirt


def score(folder: Path, out: Path, *options: str) -> Watched:
    """Run the command on a folder's files, in a process of its own."""
    tables = ("--leads", str(folder / "leads.csv"), "--events", str(folder / "events-*.csv"))
    shared = ("--aliases", str(out.parent / "aliases.parquet"), "--as-of", AS_OF, "--out", str(out))
    columns = ("--columns", "events.at=ts", "--columns", "events.type=event_type")
    model = str(out.parent / "model.json")
    run = watched([sys.executable, "-m", "leadcore.cli", "score", model, *tables, *shared, *columns, *options])
    if run.code:
        raise SystemExit(f"leadcore score ended with {run.code}:\n{run.err}")
    return run


def check(dirt: Dirt) -> dict[str, Any]:
    """Score with the faulty rows and without, and compare with the truth."""
    folder, truth = dirt.folder, dirt.truth()
    run = score(folder, folder / "scores.parquet", "--rejects", str(folder / "rejects.parquet"))
    score(folder / "clean", folder / "clean.parquet")
    rejects = pl.read_parquet(folder / "rejects.parquet").with_columns(pl.col("file").str.split("/").list.last())
    place = ["table", "file", "line"]
    both = truth.join(rejects, place, suffix="_told")
    told = [
        column == column_told and reason.startswith(FAULTS[table][fault].reasons)
        for table, column, column_told, fault, reason in both.select(
            "table", "column", "column_told", "fault", "reason"
        ).iter_rows()
    ]
    scores, clean = (pl.read_parquet(folder / f"{name}.parquet") for name in ("scores", "clean"))
    marked = scores.filter(pl.col("rejected_rows") > 0)
    # Of some leads nothing is left but the mark.
    alone = scores.join(clean, "lead_id", how="anti")
    same = scores.drop("rejected_rows").join(alone, "lead_id", how="anti").equals(clean)
    rows = dirt.rows
    return {
        "benchmark": "dirty",
        "bytes": sum(path.stat().st_size for path in folder.glob("*.csv")),
        "rows": rows,
        "faulty": len(truth),
        "rejected": len(rejects),
        "missing": len(truth.join(rejects, place, how="anti")),
        "extra": len(rejects.join(truth, place, how="anti")) + len(both) - len(both.unique(place)),
        "wrongly told": told.count(False),
        "all rows told of": f"{rows:,} rows in" in run.err,
        "same scores": same and alone.join(marked, "lead_id", how="anti").is_empty(),
        "leads": len(scores), "leads marked": len(marked),
        "seconds": round(run.seconds, 2), "rows_per_second": round(rows / run.seconds), "peak_mb": round(run.peak / 1e6),
        "faults": dict(truth["fault"].value_counts(sort=True).iter_rows()),
        "reasons": dict(rejects["reason"].value_counts(sort=True).iter_rows()),
        "surroundings": surroundings(),
    }  # fmt: skip


def right(found: dict[str, Any]) -> bool:
    """Nothing is missing, nothing is there too much, everything is told rightly and scored alike."""
    return (
        found["missing"] == found["extra"] == found["wrongly told"] == 0
        and found["rejected"] == found["faulty"]
        and found["all rows told of"]
        and found["same scores"]
    )


def show(found: dict[str, Any]) -> str:
    """The figures as lines."""
    out = [
        f"{found['bytes'] / 1e6:,.0f} MB of CSV, {found['rows']:,} rows, {found['faulty']:,} of them faulty",
        f"{found['seconds']:.1f} s, {found['rows_per_second']:,} rows/s, at most {found['peak_mb']:,} MB",
        f"{found['rejected']:,} rejected: {found['missing']} missing, {found['extra']} extra, "
        f"{found['wrongly told']} with another column or reason",
        f"{found['leads']:,} leads, {found['leads marked']:,} marked; scores as without the faulty rows: "
        f"{'yes' if found['same scores'] else 'NO'}",
        *(f"{count:>9,}  {reason}" for reason, count in found["reasons"].items()),
        "{cpu}, {cpus} CPUs, load {load}".format(**found["surroundings"]),
    ]
    return "\n".join(out)


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    """Make, score, compare and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.dirty", description=__doc__.splitlines()[0])
    parser.add_argument("--bytes", type=int, default=1_000_000_000, help="of events")
    parser.add_argument("--folder", type=Path, help="where the files are made and stay; a temporary one by default")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        folder = (options.folder or Path(temporary)) / "dirty"
        found = check(make_dirty(folder, options.bytes, options.seed))
    print(show(found))
    print(json.dumps(found))
    if not right(found):
        raise SystemExit("the rejects are not the faulty rows")
    return found


if __name__ == "__main__":
    main()
