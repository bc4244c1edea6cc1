"""Starter models that ship with leadcore, as documents with comments."""

from __future__ import annotations

from importlib.resources import files

PRESETS = {
    "b2b": "A company that sells software to companies: fit, engagement, grades, a lifecycle with service levels.",
    "shop": "An online shop: visits, carts, orders, returns.",
    "minimal": "The least that says something: one score of three criteria.",
    "demo": "The model of `leadcore demo`.",
    "revenue-cycle": "Anonymous visitor to won deal: detours that lead back, placement within 12 opening hours.",
    "six-stage": "A pipeline from a mere name to an opportunity: MQL at 65, alerts that climb while it waits.",
    "fit-intent": "A lifecycle that wants fit and intent, each by itself: MQL worked within 48 hours, or by another rep.",
    "stars": "Stars worth ten points each: at seven sales is told.",
}
"""What each preset is for, by name."""


def preset_text(name: str) -> str:
    """The document of a preset.

    Raises:
        KeyError: There is no such preset.
    """
    if name not in PRESETS:
        raise KeyError(name)
    return files(__name__).joinpath(f"{name}.yaml").read_text(encoding="utf-8")
