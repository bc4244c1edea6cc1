"""Histories that others recorded, as lifecycles with manual moves: transitions and dwell against published figures (spec 8.7)."""

from __future__ import annotations

import json
import os
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from itertools import groupby, pairwise
from pathlib import Path
from statistics import median
from typing import Any, Literal

import numpy as np
import polars as pl
import pytest

import leadcore as lc
from leadcore.replay import Replay

DATA = Path(os.environ.get("LEADCORE_REAL_DATA", Path(__file__).parents[2] / "../shared/data"))
DAY = timedelta(days=1)

pytestmark = pytest.mark.real_data


def folder(name: str) -> Path:
    """The folder of a data set, or a skip that says which one is missing."""
    path = DATA / name
    if not path.is_dir():
        pytest.skip(f"real data: {name} is not there (LEADCORE_REAL_DATA names the folder of data sets)")
    return path


def log_model(stages: list[str]) -> lc.Model:
    """A lifecycle in which rows of a log, and nothing else, move leads; cases are born into the first stage."""
    return lc.Model.model_validate(
        {
            "leadcore": 1,
            "name": "log",
            "events": {"moved": {"to": "text"}},
            "scores": {"nothing": {"criteria": []}},
            "lifecycle": {
                "initial": stages[0],
                "manual": {"on": "moved", "field": "to"},
                "stages": [{"name": stage} for stage in stages],
            },
        }
    )


@dataclass
class Log:
    """A log beside its replay.

    Attributes:
        rows: ``lead_id``, ``at``, ``to`` and ``event_id`` (the row's number), in file order.
        stages: The names in column ``to``.
        initial: Where cases are born; no row says it.
        facts: What was published of the log.
        leads: Cases that may have no row.
    """

    rows: pl.DataFrame
    stages: list[str]
    initial: str
    facts: dict[str, Any]
    leads: pl.DataFrame | None = None

    def replay(self, until: str = "2020-01-01", engine: Literal["kernel", "reference"] = "kernel") -> Replay:
        """Every case taken through its rows."""
        scorer = lc.Scorer(log_model([self.initial, *self.stages]))
        return scorer.replay(self.rows.with_columns(type=pl.lit("moved")), self.leads, until=until, engine=engine)

    @cached_property
    def replayed(self) -> Replay:
        return self.replay()

    @cached_property
    def runs(self) -> dict[str, list[tuple[datetime, str]]]:
        """By case: when it came into which stage, rows in order of time, then of the file; nothing of leadcore in it."""
        cases = defaultdict(list)
        for case, at, row, to in self.rows.select("lead_id", "at", "event_id", "to").iter_rows():
            cases[case].append((at, row, to))
        return {
            case: [next((at, to) for at, _, to in same) for _, same in groupby(sorted(rows), key=lambda row: row[2])]
            for case, rows in cases.items()
        }

    def transitions(self) -> Counter[tuple[str, str]]:
        """How often cases went from one stage to another, those out of the initial stage aside."""
        moves = self.replayed.transitions.to_polars().filter(pl.col("from_stage").is_not_null())
        pairs = moves.filter(pl.col("from_stage") != self.initial).group_by("from_stage", "to_stage").len()
        return Counter({(before, after): n for before, after, n in pairs.iter_rows()})

    def published(self, key: str) -> Counter[tuple[str, str]]:
        """How often rows of different stages follow each other in the file, as published."""
        return Counter({(before, after): n for before, after, n in self.facts[key]["all"] if before != after})

    def repeats(self, key: str) -> int:
        """How often a row follows one of the same stage, as published."""
        return sum(n for before, after, n in self.facts[key]["all"] if before == after)

    def dwell(self) -> dict[str, timedelta]:
        """The median of the stays that ended, by stage, from the spans."""
        stays = self.replayed.spans.to_polars().filter(pl.col("left_at").is_not_null(), pl.col("stage") != self.initial)
        found = stays.group_by("stage").agg(pl.col("left_at") - pl.col("entered_at"))
        return {stage: median(lengths) for stage, lengths in found.iter_rows()}

    def dwell_by_hand(self) -> dict[str, timedelta]:
        """The same from the rows."""
        stays = defaultdict(list)
        for run in self.runs.values():
            for (entered, stage), (left, _) in pairwise(run):
                stays[stage].append(left - entered)
        return {stage: median(lengths) for stage, lengths in stays.items()}

    def backwards(self) -> pl.DataFrame:
        """The rows that are earlier than the row before of their case."""
        before = pl.col("at").shift(1).over("lead_id")
        return self.rows.filter(pl.col("at") < before)


