"""W2's total after each event that counts, in DuckDB: window sums by lead, without midnights, timers, stages and threshold.

Half-lives are running sums of points grown to one instant and shrunk at each row; linear and expiring criteria are sums over
the rows of their window.
"""

from __future__ import annotations

from math import log

import duckdb
import pyarrow as pa

from benchmarks.peers.w1 import W1, Criterion, Slot, Work
from benchmarks.peers.w1_duckdb import DIALECT
from benchmarks.peers.w1_sql import age, counts, engagement, fit, masked


def value(one: Criterion, points: str) -> str:
    """A criterion at a row, from the column of what each event adds to it."""
    if one.decay == "none":
        return f"sum({points}) OVER run"
    if one.decay == "half_life":
        rate = log(2) / one.length
        return f"exp(age * {rate!r}) * sum({points} * exp(age * {-rate!r})) OVER run"
    window = f"OVER w{one.length}"
    if one.decay == "expire":
        return f"sum({points}) {window}"
    return f"sum({points}) {window} - (sum({points} * age) {window} - age * sum({points}) {window}) / {one.length}.0"


def query(w1: W1) -> str:
    """From tables to one row per event that counts: lead_id, at, total."""
    parts = masked(DIALECT, w1)
    names = {one.name: f"p{i}" for i, one in enumerate(w1.criteria)}
    points = ", ".join(
        f"CASE WHEN {counts(one, parts.hit(one))} THEN {one.points}::DOUBLE ELSE 0.0 END AS {names[one.name]}"
        for one in w1.criteria
    )

    def slot(of: Slot) -> str:
        return " + ".join(value(one, names[one.name]) for one in of.criteria)

    slots = ", ".join(f"{slot(of)} AS s{i}" for i, of in enumerate(w1.slots))
    lengths = sorted({one.length for one in w1.criteria if one.decay in ("linear", "expire")})
    order = "PARTITION BY lead_id ORDER BY moment"
    windows = ", ".join(
        f"w{length} AS ({order} RANGE BETWEEN {length - 1} PRECEDING AND CURRENT ROW)" for length in lengths
    )
    return f"""
        WITH {parts.before}
        hits AS (
            SELECT lead_id, epoch_us(ts) AS moment, value, {age(DIALECT, w1)}, {parts.columns} FROM {parts.source}
        ),
        added AS (SELECT lead_id, moment, age, {points} FROM hits),
        sums AS (
            SELECT lead_id, moment, {slots} FROM added
            WINDOW run AS ({order} ROWS UNBOUNDED PRECEDING), {windows}
        ),
        fits AS (SELECT lead_id, {fit(DIALECT, w1)} AS fit FROM leads)
        SELECT lead_id, make_timestamp(moment) AS "at", fit + {engagement(w1)} AS total FROM sums JOIN fits USING (lead_id)
    """


def make(w1: W1) -> Work:
    """The work, over one connection."""
    connection, asked = duckdb.connect(), query(w1)

    def work(events: pa.Table, leads: pa.Table) -> pa.Table:
        connection.register("events", events)
        connection.register("leads", leads)
        return connection.sql(asked).to_arrow_table()

    return work
