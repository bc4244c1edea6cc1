"""The commands on small files: formats in and out, streams, exit codes, rejects."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import json
import os
import pty
import shlex
import subprocess
import sys

import polars as pl
import pytest

import leadcore as lc
from leadcore.presets import PRESETS
from tests.integration.cli_files import EVENTS, LEADS

FILES = "--leads leads.csv --events events.csv --as-of 2026-06-01"

SCORES = [
    {"lead_id": 1, "fit": 0.0, "interest": 0.0, "interest_grade": "B", "hot": False},
    {"lead_id": 2, "fit": 20.0, "interest": 0.0, "interest_grade": "B", "hot": False},
    {"lead_id": 3, "fit": 30.0, "interest": 35.0, "interest_grade": "A", "hot": True},
    {"lead_id": 9, "fit": 0.0, "interest": 6.729501, "interest_grade": "B", "hot": False},
]
"""What `model.yaml` says of `leads.csv` and `events.csv`; the pricing page is worth half after a week."""


def shown(frame):
    """The columns of SCORES, without the total."""
    return [{name: row[name] for name in SCORES[0]} for row in frame.to_dicts()]


def command_line(line, **options):
    """The command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "leadcore.cli", *shlex.split(line)], capture_output=True, check=False, **options
    )


def test_score_sorts_by_lead_and_says_where_rows_went(leadcore):
    """One row per lead, sorted by id, though the leads table is not; counts add up."""
    ended = leadcore(f"score model.yaml {FILES} --out s.csv")

    assert ended.code == 0, ended.err
    assert ended.out == ""
    frame = pl.read_csv("s.csv")
    assert frame.columns == ["lead_id", "fit", "interest", "total", "interest_grade", "hot"]
    assert [round(row["interest"], 6) for row in frame.to_dicts()][2] == 35.0
    assert shown(frame) == SCORES
    assert ended.err == (
        "fold in memory: about 9 rows need less than 1 MB\n"
        "4 leads scored as of 2026-06-01\n"
        "9 rows in = 7 used + 2 ignored + 0 rejected\n"
        "ignored, of event types the model does not declare: Page_View 1 (did you mean page_view?), chat 1\n"
        "1 events after 2026-06-01 do not count yet\n"
    )


@pytest.mark.parametrize("out", ["s.parquet", "s.csv", "s.jsonl", "s.ndjson"])
@pytest.mark.parametrize("events", ["events.csv", "events.csv.gz", "e.parquet", "e.jsonl"])
def test_formats(leadcore, events, out):
    """Whatever the files' formats, the same scores."""
    frame = pl.read_csv("events.csv").with_columns(pl.col("at").str.to_datetime(time_zone="UTC"))
    frame.write_parquet("e.parquet")
    frame.with_columns(pl.col("at").dt.strftime("%Y-%m-%dT%H:%M:%SZ")).write_ndjson("e.jsonl")

    ended = leadcore(f"score model.yaml --leads leads.csv --events {events} --as-of 2026-06-01 --out {out} --quiet")

    assert (ended.code, ended.err) == (0, "")
    read = {"s.parquet": pl.read_parquet, "s.csv": pl.read_csv}.get(out, pl.read_ndjson)
    assert shown(read(out)) == SCORES


def test_without_leads(leadcore):
    """Leads known only from events have all attributes null."""
    assert leadcore("score model.yaml --events events.csv --as-of 2026-06-01 --out s.csv").code == 0

    assert [(row["lead_id"], row["fit"]) for row in pl.read_csv("s.csv").to_dicts()] == [(3, 0.0), (9, 0.0)]


def test_without_events(leadcore):
    """Leads without a table of events are scored by what they are."""
    assert leadcore("score model.yaml --leads leads.csv --as-of 2026-06-01 --out s.csv").code == 0

    assert [row["total"] for row in pl.read_csv("s.csv").to_dicts()] == [0.0, 20.0, 30.0]


