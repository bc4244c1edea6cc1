"""The tables of a replay, its timelines and its summaries, from moves made by hand (spec 8.9, 8.10)."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

import leadcore as lc
from leadcore._replay_log import CAUSES, Moves, ReplayLog
from leadcore._replay_tables import FinishedTables, ReplayTables, criterion_names
from leadcore._time import LAST, to_micros
from leadcore.replay import Replay
from tests.replay_logs import Step, changes_of, encoder_of, log_of, replay_of

MODEL = lc.Model.from_yaml("""
leadcore: 1
name: small
timezone: Europe/Berlin
attributes: {country: text}
events: {visit: {page: text}, moved: {to: text}}
scores:
  fit: {criteria: [{name: near, kind: attribute, field: country, table: {DE: 10}}]}
  engagement:
    groups:
      web: {criteria: [{name: visits, kind: event, on: visit, points: 5}]}
      other: {criteria: [{name: recent, kind: recency, on: visit, bands: [{within: 7d, points: 5}]}]}
  total: {combine: {fit: 1, engagement: 1}}
thresholds: {hot: {score: total, at: 20}, mild: {score: fit, at: 5}}
calendars: {office: {hours: {mon: ["09:00-17:00"], tue: ["09:00-17:00"], fri: ["09:00-17:00"]}}}
lifecycle:
  initial: new
  manual: {on: moved, field: to}
  stages:
    - {name: new, owner: marketing}
    - {name: mql, owner: sales, sla: {due: 48h, alerts: [{after: 72h, notify: [boss, rep]}, {after: 0s, notify: rep}, {after: 24h, notify: rep}]}}
    - {name: sql, sla: {due: 10h, calendar: office, alerts: [{after: 8h, notify: [rep, "a;b"]}]}}
    - {name: lost, owner: marketing, kind: exit}
  transitions:
    - {name: ready, from: new, to: mql, when: {field: score.total, op: ge, value: 20}}
    - {name: taken, from: mql, to: sql, on: visit}
    - {name: back, from: [mql, sql], to: new, after: 5d}
