"""Replays at the edges of what is allowed: nothing to do, all of time, as many stages as there may be, everything at once."""

from __future__ import annotations

import pickle
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import polars as pl
import pytest

import leadcore as lc

ENGINES = ("kernel", "reference")
LIFECYCLE = """
  initial: new
  evaluate: {every: 1h}
  manual: {on: moved, field: to}
  stages: [{name: new}, {name: warm}, {name: cold}]
  transitions:
    - {name: up, from: [new, cold], to: warm, when: {field: threshold.warm, op: eq, value: true}}
    - {name: down, from: warm, to: cold, when: {field: threshold.warm, op: eq, value: false}}
    - {name: forgotten, from: cold, to: new, when: {field: stage.age, op: gt, value: 3000000}}
"""
SLOW = 10.0  # seconds; each takes well under one, and would take minutes if every instant were looked at


def scorer(timezone: str = "UTC", half_life: str = "30d", lifecycle: str = LIFECYCLE, more: str = "") -> lc.Scorer:
    """Compile a small model."""
    return lc.Scorer(
        lc.Model.from_yaml(f"""
leadcore: 1
name: edges
timezone: {timezone}
attributes: {{size: number}}
events: {{visit: {{url: text}}, moved: {{to: text}}}}
scores: {{total: {{criteria: [{{name: visits, kind: event, on: visit, points: 10, decay: {{half_life: {half_life}}}}}]}}}}
thresholds: {{warm: {{score: total, at: 5, release: 2}}}}
{more}
lifecycle: {lifecycle}
""")
    )


def visits(at, lead=1, **columns) -> dict:
    """A table of visits at these instants."""
    n = len(at)
    table = {"lead_id": np.broadcast_to(lead, n), "at": at, "type": ["visit"] * n, "url": ["/"] * n, "to": ["warm"] * n}
    return table | columns


def moves(replay: lc.Replay) -> list[tuple[str, str, str]]:
    """When, where to and why, of every transition."""
    return [(row["at"].isoformat(), row["to_stage"], row["cause"]) for row in replay.transitions.to_dicts()]


NO_EVENTS = pl.DataFrame(
    schema={"lead_id": pl.Int64, "at": pl.Datetime, "type": pl.String, "url": pl.String, "to": pl.String}
)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("events", [None, [], NO_EVENTS])
@pytest.mark.parametrize("leads", [None, [], pl.DataFrame(schema={"lead_id": pl.Int64, "size": pl.Float64})])
def test_nothing(engine, events, leads):
    """No rows make no rows, in tables that have all their columns."""
    replay = scorer().replay(events, leads, until="2026-01-01", score_changes=True, engine=engine)

    tables = [replay.transitions, replay.spans, replay.alerts, replay.states, replay.score_changes, replay.history()]
    assert [len(table) for table in (*tables, replay.rejects, replay)] == [0] * 8
    assert all(table.column_names[0] == "lead_id" for table in tables)
    assert "0 leads, 0 transitions" in repr(replay)


@pytest.mark.parametrize("engine", ENGINES)
def test_all_born_after_the_end(engine):
    """They are left out, and their events are counted as later (spec 8.3)."""
    leads = [{"lead_id": 2, "size": 1.0, "created_at": "2028-01-01"}]
    replay = scorer().replay(visits(["2027-01-01"]), leads, until="2026-01-01", engine=engine)

    assert (len(replay), len(replay.transitions), replay.counts.later) == (0, 0, 1)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("instant", ["0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59.999999+00:00"])
def test_a_life_of_one_instant(engine, instant):
    """Birth, event and end at once, in the first microsecond there is or in the last."""
    replay = scorer().replay(visits([instant]), until=instant, engine=engine)

    assert moves(replay) == [(instant, "new", "birth"), (instant, "warm", "event")]


