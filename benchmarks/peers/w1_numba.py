"""W1 by hand in numba: urls as dictionary codes and each distinct one tested once, then one loop over the events.

What an event of some type with a url of some class counts for is looked up in a table of criteria, so the loop serves any
number of them. With threads, each takes a share of the events from beginning to end, and the sums are added.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.peers.compiled import njit
from benchmarks.peers.numba_loop import id_rows
from benchmarks.peers.w1 import W1, Criterion, Source, Test, Work, bounded, scored, table_of
from benchmarks.peers.w2 import TEXT_TESTS, Codes, Floats, Ints, dictionary_of, fits, instants, one_chunk

NONE, HALF_LIFE, LINEAR, EXPIRE = range(4)
DECAYS = ("none", "half_life", "linear", "expire")
WORD = 62  # tests that fit an integer

Rows = Callable[[pa.Table, pa.Table], Codes]
"""From leads and events to each event's row of leads."""


class Table(NamedTuple):
    """What the loop knows of criteria, each an array by criterion."""

    slot: Codes
    points: Floats
    decay: Codes
    length: Ints
    low: Floats
    high: Floats


def table(w1: W1) -> Table:
    """Criteria as arrays; ``low`` is NaN where no value is asked."""
    criteria = w1.criteria
    bounds = np.array([one.number or (np.nan, np.nan) for one in criteria])
    return Table(
        np.array([i for i, slot in enumerate(w1.slots) for _ in slot.criteria], np.int32),
        np.array([one.points for one in criteria]),
        np.array([DECAYS.index(one.decay) for one in criteria], np.int32),
        np.array([one.length for one in criteria], np.int64),
        bounds[:, 0].copy(),
        bounds[:, 1].copy(),
    )


@njit(cache=True, nogil=True)
def add_up(
    until: int, at: Ints, lead: Codes, kind: npt.NDArray[np.int8], url: Codes, value: Floats, classes: int,
    class_of: Codes, first: Codes, listed: Codes, slot: Codes, points: Floats, decay: Codes, length: Ints, low: Floats,
    high: Floats, sums: Floats,
) -> None:  # fmt: skip
    """Add each event to its lead's slots."""
    for i in range(len(at)):
        age = until - at[i]
        if age < 0:
            continue
        place = int(kind[i]) * classes + class_of[url[i]]  # the last of the classes: no url
        for j in range(first[place], first[place + 1]):
            k = listed[j]
            if low[k] == low[k] and not low[k] <= value[i] <= high[k]:
                continue
            worth = points[k]
            if decay[k] == HALF_LIFE:
                worth *= np.exp2(-age / length[k])
            elif decay[k] != NONE:
                if age >= length[k]:
                    continue
                if decay[k] == LINEAR:
                    worth *= 1.0 - age / length[k]
            sums[lead[i], slot[k]] += worth


def passing(test: Test, texts: pa.Array) -> npt.NDArray[np.bool_]:
    """Which texts, in small letters, pass a test."""
    found = np.zeros(len(texts), bool)
    for value in test.values:
        passed = TEXT_TESTS[test.op](texts, value)
        found |= pc.fill_null(passed, False).to_numpy(zero_copy_only=False)
    return found


def classes_of(tests: tuple[Test, ...], urls: pa.Array) -> tuple[Codes, list[frozenset[Test]]]:
    """The class of each url, and of no url at last; and by class the tests that are passed."""
    code, small = np.zeros(len(urls), np.int64), pc.utf8_lower(urls)
    members: list[frozenset[Test]] = [frozenset()]
    for begin in range(0, len(tests), WORD):
        some = tests[begin : begin + WORD]
        word = np.zeros(len(urls), np.int64)
        for bit, test in enumerate(some):
            word |= passing(test, small).astype(np.int64) << bit
        words, distinct = pd.factorize(word)
        code, pairs = pd.factorize(code * len(distinct) + words)
        passed = [frozenset(t for bit, t in enumerate(some) if int(w) >> bit & 1) for w in distinct]
        members = [members[pair // len(distinct)] | passed[pair % len(distinct)] for pair in pairs]
    return np.append(code, len(members)).astype(np.int32), [*members, frozenset()]


def lists(criteria: tuple[Criterion, ...], types: list[str], classes: list[frozenset[Test]]) -> tuple[Codes, Codes]:
    """By type and class: where its criteria begin in the list, and the list."""
    found = []
    for name in types:
        mine = [(k, one.text) for k, one in enumerate(criteria) if name in one.on]
        found += [[k for k, test in mine if test is None or test in passed] for passed in classes]
    first = np.cumsum([0, *map(len, found)]).astype(np.int32)
    return first, np.array([k for some in found for k in some], np.int32)


def whole(work: Callable[..., Any], size: int, *arrays: Any) -> list[Any]:
    """All at once: for one thread."""
    return [work(0, size, *arrays)]


def own_rows(leads: pa.Table, events: pa.Table) -> Codes:
    """Each event's row in the leads table, by a hash table written for it."""
    return id_rows(leads, events, whole)


def factorized_rows(leads: pa.Table, events: pa.Table) -> Codes:
    """The same by what a library offers: `pandas.factorize` of integers, dictionary codes of texts."""
    known = one_chunk(leads["lead_id"])
    if not pa.types.is_integer(known.type):
        return own_rows(leads, events)
    codes, distinct = pd.factorize(np.concatenate([known.to_numpy(), one_chunk(events["lead_id"]).to_numpy()]))
    if len(distinct) != len(known):
        raise ValueError("W1 has no events of leads that are not in the leads table")
    return codes[len(known) :].astype(np.int32)


def part(w1: W1, known: Table, events: pa.Table, leads: pa.Table, rows: Rows) -> Floats:
    """The sums of some events, leads by slots."""
    types, kind = dictionary_of(events["event_type"])
    urls, url = dictionary_of(events["url"])
    class_of, classes = classes_of(w1.tests, urls)
    first, listed = lists(w1.criteria, types.to_pylist(), classes)
    value = one_chunk(events["value"]).to_numpy(zero_copy_only=False)
    sums = np.zeros((len(leads), len(w1.slots)))
    add_up(
        w1.until, instants(events["ts"]), rows(leads, events), kind, url, value, len(classes), class_of,
        first, listed, known.slot, known.points, known.decay, known.length, known.low, known.high, sums,
    )  # fmt: skip
    return sums


def make(w1: W1, threads: int = 1, factorize: bool = False) -> Work:
    """The work, with as many threads; with or without a table of ids of its own."""
    rows = factorized_rows if factorize else own_rows
    known = table(w1)

    def work(events: Source, leads: Source) -> pa.Table:
        events, leads = table_of(events), table_of(leads)
        size = -(-len(events) // threads)
        with ThreadPoolExecutor(threads) as pool:
            parts = [
                pool.submit(part, w1, known, events.slice(begin, size), leads, rows)
                for begin in range(0, len(events), max(1, size))
            ]
            fit = fits(leads)
        sums = parts[0].result()
        for other in parts[1:]:
            sums += other.result()
        return scored(w1, one_chunk(leads["lead_id"]), fit, bounded(w1, sums))

    return work
