"""What every peer knows of W1: its document, read as plain data, so that all count the same criteria."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from math import inf, nextafter
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.peers.w2 import DAY, Floats

UNITS = {"w": 7 * DAY, "d": DAY}

Source: TypeAlias = pa.Table | Path
"""A table in memory, or its Parquet file."""
Work = Callable[[Source, Source], pa.Table]
"""From events and leads to lead_id, fit, engagement, total and mql: one row per lead, in any order."""


class Test(NamedTuple):
    """A condition on a text, which may be any of the values, in small letters."""

    op: str
    values: tuple[str, ...]


class Criterion(NamedTuple):
    """A behavioural criterion.

    Attributes:
        name: Its name.
        on: Event types.
        text: What the url must be like.
        number: Within which bounds, both included, the value must lie.
        points: What an event of age 0 is worth.
        decay: none, half_life, linear or expire.
        length: Of the decay, in microseconds.
        low: Least value of the criterion.
        high: Highest value of the criterion.
    """

    name: str
    on: tuple[str, ...]
    text: Test | None
    number: tuple[float, float] | None
    points: float
    decay: str
    length: int
    low: float
    high: float


class Slot(NamedTuple):
    """Criteria of a group that can be added up before any bound acts: a bounded one alone, all others together."""

    criteria: tuple[Criterion, ...]
    low: float = -inf
    high: float = inf


class Group(NamedTuple):
    """Slots under a common bound."""

    slots: tuple[Slot, ...]
    high: float


class Attribute(NamedTuple):
    """An attribute criterion: a test of a text, or bands of a number (at least, points), ascending."""

    name: str
    field: str
    test: Test | None
    points: float
    bands: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class W1:
    """The model of W1 and the instant to score at.

    Attributes:
        fit: Attribute criteria.
        fit_high: Highest value of their sum.
        groups: Behavioural criteria.
        reach: The total from which a lead is an MQL.
        until: Microseconds since 1970; later events do not count.
    """

    fit: tuple[Attribute, ...]
    fit_high: float
    groups: tuple[Group, ...]
    reach: float
    until: int

    @cached_property
    def slots(self) -> tuple[Slot, ...]:
        """Those of all groups, in their order."""
        return tuple(slot for group in self.groups for slot in group.slots)

    @cached_property
    def criteria(self) -> tuple[Criterion, ...]:
        """The behavioural criteria, slot by slot."""
        return tuple(criterion for slot in self.slots for criterion in slot.criteria)

    @cached_property
    def tests(self) -> tuple[Test, ...]:
        """Different tests of urls."""
        return tuple(dict.fromkeys(criterion.text for criterion in self.criteria if criterion.text))

    @cached_property
    def types(self) -> tuple[str, ...]:
        """Event types that count for something."""
        return tuple(dict.fromkeys(name for criterion in self.criteria for name in criterion.on))

    @cached_property
    def types_with_url(self) -> tuple[str, ...]:
        """Event types of which a url is asked."""
        return tuple(dict.fromkeys(name for criterion in self.criteria if criterion.text for name in criterion.on))


def described(document: dict[str, Any], until: int) -> W1:
    """A document of W1's shape, as a tree of names and numbers."""
    scores, threshold = document["scores"], document["thresholds"]["mql"]
    return W1(
        tuple(_attribute(one) for one in scores["fit"]["criteria"]),
        float(scores["fit"]["max"]),
        tuple(
            Group(tuple(_slots([_criterion(one) for one in group["criteria"]])), float(group["max"]))
            for group in scores["engagement"]["groups"].values()
        ),
        float(threshold["at"]),
        until,
    )


def _test(clause: dict[str, Any]) -> Test:
    value = clause["value"]
    return Test(clause["op"], tuple(one.lower() for one in (value if isinstance(value, list) else [value])))


def _attribute(one: dict[str, Any]) -> Attribute:
    if one.get("bands"):
        bands = tuple((float(band["at_least"]), float(band["points"])) for band in one["bands"])
        return Attribute(one["name"], one["field"], None, 0.0, bands)
    return Attribute(one["name"], one["when"]["field"], _test(one["when"]), float(one["points"]), ())


def _criterion(one: dict[str, Any]) -> Criterion:
    where, on = one.get("where"), one["on"]
    [(decay, length)] = (one.get("decay") or {"none": "0d"}).items()
    return Criterion(
        one["name"],
        (on,) if isinstance(on, str) else tuple(on),
        _test(where) if where and where["field"] == "url" else None,
        _bounds(where) if where and where["field"] == "value" else None,
        float(one["points"]),
        decay,
        sum(int(count) * UNITS[unit] for count, unit in re.findall(r"(\d+)([wd])", length)),
        float(one.get("min", -inf)),
        float(one.get("max", inf)),
    )


def _bounds(where: dict[str, Any]) -> tuple[float, float]:
    match where["op"], where["value"]:
        case "ge", value:
            return float(value), inf
        case "gt", value:
            return nextafter(float(value), inf), inf
        case "between", (low, high):
            return float(low), float(high)
    raise ValueError(f"W1 has no such condition: {where}")


def _slots(criteria: list[Criterion]) -> Iterator[Slot]:
    for criterion in criteria:
        if (criterion.low, criterion.high) != (-inf, inf):
            yield Slot((criterion,), criterion.low, criterion.high)
    if free := [c for c in criteria if (c.low, c.high) == (-inf, inf)]:
        yield Slot(tuple(free))


def bounded(w1: W1, sums: Floats) -> Floats:
    """The score `engagement` from the sums of all slots (leads by slots)."""
    engagement, place = np.zeros(len(sums)), 0
    for group in w1.groups:
        width = len(group.slots)
        low, high = (np.array([getattr(slot, end) for slot in group.slots]) for end in ("low", "high"))
        engagement += np.minimum(group.high, np.clip(sums[:, place : place + width], low, high).sum(axis=1))
        place += width
    return engagement


def table_of(source: Source) -> pa.Table:
    """The table; of a file the columns that W1 needs, texts that repeat as dictionaries."""
    if isinstance(source, Path):
        return pq.read_table(source, read_dictionary=["url", "event_type", "title", "country"])
    return source


def scored(w1: W1, ids: pa.Array, fit: Floats, engagement: Floats) -> pa.Table:
    """The result from arrays."""
    total = fit + engagement
    return pa.table({"lead_id": ids, "fit": fit, "engagement": engagement, "total": total, "mql": total >= w1.reach})
