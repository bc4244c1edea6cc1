"""Figures that others computed from real data, computed by the scorer."""

from __future__ import annotations

import gzip
import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import leadcore as lc
from benchmarks.oulad import TYPES, Oulad, auc, end_of, prepare
from benchmarks.real import GROUND_TRUTH, MODEL, clicks_model, scores_of, still_there

DATA = Path(os.environ.get("LEADCORE_REAL_DATA", Path(__file__).parents[2] / "../shared/data"))

COLUMNS = {"events": {"lead_id": "customer_id", "at": "invoice_date"}}

pytestmark = pytest.mark.real_data


def folder(name: str) -> Path:
    """The folder of a data set, or a skip that says which one is missing."""
    path = DATA / name
    if not path.is_dir():
        pytest.skip(f"real data: {name} is not there (LEADCORE_REAL_DATA names the folder of data sets)")
    return path


def unpacked(path: Path) -> io.BytesIO:
    with gzip.open(path) as file:
        return io.BytesIO(file.read())


@pytest.fixture(scope="module")
def oulad() -> Oulad:
    return prepare(folder("oulad"))


def clicks_of(data: Oulad, day: int, scores: Mapping[str, Any]) -> pl.DataFrame:
    """Every enrolment's row at the end of a day, under a model of these scores, beside its outcome."""
    document = {
        "leadcore": 1,
        "name": "oulad",
        "events": {kind: {"clicks": "number"} for kind in TYPES},
        "scores": scores,
    }
    model = lc.Model.model_validate(document)
    found = lc.Scorer(model).score(data.events, data.leads.select("lead_id"), as_of=end_of(day))
    return found.to_polars().join(data.leads, on="lead_id", maintain_order="left")


