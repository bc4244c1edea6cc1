"""Whether two tables of W1's scores agree: totals to within rounding, flags unless the total is that near the threshold."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.peers.w1 import W1
from benchmarks.peers.w2 import RELEASE, Floats, one_chunk

NEAR_FLOATS = 1e-9 * RELEASE  # points: two sums of floats
SCORES = ("fit", "engagement", "total")


class Gap(NamedTuple):
    """What came of comparing.

    Attributes:
        leads: Of the first table.
        lacking: Leads that only one of the tables has, or has more than once.
        points: The largest difference of any score.
        flags: Leads whose flags differ.
        far: Of them, those whose total is not that near the threshold.
        tolerance: What is called near, in points.
    """

    leads: int
    lacking: int
    points: float
    flags: int
    far: int
    tolerance: float

    @property
    def agrees(self) -> bool:
        """Nothing differs by more than rounding."""
        return self.lacking == 0 and self.far == 0 and self.points <= self.tolerance  # not if NaN


def near_micropoints(w1: W1) -> float:
    """Points by which sums in integers may lie off: half a micropoint for each criterion (spec 9)."""
    return 0.5e-6 * len(w1.criteria)


def gap_between(one: pa.Table, other: pa.Table, reach: float, tolerance: float) -> Gap:
    """Compare two tables of scores, whatever the order of their rows."""
    place = pc.index_in(one["lead_id"], value_set=one_chunk(other["lead_id"]))
    known = np.unique(place.drop_null().to_numpy())
    lacking = place.null_count + len(other) - len(known)
    if lacking:
        return Gap(len(one), lacking, float("nan"), 0, 0, tolerance)
    other = other.take(place)
    gaps = [np.abs(numbers(one, name) - numbers(other, name)).max(initial=0) for name in SCORES]
    differ = numbers(one, "mql") != numbers(other, "mql")
    far = np.abs(numbers(one, "total")[differ] - reach) > tolerance
    return Gap(len(one), 0, float(max(gaps)), int(differ.sum()), int(far.sum()), tolerance)


def numbers(table: pa.Table, name: str) -> Floats:
    """A column, whatever its type; NaN for null, which agrees with nothing."""
    values: Floats = table[name].cast(pa.float64()).to_numpy()
    return values
