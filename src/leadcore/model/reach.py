"""How high and how low a model's values can get, whatever the leads do (spec 4 to 6).

Every answer is on the safe side: no lead gets above ``high`` or below ``low``, but criteria that exclude each other
may keep all leads away from both. None means that there is no such number.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from fractions import Fraction
from typing import Any

from leadcore.model.checks.score import combined_first
from leadcore.model.criterion import (
    AttributeCriterion,
    ByProperty,
    CriterionPart,
    EventCriterion,
    FrequencyCriterion,
    PerProperty,
    RecencyCriterion,
)
from leadcore.model.decay import Decay, Expire, HalfLife, Linear, Period, Periodic, Steps
from leadcore.model.document import Model
from leadcore.model.duration import DAY, HOUR, MINUTE
from leadcore.model.scalar import EXACT, Points
from leadcore.model.score import Fade, Group, Score

_HELD = Decimal(100_000)
"""A property's points are held within this (spec 9.1)."""
_VALUES = {"boolean": 3}
_MOST_VALUES = 65_536
"""Values that ``unique_by`` tells apart for a lead (spec 4.6); null is one of a boolean's three."""
_SHORTEST = {"hour": 30 * MINUTE, "day": 22 * HOUR, "week": 7 * DAY - 2 * HOUR}
"""Calendar units are at least this long, in any timezone."""


@dataclass(frozen=True)
class Range:
    """All values from ``low`` to ``high``; None where there is no end."""

    low: Decimal | None
    high: Decimal | None

    def clamped(self, low: Decimal | None, high: Decimal | None) -> Range:
        """The same under bounds."""

        def held(value: Decimal | None, beyond: Decimal | None) -> Decimal | None:
            if value is None:
                return beyond
            value = value if low is None else max(value, low)
            return value if high is None else min(value, high)

        return Range(held(self.low, low), held(self.high, high))

    def plus(self, other: Range) -> Range:
        """The sum of two values."""
        low = None if self.low is None or other.low is None else EXACT.add(self.low, other.low)
        high = None if self.high is None or other.high is None else EXACT.add(self.high, other.high)
        return Range(low, high)

    def times(self, factors: Range) -> Range:
        """The product with a factor; factors have both ends."""
        assert factors.low is not None
        assert factors.high is not None
        ends = [
            _product(end, factor, up)
            for end, up in ((self.low, -1), (self.high, 1))
            for factor in (factors.low, factors.high)
        ]
        low = [end for end in ends if end is not _ABOVE]
        high = [end for end in ends if end is not _BELOW]
        return Range(
            None if _BELOW in low else min(e for e in low if isinstance(e, Decimal)),
            None if _ABOVE in high else max(e for e in high if isinstance(e, Decimal)),
        )


_BELOW, _ABOVE = object(), object()
_MICRO = Decimal("0.000001")


def _product(end: Decimal | None, factor: Decimal, up: int) -> Any:
    if not factor:
        return Decimal(0)
    if end is None:
        return _ABOVE if (factor > 0) == (up > 0) else _BELOW
    # each product is rounded to whole micropoints (spec 9.6): outwards here, to stay on the safe side
    product = EXACT.multiply(end, factor)
    rounded = product.quantize(_MICRO, ROUND_CEILING if up > 0 else ROUND_FLOOR, EXACT)
    return rounded or Decimal(0)


ZERO = Range(Decimal(0), Decimal(0))


def around(values: Iterable[Decimal]) -> Range:
    """The range that holds these values."""
    values = list(values)
    return Range(min(values), max(values))


