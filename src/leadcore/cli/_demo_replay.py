"""The second half of ``leadcore demo``: the same year replayed, and what became of the leads."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from leadcore.cli._memory import peak_memory
from leadcore.cli._picture import bar
from leadcore.cli._progress import reading_bar

if TYPE_CHECKING:
    from rich.console import Console

    from leadcore._files import FileTable
    from leadcore.model import Model
    from leadcore.model.lifecycle import Stage
    from leadcore.replay import Replay
    from leadcore.scorer import Scorer

_MOST_STAYS = 9
"""Of the lead whose story is told: it is to be read in one look."""
_STATUSES = {"met": "left in time", "met_late": "left late", "breached": "overdue now", "open": "not due yet"}

_CAUSES = {
    "birth": "at birth", "attribute": "attributes", "event": "events", "timer": "time", "grid": "grid",
    "manual": "by hand",
}  # fmt: skip


def show_replay(
    console: Console, folder: Path, scorer: Scorer, files: tuple[FileTable, FileTable], until: str, threads: int | None
) -> int | str | None:
    """Replay the year and show it; gives the lead whose story was told, None without a lifecycle or a story."""
    model = scorer.model
    if model.lifecycle is None:
        console.rule("[bold]No replay", align="left")
        console.print(f"{folder}/model.yaml has no lifecycle. Remove it, and the next demo brings a new one.\n")
        return None
    began = time.perf_counter()
    with reading_bar(files[0]) as progress:
        replay = scorer.replay(files[0], files[1], until=until, threads=threads, progress=progress)
    replayed = time.perf_counter()
    made = len(replay.transitions), len(replay.spans), len(replay.states), len(replay.alerts)
    _figures(console, model, replay, (replayed - began, time.perf_counter() - replayed), made)
    _stages(console, model, replay)
    for stage in model.lifecycle.stages:
        if stage.sla is not None:
            _service(console, stage, replay)
    lead_id = _story(console, model, replay)
    picture = folder / "lifecycle.svg"
    model.diagram(replay).save(picture)
    console.print(f"The stages as a picture, with these figures on it: [bold]{picture}[/bold]\n", soft_wrap=True)
    return lead_id


def _figures(
    console: Console, model: Model, replay: Replay, seconds: tuple[float, float], made: tuple[int, ...]
) -> None:
    from rich.table import Table

    assert model.lifecycle is not None
    stages, rules = len(model.lifecycle.stages), len(model.lifecycle.transitions)
    every = "" if model.lifecycle.evaluate is None else f", evaluated every {model.lifecycle.evaluate.every}"
    console.rule(f"[bold]The same events replayed: {stages} stages, {rules} rules{every}", align="left")
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column()
    table.add_column(justify="right", style="bold")
    table.add_column()
    rate = replay.counts.events / seconds[0] / 1e6
    table.add_row("reading Parquet and replaying", f"{seconds[0]:.2f} s", f"{rate:.1f} million events/s")
    table.add_row("making the tables", f"{seconds[1]:.2f} s", f"{sum(made) / 1e6:.1f} million rows")
    memory = f"{peak_memory() / 2**20:,.0f} MiB"
    table.add_row("peak memory of the process", memory, "scoring and these tables among it")
    console.print(table)
    births = len(replay.states) - replay.standing.get("no stage", 0)
    causes = Counter(replay.transitions.table.column("cause"))
    causes["birth"] -= births  # moves that a birth caused are left
    told = ", ".join(f"{_CAUSES[cause]} {number:,}" for cause, number in causes.most_common() if number)
    console.print(f"{births:,} births, {made[0] - births:,} moves, {made[3]:,} alerts")
    console.print(f"what moved them: {told}\n")


def _stages(console: Console, model: Model, replay: Replay) -> None:
    """Who is where at the end, and how long stays lasted."""
    from leadcore._diagram.traffic import traffic

    assert model.lifecycle is not None
    stays = traffic(model.lifecycle, replay).stays
    width = max(11, *(len(name) for name in stays))
    console.print(f"{'stage':<{width}}  {'leads at the end':>16}{'':25}  {'entries':>9}  median stay", style="dim")
    for stage in model.lifecycle.stages:
        stay = stays[stage.name]
        share = stay.now / max(len(replay), 1)
        days = "" if stay.median_days is None else f"{float(stay.median_days):.1f} d"
        console.print(
            f"{stage.name:<{width}}  {stay.now:>9,} {share:>6.1%} [cyan]{bar(share, 24)}[/cyan]"
            f"  {stay.entries:>9,}  {days:>11}"
        )
    console.print("median of finished stays; entries count births\n", style="dim")


def _service(console: Console, stage: Stage, replay: Replay) -> None:
    """What became of a service level, and who was told how often."""
    assert stage.sla is not None
    spans, alerts = replay.spans.table, replay.alerts.table
    where = np.asarray(spans.column("stage")) == stage.name
    found = Counter(np.asarray(spans.column("sla_status"))[where].tolist())
    total = sum(found.values())
    open_time = "" if stage.sla.calendar is None else f" of open time ({stage.sla.calendar})"
    console.rule(f"[bold]{stage.name} is to be left within {stage.sla.due}{open_time}", align="left")
    for status, told in _STATUSES.items():
        share = found[status] / max(total, 1)
        console.print(f"{told:>14}  {found[status]:>9,}  [cyan]{bar(share, 34)}[/cyan] {share:>5.1%}")
    here = np.asarray(alerts.column("stage")) == stage.name
    levels = Counter(np.asarray(alerts.column("level"))[here].tolist())
    for level, alert in enumerate(stage.sla.alerts, 1):
        after = "at once" if not alert.after else f"after {alert.after}"
        console.print(f"{after:>14}  {levels[level]:>9,}  alerts to {', '.join(alert.notify)}", soft_wrap=True)
    console.print()


def _story(console: Console, model: Model, replay: Replay) -> int | str | None:
    """Tell what happened to one lead."""
    lead_id = _much_travelled(model, replay)
    if lead_id is None:
        return None
    story = replay.lead(lead_id)
    score = list(model.scores)[-1]
    console.rule(f"[bold]The way of one lead: {lead_id}", align="left")
    width = max(5, *(len(span["stage"]) for span in story.spans))
    console.print(f"{'at (UTC)':<16}  {'stage':<{width}}  {'stayed':>8}  {score:>8}  why", style="dim")
    for step, span in zip(story.transitions, story.spans, strict=True):
        stayed = ((span["left_at"] or story.until) - span["entered_at"]).total_seconds() / 86_400
        why = step["cause"] if step["rule"] is None else f"{step['rule']} ({step['cause']})"
        console.print(
            f"{step['at']:%Y-%m-%d %H:%M}  [bold]{span['stage']:<{width}}[/bold]  {stayed:>6.1f} d"
            f"  {step[score]:>8.1f}  {why}",
            soft_wrap=True,
        )
        if span["sla_due_at"] is not None:
            told = sum(alert["entered_at"] == span["entered_at"] for alert in story.alerts)
            due = f"due {span['sla_due_at']:%Y-%m-%d %H:%M}, {_STATUSES[span['sla_status']]}"
            console.print(f"{'':18}{due}, {told} alert{'' if told == 1 else 's'}", style="dim", soft_wrap=True)
    console.print()
    return lead_id


def _much_travelled(model: Model, replay: Replay) -> int | str | None:
    """The lead that was in most stages; of several one that ended well, then the one that went the most direct way."""
    assert model.lifecycle is not None
    spans = replay.spans.table
    ids = np.asarray(spans.column("lead_id"))
    if not len(ids):
        return None
    stages = np.asarray(spans.column("stage"))
    begins = np.flatnonzero(np.append(True, ids[1:] != ids[:-1]))
    stays = np.diff(np.append(begins, len(ids)))
    seen: npt.NDArray[np.int64] = np.zeros(len(begins), np.int64)
    for stage in model.lifecycle.stages:
        seen += np.logical_or.reduceat(stages == stage.name, begins)
    goal = [stage.name for stage in model.lifecycle.stages if stage.kind == "success"][-1:]
    well = np.isin(stages[begins + stays - 1], goal)
    seen[stays > _MOST_STAYS] = 0
    chosen = np.lexsort((stays, ~well, -seen))[0]
    found: Any = ids[begins[chosen]]
    return found.item() if isinstance(found, np.generic) else found  # type: ignore[no-any-return]
