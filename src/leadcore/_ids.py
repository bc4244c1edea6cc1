"""Ids numbered apart from any model: accounts, and records that are one person."""

from __future__ import annotations

import json
from functools import cache

from leadcore._arrow import Encoder, Program

_NOTHING = ("types", "lead_rules", "event_rules", "codes", "numbers")


def id_encoder(reject: bool = False) -> Encoder:
    """An encoder that only numbers ids; with ``reject`` it lists faulty rows instead of raising."""
    return Encoder(_no_rules(), reject)


@cache
def _no_rules() -> Program:
    source = {"fields": {"lead": [], "event": []}, "ordered": False, **{name: [] for name in _NOTHING}}
    return Program(json.dumps(source).encode())