class Reach:
    """What the values of one model can be."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.scores: dict[str, Range] = {}
        for name in combined_first(model.scores):
            score = model.scores[name]
            self.scores[name] = self.bounded(score, self.before_bounds(score))

    def before_bounds(self, score: Score) -> Range:
        """A score before its `min` and `max`."""
        total = ZERO
        for part, factor in (score.combine or {}).items():
            total = total.plus(self.scores[part].times(Range(factor, factor)))
        for criterion in score.criteria or ():
            total = total.plus(self.criterion(criterion))
        for group in (score.groups or {}).values():
            total = total.plus(self.group(group))
        return total

    def group(self, group: Group) -> Range:
        """A group after its bounds, fade and weight."""
        value = self.bounded(group, self.criteria_of(group))
        if group.fade is not None:
            value = value.times(fade_factors(group.fade))
        weight = Decimal(1) if group.weight is None else group.weight
        return value.times(Range(weight, weight))

    def criteria_of(self, group: Group) -> Range:
        """The sum of a group's criteria."""
        total = ZERO
        for criterion in group.criteria:
            total = total.plus(self.criterion(criterion))
        return total

    def criterion(self, criterion: CriterionPart) -> Range:
        """A criterion after its gate and bounds; a closed gate is worth 0 whatever the bounds (spec 4.1)."""
        value = self.bounded(criterion, self.raw(criterion))
        if criterion.when is None:
            return value
        return Range(
            None if value.low is None else min(value.low, Decimal(0)),
            None if value.high is None else max(value.high, Decimal(0)),
        )

    def bounded(self, part: CriterionPart | Group | Score, value: Range) -> Range:
        """A value under a part's `min` and `max`."""
        return value.clamped(self._points(part.min), self._points(part.max))

    def raw(self, criterion: CriterionPart) -> Range:
        """A criterion where its gate is open, before its bounds."""
        exact = self.model.points
        if isinstance(criterion, AttributeCriterion):
            if criterion.points is not None:
                return around([exact(criterion.points)])
            rows = [*(criterion.table or {}).values(), *(band.points for band in criterion.bands or ())]
            return around([*map(exact, rows), self._or_zero(criterion.otherwise), self._or_zero(criterion.missing)])
        if isinstance(criterion, FrequencyCriterion):
            rows = [band.points for band in criterion.bands or ()]
            if criterion.points is not None:
                rows.append(criterion.points)
            return around([Decimal(0), *map(exact, rows)])
        if isinstance(criterion, RecencyCriterion):
            otherwise = self._or_zero(criterion.otherwise)
            never = otherwise if criterion.never is None else exact(criterion.never)
            return around([*(exact(band.points) for band in criterion.bands), otherwise, never])
        assert isinstance(criterion, EventCriterion)
        return self._events(criterion)

    def _events(self, criterion: EventCriterion) -> Range:
        """A sum over any number of events that the filters let through, none included."""
        one = self._one_event(criterion)
        most = self._most_weight(criterion)

        def total(points: Decimal) -> Decimal | None:
            return Decimal(0) if not points else None if most is None else EXACT.multiply(points, most)

        assert one.low is not None
        assert one.high is not None
        return Range(total(min(one.low, Decimal(0))), total(max(one.high, Decimal(0))))

    def _one_event(self, criterion: EventCriterion) -> Range:
        points = criterion.points
        if isinstance(points, PerProperty):
            if not points.rate:
                return around([Decimal(0)])
            low, high = self._points(points.min), self._points(points.max)
            return around([-_HELD if low is None else low, _HELD if high is None else high, Decimal(0)])
        if isinstance(points, ByProperty):
            rows = [*map(self.model.points, points.table.values())]
            return around([*rows, self._or_zero(points.otherwise), self._or_zero(points.missing)])
        return around([self.model.points(points)])

    def _most_weight(self, criterion: EventCriterion) -> Decimal | None:
        """The largest sum of the weights of all counted events; None where there is none."""
        bounds: list[Fraction | None] = []
        if criterion.limit is not None and criterion.limit.per == "ever":
            bounds.append(Fraction(criterion.limit.count))
        if criterion.unique_by is not None:
            bounds.append(Fraction(self._values(criterion, criterion.unique_by)))
        if criterion.cooldown is not None:
            bounds.append(weight_sum(criterion.decay, criterion.cooldown))
        if criterion.limit is not None and criterion.limit.per != "ever":
            # the current unit counts fully, the one before begins at age 0 or older
            spaced = weight_sum(criterion.decay, _SHORTEST[criterion.limit.per])
            bounds.append(None if spaced is None else criterion.limit.count * (1 + spaced))
        ends = [bound for bound in bounds if bound is not None]
        return Decimal(math.ceil(min(ends) * 10**6)).scaleb(-6) if ends else None

    def _values(self, criterion: EventCriterion, name: str) -> int:
        """How many values of a property are told apart, null among them."""
        declared = (self.model.events[event_type].get(name) for event_type in criterion.on)
        kinds = {field.type for field in declared if field is not None}
        return max((_VALUES.get(kind, _MOST_VALUES) for kind in kinds), default=1)

    def _points(self, value: Points | None) -> Decimal | None:
        return None if value is None else self.model.points(value)

    def _or_zero(self, value: Points | None) -> Decimal:
        return Decimal(0) if value is None else self.model.points(value)


def fade_factors(fade: Fade) -> Range:
    """The factors a fade can have."""
    otherwise = Decimal(0) if fade.otherwise is None else fade.otherwise
    never = Decimal(1) if fade.never is None else fade.never
    return around([*(band.factor for band in fade.bands), otherwise, never])


def weight_sum(decay: Decay | None, apart: int) -> Fraction | None:
    """At most the sum of the weights of events at least ``apart`` microseconds from each other (spec 5).

    None where there is no such number.
    """
    if decay is None or decay.keep:
        return None
    delay = decay.delay or 0
    young = delay // apart + 1 if delay else 0  # those whose weight is still 1
    sum_ = _weight_sum(decay, apart)
    return None if sum_ is None else young + sum_


def _weight_sum(decay: Decay, apart: int) -> Fraction | None:
    """The same without `delay`."""
    if isinstance(decay, HalfLife):  # 1 + q + q^2 + ..., a little more for the rounding of floats
        return Fraction(1.000_000_1 / -math.expm1(-math.log(2) * apart / decay.half_life))
    if isinstance(decay, Linear):
        count = -(-decay.linear // apart)
        return count - Fraction(apart * count * (count - 1), 2 * decay.linear)
    if isinstance(decay, Expire):
        return Fraction(-(-decay.expire // apart))
    if isinstance(decay, Steps):
        return _steps_sum(decay, apart)
    assert isinstance(decay, Periodic)
    return _periods_sum(decay.periodic, apart)


def _steps_sum(decay: Steps, apart: int) -> Fraction | None:
    """Over each stretch between steps: its factor times the events that fit in."""
    if decay.steps[-1].factor:
        return None
    total, factor, begin = Fraction(0), Fraction(1), 0
    for step in decay.steps:
        total += factor * -(-(step.after - begin) // apart)
        factor, begin = Fraction(step.factor), step.after
    return total


def _periods_sum(period: Period, apart: int) -> Fraction:
    """Over each period: its factor times the events that fit in."""
    events, lose = -(-period.every // apart), Fraction(period.lose)
    if period.compound:
        return events / lose
    count = math.ceil(1 / lose)  # at most 100 periods: `lose` is at least 0.01
    return events * (count - lose * count * (count - 1) / 2)
