"""Decay: how the weight of an event falls with its age (spec 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Discriminator, Field, Tag

from leadcore.model.base import Part
from leadcore.model.scalar import Duration, DurationOrZero, Flag, Number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadcore.model.accepted import Document, DurationLike, NumberLike


class DecayPart(Part):
    """What all kinds of decay have in common: ``delay`` and ``keep``."""

    delay: DurationOrZero | None = Field(None, description="The weight stays 1 this long before it begins to fall.")
    keep: Number | None = Field(
        None, description="The part of the points that never decays, between 0 and 1.", examples=[0.2]
    )


class HalfLife(DecayPart):
    """2^(-age/H) (spec 5.2)."""

    half_life: Duration = Field(description="The age at which half of the points are left; at least 1h.")

    if TYPE_CHECKING:  # what may be given; what is there afterwards is annotated above

        def __init__(
            self,
            *,
            half_life: DurationLike,
            delay: DurationLike | None = None,
            keep: NumberLike | None = None,
        ) -> None: ...


class Linear(DecayPart):
    """max(0, 1 - age/D) (spec 5.3)."""

    linear: Duration = Field(description="The age at which nothing is left; the points fall evenly until then.")

    if TYPE_CHECKING:  # what may be given; what is there afterwards is annotated above

        def __init__(
            self,
            *,
            linear: DurationLike,
            delay: DurationLike | None = None,
            keep: NumberLike | None = None,
        ) -> None: ...


class Expire(DecayPart):
    """1 while age < D, then 0 (spec 5.4)."""

    expire: Duration = Field(description="The age from which on the event is worth nothing.")

    if TYPE_CHECKING:  # what may be given; what is there afterwards is annotated above

        def __init__(
            self,
            *,
            expire: DurationLike,
            delay: DurationLike | None = None,
            keep: NumberLike | None = None,
        ) -> None: ...


class Step(Part):
    """From age ``after`` on the factor is ``factor``."""

    after: Duration = Field(description="The age from which on the factor holds.")
    factor: Number = Field(description="The part of the points that is left, 0 to 1.")

    if TYPE_CHECKING:  # what may be given; what is there afterwards is annotated above

        def __init__(self, *, after: DurationLike, factor: NumberLike) -> None: ...


class Steps(DecayPart):
    """The factor of the last step reached, 1 before the first (spec 5.5)."""

    steps: tuple[Step, ...] = Field(description="Ages and factors, ages ascending; 1 before the first.")

    if TYPE_CHECKING:  # what may be given; what is there afterwards is annotated above

        def __init__(
            self,
            *,
            steps: Sequence[Step | Document],
            delay: DurationLike | None = None,
            keep: NumberLike | None = None,
        ) -> None: ...


class Period(Part):
    """Every ``every`` the event loses ``lose``, of the original or (``compound``) of what is left."""

    every: Duration = Field(description="The length of a period; at least 1d.")
    lose: Number = Field(description="The part lost in each period, 0.01 to 1.")
    compound: Flag = Field(False, description="Lose a part of what is left, not of the original.")

    if TYPE_CHECKING:  # what may be given; what is there afterwards is annotated above

        def __init__(self, *, every: DurationLike, lose: NumberLike, compound: bool = False) -> None: ...


class Periodic(DecayPart):
    """max(0, 1 - r n) or (1 - r)^n after n whole periods (spec 5.6)."""

    periodic: Period = Field(description="What is lost, and how often.")

    if TYPE_CHECKING:  # what may be given; what is there afterwards is annotated above

        def __init__(
            self,
            *,
            periodic: Period | Document,
            delay: DurationLike | None = None,
            keep: NumberLike | None = None,
        ) -> None: ...


KINDS = ("half_life", "linear", "expire", "steps", "periodic")


def _kind(value: Any) -> str | None:
    """The one key that says which decay this is, or None."""
    if isinstance(value, DecayPart):
        return next(f"<{k}>" for k in KINDS if k in type(value).model_fields)
    found = [f"<{k}>" for k in KINDS if isinstance(value, dict) and k in value]
    return found[0] if len(found) == 1 else None


Decay = Annotated[
    Annotated[HalfLife, Tag("<half_life>")]
    | Annotated[Linear, Tag("<linear>")]
    | Annotated[Expire, Tag("<expire>")]
    | Annotated[Steps, Tag("<steps>")]
    | Annotated[Periodic, Tag("<periodic>")],
    Discriminator(_kind),
]
