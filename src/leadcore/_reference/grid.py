"""The grid: instants at which leads are evaluated although nothing happens (spec 8.6)."""

from __future__ import annotations

from leadcore._reference.calendar import DAY, MONDAY, from_wall


def grid_instants(timezone: str, every: int, birth: int, end: int) -> list[int]:
    """Every grid instant from birth to the end, ascending, each once.

    Spec 8.6: "wall times of `timezone` at whole multiples of D from Monday 1970-01-05T00:00, from birth to the end, both
    included; wall times that fall on one instant are one evaluation". A wall clock is never two days off.

    Args:
        timezone: The model's.
        every: D.
        birth: The first instant that may be one.
        end: The last instant that may be one.
    """
    first = (birth - 2 * DAY - MONDAY) // every
    last = (end + 2 * DAY - MONDAY) // every
    instants = {from_wall(timezone, MONDAY + k * every) for k in range(first, last + 1)}
    return sorted(instant for instant in instants if birth <= instant <= end)
