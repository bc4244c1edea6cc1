"""Text: case folding, patterns and the text ops of spec 3.2 and 3.4."""

import random
import sys
import time

import pyarrow as pa
import pytest
from leadcore_arrow import check_pattern, fold_text, match_text

from tests.boundary.encoding import Run, field, holds, program

EVERY = [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code <= 0xDFFF]


@pytest.mark.parametrize(
    "variants",
    [
        "aA",
        "kK\u212a",
        "sS\u017f",
        "σςΣ",
        "ßẞ",
        "åÅ\u212b",
        "μµΜ",
        "ιΙ\u0345\u1fbe",
        "ᏸᏰ",
        "ꭰᎠ",
        "ⓐⒶ",
        "ǆǅǄ",
        "𐐨𐐀",
        "𞤢𞤀",
    ],
)
def test_case_variants_fold_alike(variants):
    """All members of one class of simple case folding fold to one character."""
    assert len({fold_text(one) for one in variants}) == 1


@pytest.mark.parametrize(("one", "other"), [("ß", "s"), ("İ", "i"), ("ı", "i"), ("ﬀ", "f"), ("é", "e"), ("К", "k")])
def test_what_is_no_case_variant_stays_apart(one, other):
    """Simple folding neither expands nor strips accents, and knows no locale."""
    assert fold_text(one) != fold_text(other)


def test_folding_is_idempotent_and_keeps_the_number_of_characters():
    """Folding twice changes nothing more, for every character there is."""
    text = "".join(EVERY)

    folded = fold_text(text)

    assert len(folded) == len(text)
    assert fold_text(folded) == folded


def test_folding_agrees_with_case_insensitive_patterns():
    """Two cased characters fold alike exactly if a case-insensitive pattern of one finds the other."""
    cased = [c for c in EVERY if c.lower() != c or c.upper() != c or fold_text(c) != c]
    by_fold = {}
    for c in cased:
        by_fold.setdefault(fold_text(c), set()).add(c)
    for members in list(by_fold.values())[::17]:
        one = min(members)
        found = match_text("matches", [f"^[{one}]$" if one not in "^]\\-" else one], False, cased)
        assert {c for c, hit in zip(cased, found, strict=True) if hit} == members


def test_folding_keeps_word_characters():
    """A character is of a word exactly if its folded form is: so words may be bounded in folded text."""
    folded = [fold_text(c) for c in EVERY]

    assert match_text("matches", [r"^\w$"], True, EVERY) == match_text("matches", [r"^\w$"], True, folded)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("VP of Sales", True),
        ("vp", True),
        ("Senior-VP.", True),
        ("SVP, VP", True),
        ("SVP", False),
        ("vpx", False),
        ("évp", False),
        ("vp_1", False),
        ("VP\u0301", False),
        ("vpvp vp", True),
        ("", False),
    ],
)
def test_has_word(text, expected):
    """A word stands alone: nothing of `\\w` directly before or after."""
    assert match_text("has_word", ["vp"], False, [text]) == [expected]


def test_overlapping_occurrences_are_all_looked_at():
    """An occurrence that does not stand alone does not hide a later one that does."""
    assert match_text("has_word", ["aa aa"], True, ["xaa aa aa", "aa aa aax", "xaa aa aay"]) == [True, True, False]


@pytest.mark.parametrize("op", ["in", "contains", "has_word", "starts_with", "ends_with", "matches"])
@pytest.mark.parametrize("case_sensitive", [True, False])
def test_any_value_serves(op, case_sensitive):
    """A list of values means any of them, and case counts only where it is asked to."""
    texts = ["Demo", "demo", "xdemo", "Beta", "none"]

    found = match_text(op, ["Demo", "Beta"], case_sensitive, texts)

    assert (found[0], found[3], found[4]) == (True, True, False)
    assert found[1] is not case_sensitive
    assert found[2] is (not case_sensitive and op in {"contains", "ends_with", "matches"})


def test_unknown_op():
    with pytest.raises(ValueError, match="no op"):
        match_text("eq", ["a"], True, ["a"])


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("(", "unclosed group"),
        (r"a(?=b)", "look-around"),
        (r"(a)\1", "backreferences"),
        (r"\w{5000}", "1048576 bytes"),
        ("a" * 10_001, "10000 characters"),
    ],
)
def test_refused_patterns_say_why(pattern, words):
    """Patterns that are invalid, outside the linear-time dialect, or too large, are refused in words (spec 3.5)."""
    assert words in check_pattern(pattern, case_sensitive=True)
    with pytest.raises(ValueError, match=r".+"):
        match_text("matches", [pattern], True, ["a"])
    with pytest.raises(ValueError, match=r".+"):
        match_text("matches", ["fine", pattern, "too"], True, ["a"])


@pytest.mark.parametrize("pattern", ["", "a", r"^/pricing(/|$)", r"(?x) a b # c", "a" * 10_000, r"\p{Greek}+", "."])
def test_accepted_patterns(pattern):
    assert check_pattern(pattern, case_sensitive=False) is None


