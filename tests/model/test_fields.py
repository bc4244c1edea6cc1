"""Typed Python: fields, conditions joined by operators, models from classes (spec 3, design 5)."""

from __future__ import annotations

import ast
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar, Optional

import pytest

import leadcore.model
from leadcore.errors import ModelError
from leadcore.model import Model
from leadcore.model.condition import All, Any_, Clause, Not
from leadcore.model.criterion import AttributeCriterion, EventCriterion, FrequencyCriterion, Limit, PerProperty
from leadcore.model.decay import HalfLife
from leadcore.model.fields import Attributes, Boolean, EventType, Instant, Number, Text, declared, field
from leadcore.model.lifecycle import Lifecycle, Manual, Stage, Transition
from leadcore.model.score import Score


class Lead(Attributes):
    """Attributes as a user writes them, both ways."""

    shared: ClassVar[int] = 1

    job_title: Text
    employees: Number
    student: Boolean
    since: Instant
    region: Text = field(optional=True, title="Region")
    country: str
    revenue: float | None
    vip: Optional[bool]  # noqa: UP045 (users write it)
    born: date


class PageView(EventType):
    """An event type named by its class."""

    url: Text
    seconds: Number


class CRMSync(EventType, name="sync"):
    """An event type named by hand."""

    status: str


class LandingPageView(PageView):
    """An event type that has the properties of another, and more."""

    campaign: Text


def tree(condition: Any) -> Any:
    return condition.model_dump(by_alias=True, exclude_none=True)


def clause(field: str, op: str, value: Any) -> Any:
    return {"field": field, "op": op, "value": value}


def test_declarations() -> None:
    assert declared(Lead) == {
        "job_title": {"type": "text"},
        "employees": {"type": "number"},
        "student": {"type": "boolean"},
        "since": {"type": "instant"},
        "region": {"type": "text", "optional": True, "title": "Region"},
        "country": {"type": "text"},
        "revenue": {"type": "number", "optional": True},
        "vip": {"type": "boolean", "optional": True},
        "born": {"type": "instant"},
    }
    assert (PageView.__event_type__, CRMSync.__event_type__) == ("page_view", "sync")
    assert list(declared(LandingPageView)) == ["url", "seconds", "campaign"]
    assert LandingPageView.__event_type__ == "landing_page_view"


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (lambda: Lead.job_title == "VP", clause("job_title", "eq", "VP")),
        (lambda: Lead.job_title != "VP", clause("job_title", "ne", "VP")),
        (lambda: Lead.job_title.is_in("a", "b"), clause("job_title", "in", ("a", "b"))),
        (lambda: Lead.job_title.not_in("a"), clause("job_title", "not_in", ("a",))),
        (lambda: Lead.job_title.contains("VP"), clause("job_title", "contains", "VP")),
        (lambda: Lead.job_title.has_word("VP", "Chief"), clause("job_title", "has_word", ("VP", "Chief"))),
        (lambda: Lead.job_title.starts_with("a"), clause("job_title", "starts_with", "a")),
        (lambda: Lead.job_title.ends_with("a"), clause("job_title", "ends_with", "a")),
        (lambda: Lead.job_title.matches("^a"), clause("job_title", "matches", "^a")),
        (lambda: Lead.job_title.contains("VP", case_sensitive=True), clause("job_title", "contains", "VP") | {"case_sensitive": True}),
        (lambda: Lead.job_title.exists(), clause("job_title", "exists", True)),
        (lambda: Lead.job_title.exists(False), clause("job_title", "exists", False)),
        (lambda: Lead.employees < 5, clause("employees", "lt", Decimal(5))),
        (lambda: Lead.employees <= 5, clause("employees", "le", Decimal(5))),
        (lambda: Lead.employees > 0.1, clause("employees", "gt", Decimal("0.1"))),
        (lambda: Lead.employees >= 5, clause("employees", "ge", Decimal(5))),
        (lambda: Lead.employees.between(1, Decimal(2)), clause("employees", "between", (Decimal(1), Decimal(2)))),
        (lambda: Lead.since >= datetime(2026, 1, 31), clause("since", "ge", "2026-01-31T00:00:00Z")),
        (lambda: Lead.since < date(2026, 1, 31), clause("since", "lt", "2026-01-31")),
        (lambda: Lead.student == True, clause("student", "eq", True)),  # noqa: E712
        (lambda: PageView.url.contains("x"), clause("event.url", "contains", "x")),
        (lambda: ~(Lead.employees > 5), {"not": clause("employees", "gt", Decimal(5))}),
        (lambda: ~~(Lead.employees > 5), clause("employees", "gt", Decimal(5))),
    ],
)  # fmt: skip
def test_what_a_field_builds(condition: Any, expected: Any) -> None:
    assert tree(condition()) == expected


def test_joining_is_flat() -> None:
    a, b, c = Lead.employees > 1, Lead.employees > 2, Lead.employees > 3

    assert (a & b & c) == (a & (b & c)) == All(all=(a, b, c))
    assert (a | b | c) == Any_(any=(a, b, c))
    assert (a & b) | c == Any_(any=(All(all=(a, b)), c))
    assert ~(a | b) == Not(not_=Any_(any=(a, b)))
    assert isinstance(a, Clause)