@pytest.mark.parametrize("timezone", ["UTC", "Europe/Paris", "Africa/Casablanca", "America/Sao_Paulo", "Asia/Gaza"])
def test_all_of_time_by_the_hour(timezone):
    """88 million instants of the grid, of which three matter."""
    begun = time.perf_counter()
    replay = scorer(timezone).replay(
        visits(["0001-01-01"] * 100, np.arange(100)), until="9999-12-31T23:59:59.999999", threads=1
    )
    seconds = time.perf_counter() - begun

    assert [stage for _, stage, _ in moves(replay)[:4]] == ["new", "warm", "cold", "new"]
    assert [cause for _, _, cause in moves(replay)[2:4]] == ["grid", "grid"]
    assert replay.standing == {"new": 100, "warm": 0, "cold": 0}
    assert seconds < SLOW


def test_all_of_time_of_a_score_that_hardly_fades():
    """It halves in a century, so it is below 2 of 10 after 36,525 log2(10 / 1.9999995) days, and the grid sees it within the hour."""
    begun = time.perf_counter()
    replay = scorer(half_life="36525d").replay(visits(["0001-01-01"]), until="9999-12-31")
    seconds = time.perf_counter() - begun

    assert moves(replay)[2] == ("0233-03-14T11:00:00+00:00", "cold", "grid")
    assert seconds < SLOW


def test_a_calendar_that_hardly_opens():
    """One minute a week: a century of open time is due beyond year 9999, which is never."""
    more = 'calendars: {desk: {timezone: Africa/Casablanca, hours: {mon: ["09:00-09:01"]}, holidays: [2026-01-05]}}'
    sla = "{due: 36525d, calendar: desk, alerts: [{after: 1m, notify: rep}, {after: 36525d, notify: boss}]}"
    lifecycle = LIFECYCLE.replace("{name: new}", f"{{name: new, sla: {sla}}}")
    replay = scorer(lifecycle=lifecycle, more=more).replay(
        None, [{"lead_id": 1, "size": None, "created_at": "0001-01-01"}], until="9999-12-31"
    )

    assert [(row["at"].isoformat(), row["level"]) for row in replay.alerts.to_dicts()] == [
        ("0001-01-01T09:31:20+00:00", 1)
    ]
    assert [(row["sla_due_at"], row["sla_status"]) for row in replay.spans.to_dicts()] == [(None, "open")]


def test_as_many_stages_and_transitions_as_there_may_be():
    """256 stages, 4,096 transitions: a second to compile, and nothing that grows with all of them at an evaluation."""
    stages = [f"s{n}" for n in range(256)]
    rules = [
        {
            "name": f"t{n}", "from": stages[n % 256], "to": stages[(n + 1 + n // 256) % 256],
            "when": {"field": "score.total", "op": "ge", "value": 16 * (n % 256)},
        }
        for n in range(4096)
    ]  # fmt: skip
    model = lc.Model.model_validate(
        {
            "leadcore": 1, "name": "many", "events": {"visit": {}},
            "scores": {"total": {"criteria": [{"name": "visits", "kind": "event", "on": "visit", "points": 1}]}},
            "lifecycle": {
                "initial": "s0", "evaluate": {"every": "1h"}, "stages": [{"name": name} for name in stages],
                "transitions": rules,
            },
        }
    )  # fmt: skip
    at = np.arange("2025-01-01", "2025-12-01", dtype="datetime64[h]").astype("datetime64[us]")[:5000]
    events = {"lead_id": np.arange(len(at)) % 2, "at": at, "type": ["visit"] * len(at)}
    begun = time.perf_counter()
    replay = lc.Scorer(model).replay(events, until="2026-01-01")
    seconds = time.perf_counter() - begun

    assert replay.standing["s157"] == 2  # 2,500 points of each lead: stage n is left at 16 n
    assert replay.counts.loop_stops == {}
    assert seconds < SLOW


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({}, 2),
        ({"url": [f"/{n * 7919 % 100_000}" for n in range(100_000)]}, 2),
        ({"type": ["moved"] * 100_000, "to": ["warm", "cold"] * 50_000, "event_id": np.arange(100_000)}, 100_001),
    ],
    ids=["alike", "all different", "moving to and fro"],
)
def test_a_hundred_thousand_events_at_one_instant(columns, expected):
    """They are sorted, not compared each with each; every move of them is told."""
    begun = time.perf_counter()
    replay = scorer().replay(visits(["2026-01-01"] * 100_000, **columns), until="2026-01-01")
    seconds = time.perf_counter() - begun

    assert len(replay.transitions) == expected
    assert seconds < SLOW


