"""Scalars, conditions and other parts of random model documents, from a seeded generator."""

from __future__ import annotations

from random import Random
from typing import Any

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

ZONES = (
    "UTC", "Europe/Berlin", "America/New_York", "America/St_Johns", "Asia/Kolkata", "Asia/Kathmandu",
    "Australia/Lord_Howe", "Pacific/Apia", "Pacific/Kiritimati", "America/Sao_Paulo", "Africa/Casablanca",
    "America/Juneau", "Pacific/Kwajalein", "Africa/Monrovia", "Europe/Dublin", "Antarctica/Troll", "Asia/Gaza",
    "America/Havana", "Etc/GMT+12", "Europe/Amsterdam", "America/Toronto", "Asia/Manila", "America/Scoresbysund",
)  # fmt: skip

FAMILIES = (
    ("a", "A", "ab", "a b"), ("vp", "VP", "VP sales", "VPs"), ("ſ", "S", "s"), ("\u212a", "k", "K"),
    ("Straße", "STRASSE", "STRA\u1e9eE"), ("Σ", "ς", "σ"), ("é", "É", "e\u0301"), ("/pricing", "/PRICING", "/PRICING/a"),
    ("\U00010400", "\U00010428"), ("ǅ", "ǆ"), ("x_y", "y", "Y"), ("İ", "i", "I"), ("a-b", "a\nb", "A-B", "b"), ("0", "null"),
)  # fmt: skip
"""Texts that conditions should tell apart, or not; a document and its rows use a few families."""

TEXTS = tuple(text for family in FAMILIES for text in family)
FOLDS = {"\u212a": "k", "ſ": "s", "ς": "σ", "ǅ": "ǆ", "İ": "İ"}
"""Simple case folding of these texts where it is not the lower case."""

PATTERNS = (
    r"^a",
    r"b$",
    r"\bvp\b",
    r"[a-c]+",
    r"\d",
    r"pric.*",
    r"(a|b) ?b",
    r"\w{3,}",
    r"ß|é",
    r"(?s)a.b",
    r"^$",
    r"\p{Lu}",
)
"""Valid patterns of the `regex` crate."""

NUMBERS = (0, 1, 2, 3, -1, -5, 0.1, 0.3, 0.5, 2.5, 100, 1e6, -1e6, 1e300, 5e-324, 9007199254740992)
INSTANT_STEPS = (0, 1, -1, HOUR, -HOUR, DAY, -DAY, 365 * DAY)

DURATIONS = (
    SECOND, MINUTE, 45 * MINUTE, HOUR, HOUR + SECOND, 2 * HOUR, 3 * HOUR + 1001 * SECOND, 12 * HOUR, DAY, 36 * HOUR, 2 * DAY,
    7 * DAY, 10 * DAY, 14 * DAY, 30 * DAY, 90 * DAY, 365 * DAY, 36_525 * DAY,
)  # fmt: skip

TEXT_OPS = ("contains", "has_word", "starts_with", "ends_with", "matches")
ORDER_OPS = ("lt", "le", "gt", "ge", "between")
ANY_OPS = ("eq", "ne", "in", "not_in", "exists")

ATTRIBUTES = {"title": "text", "country": "text", "employees": "number", "student": "boolean", "joined": "instant"}
PROPERTIES = {
    "url": "text",
    "form": "text",
    "minutes": "number",
    "amount": "number",
    "done": "boolean",
    "due": "instant",
}
EVENT_TYPES = ("page_view", "form", "buy", "call", "Unsubscribe")


def duration_text(micros: int, rng: Random) -> str:
    """A duration as a document writes it, in either form (spec 1.2)."""
    seconds = micros // SECOND
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes, rest = divmod(rest, 60)
    if rng.random() < 0.2:
        time = "".join(f"{n}{unit}" for n, unit in ((hours, "H"), (minutes, "M"), (rest, "S")) if n)
        return "P" + (f"{days}D" if days else "") + (f"T{time}" if time else "") if seconds else "PT0S"
    if days and days % 7 == 0 and rng.random() < 0.3:
        return f"{days // 7}w" + "".join(f"{n}{u}" for n, u in ((hours, "h"), (minutes, "m"), (rest, "s")) if n)
    return "".join(f"{n}{u}" for n, u in ((days, "d"), (hours, "h"), (minutes, "m"), (rest, "s")) if n) or "0s"


