"""W2's total after each event that counts, in Polars: sums by lead as in `w2_duckdb`, and without what that leaves out."""

from __future__ import annotations

from functools import reduce
from math import log

import polars as pl
import pyarrow as pa

from benchmarks.peers.w1 import W1, Criterion, Work
from benchmarks.peers.w1_polars import counts, engagement, fit, frame, tested_events


def value(one: Criterion, name: str) -> pl.Expr:
    """A criterion at a row, from the column of what each event adds to it; rows of one lead, by instant."""
    points, age = pl.col(name), pl.col("age")
    if one.decay == "none":
        return points.cum_sum()
    if one.decay == "half_life":
        rate = log(2) / one.length
        return (age * rate).exp() * (points * (age * -rate).exp()).cum_sum()

    def windowed(sums: pl.Expr) -> pl.Expr:
        return sums.rolling_sum_by("ts", f"{one.length}us", closed="right")

    if one.decay == "expire":
        return windowed(points)
    return windowed(points) - (windowed(points * age) - age * windowed(points)) / one.length


def query(w1: W1, events: pl.LazyFrame, leads: pl.LazyFrame) -> pl.LazyFrame:
    """From tables to one row per event that counts: lead_id, at, total."""
    counting, passed = tested_events(w1, events, distinct=True)
    names = {one.name: f"p{i}" for i, one in enumerate(w1.criteria)}
    points = {names[one.name]: pl.when(counts(one, passed)).then(one.points).otherwise(0.0) for one in w1.criteria}
    slots = {
        f"s{i}": reduce(pl.Expr.add, (value(one, names[one.name]) for one in slot.criteria)).over("lead_id")
        for i, slot in enumerate(w1.slots)
    }
    return (
        counting.sort("lead_id", "ts")
        .select("lead_id", "ts", "age", **points)
        .select("lead_id", at="ts", **slots)
        .join(leads.select("lead_id", fit=fit(w1)), on="lead_id")
        .select("lead_id", "at", total=pl.col("fit") + engagement(w1))
    )


def make(w1: W1) -> Work:
    """The work."""

    def work(events: pa.Table, leads: pa.Table) -> pa.Table:
        return query(w1, frame(events), frame(leads)).collect().to_arrow()

    return work
