"""What every peer knows of W2 (w2.yaml) and how its rows look, tested once per distinct text; and what a peer returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]
Masks = npt.NDArray[np.uint32]

DAY = 86_400_000_000  # microseconds

STAGES = ("new", "engaged", "prospect", "mql", "sql", "recycled")
NEW, ENGAGED, PROSPECT, MQL, SQL, RECYCLED = range(6)
FIRST_ACT = (
    "email_click", "form_view", "form_submit", "download", "video_play", "search", "webinar_registered", "trial_start",
    "demo_request",
)  # fmt: skip
ACCEPTED = ("call_connected", "meeting_held")
GOOD_FIT = 20.0
REACH, RELEASE = 65.0, 45.0
COLD_AFTER, STALLED_AFTER = 3 * DAY, 30 * DAY


class Criterion(NamedTuple):
    """A behavioural criterion of W2; ``length`` of its decay in days."""

    name: str
    on: tuple[str, ...]
    text: tuple[str, str] | None
    points: float
    decay: str = "none"
    length: int = 0
    low: float = -np.inf
    high: float = np.inf


VIEW = ("page_view",)
WEB = (
    Criterion("page_view", VIEW, None, 0.625, "half_life", 7, high=10),
    Criterion("pricing", (*VIEW, "pricing_calculator"), ("contains", "/pricing/"), 10, "half_life", 30, high=40),
    Criterion("compare", VIEW, ("contains", "/compare/"), 7.5, "half_life", 30),
    Criterion("case_study", (*VIEW, "download"), ("contains", "/case-studies/"), 5, "half_life", 90, high=20),
    Criterion("careers", VIEW, ("contains", "/careers/"), -5, low=-20),
    Criterion("docs", VIEW, ("starts_with", "https://www.example.com/docs/"), 1.25, "linear", 60, high=16),
    Criterion("blog", VIEW, ("starts_with", "https://www.example.com/blog/"), 0.625, "linear", 30),
    Criterion("product", VIEW, ("starts_with", "https://www.example.com/product/"), 2.5, "linear", 90),
    Criterion("trial_pages", (*VIEW, "form_view"), ("matches", "/trial/(sales|teams|setup|crm)"), 7.5, "half_life", 7),
    Criterion("long_visit", VIEW, None, 1.25, "half_life", 7, high=10),
)
CAMPAIGN = (
    Criterion("email_open", ("email_open",), None, 0.625, "half_life", 30, high=8),
    Criterion(
        "paid_campaign", (*VIEW, "ad_click", "email_click"),
        ("matches", "[?&]utm_campaign=(brand|retarget)[a-z0-9_-]*"), 5, "expire", 30,
    ),
    Criterion("email_click", ("email_click",), None, 2.5, "linear", 30, high=16),
    Criterion("unsubscribe", ("unsubscribe",), None, -25),
    Criterion("webinar", ("webinar_attended",), None, 15, "expire", 60),
)  # fmt: skip
PRODUCT = (
    Criterion("api_reference", (*VIEW, "search"), ("matches", r"/v[2-9]+\.[0-9]+/(sdk|rest)/"), 2.5, "half_life", 30),
    Criterion("trial_login", ("trial_login",), None, 5, "half_life", 90),
    Criterion("hand_raised", ("demo_request", "trial_start"), None, 62.5, "expire", 90),
    Criterion("invoice", ("invoice_paid",), None, 25),
    Criterion("meeting", ACCEPTED, None, 12.5),
)
CRITERIA = WEB + CAMPAIGN + PRODUCT
GROUPS = ((WEB, 60.0), (CAMPAIGN, 30.0), (PRODUCT, 60.0))
BIT = {criterion.name: 1 << i for i, criterion in enumerate(CRITERIA)}
HITS = (1 << len(CRITERIA)) - 1
OPENS, ACCEPTS = 1 << len(CRITERIA), 2 << len(CRITERIA)  # the bits of events that first_act and accepted wait for

TEXT_TESTS = {
    "contains": pc.match_substring,
    "starts_with": pc.starts_with,
    "matches": pc.match_substring_regex,
}


def masks_of_types(types: list[str]) -> tuple[Masks, Masks]:
    """By event type: the bits it sets whatever its url, and those it sets where the url fits too."""
    plain, text = np.zeros(len(types), np.uint32), np.zeros(len(types), np.uint32)
    for i, name in enumerate(types):
        for criterion in CRITERIA:
            if name in criterion.on:
                (text if criterion.text else plain)[i] |= BIT[criterion.name]
        plain[i] |= OPENS * (name in FIRST_ACT) | ACCEPTS * (name in ACCEPTED)
    return plain, text


def masks_of_urls(urls: pa.Array) -> Masks:
    """By distinct url: the bits of the text tests it passes."""
    masks = np.zeros(len(urls), np.uint32)
    for criterion in CRITERIA:
        if criterion.text:
            op, value = criterion.text
            passed = TEXT_TESTS[op](urls, value, ignore_case=True)
            masks |= np.where(
                pc.fill_null(passed, False).to_numpy(zero_copy_only=False), BIT[criterion.name], 0
            ).astype(np.uint32)
    return masks


def one_chunk(column: pa.ChunkedArray) -> pa.Array:
    """The column as one array."""
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def dictionary_of(column: pa.ChunkedArray) -> tuple[pa.Array, npt.NDArray[np.signedinteger]]:
    """Distinct values, and which of them each row has; -1 for null."""
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    encoded = one_chunk(column.unify_dictionaries())
    return encoded.dictionary, pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False)


def fits(leads: pa.Table) -> Floats:
    """The score `fit` of each lead."""
    titles, title = dictionary_of(leads["title"])
    points = np.zeros(len(titles) + 1)  # the last: no title
    for words, worth in (
        (["VP"], 15), (["Chief"], 20), (["director", "head of"], 10), (["sales", "marketing", "revenue"], 10),
        (["intern", "assistant", "student"], -20),
    ):  # fmt: skip
        found = np.zeros(len(titles), bool)
        for word in words:
            found |= pc.match_substring(titles, word, ignore_case=True).to_numpy(zero_copy_only=False)
        points[:-1] += worth * found
    countries, country = dictionary_of(leads["country"])
    markets = np.zeros(len(countries) + 1)
    lower = pc.utf8_lower(countries)
    for names, worth in (("de at ch", 10), ("us gb nl fr ca", 5), ("jp br", -15)):
        markets[:-1] += worth * pc.is_in(lower, pa.array(names.split())).to_numpy(zero_copy_only=False)
    people = leads["employees"].cast("float64").to_numpy()  # null becomes NaN, which reaches no band
    bands = np.array([0.0, 5.0, 10.0, 15.0])[
        (people >= 50).astype(np.int8) + (people >= 200).astype(np.int8) + (people >= 1000).astype(np.int8)
    ]
    tiny = np.where((people >= 0) & (people < 10), -10.0, 0.0)
    return np.minimum(40.0, points[title] + markets[country] + bands + tiny)


def instants(column: pa.ChunkedArray) -> Ints:
    """Microseconds since 1970."""
    return (
        one_chunk(column).cast(pa.timestamp("us")).to_numpy(zero_copy_only=False).astype("datetime64[us]").view("int64")
    )


@dataclass(frozen=True)
class Log:
    """What a peer returns.

    Attributes:
        transitions: lead_id, at, from_stage (null at birth), to_stage, fit, engagement, total; leads in the order of the
            leads table, each lead's rows as they happened.
        states: lead_id, stage, entered_at (both null without an event), fit, engagement, total, mql; one row per lead.
    """

    transitions: pa.Table
    states: pa.Table


def stages(codes: npt.NDArray[np.int8]) -> pa.Array:
    """Names of stages; null for -1."""
    return pa.DictionaryArray.from_arrays(pa.array(codes, mask=codes < 0), pa.array(STAGES))


def make_log(
    ids: pa.Array,
    moves: tuple[Codes, Ints, npt.NDArray[np.int8], npt.NDArray[np.int8], Floats],
    ends: tuple[npt.NDArray[np.int8], Ints, Floats, npt.NDArray[np.bool_]],
    fit: Floats,
) -> Log:
    """Tables from arrays: (lead, at, from, to, engagement) and (stage, entered, engagement, mql)."""
    lead, at, source, target, engagement = moves
    stage, entered, engaged, mql = ends
    fit_then = fit[lead]
    return Log(
        pa.table(
            {
                "lead_id": ids.take(pa.array(lead)),
                "at": pa.array(at.view("datetime64[us]")),
                "from_stage": stages(source),
                "to_stage": stages(target),
                "fit": fit_then,
                "engagement": engagement,
                "total": fit_then + engagement,
            }
        ),
        pa.table(
            {
                "lead_id": ids,
                "stage": stages(stage),
                "entered_at": pa.array(entered.view("datetime64[us]"), mask=stage < 0),
                "fit": fit,
                "engagement": engaged,
                "total": fit + engaged,
                "mql": mql,
            }
        ),
    )
