"""Rejected rows of a partition, by the place they have in the whole table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from leadcore._arrow import Table
from leadcore._files import OTHER_ROW
from leadcore.errors import DataError, Problem

ORDER = "leadcore.order"
"""The column rejects are sorted by: table, then row."""
TABLES = ("leads", "aliases", "start", "events")

Rows = Mapping[str, Callable[[], npt.NDArray[np.int64]]]
"""By table: the position in the whole table of each row of a partition."""


def ordered(rejects: Table, rows: Rows) -> Table:
    """The rejects of a partition with the rows of the whole table, sorted, and with the column `ORDER`."""
    found = rejects.to_dicts()
    known = _Known(rows)
    for one in found:
        one["row"] = known.row(one["table"], one["row"])
        one["reason"] = known.reason(one["table"], one["reason"])
    places = [_place(one["table"], one["row"]) for one in found]
    order = sorted(range(len(found)), key=places.__getitem__)
    text = ("table", "column", "value", "reason")
    columns: dict[str, Any] = {name: ("text", [found[i][name] for i in order]) for name in text}
    given = np.array([found[i]["row"] is not None for i in order], bool)
    numbers = np.array([found[i]["row"] or 0 for i in order], np.int64)
    return Table.build(
        [
            (ORDER, np.array([places[i] for i in order], np.int64)),
            ("table", columns["table"]),
            ("row", ("nullable", numbers, given)),
            *((name, columns[name]) for name in text[1:]),
        ]
    )


def renumbered(error: DataError, rows: Rows) -> DataError:
    """An error of a partition with the rows of the whole table."""
    known = _Known(rows)

    def told(problem: Problem) -> Problem:
        return replace(
            problem, row=known.row(problem.table, problem.row), reason=known.reason(problem.table, problem.reason)
        )  # fmt: skip

    return DataError([told(problem) for problem in error.problems], error.total)


class _Known:
    """Positions in whole tables, read when they are first wanted."""

    def __init__(self, rows: Rows) -> None:
        self._rows, self._read = rows, dict[str, npt.NDArray[np.int64]]()

    def row(self, table: str, row: int | None) -> int | None:
        if row is None or table not in self._rows:
            return row
        if table not in self._read:
            self._read[table] = self._rows[table]()
        return int(self._read[table][row])

    def reason(self, table: str, reason: str) -> str:
        return OTHER_ROW.sub(lambda found: f"{found[1]}{self.row(table, int(found[2]))}", reason)


def _place(table: str, row: int | None) -> int:
    return (TABLES.index(table) << 56) + (-1 if row is None else row) + 1
