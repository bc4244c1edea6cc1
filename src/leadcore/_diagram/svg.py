"""The picture as SVG: plain shapes and text, no scripts, no links, no style sheet, no ids that could clash on a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape

from leadcore._diagram.layout import Layout, Line, Place, Point, Route
from leadcore._diagram.letters import certain, width
from leadcore._diagram.sketch import Box, Sketch

_FONT = "DejaVu Sans, Verdana, Segoe UI, Helvetica, Arial, sans-serif"
_INK, _MUTED = "#1f2937", "#4b5563"
_ROAD = "#f1f5f9"
_COLOURS = {
    "success": ("#e3f1f6", "#0b6e99"),
    "detour": ("#fdf0e4", "#c2591a"),
    "exit": ("#f0f0f2", "#6b7280"),
    "any": ("#ffffff", "#4b5563"),
    "hand": ("#ffffff", "#4b5563"),
}
_ROUND = 6.0
_HEAD_LONG, _HEAD_WIDE = 8.0, 4.0


def svg(sketch: Sketch, layout: Layout) -> str:
    """The text of an SVG file; its texts have passed `letters.harmless` and are escaped here."""
    wide, tall = _n(layout.width), _n(layout.height)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{tall}" viewBox="0 0 {wide} {tall}"'
            f' role="img" font-family="{_FONT}" fill="{_INK}">',
            f"<title>{escape(sketch.title)}</title>",
            f'<rect width="{wide}" height="{tall}" fill="#ffffff"/>',
            *_road(layout),
            *(_arrow(route, sketch) for route in layout.routes),
            *_start(layout),
            *(_box(place) for place in layout.places),
            *map(_text, layout.texts),
            "</svg>\n",
        ]
    )


def _n(value: float) -> str:
    """A number with at most one decimal."""
    return f"{value:.1f}".removesuffix(".0")


def _road(layout: Layout) -> Iterator[str]:
    if layout.road is not None:
        x, y, right, bottom = layout.road
        yield (
            f'<rect class="path" x="{_n(x)}" y="{_n(y)}" width="{_n(right - x)}" height="{_n(bottom - y)}"'
            f' rx="10" fill="{_ROAD}"/>'
        )


def _start(layout: Layout) -> Iterator[str]:
    if layout.start is not None:
        (x, y), end = layout.start
        yield (
            f'<g class="start"><title>leads begin here</title><circle cx="{_n(x)}" cy="{_n(y)}" r="5" fill="{_INK}"/>'
            f"{_line(((x, y), end), _INK)}</g>"
        )


def _box(place: Place) -> str:
    box = place.box
    fill, edge = _COLOURS[box.kind]
    look = f'fill="{fill}" stroke="{edge}" stroke-width="{2.5 if box.initial else 1.2}"'
    if box.kind in ("any", "hand"):
        look += ' stroke-dasharray="4 3"'
    rounded = {"exit": 2.0, "any": place.height / 2, "hand": place.height / 2}.get(box.kind, 8.0)
    rectangle = (
        f'<rect x="{_n(place.x)}" y="{_n(place.y)}" width="{_n(place.width)}" height="{_n(place.height)}"'
        f' rx="{_n(min(rounded, 22.0))}" {look}/>'
    )
    words = "".join(map(_text, place.words))
    return f'<g class="{_class(box)}"><title>{escape(_told(box))}</title>{rectangle}{words}</g>'


def _class(box: Box) -> str:
    return f"stage {box.kind}{' initial' if box.initial else ''}"


def _told(box: Box) -> str:
    """Everything about a box, for those who point at it and for those who hear the picture."""
    return "; ".join(text for text in (box.name, box.kind, *box.notes, *box.figures, box.more) if text)


def _arrow(route: Route, sketch: Sketch) -> str:
    arrow = route.arrow
    source, target = sketch.boxes[arrow.source], sketch.boxes[arrow.target]
    colour = _COLOURS[target.kind][1]
    told = "; ".join(": ".join(text for text in (rule.title, rule.asks) if text) for rule in arrow.shown())
    return (
        f'<g class="arrow" data-from="{arrow.source}" data-to="{arrow.target}">'
        f"<title>{escape(f'{source.name} → {target.name}: {told}')}</title>"
        f"{_line(route.points, colour, arrow.dashed)}{''.join(map(_text, route.words))}</g>"
    )


def _line(points: Sequence[Point], colour: str, dashed: bool = False) -> str:
    """A line with round corners and a head."""
    (x, y), (before_x, before_y) = points[-1], points[-2]
    along_x, along_y = _sign(x - before_x), _sign(y - before_y)
    back_x, back_y = x - along_x * _HEAD_LONG, y - along_y * _HEAD_LONG
    side_x, side_y = along_y * _HEAD_WIDE, along_x * _HEAD_WIDE
    head = " L".join(
        _point(p) for p in ((x, y), (back_x + side_x, back_y + side_y), (back_x - side_x, back_y - side_y))
    )
    dashes = ' stroke-dasharray="5 4"' if dashed else ""
    path = _path([*points[:-1], (back_x, back_y)])
    return (
        f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="1.4"{dashes}/>'
        f'<path d="M{head}Z" fill="{colour}"/>'
    )


def _path(points: Sequence[Point]) -> str:
    parts = [f"M{_point(points[0])}"]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        parts.append(f"L{_point(_towards(corner, before))} Q{_point(corner)} {_point(_towards(corner, after))}")
    return " ".join([*parts, f"L{_point(points[-1])}"])


def _towards(corner: Point, other: Point) -> Point:
    """A little way from a corner; half of it where the next one is near."""
    (x, y), (far_x, far_y) = corner, other
    step = min(_ROUND, (abs(far_x - x) + abs(far_y - y)) / 2)
    return x + _sign(far_x - x) * step, y + _sign(far_y - y) * step


def _point(point: Point) -> str:
    return f"{_n(point[0])},{_n(point[1])}"


def _sign(value: float) -> float:
    return (value > 0) - (value < 0)


def _text(line: Line) -> str:
    look = f' font-size="{_n(line.size)}"'
    look += ' font-weight="bold"' if line.bold else ""
    look += ' text-anchor="middle"' if line.middle else ""
    look += f' fill="{_MUTED}"' if line.muted else ""
    if not certain(line.text):  # letters whose width depends on the font: say how wide, so that nothing is run over
        look += f' textLength="{_n(width(line.text, line.size, line.bold))}" lengthAdjust="spacingAndGlyphs"'
    return f'<text x="{_n(line.x)}" y="{_n(line.y)}"{look}>{escape(line.text)}</text>'
