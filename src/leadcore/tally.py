"""A tally: scores in memory, brought up to date by one event at a time, in about one call to compiled code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from leadcore import _kernel
from leadcore._arrow import Classifier
from leadcore._inputs import data_errors, one_instant
from leadcore._time import EPOCH, FIRST, LAST, to_text
from leadcore.errors import DataError, LeadcoreError, Problem
from leadcore.model import Model
from leadcore.model.criterion import AttributeCriterion, ByProperty, EventCriterion, FrequencyCriterion, PerProperty
from leadcore.model.score import Group
from leadcore.scorer import Scorer

LeadId = int | str
Moment = datetime | date | str | int
"""An instant: a datetime, a date, ISO 8601 text, or whole microseconds since 1970 in UTC; naive is UTC."""


class Tally(_kernel.Tally):
    """Scores of leads in memory, brought up to date by one event at a time, with the new score back.

    What `Scorer.score` gives for all events told so far, a tally gives to the last bit, in about a microsecond: it keeps
    for each lead what its events have come to, and no event twice. It is the shortest way from an event to a score, for a
    feed that is in order and tells each event once. Beside a `Ledger` it leaves out:

    - *events that come late or twice*. Events of one lead come in order of ``at`` (equal instants in any order), and each
      call counts: there are no event ids. A feed that repeats events, or tells them out of order, needs a `Ledger`.
    - *lifecycle and thresholds*. Only the scores of the model matter.
    - *models that must know single events again*: ``reset``, ``unique_by``, ``distinct``, and ``cooldown`` or ``limit`` on
      points that differ by event. Such a model is refused.
    - *saved state*. A tally lives in one process, and is neither pickled nor shared with a child: tell a new one the
      events again.

    Any number of threads may use it; calls are served one at a time. ``len(tally)`` is how many leads it knows, ``lead_id
    in tally`` whether it knows one, iteration gives their ids.

    Args:
        scorer: The compiled model.
        score: The score that `add` gives back. It may be left out where the model has one score that no other combines.
        micropoints: Give scores as whole micropoints instead of float64 points.

    Raises:
        LeadcoreError: There is no such score, more than one might be meant, or the model is none for a tally; the error
            names the criterion.

    Example:
        >>> import leadcore as lc
        >>> model = lc.Model.from_yaml('''
        ... leadcore: 1
        ... name: minimal
        ... attributes: {country: text}
        ... events: {visit: {url: text}}
        ... scores:
        ...   fit: {criteria: [{name: home, kind: attribute, when: {field: country, op: eq, value: DE}, points: 20}]}
        ...   interest: {criteria: [{name: visits, kind: event, on: visit, points: 8, decay: {half_life: 7d}}]}
        ...   total: {combine: {fit: 1, interest: 1}}
        ... ''')
        >>> tally = lc.Tally(lc.Scorer(model))
        >>> tally.add("a", "2026-03-01T09:00Z", "visit", {"url": "/"})
        8.0
        >>> tally.put("a", {"country": "DE"})
        >>> tally.add("a", "2026-03-08T09:00Z", "visit")
        32.0
        >>> tally.score("a", "2026-03-15T09:00Z")
        {'fit': 20.0, 'interest': 6.0, 'total': 26.0}
    """

    def __init__(self, scorer: Scorer, score: str | None = None, *, micropoints: bool = False) -> None:
        if not isinstance(scorer, Scorer):
            raise LeadcoreError(f"a tally is of a leadcore.Scorer, not of {type(scorer).__name__}")
        _check_model(scorer.model)
        plan = scorer._plan
        target = _target(scorer.model, score)
        classifier = Classifier(scorer._program)
        self._scorer, self._names = scorer, plan.scores
        super().__init__(
            scorer._kernel_plan, classifier.kinds(), _Checks(scorer, classifier),
            _taken(scorer.model, target), plan.scores.index(target), scorer._program.encode_attributes({}), bool(micropoints),
        )  # fmt: skip

    def __repr__(self) -> str:
        return f"Tally({self._scorer.model.name!r}, {len(self)} leads)"

    def __reduce__(self) -> Any:
        raise LeadcoreError("a tally lives in one process and is not pickled: tell a new one the events again")

    @property
    def scorer(self) -> Scorer:
        """The compiled model."""
        return self._scorer

    if TYPE_CHECKING:  # it is compiled: a Python function around it would take longer than its work

        def add(self, lead_id: LeadId, at: Moment, type: str, properties: Mapping[str, Any] | None = None) -> float:
            """Take in one event, and give the new score of its lead.

            Args:
                lead_id: Whose it is. Ids are integers throughout, or text.
                at: When it happened: not before the newest event of the lead. Naive datetimes and those in
                    ``datetime.UTC`` are read soonest, and whole microseconds since 1970 in UTC.
                type: Its type. Of a type the model does not declare it is ignored: no lead begins with it, and the score
                    at ``at`` is given all the same.
                properties: Its properties by name; missing ones are null.

            Returns:
                The score at ``at`` in points, as a whole number of micropoints where the tally was made so.

            Raises:
                DataError: A value does not fit, or the event is older than the newest one of its lead; nothing has
                    changed.

            Example:
                >>> import leadcore as lc
                >>> model = lc.Model.from_yaml('''
                ... {leadcore: 1, name: visits, events: {visit: {}},
                ...  scores: {interest: {criteria: [{name: visits, kind: event, on: visit, points: 5}]}}}
                ... ''')
                >>> tally = lc.Tally(lc.Scorer(model))
                >>> tally.add(7, "2026-03-01T09:30Z", "visit")
                5.0
                >>> tally.add(7, "2026-03-01T09:30Z", "visit")
                10.0
                >>> tally.add(7, "2026-02-28T18:00Z", "visit")
                Traceback (most recent call last):
                    ...
                leadcore.errors.DataError: events, row 0, column at: '2026-02-28T18:00:00Z' is before the newest event of lead 7, at 2026-03-01T09:30:00Z: a tally takes events in order, a leadcore.Ledger takes late ones too
            """

    def put(self, lead_id: LeadId, attributes: Mapping[str, Any] | None) -> None:
        """Let the attributes of a lead be these from now on; those it had are gone.

        Args:
            lead_id: Whose they are; a lead that is not there is from now on.
            attributes: Values by name as `Scorer.score_lead` takes them; missing ones are null.

        Raises:
            DataError: A value does not fit; nothing has changed.
        """
        key = _lead_id(lead_id, "leads")
        given = {} if attributes is None else attributes
        if not isinstance(given, Mapping):
            reason = "is no lead: give attributes as a mapping, or None"
            raise DataError([Problem("leads", None, None, type(given).__name__, reason)])
        with data_errors("leads"):
            hits = self._scorer._program.encode_attributes(given)
        self._put(key, hits)

    def score(self, lead_id: LeadId, at: Moment) -> dict[str, float]:
        """Every score of a lead at an instant.

        Args:
            lead_id: The lead.
            at: Not before its newest event, as only what its events have come to is kept.

        Raises:
            KeyError: There is no such lead.
            LeadcoreError: ``at`` is none, or before the newest event.

        Example:
            >>> import leadcore as lc
            >>> model = lc.Model.from_yaml('''
            ... {leadcore: 1, name: visits, events: {visit: {}},
            ...  scores: {interest: {criteria: [{name: visits, kind: event, on: visit, points: 5, decay: {linear: 10d}}]}}}
            ... ''')
            >>> tally = lc.Tally(lc.Scorer(model))
            >>> tally.add("a", "2026-03-01", "visit")
            5.0
            >>> tally.score("a", "2026-03-03")
            {'interest': 4.0}
        """
        key = _lead_id(lead_id, "leads")
        scores = self._scores(key, _micros(at))
        if scores is None:
            raise KeyError(f"no lead {lead_id!r} in this tally of {len(self)} leads")
        return dict(zip(self._names, scores, strict=True))

    def forget(self, lead_id: LeadId) -> bool:
        """Erase a lead with all that its events came to; whether it was there."""
        return self._forget(_lead_id(lead_id, "leads"))


class _Checks:
    """What the compiled part asks where values are not plain ones, or were not seen before."""

    def __init__(self, scorer: Scorer, classifier: Classifier) -> None:
        self.scorer, self.classifier = scorer, classifier

    def lead_id(self, value: Any) -> LeadId:
        return _lead_id(value, "events")

    def event(self, kind: Any, at: Any, properties: Any) -> tuple[int, bytes | None, bytes | None, bytes | None]:
        if properties is not None and type(properties) is not dict and not isinstance(properties, Mapping):
            found = type(properties).__name__
            raise DataError([Problem("events", 0, None, None, f"properties are a mapping by name, not {found}")])
        micros = None
        if isinstance(at, int) and not isinstance(at, bool):
            if not FIRST <= at <= LAST:
                raise DataError([Problem("events", 0, "at", str(at)[:32], "is outside the years 1 to 9999")])
            micros, at = int(at), EPOCH
        try:
            read = self.classifier.read(kind, at, properties)
        except Exception as fault:
            with data_errors("events"):
                raise fault
        if read is not None:
            return (read[0] if micros is None else micros, *read[1:])
        if micros is None:
            micros = one_instant(at, "at")
        if micros is None:  # read above, so it is a numpy.datetime64
            micros = int(at.astype("datetime64[us]").astype("int64"))
        return micros, None, None, None

    def early(self, lead_id: LeadId, at: int, newest: int) -> None:
        reason = (
            f"is before the newest event of lead {lead_id!r}, at {to_text(newest)}: a tally takes events in order, "
            "a leadcore.Ledger takes late ones too"
        )
        raise DataError([Problem("events", 0, "at", to_text(at), reason)])

    def too_early(self, lead_id: LeadId, at: int, newest: int) -> None:
        raise LeadcoreError(
            f"lead {lead_id!r} cannot be scored at {to_text(at)}: its newest event is of {to_text(newest)}, and a tally "
            "keeps what events came to, not the events; Scorer.score and a leadcore.Ledger look back"
        )

    def other_kind(self, table: str, lead_id: LeadId) -> None:
        found, kept = ("is text", "integers") if isinstance(lead_id, str) else ("is an integer", "text")
        reason = f"{found}, but the ids read before are {kept}"
        raise DataError([Problem(table, 0, "lead_id", str(lead_id)[:32], reason)])


def _lead_id(value: Any, table: str) -> LeadId:
    """An id as an integer or text, and of no other class.

    Raises:
        DataError: It is neither.
    """
    from leadcore.ledger.arguments import no_id

    reason = no_id(value)
    if reason is not None:
        shown = None if value is None else ascii(value)[:32]
        raise DataError([Problem(table, 0, "lead_id", shown, reason)])
    return str.__str__(value) if isinstance(value, str) else int(value)


def _micros(at: Any) -> int:
    """Microseconds of the instant asked at.

    Raises:
        DataError: It is none.
    """
    if isinstance(at, int) and not isinstance(at, bool):
        if FIRST <= at <= LAST:
            return int(at)
        raise DataError([Problem("at", None, None, str(at)[:32], "is outside the years 1 to 9999")])
    micros = one_instant(at, "at")
    if micros is None:
        reason = "is not one instant: give a datetime, a date, ISO 8601 text or microseconds since 1970"
        raise DataError([Problem("at", None, None, type(at).__name__, reason)])
    return micros


def _target(model: Model, score: Any) -> str:
    """The score that is given back.

    Raises:
        LeadcoreError: It is not one of the model's, or not said though there are several.
    """
    if score is not None:
        if score not in model.scores:
            raise LeadcoreError(f"score={score!r} is none of the model's scores: {_listed(model.scores)}")
        return str(score)
    combined = {other for one in model.scores.values() for other in one.combine or ()}
    top = [name for name in model.scores if name not in combined]
    if len(top) != 1:
        if not model.scores:
            raise LeadcoreError(f"the model {model.name!r} has no score to give back")
        raise LeadcoreError(f"say which score is to be given back, score=...: {_listed(top)}")
    return top[0]


def _listed(names: Any) -> str:
    return ", ".join(map(repr, names)) or "there is none"


def _taken(model: Model, target: str) -> npt.NDArray[np.uint8]:
    """A mark by score: whether it is the one given back, or one that this combines."""
    taken = [target]
    for name in taken:
        taken += [other for other in model.scores[name].combine or () if other not in taken]
    return np.array([name in taken for name in model.scores], np.uint8)


def _check_model(model: Model) -> None:
    """Refuse a model some of whose criteria need more than what events came to.

    Raises:
        LeadcoreError: Each such criterion, by its place in the document, with why.
    """
    found: list[str] = []
    for name, score in model.scores.items():
        path = f"scores.{name}"
        parts = {path: Group(criteria=score.criteria)} if score.criteria is not None else {}
        parts |= {f"{path}.groups.{group}": one for group, one in (score.groups or {}).items()}
        for place, group in parts.items():
            kept = [one for one in group.criteria if not isinstance(one, AttributeCriterion)]
            if group.reset is not None and kept:
                found.append(f"{place}.reset: {_RESET}")
            for i, criterion in enumerate(group.criteria):
                found += [f"{place}.criteria[{i}] ({criterion.name}): {why}" for why in _unfit(criterion)]
    if found:
        more = f"\n  ... and {len(found) - 10} more" if len(found) > 10 else ""
        raise LeadcoreError(
            f"the model {model.name!r} is none for a tally, which keeps what events came to and not the events; "
            "a leadcore.Ledger takes every model:\n  " + "\n  ".join(found[:10]) + more
        )


_RESET = "of events at one instant, which a reset takes away depends on their order (spec 2.4)"


def _unfit(criterion: Any) -> Iterator[str]:
    """Why a tally cannot tell a criterion's value."""
    if isinstance(criterion, FrequencyCriterion) and criterion.distinct is not None:
        yield "distinct needs every value again"
    if isinstance(criterion, AttributeCriterion):
        return
    if criterion.reset is not None:
        yield _RESET
    if isinstance(criterion, EventCriterion):
        if criterion.unique_by is not None:
            yield "unique_by needs every value again"
        filtered = "cooldown" if criterion.cooldown is not None else "limit" if criterion.limit is not None else None
        if filtered is not None and not _constant(criterion):
            yield f"of events at one instant, which of them {filtered} lets through depends on their order, and their points differ"


def _constant(criterion: EventCriterion) -> bool:
    """Whether every event brings the same points."""
    return not isinstance(criterion.points, (PerProperty, ByProperty))
