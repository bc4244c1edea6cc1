"""Account scores from lead scores (spec 6.6)."""

from __future__ import annotations

from typing import Any

import numpy as np

from leadcore import _kernel
from leadcore._arrow import Table
from leadcore._plan import Plan
from leadcore._points import to_points
from leadcore._run import Answers, Asks, Reading
from leadcore.model import Model

BY = {"sum": 0, "max": 1, "mean": 2, "top": 3, "champion": 4}


def account_table(model: Model, plan: Plan, reading: Reading, asks: Asks, answers: Answers, micropoints: bool) -> Table:
    """One row per account that has a lead, sorted by account id as leads are: ``account_id``, scores."""
    assert model.accounts is not None
    account = asks.account if asks.account is not None else np.zeros(len(asks.lead), np.uint32)
    members = np.flatnonzero(account)
    codes, leads = np.unique(account[members], return_counts=True)
    starts = np.concatenate([[0], np.cumsum(leads)]).astype(np.int64)
    ids = reading.encoder.accounts()
    values: list[tuple[str, Any]] = []
    for name, score in model.accounts.scores.items():
        of = answers.scores[members, plan.scores.index(score.of)]
        order = np.lexsort((-of, account[members]))
        share = 0 if score.share is None else int(score.share.scaleb(6))
        combined = _kernel.combine_accounts(of[order], starts, BY[score.by], score.n or 0, share)
        values.append((name, combined if micropoints else to_points(combined)))
    table = Table.build([("account_id", ("column", ids.take(codes.astype(np.int64) - 1))), *values])
    names = table.column("account_id")
    return table.take(np.array(sorted(range(len(codes)), key=lambda i: names[i]), np.int64))
