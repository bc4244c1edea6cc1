"""The feed of a store: each change handed out, as a row that lasts (spec 8.10)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from leadcore._arrow import Table
from leadcore._time import to_micros, to_text
from leadcore.frame import Frame
from leadcore.ledger.changes import Changes
from leadcore.ledger.ids import Id, id_column
from leadcore.ledger.stores.base import Entry

_WORDS = ("change", "key", "score", "threshold", "from_stage", "to_stage", "rule", "cause", "stage")


def feed_entries(changes: Changes) -> Iterator[Entry]:
    """What the feed is to say of changes: scores, thresholds, transitions, alerts, each in the order of its table."""
    names = list(changes.model.scores)
    for row in changes.scores.to_dicts():
        yield _entry("score", row, "as_of", ("score", "before", "after"))
    for row in changes.thresholds.to_dicts():
        yield _entry("threshold", row, "as_of", ("threshold", "reached"))
    for row in changes.transitions.to_dicts():
        moved = _entry(
            "transition", row, "at", ("from_stage", "to_stage", "rule", "cause", "event_id", "change", "key")
        )
        moved.payload["scores"] = {name: row[name] for name in names}
        yield moved
    for row in changes.alerts.to_dicts():
        told = _entry("alert", row, "at", ("stage", "level", "notify", "change", "key"))
        told.payload["entered_at"] = to_text(to_micros(row["entered_at"]))
        yield told


def feed_frame(entries: Sequence[Entry], like: Id | None) -> Frame:
    """The table of `Ledger.changes`; without rows its ids are of the kind of ``like``."""
    payloads = [entry.payload for entry in entries]

    def column(name: str, kind: str, missing: Any, read: Callable[[Any], Any] = lambda value: value) -> tuple[str, Any]:
        """A column of what payloads say under a name, null where one says nothing."""
        values = [payload.get(name) for payload in payloads]
        known = np.array([value is not None for value in values], bool)
        array = np.array([missing if value is None else read(value) for value in values], kind)
        return name, ("instant" if name == "entered_at" else "nullable", array, known)

    words = {name: (name, ("text", [payload.get(name) for payload in payloads])) for name in _WORDS}
    notify = [payload.get("notify") or [] for payload in payloads]
    scores = [payload.get("scores") for payload in payloads]
    return Frame(
        Table.build(
            [
                ("seq", np.array([entry.seq for entry in entries], np.int64)),
                ("kind", ("text", [entry.kind for entry in entries])),
                ("lead_id", ("column", id_column("lead_id", [entry.lead_id for entry in entries], like))),
                ("at", ("instant", np.array([entry.at for entry in entries], np.int64), None)),
                words["change"],
                words["key"],
                words["score"],
                column("before", "float64", 0),
                column("after", "float64", 0),
                words["threshold"],
                column("reached", "bool", False),
                words["from_stage"],
                words["to_stage"],
                words["rule"],
                words["cause"],
                ("event_id", ("column", id_column("event_id", [payload.get("event_id") for payload in payloads]))),
                ("scores", ("text", [None if one is None else json.dumps(one) for one in scores])),
                words["stage"],
                column("entered_at", "int64", 0, to_micros),
                column("level", "int64", 0),
                (
                    "notify",
                    (
                        "lists",
                        np.cumsum([0, *map(len, notify)], dtype=np.int64),
                        [name for names in notify for name in names],
                    ),
                ),
            ]
        )
    )


def _entry(kind: str, row: dict[str, Any], at: str, names: Sequence[str]) -> Entry:
    return Entry(kind, row["lead_id"], to_micros(row[at]), {name: row[name] for name in names})
