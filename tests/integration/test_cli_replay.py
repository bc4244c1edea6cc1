"""``leadcore replay`` on small files: tables into a directory, whole or not at all, and one lead's story."""

from __future__ import annotations

import csv
import json
import shlex
import subprocess
import sys
from pathlib import Path

import polars as pl

from leadcore.batch import results
from tests.integration.cli_files import EVENTS

FILES = "--leads leads.csv --events events.csv --until 2026-06-01"
TABLES = ["alerts", "spans", "states", "transitions"]


def table(path):
    """A CSV file as rows of texts."""
    with Path(path).open(newline="") as file:
        return list(csv.DictReader(file))


def test_tables_into_a_directory(leadcore, folder):
    """Four tables, sorted by lead; stderr says who stands where and where rows went."""
    ended = leadcore(f"replay stages.yaml {FILES} --out d --format csv")

    assert ended.code == 0, ended.err
    assert ended.out == ""
    assert sorted(file.name for file in (folder / "d").iterdir()) == [f"{name}.csv" for name in TABLES]
    assert [(row["lead_id"], row["stage"], row["interest"]) for row in table("d/states.csv")] == [
        ("1", "", "0.0"), ("2", "", "0.0"), ("3", "hot", "35.0"), ("9", "new", "6.729501"),
    ]  # fmt: skip
    assert [tuple(row.values())[:7] for row in table("d/transitions.csv") if row["lead_id"] == "3"] == [
        ("3", "2026-05-25T00:00:00Z", "", "new", "", "birth", ""),
        ("3", "2026-05-25T00:00:00Z", "new", "hot", "ready", "event", ""),
    ]
    assert ended.err == (
        "fold in memory: about 9 rows need less than 1 MB\n"
        "4 leads replayed until 2026-06-01: 3 transitions, 2 alerts\n"
        "new 1, hot 1, cold 0, no stage 2\n"
        "9 rows in = 7 used + 2 ignored + 0 rejected\n"
        "ignored, of event types the model does not declare: Page_View 1 (did you mean page_view?), chat 1\n"
        "1 events after 2026-06-01 do not count yet\n"
        "1 manual moves were to no stage of the model\n"
    )


def test_formats_hold_the_same(leadcore, folder):
    """Parquet by default; JSON lines have lists as lists, CSV has them joined by semicolons."""
    for option, name in (("", "p"), ("--format jsonl", "j"), ("--format csv", "c")):
        assert leadcore(f"replay stages.yaml {FILES} --out {name} --quiet {option}").code == 0
    parquet = pl.read_parquet("p/alerts.parquet").to_dicts()
    lines = [json.loads(line) for line in (folder / "j/alerts.jsonl").read_text().splitlines()]
    assert [row["notify"] for row in parquet] == [row["notify"] for row in lines] != []
    assert [row["notify"] for row in table("c/alerts.csv")] == [";".join(row["notify"]) for row in lines]
    assert len(pl.read_parquet("p/spans.parquet")) == len(table("c/spans.csv"))


def test_score_changes_and_micropoints(leadcore, folder):
    """A fifth table on request; whole micropoints on request."""
    assert leadcore(f"replay stages.yaml {FILES} --out d --format csv --score-changes --micropoints -q").code == 0
    assert sorted(file.stem for file in (folder / "d").iterdir()) == sorted([*TABLES, "score_changes"])
    assert [row["interest"] for row in table("d/states.csv")] == ["0", "0", "35000000", "6729501"]
    changes = [row for row in table("d/score_changes.csv") if row["lead_id"] == "9"]
    assert changes[0]["after"] == "10000000"
    assert changes[0]["criterion"] == "pricing"


def test_start_and_aliases(leadcore):
    """Leads begin where a table says; two records of one person are one."""
    ended = leadcore(f"replay stages.yaml {FILES} --out d --format csv --start start.csv --aliases same.csv")
    assert ended.code == 0, ended.err
    assert [row["lead_id"] for row in table("d/states.csv")] == ["1", "2", "3"]
    first = table("d/transitions.csv")[0]
    assert (first["lead_id"], first["at"], first["to_stage"], first["cause"]) == (
        "1", "2026-05-20T08:00:00Z", "cold", "birth",
    )  # fmt: skip


