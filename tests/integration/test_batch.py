"""Jobs from files to files: whatever way they take, whatever stops them, the same bytes."""

import json
import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import leadcore as lc
import leadcore.batch.job
import leadcore.batch.run
from leadcore.batch.manifest import NAME
from leadcore.batch.memory import LEAST, memory_of
from leadcore.cli import run
from leadcore.errors import DataError, LeadcoreError
from tools import crash_batch

UNTIL = "2026-10-01"
MODEL = lc.Model.from_yaml(crash_batch.MODEL)


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """Tables in CSV: a thousandth of the events are faulty, and one id is a word."""
    folder = tmp_path_factory.mktemp("tables")
    crash_batch.make_tables(folder, 8_000)
    return folder


def left(folder):
    """The bytes of every file."""
    files = sorted(file for file in Path(folder).rglob("*") if file.is_file())
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}


def score(tables, out, **options):
    """A job with all results."""
    out.mkdir()
    given = {"events": tables / "events-*.csv", "leads": tables / "leads.csv"} | options
    return lc.batch.score(
        MODEL, as_of=UNTIL, out=out / "scores.csv", rejects=out / "rejects.csv", accounts=out / "accounts.parquet",
        explanations=out / "explanations.parquet", **given,
    )  # fmt: skip


def replay(tables, out, **options):
    """A job with all results."""
    given = {"events": tables / "events-*.csv", "leads": tables / "leads.csv"} | options
    return lc.batch.replay(
        MODEL, until=UNTIL, out=out, rejects=out.with_suffix(".csv"), score_changes=True, format="jsonl", **given
    )


@pytest.mark.parametrize("partitions", [2, 7, 64])
def test_both_ways_end_in_the_same_bytes(tables, tmp_path, partitions):
    """Scores, explanations, accounts and rejects; transitions, spans, alerts, states and changes of scores."""
    whole = score(tables, tmp_path / "a")
    parts = score(tables, tmp_path / "b", partitions=partitions)
    assert left(tmp_path / "a") == left(tmp_path / "b") != {}
    assert parts.counts == whole.counts
    for name in ("scores", "explanations", "rejects"):
        assert parts.rows[name] == whole.rows[name]
    assert whole.counts.rejected["events"] > 3
    assert (whole.plan.partitions, parts.plan.partitions) == (1, partitions)
    assert parts.spilled > 0 == whole.spilled
    assert not (tmp_path / "b" / "scores.csv.work").exists()

    whole = replay(tables, tmp_path / "c")
    parts = replay(tables, tmp_path / "d", partitions=partitions)
    assert left(tmp_path / "c") == left(tmp_path / "d") != {}
    assert (tmp_path / "c.csv").read_bytes() == (tmp_path / "d.csv").read_bytes()
    assert parts.counts == whole.counts
    assert parts.standing == whole.standing
    assert parts.rows == whole.rows


def test_rejects_say_where_rows_stand(tables, tmp_path):
    """Each faulty row by file, row and line, though it went through a partition."""
    score(tables, tmp_path / "a", partitions=5)
    faulty = []
    for file in sorted(tables.glob("events-*.csv")):
        lines = enumerate(file.read_text().splitlines(), 1)
        faulty += [(str(file), number - 2, number) for number, line in lines if ",yesterday," in line]
    rejects = pl.read_csv(tmp_path / "a" / "rejects.csv")
    assert rejects.filter(pl.col("value") == "yesterday").select("file", "row", "line").rows() == faulty
    repeats = rejects.filter(pl.col("reason").str.starts_with("repeats an event_id"))
    assert len(repeats) + len(faulty) == len(rejects)
    places = {(file, row) for file, row in repeats.select("file", "row").rows()}
    others = {(text.rsplit(" of ", 1)[1], int(text.split(" than row ")[1].split(" ")[0])) for text in repeats["reason"]}
    assert others == places
    assert len({file for file, _ in places}) > 1


def test_errors_say_where_rows_stand_and_nothing_is_left(tables, tmp_path):
    """Without rejects a faulty row ends the job, by its place in the whole table."""
    with pytest.raises(DataError) as whole:
        lc.batch.score(MODEL, tables / "events-*.csv", as_of=UNTIL, out=tmp_path / "s.csv")
    with pytest.raises(DataError) as parts:
        lc.batch.score(MODEL, tables / "events-*.csv", as_of=UNTIL, out=tmp_path / "s.csv", partitions=4)
    assert {p.row for p in parts.value.problems} <= {p.row for p in whole.value.problems}
    assert parts.value.problems[0].column == "at"
    assert list(tmp_path.iterdir()) == []


