"""W1 in Spark SQL, in one process with two cores (local[2]); tables from memory pass through Arrow to the JVM."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import SparkSession

from benchmarks.peers.w1 import W1, Source, Work
from benchmarks.peers.w1_sql import Dialect, by_row, by_value

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
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
}


def plain(table: pa.Table) -> pa.Table:
    """The table without dictionaries, which Spark does not take."""
    for i, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            table = table.set_column(i, field.name, pc.cast(table[field.name], field.type.value_type))
    return table


def make(w1: W1, distinct: bool = True) -> Work:
    """The work, in one session."""
    builder = SparkSession.builder.master("local[2]")
    for name, value in SETTINGS.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    query = (by_value if distinct else by_row)(DIALECT, w1)

    def work(events: Source, leads: Source) -> pa.Table:
        for name, source in (("events", events), ("leads", leads)):
            if isinstance(source, Path):
                frame = session.read.parquet(str(source))
            else:
                frame = session.createDataFrame(plain(source))
            frame.createOrReplaceTempView(name)
        return session.sql(query).toArrow()

    return work
