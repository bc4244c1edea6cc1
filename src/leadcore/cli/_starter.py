"""A commented model from the columns and types of a user's files (for ``init``)."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from leadcore._inputs import EVENT_COLUMNS, LEAD_COLUMNS
from leadcore.cli._census import Census
from leadcore.cli._sample import ColumnSample

ROLES = {
    "lead_id": ("lead_id", "contact_id", "person_id", "user_id", "customer_id", "id", "lead", "contact", "email"),
    "at": ("at", "occurred_at", "timestamp", "event_time", "time", "ts", "created_at", "date", "datetime"),
    "type": ("type", "event_type", "event", "event_name", "activity", "action", "kind", "name"),
}
"""Names under which a role's column is looked for, the likeliest first."""

_RESERVED = {*LEAD_COLUMNS, *EVENT_COLUMNS, "rating", "label"}
_DECIDES = ("ceo", "cto", "cfo", "cio", "chief", "founder", "owner", "president", "vp", "head", "director", "partner")
_TITLE = re.compile(r"title|position|role|job|function", re.I)
_WANTS = ("pricing", "price", "plans", "demo", "contact", "trial", "quote", "checkout", "cart", "order")
_LEAVES = re.compile(r"unsub|opt.?out|bounce|complain|spam|cancel|churn|refund|return", re.I)
_DOUBTFUL = re.compile(r"private|personal|free_?mail|student|test|bot|spam|invalid|bounced|competitor", re.I)
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WORDS_OF_YAML = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}
_MOST_VALUES, _MOST_TEXTS = 6, 40