def test_unknown_leads_ignored(leadcore):
    """They are left out and counted."""
    ended = leadcore(f"score model.yaml {FILES} --out s.csv --unknown-leads ignore")

    assert [row["lead_id"] for row in pl.read_csv("s.csv").to_dicts()] == [1, 2, 3]
    assert "1 leads known only from events were left out" in ended.err


def test_columns_and_aliases(leadcore):
    """Names are mapped; two records of one person are one."""
    ended = leadcore(
        "score model.yaml --leads leads.csv --events renamed.csv --as-of 2026-06-01 --out s.csv --aliases same.csv"
        " --columns events.lead_id=contact --columns events.at=when --columns type=what"
    )

    assert ended.code == 0, ended.err
    rows = pl.read_csv("s.csv").to_dicts()
    assert [row["lead_id"] for row in rows] == [1, 2, 3]
    assert rows[2]["interest"] == pytest.approx(35.0 + 6.729501)


def test_micropoints_accounts_and_explanations(leadcore):
    """The further tables go where they are asked to."""
    ended = leadcore(
        f"score model.yaml {FILES} --out s.parquet --micropoints --accounts a.csv --explanations e.jsonl --threads 2"
    )

    assert ended.code == 0, ended.err
    scores = pl.read_parquet("s.parquet")
    assert scores["interest"].to_list() == [0, 0, 35_000_000, 6_729_501]
    assert pl.read_csv("a.csv").to_dicts() == [{"account_id": "acme", "heat": 65_000_000}]
    lines = pl.read_ndjson("e.jsonl")
    sums = lines.group_by("lead_id", "score").agg(pl.col("micropoints").sum())
    found = {(row["lead_id"], row["score"]): row["micropoints"] for row in sums.to_dicts()}
    assert found[3, "total"] == scores["total"].to_list()[2]
    assert lines["lead_id"].to_list() == sorted(lines["lead_id"].to_list())


def test_rejects(leadcore, folder):
    """Faulty rows go to a file with table, row, column, value and reason; the run goes on; the counts add up."""
    ended = leadcore(
        "score model.yaml --leads leads.csv --events faulty.csv --as-of 2026-06-01 --out s.csv --rejects r.csv"
    )

    assert ended.code == 0, ended.err
    rejects = pl.read_csv("r.csv").to_dicts()
    assert [(r["table"], r["row"], r["column"]) for r in rejects] == [
        ("events", 6, "at"),
        ("events", 7, "lead_id"),
        ("events", 8, None),
    ]
    assert rejects[0]["value"] == "yesterday"
    assert "12 rows in = 7 used + 2 ignored + 3 rejected" in ended.err
    assert "rejected: 3 of events; see r.csv" in ended.err
    rejected = {row["lead_id"]: row["rejected_rows"] for row in pl.read_csv("s.csv").to_dicts()}
    assert rejected[1] > 0
    assert rejected[3] == 0


def test_nothing_is_written_when_a_run_fails(leadcore, folder):
    """What was there before is there afterwards, to the byte."""
    (folder / "s.csv").write_text("yesterday's")

    ended = leadcore("score model.yaml --events faulty.csv --as-of 2026-06-01 --out s.csv --explanations e.csv")

    assert ended.code == 3
    assert (folder / "s.csv").read_text() == "yesterday's"
    assert not (folder / "e.csv").exists()


def test_empty_and_null_text_in_csv(leadcore, folder):
    """An empty field is null, a quoted empty one is text (spec 12); instants are written with Z."""
    (folder / "m.yaml").write_text(
        "{leadcore: 1, name: m, attributes: {t: text}, scores: {s: {criteria: [{name: c, kind: attribute,"
        " when: {field: t, op: exists, value: true}, points: 1}]}}}"
    )
    (folder / "l.csv").write_text('lead_id,t\na,\nb,""\nc,x\n')

    assert leadcore("score m.yaml --leads l.csv --as-of 2026-06-01 --out s.csv -q").code == 0

    assert (folder / "s.csv").read_text() == "lead_id,s\na,0.0\nb,1.0\nc,1.0\n"


