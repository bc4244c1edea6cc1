"""Results in the order of lead ids, as files have them (spec 12)."""

from __future__ import annotations

import copy
from dataclasses import fields, replace
from typing import Any

import numpy as np

from leadcore.scores import Scores


def sorted_by_lead(scores: Scores) -> Scores:
    """The same result with its rows sorted by lead id (integers by value, text by code point), then by instant."""
    asks, answers = scores._asks, scores._answers
    ranks = scores._reading.encoder.id_ranks()[asks.lead]
    order = np.lexsort((asks.at, ranks))

    def moved(column: Any) -> Any:
        """Every array with an entry per row; what a model has no use for is None or empty."""
        return column[order] if isinstance(column, np.ndarray) and len(column) == len(order) else column

    result = copy.copy(scores)
    result.__dict__.pop("table", None)  # made from the old order, if it was asked for
    result._asks = replace(asks, **{field.name: moved(getattr(asks, field.name)) for field in fields(asks)})
    result._answers = replace(answers, **{field.name: moved(getattr(answers, field.name)) for field in fields(answers)})
    return result