@dataclass
class Starter:
    """What the model is made from.

    Attributes:
        name: Of the model.
        attributes: Columns of the leads table that may be attributes.
        events: What the events table has, or None without one.
        properties: Columns of the events table that may be properties.
        marks: Where thresholds and grades go, by name; empty until the model was run once.
    """

    name: str
    attributes: list[ColumnSample] = field(default_factory=list)
    events: Census | None = None
    properties: list[ColumnSample] = field(default_factory=list)
    marks: dict[str, float] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)

    def document(self) -> str:
        """The model as YAML with comments; empty where there is nothing to score by."""
        self.names = set()
        fit, engagement = list(self._fit()), list(self._engagement())
        if not fit and not engagement:
            return ""
        lines = ["leadcore: 1", f"name: {_quoted(self.name)}", ""]
        lines += self._attributes(fit) + self._event_types()
        lines += ["scores:"]
        if fit:
            lines += ["  # Who they are.", "  fit:", "    criteria:", *fit]
        if engagement:
            lines += ["  # What they do; it fades.", "  engagement:", "    min: 0", "    criteria:", *engagement]
        total = "total" if fit and engagement else "fit" if fit else "engagement"
        if total == "total":
            lines += ["  # Both. Change the factors to say what matters more.", "  total:"]
            lines += ["    combine: {fit: 1, engagement: 1}"]
        lines += self._grades() + self._threshold(total)
        return "\n".join(lines) + "\n"

    # declarations

    def _attributes(self, fit: Sequence[str]) -> list[str]:
        if not self.attributes:
            return []
        used = set(self._used())
        lines = ["# Columns of the leads table. Uncomment what you want to use."]
        lines.append("attributes:" if used else "attributes: {}")
        for column in self.attributes:
            told = f"  # filled in {column.filled:.0%} of rows"
            if column.name in used:
                lines.append(f"  {_quoted(column.name)}: {{type: {column.kind}, optional: true}}{told}")
            elif column.kind is not None and column.name not in _RESERVED and "." not in column.name:
                lines.append(f"  # {_quoted(column.name)}: {{type: {column.kind}, optional: true}}")
        return [*lines, ""]

    def _used(self) -> Iterator[str]:
        for column in self.attributes:
            if any(True for _ in _attribute(column, "x")):
                yield column.name

    def _event_types(self) -> list[str]:
        if self.events is None:
            return []
        kinds = {column.name: column.kind for column in self.properties}
        lines = ["# Values of the events table's type, with the columns each of them uses.", "events:"]
        lines = lines if self._types() else ["events: {}"]
        for name, rows in self.events.types.items():
            if name not in self._types():
                lines.append(f"  # {_quoted(name)}: {rows:,} rows of a type that differs from another in capitals only")
                continue
            used = [f"{_quoted(c)}: {{type: {kinds[c]}, optional: true}}" for c in self.events.uses[name]]
            lines.append(f"  {_quoted(name)}: {{{', '.join(used)}}}  # {rows:,} rows")
        if self.events.left_out:
            lines.append(f"  # and {self.events.left_out:,} more types, each rarer than these")
        return [*lines, ""]

    def _types(self) -> dict[str, int]:
        """Event types worth declaring: of those that differ in capitals only, the most frequent."""
        kept: dict[str, str] = {}
        for name in self.events.types if self.events is not None else ():
            kept.setdefault(name.casefold(), name)
        return {name: self.events.types[name] for name in kept.values()} if self.events is not None else {}

    # criteria

    def _name(self, text: str) -> str:
        plain = re.sub(r"\W+", "_", text.strip()).strip("_") or "criterion"
        name, n = plain, 2
        while name in self.names:
            name, n = f"{plain}_{n}", n + 1
        self.names.add(name)
        return name

    def _fit(self) -> Iterator[str]:
        for column in self.attributes:
            if any(True for _ in _attribute(column, "x")):
                yield from _attribute(column, self._name(column.name))

    def _engagement(self) -> Iterator[str]:
        if self.events is None:
            return
        types = self._types()
        total = sum(types.values())
        welcome = [name for name in types if not _LEAVES.search(name)]
        for name, rows in types.items():
            yield from self._event(name, rows / total)
        texts = {c.name: c.distinct() for c in self.properties if c.kind == "text"}
        for name in welcome:
            for column in self.events.uses[name]:
                found = [w for w in _WANTS if any(w in text.lower() for text in texts.get(column, ()))]
                if found:
                    yield f"      # Words that sound like wanting to buy; they occur in {column}."
                    yield f"      - name: {self._name(f'{name}_{column}_wants')}"
                    yield from _lines("kind: event", f"on: {_quoted(name)}")
                    yield from _lines(f"where: {{field: {_quoted(column)}, op: contains, value: {_list(found)}}}")
                    yield from _lines("points: 10", "decay: {half_life: 14d}", "limit: {count: 3, per: day}")
        if welcome:
            yield "      # Coming back again and again."
            yield f"      - name: {self._name('often')}"
            yield from _lines("kind: frequency", f"on: {_quoted(welcome[0])}", "within: 7d")
            yield from _lines("bands: [{at_least: 3, points: 5}, {at_least: 10, points: 10}]")
            yield "      # The last sign of life."
            yield f"      - name: {self._name('lately')}"
            yield from _lines("kind: recency", f"on: {_list(welcome)}")
            yield from _lines("bands: [{within: 7d, points: 5}, {within: 30d, points: 2}]", "otherwise: -5", "never: 0")

    def _event(self, name: str, share: float) -> Iterator[str]:
        if _LEAVES.search(name):
            yield "      # Sounds like leaving: forgiven after half a year."
            points, decay, limit = -20, "linear: 180d", None
        else:
            yield f"      # {share:.1%} of all events: the rarer, the more each is worth."
            points = next(p for least, p in ((0.2, 1), (0.05, 3), (0.01, 8), (0.001, 15), (0.0, 25)) if share >= least)
            decay = "half_life: 14d" if share >= 0.01 else "half_life: 30d"
            limit = "limit: {count: 10, per: day}" if share >= 0.05 else None
        yield f"      - name: {self._name(name)}"
        yield from _lines("kind: event", f"on: {_quoted(name)}", f"points: {points}", f"decay: {{{decay}}}")
        if limit is not None:
            yield from _lines(limit)

    # marks

    def _grades(self) -> list[str]:
        marks = [(name, self.marks[name]) for name in ("A", "B", "C") if name in self.marks]
        if len({at for _, at in marks}) < 3:
            return []
        lines = ["    # A: the best 5 of 100 leads in your files, B: the best 20, C: the better half."]
        lines += ["    grades:", *(f"      - {{name: {name}, at_least: {_number(at)}}}" for name, at in marks)]
        return [*lines, "      - {name: D}"]

    def _threshold(self, total: str) -> list[str]:
        at = self.marks.get("hot", 50.0)
        lines = ["", "thresholds:"]
        if "hot" in self.marks:
            lines.append("  # One in ten leads of your files is above it.")
        return [*lines, f"  hot: {{score: {total}, at: {_number(at)}}}"]