def test_a_pattern_is_searched_anywhere_with_unicode_on():
    """`matches` needs no anchors, and classes are those of Unicode."""
    assert match_text("matches", [r"\bgr[öo]ß"], False, ["Die GRÖẞE", "Vergrößern", "gros"]) == [True, False, False]


def test_comments_in_patterns_do_not_swallow_other_patterns():
    """Each pattern stands for itself, whatever flags or comments it has."""
    assert match_text("matches", ["(?x)a # (", "b"], False, ["A", "B", "c"]) == [True, True, False]


def test_many_hostile_patterns_are_answered_in_bounded_time():
    """1,000 patterns made to blow up automata take linear time each."""
    patterns = [f"(a|b|ab)*{i}(a?){{20}}a{{20}}[ab]{{{i % 30}}}c" for i in range(1000)]
    start = time.perf_counter()

    found = match_text("matches", patterns, True, ["ab" * 500, "b", ""])

    assert found == [False, False, False]
    assert time.perf_counter() - start < 60


def test_many_patterns_keep_their_places():
    """With more patterns than are searched in one pass, each still decides by itself."""
    texts = [f"<{i}>" for i in range(200)]

    assert match_text("matches", [f"^<{i}>$" for i in range(0, 200, 3)], False, texts) == [
        i % 3 == 0 for i in range(200)
    ]


@pytest.mark.parametrize("op", ["contains", "has_word", "starts_with", "ends_with"])
@pytest.mark.parametrize("text", ["b" + "a" * 1_000_000, "a" + "-aa-" * 250_000 + "a", "-" * 1_000_000 + "a"])
def test_literals_within_literals_take_linear_time(op, text):
    """Overlaps are as many as the text is long times the literals; none is looked at twice."""
    values = [part * i for part in ("a", "-", "-aa-") for i in range(1, 1000)] + ["a-" + "-aa-" * i for i in range(999)]
    start = time.perf_counter()

    match_text(op, values, True, [text])

    assert time.perf_counter() - start < 5


@pytest.mark.parametrize("op", ["contains", "has_word", "starts_with", "ends_with"])
@pytest.mark.parametrize("count", [3, 150])
def test_overlapping_literals_each_decide_as_if_alone(op, count):
    """What one literal, or one place, has shown is not taken for another."""
    rng = random.Random(f"{op} {count}")

    def some(longest):
        return "".join(rng.choice("aaé- ") for _ in range(rng.randint(1, longest)))

    for _ in range(30):
        values = [some(7) for _ in range(count)]
        fields = [{"name": "f", "type": "text"}]
        clauses = [{"field": 0, "op": op, "values": [value], "fold": False} for value in values]
        rules = [{"rule": "test", "hit": i, "when": clause} for i, clause in enumerate(clauses)]
        texts = [some(40) for _ in range(20)]
        leads = pa.table({"lead_id": range(20), "f": texts})
        hits = Run(program(lead=[field("f", "text")], types=[], lead_rules=rules), leads=leads).lead_hits()
        for lead, text in enumerate(texts):
            assert hits[lead] == tuple(i for i, clause in enumerate(clauses) if holds(clause, fields, {"f": text}))


def test_large_patterns_are_compiled_once():
    """Patterns too large for a set stand alone from the start."""
    start = time.perf_counter()

    assert match_text("matches", [rf"\w{{18}}<{i}>" for i in range(60)], True, ["w" * 18 + "<7>"]) == [True]

    assert time.perf_counter() - start < 5


def test_patterns_are_bounded_together():
    """What all patterns of a model may take is bounded, and the one too many is named (spec 3.5)."""
    start = time.perf_counter()

    with pytest.raises(ValueError, match=r"pattern .*<\d+>.*32 MiB"):
        match_text("matches", [rf"\w{{18}}<{i}>" for i in range(400)], True, ["a"])
    with pytest.raises(ValueError, match="1 MiB"):
        match_text("matches", [rf"\w{{5000}}<{i}>" for i in range(400)], True, ["a"])

    assert time.perf_counter() - start < 5


def test_patterns_of_all_fields_share_one_bound():
    """The bound is that of the whole program."""
    rules = [
        {"rule": "test", "hit": i, "when": {"field": i, "op": "matches", "values": [rf"\w{{20}}<{i}>"], "fold": False}}
        for i in range(100)
    ]
    with pytest.raises(ValueError, match="32 MiB"):
        program(lead=[field(f"f{i}", "text") for i in range(100)], types=[], lead_rules=rules)


@pytest.mark.parametrize("op", ["contains", "has_word", "starts_with", "ends_with", "matches"])
def test_a_value_that_is_there_often_counts_once(op):
    """A text costs nothing more for a value that its list repeats, also in other case."""
    start = time.perf_counter()

    assert all(match_text(op, ["a", "A"] * 32_768 if op != "matches" else ["a"] * 65_536, False, ["a"] * 65_536))

    assert time.perf_counter() - start < 5
