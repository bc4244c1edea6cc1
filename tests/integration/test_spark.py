"""Spark gives the rows and the bits of a local run, however its tables are cut into partitions (spec 10.1)."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from shutil import which

import numpy as np
import pyarrow as pa
import pytest

import leadcore as lc
from benchmarks.ledger_latency import W2
from benchmarks.workload import AS_OF, COLUMNS, Ids, make, w1_model
from tools.doc_examples import FENCE

THERE = find_spec("pyspark") is not None and which("java") is not None
pytestmark = [
    pytest.mark.spark,
    pytest.mark.skipif(not THERE, reason="needs PySpark and Java"),
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning"),
]

PAGE = Path(__file__).parents[2] / "docs/how-to/spark.md"
T = "2026-03-08T00:00Z"
DAY = {name: datetime(2026, 3, day) for day, name in enumerate(["mon", "tue", "wed", "thu", "fri"], 2)}
MODEL = lc.Model.from_yaml("""
leadcore: 1
name: people
attributes: {title: text, size: {type: number, optional: true}, since: {type: instant, optional: true}}
events:
  visit: {url: text, minutes: {type: number, optional: true}}
  demo: {}
  moved: {stage: {type: text, optional: true}}
scores:
  fit:
    criteria:
      - {name: vp, kind: attribute, when: {field: title, op: has_word, value: vp}, points: 20}
      - {name: size, kind: attribute, field: size, bands: [{at_least: 10.5, points: 1}, {at_least: 1000, points: 3}]}
      - {name: old, kind: attribute, when: {field: since, op: lt, value: 2026-01-01}, points: 0.25}
    grades: [{name: A, at_least: 20}, {name: B}]
  engagement:
    criteria:
      - {name: visits, kind: event, on: visit, points: 5, decay: {half_life: 7d}, limit: {count: 2, per: day}}
      - {name: minutes, kind: event, on: visit, points: {per: minutes, rate: 0.1}}
      - {name: demo, kind: event, on: demo, points: 10, decay: {linear: 30d}}
    grades: [{name: "1", at_least: 10}, {name: "2"}]
  total: {combine: {fit: 1, engagement: 1}}
rating: [fit, engagement]
labels: [{name: hot, when: {field: score.total, op: gt, value: 20}}, {name: cold}]
thresholds: {mql: {score: total, at: 15}}
accounts: {scores: {best: {of: total, by: max}, all: {of: total, by: sum}, mean: {of: fit, by: mean}}}
lifecycle:
  initial: new
  evaluate: {every: 1d}
  manual: {on: moved, field: stage}
  stages:
    - {name: new, owner: marketing, sla: {due: 2d, alerts: [{after: 1d, notify: [rep, lead]}]}}
    - {name: mql, owner: sales}
  transitions:
    - {name: ready, from: new, to: mql, when: {field: threshold.mql, op: eq, value: true}}
    - {name: cold, from: mql, to: new, after: 1d, when: {field: threshold.mql, op: eq, value: false}}