def test_repeats_name_rows_of_the_whole_table(tmp_path):
    """An event_id told in two ways (spec 2.5): both rows, in the numbers of the file."""
    (tmp_path / "e.csv").write_text(
        "lead_id,at,type,event_id\n1,2026-01-01,call,a\n2,2026-01-01,call,b\n3,2026-01-01,call,c\n3,2026-01-02,call,c\n"
    )
    for partitions in (1, 8):
        done = lc.batch.score(
            MODEL, tmp_path / "e.csv", as_of=UNTIL, out=tmp_path / "s.csv", rejects=tmp_path / "r.csv",
            partitions=partitions,
        )  # fmt: skip
        rejects = pl.read_csv(tmp_path / "r.csv")
        assert rejects["row"].to_list() == [2, 3]
        assert [text.split()[-1] for text in rejects["reason"]] == ["3", "2"]
        assert done.counts.rejected == {"events": 2}


@pytest.mark.parametrize("word", ["", "someone,2026-05-01,call,e1\n", "someone,2026-05-01,unheard_of,e1\n"])
def test_untyped_ids_are_decided_for_all_partitions(tmp_path, word):
    """Ids of CSV are integers if all that count are; one word in one partition makes all of them text."""
    rows = "".join(f"{lead},2026-05-01,call,{lead if lead > 9 else ''}\n" for lead in (10, 9, 200, 30))
    (tmp_path / "e.csv").write_text(f"lead_id,at,type,event_id\n{rows}{word}")
    for partitions, name in ((1, "a"), (16, "b")):
        lc.batch.score(MODEL, tmp_path / "e.csv", as_of=UNTIL, out=tmp_path / f"{name}.parquet", partitions=partitions)
        lc.batch.replay(MODEL, tmp_path / "e.csv", until=UNTIL, out=tmp_path / name, partitions=partitions)
    assert left(tmp_path / "a") == left(tmp_path / "b")
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    ids = pq.read_table(tmp_path / "b.parquet")["lead_id"].to_pylist()
    assert ids == (["10", "200", "30", "9", "someone"] if "call" in word else [9, 10, 30, 200])


def test_records_of_one_person_meet(tmp_path):
    """Aliases (spec 2.8): chains end in one partition, and rejected rows of aliases are listed once."""
    events = [{"lead_id": f"r{i}", "at": "2026-05-01", "type": "call", "points": None, "url": None} for i in range(40)]
    pq.write_table(pa.Table.from_pylist(events), tmp_path / "e.parquet")
    chain = "".join(f"r{i},r{i + 1}\n" for i in range(0, 38, 2)) + "r39,r0\n,r5\n"
    (tmp_path / "a.csv").write_text(f"lead_id,same_as\n{chain}")
    (tmp_path / "start.csv").write_text("lead_id,stage,entered_at\nr3,warm,2026-04-01\nr39,cold,2026-04-02\n")
    for partitions, name in ((1, "one"), (9, "many")):
        lc.batch.replay(
            MODEL, tmp_path / "e.parquet", until=UNTIL, out=tmp_path / name, aliases=tmp_path / "a.csv",
            start=tmp_path / "start.csv", rejects=tmp_path / f"{name}.csv", partitions=partitions,
        )  # fmt: skip
    assert left(tmp_path / "one") == left(tmp_path / "many")
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "many.csv").read_bytes()
    assert len(pl.read_csv(tmp_path / "many.csv")) == 1
    states = pl.read_parquet(tmp_path / "many" / "states.parquet")
    assert len(states) == 20

    (tmp_path / "a.csv").write_text("lead_id,same_as\nr1,r2\nr2,r1\n")
    with pytest.raises(DataError, match="goes round in a circle"):
        lc.batch.score(
            MODEL, tmp_path / "e.parquet", as_of=UNTIL, out=tmp_path / "s.csv", aliases=tmp_path / "a.csv", partitions=3
        )
    assert not (tmp_path / "s.csv.work").exists()


