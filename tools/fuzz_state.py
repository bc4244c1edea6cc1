"""Feed damaged states to a ledger: it refuses them, or lives with them, and never ends or hangs.

``python tools/sanitize.py fuzz`` (``make fuzz-state``) builds the kernel with coverage, ASan and UBSan and lets libFuzzer
make the inputs; `damaged` makes some without it, for a quick look at any build. An input is the number of a model (u8) and a
lead's image, straight as the kernel takes it: no checksum stands before it.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

import leadcore as lc
from leadcore import _kernel
from leadcore._arrow import EdgeError
from leadcore._time import FIRST, LAST, to_text
from leadcore.errors import LeadcoreError
from leadcore.ledger.facts import SINCE_EVER, id_key
from leadcore.ledger.memory import new_book
from tests.ledger_oracle import event_table, lead_table
from tests.random_ledgers import LedgerCase, ledger_case
from tests.random_parts import DAY

MODELS = 24
LONGEST = 4096
"""Bytes of an input; seeds that are longer are left out."""
LONGEST_GRID = 2_000
"""Instants of the grid that a lead is taken through at once: more takes its time, as in a replay."""
AHEAD = (0, 1, DAY, 3 * DAY, 40 * DAY)
"""How far a lead is asked and advanced, microseconds."""
ID = "e1"
"""What random cases call one of their events."""


class Model:
    """A random model with its leads' images, and one keeper with room for one lead."""

    def __init__(self, case: LedgerCase) -> None:
        self.scorer = lc.Scorer(lc.Model.model_validate(case.document))
        self.seeds = [image for ledger in self._ledgers(case) for image in images(ledger)]
        late = -1 if case.late is None else case.late
        book = new_book(self.scorer, late)
        compiled, plan = book.compiled, book.compiled.plan
        self.keeper = book._lent(FIRST, LAST)
        self.every = book._every
        self.images = _kernel.Images()
        self.images.grow(1)
        self.slots, self.at = np.zeros(2, np.int64), np.zeros(2, np.int64)
        self.outcome = _kernel.Outcome(1, len(plan.scores), len(compiled.model.thresholds))
        scores = len(plan.scores)
        self.answers = (
            np.empty((2, scores), np.int64), np.empty((2, scores if plan.grades else 0), np.int32),
            np.empty(2 if plan.ratings else 0, np.int32), np.empty(2 if plan.labels else 0, np.int32),
            np.empty((2, 2 * plan.tables["lines_size"]), np.int64), np.empty(2, np.uint8),
        )  # fmt: skip
        self.events = [event for row in case.events[:20] if (event := self._event(compiled, row)) is not None]
        self.stages = compiled.model.lifecycle is not None

    def _ledgers(self, case: LedgerCase) -> Iterator[lc.Ledger]:
        """The same facts with all events kept, with some, and with almost none."""
        for late in (case.lateness, "all", "1s"):
            ledger = lc.Ledger(self.scorer, late)
            events, leads = event_table(self.scorer.model, case.events), lead_table(self.scorer.model, case.leads)
            with suppress(LeadcoreError):
                ledger.apply(events, leads, on_late="set_aside")
                yield ledger

    def _event(self, compiled: Any, row: dict[str, Any]) -> Any:
        """A row as the edge would encode it, under an id of its own."""
        fields = compiled.model.events.get(row["type"], {})
        properties = {name: row.get(name) for name in fields}
        for name, field in fields.items():
            if field.type == "instant" and isinstance(properties[name], int):
                properties[name] = to_text(properties[name])
        with suppress(EdgeError):
            return compiled.program.encode_event(row["type"], to_text(row["at"]), properties, f"fuzz {row['at']}")
        return None

    def put(self, image: bytes) -> bool:
        """Whether this is a state of a lead."""
        try:
            self.keeper.put(self.images, 0, image)
        except ValueError:
            return False
        return True

    def live(self, choice: int) -> bool:
        """All that may come to a lead: it is asked, written, read again, told an event, advanced, and written again.

        Returns:
            Whether what was written last is a state again.
        """
        keeper, images = self.keeper, self.images
        image = images.image(0)
        if not self.put(image) or images.image(0) != image:
            raise AssertionError("an image that was accepted is not accepted again, or is written in another way")
        told = int(images.told[0]) if images.told[0] != SINCE_EVER else 0
        if self.every and told - min(int(images.begun[0]), told) > LONGEST_GRID * self.every:
            return True
        later = min(told + AHEAD[choice % len(AHEAD)], LAST)
        self.at[:] = told, later
        keeper.score(images, self.slots, self.at, 0, 2, *self.answers)
        keeper.read(images, 0, 0)
        keeper.log()
        if self.stages:
            keeper.stand(images, 0, told)
        keeper.foresee(images, 0, told, later)
        near = [event for event in self.events if not self.every or event[0] - told < LONGEST_GRID * self.every]
        if near:
            self.changed(keeper.add(images, 0, *near[choice % len(near)], SINCE_EVER, self.outcome))
        self.changed(keeper.advance(images, self.slots, 0, 1, later, self.outcome))
        self.changed(keeper.retract(images, 0, 0, [id_key(ID)], later, self.outcome)[0])
        return self.put(images.image(0))

    def changed(self, fault: Any) -> None:
        """Keep what a call made of the lead, or let it go."""
        if fault is None:
            self.keeper.commit(self.images)
        self.keeper.log()
        self.keeper.rest()


