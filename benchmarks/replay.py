"""W2, a year of 500,000 leads through six stages: leadcore beside what a user would write or take instead.

``python -m benchmarks.replay [--events 10_000_000] [--peers numba,pandas] [--repeat 5]`` prints a table and one line of
JSON; ``--one-lead 1_000_000`` times the long history of one lead instead. Every contender lives in a process of its own;
runs are interleaved; slow ones replay a share of the leads, and their times are scaled by the events of that share. Polars
and DuckDB have no way to say stages: they give the total after each event, and leave out midnights, timers and transitions.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import feather

import leadcore as lc
from benchmarks import one_lead
from benchmarks.agreement import NEAR_MICROPOINTS, compare, compare_totals
from benchmarks.contest import Runner, command_of, installed, middle, rate
from benchmarks.measure import peak_of, stopwatch, surroundings
from benchmarks.peers.w1 import described
from benchmarks.peers.w2 import Log
from benchmarks.same_scores import NEAR_FLOATS
from benchmarks.workload import AS_OF, COLUMNS, Ids, make, w1_document

W2 = Path(__file__).with_name("w2.yaml")
UNTIL = int(np.datetime64(AS_OF.removesuffix("Z"), "us").astype(np.int64))
WARM = 20_000  # events of the run before the clock: compilers, imports, pools
SAMPLED = 200_000  # events at least

Work = Callable[[pa.Table, pa.Table], Log]


class Contender(NamedTuple):
    """Who, how to get at the work, the share of leads that is enough to time it, and whether it gives no more than totals."""

    title: str
    load: Callable[[], Work]
    share: float = 1.0
    totals: bool = False


def leadcore_work(threads: int | None = None, engine: Literal["kernel", "reference"] = "kernel") -> Work:
    """leadcore itself."""
    scorer = lc.Scorer(lc.Model.load(str(W2)))

    def work(events: pa.Table, leads: pa.Table) -> Log:
        replayed = scorer.replay(events, leads, until=AS_OF, columns=COLUMNS, threads=threads, engine=engine)
        return Log(replayed.transitions.to_arrow(), replayed.states.to_arrow())

    return work


def numba_work(threads: int) -> Work:
    from benchmarks.peers import compiled, numba_loop

    if not compiled.COMPILED:
        raise SystemExit("the peer in numba needs numba: uv pip install -r requirements/bench.txt")
    return partial(numba_loop.run, until=UNTIL, threads=threads)


def pandas_work() -> Work:
    from benchmarks.peers import pandas_rounds

    return partial(pandas_rounds.run, until=UNTIL)


def python_work() -> Work:
    from benchmarks.peers import python_loop

    return partial(python_loop.run, until=UNTIL)


def transitions_work() -> Work:
    from benchmarks.peers import python_loop

    return partial(python_loop.run, until=UNTIL, make_lead=python_loop.machine_lead)


def statemachine_work() -> Work:
    from benchmarks.peers import python_loop
    from benchmarks.peers.statemachine_lead import library_lead

    return partial(python_loop.run, until=UNTIL, make_lead=library_lead)


def totals_work(module: str) -> Work:
    """A total after each event in place of the transitions, and no states."""
    work = import_module(f"benchmarks.peers.{module}").make(described(w1_document(), UNTIL))

    def totals(events: pa.Table, leads: pa.Table) -> Log:
        table = work(events, leads)
        return Log(table, table.slice(0, 0))

    return totals


CONTENDERS = {
    "leadcore": Contender("leadcore", leadcore_work),
    "leadcore-1": Contender("leadcore, 1 thread", partial(leadcore_work, 1)),
    "numba": Contender("numba, by hand, 1 thread", partial(numba_work, 1)),
    "numba-2": Contender("numba, by hand, 2 threads", partial(numba_work, 2)),
    "pandas": Contender("pandas, in rounds", pandas_work),
    "polars": Contender("Polars, totals, no stages", partial(totals_work, "w2_polars"), totals=True),
    "duckdb": Contender("DuckDB, totals, no stages", partial(totals_work, "w2_duckdb"), totals=True),
    "python": Contender("plain Python", python_work, 0.05),
    "transitions": Contender("transitions (the library)", transitions_work, 0.02),
    "python-statemachine": Contender("python-statemachine", statemachine_work, 0.02),
}
OURS = ("leadcore", "leadcore-1")
MACHINES = ("transitions", "python-statemachine")


def share_of(name: str, events: int) -> float:
    """The share of leads a contender replays: what it costs to begin is scaled too, and should not show."""
    return min(1.0, max(CONTENDERS[name].share, SAMPLED / events))


def sample(events: pa.Table, leads: pa.Table, share: float) -> tuple[pa.Table, pa.Table]:
    """Every so-manieth lead with its events."""
    if share >= 1:
        return events, leads
    some = leads.take(pa.array(np.arange(0, len(leads), round(1 / share))))
    return events.filter(pc.is_in(events["lead_id"], some["lead_id"].combine_chunks())), some


def contend(name: str, folder: Path, share: float) -> None:
    """In a process of its own: wait for a line, run once, answer with a line."""
    work = CONTENDERS[name].load()
    warm = make(WARM)
    work(warm.events, warm.leads)
    tables = (feather.read_table(folder / name, memory_map=False) for name in ("events", "leads"))
    events, leads = sample(next(tables), next(tables), share)
    print(json.dumps({"events": len(events), "leads": len(leads), "share": share}), flush=True)
    for line in sys.stdin:
        asked = noted if line.strip() == "log" else timed
        print(json.dumps(asked(partial(work, events, leads), folder / name)), flush=True)


def noted(work: Callable[[], Log], path: Path) -> dict[str, float]:
    """Megabytes of a run, whose log is left behind in files."""
    kept: list[Log] = []
    peak, added = peak_of(lambda: kept.append(work()))
    for part in ("transitions", "states"):
        feather.write_feather(getattr(kept[0], part), f"{path}.{part}", "uncompressed")
    return {"peak_mb": round(peak / 1e6, 1), "peak_added_mb": round(added / 1e6, 1)}


def timed(work: Callable[[], Log], _: Path) -> dict[str, float]:
    """Seconds of a run."""
    with stopwatch() as took:
        work()
    return {"wall": took.wall, "cpu": took.cpu}


def read_log(folder: Path, name: str) -> Log:
    """What a contender left."""
    return Log(*(feather.read_table(folder / f"{name}.{part}") for part in ("transitions", "states")))


def only(log: Log, leads: pa.Table) -> Log:
    """The rows of some leads."""
    ids = leads["lead_id"].combine_chunks()
    return Log(*(table.filter(pc.is_in(table["lead_id"], ids)) for table in (log.transitions, log.states)))


def moves(log: Log) -> dict[str, int]:
    """How many transitions of each kind."""
    source = pc.fill_null(log.transitions["from_stage"].cast(pa.string()), "")
    names = pc.binary_join_element_wise(source, log.transitions["to_stage"].cast(pa.string()), " > ")
    counts = {c["values"].removeprefix(" > "): c["counts"] for c in pc.value_counts(names).to_pylist()}
    return dict(sorted(counts.items(), key=lambda item: -item[1]))


def figures(runner: Runner, events: int, memory: dict[str, Any]) -> dict[str, Any]:
    """Medians, scaled to all events."""
    scale = events / runner.size["events"]
    found = {
        "title": CONTENDERS[runner.name].title,
        "share": runner.size["share"],
        "sampled_events": runner.size["events"],
        "wall": middle(runner.runs, "wall", scale),
        "cpu": middle(runner.runs, "cpu", scale),
        "runs": [[round(scale * run[what], 3) for what in ("wall", "cpu")] for run in runner.runs],
        **memory,
    }
    return {**found, "ns_per_event": {what: round(found[what] * 1e9 / events, 1) for what in ("wall", "cpu")}}


def measure(events: int, names: list[str], repeat: int, ids: Ids, seed: int, share: float | None) -> dict[str, Any]:
    """Every figure of the table, as a dict fit for JSON."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        data = make(events, ids=ids, seed=seed)
        feather.write_feather(data.events, folder / "events", "uncompressed", chunksize=1 << 30)
        feather.write_feather(data.leads, folder / "leads", "uncompressed")
        table_mb, leads = round(data.megabytes, 1), data.leads
        runners = []
        try:
            for name in names:
                runners.append(Runner("benchmarks.replay", name, folder, share or share_of(name, events)))
            memory = {runner.name: runner.ask("log") for runner in runners}
            for _ in range(repeat):
                for runner in runners:
                    runner.runs.append(runner.ask("run"))
        finally:
            for runner in runners:
                runner.close()
        found = {runner.name: figures(runner, events, memory[runner.name]) for runner in runners}
        whole = [name for name in names if not CONTENDERS[name].totals]
        judge = max(whole, key=lambda name: (found[name]["share"], name not in OURS))  # a peer that replayed all
        log = read_log(folder, judge)
        agreements = {}
        for name in names:
            if name == judge:
                continue
            part = sample(data.events, leads, found[name]["share"])
            near = NEAR_MICROPOINTS if name in OURS else NEAR_FLOATS
            told, expected = read_log(folder, name), only(log, part[1])
            if CONTENDERS[name].totals:
                result = compare_totals(expected, told.transitions, near)
            else:
                result = compare(expected, told, *part, UNTIL, near)
            agreements[name] = result.as_dict()
    peers = [name for name in names if name not in OURS] or names
    rate(found, peers, "wall", "cpu")
    kinds = moves(log)
    more = {name: installed(name) for name in ("numba", "pandas", "polars", "duckdb", *MACHINES)}
    return {
        "benchmark": "replay",
        "command": command_of(
            "benchmarks.replay",
            (
                ("events", events, None),
                ("repeat", repeat, None),
                ("peers", ",".join(names), ",".join(available())),
                ("ids", ids, "int"),
                ("seed", seed, 1),
                ("share", share, None),
            ),
        ),
        "events": events,
        "leads": len(leads),
        "ids": ids,
        "input_mb": table_mb,
        "transitions": sum(kinds.values()),
        "moves": kinds,
        "contenders": found,
        "compared_with": judge,
        "agreement": agreements,
        "surroundings": surroundings() | more,
    }