def test_standard_streams(folder):
    """Tables through pipes, with counts on stderr only."""
    ended = command_line(
        "score model.yaml --leads leads.csv --events - --as-of 2026-06-01 --out - --format csv",
        input=EVENTS.encode(),
    )

    assert ended.returncode == 0, ended.stderr
    rows = list(csv.DictReader(ended.stdout.decode().splitlines()))
    assert [row["lead_id"] for row in rows] == ["1", "2", "3", "9"]
    assert b"4 leads scored" in ended.stderr


def test_a_reader_that_has_seen_enough(folder):
    """A broken pipe ends the command without a word."""
    (folder / "many.csv").write_text(
        "lead_id,job_title,employees,company\n" + "".join(f"{i},,,\n" for i in range(200_000))
    )
    line = (
        f"{sys.executable} -m leadcore.cli score model.yaml --leads many.csv --as-of 2026-06-01 --out - --format csv -q"
    )

    ended = subprocess.run(["bash", "-c", f"{line} | head -n 1"], capture_output=True, check=False)

    assert ended.stdout == b"lead_id,fit,interest,total,interest_grade,hot\n"
    assert ended.stderr == b""


def test_a_bar_only_on_a_terminal(folder):
    """On a terminal stderr shows how far reading is."""
    theirs, ours = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80"}
    line = shlex.split(f"score model.yaml {FILES} --out s.csv")

    ended = subprocess.run([sys.executable, "-m", "leadcore.cli", *line], stderr=ours, env=environment, check=False)

    os.close(ours)
    told = b""
    try:
        while block := os.read(theirs, 65536):
            told += block
    except OSError:  # the end of a terminal
        pass
    os.close(theirs)
    assert ended.returncode == 0
    assert b"reading" in told or b"scoring" in told
    assert b"4 leads scored" in told


def test_debug_shows_the_traceback(leadcore, monkeypatch):
    """Only when asked."""
    monkeypatch.setenv("LEADCORE_DEBUG", "1")

    assert "Traceback" in leadcore("score missing.yaml --leads leads.csv --as-of 2026-06-01 --out s.csv").err


def test_anything_else_is_one(leadcore, monkeypatch):
    """A fault of our own has exit code 1 and says so."""
    monkeypatch.setattr(lc.Scorer, "score", lambda *args, **options: 1 / 0)

    ended = leadcore(f"score model.yaml {FILES} --out s.csv")

    assert ended.code == 1
    assert "something went wrong inside leadcore: ZeroDivisionError" in ended.err


def test_without_the_extra(leadcore, monkeypatch):
    """Without typer there is one sentence that says what to install."""
    monkeypatch.setitem(sys.modules, "typer", None)

    ended = leadcore("score")

    assert (ended.code, ended.out) == (1, "")
    assert ended.err == 'leadcore: the command line needs typer and rich: pip install "leadcore[cli]"\n'


# explain


def test_explain(leadcore):
    """Lines that add up, then where the lead stands."""
    ended = leadcore(f"explain model.yaml 3 {FILES}")

    assert ended.code == 0, ended.err
    assert ended.out == (
        "3 as of 2026-06-01T00:00:00Z\n"
        "fit  +30\n"
        "           +20  decides\n"
        "           +10  size\n"
        "interest  +35\n"
        "            +5  pricing\n"
        "           +30  asked\n"
        "total  +65\n"
        "           +30  fit\n"
        "           +35  interest\n"
        "\n"
        "grade of interest  A\n"
        "hot  reached\n"
    )


def test_explain_as_json(leadcore):
    """The same for programs, in micropoints, with each event's part."""
    explained = json.loads(leadcore(f"explain model.yaml 3 {FILES} --json --shares").out)

    assert explained["lead_id"] == 3
    assert explained["scores"]["total"] == 65_000_000
    assert explained["thresholds"] == {"hot": True}
    assert sum(line["micropoints"] for line in explained["lines"] if line["score"] == "total") == 65_000_000
    assert [(s["criterion"], s["row"], s["micropoints"]) for s in explained["shares"]] == [
        ("pricing", 0, 5_000_000),
        ("asked", 1, 30_000_000),
    ]