""")
SCORER = lc.Scorer(MODEL)
LEADS = [
    {"lead_id": i, "account_id": f"account {i % 4}" if i % 5 else None, "title": "VP Sales" if i % 3 else None, "size": i}
    for i in range(40)
]  # fmt: skip
EVENTS = [
    {"lead_id": i * i % 47, "at": DAY[name], "type": kind, "event_id": f"{name}-{i}", "url": "/", "stage": "mql"}
    for i in range(47)
    for name, kind in zip(DAY, ["visit", "demo", "visit", "moved" if i % 7 == 0 else "visit", "unheard"], strict=True)
]


@pytest.fixture(scope="module")
def spark(tmp_path_factory):
    """A session with two threads and little memory; a task may fail once."""
    from pyspark.sql import SparkSession

    folder = tmp_path_factory.mktemp("spark")
    settings = {
        "driver.memory": "640m", "ui.enabled": "false", "sql.shuffle.partitions": "3", "sql.adaptive.enabled": "false",
        "local.dir": str(folder), "sql.warehouse.dir": str(folder / "warehouse"), "log.level": "FATAL",
        "driver.bindAddress": "127.0.0.1", "driver.host": "127.0.0.1", "ui.showConsoleProgress": "false",
        "sql.session.timeZone": "America/New_York", "sql.timestampType": "TIMESTAMP_NTZ",
        "sql.codegen.wholeStage": "false", "sql.codegen.factoryMode": "NO_CODEGEN", "driver.extraJavaOptions": "-XX:TieredStopAtLevel=1",  # quick to begin
    }  # fmt: skip
    builder = SparkSession.builder.master("local[2,2]")
    for name, value in settings.items():
        builder = builder.config(f"spark.{name}", value)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        session = builder.getOrCreate()
        yield session
    assert not list(folder.rglob("leadcore-*")), "what a partition kept on disk is gone"
    session.stop()


@pytest.fixture(scope="module")
def people(spark):
    """Events and leads of `MODEL` as DataFrames."""
    return frame(spark, EVENTS), frame(spark, LEADS)


def frame(spark, rows, schema=None):
    """Rows, or an Arrow table, as a DataFrame."""
    table = rows if isinstance(rows, pa.Table) else pa.Table.from_pylist(rows, schema)
    return spark.createDataFrame(table)


def assert_same(found, expected):
    """A DataFrame has the rows of a local table, in any order, and its columns, dictionaries spelled out."""
    found, expected = found.toArrow(), pa.table(getattr(expected, "table", expected))
    assert found.column_names == expected.column_names
    schema = pa.schema([(one.name, one.type) for one in found.schema])  # nullable or not
    kinds = [one.type.value_type if pa.types.is_dictionary(one.type) else one.type for one in expected.schema]
    assert [str(kind) for kind in schema.types] == [str(kind).replace("item", "element") for kind in kinds]
    keys = [(name, "ascending") for name in found.column_names if not pa.types.is_list(schema.field(name).type)]
    assert found.cast(schema).sort_by(keys).equals(expected.cast(schema).sort_by(keys))


def workload(ids: Ids = "int"):
    """W1's tables, with a lead that has a quarter of the events."""
    data = make(20_000, ids=ids)
    rows = np.arange(len(data.events))
    lead = pa.compute.if_else(pa.array(rows % 4 == 0), data.leads["lead_id"][7], data.events["lead_id"])
    return data.events.set_column(0, "lead_id", lead), data.leads


@pytest.mark.parametrize("ids", ["int", "uuid"])
def test_scores_of_a_skewed_table(spark, ids):
    """W1 with a lead of 5,000 events: the same bits from three partitions, and from one that holds all leads."""
    events, leads = workload(ids)
    model = w1_model()
    expected = lc.Scorer(model).score(events, leads, as_of=AS_OF, columns=COLUMNS)
    given = frame(spark, events), frame(spark, leads)
    assert_same(lc.spark.score(*given, model, AS_OF, columns=COLUMNS), expected)
    if ids == "int":
        assert_same(lc.spark.score(*given, model, AS_OF, columns=COLUMNS, partitions=1, threads=2), expected)


def test_replay_of_a_skewed_table(spark):
    """W2 likewise: every table of a replay."""
    events, leads = workload()
    model = lc.Model.load(str(W2))
    expected = lc.Scorer(model).replay(events, leads, until=AS_OF, columns=COLUMNS)
    with lc.spark.replay(
        frame(spark, events), frame(spark, leads), model, AS_OF, columns=COLUMNS, partitions=4
    ) as found:
        for name in ("transitions", "spans", "alerts", "states"):
            assert_same(getattr(found, name), getattr(expected, name))
        assert found.score_changes is None
        assert found.rejects is None


def test_one_run_for_all_tables(spark, people):
    """Scores and accounts of one run, which is computed once and then let go."""
    expected = SCORER.score(EVENTS, LEADS, as_of=T)
    with lc.spark.score_tables(*people, MODEL, T) as found:
        assert_same(found.scores, expected)
        assert_same(found.accounts, expected.accounts)
        assert found.rejects is None
        assert found.kept.storageLevel.useMemory
    assert not found.kept.storageLevel.useMemory
    assert_same(found.accounts, expected.accounts)


def test_micropoints(spark, people):
    """Whole micropoints on request, in every table that has scores."""
    local = SCORER.score(EVENTS, LEADS, as_of=T, micropoints=True)
    with lc.spark.score_tables(*people, MODEL, T, micropoints=True) as found:
        assert_same(found.scores, local)
        assert_same(found.accounts, local.accounts)
    replay = SCORER.replay(EVENTS, LEADS, until=T, micropoints=True, score_changes=True)
    with lc.spark.replay(*people, MODEL, T, micropoints=True, score_changes=True) as found:
        for name in ("transitions", "spans", "alerts", "states", "score_changes"):
            assert_same(getattr(found, name), getattr(replay, name))


