"""W2 in plain Python over numpy-prepared columns: one object per lead, its stages by hand or by a library, `transitions` here.

Scores are incremental either way; the two differ in who knows the rules.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from math import exp2
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.peers.w2 import (
    ACCEPTS,
    BIT,
    COLD_AFTER,
    CRITERIA,
    DAY,
    ENGAGED,
    GOOD_FIT,
    HITS,
    MQL,
    NEW,
    OPENS,
    PROSPECT,
    REACH,
    RECYCLED,
    RELEASE,
    SQL,
    STAGES,
    STALLED_AFTER,
    Ints,
    Log,
    Masks,
    dictionary_of,
    fits,
    instants,
    make_log,
    masks_of_types,
    masks_of_urls,
    one_chunk,
)

HALVING = [c for c in CRITERIA if c.decay == "half_life"]
WINDOWED = [c for c in CRITERIA if c.decay in ("linear", "expire")]
KEPT = [c for c in CRITERIA if c.decay == "none"]
PATIENCE = {MQL: COLD_AFTER, SQL: STALLED_AFTER}


def prepared(events: pa.Table, leads: pa.Table, until: int) -> tuple[Ints, Masks, Ints]:
    """Instants and hits of the events, sorted by lead and instant, and where each lead's begin."""
    at = instants(events["ts"])
    known = one_chunk(leads["lead_id"])
    lead = one_chunk(pc.index_in(events["lead_id"], value_set=known)).to_numpy().astype(np.int64)
    types, kind = dictionary_of(events["event_type"])
    urls, url = dictionary_of(events["url"])
    value = one_chunk(events["value"]).to_numpy(zero_copy_only=False)
    plain, text = masks_of_types(types.to_pylist())
    mask = plain[kind] | (text[kind] & np.append(masks_of_urls(urls), 0).astype(np.uint32)[url])
    for name, passed in (
        ("long_visit", value >= 120),
        ("webinar", value >= 15),
        ("trial_login", value > 3),
        ("invoice", (value >= 10) & (value <= 100_000)),
    ):
        mask[~passed] &= ~np.uint32(BIT[name])
    order = np.lexsort((at, lead))
    order = order[at[order] <= until]
    return at[order], mask[order], np.searchsorted(lead[order], np.arange(len(known) + 1))


class Engagement:
    """Score `engagement` of one lead, as of ``now``."""

    def __init__(self, now: int) -> None:
        self.now = now
        self.sums = {c.name: 0.0 for c in HALVING}
        self.counts = {c.name: 0 for c in KEPT}
        self.windows: dict[str, deque[int]] = {c.name: deque() for c in WINDOWED}
        self.times = {c.name: 0 for c in WINDOWED}

    def settle(self, t: int) -> None:
        """Decay what decays and drop what has left its window."""
        gap = t - self.now
        if gap:
            factors = {days: exp2(-gap / (days * DAY)) for days in (7, 30, 90)}
            sums = self.sums
            for name, days in DECAYS:
                if sums[name]:
                    sums[name] *= factors[days]
            for name, length in LENGTHS:
                window = self.windows[name]
                while window and window[0] <= t - length:
                    self.times[name] -= window.popleft()
            self.now = t

    def add(self, mask: int) -> None:
        """Count an event at ``now``."""
        for kind, name, points in ADDS[mask & HITS]:
            if kind == "half_life":
                self.sums[name] += points
            elif kind == "none":
                self.counts[name] += 1
            else:
                self.windows[name].append(self.now)
                self.times[name] += self.now

    def linear(self, name: str, days: int) -> float:
        """Sum of weights of what is in the window."""
        count = len(self.windows[name])
        return count - (count * self.now - self.times[name]) / (days * DAY) if count else 0.0

    def value(self) -> float:
        """The score."""
        sums, counts, windows = self.sums, self.counts, self.windows
        web = (
            min(10.0, sums["page_view"]) + min(40.0, sums["pricing"]) + sums["compare"] + min(20.0, sums["case_study"])
            + max(-20.0, -5.0 * counts["careers"]) + min(16.0, 1.25 * self.linear("docs", 60))
            + 0.625 * self.linear("blog", 30) + 2.5 * self.linear("product", 90) + sums["trial_pages"]
            + min(10.0, sums["long_visit"])
        )  # fmt: skip
        campaign = (
            min(8.0, sums["email_open"]) + 5.0 * len(windows["paid_campaign"])
            + min(16.0, 2.5 * self.linear("email_click", 30)) - 25.0 * counts["unsubscribe"] + 15.0 * len(windows["webinar"])
        )  # fmt: skip
        product = (
            sums["api_reference"] + sums["trial_login"] + 62.5 * len(windows["hand_raised"]) + 25.0 * counts["invoice"]
            + 12.5 * counts["meeting"]
        )  # fmt: skip
        return min(60.0, web) + min(30.0, campaign) + min(60.0, product)