def test_explain_from_a_stream(folder):
    """Without shares one reading is enough."""
    line = "explain model.yaml 9 --leads leads.csv --events - --format csv --as-of 2026-06-01"

    ended = command_line(line, input=EVENTS.encode())

    assert ended.returncode == 0, ended.stderr
    assert b"pricing" in ended.stdout


def test_explain_text_ids(leadcore, folder):
    """Ids are text where they are not all integers; digits among them stay text."""
    (folder / "leads.csv").write_text(LEADS.replace("\n2,", "\nxy,"))

    assert leadcore("explain model.yaml 3 --leads leads.csv --as-of 2026-06-01").out.startswith("3 as of")
    assert leadcore("explain model.yaml xy --leads leads.csv --as-of 2026-06-01").out.startswith("xy as of")


# validate


def test_validate(leadcore):
    """The model's findings, and what of it never meets the data."""
    ended = leadcore(f"validate model.yaml {FILES}")

    assert ended.code == 0, ended.err
    for line in (
        "model.yaml is valid: small, 4 criteria, 3 scores, 2 event types",
        "  interest  0 to 50",
        "leads.csv: 3 rows",
        "  employees   33.3% null",
        "events.csv: 6 rows, 2026-05-25T00:00:00Z to 2026-06-09T00:00:00Z",
        "  page_view              2   33.3%  null: url 0.0%",
        "  undeclared types: Page_View 1 (did you mean page_view?), chat 1",
        "  1 rows (16.7%) are after 2026-06-01 and would not count yet",
        "  1 leads are not in the leads table",
    ):
        assert line in ended.out.splitlines()


def test_validate_says_what_is_never_met(leadcore, folder):
    """Texts and conditions that no row fits."""
    text = (folder / "model.yaml").read_text()
    (folder / "m.yaml").write_text(text.replace("[vp, ceo]", "[vp, cfo]").replace("/pricing", "/prices"))

    ended = leadcore("validate m.yaml --leads leads.csv --events events.csv")

    assert ended.out.splitlines()[-5:] == [
        "Never met in these tables",
        "  decides: no lead has 'cfo'",
        "  pricing: no event fits its condition",
        "",
        "No instant was compared with a date: give --as-of to learn what lies after it.",
    ]


def test_validate_tells_faulty_rows(leadcore):
    """Faulty data end with 3, after everything else was told."""
    ended = leadcore("validate model.yaml --events faulty.csv --as-of 2026-06-01")

    assert ended.code == 3
    assert "3 faulty rows of events" in ended.out
    assert "row 6 (line 8), column at" in ended.out


def test_validate_model_alone(leadcore):
    """No table, no word about tables."""
    ended = leadcore("validate model.yaml")

    assert ended.code == 0
    assert "rows" not in ended.out


def test_validate_a_model_without_scores(leadcore, folder):
    """Stages may be moved by hand alone; where there is no score, none has a reach."""
    (folder / "m.yaml").write_text("leadcore: 1\nname: m\nscores: {}\n")
    ended = leadcore("validate m.yaml")

    assert (ended.code, ended.err) == (0, "")
    assert "Reach" not in ended.out


# schema, init, help


def test_schema(leadcore, folder):
    """The schema that the model's own writer agrees with."""
    assert json.loads(leadcore("schema").out) == lc.Model.json_schema()
    assert leadcore("schema --out s.json").code == 0
    assert json.loads((folder / "s.json").read_text()) == lc.Model.json_schema()


@pytest.mark.parametrize("preset", PRESETS)
def test_init_presets(leadcore, folder, preset):
    """Every starter is valid, says what it is for, and has nothing that is hardly meant."""
    assert leadcore(f"init --preset {preset} --out new.yaml").code == 0

    model = lc.Model.load("new.yaml")
    assert (folder / "new.yaml").read_text().startswith("#")
    assert [str(finding) for finding in model.findings() if finding.kind != "range"] == []
    lc.Scorer(model)


