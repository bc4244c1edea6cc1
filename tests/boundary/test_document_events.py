"""Documents as events: YAML and JSON alike, places exact, hostile ones answered soon (spec 11)."""

import json
import time

import pytest
from leadcore_arrow import document_events


def refusal(text, format):
    data = text if isinstance(text, bytes) else text.encode()
    with pytest.raises(ValueError) as caught:
        document_events(data, format)
    return caught.value.args


def value(events):
    """The plain value of a document's events, scalars as text."""
    stack = [[]]
    for event in events:
        if event[0] in "{[":
            stack.append([])
        elif event[0] == "}":
            flat = stack.pop()
            stack[-1].append(dict(zip(flat[::2], flat[1::2], strict=True)))
        elif event[0] == "]":
            flat = stack.pop()
            stack[-1].append(flat)
        elif event[0] == "scalar":
            stack[-1].append(event[1])
    return stack[0][0] if stack[0] else None


YAML = """\
# a comment
name: "six\\nstage"
on: no
at: 12:30
list: [1, 2.50, 'x']
block: |
  two
  lines
base: &b {k: v}
again: *b
"""


def test_yaml_scalars_are_text_with_places():
    """Scalars stay as written; quoted ones say so; lines and columns count from 1."""
    events = document_events(YAML.encode(), "yaml")

    assert events == [
        ("{", 2, 1),
        ("scalar", "name", True, 2, 1),
        ("scalar", "six\nstage", False, 2, 7),
        ("scalar", "on", True, 3, 1),
        ("scalar", "no", True, 3, 5),
        ("scalar", "at", True, 4, 1),
        ("scalar", "12:30", True, 4, 5),
        ("scalar", "list", True, 5, 1),
        ("[", 5, 7),
        ("scalar", "1", True, 5, 8),
        ("scalar", "2.50", True, 5, 11),
        ("scalar", "x", False, 5, 17),
        ("]",),
        ("scalar", "block", True, 6, 1),
        ("scalar", "two\nlines\n", False, 7, 3),
        ("scalar", "base", True, 9, 1),
        ("anchor", 1),
        ("{", 9, 7),
        ("scalar", "k", True, 9, 11),
        ("scalar", "v", True, 9, 14),
        ("}",),
        ("scalar", "again", True, 10, 1),
        ("alias", 1, 10, 8),
        ("}",),
    ]


JSON = '{"a": [1.50, -0, 1e5, true, null],\r\n "é😀\\u00e9\\ud83d\\ude00\\n": "x",\n "b": {}, "c": []}'


def test_json_scalars_are_text_with_places():
    """Numbers keep their digits; columns count characters."""
    events = document_events(JSON.encode(), "json")

    assert events == [
        ("{", 1, 1),
        ("scalar", "a", False, 1, 2),
        ("[", 1, 7),
        ("scalar", "1.50", True, 1, 8),
        ("scalar", "-0", True, 1, 14),
        ("scalar", "1e5", True, 1, 18),
        ("scalar", "true", True, 1, 23),
        ("scalar", "null", True, 1, 29),
        ("]",),
        ("scalar", "é😀é😀\n", False, 2, 2),
        ("scalar", "x", False, 2, 28),
        ("scalar", "b", False, 3, 2),
        ("{", 3, 7),
        ("}",),
        ("scalar", "c", False, 3, 11),
        ("[", 3, 16),
        ("]",),
        ("}",),
    ]