@pytest.mark.parametrize(
    ("mistake", "words"),
    [
        (lambda: bool(Lead.employees > 5), "join conditions with"),
        (lambda: Lead.employees > 5 and Lead.student == True, "join conditions with"),  # noqa: E712
        (lambda: not Lead.employees > 5, "join conditions with"),
        (lambda: 1 < Lead.employees < 5, "between"),
        (lambda: "VP" in Lead.job_title, "contains"),
        (lambda: (Lead.job_title == "a") in [Lead.job_title == "b"], "never"),
        (lambda: "VP" in (Lead.job_title == "VP"), "is_in"),
        (lambda: bool(Lead.student), "join conditions with"),
        (lambda: list(Lead.job_title), "walked through"),
        (lambda: 5 & (Lead.employees > 5), "unsupported operand"),
        (lambda: (Lead.employees > 5) & True, "unsupported operand"),
        (lambda: Lead(), "declares fields"),
    ],
)
def test_mistakes_are_told(mistake: Any, words: str) -> None:
    if words == "never":  # conditions keep the equality of values
        assert mistake() is False
        return
    with pytest.raises(TypeError, match=words):
        mistake()


def test_a_field_of_no_type() -> None:
    with pytest.raises(TypeError, match=r"Bad\.tags: a field is lc\.Text"):

        class Bad(Attributes):
            tags: list[str]

    with pytest.raises(TypeError, match="only event types are named"):

        class Named(Attributes, name="x"):
            tag: str


def typed() -> Model:
    return Model(
        name="typed",
        attributes=Lead,
        events=[PageView, CRMSync],
        scores={
            "fit": Score(
                criteria=[
                    AttributeCriterion(name="vp", when=Lead.job_title.has_word("VP", "Chief") & (Lead.employees >= 200), points=20),
                    AttributeCriterion(name="size", field=Lead.revenue, bands=[{"at_least": 5, "points": 0.1}]),
                ]
            ),
            "acts": Score(
                criteria=[
                    EventCriterion(
                        name="pricing",
                        on=[PageView],
                        where=PageView.url.contains("/pricing"),
                        points=PerProperty(per=PageView.seconds, rate=0.5, max=10),
                        decay=HalfLife(half_life=timedelta(days=14)),
                        unique_by=PageView.url,
                        limit=Limit(count=3, per="day"),
                    ),
                    FrequencyCriterion(name="often", on=PageView, distinct=PageView.url, at_least=3, points=5),
                ]
            ),
        },
        lifecycle=Lifecycle(
            initial="new",
            stages=[Stage(name="new"), Stage(name="won")],
            manual=Manual(on=CRMSync, field=CRMSync.status),
            transitions=[Transition(name="win", from_="new", to="won", on=[PageView], when=(PageView.seconds > 5) & (Lead.employees > 5))],
        ),
    )  # fmt: skip


def test_a_typed_model_is_its_document() -> None:
    """Python and the document that it writes are equal models."""
    model = typed()

    assert Model.from_yaml(model.to_yaml()) == model
    assert Model.from_yaml(model.to_yaml()).semantics == model.semantics
    assert model.scores["acts"].criteria is not None
    assert tree(model.scores["acts"].criteria[0])["where"] == clause("url", "contains", "/pricing")
    assert model.lifecycle is not None
    assert tree(model.lifecycle.transitions[0])["when"]["all"][0]["field"] == "event.seconds"


def test_faults_of_a_typed_model() -> None:
    with pytest.raises(ModelError, match=r"scores.s.criteria\[0\].on\[0\]: there is no event type `sync`"):
        Model(
            name="m",
            events=[PageView],
            scores={"s": Score(criteria=[EventCriterion(name="a", on=[CRMSync], points=1)])},
        )
    with pytest.raises(ModelError, match=r"`where` cannot look at `lead\.`"):
        Model(
            name="m",
            attributes=Lead,
            events=[PageView],
            scores={"s": Score(criteria=[EventCriterion(name="a", on=[PageView], where={"field": "lead.country", "op": "eq", "value": "NO"}, points=1)])},
        )  # fmt: skip
    with pytest.raises(ModelError, match="two event types are called `page_view`"):
        Model(name="m", events=[PageView, PageView], scores={})


def test_what_may_be_given_is_what_there_is() -> None:
    """The signatures for type checkers name the fields of their classes, all of them and nothing else."""
    rooms = Path(leadcore.model.__file__).parent
    seen = 0
    for room in ("account", "criterion", "decay", "document", "lifecycle", "score"):
        for node in ast.parse((rooms / f"{room}.py").read_text()).body:
            if not isinstance(node, ast.ClassDef):
                continue
            for block in (inner for inner in node.body if isinstance(inner, ast.If)):
                (signature,) = (inner for inner in block.body if isinstance(inner, ast.FunctionDef))
                names = {argument.arg for argument in signature.args.kwonlyargs}
                fields = getattr(__import__(f"leadcore.model.{room}", fromlist=["_"]), node.name).model_fields
                assert names == set(fields) - ({"kind"} if node.name.endswith("Criterion") else set()), node.name
                seen += 1
    assert seen >= 30
