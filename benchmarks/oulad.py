"""OULAD as leads and events: an enrolment is a lead, the kind of page an event type, clicks its property.

All presentations share one base, so day D is the same instant for all of them. A day's clicks are dated at its end, when
all of them have happened.
"""

from __future__ import annotations

import gzip
import io
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

BASE = datetime(2013, 10, 1, tzinfo=UTC)
SOURCE = Path("../shared/data/oulad")
CACHE = Path("data")

KEY = ("code_module", "code_presentation", "id_student")

TYPES = (
    "dataplus", "dualpane", "externalquiz", "folder", "forumng", "glossary", "homepage", "htmlactivity", "oucollaborate",
    "oucontent", "ouelluminate", "ouwiki", "page", "questionnaire", "quiz", "repeatactivity", "resource",
    "sharedsubpage", "subpage", "url",
)  # fmt: skip


@dataclass(frozen=True)
class Oulad:
    """Events (``lead_id``, ``at``, ``type``, ``clicks``, ``event_id``), and one row per enrolment.

    Attributes:
        events: In file order; ``event_id`` is the row number.
        leads: ``lead_id``, ``module``, ``registered`` (days before the start), and for the backtest alone
            ``presentation``, ``student``, ``left`` (day of leaving, null: stayed) and ``success``.
    """

    events: pl.DataFrame
    leads: pl.DataFrame

    def presentation(self, module: str, presentation: str) -> Oulad:
        """The events and enrolments of one presentation of one module."""
        leads = self.leads.filter((pl.col("module") == module) & (pl.col("presentation") == presentation))
        events = self.events.filter(pl.col("lead_id").str.starts_with(f"{module}-{presentation}-"))
        return Oulad(events, leads)


def end_of(day: int) -> datetime:
    """The end of a day of the course."""
    return BASE + timedelta(days=day + 1)


def load(source: Path = SOURCE, cache: Path | None = CACHE) -> Oulad:
    """Read the source, or what was made of it before."""
    if cache is None:
        return prepare(source)
    paths = [cache / f"oulad_{table}.parquet" for table in ("events", "leads")]
    if not all(path.exists() for path in paths):
        cache.mkdir(parents=True, exist_ok=True)
        made = prepare(source)
        for path, table in zip(paths, (made.events, made.leads), strict=True):
            table.write_parquet(path.with_suffix(".part"), compression="zstd")
            path.with_suffix(".part").rename(path)
    return Oulad(*(pl.read_parquet(path) for path in paths))


def prepare(source: Path) -> Oulad:
    """Bring the source's files into two tables; no row is dropped."""
    lead_id = pl.concat_str(*KEY, separator="-").alias("lead_id")
    sites = pl.read_csv(source / "vle.csv").select(
        pl.col("id_site").cast(pl.Int32), pl.col("activity_type").cast(pl.Categorical).alias("type")
    )
    clicks = pl.read_parquet(source / "studentVle.parquet").join(sites, on="id_site", how="left", maintain_order="left")
    end = pl.lit(end_of(0)).dt.cast_time_unit("us") + pl.duration(days=pl.col("date").cast(pl.Int64))
    events = clicks.select(lead_id, end.alias("at"), "type", pl.col("sum_click").alias("clicks")).with_row_index(
        "event_id"
    )
    registration = pl.read_csv(source / "studentRegistration.csv")
    with gzip.open(source / "studentInfo.csv.gz") as file:
        people = pl.read_csv(io.BytesIO(file.read()))
    leads = people.join(registration, on=KEY, how="left", maintain_order="left").select(
        lead_id,
        pl.col("code_module").alias("module"),
        pl.col("code_presentation").alias("presentation"),
        pl.col("id_student").alias("student"),
        (-pl.col("date_registration")).alias("registered"),
        pl.col("date_unregistration").alias("left"),
        pl.col("final_result").is_in(["Pass", "Distinction"]).alias("success"),
    )
    return Oulad(events.with_columns(pl.col("event_id").cast(pl.Int64)), leads)


def auc(scores: npt.ArrayLike, success: npt.ArrayLike) -> float:
    """The chance that a success has a higher score than a failure, ties counted one half."""
    values, won = np.asarray(scores), np.asarray(success, bool)
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    positives = int(won.sum())
    negatives = len(won) - positives
    return float((ranks[won].sum() - positives * (positives + 1) / 2) / (positives * negatives))
