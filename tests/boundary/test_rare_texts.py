"""Texts that hardly repeat are tested row by row, and not stored: hits and faults are those of texts looked up."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

import leadcore as lc

ROWS = 200_000
"""More than three times as many distinct texts as are stored before that is asked."""
SCORER = lc.Scorer(
    lc.Model.from_yaml("""
leadcore: 1
name: rare
events: {visit: {url: text}, call: {}}
scores:
  interest:
    criteria:
      - {name: guides, kind: event, on: visit, where: {field: url, op: contains, value: /guide/}, points: 1}
      - {name: numbers, kind: event, on: visit, where: {field: url, op: matches, value: "-[0-9]*7/"}, points: 10}
      - {name: shop, kind: event, on: visit, where: {field: url, op: starts_with, value: "SHOP."}, points: 100}
      - {name: last, kind: event, on: visit, where: {field: url, op: ends_with, value: /last}, points: 1000}
""")
)


def texts() -> list[str | None]:
    """Distinct urls, some null; the last ones pass a test that none did before."""
    urls = [
        None if i % 11 == 0 else f"{'shop.' if i % 3 == 0 else ''}example.com/{'guide' if i % 5 else 'news'}/item-{i}/ä"
        for i in range(ROWS)
    ]
    return [*urls[:-5], *(f"{i}/last" for i in range(5))]


def table(url: pa.Array) -> pa.Table:
    lead = np.arange(ROWS) % 997
    kinds = pa.array(["visit", "visit", "call"]).take(pa.array(np.arange(ROWS) % 3))
    at = pa.array(np.arange(ROWS, dtype=np.int64) * 1_000_000, pa.timestamp("us"))
    return pa.table({"lead_id": lead, "at": at, "type": kinds, "url": url})


@pytest.mark.parametrize("threads", [1, 3])
def test_texts_that_hardly_repeat(threads: int) -> None:
    urls = texts()

    plain = SCORER.score(table(pa.array(urls)), as_of="1980-01-01", threads=threads)
    coded = SCORER.score(table(pa.array(urls).dictionary_encode()), as_of="1980-01-01", threads=1)

    expected = np.zeros(997, np.int64)
    for i, url in enumerate(urls):
        if url is not None and i % 3 != 2:
            expected[i % 997] += "/guide/" in url
            expected[i % 997] += 10 * (url.split("-")[-1].split("/")[0][-1:] == "7" and "-" in url)
            expected[i % 997] += 100 * url.startswith("shop.")
            expected[i % 997] += 1000 * url.endswith("/last")
    scores = {row["lead_id"]: row["interest"] for row in plain.table.to_dicts()}
    assert [scores[i] for i in range(997)] == expected.tolist()
    assert plain.table.to_dicts() == coded.table.to_dicts()


@pytest.mark.parametrize("threads", [1, 3])
def test_a_text_that_is_none_is_a_fault(threads: int) -> None:
    raw = [None if url is None else url.encode() for url in texts()]
    broken = [120_001, 160_001, 160_002]  # the second is of a type without a url
    for row in broken:
        raw[row] = b"\xff" + str(row).encode()
    assert [row % 3 for row in broken] == [1, 2, 0]

    scores = SCORER.score(
        table(pa.array(raw, pa.binary()).view(pa.string())), as_of="1980-01-01", threads=threads, on_error="reject"
    )

    assert [row["row"] for row in scores.rejects.to_dicts()] == [row for row in broken if row % 3 != 2]
    with pytest.raises(lc.DataError, match="events, row 120001, column url"):
        SCORER.score(table(pa.array(raw, pa.binary()).view(pa.string())), as_of="1980-01-01", threads=threads)