def test_unknown_leads(spark, people):
    """Leads known only from events are left out (spec 2.6)."""
    expected = SCORER.score(EVENTS, LEADS, as_of=T, unknown_leads="ignore")
    assert_same(lc.spark.score(*people, MODEL, T, unknown_leads="ignore"), expected)


def test_one_table_alone(spark, people):
    """Events without leads, leads without events."""
    events, leads = people
    assert_same(lc.spark.score(events, None, MODEL, T), SCORER.score(EVENTS, as_of=T))
    assert_same(lc.spark.score(None, leads, MODEL, T), SCORER.score(None, LEADS, as_of=T))
    nobody = leads.where("false")
    assert lc.spark.score(None, nobody, MODEL, T).count() == 0
    with lc.spark.score_tables(None, nobody, MODEL, T, keep=False) as found:
        assert found.accounts.count() == 0
        assert found.kept is None


def test_instants_of_their_own(spark, people):
    """``as_of`` as a column of leads, and as a table."""
    events, _ = people
    leads = [{**lead, "booked": date(2026, 3, 2 + lead["lead_id"] % 5)} for lead in LEADS]
    expected = SCORER.score(EVENTS, leads, as_of=lc.column("booked"))
    found = lc.spark.score_tables(events, frame(spark, leads), MODEL, lc.column("booked"))
    assert_same(found.scores, expected)
    assert found.accounts is None
    asked = [{"lead_id": i % 44, "as_of": datetime(2026, 3, 1 + i % 9, tzinfo=UTC)} for i in range(100)]
    expected = SCORER.score(EVENTS, LEADS, as_of=asked)
    assert_same(lc.spark.score(*people, MODEL, frame(spark, asked)), expected)


def test_records_of_one_person(spark):
    """Chains of aliases, rows of attributes over time, an own stage to start with: under canonical ids (spec 2.8)."""
    leads = [
        {"lead_id": f"l{i}", "title": "VP" if i % 2 else "x", "account_id": "a", "valid_from": DAY[name]}
        for i in range(12)
        for name in ("tue", "thu")[: 1 + i % 2]
    ]
    events = [{**event, "lead_id": f"l{event['lead_id'] % 15}"} for event in EVENTS]
    aliases = [{"lead_id": f"l{a}", "same_as": f"l{b}"} for a, b in [(1, 2), (2, 3), (5, 3), (14, 99), (7, 0), (7, 0)]]
    start = [{"lead_id": "l2", "stage": "mql", "entered_at": DAY["wed"]}]
    tables = {"aliases": frame(spark, aliases)}
    given = frame(spark, events), frame(spark, leads), MODEL, T
    expected = SCORER.score(events, leads, as_of=T, aliases=aliases)
    with lc.spark.score_tables(*given, **tables) as found:
        assert_same(found.scores, expected)
        assert_same(found.accounts, expected.accounts)
    replay = SCORER.replay(events, leads, until=T, aliases=aliases, start=start)
    with lc.spark.replay(*given, **tables, start=frame(spark, start)) as found:
        for name in ("transitions", "spans", "alerts", "states"):
            assert_same(getattr(found, name), getattr(replay, name))


