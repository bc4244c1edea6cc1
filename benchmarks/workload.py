"""The common yardstick: W1's events and leads, a function of (seed, number of events, variant) and nothing else."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

import leadcore as lc
from benchmarks.criteria import many

W1 = Path(__file__).with_name("w1.yaml")
BEGIN = np.datetime64("2025-01-01T00:00:00", "us")
AS_OF = "2025-12-31T00:00:00Z"  # day 364: the last day is cut off
DAYS = 365
ROW_GROUP = 500_000
COLUMNS = {"events": {"at": "ts", "type": "event_type"}}

Ids = Literal["int", "uuid"]
Variant = Literal["plain", "urls", "visits", "criteria"]
"""As it is; with urls that hardly repeat; with events in bursts by visit; under 200 behavioural criteria."""

VISIT = 6  # events in the mean
PAUSE = 40_000_000  # microseconds between two events of a visit, in the mean

# Share of events by type; those in URL_TYPES (64 %) happen on a page and have its url.
TYPES = {
    "page_view": 0.44, "email_open": 0.12, "email_click": 0.05, "form_view": 0.03, "form_submit": 0.02,
    "download": 0.025, "video_play": 0.03, "search": 0.03, "pricing_calculator": 0.005, "ad_click": 0.01,
    "chat": 0.01, "webinar_registered": 0.008, "webinar_attended": 0.006, "demo_request": 0.003, "trial_start": 0.002,
    "trial_login": 0.03, "feature_used": 0.03, "ad_view": 0.04, "social_like": 0.015, "social_share": 0.005,
    "call_connected": 0.006, "call_missed": 0.006, "meeting_held": 0.002, "meeting_no_show": 0.001,
    "support_ticket": 0.008, "survey_answered": 0.004, "unsubscribe": 0.003, "bounce": 0.004, "invoice_paid": 0.003,
    "email_sent": 0.057,
}  # fmt: skip
URL_TYPES = (
    "page_view", "email_click", "form_view", "form_submit", "download", "video_play", "search", "pricing_calculator",
    "ad_click",
)  # fmt: skip

SECTIONS = {
    "/": 0.25, "/pricing/": 0.05, "/docs/": 0.04, "/blog/": 0.10, "/product/": 0.06, "/compare/": 0.03,
    "/case-studies/": 0.04, "/careers/": 0.06, "/events/": 0.15, "/help/": 0.13, "/trial/": 0.03, "/api/": 0.06,
}  # fmt: skip
WORDS = (
    "lead", "score", "guide", "sales", "teams", "setup", "growth", "crm", "email", "pipeline", "report", "forecast",
    "revenue", "model", "intro", "metrics", "funnel", "best", "practice", "connect",
)  # fmt: skip
CAMPAIGNS = ("brand-q1", "retarget-de", "summer", "partner", "retarget-us", "launch")

LEVELS = ("VP", "Chief", "Director of", "Head of", "Manager,", "Senior", "Junior", "Lead", "Intern,", "Assistant to")
AREAS = (
    "Sales", "Marketing", "Revenue Operations", "Engineering", "Data", "Finance", "Procurement", "Support", "People",
    "Information Officer", "Student Affairs", "IT", "Product", "Growth", "Legal",
)  # fmt: skip
REGIONS = ("", " EMEA", " North America", " APAC", " DACH", " Nordics")
COUNTRIES = ("DE", "US", "GB", "FR", "NL", "AT", "CH", "SE", "ES", "IT", "PL", "IN", "BR", "CA", "AU", "JP")


@dataclass(frozen=True)
class Workload:
    """Events sorted by instant, one row of leads per lead, and the instant to score at."""

    events: pa.Table
    leads: pa.Table
    as_of: str = AS_OF

    @property
    def megabytes(self) -> float:
        """Size of both tables in memory."""
        return (self.events.nbytes + self.leads.nbytes) / 1e6


def w1_document(variant: Variant = "plain") -> dict[str, Any]:
    """The document of W1, as plain data."""
    document: dict[str, Any] = json.loads(lc.Model.load(str(W1)).to_json())
    return many(document, list(TYPES), WORDS) if variant == "criteria" else document


def w1_model(variant: Variant = "plain") -> lc.Model:
    """The model of W1."""
    return lc.Model.from_json(json.dumps(w1_document(variant)))


def make(rows: int, *, ids: Ids = "int", seed: int = 1, variant: Variant = "plain") -> Workload:
    """W1's tables with ``rows`` events of ``rows / 20`` leads; both id types name the same leads.

    Every column has a generator of its own, so none depends on which others are made.
    """
    size = max(1, rows // 20)
    people = _ids(seed, size, ids)
    return Workload(_events(seed, rows, people, variant), _leads(seed, people))


def _rng(seed: int, rows: int, column: str) -> np.random.Generator:
    return np.random.default_rng([seed, rows, *column.encode()])


def _ids(seed: int, size: int, ids: Ids) -> pa.Array:
    """``size`` distinct ids: integers below 2^53, or 36-character UUIDs."""
    if ids == "int":
        rng = _rng(seed, size, "lead_id")
        drawn = np.unique(rng.integers(1, 2**53, size=size + 100))
        return pa.array(rng.permutation(drawn)[:size])
    words = _rng(seed, size, "lead_uuid").integers(0, 256, size=(size, 16), dtype=np.uint8)
    words[:, 6] = words[:, 6] & 0x0F | 0x40
    words[:, 8] = words[:, 8] & 0x3F | 0x80
    digits = np.frombuffer(b"0123456789abcdef", np.uint8)
    text = np.full((size, 36), ord("-"), np.uint8)
    places = [i for i in range(36) if i not in (8, 13, 18, 23)]
    text[:, places[0::2]] = digits[words >> 4]
    text[:, places[1::2]] = digits[words & 15]
    offsets = np.arange(0, 36 * (size + 1), 36, dtype=np.int32)
    return pa.StringArray.from_buffers(size, pa.py_buffer(offsets), pa.py_buffer(text))


def _events(seed: int, rows: int, people: pa.Array, variant: Variant) -> pa.Table:
    rng = _rng(seed, rows, "lead")
    weights = (np.arange(len(people)) + 50.0) ** -0.9
    counts = 1 + rng.multinomial(max(0, rows - len(people)), weights / weights.sum())
    lead = np.repeat(np.arange(len(people), dtype=np.int32), counts)[:rows]
    if variant == "visits":
        lead, instants = _visits(seed, lead)
    else:
        rng.shuffle(lead)
        instants = _rng(seed, rows, "ts").integers(0, DAYS * 86_400_000_000, size=rows)
        instants.sort()
    kind = _rng(seed, rows, "event_type").choice(len(TYPES), size=rows, p=_shares(TYPES)).astype(np.int8)
    urls, popularity = _urls(seed)
    has_url = np.array([name in URL_TYPES for name in TYPES])[kind]
    if variant == "urls":
        urls, url = _own_urls(seed, rows, urls, popularity, has_url)
    else:
        url = _rng(seed, rows, "url").choice(len(urls), size=rows, p=popularity).astype(np.int32)
    rng = _rng(seed, rows, "value")
    value = np.round(rng.lognormal(3.0, 1.2, size=rows), 2)
    no_value = rng.random(rows) < 0.5
    names = pa.array(list(TYPES))
    batches = []
    for i in range(0, max(rows, 1), ROW_GROUP):
        part = slice(i, i + ROW_GROUP)
        batches.append(
            pa.record_batch(
                {
                    "lead_id": people.take(pa.array(lead[part])),
                    "ts": pa.array(BEGIN + instants[part].astype("timedelta64[us]")),
                    "event_type": pa.DictionaryArray.from_arrays(pa.array(kind[part]), names),
                    "url": urls.take(pa.array(url[part], mask=~has_url[part])),
                    "value": pa.array(value[part], mask=no_value[part]),
                }
            )
        )
    return pa.Table.from_batches(batches)


def _shares(weights: dict[str, float]) -> npt.NDArray[np.float64]:
    shares = np.array(list(weights.values()))
    return shares / shares.sum()


def _urls(seed: int, size: int = 20_000) -> tuple[pa.Array, npt.NDArray[np.float64]]:
    """20,000 distinct urls and their Zipf popularity; some 45 bytes as they are read, one in twenty beyond 64."""
    rng = _rng(seed, size, "urls")
    sections = rng.choice(list(SECTIONS), size=size, p=_shares(SECTIONS))
    urls = []
    for i, section in enumerate(sections):
        words = rng.choice(WORDS, size=rng.integers(0, 4))
        path = "-".join([*words, str(i)])
        if section == "/api/":
            path = f"v{i % 4 + 1}.{i % 7}/{'sdk' if i % 3 else 'rest'}/{path}"
        query = f"?utm_campaign={CAMPAIGNS[i % len(CAMPAIGNS)]}" if rng.random() < 0.12 else ""
        urls.append(f"https://www.example.com{section}{path}{query}")
    popularity = 1.0 / np.arange(1, size + 1)
    return pa.array(urls), popularity / popularity.sum()


def _visits(seed: int, lead: npt.NDArray[np.int32]) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
    """Lead and instant of each event in the order of visits, given events lead by lead: visits overlap, as they do."""
    rng = _rng(seed, len(lead), "visits")
    begins = rng.random(len(lead)) < 1 / VISIT
    begins[:1] = True
    begins[1:] |= lead[1:] != lead[:-1]
    first = np.flatnonzero(begins)
    length = np.diff(first, append=len(lead))
    order = rng.permutation(len(first))
    first, length = first[order], length[order]
    ends = np.cumsum(length)
    which = np.repeat(np.arange(len(first)), length)
    place = np.arange(len(lead)) - (ends - length)[which]  # in its visit
    begin = np.sort(rng.integers(0, DAYS * 86_400_000_000, size=len(first)))
    pause = rng.exponential(PAUSE, size=len(lead)).astype(np.int64)
    passed = np.cumsum(pause)
    return lead[first[which] + place], begin[which] + passed - passed[(ends - length)[which]]


def _own_urls(
    seed: int, rows: int, urls: pa.Array, popularity: npt.NDArray[np.float64], has_url: npt.NDArray[np.bool_]
) -> tuple[pa.Array, npt.NDArray[np.int32]]:
    """Half as many distinct urls as rows, told apart by a session's number, and which of them each row has."""
    rng = _rng(seed, rows, "own urls")
    wanted = np.flatnonzero(has_url)
    size = min(rows // 2, len(wanted))
    page = urls.take(pa.array(rng.choice(len(urls), size=size, p=popularity)))
    sign = pc.if_else(pc.match_substring(page, "?"), "&sid=", "?sid=")
    number = pa.array(np.arange(size) + 100_000).cast(pa.string())
    found = np.concatenate([np.arange(size), rng.integers(0, max(1, size), size=len(wanted) - size)]).astype(np.int32)
    url = np.zeros(rows, np.int32)
    url[wanted] = rng.permutation(found)
    return pc.binary_join_element_wise(page, sign, number, ""), url


def _leads(seed: int, people: pa.Array) -> pa.Table:
    """One row per lead: title (a tenth null), country and employees."""
    size = len(people)
    rng = _rng(seed, size, "leads")
    titles = pa.array([f"{level} {area}{region}" for level in LEVELS for area in AREAS for region in REGIONS])
    title = rng.integers(0, len(titles), size=size)
    country = rng.choice(len(COUNTRIES), size=size, p=_shares({c: 1 / (i + 1) for i, c in enumerate(COUNTRIES)}))
    employees = np.round(rng.lognormal(4.5, 1.8, size=size)).astype(np.int64)
    return pa.table(
        {
            "lead_id": people,
            "title": titles.take(pa.array(title, mask=rng.random(size) < 0.1)),
            "country": pa.array(COUNTRIES).take(pa.array(country)),
            "employees": pa.array(employees, mask=rng.random(size) < 0.2),
        }
    )
