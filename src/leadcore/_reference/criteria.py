"""What a criterion is worth at T, and which events it counts (spec 4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from leadcore._reference.arithmetic import (
    PROPERTY_HELD,
    bounded,
    exact_points,
    micropoints,
    nearest_float,
)
from leadcore._reference.conditions import Value, holds, same_text
from leadcore._reference.decay import decayed
from leadcore._reference.filters import after_reset, cooled_down, first_per_value, limited
from leadcore._reference.moment import Moment
from leadcore._reference.tables import Event
from leadcore.model.criterion import (
    AttributeCriterion,
    ByProperty,
    Criterion,
    EventCriterion,
    FrequencyCriterion,
    PerProperty,
    PointsBand,
    RecencyCriterion,
    Reset,
)
from leadcore.model.document import Model
from leadcore.model.scalar import Points


def raw_value(criterion: Criterion, group_reset: Reset | None, moment: Moment) -> int:
    """A criterion's value before its gate and its bounds, in micropoints (spec 4.3 to 4.7, 7)."""
    if isinstance(criterion, AttributeCriterion):
        return attribute_value(criterion, moment)
    return value_of(criterion, counted(criterion, group_reset, moment), moment)


def gate_open(criterion: Criterion, moment: Moment) -> bool:
    """Spec 4.1: `when`, "a condition on the lead's attributes in force at T"."""
    return holds(criterion.when, moment.attributes, criterion.case_sensitive)


def bounded_value(criterion: Criterion, value: int, moment: Moment) -> int:
    """Spec 4.2: "the value is clamped to them"; and 9.6: held within 10^18."""
    return bounded(moment.model, value, criterion.min, criterion.max)


def attribute_value(criterion: AttributeCriterion, moment: Moment) -> int:
    """Spec 4.3: `when` + `points`, or `field` + `table`, or `field` + `bands`.

    With `points`, `when` is no gate but the test itself: where it is false the raw value is 0.
    """
    model = moment.model
    if criterion.field is None:
        return micropoints(model, criterion.points) if gate_open(criterion, moment) else 0
    value = moment.attributes.field(criterion.field).value
    if value is None:
        return micropoints(model, criterion.missing)
    if criterion.table is not None:
        points = look_up(criterion.table, value, criterion.case_sensitive)
    else:
        assert isinstance(value, float)  # bands are for number fields
        points = highest_band(criterion.bands or (), value)
    return micropoints(model, criterion.otherwise if points is None else points)


def look_up(table: Mapping[str, Points], value: Value, case_sensitive: bool) -> Points | None:
    """The points of the table's row for a text, or None; keys compare by folding unless case-sensitive (spec 3.4)."""
    assert isinstance(value, str)  # tables are for text fields
    for key, points in table.items():
        if same_text(key, value, case_sensitive):
            return points
    return None


def highest_band(bands: Sequence[PointsBand], value: float) -> Points | None:
    """Spec 4.3: "highest reached (compared as in 3.2)"; None where no band is."""
    reached = [band for band in bands if value >= nearest_float(band.at_least)]
    return max(reached, key=lambda band: band.at_least).points if reached else None


def counted(
    criterion: EventCriterion | FrequencyCriterion | RecencyCriterion, group_reset: Reset | None, moment: Moment
) -> list[Event]:
    """The events that count at T, in canonical order: what matches, less resets, windows and filters (spec 4.5 to 4.8)."""
    events = resettable(criterion, group_reset, moment)
    if isinstance(criterion, EventCriterion):
        if criterion.unique_by is not None:
            events, _ = first_per_value(events, criterion.unique_by)
        if criterion.cooldown is not None:
            events = cooled_down(events, int(criterion.cooldown))
        if criterion.limit is not None:
            events = limited(events, criterion.limit, moment.model.timezone)
    if isinstance(criterion, FrequencyCriterion) and criterion.within is not None:
        events = [event for event in events if event.at > moment.now - criterion.within]  # (T - W, T], spec 1.4
    return events


