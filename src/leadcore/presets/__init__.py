"""Starter models that ship with leadcore, as documents with comments."""

from __future__ import annotations

from importlib.resources import files

PRESETS = {
    "b2b": "A company that sells software to companies: fit, engagement, grades, a lifecycle with service levels.",
    "shop": "An online shop: visits, carts, orders, returns.",
    "minimal": "The least that says something: one score of three criteria.",
    "demo": "The model of `leadcore demo`.",
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
