"""Documents as text and as dicts: what a scalar is, what is kept, what may be left out (spec 1.2, 3.1, 11)."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from leadcore.errors import ModelError
from leadcore.model import Model
from leadcore.model.base import Named
from leadcore.model.condition import All, Clause, Not
from leadcore.model.criterion import AttributeCriterion, EventCriterion
from leadcore.model.decay import HalfLife
from leadcore.model.duration import Duration
from leadcore.model.lifecycle import Transition
from leadcore.model.scalar import Stars, instant, number, places, plain
from leadcore.model.tree import scalar

EXAMPLE = Path(__file__).parents[1] / "data" / "six_stage.yaml"


def model(**keys: Any) -> Model:
    return Model.model_validate({"name": "m", "scores": {"s": {"criteria": []}}, **keys})


def one(criterion: dict[str, Any], **keys: Any) -> Any:
    """A model of one criterion, and that criterion."""
    document = {
        "name": "m",
        "attributes": {"title": "text", "size": "number", "since": "instant"},
        "events": {"visit": {"url": "text"}},
        "scores": {"s": {"criteria": [{"name": "a", **criterion}]}},
        **keys,
    }
    return Model.model_validate(document).scores["s"].criteria[0]  # type: ignore[index]


def test_the_example_of_the_spec() -> None:
    """Spec 13 loads from a file, from text, as JSON and as a dict, always to the same model."""
    loaded = Model.load(EXAMPLE)

    assert loaded == Model.from_yaml(EXAMPLE.read_text()) == Model.from_yaml(EXAMPLE.read_bytes())
    assert list(loaded.scores) == ["fit", "engagement", "total"]
    assert loaded.lifecycle is not None
    assert loaded.lifecycle.transitions[0].from_ == ("new", "engaged", "prospect", "mql")
    assert loaded.lifecycle.stages[3].sla is not None
    assert loaded.lifecycle.stages[3].sla.alerts[0].after == 0
    assert [criterion.name for criterion in loaded.criteria()][:2] == ["vice_president", "revenue"]


def test_a_file_by_its_ending(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    path.write_text(Model.load(EXAMPLE).to_json())

    assert Model.load(path) == Model.load(str(path)) == Model.load(EXAMPLE)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on", "on"), ("no", "no"), ("yes", "yes"), ("2026-01-31", "2026-01-31"), ("12:30", "12:30"), ("1_000", "1_000"),
        ("true", True), ("True", True), ("FALSE", False), ("tRUE", "tRUE"),
        ("~", None), ("null", None), ("NULL", None), ("", None), ("nil", "nil"),
        ("1", Decimal(1)), ("-1.50", Decimal("-1.50")), ("+.5", Decimal("0.5")), ("1.", Decimal(1)), ("1e3", Decimal(1000)),
        ("0x1F", Decimal(31)), ("0o17", Decimal(15)), ("017", Decimal(17)), ("0b1", "0b1"), ("1e", "1e"), ("-", "-"),
        ("0.1", Decimal("0.1")), ("١", "١"),
    ],
)  # fmt: skip
def test_plain_scalars_follow_the_core_schema(text: str, value: Any) -> None:
    """YAML 1.2 core schema: numbers as decimals, the rest is text."""
    found = scalar(text)
    assert (type(found), found) == (type(value), value)


def test_keys_are_text_however_they_are_written() -> None:
    document = (
        "name: m\nattributes: {country: text}\nscores: {s: {criteria: [{name: a, kind: attribute, field: country,"
    )
    document += ' table: {no: 1, 47: 2, true: 3, "null": 4, x-ray: 5}}]}}\n'
    (criterion,) = Model.from_yaml(document).scores["s"].criteria or ()

    assert isinstance(criterion, AttributeCriterion)
    assert criterion.table == {"no": 1, "47": 2, "true": 3, "null": 4, "x-ray": 5}


def test_extension_keys_are_kept_anywhere() -> None:
    """Keys starting `x-` may stand in any mapping of the document but a table, whose keys are data."""
    document = """
name: m
x-owner: {team: [a, b]}
attributes: {x-note: 1, title: {type: text, x-source: crm}}
events: {x-all: null, visit: {x-n: 1, url: text}}
scores:
  x-comment: anything
  s:
    x-s: 1
    groups: {x-g: [], g: {x-g: 1, criteria: [{name: a, kind: event, x-c: true, on: visit, points: 1}]}}
