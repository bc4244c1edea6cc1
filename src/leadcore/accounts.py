"""Account scores from lead scores (spec 6.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from leadcore import _kernel
from leadcore._arrow import Table
from leadcore._ids import id_encoder
from leadcore._inputs import data_errors
from leadcore._points import to_points
from leadcore.errors import LeadcoreError
from leadcore.model import Model

if TYPE_CHECKING:
    from leadcore.scores import Scores

BY = {"sum": 0, "max": 1, "mean": 2, "top": 3, "champion": 4}
_NO_RULES = ("types", "lead_rules", "event_rules", "codes", "numbers")


def account_members(scores: Scores) -> Table:
    """What account scores are made of: one row per lead that has an account, in the order of ``scores``.

    Members of several results behind each other, each lead in one of them, are those of one result over all leads.

    Returns:
        ``account_id``, and as ``score.X`` the int64 micropoints of each score X that an account score is of.

    Raises:
        LeadcoreError: The model has no accounts, or leads were asked at instants of their own.
    """
    if scores.model.accounts is None:
        raise LeadcoreError("this model declares no accounts")
    if scores._asked.own_instants:
        raise LeadcoreError("account scores need one instant for all leads: give as_of as a single instant")
    rows, ids = scores._asked.accounts()
    columns: list[tuple[str, Any]] = [("account_id", ("column", ids))]
    for name in scored(scores.model):
        columns.append((f"score.{name}", scores._answers.scores[rows, scores._plan.scores.index(name)]))
    return Table.build(columns)


def scored(model: Model) -> list[str]:
    """The scores that account scores are of, each once, in document order of the account scores."""
    accounts = model.accounts
    return [] if accounts is None else list(dict.fromkeys(score.of for score in accounts.scores.values()))


def combine_members(model: Model, members: Table, micropoints: bool) -> Table:
    """Account scores of members, whatever their order: one row per account, sorted by its id as leads are.

    Args:
        model: The model, which has accounts.
        members: What `account_members` gave: all members of each account there is.
        micropoints: Give scores as int64 micropoints instead of float64 points.

    Returns:
        ``account_id`` and a column per account score.
    """
    assert model.accounts is not None
    encoder = id_encoder()
    with data_errors("accounts"):
        codes = encoder.read_pairs(members.select(["account_id"]), "accounts", {}, ["account_id"], [])["account_id"]
    ranks = encoder.id_ranks()
    account = ranks[codes]
    starts = np.zeros(len(ranks) + 1, np.int64)
    np.cumsum(np.bincount(account, minlength=len(ranks)), out=starts[1:])
    ids = encoder.ids(np.argsort(ranks).astype(np.uint32))
    columns: list[tuple[str, Any]] = [("account_id", ("column", ids))]
    for name, score in model.accounts.scores.items():
        of = np.asarray(members.column(f"score.{score.of}"), np.int64)
        order = np.lexsort((-of, account))
        share = 0 if score.share is None else int(score.share.scaleb(6))
        combined = _kernel.combine_accounts(of[order], starts, BY[score.by], score.n or 0, share)
        columns.append((name, combined if micropoints else to_points(combined)))
    return Table.build(columns)
