"""W2 by hand in numba: codes, a counting sort by lead, one pass per lead over decayed sums, midnights where they matter.

Between events the total can only fall. So nothing has to be looked at between two events unless the threshold is reached
or a stage waits for it to be released; and where no rule waits, the last midnight before the next event tells all.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from benchmarks.peers.compiled import njit, uint32, uint64
from benchmarks.peers.w2 import (
    ACCEPTS,
    BIT,
    COLD_AFTER,
    DAY,
    ENGAGED,
    GOOD_FIT,
    HITS,
    MQL,
    NEW,
    OPENS,
    PROSPECT,
    REACH,
    RECYCLED,
    RELEASE,
    SQL,
    STALLED_AFTER,
    Codes,
    Floats,
    Ints,
    Log,
    Masks,
    dictionary_of,
    fits,
    instants,
    make_log,
    masks_of_types,
    masks_of_urls,
    one_chunk,
)

PAGE_VIEW, PRICING, COMPARE, CASE_STUDY, CAREERS, DOCS, BLOG, PRODUCT, TRIAL_PAGES, LONG_VISIT = (
    BIT[name]
    for name in (
        "page_view", "pricing", "compare", "case_study", "careers", "docs", "blog", "product", "trial_pages", "long_visit",
    )
)  # fmt: skip
EMAIL_OPEN, PAID_CAMPAIGN, EMAIL_CLICK, UNSUBSCRIBE, WEBINAR = (
    BIT[name] for name in ("email_open", "paid_campaign", "email_click", "unsubscribe", "webinar")
)
API_REFERENCE, TRIAL_LOGIN, HAND_RAISED, INVOICE, MEETING = (
    BIT[name] for name in ("api_reference", "trial_login", "hand_raised", "invoice", "meeting")
)
NUMBERED = LONG_VISIT | WEBINAR | TRIAL_LOGIN | INVOICE
IN_30D, IN_60D, IN_90D = BLOG | EMAIL_CLICK | PAID_CAMPAIGN, DOCS | WEBINAR, PRODUCT | HAND_RAISED
WINDOWED = IN_30D | IN_60D | IN_90D

# Places in the float state: decayed sums; in the integer state: counts, and sums of instants for the linear ones.
S_VIEW, S_TRIAL, S_LONG, S_PRICING, S_COMPARE, S_OPEN, S_API, S_CASE, S_LOGIN = range(9)
NOW, TAIL_30, TAIL_60, TAIL_90 = range(4)
N_CAREERS, N_UNSUBSCRIBE, N_INVOICE, N_MEETING, N_PAID, N_WEBINAR, N_HAND = range(4, 11)
N_DOCS, N_BLOG, N_PRODUCT, N_CLICK, T_DOCS, T_BLOG, T_PRODUCT, T_CLICK = range(11, 19)
FLOATS, INTS = 9, 19


@njit(cache=True, nogil=True)
def index_ids(ids: Ints, keys: Ints, rows: Codes) -> None:
    """Open addressing: each id's row; ``rows`` is -1 where nothing is."""
    last = len(keys) - 1
    for row in range(len(ids)):
        place = (uint64(ids[row]) * uint64(0x9E3779B97F4A7C15) >> uint64(20)) & uint64(last)
        while rows[place] >= 0:
            place = (place + uint64(1)) & uint64(last)
        keys[place] = ids[row]
        rows[place] = row


@njit(cache=True, nogil=True)
def find_ids(low: int, high: int, ids: Ints, keys: Ints, rows: Codes, lead: Codes) -> int:
    """Row of each event's lead; how many have none."""
    last, unknown = len(keys) - 1, 0
    for i in range(low, high):
        place = (uint64(ids[i]) * uint64(0x9E3779B97F4A7C15) >> uint64(20)) & uint64(last)
        while rows[place] >= 0 and keys[place] != ids[i]:
            place = (place + uint64(1)) & uint64(last)
        lead[i] = rows[place]
        unknown += rows[place] < 0
    return unknown


@njit(cache=True, nogil=True)
def find_masks(
    low: int, high: int, kind: npt.NDArray[np.int8], url: Codes, value: Floats, plain: Masks, text: Masks, of_url: Masks,
    mask: Masks,
) -> None:  # fmt: skip
    """What each event hits."""
    for i in range(low, high):
        m = plain[kind[i]]
        if text[kind[i]] and url[i] >= 0:
            m |= text[kind[i]] & of_url[url[i]]
        if m & uint32(NUMBERED):
            if m & uint32(LONG_VISIT) and not value[i] >= 120:
                m ^= uint32(LONG_VISIT)
            if m & uint32(WEBINAR) and not value[i] >= 15:
                m ^= uint32(WEBINAR)
            if m & uint32(TRIAL_LOGIN) and not value[i] > 3:
                m ^= uint32(TRIAL_LOGIN)
            if m & uint32(INVOICE) and not 10 <= value[i] <= 100_000:
                m ^= uint32(INVOICE)
        mask[i] = m


