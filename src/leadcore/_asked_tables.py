"""What stands behind scores of tables: who was asked, and the tables once more for explanations (spec 7)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from leadcore import _kernel
from leadcore._arrow import ArrowStream, Program, Table
from leadcore._plan import Plan
from leadcore._run import Asks, Codes, Ints, Reading, Request, run
from leadcore._time import to_datetime
from leadcore.errors import LeadcoreError
from leadcore.explanation import Share
from leadcore.model import Model

_NO_CODES = np.empty(0, np.uint32)


@dataclass(frozen=True, eq=False)
class AskedTables:
    """Rows of a result of `Scorer.score`, and how to read their tables again.

    Attributes:
        model: The model.
        plan: Its plan.
        kernel: The kernel's view of it.
        program: The edge's rules.
        reading: The tables, read.
        asks: Who was asked when.
    """

    model: Model
    plan: Plan
    kernel: _kernel.Plan
    program: Program
    reading: Reading
    asks: Asks

    @property
    def at(self) -> Ints:
        """The instant of each row."""
        return self.asks.at

    @property
    def own_instants(self) -> bool:
        """Whether rows have instants of their own."""
        return self.reading.request.instant is None

    @property
    def rejected_rows(self) -> Ints | None:
        """Rejected rows of the lead of each row; None where rows are not rejected."""
        return self.reading.rejected_rows(self.asks.lead) if self.reading.request.reject else None

    def ids(self, rows: npt.NDArray[np.intp] | None = None) -> Table:
        """The lead ids of these rows, or of all."""
        return self.reading.encoder.ids(self.asks.lead if rows is None else self.asks.lead[rows])

    def id_of(self, row: int) -> int | str:
        """The lead id of one row."""
        lead_id: int | str = self.reading.id_of(int(self.asks.lead[row]))
        return lead_id

    def rows_of(self, lead_id: int | str) -> npt.NDArray[np.intp]:
        """The rows of a lead, or of a record that is this lead by ``aliases``."""
        code = self.reading.encoder.find(lead_id)
        if code is None:
            return np.empty(0, np.intp)
        return np.flatnonzero(self.asks.lead == self.reading.canonical(np.array([code], np.uint32))[0])

    def rejects(self) -> Table:
        """Rejected rows of the tables."""
        return self.reading.encoder.rejects()

    def accounts(self) -> tuple[Ints, Table]:
        """The rows of leads that have an account, and its id: one column ``account_id``."""
        account = self.asks.account
        rows = np.empty(0, np.int64) if account is None else np.flatnonzero(account)
        codes = np.empty(0, np.int64) if account is None else account[rows].astype(np.int64)
        return rows, self.reading.encoder.accounts().take(codes - 1)

    def lines(self, row: int) -> Ints:
        """The lines of a row's explanation, each in two words; the input is read again."""
        reading, code = self._again(row)
        lead, instant = reading.canonical(self.asks.lead[[row]] if code is None else code), self.asks.at[[row]]
        rows = reading.canonical(reading.rows.get("code", _NO_CODES))
        attributes, account = reading.in_force(lead, instant, rows)
        answers, _ = run(self.plan, self.kernel, reading, Asks(lead, instant, attributes, account), 2)
        lines: Ints = answers.lines[0]
        return lines

    def shares(self, row: int) -> list[Share]:
        """What each counted event of a row adds; the input is read again."""
        reading, code = self._again(row)
        if code is None:
            return []
        names = {fold: name for name, fold in self.plan.shared}
        lead = int(reading.canonical(code)[0])
        worker, (events, _) = _kernel.Worker(self.kernel), reading.hit_sets(self.kernel)
        shares: list[tuple[int, int, int, int]] = worker.shares(
            reading.store, reading.lead_count, events, reading.ranks, reading.first_id, reading.repeats, lead,
            int(self.asks.at[row]),
        )  # fmt: skip
        return [
            Share(names[fold], event_row, to_datetime(when), value)
            for event_row, when, fold, value in shares
            if fold in names
        ]

    def _again(self, row: int) -> tuple[Reading, Codes | None]:
        """The input once more, with row numbers, and the code a row's lead has there."""
        again = read_again(
            self.plan, self.program, self.reading.request, self.reading, "score with explain=True", rows=True
        )  # fmt: skip
        code = again.encoder.find(self.id_of(row))
        return again, None if code is None else np.array([code], np.uint32)


def collected_whole(request: Request) -> Request:
    """The request with its tables read whole, so that they can be read again."""

    def whole(table: ArrowStream | None) -> ArrowStream | None:
        return None if table is None else Table.collect(table)

    return replace(
        request,
        events=whole(request.events),
        leads=whole(request.leads),
        aliases=whole(request.aliases),
        asks=whole(request.asks),
    )


def read_again(
    plan: Plan, program: Program, request: Request, before: Reading, instead: str, rows: bool = False
) -> Reading:
    """The input once more; a stream that was read up says so or comes back empty."""
    reason: Exception | None = None
    try:
        again = Reading(plan, program, request, rows=rows)
        counted, known = again.encoder.counts()["rows"], before.encoder.counts()["rows"]
        if all(counted.get(table, 0) == known.get(table, 0) for table in ("leads", "events", "aliases")):
            return again
    except Exception as fault:
        reason = fault
    raise LeadcoreError(
        f"the input cannot be read again: it was a stream that is read only once, or it changed since; {instead}"
    ) from reason
