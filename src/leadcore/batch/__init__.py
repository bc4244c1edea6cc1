"""Jobs over tables of any size, from files to files: cut by lead where memory is short, resumed where they stopped.

`score` and `replay` give the bits of `Scorer.score` and `Scorer.replay`, whatever way they take; `apply` takes a day's facts
into the ledgers of the day before. A table is a file, a
glob, a folder, several of these, or a query; see `leadcore.batch.sql`.
"""

from leadcore.batch.job import Outcome
from leadcore.batch.plan import Plan
from leadcore.batch.progress import Canceled, Progress
from leadcore.batch.run import apply, replay, score

__all__ = ["Canceled", "Outcome", "Plan", "Progress", "apply", "replay", "score"]