@njit(cache=True, nogil=True)
def sort_by_lead(rows: int, leads: int, at: Ints, lead: Codes, mask: Masks, events: npt.NDArray[np.int64]) -> Ints:
    """Counting sort of the first ``rows`` events (sorted by instant); where each lead's begin."""
    first = np.zeros(leads + 2, np.int64)
    for i in range(rows):
        first[lead[i] + 2] += 1
    for i in range(2, leads + 2):
        first[i] += first[i - 1]
    for i in range(rows):
        place = first[lead[i] + 1]
        first[lead[i] + 1] = place + 1
        events[place, 0] = at[i]  # side by side: one cache line per event
        events[place, 1] = mask[i]
    return first[:-1]


@njit(cache=True, nogil=True)
def settle(s: Floats, n: Ints, events: Ints, end: int, t: int) -> None:
    """Bring the state to ``t``: decay the sums, drop what left the windows of events before ``end``."""
    gap = t - n[NOW]
    if gap > 0:
        by_90 = np.exp2(gap * (-1.0 / (90 * DAY)))
        by_30 = by_90 * by_90 * by_90
        by_7 = np.exp2(gap * (-1.0 / (7 * DAY)))
        s[S_VIEW] *= by_7
        s[S_TRIAL] *= by_7
        s[S_LONG] *= by_7
        s[S_PRICING] *= by_30
        s[S_COMPARE] *= by_30
        s[S_OPEN] *= by_30
        s[S_API] *= by_30
        s[S_CASE] *= by_90
        s[S_LOGIN] *= by_90
        n[NOW] = t
    i = n[TAIL_30]
    while i < end and events[i, 0] <= t - 30 * DAY:
        m = events[i, 1]
        if m & IN_30D:
            if m & BLOG:
                n[N_BLOG] -= 1
                n[T_BLOG] -= events[i, 0]
            if m & EMAIL_CLICK:
                n[N_CLICK] -= 1
                n[T_CLICK] -= events[i, 0]
            if m & PAID_CAMPAIGN:
                n[N_PAID] -= 1
        i += 1
    n[TAIL_30] = i
    i = n[TAIL_60]
    while i < end and events[i, 0] <= t - 60 * DAY:
        m = events[i, 1]
        if m & IN_60D:
            if m & DOCS:
                n[N_DOCS] -= 1
                n[T_DOCS] -= events[i, 0]
            else:
                n[N_WEBINAR] -= 1
        i += 1
    n[TAIL_60] = i
    i = n[TAIL_90]
    while i < end and events[i, 0] <= t - 90 * DAY:
        m = events[i, 1]
        if m & IN_90D:
            if m & PRODUCT:
                n[N_PRODUCT] -= 1
                n[T_PRODUCT] -= events[i, 0]
            else:
                n[N_HAND] -= 1
        i += 1
    n[TAIL_90] = i


@njit(cache=True, nogil=True)
def add(s: Floats, n: Ints, m: int, t: int) -> None:
    """Count one event at the instant of the state."""
    if m & PAGE_VIEW:
        s[S_VIEW] += 0.625
        if m & LONG_VISIT:
            s[S_LONG] += 1.25
    if m & EMAIL_OPEN:
        s[S_OPEN] += 0.625
    if m & (PRICING | COMPARE | CASE_STUDY | CAREERS | TRIAL_PAGES | API_REFERENCE):
        if m & PRICING:
            s[S_PRICING] += 10.0
        if m & COMPARE:
            s[S_COMPARE] += 7.5
        if m & CASE_STUDY:
            s[S_CASE] += 5.0
        if m & CAREERS:
            n[N_CAREERS] += 1
        if m & TRIAL_PAGES:
            s[S_TRIAL] += 7.5
        if m & API_REFERENCE:
            s[S_API] += 2.5
    if m & WINDOWED:
        if m & DOCS:
            n[N_DOCS] += 1
            n[T_DOCS] += t
        if m & BLOG:
            n[N_BLOG] += 1
            n[T_BLOG] += t
        if m & PRODUCT:
            n[N_PRODUCT] += 1
            n[T_PRODUCT] += t
        if m & EMAIL_CLICK:
            n[N_CLICK] += 1
            n[T_CLICK] += t
        if m & PAID_CAMPAIGN:
            n[N_PAID] += 1
        if m & WEBINAR:
            n[N_WEBINAR] += 1
        if m & HAND_RAISED:
            n[N_HAND] += 1
    if m & (UNSUBSCRIBE | TRIAL_LOGIN | INVOICE | MEETING):
        if m & UNSUBSCRIBE:
            n[N_UNSUBSCRIBE] += 1
        if m & TRIAL_LOGIN:
            s[S_LOGIN] += 5.0
        if m & INVOICE:
            n[N_INVOICE] += 1
        if m & MEETING:
            n[N_MEETING] += 1


