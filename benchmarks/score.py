"""W1, the scores of 500,000 leads at an instant: leadcore beside what a user would write or take instead.

``python -m benchmarks.score [--events 10_000_000] [--ids uuid] [--source parquet] [--variant urls] [--peers numba,duckdb]``
prints a table and one line of JSON. Before anything is timed each contender's scores are compared with leadcore's. Every
timed run is a process of its own that has worked on a few events before; it does the work twice, and both are noted;
contenders take turns round by round.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple, get_args

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import feather

import leadcore as lc
from benchmarks.contest import Runner, command_of, installed, middle, rate
from benchmarks.measure import Took, peak_of, stopwatch, surroundings
from benchmarks.peers.w1 import W1, Source, Work, described
from benchmarks.same_scores import NEAR_FLOATS, Gap, gap_between, near_micropoints
from benchmarks.workload import AS_OF, COLUMNS, ROW_GROUP, Ids, Variant, Workload, make, w1_document
from leadcore._files import open_table
from leadcore._inputs import column_names

UNTIL = int(np.datetime64(AS_OF.removesuffix("Z"), "us").astype(np.int64))
WARM = 20_000  # events of the run before the clock: compilers, imports, pools
TABLES = ("events", "leads")


class Contender(NamedTuple):
    """Who, how to get at the work from the model, and what must be installed."""

    title: str
    load: Callable[[Variant], Work]
    needs: str | None = None


def leadcore_work(variant: Variant, threads: int | None = None) -> Work:
    """leadcore itself; files are read as `leadcore score` reads them."""
    model = lc.Model.from_json(json.dumps(w1_document(variant)))
    scorer, names = lc.Scorer(model), column_names(model, COLUMNS)

    def work(events: Source, leads: Source) -> pa.Table:
        tables = (
            open_table(str(source), model, table, names) if isinstance(source, Path) else source
            for table, source in zip(TABLES, (events, leads), strict=True)
        )
        return scorer.score(*tables, as_of=AS_OF, columns=COLUMNS, threads=threads).to_arrow()

    return work


def peer(module: str, **how: Any) -> Callable[[Variant], Work]:
    """One of `benchmarks.peers`, imported when it is its turn."""

    def load(variant: Variant) -> Work:
        make_work: Callable[..., Work] = import_module(f"benchmarks.peers.{module}").make
        return make_work(described(w1_document(variant), UNTIL), **how)

    return load


CONTENDERS = {
    "leadcore": Contender("leadcore", leadcore_work),
    "leadcore-1": Contender("leadcore, 1 thread", lambda variant: leadcore_work(variant, 1)),
    "numba": Contender("numba, by hand, 1 thread", peer("w1_numba"), "numba"),
    "numba-factorize": Contender("numba and pandas.factorize", peer("w1_numba", factorize=True), "numba"),
    "numba-2": Contender("numba, by hand, 2 threads", peer("w1_numba", threads=2), "numba"),
    "pandas": Contender("pandas and numpy", peer("w1_pandas"), "pandas"),
    "polars": Contender("Polars, streaming", peer("w1_polars"), "polars"),
    "polars-rows": Contender("Polars, streaming, by row", peer("w1_polars", distinct=False), "polars"),
    "polars-memory": Contender("Polars, in memory", peer("w1_polars", engine="in-memory"), "polars"),
    "duckdb": Contender("DuckDB, by distinct url", peer("w1_duckdb"), "duckdb"),
    "duckdb-plain": Contender("DuckDB, plain SQL", peer("w1_duckdb", distinct=False), "duckdb"),
    "datafusion": Contender("DataFusion", peer("w1_datafusion"), "datafusion"),
    "chdb": Contender("chdb (ClickHouse)", peer("w1_chdb"), "chdb"),
    "pyspark": Contender("PySpark, local[2]", peer("w1_pyspark"), "pyspark"),
}
OURS = ("leadcore", "leadcore-1")


def absent(name: str) -> str | None:
    """Why a contender cannot take part, if it cannot."""
    needs = CONTENDERS[name].needs
    if needs and not installed(needs):
        return f"{needs} is not installed: uv pip install -r requirements/bench.txt"
    if name == "pyspark" and not shutil.which("java"):
        return "there is no Java"
    return None


def write(data: Workload, folder: Path, prefix: str = "") -> None:
    """Both tables, as Arrow and as Parquet."""
    for name, table in zip(TABLES, (data.events, data.leads), strict=True):
        feather.write_feather(table, folder / f"{prefix}{name}.arrow", "uncompressed", chunksize=1 << 30)
        pq.write_table(
            table, folder / f"{prefix}{name}.parquet", row_group_size=ROW_GROUP, compression="snappy",
            use_dictionary=["url", "event_type", "title", "country"],
        )  # fmt: skip


def sources(folder: Path, source: str, prefix: str = "") -> list[Source]:
    """Events and leads: tables, or their files."""
    paths = [folder / f"{prefix}{name}.{source}" for name in TABLES]
    return list(paths) if source == "parquet" else [feather.read_table(path, memory_map=False) for path in paths]


def contend(name: str, folder: Path, source: str, variant: Variant) -> None:
    """In a process of its own: wait for a line, do the work, answer with a line."""
    work = CONTENDERS[name].load(variant)
    work(*sources(folder, source, "warm-"))
    tables = sources(folder, source)
    print(json.dumps({"source": source}), flush=True)
    for line in sys.stdin:
        if line.strip() == "scores":
            feather.write_feather(work(*tables), folder / f"{name}.scores", "uncompressed")
            print(json.dumps({}), flush=True)
        else:
            print(json.dumps(timed(work, tables)), flush=True)


def timed(work: Work, tables: list[Source]) -> dict[str, float]:
    """Seconds of the first run and of the next, and megabytes of the first."""
    runs: list[Took] = []

    def run() -> pa.Table:
        with stopwatch(family=True) as took:
            result = work(*tables)
        runs.append(took)
        return result

    peak, added = peak_of(run)
    run()
    first, again = runs
    return {
        "wall": first.wall, "cpu": first.cpu, "again_wall": again.wall, "again_cpu": again.cpu,
        "peak_mb": peak / 1e6, "peak_added_mb": added / 1e6,
    }  # fmt: skip


FIGURES = ("wall", "cpu", "again_wall", "again_cpu")


def agreement(names: list[str], folder: Path, arguments: tuple[Any, ...], w1: W1) -> dict[str, Gap]:
    """How far each contender's scores are from leadcore's; it ends here if that is more than rounding."""
    gaps, tables = {}, {}
    for name in dict.fromkeys(["leadcore", *names]):
        runner = Runner("benchmarks.score", name, *arguments)
        runner.ask("scores")
        runner.close()
        tables[name] = feather.read_table(folder / f"{name}.scores")
    first = next((name for name in names if name not in OURS), "leadcore")
    for name in names:
        if name == "leadcore":
            continue
        rounding = 0.0 if name in OURS else near_micropoints(w1)
        gaps[name] = gap_between(tables["leadcore"], tables[name], w1.reach, rounding)
        if not gaps[name].agrees:
            raise SystemExit(f"{name} differs from leadcore: {gaps[name]}")
        if name not in OURS:
            peers = gap_between(tables[first], tables[name], w1.reach, NEAR_FLOATS)
            if not peers.agrees:
                raise SystemExit(f"{name} differs from {first}: {peers}")
    return gaps


def measure(
    events: int, names: list[str], repeat: int, ids: Ids, source: str, variant: Variant, seed: int
) -> dict[str, Any]:
    """Every figure of the table, as a dict fit for JSON."""
    w1 = described(w1_document(variant), UNTIL)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        data = make(events, ids=ids, seed=seed, variant=variant)
        write(data, folder)
        write(make(WARM, ids=ids, variant=variant), folder, "warm-")
        table_mb, leads = round(data.megabytes, 1), len(data.leads)
        del data
        arguments = (folder, source, variant)
        gaps = agreement(names, folder, arguments, w1)
        runs: dict[str, list[dict[str, float]]] = {name: [] for name in names}
        for _ in range(repeat):
            for name in names:
                runner = Runner("benchmarks.score", name, *arguments)
                runs[name].append(runner.ask("run"))
                runner.close()
    found = {name: figures(CONTENDERS[name].title, taken, events) for name, taken in runs.items()}
    rate(found, [name for name in names if name not in OURS] or names, *FIGURES)
    packages = ("numba", "pandas", "polars", "duckdb", "datafusion", "chdb", "pyspark")
    return {
        "benchmark": "score",
        "command": command_of(
            "benchmarks.score",
            (
                ("events", events, None),
                ("repeat", repeat, None),
                ("peers", ",".join(names), ",".join(available())),
                ("ids", ids, "int"),
                ("source", source, "arrow"),
                ("variant", variant, "plain"),
                ("seed", seed, 1),
            ),
        ),
        "events": events, "leads": leads, "ids": ids, "source": source, "variant": variant, "input_mb": table_mb,
        "contenders": found,
        "absent": {name: why for name in CONTENDERS if (why := absent(name))},
        "agreement": {name: gap._asdict() for name, gap in gaps.items()},
        "surroundings": surroundings() | {name: installed(name) for name in packages},
    }  # fmt: skip


def figures(title: str, runs: list[dict[str, float]], events: int) -> dict[str, Any]:
    """Medians over the rounds."""
    found = {what: middle(runs, what) for what in (*FIGURES, "peak_mb", "peak_added_mb")}
    rounds = [[round(run[what], 4) for what in FIGURES] for run in runs]
    per_event = {what: round(found[what] * 1e9 / events, 1) for what in FIGURES}
    return {"title": title, **found, "runs": rounds, "ns_per_event": per_event}


def show(found: dict[str, Any]) -> str:
    """The figures as a table: of first runs, then the CPU of second ones."""
    out = [
        f"W1 ({found['variant']}), {found['events']:,} events of {found['leads']:,} leads, {found['ids']} ids, "
        f"from {found['source']}",
        f"medians of first runs in new processes, interleaved; tables of {found['input_mb']:,.0f} MB",
        f"{'':<27}{'wall s':>8}{'CPU s':>8}{'ns/event':>9}{'ratio':>7}{'of CPU':>7}{'again':>7}{'of CPU':>7}{'+ MB':>7}",
    ]
    for one in found["contenders"].values():
        out.append(
            f"{one['title']:<27}{one['wall']:>8.2f}{one['cpu']:>8.2f}{one['ns_per_event']['cpu']:>9.0f}"
            f"{one['wall_ratio']:>7.2f}{one['cpu_ratio']:>7.2f}{one['again_wall_ratio']:>7.2f}"
            f"{one['again_cpu_ratio']:>7.2f}{one['peak_added_mb']:>7,.0f}"
        )
    out.append("ns/event: of CPU; ratios: to the least of the peers; again: the second run of a process")
    out += [f"{name} is absent: {why}" for name, why in found["absent"].items()]
    for name, gap in found["agreement"].items():
        out.append(f"{name} agrees: scores within {gap['points']:.1g} points, {gap['flags']} flags differ")
    out += ["{cpu}, {cpus} CPUs, load {load}".format(**found["surroundings"]), found["command"]]
    return "\n".join(out)


def available() -> list[str]:
    """Contenders that can take part here."""
    return [name for name in CONTENDERS if not absent(name)]


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.score", description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--peers", default=",".join(available()), help=f"of {', '.join(CONTENDERS)}")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--ids", choices=get_args(Ids), default="int")
    parser.add_argument("--source", choices=("arrow", "parquet"), default="arrow")
    parser.add_argument("--variant", choices=get_args(Variant), default="plain")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--contend", nargs=4, metavar=("NAME", "FOLDER", "SOURCE", "VARIANT"), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.contend:
        name, folder, source, variant = options.contend
        contend(name, Path(folder), source, variant)
        return {}
    names = options.peers.split(",")
    if unknown := set(names) - set(CONTENDERS):
        parser.error(f"no contender is called {', '.join(sorted(unknown))}")
    for name in names:
        if why := absent(name):
            parser.error(f"{name} cannot take part: {why}")
    found = measure(
        options.events, names, options.repeat, options.ids, options.source, options.variant, options.seed
    )  # fmt: skip
    print(show(found))
    print(json.dumps(found))
    return found


if __name__ == "__main__":
    main()
