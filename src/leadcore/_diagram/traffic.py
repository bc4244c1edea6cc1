"""What a replay adds to the picture: who is where, who came, who moved, how long stays lasted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Protocol

import numpy as np

from leadcore.errors import LeadcoreError
from leadcore.model.duration import DAY

if TYPE_CHECKING:
    from leadcore.frame import Frame
    from leadcore.model.lifecycle import Lifecycle


class Replayed(Protocol):
    """The tables of a replay that a picture reads (spec 8.10)."""

    @property
    def transitions(self) -> Frame:
        """One row per move: ``from_stage``, ``to_stage``, ``rule``."""
        ...

    @property
    def spans(self) -> Frame:
        """One row per stay: ``stage``, ``entered_at``, ``left_at``."""
        ...

    @property
    def states(self) -> Frame:
        """One row per lead: ``stage``."""
        ...


@dataclass(frozen=True)
class Stay:
    """What became of a stage.

    Attributes:
        now: Leads in it at the end of the replay.
        entries: How often it was entered, births included.
        median_days: Median of its finished stays in days, exact; of an even number the mean of the two in the
            middle; None without one.
    """

    now: int
    entries: int
    median_days: Fraction | None


@dataclass(frozen=True)
class Traffic:
    """The figures of a replay.

    Attributes:
        stays: By stage.
        moves: By stage left, stage entered, and transition; None for a move by hand. Births are no moves.
    """

    stays: dict[str, Stay]
    moves: Counter[tuple[str, str, str | None]]


def traffic(lifecycle: Lifecycle, replay: Replayed) -> Traffic:
    """Count what the tables of a replay say.

    Raises:
        LeadcoreError: They name a stage or a transition that the lifecycle has not.
    """
    left, entered, rules = (_texts(replay.transitions, name) for name in ("from_stage", "to_stage", "rule"))
    moves = Counter((a, b, rule) for a, b, rule in zip(left, entered, rules, strict=True) if a is not None and b)
    entries, now = Counter(entered), Counter(_texts(replay.states, "stage"))
    medians = _medians(replay.spans)
    known = [stage.name for stage in lifecycle.stages]
    _same("stage", {*entries, *left, *now, *medians} - {None, *known})
    _same("transition", {rule for *_, rule in moves} - {None, *(rule.name for rule in lifecycle.transitions)})
    return Traffic({name: Stay(now[name], entries[name], medians.get(name)) for name in known}, moves)


def _texts(frame: Frame, name: str) -> Sequence[str | None]:
    return list(frame.table.column(name))


def _same(what: str, strange: set[str | None]) -> None:
    if strange:
        name = min(map(str, strange))[:40]
        raise LeadcoreError(f"this replay is of another model: there is no {what} `{name}` in the lifecycle drawn")


def _medians(spans: Frame) -> dict[str | None, Fraction]:
    """The median of finished stays by stage, in days."""
    finished = np.array([i for i, left in enumerate(spans.table.column("left_at")) if left is not None], np.int64)
    table = spans.table.take(finished)
    if not len(finished):
        return {}
    stays = _micros(table.column("left_at")) - _micros(table.column("entered_at"))
    stages = np.array(_texts_of(table.column("stage")), object)
    codes, places = np.unique(stages, return_inverse=True)
    return {name: _median(np.sort(stays[places == code])) for code, name in enumerate(codes)}


def _texts_of(column: object) -> list[str]:
    return list(column)  # type: ignore[call-overload,no-any-return]  # a list of texts


def _micros(column: object) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.asarray(column, "datetime64[us]").astype(np.int64)


def _median(ascending: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Fraction:
    middle = len(ascending) // 2
    two = int(ascending[middle]) + int(ascending[~middle])  # the same one twice where the number is odd
    return Fraction(two, 2 * DAY)


def days_text(days: Fraction) -> str:
    """Days with at most two decimals, half to even; what is less than that is not called nothing.

    Example:
        >>> days_text(Fraction(7, 2)), days_text(Fraction(1, 1000)), days_text(Fraction(0))
        ('3.5 days', '< 0.01 days', '0 days')
    """
    hundredths = Decimal(days.numerator * 100) / Decimal(days.denominator)
    rounded = hundredths.to_integral_value(ROUND_HALF_EVEN) / 100
    if not rounded and days:
        return "< 0.01 days"
    text = format(rounded, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return f"{text} {'day' if text == '1' else 'days'}"
