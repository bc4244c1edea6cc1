"""W1 in Polars: one group by, with the streaming engine or in memory; distinct urls are tested once and joined.

Where urls hardly repeat it is faster to test them row by row, which is slower elsewhere.
"""

from __future__ import annotations

from functools import reduce
from math import inf, log
from operator import or_
from pathlib import Path
from typing import Literal

import polars as pl
import pyarrow as pa

from benchmarks.peers.w1 import W1, Attribute, Criterion, Slot, Source, Test, Work


def tested(test: Test, column: pl.Expr) -> pl.Expr:
    """A test of a column in small letters."""
    if test.op == "in":
        return column.is_in(test.values)
    if test.op == "starts_with":
        return reduce(or_, map(column.str.starts_with, test.values))
    return reduce(or_, (column.str.contains(value, literal=test.op == "contains") for value in test.values))


def attribute(one: Attribute) -> pl.Expr:
    """Points of an attribute criterion."""
    if one.test:
        passed = tested(one.test, pl.col(one.field).str.to_lowercase())
        return pl.when(passed).then(one.points).otherwise(0.0)
    points = pl.lit(0.0)
    for at_least, worth in one.bands:
        points = pl.when(pl.col(one.field) >= at_least).then(worth).otherwise(points)
    return points


def counts(one: Criterion, passed: dict[Test, str]) -> pl.Expr:
    """Whether an event of whatever age counts for a criterion; ``passed`` are columns that tell whether its url fits."""
    found = pl.col("event_type").is_in(one.on)
    if one.text:
        found &= pl.col(passed[one.text])
    return found & pl.col("value").is_between(*one.number) if one.number else found


def worth(one: Criterion, passed: dict[Test, str]) -> pl.Expr:
    """What an event adds to a criterion."""
    age, found = pl.col("age"), counts(one, passed)
    points: pl.Expr | float = one.points
    if one.decay == "half_life":
        points = one.points * (age * (-log(2) / one.length)).exp()
    elif one.decay != "none":
        found &= age < one.length
        points = one.points * (1 - age / one.length) if one.decay == "linear" else one.points
    return pl.when(found).then(points).otherwise(0.0)


def bounded(slot: Slot, name: str) -> pl.Expr:
    """A slot's sum within its bounds."""
    column = pl.col(name)
    if slot.high < inf:
        column = pl.min_horizontal(column, slot.high)
    return pl.max_horizontal(column, slot.low) if slot.low > -inf else column


def engagement(w1: W1) -> pl.Expr:
    """The score `engagement` from the columns s0, s1, ..."""
    names = iter(range(len(w1.slots)))
    groups = [
        pl.min_horizontal(reduce(pl.Expr.add, (bounded(slot, f"s{next(names)}") for slot in group.slots)), group.high)
        for group in w1.groups
    ]
    return reduce(pl.Expr.add, groups)


def fit(w1: W1) -> pl.Expr:
    """The score `fit`."""
    return pl.min_horizontal(reduce(pl.Expr.add, map(attribute, w1.fit)), w1.fit_high)


def tested_events(w1: W1, events: pl.LazyFrame, *, distinct: bool) -> tuple[pl.LazyFrame, dict[Test, str]]:
    """Events that count for something, with their age and whether their url passes each test, and the tests' columns."""
    names = {test: f"t{i}" for i, test in enumerate(w1.tests)}
    small = pl.col("small")
    tests = {name: tested(test, small) for test, name in names.items()}
    counting = events.filter(
        pl.col("event_type").is_in(w1.types), pl.col("ts").dt.epoch("us") <= w1.until
    ).with_columns(age=(w1.until - pl.col("ts").dt.epoch("us")).cast(pl.Float64))
    lower = pl.col("url").str.to_lowercase()
    if not distinct:
        return counting.with_columns(small=lower).with_columns(**tests), names
    urls = (
        events.filter(pl.col("event_type").is_in(w1.types_with_url))
        .select(pl.col("url").unique().drop_nulls())
        .with_columns(small=lower)
        .select("url", **tests)
    )
    return counting.join(urls, on="url", how="left"), names


def query(w1: W1, events: pl.LazyFrame, leads: pl.LazyFrame, *, distinct: bool) -> pl.LazyFrame:
    """From tables to scores."""
    counting, passed = tested_events(w1, events, distinct=distinct)
    sums = {
        f"s{i}": reduce(pl.Expr.add, (worth(one, passed) for one in slot.criteria)).sum()
        for i, slot in enumerate(w1.slots)
    }
    engaged = counting.group_by("lead_id").agg(**sums).select("lead_id", engagement=engagement(w1))
    return (
        leads.select("lead_id", fit=fit(w1))
        .join(engaged, on="lead_id", how="left")
        .with_columns(pl.col("engagement").fill_null(0.0))
        .with_columns(total=pl.col("fit") + pl.col("engagement"))
        .with_columns(mql=pl.col("total") >= w1.reach)
    )


def frame(source: Source) -> pl.LazyFrame:
    """A table, or a file to be read as far as it is needed."""
    if isinstance(source, Path):
        return pl.scan_parquet(source)
    made = pl.from_arrow(source)
    assert isinstance(made, pl.DataFrame)
    return made.lazy()


def make(w1: W1, engine: Literal["streaming", "in-memory"] = "streaming", *, distinct: bool = True) -> Work:
    """The work."""

    def work(events: Source, leads: Source) -> pa.Table:
        return query(w1, frame(events), frame(leads), distinct=distinct).collect(engine=engine).to_arrow()

    return work
