"""Jobs from files to files with a budget of memory: how cost grows with events, and what a user would write instead.

``python -m benchmarks.batch [--events 1_000_000 10_000_000 100_000_000] [--memory 1.5GB]`` makes W1's tables in files (once;
under ``data/batch``), scores and replays them with the commands of a user, each in a process of its own, and prints
seconds, peak memory and bytes spilled. With ``--peers`` the same scoring is also done in DuckDB SQL, in Polars (streaming)
and in PySpark, whose memory is theirs to limit: DuckDB is told the same budget, and PySpark's Java 1.5 times as much. Scores
are compared. ``--grow`` tells how the cost of scoring 10 million events grows with leads and criteria.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.contest import installed
from benchmarks.measure import Took, descendants, peak_of, stopwatch, surroundings
from benchmarks.peers.w1 import described
from benchmarks.same_scores import gap_between, near_micropoints
from benchmarks.score import CONTENDERS, UNTIL
from benchmarks.workload import AS_OF, ROW_GROUP, W1, Workload, _ids, _leads, make, w1_document
from leadcore.batch.memory import memory_of

DATA = Path("data/batch")
W2 = Path(__file__).with_name("w2.yaml")
FILE = 5_000_000
"""Events of one file."""
TIMES = (0.2, 1.0, 5.0)
"""As many leads as usual, for `grow`."""
PEERS = ("duckdb", "polars", "pyspark")
COLUMNS = ("--columns", "events.at=ts", "--columns", "events.type=event_type")


def write_tables(folder: Path, events: int, times: float = 1.0) -> None:
    """Both tables, events in several files; of so many times as many leads as usual."""
    folder.mkdir(parents=True)
    data = make(events)
    if times != 1:
        data = with_leads(data, max(int(len(data.leads) * times), 1))
    how: dict[str, Any] = {"row_group_size": ROW_GROUP, "compression": "snappy"}
    for i, begin in enumerate(range(0, events, FILE)):
        part = data.events.slice(begin, FILE)
        pq.write_table(part, folder / f"events-{i:03}.parquet", use_dictionary=["url", "event_type"], **how)
    pq.write_table(data.leads, folder / "leads.parquet", use_dictionary=["title", "country"], **how)


def with_leads(data: Workload, size: int) -> Workload:
    """The same events, dealt out to so many leads."""
    place = pc.index_in(data.events["lead_id"], value_set=data.leads["lead_id"].combine_chunks()).to_numpy()
    more = max(size // len(data.leads), 1)
    people = _ids(1, size, "int")
    dealt = (place.astype(np.int64) * more + np.arange(len(place)) % more) % size
    lead_id = people.take(pa.array(dealt))
    events = data.events.set_column(data.events.column_names.index("lead_id"), "lead_id", lead_id)
    return Workload(events, _leads(1, people))


def tables_of(events: int, times: float = 1.0) -> Path:
    """The folder of so many events, made if it is not there, by a process of its own."""
    folder = DATA / (str(events) if times == 1 else f"{events}-{times:g}")
    if not (folder / "leads.parquet").exists():
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run(
            [sys.executable, "-m", "benchmarks.batch", "--make", str(folder), str(events), str(times)], check=True
        )
    return folder


def job(kind: str, folder: Path, out: Path, memory: str, model: Path | None = None) -> dict[str, Any]:
    """One command, and what it says of itself; CPU seconds are those of its process."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    tables = ["--leads", str(folder / "leads.parquet"), "--events", str(folder / "events-*.parquet"), *COLUMNS]
    told = ["--memory", memory, "--log-format", "json"]
    ends = ["--as-of", AS_OF, "--out", str(out / "scores.parquet")]
    if kind == "replay":
        ends = ["--until", AS_OF, "--out", str(out / "replay")]
    model = model or (W2 if kind == "replay" else W1)
    began, before = time.perf_counter(), os.times()
    ended = subprocess.run(
        [sys.executable, "-m", "leadcore.cli", kind, str(model), *tables, *told, *ends], capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    wall, after = time.perf_counter() - began, os.times()
    if ended.returncode:
        raise SystemExit(f"{kind} ended with {ended.returncode}:\n{ended.stderr}")
    lines = [json.loads(line) for line in ended.stderr.splitlines()]
    plan, done = lines[0], lines[-1]
    stages = {}
    for line in lines[1:]:
        stages.setdefault(line.get("stage", "done"), line["seconds"])
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return {
        "wall": round(wall, 2), "cpu": round(cpu, 2), "peak_mb": round(done["peak_memory"] / 1e6), "way": plan["way"],
        "partitions": plan["partitions"], "spilled_mb": round(done["spilled"] / 1e6), "began": stages, "rows": done["rows"],
    }  # fmt: skip


def peer(name: str, folder: Path, out: Path, memory: int) -> None:
    """In a process of its own: score from files to a file, and say what it took."""
    if name == "pyspark":
        from benchmarks.peers import w1_pyspark

        w1_pyspark.SETTINGS["spark.driver.memory"] = f"{memory * 3 // 2 >> 20}m"
    if name == "duckdb":
        import duckdb

        duckdb.connect = partial(duckdb.connect, config={"memory_limit": f"{memory} bytes"})
    work = CONTENDERS[name].load("plain")
    took = Took()

    def run() -> None:
        nonlocal took
        with stopwatch(family=True) as took:
            scores = work(folder / "events-*.parquet", folder / "leads.parquet")
            pq.write_table(scores, out, compression="zstd")

    peak, _ = peak_of(run)
    told = {"wall": round(took.wall, 2), "cpu": round(took.cpu, 2), "peak_mb": round(peak / 1e6)}
    print(json.dumps(told | {"processes": 1 + len(descendants())}))


def beside(folder: Path, out: Path, memory: str, names: list[str]) -> dict[str, Any]:
    """What users would write instead; scores must be those of leadcore."""
    w1 = described(w1_document("plain"), UNTIL)
    ours = pq.read_table(out / "scores.parquet")
    found = {}
    for name in names:
        path = out / f"{name}.parquet"
        command = [
            sys.executable,
            "-m",
            "benchmarks.batch",
            "--peer",
            name,
            str(folder),
            str(path),
            str(memory_of(memory)),
        ]
        ended = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        if ended.returncode:
            found[name] = {"failed": ended.returncode}
            continue
        found[name] = json.loads(ended.stdout.splitlines()[-1])
        gap = gap_between(ours, pq.read_table(path), w1.reach, near_micropoints(w1))
        if not gap.agrees:
            raise SystemExit(f"{name} differs from leadcore: {gap}")
        found[name]["points"] = gap.points
    return found


def measure(sizes: list[int], memory: str, names: list[str]) -> dict[str, Any]:
    """Every figure, as a dict fit for JSON."""
    found: dict[str, Any] = {}
    out = DATA / "out"
    for events in sizes:
        folder = tables_of(events)
        found[str(events)] = {kind: job(kind, folder, out / kind, memory) for kind in ("replay", "score")}
        if names:
            found[str(events)]["peers"] = beside(folder, out / "score", memory, names)
        shutil.rmtree(out)
    packages = ("duckdb", "polars", "pyspark")
    return {
        "benchmark": "batch", "memory": memory, "runs": found,
        "surroundings": surroundings() | {name: installed(name) for name in packages},
    }  # fmt: skip


def grow(events: int, memory: str) -> dict[str, Any]:
    """How the cost of scoring grows with leads and with criteria."""
    found: dict[str, Any] = {}
    out = DATA / "out"
    many = DATA / "criteria.json"
    for times in TIMES:
        folder = tables_of(events, times)
        found[f"{pq.ParquetFile(folder / 'leads.parquet').metadata.num_rows:,} leads"] = job(
            "score", folder, out, memory
        )
    many.write_text(json.dumps(w1_document("criteria")))
    found["200 criteria"] = job("score", tables_of(events), out, memory, many)
    shutil.rmtree(out)
    return {
        "benchmark": "batch, grow",
        "events": events,
        "memory": memory,
        "runs": found,
        "surroundings": surroundings(),
    }


def show_growth(found: dict[str, Any]) -> str:
    """The same as a table."""
    out = [f"scoring {found['events']:,} events, --memory {found['memory']}"]
    out.append(f"{'':<18}{'wall s':>8}{'CPU s':>8}{'peak MB':>9}{'spilled MB':>11}")
    for name, one in found["runs"].items():
        out.append(f"{name:<18}{one['wall']:>8.1f}{one['cpu']:>8.1f}{one['peak_mb']:>9,}{one['spilled_mb']:>11,}")
    out.append("{cpu}, {cpus} CPUs, load {load}".format(**found["surroundings"]))
    return "\n".join(out)


def show(found: dict[str, Any]) -> str:
    """The figures as a table."""
    out = [
        f"from Parquet files to Parquet files, --memory {found['memory']}",
        f"{'events':>12} {'':<10}{'wall s':>8}{'CPU s':>8}{'ns/event':>9}{'peak MB':>9}{'spilled MB':>11}  way",
    ]
    for events, kinds in found["runs"].items():
        lines = {**{kind: kinds[kind] for kind in ("score", "replay")}, **kinds.get("peers", {})}
        for name, one in lines.items():
            if "failed" in one:
                out.append(f"{int(events):>12,} {name:<10} ended with {one['failed']}")
                continue
            way = f"{one['partitions']} partitions" if one.get("way") == "partition" else one.get("way", "")
            out.append(
                f"{int(events):>12,} {name:<10}{one['wall']:>8.1f}{one['cpu']:>8.1f}"
                f"{one['wall'] * 1e9 / int(events):>9.0f}{one['peak_mb']:>9,}{one.get('spilled_mb', 0):>11,}  {way}"
            )
    out.append("{cpu}, {cpus} CPUs, load {load}".format(**found["surroundings"]))
    return "\n".join(out)


def main(arguments: list[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.batch", description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, nargs="+", default=[1_000_000, 10_000_000, 100_000_000])
    parser.add_argument("--memory", default="1.5GB")
    parser.add_argument("--peers", default="", help=f"of {', '.join(PEERS)}")
    parser.add_argument("--grow", action="store_true", help="of 10 million events: with leads and with criteria")
    parser.add_argument("--make", nargs=3, metavar=("FOLDER", "EVENTS", "TIMES"), help=argparse.SUPPRESS)
    parser.add_argument("--peer", nargs=4, metavar=("NAME", "FOLDER", "OUT", "MEMORY"), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.make:
        write_tables(Path(options.make[0]), int(options.make[1]), float(options.make[2]))
        return
    if options.peer:
        name, folder, out, memory = options.peer
        peer(name, Path(folder), Path(out), int(memory))
        return
    if options.grow:
        grown = grow(10_000_000, options.memory)
        print(show_growth(grown))
        print(json.dumps(grown))
        return
    names = [name for name in options.peers.split(",") if name]
    if unknown := set(names) - set(PEERS):
        parser.error(f"no peer is called {', '.join(sorted(unknown))}")
    found = measure(options.events, options.memory, names)
    print(show(found))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