def test_partitions_may_stay(tables, tmp_path):
    """A folder of partitions holds what one file would; a later job clears it first."""
    done = lc.batch.score(
        MODEL, tables / "events-*.csv", tables / "leads.csv", as_of=UNTIL, out=tmp_path / "s", partitions=3,
        partitioned=True, rejects=tmp_path / "r.csv",
    )  # fmt: skip
    lc.batch.score(
        MODEL, tables / "events-*.csv", tables / "leads.csv", as_of=UNTIL, out=tmp_path / "s.parquet",
        rejects=tmp_path / "r.csv",
    )  # fmt: skip
    assert [Path(file).name for file in done.files["scores"]] == [f"part-0000{i}.parquet" for i in range(3)]
    assert pl.read_parquet(tmp_path / "s").sort("lead_id").equals(pl.read_parquet(tmp_path / "s.parquet"))
    lc.batch.score(
        MODEL, tables / "events-*.csv", as_of=UNTIL, out=tmp_path / "s", partitioned=True, rejects=tmp_path / "r.csv"
    )
    assert [file.name for file in (tmp_path / "s").iterdir()] == ["part-00000.parquet"]


def test_queries_are_tables(tables, tmp_path):
    """DuckDB over a file of its own, over files, SQLite, and the name of a table."""
    with duckdb.connect(str(tmp_path / "crm.db")) as crm:
        crm.execute(f"create table e as from read_csv('{tables / 'events-*.csv'}', all_varchar = true)")
        crm.execute(f"create table l as from read_csv('{tables / 'leads.csv'}', all_varchar = true)")
    lite = sqlite3.connect(tmp_path / "crm.sqlite")
    rows = pl.read_csv(tables / "events-*.csv", infer_schema=False)
    lite.execute(f"create table e ({', '.join(f'{name} text' for name in rows.columns)})")
    lite.executemany(f"insert into e values ({', '.join('?' * len(rows.columns))})", rows.rows())
    lite.commit()
    lite.close()
    # Numbers that are text in a database are no numbers (spec 2.7): say so in the query.
    numbers = 'lead_id, "at", type, cast(points as double) as points, url, event_id'
    repeated = rows.filter(pl.col("event_id").is_duplicated() & pl.col("event_id").is_not_null())["event_id"].unique()
    told = ", ".join(f"'{one}'" for one in sorted(repeated))
    where = f"\"at\" <> 'yesterday' and event_id not in ({told})"
    leads = f"duckdb:{tmp_path / 'crm.db'}#l"
    queries = {
        "duckdb": f"duckdb:{tmp_path / 'crm.db'}#select {numbers} from e where {where}",
        "files": f"duckdb:#select {numbers} from read_csv('{tables / 'events-*.csv'}', all_varchar = true) where {where}",
        "sqlite": f"sqlite:{tmp_path / 'crm.sqlite'}#select {numbers} from e where {where}",
    }
    seen = set()
    for name, query in queries.items():
        for partitions in (1, 4):
            out = tmp_path / f"{name}{partitions}.csv"
            lc.batch.score(MODEL, query, leads, as_of=UNTIL, out=out, partitions=partitions)
            seen.add(out.read_bytes())
    assert len(seen) == 1
    good = rows.filter((pl.col("at") != "yesterday") & ~pl.col("event_id").is_in(repeated.implode()).fill_null(False))
    expected = lc.Scorer(MODEL).score(
        good.with_columns(pl.col("points").cast(float)), pl.read_csv(tables / "leads.csv", infer_schema=False),
        as_of=UNTIL, sort=True,
    )  # fmt: skip
    assert pl.read_csv(seen.pop(), schema_overrides={"lead_id": pl.String}).equals(expected.to_polars())


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("duckdb:nowhere.db#select 1", "there is no file nowhere.db"),
        ("duckdb:#", "events: write duckdb:...#select ..., or #NAME for a whole table"),
        ("duckdb:#select * from nowhere", "the query failed: .*nowhere"),
        ("duckdb:#select 1 as lead_id", "at is missing"),
    ],
)
def test_queries_that_cannot_be_run(tmp_path, query, told):
    """The error names the query's fault."""
    with pytest.raises(LeadcoreError, match=told):
        lc.batch.score(MODEL, query, as_of=UNTIL, out=tmp_path / "s.csv")
    assert list(tmp_path.iterdir()) == []


