"""Makes the demo's tables, in a process of its own: ``python -m leadcore.cli._make_demo DIR ROWS SEED TEXT_IDS``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from leadcore._arrow import write_table
from leadcore.cli._made_up import AS_OF, make


def main(folder: str, rows: str, seed: str, text_ids: str) -> None:
    """Write ``leads.parquet`` and ``events.parquet``; print the instant to score at."""
    with _bar(int(rows)) as progress:
        leads, events = make(int(rows), int(seed), text_ids == "1", progress)
    write_table(leads, str(Path(folder, "leads.parquet")), "parquet")
    write_table(events, str(Path(folder, "events.parquet")), "parquet")
    print(AS_OF)


class _bar:  # noqa: N801 - used like a function
    """A line on stderr that says how far it is, where stderr is a terminal."""

    def __init__(self, rows: int) -> None:
        self.rows = rows

    def __enter__(self) -> Callable[[int], None] | None:
        if not sys.stderr.isatty():
            return None
        return lambda done: print(f"\r  {done:,} of {self.rows:,}", end="", file=sys.stderr, flush=True)

    def __exit__(self, *exc: object) -> None:
        if sys.stderr.isatty():
            print("\r" + " " * 40 + "\r", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
