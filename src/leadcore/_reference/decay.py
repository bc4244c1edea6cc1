"""Decay: what events are worth at T, by age (spec 5, 9.2 to 9.5)."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from leadcore._reference import half_life
from leadcore._reference.arithmetic import exact, rne
from leadcore.model.decay import Decay, Expire, HalfLife, Linear, Period, Periodic, Steps

Worth = tuple[int, int]
"""An event's instant and its micropoints."""


def decayed(decay: Decay | None, worth: Sequence[Worth], now: int) -> int:
    """The value at T of events none of which is later (spec 5, 9.5).

    Spec 5.1: without decay the weight is 1. Spec 9.5: "`delay`: before t + D0 the event adds p, from then on it is an
    event at t + D0. `keep`: rne(p k) never decays, the rest of p does."
    """
    if decay is None:
        return sum(points for _, points in worth)
    delay = int(decay.delay or 0)
    keep = Fraction(0) if decay.keep is None else exact(decay.keep)
    settled = 0
    decaying: list[Worth] = []
    for at, points in worth:
        start = at + delay
        if now < start:
            settled += points
            continue
        kept = rne(points * keep)
        settled += kept
        decaying.append((start, points - kept))
    return settled + decaying_value(decay, decaying, now)


def decaying_value(decay: Decay, worth: Sequence[Worth], now: int) -> int:
    """The value at T of events by the kind of decay, `delay` and `keep` apart (spec 5.2 to 5.6)."""
    if isinstance(decay, HalfLife):
        return half_life.value(int(decay.half_life), worth, now)
    if isinstance(decay, Linear):
        return linear(int(decay.linear), worth, now)
    if isinstance(decay, Expire):
        return sum(points for at, points in worth if now - at < decay.expire)
    if isinstance(decay, Steps):
        return sum(rne(points * step_factor(decay, now - at)) for at, points in worth)
    if decay.periodic.compound:
        return sum(compound(decay.periodic, points, now - at) for at, points in worth)
    return sum(rne(points * simple_factor(decay, now - at)) for at, points in worth)


def linear(duration: int, worth: Sequence[Worth], now: int) -> int:
    """Spec 9.3: "over the events with a < D: sum(p) - rne((T sum(p) - sum(p t)) / D)"."""
    live = [(at, points) for at, points in worth if now - at < duration]
    total = sum(points for _, points in live)
    return total - rne(now * total - sum(points * at for at, points in live), duration)


def step_factor(decay: Steps, age: int) -> Fraction:
    """Spec 5.5: "factor of the last step with a >= A, 1 before the first"."""
    factor = Fraction(1)
    for step in decay.steps:
        if age >= step.after:
            factor = exact(step.factor)
    return factor


def simple_factor(decay: Periodic, age: int) -> Fraction:
    """Spec 5.6: "max(0, 1 - r n) ... with n = floor(a/P)"."""
    return max(Fraction(0), 1 - exact(decay.periodic.lose) * (age // int(decay.periodic.every)))


_FACTORS: dict[Fraction, list[int]] = {}
"""F_0, F_1, ... by r, as far as they were needed."""


def compound(period: Period, points: int, age: int) -> int:
    """Spec 9.2: "F_0 = 2^62, F_n = rne(F_(n-1) (1 - r)), each event adds rne(points F_n / 2^62)"."""
    lose = exact(period.lose)
    factors = _FACTORS.setdefault(lose, [2**62])
    n = age // int(period.every)
    while len(factors) <= n:
        following = rne(factors[-1] * (1 - lose))
        if following == factors[-1]:
            break  # and so are all that follow
        factors.append(following)
    return rne(points * factors[min(n, len(factors) - 1)], 2**62)