def test_addresses_are_read_by_duckdb(tmp_path):
    """A file elsewhere, by its address: Parquet, CSV and JSON lines."""
    rows = [{"lead_id": 7, "at": "2026-05-01", "type": "call"}, {"lead_id": 8, "at": "2026-05-02", "type": "call"}]
    frame = pl.DataFrame(rows)
    frame.write_parquet(tmp_path / "e.parquet")
    frame.write_csv(tmp_path / "e.csv")
    frame.write_ndjson(tmp_path / "e.jsonl")
    seen = set()
    for name in ("e.parquet", "e.csv", "e.jsonl"):
        lc.batch.score(MODEL, f"file://{tmp_path}/{name}", as_of=UNTIL, out=tmp_path / "s.csv", partitions=2)
        seen.add((tmp_path / "s.csv").read_text())
    assert seen == {"lead_id,interest,hot\n7,7.0,false\n8,7.0,false\n"}


def test_queries_on_the_command_line(tables, tmp_path, capsys):
    """A query where a file is asked for; what is wrong with it is told; no password is kept."""
    query = f"duckdb:#select lead_id, \"at\", type from read_csv('{tables / 'events-*.csv'}', all_varchar = true)"
    arguments = ["score", str(tables / "model.yaml"), "--as-of", UNTIL, "--out", str(tmp_path / "s.csv"), "--events"]
    assert run([*arguments, query]) == 3
    told = capsys.readouterr().err
    assert "events, row" in told
    assert "column at: 'yesterday' is not an instant" in told
    assert run([*arguments, "duckdb:#select nothing from nowhere"]) == 3
    assert "leadcore: --events: the query failed: Catalog Error" in capsys.readouterr().err
    with pytest.raises(DataError, match="the query failed") as caught:
        lc.batch.score(MODEL, "postgresql://me:secret@127.0.0.1:1/db#select 1", as_of=UNTIL, out=tmp_path / "s.csv")
    assert "secret" not in str(caught.value)


def test_the_benchmark_runs(tmp_path, monkeypatch, capsys):
    """A short form of `benchmarks/batch.py`: jobs, a peer whose scores agree, and growth."""
    from benchmarks import batch

    monkeypatch.setattr(batch, "DATA", tmp_path)
    found = batch.measure([20_000], "1GB", ["duckdb"])
    told = batch.show(found)
    assert [line.split()[1] for line in told.splitlines()[2:5]] == ["score", "replay", "duckdb"]
    assert found["runs"]["20000"]["score"]["rows"]["scores"] == 1000
    assert found["runs"]["20000"]["peers"]["duckdb"]["points"] < 1e-4
    more = batch.with_leads(batch.make(2_000), 500)
    assert (
        len(more.leads) == 500 == len(set(more.events["lead_id"].to_pylist()) | set(more.leads["lead_id"].to_pylist()))
    )