def quantiles(lengths: list[timedelta]) -> dict[str, float]:
    """In days, as the publishers of the figures define them."""
    days = np.array([length / DAY for length in lengths])
    told = {f"p{p}": round(float(np.quantile(days, p / 100)), 4) for p in (0, 10, 25, 50, 75, 90, 100)}
    return told | {"mean": round(float(days.mean()), 4), "n": len(days)}


def assert_same(log: Log) -> None:
    """Both engines give the same transitions and spans."""
    slow = log.replay(engine="reference")
    for table in ("transitions", "spans"):
        fast = getattr(log.replayed, table).to_polars()
        assert fast.equals(getattr(slow, table).to_polars())


def facts_of(path: Path) -> dict[str, Any]:
    return json.loads((path / "facts.json").read_text())


@pytest.fixture(scope="module")
def helpdesk() -> Log:
    path = folder("helpdesk")
    rows = pl.read_csv(path / "helpdesk.csv", infer_schema=False).with_row_index("event_id")
    rows = rows.select(
        "event_id", lead_id="CaseID", at=pl.col("CompleteTimestamp").str.to_datetime("%Y-%m-%d %H:%M:%S"), to="ActivityID"
    )  # fmt: skip
    return Log(rows, [str(n) for n in range(1, 10)], "arrived", facts_of(path))


class TestHelpdesk:
    """Verenich, I.: Helpdesk, Mendeley Data (2016), MIT: tickets through numbered activities."""

    def test_transitions(self, helpdesk: Log) -> None:
        """Each pair of different activities as often as published; a repeat of an activity is a move to where one is."""
        counts = helpdesk.replayed.counts

        assert len(helpdesk.backwards()) == 0
        assert helpdesk.transitions() == helpdesk.published("directly_follows")
        assert (helpdesk.transitions().total(), len(helpdesk.transitions())) == (9154, 26)
        assert counts.manual_current == helpdesk.repeats("directly_follows") == 752
        assert (counts.events, counts.used, counts.manual_unknown) == (13_710, 13_710, 0)

    def test_first_and_last(self, helpdesk: Log) -> None:
        """Every case is born at its first row and moved there; all end with activity 6."""
        replayed = helpdesk.replayed
        first = replayed.spans.to_polars().filter(pl.col("stage") == helpdesk.initial)
        into = replayed.transitions.to_polars().filter(pl.col("from_stage") == helpdesk.initial)

        assert len(replayed) == len(first) == len(into) == 3804
        assert (first["entered_at"] == first["left_at"]).all()
        assert dict(into["to_stage"].value_counts().iter_rows()) == helpdesk.facts["first_activity"]
        assert {stage: n for stage, n in replayed.standing.items() if n} == helpdesk.facts["last_activity"]

    def test_repeats_too(self, helpdesk: Log) -> None:
        """With a twin of each stage for rows that repeat the one before, all pairs and spans of cases are as published."""
        again = pl.col("to") == pl.col("to").shift(1).over("lead_id")
        nth = again.fill_null(False).not_().cum_sum().over("lead_id")
        odd = (pl.int_range(pl.len()).over("lead_id", nth) % 2).cast(pl.Boolean)
        twins = helpdesk.rows.with_columns(to=pl.when(odd).then(pl.col("to") + "'").otherwise("to"))
        log = Log(twins, [stage + tick for stage in helpdesk.stages for tick in ("", "'")], "arrived", helpdesk.facts)
        found: Counter[tuple[str, str]] = Counter()
        for (before, after), n in log.transitions().items():
            found[before.rstrip("'"), after.rstrip("'")] += n
        ends = log.replayed.transitions.to_polars().group_by("lead_id").agg(pl.col("at").max() - pl.col("at").min())

        assert found == {(before, after): n for before, after, n in log.facts["directly_follows"]["all"]}
        assert (found.total(), len(found)) == (9906, 33)
        assert quantiles(ends["at"].to_list()) == log.facts["case_span_days"]

    def test_dwell(self, helpdesk: Log) -> None:
        """Medians of the stays that ended; 1 to 8 to 6 to the end is the usual way."""
        dwell = helpdesk.dwell()

        assert dwell == helpdesk.dwell_by_hand()
        assert {stage: str(dwell[stage]) for stage in sorted(dwell)} == {
            "1": "3:44:59", "2": "8 days, 22:41:12", "3": "0:03:15", "4": "9 days, 21:09:31",
            "5": "19 days, 23:47:01.500000", "6": "1 day, 4:51:48.500000", "7": "8 days, 22:56:16", "8": "2:55:20",
            "9": "6 days, 0:27:22",
        }  # fmt: skip

    def test_the_reference_says_the_same(self, helpdesk: Log) -> None:
        """Row by row, in transitions and spans."""
        assert_same(helpdesk)


