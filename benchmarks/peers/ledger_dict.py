"""W3 in plain Python: leads in a dict, each with its folds in dicts; its stages by hand or by the library `transitions`.

It does what a user's first version would: events come in order and once, nothing is taken back, nothing is kept.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping

from benchmarks.peers.python_loop import Lead, MachineLead, PlainLead, make_machine
from benchmarks.peers.w2 import ACCEPTED, ACCEPTS, BIT, CRITERIA, DAY, FIRST_ACT, OPENS

VALUES = {
    "long_visit": lambda value: value >= 120,
    "webinar": lambda value: value >= 15,
    "trial_login": lambda value: value > 3,
    "invoice": lambda value: 10 <= value <= 100_000,
}
OF_TYPE: dict[str, tuple[int, int, list[tuple[int, str]]]] = {}
"""By event type: the bits it sets anyway, those it sets if the url fits, and those that its value decides."""
TEXTS = [(BIT[c.name], *c.text) for c in CRITERIA if c.text]
PATTERNS = {value: re.compile(value, re.IGNORECASE) for _, op, value in TEXTS if op == "matches"}


class _Urls(dict[str, int]):
    """By url: the bits of the tests it passes, found once."""

    def __missing__(self, url: str) -> int:
        lower, mask = url.lower(), 0
        for bit, op, value in TEXTS:
            if (
                (op == "contains" and value in lower)
                or (op == "starts_with" and lower.startswith(value))
                or (op == "matches" and PATTERNS[value].search(url))
            ):
                mask |= bit
        self[url] = mask
        return mask


URLS = _Urls()


def _of_type(kind: str) -> tuple[int, int, list[tuple[int, str]]]:
    plain, text, values = OPENS * (kind in FIRST_ACT) | ACCEPTS * (kind in ACCEPTED), 0, []
    for criterion in CRITERIA:
        if kind in criterion.on:
            if criterion.name in VALUES:
                values.append((BIT[criterion.name], criterion.name))
            elif criterion.text:
                text |= BIT[criterion.name]
            else:
                plain |= BIT[criterion.name]
    return plain, text, values


def mask_of(kind: str, url: str | None, value: float | None) -> int:
    """Which criteria and rules an event concerns."""
    if kind not in OF_TYPE:
        OF_TYPE[kind] = _of_type(kind)
    mask, text, values = OF_TYPE[kind]
    if text and url is not None:
        mask |= text & URLS[url]
    if values and value is not None:
        for bit, name in values:
            if VALUES[name](value):
                mask |= bit
    return mask


class Book:
    """All leads; ``fits`` is the score of their attributes by lead id, which only a change of attributes changes."""

    mask_of = staticmethod(mask_of)

    def __init__(self, fits: Mapping[Hashable, float], *, machine: bool = False) -> None:
        self.fits = fits
        self.leads: dict[Hashable, Lead] = {}
        self.machine = make_machine() if machine else None

    def made(self) -> Lead:
        """A lead without a history."""
        if self.machine is None:
            return PlainLead()
        lead = MachineLead()
        self.machine.add_model(lead)
        return lead

    def born(self, lead_id: Hashable, at: int) -> Lead:
        """A lead that is new here."""
        lead = self.made()
        lead.born(at, self.fits.get(lead_id, 0.0))
        lead.tick = -(-at // DAY) * DAY
        self.leads[lead_id] = lead
        return lead

    def add(self, lead_id: Hashable, at: int, kind: str, url: str | None, value: float | None) -> float:
        """Count an event, move the lead, return its score `total`; instants in microseconds, never going back."""
        lead = self.leads.get(lead_id)
        if lead is None:
            lead = self.born(lead_id, at)
        if lead.reached or lead.waiting:
            lead.pass_time(lead.tick, at)
        lead.tick = -(-at // DAY) * DAY
        lead.evaluate(at, self.mask_of(kind, url, value))
        return lead.fit + lead.worth

    def score(self, lead_id: Hashable, at: int) -> float:
        """The score `total` at an instant; what was due until then happens."""
        lead = self.leads[lead_id]
        if lead.reached or lead.waiting:
            lead.pass_time(lead.tick, at + 1)
        lead.tick = (at // DAY + 1) * DAY
        lead.engagement.settle(at)
        return lead.fit + lead.engagement.value()
