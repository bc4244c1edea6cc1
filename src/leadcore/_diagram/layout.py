"""Where boxes, arrows and words of the picture stand.

The success path is a column, its steps are straight arrows down. Detours stand in a second column, exits below them.
Between the columns runs a channel: every other arrow leaves its box sideways, under its own words, turns into the lane
of the box it goes to, and follows it there, so arrows to one box share a lane. Each arrow has a height of its own at
its box, hence no words meet, and no arrow runs through words or boxes::

    success | words |  channel  | words | detours
    column  |  ->   |  | lanes  |  <-   | exits
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from leadcore._diagram.letters import lines, width
from leadcore._diagram.sketch import Arrow, Box, Sketch

Point = tuple[float, float]
Rectangle = tuple[float, float, float, float]
"""Left, top, right, bottom."""
Words = list[tuple[str, bool]]
"""Lines of text, and whether they are bold."""

NAME, SMALL = 13.0, 11.0
"""Sizes of letters: names of stages, everything else."""
LEADING = 1.3
"""Height of a line, in sizes."""

_TITLE = 16.0
_MARGIN, _PAD = 24.0, 10.0
_NARROWEST, _WIDEST = 120.0, 220.0
_WORDS = 210.0
_STEP, _GAP, _WIDE_GAP = 34.0, 28.0, 56.0
_LANE, _BANK = 14.0, 18.0
_IN, _RIM = 18.0, 8.0
_START = 34.0
_HEAD = 20.0
_GRID = 6.0


@dataclass(frozen=True)
class Line:
    """A line of text: ``x`` is its beginning, or its middle, ``y`` the line that letters stand on."""

    text: str
    x: float
    y: float
    size: float = SMALL
    bold: bool = False
    middle: bool = False
    muted: bool = False

    @property
    def rectangle(self) -> Rectangle:
        """Left, top, right, bottom."""
        wide = width(self.text, self.size, self.bold)
        left = self.x - wide / 2 if self.middle else self.x
        return left, self.y - self.size * 0.95, left + wide, self.y + self.size * 0.25


@dataclass
class Place:
    """Where a box stands, and its words."""

    box: Box
    x: float = 0.0
    y: float = 0.0
    width: float = 0.0
    height: float = 0.0
    right: bool = False
    words: list[Line] = field(default_factory=list)

    @property
    def rectangle(self) -> Rectangle:
        """Left, top, right, bottom."""
        return self.x, self.y, self.x + self.width, self.y + self.height

    @property
    def inner(self) -> float:
        """The edge towards the channel."""
        return self.x if self.right else self.x + self.width


@dataclass(frozen=True)
class Route:
    """An arrow's corners, from its box to the other, and its words."""

    arrow: Arrow
    points: tuple[Point, ...]
    words: tuple[Line, ...]


@dataclass(frozen=True)
class Layout:
    """The whole picture. ``start``: the arrow to the first stage; ``road``: the success path's rectangle."""

    width: float
    height: float
    places: tuple[Place, ...]
    routes: tuple[Route, ...]
    start: tuple[Point, Point] | None
    road: Rectangle | None
    texts: tuple[Line, ...]


@dataclass
class _Port:
    """A height at a box: where an arrow leaves under its words, or, without words, where the lane arrives."""

    words: Words = field(default_factory=list)
    height: float = _IN
    y: float = 0.0

    @property
    def width(self) -> float:
        """Of its words."""
        return max((width(text, SMALL, bold) for text, bold in self.words), default=0.0)