""")

IDS = ["anna", "bert", "carl", "dora", "emil"]
STEPS = [
    [
        Step("new", "2026-03-01T10:00Z", scores=(10, 0, 10)),
        Step("mql", "2026-03-02T11:30Z", "ready", "event", 0, (10, 10.5, 20.5)),
        Step("sql", "2026-03-05T08:00Z", "taken", "event", 1, (10, 15, 25)),
        Step("new", "2026-03-10T08:00Z", "back", "timer", -1, (10, 15, 25)),
        Step("mql", "2026-03-10T08:00Z", "ready", "timer", -1, (10, 15, 25)),
    ],
    [],
    [
        Step("mql", "2026-03-06T10:00Z"),
        Step("lost", "2026-03-06T10:00Z", None, "manual", 2),
        Step("new", "2026-03-07T10:00Z", None, "manual", 3),
        Step("mql", "2026-03-08T10:00Z", "ready", "grid"),
    ],
    [Step("sql", "2026-03-09T08:00Z")],
    [Step("mql", "2026-03-08T10:00:00.000001Z", "ready", "attribute")],
]
UNTIL = "2026-03-10T10:00Z"
EVENTS = ["e1", "e2", None, "e4"]


@pytest.fixture
def replay():
    """Five leads, one without a stage."""
    return replay_of(MODEL, IDS, STEPS, UNTIL, event_ids=EVENTS)


def at(text):
    """An instant as tables give it."""
    return datetime.fromisoformat(text).astimezone(UTC)


def picked(frame, *names):
    """Some columns as tuples; instants in short."""

    def short(value):
        return value.isoformat().replace(":00+00:00", "")[5:] if isinstance(value, datetime) else value

    return [tuple(short(row[name]) for name in names) for row in frame.to_dicts()]


def test_transitions(replay):
    """Every move with its rule, cause and event id, and the scores then."""
    assert replay.transitions.column_names == [
        "lead_id", "at", "from_stage", "to_stage", "rule", "cause", "event_id", "fit", "engagement", "total",
    ]  # fmt: skip
    rows = replay.transitions.to_dicts()
    assert len(rows) == 11
    assert rows[1] == {
        "lead_id": "anna", "at": at("2026-03-02T11:30Z"), "from_stage": "new", "to_stage": "mql", "rule": "ready",
        "cause": "event", "event_id": "e1", "fit": 10.0, "engagement": 10.5, "total": 20.5,
    }  # fmt: skip
    assert picked(replay.transitions, "lead_id", "from_stage", "to_stage", "rule", "cause", "event_id")[5:9] == [
        ("carl", None, "mql", None, "birth", None),
        ("carl", "mql", "lost", None, "manual", None),  # its event has no id
        ("carl", "lost", "new", None, "manual", "e4"),
        ("carl", "new", "mql", "ready", "grid", None),
    ]


def test_spans(replay):
    """Stays begin and end with moves; visits are counted per stage; due times and what became of them."""
    assert replay.spans.column_names == [
        "lead_id", "stage", "visit", "entered_at", "left_at", "entered_by", "left_by", "owner", "sla_due_at", "sla_status",
    ]  # fmt: skip
    assert picked(replay.spans, *replay.spans.column_names) == [
        ("anna", "new", 1, "03-01T10:00", "03-02T11:30", "birth", "ready", "marketing", None, None),
        ("anna", "mql", 1, "03-02T11:30", "03-05T08:00", "ready", "taken", "sales", "03-04T11:30", "met_late"),
        # Thursday; two open hours are left on Monday after the eight of Friday, from 08:00 by the clock of Berlin
        ("anna", "sql", 1, "03-05T08:00", "03-10T08:00", "taken", "back", None, "03-09T10:00", "met_late"),
        ("anna", "new", 2, "03-10T08:00", "03-10T08:00", "back", "ready", "marketing", None, None),
        ("anna", "mql", 2, "03-10T08:00", None, "ready", None, "sales", "03-12T08:00", "open"),
        ("carl", "mql", 1, "03-06T10:00", "03-06T10:00", "birth", "manual", "sales", "03-08T10:00", "met"),
        ("carl", "lost", 1, "03-06T10:00", "03-07T10:00", "manual", "manual", "marketing", None, None),
        ("carl", "new", 1, "03-07T10:00", "03-08T10:00", "manual", "ready", "marketing", None, None),
        ("carl", "mql", 2, "03-08T10:00", None, "ready", None, "sales", "03-10T10:00", "open"),  # due at the very end
        ("dora", "sql", 1, "03-09T08:00", None, "birth", None, None, "03-10T10:00", "open"),
        ("emil", "mql", 1, "2026-03-08T10:00:00.000001+00:00"[5:], None, "ready", None, "sales",
         "2026-03-10T10:00:00.000001+00:00"[5:], "open"),
    ]  # fmt: skip


def test_alerts(replay):
    """Alerts inside a stay and the run, by instant and then by level; one at the end is logged, one at leaving is not."""
    assert picked(replay.alerts, "lead_id", "stage", "entered_at", "at", "level", "notify") == [
        ("anna", "mql", "03-02T11:30", "03-02T11:30", 2, ["rep"]),
        ("anna", "mql", "03-02T11:30", "03-03T11:30", 3, ["rep"]),
        ("anna", "sql", "03-05T08:00", "03-06T16:00", 1, ["rep", "a;b"]),
        ("anna", "mql", "03-10T08:00", "03-10T08:00", 2, ["rep"]),
        ("carl", "mql", "03-08T10:00", "03-08T10:00", 2, ["rep"]),
        ("carl", "mql", "03-08T10:00", "03-09T10:00", 3, ["rep"]),
        ("dora", "sql", "03-09T08:00", "03-09T16:00", 1, ["rep", "a;b"]),
        ("emil", "mql", "03-08T10:00:00.000001+00:00", "03-08T10:00:00.000001+00:00", 2, ["rep"]),
        ("emil", "mql", "03-08T10:00:00.000001+00:00", "03-09T10:00:00.000001+00:00", 3, ["rep"]),
    ]


def test_status_at_the_edges():
    """Left exactly when due is met, a microsecond later late; an end past due is breached, an end at due is open."""
    for left, until, expected in [
        ("2026-03-03T00:00Z", "2026-04-01", "met"),
        ("2026-03-03T00:00:00.000001Z", "2026-04-01", "met_late"),
        (None, "2026-03-03T00:00Z", "open"),
        (None, "2026-03-03T00:00:00.000001Z", "breached"),
    ]:
        steps = [Step("mql", "2026-03-01T00:00Z")] + ([Step("new", left, "back", "timer")] if left else [])
        spans = replay_of(MODEL, [1], [steps], until).spans.to_dicts()
        assert spans[0]["sla_status"] == expected, (left, until)


def test_alert_at_leaving_is_none():
    """A stay does not contain its end: an alert at the instant of leaving is not logged, not even one of 0s."""
    steps = [Step("mql", "2026-03-01T00:00Z"), Step("new", "2026-03-02T00:00Z", "back", "timer")]
    assert picked(replay_of(MODEL, [1], [steps], UNTIL).alerts, "level") == [(2,)]
    steps = [Step("mql", "2026-03-01T00:00Z"), Step("new", "2026-03-01T00:00Z", "back", "timer")]
    assert len(replay_of(MODEL, [1], [steps], UNTIL).alerts) == 0


def test_due_beyond_the_year_9999():
    """A due time beyond time is null: met when left, else open; such an alert is not logged (contract 6)."""
    steps = [
        [Step("mql", "9999-12-31T00:00Z"), Step("new", "9999-12-31T23:00Z", None, "manual")],
        [Step("mql", "9999-12-31T00:00Z")],
    ]
    replay = replay_of(MODEL, [1, 2], steps, "9999-12-31T23:59:59.999999Z")
    assert picked(replay.spans, "sla_due_at", "sla_status") == [(None, "met"), (None, None), (None, "open")]
    assert picked(replay.alerts, "lead_id", "level") == [(1, 2), (2, 2)]
    assert "never due, met" in str(replay.lead(1))
    assert replay._end == LAST


def test_states(replay):
    """Everybody, with or without a stage; thresholds as booleans."""
    assert replay.states.column_names == [
        "lead_id", "stage", "entered_at", "fit", "engagement", "total", "hot", "mild",
    ]  # fmt: skip
    assert picked(replay.states, "lead_id", "stage", "entered_at", "total", "hot") == [
        ("anna", "mql", "03-10T08:00", 25.0, False),
        ("bert", None, None, 0.0, False),
        ("carl", "mql", "03-08T10:00", 0.0, False),
        ("dora", "sql", "03-09T08:00", 0.0, False),
        ("emil", "mql", "03-08T10:00:00.000001+00:00", 0.0, False),
    ]
    reached = np.array([[1, 0], [0, 0], [0, 1], [0, 0], [0, 0]], np.uint8)
    more = replay_of(MODEL, IDS, STEPS, UNTIL, thresholds=reached, rejected_rows=np.arange(5))
    assert picked(more.states, "hot", "mild", "rejected_rows") == [
        (True, False, 0), (False, False, 1), (False, True, 2), (False, False, 3), (False, False, 4),
    ]  # fmt: skip


def test_score_changes(replay):
    """Asked for they are there, with the criterion by name; else the error says how to get them."""
    with pytest.raises(lc.LeadcoreError, match="score_changes=True"):
        _ = replay.score_changes
    rows = [
        (0, "2026-03-01T10:00Z", "birth", -1, "fit", 0, 10, 0),
        (0, "2026-03-02T11:30Z", "event", 0, "total", 10, 20.5, 2),
        (4, "2026-03-08T10:00Z", "grid", -1, "engagement", 5, 0, -1),
    ]
    replay = replay_of(MODEL, IDS, STEPS, UNTIL, event_ids=EVENTS, changes=changes_of(MODEL, rows))
    assert replay.score_changes.column_names == [
        "lead_id", "at", "cause", "event_id", "score", "before", "after", "criterion",
    ]  # fmt: skip
    assert picked(replay.score_changes, *replay.score_changes.column_names) == [
        ("anna", "03-01T10:00", "birth", None, "fit", 0.0, 10.0, "near"),
        ("anna", "03-02T11:30", "event", "e1", "total", 10.0, 20.5, "recent"),
        ("emil", "03-08T10:00", "grid", None, "engagement", 5.0, 0.0, None),
    ]
    assert criterion_names(MODEL) == ["near", "visits", "recent"]


def test_micropoints():
    """Whole micropoints on request, in every table."""
    changes = changes_of(MODEL, [(0, "2026-03-01T10:00Z", "birth", -1, "fit", 0, 10, 0)])
    replay = replay_of(MODEL, IDS, STEPS, UNTIL, micropoints=True, changes=changes)
    assert picked(replay.transitions, "total")[1] == (20_500_000,)
    assert picked(replay.states, "total")[0] == (25_000_000,)
    assert picked(replay.score_changes, "after") == [(10_000_000,)]
    assert replay.lead("anna").scores["total"] == 25_000_000
    assert replay.history(leads=["dora"]).table.column("fit").dtype == np.int64


def test_arrow_types(replay):
    """Integer ids stay integers, an events table without ids gives text that is all null, names are dictionaries."""
    numbered = replay_of(MODEL, [7, 3], [[Step("new", "2026-03-01")], []], UNTIL, event_ids=[5, 6])
    assert numbered.transitions.to_arrow().schema.field("lead_id").type == "int64"
    assert numbered.transitions.to_arrow().schema.field("event_id").type == "int64"
    without = replay_of(MODEL, ["a"], [[Step("new", "2026-03-01")]], UNTIL)
    kinds = {field.name: str(field.type) for field in without.transitions.to_arrow().schema}
    assert kinds["event_id"] == "string"
    assert "dictionary" in kinds["cause"]
    assert str(replay.alerts.to_arrow().schema.field("notify").type).startswith("list")
    assert isinstance(replay.spans.to_polars(), pl.DataFrame)


def test_nobody_moved():
    """A result without leads, and one of leads that were never born, has all tables and columns."""
    for ids, steps in ([], []), (["a"], [[]]):
        replay = replay_of(MODEL, ids, steps, UNTIL)
        assert [len(t) for t in (replay.transitions, replay.spans, replay.alerts)] == [0, 0, 0]
        assert len(replay.states) == len(replay) == len(ids)
        assert replay.spans.column_names[0] == "lead_id"
        assert len(replay.history()) == 0
    assert str(replay.lead("a")) == "a has no stage at 2026-03-10T10:00:00Z: nothing says when it was born"
    assert replay.lead("a")._repr_html_().count("<table") == 0


TOLD = """\
anna at 2026-03-10T10:00:00Z: mql since 2026-03-10T08:00:00Z (2h)
at                    stage  stayed     fit  engagement  total  why
2026-03-01T10:00:00Z  new    1d1h        10           0     10  birth
2026-03-02T11:30:00Z  mql    2d20h       10        10.5   20.5  ready (event e1)
2026-03-02T11:30:00Z    alert 2 to rep
2026-03-03T11:30:00Z    alert 3 to rep
2026-03-04T11:30:00Z    due; left late, at 2026-03-05T08:00:00Z
2026-03-05T08:00:00Z  sql    5d          10          15     25  taken (event e2)
2026-03-06T16:00:00Z    alert 1 to rep, a;b
2026-03-09T10:00:00Z    due; left late, at 2026-03-10T08:00:00Z
2026-03-10T08:00:00Z  new    0s          10          15     25  back (timer)
2026-03-10T08:00:00Z  mql    2h so far   10          15     25  ready (timer)
2026-03-10T08:00:00Z    alert 2 to rep
2026-03-12T08:00:00Z    due; open"""


def test_timeline(replay):
    """One lead's story as text, as HTML and as values."""
    anna = replay.lead("anna")
    assert str(anna) == repr(anna) == TOLD
    assert (anna.lead_id, anna.stage, anna.entered_at) == ("anna", "mql", at("2026-03-10T08:00Z"))
    assert anna.scores == {"fit": 10.0, "engagement": 15.0, "total": 25.0}
    assert anna.thresholds == {"hot": False, "mild": False}
    assert [step["to_stage"] for step in anna] == ["new", "mql", "sql", "new", "mql"]
    assert (len(anna), len(anna.spans), len(anna.alerts)) == (5, 5, 4)
    assert anna.transitions == replay.transitions.to_dicts()[:5]
    page = anna._repr_html_()
    assert page.count("<tr>") == 1 + 5 + 7
    assert "<td>ready (event e1)</td>" in page
    carl = str(replay.lead("carl"))
    assert "\n2026-03-06T10:00:00Z    met, due 2026-03-08T10:00:00Z\n2026-03-06T10:00:00Z  lost" in carl
    assert "  manual\n" in carl
    assert "  manual (event e4)\n" in carl


