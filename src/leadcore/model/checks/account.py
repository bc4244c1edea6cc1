"""Accounts: their scores and how leads add up to them (spec 6.6)."""

from __future__ import annotations

from decimal import Decimal

from leadcore.model.account import AccountScore
from leadcore.model.checks.name import unfit_result_name
from leadcore.model.checks.number import factor_out_of_range
from leadcore.model.checks.scope import Flaws, Scope, unknown_name
from leadcore.model.path import Flaw, Path

MOST_LEADS = 10**6


def check(scope: Scope) -> Flaws:
    """Every fault of accounts."""
    accounts = scope.model.accounts
    if accounts is None:
        return
    if accounts.key in ("", "lead_id", "created_at", "valid_from"):
        yield Flaw(("accounts", "key"), "a column that names the account is wanted here", "account_id")
    if not accounts.scores:
        yield Flaw(("accounts", "scores"), "there are no account scores", "at least one")
    for name, score in accounts.scores.items():
        path: Path = ("accounts", "scores", name)
        yield from unfit_result_name(name, path, "account score")
        if name == accounts.key:
            yield Flaw(path, "this is also the column that names the account", None, True)
        yield from unknown_name(score.of, scope.model.scores, scope.ghosts.scores, (*path, "of"), "score", "score")
        yield from _unfit_keys(score, path)


def _unfit_keys(score: AccountScore, path: Path) -> Flaws:
    for key, by in (("n", "top"), ("share", "champion")):
        given = getattr(score, key) is not None
        if score.by == by and not given:
            yield Flaw(path, f"`{key}` is missing: `by: {by}` wants it", "3" if key == "n" else "0.7")
        elif score.by != by and given:
            yield Flaw((*path, key), f"`{key}` goes with `by: {by}`, not with `by: {score.by}`", None, True)
    if score.n is not None and score.n > MOST_LEADS:
        yield Flaw((*path, "n"), f"a whole number of at most {MOST_LEADS} is wanted here")
    yield from factor_out_of_range(score.share, (*path, "share"), Decimal(0), Decimal(1))
