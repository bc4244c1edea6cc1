"""Hostile documents end in a `ModelError` and in bounded time, whatever they hold (spec 11)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from leadcore.errors import ModelError
from leadcore.model import Model

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

    assert time.process_time() - began < 20


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
