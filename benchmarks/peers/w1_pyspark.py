"""W1 in Spark SQL, in one process with two cores (local[2]).

Tables in memory are written to Parquet and read from there, which is faster than `createDataFrame`; and tests of urls by row
are faster than a join with distinct ones.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import SparkSession

from benchmarks.peers.w1 import W1, Source, Work
from benchmarks.peers.w1_sql import Dialect, by_row

DIALECT = Dialect(
    {
        "contains": "contains({text}, {value})",
        "starts_with": "startswith({text}, {value})",
        "matches": "regexp_like({text}, {value})",
    },
    "unix_micros(CAST(ts AS TIMESTAMP))",
)
SETTINGS = {
    "spark.driver.memory": "8g",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.parser.escapedStringLiterals": "true",
    "spark.sql.shuffle.partitions": "2",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
}


def make(w1: W1) -> Work:
    """The work, in one session."""
    builder = SparkSession.builder.master("local[2]")
    for name, value in SETTINGS.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    query = by_row(DIALECT, w1)

    def work(events: Source, leads: Source) -> pa.Table:
        with tempfile.TemporaryDirectory() as folder:
            for name, source in (("events", events), ("leads", leads)):
                path = source if isinstance(source, Path) else Path(folder, name)
                if path is not source:
                    pq.write_table(source, path, compression="none")
                session.read.parquet(str(path)).createOrReplaceTempView(name)
            return session.sql(query).toArrow()

    return work
