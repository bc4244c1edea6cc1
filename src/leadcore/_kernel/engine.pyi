"""The engine: rows into a store, every lead's scores out (spec 4 to 7)."""

from collections.abc import Mapping
from typing import Any, final

import numpy as np
import numpy.typing as npt

_U32 = npt.NDArray[np.uint32]
_I32 = npt.NDArray[np.int32]
_I64 = npt.NDArray[np.int64]
_F64 = npt.NDArray[np.float64]

BLOCK: int

@final
class Plan:
    """The kernel's view of a plan: holds the record tables and points into them. Immutable."""

    tables: Mapping[str, Any]
    def __init__(self, tables: dict[str, Any]) -> None: ...

@final
class Sets:
    """Hit sets spelled out: what an event row does, what a lead row says."""

    size: int
    @staticmethod
    def of_events(plan: Plan, offsets: _I64, ids: _U32) -> Sets: ...
    @staticmethod
    def of_leads(plan: Plan, offsets: _I64, ids: _U32) -> Sets: ...

@final
class Store:
    """Rows of a run, partitioned by lead."""

    partitions: int
    def __new__(
        cls,
        bits: int,
        identities: bool,
        row: bool,
        codes: int,
        numbers: int,
        horizon: int = ...,
        known: int = ...,
        keep_idle: bool = ...,
        keep_later: bool = ...,
        alias: _U32 | None = ...,
    ) -> Store: ...
    def push(
        self,
        n: int,
        lead: _U32,
        at: _I64,
        hits: _U32,
        row: _I64,
        order: _U32,
        content: _U32,
        codes: _U32,
        numbers: _F64,
    ) -> None: ...
    @property
    def later(self) -> int: ...
    @property
    def kept(self) -> int: ...
    @property
    def earliest(self) -> int: ...
    def first_seen(self, leads: int) -> _I64: ...

@final
class Worker:
    """One thread's work space for one plan; not shared between threads at a time."""

    def __new__(cls, plan: Plan) -> Worker: ...
    def run(
        self,
        store: Store,
        partition: int,
        leads: int,
        events: Sets,
        attributes: Sets,
        ranks: _U32,
        first_id: int,
        repeats: bool,
        ask_start: _I64,
        ask_order: _I64,
        ask_at: _I64,
        ask_attributes: _U32,
        scores: _I64,
        grades: _I32,
        rating: _I32,
        label: _I32,
        lines: _I64,
    ) -> list[tuple[int, int, int]]: ...
    def one(
        self,
        says: _U32,
        at: _I64,
        hits: _U32,
        offsets: _I64,
        ids: _U32,
        order: _U32 | None,
        content: _U32 | None,
        codes: _U32,
        numbers: _F64,
        now: int,
        lines: _I64,
    ) -> tuple[tuple[int, ...], tuple[int, ...], int, int, list[tuple[int, int, int]]]: ...
    def shares(
        self,
        store: Store,
        partition: int,
        leads: int,
        events: Sets,
        ranks: _U32,
        first_id: int,
        repeats: bool,
        code: int,
        now: int,
    ) -> list[tuple[int, int, int, int]]: ...
    @property
    def wrapped(self) -> bool: ...
    def overflow(self) -> _I64: ...

@final
class Replayer:
    """One thread's work space for the replay of one plan (spec 8); not shared between threads at a time."""

    def __new__(cls, plan: Plan, grid: npt.NDArray[Any], every: int, changes: bool, stop: _I32) -> Replayer: ...
    def run(
        self,
        store: Store,
        partition: int,
        leads: int,
        events: Sets,
        attributes: Sets,
        ranks: _U32,
        first_id: int,
        repeats: bool,
        end: int,
        place: _I64,
        born: _I64,
        begins: _I32,
        rows: _I64,
        since: _I64,
        says: _U32,
        stage: _I32,
        entered: _I64,
        scores: _I64,
        thresholds: npt.NDArray[np.uint8],
    ) -> tuple[list[tuple[int, int, int]], bool, tuple[int, list[int]] | None]: ...
    def moves(self) -> tuple[npt.NDArray[Any], _I64]: ...
    def changes(self) -> npt.NDArray[Any]: ...
    def counts(self) -> tuple[_I64, int, int]: ...
    def overflow(self) -> _I64: ...
