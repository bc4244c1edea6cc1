"""Half-life decay in integers: epochs of one half-life, and a table of powers of two (spec 9.4)."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal, localcontext
from functools import cache

from leadcore._reference.arithmetic import rne

L = 2_977_044_472


@cache
def powers() -> tuple[int, ...]:
    """Spec 9.4: "G[i] = round(2^42 2^(i/1024)), i = 0..1023"; 60 digits leave no doubt about the 13 needed."""
    with localcontext() as context:
        context.prec = 60
        roots: list[Decimal] = [Decimal(2) ** (42 + Decimal(i) / 1024) for i in range(1024)]
        return tuple(int(root.to_integral_value()) for root in roots)


def growth(half_life: int, r: int) -> int:
    """Spec 9.4: g(r), close to 2^42 2^(r/H) for 0 <= r < H."""
    s = 64 + (half_life.bit_length() - 1)
    u = (r * ((1 << s) // half_life)) >> (s - 42)
    i = u >> 32
    f = u & (2**32 - 1)
    y = (f * L) >> 20
    z = y >> 14
    c = y >> 24
    p = y + ((z * z) >> 27) + (((((c * c) >> 30) * c) // 6) >> 6)
    return powers()[i] + ((powers()[i] * p) >> 54)


def value(half_life: int, worth: Iterable[tuple[int, int]], now: int) -> int:
    """What events are worth at T in micropoints (spec 9.4).

    Args:
        half_life: H in microseconds.
        worth: (instant, micropoints) of each event, none after T.
        now: T.
    """
    epochs: dict[int, int] = {}
    for at, points in worth:
        epoch, r = divmod(at, half_life)
        epochs[epoch] = epochs.get(epoch, 0) + points * growth(half_life, r)  # A_e

    at_epoch, remainder = divmod(now, half_life)  # E, R
    total, previous = 0, at_epoch
    for epoch in sorted(epochs):
        # S_e = A_e + S_(e-1) // 2; "empty epochs are one arithmetic shift"
        total = epochs[epoch] + (total >> (epoch - previous) if total else 0)
        previous = epoch
    total >>= at_epoch - previous

    d = 2**43 if remainder == 0 else growth(half_life, half_life - remainder)
    return rne((total >> 24) * d, 2**61)