class _Plan:
    """Finds heights first, from top to bottom, then everything from left to right."""

    def __init__(self, sketch: Sketch) -> None:
        self.sketch = sketch
        straight = sketch.straight()
        self.places = [Place(box, right=box.kind in ("detour", "exit")) for box in sketch.boxes]
        self.steps = {(a.source, a.target): a for a in sketch.arrows if (a.source, a.target) in straight}
        self.side = [a for a in sketch.arrows if (a.source, a.target) not in straight]
        self.arrivals = {target: _Port() for target in sorted({arrow.target for arrow in self.side})}
        self.leaves = {(a.source, a.target): _leave(a) for a in self.side}
        self.ports: dict[int, list[_Port]] = {number: [] for number in range(len(self.places))}
        for number, port in self.arrivals.items():
            self.ports[number].append(port)
        for (source, _), port in self.leaves.items():
            self.ports[source].append(port)
        for number, place in enumerate(self.places):
            _size(place, sum(port.height for port in self.ports[number]))
        self.steps_x = 0.0
        self.texts: list[Line] = []

    def layout(self) -> Layout:
        """Place everything."""
        self._title()
        self._left_heights()
        self._right_heights()
        self._port_heights()
        lanes = self._lanes()
        end, first_lane = self._across(max(lanes.values(), default=-1) + 1)
        x_of = {target: first_lane + lane * _LANE for target, lane in lanes.items()}
        routes = [*self._steps_down(), *self._sideways(x_of)]
        return self._whole(end, tuple(routes))

    def _title(self) -> None:
        y = _MARGIN
        for text in lines(self.sketch.title, 560, _TITLE, 2, True):
            y += _TITLE * LEADING
            self.texts.append(Line(text, _MARGIN, y - 4, _TITLE, True))
        self.top = self.bottom = y + _HEAD + _GAP / 2

    def _left_heights(self) -> None:
        """The success path from the top; what stands for many stages below it."""
        y = self.top
        path = self.sketch.path()
        for before, number in zip([None, *path], path, strict=False):
            if before is not None:
                y += self._gap((before, number))
            self.places[number].y = y
            y += self.places[number].height
        for place in self.places:
            if place.box.kind in ("any", "hand"):
                place.y = y + (_GAP if y > self.top else 0.0)
                y = place.y + place.height
        self.bottom = y

    def _gap(self, pair: tuple[int, int]) -> float:
        arrow = self.steps.get(pair)
        return _STEP if arrow is None else max(_STEP, len(_words(arrow)) * SMALL * LEADING + 22)

    def _right_heights(self) -> None:
        """Detours beside the stages they have to do with, as far as there is room; exits below, at the bottom."""
        near: dict[int, list[float]] = defaultdict(list)
        for arrow in self.side:
            for one, other in ((arrow.source, arrow.target), (arrow.target, arrow.source)):
                if self.places[other].box.kind == "success":
                    near[one].append(self.places[other].y + self.places[other].height / 2)
        wanted = {
            n: sum(near[n]) / len(near[n]) - place.height / 2 if near[n] else self.top
            for n, place in enumerate(self.places)
            if place.box.kind == "detour"
        }
        y = self.top
        for number in sorted(wanted, key=lambda n: (wanted[n], n)):
            self.places[number].y = max(y, wanted[number])
            y = self.places[number].y + self.places[number].height + _GAP
        exits = [place for place in self.places if place.box.kind == "exit"]
        tall = sum(place.height for place in exits) + _GAP * (len(exits) - 1)
        y = max(y - _GAP + _WIDE_GAP if wanted else self.top, self.bottom - tall)
        for place in exits:
            place.y = y
            y += place.height + _GAP

    def _port_heights(self) -> None:
        """Arrows lie on one grid on the left and between its lines on the right, so that no two run over each other."""
        for number, ports in self.ports.items():
            place = self.places[number]
            shift = _GRID / 2 if place.right else 0.0
            y = place.y + (place.height - sum(port.height for port in ports)) / 2
            for port in ports:
                wanted = y + (port.height - 3 if port.words else port.height / 2)
                port.y = (wanted - shift) // _GRID * _GRID + shift
                y += port.height

    def _lanes(self) -> dict[int, int]:
        """A lane for each box that arrows go to; boxes share one where their stretches do not touch.

        Short stretches run next to the boxes they lead to: for the left column on the left, for the right on the right.
        """
        stretch: dict[int, tuple[float, float]] = {n: (port.y, port.y) for n, port in self.arrivals.items()}
        for (_, target), port in self.leaves.items():
            low, high = stretch[target]
            stretch[target] = min(low, port.y), max(high, port.y)
        taken: dict[bool, list[list[tuple[float, float]]]] = {False: [], True: []}
        found: dict[int, tuple[bool, int]] = {}
        for target in sorted(stretch, key=lambda n: (stretch[n][1] - stretch[n][0], n)):
            low, high = stretch[target]
            lanes = taken[self.places[target].right]
            free = (n for n, lane in enumerate(lanes) if all(high + _LANE < a or b + _LANE < low for a, b in lane))
            number = next(free, len(lanes))
            if number == len(lanes):
                lanes.append([])
            lanes[number].append((low, high))
            found[target] = self.places[target].right, number
        count = len(taken[False]) + len(taken[True])
        return {t: count - 1 - number if right else number for t, (right, number) in found.items()}

    def _across(self, lanes: int) -> tuple[float, float]:
        """Give the columns their places; where the picture ends, and where the first lane runs."""
        start = next((place for place in self.places if place.box.initial), None)
        channel = 2 * _BANK + max(0, lanes - 1) * _LANE if lanes else 0.0
        x = _MARGIN + (_START if start is not None and not start.right else 0)
        left = [(n, place) for n, place in enumerate(self.places) if not place.right]
        right = [(n, place) for n, place in enumerate(self.places) if place.right]
        if left:
            x = self._column(left, x)
            self.steps_x = left[0][1].x + left[0][1].width / 2
            x += self._zone(left)
        first_lane = x + _BANK
        x += channel
        if right:
            x = self._column(right, x + self._zone(right) + (0 if channel or not left else 2 * _BANK))
        return x + (_START if start is not None and start.right else 0), first_lane

    def _column(self, column: list[tuple[int, Place]], x: float) -> float:
        wide = max(place.width for _, place in column)
        for _, place in column:
            place.x, place.width = x, wide
        return x + wide

    def _zone(self, column: list[tuple[int, Place]]) -> float:
        """How wide the words beside a column are."""
        wide = max((port.width for number, _ in column for port in self.ports[number]), default=0.0)
        return wide + 16 if wide else 0.0

    def _steps_down(self) -> Iterator[Route]:
        for (source, target), arrow in self.steps.items():
            above, below = self.places[source], self.places[target]
            words = _words(arrow)
            y = (above.y + above.height + below.y) / 2 - 3 - len(words) * SMALL * LEADING / 2 + SMALL
            points = ((self.steps_x, above.y + above.height), (self.steps_x, below.y))
            yield Route(arrow, points, _lines(words, self.steps_x + 9, y))

    def _sideways(self, lanes: dict[int, float]) -> Iterator[Route]:
        for arrow in self.side:
            source, target, lane = self.places[arrow.source], self.places[arrow.target], lanes[arrow.target]
            port, end = self.leaves[arrow.source, arrow.target], self.arrivals[arrow.target].y
            x = source.inner - port.width - 8 if source.right else source.inner + 8
            y = port.y - (len(port.words) - 1) * SMALL * LEADING - 4
            points = ((source.inner, port.y), (lane, port.y), (lane, end), (target.inner, end))
            yield Route(arrow, points, _lines(port.words, x, y))

    def _whole(self, end: float, routes: tuple[Route, ...]) -> Layout:
        for place in self.places:
            x = place.x + place.width / 2
            place.words = [replace(line, x=x, y=line.y + place.y) for line in place.words]
        for kind, text in (("success", "success path"), ("detour", "detours"), ("exit", "exits")):
            of_kind = [place for place in self.places if place.box.kind == kind]
            if of_kind:
                first = min(of_kind, key=lambda place: place.y)
                self.texts.append(Line(text, first.x, first.y - 10, muted=True))
        y = max(place.y + place.height for place in self.places) + 14
        for caption in self.sketch.captions:
            for text in lines(caption, max(end - _MARGIN, 360.0), SMALL, 3):
                y += SMALL * LEADING
                self.texts.append(Line(text, _MARGIN, y, muted=True))
        every = [*self.texts, *(line for route in routes for line in route.words)]
        right = max([end, *(line.rectangle[2] for line in every)])
        start = next((_start(place) for place in self.places if place.box.initial), None)
        return Layout(right + _MARGIN, y + _MARGIN, tuple(self.places), routes, start, self._road(), tuple(self.texts))

    def _road(self) -> Rectangle | None:
        path = [self.places[number] for number in self.sketch.path()]
        if not path:
            return None
        (x, y, right, _), bottom = path[0].rectangle, path[-1].rectangle[3]
        return x - 6, y - 6, right + 6, bottom + 6


