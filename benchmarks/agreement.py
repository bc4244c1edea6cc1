"""Whether two replays of W2 agree: equal logs, but for leads whose total came as near to a threshold as rounding reaches."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.peers.python_loop import prepared
from benchmarks.peers.w2 import (
    BIT,
    COLD_AFTER,
    DAY,
    GROUPS,
    REACH,
    RELEASE,
    STAGES,
    STALLED_AFTER,
    Criterion,
    Floats,
    Ints,
    Log,
    Masks,
    fits,
    one_chunk,
)

NEAR_MICROPOINTS = 1e-5  # points: half a micropoint for each of 20 criteria, as integers round (spec 9)
LOOKED_AT = 1000  # leads; a direct computation of each takes its time


@dataclass(frozen=True)
class Agreement:
    """What came of comparing two logs.

    Attributes:
        rows: Rows of the first log.
        leads: Leads whose rows or end states differ.
        near: Of them, those whose total came within ``tolerance`` of a threshold.
        tolerance: In points.
        largest_gap: Of scores at equal rows and of the ends of equal leads, in points.
    """

    rows: int
    leads: int
    near: int
    tolerance: float
    largest_gap: float

    @property
    def agrees(self) -> bool:
        """No lead differs without that reason, and no score by more than rounding."""
        return self.leads == self.near and self.largest_gap <= self.tolerance

    def as_dict(self) -> dict[str, float | bool]:
        return {**asdict(self), "agrees": self.agrees}


def codes(column: pa.ChunkedArray) -> Ints:
    """Stages by place; -1 for none."""
    found = pc.index_in(column.cast(pa.string()), value_set=pa.array(STAGES))
    return pc.fill_null(found, -1).to_numpy().astype(np.int64)


def micros(column: pa.ChunkedArray) -> Ints:
    """Instants as integers; -1 for null."""
    return pc.fill_null(column.cast(pa.timestamp("us", column.type.tz)).cast(pa.int64()), -1).to_numpy()


def moves_of(log: Log, ids: pa.Array) -> pd.DataFrame:
    """The transitions with leads and stages by number, by lead and then as they came; ``place`` counts from 0."""
    table = log.transitions
    moves = pd.DataFrame(
        {
            "lead": one_chunk(pc.index_in(table["lead_id"], value_set=ids)).to_numpy(),
            "at": micros(table["at"]),
            "source": codes(table["from_stage"]),
            "target": codes(table["to_stage"]),
            "total": table["total"].to_numpy(),
        }
    ).sort_values("lead", kind="stable", ignore_index=True)
    return moves.assign(place=moves.groupby("lead").cumcount())


def ends_of(log: Log, ids: pa.Array) -> pd.DataFrame:
    """The states by number, in the order of ``ids``."""
    table = log.states
    return (
        pd.DataFrame(
            {
                "lead": pc.index_in(table["lead_id"], value_set=ids).to_numpy(),
                "stage": codes(table["stage"]),
                "entered": micros(table["entered_at"]),
                "mql": table["mql"].to_numpy(),
                "total": table["total"].to_numpy(),
            }
        )
        .sort_values("lead", kind="stable", ignore_index=True)
        .astype({"mql": bool})
    )


def value_of(c: Criterion, ages: Ints) -> float:
    """A criterion from the ages of the events that count, as section 5 of the spec says it."""
    length = c.length * DAY
    if c.decay == "half_life":
        weights = np.exp2(-ages / length)
    elif c.decay == "linear":
        weights = np.maximum(0.0, 1 - ages / length)
    else:
        weights = np.where((ages < length) | (c.decay == "none"), 1.0, 0.0)
    return float(np.clip(c.points * weights.sum(), c.low, c.high))


def nearest(at: Ints, mask: Masks, fit: float, until: int, entered: Ints) -> float:
    """How near one lead's total comes to a threshold at any evaluation, in points, computed without any state."""
    midnights = np.arange(-(-at[0] // DAY), until // DAY + 1) * DAY
    timers = np.concatenate([entered + COLD_AFTER, entered + STALLED_AFTER])
    found = np.inf
    for t in np.unique(np.concatenate([at, midnights, timers[timers <= until]])):
        end = np.searchsorted(at, t, side="right")
        total = fit
        for criteria, high in GROUPS:
            ages = [t - at[:end][mask[:end] & BIT[c.name] != 0] for c in criteria]
            total += min(high, sum(map(value_of, criteria, ages)))
        found = min(found, abs(total - REACH), abs(total - RELEASE))
    return found


def compare(one: Log, other: Log, events: pa.Table, leads: pa.Table, until: int, tolerance: float) -> Agreement:
    """Compare two logs over the same tables."""
    ids = one_chunk(leads["lead_id"])
    moves = [moves_of(log, ids) for log in (one, other)]
    ends = [ends_of(log, ids) for log in (one, other)]
    key = ["lead", "place", "at", "source", "target"]
    odd = pd.concat([m[key] for m in moves]).drop_duplicates(keep=False)["lead"]
    marks = ["lead", "stage", "entered", "mql"]
    odd_ends = pd.concat([e[marks] for e in ends]).drop_duplicates(keep=False)["lead"]
    different = np.unique(np.concatenate([odd, odd_ends]))

    largest = 0.0
    for a, b in (moves, ends):
        same = [table[~table["lead"].isin(different)]["total"].to_numpy() for table in (a, b)]
        if len(same[0]):
            largest = max(largest, float(np.abs(same[0] - same[1]).max()))

    near = 0
    if len(different):
        fit = fits(leads)
        which: Floats | Ints = different[:LOOKED_AT]
        some = leads.take(pa.array(which))
        at, mask, first = prepared(events.filter(pc.is_in(events["lead_id"], one_chunk(some["lead_id"]))), some, until)
        entered = pd.concat([m[["lead", "at"]] for m in moves]).set_index("lead")["at"]
        for i, lead in enumerate(which):
            rows = slice(first[i], first[i + 1])
            near += nearest(at[rows], mask[rows], fit[lead], until, entered.loc[[lead]].unique()) <= tolerance
    return Agreement(len(moves[0]), len(different), near, tolerance, largest)


def compare_totals(log: Log, totals: pa.Table, tolerance: float) -> Agreement:
    """Compare a log with totals after events (lead_id, at, total): where a move and an event meet they are equal."""
    moves, column = (
        pd.DataFrame(
            {"lead": table["lead_id"].to_pandas(), "at": micros(table["at"]), "total": table["total"].to_numpy()}
        )
        for table in (log.transitions.filter(pc.is_valid(log.transitions["from_stage"])), totals)
    )
    last = column.drop_duplicates(["lead", "at"], keep="last")
    both = moves.merge(last, on=["lead", "at"])
    gap = (both["total_x"] - both["total_y"]).abs()
    return Agreement(len(both), both["lead"][gap > tolerance].nunique(), 0, tolerance, float(gap.max()))
