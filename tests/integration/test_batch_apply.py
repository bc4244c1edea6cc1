"""Night after night from files: ledgers in partitions, and the net of all changes is one replay."""

from pathlib import Path

import polars as pl
import pytest

import leadcore as lc
from leadcore.errors import DataError, LeadcoreError, StateError
from tools import crash_batch

MODEL = lc.Model.from_yaml(crash_batch.MODEL)
UNTIL = "2026-10-01"
MONTHS = range(1, 10)
KEPT = ["lead_id", "at", "from_stage", "to_stage", "rule", "cause", "event_id", "interest"]


@pytest.fixture(scope="module")
def nights(tmp_path_factory):
    """A table of events for each month, without faulty rows, and one of leads."""
    folder = tmp_path_factory.mktemp("nights")
    crash_batch.make_tables(folder, 6_000)
    events = pl.read_csv(folder / "events-*.csv", infer_schema=False).filter(pl.col("at") != "yesterday")
    # Without the id that is a word, and without events told in two ways.
    events = events.filter(pl.col("lead_id") != "someone").unique("event_id", keep="first", maintain_order=True)
    for month in MONTHS:
        events.filter(pl.col("at").str.starts_with(f"2026-{month:02}")).write_csv(folder / f"month-{month}.csv")
    return folder


def night(nights, out, month, state, **options):
    """One month's facts; leads come in the first."""
    return lc.batch.apply(
        MODEL, nights / f"month-{month}.csv", nights / "leads.csv" if month == 1 else None,
        until=f"2026-{month + 1:02}-01", out=out / f"changes-{month}", new_state=out / f"state-{month}", state=state,
        micropoints=True, **options,
    )  # fmt: skip


@pytest.mark.parametrize("partitions", [1, 5])
def test_nights_are_one_replay(nights, tmp_path, partitions):
    """Transitions of all nights, less those withdrawn, are those of a replay over all months, to the last bit."""
    state = None
    for month in MONTHS:
        night(nights, tmp_path, month, state, partitions=partitions if state is None else None)
        state = tmp_path / f"state-{month}"
        assert len(list(state.glob("part-*.ledger"))) == partitions
    lc.batch.replay(
        MODEL, [nights / f"month-{month}.csv" for month in MONTHS], nights / "leads.csv", until=UNTIL,
        out=tmp_path / "replay", micropoints=True,
    )  # fmt: skip
    told = pl.concat([pl.read_parquet(tmp_path / f"changes-{month}" / "transitions.parquet") for month in MONTHS])
    sign = pl.when(pl.col("change") == "new").then(1).otherwise(-1)
    net = told.with_columns(pl.col(pl.Categorical).cast(pl.String)).group_by(KEPT).agg(sign.sum().alias("net"))
    net = net.filter(pl.col("net") != 0)
    assert set(net["net"]) == {1}
    expected = pl.read_parquet(tmp_path / "replay" / "transitions.parquet").select(KEPT)
    assert sorted(map(str, net.select(KEPT).rows())) == sorted(map(str, expected.rows())) != []

    scores = pl.concat([pl.read_parquet(tmp_path / f"changes-{month}" / "scores.parquet") for month in MONTHS])
    last = scores.sort("as_of", maintain_order=True).group_by("lead_id").last().filter(pl.col("after") != 0)
    ledgers = [lc.Ledger.load(file) for file in sorted(state.glob("part-*.ledger"))]
    standing = pl.concat([ledger.score(UNTIL).to_polars() for ledger in ledgers]).sort("lead_id")
    alone = pl.read_parquet(tmp_path / "replay" / "states.parquet").sort("lead_id")
    assert len(standing) == len(alone)
    points = dict(zip(standing["lead_id"], standing["interest"], strict=True))
    assert {lead: value / 10**6 for lead, value in alone.select("lead_id", "interest").rows()} == points
    assert set(last["lead_id"]) <= set(points)


def test_a_night_can_be_done_again_and_stopped(nights, tmp_path):
    """The old state is only read; a night that was stopped goes on, and ends in the same bytes."""
    night(nights, tmp_path, 1, None, partitions=4)
    old = {file.name: file.read_bytes() for file in (tmp_path / "state-1").iterdir()}
    night(nights, tmp_path, 2, tmp_path / "state-1")

    def bytes_of(month):
        folders = (tmp_path / f"state-{month}", tmp_path / f"changes-{month}")
        return {str(file): file.read_bytes() for folder in folders for file in sorted(folder.iterdir())}

    first = bytes_of(2)
    seen = []
    with pytest.raises(lc.batch.Canceled):
        night(nights, tmp_path, 2, tmp_path / "state-1", cancel=lambda: len(seen) > 6, progress=seen.append)
    assert bytes_of(2) == first  # what an earlier run left stays until this one is done
    assert night(nights, tmp_path, 2, tmp_path / "state-1", resume=True).resumed > 0
    assert bytes_of(2) == first
    assert {file.name: file.read_bytes() for file in (tmp_path / "state-1").iterdir()} == old


