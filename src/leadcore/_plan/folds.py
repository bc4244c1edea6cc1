"""Criteria with a memory as fold records: what the kernel keeps per lead (spec 4, 5, 9)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from leadcore._plan.numbers import as_number, millionths
from leadcore.model.criterion import ByProperty, EventCriterion, FrequencyCriterion, PerProperty, RecencyCriterion
from leadcore.model.decay import Decay, Expire, HalfLife, Linear, Period, Periodic, Steps
from leadcore.model.scalar import Points
from leadcore.model.score import Fade

# Names and numbers of ext/kernel/leadcore_kernel/layout.pxd.
EVENT, FREQUENCY, RECENCY = 1, 2, 3
DECAY_NONE, HALF_LIFE, LINEAR, EXPIRE, STEPS, PERIODIC, COMPOUND = range(7)
UNITS = {"hour": 1, "day": 2, "week": 3, "ever": 4}

MOST_POINTS = 10**11
"""Micropoints of one event at most: points are at most 100,000 (spec 4), a property's are held (9.1)."""

Row = dict[str, Any]


@dataclass
class Folds:
    """Fold records and the tables they point into, grown criterion by criterion."""

    points: Callable[[Points | None], int]
    number: Callable[[str], int]
    code: Callable[[str], int]
    exact: Callable[[Points], Decimal]
    group: int = 0
    """The group whose criteria are being added."""
    criterion: int = -1
    """The criterion being added, -1 for none."""
    rows: list[Row] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    steps: list[tuple[int, int]] = field(default_factory=list)
    factors: list[int] = field(default_factory=list)
    bands: list[tuple[int, int]] = field(default_factory=list)

    def _add(self, name: str, kind: int, **values: Any) -> int:
        blank: Row = {
            "kind": kind,
            "group": self.group,
            "criterion": self.criterion,
            "unique": -1,
            "distinct": -1,
            "number": -1,
            "low": -1e300,
            "high": 1e300,
        }
        self.rows.append(blank | values)
        self.names.append(name)
        return len(self.rows) - 1

    def event(self, criterion: EventCriterion) -> int:
        """Fold of an event criterion (spec 4.4, 4.6)."""
        row: Row = self._decay(criterion.decay) if criterion.decay is not None else {"decay": DECAY_NONE}
        if criterion.unique_by is not None:
            row["unique"] = self.code(criterion.unique_by)
        if criterion.cooldown is not None:
            row["cooldown"] = int(criterion.cooldown)
        if criterion.limit is not None:
            row |= {"limit": criterion.limit.count, "unit": UNITS[criterion.limit.per]}
        row["sign"] = self._sign(criterion.points)
        if isinstance(criterion.points, PerProperty):
            per = criterion.points
            row |= {"number": self.number(per.per), "rate": as_number(per.rate)}
            if per.min is not None:
                row["low"] = as_number(self.exact(per.min))
            if per.max is not None:
                row["high"] = as_number(self.exact(per.max))
        return self._add(criterion.name, EVENT, **row)

    def _sign(self, points: Points | PerProperty | ByProperty) -> int:
        """1 where no event takes points away, -1 where none gives any, else 0."""
        if isinstance(points, PerProperty):
            low = None if points.min is None else self.points(points.min)
            high = None if points.max is None else self.points(points.max)
            return 1 if low is not None and low >= 0 else -1 if high is not None and high <= 0 else 0
        if isinstance(points, ByProperty):
            worth = [self.points(p) for p in (*points.table.values(), points.otherwise, points.missing)]
        else:
            worth = [self.points(points)]
        return 1 if min(worth) >= 0 else -1 if max(worth) <= 0 else 0

    def frequency(self, criterion: FrequencyCriterion) -> int:
        """Fold of a frequency criterion (spec 4.5)."""
        if criterion.bands is None:
            bands = [(criterion.at_least or 1, self.points(criterion.points))]
        else:
            bands = sorted((int(band.at_least), self.points(band.points)) for band in criterion.bands)
        row = self._bands(bands)
        row["span"] = 0 if criterion.within is None else int(criterion.within)
        if criterion.distinct is not None:
            row["distinct"] = self.code(criterion.distinct)
        return self._add(criterion.name, FREQUENCY, **row)

    def recency(self, criterion: RecencyCriterion) -> int:
        """Fold of a recency criterion (spec 4.7)."""
        otherwise = self.points(criterion.otherwise)
        row = self._bands(sorted((int(band.within), self.points(band.points)) for band in criterion.bands))
        never = otherwise if criterion.never is None else self.points(criterion.never)
        return self._add(criterion.name, RECENCY, otherwise=otherwise, never=never, **row)

    def fade(self, name: str, fade: Fade) -> int:
        """Fold of a group's fade: a factor in millionths by recency (spec 6.1)."""
        row = self._bands(sorted((int(band.within), millionths(band.factor)) for band in fade.bands))
        otherwise = 0 if fade.otherwise is None else millionths(fade.otherwise)
        never = 10**6 if fade.never is None else millionths(fade.never)
        return self._add(name, RECENCY, otherwise=otherwise, never=never, **row)

    def _bands(self, bands: Sequence[tuple[int, int]]) -> Row:
        begin = len(self.bands)
        self.bands.extend(bands)
        return {"bands": begin, "bands_size": len(bands)}

    def _decay(self, decay: Decay) -> Row:
        row: Row = {"delay": int(decay.delay or 0), "keep": millionths(decay.keep or Decimal(0))}
        match decay:
            case HalfLife(half_life=span):
                shift = 64 + int(span).bit_length() - 1
                reciprocal = (1 << shift) // int(span)
                row |= {"decay": HALF_LIFE, "span": int(span), "shift": shift}
                row["reciprocal"] = reciprocal - (1 << 64) if reciprocal >> 63 else reciprocal
            case Linear(linear=span):
                row |= {"decay": LINEAR, "span": int(span)}
            case Expire(expire=span):
                row |= {"decay": EXPIRE, "span": int(span)}
            case Steps(steps=steps):
                row |= {"decay": STEPS, "table": len(self.steps), "table_size": len(steps)}
                self.steps.extend((int(step.after), millionths(step.factor)) for step in steps)
            case Periodic(periodic=period):
                table = compound_factors(period) if period.compound else plain_factors(period)
                row |= {"decay": COMPOUND if period.compound else PERIODIC, "span": int(period.every)}
                row |= {"table": len(self.factors), "table_size": len(table)}
                self.factors.extend(table)
        return row


def plain_factors(period: Period) -> list[int]:
    """max(0, 1 - r n) in millionths for n = 0, 1, ..., up to the last above 0 (spec 5.6)."""
    lose = millionths(period.lose)
    return [10**6 - lose * n for n in range(-(-(10**6) // lose))]


def compound_factors(period: Period) -> list[int]:
    """F_0 = 2^62, F_n = rne(F_(n-1) (1 - r)), up to the last that leaves anything of the largest points (spec 9.2)."""
    keep = 10**6 - millionths(period.lose)
    table = [1 << 62]
    while True:
        following = rne(table[-1] * keep, 10**6)
        if rne(MOST_POINTS * following, 1 << 62) == 0:
            return table
        table.append(following)


def rne(p: int, q: int) -> int:
    """p/q to the nearest whole number, ties to even."""
    whole, rest = divmod(p, q)
    return whole + (2 * rest > q or (2 * rest == q and whole & 1))
