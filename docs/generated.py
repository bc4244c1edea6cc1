"""Text of the reference that is made from the code: the document format from its schema, the commands from their help."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from leadcore import Model

Json = dict[str, Any]

SECTIONS: dict[str, list[str]] = {
    "Fields": ["FieldDeclaration"],
    "Criteria": ["AttributeCriterion", "EventCriterion", "FrequencyCriterion", "RecencyCriterion"],
    "Parts of criteria": ["PointsBand", "AgeBand", "PerProperty", "ByProperty", "Stars", "Limit", "Reset"],
    "Conditions": ["Clause", "All", "Any", "Not"],
    "Decay": ["HalfLife", "Linear", "Expire", "Steps", "Step", "Periodic", "Period"],
    "Scores": ["Score", "Group", "Fade", "FadeBand", "Grade", "Label", "Threshold"],
    "Accounts": ["Accounts", "AccountScore"],
    "Lifecycle": ["Lifecycle", "Evaluate", "Manual", "Stage", "Sla", "Alert", "Transition", "Calendar"],
}
"""The order in which the parts of a document are explained."""

UNIONS: dict[str, list[str]] = {
    "Condition": SECTIONS["Conditions"],
    "Criterion": SECTIONS["Criteria"],
    "Decay": ["HalfLife", "Linear", "Expire", "Steps", "Periodic"],
}


def document() -> str:
    """Every key of the model document: type, default, meaning."""
    schema = Model.json_schema()
    parts: Json = schema["$defs"]
    told = {name for names in SECTIONS.values() for name in names}
    missing = {name for name, part in parts.items() if "properties" in part} - told
    if missing:
        raise ValueError(f"docs/generated.py: put these parts of the document into SECTIONS: {sorted(missing)}")
    lines = ["## Top level", "", *_table(schema), ""]
    for title, names in SECTIONS.items():
        lines += [f"## {title}", ""]
        for name in names:
            part = parts[name]
            lines += [f"### {name} {{ #{name.lower()} }}", "", _sentence(part["description"]), ""]
            lines += _forms(part)
            lines += [*_table(part), ""]
            lines += _example(part)
    return "\n".join(lines)


def _table(part: Json) -> Iterator[str]:
    required = set(part.get("required", []))
    yield "| key | type | default | meaning |"
    yield "|---|---|---|---|"
    for key, node in part["properties"].items():
        default = "**required**" if key in required else _default(node)
        kind = _type(node).replace("names to", "text to") if key == "table" else _type(node)
        yield f"| `{key}` | {kind} | {default} | {_cell(node.get('description', ''))} |"


def _default(node: Json) -> str:
    return f"`{json.dumps(node['default'])}`" if "default" in node else ""


def _type(node: Json) -> str:
    """The type of a key in words, with links to parts."""
    if "$ref" in node:
        return _link(node["$ref"].rpartition("/")[2])
    if "const" in node:
        return f"`{json.dumps(node['const'])}`"
    if "enum" in node:
        return " \\| ".join(f"`{value}`" for value in node["enum"])
    if "pattern" in node:
        return "duration"
    for key in ("anyOf", "oneOf"):
        if key in node:
            kinds = list(dict.fromkeys(_type(option) for option in node[key]))
            return " or ".join(kinds)
    kind = node.get("type")
    if kind == "array":
        return f"list of {_type(node.get('items', {}))}{_ends(node, 'Items')}"
    if kind == "object" or (isinstance(kind, list) and "object" in kind):
        inner = node.get("additionalProperties")
        return f"names to {_type(inner)}" if isinstance(inner, dict) else "mapping"
    words = {"string": "text", "boolean": "true or false", "integer": "whole number"}
    return words.get(str(kind), str(kind) if kind else "anything") + _ends(node, "imum")


def _ends(node: Json, suffix: str) -> str:
    """The range of a number or the length of a list, in brackets."""
    low, high = node.get("min" + suffix), node.get("max" + suffix)
    above, below = node.get("exclusiveMinimum"), node.get("exclusiveMaximum")
    if suffix == "imum" and above is not None and below is not None:
        return f", between {above} and {below}"
    if suffix == "Items":
        low, high = (None if low in (0, 1) else low), (None if high == 65_536 else high)
    if low is not None and high is not None:
        return f", {low:,} to {high:,}"
    if low is not None:
        return f", at least {low:,}"
    return f", at most {high:,}" if high is not None else ""


def _link(name: str) -> str:
    if name == "Points":
        return "[points](#points)"
    if name == "EventPoints":
        return "[points](#points), [PerProperty](#perproperty) or [ByProperty](#byproperty)"
    if name == "Field":
        return "[field type](#fields)"
    if name in UNIONS:
        return f"[{name.lower()}](#{'conditions' if name == 'Condition' else 'criteria' if name == 'Criterion' else 'decay'})"
    return f"[{name}](#{name.lower()})"


def _forms(part: Json) -> list[str]:
    forms = [option["required"] for option in part.get("oneOf", part.get("anyOf", [])) if "required" in option]
    if not forms:
        return []
    return ["It has " + ", or ".join(" with ".join(f"`{key}`" for key in form) for form in forms) + ".", ""]


def _example(part: Json) -> list[str]:
    if not part.get("examples"):
        return []
    return ["```json", json.dumps(part["examples"][0], ensure_ascii=False), "```", ""]


def _sentence(text: str) -> str:
    first = text.replace("\n", " ").strip()
    return _cell(first if first.endswith((".", ":")) else first + ".")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ").replace(" x ", " × ")


def commands() -> str:
    """Every command of the command line: usage, meaning, options, example."""
    import typer

    from leadcore.cli._app import app

    top = typer.main.get_command(app)
    lines: list[str] = []
    for name, command in top.commands.items():  # type: ignore[attr-defined]  # a group has them
        context = typer.Context(command, info_name=f"leadcore {name}")
        usage = " ".join(command.collect_usage_pieces(context))
        lines += [f"## leadcore {name}", "", *_paragraphs(command.help or ""), "", "```text"]
        lines += [f"leadcore {name} {usage}", "```", ""]
        rows = [_parameter(parameter, context) for parameter in command.get_params(context)]
        lines += ["| option | meaning |", "|---|---|", *(row for row in rows if row), ""]
        lines += _epilog(command.epilog or "")
    return "\n".join(lines)


def _paragraphs(text: str) -> list[str]:
    """Help as Markdown: what looks like a heading there is a comment to copy."""
    lines = [line.strip() for line in text.splitlines()]
    return [f"`{line}`" if line.startswith("#") else line for line in lines]


def _parameter(parameter: Any, context: Any) -> str:
    """One row: names and values as the command's own help has them."""
    if parameter.name == "help":
        return ""
    if parameter.param_type_name == "argument":
        names, told = parameter.metavar or parameter.name.upper(), parameter.help or ""
    else:
        names, told = parameter.get_help_record(context)
    told = re.sub(r"\s+", " ", told).replace("  [required]", "").replace("[required]", "").strip()
    if parameter.required:
        told += " Required."
    names = names.replace("|", "\\|")
    return f"| `{names}` | {_cell(told)} |"


def _epilog(text: str) -> list[str]:
    """The example commands behind "Example:"."""
    _, _, shown = text.partition("Example:\n")
    return ["```sh", *textwrap.dedent(shown).strip().splitlines(), "```", ""] if shown.strip() else []


def service() -> str:
    """The service example, whole."""
    path = "docs/examples/service/app.py"
    return f'```python title="{path}"\n{(Path(__file__).parents[1] / path).read_text(encoding="utf-8")}```'


MARKS = {"document": document, "commands": commands, "service": service}
"""What stands in place of ``<!-- generated: NAME -->``."""
