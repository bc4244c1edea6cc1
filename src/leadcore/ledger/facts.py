"""Facts of one call, read by the edge and brought together by lead (spec 2, 10.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from leadcore import _kernel
from leadcore._arrow import Encoder, Program
from leadcore._inputs import data_errors
from leadcore._plan import Plan
from leadcore._run import Request

Codes = npt.NDArray[np.uint32]
Ints = npt.NDArray[np.int64]
LeadId = int | str

NEVER = 2**63 - 1
SINCE_EVER = -(2**63)


def id_key(value: LeadId) -> bytes:
    """An id as bytes that sort as ids do: integers by value, then text by code point (spec 2.4)."""
    if isinstance(value, str):
        return b"\x02" + value.encode()
    return b"\x01" + (value + 2**63).to_bytes(8, "big")


def key_id(key: bytes) -> LeadId | None:
    """The id of a key, None for the key of an event without one."""
    if key[:1] == b"\x02":
        return key[1:].decode()
    return int.from_bytes(key[1:], "big") - 2**63 if key[:1] == b"\x01" else None


@dataclass(frozen=True)
class Facts:
    """What one call tells, as the edge read it.

    Attributes:
        ids: Ids by lead code, each once, in order of first sight.
        lead: Lead code of each event.
        at: Its instant.
        row: Its row of the events table.
        trait_lead: Lead code of each row of attributes.
        since: Since when it is in force, `SINCE_EVER` for ever.
        created: Its ``created_at``, `NEVER` for none.
        ignored: Events of undeclared types, by type.
    """

    ids: list[LeadId]
    lead: Codes
    at: Ints
    row: Ints
    trait_lead: Codes
    since: Ints
    created: Ints
    ignored: dict[str, int]
    encoder: Encoder
    columns: tuple[Any, ...]

    @classmethod
    def read(cls, plan: Plan, program: Program, request: Request) -> Facts:
        """Read the tables of a request.

        Raises:
            DataError: A table is faulty.
        """
        encoder = Encoder(program, False, True)
        rows: dict[str, Any] = {}
        if request.leads is not None:
            with data_errors("leads"):
                rows = encoder.read_leads(request.leads, request.names.leads)
        blocks = list(_blocks(plan, encoder, request)) if request.events is not None else []
        lead, at, sets, row, identity = (
            np.concatenate([np.empty(0, kind), *(block[i] for block in blocks)])
            for i, kind in enumerate((np.uint32, np.int64, np.uint32, np.int64, np.uint32))
        )
        codes = np.concatenate([np.empty((plan.codes, 0), np.uint32), *(block[5] for block in blocks)], axis=1)
        numbers = np.concatenate([np.empty((plan.numbers, 0), np.float64), *(block[6] for block in blocks)], axis=1)
        count = encoder.lead_count
        trait_lead = rows.get("code", np.empty(0, np.uint32))
        return cls(
            ids=_listed(encoder.ids(np.arange(count, dtype=np.uint32)).column("lead_id")),
            lead=lead,
            at=at,
            row=row,
            trait_lead=trait_lead,
            since=rows.get("valid_from", np.full(len(trait_lead), SINCE_EVER, np.int64)),
            created=rows.get("created_at", np.full(len(trait_lead), NEVER, np.int64)),
            ignored=encoder.counts()["ignored"],
            encoder=encoder,
            columns=(sets, identity, np.ascontiguousarray(codes), np.ascontiguousarray(numbers),
                     rows.get("hits", np.empty(0, np.uint32))),
        )  # fmt: skip

    def by_slot(self, place: Ints, slots: Ints, owners: dict[int, bytes]) -> _kernel.Facts:
        """Brought together for a keeper.

        ``place`` is where among ``slots`` each lead code belongs; ``owners`` are the keys of codes that are records of
        another lead.
        """
        sets, identity, codes, numbers, lead_sets = self.columns
        events, first = _grouped(place[self.lead], len(slots))
        traits, first_trait = _grouped(place[self.trait_lead], len(slots))
        key_start, keys, contents = np.zeros(1, np.int64), np.empty(0, np.uint8), np.empty((0, 16), np.uint8)
        if len(identity):
            key_start, keys, contents = self.encoder.event_keys(np.arange(int(identity.max()) + 1, dtype=np.uint32))
        sizes = np.zeros(len(self.trait_lead) + 1, np.int64)
        named = [owners.get(code, b"") for code in self.trait_lead.tolist()] if owners else []
        if named:
            np.cumsum([len(key) for key in named], out=sizes[1:])
        digests = [self.encoder.code_digests(k) for k in range(len(codes) if len(identity) else 0)]
        return _kernel.Facts(
            slots, first, events, self.at, sets, identity, codes, numbers, *self.encoder.hit_sets(), key_start, keys, contents, digests,
            first_trait, traits, self.since, self.created, lead_sets, *self.encoder.lead_hit_sets(), sizes,
            np.frombuffer(b"".join(named), np.uint8),
        )  # fmt: skip

    def event_id(self, event: int) -> Any:
        """The ``event_id`` of an event."""
        identity = self.columns[1][event : event + 1]
        return self.encoder.event_ids(np.ascontiguousarray(identity)).row(0)["event_id"]


def _blocks(plan: Plan, encoder: Encoder, request: Request) -> Any:
    """The events table, block by block: lead, at, hit set, row, identity, codes, numbers."""
    n = _kernel.BLOCK
    with data_errors("events"):
        encoder.open_events(request.events, request.names.events)  # type: ignore[arg-type]
    done = 0
    while True:
        block = (
            np.empty(n, np.uint32), np.empty(n, np.int64), np.empty(n, np.uint32), np.empty(n, np.int64),
            np.empty(n, np.uint32), np.empty(0, np.uint32), np.empty((plan.codes, n), np.uint32),
            np.empty((plan.numbers, n), np.float64),
        )  # fmt: skip
        with data_errors("events"):
            count = encoder.next_block(*block)
        if not count:
            return
        lead, at, sets, row, identity, _, codes, numbers = block
        yield (
            lead[:count],
            at[:count],
            sets[:count],
            row[:count],
            identity[:count],
            codes[:, :count],
            numbers[:, :count],
        )
        done += count
        if request.progress is not None:
            request.progress(done)


def _grouped(place: Ints, count: int) -> tuple[Ints, Ints]:
    """Rows by place, and where those of each place begin."""
    first = np.zeros(count + 1, np.int64)
    np.cumsum(np.bincount(place, minlength=count), out=first[1:])
    return np.argsort(place, kind="stable").astype(np.int64), first


def _listed(ids: Any) -> list[LeadId]:
    found: list[LeadId] = ids.tolist() if isinstance(ids, np.ndarray) else list(ids)
    return found