def _size(place: Place, ports: float) -> None:
    """Height and width of a box, and its words, as if it stood at the top left."""
    box, most = place.box, _WIDEST - 2 * _PAD
    stage = box.kind not in ("any", "hand")
    first = Line("", 0, 0, NAME, stage, True)
    words = [replace(first, text=text) for text in lines(box.name, most, NAME, 3, stage)]
    for note in box.notes:
        words += [Line(text, 0, 0, SMALL, False, True, True) for text in lines(note, most, SMALL, 3)]
    for figure in box.figures:
        words += [Line(text, 0, 0, SMALL, True, True) for text in lines(figure, most, SMALL, 2, True)]
    tall = sum(line.size for line in words) * LEADING
    place.height = max(tall + 2 * _PAD - 4, ports + 2 * _RIM)
    place.width = max([_NARROWEST, *(width(line.text, line.size, line.bold) + 2 * _PAD for line in words)])
    y = (place.height - tall) / 2
    for line in words:
        y += line.size * LEADING
        place.words.append(replace(line, y=y - line.size * 0.3))


def _leave(arrow: Arrow) -> _Port:
    words = _words(arrow)
    return _Port(words, len(words) * SMALL * LEADING + 8 + _GRID)


def _words(arrow: Arrow) -> Words:
    """The lines beside an arrow: each rule's name and count in bold, under it what it asks."""
    words: Words = []
    for rule in arrow.shown():
        words += [(text, True) for text in lines(rule.title, _WORDS, SMALL, 2, True)]
        words += [(text, False) for text in lines(rule.asks, _WORDS, SMALL, 3)]
    return words


def _lines(words: Words, x: float, y: float) -> tuple[Line, ...]:
    return tuple(Line(text, x, y + n * SMALL * LEADING, bold=bold) for n, (text, bold) in enumerate(words))


def _start(place: Place) -> tuple[Point, Point]:
    y = place.y + place.height / 2
    outer = place.x + place.width if place.right else place.x
    return (outer + (_START - 6 if place.right else 6 - _START), y), (outer, y)


def layout(sketch: Sketch) -> Layout:
    """Place everything of a picture."""
    return _Plan(sketch).layout()
