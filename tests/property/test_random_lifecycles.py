"""The random replays are valid, the same every time, and together hit every field of spec 8 and everything that happens."""

from collections import Counter

import pytest

from leadcore._reference import replay
from leadcore.model import Model
from tests.happenings import ALL_HAPPENINGS, happenings
from tests.lifecycle_fields import ALL_LIFECYCLE_FIELDS, lifecycle_fields_hit
from tests.random_lifecycles import replay_case

CASES = 1_000


@pytest.fixture(scope="module")
def census():
    """How many of the first cases hit each name."""
    counts = Counter()
    for seed in range(CASES):
        case = replay_case(seed)
        model = Model.model_validate(case.document)
        result = replay(
            model, case.leads, case.events, case.until, case.aliases, case.unknown_leads, case.start, score_changes=True
        )
        counts.update(lifecycle_fields_hit(case.document))
        counts.update(happenings(case, model, result))
    return counts


def test_every_field_and_happening_is_hit(census):
    """Few cases are enough to hit every field and happening at least five times, so that ten thousand hit it often."""
    assert set(census) <= {*ALL_LIFECYCLE_FIELDS, *ALL_HAPPENINGS}
    assert {name: census[name] for name in (*ALL_LIFECYCLE_FIELDS, *ALL_HAPPENINGS) if census[name] < 5} == {}


def test_the_same_seed_gives_the_same_case():
    """A case can be named by its number."""
    for seed in range(30):
        assert repr(replay_case(seed)) == repr(replay_case(seed))
