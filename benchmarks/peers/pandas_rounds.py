"""W2 in pandas and numpy without a loop over leads or events: scores at all points at once, then stages in rounds.

A round takes every lead that still moves through MQL and, for some, SQL to RECYCLED; there are as many rounds as the
busiest lead becomes an MQL. Midnights are looked at only for leads that reach the threshold at some event: the others
wait for nothing. Leads are taken in portions, which bounds memory.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from benchmarks.peers.w2 import (
    ACCEPTED,
    COLD_AFTER,
    CRITERIA,
    DAY,
    ENGAGED,
    FIRST_ACT,
    GOOD_FIT,
    GROUPS,
    MQL,
    NEW,
    PROSPECT,
    REACH,
    RECYCLED,
    RELEASE,
    SQL,
    STALLED_AFTER,
    Criterion,
    Floats,
    Ints,
    Log,
    fits,
    make_log,
    one_chunk,
)

Flags = npt.NDArray[np.bool_]
PORTION = 50_000  # leads; 64 bits hold twice as many years of microseconds
NEVER = np.iinfo(np.int64).max
NUMBERS = {
    "long_visit": lambda value: value >= 120,
    "webinar": lambda value: value >= 15,
    "trial_login": lambda value: value > 3,
    "invoice": lambda value: value.between(10, 100_000),
}


def frame_of(events: pa.Table, leads: pa.Table, until: int) -> pd.DataFrame:
    """Events as row of the lead, instant, categories of type and url, value; sorted by lead, then instant."""
    frame = events.drop_columns("lead_id").to_pandas(strings_to_categorical=True)
    known = pd.Index(leads["lead_id"].to_pandas())
    frame["lead"] = known.get_indexer(pd.Index(events["lead_id"].to_pandas())).astype(np.int64)
    frame["at"] = frame["ts"].to_numpy().astype("datetime64[us]").view("int64")
    frame = frame.loc[frame["at"] <= until, ["lead", "at", "event_type", "url", "value"]]
    return frame.sort_values(["lead", "at"], kind="stable", ignore_index=True)


def flags_of(events: pd.DataFrame, c: Criterion) -> Flags:
    """Which events count for a criterion; texts are tested once per category."""
    types = events["event_type"].cat
    flags = np.asarray(types.categories.isin(c.on))[types.codes]
    if c.text:
        op, value = c.text
        urls = events["url"].cat
        texts = urls.categories.astype("str").str.lower()
        if op == "starts_with":
            passed = texts.str.startswith(value)
        else:
            passed = texts.str.contains(value.replace("(", "(?:"), regex=op == "matches")
        flags &= np.append(np.asarray(passed, bool), False)[urls.codes]  # the last: no url
    if c.name in NUMBERS:
        flags &= NUMBERS[c.name](events["value"]).to_numpy()
    return flags


class Points(NamedTuple):
    """Where leads are evaluated, sorted: events, and midnights after the events of their instant."""

    lead: Ints
    at: Ints
    event: Ints  # the last event that counts
    midnight: Flags


class Scores:
    """The score `engagement` at any points: running sums over the events, taken where a point and its windows end."""

    def __init__(self, events: pd.DataFrame) -> None:
        self.lead, self.at = events["lead"].to_numpy(), events["at"].to_numpy()
        self.origin, self.base = int(self.at.min()), int(self.lead[0])
        self.span = int(self.at.max()) - self.origin + 130 * DAY  # room for windows before and timers behind
        self.keys = self.key(self.lead, self.at)
        self.first = np.searchsorted(self.lead, np.arange(self.base, int(self.lead[-1]) + 1))
        since = self.at - self.origin
        self.counts: dict[str, Ints] = {}
        self.times: dict[str, Ints] = {}
        grown = {}
        for c in CRITERIA:
            flags = flags_of(events, c)
            if c.decay == "half_life":  # doubled each half-life since the origin, instead of halved
                grown[c.name] = np.where(flags, c.points * np.exp2(since / (c.length * DAY)), 0.0)
            else:
                self.counts[c.name] = np.append(0, np.cumsum(flags))
            if c.decay == "linear":
                self.times[c.name] = np.append(0, np.cumsum(np.where(flags, since, 0)))  # may wrap: differences do not
        self.grown = pd.DataFrame(grown).groupby(self.lead, sort=False).cumsum()  # compensated, by lead

    def key(self, lead: Ints, at: Ints) -> Ints:
        """A number that sorts as (lead, at)."""
        return (lead - self.base) * self.span + (at - self.origin)

    def last_event(self, lead: Ints, at: Ints) -> Ints:
        """The last event of each lead up to each instant; the lead has been born."""
        return np.searchsorted(self.keys, self.key(lead, at), side="right") - 1

    def engagement(self, lead: Ints, at: Ints, event: Ints) -> Floats:
        """The score at these points."""
        born = self.first[lead - self.base]
        begins = {"none": born}
        for days in (30, 60, 90):
            left = np.searchsorted(self.keys, self.key(lead, at - days * DAY), side="right")
            begins[days] = np.maximum(born, left)
        factors = {days: np.exp2((self.origin - at) / (days * DAY)) for days in (7, 30, 90)}
        total = np.zeros(len(lead))
        for criteria, high in GROUPS:
            group = np.zeros(len(lead))
            for c in criteria:
                if c.decay == "half_life":
                    value = self.grown[c.name].to_numpy()[event] * factors[c.length]
                else:
                    begin = begins[c.length or "none"]
                    count = self.counts[c.name][event + 1] - self.counts[c.name][begin]
                    value = c.points * count.astype(float)
                    if c.decay == "linear":
                        times = self.times[c.name][event + 1] - self.times[c.name][begin]
                        value -= c.points * (count * (at - self.origin) - times) / (c.length * DAY)
                group += value.clip(c.low, c.high)
            total += np.minimum(high, group)
        return total


def points_of(events: pd.DataFrame, hot: Ints, scores: Scores, until: int) -> Points:
    """All points of hot leads."""
    own = np.flatnonzero(np.isin(scores.lead, hot))
    births = scores.at[scores.first[hot - scores.base]]
    first = -(-births // DAY)
    count = until // DAY - first + 1
    lead = np.repeat(hot, count)
    at = (np.repeat(first - (np.cumsum(count) - count), count) + np.arange(count.sum())) * DAY
    points = pd.DataFrame(
        {
            "lead": np.concatenate([scores.lead[own], lead]),
            "at": np.concatenate([scores.at[own], at]),
            "event": np.concatenate([own, scores.last_event(lead, at)]),
            "midnight": np.repeat([False, True], [len(own), len(lead)]),
        }
    ).sort_values(["lead", "at", "midnight"], kind="stable")
    return Points(*(points[name].to_numpy() for name in Points._fields))


def next_of(flags: Flags, last: Ints) -> Ints:
    """For each point the first at or after it with the flag, of the same lead; NEVER without one. One more at the end."""
    rows = np.where(flags, np.arange(len(flags)), NEVER)
    following = np.minimum.accumulate(rows[::-1])[::-1]
    return np.append(np.where(following <= last, following, NEVER), NEVER)


class Rounds:
    """Stages of hot leads. Threshold flags at points are precomputed as if no timer ever released it.

    They are right all the same from the moment a lead becomes an MQL, as it is reached there, to the timer that releases
    it; and from then on only a total of REACH brings it back.
    """

    def __init__(self, points: Points, accepts: Flags, fit: Floats, scores: Scores, until: int) -> None:
        self.points, self.fit, self.scores, self.until = points, fit, scores, until
        lead = points.lead
        total = fit[lead] + scores.engagement(lead, points.at, points.event)
        self.last = np.searchsorted(lead, lead, side="right") - 1
        known = pd.Series(np.where(total >= REACH, 1.0, np.where(total < RELEASE, 0.0, np.nan)))
        self.reached = known.groupby(lead, sort=False).ffill().to_numpy() == 1
        self.keys = 2 * scores.key(lead, points.at) + points.midnight
        self.next_reached = next_of(self.reached, self.last)
        self.next_released = next_of(~self.reached, self.last)
        self.next_above = next_of(total >= REACH, self.last)
        self.next_accepted = next_of(accepts, self.last)
        self.moves: list[tuple[Ints, Ints, Ints, Ints]] = []
        self.mql = pd.Series(self.reached[self.last], index=lead).groupby(level=0).first()

    def note(self, lead: Ints, at: Ints, source: Ints, target: int) -> None:
        self.moves.append((lead, at, np.broadcast_to(source, len(lead)), np.full(len(lead), target)))

    def cold(self, row: Ints, patience: int) -> tuple[Ints, Ints, Flags]:
        """Of stays entered at these points, when patience ends: the instant, the point at or before which, by a timer?"""
        lead, due = self.points.lead[row], self.points.at[row] + patience
        place = np.searchsorted(self.keys, 2 * self.scores.key(lead, due) + 1)  # behind the events of its instant
        worth = self.fit[lead] + self.scores.engagement(lead, due, self.scores.last_event(lead, due))
        timer = (due <= self.until) & ~(self.reached[place - 1] & (worth >= RELEASE))
        later = np.where(place <= self.last[row], self.next_released[place], NEVER)
        point = np.where(timer, place, np.where(due <= self.until, later, NEVER))
        at = np.where(timer, due, self.points.at[np.minimum(point, len(self.points.at) - 1)])
        return at, point, timer

    def cool(self, row: Ints, cold: tuple[Ints, Ints, Flags], who: Flags, source: int) -> Ints:
        """Move these to RECYCLED; the points where they become MQL again."""
        at, point, timer = (part[who] for part in cold)
        lead, last = self.points.lead[row[who]], self.last[row[who]]
        self.note(lead, at, source, RECYCLED)
        self.mql[lead[timer]] = False
        following = point + ~timer
        return np.where(following <= last, self.next_above[np.minimum(following, len(self.last))], NEVER)

    def run(self, row: Ints, stage: Ints) -> None:
        """Play on from stages before MQL, entered at these points."""
        row = self.next_reached[row]
        while True:
            stage, row = stage[row != NEVER], row[row != NEVER]
            if not len(row):
                return
            lead = self.points.lead[row]
            self.note(lead, self.points.at[row], stage, MQL)
            self.mql[lead] = self.reached[self.last[row]]
            cold = self.cold(row, COLD_AFTER)
            accepted = np.where(row < self.last[row], self.next_accepted[row + 1], NEVER)
            goes = (accepted != NEVER) & np.where(cold[2], accepted < cold[1], accepted <= cold[1])
            risen = [self.cool(row, cold, ~goes & (cold[1] != NEVER), MQL)]
            row = accepted[goes]
            self.note(self.points.lead[row], self.points.at[row], MQL, SQL)
            cold = self.cold(row, STALLED_AFTER)
            risen.append(self.cool(row, cold, cold[1] != NEVER, SQL))
            row = np.concatenate(risen)
            stage = np.full(len(row), RECYCLED)


def replay(events: pd.DataFrame, fit: Floats, until: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Moves (lead, at, source, target, engagement) and ends (lead, engagement, mql) of leads with events."""
    scores = Scores(events)
    births = events[["lead", "at"]].drop_duplicates("lead").assign(source=-1, target=NEW, event=0)  # worth nothing yet
    acts = events.loc[events["event_type"].isin(FIRST_ACT), ["lead", "at"]].drop_duplicates("lead")
    acts = acts.assign(source=NEW, target=ENGAGED, event=acts.index)
    good = acts[fit[acts["lead"]] >= GOOD_FIT].assign(source=ENGAGED, target=PROSPECT)

    totals = fit[scores.lead] + scores.engagement(scores.lead, scores.at, np.arange(len(events)))
    hot = np.unique(scores.lead[totals >= REACH])
    points = points_of(events, hot, scores, until)
    accepts = events["event_type"].isin(ACCEPTED).to_numpy()[points.event] & ~points.midnight
    rounds = Rounds(points, accepts, fit, scores, until)
    begin = acts[acts["lead"].isin(hot)]
    row = np.flatnonzero(~points.midnight & np.isin(points.event, begin.index))
    rounds.run(row, np.where(fit[begin["lead"]] >= GOOD_FIT, PROSPECT, ENGAGED))
    later = pd.DataFrame(
        dict(zip(("lead", "at", "source", "target"), map(np.concatenate, zip(*rounds.moves, strict=True)), strict=True))
        if rounds.moves
        else {name: np.empty(0, np.int64) for name in ("lead", "at", "source", "target")}
    )
    later["event"] = scores.last_event(later["lead"].to_numpy(), later["at"].to_numpy())
    moves = pd.concat([births, acts, good, later], ignore_index=True)
    moves = moves.sort_values(["lead", "at"], kind="stable", ignore_index=True)  # births, acts first; rounds in order
    who, at = moves["lead"].to_numpy(), moves["at"].to_numpy()
    worth = scores.engagement(who, at, moves["event"].to_numpy())
    moves["engagement"] = np.where(moves["source"] == -1, 0.0, worth)

    lead = births["lead"].to_numpy()
    end = np.full(len(lead), until)
    mql = rounds.mql.reindex(lead, fill_value=False).to_numpy(bool)
    ends = pd.DataFrame(
        {"lead": lead, "engagement": scores.engagement(lead, end, scores.last_event(lead, end)), "mql": mql}
    )
    return moves, ends