def test_rejects(spark):
    """Faulty rows are listed by lead and event, their leads say how many, and the rest counts (spec 12)."""
    leads = [*LEADS, {"lead_id": 3, "title": "again"}, {"lead_id": 50, "size": float("inf")}, {"lead_id": None}]
    events = [
        *EVENTS,
        {**EVENTS[0], "at": None, "event_id": "no instant"},
        {**EVENTS[1], "lead_id": None, "event_id": "nobody"},
        {**EVENTS[1], "at": DAY["fri"]},
    ]
    aliases = [{"lead_id": 39, "same_as": 38}, {"lead_id": 37, "same_as": None}]
    options = {"on_error": "reject"}
    expected = SCORER.score(events, leads, as_of=T, aliases=aliases, **options)
    given = frame(spark, events), frame(spark, leads), MODEL, T
    with lc.spark.score_tables(*given, aliases=frame(spark, aliases), **options) as found:
        assert_same(found.scores, expected)
        rejects = found.rejects.toArrow().to_pylist()
    local = expected.rejects.to_dicts()
    table = {"leads": leads, "events": events, "aliases": aliases}
    rows = {(one["table"], one["column"], one["value"], *ids(table[one["table"]][one["row"]])) for one in local}
    assert {tuple(one[n] for n in ("table", "column", "value", "lead_id", "event_id")) for one in rejects} == rows
    assert len(rejects) == len(local)
    reasons = {one["event_id"]: one["reason"] for one in rejects}
    assert reasons["tue-0"].endswith("type or property than another row")
    with lc.spark.replay(*given, **options) as found:
        replay = SCORER.replay(events, leads, until=T, **options)
        assert_same(found.states, replay.states)
        assert found.rejects.count() == len(replay.rejects)


def ids(row):
    """Lead and event id of a row, as text."""
    return tuple(None if row.get(name) is None else str(row[name]) for name in ("lead_id", "event_id"))


def test_types(spark):
    """Every form of instant and number, and ids of two widths, are read as a local run reads them (spec 1.1, 2.7)."""
    n = 20
    instants = [datetime(2026, 3, 1 + i % 6, i, 30) for i in range(n)]
    leads = pa.table(
        {
            "lead_id": pa.array(range(n), pa.int32()),
            "title": ["VP"] * n,
            "size": pa.array([Decimal(f"{i}.{i:02}") for i in range(n)], pa.decimal128(20, 2)),
            "since": pa.array([date(2025, 12, 31)] * n),
            "created_at": pa.array(instants, pa.timestamp("us", "Asia/Tokyo")),
        }
    )
    made = {
        "lead_id": pa.array([i * 7 % n for i in range(n)], pa.int64()),
        "type": ["visit"] * n,
        "url": ["/"] * n,
        "event_id": pa.array(range(n), pa.int16()),
        "minutes": pa.array(range(n), pa.float32()),
    }
    forms = [
        pa.array(instants, pa.timestamp("us")),
        pa.array(instants, pa.timestamp("us", "UTC")),
        pa.array([one.date() for one in instants]),
        pa.array([one.isoformat() for one in instants]),
    ]
    for at in forms:
        for minutes in (pa.float32(), pa.int64(), pa.int8()):
            events = pa.table({**made, "at": at, "minutes": made["minutes"].cast(minutes)})
            expected = SCORER.score(events, leads, as_of=T)
            found = lc.spark.score(frame(spark, events), frame(spark, leads), MODEL, T)
            assert_same(found, expected)
            if minutes != pa.float32():
                break
    dtypes = dict(frame(spark, events).dtypes)
    assert dtypes["at"] == "string"


def test_names_of_columns(spark, people):
    """The model's names mapped to others, with signs of SQL in them (spec 2.3)."""
    events, leads = people
    columns = {"events": {"lead_id": "who.is`it", "at": "when"}, "leads": {"title": "job title"}}
    renamed = events.withColumnRenamed("lead_id", "who.is`it").withColumnRenamed("at", "when")
    found = lc.spark.score(renamed, leads.withColumnRenamed("title", "job title"), MODEL, T, columns=columns)
    assert_same(found, SCORER.score(EVENTS, LEADS, as_of=T))


def test_a_lead_is_never_divided(spark, people):
    """Adaptive execution joins partitions and never cuts one: with it, without it, and where all are called skewed."""
    expected = SCORER.score(EVENTS, LEADS, as_of=T)
    for settings in (
        {"enabled": "true"},
        {"enabled": "true", "advisoryPartitionSizeInBytes": "1b", "coalescePartitions.minPartitionSize": "1b",
         "skewJoin.skewedPartitionFactor": "1", "skewJoin.skewedPartitionThresholdInBytes": "1b",
         "forceOptimizeSkewedJoin": "true"},
    ):  # fmt: skip
        for name, value in settings.items():
            spark.conf.set(f"spark.sql.adaptive.{name}", value)
        try:
            assert_same(lc.spark.score(*people, MODEL, T, partitions=7), expected)
        finally:
            for name in settings:
                spark.conf.unset(f"spark.sql.adaptive.{name}")


