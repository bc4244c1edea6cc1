"""The engine: rows into a store, every lead's scores out (spec 4 to 7)."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any, Literal, Protocol, final

import numpy as np
import numpy.typing as npt
from typing_extensions import disjoint_base

_U32 = npt.NDArray[np.uint32]
_I32 = npt.NDArray[np.int32]
_I64 = npt.NDArray[np.int64]
_F64 = npt.NDArray[np.float64]
_U8 = npt.NDArray[np.uint8]

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

@final
class Images:
    """What every lead of a ledger remembers, by slot: bytes, and beside them when it was told, and when to look again.

    Attributes:
        told: Instant up to which each lead was told, -2^63 for none.
        newest: Its newest event told, ever.
        begun: Its earliest fact, 2^63 - 1 for none.
        latest: Its latest, told or not, and at least when it was told.
        due: When it has to be looked at again though nothing comes, 2^63 - 1 for never.
    """

    count: int
    told: _I64
    newest: _I64
    begun: _I64
    latest: _I64
    due: _I64
    def __new__(cls) -> Images: ...
    def __len__(self) -> int: ...
    def grow(self, count: int) -> None:
        """Have slots for ``count`` leads."""
    def image(self, slot: int) -> bytes:
        """The bytes of a lead; none for one that nothing is known of."""
    def size(self) -> int:
        """Bytes of all images."""
    def span(self, slot: int) -> tuple[int, int]:
        """The first and last instant at which something may happen to a lead, but for what is new; a slot may be new."""
    def drop(self, slot: int) -> None:
        """Forget a lead."""

@final
class Facts:
    """Facts of one call, by lead, as arrays: what a keeper takes."""

    size: int
    def __new__(
        cls,
        slots: _I64,
        first: _I64,
        events: _I64,
        at: _I64,
        sets: _U32,
        identity: _U32,
        codes: _U32,
        numbers: _F64,
        set_start: _I64,
        set_ids: _U32,
        key_start: _I64,
        keys: _U8,
        contents: _U8,
        digests: list[_U8],
        first_trait: _I64,
        traits: _I64,
        since: _I64,
        created: _I64,
        lead_sets: _U32,
        lead_start: _I64,
        lead_ids: _U32,
        owner_start: _I64,
        owners: _U8,
    ) -> Facts: ...

@final
class Outcome:
    """What a call did to its leads, by row of the call; keepers may write to different rows at once."""

    def __new__(cls, rows: int, scores: int, thresholds: int) -> Outcome: ...
    def column(self, name: str) -> _I64:
        """One of `before_at`, `after_at`, `open_stage`, `open_entered`, `stage`, `entered`, by row; a copy."""
    def score_columns(self) -> tuple[_I64, _I64]:
        """Scores before and after, shape (rows, scores)."""
    def threshold_columns(self) -> tuple[_U8, _U8]:
        """Thresholds before and after, shape (rows, thresholds)."""
    def tell(self, row: int, at: int) -> None:
        """Note that nothing is told of a row but when it was told."""

_Fault = tuple[int, int, int]

@final
class Keeper:
    """One thread's work space over the images of a ledger; not shared between threads at a time.

    New images wait until `commit`: a call that fails changes nothing. A fault is ``(kind, lead, row)``.

    Attributes:
        twins: Events and retractions told before, since it was put to `rest`.
    """

    twins: int

    def __new__(
        cls,
        plan: Plan,
        codes: int,
        numbers: int,
        late: int,
        nulls: _U32,
        grid: npt.NDArray[Any],
        every: int,
        stop: _I32,
    ) -> Keeper: ...
    def rest(self) -> None:
        """Let go of new images and of what was told."""
    def commit(self, images: Images) -> None:
        """Put the new images in the place of the old ones."""
    def apply(
        self,
        images: Images,
        facts: Facts,
        begin: int,
        end: int,
        clock: int,
        until: int,
        outcome: Outcome,
        anew: bool = False,
    ) -> _Fault | None:
        """Take the facts of leads [begin, end) of a call; ``anew``: they are all that is known of them."""
    def add(
        self,
        images: Images,
        slot: int,
        at: int,
        ids: bytes,
        key: bytes,
        content: bytes,
        codes: bytes,
        numbers: bytes,
        clock: int,
        outcome: Outcome,
    ) -> _Fault | None:
        """Take one event straight from the edge's `encode_event`."""
    def advance(self, images: Images, slots: _I64, begin: int, end: int, clock: int, outcome: Outcome) -> _Fault | None:
        """Bring leads ``slots[begin:end]`` to the clock."""
    def retract(
        self, images: Images, slot: int, lead: int, keys: list[bytes], clock: int, outcome: Outcome
    ) -> tuple[_Fault | None, int]:
        """Take events of a lead back by the keys of their ids; a fault, and how many are not known."""
    def absorb(
        self, images: Images, slot: int, other: int, owner: bytes, lead: int, clock: int, outcome: Outcome
    ) -> _Fault | None:
        """Make the record in slot ``other``, whose id has the key ``owner``, part of a lead (spec 2.8)."""
    def withdraw(self, images: Images, slot: int, lead: int) -> _Fault | None:
        """Hand out every move of a lead as withdrawn."""
    def read(self, images: Images, slot: int, lead: int) -> _Fault | None:
        """Hand out the moves of a lead as they stand."""
    def log(self) -> tuple[npt.NDArray[Any], _I64, bytes, list[tuple[Literal["events", "leads"], int, int]]] | None:
        """What was told since this was asked last, None for nothing."""
    def put(self, images: Images, slot: int, image: bytes) -> None:
        """Take an image from outside.

        Raises:
            ValueError: These bytes are no image of a lead of this plan.
        """
    def score(
        self,
        images: Images,
        slots: _I64,
        at: _I64,
        begin: int,
        end: int,
        scores: _I64,
        grades: _I32,
        rating: _I32,
        label: _I32,
        lines: _I64,
        here: _U8,
    ) -> _Fault | None:
        """Score leads ``slots[begin:end]``, each at its instant; the outputs are as of `Worker.run`."""
    def stand(self, images: Images, slot: int, at: int) -> tuple[_Fault | None, int, int, list[int], list[int]]:
        """How a lead stands at an instant by the rules of its lifecycle, from facts up to then alone.

        Returns:
            ``(fault, stage, entered, visits, reached)``.
        """
    def facts(
        self, images: Images, slot: int
    ) -> tuple[_Fault | None, list[tuple[int, bytes, bool]], list[tuple[int, bytes]]]:
        """Events kept of a lead (instant, key, taken back), and its rows of attributes (since when, record)."""
    def seed(
        self,
        images: Images,
        slot: int,
        told: int,
        newest: int,
        moves: list[tuple[Any, ...]],
        adoption: tuple[Any, ...] | None,
        dead: list[tuple[int, bytes]],
    ) -> None:
        """Begin a lead with a log of moves, and taken over as ``adoption`` says."""
    def foresee(
        self, images: Images, slot: int, as_of: int, until: int
    ) -> tuple[_Fault | None, list[tuple[int, bool] | None], tuple[int, int] | None]:
        """What changes next for a lead in [as_of, until] if nothing happens."""

