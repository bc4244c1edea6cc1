"""W1 in DuckDB: plain SQL, or with each distinct url tested once and joined."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa

from benchmarks.peers.w1 import W1, Source, Work
from benchmarks.peers.w1_sql import Dialect, by_row, by_value

DIALECT = Dialect(
    {
        "contains": "contains({text}, {value})",
        "starts_with": "starts_with({text}, {value})",
        "matches": "regexp_matches({text}, {value})",
    },
    "epoch_us(ts)",
    materialized="MATERIALIZED",
)


def make(w1: W1, *, distinct: bool = True) -> Work:
    """The work, over one connection."""
    connection = duckdb.connect()
    query = (by_value if distinct else by_row)(DIALECT, w1)

    def work(events: Source, leads: Source) -> pa.Table:
        for name, source in (("events", events), ("leads", leads)):
            if isinstance(source, Path):
                connection.read_parquet(str(source)).create_view(name, replace=True)
            else:
                connection.register(name, source)
        return connection.sql(query).to_arrow_table()

    return work