def show(found: dict[str, Any]) -> str:
    """The figures as a table."""
    births = found["moves"].get("new", 0)
    out = [
        f"W2, {found['events']:,} events of {found['leads']:,} leads, medians of interleaved runs",
        f"{found['transitions']:,} transitions, {births:,} of them births; input {found['input_mb']:,.0f} MB",
        f"{'':<27}{'wall s':>9}{'CPU s':>9}{'ns/event':>9}{'ratio':>8}{'of CPU':>8}{'peak MB':>9}",
    ]
    for one in found["contenders"].values():
        scaled = "" if one["share"] == 1 else "*"
        out.append(
            f"{one['title'] + scaled:<27}{one['wall']:>9.2f}{one['cpu']:>9.2f}{one['ns_per_event']['wall']:>9.0f}"
            f"{one['wall_ratio']:>8.2f}{one['cpu_ratio']:>8.2f}{one['peak_mb']:>9,.0f}"
        )
    for name, one in found["contenders"].items():
        if one["share"] != 1:
            out.append(f"* {name}: {one['share']:.0%} of the leads, {one['sampled_events']:,} events; times scaled")
    for name, one in found["agreement"].items():
        says = "agrees" if one["agrees"] else "DIFFERS"
        out.append(
            f"{name} {says} with {found['compared_with']}: {one['rows']:,} rows, {one['leads']} leads differ, "
            f"{one['near']} near a threshold;\n  scores within {one['largest_gap']:.1g} points"
        )
    out += ["{cpu}, {cpus} CPUs, load {load}".format(**found["surroundings"]), found["command"]]
    return "\n".join(out)