def test_memory_decides_the_way(tables, tmp_path):
    """What fits is folded in memory; what does not is cut, into more partitions for less memory."""
    sizes = {"2GB": 2 * 10**9, "1.5 GiB": 3 * 2**29, "800MB": 8 * 10**8, "300m": 3 * 10**8, 10**9: 10**9}
    assert {text: memory_of(text) for text in sizes} == sizes
    assert memory_of(None) >= LEAST
    for wrong in ("lots", "-1GB", "1PB", True, "10MB"):
        with pytest.raises(LeadcoreError, match="memory"):
            memory_of(wrong)
    plans = []
    rows = pa.table({"lead_id": [1], "at": ["2026-01-01"], "type": ["call"], "points": [1.0], "url": [""]})
    pq.write_table(pa.concat_tables([rows] * 4), tmp_path / "e.parquet")
    task = lc.batch.run.ScoreTask(lc.batch.run._options(MODEL, UNTIL, "as_of", None, "score", None, False))
    for events in (10**6, 10**8, 10**10):
        needed = task.bytes_needed(events, events // 20, False)
        plans.append(lc.batch.run.plan_of(10**9, events, needed, None))
    assert [plan.spills for plan in plans] == [False, True, True]
    assert plans[1].partitions < plans[2].partitions
    assert str(plans[1]).startswith("partition and spill: about 100,000,000 rows need ")
    assert str(plans[0]).startswith("fold in memory: about 1,000,000 rows need ")


def test_a_job_that_was_canceled_goes_on(tables, tmp_path):
    """Whole partitions stay, and the job that goes on ends as one that nobody disturbed."""
    score(tables, tmp_path / "a")
    seen = []

    def progress(told):
        seen.append(told)

    with pytest.raises(lc.batch.Canceled, match="can be resumed"):
        score(
            tables, tmp_path / "b", partitions=6, progress=progress,
            cancel=lambda: bool(seen) and seen[-1].stage == "run" and seen[-1].partitions >= 3,
        )  # fmt: skip
    work = tmp_path / "b" / "scores.csv.work"
    manifest = json.loads((work / NAME).read_text())[1]
    assert len(manifest["done"]) == 3
    assert [told.stage for told in seen] == sorted((told.stage for told in seen), key=("split", "run").index)
    (tmp_path / "b").rename(tmp_path / "gone")
    with pytest.raises(LeadcoreError, match="cannot go on, it is another one: results"):
        score(tables, tmp_path / "c", partitions=6, resume=True, work=tmp_path / "gone" / "scores.csv.work")
    (tmp_path / "gone").rename(tmp_path / "b")
    given = {"events": tables / "events-*.csv", "leads": tables / "leads.csv", "as_of": UNTIL}
    names = {"rejects": "rejects.csv", "accounts": "accounts.parquet", "explanations": "explanations.parquet"}
    files = {name: tmp_path / "b" / file for name, file in names.items()} | {"out": tmp_path / "b" / "scores.csv"}
    changed = tmp_path / "other.csv"
    changed.write_bytes((tables / "events-1.csv").read_bytes() + b"7,2026-05-01,call,,,\n")
    for wrong, what in (
        ({"as_of": "2026-10-02"}, "instant"),
        ({"events": changed}, "inputs.events"),
        ({"unknown_leads": "ignore"}, "unknown_leads"),
        ({"model": lc.Model.from_yaml(crash_batch.MODEL.replace("points: 7", "points: 8"))}, "model"),
    ):
        with pytest.raises(LeadcoreError, match=f"cannot go on, it is another one: {what}"):
            lc.batch.score(**({"model": MODEL} | given | files | wrong), partitions=6, resume=True)
    done = lc.batch.score(MODEL, **given, **files, partitions=6, resume=True)
    assert done.resumed == 3
    assert left(tmp_path / "a") == left(tmp_path / "b")


def test_work_folders_are_kept_apart(tables, tmp_path):
    """A folder of somebody else's is not touched, nor one where another process is at work."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    with pytest.raises(LeadcoreError, match="is not empty and no work folder of a job"):
        score(tables, tmp_path / "a", partitions=2, work=tmp_path / "mine")
    assert left(tmp_path / "mine") == {"notes.txt": b"mine"}

    told = []

    def meanwhile(progress):
        if not told:
            with pytest.raises(LeadcoreError, match="another process is at work in"):
                score(tables, tmp_path / "c", partitions=2, work=tmp_path / "work")
            told.append(progress)

    score(tables, tmp_path / "b", partitions=2, work=tmp_path / "work", progress=meanwhile)
    assert told


def test_stopped_jobs_of_the_command_line_go_on(tmp_path):
    """A short form of `tools/crash_batch.py`: jobs killed at random instants end byte for byte as undisturbed ones."""
    tables = tmp_path / "tables"
    tables.mkdir()
    crash_batch.make_tables(tables, 20_000)
    assert crash_batch.kill(tables, tmp_path, 4, seed=3).total() >= 4


def test_full_disks_of_the_command_line(tmp_path):
    """A short form likewise: a disk that is full at a random point, then has room again."""
    tables = tmp_path / "tables"
    tables.mkdir()
    crash_batch.make_tables(tables, 20_000)
    (tmp_path / "try").mkdir()
    tried = subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(tmp_path / "try")], capture_output=True, check=False)
    if tried.returncode:
        pytest.skip("a small file system cannot be mounted here")
    subprocess.run(["umount", str(tmp_path / "try")], check=True)
    assert crash_batch.full(tables, tmp_path, 2, seed=1).total() >= 2


def test_schedulers_get_lines_of_json(tables, tmp_path):
    """The plan, progress and the end; an interrupt ends a job that can go on."""
    command = [
        sys.executable, "-m", "leadcore.cli", "score", str(tables / "model.yaml"), "--events", str(tables / "events-*.csv"),
        "--as-of", UNTIL, "--out", str(tmp_path / "s.csv"), "--partitions", "3", "--log-format", "json",
    ]  # fmt: skip
    ended = subprocess.run([*command, "--rejects", str(tmp_path / "r.csv")], capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in ended.stderr.splitlines()]
    assert lines[0]["event"] == "plan"
    assert lines[0]["way"] == "partition"
    assert {line["stage"] for line in lines[1:-1]} == {"split", "run", "merge"}
    assert lines[-1]["event"] == "done"
    assert lines[-1]["rows"]["rejects"] == lines[-1]["counts"]["rejected"]["events"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 3
    errors = [
        line for line in map(json.loads, re.findall(r"^{.*", ended.stderr, re.MULTILINE)) if line["event"] == "error"
    ]
    assert [line["code"] for line in errors] == [3]


def test_an_interrupt_leaves_what_can_go_on(tmp_path):
    """Ctrl-C: exit 130, and --resume ends as an undisturbed job."""
    tables = tmp_path / "tables"
    tables.mkdir()
    crash_batch.make_tables(tables, 60_000)
    (tmp_path / "whole").mkdir()
    (tmp_path / "out").mkdir()
    crash_batch.finish("score", tables, tmp_path / "whole")
    job = crash_batch.start("score", tables, tmp_path / "out")
    work = tmp_path / "out" / "s.parquet.work" / NAME
    while not work.exists() and job.poll() is None:
        time.sleep(0.01)
    os.kill(job.pid, signal.SIGINT)
    _, told = job.communicate()
    assert (job.returncode, told) == (130, "leadcore: stopped\nwhat was done stays: go on with --resume\n")
    crash_batch.finish("score", tables, tmp_path / "out")
    assert crash_batch.left(tmp_path / "out") == crash_batch.left(tmp_path / "whole")


@pytest.mark.parametrize("row", ["word,never,other", "word,,open", "word,2026-01-01,"])
def test_faulty_rows_tell_what_ids_are(tmp_path, row):
    """A rejected row makes a lead too (spec 2.6), and a word there makes all ids text in all partitions."""
    (tmp_path / "e.csv").write_text("lead_id,at,type\n" + "".join(f"{i},2026-01-01,call\n" for i in range(6)) + row)
    seen = []
    for partitions in (1, 4):
        lc.batch.score(
            MODEL, tmp_path / "e.csv", as_of=UNTIL, out=tmp_path / "s.parquet", rejects=tmp_path / "r.parquet",
            partitions=partitions,
        )  # fmt: skip
        seen.append([(tmp_path / name).read_bytes() for name in ("s.parquet", "r.parquet")])
    assert seen[0] == seen[1]
    assert pq.read_table(tmp_path / "s.parquet").schema.field("lead_id").type == pa.string()


def test_a_column_without_values_decides_nothing(tmp_path):
    """Lead ids of type null, of an export without rows, beside words in CSV."""
    none = pa.table({"lead_id": pa.nulls(0), "at": pa.array([], pa.timestamp("us")), "type": pa.array([], pa.string())})
    pq.write_table(none, tmp_path / "e.parquet")
    (tmp_path / "l.csv").write_text("lead_id,account_id\n1,7\n2,\nword,x\n")
    seen = []
    for partitions in (1, 4):
        done = lc.batch.score(
            MODEL, tmp_path / "e.parquet", tmp_path / "l.csv", as_of=UNTIL, out=tmp_path / "s.parquet",
            accounts=tmp_path / "a.parquet", partitions=partitions,
        )  # fmt: skip
        seen.append([(tmp_path / name).read_bytes() for name in ("s.parquet", "a.parquet")])
        assert done.rows == {"scores": 3, "accounts": 2, "rejects": 0}
    assert seen[0] == seen[1]


def test_texts_that_look_like_rows_stay(tmp_path):
    """A reason may quote the table: what says "row" there is no row."""
    lines = ['"row 77777"', '"than row 1"', '{"lead_id": 3, "at": "2026-01-01", "type": "call"}']
    (tmp_path / "e.jsonl").write_text("\n".join(lines))
    seen = []
    for partitions in (1, 4):
        lc.batch.score(
            MODEL, tmp_path / "e.jsonl", as_of=UNTIL, out=tmp_path / "s.csv", rejects=tmp_path / "r.csv",
            partitions=partitions,
        )  # fmt: skip
        seen.append((tmp_path / "r.csv").read_bytes())
    assert seen[0] == seen[1]
    assert b"77777" in seen[0]


def test_no_result_costs_another_file(tables, tmp_path):
    """Results over inputs, over each other, among partitions, or where nothing can be: refused before anything is read."""
    events = tmp_path / "ev"
    events.mkdir()
    pq.write_table(pa.table({"lead_id": [1], "at": ["2026-01-01"], "type": ["call"]}), events / "part-00000.parquet")
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "part-of-my-life.docx").write_text("mine")
    (tmp_path / "w").mkdir()
    before = left(tmp_path)
    for given, told in (
        ({"out": events, "partitioned": True}, "scores would be written over events"),
        ({"out": events / "part-00000.parquet"}, "scores would be written over events"),
        ({"out": tmp_path / "s.csv", "rejects": tmp_path / "s.csv"}, "scores would be written over rejects"),
        ({"out": tmp_path / "w" / "s.csv", "work": tmp_path / "w"}, "give another work folder"),
        ({"out": tmp_path / "s.csv", "work": events}, "lies in the work folder"),
        ({"out": tmp_path / "no" / "where" / "s.csv"}, "there is no directory"),
        ({"out": tmp_path / "s.csv", "rejects": tmp_path / "w.csv" / "x" / "r.csv"}, "there is no directory"),
        ({"out": tmp_path / "w"}, "one of .parquet, .csv, .jsonl"),
    ):
        with pytest.raises(LeadcoreError, match=re.escape(told)):
            lc.batch.score(MODEL, events, as_of=UNTIL, partitions=2, **given)
    assert left(tmp_path) == before
    lc.batch.score(MODEL, events, as_of=UNTIL, out=tmp_path / "s", partitioned=True, partitions=2)
    assert sorted(file.name for file in (tmp_path / "s").iterdir()) == [
        "part-00000.parquet", "part-00001.parquet", "part-of-my-life.docx",
    ]  # fmt: skip
    (tmp_path / "link.csv").symlink_to(tmp_path / "target.csv")
    lc.batch.score(MODEL, events, as_of=UNTIL, out=tmp_path / "link.csv", partitions=2)
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "target.csv").exists()


def test_partitions_on_the_command_line_twice(tables, tmp_path, capsys):
    """The second night finds the folder of the first."""
    arguments = ["score", str(tables / "model.yaml"), "--leads", str(tables / "leads.csv"), "--as-of", UNTIL]
    for _ in range(2):
        assert run([*arguments, "--out", str(tmp_path / "s"), "--partitioned", "--partitions", "2"]) == 0
    assert len(list((tmp_path / "s").iterdir())) == 2
    assert run([*arguments, "--out", str(tmp_path / "s.csv"), "--memory", "lots"]) == 2
    assert "--memory: memory is a size such as 2GB" in capsys.readouterr().err


def test_rows_that_need_more_than_expected_are_cut(tmp_path, monkeypatch):
    """Folding in memory ends where the budget does, and the job goes the other way, to the same bytes."""
    rows = 400_000
    frame = pl.DataFrame({"lead_id": range(rows), "at": ["2026-01-01"] * rows, "type": ["call"] * rows})
    frame.write_parquet(tmp_path / "e.parquet")
    plans = []
    lc.batch.score(MODEL, tmp_path / "e.parquet", as_of=UNTIL, out=tmp_path / "a.parquet", plan=plans.append)
    monkeypatch.setattr(lc.batch.job, "resident_memory", lambda: 10**12)
    done = lc.batch.score(MODEL, tmp_path / "e.parquet", as_of=UNTIL, out=tmp_path / "b.parquet", plan=plans.append)
    assert [plan.spills for plan in plans] == [False, False, True]
    assert str(done.plan).startswith("partition and spill: rows need more than expected and than ")
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_what_a_caller_raises_is_raised(tables, tmp_path):
    """While tables are cut and while leads are scored; the job can go on."""
    score(tables, tmp_path / "a")
    for stage in ("split", "run"):

        def progress(told, stage=stage):
            if told.stage == stage and told.rows:
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            score(tables, tmp_path / stage, partitions=3, progress=progress)
        assert (tmp_path / stage / "scores.csv.work" / NAME).exists()


def test_work_that_is_lost_or_damaged(tables, tmp_path):
    """Parts that are gone, partitions that cannot be read, a manifest that is none: each says what to do."""
    seen = []

    def stopped(out):
        with pytest.raises(lc.batch.Canceled):
            score(
                tables,
                out,
                partitions=4,
                progress=seen.append,
                cancel=lambda: seen[-1:] != [] and seen[-1].partitions == 2,
            )
        seen.clear()
        return out / "scores.csv.work"

    def again(out):
        names = {"rejects": "rejects.csv", "accounts": "accounts.parquet", "explanations": "explanations.parquet"}
        files = {name: out / file for name, file in names.items()}
        lc.batch.score(
            MODEL, tables / "events-*.csv", tables / "leads.csv", as_of=UNTIL, out=out / "scores.csv", resume=True,
            partitions=4, **files,
        )  # fmt: skip

    work = stopped(tmp_path / "a")
    (work / "parts" / "scores-00001.parquet").unlink()
    with pytest.raises(LeadcoreError, match=r"scores-00001.parquet is gone: remove .* and start again"):
        again(tmp_path / "a")
    work = stopped(tmp_path / "b")
    (work / "split" / "events-00003.parquet").write_bytes(b"PAR1")
    with pytest.raises(LeadcoreError, match="is damaged: remove the folder and start again"):
        again(tmp_path / "b")
    assert (work / NAME).exists()
    for text in ("{}", "[1, {}]", '[1, {"job": {}, "partitions": "x"}]', "", "[2"):
        (work / NAME).write_text(text)
        with pytest.raises(LeadcoreError, match=r"manifest.json is damaged: remove .* and start again"):
            again(tmp_path / "b")
    # killed while the folder was being removed: the lock is the last to go
    for file in (work / "parts").iterdir():
        file.unlink()
    (work / NAME).unlink()
    again(tmp_path / "b")
    assert not work.exists()


def test_random_tables_both_ways(tmp_path):
    """Ids of every kind, faulty rows, accounts, aliases, in one file or several: partitions leave the bytes of one run."""
    for seed in range(24):
        draw = random.Random(seed)
        folder = tmp_path / str(seed)
        folder.mkdir()
        ids = draw.choice(([str(i) for i in range(30)], [f"l{i}" for i in range(30)], [*map(str, range(29)), "word"]))
        for name in ("e1", "e2"):
            rows = [
                f"{draw.choice(ids)},{draw.choice(('2026-03-01', '2026-05-02', '', 'never'))}"
                f",{draw.choice(('visit', 'call', 'open', ''))},{draw.choice(('1', '', 'x'))},/price,"
                f"{draw.choice(('', 'e', str(draw.randrange(9))))}\n"
                for _ in range(draw.choice((0, 5, 60)))
            ]
            (folder / f"{name}.csv").write_text("lead_id,at,type,points,url,event_id\n" + "".join(rows))
        leads = [f"{lead},{draw.choice(('', 'a', '7'))}\n" for lead in draw.sample(ids, draw.choice((0, 3, 20)))]
        (folder / "l.csv").write_text("lead_id,account_id\n" + "".join(leads))
        same = draw.choice(("", f"{ids[3]},{ids[4]}\n{ids[4]},{ids[5]}\n"))
        (folder / "a.csv").write_text(f"lead_id,same_as\n{same}")
        given = {"aliases": folder / "a.csv", "unknown_leads": draw.choice(("score", "ignore"))}
        for partitions, out in ((1, folder / "one"), (draw.randint(2, 9), folder / "many")):
            out.mkdir()
            lc.batch.score(
                MODEL, [folder / "e1.csv", folder / "e2.csv"], folder / "l.csv", as_of=UNTIL, out=out / "s.parquet",
                rejects=out / "r.parquet", accounts=out / "a.parquet", partitions=partitions, **given,
            )  # fmt: skip
            lc.batch.replay(
                MODEL, [folder / "e1.csv", folder / "e2.csv"], folder / "l.csv", until=UNTIL, out=out / "tables",
                rejects=out / "r2.parquet", score_changes=True, partitions=partitions, **given,
            )  # fmt: skip
        assert left(folder / "one") == left(folder / "many"), seed
