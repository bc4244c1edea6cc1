"""W1 in ClickHouse as a library (chdb)."""

from __future__ import annotations

from pathlib import Path

import chdb
import pyarrow as pa

from benchmarks.peers.w1 import W1, Source, Work
from benchmarks.peers.w1_sql import Dialect, Tables, by_row, by_value

DIALECT = Dialect(
    {
        "contains": "position({text}, {value}) > 0",
        "starts_with": "startsWith({text}, {value})",
        "matches": "match({text}, {value})",
    },
    "toUnixTimestamp64Micro(ts)",
    "sumIf({worth}, {where})",
    "bitAnd({a}, {b})",
    "bitOr({a}, {b})",
)


def make(w1: W1, distinct: bool = True) -> Work:
    """The work."""

    def work(events: Source, leads: Source) -> pa.Table:
        names = (
            f"file('{source}', Parquet)" if isinstance(source, Path) else f"Python({name})"
            for name, source in (("events", events), ("leads", leads))
        )
        asked = (by_value if distinct else by_row)(DIALECT, w1, Tables(*names))
        return chdb.query(asked, "ArrowTable")  # type: ignore[no-untyped-call]  # chdb has no types

    return work
