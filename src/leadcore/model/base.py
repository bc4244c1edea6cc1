"""What every part of a model document shares: frozen, strict, and read by its own keys."""

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """A frozen piece of a model document; unknown keys are refused (spec 11)."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, arbitrary_types_allowed=True)
