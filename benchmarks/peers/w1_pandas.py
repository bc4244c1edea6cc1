"""W1 in pandas 3 and numpy: categories of types and urls, tests once per category, one bincount per criterion."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from benchmarks.peers.w1 import W1, Criterion, Source, Test, Work, bounded, scored, table_of
from benchmarks.peers.w2 import Floats, Ints, fits, one_chunk

Rows = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]


def passing(test: Test, texts: pd.Index) -> Flags:
    """Which texts pass a test; False at last, for no text."""
    found = np.zeros(len(texts) + 1, bool)
    for value in test.values:
        if test.op == "starts_with":
            found[:-1] |= texts.str.startswith(value)
        else:
            found[:-1] |= texts.str.contains(value.replace("(", "(?:"), regex=test.op == "matches")
    return found


def weights(one: Criterion, age: Ints) -> Floats | None:
    """What is left of the points; None is all."""
    if one.decay == "half_life":
        left: Floats = np.exp2(age * (-1 / one.length))
        return left
    if one.decay == "linear":
        return np.maximum(0.0, 1 - age / one.length)
    return None


def make(w1: W1) -> Work:
    """The work."""

    def work(events: Source, leads: Source) -> pa.Table:
        events, leads = table_of(events), table_of(leads)
        frame = events.to_pandas(strings_to_categorical=True)
        known = pd.Index(leads["lead_id"].to_pandas())
        lead = known.get_indexer(pd.Index(frame["lead_id"]))
        age = w1.until - frame["ts"].to_numpy().view("int64")
        types, urls = frame["event_type"].cat, frame["url"].cat
        texts, code, value = urls.categories.astype("str").str.lower(), urls.codes.to_numpy(), frame["value"].to_numpy()
        passed = {test: passing(test, texts) for test in w1.tests}
        by_type: list[Rows] = [np.flatnonzero(types.codes == i) for i in range(len(types.categories))]
        by_type = [rows[age[rows] >= 0] for rows in by_type]
        sums = np.zeros((len(leads), len(w1.slots)))
        for i, slot in enumerate(w1.slots):
            for one in slot.criteria:
                for kind in types.categories.get_indexer(list(one.on)):
                    rows = by_type[kind]
                    if one.text:
                        rows = rows[passed[one.text][code[rows]]]
                    if one.number:
                        low, high = one.number
                        rows = rows[(value[rows] >= low) & (value[rows] <= high)]
                    if one.decay == "expire":
                        rows = rows[age[rows] < one.length]
                    counted = np.bincount(lead[rows], weights(one, age[rows]), len(leads))
                    sums[:, i] += one.points * counted
        return scored(w1, one_chunk(leads["lead_id"]), fits(leads), bounded(w1, sums))

    return work
