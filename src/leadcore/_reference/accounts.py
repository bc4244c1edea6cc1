"""Scores of accounts from the scores of their leads (spec 6.6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from leadcore._reference.arithmetic import HELD, clamp, exact, rne
from leadcore._reference.tables import Id
from leadcore.model.account import Accounts, AccountScore


def account_rows(accounts: Accounts, leads: Sequence[tuple[Id | None, Mapping[str, int]]]) -> list[dict[str, Any]]:
    """One row per account, sorted by its id.

    Args:
        accounts: The key's column and the scores.
        leads: The account at T and the scores of each lead; "over leads with an account at T" (spec 6.6).
    """
    members: dict[Id, list[Mapping[str, int]]] = {}
    for account, values in leads:
        if account is not None:
            members.setdefault(account, []).append(values)
    return [
        {
            accounts.key: account,
            **{
                name: account_value(score, [values[score.of] for values in members[account]])
                for name, score in accounts.scores.items()
            },
        }
        for account in sorted(members, key=lambda id_: (isinstance(id_, str), id_))
    ]


def account_value(score: AccountScore, values: Sequence[int]) -> int:
    """One account's score in micropoints, held within 10^18 (spec 6.6, 9.6)."""
    return clamp(unheld(score, sorted(values, reverse=True)), -HELD, HELD)


def unheld(score: AccountScore, highest_first: Sequence[int]) -> int:
    """The value before it is held.

    Spec 6.6: "`sum` | `max` | `mean` | `top` (sum of the `n` highest) | `champion` (`share` in [0, 1] x max + (1 - share)
    x mean of the rest; max alone for one lead)"; 9.6: "Mean, champion: one rne over the whole".
    """
    if score.by == "sum":
        return sum(highest_first)
    if score.by == "max":
        return highest_first[0]
    if score.by == "mean":
        return rne(sum(highest_first), len(highest_first))
    if score.by == "top":
        return sum(highest_first[: score.n])
    champion, rest = highest_first[0], highest_first[1:]
    if not rest:
        return champion
    assert score.share is not None
    share = exact(score.share)
    return rne(share * champion + (1 - share) * sum(rest) / len(rest))
