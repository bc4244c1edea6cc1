"""Each counted event's share of its criterion's raw value, over both engines (spec 7)."""

from collections import Counter

import leadcore as lc
from leadcore import _reference
from leadcore._time import to_micros, to_text
from tests.engines import arrow
from tests.random_cases import case


def kernel_shares(model, one):
    """What the kernel says of each row: (criterion, instant, micropoints)."""
    properties = {name: field.type for declared in model.events.values() for name, field in declared.items()}
    attributes = {name: field.type for name, field in model.attributes.items()}
    leads = (
        None
        if one.leads is None
        else arrow(one.leads, {"created_at": "instant", "valid_from": "instant", **attributes})
    )
    scores = lc.Scorer(model).score(
        arrow(one.events, {"at": "instant", "type": "text", **properties}),
        leads,
        as_of=to_text(one.as_of),
        aliases=arrow(one.aliases, {}) if one.aliases else None,
        unknown_leads=one.unknown_leads,
    )
    return [
        Counter((share.criterion, to_micros(share.at), share.micropoints) for share in row.explain(shares=True).shares)
        for row in scores
    ]


def test_shares_are_equal():
    """The kernel gives the reference's shares, those of nothing left out."""
    for one in (case(seed) for seed in range(60)):
        if isinstance(one.as_of, int):
            model = lc.Model.model_validate(one.document)
            result = _reference.score(model, one.leads, one.events, one.as_of, one.aliases, one.unknown_leads)
            expected = [
                Counter((share.criterion, share.at, share.micropoints) for share in shares if share.micropoints)
                for shares in result.shares
            ]
            assert kernel_shares(model, one) == expected


def test_shares_add_up():
    """A criterion's shares sum to its raw value less what it is worth without any event."""
    for one in (case(seed) for seed in range(150)):
        model = lc.Model.model_validate(one.document)
        result = _reference.score(model, one.leads, one.events, one.as_of, one.aliases, one.unknown_leads)
        for lines, shares in zip(result.lines, result.shares, strict=True):
            raw = {criterion: value for _, _, criterion, part, value in lines if part == "raw"}
            sums = Counter()
            for share in shares:
                sums[share.criterion] += share.micropoints
            without = {name: raw[name] - value for name, value in sums.items()}
            assert all(value == 0 for name, value in without.items() if not name.startswith("recency"))