REFUSED_JSON = [
    ("", "expected a value, found the end", 1, 1),
    ("[1,]", "expected a value, found `]`", 1, 4),
    ('{"a": 1,}', "expected a key in double quotes, found `}`", 1, 9),
    ('{"a": }', "expected a value, found `}`", 1, 7),
    ('{"a" 1}', "expected `:`, found `1`", 1, 6),
    ("{a: 1}", "expected a key in double quotes or `}`, found `a`", 1, 2),
    ("[1 2]", "expected `,` or `]`, found `2`", 1, 4),
    ("[1}", "expected `,` or `]`, found `}`", 1, 3),
    ("[1", "expected `,` or `]`, found the end", 1, 3),
    ("1 2", "expected nothing more, found `2`", 1, 3),
    ("NaN", "expected a value, found `NaN`", 1, 1),
    ("[Infinity]", "expected a value or `]`, found `Infinity`", 1, 2),
    ("-Infinity", "expected a digit, found `Infinity`", 1, 2),
    ("nul", "expected a value, found `nul`", 1, 1),
    ("True", "expected a value, found `True`", 1, 1),
    ("01", "a number does not begin with 0", 1, 1),
    ("-01", "a number does not begin with 0", 1, 2),
    ("1.", "expected a digit, found the end", 1, 3),
    (".5", "expected a value, found `.`", 1, 1),
    ("+1", "expected a value, found `+`", 1, 1),
    ("1e", "expected a digit, found the end", 1, 3),
    ("1x", "expected the end of the number, found `x`", 1, 2),
    ("0x1", "expected the end of the number, found `x1`", 1, 2),
    ("'a'", "expected a value, found `'`", 1, 1),
    ('"a', "the text that begins here has no end", 1, 1),
    ('"a\n"', "the character U+000A must be written as an escape", 1, 3),
    ('"\\x"', "`\\x` is no escape", 1, 2),
    ('"\\u12G4"', "`\\u` needs four hexadecimal digits", 1, 2),
    ('"\\ud800"', "half of a surrogate pair is no character", 1, 2),
    ('"\\ud800\\n"', "half of a surrogate pair is no character", 1, 2),
    ('"\\udc00"', "half of a surrogate pair is no character", 1, 2),
    ('"\\ud800\\ud800"', "half of a surrogate pair is no character", 1, 2),
    ("[1, // no\n2]", "expected a value, found `/`", 1, 5),
    ("\f1", "expected a value, found the character U+000C", 1, 1),
    ("[\n\n  tru]", "expected a value, found `tru`", 3, 3),
    (b'{"a": "\xff"}', "not UTF-8", 1, 8),
]


@pytest.mark.parametrize(("text", "reason", "line", "column"), REFUSED_JSON)
def test_json_is_strict(text, reason, line, column):
    """RFC 8259 and nothing beside it, with the place of the fault."""
    assert refusal(text, "json") == (reason, line, column)


@pytest.mark.parametrize(
    "text", ["1", '"x"', "[]", "{}", ' [ 1 , {"a" : [ ] } ] ', "\ufeff1", "\t\r\n0\n", "-0.0e-0", '"\\/\\b\\f\\r\\t"']
)
def test_json_reads_what_the_standard_library_reads(text):
    """The value is that of the json module."""
    expected = json.loads(text.removeprefix("\ufeff"), parse_int=str, parse_float=str)

    assert value(document_events(text.encode(), "json")) == expected


REFUSED_YAML = [
    ("a: !x 1", "tags", 1, None),
    ("a: !!str 1", "tags", 1, 4),
    ("--- !map\na: 1", "tags", 1, None),
    ("a: ! b", "tags", 1, None),
    ("a: 1\n---\nb: 2", "more than one document", 2, 1),
    ("a: *b", "unknown anchor", 1, 4),
    ("a: [1, 2", "", None, None),
    ("a: b: c", "", 1, None),
    ("a:\n\t- b", "", 2, None),
    ("a: @b", "", 1, 4),
    ('a: "\\ud800"', "", 1, None),
    ('a: "x', "", None, None),
    (b"a: \xff", "not UTF-8", 1, 4),
    (b"a: b\n\xc3", "not UTF-8", 2, 1),
    ("a: \0", "", 1, None),
]


@pytest.mark.parametrize(("text", "reason", "line", "column"), REFUSED_YAML)
def test_yaml_faults_have_a_place(text, reason, line, column):
    """What is not YAML, or is more than documents need, is refused with line and column."""
    found = refusal(text, "yaml")

    assert reason in found[0]
    assert line in (None, found[1])
    assert column in (None, found[2])


