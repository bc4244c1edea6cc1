"""A model compiled for a ledger, shared by all who keep leads by it."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from leadcore import _kernel
from leadcore._plan.zones import grid_pieces
from leadcore._replay_run import Compiled, compile_replay
from leadcore._service_levels import ServiceLevels
from leadcore.model import Model

_YEAR = 31_557_600_000_000
_LAST = 253_402_300_799_999_999
_FIRST = -62_135_596_800_000_000


class CompiledLedger:
    """A compiled model, what attributes that are all null say, and the grid as far as it was needed.

    Args:
        compiled: The model, compiled for replay; it may have no lifecycle.

    Attributes:
        model: The model.
        plan: Its plan.
        kernel: The kernel's view of it.
        program: The edge's rules.
        nulls: Lead hits of attributes that are all null.
        levels: Its service levels, whose calendars are counted as far as anybody asked.
    """

    def __init__(self, compiled: Compiled) -> None:
        self.model, self.plan = compiled.model, compiled.plan
        self.kernel, self.program = compiled.kernel, compiled.program
        self.nulls = np.frombuffer(compiled.program.encode_attributes({}), np.uint32)
        self.levels = ServiceLevels(compiled.model)
        self._lock = threading.Lock()
        self._begin = self._end = 0
        self._grid = np.empty(0, _kernel.DTYPES["piece"])

    def grid(self, first: int, last: int) -> tuple[Any, int, int, int]:
        """Pieces of the grid that hold all its instants from ``first`` to a year after ``last``.

        Returns:
            The pieces, the step or 0, and from when to when ``first`` and ``last`` may be for these pieces to do.
        """
        lifecycle = self.model.lifecycle
        if lifecycle is None or lifecycle.evaluate is None:
            return self._grid, 0, -(2**63), 2**63
        every = int(lifecycle.evaluate.every)
        with self._lock:
            if not len(self._grid) or first < self._begin or min(last + _YEAR, _LAST) > self._end:
                begin = max(min(first, self._begin if len(self._grid) else first) - _YEAR, _FIRST)
                end = min(max(last, self._end) + 10 * _YEAR, _LAST)
                pieces = grid_pieces(self.model.timezone, every, begin, end)
                rows = np.zeros(len(pieces), _kernel.DTYPES["piece"])
                rows["start"], rows["stop"], rows["residue"] = pieces[:, 0], pieces[:, 1], pieces[:, 2]
                self._grid, self._begin, self._end = rows, begin, end
            return self._grid, every, self._begin, self._end - _YEAR if self._end < _LAST else self._end


def compile_ledger(model: Model) -> CompiledLedger:
    """Compile a checked model for ledgers.

    Raises:
        ModelError: All its patterns together are too large.
    """
    return CompiledLedger(compile_replay(model))
