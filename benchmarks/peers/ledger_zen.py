"""W3 with the rules engine `zen-engine`: its compiled expressions test each event and add up each score.

What decays is kept beside it in Python, as it has neither state nor exponentials; a graph of decision nodes, its usual form,
takes many times as long as expressions.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import zen

from benchmarks.peers.ledger_dict import Book
from benchmarks.peers.python_loop import LENGTHS, Engagement, PlainLead
from benchmarks.peers.w1 import Criterion, described
from benchmarks.peers.w2 import ACCEPTED, ACCEPTS, BIT, DAY, FIRST_ACT, OPENS
from benchmarks.workload import w1_document

W1 = described(w1_document(), 0)
TESTS = {"contains": "contains({}, '{}')", "starts_with": "startsWith({}, '{}')", "matches": "matches({}, '{}')"}


def tested(one: Criterion) -> str:
    """Whether an event of a fitting type counts for a criterion."""
    found = ["true"]
    if one.text:
        [value] = one.text.values
        found.append(f"small != null and {TESTS[one.text.op].format('small', value)}")
    if one.number:
        low, high = one.number
        found.append(f"value != null and value >= {low}" + (f" and value <= {high}" if high < float("inf") else ""))
    return " and ".join(found)


@cache
def tests_of(kind: str) -> tuple[int, list[int], Any]:
    """By event type: the bits it sets anyway, those that are tested, and the expression of their tests."""
    mine = [one for one in W1.criteria if kind in one.on]
    anyway = OPENS * (kind in FIRST_ACT) | ACCEPTS * (kind in ACCEPTED)
    asked = zen.compile_expression(f"[{', '.join(map(tested, mine))}]")
    return anyway, [BIT[one.name] for one in mine], asked


def mask_of(kind: str, url: str | None, value: float | None) -> int:
    """Which criteria and rules an event concerns."""
    mask, bits, asked = tests_of(kind)
    if bits:
        small = url and url.lower()
        for bit, passed in zip(bits, asked.evaluate({"small": small, "value": value}), strict=True):
            mask |= bit * passed
    return mask


def bounded(names: list[str], low: float, high: float) -> str:
    """The sum of criteria within bounds."""
    found = " + ".join(names)
    found = f"min([{high}, {found}])" if high < float("inf") else f"({found})"
    return f"max([{low}, {found}])" if low > -float("inf") else found


SCORE = zen.compile_expression(
    " + ".join(
        f"min([{group.high}, "
        + " + ".join(bounded([one.name for one in slot.criteria], slot.low, slot.high) for slot in group.slots)
        + "])"
        for group in W1.groups
    )
)
POINTS = {one.name: one.points for one in W1.criteria}
LINEAR = {one.name: one.length // DAY for one in W1.criteria if one.decay == "linear"}


class ZenEngagement(Engagement):
    """Score `engagement` of one lead, put together by the engine."""

    def value(self) -> float:
        worth = self.sums | {name: POINTS[name] * count for name, count in self.counts.items()}
        for name, _ in LENGTHS:
            weights = self.linear(name, LINEAR[name]) if name in LINEAR else len(self.windows[name])
            worth[name] = POINTS[name] * weights
        return float(SCORE.evaluate(worth))


class ZenLead(PlainLead):
    """Stages by hand."""

    engagement_of = ZenEngagement


class ZenBook(Book):
    """All leads."""

    mask_of = staticmethod(mask_of)

    def made(self) -> ZenLead:
        return ZenLead()
