"""The ledger: lead states to which events are applied, live or in nightly pieces (spec 10.2)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from types import MethodType
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast

import numpy as np

from leadcore._inputs import TableLike
from leadcore._run import Counts
from leadcore._time import LAST, to_datetime, to_text
from leadcore.errors import LeadcoreError, StateError
from leadcore.frame import Frame
from leadcore.ledger.answers import AskedLeads, joined_answers, lead_state, lines_of, next_changes, slots
from leadcore.ledger.arguments import check_threads, duration, event_lead, ids, lateness, moment, request, retractions
from leadcore.ledger.changes import Changes
from leadcore.ledger.facts import SINCE_EVER
from leadcore.ledger.file import State, dumped, load_state, loaded, save_state
from leadcore.ledger.ids import Id, one_id
from leadcore.ledger.lock import fork_safe_lock
from leadcore.ledger.memory import Memory, compiled_of, new_book
from leadcore.ledger.state import LeadState
from leadcore.model import Model
from leadcore.model.duration import Duration
from leadcore.scorer import Scorer
from leadcore.scores import Scores

if TYPE_CHECKING:
    from leadcore.ledger.book import Book
    from leadcore.ledger.stores.base import Keeping
    from leadcore.ledger.told import Told

Moment = datetime | date | str
"""An instant: a datetime, a date or ISO 8601 text; naive is UTC."""


class _EitherWay:
    """A method of a ledger, and of the class: it gets whichever it is called on."""

    def __init__(self, function: Callable[..., Ledger]) -> None:
        self._function = function

    def __get__(self, ledger: Ledger | None, owner: type[Ledger]) -> Loads:
        return cast(Loads, MethodType(self._function, owner if ledger is None else ledger))


class Loads(Protocol):
    """Reads what `Ledger.save` wrote."""

    def __call__(self, path: str | os.PathLike[str], scorer: Scorer | None = None) -> Ledger:
        """Read a file; see `Ledger.load`."""


class Ledger:
    """Lead states that events are applied to: each answer has the bits of one batch run over all facts (spec 10.2).

    A ledger holds for each lead what its old events have come to, the events no older than ``late``, and what was told
    of it. `apply` takes in a table of events and rows of leads, `add` a single event; both bring each lead they touch to
    its newest fact, and give what changed. `advance` brings all leads to an instant: timers and the grid of spec 8 pass.
    However the history is cut into calls, and in whatever order it comes within ``late``, the net of all changes is what
    one `Scorer.replay` gives.

    It may be used by any number of threads: calls are served one after the other, each in one piece, and every answer
    names the model it used. Calls block for as long as they take, and let other threads run meanwhile where that is long;
    in asyncio, put large ones into ``asyncio.to_thread``. ``len(ledger)`` is how many leads it knows, ``lead_id in
    ledger`` whether it knows one, iteration gives their ids. A ledger in memory can be pickled: the other process has its
    own from then on.

    Args:
        scorer: The compiled model.
        late: How much older than the newest event of its lead a fact may be: ``"7d"``, a timedelta, or ``"all"``. Only
            that much of the history is kept as events; the state of a lead is small.

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
        >>> ledger = lc.Ledger(lc.Scorer(model))
        >>> ledger.add("a", "2026-03-01", "visit")
        changes of 1 lead by 'visits': 1 score, 1 transition
          a  interest 0 -> 5; born new
        >>> changes = ledger.apply({"lead_id": ["a", "b"], "at": ["2026-03-02"] * 2, "type": ["visit"] * 2})
        >>> changes
        changes of 2 leads by 'visits': 2 scores, 2 transitions
          a  interest 5 -> 10; new -> warm by keen
          b  interest 0 -> 5; born new
        >>> ledger.lead("a").stage
        'warm'
        >>> ledger.score("2026-04-01")
        lead_id  interest
              a        10
              b         5
    """

    def __init__(self, scorer: Scorer, late: str | timedelta = "7d") -> None:
        checked, micros = _scorer(scorer), lateness(late)
        self._start(checked, micros, Memory(new_book(checked, micros)))

    def _start(self, scorer: Scorer, late: int, keeping: Keeping) -> None:
        self._lock = fork_safe_lock()
        self._late, self._keeping = late, keeping
        self._serve(scorer)

    def _serve(self, scorer: Scorer) -> None:
        """Answer by a model from now on."""
        self._scorer, self._levels = scorer, compiled_of(scorer).levels

    @classmethod
    def open(
        cls,
        url: str,
        scorer: Scorer,
        *,
        late: str | timedelta = "7d",
        tenant: str = "default",
        side_by_side: bool = False,
    ) -> Ledger:
        """A ledger of a store, made if there is none: every call is one transaction, and every event is kept.

        It is found by tenant and model. With an edited model it is not found; rather than begin an empty one, that is
        refused: `Scorer.migrate` moves a ledger on.

        Args:
            url: ``sqlite:///leads.db`` (four slashes: an absolute path), or ``postgresql://...``.
            scorer: The compiled model.
            late: As for `Ledger`, for the states; the store keeps every event.
            tenant: Whose ledger: thousands may stand side by side in one store, each with models of its own.
            side_by_side: Begin an empty ledger though the tenant has one of another version of the model: of its name,
                and other semantics. So a tenant may try two versions, each told everything.

        Raises:
            StateError: The store cannot be used, its ledger went on with another model, or is one of another version.
            LeadcoreError: An argument is none of those above.

        Example:
            >>> import leadcore as lc, pathlib, tempfile
            >>> document = '''
            ... {leadcore: 1, name: visits, events: {visit: {}},
            ...  scores: {interest: {criteria: [{name: visits, kind: event, on: visit, points: 5}]}}}
            ... '''
            >>> old = lc.Scorer(lc.Model.from_yaml(document))
            >>> new = lc.Scorer(lc.Model.from_yaml(document.replace("points: 5", "points: 6")))
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     url = f"sqlite:///{pathlib.Path(folder, 'leads.db')}"
            ...     with lc.Ledger.open(url, old) as ledger:
            ...         changes = ledger.add(7, "2026-03-01", "visit")
            ...         print(new.migrate(ledger))
            ...     with lc.Ledger.open(url, new) as ledger:
            ...         print(ledger.lead(7)["interest"])
            changes of 1 lead by 'visits': 1 score
              7  interest 5 -> 6
            6.0
        """
        from leadcore.ledger.stores import open_keeping

        if not isinstance(url, str):
            raise LeadcoreError(f'url is text such as "sqlite:///leads.db", not {url!r}')
        one_id(url, "url")
        if "\0" in url:
            raise LeadcoreError(f"url is {url!r}, which no file can be called")
        if not isinstance(tenant, str) or not tenant:
            raise LeadcoreError(f"tenant is a name, not {tenant!r}")
        one_id(tenant, "tenant")
        checked, micros = _scorer(scorer), lateness(late)
        ledger = cls.__new__(cls)
        ledger._start(checked, micros, open_keeping(url, checked, micros, tenant, side_by_side))
        return ledger

    @property
    def scorer(self) -> Scorer:
        """The compiled model that answers; `Scorer.migrate` puts another in its place."""
        return self._scorer

    @property
    def model(self) -> Model:
        """The model that answers."""
        return self._scorer.model

    @property
    def late(self) -> Duration | Literal["all"]:
        """How much older than the newest event of its lead a fact may be."""
        return "all" if self._late < 0 else Duration(timedelta(microseconds=self._late))

    @property
    def clock(self) -> datetime | None:
        """The instant to which all leads were advanced, None before the first time."""
        clock = self._keeping.clock
        return None if clock == SINCE_EVER else to_datetime(clock)

    # facts

    def apply(
        self,
        events: TableLike | None = None,
        leads: TableLike | None = None,
        *,
        until: Moment | None = None,
        columns: Mapping[str, Any] | None = None,
        on_late: Literal["raise", "set_aside"] = "raise",
        threads: int | None = None,
        micropoints: bool = False,
    ) -> Changes:
        """Take in events and rows of leads, and bring each lead they touch to its newest fact.

        All of it happens, or nothing. Rows that repeat an ``event_id`` and say the same count once; a row of leads for a
        known ``valid_from`` replaces the row there was.

        Args:
            events: The events table (spec 2.2): anything with ``__arrow_c_stream__``, a dict of columns, a list of
                dicts, or None.
            leads: The leads table (spec 2.1), or None.
            until: The end: facts after it are kept, and counted when a later call reaches them: `advance`, a later
                ``until``, or a newer fact of the lead. By default there is none.
            columns: The model's names to yours, as for `Scorer.score`.
            on_late: ``raise`` refuses the whole call if a fact is older than ``late`` allows; ``set_aside`` hands such rows
                back in ``Changes.late`` and takes in the others.
            threads: How many threads to use; by default as many as the process may.
            micropoints: Give score columns as int64 micropoints instead of float64 points.

        Raises:
            DataError: A row is faulty, differs from one with its ``event_id``, or comes too late; nothing has changed.
            LeadcoreError: An argument is none of those above.

        Example:
            >>> import leadcore as lc
            >>> model = lc.Model.from_yaml('''
            ... {leadcore: 1, name: visits, events: {visit: {}},
            ...  scores: {interest: {criteria: [{name: visits, kind: event, on: visit, points: 5}]}}}
            ... ''')
            >>> ledger = lc.Ledger(lc.Scorer(model), late="1d")
            >>> visit = {"lead_id": 7, "type": "visit"}
            >>> ledger.apply([{**visit, "at": "2026-03-09"}]).scores.to_dicts()[0]["after"]
            5.0
            >>> ledger.apply([{**visit, "at": "2026-03-01"}], on_late="set_aside").late.to_dicts()[0]["late_by"]
            '7d'
        """
        if on_late not in ("raise", "set_aside"):
            raise LeadcoreError(f"on_late is 'raise' or 'set_aside', not {on_late!r}")
        end = None if until is None else moment(until, "until")
        with self._lock:
            asked = request(self.model, events, leads, columns, threads)
            told = self._keeping.apply(asked, end, on_late == "set_aside")
            return self._changes(told, micropoints)

    def add(
        self,
        lead_id: Id,
        at: Moment,
        type: str,
        properties: Mapping[str, Any] | None = None,
        event_id: Id | None = None,
    ) -> Changes:
        """Take in one event straight from Python values, no Arrow on the way: what `apply` does for a table of one row.

        Args:
            lead_id: Whose it is.
            at: When it happened.
            type: Its type; of a type the model does not declare it is ignored, and counted.
            properties: Its properties by name; missing ones are null.
            event_id: Its id, if it has one: delivered twice it counts once.

        Raises:
            DataError: A value does not fit, the event differs from the one with its ``event_id``, or it comes too late;
                nothing has changed.

        Example:
            >>> import leadcore as lc
            >>> model = lc.Model.from_yaml('''
            ... {leadcore: 1, name: visits, events: {visit: {}},
            ...  scores: {interest: {criteria: [{name: visits, kind: event, on: visit, points: 5}]}}}
            ... ''')
            >>> ledger = lc.Ledger(lc.Scorer(model))
            >>> ledger.add(7, "2026-03-01T09:30Z", "visit", event_id="v-1")
            changes of 1 lead by 'visits': 1 score
              7  interest 0 -> 5
            >>> ledger.add(7, "2026-03-01T09:30Z", "visit", event_id="v-1")
            changes of 1 lead by 'visits': none; rows: 1 repeated
        """
        lead = event_lead(lead_id, properties)
        with self._lock:
            return self._changes(self._keeping.add(lead, at, type, properties, event_id))

    def advance(self, until: Moment, *, threads: int | None = None, micropoints: bool = False) -> Changes:
        """Bring all leads to an instant: timers, the grid and alerts up to it happen.

        Nothing happens if the clock is there already. With a lifecycle only leads to which something may happen are looked
        at, and only their scores are told; what all leads are worth is `score`'s to say.

        Args:
            until: The instant.
            threads: How many threads to use; by default as many as the process may.
            micropoints: Give score columns as int64 micropoints instead of float64 points.
        """
        check_threads(threads)
        end = moment(until, "until")
        with self._lock:
            return self._changes(self._keeping.advance(end, threads), micropoints)

    def retract(self, events: TableLike) -> Changes:
        """Take events back, as if they had never been; delivered again they are repeats and count for nothing.

        Args:
            events: A table (``lead_id``, ``event_id``). Events nobody knows are counted, and no error, where
                all events of the lead are still kept.

        Raises:
            DataError: The table is faulty, or an event is older than ``late`` allows; nothing has changed.
        """
        with self._lock:
            pairs = retractions(self._scorer._program, events)
            return self._changes(self._keeping.retract(pairs))

    def forget(self, lead_id: Id) -> bool:
        """Erase a lead and the records merged into it, as if its rows had never been.

        Returns:
            Whether there was anything.
        """
        wanted = one_id(lead_id, "lead_id")
        with self._lock:
            return self._keeping.forget(wanted)

    def merge(self, lead_id: Id, into: Id) -> Changes:
        """Make one lead a record of another: two records of one person (spec 2.8). Its later facts go to the other.

        Args:
            lead_id: The lead that ends.
            into: The lead that goes on, with the facts of both.

        Raises:
            LeadcoreError: They are one already, or facts of ``lead_id`` are older than ``late`` keeps or allows; nothing
                has changed.
            DataError: Both have an event of one ``event_id``, and they differ.
        """
        one, other = one_id(lead_id, "lead_id"), one_id(into, "into")
        with self._lock:
            return self._changes(self._keeping.merge(one, other))

    # questions

    def score(
        self,
        as_of: Moment,
        leads: Iterable[Id] | None = None,
        *,
        explain: bool = False,
        micropoints: bool = False,
        threads: int | None = None,
    ) -> Scores:
        """What leads are worth at an instant, as `Scorer.score` says it of all facts; asking changes nothing.

        Args:
            as_of: The instant; not so old that facts of then are only kept as sums.
            leads: Lead ids; all leads by default.
            explain: Keep every line of every explanation (memory: 16 bytes a line and lead). Without it a lead is
                explained as long as the ledger takes in nothing more of it for that time.
            micropoints: Give score columns as int64 micropoints instead of float64 points.
            threads: How many threads to use; by default as many as the process may.

        Returns:
            One row per lead, in the order of ``leads``, else in that in which the ledger came to know them (a store: by
            id). Leads known from later events alone are not there yet (spec 2.6).

        Raises:
            KeyError: A lead that the ledger does not know.
            LeadcoreError: ``as_of`` is too old for a lead, or an argument is none of those above.
        """
        check_threads(threads)
        instant, wanted = moment(as_of, "as_of"), ids(leads)
        with self._lock:
            found: list[Id] = []
            parts = []
            for book, some in self._books(wanted):
                part = book.score(slots(book, some), np.full(len(some), instant), 2 * bool(explain), threads)
                if wanted is None:  # those known from later events alone are not there yet (spec 2.6)
                    there = np.flatnonzero(part[5])
                    some = [some[i] for i in there.tolist()]
                    part = tuple(column[there] if len(column) else column for column in part[:5])
                found += some
                parts.append(part)
            scorer, like = self._scorer, None if found else self._keeping.any_id()
        answers = joined_answers(scorer, parts, 2 * bool(explain))
        asked = AskedLeads(
            scorer, found, instant, self._person, lambda one: self._lines(one, instant, scorer), answers.scores, like
        )
        return Scores(scorer.model, scorer._plan, asked, answers, Counts(), micropoints)

    def lead(self, lead_id: Id, as_of: Moment | None = None) -> LeadState:
        """Where a lead stands, how it came there, and why.

        Args:
            lead_id: The lead, or a record that was merged into it.
            as_of: The instant of the answer, by default the one to which the lead was told. Later, it is how the lead
                will stand if nothing happens but the passing of time.

        Raises:
            KeyError: The ledger does not know it.
            LeadcoreError: ``as_of`` is too old, or nothing was told of the lead yet.
        """
        wanted = one_id(lead_id, "lead_id")
        instant = None if as_of is None else moment(as_of, "as_of")
        with self._lock:
            for book, some in self._books([wanted]):
                if some:
                    return lead_state(self._scorer, book, wanted, instant, self._levels)
        raise _unknown(wanted)

    def next_change(self, as_of: Moment, horizon: str | timedelta = "365d", leads: Iterable[Id] | None = None) -> Frame:
        """When scores next cross a threshold, and when stages next change, if nothing else happens; exact.

        Facts that wait for a later ``until`` have not happened; `score` and `lead` at their instants count them.

        Args:
            as_of: From when on.
            horizon: How far to look.
            leads: Lead ids; all leads by default.

        Returns:
            ``lead_id``, ``kind`` (``threshold``, ``stage``), ``name`` (of the threshold, or of the stage entered), ``at``,
            ``reached`` (of a threshold: whether it will be; null for a stage). Leads and thresholds for which nothing
            changes within the horizon have no row.

        Raises:
            KeyError: A lead that the ledger does not know.
            LeadcoreError: An argument is none of those above, ``as_of`` lies before what is kept of a lead, or criteria hold
                each other in balance within micropoints of a threshold for so long that it would take too much time.
        """
        start, wanted = moment(as_of, "as_of"), ids(leads)
        end = min(start + duration(horizon, "horizon", 'a duration such as "365d", or a timedelta'), LAST)
        with self._lock:
            parts = [(some, book.next_change(slots(book, some), start, end)) for book, some in self._books(wanted)]
            return next_changes(self.model, parts, self._keeping.any_id())

    def changes(self, after: int = 0, limit: int = 1000) -> Frame:
        """The feed of a store: what was handed out, oldest first, each change once.

        Columns: ``seq`` (its place in the feed), ``kind`` (``score``, ``threshold``, ``transition``, ``alert``), ``lead_id``,
        ``at``, and those of the tables of `Changes`, null where a kind has none; ``scores`` is JSON: those of a transition.

        Args:
            after: The ``seq`` of the last row seen; 0 for the beginning.
            limit: The most rows to give.

        Raises:
            LeadcoreError: The ledger is in memory, or an argument is none of those above.
        """
        for name, value, least in (("after", after, 0), ("limit", limit, 1)):
            if type(value) is not int or value < least:
                raise LeadcoreError(f"{name} is a whole number of at least {least}, not {value!r}")
        from leadcore.ledger.feed import feed_frame

        with self._lock:
            entries = self._keeping.changes(after, limit)
            return feed_frame(entries, None if entries else self._keeping.any_id())

    def __len__(self) -> int:
        """How many leads there are, records merged away not counted."""
        with self._lock:
            return len(self._keeping)

    def __contains__(self, lead_id: object) -> bool:
        with self._lock:
            return isinstance(lead_id, (int, str)) and lead_id in self._keeping

    def __iter__(self) -> Iterator[Id]:
        """Lead ids, as they are known at this moment."""
        with self._lock:
            return iter(list(self._keeping.lead_ids()))

    # files

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write everything to one file, in place of what stood there; what stood there stays whole if that fails.

        Raises:
            StateError: The file cannot be written; the cause is told.
        """
        with self._lock, self._keeping.books() as books:
            save_state(path, self._state(), books)

    @_EitherWay
    def load(self: Ledger | type[Ledger], path: str | os.PathLike[str], scorer: Scorer | None = None) -> Ledger:
        """Read what `save` wrote: ``Ledger.load(path)`` gives a ledger, ``ledger.load(path)`` replaces its content.

        Args:
            path: The file.
            scorer: The compiled model; by default the ledger's own, or on the class the one in the file.

        Returns:
            The ledger, as it was when it was saved: clock and ``late`` too.

        Raises:
            StateError: The file cannot be read, is no saved ledger, damaged, or of another model or a newer format;
                nothing has changed.

        Example:
            >>> import leadcore as lc, pathlib, tempfile
            >>> model = lc.Model.from_yaml('''
            ... {leadcore: 1, name: visits, events: {visit: {}},
            ...  scores: {interest: {criteria: [{name: visits, kind: event, on: visit, points: 5}]}}}
            ... ''')
            >>> ledger = lc.Ledger(lc.Scorer(model))
            >>> changes = ledger.add(7, "2026-03-01", "visit")
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     ledger.save(pathlib.Path(folder, "leads.state"))
            ...     again = lc.Ledger.load(pathlib.Path(folder, "leads.state"))
            >>> again
            Ledger('visits', 1 lead, late 1w, never advanced)
        """
        if isinstance(self, type):
            return _made(self, *load_state(path, None if scorer is None else _scorer(scorer)))
        state, book = load_state(path, self._scorer if scorer is None else _scorer(scorer))
        if not isinstance(self._keeping, Memory):
            raise LeadcoreError(
                "a ledger of a store is not loaded from a file: load it in memory, with Ledger.load(path)"
            )
        with self._lock:
            self._late, self._keeping = state.late, Memory(book)
            self._serve(state.scorer)
        return self

    def close(self) -> None:
        """Let go of files and connections of a store; a ledger in memory has none."""
        with self._lock:
            self._keeping.close()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __reduce__(self) -> tuple[Callable[..., Ledger], tuple[Any, ...]]:
        if not isinstance(self._keeping, Memory):
            raise LeadcoreError("a ledger of a store is not pickled: open the store in the other process")
        return _unpickled, (type(self), self._scorer, ledger_bytes(self))

    def __repr__(self) -> str:
        with self._lock:
            try:
                clock, leads = self._keeping.clock, len(self._keeping)
            except StateError as fault:  # closed, or its file is gone
                return f"Ledger({self._scorer.model.name!r}, {fault})"
            told = "never advanced" if clock == SINCE_EVER else f"advanced to {to_text(clock)}"
            return (
                f"Ledger({self.model.name!r}, {leads:,} {'lead' if leads == 1 else 'leads'}, late {self.late}, {told})"
            )

    def _repr_html_(self) -> str:
        import html

        with self._lock:
            try:
                clock = self.clock
            except StateError:
                return f"<p>{html.escape(repr(self))}</p>"
            rows = {
                "model": f"{self.model.name} {self.model.semantics[:12]}",
                "leads": f"{len(self._keeping):,}",
                "late": str(self.late),
                "advanced to": "never" if clock is None else to_text(self._keeping.clock),
            }
        cells = "".join(f"<tr><th>{name}</th><td>{html.escape(value)}</td></tr>" for name, value in rows.items())
        return f"<table><caption>Ledger</caption><tbody>{cells}</tbody></table>"

    # parts

    def _migrate(
        self, scorer: Scorer, at: Moment | None, events: Any, leads: Any, columns: Any, threads: Any, micropoints: bool
    ) -> Changes:
        """Move to another model; see `Scorer.migrate`."""
        asked = request(scorer.model, events, leads, columns, threads)
        instant = None if at is None else moment(at, "at")
        with self._lock:
            told = self._keeping.migrate(scorer, instant, asked)
            self._serve(scorer)
            return self._changes(told, micropoints)

    def _changes(self, told: Told, micropoints: bool = False) -> Changes:
        return Changes(self._scorer.model, told, micropoints, self._levels)

    def _books(self, wanted: Sequence[Id] | None) -> Iterator[tuple[Book, list[Id]]]:
        """Books, and which of the leads asked for each holds, in the order asked; all leads by default."""
        missing = {} if wanted is None else dict.fromkeys(wanted)
        with self._keeping.books(wanted) as books:
            for book in books:
                if wanted is None:
                    yield book, book.lead_ids()
                else:
                    some = [one for one in wanted if one in book.ids]
                    for one in some:
                        missing.pop(one, None)
                    yield book, some
        if missing:
            raise _unknown(next(iter(missing)))

    def _person(self, lead_id: Id) -> Id:
        """The lead that an id is, or is a record of."""
        with self._lock, self._keeping.books([lead_id]) as books:
            for book in books:
                if lead_id in book.aliases:
                    return book.aliases[lead_id]
        return lead_id

    def _lines(self, lead_id: Id, at: int, scorer: Scorer) -> Any:
        """Lines of an explanation as of now."""
        with self._lock:
            if scorer is not self._scorer:
                raise LeadcoreError("the ledger has gone on to another model since these scores were asked: ask again")
            with self._keeping.books([lead_id]) as books:
                for book in books:
                    if lead_id in book.ids:
                        return lines_of(book, lead_id, at)
        raise LeadcoreError(f"the ledger has let go of lead {lead_id!r} since these scores were asked")

    def _state(self) -> State:
        return State(self._scorer, self._late, self._keeping.clock)


