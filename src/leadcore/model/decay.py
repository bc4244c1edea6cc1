"""Decay: how the weight of an event falls with its age (spec 5)."""

from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag

from leadcore.model.base import Part
from leadcore.model.scalar import Duration, Number


class DecayPart(Part):
    """What all kinds of decay have in common: ``delay`` and ``keep``."""

    delay: Duration | None = None
    keep: Number | None = None


class HalfLife(DecayPart):
    """2^(-age/H) (spec 5.2)."""

    half_life: Duration


class Linear(DecayPart):
    """max(0, 1 - age/D) (spec 5.3)."""

    linear: Duration


class Expire(DecayPart):
    """1 while age < D, then 0 (spec 5.4)."""

    expire: Duration


class Step(Part):
    """From age ``after`` on the factor is ``factor``."""

    after: Duration
    factor: Number


class Steps(DecayPart):
    """The factor of the last step reached, 1 before the first (spec 5.5)."""

    steps: tuple[Step, ...]


class Period(Part):
    """Every ``every`` the event loses ``lose``, of the original or (``compound``) of what is left."""

    every: Duration
    lose: Number
    compound: bool = False


class Periodic(DecayPart):
    """max(0, 1 - r n) or (1 - r)^n after n whole periods (spec 5.6)."""

    periodic: Period


KINDS = ("half_life", "linear", "expire", "steps", "periodic")


def _kind(value: Any) -> str | None:
    """The one key that says which decay this is, or None."""
    if isinstance(value, DecayPart):
        return next(k for k in KINDS if k in type(value).model_fields)
    found = [k for k in KINDS if isinstance(value, dict) and k in value]
    return found[0] if len(found) == 1 else None


Decay = Annotated[
    Annotated[HalfLife, Tag("half_life")]
    | Annotated[Linear, Tag("linear")]
    | Annotated[Expire, Tag("expire")]
    | Annotated[Steps, Tag("steps")]
    | Annotated[Periodic, Tag("periodic")],
    Discriminator(_kind),
    Field(),
]