def test_timeline_escapes():
    """Ids and names are text in HTML."""
    evil = replay_of(MODEL, ["<b>"], [[Step("new", "2026-03-01")]], UNTIL)
    assert "<b>" not in evil.lead("<b>")._repr_html_()


def test_unknown_lead(replay):
    """A lead that is not there is a KeyError that says so, as for scores."""
    with pytest.raises(KeyError, match="no lead 'zoe' in this replay of 5 leads"):
        replay.lead("zoe")
    with pytest.raises(KeyError, match="no lead 'zoe'"):
        replay.history(leads=["anna", "zoe"])
    assert "anna" in replay
    assert "zoe" not in replay
    assert None not in replay


def test_summary(replay):
    """Leads, transitions, alerts, and who stands where."""
    assert repr(replay) == (
        "replay of 'small' until 2026-03-10T10:00:00Z: 5 leads, 11 transitions, 9 alerts\n"
        "new 0, mql 3, sql 1, lost 0, no stage 1"
    )
    assert "<td>no stage</td><td style='text-align:right'>1</td>" in replay._repr_html_()
    assert replay.until == at(UNTIL)


def test_counts():
    """Loop stops by transition, those that were, and manual moves that moved nobody."""
    replay = replay_of(
        MODEL, IDS, STEPS, UNTIL, loop_stops=np.array([0, 3, 0]), manual_current=2, manual_unknown=1
    )  # fmt: skip
    assert replay.counts.loop_stops == {"taken": 3}
    assert (replay.counts.manual_current, replay.counts.manual_unknown) == (2, 1)
    assert (replay.counts.leads, replay.counts.used) == (5, 5)
    assert len(replay.rejects) == 0


