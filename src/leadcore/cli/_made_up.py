"""Made-up leads and events for the demo: seeded, made week by week, with the dirt of real exports."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from leadcore._arrow import Table
from leadcore._time import to_micros
from leadcore.cli._made_up_sales import ANSWERS, CALL, DEAL, Sales

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]

BEGIN, WEEKS = to_micros("2025-06-16T00:00Z"), 52
AS_OF = "2026-06-01T00:00Z"
"""Two weeks before the last event, so that some are later than the instant of scoring."""

EVENTS_PER_LEAD = 20
_HOUR = 3_600_000_000
_WEEK = 168 * _HOUR
_PER_SESSION = 3.4

TYPES = (
    "page_view", "email_open", "email_click", "form_submit", "webinar", "trial_use", "meeting", "unsubscribe",
    "chat_message", "Page_View", CALL, DEAL,
)  # fmt: skip
VIEW, OPEN, CLICK, FORM, WEBINAR, TRIAL, MEETING, LEFT, CHAT, ODD = range(len(TYPES) - 2)
"""What leads do; what sales does is in `_made_up_sales`."""
MIX = np.array(
    [
        # view  open  click form  webinar trial meeting left chat odd
        [0.955, 0.000, 0.000, 0.020, 0.003, 0.000, 0.0000, 0.0000, 0.020, 0.002],  # looks around
        [0.280, 0.560, 0.145, 0.005, 0.000, 0.000, 0.0000, 0.0095, 0.000, 0.0005],  # answers mail
        [0.700, 0.000, 0.020, 0.110, 0.050, 0.080, 0.0300, 0.0000, 0.009, 0.001],  # wants to buy
        [0.180, 0.000, 0.010, 0.010, 0.010, 0.785, 0.0040, 0.0000, 0.001, 0.000],  # tries the product
    ]
)
LOOKS, MAIL, BUYS, TRIES = range(len(MIX))
HEAT = np.array([1.0, 0.5, 5.0, 5.0])
"""How much each event of a session looks like buying, to salespeople."""

WEB = ("/", "/product", "/customers", "/blog", "/careers", "/docs", "/Pricing?utm=ad", "/integrations")
BUYING = ("/pricing", "/pricing/enterprise", "/PRICING", "/contact-sales", "/customers/cases", "/security")
FORMS = ("newsletter", "ebook", "demo", "Demo", "contact", "support")
FEATURES = ("import", "dashboard", "export", "api", "rules", "alerts", "teams", "sso", "billing", "search")
RAISED = [FORMS.index(form) for form in ("demo", "Demo", "contact")]
OUTCOMES = ("good_call", "next_step", "no_show", "not_a_fit", "other")
INDUSTRIES = ("Software", "finance", "Manufacturing", "retail", "Health", "education", "public", "media", "logistics")
COUNTRIES = ("DE", "US", "GB", "FR", "NL", "AT", "CH", "IN", "SE", "PL", "ES", "it", "DK", "NO", "FI", "IE", "BR", "JP")
SOURCES = ("search", "ad", "partner", "referral", "event", "purchased_list", "Referral")
RANKS = (
    "CEO", "Founder", "CTO", "VP", "vp", "Head of", "Director of", "Senior Manager", "Manager", "Team Lead,",
    "Principal Engineer,", "Engineer,", "Analyst,", "Specialist,", "Consultant,", "Assistant,", "Student,", "Intern,",
)  # fmt: skip
_RANK_SHARE = np.array([2, 3, 2, 2, 1, 4, 5, 5, 13, 6, 3, 18, 10, 10, 6, 4, 4, 2], float)
_RANK_FIT = np.array([40] * 7 + [20] * 4 + [0] * 5 + [-60] * 2)
FIELDS = ("Sales", "Marketing", "Engineering", "Operations", "Finance", "IT", "Product", "Data", "HR", "SALES")


@dataclass(frozen=True)
class People:
    """What the events follow from, one entry per lead."""

    weight: Floats
    born: Floats
    stays: Floats
    intent: Floats


def make(rows: int, seed: int, text_ids: bool, progress: Callable[[int], None] | None = None) -> tuple[Table, Table]:
    """The tables of leads and events: ``rows`` events sorted by time, a lead for every 20 of them.

    The same arguments give the same tables.
    """
    count = max(rows // EVENTS_PER_LEAD, 20)
    rng = np.random.default_rng([seed, 0])
    people = _people(count, rng)
    ids = _Ids(count, rng, text_ids)
    leads, fit = _leads(count, people, ids, rng)
    return leads, _events(rows, people, fit, ids, seed, progress)


class _Ids:
    """Lead ids as columns: integers, or text that looks like a UUID."""

    def __init__(self, count: int, rng: np.random.Generator, text: bool) -> None:
        self.text: list[str] | None = None
        self.numbers = 100_000 + rng.permutation(count * 3)[:count].astype(np.int64)
        if text:
            high, low = (rng.integers(0, 2**64, count, np.uint64).tolist() for _ in range(2))
            whole = (f"{a:016x}{b:016x}" for a, b in zip(high, low, strict=True))
            self.text = [f"{h[:8]}-{h[8:12]}-4{h[13:16]}-a{h[17:20]}-{h[20:]}" for h in whole]

    def column(self, leads: Codes) -> Any:
        """The ids of these leads."""
        return self.numbers[leads] if self.text is None else ("dictionary", leads, self.text)


def _people(count: int, rng: np.random.Generator) -> People:
    rank = rng.permutation(count) + 1.0
    weight = np.power(rank + 200, -0.85, dtype=np.float64)
    weight[rng.random(count) < 0.08] = 0  # bought lists, trade fairs: leads that never did anything
    weight[0] = max(weight[0], 1e-9)
    born = rng.uniform(-20, WEEKS - 0.5, count)
    born[rng.random(count) < 0.3] = -20.0
    return People(weight, born, rng.lognormal(2.2, 0.9, count), rng.beta(1.1, 5.0, count))


def _picked(rng: np.random.Generator, share: npt.ArrayLike, count: int, null: float = 0.0) -> Codes:
    """Codes drawn by their shares; -1 is null."""
    edges = np.cumsum(np.asarray(share, float))
    codes: Codes = np.searchsorted(edges, rng.random(count) * edges[-1], side="right").astype(np.int32)
    if null:
        codes[rng.random(count) < null] = -1
    return codes


def _leads(count: int, people: People, ids: _Ids, rng: np.random.Generator) -> tuple[Table, Floats]:
    """The table of leads, and what salespeople think of each; one in a hundred is missing, known only from events."""
    kept = np.flatnonzero(rng.random(count) >= 0.01).astype(np.int32)
    n = len(kept)
    titles = [f"{rank} {field}" for rank in RANKS for field in FIELDS]
    rank = _picked(rng, _RANK_SHARE, n)
    title = (rank * len(FIELDS) + _picked(rng, np.ones(len(FIELDS)), n)).astype(np.int32)
    title[rng.random(n) < 0.06] = -1
    employees = np.round(rng.lognormal(4.6, 1.9, n)).clip(1, 400_000)
    created = BEGIN + (people.born[kept] * _WEEK).astype(np.int64) // 1_000_000 * 1_000_000
    fit = np.zeros(count)
    fit[kept] = (
        15
        + np.where(title < 0, 0, _RANK_FIT[rank])
        + np.array([0, 5, 15, 25])[np.searchsorted([20, 200, 1000], employees, side="right")]
    )
    table = Table.build(
        [
            ("lead_id", ids.column(kept)),
            ("created_at", ("instant", created, None)),
            ("account_id", rng.zipf(1.6, n).clip(1, 2**31).astype(np.int64) * 7919 % (count // 4 + 1) + 1),
            ("job_title", ("dictionary", title, titles)),
            ("industry", ("dictionary", _picked(rng, [6, 3, 3, 3, 2, 2, 2, 1, 1], n, 0.12), list(INDUSTRIES))),
            ("country", ("dictionary", _picked(rng, 1 / np.arange(1, 19), n, 0.03), list(COUNTRIES))),
            ("employees", ("nullable", employees, rng.random(n) >= 0.2)),
            ("source", ("dictionary", _picked(rng, [9, 6, 2, 2, 2, 3, 0.3], n, 0.05), list(SOURCES))),
            ("private_mail", ("nullable", rng.random(n) < 0.22, rng.random(n) >= 0.04)),
        ]
    )
    return table, fit


def _events(
    rows: int, people: People, fit: Floats, ids: _Ids, seed: int, progress: Callable[[int], None] | None
) -> Table:
    lead, kind, at = np.empty(rows, np.int32), np.empty(rows, np.int32), np.empty(rows, np.int64)
    texts = {name: np.full(rows, -1, np.int32) for name in ("url", "campaign", "form", "feature", "outcome")}
    numbers = {name: np.full(rows, np.nan, np.float32) for name in ("seconds", "minutes")}
    urls = [*WEB, *BUYING, *(f"/blog/{word}-{n}" for word in ("how-to", "why", "guide") for n in range(1, 61))]
    campaigns = [
        f"{year}-w{week:02d}-{kind}" for year in (25, 26) for week in range(1, 53) for kind in ("news", "offer")
    ]
    season = np.linspace(0.8, 1.2, WEEKS) * np.where(np.isin(np.arange(WEEKS), (27, 28)), 0.45, 1.0)
    season[[12, 13, 37]] *= 1.6  # two trade fairs
    ends = np.round(np.cumsum(season / season.sum()) * rows).astype(np.int64)
    columns: dict[str, npt.NDArray[Any]] = {"lead": lead, "kind": kind, "at": at, **texts, **numbers}
    sales = Sales(fit)
    done = 0
    for week, end in enumerate(ends.tolist()):
        rng = np.random.default_rng([seed, 1, week])
        count = end - done
        if not count:
            continue
        part = slice(done, end)
        who, what, when, session = _week(week, count, people, rng)
        lead[part], kind[part], at[part] = who, what, when
        _properties(
            what, session, week, rng, {n: c[part] for n, c in texts.items()}, {n: c[part] for n, c in numbers.items()}
        )
        raised = np.isin(texts["form"][part], RAISED)
        heat = HEAT[session] + 40.0 * raised
        worked = sales.week(BEGIN + (week + 1) * _WEEK, who, when, heat, raised, rng)[: count // 2]
        # What sales did takes the place of other events, so that there are as many as were asked for.
        kept = np.sort(rng.permutation(count)[: count - len(worked)])
        order = np.argsort(np.concatenate([when[kept], worked["at"]]), kind="stable")
        new = {"lead": worked["lead"], "at": worked["at"], "kind": worked["kind"] + len(TYPES) - 2}
        new["outcome"] = worked["answer"] + len(OUTCOMES)
        nothing = np.full(len(worked), -1, np.int32)
        for name, column in columns.items():
            empty = nothing if name not in numbers else np.full(len(worked), np.nan, np.float32)
            column[part] = np.concatenate([column[part][kept], new.get(name, empty)])[order]
        done = end
        if progress is not None:
            progress(done)
    words = {
        "url": urls,
        "campaign": campaigns,
        "form": list(FORMS),
        "feature": list(FEATURES),
        "outcome": [*OUTCOMES, *ANSWERS],
    }
    return Table.build(
        [
            ("lead_id", ids.column(lead)),
            ("at", ("instant", at, None)),
            ("type", ("dictionary", kind, list(TYPES))),
            *((name, ("dictionary", codes, words[name])) for name, codes in texts.items()),
            *((name, ("nullable", values, ~np.isnan(values))) for name, values in numbers.items()),
        ]
    )


def _hours() -> Floats:
    """How busy each hour of a week is."""
    day = np.exp(-(((np.arange(24) - 13.0) / 4.5) ** 2)) + 0.04
    week = np.array([1, 1.1, 1.1, 1, 0.85, 0.25, 0.3])
    return np.cumsum(np.outer(week, day).ravel())


_BUSY = _hours()


def _week(week: int, count: int, people: People, rng: np.random.Generator) -> tuple[Codes, Codes, Ints, Codes]:
    """Lead, type, instant and kind of session of ``count`` events of one week, sorted by time."""
    age = week - people.born
    alive = people.weight * np.exp(-np.maximum(age, 0) / people.stays) * (age >= 0)
    alive += people.weight * 0.002  # some come back after a long time
    edges = np.cumsum(alive)
    sessions = int(count / _PER_SESSION * 1.1) + 20
    while True:
        who = np.searchsorted(edges, np.sort(rng.random(sessions)) * edges[-1], side="right").astype(np.int32)
        length = rng.geometric(1 / (_PER_SESSION * 1.1), sessions)
        hour = np.searchsorted(_BUSY, rng.random(sessions) * _BUSY[-1], side="right")
        start = ((hour + rng.random(sessions)) * _HOUR).astype(np.int64)
        intent = people.intent[who]
        draw = rng.random(sessions)
        buys = 0.02 + 0.5 * intent**2
        tries = buys + 0.30 * intent * (intent > 0.25)
        session = np.select([draw < buys, draw < tries, draw < tries + 0.38], [BUYS, TRIES, MAIL], LOOKS)
        campaign = (session == MAIL) & (rng.random(sessions) < 0.5)  # Tuesday and Thursday at nine, and the hours after
        sent = np.where(rng.random(sessions) < 0.5, 33, 81) * _HOUR
        start = np.where(campaign, sent + (rng.exponential(2.0, sessions) * _HOUR).astype(np.int64), start)
        owner = np.repeat(np.arange(sessions), length)
        pause = (rng.exponential(75e6, len(owner))).astype(np.int64)
        passed = np.cumsum(pause)
        first = np.cumsum(length) - length
        at = start[owner] + passed - passed[first][owner]
        inside = np.flatnonzero(at < _WEEK)
        if len(inside) >= count:
            break
        sessions *= 2
    if len(inside) > count:
        inside = inside[np.sort(rng.permutation(len(inside))[:count])]
    inside = inside[np.argsort(at[inside], kind="stable")]
    session = session[owner[inside]].astype(np.int32)
    edges_of = np.cumsum(MIX, axis=1)
    draws = rng.random(count) * 0.999999
    what = (draws[:, None] >= edges_of[session]).sum(axis=1).astype(np.int32)
    return who[owner[inside]], what, BEGIN + week * _WEEK + at[inside] // 1000 * 1000, session


def _properties(
    what: Codes, session: Codes, week: int, rng: np.random.Generator, texts: dict[str, Codes], numbers: dict[str, Any]
) -> None:
    """Fill in what the events carry; some of it is missing, as always."""

    def put(column: Any, rows: Any, values: Any, null: float, nothing: Any) -> None:
        column[rows] = np.where(rng.random(len(rows)) < null, nothing, values)

    view = np.flatnonzero((what == VIEW) | (what == ODD))
    n = len(view)
    web = np.minimum(rng.zipf(1.5, n) - 1, len(WEB) - 1)
    blog = len(WEB) + len(BUYING) + np.minimum(rng.zipf(1.3, n) - 1, 179)
    buying = len(WEB) + _picked(rng, [9, 3, 0.4, 4, 3, 2], n)
    url = np.where(rng.random(n) < 0.5, web, blog)
    url = np.where(rng.random(n) < np.where(session[view] == BUYS, 0.45, 0.015), buying, url)
    put(texts["url"], view, url, 0.01, -1)
    put(numbers["seconds"], view, np.round(rng.lognormal(3.6, 1.0, n)), 0.05, np.nan)

    mail = np.flatnonzero((what == OPEN) | (what == CLICK))
    newest = (24 + week) % 104 * 2
    put(texts["campaign"], mail, np.maximum(newest - np.minimum(rng.zipf(1.8, len(mail)) - 1, 20), 0), 0.02, -1)

    form = np.flatnonzero(what == FORM)
    eager = np.isin(session[form], (BUYS, TRIES))
    chosen = np.where(
        eager, _picked(rng, [1, 2, 8, 0.3, 4, 1], len(form)), _picked(rng, [8, 5, 0.2, 0, 0.2, 2], len(form))
    )
    put(texts["form"], form, chosen, 0.01, -1)

    trial = np.flatnonzero(what == TRIAL)
    put(texts["feature"], trial, _picked(rng, 1 / np.arange(1, 11), len(trial)), 0.0, -1)
    put(numbers["minutes"], trial, np.round(rng.lognormal(2.0, 0.9, len(trial))), 0.03, np.nan)
    seminar = np.flatnonzero(what == WEBINAR)
    put(numbers["minutes"], seminar, np.round(rng.gamma(4.0, 9.0, len(seminar))), 0.05, np.nan)
    meeting = np.flatnonzero(what == MEETING)
    put(texts["outcome"], meeting, _picked(rng, [4, 2, 2, 1.5, 1], len(meeting)), 0.08, -1)