class TestOulad:
    """Kuzilek, Hlosta, Zdrahal: Open University Learning Analytics dataset (2017), CC BY 4.0."""

    @pytest.mark.parametrize("day", GROUND_TRUTH)
    def test_plain_sum_of_clicks_has_the_published_auc(self, oulad: Oulad, day: int) -> None:
        scores, _ = scores_of(lc.Scorer(clicks_model()), oulad, day)
        clicks, won, stayed = scores.table.column("clicks"), oulad.leads["success"].to_numpy(), still_there(oulad, day)

        assert (round(auc(clicks, won), 6), round(auc(clicks[stayed], won[stayed]), 6)) == GROUND_TRUTH[day]

    @pytest.mark.parametrize("identified", [True, False])
    def test_rows_that_repeat_another_all_count(self, oulad: Oulad, identified: bool) -> None:
        """787,170 rows equal another one: without an ``event_id``, or each with its own, they are events like others."""
        events = oulad.events if identified else oulad.events.drop("event_id")

        scores = lc.Scorer(clicks_model()).score(events, as_of=end_of(269), micropoints=True)

        assert scores.table.column("clicks").sum() == 39_605_099 * 10**6
        assert (len(scores), scores.counts.events, scores.counts.later) == (32_593 - 3_365, 10_655_280, 0)

    def test_equal_ids_count_once(self, oulad: Oulad) -> None:
        """With one ``event_id`` per distinct row, the repeats go."""
        part = oulad.presentation("AAA", "2013J")
        alike = ["lead_id", "at", "type", "clicks"]
        once = part.events.with_columns(pl.struct(alike).rank("dense").cast(pl.Int64).alias("event_id"))

        scores = lc.Scorer(clicks_model()).score(once, as_of=end_of(269))

        assert scores.table.column("clicks").sum() == part.events.unique(["event_id"]).unique(alike)["clicks"].sum()

    def test_half_life_sums_of_one_presentation(self, oulad: Oulad) -> None:
        part = oulad.presentation("AAA", "2013J")
        criterion = {
            "name": "clicks", "kind": "event", "on": list(TYPES), "points": {"per": "clicks", "rate": 1},
            "decay": {"half_life": "14d"},
        }  # fmt: skip
        rows = clicks_of(part, 100, {"clicks": {"criteria": [criterion]}})
        clicks = rows["clicks"]

        assert (len(rows), (clicks > 0).sum(), (clicks >= 100).sum()) == (383, 378, 124)
        assert clicks.sum() == pytest.approx(37_078.655449, abs=383 * 1e-6)
        assert round(clicks.median(), 5) == 59.39316
        assert round(auc(clicks, rows["success"]), 6) == 0.744296
        best = rows.sort("clicks", descending=True).head(5)
        assert best["student"].to_list() == [321942, 312537, 1970390, 760729, 2649826]
        assert best["clicks"].to_list() == [818.553681, 805.309962, 754.485692, 578.048331, 506.591322]

    def test_capped_criteria_of_one_presentation(self, oulad: Oulad) -> None:
        weights = {"oucontent": 1, "forumng": 2, "quiz": 5, "homepage": 0.5, "resource": 1, "subpage": 0.5, "url": 1}
        criteria = [
            {"name": kind, "kind": "event", "on": kind, "points": {"per": "clicks", "rate": weight}, "max": 50}
            for kind, weight in weights.items()
        ]
        rows = clicks_of(oulad.presentation("BBB", "2014J"), 60, {"clicks": {"criteria": criteria}})
        clicks, hot = rows["clicks"], rows.filter(pl.col("clicks") >= 200)

        assert (len(rows), clicks.sum(), clicks.median(), clicks.max()) == (2292, 279_976.5, 130.0, 310.0)
        assert (len(hot), hot["success"].sum()) == (594, 475)
        assert round(auc(clicks, rows["success"]), 6) == 0.811459

    def test_the_demo_model_foretells_more_than_clicks_do(self, oulad: Oulad) -> None:
        """Also where it was not fitted, and among those who could still click."""
        scores, _ = scores_of(lc.Scorer(lc.Model.load(str(MODEL))), oulad, 60)
        plain, _ = scores_of(lc.Scorer(clicks_model()), oulad, 60)
        who = still_there(oulad, 60) & (oulad.leads["presentation"] == "2014J").to_numpy()
        won = oulad.leads["success"].to_numpy()[who]

        made, clicks = (
            auc(table.column(name)[who], won) for table, name in ((scores.table, "chance"), (plain.table, "clicks"))
        )

        assert made > clicks + 0.05


@pytest.fixture(scope="module")
def sales() -> pl.DataFrame:
    rows = pl.read_parquet(folder("online_retail_ii") / "online_retail_ii.parquet")
    newer = rows.filter(pl.col("sheet") == "2010-2011")["invoice"].unique()
    twice = (pl.col("sheet") == "2009-2010") & pl.col("invoice").is_in(newer.implode())
    return rows.filter(
        ~twice, pl.col("customer_id").is_not_null(), ~pl.col("invoice").str.starts_with("C"),
        pl.col("quantity") > 0, pl.col("price") > 0,
    ).select("customer_id", "invoice_date", amount=pl.col("quantity") * pl.col("price"), type=pl.lit("sale"))  # fmt: skip


@pytest.fixture(scope="module")
def retail() -> lc.Scorer:
    """A tenth of a point per pound: one order of 168,469.60 is beyond what one event may be worth (spec 9.1)."""
    criterion = {
        "name": "sales", "kind": "event", "on": "sale", "points": {"per": "amount", "rate": 0.1},
        "decay": {"half_life": "30d"},
    }  # fmt: skip
    document = {
        "leadcore": 1, "name": "retail", "events": {"sale": {"amount": "number"}},
        "scores": {"value": {"criteria": [criterion]}},
    }  # fmt: skip
    return lc.Scorer(lc.Model.model_validate(document))


