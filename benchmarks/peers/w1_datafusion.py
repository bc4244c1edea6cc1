"""W1 in DataFusion's SQL."""

from __future__ import annotations

from pathlib import Path

import datafusion
import pyarrow as pa

from benchmarks.peers.w1 import W1, Source, Work
from benchmarks.peers.w1_sql import Dialect, by_row, by_value

DIALECT = Dialect(
    {
        "contains": "contains({text}, {value})",
        "starts_with": "starts_with({text}, {value})",
        "matches": "regexp_like({text}, {value})",
    },
    "CAST(ts AS BIGINT)",
)


def make(w1: W1, distinct: bool = True) -> Work:
    """The work, in one session."""
    session = datafusion.SessionContext()
    query = (by_value if distinct else by_row)(DIALECT, w1)

    def work(events: Source, leads: Source) -> pa.Table:
        for name, source in (("events", events), ("leads", leads)):
            session.deregister_table(name)
            if isinstance(source, Path):
                session.register_parquet(name, str(source))
            else:
                session.register_record_batches(name, [source.to_batches()])
        return session.sql(query).to_arrow_table()

    return work