def resettable(
    criterion: EventCriterion | FrequencyCriterion | RecencyCriterion, group_reset: Reset | None, moment: Moment
) -> list[Event]:
    """Matching events at or before T that follow the criterion's reset and its group's (spec 4.4, 4.8)."""
    resets = [(criterion.reset, criterion.case_sensitive), (group_reset, False)]
    return after_reset(
        moment.matching(criterion.on, criterion.where, criterion.case_sensitive),
        [(reset, case_sensitive) for reset, case_sensitive in resets if reset is not None],
        moment,
    )


def overflow(criterion: Criterion, group_reset: Reset | None, moment: Moment) -> int:
    """How many events a criterion does not count because there are too many values of `unique_by` (spec 4.6)."""
    if not isinstance(criterion, EventCriterion) or criterion.unique_by is None:
        return 0
    return first_per_value(resettable(criterion, group_reset, moment), criterion.unique_by)[1]


def value_of(
    criterion: EventCriterion | FrequencyCriterion | RecencyCriterion, events: Sequence[Event], moment: Moment
) -> int:
    """What these counted events are worth at T, in micropoints (spec 4.4, 4.5, 4.7)."""
    if isinstance(criterion, EventCriterion):
        worth = [(event.at, event_points(criterion, event, moment.model)) for event in events]
        return decayed(criterion.decay, worth, moment.now)
    if isinstance(criterion, FrequencyCriterion):
        return frequency_value(criterion, events, moment.model)
    return recency_value(criterion, events, moment)


def event_points(criterion: EventCriterion, event: Event, model: Model) -> int:
    """Spec 4.4: points of one event, a number, or by a number (`per`) or a text (`by`) the event carries."""
    points = criterion.points
    if isinstance(points, PerProperty):
        return property_points(points, event.properties.get(points.per), model)
    if isinstance(points, ByProperty):
        value = event.properties.get(points.by)
        if value is None:
            return micropoints(model, points.missing)
        found = look_up(points.table, value, criterion.case_sensitive)
        return micropoints(model, points.otherwise if found is None else found)
    return micropoints(model, points)


def property_points(points: PerProperty, value: Value, model: Model) -> int:
    """Spec 9.1: "float64 `rate * value`, clamped, `* 1e6`, rounded half-even to an integer, held within +-10^11"; 0 on null."""
    if value is None:
        return 0
    assert isinstance(value, float)  # `per` names a number
    product = nearest_float(points.rate) * value
    if points.min is not None:
        product = max(product, float(exact_points(model, points.min)))
    if points.max is not None:
        product = min(product, float(exact_points(model, points.max)))
    product *= 1e6
    if abs(product) > PROPERTY_HELD:  # also infinite, which has no integer to round to
        return PROPERTY_HELD if product > 0 else -PROPERTY_HELD
    return round(product)


def frequency_value(criterion: FrequencyCriterion, events: Sequence[Event], model: Model) -> int:
    """Spec 4.5: "points by the number of matching events (or of distinct non-null values among them)"."""
    count = len(events)
    if criterion.distinct is not None:
        values = [event.properties.get(criterion.distinct) for event in events]
        count = len({value for value in values if value is not None})
    if criterion.bands is None:
        assert criterion.at_least is not None
        return micropoints(model, criterion.points) if count >= criterion.at_least else 0
    reached = [band for band in criterion.bands if count >= band.at_least]
    return micropoints(model, max(reached, key=lambda band: band.at_least).points) if reached else 0


def recency_value(criterion: RecencyCriterion, events: Sequence[Event], moment: Moment) -> int:
    """Spec 4.7: "by the age of the newest matching event (age < within; the shortest that fits)"."""
    otherwise = micropoints(moment.model, criterion.otherwise)
    if not events:
        return micropoints(moment.model, criterion.never, default=otherwise)
    age = moment.now - max(event.at for event in events)
    fitting = [band for band in criterion.bands if age < band.within]
    return micropoints(moment.model, min(fitting, key=lambda band: band.within).points) if fitting else otherwise
