"""The result of scoring: a table of leads, and why each stands where it stands (spec 6, 7, 12)."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from leadcore._arrow import Table
from leadcore._plan import Plan
from leadcore._points import to_points
from leadcore._run import Answers, Counts
from leadcore._time import to_datetime
from leadcore.accounts import account_members, combine_members
from leadcore.errors import LeadcoreError
from leadcore.explanation import Explanation, Share
from leadcore.frame import Frame
from leadcore.model import Model

if TYPE_CHECKING:
    import numpy.typing as npt


class LeadScore:
    """One lead at one instant.

    Attributes:
        lead_id: The lead, as the tables have it; None where `Scorer.score_lead` was not told.
        as_of: The instant, in UTC.
        scores: Points by score: the float64 nearest to ``micropoints / 10**6``.
        micropoints: Whole micropoints by score (spec 9): what to compare and to store.
        grades: Grade by graded score.
        rating: Grades joined, or None without a rating.
        label: The first label whose condition holds, or None without labels.
        thresholds: Whether each threshold is reached: score >= ``at`` (spec 6.5).
    """

    def __init__(
        self, plan: Plan, model: Model, lead_id: Any, as_of: int, micropoints: tuple[int, ...],
        grades: tuple[int, ...], rating: int, label: int, explain: Callable[[bool], Explanation],
    ) -> None:  # fmt: skip
        self.lead_id = lead_id
        self.as_of = to_datetime(as_of)
        self.micropoints = dict(zip(plan.scores, micropoints, strict=True))
        self.scores = {name: value / 10**6 for name, value in self.micropoints.items()}
        place = {name: i for i, name in enumerate(plan.scores)}
        self.grades = {name: names[grades[place[name]]] for name, names in plan.grades.items()}
        self.rating = plan.ratings[rating] if plan.ratings else None
        self.label = plan.labels[label] if plan.labels else None
        self.thresholds = {
            name: self.micropoints[t.score] >= model.micropoints(t.at) for name, t in model.thresholds.items()
        }
        self._explain = explain

    def __getitem__(self, score: str) -> float:
        """Points of one score."""
        return self.scores[score]

    def explain(self, shares: bool = False) -> Explanation:
        """Why: lines that add up to each score exactly; with ``shares``, each counted event's part (spec 7)."""
        return self._explain(shares)

    def __repr__(self) -> str:
        told = [f"{name}={value:g}" for name, value in self.scores.items()]
        told += [f"{name}_grade={grade}" for name, grade in self.grades.items()]
        told += [
            f"{key}={value}" for key, value in (("rating", self.rating), ("label", self.label)) if value is not None
        ]
        told += [f"{name}={reached}" for name, reached in self.thresholds.items()]
        return f"LeadScore({self.lead_id!r}, {', '.join(told)})"


class Asked(Protocol):
    """Who was asked when, row by row of a result, and what stands behind it: tables that were read, or a ledger."""

    @property
    def at(self) -> npt.NDArray[np.int64]:
        """The instant of each row."""

    @property
    def own_instants(self) -> bool:
        """Whether rows have instants of their own, and so a column ``as_of``."""

    @property
    def rejected_rows(self) -> npt.NDArray[np.int64] | None:
        """Rejected rows of the lead of each row; None where rows are not rejected."""

    def ids(self, rows: npt.NDArray[np.intp] | None = None) -> Table:
        """The lead ids of these rows, or of all: one column ``lead_id``."""

    def id_of(self, row: int) -> int | str:
        """The lead id of one row."""

    def rows_of(self, lead_id: int | str) -> npt.NDArray[np.intp]:
        """The rows of a lead, or of a record that is this lead by ``aliases``."""

    def rejects(self) -> Table:
        """Rejected rows of the tables."""

    def accounts(self) -> tuple[npt.NDArray[np.int64], Table]:
        """The rows of leads that have an account, and its id: one column ``account_id``."""

    def lines(self, row: int) -> npt.NDArray[np.int64]:
        """The lines of a row's explanation, each in two words."""

    def shares(self, row: int) -> list[Share]:
        """What each counted event of a row adds."""