def test_init_without_anything(leadcore):
    """The first starter, printed."""
    assert lc.Model.from_yaml(leadcore("init").out).name == "b2b"


@pytest.mark.parametrize("kind", ["csv", "parquet", "jsonl"])
def test_init_from_files(leadcore, folder, kind):
    """A model of the files' own columns and types that scores them at once, by the command it prints."""
    leads = pl.DataFrame(
        {
            "id": [f"L{i}" for i in range(60)],
            "Job Title": ["VP Sales", "Student", None] * 20,
            "employees": [float(i * 7) for i in range(60)],
            "country": ["NO", "SE", "se", "DK"] * 15,
            "is_student": [i % 9 == 0 for i in range(60)],
            "since": ["2026-01-01"] * 60,
            "note": [f"said {i}" for i in range(60)],
        }
    )
    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    events = pl.DataFrame(
        {
            "contact_id": [f"L{i % 50}" for i in range(300)],
            "when": [(start + dt.timedelta(hours=i)).strftime("%Y-%m-%dT%H:%M:%SZ") for i in range(300)],
            "event": (["page view"] * 8 + ["unsubscribe", "demo:asked"]) * 30,
            "url": (["/pricing", "/"] * 4 + [None, None]) * 30,
            "on": [1.5, None] * 150,
        }
    )
    for name, frame in (("l", leads), ("e", events)):
        {"csv": frame.write_csv, "parquet": frame.write_parquet, "jsonl": frame.write_ndjson}[kind](f"{name}.{kind}")

    ended = leadcore(f"init --leads l.{kind} --events e.{kind} --out new.yaml --columns events.at=when")

    assert ended.code == 0, ended.err
    model = lc.Model.load("new.yaml")
    assert list(model.events) == ["page view", "demo:asked", "unsubscribe"]
    assert list(model.events["page view"]) == ["url", "on"]
    assert {name: field.type for name, field in model.attributes.items()} == {
        "Job Title": "text", "employees": "number", "country": "text", "is_student": "boolean",
    }  # fmt: skip
    text = (folder / "new.yaml").read_text()
    assert "# note: {type: text, optional: true}" in text
    assert "the rarer, the more each is worth" in text
    command = ended.err.splitlines()[-1].strip().removeprefix("leadcore ")
    scored = leadcore(command)
    assert scored.code == 0, scored.err
    assert len(pl.read_csv("scores.csv")) == 60


def test_init_force(leadcore, folder):
    """Only with --force is a file written over."""
    assert leadcore("init --preset minimal --out model.yaml --force").code == 0

    assert lc.Model.load("model.yaml").name == "minimal"


@pytest.mark.parametrize("command", ["init", "score", "explain", "validate", "diagram", "schema", "demo"])
def test_help_has_an_example(leadcore, command):
    """Every command's help ends with an example of it."""
    ended = leadcore(f"{command} --help")

    assert ended.code == 0
    assert f"Example:\n    leadcore {command}" in ended.out or f"Example:\n  leadcore {command}" in ended.out
    assert max(map(len, ended.out.splitlines())) <= 80


def test_version_and_overview(leadcore):
    """The package's version; without a command, the list of commands."""
    assert leadcore("--version").out == f"leadcore {lc.__version__}\n"
    ended = leadcore("")
    assert ended.code in (0, 2)
    assert "validate" in ended.out + ended.err


def test_packed_files_have_lines_too(leadcore, folder):
    """Lines of rows are told for packed CSV as well."""
    (folder / "f.csv.gz").write_bytes(gzip.compress(b"lead_id,at,type,url,form\n1,never,page_view,,\n"))

    assert "row 0 (line 2)" in leadcore("score model.yaml --events f.csv.gz --as-of 2026-06-01 --out s.csv").err
