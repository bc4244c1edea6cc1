"""Account scores do not depend on where their leads were scored (spec 6.6, 10.1)."""

from __future__ import annotations

from itertools import pairwise

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

import leadcore as lc
from leadcore._arrow import Table
from leadcore.accounts import account_members, combine_members

MODEL = lc.Model.from_yaml("""
leadcore: 1
name: accounts
attributes: {size: number}
scores:
  account_id: {criteria: [{name: a, kind: attribute, field: size, bands: [{at_least: -9, points: 0.000001}, {at_least: 0, points: 3}, {at_least: 2, points: -7.5}]}]}
  other: {criteria: [{name: b, kind: attribute, when: {field: size, op: gt, value: 1}, points: 100}]}
accounts:
  key: company
  scores:
    total: {of: account_id, by: sum}
    best: {of: other, by: max}
    average: {of: account_id, by: mean}
    two: {of: account_id, by: top, n: 2}
    star: {of: other, by: champion, share: 0.333333}
""")
SCORER = lc.Scorer(MODEL)
COMPANIES = st.sampled_from([st.integers(-(2**63), 2**63 - 1) | st.integers(0, 5), st.text() | st.sampled_from("ab")])
LEADS = COMPANIES.flatmap(lambda ids: st.lists(st.tuples(st.none() | ids, st.none() | st.integers(-9, 5)), max_size=40))


@settings(deadline=None)  # the first one loads the compiled parts
@given(leads=LEADS, cuts=st.lists(st.integers(0, 40), max_size=4), micropoints=st.booleans(), backwards=st.booleans())
def test_members_of_parts_are_members_of_the_whole(leads, cuts, micropoints, backwards):
    """Members of leads scored in parts, put together in any order, give the accounts of all leads scored at once."""
    kind = pa.int64() if any(isinstance(company, int) for company, _ in leads) else pa.string()
    table = pa.table(
        {
            "lead_id": pa.array(range(len(leads)), pa.int64()),
            "company": pa.array([company for company, _ in leads], kind),
            "size": pa.array([size for _, size in leads], pa.int64()),
        }
    )
    bounds = [0, *sorted(min(cut, len(leads)) for cut in cuts), len(leads)]
    parts = [table.slice(a, b - a) for a, b in pairwise(bounds)]
    members = [pa.table(account_members(SCORER.score(None, part, as_of="2026-03-01"))) for part in parts]

    together = combine_members(MODEL, Table.collect(pa.concat_tables(members[:: -1 if backwards else 1])), micropoints)

    expected = SCORER.score(None, table, as_of="2026-03-01", micropoints=micropoints).accounts
    assert together.to_dicts() == expected.to_dicts()
    assert len(together) == len({company for company, _ in leads} - {None})
    assert pa.table(together).schema == pa.table(expected).schema
