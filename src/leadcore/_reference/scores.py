"""Scores of one lead at T, as the lines they are made of, and what follows from them (spec 6, 7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from leadcore._reference.arithmetic import POINT, bounded, exact, exact_points, rne
from leadcore._reference.conditions import Field, Scope, holds
from leadcore._reference.criteria import bounded_value, gate_open, raw_value
from leadcore._reference.moment import Moment
from leadcore.model.criterion import Criterion, Reset
from leadcore.model.document import Model
from leadcore.model.score import Fade, Group

Line = tuple[str, str | None, str | None, str, int]
"""Score, group, criterion, part and micropoints; the lines of a score sum to it (spec 7)."""


@dataclass(frozen=True)
class Scored:
    """One lead at T: scores in micropoints, and the lines they are the sums of."""

    values: dict[str, int]
    lines: list[Line]


def score_lead(moment: Moment) -> Scored:
    """All scores of a model for one lead at T (spec 6.1, 6.2)."""
    values: dict[str, int] = {}
    lines: dict[str, list[Line]] = {}
    for name in moment.model.scores:
        score_one(name, moment, values, lines)
    in_order = [line for name in moment.model.scores for line in lines[name]]
    return Scored({name: values[name] for name in moment.model.scores}, in_order)


def score_one(name: str, moment: Moment, values: dict[str, int], lines: dict[str, list[Line]]) -> None:
    """One score, after the scores it combines; a checked model has no cycles (spec 6.2)."""
    if name in values:
        return
    score = moment.model.scores[name]
    if score.combine is not None:
        for component in score.combine:
            score_one(component, moment, values, lines)
        own: list[Line] = [
            (name, None, component, "component", rne(values[component] * exact(factor)))
            for component, factor in score.combine.items()
        ]
    elif score.groups is not None:
        own = [line for group, part in score.groups.items() for line in group_lines(name, group, part, moment)]
    else:
        # an unnamed group: nothing of it is bounded, faded or weighted but by the score (spec 6.1)
        own = [line for part in score.criteria or () for line in criterion_lines(name, None, part, None, moment)]
    unbounded = total(own)
    value = bounded(moment.model, unbounded, score.min, score.max)
    values[name] = value
    lines[name] = [*own, (name, None, None, "score_bounds", value - unbounded)]


def group_lines(score: str, name: str, group: Group, moment: Moment) -> list[Line]:
    """Spec 6.1: "Group = clamp(sum of criteria), then x `fade`, then x `weight`"; 9.6: rne, one after the other."""
    lines = [
        line for criterion in group.criteria for line in criterion_lines(score, name, criterion, group.reset, moment)
    ]
    summed = total(lines)
    clamped = bounded(moment.model, summed, group.min, group.max)
    faded = clamped if group.fade is None else rne(clamped * fade_factor(group.fade, moment))
    weighted = faded if group.weight is None else rne(faded * exact(group.weight))
    return [
        *lines,
        (score, name, None, "group_bounds", clamped - summed),
        (score, name, None, "fade", faded - clamped),
        (score, name, None, "weight", weighted - faded),
    ]


def criterion_lines(
    score: str, group: str | None, criterion: Criterion, group_reset: Reset | None, moment: Moment
) -> list[Line]:
    """A criterion's raw value, and what its gate and bounds add or take away (spec 7).

    Spec 4.1: where `when` "is false the criterion is worth 0, whatever its bounds".
    """
    raw = raw_value(criterion, group_reset, moment)
    is_open = gate_open(criterion, moment)
    gated = raw if is_open else 0
    value = bounded_value(criterion, gated, moment) if is_open else 0
    return [
        (score, group, criterion.name, "raw", raw),
        (score, group, criterion.name, "gate", gated - raw),
        (score, group, criterion.name, "bounds", value - gated),
    ]


def fade_factor(fade: Fade, moment: Moment) -> Fraction:
    """Spec 6.1: "a factor in [0, 1] by recency as in 4.7 (defaults: `otherwise` 0, `never` 1)"; 4.8: not reset."""
    events = moment.matching(fade.on, fade.where, fade.case_sensitive)
    if not events:
        return exact(1 if fade.never is None else fade.never)
    age = moment.now - max(event.at for event in events)
    fitting = [band for band in fade.bands if age < band.within]
    if fitting:
        return exact(min(fitting, key=lambda band: band.within).factor)
    return exact(0 if fade.otherwise is None else fade.otherwise)


def total(lines: Sequence[Line]) -> int:
    """The sum of lines."""
    return sum(line[-1] for line in lines)


def conclusions(moment: Moment, values: Mapping[str, int]) -> dict[str, Any]:
    """Grades, rating, label and thresholds by the scores, as columns of a result (spec 6.3 to 6.5, 12)."""
    model = moment.model
    grades = grades_of(model, values)
    columns: dict[str, Any] = dict(values)
    columns.update({f"{name}_grade": grade for name, grade in grades.items()})
    rating = "".join(grades[name] for name in model.rating) if model.rating else None
    if rating is not None:
        columns["rating"] = rating
    if model.labels:
        columns["label"] = label_of(moment, values, grades, rating)
    for name, threshold in model.thresholds.items():
        # spec 6.5: "Scoring at T without a replay reports score >= `at`"
        columns[name] = Fraction(values[threshold.score], POINT) >= exact_points(model, threshold.at)
    return columns


def grades_of(model: Model, values: Mapping[str, int]) -> dict[str, str]:
    """Spec 6.3: "`at_least` strictly descending: highest reached, else the last"."""
    grades = {}
    for name, score in model.scores.items():
        if score.grades:
            points = Fraction(values[name], POINT)
            grades[name] = next(
                grade.name
                for grade in score.grades
                if grade.at_least is None or points >= exact_points(model, grade.at_least)
            )
    return grades


def label_of(moment: Moment, values: Mapping[str, int], grades: Mapping[str, str], rating: str | None) -> str:
    """Spec 6.4: labels "over `score.X`, `grade.X`, `rating`, `lead.X`: first match", the last without `when`."""
    fields = dict(moment.attributes.fields)
    fields.update({f"score.{name}": Field("score", Fraction(value, POINT)) for name, value in values.items()})
    fields.update({f"grade.{name}": Field("text", grade) for name, grade in grades.items()})
    fields["rating"] = Field("text", rating)
    scope = Scope(fields, bare="lead.")
    return next(label.name for label in moment.model.labels or () if holds(label.when, scope))