def run(events: pa.Table, leads: pa.Table, until: int) -> Log:
    """W2 from its tables."""
    frame, fit = frame_of(events, leads, until), fits(leads)
    cuts = np.searchsorted(frame["lead"], np.arange(0, len(leads) + PORTION, PORTION))
    parts = [replay(frame.iloc[a:b].reset_index(drop=True), fit, until) for a, b in pairwise(cuts) if a < b]
    moves, ends = (pd.concat(tables, ignore_index=True) for tables in zip(*parts, strict=True))
    latest = moves.drop_duplicates("lead", keep="last").set_index("lead")
    states = latest[["target", "at"]].reindex(range(len(leads)), fill_value=-1)
    ends = ends.set_index("lead").reindex(range(len(leads)))
    return make_log(
        one_chunk(leads["lead_id"]),
        (
            moves["lead"].to_numpy(np.int32),
            moves["at"].to_numpy(),
            moves["source"].to_numpy(np.int8),
            moves["target"].to_numpy(np.int8),
            moves["engagement"].to_numpy(),
        ),
        (
            states["target"].to_numpy(np.int8),
            states["at"].to_numpy(np.int64),
            ends["engagement"].fillna(0.0).to_numpy(),
            ends["mql"].fillna(False).to_numpy(bool),
        ),
        fit,
    )
