"""How far a job is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from leadcore.errors import LeadcoreError

Stage = Literal["split", "run", "merge"]


class Canceled(LeadcoreError):  # noqa: N818 - it is no error of the program
    """A job was canceled by its caller; what it has done so far stays, and it can be resumed."""


@dataclass(frozen=True)
class Progress:
    """How far a job is.

    Attributes:
        stage: ``split`` (tables are cut into partitions), ``run`` (leads are scored or replayed) or ``merge``
            (partitions are put together).
        rows: Rows of events done in this stage.
        rows_total: Of so many, where that is known.
        bytes: Bytes of the events' files read so far, or rows where the format counts rows (Parquet).
        bytes_total: Of so many, where that is known.
        partitions: Partitions done.
        partitions_total: Of so many; 1 where all is done in memory.
        spilled: Bytes written into the work folder so far.
    """

    stage: Stage
    rows: int
    rows_total: int | None
    bytes: int
    bytes_total: int | None
    partitions: int
    partitions_total: int
    spilled: int

    @property
    def share(self) -> float | None:
        """How much of the stage is done, from 0 to 1, or None where nobody can tell."""
        if self.rows_total:
            return min(self.rows / self.rows_total, 1.0)
        return min(self.bytes / self.bytes_total, 1.0) if self.bytes_total else None


Report = Callable[[Progress], object]
"""What a caller gives to be told."""