def test_history(replay):
    """Stage and scores at each instant of the grid from birth to the end; scores come from scoring at those instants."""
    asked = []

    def score_at(pairs):
        asked.append(pairs.to_dicts())
        return np.arange(3 * len(pairs)).reshape(-1, 3) * 10**6

    replay = replay_of(MODEL, IDS, STEPS, UNTIL, event_ids=EVENTS, score_at=score_at)
    history = replay.history(leads=["dora", "anna", "bert"])
    assert history.column_names == ["lead_id", "at", "stage", "fit", "engagement", "total"]
    # Midnights of Berlin.
    assert picked(history, "lead_id", "at", "stage") == [
        ("dora", "03-09T23:00", "sql"),
        *(("anna", f"03-{day:02}T23:00", stage) for day, stage in enumerate(["new", "mql", "mql", "mql"], 1)),
        *(("anna", f"03-{day:02}T23:00", "sql") for day in range(5, 10)),
    ]
    assert picked(history, "total")[:2] == [(2.0,), (5.0,)]
    assert asked == [[{"lead_id": row["lead_id"], "as_of": row["at"]} for row in history.to_dicts()]]

    everybody = replay.history(timedelta(hours=1))
    by_lead = dict(pl.DataFrame(everybody.table)["lead_id"].value_counts().iter_rows())
    assert by_lead == {"anna": 217, "carl": 97, "dora": 27, "emil": 48}
    at_once = [row for row in picked(everybody, "lead_id", "at", "stage") if row[1] == "03-10T08:00"]
    assert at_once == [("anna", "03-10T08:00", "mql"), ("carl", "03-10T08:00", "mql"), ("dora", "03-10T08:00", "sql"), ("emil", "03-10T08:00", "mql")]  # fmt: skip