CROWDS = {  # the rest of a criterion
    "steps that rise": "kind: event, points: {per: n, rate: 1}, decay: {steps: [{after: 10d, factor: 0.5}, {after: 90d, factor: 1}]}",
    "ends": "kind: event, points: {per: n, rate: 1}, decay: {expire: 180d}",
    "a window": "kind: frequency, within: 180d, bands: [{at_least: 1, points: 1}, {at_least: 800, points: 39}]",
}


@pytest.mark.parametrize("rest", CROWDS.values(), ids=CROWDS)
def test_a_crowd_of_events_that_all_move_the_lead(rest):
    """Looking ahead after each of many events does not go through all that are yet to leave or to lose."""
    model = lc.Model.from_yaml(f"""
leadcore: 1
name: crowd
events: {{visit: {{n: number}}}}
scores: {{total: {{criteria: [{{name: visits, on: visit, {rest}}}]}}}}
thresholds: {{far: {{score: total, at: 1000000}}}}
lifecycle:
  initial: new
  evaluate: {{every: 1d}}
  stages: [{{name: new}}, {{name: warm}}]
  transitions:
    - {{name: there, from: new, to: warm, on: visit, when: {{field: score.total, op: lt, value: 40}}}}
    - {{name: back, from: warm, to: new, on: visit}}
    - {{name: lost, from: warm, to: new, when: {{field: score.total, op: lt, value: {30 if "within" in rest else -100000}}}}}
""")
    n = 300_000
    at = np.datetime64("2025-01-01", "us") + np.linspace(0, 365 * 86_400 * 10**6, n).astype("timedelta64[us]")
    table = {"lead_id": np.zeros(n, np.int64), "at": at, "type": ["visit"] * n, "n": np.tile([1.0, -1.0], n // 2)}
    one = lc.Scorer(model)
    one.replay({name: column[:2] for name, column in table.items()}, until="2026-01-01")
    begun = time.perf_counter()
    quick = one.replay(table, until="2026-07-01")
    seconds = time.perf_counter() - begun

    exact = one.replay(table, until="2026-07-01", score_changes=True)
    assert quick.transitions.to_dicts() == exact.transitions.to_dicts()
    assert len(quick.transitions) > 1_000
    assert seconds < SLOW


def test_a_scorer_that_has_replayed_can_be_pickled():
    """Its copy says the same."""
    one = scorer()
    told = one.replay(visits(["2026-01-01", "2026-02-01"]), until="2027-01-01")
    again = pickle.loads(pickle.dumps(one)).replay(visits(["2026-01-01", "2026-02-01"]), until="2027-01-01")

    assert again.transitions.to_dicts() == told.transitions.to_dicts()


def test_threads_share_a_scorer():
    """Eight replays at once in four threads, each with threads of its own, say what they say one by one."""
    one = scorer("Europe/Paris")
    tables = []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        at = np.datetime64("2025-01-01", "us") + rng.integers(0, 300 * 86_400 * 10**6, 20_000).astype("timedelta64[us]")
        tables.append(visits(at, rng.integers(0, 500, 20_000)))

    def work(table):
        replay = one.replay(table, until="2026-01-01", threads=2, sort=True)
        return replay.transitions.to_dicts(), replay.states.to_dicts()

    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(work, tables))
    assert together == [work(table) for table in tables]
