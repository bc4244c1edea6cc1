"""What one call to a ledger changed: scores, thresholds, moves and alerts, new and withdrawn (spec 8.10, 10.2)."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from datetime import timedelta
from functools import cached_property
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from leadcore._arrow import Table
from leadcore._replay_log import CAUSES, Ints, Moves, Small
from leadcore._replay_tables import alert_table, points_column, rule_names, stage_names, transition_table
from leadcore._service_levels import ServiceLevels
from leadcore._spans import Alerts, Spans
from leadcore.frame import Frame
from leadcore.ledger.ids import id_column
from leadcore.model import Model
from leadcore.timeline import lasted, number

if TYPE_CHECKING:
    from leadcore.ledger.told import Told

CHANGES = ("withdrawn", "new")
SHOWN = 10


class _Alerts(NamedTuple):
    """Alerts as they were, or as they are: row of `Told`, stage, entry, instant, level, who is told."""

    lead: Ints
    stage: Ints
    entered: Ints
    at: Ints
    level: Ints
    told: Ints


class Changes:
    """What one call to a ledger changed; each table is made when it is first asked for.

    ``if changes:`` asks whether anything did. Rows come by lead as touched; of one lead what is withdrawn comes before
    what is new, each in the order it happened. The net of all changes of a lead (new less withdrawn, by ``key``) is
    what one batch replay of its facts gives.

    Attributes:
        model: The model that answered.
        counts: Where every row went: ``events`` and ``leads`` (rows applied), ``duplicates``, ``ignored`` (by type),
            ``late`` (rows set aside), ``unknown`` (retractions of events nobody knows).
    """

    def __init__(
        self, model: Model, told: Told, micropoints: bool = False, levels: ServiceLevels | None = None
    ) -> None:
        """Put a result together; nothing is computed yet.

        Args:
            model: The model that answered.
            told: What the call did.
            micropoints: Scores as whole micropoints.
            levels: The model's service levels, where somebody keeps them.
        """
        self.model, self.counts = model, told.counts
        self._told, self._micropoints, self._levels = told, micropoints, levels
        self._made = told.changes

    @property
    def version(self) -> str:
        """The semantics fingerprint of the model that answered."""
        return self.model.semantics

    @cached_property
    def scores(self) -> Frame:
        """Every score that differs from what was last told.

        Columns: ``lead_id``, ``as_of`` (the instant told), ``score``, ``before`` (0 before the first time), ``after``.
        """
        if self._made is not None and not self._micropoints:
            return self._made.scores
        told = self._told
        rows, which = np.nonzero(told.scores_before != told.scores_after)
        return Frame(
            Table.build(
                [
                    ("lead_id", ("column", self._lead_ids(rows))),
                    ("as_of", ("instant", told.after_at[rows], None)),
                    ("score", ("dictionary", which.astype(np.int32), list(self.model.scores))),
                    ("before", points_column(told.scores_before[rows, which], self._micropoints)),
                    ("after", points_column(told.scores_after[rows, which], self._micropoints)),
                ]
            )
        )

    @cached_property
    def thresholds(self) -> Frame:
        """Every threshold newly reached or no longer: ``lead_id``, ``as_of``, ``threshold``, ``reached``."""
        if self._made is not None:
            return self._made.thresholds
        told = self._told
        rows, which = np.nonzero(told.reached_before != told.reached_after)
        return Frame(
            Table.build(
                [
                    ("lead_id", ("column", self._lead_ids(rows))),
                    ("as_of", ("instant", told.after_at[rows], None)),
                    ("threshold", ("dictionary", which.astype(np.int32), list(self.model.thresholds))),
                    ("reached", told.reached_after[rows, which] != 0),
                ]
            )
        )

    @cached_property
    def transitions(self) -> Frame:
        """Moves from stage to stage, births included.

        Columns: those of ``Replay.transitions``, then ``change`` (``new``, ``withdrawn``) and ``key``: what the move is,
        the same for ever (its scores are no part of it). A late or retracted event may withdraw what was told; if only
        the scores of a move differ, it is withdrawn with the old and new with the new ones.
        """
        if self._made is not None and not self._micropoints:
            return self._made.transitions
        told, changed = self._told, self._changed
        moves = Moves(*(getattr(told.moves, column.name)[changed] for column in fields(Moves)))
        events = id_column("event_id", [*told.event_ids, None])
        place = np.where(moves.event < 0, len(told.event_ids), moves.event)
        leads = self._lead_ids(moves.lead)
        table = transition_table(
            self.model, moves, leads, events.take(place), self._micropoints, self._stages, self._rules
        )
        keys = list(self._transition_keys(moves, told.ordinal[changed]))
        return Frame(table.with_columns(_marks(told.change[changed], keys)))

    @cached_property
    def alerts(self) -> Frame:
        """Alerts of service levels, due or withdrawn.

        Columns: those of ``Replay.alerts``, then ``change`` (``new``, ``withdrawn``) and ``key``.
        """
        if self._made is not None:
            return self._made.alerts
        told = self._told
        levels = self._levels or ServiceLevels(self.model)
        before, whom = self._alerts(-1, told.before_at, *((told.before, None) if told.before else (self.model, levels)))
        after, who = self._alerts(+1, told.after_at, self.model, levels)
        if told.before is not None:  # up to `since` the model before is right
            later = after.at > told.since
            after = _Alerts(*(column[later] for column in after))
            kept, named = self._alerts(+1, np.minimum(told.after_at, told.since), told.before, None)
            after = _Alerts(*map(_joined, after, kept._replace(told=kept.told + len(who))))
            who = [*who, *named]
        after = after._replace(told=after.told + len(whom))
        both = _Alerts(*map(_joined, before, after))
        change = np.repeat(np.array([-1, 1], np.int32), [len(before.lead), len(after.lead)])
        rows = _uncancelled(both)
        rows = rows[np.lexsort((rows, change[rows], both.lead[rows]))]
        lead, stage, entered, at, level, notify = (column[rows] for column in both)
        names = [ascii(name) for name in self._stages]
        keys = [
            _key(b"alert", f"{told.lead_ids[i]!a},{names[s]},{since},{n},{when}")
            for i, s, since, n, when in zip(*(column.tolist() for column in (lead, stage, entered, level, at)), strict=True)
        ]  # fmt: skip
        table = alert_table(
            self._stages, self._lead_ids(lead), stage.astype(np.int32), entered, Alerts(rows, at, level, notify),
            [*whom, *who],
        )  # fmt: skip
        return Frame(table.with_columns(_marks(change[rows], keys)))

    @cached_property
    def late(self) -> Frame:
        """Facts handed back by ``on_late="set_aside"``.

        Columns: ``table`` (``events``, ``leads``), ``row``, ``lead_id``, ``at`` (null: since ever), ``late_by``
        (``3d2h``, older than ``late`` allows; null: since ever), ``reason``.
        """
        rows = list(self._told.late)
        at = [row.at for row in rows]
        known = np.array([value is not None for value in at], bool)
        return Frame(
            Table.build(
                [
                    ("table", ("text", [row.table for row in rows])),
                    ("row", np.array([row.row for row in rows], np.int64)),
                    ("lead_id", ("column", id_column("lead_id", [row.lead_id for row in rows], self._told.like))),
                    ("at", ("instant", np.array([value or 0 for value in at], np.int64), known)),
                    ("late_by", ("text", [None if r.late_by is None else lateness(r.late_by) for r in rows])),
                    ("reason", ("text", [row.reason for row in rows])),
                ]
            )
        )

    def __bool__(self) -> bool:
        """Whether anything changed."""
        told = self._told
        return bool(
            len(self._changed)
            or (told.scores_before != told.scores_after).any()
            or (told.reached_before != told.reached_after).any()
            or len(self.alerts)
        )

    def __repr__(self) -> str:
        return "\n".join([self._summary(), *(f"  {lead_id}  {what}" for lead_id, what in self._stories())])

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{html.escape(str(lead_id))}</td><td>{html.escape(what)}</td></tr>"
            for lead_id, what in self._stories()
        )
        table = f"<table><thead><tr><th>lead</th><th>what changed</th></tr></thead><tbody>{rows}</tbody></table>"
        return f"<p>{html.escape(self._summary())}</p>{table if rows else ''}"

    def _summary(self) -> str:
        numbers = [
            (len(self.scores), "score"), (len(self.thresholds), "threshold"),
            (len(self.transitions), "transition"), (len(self.alerts), "alert"),
        ]  # fmt: skip
        counted = [_counted(n, what) for n, what in numbers if n] or ["none"]
        gone = int((self._told.change == -1).sum())
        withdrawn = f" ({gone:,} of the transitions withdrawn)" if gone else ""
        more = [
            _counted(n, what, what)
            for n, what in (
                (self.counts.duplicates, "repeated"), (sum(self.counts.ignored.values()), "ignored"),
                (self.counts.late, "too late"), (self.counts.unknown, "unknown"),
            )
            if n
        ]  # fmt: skip
        rows = "; rows: " + ", ".join(more) if more else ""
        leads = _counted(len(self._told.lead_ids), "lead")
        return f"changes of {leads} by {self.model.name!r}: {', '.join(counted)}{withdrawn}{rows}"

    def _stories(self) -> Iterator[tuple[Any, str]]:
        """The first leads and what changed of each, in words."""
        told, words = self._told, dict[Any, list[str]]()

        def tell(frame: Frame, say: Callable[[dict[str, Any]], str]) -> None:
            rows = frame.table.take(np.arange(min(len(frame), 100))).to_dicts()
            same = Counter(row.get("key") for row in rows)  # twice: withdrawn, and new with other scores
            for row in rows:
                if "key" not in row or same[row["key"]] == 1:
                    words.setdefault(row["lead_id"], []).append(say(row))

        tell(self.scores, lambda row: f"{row['score']} {number(row['before'])} -> {number(row['after'])}")
        tell(self.thresholds, lambda row: f"{row['threshold']} {'reached' if row['reached'] else 'no longer reached'}")
        tell(self.transitions, _move_words)
        tell(
            self.alerts, lambda row: f"{_was(row)}alert {row['level']} of {row['stage']} to {', '.join(row['notify'])}"
        )
        shown = [lead_id for lead_id in dict.fromkeys(told.lead_ids) if lead_id in words][:SHOWN]
        yield from ((lead_id, "; ".join(words[lead_id])) for lead_id in shown)

    def _lead_ids(self, rows: npt.NDArray[Any]) -> Table:
        return self._ids.take(np.asarray(rows, np.int64))

    @cached_property
    def _ids(self) -> Table:
        return id_column("lead_id", self._told.lead_ids, self._told.like)

    @cached_property
    def _changed(self) -> Ints:
        """Moves that are withdrawn or new, and not the same in both."""
        return np.flatnonzero(np.abs(self._told.change) == 1)

    def _transition_keys(self, moves: Moves, ordinal: Small) -> Iterator[str]:
        """The key of every move: all that it is but its scores, and which it is of those that are alike."""
        lead_ids, event_ids = self._told.lead_ids, self._told.event_ids
        stages, rules = [*map(ascii, self._stages), "None"], [*map(ascii, self._rules), "None"]
        columns = (
            moves.lead,
            moves.at,
            moves.from_stage,
            moves.to_stage,
            moves.rule,
            moves.cause,
            moves.event,
            ordinal,
        )
        for lead, at, left, entered, rule, cause, event, n in zip(*(a.tolist() for a in columns), strict=True):
            event_id = None if event < 0 else event_ids[event]
            yield _key(
                b"transition",
                f"{lead_ids[lead]!a},{at},{stages[left]},{stages[entered]},{rules[rule]},{CAUSES[cause]},{event_id!a},{n}",
            )

    @cached_property
    def _stages(self) -> list[str]:
        """Stages by the numbers of moves: those of the model, then those only the model before it has."""
        return self._both(stage_names)

    @cached_property
    def _rules(self) -> list[str]:
        return self._both(rule_names)

    def _both(self, names: Callable[[Model], list[str]]) -> list[str]:
        before = [] if self._told.before is None else names(self._told.before)
        return list(dict.fromkeys([*names(self.model), *before]))

    def _alerts(
        self, sign: int, end: Ints, model: Model, levels: ServiceLevels | None
    ) -> tuple[_Alerts, list[tuple[str, ...]]]:
        """Alerts by a model up to an instant per lead, of the stay that goes on and of the moves withdrawn, or new."""
        told, moves = self._told, self._told.moves
        levels = levels or ServiceLevels(model)
        place = {name: i for i, name in enumerate(stage_names(model))}
        own = np.array([*(place.get(name, -1) for name in self._stages), -1], np.int32)
        alerting = np.append(levels.alerting, False)[own]  # by stage as moves number them, the last for none
        going = np.flatnonzero(told.open_stage >= 0)
        changed = np.flatnonzero(told.change * sign > 0)
        if not (alerting[told.open_stage].any() or alerting[moves.to_stage[changed]].any()):
            return _Alerts(*[np.empty(0, np.int64)] * 6), []
        lead = np.concatenate([going, moves.lead[changed]])
        order = np.argsort(lead, kind="stable")
        lead = lead[order]
        stage: Small = np.concatenate([told.open_stage[going], moves.to_stage[changed]])[order]
        entered = np.concatenate([told.open_entered[going], moves.at[changed]])[order]
        spans = Spans(model, lead, entered, np.maximum(own[stage], 0), end[lead], levels)
        alerts, who = spans.alerts()
        here = own[stage[alerts.span]] >= 0
        span = alerts.span[here]
        return _Alerts(
            lead[span],
            stage[span].astype(np.int64),
            entered[span],
            alerts.at[here],
            alerts.level[here],
            alerts.told[here],
        ), who


def _joined(one: Ints, other: Ints) -> Ints:
    return np.concatenate([one, other])


def _uncancelled(alerts: _Alerts) -> Ints:
    """The alerts that were, or are, and not both; of a lead no two are alike."""
    columns = (alerts.level, alerts.at, alerts.stage, alerts.entered, alerts.lead)
    order = np.lexsort(columns)
    alike = np.ones(max(len(order) - 1, 0), bool)
    for column in columns:
        alike &= column[order[1:]] == column[order[:-1]]
    kept: Ints = order[~(np.append(alike, False) | np.append(False, alike))[: len(order)]]
    return kept


def _marks(change: Small, keys: list[str]) -> Table:
    signs = (change > 0).astype(np.int32)
    return Table.build([("change", ("dictionary", signs, list(CHANGES))), ("key", ("text", keys))])


def _key(kind: bytes, what: str) -> str:
    return blake2b(what.encode("ascii"), digest_size=16, person=kind).hexdigest()


def lateness(late_by: int) -> str:
    """How late something is, for people: ``3d2h``."""
    return lasted(timedelta(microseconds=late_by)) if late_by >= 10**6 else f"{late_by}us"


def _counted(count: int, what: str, many: str | None = None) -> str:
    return f"{count:,} {what if count == 1 else many or what + 's'}"


def _was(row: Mapping[str, Any]) -> str:
    return "withdrawn: " if row["change"] == "withdrawn" else ""


def _move_words(row: Mapping[str, Any]) -> str:
    """``new -> warm by keen``."""
    begun = f"{row['from_stage']} -> " if row["from_stage"] is not None else "born "
    rule = f" by {row['rule']}" if row["rule"] is not None else " by hand" if row["cause"] == "manual" else ""
    return f"{_was(row)}{begun}{row['to_stage']}{rule}"