class _Adds(dict[int, list[tuple[str, str, float]]]):
    """By mask: what an event adds, found once."""

    def __missing__(self, mask: int) -> list[tuple[str, str, float]]:
        self[mask] = [(c.decay, c.name, c.points) for c in CRITERIA if mask & BIT[c.name]]
        return self[mask]


DECAYS = [(c.name, c.length) for c in HALVING]
LENGTHS = [(c.name, c.length * DAY) for c in WINDOWED]
ADDS = _Adds()


class Lead:
    """A lead on its way; who moves it is left to the subclass."""

    engagement_of: Callable[[int], Engagement] = Engagement
    stage: int
    fit: float
    engagement: Engagement
    worth: float
    reached: bool
    entered: int
    waiting: bool
    tick: int  # the midnight to look at next, where events come one at a time
    moves: list[tuple[int, int, int, float]]  # at, from, to, engagement

    def born(self, at: int, fit: float) -> None:
        """Start afresh."""
        self.stage, self.fit, self.entered, self.worth = NEW, fit, at, 0.0
        self.engagement, self.reached, self.waiting = self.engagement_of(at), False, False
        self.moves = [(at, -1, NEW, 0.0)]

    def rules(self, mask: int) -> None:
        """Fire what fires in one evaluation."""
        raise NotImplementedError

    def move(self, stage: int) -> None:
        """Enter a stage."""
        now = self.engagement.now
        self.moves.append((now, self.stage, stage, self.worth))
        self.stage, self.entered, self.waiting = stage, now, stage in PATIENCE

    def evaluate(self, t: int, mask: int) -> None:
        """One evaluation at ``t``; ``mask`` is 0 without an event."""
        engagement = self.engagement
        engagement.settle(t)
        if mask & HITS:
            engagement.add(mask)
        self.worth = engagement.value()
        self.reached = self.fit + self.worth >= (RELEASE if self.reached else REACH)
        self.rules(mask)

    def pass_time(self, tick: int, t: int) -> None:
        """Midnights from ``tick`` on and ends of patience before ``t``, while anything can come of them."""
        while self.reached or self.waiting:
            due = self.entered + PATIENCE[self.stage] if self.waiting else t
            if self.waiting and (due <= tick or not self.reached):
                now = due
            else:
                now = tick
                tick += DAY
            if now >= t:
                return
            if now == due:
                self.waiting = False
            self.evaluate(now, 0)

    def replay(self, instants: list[int], masks: list[int], until: int) -> None:
        """All events of the lead, then what comes until the end."""
        tick = instants[0]
        for t, mask in zip(instants, masks, strict=True):
            if self.reached or self.waiting:
                self.pass_time(tick, t)
            tick = -(-t // DAY) * DAY
            if mask or self.reached:  # else the score fell, and no rule waits for such an event
                self.evaluate(t, mask)
        self.pass_time(tick, until + 1)
        self.engagement.settle(until)


class PlainLead(Lead):
    """The rules as `if`."""

    def rules(self, mask: int) -> None:
        while True:
            stage = self.stage
            if stage == NEW:
                if not mask & OPENS:
                    return
                self.move(ENGAGED)
            elif stage == ENGAGED and self.fit >= GOOD_FIT:
                self.move(PROSPECT)
            elif stage in (ENGAGED, PROSPECT, RECYCLED):
                if not self.reached:
                    return
                self.move(MQL)
            elif stage == MQL and mask & ACCEPTS:
                self.move(SQL)
            elif not self.reached and self.engagement.now - self.entered >= PATIENCE[stage]:
                self.move(RECYCLED)
            else:
                return
            mask = 0  # an event serves one transition


class MachineLead(Lead):
    """The rules as transitions of a machine, of which this is the model."""

    trigger: Callable[[str], bool]  # given by the machine
    state: str

    def good_fit(self) -> bool:
        return self.fit >= GOOD_FIT

    def is_reached(self) -> bool:
        return self.reached

    def patience_lost(self) -> bool:
        return not self.reached and self.engagement.now - self.entered >= PATIENCE[self.stage]

    def log(self) -> None:
        self.move(STAGES.index(self.state))

    def rules(self, mask: int) -> None:
        fired = self.trigger("act" if mask & OPENS else "accept" if mask & ACCEPTS else "look")
        while fired:
            fired = self.trigger("look")


def make_machine() -> Any:
    """The rules, for any number of leads: `add_model` gives each its `trigger` and its `state`."""
    from transitions import Machine

    logging.getLogger("transitions").setLevel(logging.ERROR)  # it warns of each event that moves nobody, at a price
    any_time = [
        {"source": "engaged", "dest": "prospect", "conditions": "good_fit"},
        {"source": ["engaged", "prospect", "recycled"], "dest": "mql", "conditions": "is_reached"},
        {"source": "mql", "dest": "recycled", "conditions": "patience_lost"},
        {"source": "sql", "dest": "recycled", "conditions": "patience_lost"},
    ]
    return Machine(
        None,
        states=list(STAGES),
        initial="new",
        transitions=[
            {"trigger": "act", "source": "new", "dest": "engaged"},
            {"trigger": "accept", "source": "mql", "dest": "sql"},
            *({"trigger": trigger, **rule} for trigger in ("act", "accept", "look") for rule in any_time),
        ],
        auto_transitions=False,
        ignore_invalid_triggers=True,
        after_state_change="log",
    )


def machine_lead() -> tuple[MachineLead, Callable[[], None]]:
    """A model of the machine, and how to put it back to the start: one serves all leads, one after another."""
    lead, machine = MachineLead(), make_machine()
    machine.add_model(lead)
    return lead, partial(machine.set_state, "new", lead)


def plain_lead() -> tuple[PlainLead, Callable[[], None]]:
    """A lead that knows the rules by itself."""
    return PlainLead(), lambda: None


def everybody(
    lead: Lead, restart: Callable[[], None], first: Ints, at: Ints, mask: Masks, fit: Any, until: int
) -> Iterator[Lead | None]:
    """The lead object after each lead's replay; None for leads without an event."""
    for begin, end, mine in zip(first[:-1].tolist(), first[1:].tolist(), fit.tolist(), strict=True):
        if begin == end:
            yield None
            continue
        restart()
        times = at[begin:end].tolist()
        lead.born(times[0], mine)
        lead.replay(times, mask[begin:end].tolist(), until)
        yield lead


def run(
    events: pa.Table, leads: pa.Table, until: int, make_lead: Callable[[], tuple[Lead, Callable[[], None]]] = plain_lead
) -> Log:
    """W2 from its tables, the rules by hand or by a library."""
    lead, restart = make_lead()
    at, mask, first = prepared(events, leads, until)
    fit = fits(leads)
    moves: list[tuple[int, int, int, int, float]] = []
    ends: list[tuple[int, int, float, bool]] = []
    for i, one in enumerate(everybody(lead, restart, first, at, mask, fit, until)):
        if one is None:
            ends.append((-1, 0, 0.0, False))
            continue
        moves += [(i, *move) for move in one.moves]
        ends.append((one.stage, one.entered, one.engagement.value(), one.reached))
    kinds = (np.int32, np.int64, np.int8, np.int8, np.float64), (np.int8, np.int64, np.float64, bool)
    columns = [
        tuple(np.array(column, kind) for column, kind in zip(zip(*rows, strict=True), of, strict=True))
        for rows, of in zip((moves, ends), kinds, strict=True)
    ]
    return make_log(one_chunk(leads["lead_id"]), columns[0], columns[1], fit)
