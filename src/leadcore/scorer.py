"""The scorer: a compiled model that answers what leads are worth at an instant (spec 4 to 7)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from leadcore import _kernel
from leadcore._arrow import Program, Table, from_python
from leadcore._asked_tables import AskedTables, collected_whole, read_again
from leadcore._inputs import AsOf, Column, TableLike, as_stream, column_names, data_errors, one_instant
from leadcore._plan import plan_model
from leadcore._replay_run import Compiled, collected, compile_replay, run_replay
from leadcore._replay_tables import ReplayTables, Tables
from leadcore._run import Reading, Request, run
from leadcore._time import to_datetime
from leadcore.errors import DataError, Fault, LeadcoreError, ModelError, Problem
from leadcore.explanation import Explanation
from leadcore.model import Model
from leadcore.replay import Replay, ReplayCounts, row_finder
from leadcore.scores import LeadScore, Scores

if TYPE_CHECKING:
    from leadcore.ledger.changes import Changes
    from leadcore.ledger.ledger import Ledger

_NO_ROWS = np.empty(0, np.int64)


class Scorer:
    """A compiled model: immutable, picklable, shared by any number of threads.

    Args:
        model: A checked model.

    Example:
        >>> import leadcore as lc
        >>> model = lc.Model.from_yaml('''
        ... leadcore: 1
        ... name: minimal
        ... events: {visit: {}}
        ... scores: {interest: {criteria: [{name: visits, kind: event, on: visit, points: 5, decay: {half_life: 7d}}]}}
        ... ''')
        >>> scorer = lc.Scorer(model)
        >>> scores = scorer.score(
        ...     [{"lead_id": 1, "at": "2026-03-01T00:00Z", "type": "visit"}], as_of="2026-03-08T00:00Z"
        ... )
        >>> scores[1]["interest"]
        2.5
    """

    def __init__(self, model: Model) -> None:
        if not isinstance(model, Model):
            found = "None" if model is None else type(model).__name__
            raise LeadcoreError(
                f"a scorer is compiled from a leadcore.Model, not from {found}: use Model.model_validate(...)"
            )
        self._model = model
        self._plan = plan_model(model)
        try:
            self._program = Program(self._plan.program)
        except ValueError as error:  # each pattern is small enough, all together are not
            raise ModelError([Fault("", str(error))]) from None
        self._kernel_plan = _kernel.Plan(self._plan.tables)
        self._workers: list[_kernel.Worker] = []
        self._for_replay: Compiled | None = None

    def __reduce__(self) -> tuple[type[Scorer], tuple[Model]]:
        return type(self), (self._model,)

    def __repr__(self) -> str:
        return f"Scorer({self._model.name!r}, {len(self._plan.tables['criteria'])} criteria)"

    @property
    def model(self) -> Model:
        """The model this scorer was compiled from."""
        return self._model

    def score(
        self,
        events: TableLike | None,
        leads: TableLike | None = None,
        *,
        as_of: AsOf,
        columns: Mapping[str, Any] | None = None,
        aliases: TableLike | None = None,
        unknown_leads: Literal["score", "error", "ignore"] = "score",
        on_error: Literal["raise", "reject"] = "raise",
        explain: bool = False,
        micropoints: bool = False,
        sort: bool = False,
        threads: int | None = None,
        engine: Literal["kernel", "reference"] = "kernel",
        progress: Callable[[int], None] | None = None,
    ) -> Scores:
        """Score every lead at an instant (spec 1 to 6).

        Tables are read once, block by block, and never changed.

        Args:
            events: The events table (spec 2.2): anything with ``__arrow_c_stream__``, a dict of columns, a list of
                dicts, or None.
            leads: The leads table (spec 2.1), or None.
            as_of: One instant (datetime, date or ISO 8601 text; naive is UTC), ``lc.column("x")`` of ``leads``, or a
                table (``lead_id``, ``as_of``) with a lead as often as wanted.
            columns: The model's names to yours: ``{"events": {"lead_id": "contact_id"}, "leads": {...}}``, or a flat
                map for both (spec 2.3).
            aliases: A table (``lead_id``, ``same_as``) of records that are one person (spec 2.8).
            unknown_leads: What to do with leads known only from events: score them with all attributes null, refuse
                them, or leave them out (spec 2.6).
            on_error: ``raise`` at the end of the first faulty table, or ``reject`` faulty rows and list them.
            explain: Keep every line of every explanation (memory: 8 bytes a line and lead).
            micropoints: Give score columns as int64 micropoints instead of float64 points.
            sort: Give rows sorted by lead id (integers by value, text by code point), then by instant, as files have
                them (spec 12).
            threads: How many threads to use; by default as many as the process may.
            engine: The compiled kernel, or the slow reference that spells the spec out.
            progress: Called with the number of event rows read so far.

        Returns:
            One row per lead: the leads table's order, then leads known only from events by id; or one row per row of
            ``as_of``; or sorted.

        Raises:
            DataError: A table is faulty; the error names table, column, row and value.
            LeadcoreError: An argument is none of those above.

        Example:
            >>> import leadcore as lc
            >>> model = lc.Model.from_yaml('''
            ... {leadcore: 1, name: visits, events: {visit: {}},
            ...  scores: {interest: {criteria: [{name: visits, kind: event, on: visit, points: 5}]}}}
            ... ''')
            >>> visits = {"lead_id": ["a", "a", "b"], "at": ["2026-03-01", "2026-03-02", "2026-03-09"], "type": ["visit"] * 3}
            >>> lc.Scorer(model).score(visits, as_of="2026-03-08")
            lead_id  interest
                  a        10
            >>> lc.Scorer(model).score(visits, [{"lead_id": "c"}, {"lead_id": "b"}], as_of="2026-03-09")
            lead_id  interest
                  c         0
                  b         5
                  a        10
        """
        request = self._request(
            events, leads, as_of, columns, aliases, unknown_leads, on_error, sort, threads, progress
        )  # fmt: skip
        if engine == "reference":
            from leadcore._reference_run import reference_answers

            with data_errors("tables"):
                request = collected_whole(request)
            return self._scores(request, micropoints, True, reference_answers)
        if engine != "kernel":
            raise LeadcoreError(f"engine is 'kernel' or 'reference', not {engine!r}")
        return self._scores(request, micropoints, explain, None)

    def replay(
        self,
        events: TableLike | None,
        leads: TableLike | None = None,
        *,
        until: datetime | date | str,
        start: TableLike | None = None,
        columns: Mapping[str, Any] | None = None,
        aliases: TableLike | None = None,
        unknown_leads: Literal["score", "error", "ignore"] = "score",
        on_error: Literal["raise", "reject"] = "raise",
        score_changes: bool = False,
        micropoints: bool = False,
        sort: bool = False,
        threads: int | None = None,
        engine: Literal["kernel", "reference"] = "kernel",
        progress: Callable[[int], None] | None = None,
    ) -> Replay:
        """Take every lead through its stages, from its birth to an instant (spec 8).

        Tables are read once, or twice where events of one lead at one instant differ, and never changed.

        Args:
            events: The events table, as for `score`.
            leads: The leads table, or None.
            until: The end (datetime, date or ISO 8601 text; naive is UTC); later events are ignored.
            start: A table (``lead_id``, ``stage``, ``entered_at``) of leads adopted with a stage, a lead at most once:
                such a lead is born at ``entered_at`` into ``stage``. What was before counts for scores and moves
                nothing.
            columns: The model's names to yours, as for `score`.
            aliases: A table (``lead_id``, ``same_as``) of records that are one person (spec 2.8).
            unknown_leads: What to do with leads known only from events: replay them with all attributes null, refuse
                them, or leave them out (spec 2.6).
            on_error: ``raise`` at the end of the first faulty table, or ``reject`` faulty rows and list them.
            score_changes: Keep every change of a score too; every instant of the grid is then evaluated.
            micropoints: Give score columns as int64 micropoints instead of float64 points.
            sort: Give leads sorted by id instead of in the order of ``leads``.
            threads: How many threads to use; by default as many as the process may.
            engine: The compiled kernel, or the slow reference that spells the spec out.
            progress: Called with the number of event rows read so far.

        Returns:
            Transitions, spans, alerts and states (spec 8.10).

        Raises:
            DataError: A table is faulty, or a lead makes more than 1,000,000 transitions.
            LeadcoreError: The model has no lifecycle, or an argument is none of those above.

        Example:
            >>> import leadcore as lc
            >>> model = lc.Model.from_yaml('''
            ... leadcore: 1
            ... name: visits
            ... events: {visit: {}}
            ... scores: {interest: {criteria: [{name: visits, kind: event, on: visit, points: 5}]}}
            ... lifecycle:
            ...   initial: new
            ...   stages: [{name: new}, {name: warm}]
            ...   transitions: [{name: keen, from: new, to: warm, when: {field: score.interest, op: ge, value: 10}}]
            ... ''')
            >>> visits = {"lead_id": ["a", "a", "b"], "at": ["2026-03-01", "2026-03-02", "2026-03-09"], "type": ["visit"] * 3}
            >>> replay = lc.Scorer(model).replay(visits, until="2026-04-01")
            >>> [(row["lead_id"], row["stage"], row["interest"]) for row in replay.states.to_dicts()]
            [('a', 'warm', 10.0), ('b', 'new', 5.0)]
        """
        instant = one_instant(until, "until")
        if instant is None:
            reason = "is not one instant: give a datetime, a date or ISO 8601 text"
            raise DataError([Problem("until", None, None, type(until).__name__, reason)])
        if engine not in ("kernel", "reference"):
            raise LeadcoreError(f"engine is 'kernel' or 'reference', not {engine!r}")
        compiled = self._compiled_for_replay()
        request = self._request(
            events, leads, until, columns, aliases, unknown_leads, on_error, sort, threads, progress
        )  # fmt: skip
        request = collected(replace(request, start=as_stream(start, "start")))
        if engine == "reference":
            with data_errors("tables"):
                request = collected_whole(request)
        reading, log, left_out, overflow = run_replay(compiled, request, score_changes)
        counts = ReplayCounts.of(reading.counts(left_out, overflow), compiled.model, log)
        rejected = reading.rejected_rows(log.lead) if request.reject else None
        tables: Tables = ReplayTables(compiled.model, log, reading.encoder, instant, micropoints, rejected)
        if engine == "reference":
            from leadcore._reference_run import reference_replay

            tables, counts = reference_replay(compiled.model, request, reading, tables, counts, rejected, micropoints)

        def score_at(moments: Table) -> Any:
            """Micropoints at (lead, instant) pairs, of the same tables, read again."""
            asked = replace(request, instant=None, asks=moments, start=None, sort=False, unknown_leads="score")
            again = read_again(
                self._plan, self._program, asked, reading, "replay from tables, or take score_changes=True"
            )
            asks, _ = again.asks()
            return run(self._plan, self._kernel_plan, again, asks, 0)[0].scores

        return Replay(
            compiled.model, instant, tables, counts, micropoints, reading.rejects,
            row_finder(reading, log.lead), score_at,
        )  # fmt: skip

    def migrate(
        self,
        ledger: Ledger,
        at: datetime | date | str | None = None,
        events: TableLike | None = None,
        leads: TableLike | None = None,
        *,
        columns: Mapping[str, Any] | None = None,
        threads: int | None = None,
        micropoints: bool = False,
    ) -> Changes:
        """Move a ledger to this model, in place: from then on ``ledger.scorer`` is this scorer.

        It happens in one piece: an answer is of the old model or of this one, and names which.

        Args:
            ledger: The ledger.
            at: The instant of the change. What happened before it stays as it was told, leads keep their stages, and
                this model's rules hold from then on; each stage a lead is in must be one of this model. Without it all
                is replayed, as if this model had been there from the start.
            events: All events that the ledger was told and that hold: in memory it keeps what they come to under its
                model, not what they say, and of events retracted only those within ``late``. A store keeps them itself.
            leads: All rows of leads, likewise.
            columns: The model's names to yours, as for `score`.
            threads: How many threads to use; by default as many as the process may.
            micropoints: Give score columns as int64 micropoints instead of float64 points.

        Returns:
            What is told otherwise now, in names of this model.

        Raises:
            DataError: A table is faulty.
            LeadcoreError: Events are missing, a lead is in a stage that this model has not, ``at`` is too old, or an
                argument is none of those above; nothing has changed.
        """
        from leadcore.ledger.ledger import Ledger

        if not isinstance(ledger, Ledger):
            raise LeadcoreError(f"a leadcore.Ledger is migrated, not {type(ledger).__name__}")
        return ledger._migrate(self, at, events, leads, columns, threads, micropoints)

    def _compiled_for_replay(self) -> Compiled:
        """The lifecycle is compiled when it is first asked for; two threads may do so at once, to the same end."""
        if self._for_replay is None:
            if self._model.lifecycle is None:
                raise LeadcoreError(f"the model {self._model.name!r} has no lifecycle: there is nothing to replay")
            self._for_replay = compile_replay(self._model)
        return self._for_replay

    def _request(
        self, events: Any, leads: Any, as_of: Any, columns: Any, aliases: Any, unknown_leads: str, on_error: str,
        sort: bool, threads: int | None, progress: Callable[[int], None] | None,
    ) -> Request:  # fmt: skip
        if unknown_leads not in ("score", "error", "ignore"):
            raise LeadcoreError(f"unknown_leads is 'score', 'error' or 'ignore', not {unknown_leads!r}")
        if on_error not in ("raise", "reject"):
            raise LeadcoreError(f"on_error is 'raise' or 'reject', not {on_error!r}")
        if threads is not None and (type(threads) is not int or threads < 1):
            raise LeadcoreError(f"threads is a whole number of at least 1, not {threads!r}")
        if progress is not None and not callable(progress):
            raise LeadcoreError(f"progress is called with the number of rows read, which {progress!r} cannot be")
        instant = one_instant(as_of)
        named = as_of.name if isinstance(as_of, Column) else None
        asks = as_stream(as_of, "as_of") if instant is None and named is None else None
        if instant is None and named is None and asks is None:
            if as_of is None:
                raise DataError(
                    [Problem("as_of", None, None, None, "is missing: give an instant, a column or a table")]
                )
            asks = from_python({"lead_id": [], "as_of": []})
        return Request(
            events=as_stream(events, "events"),
            leads=as_stream(leads, "leads"),
            aliases=as_stream(aliases, "aliases"),
            names=column_names(self._model, columns),
            instant=instant,
            column=named,
            asks=asks,
            unknown_leads=unknown_leads,
            reject=on_error == "reject",
            sort=sort,
            threads=threads,
            progress=progress,
        )

    def _scores(self, request: Request, micropoints: bool, explain: bool, engine: Any) -> Scores:
        reading = Reading(self._plan, self._program, request)
        asks, left_out = reading.asks()
        if engine is None:
            answers, overflow = run(self._plan, self._kernel_plan, reading, asks, int(explain))
        else:
            # The kernel runs too: it is what finds, and rejects, repeats that differ (spec 2.5).
            run(self._plan, self._kernel_plan, reading, asks, 0)
            answers, overflow = engine(self._model, self._plan, request, reading, asks)

        asked = AskedTables(self._model, self._plan, self._kernel_plan, self._program, reading, asks)
        counts = reading.counts(left_out, overflow)
        return Scores(self._model, self._plan, asked, answers, counts, micropoints)

    def score_lead(
        self, attributes: Mapping[str, Any] | None, events: Sequence[Mapping[str, Any]], *, as_of: Any
    ) -> LeadScore:
        """Score one lead straight from Python values, no Arrow on the way: the bits that `score` gives.

        Args:
            attributes: The lead's attributes by name; missing ones are null. ``lead_id`` may be among them.
            events: Mappings with ``type``, ``at``, the properties and optionally ``event_id``, in any order; missing
                properties are null, undeclared types take no part.
            as_of: The instant: a datetime, a date or ISO 8601 text; naive is UTC.

        Raises:
            DataError: A value does not fit, two events with one ``event_id`` differ, or ``as_of`` is no instant.

        Example:
            >>> import leadcore as lc
            >>> model = lc.Model.from_yaml('''
            ... {leadcore: 1, name: visits, events: {visit: {}},
            ...  scores: {interest: {criteria: [{name: visits, kind: event, on: visit, points: 5}]}}}
            ... ''')
            >>> one = lc.Scorer(model).score_lead(None, [{"type": "visit", "at": "2026-03-01"}], as_of="2026-03-08")
            >>> one["interest"], one.micropoints["interest"]
            (5.0, 5000000)
        """
        instant = one_instant(as_of)
        if instant is None:
            reason = "is not one instant: give a datetime, a date or ISO 8601 text"
            raise DataError([Problem("as_of", None, None, type(as_of).__name__, reason)])
        attributes = {} if attributes is None else attributes
        if not isinstance(attributes, Mapping):
            reason = "is no lead: give attributes as a mapping, or None"
            raise DataError([Problem("leads", None, None, type(attributes).__name__, reason)])
        lead_id = attributes.get("lead_id")
        with data_errors("events"):
            events = events if isinstance(events, (list, tuple)) else list(events)
            encoded = self._program.encode_lead(attributes, events)
        scores, grades, rating, label = self._one(encoded, instant, _NO_ROWS)

        def explained(shares: bool) -> Explanation:
            lines = np.zeros(2 * self._plan.tables["lines_size"], np.int64)
            self._one(encoded, instant, lines)
            if shares:
                return self._as_table(attributes, events, as_of).explain(0, shares=True)
            totals = dict(zip(self._plan.scores, scores, strict=True))
            return Explanation.of(self._plan, lead_id, to_datetime(instant), totals, lines, [])

        return LeadScore(self._plan, self._model, lead_id, instant, scores, grades, rating, label, explained)

    def _as_table(self, attributes: Mapping[str, Any], events: Sequence[Mapping[str, Any]], as_of: Any) -> Scores:
        """One lead by way of tables, with every declared column; its lead id is 0."""
        names = {name for declared in self._model.events.values() for name in declared}
        lead = {name: attributes.get(name) for name in self._model.attributes}
        rows = [{**dict.fromkeys(names), **event, "lead_id": 0} for event in events]
        return self.score(rows or None, [{**lead, "lead_id": 0}], as_of=as_of)

    def _one(self, encoded: Any, instant: int, lines: Any) -> tuple[tuple[int, ...], tuple[int, ...], int, int]:
        """Score an encoded lead with a worker nobody else has at the moment."""
        try:
            worker = self._workers.pop()
        except IndexError:
            worker = _kernel.Worker(self._kernel_plan)
        says, at, hits, offsets, ids, order, content, codes, numbers, _ = encoded
        scores, grades, rating, label, faults = worker.one(
            says, at, hits, offsets, ids, order, content, codes, numbers, instant, lines
        )
        self._workers.append(worker)
        if faults:
            _, a, b = faults[0]
            reason = f"repeats an event_id with another instant, type or property than row {a}"
            raise DataError([Problem("events", b, "event_id", None, reason)])
        return scores, grades, rating, label
