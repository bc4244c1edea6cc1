"""What the salespeople of the made-up company do: they call leads that look like buying, and some deals follow."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

CALL, DEAL = "sales_call", "deal"
ANSWERS = ("accepted", "not_now", "no_interest", "no_answer", "opened", "won", "lost")
ACCEPTED, NOT_NOW, NO_INTEREST, NO_ANSWER, OPENED, WON, LOST = range(len(ANSWERS))

ACT = np.dtype([("at", np.int64), ("lead", np.int32), ("kind", np.int32), ("answer", np.int32)])
"""Something sales did: ``kind`` is 0 for a call, 1 for a deal."""

HOT, FIT_COUNTS = 62.0, 0.6
"""Points at which sales calls, and how much fit brings."""
_SHARE = np.cumsum([0.33, 0.20, 0.23, 0.24])
_HOUR = 3_600_000_000
_DAY = 24 * _HOUR
_OPENS, _HOURS = 8, 8  # in UTC: from nine or ten in Berlin on


class Sales:
    """Salespeople, week by week; they leave a lead alone for a while after they spoke with it.

    Args:
        fit: How well salespeople think each lead fits, in points.
    """

    def __init__(self, fit: Floats) -> None:
        self._hot = HOT - FIT_COUNTS * fit
        self._busy = np.full(len(fit), -(2**62), np.int64)  # in talks until then
        self._rests = self._busy.copy()  # not called until then, unless it asks
        self._heat = np.zeros(len(fit))
        self._waiting = np.empty(0, ACT)

    def week(self, end: int, lead: Any, at: Ints, heat: Floats, raised: Any, rng: np.random.Generator) -> Any:
        """What sales does before ``end``, in the order of time.

        Args:
            end: The end of the week.
            lead: The leads of the week's events, sorted by time.
            at: Their instants.
            heat: How much each looks like buying: sales calls where a lead's sum, fading by the week, is hot.
            raised: Which ask to be called.
            rng: Randomness.
        """
        self._heat *= 0.75
        rows = np.flatnonzero((heat > 0) & (at > self._busy[lead]) & (raised | (at > self._rests[lead])))
        rows = rows[np.argsort(lead[rows], kind="stable")]
        total = np.cumsum(heat[rows])
        first = np.searchsorted(lead[rows], lead[rows])
        total += self._heat[lead[rows]] - total[first] + heat[rows][first]
        np.maximum.at(self._heat, lead[rows], total)
        ready = rows[(total >= self._hot[lead[rows]]) | raised[rows]]
        ready = ready[np.unique(lead[ready], return_index=True)[1]]
        ready = ready[rng.random(len(ready)) < 0.93]
        self._call(lead[ready], at[ready], rng)
        now = self._waiting["at"] < end
        acts = self._waiting[now]
        self._waiting = self._waiting[~now]
        return acts[np.argsort(acts["at"], kind="stable")]

    def _call(self, lead: Any, asked: Ints, rng: np.random.Generator) -> None:
        """Call these leads, twice more where nobody answers, and see what comes of it."""
        n = len(lead)
        at = _later(asked, rng.lognormal(0.8, 1.1, n))
        answer = np.full(n, NO_ANSWER)
        left = np.arange(n)
        for _ in range(3):
            answer[left] = np.searchsorted(_SHARE, rng.random(len(left)) * _SHARE[-1], side="right")
            self._note(lead[left], at[left], 0, answer[left])
            left = left[answer[left] == NO_ANSWER]
            at[left] = _later(at[left], rng.uniform(1, 6, len(left)))
        until = at + 45 * _DAY
        chosen = np.flatnonzero((answer == ACCEPTED) & (rng.random(n) < 0.6))
        opened = _later(at[chosen], rng.lognormal(3.5, 0.8, len(chosen)))
        closed = _later(opened, rng.lognormal(4.9, 0.7, len(chosen)))
        self._note(lead[chosen], opened, 1, np.full(len(chosen), OPENED))
        self._note(lead[chosen], closed, 1, np.where(rng.random(len(chosen)) < 0.38, WON, LOST))
        until[chosen] = closed + 30 * _DAY
        self._busy[lead] = np.where(answer == ACCEPTED, until, at)
        self._rests[lead] = at + np.array([45, 30, 30, 5])[answer] * _DAY

    def _note(self, lead: Any, at: Ints, kind: int, answer: Any) -> None:
        acts = np.zeros(len(lead), ACT)
        acts["at"], acts["lead"], acts["kind"], acts["answer"] = at, lead, kind, answer
        self._waiting = np.concatenate([self._waiting, acts])


def _later(at: Ints, hours: Floats) -> Ints:
    """The instants so many working hours later, to the millisecond."""
    day, time = np.divmod(at, _DAY)  # 1970-01-01 was a Thursday
    week, weekday = np.divmod(day + 3, 7)
    within = np.clip(time / _HOUR - _OPENS, 0, _HOURS)
    worked = np.where(weekday < 5, weekday * _HOURS + within, 5 * _HOURS) + week * 5 * _HOURS + hours
    days, rest = np.divmod(worked, _HOURS)
    week, weekday = np.divmod(days, 5)
    instant = (week * 7 + weekday - 3) * _DAY + ((rest + _OPENS) * _HOUR)
    return instant.astype(np.int64) // 1000 * 1000  # type: ignore[no-any-return]
