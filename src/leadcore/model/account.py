"""Accounts: scores of companies from the scores of their leads (spec 6.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from leadcore.model.base import Named, Part
from leadcore.model.scalar import Number, PositiveInt, Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from leadcore.model.accepted import Document, NumberLike


class AccountScore(Part):
    """One number per account: sum, max, mean, sum of the ``n`` highest, or champion with its ``share``."""

    title: Text | None = Field(None, description="What people read instead of the name.")
    description: Text | None = Field(None, description="What it is for.")
    of: Text = Field(description="The score of the leads.")
    by: Literal["sum", "max", "mean", "top", "champion"] = Field(
        description="How the leads' scores become one: sum, max, mean, top (sum of the n highest), champion"
        " (share x max + (1 - share) x mean of the rest)."
    )
    n: PositiveInt | None = Field(None, description="How many leads `top` adds up.")
    share: Number | None = Field(None, description="The champion's share, 0 to 1.")

    if TYPE_CHECKING:  # what may be given; what is there afterwards is annotated above

        def __init__(
            self,
            *,
            of: str,
            by: Literal["sum", "max", "mean", "top", "champion"],
            title: str | None = None,
            description: str | None = None,
            n: int | None = None,
            share: NumberLike | None = None,
        ) -> None: ...


class Accounts(Part):
    """Which column names the account, and its scores."""

    key: Text = Field("account_id", description="The column of leads that names the account.")
    scores: Named[AccountScore] = Field(description="Account scores by name.")

    if TYPE_CHECKING:  # what may be given; what is there afterwards is annotated above

        def __init__(self, *, scores: Mapping[str, AccountScore | Document], key: str = ...) -> None: ...
