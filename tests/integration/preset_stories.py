"""Leads that go through the presets: one by a list of events, or many at random."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import leadcore as lc
from leadcore.presets import preset_text

LIFECYCLES = ("six-stage", "fit-intent", "revenue-cycle", "stars")
MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
SECOND = timedelta(microseconds=1)


def model_of(name):
    """A preset as a model."""
    return lc.Model.from_yaml(preset_text(name))


SCORERS = {name: lc.Scorer(model_of(name)) for name in LIFECYCLES}


def day(days=0, **more):
    """An instant, counted from Monday 2026-03-02T09:00Z."""
    return MONDAY + timedelta(days, **more)


def event(kind, at=MONDAY, **properties):
    """An event of the one lead."""
    return {"lead_id": 1, "type": kind, "at": at, **properties}


def views(count, at=MONDAY, url="/pricing"):
    """Views of a page at one instant: without ids, each of them counts."""
    return [event("page_view", at, url=url)] * count


DEMO = event("form_submit", form="Book a demo")


class Story:
    """One lead of a preset, replayed by an engine."""

    def __init__(self, preset, engine, events=(), until=None, **attributes):
        """Lay out tables with every column, nulls where nothing is said."""
        model = SCORERS[preset].model
        names = {name for declared in model.events.values() for name in declared}
        columns = ["lead_id", "at", "type", *sorted(names)]
        rows = [dict.fromkeys(columns) | one for one in events]
        changes = attributes.pop("changes", {})
        lead = {"lead_id": 1, "created_at": day(), **dict.fromkeys(model.attributes)} | attributes
        leads = [lead]
        if changes:
            leads = [{**lead, "valid_from": None}] + [
                lead | {"valid_from": at} | values for at, values in changes.items()
            ]
        self.replay = SCORERS[preset].replay(
            {name: [row[name] for row in rows] for name in columns} if rows else None,
            leads,
            until=until if until is not None else day(400),
            engine=engine,
            micropoints=True,
        )
        self.moves = [(row["to_stage"], row["rule"] or row["cause"]) for row in self.replay.transitions.to_dicts()]
        self.stages = [stage for stage, _ in self.moves]
        self.spans = self.replay.spans.to_dicts()
        self.alerts = [(row["stage"], row["at"], row["level"], row["notify"]) for row in self.replay.alerts.to_dicts()]

    @property
    def stage(self):
        """Where the lead stands at the end."""
        return self.replay.states.to_dicts()[0]["stage"]

    def score(self, name):
        """A score at the end, in micropoints."""
        return self.replay.states.to_dicts()[0][name]

    def stay(self, stage):
        """The last stay in a stage."""
        return [span for span in self.spans if span["stage"] == stage][-1]


TEXTS = {
    "url": ["/", "/pricing", "/product/a", "/blog"],
    "form": ["demo", "ebook", "newsletter"],
    "status": ["opened", "won", "lost"],
    "answer": ["accepted", "not_now", "not_ready", "no_fit", "pass_on", "not_yet", "unqualified"],
    "rep": ["ann"],
    "minutes": [20.0, 60.0],
    "hard": [True, False],
    "job_title": ["VP Sales", "CEO", "Director", "Team lead", "Clerk", None],
    "revenue": [60e6, 1e6, None],
    "student": [None] * 12 + [True],
    "customer": [None] * 12 + [True],
    "employees": [1000.0, 100.0, 5.0, None],
    "email": ["a@firm.example", "a@gmail.com", None],
    "industry": ["software", None],
    "country": ["US", "XX"],
    "relation": [None] * 15 + ["competitor"],
}
SELDOM = {"email_bounce": 0.05, "unsubscribe": 0.05, "deal": 0.5, "stage_set": 0.1, "webinar": 0.4, "sales_answer": 0.5}


def log(preset, count, seed, hands=False):
    """Made-up leads over a year and a half, some of whom change, and what they do and have done to them."""
    model, chance = SCORERS[preset].model, random.Random(seed)
    texts = TEXTS | {"stage": [stage.name for stage in model.lifecycle.stages]}
    types = [kind for kind in model.events if hands or kind != "stage_set"]
    weights = [SELDOM.get(kind, 1) for kind in types]
    properties = {name for declared in model.events.values() for name in declared}
    leads, events = [], []
    for lead in range(count):
        at = day(chance.randrange(180))
        row = {name: chance.choice(texts[name]) for name in model.attributes}
        leads.append({"lead_id": lead, "created_at": at, "valid_from": None, **row})
        if chance.random() < 0.3:
            change = {name: chance.choice(texts[name]) for name in row if chance.random() < 0.3}
            leads.append(leads[-1] | change | {"valid_from": at + timedelta(chance.random() * 200)})
        for _ in range(chance.choice([0, 0, 3, 20, 60])):
            at += timedelta(minutes=chance.random() * chance.choice([1, 60, 600, 3000, 10_000, 40_000]))
            kind = chance.choices(types, weights)[0]
            said = {name: chance.choice(texts[name]) for name in model.events[kind]}
            events.append({"lead_id": lead, "at": at, "type": kind} | dict.fromkeys(properties) | said)
    return leads, events
