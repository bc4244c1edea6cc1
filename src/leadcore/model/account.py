"""Accounts: scores of companies from the scores of their leads (spec 6.6)."""

from typing import Literal

from leadcore.model.base import Part
from leadcore.model.scalar import Number, PositiveInt


class AccountScore(Part):
    """One number per account: sum, max, mean, sum of the ``n`` highest, or champion with its ``share``."""

    title: str | None = None
    description: str | None = None
    of: str
    by: Literal["sum", "max", "mean", "top", "champion"]
    n: PositiveInt | None = None
    share: Number | None = None


class Accounts(Part):
    """Which column names the account, and its scores."""

    key: str = "account_id"
    scores: dict[str, AccountScore]