@pytest.fixture(scope="module")
def incidents() -> Log:
    path = folder("incident_log")
    rows = pl.read_csv(path / "incident_event_log.csv.gz", infer_schema=False).with_row_index("event_id")
    rows = rows.select(
        "event_id", lead_id="number", at=pl.col("sys_updated_at").str.to_datetime("%d/%m/%Y %H:%M"), to="incident_state"
    )  # fmt: skip
    facts = facts_of(path)
    return Log(rows, list(facts["states"]), "opened", facts)


class TestIncidents:
    """Amaral, Fantinato, Peres: Incident management process enriched event log, UCI (2018), CC BY 4.0: a help desk's states."""

    def test_the_row_that_goes_back(self, incidents: Log) -> None:
        """One row is earlier than the row before it: the file begins its incident with the second of two ``New``."""
        (odd,) = incidents.backwards().to_dicts()
        of_it = incidents.rows.filter(pl.col("lead_id") == "INC0000137")

        assert odd == {"event_id": 358, "lead_id": "INC0000137", "at": datetime(2016, 2, 29, 9, 52), "to": "New"}
        assert of_it.select("event_id", "to", pl.col("at").dt.strftime("%d %H:%M")).rows() == [
            (357, "New", "29 11:10"), (358, "New", "29 09:52"), (359, "Resolved", "29 11:03"), (360, "Closed", "05 12:00"),
        ]  # fmt: skip

    def test_transitions(self, incidents: Log) -> None:
        """Each pair as often as published, but for that row.

        By the file INC0000137 goes New, Resolved, Closed. By the clock the row the file has first comes third: New,
        Resolved, New, Closed. So one step from Resolved to Closed becomes one to New and one from there.
        """
        found, published = incidents.transitions(), incidents.published("state_changes")
        counts = incidents.replayed.counts

        assert {pair: found[pair] - published[pair] for pair in found | published if found[pair] != published[pair]} == {
            ("Resolved", "Closed"): -1, ("Resolved", "New"): 1, ("New", "Closed"): 1,
        }  # fmt: skip
        assert (published.total(), len(published)) == (64_033, 40)
        assert (found.total(), len(found)) == (64_034, 41)
        # The file has its two New of INC0000137 side by side, a repeat; by the clock they are apart.
        assert counts.manual_current == incidents.repeats("row_to_row_state_pairs") - 1 == 52_760
        assert (counts.events, counts.used, counts.manual_unknown) == (141_712, 141_712, 0)

    def test_first_and_last(self, incidents: Log) -> None:
        """Where incidents begin, and that all end closed."""
        into = incidents.replayed.transitions.to_polars().filter(pl.col("from_stage") == incidents.initial)

        assert dict(into["to_stage"].value_counts().iter_rows()) == incidents.facts["first_state"]
        assert {stage: n for stage, n in incidents.replayed.standing.items() if n} == incidents.facts["last_state"]

    def test_from_new_to_resolved(self, incidents: Log) -> None:
        """From the first row ``New`` to the first ``Resolved``: every published quantile."""
        spans = incidents.replayed.spans.to_polars().filter(pl.col("visit") == 1)
        new, resolved = (
            spans.filter(pl.col("stage") == stage).select("lead_id", "entered_at") for stage in ("New", "Resolved")
        )
        both = new.join(resolved, on="lead_id")
        lengths = (both["entered_at_right"] - both["entered_at"]).to_list()

        assert quantiles(lengths) == incidents.facts["days_first_New_row_to_first_Resolved_row_by_sys_updated_at"]

    def test_dwell(self, incidents: Log) -> None:
        """Medians of the stays that ended; Closed was left 12 times, by incidents opened again."""
        dwell = incidents.dwell()

        assert dwell == incidents.dwell_by_hand()
        assert {stage: str(dwell[stage]) for stage in sorted(dwell)} == {
            "-100": "3 days, 0:07:00", "Active": "2:39:30", "Awaiting Evidence": "11 days, 0:55:00",
            "Awaiting Problem": "3 days, 7:20:00", "Awaiting User Info": "3 days, 16:32:00",
            "Awaiting Vendor": "25 days, 23:09:00", "Closed": "4 days, 22:18:00", "New": "3:05:00",
            "Resolved": "5 days, 0:33:00",
        }  # fmt: skip