def _made(owner: type[Ledger], state: State, book: Book) -> Ledger:
    """A ledger in memory that goes on from a book."""
    ledger = owner.__new__(owner)
    ledger._start(state.scorer, state.late, Memory(book))
    return ledger


def ledger_bytes(ledger: Ledger) -> bytes:
    """The bytes of the file that `Ledger.save` would write."""
    with ledger._lock, ledger._keeping.books() as books:
        return dumped(ledger._state(), books)


def ledger_of(data: bytes, scorer: Scorer) -> Ledger:
    """The ledger of such bytes.

    Raises:
        StateError: They are no saved ledger, damaged, or of another model or a newer format.
    """
    return _unpickled(Ledger, scorer, data)


def _unpickled(owner: type[Ledger], scorer: Scorer, data: bytes) -> Ledger:
    return _made(owner, *loaded(data, scorer))


def _scorer(scorer: Any) -> Scorer:
    if not isinstance(scorer, Scorer):
        hint = ": use leadcore.Scorer(model)" if isinstance(scorer, Model) else ""
        raise LeadcoreError(f"a ledger is of a leadcore.Scorer, not of {type(scorer).__name__}{hint}")
    return scorer


def _unknown(lead_id: Id) -> KeyError:
    return KeyError(f"no lead {lead_id!r} in this ledger")
