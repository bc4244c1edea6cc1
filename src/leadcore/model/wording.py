"""Conditions and transitions in a few words, for pictures and lists."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from leadcore.model.condition import All, Any_, Clause, Not
from leadcore.model.scalar import plain

if TYPE_CHECKING:
    from leadcore.model.condition import Condition, Scalar
    from leadcore.model.document import Model
    from leadcore.model.lifecycle import Sla, Transition

MOST_LISTED = 4
"""So many of a list are named; then how many more there are."""

_SIGNS = {"eq": "=", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
_BARE = ("score.", "threshold.")


class Wording:
    """Says what the conditions of a model ask, shorter than the document does.

    Names of scores and thresholds stand alone where no attribute is called the same, and a long list is cut: the
    words are for people, no way leads back from them.

    Example:
        >>> from leadcore import Model
        >>> model = Model.model_validate({
        ...     "name": "tiny",
        ...     "scores": {"total": {"criteria": []}},
        ...     "lifecycle": {
        ...         "initial": "new",
        ...         "stages": [{"name": "new"}, {"name": "hot"}],
        ...         "transitions": [{
        ...             "name": "ready", "from": "new", "to": "hot", "after": "72h",
        ...             "when": {"field": "score.total", "op": "ge", "value": 65},
        ...         }],
        ...     },
        ... })
        >>> Wording(model).transition(model.lifecycle.transitions[0])
        'after 3d, total >= 65'
    """

    def __init__(self, model: Model) -> None:
        self._attributes = frozenset(model.attributes)

    def transition(self, transition: Transition) -> str:
        """When a transition fires: its event types, its time in the stage, its condition; empty if nothing is asked."""
        parts = []
        if transition.on is not None:
            parts.append("on " + listed(transition.on, "or"))
        if transition.after is not None:
            parts.append(f"after {transition.after}")
        if transition.when is not None:
            parts.append(self.condition(transition.when))
        return ", ".join(parts)

    def condition(self, condition: Condition) -> str:
        """What a condition asks."""
        match condition:
            case Clause():
                return self._clause(condition)
            case Not(not_=inner):
                return f"not ({self.condition(inner)})"
            case All(all=parts):
                return self._joined(parts, "and") if parts else "always"
            case Any_(any=parts):
                return self._joined(parts, "or") if parts else "never"

    def _joined(self, parts: Sequence[Condition], word: str) -> str:
        shown = [self._inner(part, len(parts) == 1) for part in parts[:MOST_LISTED]]
        if len(parts) > MOST_LISTED:
            shown.append(f"{len(parts) - MOST_LISTED} more")
        return f" {word} ".join(shown)

    def _inner(self, part: Condition, alone: bool) -> str:
        text = self.condition(part)
        several = (isinstance(part, All) and len(part.all) > 1) or (isinstance(part, Any_) and len(part.any) > 1)
        return f"({text})" if several and not alone else text

    def _clause(self, clause: Clause) -> str:
        name, op, value = self._name(clause.field), clause.op, clause.value
        if clause.field.startswith("threshold.") and op in ("eq", "ne") and isinstance(value, bool):
            return f"{name} reached" if value == (op == "eq") else f"{name} not reached"
        if op == "exists":
            return f"{name} is set" if value else f"{name} is not set"
        values = value if isinstance(value, tuple) else (value,)
        if op == "between":
            return f"{name} {' to '.join(map(literal, values))}"
        unit = " days" if clause.field == "stage.age" else ""
        return f"{name} {_SIGNS.get(op, op.replace('_', ' '))} {listed(map(literal, values), 'or')}{unit}"

    def _name(self, field: str) -> str:
        for prefix in _BARE:
            bare = field.removeprefix(prefix)
            if bare != field and bare not in self._attributes:
                return bare
        return field


def listed(names: Iterable[str], word: str) -> str:
    """Names with commas and a last word between; a long list is cut.

    Example:
        >>> listed(["a", "b", "c"], "or")
        'a, b or c'
        >>> listed("abcdefg", "or")
        'a, b, c, d or 3 more'
    """
    names = list(names)
    if len(names) > MOST_LISTED + 1:
        names = [*names[:MOST_LISTED], f"{len(names) - MOST_LISTED} more"]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {word} {names[-1]}"


def literal(value: Scalar) -> str:
    """A value of a clause; text in quotes where it is more than one word."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return plain(value)
    return f"'{value}'" if not value or set(value) & set(" ,'\"()") else value


def service_level(sla: Sla) -> list[str]:
    """When a stay is due, and when people are told.

    Example:
        >>> from leadcore import Sla
        >>> service_level(Sla(due="48h", alerts=[{"after": "0s", "notify": "rep"}, {"after": "1d", "notify": "rep"}]))
        ['due 2d', 'alerts at 0s and 1d']
    """
    told = [f"due {sla.due}" + (f" by calendar {sla.calendar}" if sla.calendar is not None else "")]
    if sla.alerts:
        word = "alerts at" if len(sla.alerts) > 1 else "alert at"
        told.append(f"{word} {listed([str(alert.after) for alert in sla.alerts], 'and')}")
    return told
