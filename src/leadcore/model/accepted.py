"""What typed Python may give where a document has a scalar, a name or a part: read by type checkers only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from leadcore.model.condition import Joinable
from leadcore.model.decay import DecayPart
from leadcore.model.duration import Duration
from leadcore.model.fields import EventType, Field
from leadcore.model.scalar import Stars

Document = Mapping[str, Any]
"""The keys of a part, as a document spells them."""
NumberLike = int | float | Decimal
PointsLike = int | float | Decimal | Stars | Document
DurationLike = str | timedelta | Duration
NamesLike = str | Sequence[str]
TypesLike = str | type[EventType] | Sequence[str | type[EventType]]
FieldLike = str | Field[Any]
ConditionLike = Joinable | Document
DecayLike = DecayPart | Document