@njit(cache=True, nogil=True)
def engagement_of(s: Floats, n: Ints) -> float:
    """The score `engagement` at the instant of the state; integers keep the linear sums exact."""
    t = n[NOW]
    docs = 1.25 * (n[N_DOCS] - (n[N_DOCS] * t - n[T_DOCS]) * (1.0 / (60 * DAY)))
    blog = 0.625 * (n[N_BLOG] - (n[N_BLOG] * t - n[T_BLOG]) * (1.0 / (30 * DAY)))
    product = 2.5 * (n[N_PRODUCT] - (n[N_PRODUCT] * t - n[T_PRODUCT]) * (1.0 / (90 * DAY)))
    click = 2.5 * (n[N_CLICK] - (n[N_CLICK] * t - n[T_CLICK]) * (1.0 / (30 * DAY)))
    web = (
        min(10.0, s[S_VIEW]) + min(40.0, s[S_PRICING]) + s[S_COMPARE] + min(20.0, s[S_CASE])
        + max(-20.0, -5.0 * n[N_CAREERS]) + min(16.0, docs) + blog + product + s[S_TRIAL] + min(10.0, s[S_LONG])
    )  # fmt: skip
    campaign = min(8.0, s[S_OPEN]) + 5.0 * n[N_PAID] + min(16.0, click) - 25.0 * n[N_UNSUBSCRIBE] + 15.0 * n[N_WEBINAR]
    offer = s[S_API] + s[S_LOGIN] + 62.5 * n[N_HAND] + 25.0 * n[N_INVOICE] + 12.5 * n[N_MEETING]
    return min(60.0, web) + min(30.0, campaign) + min(60.0, offer)