@pytest.mark.parametrize("every", ["30m", "1 month", "0s", 5, timedelta(microseconds=1)])
def test_history_of_no_step(replay, every):
    """A step that is no duration, or less than an hour, is refused in a sentence."""
    with pytest.raises(lc.LeadcoreError, match="every="):
        replay.history(every)


def test_history_too_long():
    """A history of more rows than memory should hold is refused before it is made."""
    old = replay_of(MODEL, list(range(10)), [[Step("new", "0001-01-01")]] * 10, "9999-12-31")
    with pytest.raises(lc.LeadcoreError, match=r"87,\d{3},\d{3}0? rows|rows: name leads"):
        old.history("1h")
    assert len(old.history("5000w", leads=[3])) == 104


def test_finished_tables(replay):
    """A replay of tables that somebody else made says the same."""
    tables = FinishedTables(*(getattr(replay, name).table for name in ("transitions", "spans", "alerts", "states")))
    other = Replay(
        MODEL, to_micros(UNTIL), tables, replay.counts, False, lambda: replay.rejects,
        dict(zip(IDS, range(5), strict=True)).get, lambda pairs: np.zeros((len(pairs), 3), np.int64),
    )  # fmt: skip
    assert repr(other) == repr(replay)
    for one in IDS:
        assert str(other.lead(one)) == str(replay.lead(one))
    assert other.history().to_dicts() == replay.history().to_dicts()
    with pytest.raises(lc.LeadcoreError, match="score_changes"):
        _ = other.score_changes