class TestOnlineRetail:
    """Chen, D.: Online Retail II, UCI Machine Learning Repository (2019), CC BY 4.0."""

    def test_half_life_sums(self, retail: lc.Scorer, sales: pl.DataFrame) -> None:
        rows = retail.score(sales, as_of="2011-12-10", columns=COLUMNS).to_polars()
        value = dict(zip(rows["lead_id"], rows["value"] * 10, strict=True))

        assert (len(sales), len(value)) == (791_044, 5878)
        assert sum(value.values()) == pytest.approx(1_688_429.9515, abs=0.002)
        assert value[12347] == pytest.approx(770.248077, abs=1e-5)
        assert value[13085] == pytest.approx(3.928569, abs=1e-5)
        assert sum(v >= 100 for v in value.values()) == 2157
        best = sorted(value, key=value.__getitem__, reverse=True)[:5]
        assert best == [16446, 14646, 18102, 14096, 17450]
        assert [value[customer] for customer in best] == pytest.approx(
            [166094.28, 45781.985, 41043.7069, 33444.9115, 33192.9679], abs=1e-4
        )

    def test_repeat_purchase_backtest(self, retail: lc.Scorer, sales: pl.DataFrame) -> None:
        """The score at an instant sees nothing of what came after it."""
        begin = pl.datetime(2010, 12, 1)
        later = sales.filter(pl.col("invoice_date") >= begin, pl.col("invoice_date") < begin + pl.duration(days=90))
        rows = retail.score(sales, as_of="2010-12-01", columns=COLUMNS).to_polars()
        again = rows["lead_id"].is_in(later["customer_id"].unique().implode())

        assert (len(rows), again.sum()) == (4266, 1411)
        assert round(auc(rows["value"], again), 6) == 0.738285


class TestBankMarketing:
    """Moro, Rita, Cortez: Bank Marketing, UCI Machine Learning Repository (2014), CC BY 4.0."""

    CARD = """
        leadcore: 1
        name: rule-card
        attributes: {poutcome: text, contact: text, job: text, previous: number, campaign: number}
        scores:
          card:
            criteria:
              - {name: success, kind: attribute, when: {field: poutcome, op: eq, value: success}, points: 50}
              - {name: mobile, kind: attribute, when: {field: contact, op: eq, value: cellular}, points: 15}
              - {name: time, kind: attribute, when: {field: job, op: in, value: [student, retired]}, points: 15}
              - {name: known, kind: attribute, when: {field: previous, op: gt, value: 0}, points: 10}
              - name: pestered
                kind: attribute
                field: campaign
                bands:
                  - {at_least: 2, points: -3}
                  - {at_least: 3, points: -6}
                  - {at_least: 4, points: -9}
                  - {at_least: 5, points: -12}
                  - {at_least: 6, points: -15}
        thresholds: {warm: {score: card, at: 15}, hot: {score: card, at: 40}}
        """

    @pytest.mark.parametrize(
        ("file", "mean", "expected_auc", "warm", "hot"),
        [
            ("bank-full", 10.099157, 0.703187, (16287, 3232), (1710, 1032)),
            ("bank-additional-full", 9.67289, 0.706431, (15145, 2841), (1566, 947)),
        ],
    )
    def test_rule_card(
        self, file: str, mean: float, expected_auc: float, warm: tuple[int, int], hot: tuple[int, int]
    ) -> None:
        path = folder("bank_marketing") / f"{file}.csv.gz"
        clients = pl.read_csv(unpacked(path), separator=";", infer_schema_length=None).with_row_index("lead_id")

        rows = lc.Scorer(lc.Model.from_yaml(self.CARD)).score(None, clients, as_of="2010-11-30").to_polars()

        said_yes = (clients["y"] == "yes").to_numpy()
        reached = {name: rows[name].to_numpy() for name in ("warm", "hot")}
        assert (rows["card"].min(), rows["card"].max(), round(rows["card"].mean(), 6)) == (-15, 90, mean)
        assert round(auc(rows["card"], said_yes), 6) == expected_auc
        assert [(int(r.sum()), int((r & said_yes).sum())) for r in reached.values()] == [warm, hot]
        assert np.array_equal(reached["warm"], rows["card"].to_numpy() >= 15)
