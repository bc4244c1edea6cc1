"""One scorer in many threads at once, each kernel call in threads of its own; `make sanitize-tsan` runs these too."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

import leadcore as lc
from benchmarks import replay, workload
from leadcore import _run

MANY = 8


@pytest.fixture(scope="module")
def data() -> workload.Workload:
    return workload.make(20_000)


@pytest.fixture(autouse=True)
def always_threads(monkeypatch):
    """Small runs use threads too."""
    monkeypatch.setattr(_run, "WORTH_THREADS", 0)


@pytest.fixture
def scorer() -> lc.Scorer:
    """One that nobody has used."""
    return lc.Scorer(lc.Model.load(str(replay.W2)))


def at_once(*works):
    """What each gives, all begun together."""
    with ThreadPoolExecutor(len(works)) as pool:
        return [done.result() for done in [pool.submit(work) for work in works]]


def test_score(scorer, data):
    """Scores at several instants, asked at once, are those asked one by one with one thread."""
    asked = [f"2025-{month:02}-01" for month in (3, 6, 9, 12)] * 2
    ask = partial(scorer.score, data.events, data.leads, columns=workload.COLUMNS, micropoints=True)

    found = at_once(*(partial(ask, as_of=instant, threads=4) for instant in asked))

    for instant, scores in zip(asked, found, strict=True):
        assert scores.to_arrow().equals(ask(as_of=instant, threads=1).to_arrow())


def test_replay(scorer, data):
    """Replays to several ends at once, the first of which compile the lifecycle, say what they say one by one."""
    ends = [f"2025-{month:02}-01" for month in (4, 8, 12)] * 2
    ask = partial(scorer.replay, data.events, data.leads, columns=workload.COLUMNS, micropoints=True)

    found = at_once(*(partial(ask, until=end, threads=4) for end in ends))

    for end, replayed in zip(ends, found, strict=True):
        alone = ask(until=end, threads=1)
        assert replayed.transitions.to_arrow().equals(alone.transitions.to_arrow())
        assert replayed.states.to_arrow().equals(alone.states.to_arrow())


def test_score_lead(scorer):
    """Single leads, scored by many threads with the same scorer, get their own scores and nobody else's."""
    events = [
        [{"type": "page_view", "at": f"2025-03-{day:02}", "url": "https://www.example.com/pricing/"}] * day
        for day in range(1, MANY + 1)
    ]

    def work(mine):
        return [scorer.score_lead({"title": "VP"}, mine, as_of="2025-04-01").micropoints for _ in range(200)]

    found = at_once(*(partial(work, mine) for mine in events))

    expected = [scorer.score_lead({"title": "VP"}, mine, as_of="2025-04-01").micropoints for mine in events]
    assert found == [[one] * 200 for one in expected]
    assert len({one["total"] for one in expected}) > 1
