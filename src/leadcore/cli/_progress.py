"""A progress bar on stderr, where stderr is a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from leadcore._files import FileTable

if TYPE_CHECKING:
    from leadcore.batch.sql import QueryTable


@contextmanager
def reading_bar(events: FileTable | QueryTable | None, quiet: bool = False) -> Iterator[Callable[[int], None] | None]:
    """Show how far the reading of events is; gives what to call with the number of rows read so far."""
    if quiet or events is None or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    rows = TextColumn("{task.fields[rows]:>11,} events", justify="right")
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(bar_width=30), TaskProgressColumn(), rows, TimeElapsedColumn(),
        console=Console(stderr=True), transient=True,
    )  # fmt: skip
    with bar:
        task = bar.add_task("reading", total=None, rows=0)

        def report(done: int) -> None:
            read, total = events.progress
            finished = total is not None and read >= total
            bar.update(task, completed=read, total=total, rows=done, description="scoring" if finished else "reading")

        yield report