class _Checks(Protocol):
    """What a tally asks where values are not plain ones, or were not seen before."""

    def lead_id(self, value: Any) -> int | str: ...
    def event(self, kind: Any, at: Any, properties: Any) -> tuple[int, bytes | None, bytes | None, bytes | None]: ...
    def early(self, lead_id: int | str, at: int, newest: int) -> None: ...
    def too_early(self, lead_id: int | str, at: int, newest: int) -> None: ...
    def other_kind(self, table: str, lead_id: int | str) -> None: ...

@disjoint_base
class Tally:
    """Scores of leads in memory, brought up to date by one event at a time; `leadcore.Tally` says what it does."""

    def __init__(
        self,
        plan: Plan,
        kinds: list[tuple[str, list[tuple[str, str, bool, int, list[float], list[int]]]]],
        checks: _Checks,
        wanted: _U8,
        target: int,
        nulls: bytes,
        micropoints: bool,
    ) -> None: ...
    def add(
        self,
        lead_id: int | str,
        at: datetime | date | str | int,
        type: str,
        properties: Mapping[str, Any] | None = None,
    ) -> float: ...
    def _put(self, lead_id: int | str, hits: bytes) -> None: ...
    def _scores(self, lead_id: int | str, at: int) -> list[float] | None: ...
    def _forget(self, lead_id: int | str) -> bool: ...
    def _memory(self) -> int: ...
    def __len__(self) -> int: ...
    def __contains__(self, lead_id: object, /) -> bool: ...
    def __iter__(self) -> Iterator[int | str]: ...