def test_story_of_one_lead(leadcore, folder):
    """A lead's story goes to stdout, with or without tables."""
    before = sorted(folder.iterdir())
    ended = leadcore(f"replay stages.yaml {FILES} --lead 3 -q")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines()[0] == "3 at 2026-06-01T00:00:00Z: hot since 2026-05-25T00:00:00Z (7d)"
    assert "alert 1 to rep" in ended.out
    assert sorted(folder.iterdir()) == before
    assert leadcore(f"replay stages.yaml {FILES} --lead 3 -q --out d").out == ended.out
    assert (folder / "d/states.parquet").exists()


def test_rejects(leadcore):
    """Faulty rows go to a file, leads concerned are marked, the counts add up."""
    ended = leadcore(
        "replay stages.yaml --leads leads.csv --events faulty.csv --until 2026-06-01 --out d --format csv --rejects r.csv"
    )
    assert ended.code == 0, ended.err
    assert [(row["table"], row["row"], row["column"]) for row in table("r.csv")] == [
        ("events", "6", "at"), ("events", "7", "lead_id"), ("events", "8", ""),
    ]  # fmt: skip
    assert {row["lead_id"]: row["rejected_rows"] for row in table("d/states.csv")}["1"] == "1"
    assert "12 rows in = 7 used + 2 ignored + 3 rejected" in ended.err


def test_rejected_rows_of_start(leadcore):
    """They are told apart from rows of leads and events, whose sum adds up without them."""
    ended = leadcore(
        "replay stages.yaml --events events.csv --until 2026-06-01 --out d --start no_stage.csv --rejects r.csv"
    )
    assert ended.code == 0, ended.err
    assert [(row["table"], row["row"], row["value"]) for row in table("r.csv")] == [("start", "0", "lukewarm")]
    assert "6 rows in = 4 used + 2 ignored + 0 rejected" in ended.err
    assert "rejected: 1 of start; see r.csv" in ended.err


def test_nothing_is_written_when_a_run_fails(leadcore, folder):
    """Neither a directory, nor over a table that was there."""
    assert leadcore("replay stages.yaml --events faulty.csv --until 2026-06-01 --out d").code == 3
    assert not (folder / "d").exists()
    (folder / "d").mkdir()
    (folder / "d/states.csv").write_text("yesterday's")
    assert leadcore("replay stages.yaml --events faulty.csv --until 2026-06-01 --out d --format csv").code == 3
    assert [(file.name, file.read_text()) for file in (folder / "d").iterdir()] == [("states.csv", "yesterday's")]


def test_tables_are_written_whole_or_not_at_all(leadcore, folder, monkeypatch):
    """A disk that fails at the third table leaves what was there: no directory, or yesterday's tables."""
    written = []

    def failing(made, path, kind):
        if len(written) == 2:
            raise OSError(28, "No space left on device", path)
        written.append(path)
        return write(made, path, kind)

    write = results.write_table
    monkeypatch.setattr(results, "write_table", failing)
    ended = leadcore(f"replay stages.yaml {FILES} --out d --format csv")
    assert ended.code == 1
    assert "no space left on device" in ended.err
    assert not (folder / "d").exists()
    (folder / "d").mkdir()
    (folder / "d/states.csv").write_text("yesterday's")
    written.clear()
    assert leadcore(f"replay stages.yaml {FILES} --out d --format csv").code == 1
    assert [(file.name, file.read_text()) for file in (folder / "d").iterdir()] == [("states.csv", "yesterday's")]


def test_tables_of_another_run_are_replaced(leadcore, folder):
    """Tables of the same names are written over; everything else in the directory stays."""
    (folder / "d").mkdir()
    (folder / "d/states.csv").write_text("yesterday's")
    (folder / "d/notes.txt").write_text("mine")
    assert leadcore(f"replay stages.yaml {FILES} --out d --format csv -q").code == 0
    assert len(table("d/states.csv")) == 4
    assert sorted(file.name for file in (folder / "d").iterdir()) == sorted(
        [*(f"{name}.csv" for name in TABLES), "notes.txt"]
    )


def test_events_from_a_stream(folder):
    """The standard stream is a table, in the format that the tables have."""
    line = "replay stages.yaml --events - --until 2026-06-01 --out d --format csv -q"
    command = [sys.executable, "-m", "leadcore.cli", *shlex.split(line)]
    ended = subprocess.run(command, input=EVENTS.encode(), capture_output=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert [row["lead_id"] for row in table("d/states.csv")] == ["3", "9"]
