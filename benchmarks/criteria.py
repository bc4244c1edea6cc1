"""Two hundred behavioural criteria instead of twenty: W1's, each told ten times of other pages, types, values and times."""

from __future__ import annotations

import re
from collections.abc import Sequence
from copy import deepcopy
from typing import Any

COPIES = 10
STEP = 3  # event types further, where no page is asked
PAIRS = ("brand|retarget", "summer|partner", "launch|brand", "retarget|summer", "partner|launch")


def many(document: dict[str, Any], types: Sequence[str], words: Sequence[str]) -> dict[str, Any]:
    """The document of W1 with ten times as many behavioural criteria: as many tests, decays and bounds of each kind."""
    made = deepcopy(document)
    for group in made["scores"]["engagement"]["groups"].values():
        group["criteria"] = [_copy(one, k, types, words) for one in group["criteria"] for k in range(COPIES)]
    return made | {"name": f"{document['name']}-criteria"}


def _copy(one: dict[str, Any], k: int, types: Sequence[str], words: Sequence[str]) -> dict[str, Any]:
    """A criterion told for the k-th time; worth a tenth, as many leads reach the threshold as under twenty."""
    made = deepcopy(one) | {"name": f"{one['name']}_{k}", "points": one["points"] / COPIES}
    where = made.get("where")
    if where and where["field"] == "url":
        where["value"] = _other_page(where["op"], where["value"], k, words)
    else:
        on = [one["on"]] if isinstance(one["on"], str) else one["on"]
        made["on"] = [types[(types.index(name) + STEP * k) % len(types)] for name in on]
        if where and where["op"] != "between":
            where["value"] += k
    if made.get("decay"):
        [(kind, length)] = made["decay"].items()
        made["decay"] = {kind: _longer(length, k)}
    return made


def _other_page(op: str, value: str, k: int, words: Sequence[str]) -> str:
    if k == 0:
        return value
    if op != "matches":
        return value + words[k]
    if "utm_campaign" in value:
        return value.replace(PAIRS[0], PAIRS[k % len(PAIRS)])
    if "sdk" in value:
        return value.replace("[0-9]+", str(k % 7))
    return f"/trial/({'|'.join(words[(k + i) % len(words)] for i in range(4))})"


def _longer(length: str, k: int) -> str:
    """A duration of weeks and days, k days longer."""
    days = sum(int(count) * (7 if unit == "w" else 1) for count, unit in re.findall(r"(\d+)([wd])", length))
    return f"{days + k}d"
