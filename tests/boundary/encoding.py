"""Running an encoder over tables and reading its blocks back as rows, and conditions evaluated in plain Python."""

from __future__ import annotations

import itertools
import json
import math
import re
from typing import Any

import numpy as np
import pyarrow as pa
from leadcore_arrow import Encoder, Program, fold_text

LEAST = -(2**63)


def program(**source: Any) -> Program:
    """A program from the parts that matter to a test."""
    fields = {"lead": source.pop("lead", []), "event": source.pop("event", [])}
    return Program(json.dumps({"fields": fields, **source}).encode())


def field(name: str, kind: str, optional: bool = False) -> dict[str, Any]:
    return {"name": name, "type": kind, "optional": optional}


def sets(offsets: Any, ids: Any) -> list[tuple[int, ...]]:
    """Hit sets as tuples."""
    return [tuple(ids[a:b].tolist()) for a, b in itertools.pairwise(offsets)]


class Run:
    """One run of an encoder; events are read in blocks of ``size`` rows."""

    def __init__(
        self,
        compiled: Program,
        events: Any = None,
        leads: Any = None,
        *,
        reject: bool = False,
        keep: bool = False,
        size: int = 1000,
        columns: dict[str, str] | None = None,
        codes: int = 0,
        numbers: int = 0,
    ) -> None:
        self.encoder = Encoder(compiled, reject, keep)
        self.leads = self.encoder.read_leads(leads, columns or {}) if leads is not None else {}
        self.rows: list[dict[str, Any]] = []
        self.blocks: list[int] = []
        if events is not None:
            self.identities, self.contents = self.encoder.open_events(events, columns or {})
            self._read(size, codes, numbers)

    def _read(self, size: int, codes: int, numbers: int) -> None:
        block = {
            "lead": np.zeros(size, np.uint32),
            "at": np.zeros(size, np.int64),
            "hits": np.zeros(size, np.uint32),
            "row": np.zeros(size, np.int64),
            "order": np.zeros(size if self.identities else 0, np.uint32),
            "content": np.zeros(size if self.contents else 0, np.uint32),
            "codes": np.zeros((codes, size), np.uint32),
            "numbers": np.zeros((numbers, size)),
        }
        while count := self.encoder.next_block(*block.values()):
            self.blocks.append(count)
            columns = {name: array[..., :count].T.tolist() for name, array in block.items() if array.size}
            self.rows += [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        hits = sets(*self.encoder.hit_sets())
        ids = self.ids()
        for row in self.rows:
            row["hits"] = hits[row["hits"]]
            row["lead"] = ids[row["lead"]]

    def ids(self) -> list[Any]:
        codes = np.arange(self.encoder.lead_count, dtype=np.uint32)
        return pa.table(self.encoder.ids(codes))["lead_id"].to_pylist()

    def event_keys(self) -> list[tuple[bytes, bytes]]:
        """Order key and content digest by row."""
        offsets, data, digests = self.encoder.event_keys(np.array(self.column("order"), np.uint32))
        bounds = itertools.pairwise(offsets.tolist())
        return [(data[a:b].tobytes(), digest.tobytes()) for (a, b), digest in zip(bounds, digests, strict=True)]

    def digests(self, place: int) -> list[bytes]:
        """The digest of each row's value in a code column."""
        known = [digest.tobytes() for digest in self.encoder.code_digests(place)]
        return [known[codes[place]] for codes in self.column("codes")]

    def column(self, name: str) -> list[Any]:
        return [row[name] for row in self.rows]

    def lead_hits(self) -> dict[Any, tuple[int, ...]]:
        hits = sets(*self.encoder.lead_hit_sets())
        ids = self.ids()
        return {ids[code]: hits[number] for code, number in zip(self.leads["code"], self.leads["hits"], strict=True)}

    def rejects(self) -> list[tuple[Any, ...]]:
        table = pa.table(self.encoder.rejects())
        return [tuple(row.values()) for row in table.to_pylist()]


def holds(condition: dict[str, Any], fields: list[dict[str, Any]], row: dict[str, Any]) -> bool:
    """A condition of spec 3, sentence by sentence."""
    if "all" in condition:
        return all(holds(part, fields, row) for part in condition["all"])
    if "any" in condition:
        return any(holds(part, fields, row) for part in condition["any"])
    if "not" in condition:
        return not holds(condition["not"], fields, row)
    if condition["op"] == "type":
        return row["type"] in condition["types"]
    value = row.get(fields[condition["field"]]["name"])
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return False
    op, values = condition["op"], condition.get("values", [])
    if op == "exists":
        return True
    if fields[condition["field"]]["type"] != "text":
        return {
            "in": lambda: value in values,
            "lt": lambda: value < values[0],
            "le": lambda: value <= values[0],
            "gt": lambda: value > values[0],
            "ge": lambda: value >= values[0],
            "between": lambda: values[0] <= value <= values[1],
        }[op]()
    return any(text_holds(op, value, one, condition.get("fold", False)) for one in values)


def text_holds(op: str, text: str, value: str, fold: bool) -> bool:
    """One text op of spec 3.2 with one value."""
    if op == "matches":
        return re.search(value, text, re.IGNORECASE if fold else 0) is not None
    if fold:
        text, value = fold_text(text), fold_text(value)
    if op == "has_word":
        places = [i for i in range(len(text)) if text.startswith(value, i)]
        around = [(text[i - 1] if i else " ", text[i + len(value) :][:1] or " ") for i in places]
        return any(not re.match(r"\w", before) and not re.match(r"\w", after) for before, after in around)
    return {
        "in": text == value,
        "contains": value in text,
        "starts_with": text.startswith(value),
        "ends_with": text.endswith(value),
    }[op]