@pytest.fixture(scope="module")
def deals() -> Log:
    path = folder("maven_crm")
    deals = pl.read_csv(path / "sales_pipeline.csv", infer_schema=False).with_row_index("row")
    engaged = deals.filter(pl.col("engage_date").is_not_null()).select(
        event_id=2 * pl.col("row"), lead_id="opportunity_id", at="engage_date", to=pl.lit("Engaging")
    )
    closed = deals.filter(pl.col("close_date").is_not_null()).select(
        event_id=2 * pl.col("row") + 1, lead_id="opportunity_id", at="close_date", to="deal_stage"
    )
    rows = pl.concat([engaged, closed]).sort("event_id").with_columns(pl.col("at").str.to_datetime("%Y-%m-%d"))
    leads = deals.select(lead_id="opportunity_id", deal_stage="deal_stage", product="product")
    return Log(rows, ["Engaging", "Won", "Lost"], "Prospecting", facts_of(path), leads)


class TestDeals:
    """Maven Analytics, CRM sales opportunities, public domain: two dates per deal."""

    def test_transitions(self, deals: Log) -> None:
        """Deals go from Engaging to where they were closed; those never engaged have no date, hence no stage."""
        facts = deals.facts["stages"]

        assert len(deals.backwards()) == deals.facts["negative_cycle"] == 0
        assert deals.transitions() == {("Engaging", "Won"): facts["Won"], ("Engaging", "Lost"): facts["Lost"]}
        assert deals.replayed.standing == {
            "Engaging": facts["Engaging"], "Won": facts["Won"], "Lost": facts["Lost"], "Prospecting": 0,
            "no stage": facts["Prospecting"],
        }  # fmt: skip
        assert len(deals.replayed) == deals.facts["rows"] == 8800

    def test_cycles(self, deals: Log) -> None:
        """How long won and lost deals took: every published quantile, and the medians of products."""
        spans = deals.replayed.spans.to_polars().filter(pl.col("left_at").is_not_null(), pl.col("stage") == "Engaging")
        assert deals.leads is not None
        took = spans.join(deals.leads, on="lead_id").with_columns(took=pl.col("left_at") - pl.col("entered_at"))
        by_product = {row["product"]: row["median_days"] for row in deals.facts["by_product"]}

        for stage in ("Won", "Lost"):
            lengths = took.filter(pl.col("deal_stage") == stage)["took"].to_list()
            assert quantiles(lengths) == deals.facts[f"cycle_days_{stage.lower()}"]
        assert {
            product: median(lengths) / DAY for product, lengths in took.group_by("product").agg("took").iter_rows()
        } == by_product

    @pytest.mark.parametrize(("until", "expected"), [("2017-06-30", 1686), ("2017-09-30", 2409)])
    def test_open_at_the_end_of_a_day(self, deals: Log, until: str, expected: int) -> None:
        """A replay until the day leaves so many deals engaged."""
        assert deals.replay(until).standing["Engaging"] == expected == deals.facts[f"open_engaged_as_of_{until}"]

    def test_dwell(self, deals: Log) -> None:
        """The median of the stays that ended, won and lost together."""
        assert deals.dwell() == deals.dwell_by_hand() == {"Engaging": 45 * DAY}

    def test_the_reference_says_the_same(self, deals: Log) -> None:
        """Row by row, in transitions and spans."""
        assert_same(deals)
