"""Where every row went, in a few lines on stderr (spec 12)."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterable, Mapping

from leadcore._run import Counts
from leadcore.model import Model
from leadcore.replay import ReplayCounts

_TYPES_TOLD = 8


def tell_counts(counts: Counts, model: Model, done: str, as_of: str, rejects: str | None) -> None:
    """Print what was done, rows in = used + ignored + rejected, and what a user should know about each."""
    ignored, rejected = sum(counts.ignored.values()), counts.rejected.get("leads", 0) + counts.rejected.get("events", 0)
    told = [
        done,
        f"{counts.leads + counts.events:,} rows in = {counts.used:,} used + {ignored:,} ignored + {rejected:,} rejected",
    ]
    if ignored:
        told.append(f"ignored, of event types the model does not declare: {type_counts(counts.ignored, model.events)}")
    if counts.later:
        told.append(f"{counts.later:,} events after {as_of} do not count yet")
    if counts.unknown_leads:
        told.append(f"{counts.unknown_leads:,} leads known only from events were left out")
    for name, number in counts.overflow.items():
        told.append(f"{number:,} events of {name} are beyond 65,536 distinct values of unique_by in one lead")
    if isinstance(counts, ReplayCounts):
        for name, number in counts.loop_stops.items():
            told.append(f"{name} was passed over {number:,} times: its stage had been left in the same evaluation")
        if counts.manual_current:
            told.append(f"{counts.manual_current:,} manual moves were to the stage the lead was in")
        if counts.manual_unknown:
            told.append(f"{counts.manual_unknown:,} manual moves were to no stage of the model")
    if any(counts.rejected.values()) and rejects is not None:
        tables = ", ".join(f"{number:,} of {table}" for table, number in counts.rejected.items() if number)
        told.append(f"rejected: {tables}; see {rejects}")
    print("\n".join(told), file=sys.stderr)


def type_counts(ignored: Mapping[str, int], declared: Iterable[str]) -> str:
    """Undeclared types, the most frequent first, with what they may have been meant to be."""
    folded = {name.casefold(): name for name in declared}
    parts = []
    for name, number in sorted(ignored.items(), key=lambda item: (-item[1], item[0]))[:_TYPES_TOLD]:
        near = difflib.get_close_matches(name.casefold(), folded, 1, 0.8)
        parts.append(f"{name} {number:,}" + (f" (did you mean {folded[near[0]]}?)" if near else ""))
    if len(ignored) > _TYPES_TOLD:
        parts.append(f"and {len(ignored) - _TYPES_TOLD:,} more types")
    return ", ".join(parts)
