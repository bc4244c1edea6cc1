"""The engine: rows into a store, every lead's scores out (spec 4 to 7)."""

from collections.abc import Mapping
from typing import Any, final

import numpy as np
import numpy.typing as npt

U32 = npt.NDArray[np.uint32]
I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]

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
    def of_events(plan: Plan, offsets: I64, ids: U32) -> Sets: ...
    @staticmethod
    def of_leads(plan: Plan, offsets: I64, ids: U32) -> Sets: ...

@final
class Store:
    """Rows of a run, partitioned by lead."""

    partitions: int
    def __init__(
        self,
        bits: int,
        identities: bool,
        row: bool,
        codes: int,
        numbers: int,
        horizon: int = ...,
        known: int = ...,
        keep_all: bool = ...,
        alias: U32 | None = ...,
    ) -> None: ...
    def push(
        self, n: int, lead: U32, at: I64, hits: U32, row: I64, order: U32, content: U32, codes: U32, numbers: F64
    ) -> None: ...
    @property
    def later(self) -> int: ...
    @property
    def kept(self) -> int: ...
    def first_seen(self, leads: int) -> I64: ...

@final
class Worker:
    """One thread's work space for one plan; not shared between threads at a time."""

    def __init__(self, plan: Plan) -> None: ...
    def run(
        self,
        store: Store,
        partition: int,
        leads: int,
        events: Sets,
        attributes: Sets,
        ranks: U32,
        first_id: int,
        repeats: bool,
        ask_start: I64,
        ask_order: I64,
        ask_at: I64,
        ask_attributes: U32,
        scores: I64,
        grades: I32,
        rating: I32,
        label: I32,
        lines: I64,
    ) -> list[tuple[int, int, int]]: ...
    def one(
        self,
        says: U32,
        at: I64,
        hits: U32,
        offsets: I64,
        ids: U32,
        order: U32 | None,
        content: U32 | None,
        codes: U32,
        numbers: F64,
        now: int,
        lines: I64,
    ) -> tuple[tuple[int, ...], tuple[int, ...], int, int, list[tuple[int, int, int]]]: ...
    def shares(
        self,
        store: Store,
        partition: int,
        leads: int,
        events: Sets,
        ranks: U32,
        first_id: int,
        repeats: bool,
        code: int,
        now: int,
    ) -> list[tuple[int, int, int, int]]: ...
    @property
    def wrapped(self) -> bool: ...
    def overflow(self) -> I64: ...
