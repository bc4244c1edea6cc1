"""W1 and W2 on Spark beside a local run: the same rows to the last bit, and what Spark costs on top.

``python -m benchmarks.spark_batch [--events 10_000_000] [--master "local-cluster[2,1,2048]"] [--partitions 8]`` prints
tables and one line of JSON. One more lead has a tenth of the events. Both sides read Parquet files and write Parquet
files; what they wrote is compared, order aside. Times of stages are those of Spark's own status server.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import leadcore as lc
from benchmarks.ledger_latency import W2
from benchmarks.measure import descendants, peak_of, stopwatch, surroundings
from benchmarks.workload import AS_OF, COLUMNS, ROW_GROUP, make, w1_model
from leadcore._arrow import write_table
from leadcore._files import open_table
from leadcore._inputs import column_names

TABLES = ("leads", "events")
REPLAYED = ("transitions", "spans", "alerts", "states")
SHARE = 10  # of so many events one is the added lead's
ADDED = 2**53 + 1  # an id that no other lead has


def prepare(folder: Path, events: int, seed: int) -> dict[str, Any]:
    """Both tables as Parquet, with the added lead."""
    data = make(events, seed=seed)
    mine = pa.array(np.arange(events) % SHARE == 0)
    lead = pa.compute.if_else(mine, ADDED, data.events["lead_id"])
    added = pa.Table.from_pylist([{"lead_id": ADDED, "title": "VP Sales", "country": "DE", "employees": 7}])
    tables = {
        "events": data.events.set_column(0, "lead_id", lead),
        "leads": pa.concat_tables([data.leads, added.cast(data.leads.schema)]),
    }
    for name, table in tables.items():
        pq.write_table(table, folder / f"{name}.parquet", row_group_size=ROW_GROUP, compression="snappy")
    return {"events": events, "leads": len(tables["leads"]), "of_the_added_lead": int(pa.compute.sum(mine).as_py())}


def local(folder: Path, model: lc.Model, kind: str) -> dict[str, float]:
    """The same in this process: files in, files out."""
    scorer, names = lc.Scorer(model), column_names(model, COLUMNS)

    def work() -> None:
        leads, events = (open_table(str(folder / f"{name}.parquet"), model, name, names) for name in TABLES)
        if kind == "score":
            found = {"scores": scorer.score(events, leads, as_of=AS_OF, columns=COLUMNS)}
        else:
            replay = scorer.replay(events, leads, until=AS_OF, columns=COLUMNS)
            found = {name: getattr(replay, name) for name in REPLAYED}
        for name, frame in found.items():
            write_table(frame.table, str(folder / f"local-{name}.parquet"), "parquet")

    with stopwatch() as took:
        peak, added = peak_of(work)
    return {"wall": took.wall, "cpu": took.cpu, "peak_mb": peak / 1e6, "added_mb": added / 1e6}


@contextmanager
def session(master: str, memory: str, folder: Path) -> Iterator[Any]:
    """A session that has Python workers of this environment and says nothing."""
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = sys.executable
    settings = {
        "driver.memory": "1g", "executor.memory": memory, "ui.port": "0", "ui.showConsoleProgress": "false",
        "driver.bindAddress": "127.0.0.1", "driver.host": "127.0.0.1", "local.dir": str(folder), "log.level": "ERROR",
    }  # fmt: skip
    builder = SparkSession.builder.master(master)
    for name, value in settings.items():
        builder = builder.config(f"spark.{name}", value)
    spark = builder.getOrCreate()
    try:
        yield spark
    finally:
        spark.stop()


def on_spark(spark: Any, folder: Path, model: lc.Model, kind: str, partitions: int) -> dict[str, Any]:
    """The work on Spark, and what its stages took."""
    leads, events = (spark.read.parquet(str(folder / f"{name}.parquet")) for name in TABLES)
    before = {stage["stageId"] for stage in stages(spark)}
    options = {"columns": COLUMNS, "partitions": partitions}

    def write(name: str, frame: Any) -> None:
        frame.write.mode("overwrite").parquet(str(folder / f"spark-{name}"))

    with stopwatch(family=True) as took:
        if kind == "score":
            write("scores", lc.spark.score(events, leads, model, AS_OF, **options))
        else:
            with lc.spark.replay(events, leads, model, AS_OF, **options) as replay:
                for name in REPLAYED:
                    write(name, getattr(replay, name))
    return {
        "wall": took.wall, "cpu": took.cpu, "python_peak_mb": peak(b"pyspark.daemon") / 1e6,
        "jvm_peak_mb": peak(b"CoarseGrainedExecutorBackend") / 1e6,
        "stages": [told(stage) for stage in stages(spark) if stage["stageId"] not in before],
    }  # fmt: skip


def stages(spark: Any) -> list[dict[str, Any]]:
    """Finished stages, as the status server tells them."""
    context = spark.sparkContext
    url = f"{context.uiWebUrl}/api/v1/applications/{context.applicationId}/stages?status=complete"
    with urllib.request.urlopen(url) as answer:
        found: list[dict[str, Any]] = json.load(answer)
    return sorted(found, key=lambda stage: stage["stageId"])


def told(stage: Mapping[str, Any]) -> dict[str, Any]:
    """What counts of a stage."""
    begin, end = (
        datetime.strptime(stage[name], "%Y-%m-%dT%H:%M:%S.%f%Z") for name in ("submissionTime", "completionTime")
    )
    return {
        "stage": stage["stageId"], "tasks": stage["numCompleteTasks"], "wall": (end - begin).total_seconds(),
        "tasks_wall": stage["executorRunTime"] / 1e3, "jvm_cpu": stage["executorCpuTime"] / 1e9,
        "gc": stage["jvmGcTime"] / 1e3, "read_mb": stage["inputBytes"] / 1e6,
        "shuffle_write_mb": stage["shuffleWriteBytes"] / 1e6, "shuffle_read_mb": stage["shuffleReadBytes"] / 1e6,
        "spilled_mb": stage["diskBytesSpilled"] / 1e6, "written_mb": stage["outputBytes"] / 1e6,
    }  # fmt: skip


def peak(program: bytes) -> float:
    """Bytes resident at the peak in the largest process so far that runs this."""
    peaks = [0.0]
    for process in descendants():
        try:
            command = Path(f"/proc/{process}/cmdline").read_bytes()
            status = Path(f"/proc/{process}/status").read_text()
        except OSError:
            continue
        if program in command:
            peaks += [float(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM")]
    return max(peaks)


def compare(folder: Path, name: str) -> int:
    """How many rows both wrote; it ends here if one bit is not the same."""
    found = pq.read_table(folder / f"spark-{name}")
    expected = pq.read_table(folder / f"local-{name}.parquet")
    if found.column_names != expected.column_names or len(found) != len(expected):
        raise SystemExit(f"{name}: Spark wrote {found.shape} of {found.column_names}, a local run {expected.shape}")
    keys = [
        (column, "ascending") for column in found.column_names if not pa.types.is_list(found.schema.field(column).type)
    ]
    tables = [plain(table).sort_by(keys) for table in (found, expected)]
    for column in found.column_names:
        if not tables[0][column].equals(tables[1][column]):
            raise SystemExit(f"{name}: column {column} differs")
    return len(found)


def plain(table: pa.Table) -> pa.Table:
    """Text as text and instants in UTC, however they were written; floats by their bits."""
    columns = {}
    for field in table.schema:
        column, kind = table[field.name], field.type
        if pa.types.is_dictionary(kind):
            column = column.cast(pa.string())
        elif pa.types.is_timestamp(kind):
            column = column.cast(pa.timestamp("us", "UTC"))
        elif pa.types.is_floating(kind):
            column = pa.chunked_array([part.view(pa.int64()) for part in column.chunks], pa.int64())
        columns[field.name] = column
    return pa.table(columns)


def measure(
    events: int, master: str, memory: str, partitions: int, seed: int, say: Callable[[str], None]
) -> dict[str, Any]:
    """Every figure."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        data = prepare(folder, events, seed)
        works = {"W1 score": (w1_model(), "score"), "W2 replay": (lc.Model.load(str(W2)), "replay")}
        alone = {title: local(folder, *work) for title, work in works.items()}
        found = {}
        with session(master, memory, folder) as spark:
            warm = spark.read.parquet(str(folder / "leads.parquet")).limit(1000)
            lc.spark.score(None, warm, works["W1 score"][0], AS_OF, columns=COLUMNS, partitions=2).collect()
            for title, (model, kind) in works.items():
                took = on_spark(spark, folder, model, kind, partitions)
                rows = {name: compare(folder, name) for name in (("scores",) if kind == "score" else REPLAYED)}
                found[title] = {"local": alone[title], "spark": took, "same_rows": rows}
                say(report(title, found[title]))
    return {
        "bench": "spark_batch", **data, "master": master, "executor_memory": memory, "partitions": partitions,
        "pyspark": version("pyspark"), **surroundings(), "found": found,
    }  # fmt: skip


