"""Each counted event's share of its criterion's raw value (spec 7)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from leadcore._reference.criteria import counted, value_of
from leadcore._reference.moment import Moment
from leadcore._reference.tables import Id
from leadcore.model.criterion import AttributeCriterion, Criterion, Reset


class Share(NamedTuple):
    """What one counted event adds to a criterion's raw value, in micropoints."""

    score: str
    group: str | None
    criterion: str
    at: int
    type: str
    event_id: Id | None
    micropoints: int


def shares(moment: Moment) -> list[Share]:
    """Spec 7: "the criterion's raw value with the first i events less that with the first i - 1", in canonical order."""
    found = []
    for score, group, criterion, group_reset in placed_criteria(moment):
        if isinstance(criterion, AttributeCriterion):
            continue
        events = counted(criterion, group_reset, moment)
        for i, event in enumerate(events):
            with_it = value_of(criterion, events[: i + 1], moment)
            without = value_of(criterion, events[:i], moment)
            share = with_it - without
            found.append(Share(score, group, criterion.name, event.at, event.type, event.event_id, share))
    return found


def placed_criteria(moment: Moment) -> Iterator[tuple[str, str | None, Criterion, Reset | None]]:
    """Every criterion in document order with its score, its group and its group's reset."""
    for name, score in moment.model.scores.items():
        for group_name, group in (score.groups or {}).items():
            for criterion in group.criteria:
                yield name, group_name, criterion, group.reset
        for criterion in score.criteria or ():
            yield name, None, criterion, None
