"""A tally gives after each event the bits that `Scorer.score` gives of all events told so far, whatever the model."""

import os
from collections import defaultdict
from datetime import UTC, datetime, timedelta, timezone
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import leadcore as lc
from leadcore._reference.calendar import FIRST, LAST
from leadcore.model import Model
from tests.engines import run
from tests.random_cases import case
from tests.strategies import cases

EXAMPLES = int(os.environ.get("LEADCORE_EXAMPLES", "100"))
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ELSEWHERE = timezone(timedelta(hours=5, minutes=30))
DAY = 86_400_000_000


def moment(micros):
    return None if micros is None else EPOCH + timedelta(microseconds=micros)


def fit(document):
    """The document without what a tally refuses."""
    for score in document["scores"].values():
        for group in (score, *score.get("groups", {}).values()):
            group.pop("reset", None)
            for criterion in group.get("criteria", ()):
                for name in ("reset", "unique_by", "distinct"):
                    criterion.pop(name, None)
                if isinstance(criterion.get("points"), dict) and "stars" not in criterion["points"]:
                    criterion.pop("cooldown", None)
                    criterion.pop("limit", None)
    return document


class Told:
    """A tally, what it was told, and what it has to answer."""

    def __init__(self, document):
        self.model = Model.model_validate(document)
        self.scorer = lc.Scorer(self.model)
        types = self.model.events
        self.instants = {n for fields in types.values() for n, field in fields.items() if field.type == "instant"}
        self.properties = {name for fields in types.values() for name in fields}
        self.attributes, self.events, self.newest = {}, defaultdict(list), {}
        self.tallies = {name: lc.Tally(self.scorer, name, micropoints=True) for name in self.model.scores}
        self.points = lc.Tally(self.scorer, next(iter(self.model.scores)))

    def all(self):
        return [*self.tallies.values(), self.points]

    def expected(self, lead_id, at):
        return self.scorer.score_lead(self.attributes.get(lead_id), self.events[lead_id], as_of=moment(at)).micropoints

    def put(self, lead_id, row):
        instants = {n for n, field in self.model.attributes.items() if field.type == "instant"}
        row = {n: moment(row.get(n)) if n in instants else row.get(n) for n in self.model.attributes}
        self.attributes[lead_id] = row
        for tally in self.all():
            tally.put(lead_id, row)

    def add(self, event, at):
        """Tell an event in some form of its instant, and compare."""
        lead_id, micros = event["lead_id"], event["at"]
        properties = {n: moment(event.get(n)) if n in self.instants else event.get(n) for n in self.properties}
        declared = event["type"] in self.model.events
        if declared:
            self.events[lead_id].append({**properties, "type": event["type"], "at": moment(micros)})
            self.newest[lead_id] = micros
        expected = self.expected(lead_id, micros)
        for name, tally in self.tallies.items():
            assert tally.add(lead_id, at, event["type"], properties) == expected[name]
        name = next(iter(self.tallies))
        found = self.points.add(lead_id, at, event["type"], properties)
        assert isinstance(found, float)
        assert found == expected[name] / 10**6

    def compare(self, lead_id, at):
        """Ask for every score at an instant, twice: asking changes nothing."""
        at = min(max(at, self.newest.get(lead_id, at), FIRST), LAST)
        expected = self.expected(lead_id, at)
        for _ in range(2):
            for tally in self.tallies.values():
                assert tally.score(lead_id, moment(at)) == expected


def told(one, rng):
    """Tell a case's events in order of time, with attributes that change on the way; ties keep the order of the case."""
    world = Told(fit(one.document))
    rows = [row for row in one.leads or [] if row["lead_id"] is not None]
    events = sorted((e for e in one.events if e["lead_id"] is not None), key=lambda e: e["at"])
    for event in events:
        if rows and rng.random() < 0.4:
            row = rng.choice(rows)
            world.put(row["lead_id"], row)
        when = moment(event["at"])
        forms = [event["at"], when, when.replace(tzinfo=None), when.isoformat()]
        if event["at"] < LAST - DAY:
            forms.append(when.astimezone(ELSEWHERE))
        world.add(event, rng.choice(forms))
        if len(world.points):
            lead_id = rng.choice(list(world.points))
            world.compare(lead_id, rng.choice([event["at"], event["at"] + rng.randrange(10**13), *one.instants, LAST]))
    known = {*world.attributes, *(lead for lead in world.events if world.events[lead])}
    assert set(world.points) == known == set(world.tallies[next(iter(world.tallies))])
    if known:
        rows = [{"lead_id": lead, **_micros(row)} for lead, row in world.attributes.items()]
        events = [{"lead_id": lead, **_micros(e)} for lead in known for e in world.events[lead]]
        at = max([*world.newest.values(), 0])
        for row in run("reference", world.model, rows, events, at).rows:
            found = world.points.score(row["lead_id"], at)
            assert found == {name: row[name] / 10**6 for name in found}


def _micros(row):
    return {n: (v - EPOCH) // timedelta(microseconds=1) if isinstance(v, datetime) else v for n, v in row.items()}


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(one=cases(), rng=st.randoms(use_true_random=False))
def test_each_answer_is_that_of_score(one, rng):
    """Every score, at every event and between them, for models of every kind; a difference shrinks."""
    told(one, rng)


def test_random_cases():
    """Likewise for cases from a seed, of which there may be many."""
    for seed in range(EXAMPLES * 3):
        told(case(seed), Random(seed))
