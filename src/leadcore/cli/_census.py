"""Which event types a table has, how often, and which columns each of them uses (for ``init``)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from leadcore import _kernel
from leadcore._arrow import Encoder, Program
from leadcore._files import FileTable
from leadcore._inputs import data_errors
from leadcore._sources import Format

MOST_TYPES = 60


@dataclass
class Census:
    """What one reading of the events told.

    Attributes:
        types: Rows by type, the most frequent first.
        uses: The columns with values, by type.
        last: The latest instant, in microseconds; None without rows.
        left_out: Types beyond the most frequent 60.
    """

    types: dict[str, int]
    uses: dict[str, list[str]]
    last: int | None
    left_out: int


def census(paths: Sequence[str], format: Format, roles: Mapping[str, str], kinds: Mapping[str, str]) -> Census:
    """Read a table of events twice: for its types, then for the columns of each.

    Args:
        paths: Its files.
        format: Their format.
        roles: Its column names by ``lead_id``, ``at``, ``type``.
        kinds: Kind of each column that may be a property.

    Raises:
        DataError: A required column is missing or of a wrong type.
    """
    counts, _, _ = _read(paths, format, roles, {}, [])
    types = dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
    kept = list(types)[:MOST_TYPES]
    _, found, last = _read(paths, format, roles, kinds, kept)
    columns = list(kinds)
    uses = {name: [c for j, c in enumerate(columns) if found[i * len(columns) + j]] for i, name in enumerate(kept)}
    return Census({name: types[name] for name in kept}, uses, last, len(types) - len(kept))


def _read(
    paths: Sequence[str], format: Format, roles: Mapping[str, str], kinds: Mapping[str, str], types: Sequence[str]
) -> tuple[dict[str, int], list[bool], int | None]:
    """Rows of undeclared types; whether some row of a type has a value in a column; the latest instant."""
    columns = list(kinds)
    rules = [
        {"rule": "test", "types": [i], "hit": i * len(columns) + j, "when": {"field": j, "op": "exists"}}
        for i in range(len(types))
        for j in range(len(columns))
    ]
    program = {
        "fields": {"lead": [], "event": [{"name": n, "type": k, "optional": True} for n, k in kinds.items()]},
        "types": [{"name": name, "fields": list(range(len(columns)))} for name in types],
        "lead_rules": [], "event_rules": rules, "codes": [], "numbers": [], "ordered": False,
    }  # fmt: skip
    fields = {roles["lead_id"]: "id", roles["at"]: "instant", roles["type"]: "text"}
    table = FileTable(paths, format, {**kinds, **fields})
    encoder, n = Encoder(Program(json.dumps(program).encode()), True), _kernel.BLOCK
    with data_errors("events"):
        encoder.open_events(table, {key: roles[key] for key in ("lead_id", "at", "type")})
        at = np.empty(n, np.int64)
        block: list[Any] = [np.empty(n, np.uint32), at, np.empty(n, np.uint32), np.empty(n, np.int64)]
        block += [
            np.empty(0, np.uint32),
            np.empty(0, np.uint32),
            np.empty((0, n), np.uint32),
            np.empty((0, n), np.float64),
        ]
        last: int | None = None
        while count := encoder.next_block(*block):
            newest = int(at[:count].max())
            last = newest if last is None else max(last, newest)
    found = np.zeros(len(rules), bool)
    found[encoder.hit_sets()[1]] = True
    return encoder.counts()["ignored"], found.tolist(), last
