"""The demo in small: data made once and the same every time, everything shown at 80 columns."""

from __future__ import annotations

import json
import re

import numpy as np
import polars as pl
import pytest

import leadcore as lc
from leadcore.cli._made_up import AS_OF, make
from leadcore.cli._made_up_sales import ANSWERS, DEAL
from leadcore.cli._picture import bar, distribution

ROWS = 40_000


@pytest.fixture(scope="module")
def made():
    """Leads and events, as Polars frames."""
    leads, events = make(ROWS, 1, False)
    return pl.DataFrame(leads), pl.DataFrame(events)


def test_data_are_the_same_every_time(made):
    """The seed alone decides."""
    leads, events = make(ROWS, 1, False)

    assert pl.DataFrame(leads).equals(made[0])
    assert pl.DataFrame(events).equals(made[1])
    assert not pl.DataFrame(make(ROWS, 2, False)[1]).equals(made[1])


def test_events_look_real(made):
    """Sorted by time over a year, activity far from even, and the dirt of real exports."""
    leads, events = made

    assert len(events) == ROWS
    assert events["at"].is_sorted()
    assert (events["at"].max() - events["at"].min()).days in range(360, 365)
    activity = events.group_by("lead_id").len()["len"].sort(descending=True)
    assert activity[: len(activity) // 10].sum() > 0.3 * ROWS
    assert {"chat_message", "Page_View"} <= set(events["type"].cast(str))
    assert 0 < events["url"].null_count() < ROWS
    assert (events["at"] > pl.Series([AS_OF]).str.to_datetime("%Y-%m-%dT%H:%MZ", time_zone="UTC")[0]).sum() > 0
    assert leads["lead_id"].n_unique() == len(leads)
    known, active = set(leads["lead_id"]), set(events["lead_id"])
    assert known - active
    assert active - known


def test_sales_works_office_hours(made):
    """Calls and deals come on working days, deals are closed after they are opened, and leads do not do them."""
    acts = made[1].filter(pl.col("type").cast(str).is_in(["sales_call", DEAL]))

    assert acts["outcome"].cast(str).is_in(ANSWERS).all()
    assert (
        made[1].filter(~pl.col("type").cast(str).is_in(["sales_call", DEAL]))["outcome"].cast(str).is_in(ANSWERS).sum()
        == 0
    )
    assert acts["at"].dt.weekday().max() <= 5
    assert acts["at"].dt.hour().is_between(8, 16).all()
    deals = acts.filter(pl.col("type") == DEAL).sort("at").group_by("lead_id", maintain_order=True)
    for outcomes in deals.agg(pl.col("outcome").cast(str))["outcome"].to_list():
        assert set(outcomes[::2]) == {"opened"}
        assert set(outcomes[1::2]) <= {"won", "lost"}


def test_text_ids():
    """Ids that look like UUIDs, all different."""
    leads, events = make(5_000, 1, True)

    ids = pl.DataFrame(leads)["lead_id"].cast(str)
    assert ids.n_unique() == len(ids)
    assert all(re.fullmatch("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}", text) for text in ids)
    assert pl.DataFrame(events)["lead_id"].cast(str).is_in(ids.implode()).mean() > 0.9


@pytest.mark.parametrize("ids", ["", "--text-ids"])
def test_demo(leadcore, folder, ids):
    """It makes data once, scores them, and ends with commands that work."""
    first = leadcore(f"demo --rows {ROWS} {ids}")
    again = leadcore(f"demo --rows {ROWS} {ids}")

    assert first.code == again.code == 0, first.err + again.err
    assert "Making 40,000 events" in first.out
    assert "Making" not in again.out
    for part in (
        "reading Parquet and matching", "peak memory", "rows in =", "leads reach total 75", "hottest leads",
        "One of them in full", "The same events replayed: 9 stages", "mql is to be left within 9h",
        "The way of one lead", "demo/lifecycle.svg", "Try next",
    ):  # fmt: skip
        assert part in again.out
    shown, commands = again.out.split("Try next")
    assert max(map(len, shown.splitlines())) <= 80
    assert max(map(len, commands.splitlines())) <= 80
    for line in commands.replace("\\\n", " ").splitlines()[1:]:
        command = line.strip()
        if command.startswith("leadcore ") and not command.endswith(" demo"):
            ended = leadcore(command.removeprefix("leadcore "))
            assert ended.code == 0, ended.err
    lc.Model.load("my-model.yaml")
    assert "<svg" in (folder / "demo" / "lifecycle.svg").read_text()


def test_the_hottest_leads_are_the_hottest(leadcore, folder):
    """The list agrees with the scores in the file."""
    shown = leadcore(f"demo --rows {ROWS}").out
    files = f"--leads demo/leads.parquet --events demo/events.parquet --as-of {AS_OF}"
    assert leadcore(f"score demo/model.yaml {files} --out s.parquet").code == 0

    highest = pl.read_parquet("s.parquet").sort("total", descending=True)["total"][:10].round(1).to_list()
    listed = shown.split("hottest leads")[1].splitlines()[1:11]
    assert [float(line.split()[1]) for line in listed] == highest


def test_the_replay_shown_is_the_replay(leadcore, folder):
    """Leads at the end, entries, service level, alerts and the way of one lead agree with the tables."""
    shown = leadcore(f"demo --rows {ROWS}").out.split("The same events replayed")[1]
    files = f"--leads demo/leads.parquet --events demo/events.parquet --until {AS_OF}"
    assert leadcore(f"replay demo/model.yaml {files} --out r").code == 0
    states, spans, alerts, moves = (
        pl.read_parquet(folder / "r" / f"{name}.parquet") for name in ("states", "spans", "alerts", "transitions")
    )

    births = moves["from_stage"].is_null().sum()
    assert f"{births:,} births, {len(moves) - births:,} moves, {len(alerts):,} alerts" in shown
    moved = dict(re.findall(r"([a-z ]+) ([\d,]+)", shown.split("what moved them:")[1].split("\n\n")[0]))
    assert sum(int(n.replace(",", "")) for n in moved.values()) == len(moves) - births
    for stage in lc.Model.load("demo/model.yaml").lifecycle.stages:
        name, now, entries, median = re.search(
            rf"^({stage.name}) +([\d,]+) .*?  ([\d,]+)  +([\d.]+ d)?$", shown, re.M
        ).groups()
        stays = spans.filter(pl.col("stage") == name)
        assert int(now.replace(",", "")) == (states["stage"] == name).sum()
        assert int(entries.replace(",", "")) == len(stays)
        days = (stays["left_at"] - stays["entered_at"]).drop_nulls().dt.total_microseconds().median()
        assert (median is None) == (days is None)
        assert days is None or abs(float(median[:-2]) - days / 86_400e6) <= 0.0500001
    for status, told in (("met", "left in time"), ("met_late", "left late"), ("breached", "overdue now")):
        assert re.search(rf"{told} +{(spans['sla_status'] == status).sum():,} ", shown)
    for level, after in ((1, "at once"), (2, "after 9h"), (3, "after 18h")):
        assert re.search(rf"{after} +{(alerts['level'] == level).sum():,}  alerts to rep", shown)
    lead_id = int(re.search(r"The way of one lead: (\d+)", shown)[1])
    way = moves.filter(pl.col("lead_id") == lead_id)
    told = re.findall(r"^(\d{4}-\d\d-\d\d \d\d:\d\d)  (\w+) ", shown, re.M)
    assert told == list(zip(way["at"].dt.strftime("%Y-%m-%d %H:%M"), way["to_stage"].cast(str), strict=True))
    assert len(way) > 4


def test_the_replay_is_worth_a_look(leadcore, folder):
    """No stage is empty, none holds nearly all; some service levels are met, some are not."""
    leadcore(f"demo --rows {ROWS * 5}")
    files = f"--leads demo/leads.parquet --events demo/events.parquet --until {AS_OF}"
    assert leadcore(f"replay demo/model.yaml {files} --out r").code == 0

    shares = pl.read_parquet(folder / "r" / "states.parquet")["stage"].value_counts(normalize=True)
    assert len(shares) == 9
    assert shares["proportion"].max() < 0.6
    spans = pl.read_parquet(folder / "r" / "spans.parquet")
    became = dict(spans["sla_status"].drop_nulls().cast(str).value_counts(normalize=True).iter_rows())
    assert 0.3 < became["met"] < 0.8
    assert 0 < became["breached"] < 0.15
    model = lc.Model.load("demo/model.yaml")
    assert {rule.name for rule in model.lifecycle.transitions} <= set(spans["entered_by"].cast(str))


def test_a_model_without_a_lifecycle(leadcore, folder):
    """The folder of an older demo has one: it is scored as ever, and the user is told what to do."""
    leadcore(f"demo --rows {ROWS}")
    model = folder / "demo" / "model.yaml"
    text = model.read_text()
    model.write_text(text[: text.index("\nlifecycle:")])
    (folder / "demo" / "lifecycle.svg").unlink()

    ended = leadcore(f"demo --rows {ROWS}")

    assert ended.code == 0, ended.err
    assert "demo/model.yaml has no lifecycle" in ended.out
    assert "leadcore replay" not in ended.out
    assert not (folder / "demo" / "lifecycle.svg").exists()


def test_made_anew_where_something_changed(leadcore, folder):
    """Another seed, other data; a changed model stays."""
    leadcore(f"demo --rows {ROWS}")
    model = folder / "demo" / "model.yaml"
    model.write_text(model.read_text().replace("points: 40", "points: 41"))

    ended = leadcore(f"demo --rows {ROWS} --seed 7")

    assert "Making" in ended.out
    assert json.loads((folder / "demo" / "made.json").read_text())["seed"] == 7
    assert "points: 41" in model.read_text()


def test_bars():
    """Fine to an eighth, never empty for something, never longer than wide."""
    assert bar(0, 3) == "   "
    assert bar(1e-9, 3) == "▏  "
    assert bar(0.5, 3) == "█▌ "
    assert bar(2, 3) == "███"


@pytest.mark.parametrize("values", [[0.0], [5.0, 5.0], [-3.5, 120.0], list(range(1000)), [0.001, 0.002]])
def test_distribution_counts_everything(values):
    """Every value is in one of at most twenty-one rows, whatever the range."""
    lines = distribution(np.array(values, float), {"hot": 2.0}).plain.splitlines()

    counts = [int(re.search(r" ([\d,]+)(  hot)?$", line)[1].replace(",", "")) for line in lines]
    assert sum(counts) == len(values)
    assert len(lines) <= 21
