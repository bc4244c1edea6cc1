"""Ids that are UUIDs are found by their number: whatever else comes among them, every text stays an id of its own."""

from __future__ import annotations

from collections import Counter
from uuid import UUID

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import leadcore as lc

VISITS = lc.Scorer(
    lc.Model.from_yaml("""
leadcore: 1
name: visits
events: {visit: {}}
scores: {interest: {criteria: [{name: visits, kind: event, on: visit, points: 1}]}}
""")
)


@st.composite
def nearly(draw: st.DrawFn) -> str:
    """A UUID, or a text that is one but for a character, its case, its dashes or its length."""
    text = str(UUID(int=draw(st.integers(0, 3) | st.integers(0, 2**128 - 1))))
    match draw(st.integers(0, 6)):
        case 0:
            place = draw(st.integers(0, 35))
            return text[:place] + draw(st.characters(codec="utf-8")) + text[place + 1 :]
        case 1:
            return text.upper()
        case 2:
            return text.replace("-", "")
        case 3:
            return text[: draw(st.integers(0, 35))]
        case 4:
            return text + draw(st.sampled_from("0-a "))
        case _:
            return text


@settings(deadline=None)
@given(
    st.lists(nearly(), min_size=1, max_size=80), st.integers(1, 40), st.sampled_from(["utf8", "large", "view", "codes"])
)
def test_every_text_is_an_id_of_its_own(ids: list[str], width: int, layout: str) -> None:
    kind = {"utf8": pa.string(), "large": pa.large_string(), "view": pa.string_view()}.get(layout)
    column = pa.array(ids, kind) if kind is not None else pa.array(ids).dictionary_encode()
    events = pa.table({"lead_id": column, "at": ["2026-01-01"] * len(ids), "type": ["visit"] * len(ids)})
    cut = pa.Table.from_batches(events.to_batches(max_chunksize=width))

    scores = VISITS.score(cut, as_of="2026-01-02")

    assert {row["lead_id"]: row["interest"] for row in scores.table.to_dicts()} == Counter(ids)


@pytest.mark.parametrize("odd", [None, "nobody", "00000000-0000-0000-0000-00000000000A"])
def test_an_odd_id_late_changes_no_other(odd: str | None) -> None:
    ids = [str(UUID(int=i * 2**64 + i)) for i in range(3000)]
    asked = [*ids, *([odd] if odd else []), *reversed(ids)]
    events = pa.table({"lead_id": asked, "at": ["2026-01-01"] * len(asked), "type": ["visit"] * len(asked)})
    leads = pa.table({"lead_id": ids[:1000]})

    scores = VISITS.score(events, leads, as_of="2026-01-02")

    assert {row["lead_id"]: row["interest"] for row in scores.table.to_dicts()} == Counter(asked)
