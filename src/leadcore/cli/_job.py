"""A batch job on the command line: its plan, how far it is, how it ended, for people or for schedulers."""

from __future__ import annotations

import errno
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Literal

from leadcore.cli._errors import INTERRUPTED, OTHER, Stop, exit_code
from leadcore.cli._memory import peak_memory

if TYPE_CHECKING:
    from leadcore.batch import Outcome, Plan, Progress
    from leadcore.batch.progress import Report

LogFormat = Literal["text", "json"]

_EVERY = 1.0
"""Seconds between two lines of progress for a scheduler."""
_SHARES = {"split": (0.0, 0.45), "run": (0.45, 0.5), "merge": (0.95, 0.05)}
"""Where stages of a job in partitions begin, and how much of it they are, about."""
_NAMES = {"split": "cutting into partitions", "run": "scoring", "merge": "putting together"}


class Log:
    """What is told of a job on stderr.

    Attributes:
        plan: Called with the plan.
        report: Called with the progress, or None where nobody looks.
    """

    def __init__(self, plan: Callable[[Plan], None], report: Report | None, done: Callable[[Outcome], None]) -> None:
        self.plan, self.report, self.done = plan, report, done


@contextmanager
def telling_job(quiet: bool, log_format: LogFormat) -> Iterator[Log]:
    """Tell a job's plan and progress while it runs, and what to do where it stops half-way.

    Raises:
        Stop: The job was stopped, and can go on; or the lead asked for is not there.
    """
    from leadcore.batch.job import UnknownLead

    spills = False

    def planned(plan: Plan) -> None:
        nonlocal spills
        spills = plan.spills

    try:
        if log_format == "json":
            with _lines(planned) as log:
                yield log
        else:
            with _bar(quiet, planned) as log:
                yield log
    except OSError as error:
        if not spills:
            raise
        what = f"{error.filename}: " if error.filename else ""
        what += f"{str(error.strerror)[:1].lower()}{str(error.strerror)[1:]}"
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        hint = "make room, and go on with --resume" if full else "go on with --resume when it is mended"
        raise Stop(f"{what}\nwhat was done stays: {hint}", OTHER) from error
    except UnknownLead as error:
        raise Stop(str(error)) from error
    except KeyboardInterrupt:
        if not spills:
            raise
        raise Stop("stopped\nwhat was done stays: go on with --resume", INTERRUPTED) from None


@contextmanager
def _lines(planned: Callable[[Plan], None]) -> Iterator[Log]:
    """One JSON object a line."""
    began, told = time.monotonic(), 0.0
    stage = ""

    def line(event: str, **more: Any) -> None:
        seconds = round(time.monotonic() - began, 3)
        print(json.dumps({"event": event, "seconds": seconds, **more}), file=sys.stderr, flush=True)

    def plan(chosen: Plan) -> None:
        planned(chosen)
        line("plan", way="partition" if chosen.spills else "memory", **asdict(chosen), told=str(chosen))

    def report(progress: Progress) -> None:
        nonlocal told, stage
        now = time.monotonic()
        if progress.stage != stage or now - told >= _EVERY:
            stage, told = progress.stage, now
            line("progress", **asdict(progress), peak_memory=peak_memory())

    def done(outcome: Outcome) -> None:
        line(
            "done", counts=asdict(outcome.counts), rows=outcome.rows, files=outcome.files, spilled=outcome.spilled,
            resumed=outcome.resumed, peak_memory=peak_memory(),
        )  # fmt: skip

    try:
        yield Log(plan, report, done)
    except BaseException as error:
        line("error", message=str(error) or type(error).__name__, code=exit_code(error))
        raise


@contextmanager
def _bar(quiet: bool, planned: Callable[[Plan], None]) -> Iterator[Log]:
    """A line for the plan, and a bar where stderr is a terminal."""

    def plan(chosen: Plan) -> None:
        planned(chosen)
        if not quiet:
            print(chosen, file=sys.stderr)

    def done(outcome: Outcome) -> None:
        if outcome.resumed and not quiet:
            print(f"went on: {outcome.resumed:,} partitions had been done before", file=sys.stderr)

    if quiet or not sys.stderr.isatty():
        yield Log(plan, None, done)
        return
    from rich.console import Console
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    bar = Bar(
        TextColumn("{task.description}"), BarColumn(bar_width=30), TaskProgressColumn(),
        TextColumn("{task.fields[told]}", justify="right"), TimeElapsedColumn(), TextColumn("left"),
        TimeRemainingColumn(), console=Console(stderr=True), transient=True,
    )  # fmt: skip
    with bar:
        task = bar.add_task("reading", total=None, told="")

        def report(progress: Progress) -> None:
            share = progress.share
            told = f"{progress.rows:>11,} events"
            name = "reading"
            if progress.partitions_total > 1:
                before, part = _SHARES[progress.stage]
                share = None if share is None and progress.stage == "split" else before + part * (share or 0.0)
                told += f", partition {progress.partitions:,} of {progress.partitions_total:,}"
                told += f", {progress.spilled / 1e6:,.0f} MB spilled" if progress.spilled else ""
                name = _NAMES[progress.stage]
            bar.update(task, completed=share, total=None if share is None else 1.0, told=told, description=name)

        yield Log(plan, report, done)
