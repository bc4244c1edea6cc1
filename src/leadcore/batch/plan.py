"""Which way a job takes: all in memory, or cut into partitions by lead."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

MOST_PARTITIONS = 1024
"""Files that are written side by side."""
_BASE = 130 * 10**6
"""Bytes of Python, its libraries and buffers of fixed size."""
_FILLED = 0.5
"""Of the memory left for rows that an average partition takes: leads differ, and the result has to be written."""
_SMALL = 10**6
"""Bytes of which nobody asks whether they fit."""
MANY = 64
"""Partitions where nobody can tell how many rows there are."""


@dataclass(frozen=True)
class Plan:
    """How a job is run, and why.

    Attributes:
        partitions: How many; 1: everything in memory at once.
        memory: Bytes the job may take.
        needed: Bytes all rows would take at once, as far as can be told; None where it cannot.
        rows: Rows of the tables as far as can be told, or None.
        spills: Whether tables are cut into partitions on disk.
        asked: Whether the caller said how many partitions there are.
        outgrown: Whether rows were to be folded in memory, and took more than was expected.
    """

    partitions: int
    memory: int
    needed: int | None
    rows: int | None
    spills: bool
    asked: bool = False
    outgrown: bool = False

    def __str__(self) -> str:
        way = "partition and spill" if self.spills else "fold in memory"
        if self.needed is None:
            need = "how many rows there are cannot be told before they are read"
        else:
            need = f"about {self.rows:,} rows need {_size(self.needed)}"
        if self.outgrown:
            return f"{way}: rows need more than expected and than {_size(self.memory)}: {self.partitions:,} partitions by lead"
        if self.asked:
            return f"{way}: {need}, {self.partitions:,} partitions by lead were asked for"
        if self.needed is None or self.needed >= _SMALL:
            need += f", there are {_size(self.memory)} of memory"
        return f"{way}: {need}" + (f": {self.partitions:,} partitions by lead" if self.spills else "")


def plan_of(memory: int, rows: int | None, needed: int | None, partitions: int | None, fold: bool = False) -> Plan:
    """Choose a way.

    Args:
        memory: Bytes the job may take.
        rows: Rows of all tables, or None.
        needed: Bytes they would take at once, or None.
        partitions: How many the caller wants, or None.
        fold: Whether what cannot be told is taken to fit.
    """
    asked = partitions is not None
    if partitions is None:
        room = max(memory - _BASE, 1)
        if needed is None:
            partitions = 1 if fold else MANY
        elif needed <= room:
            partitions = 1
        else:
            partitions = min(max(2, ceil(needed / (room * _FILLED))), MOST_PARTITIONS)
    return Plan(partitions, memory, needed, rows, partitions > 1, asked)


def _size(size: int) -> str:
    if size < _SMALL:
        return "less than 1 MB"
    return f"{size / 10**9:.1f} GB" if size >= 10**9 else f"{size / 10**6:.0f} MB"