def test_a_task_done_again(spark, people):
    """A task that fails once its answer is out is done again, to the same end: a partition's answer is a function of it."""

    def failing(batches):
        from pyspark import TaskContext

        batches = list(batches)
        if TaskContext.get().attemptNumber() == 0:
            raise OSError("the machine is taken away")
        yield from batches

    scores = lc.spark.score(*people, MODEL, T)
    assert_same(scores.mapInArrow(failing, scores.schema), SCORER.score(EVENTS, LEADS, as_of=T))


def test_faulty_rows_end_the_job(spark):
    """The error names lead and event: where a row stands in a partition says nothing."""
    events = [*EVENTS, {**EVENTS[0], "event_id": "e-7", "at": None}]
    with pytest.raises(Exception, match=r"events, column at is null \(lead '0', event 'e-7'\)"):
        lc.spark.score(frame(spark, events), None, MODEL, T, partitions=1).collect()


def test_wrong_columns_and_arguments(spark, people):
    """They are told at once, before anything is computed."""
    events, leads = people
    text = events.withColumn("lead_id", events["lead_id"].cast("string"))
    score = lc.spark.score
    circle = frame(spark, [{"lead_id": 1, "same_as": 2}, {"lead_id": 2, "same_as": 1}])
    told = {
        "events, column lead_id holds text, but the ids read before are integers": lambda: score(text, leads, MODEL, T),
        "events, column url is missing": lambda: score(events.drop("url"), leads, MODEL, T),
        "leads, column title is Boolean, where text is expected": lambda: score(None, leads.selectExpr("lead_id", "true title"), MODEL, T),
        "events, column url is interval: text, a number, .* is wanted": lambda: score(events.selectExpr("lead_id", "at", "type", "make_interval(1) url"), None, MODEL, T),
        "leads, column booked is missing": lambda: score(events, leads, MODEL, lc.column("booked")),
        "'noon' is not an ISO 8601 instant": lambda: score(events, leads, MODEL, "noon"),
        "as_of is an instant, .* or a Spark DataFrame .*, not list": lambda: score(events, leads, MODEL, [{"lead_id": 1, "as_of": T}]),
        "aliases, row 0, column same_as: '2' goes round in a circle: 1 -> 2|aliases, .*'1' goes round": lambda: score(events, leads, MODEL, T, aliases=circle),
        "aliases, column same_as is missing": lambda: score(events, leads, MODEL, T, aliases=circle.drop("same_as")),
        "events is a Spark DataFrame here, not list": lambda: score(EVENTS, leads, MODEL, T),
        "there are neither events nor leads": lambda: score(None, None, MODEL, T),
        "partitions is a whole number of at least 1, not 0": lambda: score(events, leads, MODEL, T, partitions=0),
        "threads is a whole number of at least 1, not 0": lambda: score(events, leads, MODEL, T, threads=0),
        "unknown_leads is 'score', 'error' or 'ignore', not 'guess'": lambda: score(events, leads, MODEL, T, unknown_leads="guess"),
        "scored by a leadcore.Model, not by Scorer": lambda: score(events, leads, SCORER, T),
        "the model 'w1' has no lifecycle": lambda: lc.spark.replay(events.selectExpr("*", "1.0 value"), None, w1_model(), T),
        "until: 'list' is not one instant": lambda: lc.spark.replay(events, leads, MODEL, []),
    }  # fmt: skip
    for pattern, call in told.items():
        with pytest.raises(lc.LeadcoreError, match=pattern):
            call()


NIGHTS = ["2026-03-04", "2026-03-06T12:00Z", "2026-03-08"]
FACTS = [
    [row for row in EVENTS if row["at"] <= DAY["tue"] and row["lead_id"] % 7] + [row for row in EVENTS if row["at"] == DAY["fri"]][:9],
    [row for row in EVENTS if row["at"] == DAY["wed"] or not row["lead_id"] % 7] + EVENTS[:5],
    [row for row in EVENTS if row["at"] >= DAY["thu"]],
]  # fmt: skip


def night(spark, ledgers, n, **options):
    """One night's rows taken in."""
    leads = frame(spark, LEADS[n::3])
    return lc.spark.apply(ledgers, frame(spark, FACTS[n]), leads, MODEL, NIGHTS[n], micropoints=True, **options)


