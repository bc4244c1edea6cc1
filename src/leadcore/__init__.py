"""Lead scoring as a library: exact, explainable, fast, the same live and in batch.

A `Model` says how leads are scored and how they move. A `Scorer` is a compiled model. ``scorer.score(events,
leads=..., as_of=...)`` answers for millions of leads, ``scorer.score_lead(...)`` for one, with the same bits;
``scorer.replay(events, leads=..., until=...)`` says what happened to each on the way. A `Ledger` does both live: events
come one by one or in nightly pieces, and every answer is what one batch run would give.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from leadcore import batch, spark
    from leadcore._inputs import Column, column
    from leadcore.diagram import Diagram
    from leadcore.errors import DataError, Fault, LeadcoreError, ModelError, Problem, StateError
    from leadcore.explanation import Explanation, ExplanationLine, Share
    from leadcore.frame import Frame
    from leadcore.ledger.changes import Changes
    from leadcore.ledger.ledger import Ledger
    from leadcore.ledger.state import LeadState
    from leadcore.model import Model
    from leadcore.model.account import Accounts, AccountScore
    from leadcore.model.criterion import (
        AgeBand,
        AttributeCriterion,
        ByProperty,
        EventCriterion,
        FrequencyCriterion,
        Limit,
        PerProperty,
        PointsBand,
        RecencyCriterion,
        Reset,
    )
    from leadcore.model.decay import Expire, HalfLife, Linear, Period, Periodic, Step, Steps
    from leadcore.model.fields import Attributes, Boolean, EventType, Instant, Number, Text, field
    from leadcore.model.finding import Finding
    from leadcore.model.lifecycle import Alert, Calendar, Evaluate, Lifecycle, Manual, Sla, Stage, Transition
    from leadcore.model.scalar import Stars
    from leadcore.model.score import Fade, FadeBand, Grade, Group, Label, Score, Threshold
    from leadcore.replay import Replay
    from leadcore.scorer import Scorer
    from leadcore.scores import LeadScore, Scores
    from leadcore.tally import Tally
    from leadcore.timeline import Timeline

__version__ = "0.1.0"

__all__ = [
    "AccountScore",
    "Accounts",
    "AgeBand",
    "Alert",
    "AttributeCriterion",
    "Attributes",
    "Boolean",
    "ByProperty",
    "Calendar",
    "Changes",
    "Column",
    "DataError",
    "Diagram",
    "Evaluate",
    "EventCriterion",
    "EventType",
    "Expire",
    "Explanation",
    "ExplanationLine",
    "Fade",
    "FadeBand",
    "Fault",
    "Finding",
    "Frame",
    "FrequencyCriterion",
    "Grade",
    "Group",
    "HalfLife",
    "Instant",
    "Label",
    "LeadScore",
    "LeadState",
    "LeadcoreError",
    "Ledger",
    "Lifecycle",
    "Limit",
    "Linear",
    "Manual",
    "Model",
    "ModelError",
    "Number",
    "PerProperty",
    "Period",
    "Periodic",
    "PointsBand",
    "Problem",
    "RecencyCriterion",
    "Replay",
    "Reset",
    "Score",
    "Scorer",
    "Scores",
    "Share",
    "Sla",
    "Stage",
    "Stars",
    "StateError",
    "Step",
    "Steps",
    "Tally",
    "Text",
    "Threshold",
    "Timeline",
    "Transition",
    "batch",
    "column",
    "field",
    "get_include",
    "spark",
]

_HOMES = {
    "leadcore": ("batch", "spark"),
    "leadcore._inputs": ("Column", "column"),
    "leadcore.diagram": ("Diagram",),
    "leadcore.errors": ("DataError", "Fault", "LeadcoreError", "ModelError", "Problem", "StateError"),
    "leadcore.explanation": ("Explanation", "ExplanationLine", "Share"),
    "leadcore.frame": ("Frame",),
    "leadcore.ledger.changes": ("Changes",),
    "leadcore.ledger.ledger": ("Ledger",),
    "leadcore.ledger.state": ("LeadState",),
    "leadcore.model": ("Model",),
    "leadcore.model.account": ("Accounts", "AccountScore"),
    "leadcore.model.criterion": (
        "AgeBand",
        "AttributeCriterion",
        "ByProperty",
        "EventCriterion",
        "FrequencyCriterion",
        "Limit",
        "PerProperty",
        "PointsBand",
        "RecencyCriterion",
        "Reset",
    ),
    "leadcore.model.decay": ("Expire", "HalfLife", "Linear", "Period", "Periodic", "Step", "Steps"),
    "leadcore.model.fields": ("Attributes", "Boolean", "EventType", "field", "Instant", "Number", "Text"),
    "leadcore.model.finding": ("Finding",),
    "leadcore.model.lifecycle": ("Alert", "Calendar", "Evaluate", "Lifecycle", "Manual", "Sla", "Stage", "Transition"),
    "leadcore.model.scalar": ("Stars",),
    "leadcore.model.score": ("Fade", "FadeBand", "Grade", "Group", "Label", "Score", "Threshold"),
    "leadcore.replay": ("Replay",),
    "leadcore.scorer": ("Scorer",),
    "leadcore.scores": ("LeadScore", "Scores"),
    "leadcore.tally": ("Tally",),
    "leadcore.timeline": ("Timeline",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Load a public name's home when it is first used: importing leadcore costs little more than its name (PEP 562)."""
    if name not in _HOME_OF:
        raise AttributeError(f"module 'leadcore' has no attribute {name!r}")
    home = _HOME_OF[name]
    value = import_module(f"leadcore.{name}") if home == "leadcore" else getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]


def get_include() -> str:
    """The directory of the kernel's ``.pxd`` and header files, for ``cimport leadcore_kernel`` in Cython code.

    Example:
        >>> import leadcore
        >>> leadcore.get_include().endswith("include")
        True
    """
    import leadcore._kernel.engine as engine  # beside the compiled modules, also in an editable install

    return str(Path(engine.__file__).with_name("include"))