@pytest.mark.parametrize("text", ["", "# only a comment\n", "\n\n", "\ufeff"])
def test_an_empty_yaml_document_has_no_events(text):
    """No document is not an error here."""
    assert document_events(text.encode(), "yaml") == []


@pytest.mark.parametrize(
    "text", ["%YAML 1.2\n---\na: 1\n...\n", "---\na: 1\n", "\ufeffa: 1", "a: 1\r\n", '{"a": 1}', "{a: 1}", "? a\n: 1\n"]
)
def test_yaml_forms_of_one_document(text):
    """Directives, markers, byte order mark, line ends and flow style change nothing."""
    assert value(document_events(text.encode(), "yaml")) == {"a": "1"}


def test_empty_values_are_plain_empty_text():
    """`a:` has a value that is not quoted."""
    assert [e[1:3] for e in document_events(b"a:\nb: ''", "yaml") if e[0] == "scalar"] == [
        ("a", True),
        ("", True),
        ("b", True),
        ("", False),
    ]


def test_formats_are_two():
    """Another format is an error of the caller."""
    with pytest.raises(ValueError, match="toml"):
        document_events(b"", "toml")


SIZE = 5_000_000


def sized(part, head="", tail=""):
    return head + part * ((SIZE - len(head) - len(tail)) // len(part)) + tail


LAUGHS = "a0: &a0 [x, x]\n" + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 60000))
HOSTILE = {
    "brackets": sized("["),
    "braces": sized('{"a":'),
    "dashes": sized("- "),
    "questions": sized("? "),
    "commas": sized(",", "["),
    "flow list": sized("a,", "[", "]"),
    "json list": sized("1,", "[", "1]"),
    "deep and long": sized("a,", "[" * 99),
    "keys that are lists": sized("[a]: x,", "["),
    "laughs": LAUGHS,
    "anchors": "".join(f"- &a{i} x\n" for i in range(400_000)),
    "anchors in flow": "[" + "".join(f"&a{i} x," for i in range(400_000)),
    "one anchor": sized("a", "&", " x"),
    "plain": sized("a"),
    "words": sized("a "),
    "lines": sized("a\n"),
    "quoted": sized("a", '"', '"'),
    "quoted open": sized("a", '"'),
    "escapes": sized("\\n", '"', '"'),
    "literal": sized(" a\n", "a: |\n"),
    "million keys": "".join(f"{i}:\n" for i in range(600_000)),
    "keys": "".join(f"k{i}: {i}\n" for i in range(330_000)),
    "ladder": "".join(" " * i + "a:\n" for i in range(3000)),
    "comments": sized("#\n"),
    "documents": sized("---\n"),
    "tag directives": "".join(f"%TAG !e{i}! tag:{i}\n" for i in range(200_000)),
    "tags": sized("!a "),
    "carriage returns": sized("\r"),
    "byte order marks": "\ufeff" * (SIZE // 3),
}


@pytest.mark.parametrize("format", ["yaml", "json"])
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_documents_are_answered_soon(name, format):
    """5 MB of malice cost about a second at most: refused with a place, or read."""
    data = HOSTILE[name].encode()[:SIZE]
    start = time.perf_counter()
    try:
        events = document_events(data, format)
    except ValueError as error:
        reason, line, column = error.args
        assert reason
        assert line >= 1
        assert column >= 1
    else:
        assert len(events) <= 1_000_000
    assert time.perf_counter() - start < 5  # generous: machines that run tests are slow


def test_size_depth_and_count_are_limited():
    """Each limit says what it is."""
    assert "5 MB" in refusal(b" " * (SIZE + 1), "json")[0]
    assert document_events(b" " * (SIZE - 1) + b"1", "json") == [("scalar", "1", True, 1, SIZE)]
    for kind in ("json", "yaml"):
        deep = "[" * 200 + "]" * 200
        assert len(document_events(deep.encode(), kind)) == 400
        assert "deeper than 200" in refusal("[" + deep + "]", kind)[0]
        assert refusal("{" + '"a": [' * 250, kind)[0]
    assert "million" in refusal(sized("1,", "[", "1]"), "json")[0]