"""
    loaded = Model.from_yaml(document)

    assert loaded.model_extra == {"x-owner": {"team": ("a", "b")}}
    assert list(loaded.attributes) == ["title"]
    assert list(loaded.scores) == ["s"]
    assert isinstance(loaded.scores, Named)
    assert loaded.scores.extensions == {"x-comment": "anything"}
    again = Model.from_yaml(loaded.to_yaml())
    assert again == loaded
    assert again.fingerprint == loaded.fingerprint
    plain_one = Model.from_yaml("\n".join(line for line in document.splitlines() if not line.startswith("x-owner")))
    assert plain_one.fingerprint != loaded.fingerprint
    assert plain_one.semantics == loaded.semantics


def test_segments_and_tests_are_kept_as_they_are() -> None:
    loaded = model(segments={"big": {"size": [1, 2.5, None, True]}}, tests=[{"given": {"a": "b"}}])

    assert loaded.segments == {"big": {"size": (1, Decimal("2.5"), None, True)}}
    assert Model.from_yaml(loaded.to_yaml()) == loaded
    with pytest.raises(ModelError, match="a document holds text, numbers"):
        model(tests=[object()])
    with pytest.raises(ModelError, match="a document holds text, numbers"):
        model(segments=float("nan"))


def test_an_event_type_without_properties() -> None:
    assert Model.from_yaml("name: m\nevents: {webinar: , call: {}}\nscores: {}\n").events == {"webinar": {}, "call": {}}


def test_null_is_the_same_as_nothing_where_a_key_is_optional() -> None:
    assert model(description=None, lifecycle=None) == model()


def test_one_name_without_brackets() -> None:
    criterion = one({"kind": "event", "on": "visit", "points": 1})
    assert criterion.on == ("visit",)


def test_values_of_clauses() -> None:
    """Numbers become decimals, lists tuples, instants ISO text; text and booleans stay."""

    def value(given: Any) -> Any:
        return Clause(field="f", op="eq", value=given).value

    assert value(0.1) == Decimal("0.1")
    assert value(10) == Decimal(10)
    assert isinstance(value(10), Decimal)
    assert value(True) is True
    assert value(["a", 1]) == ("a", Decimal(1))
    assert value(datetime(2026, 1, 31, 9, 30)) == "2026-01-31T09:30:00Z"
    assert value(datetime(2026, 1, 31, 9, tzinfo=UTC)) == "2026-01-31T09:00:00Z"
    assert value(datetime(2026, 1, 31, tzinfo=timezone(timedelta(hours=2)))) == "2026-01-31T00:00:00+02:00"
    assert value(date(2026, 1, 31)) == "2026-01-31"
    assert value(Decimal("-0")).is_signed() is False
    for bad in (None, object(), float("nan"), 10**5000, {"a": 1}):
        with pytest.raises(ModelError):
            value(bad)


def test_prefixes_that_say_nothing_new_are_left_out() -> None:
    """`lead.X` in `when` and `event.X` in `where` are the same model as X (spec 3.1)."""
    when = {"not": {"any": [{"field": "lead.title", "op": "eq", "value": "x"}]}}
    criterion = one({"kind": "attribute", "when": when, "points": 1})

    assert criterion.when.not_.any[0].field == "title"
    where = {"field": "event.url", "op": "eq", "value": "x"}
    assert one({"kind": "event", "on": "visit", "where": where, "points": 1}).where.field == "url"


def test_stars_are_points() -> None:
    loaded = Model.model_validate(
        {
            "name": "m",
            "points_per_star": 7,
            "attributes": {"size": "number"},
            "scores": {
                "s": {
                    "criteria": [
                        {
                            "name": "a",
                            "kind": "attribute",
                            "field": "size",
                            "bands": [{"at_least": 1, "stars": 2}, {"at_least": 2, "points": {"stars": 0.5}}],
                        }
                    ]
                }
            },
        }
    )
    (criterion,) = loaded.scores["s"].criteria or ()
    assert isinstance(criterion, AttributeCriterion)
    assert criterion.bands is not None
    assert [loaded.points(band.points) for band in criterion.bands] == [14, Decimal("3.5")]
    assert loaded.micropoints(Stars(stars=Decimal("0.1"))) == 700_000
    assert "stars: 2" in loaded.to_yaml()


def test_numbers_of_python() -> None:
    assert (number(0.1), number(1), number(Decimal("1.50"))) == (Decimal("0.1"), Decimal(1), Decimal("1.5"))
    assert (plain(Decimal("1E+3")), plain(Decimal("1.50")), plain(Decimal(100))) == ("1000", "1.5", "100")
    assert (places(Decimal("1.50")), places(Decimal("1E+3")), places(Decimal("0.000001"))) == (1, 0, 6)
    for bad in (True, "1", None, float("inf"), Decimal("1e999999999"), Decimal("1e-999999999")):
        with pytest.raises(ValueError, match="number"):
            number(bad)


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("1970-01-01", 0), ("1970-01-01T00:00Z", 0), ("1970-01-01 00:00:01", 1_000_000), ("1970-01-01T01:00+0100", 0),
        ("1970-01-01T00:00:00.1234567Z", 123_456), ("0001-01-01", -62_135_596_800_000_000),
    ],
)  # fmt: skip
def test_instants(text: str, micros: int) -> None:
    assert instant(text) == micros


@pytest.mark.parametrize(
    "text",
    ["", "1970", "1970-1-1", "1970-01-01T", "1970-01-01T25:00", "0001-01-01T00:00+01:00", "19700101", "١٩٧٠-01-01"],
)
def test_no_instants(text: str) -> None:
    with pytest.raises(ValueError, match=r"8601|exist|years"):
        instant(text)


@pytest.mark.parametrize(
    ("text", "same", "canonical"),
    [
        ("14d", "P14D", "2w"), ("36h", "PT36H", "1d12h"), ("90m", "PT90M", "1h30m"), ("45s", "PT45S", "45s"),
        ("2w", "P2W", "2w"), ("1w1d", "P8D", "8d"), ("1d12h", "P1DT12H", "1d12h"), ("36525d", "P36525D", "36525d"),
    ],
)  # fmt: skip
def test_durations(text: str, same: str, canonical: str) -> None:
    assert Duration(text) == Duration(same)
    assert str(Duration(text)) == canonical
    assert Duration(canonical) == Duration(text)


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(36_525)))
def test_a_duration_is_its_text(span: timedelta) -> None:
    """A timedelta of whole seconds goes to text and back unchanged."""
    whole = span - timedelta(microseconds=span.microseconds)
    assert Duration(str(Duration(whole))) == Duration(whole) == whole // timedelta(microseconds=1)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "P",
        "PT",
        "P1DT",
        "1h1d",
        "1d1d",
        "1 d",
        "1D",
        "-1d",
        "1.5d",
        "1mo",
        "P1M",
        "P1Y",
        "1y",
        "d",
        "9" * 5000 + "d",
    ],
)
def test_no_durations(text: str) -> None:
    with pytest.raises(ModelError):
        HalfLife(half_life=text)


def test_models_are_values() -> None:
    """Equal documents are equal models; models hash, copy, pickle, and do not change."""
    one_model, other = Model.load(EXAMPLE), Model.load(EXAMPLE)

    assert one_model == other
    assert hash(one_model) == hash(other)
    assert pickle.loads(pickle.dumps(one_model)) == one_model
    assert copy.deepcopy(one_model) == one_model
    with pytest.raises(ValidationError):
        one_model.name = "other"
    with pytest.raises(TypeError, match="immutable"):
        one_model.scores["new"] = one_model.scores["fit"]


def test_parts_are_checked_where_they_are_made() -> None:
    with pytest.raises(ModelError, match=r"EventCriterion: 2 faults"):
        EventCriterion(name="a", on="visit", points="many", decay=HalfLife(half_life="14d"), colour=1)  # type: ignore[arg-type,call-arg]
    assert Transition(name="a", from_="x", to="y").from_ == ("x",)
    with pytest.raises(ModelError, match="unknown key `from_`"):
        Model.model_validate(
            {
                "name": "m",
                "scores": {},
                "lifecycle": {
                    "initial": "a",
                    "stages": [{"name": "a"}],
                    "transitions": [{"name": "t", "from_": "a", "to": "b"}],
                },
            }
        )


def test_a_model_within_other_types() -> None:
    """A field of type Model in somebody else's pydantic class is checked as a whole."""

    class Settings(BaseModel):
        scoring: Model

    assert Settings.model_validate({"scoring": {"name": "m", "scores": {}}}).scoring.name == "m"
    with pytest.raises(ValidationError, match="there is no score `z`"):
        Settings.model_validate({"scoring": {"name": "m", "scores": {}, "rating": ["z"]}})


def test_deeply_built_conditions_are_refused() -> None:
    """64 levels are allowed, one more is not, whether from text or from Python (spec 3.1)."""

    def nested(depth: int) -> Any:
        condition: Any = Clause(field="title", op="eq", value="x")
        for n in range(depth):
            condition = Not(not_=condition) if n % 2 else All(all=(condition,))
        return condition

    def built(condition: Any) -> Any:
        return one({"kind": "attribute", "when": condition, "points": 1})

    assert built(nested(64)) == built(nested(64).model_dump(by_alias=True, exclude_none=True))
    for depth in (65, 70):
        with pytest.raises(ModelError, match="at most 64 deep"):
            built(nested(depth))
        with pytest.raises(ModelError, match="at most 64 deep"):
            built(nested(depth).model_dump(by_alias=True, exclude_none=True))
    with pytest.raises(ModelError, match="at most 64 deep"):
        built(nested(3_000))