def available() -> list[str]:
    """Contenders whose packages are there."""
    packages = {"numba-2": "numba", **{name: name for name in ("numba", "pandas", "polars", "duckdb", *MACHINES)}}
    return [name for name in CONTENDERS if name not in packages or installed(packages[name])]


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.replay", description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--peers", default=",".join(available()), help=f"of {', '.join(CONTENDERS)}")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--ids", choices=("int", "uuid"), default="int")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--share", type=float, help="share of the leads for every contender, instead of its own")
    parser.add_argument(
        "--one-lead", type=int, metavar="EVENTS", help="time one lead's history of so many events instead"
    )
    parser.add_argument("--contend", nargs=3, metavar=("NAME", "FOLDER", "SHARE"), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.contend:
        name, folder, share = options.contend
        contend(name, Path(folder), float(share))
        return {}
    if options.one_lead:
        found = one_lead.measure(options.one_lead, options.repeat)
        print(one_lead.show(found))
    else:
        names = options.peers.split(",")
        if unknown := set(names) - set(CONTENDERS):
            parser.error(f"no contender is called {', '.join(sorted(unknown))}")
        found = measure(options.events, names, options.repeat, options.ids, options.seed, options.share)
        print(show(found))
    print(json.dumps(found))
    return found


if __name__ == "__main__":
    main()
