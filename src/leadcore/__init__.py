"""Lead scoring as a library: exact, explainable, fast, the same live and in batch.

A `Model` says how leads are scored. A `Scorer` is a compiled model. ``scorer.score(events, leads=..., as_of=...)``
answers for millions of leads, ``scorer.score_lead(...)`` for one, with the same bits.
"""

from __future__ import annotations

from pathlib import Path

from leadcore._inputs import Column, column
from leadcore.errors import DataError, Fault, LeadcoreError, ModelError, Problem, StateError
from leadcore.explanation import Explanation, ExplanationLine, Share
from leadcore.frame import Frame
from leadcore.model import Model
from leadcore.model.criterion import AttributeCriterion, EventCriterion, FrequencyCriterion, RecencyCriterion
from leadcore.model.decay import Expire, HalfLife, Linear, Periodic, Steps
from leadcore.model.lifecycle import Stage, Transition
from leadcore.model.score import Group, Score, Threshold
from leadcore.scorer import Scorer
from leadcore.scores import LeadScore, Scores

__version__ = "0.1.0"

__all__ = [
    "AttributeCriterion",
    "Column",
    "DataError",
    "EventCriterion",
    "Expire",
    "Explanation",
    "ExplanationLine",
    "Fault",
    "Frame",
    "FrequencyCriterion",
    "Group",
    "HalfLife",
    "LeadScore",
    "LeadcoreError",
    "Linear",
    "Model",
    "ModelError",
    "Periodic",
    "Problem",
    "RecencyCriterion",
    "Score",
    "Scorer",
    "Scores",
    "Share",
    "Stage",
    "StateError",
    "Steps",
    "Threshold",
    "Transition",
    "column",
    "get_include",
]


def get_include() -> str:
    """The directory of the kernel's ``.pxd`` and header files, for ``cimport leadcore_kernel`` in Cython code.

    Example:
        >>> import leadcore
        >>> leadcore.get_include().endswith("include")
        True
    """
    import leadcore._kernel.engine as engine  # beside the compiled modules, also in an editable install

    return str(Path(engine.__file__).with_name("include"))