def test_large_results_are_made_quickly():
    """600,000 transitions of 100,000 leads become tables in a moment; how long exactly is told by the benchmark."""
    leads, each = 100_000, 6
    count, rng = leads * each, np.random.default_rng(1)
    start = np.repeat(rng.integers(to_micros("2026-01-01"), to_micros("2026-06-01"), leads), each)
    when = start + np.tile(np.arange(each), leads) * 90_000_000_000
    stage = np.tile(np.array([0, 1, 2, 0, 1, 2], np.int32), leads)
    moves = Moves(
        np.repeat(np.arange(leads), each), when, np.roll(stage, 1), stage, np.where(stage == 0, -1, stage - 1).astype(np.int32),
        np.full(count, CAUSES.index("event"), np.int32), np.full(count, -1, np.int64), np.zeros((count, 3), np.int64),
    )  # fmt: skip
    log = ReplayLog(
        np.arange(leads, dtype=np.uint32), stage[5::6], when[5::6], np.zeros((leads, 3), np.int64),
        np.zeros((leads, 2), np.uint8), moves, None, np.zeros(3, np.int64), 0, 0,
    )  # fmt: skip
    encoder = encoder_of(MODEL, list(range(leads)))
    begun = time.perf_counter()
    tables = ReplayTables(MODEL, log, encoder, to_micros("2026-07-01"))
    sizes = [len(tables.transitions), len(tables.spans), len(tables.states)]
    alerts = len(tables.alerts)
    assert time.perf_counter() - begun < 3
    assert sizes == [count, count, leads]
    assert alerts > 400_000


def test_log_of_hand_made_steps():
    """The helper of these tests says what it should."""
    log = log_of(MODEL, STEPS)
    assert log.moves.from_stage.tolist() == [-1, 0, 1, 2, 0, -1, 1, 3, 0, -1, -1]
    assert log.stage.tolist() == [1, -1, 1, 2, 1]


@pytest.mark.parametrize("engine", ["kernel", "reference"])
def test_sorted_leads(engine):
    """With ``sort``, leads come by id in every table, and each has its own story."""
    visits = [{"lead_id": lead, "at": "2026-03-01", "type": "visit", "page": "/", "to": None} for lead in (3, 1)]
    leads = [{"lead_id": 3, "country": "DE"}, {"lead_id": 2, "country": "FR"}]
    replay = lc.Scorer(MODEL).replay(visits, leads, until="2026-03-02", sort=True, engine=engine)

    assert [row["lead_id"] for row in replay.states.to_dicts()] == [1, 2, 3]
    assert [row["lead_id"] for row in replay.transitions.to_dicts()] == [1, 3, 3]
    assert [(lead, replay.lead(lead).scores["fit"]) for lead in (1, 2, 3)] == [(1, 0.0), (2, 0.0), (3, 10.0)]