class Scores(Frame):
    """Scores of many leads (spec 12): an immutable Arrow table with one row per lead and instant asked.

    Columns: ``lead_id``, ``as_of`` (where leads have instants of their own), a float64 column per score (int64
    micropoints on request), ``<score>_grade``, ``rating``, ``label``, a boolean per threshold, and
    ``rejected_rows`` with ``on_error="reject"``.

    ``scores[lead_id]`` is one lead's row, ``lead_id in scores`` whether there is one, iteration gives every row.

    Attributes:
        model: The model that gave these scores.
        counts: Where every row went: ``leads``, ``events``, ``used``, ``ignored`` (by type), ``rejected`` (by table),
            ``later``, ``unknown_leads``, ``overflow``.
    """

    def __init__(
        self, model: Model, plan: Plan, asked: Asked, answers: Answers, counts: Counts, micropoints: bool
    ) -> None:
        self.model, self.counts = model, counts
        self._plan, self._asked, self._answers, self._micropoints = plan, asked, answers, micropoints

    @property
    def table(self) -> Table:
        """The Arrow table."""
        return self._built

    @cached_property
    def _built(self) -> Table:
        plan, asked, answers = self._plan, self._asked, self._answers
        columns: list[tuple[str, Any]] = [("lead_id", ("column", asked.ids()))]
        if asked.own_instants:
            columns.append(("as_of", ("instant", asked.at, None)))
        for i, name in enumerate(plan.scores):
            values = np.ascontiguousarray(answers.scores[:, i])
            columns.append((name, values if self._micropoints else to_points(values)))
        for i, name in enumerate(plan.scores):
            if name in plan.grades:
                codes = np.ascontiguousarray(answers.grades[:, i])
                columns.append((f"{name}_grade", ("dictionary", codes, list(plan.grades[name]))))
        if plan.ratings:
            columns.append(("rating", ("dictionary", answers.rating, list(plan.ratings))))
        if plan.labels:
            columns.append(("label", ("dictionary", answers.label, list(plan.labels))))
        for name, threshold in self.model.thresholds.items():
            score = plan.scores.index(threshold.score)
            columns.append((name, answers.scores[:, score] >= self.model.micropoints(threshold.at)))
        rejected = asked.rejected_rows
        if rejected is not None:
            columns.append(("rejected_rows", rejected))
        return Table.build(columns)

    @cached_property
    def rejects(self) -> Table:
        """Rejected rows: ``table``, ``row``, ``column``, ``value``, ``reason``; empty unless ``on_error="reject"``."""
        return self._asked.rejects()

    @cached_property
    def accounts(self) -> Frame:
        """Account scores (spec 6.6): ``account_id``, a column per account score; sorted by account.

        Raises:
            LeadcoreError: The model has no accounts, or leads were asked at instants of their own.
        """
        members = account_members(self)
        return Frame(combine_members(self.model, members, self._micropoints))

    def __iter__(self) -> Iterator[LeadScore]:
        """Every row, in order."""
        for row in range(len(self)):
            yield self.at(row)

    def __contains__(self, lead_id: object) -> bool:
        return isinstance(lead_id, (int, str)) and len(self._asked.rows_of(lead_id)) > 0

    def __getitem__(self, lead_id: int | str) -> LeadScore:
        """The lead's row; with several instants, the latest."""
        return self.lead(lead_id)

    def lead(self, lead_id: int | str) -> LeadScore:
        """The lead's row; with several instants, the latest.

        Raises:
            KeyError: No such lead in the result.
        """
        return self.at(self._row_of(lead_id))

    def at(self, row: int) -> LeadScore:
        """The result's row by its position, from 0."""
        answers = self._answers
        return LeadScore(
            self._plan, self.model, self._asked.id_of(row), int(self._asked.at[row]), tuple(answers.scores[row].tolist()),
            tuple(answers.grades[row].tolist()), int(answers.rating[row]) if self._plan.ratings else 0,
            int(answers.label[row]) if self._plan.labels else 0, lambda shares: self._explain_row(row, shares),
        )  # fmt: skip

    def explain(self, lead_id: int | str, shares: bool = False) -> Explanation:
        """Why a lead has its scores (spec 7); ``shares`` adds each counted event's part.

        Without ``explain=True`` the input is read again.

        Raises:
            KeyError: No such lead in the result.
            LeadcoreError: The input was a stream that can be read only once.
        """
        return self._explain_row(self._row_of(lead_id), shares)

    def explanations(self) -> Frame:
        """Every line of every lead: ``lead_id``, ``as_of``, ``score``, ``group``, ``criterion``, ``part``, ``micropoints``.

        Lines worth nothing are left out; the others sum to each score exactly.

        Raises:
            LeadcoreError: The scores were made without ``explain=True``, or a line is beyond 64 bits.
        """
        lines = self._answers.lines
        if not lines.shape[1] and self._plan.lines:
            raise LeadcoreError("explanations() needs scores made with explain=True")
        width = self._plan.tables["lines_size"]
        low, high = lines[:, :width], lines[:, width:]
        if self._answers.wrapped or (high != (low[:, : high.shape[1]] >> 63)).any():
            raise LeadcoreError(
                "a line is beyond 64 bits of micropoints: explain leads one by one, with explain(lead_id)"
            )
        shown = self._plan.lines
        values = lines[:, [line.index for line in shown]]
        rows, which = np.nonzero(values)

        def named(pick: Callable[[Any], str | None]) -> tuple[str, Any, list[str]]:
            names = list(dict.fromkeys(name for line in shown if (name := pick(line)) is not None))
            place = {name: i for i, name in enumerate(names)}
            codes = np.array([place[name] if (name := pick(line)) is not None else -1 for line in shown], np.int32)
            return "dictionary", codes[which], names

        return Frame(
            Table.build(
                [
                    ("lead_id", ("column", self._asked.ids(rows))),
                    ("as_of", ("instant", self._asked.at[rows], None)),
                    ("score", named(lambda line: line.score)),
                    ("group", named(lambda line: line.group)),
                    ("criterion", named(lambda line: line.criterion)),
                    ("part", named(lambda line: line.part)),
                    ("micropoints", values[rows, which]),
                ]
            )
        )

    def _row_of(self, lead_id: int | str) -> int:
        rows = self._asked.rows_of(lead_id)
        if not len(rows):
            raise KeyError(f"no lead {lead_id!r} in this result of {len(self)} rows")
        return int(rows[np.argmax(self._asked.at[rows])])

    def _explain_row(self, row: int, shares: bool) -> Explanation:
        kept = self._answers.lines.shape[1] and not self._answers.wrapped
        lines = self._answers.lines[row] if kept else self._asked.lines(row)
        told = self._asked.shares(row) if shares else []
        totals = dict(zip(self._plan.scores, self._answers.scores[row].tolist(), strict=True))
        return Explanation.of(
            self._plan, self._asked.id_of(row), to_datetime(int(self._asked.at[row])), totals, lines, told
        )

    def _repr_html_(self) -> str:
        note = html.escape(f"{len(self)} rows of model {self.model.name!r}")
        return f"{super()._repr_html_()}<p>{note}</p>"