def net(nights, name):
    """What was told in all, less what was withdrawn, without keys."""
    told = {}
    for tables in nights:
        for row in sorted(getattr(tables, name).toArrow().to_pylist(), key=lambda row: row["change"] == "new"):
            if row.pop("change") == "new":
                told[row.pop("key")] = row
            else:
                del told[row["key"]]
    return pa.Table.from_pylist(list(told.values()))


def test_nights(spark, tmp_path):
    """Three nights, with late, early and repeated events: as one replay over everything, to the last bit (spec 10.2)."""
    nights = [night(spark, None, 0, partitions=4)]
    nights.append(night(spark, nights[0].ledgers, 1))
    nights.append(night(spark, nights[1].ledgers, 2, partitions=4))
    events = [row for rows in FACTS for row in rows]
    replay = SCORER.replay(events, LEADS, until=NIGHTS[-1], micropoints=True)
    for name in ("transitions", "alerts"):
        expected = pa.Table.from_pylist([{**row} for row in getattr(replay, name).to_dicts()])
        keys = [(one, "ascending") for one in expected.column_names if one != "notify"]
        assert (
            net(nights, name).select(expected.column_names).sort_by(keys).to_pylist()
            == expected.sort_by(keys).to_pylist()
        )
    assert "withdrawn" in nights[1].transitions.toArrow()["change"].to_pylist()
    state = nights[-1].ledgers.toArrow().sort_by("partition").to_pylist()
    assert [row["partition"] for row in state] == [0, 1, 2, 3]
    books = []
    for row in state:
        path = tmp_path / str(row["partition"])
        path.write_bytes(row["ledger"])
        books.append(lc.Ledger.load(path, SCORER))
    scores = [row for book in books for row in book.score(T).to_dicts()]
    assert sorted(scores, key=lambda row: row["lead_id"]) == SCORER.score(events, LEADS, as_of=T, sort=True).to_dicts()
    assert all(len(book) > 5 for book in books)
    for tables in nights:
        tables.unpersist()


def test_late_facts(spark):
    """Facts older than the state keeps are handed back."""
    new, old = ([{**EVENTS[0], "event_id": one, "at": at}] for one, at in (("new", DAY["fri"]), ("old", DAY["mon"])))
    with lc.spark.apply(None, frame(spark, new), None, MODEL, T, late="1d", partitions=1) as first:
        second = lc.spark.apply(first.ledgers, frame(spark, old), None, MODEL, T, on_late="set_aside")
        late = second.late.toArrow().to_pylist()
        assert [(row["table"], row["lead_id"], row["at"].day, row["late_by"]) for row in late] == [
            ("events", 0, 2, "3d")
        ]


def test_wrong_states(spark, people):
    """A state is whole, and cut as it was."""
    events, leads = people
    state = frame(spark, [{"partition": i, "ledger": b"no ledger"} for i in (0, 1, 3)])
    told = {
        r"a state has its partitions from 0 on, each once, and not \[0, 1, 3\]": lambda: lc.spark.apply(state, events, leads, MODEL, T),
        "has 2 partitions, for ever: it cannot be taken as 3": lambda: lc.spark.apply(state.where("partition < 2"), events, leads, MODEL, T, partitions=3),
        "there are neither events nor leads": lambda: lc.spark.apply(state, None, None, MODEL, T),
        "late='1y'": lambda: lc.spark.apply(None, events, leads, MODEL, T, late="1y"),
        "until: 'noon' is not an ISO": lambda: lc.spark.apply(None, events, leads, MODEL, "noon"),
    }  # fmt: skip
    for pattern, call in told.items():
        with pytest.raises(lc.LeadcoreError, match=pattern):
            call()


def test_the_page(spark, tmp_path, monkeypatch, capsys):
    """What the page about Spark shows runs, block by block."""
    monkeypatch.chdir(tmp_path)
    names = {"spark": spark}
    for block in FENCE.finditer(PAGE.read_text("utf-8")):
        if block["language"] == "yaml":
            (tmp_path / "model.yaml").write_text(block["body"])
        elif block["language"] == "py":
            exec(block["body"], names)
    assert capsys.readouterr().out == "True\n"
    assert spark.table("scores").count() == 500
    assert spark.table("accounts").count() == 40
    assert spark.table("rejects").count() == 0
    assert spark.table("ledgers_0310").count() == 4
