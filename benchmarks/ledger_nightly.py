"""A year folded into a ledger night by night, beside one batch replay of the year: the same result, at what price.

Both run in a process of their own. A night reads its day's file (outside the clock), applies it, and advances to the last
microsecond of the day, so that the grid's midnight comes with the next day's events.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import feather

import leadcore as lc
from benchmarks.ledger_latency import W2
from benchmarks.measure import Took, peak_of, stopwatch
from benchmarks.peers.w2 import DAY, instants
from benchmarks.workload import BEGIN, COLUMNS, DAYS, make

FIRST = int(BEGIN.astype(np.int64))
END = str(BEGIN + np.timedelta64(DAYS * DAY - 1, "us")) + "Z"
SAME = ("lead_id", "at", "from_stage", "to_stage", "rule", "cause", "fit", "engagement", "total")


def day_end(day: int) -> str:
    """Its last microsecond."""
    return str(BEGIN + np.timedelta64((day + 1) * DAY - 1, "us")) + "Z"


def prepare(folder: Path, events: int, seed: int) -> dict[str, Any]:
    """The year in one file, and in one file a day."""
    data = make(events, seed=seed)
    feather.write_feather(data.leads, folder / "leads", "uncompressed")
    feather.write_feather(data.events, folder / "events", "uncompressed", chunksize=1 << 30)
    bounds = np.searchsorted(instants(data.events["ts"]), FIRST + DAY * np.arange(DAYS + 1))
    for day, (begin, end) in enumerate(zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True)):
        feather.write_feather(data.events.slice(begin, end - begin).combine_chunks(), folder / f"{day}", "uncompressed")
    return {"events": len(data.events), "leads": len(data.leads), "input_mb": round(data.megabytes, 1)}


def nightly(folder: Path) -> dict[str, Any]:
    """365 nights."""
    scorer = lc.Scorer(lc.Model.load(str(W2)))
    ledger = lc.Ledger(scorer)
    nights: list[Took] = []
    told: list[pa.Table] = []

    def year() -> None:
        with stopwatch() as took:
            ledger.apply(leads=feather.read_table(folder / "leads", memory_map=False))
        nights.append(took)
        for day in range(DAYS):
            events = feather.read_table(folder / f"{day}", memory_map=False)
            with stopwatch() as took:
                changes = ledger.apply(events, columns=COLUMNS, micropoints=True)
                advanced = ledger.advance(day_end(day), micropoints=True)
                tables = [one.transitions.to_arrow() for one in (changes, advanced)]
            nights.append(took)
            told.extend(tables)

    peak, added = peak_of(year)
    path = folder / "state"
    with stopwatch() as saving:
        ledger.save(path)
    with stopwatch() as loading:
        again = lc.Ledger.load(path, scorer)
    with stopwatch() as asking:
        scores = again.score(END, micropoints=True).to_arrow()
    feather.write_feather(net(told), folder / "nightly.transitions")
    feather.write_feather(scores, folder / "nightly.scores")
    size = path.stat().st_size
    return {
        "wall": round(sum(one.wall for one in nights), 3),
        "cpu": round(sum(one.cpu for one in nights), 3),
        "slowest_night": round(max(one.wall for one in nights[1:]), 3),
        "peak_mb": round(peak / 1e6, 1),
        "peak_added_mb": round(added / 1e6, 1),
        "state_bytes": size,
        "state_bytes_per_lead": round(size / len(ledger), 1),
        "save": round(saving.wall, 3),
        "load": round(loading.wall, 3),
        "score": round(asking.wall, 3),
    }


def batch(folder: Path) -> dict[str, Any]:
    """One replay."""
    scorer = lc.Scorer(lc.Model.load(str(W2)))
    events, leads = (feather.read_table(folder / name, memory_map=False) for name in ("events", "leads"))
    kept: list[Any] = []
    runs: list[Took] = []

    def year() -> None:
        with stopwatch() as took:
            replayed = scorer.replay(events, leads, until=END, columns=COLUMNS, micropoints=True)
            kept.append(replayed.transitions.to_arrow())
        runs.append(took)

    peak, added = peak_of(year)
    feather.write_feather(kept[0], folder / "batch.transitions")
    scores = scorer.score(events, leads, as_of=END, columns=COLUMNS, micropoints=True)
    feather.write_feather(scores.to_arrow(), folder / "batch.scores")
    return {
        "wall": round(runs[0].wall, 3),
        "cpu": round(runs[0].cpu, 3),
        "peak_mb": round(peak / 1e6, 1),
        "peak_added_mb": round(added / 1e6, 1),
    }


def net(told: list[pa.Table]) -> pa.Table:
    """All that was told less what was withdrawn."""
    table = pa.concat_tables([one for one in told if len(one)], promote_options="permissive")
    gone = pc.equal(table["change"].cast(pa.string()), "withdrawn")
    if not pc.any(gone).as_py():
        return table
    last: dict[str, int] = {}
    for i, (key, withdrawn) in enumerate(zip(table["key"].to_pylist(), gone.to_pylist(), strict=True)):
        if withdrawn:
            del last[key]
        else:
            last[key] = i
    return table.take(pa.array(sorted(last.values())))


def by_lead(table: pa.Table) -> pa.Table:
    """Rows of a lead together, as they happened; text as text."""
    order = np.argsort(table["lead_id"].combine_chunks().to_numpy(), kind="stable")
    table = table.take(pa.array(order))
    texts = [name for name in table.column_names if pa.types.is_dictionary(table.schema.field(name).type)]
    for name in texts:
        table = table.set_column(table.column_names.index(name), name, table[name].cast(pa.string()))
    return table.combine_chunks()


def same(folder: Path) -> dict[str, Any]:
    """Whether both ways gave the same moves and scores."""
    moves = [by_lead(feather.read_table(folder / f"{name}.transitions").select(SAME)) for name in ("nightly", "batch")]
    scores = [by_lead(feather.read_table(folder / f"{name}.scores")) for name in ("nightly", "batch")]
    columns = ["lead_id", "fit", "engagement", "total"]
    return {
        "transitions": len(moves[1]),
        "transitions_equal": moves[0].equals(moves[1]),
        "scores_equal": scores[0].select(columns).equals(scores[1].select(columns)),
    }


CHILDREN = {"nightly": nightly, "batch": batch}


def child(name: str, folder: str) -> None:
    """What a process of its own does."""
    print(json.dumps(CHILDREN[name](Path(folder))), flush=True)


def measure(events: int, seed: int) -> dict[str, Any]:
    """Both, one after the other."""
    with tempfile.TemporaryDirectory() as temporary:
        found = prepare(Path(temporary), events, seed)
        for name in CHILDREN:
            command = [sys.executable, "-m", "benchmarks.ledger", "--child", name, temporary]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            found[name] = json.loads(done.stdout.splitlines()[-1])
        return {**found, "same": same(Path(temporary))}


def show(found: dict[str, Any]) -> str:
    """The figures as a table."""
    night, batch = found["nightly"], found["batch"]
    out = [
        f"{found['events']:,} events of {found['leads']:,} leads in {DAYS} nights; input {found['input_mb']:,.0f} MB",
        f"{'':<24}{'wall s':>9}{'CPU s':>9}{'peak MB':>10}",
    ]
    for title, one in ((f"{DAYS} nights", night), ("one batch", batch)):
        out.append(f"{title:<24}{one['wall']:>9.2f}{one['cpu']:>9.2f}{one['peak_mb']:>10,.0f}")
    equal = found["same"]
    out += [
        f"slowest night {night['slowest_night']:.2f} s; state {night['state_bytes'] / 1e6:,.1f} MB,"
        f" {night['state_bytes_per_lead']:.0f} bytes a lead; saved in {night['save']:.2f} s,"
        f" loaded in {night['load']:.2f} s",
        f"{equal['transitions']:,} transitions {'equal' if equal['transitions_equal'] else 'DIFFER'},"
        f" scores {'equal' if equal['scores_equal'] else 'DIFFER'}",
    ]
    return "\n".join(out)
