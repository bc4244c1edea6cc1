"""Decay: ranges of its numbers and spans (spec 5)."""

from __future__ import annotations

from decimal import Decimal

from leadcore.model.checks.number import factor_out_of_range
from leadcore.model.checks.scope import Flaws
from leadcore.model.decay import Decay, HalfLife, Periodic, Steps
from leadcore.model.duration import DAY, HOUR
from leadcore.model.limits import too_long
from leadcore.model.path import Flaw, Path, shown
from leadcore.model.scalar import places

MOST_STEPS = 64


def check(decay: Decay | None, path: Path) -> Flaws:
    """Every fault of a decay."""
    if decay is None:
        return
    yield from _keeps_nothing_or_all(decay.keep, (*path, "keep"))
    if isinstance(decay, HalfLife) and decay.half_life < HOUR:
        yield Flaw((*path, "half_life"), f"a half-life is at least 1h, not {decay.half_life}")
    elif isinstance(decay, Steps):
        yield from _steps(decay, (*path, "steps"))
    elif isinstance(decay, Periodic):
        if decay.periodic.every < DAY:
            yield Flaw((*path, "periodic", "every"), f"a period is at least 1d, not {decay.periodic.every}")
        yield from factor_out_of_range(decay.periodic.lose, (*path, "periodic", "lose"), Decimal("0.01"), Decimal(1))


def _keeps_nothing_or_all(keep: Decimal | None, path: Path) -> Flaws:
    if keep is None:
        return
    if not 0 < keep < 1:
        yield Flaw(path, f"a number between 0 and 1 is wanted here, not {shown(keep)}", "0.2 keeps a fifth for ever")
    elif places(keep) > 6:
        yield Flaw(path, "a number has at most 6 decimal places here")


def _steps(decay: Steps, path: Path) -> Flaws:
    if not decay.steps:
        yield Flaw(path, "there are no steps", "at least one")
    elif len(decay.steps) > MOST_STEPS:
        yield Flaw(path, too_long(MOST_STEPS, "steps", len(decay.steps)))
    before = 0
    for n, step in enumerate(decay.steps):
        if step.after <= before:
            yield Flaw((*path, n, "after"), f"steps ascend: {step.after} does not come after the step before it")
        before = max(before, step.after)
        yield from factor_out_of_range(step.factor, (*path, n, "factor"), Decimal(0), Decimal(1))
