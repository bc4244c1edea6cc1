"""Two records of one person: lead codes brought to the one they stand for (spec 2.8)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from leadcore.errors import DataError, Problem


def canonical_codes(
    codes: npt.NDArray[np.uint32], same_as: npt.NDArray[np.uint32], count: int, id_of: Callable[[int], Any]
) -> npt.NDArray[np.uint32]:
    """The code each of ``count`` codes stands for, chains followed.

    Raises:
        DataError: A cycle, or two different ``same_as`` for one id.
    """
    step: dict[int, int] = {}
    problems = []
    for row, (code, target) in enumerate(zip(codes.tolist(), same_as.tolist(), strict=True)):
        if step.setdefault(code, target) != target:
            reason = f"is the same as two leads: {id_of(step[code])} and {id_of(target)}"
            problems.append(Problem("aliases", row, "lead_id", str(id_of(code)), reason))
    canonical = np.arange(count, dtype=np.uint32)
    for start in step:
        seen, code = {start: None}, step[start]  # a dict: ordered, and quick to ask
        while code in step and code not in seen:
            seen[code] = None
            code = step[code]
        if code in seen:
            row = codes.tolist().index(start)
            chain = " -> ".join(str(id_of(c)) for c in [*seen, code][:6])
            problems.append(
                Problem("aliases", row, "same_as", str(id_of(step[start])), f"goes round in a circle: {chain}")
            )
        canonical[start] = code
    if problems:
        raise DataError(problems)
    return canonical
