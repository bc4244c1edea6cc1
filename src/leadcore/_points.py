"""Micropoints as people read them (spec 9.8)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_EXACT = 2**53


def to_points(micropoints: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """The float64 nearest to micropoints / 10^6 (spec 9.8)."""
    points = micropoints / 1e6
    large = np.flatnonzero(np.abs(micropoints) > _EXACT)  # numpy would round twice there, Python rounds once
    points[large] = [int(micropoints[i]) / 10**6 for i in large]
    return points


def points_text(micropoints: int) -> str:
    """Micropoints as points with a sign, exactly and as short as can be.

    Example:
        >>> points_text(-1500000)
        '-1.5'
    """
    whole, rest = divmod(abs(micropoints), 10**6)
    digits = f"{whole}.{rest:06d}".rstrip("0").rstrip(".")
    return f"{'-' if micropoints < 0 else '+'}{digits}"