def _attribute(column: ColumnSample, name: str) -> Iterator[str]:
    """A criterion for a column, or nothing if none makes sense."""
    if column.name in _RESERVED or "." in column.name or column.kind in (None, "instant"):
        return
    text = _quoted(column.name)
    if column.kind == "boolean":
        points = -10 if _DOUBTFUL.search(column.name) else 10
        yield f"      - {{name: {name}, kind: attribute, when: {{field: {text}, op: eq, value: true}}, points: {points}}}"
    elif column.kind == "number":
        bands = _bands([float(value) for value in column.values])
        if bands and not column.name.lower().endswith("id"):
            yield "      # Marks at half, four fifths and nineteen twentieths of your leads."
            yield f"      - name: {name}"
            told = ", ".join(f"{{at_least: {_number(at)}, points: {p}}}" for at, p in bands)
            yield from _lines("kind: attribute", f"field: {text}", f"bands: [{told}]", "missing: 0")
    elif _TITLE.search(column.name):
        words = {word for value in column.values for word in re.findall(r"\w+", str(value).lower())}
        found = [word for word in _DECIDES if word in words]
        if found:
            yield "      # Words of people who decide, as far as they occur in your leads."
            yield f"      - name: {name}"
            yield from _lines("kind: attribute", f"when: {{field: {text}, op: has_word, value: {_list(found)}}}")
            yield from _lines("points: 20")
    else:
        counts = _folded(column)
        if len(counts) <= _MOST_TEXTS and len(counts) < max(len(column.values) / 2, 3):
            top = sorted(counts, key=lambda value: (-counts[value], value))[:_MOST_VALUES]
            yield f"      # The most frequent of {len(counts)} values. Say which of them you like."
            yield f"      - name: {name}"
            yield from _lines("kind: attribute", f"field: {text}")
            yield from _lines(f"table: {{{', '.join(f'{_quoted(value)}: 5' for value in top)}}}", "otherwise: 0")


def _folded(column: ColumnSample) -> Mapping[str, int]:
    """How often each text occurs; texts that differ in capitals only are one, named by the first."""
    counts: dict[str, int] = {}
    names: dict[str, str] = {}
    for text, number in column.distinct().items():
        name = names.setdefault(text.casefold(), text)
        counts[name] = counts.get(name, 0) + number
    return {name: number for name, number in counts.items() if name}


def _bands(values: list[float]) -> list[tuple[float, int]]:
    values = sorted(value for value in values if math.isfinite(value))
    if len(set(values)) < 3:
        return []
    bands: list[tuple[float, int]] = []
    for share, points in ((0.5, 5), (0.8, 10), (0.95, 20)):
        at = rounded(values[int(share * (len(values) - 1))])
        if not bands or at > bands[-1][0]:
            bands.append((at, points))
    return bands


def rounded(value: float) -> float:
    """The value to two digits."""
    if not value:
        return 0.0
    digits = 1 - math.floor(math.log10(abs(value)))
    return round(value, min(digits, 6))


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else f"{value:.6f}".rstrip("0")


def _quoted(text: str) -> str:
    plain = _PLAIN.fullmatch(text) and text.lower() not in _WORDS_OF_YAML
    return text if plain else json.dumps(text, ensure_ascii=False)


def _list(values: Iterable[Any]) -> str:
    return f"[{', '.join(_quoted(str(value)) for value in values)}]"


def _lines(*lines: str) -> Iterator[str]:
    for line in lines:
        yield f"        {line}"
