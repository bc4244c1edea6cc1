"""The random cases are valid, the same every time, and together hit every field of the spec."""

from collections import Counter

from leadcore._reference import score
from leadcore.model import Model
from tests.random_cases import ALL_FIELDS, ALL_ROWS, case, fields_hit, rows_hit

CASES = 1_500


def test_every_field_of_the_spec_is_hit():
    """Few cases are enough to hit every field at least five times, so that ten thousand hit it often."""
    counts = Counter()
    for seed in range(CASES):
        one = case(seed)
        counts.update(fields_hit(one.document))
        counts.update(rows_hit(one))

    assert set(counts) == {*ALL_FIELDS, *ALL_ROWS}
    assert [name for name, count in counts.items() if count < 5] == []


def test_the_same_seed_gives_the_same_case():
    """A case can be named by its number."""
    for seed in range(50):
        assert repr(case(seed)) == repr(case(seed))


def test_the_reference_scores_every_case():
    """Every document is a model, and the lines of every explanation sum to the score (spec 7)."""
    for seed in range(300):
        one = case(seed)
        model = Model.model_validate(one.document)
        result = score(model, one.leads, one.events, one.as_of, one.aliases, one.unknown_leads)
        for row, lines in zip(result.rows, result.lines, strict=True):
            for name in model.scores:
                assert row[name] == sum(line[-1] for line in lines if line[0] == name)
