"""Golden hashes: the scores of a million leads and the log of 200,000 have the bits they always had.

The tables come from integers alone (splitmix64), so no library's random numbers, no float and no platform has a part in
them. Whoever means to change a score changes the hash here, and says so in CHANGELOG.md.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

import leadcore as lc

MODELS = Path(__file__).parents[2] / "benchmarks"
AS_OF = "2025-12-31T00:00:00Z"
BEGIN = 1_735_689_600_000_000  # 2025-01-01
YEAR = 365 * 86_400_000_000
TYPES = (
    "page_view", "page_view", "page_view", "email_open", "email_click", "download", "form_view", "search", "ad_click",
    "trial_login", "webinar_attended", "demo_request", "invoice_paid", "meeting_held", "unsubscribe", "pricing_calculator",
)  # fmt: skip
PATHS = (
    "/pricing/a", "/compare/b", "/case-studies/c", "/careers/d", "/docs/e", "/blog/f", "/product/g", "/trial/sales",
    "/v2.1/sdk/x", "/?utm_campaign=brand-q1", "/help/h", "/",
)  # fmt: skip
TITLES = (
    "VP Sales",
    "Chief Data Officer",
    "Intern, Legal",
    "Director of Marketing",
    "Senior Engineering",
    "Student Affairs",
    None,
)
COUNTRIES = ("DE", "US", "GB", "FR", "IN", "BR", None)

Words = npt.NDArray[np.uint64]


def drawn(size: int, stream: int) -> Words:
    """Random words, the same everywhere: splitmix64 of a counter."""
    z: Words = (np.arange(1, size + 1, dtype=np.uint64) + (np.uint64(stream) << np.uint64(40))) * np.uint64(
        0x9E3779B97F4A7C15
    )
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def below(size: int, stream: int, bound: int) -> npt.NDArray[np.int64]:
    """Random integers from 0 to ``bound`` - 1."""
    return (drawn(size, stream) % np.uint64(bound)).astype(np.int64)


def chosen(size: int, stream: int, words: tuple[str | None, ...]) -> pa.Array:
    """Random words of a list."""
    return pa.array(words).take(pa.array(below(size, stream, len(words))))


def tables(leads: int, events: int) -> tuple[pa.Table, pa.Table]:
    """So many leads, and events of which a quarter belong to a sixteenth of them."""
    few = below(events, 1, 4) == 0
    lead = np.where(few, below(events, 2, leads // 16), below(events, 3, leads))
    urls = pa.array(["https://www.example.com" + path for path in PATHS])
    happened = pa.table(
        {
            "lead_id": lead * 7 + 3,
            "at": pa.array(BEGIN + below(events, 4, YEAR), pa.timestamp("us")),
            "type": chosen(events, 5, TYPES),
            "url": urls.take(pa.array(below(events, 6, len(PATHS)), mask=below(events, 7, 3) == 0)),
            "value": pa.array(below(events, 8, 40_000) / 64.0, mask=below(events, 9, 2) == 0),
        }
    )
    known = pa.table(
        {
            "lead_id": np.arange(leads) * 7 + 3,
            "title": chosen(leads, 10, TITLES),
            "country": chosen(leads, 11, COUNTRIES),
            "employees": pa.array(below(leads, 12, 5_000), mask=below(leads, 13, 5) == 0),
        }
    )
    return happened, known


def hashed(table: Any, columns: tuple[str, ...]) -> str:
    """A hash over whole columns: integers and instants as 64 bits, texts with their lengths."""
    found = hashlib.sha256()
    for name in columns:
        column = pa.table(table)[name].combine_chunks()
        if pa.types.is_timestamp(column.type):
            column = column.cast(pa.timestamp("us", column.type.tz)).cast(pa.int64())
        if pa.types.is_dictionary(column.type):
            column = column.cast(pa.string())
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            found.update("\0".join("-" if text is None else text for text in column.to_pylist()).encode())
        else:
            found.update(column.cast(pa.int64()).fill_null(-1).to_numpy().astype("<i8").tobytes())
    return found.hexdigest()


@pytest.mark.parametrize("threads", [1, 2])
def test_scores_of_a_million_leads(threads: int) -> None:
    events, leads = tables(1_000_000, 4_000_000)
    scorer = lc.Scorer(lc.Model.load(str(MODELS / "w1.yaml")))

    scores = scorer.score(events, leads, as_of=AS_OF, threads=threads, micropoints=True)

    assert len(scores.table) == 1_000_000
    assert hashed(scores.table, ("lead_id", "fit", "engagement", "total")) == SCORES


@pytest.mark.parametrize("threads", [1, 2])
def test_log_of_200_000_leads(threads: int) -> None:
    events, leads = tables(200_000, 1_000_000)
    scorer = lc.Scorer(lc.Model.load(str(MODELS / "w2.yaml")))

    replayed = scorer.replay(events, leads, until=AS_OF, threads=threads, micropoints=True)

    columns = ("lead_id", "at", "from_stage", "to_stage", "rule", "cause", "fit", "engagement", "total")
    assert hashed(replayed.transitions, columns) == LOG
    assert hashed(replayed.states, ("lead_id", "stage", "entered_at", "mql", "total")) == STATES


SCORES = "a8e145465f2771a83243d21152041b6069b1788fbd79ef48d6227b1b65bc7b58"
LOG = "7d6639743843b01865dbcc6bbd69f8b4dff044b5c40c47f19924195e202ac608"
STATES = "048c7c671696f885110617652c20314018899087cf9bb8db8d8a6dbbb5d9329a"
