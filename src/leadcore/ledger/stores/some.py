"""Some rows of the tables of a request, named by their places in all of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from leadcore.errors import DataError

if TYPE_CHECKING:
    from leadcore._run import Request


class Some:
    """Some rows of a request."""

    def __init__(self, request: Request) -> None:
        self._all = self.request = request
        self._events, self._leads = _places(request.events), _places(request.leads)

    def leave_out(self, events: Iterable[int], leads: Iterable[int]) -> None:
        """Leave out rows, by their places in the tables as they were given."""
        self._choose(np.setdiff1d(self._events, list(events)), np.setdiff1d(self._leads, list(leads)))

    def only(self, events: Iterable[int], leads: Iterable[int]) -> Some:
        """Only these rows."""
        some = Some(self._all)
        some._choose(np.array(sorted(events), np.int64), np.array(sorted(leads), np.int64))
        return some

    def _choose(self, events: Any, leads: Any) -> None:
        self._events, self._leads = events.astype(np.int64), leads.astype(np.int64)
        self.request = replace(
            self._all, events=_taken(self._all.events, self._events), leads=_taken(self._all.leads, self._leads)
        )

    @contextmanager
    def rows(self) -> Iterator[None]:
        """Name rows by their places in the tables as they were given, where some are refused."""
        try:
            yield
        except DataError as fault:
            places = {"events": self._events, "leads": self._leads}
            problems = [
                problem
                if problem.row is None or problem.table not in places
                else replace(problem, row=int(places[problem.table][problem.row]))
                for problem in fault.problems
            ]
            raise DataError(problems, fault.total) from None


def _places(table: Any) -> Any:
    return np.arange(0 if table is None else len(table), dtype=np.int64)


def _taken(table: Any, rows: Any) -> Any:
    return table if table is None or len(rows) == len(table) else table.take(rows)
