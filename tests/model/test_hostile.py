"""Hostile documents end in a `ModelError` and in bounded time, whatever they hold (spec 11)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from leadcore.errors import LeadcoreError, ModelError
from leadcore.model import Model
from leadcore.scorer import Scorer

SIZE = 4_900_000


def filled(head: str, item: str, tail: str = "") -> str:
    return head + item * ((SIZE - len(head)) // len(item)) + tail


def numbered(head: str, item: Callable[[int], str], tail: str, count: int) -> str:
    return (head + "".join(map(item, range(count))) + tail)[: SIZE + 100_000]


DOCUMENTS = {
    "deep lists": ("yaml", "[" * SIZE),
    "deep mappings": ("json", '{"a":' * (SIZE // 5)),
    "deep conditions": ("json", json.dumps({"name": "m", "scores": {}})[:-1] + ', "labels": [{"name": "a", "when": ' + '{"not":' * 150 + "1" + "}" * 150 + "}]}"),
    "a long scalar": ("yaml", "name: " + "a" * SIZE),
    "a long number": ("yaml", "points_per_star: " + "9" * SIZE),
    "a long duration": ("json", '{"name":"m","scores":{},"lifecycle":{"evaluate":{"every":"' + "9" * SIZE + 'd"}}}'),
    "many unknown keys": ("json", numbered('{"name":"m","scores":{}', lambda n: f',"k{n}":1', "}", 300_000)),
    "many long unknown keys": ("json", numbered('{"name":"m","scores":{}', lambda n: f',"{"k" * 900}{n}":1', "}", 5_000)),
    "many list items": ("json", filled('{"name":"m","scores":{},"rating":[', "1,", "1]}")),
    "many criteria": ("json", filled('{"name":"m","scores":{"s":{"criteria":[', "{},", "{}]}}")),
    "many criteria in many scores": ("json", numbered('{"name":"m","scores":{', lambda n: f'"s{n}":{{"criteria":[{{}},{{}}]}},', '"s":{}}}', 100_000)),
    "many bad points": ("json", numbered('{"name":"m","scores":{"s":{"criteria":[{"name":"a","kind":"attribute","field":"a","table":{"a":1', lambda n: f',"k{n}":"x"', "}}]}}}", 300_000)),
    "many unknown attributes": ("json", numbered('{"name":"m","attributes":{"aaaaa":"text"', lambda n: f',"aaab{n}":"txt"', '},"scores":{}}', 200_000)),
    "many unknown types": ("json", numbered('{"name":"m","events":{"a":{}},"scores":{"s":{"criteria":[{"name":"a","kind":"event","points":1,"on":["a"', lambda n: f',"b{n}"', "]}]}}}", 65_000)),
    "many names to choose from": ("json", numbered('{"name":"m","attributes":{"a":"text"', lambda n: f',"attribute{n}":"text"', '},"scores":{"s":{"criteria":[{"name":"a","kind":"attribute","points":1,"when":{"all":[' + ",".join(f'{{"field":"atribute{n}","op":"eq","value":"a"}}' for n in range(20_000, 30_000)) + "]}}]}}}", 20_000)),
    "aliases of aliases": ("yaml", "x-0: &a0 [a, a, a, a, a, a, a, a, a, a]\n" + "".join(f"x-{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 30)) + "name: m\nscores: {}\n"),
    "deep by aliases": ("yaml", "x-0: &a0 [a]\n" + "".join(f"x-{n}: &a{n} [[[[[[[[[[*a{n - 1}]]]]]]]]]]\n" for n in range(1, 2_000)) + "name: m\nscores: {}\n"),
    "many anchors": ("yaml", numbered("name: m\nscores: {}\nx-a:\n", lambda n: f"- &a{n} 1\n", "", 300_000)),
    "many bands": ("json", numbered('{"name":"m","attributes":{"a":"number"},"scores":{"s":{"criteria":[{"name":"a","kind":"attribute","field":"a","bands":[{"at_least":0,"points":1}', lambda n: f',{{"at_least":{n},"points":1}}', "]}]}}}", 60_000)),
    "large table": ("json", numbered('{"name":"m","attributes":{"a":"text"},"scores":{"s":{"criteria":[{"name":"a","kind":"attribute","field":"a","table":{"k":1', lambda n: f',"k{n}":1', "}}],\"y\":1}}}", 300_000)),
    "circles of scores": ("json", numbered('{"name":"m","scores":{"s":{"combine":{"s0":1}}', lambda n: f',"s{n}":{{"combine":{{"s{n + 1}":1}}}}', ',"s50000":{"combine":{"s":1}}}}', 50_000)),
    "wide mappings below the limit": ("json", '{"name":"m","scores":{' + ",".join(f'"s{i}":{{' + ",".join(f'"k{n}":1' for n in range(60_000)) + "}" for i in range(6)) + "}}"),
    "wide events below the limit": ("json", '{"name":"m","scores":{},"events":{' + ",".join(f'"e{i}":{{' + ",".join(f'"k{n}":"t"' for n in range(60_000)) + "}" for i in range(5)) + "}}"),
    "a long rating": ("json", numbered('{"name":"m","scores":{"s":{"criteria":[]}},"rating":["s"', lambda n: f',"r{n}"', "]}", 65_000)),
    "a circle behind each of many scores": ("json", numbered('{"name":"m","scores":{"s0":{"combine":{"s39999":1}}', lambda n: f',"s{n + 1}":{{"combine":{{"s{n}":1,"s39999":1}}}}', "}}", 39_999)),
    "bytes that are no text": ("yaml", "name: \ud800"),
    "a null byte": ("yaml", "name: a\0b\nscores: {}\n"),
}  # fmt: skip


@pytest.mark.parametrize("name", DOCUMENTS)
def test_refused_in_time(name: str) -> None:
    """About a second for 5 MB here; the test allows for slow machines."""
    form, text = DOCUMENTS[name]
    began = time.process_time()
    with pytest.raises(ModelError) as caught:
        (Model.from_yaml if form == "yaml" else Model.from_json)(text)
    took = time.process_time() - began

    assert took < 6, f"{took:.1f} s"
    assert len(str(caught.value)) < 200_000


@pytest.mark.parametrize(
    ("document", "where"),
    [
        ({f"k{n}": 1 for n in range(65_537)}, ""),
        ({"attributes": {f"k{n}": "text" for n in range(65_537)}}, "attributes"),
        ({"scores": {"s": {f"k{n}": "text" for n in range(65_537)}}}, "scores.s"),
    ],
)
def test_mappings_are_bounded(document: dict[str, Any], where: str) -> None:
    """One fault that names the place and the limit, of text and of a dict."""
    for read, source in ((Model.model_validate, document), (Model.from_json, json.dumps(document))):
        with pytest.raises(ModelError) as caught:
            read(source)  # type: ignore[operator]
        (fault,) = caught.value.faults
        assert (fault.path, fault.reason) == (where, "at most 65536 entries are allowed, here are 65537")


def test_the_widest_mapping_is_read() -> None:
    attributes = {f"a{n}": "text" for n in range(65_536)}
    model = Model.model_validate({"name": "m", "attributes": attributes, "scores": {"s": {"criteria": []}}})
    assert list(model.attributes) == list(attributes)


def test_faults_far_apart_in_a_wide_mapping_are_all_told() -> None:
    """A large mapping is read a part at a time; that is not to be seen."""
    attributes = {f"a{n}": "txt" if n in (5, 30_000, 65_000) else "text" for n in range(65_536)}
    with pytest.raises(ModelError) as caught:
        Model.model_validate({"name": "m", "attributes": attributes, "scores": {"s": {"criteria": []}}})
    assert [fault.path for fault in caught.value.faults] == ["attributes.a5", "attributes.a30000", "attributes.a65000"]


def with_patterns(lists: list[Any]) -> dict[str, Any]:
    """A document with a criterion for each of these values."""
    criteria = [
        {"name": f"c{n}", "kind": "attribute", "points": 1, "when": {"field": "a", "op": "matches", "value": value}}
        for n, value in enumerate(lists)
    ]
    return {"name": "m", "attributes": {"a": "text"}, "scores": {"s": {"criteria": criteria}}}


def test_refused_patterns_are_not_all_compiled() -> None:
    began = time.process_time()
    with pytest.raises(ModelError) as caught:
        Model.model_validate(with_patterns([f"\\p{{L}}{{5000}}{n}" for n in range(1_000)]))

    assert time.process_time() - began < 5
    *told, last = caught.value.faults
    assert len(told) == 20
    assert all(fault.reason.startswith("this is no pattern: ") for fault in told)
    assert (last.path, last.reason) == (
        "scores.s.criteria[20].when.value",
        "further patterns were not checked: 980",
    )


def test_patterns_are_counted() -> None:
    """The limits themselves are allowed, one more is not."""
    lists = [[f"a{n}" for n in range(1_000)]]
    Model.model_validate(with_patterns([*lists, ["b"] * 24]))
    with pytest.raises(ModelError) as caught:
        Model.model_validate(with_patterns([*lists, ["b"] * 25]))
    (fault,) = caught.value.faults
    assert (fault.path, fault.reason) == (
        "scores.s.criteria[1].when.value[24]",
        "at most 1024 patterns of one model are allowed, here are 1025",
    )
    with pytest.raises(ModelError) as caught:
        Model.model_validate(with_patterns([["a"] * 1_001]))
    (fault,) = caught.value.faults
    assert (fault.path, fault.reason) == (
        "scores.s.criteria[0].when.value",
        "at most 1000 patterns of one list are allowed, here are 1001",
    )


def test_patterns_too_large_together() -> None:
    """Each is accepted; what compiles them all refuses them, as a fault of the model."""
    model = Model.model_validate(with_patterns([[f"\\w{{18}}{n}" for n in range(150)]]))
    with pytest.raises(ModelError, match="patterns of the model are too large"):
        Scorer(model)


@pytest.mark.parametrize("direction", [1, -1])
def test_a_long_chain_of_scores(direction: int) -> None:
    """Written from either end, it is read, looked through and compiled at once."""
    chain: list[tuple[str, dict[str, Any]]] = [
        ("s0", {"criteria": [{"name": "a", "kind": "event", "on": "e", "points": 1}]}),
        *((f"s{n}", {"combine": {f"s{n - 1}": 1}}) for n in range(1, 4_000)),
    ]
    began = time.process_time()
    model = Model.model_validate({"name": "m", "events": {"e": {}}, "scores": dict(chain[::direction])})
    model.findings()
    scorer = Scorer(model)
    assert time.process_time() - began < 5

    scores = scorer.score([{"lead_id": 1, "at": "2026-03-01", "type": "e"}], as_of="2026-03-02")
    assert scores[1]["s3999"] == 1


def test_five_megabytes_are_the_limit() -> None:
    with pytest.raises(ModelError, match="at most 5 MB"):
        Model.from_yaml("#" * 5_000_001)


def test_patterns_are_bounded() -> None:
    """A thousand patterns that would be slow or large elsewhere."""
    patterns = ["(a+)+$", "(a{1000}){1000}", "(?=a)", "(" * 500, "\\p{L}{5000}", "a" * 100_000]
    criteria = [
        {"name": f"c{n}", "kind": "attribute", "points": 1, "when": {"field": "a", "op": "matches", "value": f"{patterns[n % 6]}{n}"}}
        for n in range(1_000)
    ]  # fmt: skip
    began = time.process_time()
    with pytest.raises(ModelError):
        Model.model_validate({"name": "m", "attributes": {"a": "text"}, "scores": {"s": {"criteria": criteria}}})

    assert time.process_time() - began < 5


def test_objects_that_contain_themselves() -> None:
    document: dict[str, Any] = {"name": "m", "scores": {}}
    document["x-me"] = document
    with pytest.raises(ModelError, match="levels deep"):
        Model.model_validate(document)


@pytest.mark.parametrize(
    "value", [None, 5, "name: m", b"", [], object(), {1: 2}, {"scores": {1: {}}}, {"name": object()}]
)
def test_anything_but_a_document(value: Any) -> None:
    with pytest.raises(ModelError):
        Model.model_validate(value)


@pytest.mark.parametrize(("value", "found"), [(None, "None"), (5, "int"), ({}, "dict"), (["a"], "list")])
def test_no_text(value: Any, found: str) -> None:
    for read in (Model.from_yaml, Model.from_json):
        with pytest.raises(ModelError) as caught:
            read(value)
        (fault,) = caught.value.faults
        assert fault.reason == f"a model document is text or bytes, not {found}"


@pytest.mark.parametrize(("value", "found"), [(None, "None"), (5, "int"), (b"model.yaml", "bytes")])
def test_no_path(value: Any, found: str) -> None:
    with pytest.raises(ModelError) as caught:
        Model.load(value)
    (fault,) = caught.value.faults
    assert fault.reason == f"a model is loaded from a path as text, not {found}"


@pytest.mark.parametrize(("value", "found"), [(None, "None"), ({"name": "m"}, "dict"), ("name: m", "str")])
def test_no_model(value: Any, found: str) -> None:
    with pytest.raises(LeadcoreError) as caught:
        Scorer(value)
    assert str(caught.value) == (
        f"a scorer is compiled from a leadcore.Model, not from {found}: use Model.model_validate(...)"
    )


def test_true_is_no_version() -> None:
    for build in (lambda: Model(leadcore=True, name="m", scores={}), lambda: Model.model_validate({"leadcore": True, "name": "m", "scores": {}})):  # type: ignore[arg-type] # fmt: skip
        with pytest.raises(ModelError, match="leadcore: 1 is wanted here, not true"):
            build()


def test_limits_of_numbers() -> None:
    """The limits themselves are allowed, one more is not."""

    def model(criteria: int, stages: int, transitions: int) -> Model:
        return Model.model_validate(
            {
                "name": "m",
                "events": {"e": {}},
                "scores": {"s": {"criteria": [{"name": f"c{n}", "kind": "event", "on": "e", "points": 1} for n in range(criteria)]}},
                "lifecycle": {
                    "initial": "s0",
                    "stages": [{"name": f"s{n}"} for n in range(stages)],
                    "transitions": [{"name": f"t{n}", "from": "s0", "to": "s1"} for n in range(transitions)],
                },
            }
        )  # fmt: skip

    model(4_096, 256, 4_096)
    with pytest.raises(ModelError) as caught:
        model(4_097, 257, 4_097)
    assert [fault.reason for fault in caught.value.faults] == [
        "at most 4096 criteria are allowed, here are 4097",
        "at most 256 stages are allowed, here are 257",
        "at most 4096 transitions are allowed, here are 4097",
    ]