def test_what_comes_too_late(nights, tmp_path):
    """It ends the job by its place in the file and leaves nothing, or is handed back."""
    night(nights, tmp_path, 5, None, partitions=3)
    state = tmp_path / "state-5"
    lead = int(pl.read_csv(nights / "month-5.csv")["lead_id"][0])
    (tmp_path / "late.csv").write_text(f"lead_id,at,type\n{lead},2026-07-01,call\n{lead},2026-01-01,call\n")
    how = {"until": "2026-08-01", "out": tmp_path / "c", "state": state}
    with pytest.raises(DataError) as caught:
        lc.batch.apply(MODEL, tmp_path / "late.csv", new_state=tmp_path / "s", **how)
    assert [(p.table, p.row) for p in caught.value.problems] == [("events", 1)]
    assert caught.value.__notes__ == [f"events, row 1: {tmp_path / 'late.csv'}, row 1, line 3"]
    assert not (tmp_path / "s").exists()
    done = lc.batch.apply(MODEL, tmp_path / "late.csv", new_state=tmp_path / "s", on_late="set_aside", **how)
    assert done.counts.late == 1
    rows = pl.read_parquet(tmp_path / "c" / "late.parquet")
    assert rows.select("table", "row", "lead_id").rows() == [("events", 1, lead)]


def test_states_that_do_not_fit(nights, tmp_path):
    """Another model, another number of partitions, one folder for both states, a part that is lost."""
    night(nights, tmp_path, 1, None, partitions=2)
    state = tmp_path / "state-1"
    how = {"until": "2026-03-01", "out": tmp_path / "c", "state": state}
    events = nights / "month-2.csv"
    with pytest.raises(LeadcoreError, match="is the old state: the new one needs a folder of its own"):
        lc.batch.apply(MODEL, events, new_state=state, **how)
    with pytest.raises(LeadcoreError, match="has 2 partitions, for ever: not 3"):
        lc.batch.apply(MODEL, events, new_state=tmp_path / "s", partitions=3, **how)
    other = lc.Model.from_yaml(crash_batch.MODEL.replace("points: 7", "points: 8"))
    with pytest.raises(StateError, match="is the state of another model"):
        lc.batch.apply(other, events, new_state=tmp_path / "s", **how)
    with pytest.raises(StateError, match=r"state-9 is no state"):
        lc.batch.apply(MODEL, events, new_state=tmp_path / "s", **how | {"state": tmp_path / "state-9"})
    (state / "part-00001.ledger").unlink()
    with pytest.raises(StateError, match=r"lacks part-00001.ledger"):
        lc.batch.apply(MODEL, events, new_state=tmp_path / "s", **how)
    assert not (tmp_path / "s").exists()


def test_the_command(nights, tmp_path, capsys):
    """``leadcore apply``."""
    from leadcore.cli import run

    given = [str(nights / "model.yaml"), "--leads", str(nights / "leads.csv"), "--events", str(nights / "month-1.csv")]
    ends = ["--until", "2026-02-01", "--out", str(tmp_path / "c"), "--new-state", str(tmp_path / "s")]
    assert run(["apply", *given, *ends, "--format", "csv"]) == 0
    told = capsys.readouterr().err.splitlines()
    assert told[1].startswith("changes until 2026-02-01: ")
    assert told[2].endswith(" rows in")
    assert sorted(Path(file).name for file in (tmp_path / "c").iterdir()) == [
        "alerts.csv", "late.csv", "scores.csv", "thresholds.csv", "transitions.csv",
    ]  # fmt: skip
    assert run(["apply", *given, *ends, "--state", str(tmp_path / "nowhere")]) == 1
    assert "is no state" in capsys.readouterr().err


def test_ids_stay_what_they_were(tmp_path):
    """Ids of CSV are what the first night made of them: a word later is a fault, digits among words are text."""
    (tmp_path / "digits.csv").write_text("lead_id,at,type\n1,2026-01-01,call\n2,2026-01-01,call\n3,2026-01-01,call\n")
    (tmp_path / "words.csv").write_text("lead_id,at,type\n1,2026-01-02,call\nx,2026-01-02,call\n")
    for partitions in (1, 4):
        out = tmp_path / str(partitions)
        out.mkdir()

        def night(name, state, new, out=out, partitions=partitions):
            lc.batch.apply(
                MODEL, tmp_path / f"{name}.csv", until="2026-01-03", out=out / "changes", new_state=out / new,
                state=None if state is None else out / state, partitions=partitions,
            )  # fmt: skip

        night("digits", None, "a")
        with pytest.raises(DataError, match="'x' is not an integer"):
            night("words", "a", "b")
        night("words", None, "c")
        night("digits", "c", "d")
        ledgers = [lc.Ledger.load(file) for file in (out / "d").glob("part-*.ledger")]
        assert sorted(lead for ledger in ledgers for lead in ledger) == ["1", "2", "3", "x"]