class Parts:
    """Parts of one document; ``durations`` collects what events should sit on the edge of."""

    def __init__(self, rng: Random, anchor: int, write_instant: Any, zone: str) -> None:
        self.rng = rng
        self.anchor = anchor
        self.write_instant = write_instant
        self.zone = zone
        self.durations: set[int] = set()
        self.texts = [text for family in rng.sample(FAMILIES, 3) for text in family]
        self.limited = 0.4
        self.spread = 2 * HOUR
        self.attributes: dict[str, str] = {}
        self.types: dict[str, dict[str, str]] = {}
        self.names = 0

    # -- scalars -----------------------------------------------------------------------------------------------------

    def chance(self, p: float) -> bool:
        return self.rng.random() < p

    def name(self, stem: str) -> str:
        self.names += 1
        return f"{stem}{self.names}"

    def duration(self, low: int = SECOND, high: int = 36_525 * DAY) -> str:
        micros = self.rng.choice([d for d in DURATIONS if low <= d <= high])
        self.durations.add(micros)
        return duration_text(micros, self.rng)

    def ascending_durations(self, count: int) -> list[str]:
        chosen = sorted(self.rng.sample(DURATIONS, count))
        self.durations.update(chosen)
        return [duration_text(micros, self.rng) for micros in chosen]

    def number(self) -> float:
        return self.rng.choice(
            (0, 1, -1, 5, 10, -10, 15, 40, 0.5, -0.5, 2.5, 0.000001, -0.000001, 0.333333, 7.000001, 33.333333)
        )

    def points(self, stars: bool = True) -> Any:
        draw = self.rng.random()
        if draw < 0.1:
            return self.rng.choice((100_000, -100_000, 99_999.999999))
        if draw < 0.2 and stars:
            return {"stars": self.rng.choice((1, 2, -1, 0.5, 3))}
        return self.number()

    def factor(self, extreme: bool = True) -> float:
        wild = (1_000_000, -1_000_000, 0.000001) if extreme and self.chance(0.2) else ()
        return self.rng.choice(wild or (1, 0, 2, -1, 0.5, 0.25, 0.1, 0.333333, 1.5, -0.7))

    def fraction(self) -> float:
        return self.rng.choice((0, 1, 0.5, 0.25, 0.75, 0.1, 0.333333, 0.999999, 0.000001))

    def bounds(self, p: float = 0.3) -> dict[str, Any]:
        low, high = sorted(self.rng.sample((-100_000, -20, -3, 0, 1, 4.5, 12.345678, 30, 100_000), 2))
        found: dict[str, Any] = {}
        if self.chance(p):
            found["min"] = low
        if self.chance(p):
            found["max"] = high
        if found and self.chance(0.15):
            found = {next(iter(found)): {"stars": self.rng.choice((-1, 1, 2))}}
        return found

    # -- conditions --------------------------------------------------------------------------------------------------

    def condition(self, fields: dict[str, str], depth: int = 0) -> dict[str, Any]:
        """A condition over fields {name: type}; ``score`` fields are numbers compared exactly."""
        draw = self.rng.random()
        if depth < 3 and draw < 0.3:
            form = self.rng.choice(("all", "any", "not"))
            if form == "not":
                return {"not": self.condition(fields, depth + 1)}
            count = self.rng.choice((0, 1, 2, 2, 3)) if self.chance(0.3) else 2
            return {form: [self.condition(fields, depth + 1) for _ in range(count)]}
        name = self.rng.choice(list(fields))
        return self.clause(name, fields[name])

    def clause(self, name: str, type_: str) -> dict[str, Any]:
        ops: tuple[str, ...] = ANY_OPS
        if type_ == "text":
            ops += TEXT_OPS
        elif type_ != "boolean":
            ops += ORDER_OPS
        op = self.rng.choice(ops)
        clause: dict[str, Any] = {"field": name, "op": op, "value": self.value(op, type_)}
        if type_ == "text" and op != "exists" and self.chance(0.2):
            clause["case_sensitive"] = self.chance(0.5)
        return clause

    def value(self, op: str, type_: str) -> Any:
        if op == "exists":
            return self.chance(0.5)
        if op == "matches":
            return self.one_or_several([self.rng.choice(PATTERNS) for _ in range(self.rng.choice((1, 1, 2)))])
        if op in TEXT_OPS:
            return self.one_or_several([self.literal(type_) for _ in range(self.rng.choice((1, 1, 3)))])
        if op in ("in", "not_in"):
            return self.distinct([self.literal(type_) for _ in range(self.rng.choice((1, 2, 4)))])
        if op == "between":
            pair = [self.literal_key(type_) for _ in range(2)]
            return [value for _, value in sorted(pair, key=lambda item: item[0])]
        return self.literal(type_)

    def one_or_several(self, values: list[str]) -> Any:
        return values[0] if len(values) == 1 and self.chance(0.8) else self.distinct(values)

    def distinct(self, values: list[Any]) -> list[Any]:
        found: list[Any] = []
        for value in values:
            if not any(type(value) is type(other) and value == other for other in found):
                found.append(value)
        return found

    def literal(self, type_: str) -> Any:
        return self.literal_key(type_)[1]

    def literal_key(self, type_: str) -> tuple[Any, Any]:
        """What a literal sorts by, and the literal."""
        if type_ == "text":
            text = self.rng.choice(self.texts)
            return text, text
        if type_ == "boolean":
            flag = self.chance(0.5)
            return flag, flag
        if type_ == "instant":
            instant = self.anchor + self.rng.choice(INSTANT_STEPS)
            return instant, self.write_instant(instant, self.rng)
        number = self.number() if type_ == "score" else self.rng.choice(NUMBERS)
        return number, number

    # -- parts of criteria -------------------------------------------------------------------------------------------

    def on(self) -> Any:
        chosen = self.rng.sample(list(self.types), min(len(self.types), self.rng.choice((1, 1, 2, 3))))
        return chosen[0] if len(chosen) == 1 and self.chance(0.3) else chosen

    def properties(self, on: Any) -> dict[str, str]:
        """Properties declared by at least one of these types (spec 3.5)."""
        names = [on] if isinstance(on, str) else on
        return {name: type_ for one in names for name, type_ in self.types[one].items()}

    def on_where(self, p: float = 0.5) -> dict[str, Any]:
        found: dict[str, Any] = {"on": self.on()}
        fields = self.properties(found["on"])
        if fields and self.chance(p):
            found["where"] = self.condition(self.qualified(fields, "event."))
        return found

    def qualified(self, fields: dict[str, str], prefix: str) -> dict[str, str]:
        """Fields under their own names or with the prefix, either being allowed (spec 3.1)."""
        return {(prefix + name if self.chance(0.2) else name): type_ for name, type_ in fields.items()}

    def of_type(self, fields: dict[str, str], *types: str) -> str | None:
        names = [name for name, type_ in fields.items() if type_ in types]
        return self.rng.choice(names) if names else None

    def table(self, stars: bool = True) -> dict[str, Any]:
        rows: dict[str, Any] = {}
        folded = set()
        for text in self.rng.sample(self.texts, self.rng.choice((1, 3, 6))):
            key = "".join(FOLDS.get(character, character.lower()) for character in text)
            if key not in folded:
                folded.add(key)
                rows[text] = self.points(stars)
        return rows

    def common(self, stem: str) -> dict[str, Any]:
        found: dict[str, Any] = {"name": self.name(stem)}
        if self.chance(0.1):
            found["description"] = "why"
        found.update(self.bounds(0.2))
        if self.attributes and self.chance(0.25):
            found["when"] = self.condition(self.qualified(self.attributes, "lead."))
        if self.chance(0.25):
            found["case_sensitive"] = self.chance(0.8)
        return found

    def points_key(self, found: dict[str, Any]) -> None:
        """``points``, or its short form ``stars``."""
        if self.chance(0.1):
            found["stars"] = self.rng.choice((1, 2, -1, 0.5))
        else:
            found["points"] = self.points()
