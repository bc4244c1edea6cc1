"""An event by itself gives the bytes that it gives in a table, whatever the model."""

import json
import os
import struct
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from leadcore_arrow import Encoder, Program

from leadcore._plan.plan import plan_model
from leadcore.model import Model
from tests.boundary.encoding import sets
from tests.boundary.order_keys import content_digest, order_key, value_digest
from tests.engines import arrow
from tests.random_cases import case
from tests.strategies import cases

EXAMPLES = int(os.environ.get("LEADCORE_EXAMPLES", "100"))
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment(micros):
    return None if micros is None else EPOCH + timedelta(microseconds=micros)


def in_a_table(program, plan, events, kinds):
    """By row of a declared type: its number and what a run that keeps events says of it."""
    encoder, n = Encoder(program, keep=True), max(1, len(events))
    assert encoder.open_events(arrow(events, {"at": "instant", "type": "text", **kinds}), {}) == (True, False)
    lead, at, hits, row, order = (np.empty(n, kind) for kind in ("u4", "i8", "u4", "i8", "u4"))
    codes, numbers = np.empty((plan.codes, n), np.uint32), np.empty((plan.numbers, n))
    count = encoder.next_block(lead, at, hits, row, order, np.empty(0, np.uint32), codes, numbers)
    offsets, data, digests = encoder.event_keys(order[:count])
    keys = [data[a:b].tobytes() for a, b in pairwise(offsets.tolist())]
    known = sets(*encoder.hit_sets())
    values = [encoder.code_digests(place) for place in range(plan.codes)]
    for i in range(count):
        coded = b"".join(digest[column[i]].tobytes() for digest, column in zip(values, codes, strict=True))
        yield int(row[i]), (int(at[i]), known[hits[i]], keys[i], digests[i].tobytes(), coded, numbers[:, i].tolist())


def by_itself(program, event, kinds):
    properties = {
        name: moment(event.get(name)) if kind == "instant" else event.get(name) for name, kind in kinds.items()
    }
    found = program.encode_event(event["type"], moment(event["at"]), properties, event.get("event_id"))
    if found is None:
        return None
    at, hits, order, content, codes, numbers = found
    return at, struct.unpack(f"<{len(hits) // 4}I", hits), order, content, codes, np.frombuffer(numbers, "<f8").tolist()


def check(one):
    model = Model.model_validate(one.document)
    plan = plan_model(model)
    program = Program(plan.program)
    types = {kind: {name: field.type for name, field in fields.items()} for kind, fields in model.events.items()}
    kinds = {name: kind for fields in types.values() for name, kind in fields.items()}
    source = json.loads(plan.program)
    coded = [source["fields"]["event"][place]["name"] for place in source["codes"]]
    expected = dict(in_a_table(program, plan, one.events, kinds))
    for place, event in enumerate(one.events):
        found = by_itself(program, event, kinds)
        assert (found is None) == (place not in expected) == (event["type"] not in types)
        if found is None:
            continue
        assert found[:5] == expected[place][:5]
        assert found[5] == pytest.approx(expected[place][5], abs=0, rel=0, nan_ok=True)
        assert found[2:4] == (order_key(types, event), content_digest(types, event))
        said = [(kinds[name], event[name] if name in types[event["type"]] else None) for name in coded]
        assert found[4] == b"".join(value_digest(kind, value) for kind, value in said)
    for lead in one.leads or []:
        attributes = {
            name: moment(lead.get(name)) if field.type == "instant" else lead.get(name)
            for name, field in model.attributes.items()
        }
        assert program.encode_attributes(attributes) == program.encode_lead(attributes, [])[0].tobytes()


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(one=cases())
def test_an_event_by_itself_is_as_in_a_table(one):
    """Instant, hits, order key, digests and numbers are the same bit for bit; a difference shrinks."""
    check(one)


def test_random_cases():
    """Likewise for cases from a seed, of which there may be many."""
    for seed in range(EXAMPLES * 3):
        check(case(seed))
