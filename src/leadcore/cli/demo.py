"""``leadcore demo``: ten million made-up events, scored and replayed in front of your eyes."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from leadcore.cli._errors import Stop
from leadcore.cli._memory import peak_memory
from leadcore.cli._progress import reading_bar

if TYPE_CHECKING:
    from rich.console import Console

    from leadcore._files import FileTable
    from leadcore.model import Model
    from leadcore.scorer import Scorer
    from leadcore.scores import Scores

_VERSION = 2
"""Of the made-up data: older data are made anew."""
_SHOWN = 10


def demo(
    rows: Annotated[int, typer.Option("--rows", metavar="N", min=1_000, help="How many events.")] = 10_000_000,
    text_ids: Annotated[bool, typer.Option("--text-ids", help="Leads with UUIDs instead of numbers.")] = False,
    seed: Annotated[int, typer.Option("--seed", metavar="N", min=0, help="Another seed, other data.")] = 1,
    directory: Annotated[str, typer.Option("--dir", metavar="DIR", help="Where the data are kept.")] = "demo",
    threads: Annotated[int | None, typer.Option("--threads", metavar="N", min=1, help="Threads to use.")] = None,
) -> None:
    """Make 10 million events of 500,000 leads once, score them, replay their year, and look at it all."""
    from rich.console import Console

    from leadcore._files import open_table
    from leadcore._inputs import column_names
    from leadcore.cli import _options as options
    from leadcore.cli._demo_replay import show_replay
    from leadcore.scorer import Scorer

    console = Console(width=None if sys.stdout.isatty() else 80, highlight=False)
    folder = Path(directory)
    made = _prepare(folder, rows, seed, text_ids, console)
    model_path = folder / "model.yaml"
    model = options.load(str(model_path))
    names = column_names(model, None)
    events = open_table(str(folder / "events.parquet"), model, "events", names)
    leads = open_table(str(folder / "leads.parquet"), model, "leads", names)
    as_of = made["as_of"]

    began = time.perf_counter()
    scorer = Scorer(model)
    compiled = time.perf_counter()
    clock = _Clock()
    with reading_bar(events) as bar:
        scores = scorer.score(events, leads, as_of=as_of, threads=threads, progress=clock.watching(bar))
    ended = time.perf_counter()
    memory = peak_memory()
    _figures(console, scores, model, (compiled - began, clock.last - compiled, ended - clock.last), memory)
    hottest = _results(console, scores, scorer, model, (events, leads), as_of, threads)
    del scores
    told = show_replay(console, folder, scorer, (events, leads), as_of, threads)
    _next(console, folder, as_of, hottest, told)


class _Clock:
    """When the last block of events was handed over: reading ends there."""

    def __init__(self) -> None:
        self.last = time.perf_counter()

    def watching(self, bar: Any) -> Any:
        """A progress function that looks at the clock first."""

        def report(done: int) -> None:
            self.last = time.perf_counter()
            if bar is not None:
                bar(done)

        return report


# the data


def _prepare(folder: Path, rows: int, seed: int, text_ids: bool, console: Console) -> dict[str, Any]:
    """Make the tables and the model file where they are not there yet."""
    from leadcore.presets import preset_text

    wanted = {"version": _VERSION, "rows": rows, "seed": seed, "text_ids": text_ids}
    marker = folder / "made.json"
    try:
        made: dict[str, Any] = json.loads(marker.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        made = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "model.yaml").exists():
            (folder / "model.yaml").write_text(preset_text("demo"), encoding="utf-8")
        if {key: made.get(key) for key in wanted} != wanted:
            marker.unlink(missing_ok=True)
            began = time.perf_counter()
            console.print(f"Making {rows:,} events in {folder}/ (once; a few seconds per million) ...")
            as_of = _make_elsewhere(folder, rows, seed, text_ids)
            made = wanted | {"as_of": as_of}
            marker.write_text(json.dumps(made), encoding="utf-8")
            console.print(f"Made in {time.perf_counter() - began:.1f} s.\n")
    except OSError as error:
        raise Stop(f"cannot keep the data in {folder}: {error}", 1) from error
    return made


def _make_elsewhere(folder: Path, rows: int, seed: int, text_ids: bool) -> str:
    """Make the tables in a process of its own, so that its memory is not counted as that of scoring."""
    import subprocess

    arguments = [str(folder), str(rows), str(seed), str(int(text_ids))]
    done = subprocess.run(
        [sys.executable, "-m", "leadcore.cli._make_demo", *arguments], stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        raise Stop("the data could not be made", 1)
    return done.stdout.strip()


# what is shown


def _figures(console: Console, scores: Scores, model: Model, seconds: tuple[float, float, float], memory: int) -> None:
    from rich.table import Table

    from leadcore.cli._counts import type_counts

    compiling, reading, scoring = seconds
    counts, total = scores.counts, sum(seconds)
    ignored = sum(counts.ignored.values())
    console.rule(f"[bold]{counts.events:,} events, {len(scores):,} leads, {_criteria(model)} criteria", align="left")
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(justify="left")
    table.add_column(justify="right", style="bold")
    table.add_column()
    rate = counts.events / reading
    table.add_row("compiling the model", f"{compiling * 1000:.1f} ms", "")
    table.add_row("reading Parquet and matching", f"{reading:.2f} s", f"{rate / 1e6:.1f} million events/s")
    table.add_row("kernel", f"{scoring:.2f} s", f"{counts.events / scoring / 1e6:.1f} million events/s")
    table.add_row("all", f"{total:.2f} s", f"{counts.events / total / 1e6:.1f} million events/s")
    table.add_row("peak memory of the process", f"{memory / 2**20:,.0f} MiB", "")
    console.print(table)
    console.print(
        f"{counts.leads + counts.events:,} rows in = {counts.used:,} used + {ignored:,} ignored"
        f" + {sum(counts.rejected.values()):,} rejected"
    )
    console.print(f"ignored, undeclared types: {type_counts(counts.ignored, model.events)}")
    console.print(f"{counts.later:,} events are later than the instant of scoring and do not count yet\n")


def _results(
    console: Console, scores: Scores, scorer: Scorer, model: Model, files: tuple[FileTable, FileTable], as_of: str,
    threads: int | None,
) -> int | str:  # fmt: skip
    """Show the result; gives the hottest lead."""
    import numpy as np

    from leadcore._points import to_points

    name = list(model.scores)[-1]
    table = scores.table
    values = np.asarray(table.column(name), np.float64)
    _pictures(console, values, name, scores, model)
    hottest = np.argsort(-values, kind="stable")[:_SHOWN].astype(np.int64)
    rows = table.take(hottest).to_dicts()
    del table, scores
    again = scorer.score(
        files[0],
        files[1],
        as_of=[{"lead_id": row["lead_id"], "as_of": as_of} for row in rows],
        explain=True,
        threads=threads,
    )
    console.rule(f"[bold]The {len(rows)} hottest leads, and why", align="left")
    width = max(len(str(row["lead_id"])) for row in rows)
    told = [again.explain(row["lead_id"]) for row in rows]
    for row, explanation in zip(rows, told, strict=True):
        top = explanation.top(4, name)
        shown = to_points(np.array([worth for _, worth in top], np.int64)).tolist()
        why = [f"{criterion} {points:+.0f}" for (criterion, _), points in zip(top, shown, strict=True)]
        while len(", ".join(why)) > console.width - width - 13:
            why.pop()
        console.print(
            f"{row['lead_id']:>{width}} [bold]{row[name]:>6.1f}[/bold] {row.get('rating') or '':>3}  {', '.join(why)}",
            soft_wrap=True,
        )
    console.print("points of criteria, before the bounds of their groups\n", style="dim")
    console.rule("[bold]One of them in full: every line, to the millionth of a point", align="left")
    console.print(str(told[0]), markup=False)
    console.print()
    lead_id: int | str = rows[0]["lead_id"]
    return lead_id


def _pictures(console: Console, values: Any, name: str, scores: Scores, model: Model) -> None:
    import numpy as np

    from leadcore.cli._picture import bar, distribution

    marks = {n: float(model.points(t.at)) for n, t in model.thresholds.items() if t.score == name}
    console.rule(f"[bold]{name}: how many leads have how many points (bars: square root)", align="left")
    console.print(distribution(values, marks))
    columns = [c for c in scores.column_names if c == "label" or c.endswith("_grade")]
    console.rule("[bold]Who is where", align="left")
    for threshold in model.thresholds:
        reached = int(np.count_nonzero(scores.table.column(threshold)))
        at = model.points(model.thresholds[threshold].at)
        console.print(f"{threshold:>12}  {reached:>9,} leads reach {model.thresholds[threshold].score} {at}")
    for column in columns:
        found, numbers = np.unique(np.asarray(scores.table.column(column)), return_counts=True)
        declared = [g.name for g in (model.labels or ())] if column == "label" else sorted(found.tolist())
        counted = dict(zip(found.tolist(), numbers.tolist(), strict=True))
        for i, value in enumerate(declared):
            share = counted.get(value, 0) / len(values)
            head = column.removesuffix("_grade") if i == 0 else ""
            console.print(
                f"{head:>12}  {value:<14} {counted.get(value, 0):>9,}  [cyan]{bar(share, 34)}[/cyan] {share:>5.1%}"
            )
    console.print()


def _next(console: Console, folder: Path, as_of: str, lead_id: int | str, told: int | str | None) -> None:
    """Commands to try, each on a line that can be copied."""
    model, leads, events = (f"{folder}/{name}" for name in ("model.yaml", "leads.parquet", "events.parquet"))
    files = f"--leads {leads} --events {events}"
    console.rule("[bold]Try next", align="left")
    replay = (f"leadcore replay {model}", files, f"--until {as_of} --out {folder}/replay", f"--lead {told}")
    for command in (
        (f"leadcore explain {model} {lead_id}", files, f"--as-of {as_of} --shares"),
        (f"leadcore score {model}", files, f"--as-of {as_of} --out {folder}/scores.csv"),
        *([] if told is None else [replay, (f"leadcore diagram {model}",)]),
        (f"leadcore validate {model}", files, f"--as-of {as_of}"),
        (f"leadcore init {files}", "--out my-model.yaml"),
        (f"$EDITOR {model} && leadcore demo",),
    ):
        console.print("  " + " \\\n      ".join(command), style="cyan", soft_wrap=True)


def _criteria(model: Model) -> int:
    return sum(1 for _ in model.criteria())
