"""The picture as Mermaid text: names stand in quotes with all that Mermaid or HTML could read written as numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from leadcore._diagram.sketch import Arrow, Box, Sketch

_SPECIAL = re.compile(
    r"""["#&:;`\\{}\[\]()|~@$^*%']"""  # Mermaid's and Markdown's; a colon after "style" would cost the line its last `;`
    r"|<(?![= ])"  # tags, but not `<= 5`
    r"|(?<!\w)_|_(?!\w)|_(?=_)"  # emphasis
    r"|^[-+>=]|(?<=[0-9])[.](?= |$)"  # lists, quotations
)
"""What is not written as it is."""

_PARTED = re.compile(r"\\(?=n)|\$(?=\$)|:(?=fa-)|ﬂ(?=°)|¶(?=ß)")
"""What Mermaid would read as formula, icon, number or line break even from numbers: a word joiner keeps the two signs apart."""

_CLASSES = (
    ("success", "fill:#e3f1f6,stroke:#0b6e99,color:#1f2937"),
    ("detour", "fill:#fdf0e4,stroke:#c2591a,color:#1f2937"),
    ("exit", "fill:#f0f0f2,stroke:#6b7280,color:#1f2937"),
    ("helper", "fill:#ffffff,stroke:#4b5563,color:#1f2937,stroke-dasharray:4 3"),
    ("start", "fill:#1f2937,stroke:#1f2937"),
)


def mermaid(sketch: Sketch) -> str:
    """A flow chart from top to bottom: the success path first and in order, so that it is drawn as straight as can be."""
    lines = ["flowchart TB"]
    ids = _ids(sketch)
    lines += [f"{ids[number]}{_box(box)}" for number, box in enumerate(sketch.boxes)]
    for number, box in enumerate(sketch.boxes):
        if box.initial:
            lines += ['start((" ")):::start', f"start --> {ids[number]}"]
    lines += _arrows(sketch, ids)
    used = {"start", *(_class(box) for box in sketch.boxes)}
    lines += [f"classDef {name} {look}" for name, look in _CLASSES if name in used]
    return "\n    ".join(lines) + "\n"


def _ids(sketch: Sketch) -> list[str]:
    """Names of boxes inside Mermaid's text: numbers, so that no name of a model is read as Mermaid."""
    return [f"s{number}" if _class(box) != "helper" else box.kind for number, box in enumerate(sketch.boxes)]


def _class(box: Box) -> str:
    return "helper" if box.kind in ("any", "hand") else box.kind


def _box(box: Box) -> str:
    words = "<br/>".join(map(quoted, (box.name, *box.notes, *box.figures)))
    left, right = {"exit": ("[[", "]]"), "any": ("([", "])"), "hand": ("([", "])")}.get(box.kind, ("(", ")"))
    return f'{left}"{words}"{right}:::{_class(box)}'


def _arrows(sketch: Sketch, ids: list[str]) -> Iterator[str]:
    """Steps of the success path first, with an invisible link where none goes on; then the others."""
    arrows = {(arrow.source, arrow.target): arrow for arrow in sketch.arrows}
    path = sketch.path()
    for pair in pairwise(path):
        arrow = arrows.pop(pair, None)
        yield f"{ids[pair[0]]} ~~~ {ids[pair[1]]}" if arrow is None else _arrow(arrow, ids)
    for arrow in arrows.values():
        yield _arrow(arrow, ids)


def _arrow(arrow: Arrow, ids: list[str]) -> str:
    words = "<br/>".join(quoted(text) for rule in arrow.shown() for text in (rule.title, _short(rule.asks)) if text)
    line = "-.->" if arrow.dashed else "-->"
    return f'{ids[arrow.source]} {line}|"{words}"| {ids[arrow.target]}'


def _short(text: str, most: int = 100) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def quoted(text: str) -> str:
    """Text for between Mermaid's quotes: special signs as Mermaid's numbers.

    Example:
        >>> quoted('fit >= 20, "<b>"')
        'fit >= 20, #34;#60;b>#34;'
    """
    return _SPECIAL.sub(lambda match: f"#{ord(match[0])};", _PARTED.sub("\\g<0>\u2060", text))
