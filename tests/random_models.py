"""Random valid model documents from a seeded generator: every field of spec sections 1 to 6, often."""

from __future__ import annotations

from typing import Any

from tests.random_parts import ATTRIBUTES, DAY, EVENT_TYPES, HOUR, PROPERTIES, Parts


class Documents(Parts):
    """Makes one document."""

    def document(self) -> dict[str, Any]:
        """A valid document."""
        rng = self.rng
        self.attributes = {n: t for n, t in ATTRIBUTES.items() if self.chance(0.8)}
        self.types = {}
        for name in rng.sample(EVENT_TYPES, rng.choice((1, 2, 3, 4))):
            chosen = [n for n in PROPERTIES if self.chance(0.5)]
            rng.shuffle(chosen)  # document order is part of canonical order (spec 2.4)
            self.types[name] = {n: PROPERTIES[n] for n in chosen}
        found: dict[str, Any] = {"leadcore": 1, "name": "random"}
        if self.zone != "UTC" or self.chance(0.3):
            found["timezone"] = self.zone
        if self.chance(0.4):
            found["points_per_star"] = rng.choice((1, 5, 10, 2.5, -4, 0.000002))
        if self.attributes or self.chance(0.5):
            found["attributes"] = {n: self.declaration(t) for n, t in self.attributes.items()}
        found["events"] = {n: {p: self.declaration(t) for p, t in props.items()} for n, props in self.types.items()}
        found["scores"] = self.scores()
        self.conclusions(found)
        return found

    def declaration(self, type_: str) -> Any:
        return {"type": type_, "optional": self.chance(0.6)} if self.chance(0.25) else type_

    # -- criteria ----------------------------------------------------------------------------------------------------

    def criterion(self) -> dict[str, Any]:
        kind = self.rng.choice(("attribute", "event", "event", "event", "frequency", "recency"))
        if kind == "attribute" and not self.attributes:
            kind = "event"
        found: dict[str, Any] = getattr(self, kind)()
        return found

    def attribute(self) -> dict[str, Any]:
        found = self.common("attribute_")
        found["kind"] = "attribute"
        text = self.of_type(self.attributes, "text")
        number = self.of_type(self.attributes, "number")
        form = self.rng.choice(("when", *(["table"] if text else []), *(["bands"] if number else [])))
        if form == "when":
            found["when"] = self.condition(self.qualified(self.attributes, "lead."))
            self.points_key(found)
            return found
        if form == "table":
            found.update(field=text, table=self.table())
        else:
            found.update(field=number, bands=self.number_bands())
        if self.chance(0.5):
            found["otherwise"] = self.points()
        if self.chance(0.5):
            found["missing"] = self.points()
        return found

    def number_bands(self) -> list[dict[str, Any]]:
        starts = sorted(self.rng.sample((-1e300, -5, 0, 0.1, 0.3, 1, 2.5, 3, 100, 1e6), self.rng.choice((1, 2, 4))))
        return [self.band(at_least=start) for start in starts]

    def band(self, **start: Any) -> dict[str, Any]:
        found: dict[str, Any] = dict(start)
        self.points_key(found)
        return found

    def event(self) -> dict[str, Any]:
        found = self.common("event_")
        found["kind"] = "event"
        found.update(self.on_where())
        self.event_points(found)
        fields = self.properties(found["on"])
        if self.chance(0.8):
            found["decay"] = self.decay()
        if fields and self.chance(0.25):
            found["unique_by"] = self.rng.choice(list(fields))
        if self.chance(0.25):
            found["cooldown"] = self.duration(high=90 * DAY)
        if self.chance(self.limited):
            per = self.rng.choice(("hour", "hour", "day", "day", "week", "ever"))
            found["limit"] = {"count": self.rng.choice((1, 1, 2, 3)), "per": per}
        if self.chance(0.2):
            found["reset"] = self.on_where()
        return found

    def event_points(self, found: dict[str, Any]) -> None:
        """A number, stars, ``per`` a number or ``by`` a text of the event (spec 4.4)."""
        fields = self.properties(found["on"])
        number, text = self.of_type(fields, "number"), self.of_type(fields, "text")
        if number and self.chance(0.3):
            points: dict[str, Any] = {
                "per": number,
                "rate": self.rng.choice((1, 0.5, -2, 0.1, 0.000001, 1000, 33.333333)),
            }
            points.update(self.bounds(0.4))
            found["points"] = points
        elif text and self.chance(0.3):
            points = {"by": text, "table": self.table()}
            if self.chance(0.5):
                points["otherwise"] = self.points()
            if self.chance(0.5):
                points["missing"] = self.points()
            found["points"] = points
        else:
            self.points_key(found)

    def decay(self) -> dict[str, Any]:
        kind = self.rng.choice(("half_life", "half_life", "linear", "expire", "steps", "periodic", "periodic"))
        found: dict[str, Any]
        if kind == "half_life":
            found = {"half_life": self.duration(low=HOUR)}
        elif kind == "steps":
            starts = self.ascending_durations(self.rng.choice((1, 2, 4)))
            found = {"steps": [{"after": start, "factor": self.fraction()} for start in starts]}
        elif kind == "periodic":
            lose = self.rng.choice((0.01, 0.1, 0.25, 0.333333, 0.5, 0.999999, 1))
            found = {"periodic": {"every": self.duration(low=DAY), "lose": lose}}
            if self.chance(0.6):
                found["periodic"]["compound"] = self.chance(0.8)
        else:
            found = {kind: self.duration()}
        if self.chance(0.3):
            found["delay"] = "0s" if self.chance(0.1) else self.duration(high=365 * DAY)
        if self.chance(0.3):
            found["keep"] = self.rng.choice((0.5, 0.1, 0.333333, 0.999999, 0.000001))
        return found

    def frequency(self) -> dict[str, Any]:
        found = self.common("frequency_")
        found["kind"] = "frequency"
        found.update(self.on_where())
        if self.chance(0.7):
            found["within"] = self.duration()
        fields = self.properties(found["on"])
        if fields and self.chance(0.35):
            found["distinct"] = self.rng.choice(list(fields))
        if self.chance(0.5):
            found["at_least"] = self.rng.choice((1, 1, 2, 3))
            self.points_key(found)
        else:
            starts = sorted(self.rng.sample((1, 2, 3, 4, 6, 1000), self.rng.choice((1, 2, 3))))
            found["bands"] = [self.band(at_least=start) for start in starts]
        if self.chance(0.25):
            found["reset"] = self.on_where()
        return found

    def recency(self) -> dict[str, Any]:
        found = self.common("recency_")
        found["kind"] = "recency"
        found.update(self.on_where())
        found["bands"] = [self.band(within=d) for d in self.ascending_durations(self.rng.choice((1, 2, 3)))]
        if self.chance(0.5):
            found["otherwise"] = self.points()
        if self.chance(0.5):
            found["never"] = self.points()
        if self.chance(0.25):
            found["reset"] = self.on_where()
        return found

    # -- scores ------------------------------------------------------------------------------------------------------

    def group(self) -> dict[str, Any]:
        found: dict[str, Any] = {"criteria": [self.criterion() for _ in range(self.rng.choice((1, 2, 3)))]}
        found.update(self.bounds(0.3))
        if self.chance(0.4):
            found["weight"] = self.factor()
        if self.chance(0.35):
            found["fade"] = self.fade()
        if self.chance(0.25):
            found["reset"] = self.on_where()
        return found

    def fade(self) -> dict[str, Any]:
        found = self.on_where(0.4)
        spans = self.ascending_durations(self.rng.choice((1, 2, 3)))
        found["bands"] = [{"within": span, "factor": self.fraction()} for span in spans]
        if self.chance(0.5):
            found["otherwise"] = self.fraction()
        if self.chance(0.5):
            found["never"] = self.fraction()
        return found

    def scores(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for number in range(self.rng.choice((1, 1, 2, 3))):
            name = ("fit", "engagement", "Extra_1")[number]
            if self.chance(0.6):
                groups = {("intent", "habit", "Größe")[i]: self.group() for i in range(self.rng.choice((1, 1, 2, 3)))}
                found[name] = {"groups": groups}
            else:
                found[name] = {"criteria": [self.criterion() for _ in range(self.rng.choice((1, 2, 4)))]}
            found[name].update(self.bounds(0.25))
        plain = list(found)
        if self.chance(0.5):
            chosen = self.rng.sample(plain, self.rng.choice((1, len(plain))))
            found["total"] = {"combine": {one: self.factor() for one in chosen}, **self.bounds(0.25)}
            if self.chance(0.3):
                found["_all"] = {"combine": {"total": self.factor(), plain[0]: self.factor()}, **self.bounds(0.2)}
            if self.chance(0.3):  # a score may come before those it combines
                found = {name: found[name] for name in reversed(found)}
        for score in found.values():
            if self.chance(0.4):
                score["grades"] = self.grades()
        return found

    def grades(self) -> list[dict[str, Any]]:
        count = self.rng.choice((1, 2, 3))
        bounds: list[Any] = sorted(self.rng.sample((-10, -0.5, 0, 0.000001, 5, 10, 20, 40), count), reverse=True)
        names = self.rng.sample(("A", "B", "C", "hot", "Straße", "a b"), count + 1)
        if count == 1 and self.chance(0.15):
            bounds = [{"stars": 1}]
        return [*({"name": n, "at_least": b} for n, b in zip(names, bounds, strict=False)), {"name": names[-1]}]

    def conclusions(self, found: dict[str, Any]) -> None:
        """Rating, labels, thresholds and accounts (spec 6.4 to 6.6)."""
        scores = list(found["scores"])
        graded = [name for name in scores if "grades" in found["scores"][name]]
        if graded and self.chance(0.6):
            found["rating"] = self.rng.sample(graded, self.rng.choice((1, len(graded))))
        if self.chance(0.4):
            fields = self.qualified(self.attributes, "lead.")
            fields.update({f"score.{name}": "score" for name in scores})
            fields.update({f"grade.{name}": "grade" for name in graded})
            if "rating" in found:
                fields["rating"] = "grade"
            names = self.rng.sample(("MQL", "cold", "warm", "to call"), self.rng.choice((2, 3)))
            labels: list[dict[str, Any]] = [{"name": name, "when": self.condition(fields)} for name in names[:-1]]
            found["labels"] = [*labels, {"name": names[-1]}]
        if self.chance(0.5):
            found["thresholds"] = {name: self.threshold(scores) for name in self.rng.sample(("mql", "Hot_2"), 1)}
        if self.chance(0.35):
            found["accounts"] = self.accounts(scores)

    def clause(self, name: str, type_: str) -> dict[str, Any]:
        """Grades are text of their own alphabet."""
        if type_ != "grade":
            return super().clause(name, type_)
        op = self.rng.choice(("eq", "ne", "in", "not_in", "starts_with", "contains"))
        one = self.rng.choice(("A", "b", "HOT", "STRASSE", "Ab", "C", "straße"))
        return {"field": name, "op": op, "value": [one, "c"] if op in ("in", "not_in") and one != "C" else
                [one] if op in ("in", "not_in") else one}  # fmt: skip

    def threshold(self, scores: list[str]) -> dict[str, Any]:
        at = self.rng.choice((0, 5, 10, 0.000001, 40, -3))
        found: dict[str, Any] = {"score": self.rng.choice(scores), "at": at}
        if self.chance(0.5):
            found["release"] = at - self.rng.choice((0, 1, 5))
        if self.chance(0.3):
            found["latch"] = self.chance(0.7)
        return found

    def accounts(self, scores: list[str]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for by in self.rng.sample(("sum", "max", "mean", "top", "champion"), self.rng.choice((1, 2, 5))):
            found[f"account_{by}"] = {"of": self.rng.choice(scores), "by": by}
            if by == "top":
                found[f"account_{by}"]["n"] = self.rng.choice((1, 2, 3))
            if by == "champion":
                found[f"account_{by}"]["share"] = self.fraction()
        return {"scores": found} if self.chance(0.7) else {"key": "account_id", "scores": found}
