"""Bad documents and their messages: the table is `faults.yaml` beside this file.

``python -m tests.model.test_faults`` writes the messages anew; read the difference before committing it.
"""

from __future__ import annotations

import json
import pickle
import re
from pathlib import Path
from typing import Any

import pytest

from leadcore.errors import ModelError
from leadcore.model import Model
from leadcore.model.text import document_events
from leadcore.model.tree import build

TABLE = Path(__file__).with_name("faults.yaml")


def cases() -> list[dict[str, Any]]:
    """The rows of the table."""
    rows, flaws, _ = build(document_events(TABLE.read_bytes(), "yaml"))
    assert not flaws
    assert all(row.keys() == {"name", "document", "message"} for row in rows)
    return list(rows)


def refused(document: str) -> ModelError:
    with pytest.raises(ModelError) as caught:
        Model.from_yaml(document)
    return caught.value


CASES = cases()


@pytest.mark.parametrize("case", CASES, ids=[case["name"].replace(" ", "-") for case in CASES])
def test_message(case: dict[str, Any]) -> None:
    """Every bad document is refused with exactly these words."""
    assert str(refused(case["document"])) == case["message"].rstrip("\n")


def tree_of(case: dict[str, Any]) -> Any:
    """The document as a dict, or None where it is no tree or its faults can be seen in text only."""
    try:
        tree, flaws, _ = build(document_events(case["document"].encode(), "yaml"))
    except (ModelError, ValueError):
        return None
    return None if flaws else tree


TREES = [case for case in CASES if tree_of(case) is not None]


@pytest.mark.parametrize("case", TREES, ids=[case["name"].replace(" ", "-") for case in TREES])
def test_the_same_faults_from_python(case: dict[str, Any]) -> None:
    """A dict of the same content has the same faults, without line and column."""
    tree = tree_of(case)
    told = {(fault.path, fault.reason, fault.hint) for fault in refused(case["document"]).faults}

    with pytest.raises(ModelError) as caught:
        Model.model_validate(tree)

    assert {(fault.path, fault.reason, fault.hint) for fault in caught.value.faults} == told
    assert all(fault.line is None for fault in caught.value.faults)


def test_names_are_unique_and_there_are_many() -> None:
    names = [case["name"] for case in CASES]
    assert len(set(names)) == len(names) >= 100


def test_messages_speak_of_the_document_and_not_of_its_machinery() -> None:
    """No word of pydantic, Python or the code is left in what people read."""
    words = re.compile(r"pydantic|Input should|tuple|dict\b|str\b|NoneType|None\b|Decimal|instance of|validator|<\w+>")
    for case in CASES:
        assert not words.search(case["message"]), case["message"]


def test_a_fault_has_its_parts() -> None:
    error = refused("name: m\nscores: {s: {criteria: []}}\nthresholds:\n  t: {score: z, at: 5}\n")
    (fault,) = error.faults

    assert fault.path == "thresholds.t.score"
    assert fault.keys == ("thresholds", "t", "score")
    assert (fault.line, fault.column) == (4, 14)
    assert fault.reason == "there is no score `z`"
    assert fault.hint == "there is s"


def test_an_error_survives_pickling() -> None:
    error = refused("name: 5\n")
    copy = pickle.loads(pickle.dumps(error))

    assert (str(copy), copy.faults) == (str(error), error.faults)


def test_json_has_lines_too() -> None:
    with pytest.raises(ModelError, match=r"thresholds.t.score \(line 4, column 22\)"):
        Model.from_json(
            '{"name": "m",\n "scores": {"s": {"criteria": []}},\n "thresholds": {"t":\n  {"at": 5, "score": "z"}}}'
        )


def test_a_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "model.yaml"
    path.write_text("name: m\n")

    with pytest.raises(ModelError, match=r"model\.yaml: 1 fault"):
        Model.load(path)


def test_faults_are_in_document_order() -> None:
    """Of text by line; of a dict by the order of its keys."""
    document = {
        "name": "m",
        "timezone": "Nowhere",
        "attributes": {"a": "txt"},
        "scores": {"b": {"max": "x"}, "a": {"criteria": [], "colour": 1}},
        "rating": ["z"],
    }
    with pytest.raises(ModelError) as caught:
        Model.model_validate(document)

    paths = [fault.path for fault in caught.value.faults]
    assert paths == ["timezone", "attributes.a", "scores.b", "scores.b.max", "scores.a.colour", "rating[0]"]


def test_thousands_of_faults_are_counted_and_not_all_shown() -> None:
    criteria = [{"name": f"c{n}", "kind": "event", "on": ["nothing"], "points": 1} for n in range(3_000)]
    with pytest.raises(ModelError) as caught:
        Model.model_validate({"name": "m", "scores": {"s": {"criteria": criteria}}})

    assert len(caught.value.faults) == 3_000
    assert len(str(caught.value).splitlines()) == 102
    assert str(caught.value).endswith("... and 2900 more")


def main() -> None:
    """Write the table with today's messages."""
    head = TABLE.read_text(encoding="utf-8").split("- name:")[0]
    rows = []
    for case in CASES:
        document = case["document"]
        try:
            Model.from_yaml(document)
        except ModelError as error:
            message = str(error)
        else:
            message = "accepted"
        body = "".join(f"    {line}\n" if line else "\n" for line in document.splitlines())
        lines = "".join(f"    {line}\n" for line in message.splitlines())
        text = f"|\n{body}" if document else '""\n'
        name = case["name"] if re.fullmatch(r"[\w ,-]+", case["name"]) else json.dumps(case["name"])
        rows.append(f"- name: {name}\n  document: {text}  message: |\n{lines}")
    TABLE.write_text(head + "\n".join(rows), encoding="utf-8")


if __name__ == "__main__":
    main()