@njit(cache=True, nogil=True)
def replay(
    low: int, high: int, first: Ints, events: Ints, fit: Floats, until: int,
    lead: Codes, at: Ints, source: npt.NDArray[np.int8], target: npt.NDArray[np.int8], engagement: Floats,
    stages: npt.NDArray[np.int8], entered_at: Ints, ends: Floats, mql: npt.NDArray[np.bool_],
) -> int:  # fmt: skip
    """Replay leads ``low`` to ``high``; how many transitions that made. Those beyond the arrays are only counted."""
    s, n = np.zeros(FLOATS), np.zeros(INTS, np.int64)
    made, room = 0, len(lead)
    for who in range(low, high):
        begin, end = first[who], first[who + 1]
        if begin == end:
            stages[who], entered_at[who], ends[who], mql[who] = -1, 0, 0.0, False
            continue
        s[:] = 0
        n[:] = 0
        n[NOW] = events[begin, 0]
        n[TAIL_30] = n[TAIL_60] = n[TAIL_90] = begin
        mine = fit[who]
        stage, entered, reached, waiting = NEW, events[begin, 0], False, False
        tick = -(-entered // DAY) * DAY
        if made < room:
            lead[made], at[made], source[made], target[made], engagement[made] = who, entered, -1, NEW, 0.0
        made += 1
        for k in range(begin, end + 1):
            t = events[k, 0] if k < end else until + 1  # after the last event: midnights to the end
            if stage in (MQL, SQL):
                patience = COLD_AFTER if stage == MQL else STALLED_AFTER
                due = entered + patience
                while True:
                    timer = waiting and (not reached or due <= tick)  # released: only the timer still matters
                    now = due if timer else tick
                    if now >= t:
                        break
                    if timer:
                        waiting = False
                    else:
                        tick += DAY
                    settle(s, n, events, k, now)
                    worth = engagement_of(s, n)
                    if reached and mine + worth < RELEASE:
                        reached = False
                    if not reached and now - entered >= patience:
                        if made < room:
                            lead[made], at[made], source[made], target[made] = who, now, stage, RECYCLED
                            engagement[made] = worth
                        made += 1
                        stage, entered = RECYCLED, now
                        break
            elif reached:
                last = (t - 1) // DAY * DAY
                if last >= tick:
                    settle(s, n, events, k, last)
                    if mine + engagement_of(s, n) < RELEASE:
                        reached = False
            if k == end:
                break
            tick = -(-t // DAY) * DAY
            m = events[k, 1]
            moves = (m & OPENS != 0 and stage == NEW) or (m & ACCEPTS != 0 and stage == MQL)
            if not (m & HITS != 0 or reached or moves):
                continue  # the total fell, and the threshold was not reached before
            settle(s, n, events, k, t)
            add(s, n, m, t)
            worth = engagement_of(s, n)
            reached = mine + worth >= (RELEASE if reached else REACH)
            served = False
            while True:
                goal = -1
                if stage == NEW:
                    if m & OPENS and not served:
                        goal = ENGAGED
                elif stage == ENGAGED and mine >= GOOD_FIT:
                    goal = PROSPECT
                elif stage in (ENGAGED, PROSPECT, RECYCLED):
                    if reached:
                        goal = MQL
                elif stage == MQL and m & ACCEPTS and not served:
                    goal = SQL
                elif not reached and t - entered >= (COLD_AFTER if stage == MQL else STALLED_AFTER):
                    goal = RECYCLED
                if goal < 0:
                    break
                if made < room:
                    lead[made], at[made], source[made], target[made], engagement[made] = who, t, stage, goal, worth
                made += 1
                stage, entered, served, waiting = goal, t, True, goal in (MQL, SQL)
        settle(s, n, events, end, until)
        stages[who], entered_at[who], ends[who], mql[who] = stage, entered, engagement_of(s, n), reached
    return made


def id_rows(leads: pa.Table, events: pa.Table, share: Callable[..., list[Any]]) -> Codes:
    """Each event's row in the leads table: a hash table of its ids, or of all ids where they are text."""
    known, ids = one_chunk(leads["lead_id"]), events["lead_id"]
    if pa.types.is_integer(known.type):
        size = 1 << (4 * len(known)).bit_length()
        keys, rows = np.empty(size, np.int64), np.full(size, -1, np.int32)
        index_ids(known.to_numpy(), keys, rows)
        lead = np.empty(len(ids), np.int32)
        unknown = sum(share(find_ids, len(ids), one_chunk(ids).to_numpy(), keys, rows, lead))
    else:
        encoded = pa.chunked_array([known, *ids.chunks]).dictionary_encode()
        lead = one_chunk(encoded).indices.to_numpy()[len(known) :]
        unknown = len(encoded.chunk(0).dictionary) - len(known)
    if unknown:
        raise ValueError("W2 has no events of leads that are not in the leads table")
    return lead


def run(events: pa.Table, leads: pa.Table, until: int, threads: int = 1) -> Log:
    """W2 from its tables (events: lead_id, ts, event_type, url, value), with as many threads."""
    with ThreadPoolExecutor(threads) as pool:

        def share(work: Callable[..., Any], size: int, *arrays: Any) -> list[Any]:
            cuts = np.linspace(0, size, threads + 1).astype(int)
            return [f.result() for f in [pool.submit(work, int(a), int(b), *arrays) for a, b in pairwise(cuts)]]

        at = instants(events["ts"])
        if np.any(at[1:] < at[:-1]):
            order = np.argsort(at, kind="stable")
            events, at = events.take(pa.array(order)), at[order]
        rows = int(np.searchsorted(at, until, side="right"))
        lead = id_rows(leads, events, share)
        types, kind = dictionary_of(events["event_type"])
        urls, url = dictionary_of(events["url"])
        value = one_chunk(events["value"]).to_numpy(zero_copy_only=False)
        mask = np.empty(len(at), np.uint32)
        share(find_masks, rows, kind, url, value, *masks_of_types(types.to_pylist()), masks_of_urls(urls), mask)
        sorted_events = np.empty((rows, 2), np.int64)
        first = sort_by_lead(rows, len(leads), at, lead, mask, sorted_events)
        fit = fits(leads)

        stage, entered = np.empty(len(leads), np.int8), np.empty(len(leads), np.int64)
        engagement, mql = np.empty(len(leads)), np.empty(len(leads), bool)
        cuts = np.searchsorted(first, np.linspace(0, rows, threads + 1)).tolist()  # as many events for each
        cuts[0], cuts[-1] = 0, len(leads)

        def part(low: int, high: int) -> tuple[Any, ...]:
            room = 4 * (high - low) + 64
            while True:
                log = (
                    np.empty(room, np.int32), np.empty(room, np.int64), np.empty(room, np.int8), np.empty(room, np.int8),
                    np.empty(room),
                )  # fmt: skip
                made = replay(low, high, first, sorted_events, fit, until, *log, stage, entered, engagement, mql)
                if made <= room:
                    return tuple(column[:made] for column in log)
                room = made

        parts = [f.result() for f in [pool.submit(part, a, b) for a, b in pairwise(cuts)]]
        moves = tuple(np.concatenate(columns) for columns in zip(*parts, strict=True))
        return make_log(one_chunk(leads["lead_id"]), moves, (stage, entered, engagement, mql), fit)