def report(title: str, found: Mapping[str, Any]) -> str:
    """One work's figures, for people."""
    alone, spark = found["local"], found["spark"]
    lines = [
        f"{title}: local {alone['wall']:.1f} s, {alone['cpu']:.1f} s of CPU, {alone['added_mb']:,.0f} MB; Spark {spark['wall']:.1f} s, "
        f"{spark['cpu']:.1f} s of CPU, largest Python worker {spark['python_peak_mb']:,.0f} MB, "
        f"largest executor {spark['jvm_peak_mb']:,.0f} MB; "
        f"{spark['wall'] / alone['wall']:.1f} times as long",
        "  rows the same to the last bit: "
        + ", ".join(f"{name} {rows:,}" for name, rows in found["same_rows"].items()),
        "  stage  tasks   wall s  tasks s  JVM CPU s    gc s  read MB  shuffled MB  taken MB  spilled MB  written MB",
    ]
    lines += [
        f"  {s['stage']:>5}  {s['tasks']:>5}  {s['wall']:>7.1f}  {s['tasks_wall']:>7.1f}  {s['jvm_cpu']:>9.1f}  {s['gc']:>6.1f}"
        f"  {s['read_mb']:>7.0f}  {s['shuffle_write_mb']:>11.0f}  {s['shuffle_read_mb']:>8.0f}  {s['spilled_mb']:>10.0f}"
        f"  {s['written_mb']:>10.0f}"
        for s in spark["stages"]
    ]  # fmt: skip
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument(
        "--master", default="local-cluster[2,1,2048]", help="Spark's, by default two executor processes"
    )
    parser.add_argument("--memory", default="1g", help="of an executor's JVM")
    parser.add_argument("--partitions", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(arguments)
    print(json.dumps(measure(asked.events, asked.master, asked.memory, asked.partitions, asked.seed, print)))


if __name__ == "__main__":
    main()
