"""The demo in small: data made once and the same every time, everything shown at 80 columns."""

from __future__ import annotations

import json
import re

import numpy as np
import polars as pl
import pytest

import leadcore as lc
from leadcore.cli._made_up import AS_OF, make
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
        "One of them in full", "Try next",
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


def test_the_hottest_leads_are_the_hottest(leadcore, folder):
    """The list agrees with the scores in the file."""
    shown = leadcore(f"demo --rows {ROWS}").out
    files = f"--leads demo/leads.parquet --events demo/events.parquet --as-of {AS_OF}"
    assert leadcore(f"score demo/model.yaml {files} --out s.parquet").code == 0

    highest = pl.read_parquet("s.parquet").sort("total", descending=True)["total"][:10].round(1).to_list()
    listed = shown.split("hottest leads")[1].splitlines()[1:11]
    assert [float(line.split()[1]) for line in listed] == highest


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