def images(ledger: lc.Ledger) -> list[bytes]:
    """Of all leads."""
    book = ledger._keeping.book  # type: ignore[attr-defined]
    return [book.image(lead_id) for lead_id in book.lead_ids()]


class Target:
    """Models, and what inputs came to."""

    def __init__(self, models: int = MODELS) -> None:
        self.models = [Model(ledger_case(seed)) for seed in range(models)]
        self.seeds = [
            bytes([k]) + image for k, model in enumerate(self.models) for image in model.seeds if len(image) < LONGEST
        ]
        self.accepted = self.refused = self.spoilt = 0

    def one(self, data: bytes) -> bool:
        """One input; whether it was a state. All else that happens is for the sanitizer, or an exception nobody expects."""
        model = self.models[data[0] % len(self.models)]
        if not model.put(data[1:]):
            self.refused += 1
            return False
        self.accepted += 1
        if not model.live(data[-1]):
            self.spoilt += 1
        return True

    def __str__(self) -> str:
        return f"{self.accepted:,} accepted ({self.spoilt:,} of them not after all), {self.refused:,} refused"


def damaged(seeds: list[bytes], count: int, seed: int) -> Iterator[bytes]:
    """Inputs: seeds with bytes flipped, cut, spliced, and numbers of any size in their midst."""
    rng = Random(seed)
    for _ in range(count):
        data = bytearray(rng.choice(seeds))
        for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
            place = rng.randrange(1, max(2, len(data)))
            draw = rng.randrange(6)
            if draw == 0:
                data[place : place + 1] = bytes([rng.randrange(256)])
            elif draw == 1:
                data[place : place + 1] = bytes([(data[place] if place < len(data) else 0) ^ 1 << rng.randrange(8)])
            elif draw == 2:
                del data[place : place + rng.randrange(1, 20)]
            elif draw == 3:
                data[place:] = rng.choice(seeds)[-rng.randrange(1, 60) :]
            elif draw == 4:
                data[place : place + rng.choice((0, 1, 4, 8))] = varint(rng)
            else:
                data[place : place + 8] = rng.choice((0, 1, 2**31 - 1, 2**32 - 1, 2**63 - 1, 2**63, 2**64 - 1)).to_bytes(8, "little")  # fmt: skip
        yield bytes(data)


def varint(rng: Random) -> bytes:
    """A number in groups of seven bits, of any length that fits 64 bits or not."""
    left, out = rng.getrandbits(rng.randrange(1, 72)), bytearray()
    while left > 127:
        out.append(left & 127 | 128)
        left >>= 7
    return bytes([*out, left])


def drive(folder: Path, options: list[str]) -> None:
    """Let libFuzzer make inputs; it ends the process by itself."""
    target = Target()
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target.seeds):
        (folder / f"seed-{number}").write_bytes(seed)
    print(f"fuzz: {len(target.seeds)} seeds of {len(target.models)} models", flush=True)

    @ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_uint8), ctypes.c_size_t)
    def one(data, size) -> int:
        if size > 1:
            try:
                target.one(ctypes.string_at(data, size))
            except BaseException:
                import traceback

                traceback.print_exc()
                os.abort()  # libFuzzer keeps the input
            if not (target.accepted + target.refused) % 1_000_000:
                print(f"fuzz: {target}", flush=True)
        return 0

    arguments = [b"fuzz_state", *map(os.fsencode, options), os.fsencode(folder)]
    count = ctypes.c_int(len(arguments))
    values = ctypes.cast((ctypes.c_char_p * (len(arguments) + 1))(*arguments, None), ctypes.POINTER(ctypes.c_char_p))
    ctypes.CDLL(None).LLVMFuzzerRunDriver(ctypes.byref(count), ctypes.byref(values), one)


if __name__ == "__main__":
    drive(Path(sys.argv[1]), sys.argv[2:])
