"""The engine: rows into a store, every lead's scores out (spec 4 to 7)."""

from libc.stdint cimport INT64_MAX, int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcmp, memcpy, memset

import numpy as np

from leadcore._kernel.records import DTYPES

from leadcore_kernel.fold cimport fold_advance, fold_value
from leadcore_kernel.layout cimport (
    ACT_ADD_PER, ACT_RESET, act_t, band_t, cond_t, criterion_t, fold_spec_t, group_t, part_t, piece_t, rule_t, say_t,
    score_t, span_t, stage_t, step_t, threshold_t, zone_t,
)
from leadcore_kernel.lifecycle cimport (
    LIFE_NO_MEMORY, LIFE_STOPPED, LIFE_TOO_MANY_MOVES, history_t, life_free, life_run, life_start, life_t,
)
from leadcore_kernel.log cimport change_t, move_t
from leadcore_kernel.lead cimport lead_act, lead_clear, lead_evaluate, lead_free, lead_say, lead_start, lead_t
from leadcore_kernel.plan cimport plan_t
from leadcore_kernel.space cimport space_free, space_gather, space_line_up, space_t
from leadcore_kernel.store cimport (
    record_at, record_hits, record_row, shape_t, store_free, store_push, store_shape, store_start, store_t,
)

BLOCK = 65_536


cdef class Plan:
    """The kernel's view of a plan: holds the record tables and points into them. Immutable."""

    cdef plan_t c
    cdef readonly dict tables
    cdef list views

    def __init__(self, dict tables not None):
        """Take record tables by name (dtypes of `records.DTYPES`); every index in them was checked by the planner."""
        cdef const fold_spec_t[::1] folds = tables["folds"]
        cdef const step_t[::1] steps = tables["steps"]
        cdef const int64_t[::1] factors = tables["factors"]
        cdef const band_t[::1] bands = tables["bands"]
        cdef const zone_t[::1] zones = tables["zones"]
        cdef const criterion_t[::1] criteria = tables["criteria"]
        cdef const group_t[::1] groups = tables["groups"]
        cdef const part_t[::1] parts = tables["parts"]
        cdef const score_t[::1] scores = tables["scores"]
        cdef const int32_t[::1] order = tables["order"]
        cdef const int64_t[::1] grades = tables["grades"]
        cdef const int32_t[::1] rating = tables["rating"]
        cdef const span_t[::1] labels = tables["labels"]
        cdef const cond_t[::1] conditions = tables["conditions"]
        cdef const uint8_t[::1] members = tables["members"]
        cdef const threshold_t[::1] thresholds = tables["thresholds"]
        cdef const span_t[::1] hit_acts = tables["hit_acts"]
        cdef const act_t[::1] acts = tables["acts"]
        cdef const span_t[::1] hit_says = tables["hit_says"]
        cdef const say_t[::1] says = tables["says"]
        cdef const stage_t[::1] stages = tables["stages"]
        cdef const rule_t[::1] rules = tables["rules"]
        cdef const int32_t[::1] leaving = tables["leaving"]
        cdef const int64_t[::1] timers = tables["timers"]
        self.tables = tables
        self.views = [folds, steps, factors, bands, zones, criteria, groups, parts, scores, order, grades, rating,
                      labels, conditions, members, thresholds, hit_acts, acts, hit_says, says, stages, rules, leaving, timers]
        memset(&self.c, 0, sizeof(plan_t))
        self.c.tables.steps = &steps[0] if steps.shape[0] else NULL
        self.c.tables.factors = &factors[0] if factors.shape[0] else NULL
        self.c.tables.bands = &bands[0] if bands.shape[0] else NULL
        self.c.tables.zones = &zones[0] if zones.shape[0] else NULL
        self.c.tables.zones_size = zones.shape[0]
        self.c.tables.cycle_begin = tables["cycle_begin"]
        self.c.folds = &folds[0] if folds.shape[0] else NULL
        self.c.folds_size = folds.shape[0]
        self.c.criteria = &criteria[0] if criteria.shape[0] else NULL
        self.c.criteria_size = criteria.shape[0]
        self.c.groups = &groups[0] if groups.shape[0] else NULL
        self.c.groups_size = groups.shape[0]
        self.c.parts = &parts[0] if parts.shape[0] else NULL
        self.c.scores = &scores[0] if scores.shape[0] else NULL
        self.c.scores_size = scores.shape[0]
        self.c.order = &order[0] if order.shape[0] else NULL
        self.c.grades = &grades[0] if grades.shape[0] else NULL
        self.c.rating = &rating[0] if rating.shape[0] else NULL
        self.c.rating_size = rating.shape[0]
        self.c.labels = &labels[0] if labels.shape[0] else NULL
        self.c.labels_size = tables["labels_size"]
        self.c.conditions = &conditions[0] if conditions.shape[0] else NULL
        self.c.members = &members[0] if members.shape[0] else NULL
        self.c.thresholds = &thresholds[0] if thresholds.shape[0] else NULL
        self.c.thresholds_size = thresholds.shape[0]
        self.c.hit_acts = &hit_acts[0] if hit_acts.shape[0] else NULL
        self.c.hits_size = hit_acts.shape[0]
        self.c.acts = &acts[0] if acts.shape[0] else NULL
        self.c.hit_says = &hit_says[0] if hit_says.shape[0] else NULL
        self.c.lead_hits_size = hit_says.shape[0]
        self.c.says = &says[0] if says.shape[0] else NULL
        self.c.values_size = tables["values_size"]
        self.c.leaves_size = tables["leaves_size"]
        self.c.lines_size = tables["lines_size"]
        self.c.stages = &stages[0] if stages.shape[0] else NULL
        self.c.stages_size = stages.shape[0]
        self.c.initial = tables["initial"]
        self.c.rules = &rules[0] if rules.shape[0] else NULL
        self.c.rules_size = rules.shape[0]
        self.c.leaving = &leaving[0] if leaving.shape[0] else NULL
        self.c.timers = &timers[0] if timers.shape[0] else NULL
        self.c.happenings_size = tables["happenings_size"]
        self.c.labelled = tables["labelled"]


cdef class Sets:
    """Hit sets spelled out: what an event row does, what a lead row says. Made once per run, then read only."""

    cdef int64_t* start
    cdef act_t* acts
    cdef say_t* says
    cdef readonly int64_t size

    def __cinit__(self):
        self.start = NULL
        self.acts = NULL
        self.says = NULL

    def __dealloc__(self):
        free(self.start)
        free(self.acts)
        free(self.says)

    @staticmethod
    def of_events(Plan plan not None, const int64_t[::1] offsets not None, const uint32_t[::1] ids not None):
        """Acts by event hit set; within a set resets come first and a fold that is reset takes nothing (spec 4.8)."""
        cdef Sets sets = Sets.__new__(Sets)
        cdef int64_t total = 0, i, j, k, used = 0, resets
        cdef const span_t* span
        cdef const act_t* act
        cdef bint reset
        sets.size = offsets.shape[0] - 1
        for i in range(ids.shape[0]):
            if ids[i] >= plan.c.hits_size:
                raise ValueError(f"hit id {ids[i]} is not of this plan")
            total += plan.c.hit_acts[ids[i]].size
        sets.start = <int64_t*> malloc((<size_t> sets.size + 1) * sizeof(int64_t))
        sets.acts = <act_t*> malloc(<size_t> (total + 1) * sizeof(act_t))
        if sets.start == NULL or sets.acts == NULL:
            raise MemoryError
        for i in range(sets.size):
            sets.start[i] = used
            for j in range(offsets[i], offsets[i + 1]):
                span = &plan.c.hit_acts[ids[j]]
                for k in range(span.begin, span.begin + span.size):
                    if plan.c.acts[k].act == ACT_RESET:
                        sets.acts[used] = plan.c.acts[k]
                        used += 1
            resets = used
            for j in range(offsets[i], offsets[i + 1]):
                span = &plan.c.hit_acts[ids[j]]
                for k in range(span.begin, span.begin + span.size):
                    act = &plan.c.acts[k]
                    if act.act == ACT_RESET:
                        continue
                    reset = False
                    for r in range(sets.start[i], resets if act.act <= ACT_ADD_PER else sets.start[i]):
                        if sets.acts[r].fold == act.fold:
                            reset = True
                            break
                    if not reset:
                        sets.acts[used] = act[0]
                        used += 1
        sets.start[sets.size] = used
        return sets

    @staticmethod
    def of_leads(Plan plan not None, const int64_t[::1] offsets not None, const uint32_t[::1] ids not None):
        """What the attributes say, by lead hit set."""
        cdef Sets sets = Sets.__new__(Sets)
        cdef int64_t total = 0, i, j, used = 0
        cdef const span_t* span
        sets.size = offsets.shape[0] - 1
        for i in range(ids.shape[0]):
            if ids[i] >= plan.c.lead_hits_size:
                raise ValueError(f"lead hit id {ids[i]} is not of this plan")
            total += plan.c.hit_says[ids[i]].size
        sets.start = <int64_t*> malloc((<size_t> sets.size + 1) * sizeof(int64_t))
        sets.says = <say_t*> malloc(<size_t> (total + 1) * sizeof(say_t))
        if sets.start == NULL or sets.says == NULL:
            raise MemoryError
        for i in range(sets.size):
            sets.start[i] = used
            for j in range(offsets[i], offsets[i + 1]):
                span = &plan.c.hit_says[ids[j]]
                if span.size:
                    memcpy(&sets.says[used], &plan.c.says[span.begin], <size_t> span.size * sizeof(say_t))
                    used += span.size
        sets.start[sets.size] = used
        return sets


cdef class Store:
    """Rows of a run, partitioned by lead (see `leadcore_kernel/store.pxd`)."""

    cdef store_t c
    cdef const uint32_t[::1] alias
    cdef readonly int64_t partitions

    def __cinit__(
        self, int64_t bits, bint identities, bint row, int codes, int numbers, int64_t horizon=INT64_MAX,
        int64_t known=INT64_MAX, bint keep_idle=False, bint keep_later=False, alias=None,
    ):
        """Make an empty store of 2^bits partitions; ``alias`` maps lead codes to the code they stand for (spec 2.8)."""
        if not 0 <= bits <= 12:
            raise ValueError("bits must be 0 to 12")
        self.alias = np.empty(0, np.uint32) if alias is None else alias
        if store_start(&self.c, store_shape(identities, row, codes, numbers), bits):
            raise MemoryError
        self.c.horizon = horizon
        self.c.known = known
        self.c.keep_idle = keep_idle
        self.c.keep_later = keep_later
        self.partitions = 1 << bits

    def __dealloc__(self):
        store_free(&self.c)

    def push(
        self, int64_t n, const uint32_t[::1] lead not None, const int64_t[::1] at not None,
        const uint32_t[::1] hits not None, const int64_t[::1] row not None, const uint32_t[::1] order not None,
        const uint32_t[::1] content not None, const uint32_t[:, ::1] codes not None,
        const double[:, ::1] numbers not None,
    ):
        """Take the first ``n`` rows of a block."""
        cdef int fault
        cdef const shape_t* s = &self.c.shape
        if (
            n < 0 or lead.shape[0] < n or at.shape[0] < n or hits.shape[0] < n or (s.row and row.shape[0] < n)
            or (s.identities and order.shape[0] < n) or codes.shape[0] < s.codes_size
            or numbers.shape[0] < s.numbers_size or (s.codes_size and codes.shape[1] < n)
            or (s.numbers_size and numbers.shape[1] < n) or (content.shape[0] and content.shape[0] < n)
        ):
            raise ValueError("the block's arrays are shorter than its rows")
        if n == 0:
            return
        with nogil:
            fault = store_push(
                &self.c, n, &lead[0], &at[0], &hits[0], &row[0] if row.shape[0] else NULL,
                &order[0] if order.shape[0] else NULL, &content[0] if content.shape[0] else NULL,
                &codes[0, 0] if s.codes_size else NULL, codes.shape[1],
                &numbers[0, 0] if s.numbers_size else NULL, numbers.shape[1],
                &self.alias[0] if self.alias.shape[0] else NULL, self.alias.shape[0],
            )
        if fault:
            raise MemoryError

    @property
    def later(self):
        """Rows beyond the horizon."""
        return self.c.later

    @property
    def kept(self):
        """Records in the store."""
        return self.c.kept

    @property
    def earliest(self):
        """Instant of the first record, INT64_MAX where there is none."""
        return self.c.earliest

    def first_seen(self, int64_t leads):
        """Instant of the first declared event of each of ``leads`` codes, 2^63 - 1 where none was watched for."""
        cdef int64_t i, j
        out = np.full(leads, INT64_MAX, np.int64)
        cdef int64_t[::1] view = out
        for i in range(self.c.first_size):
            j = self.c.known + i
            if j >= leads:
                break
            view[j] = self.c.first[i]
        return out


cdef class Worker:
    """One thread's work space for one plan; not shared between threads at a time."""

    cdef Plan plan
    cdef lead_t lead
    cdef space_t space

    def __cinit__(self, Plan plan not None):
        self.plan = plan
        memset(&self.space, 0, sizeof(space_t))
        if lead_start(&self.lead, &plan.c, False):
            raise MemoryError

    def __dealloc__(self):
        if self.plan is not None:
            lead_free(&self.lead, &self.plan.c)
        space_free(&self.space)

    cdef int _take(self, const shape_t* shape, const uint64_t* records, int64_t place, Sets events) noexcept nogil:
        """Let one event act; -1 when memory runs out."""
        cdef const uint64_t* record = records + self.space.keys[place].place * shape.stride
        cdef uint32_t hits = record_hits(record)
        cdef int64_t j
        cdef int fault = 0
        for j in range(events.start[hits], events.start[hits + 1]):
            fault |= lead_act(&self.lead, &self.plan.c, &events.acts[j], shape, record)
        return fault

    cdef list _faults(self):
        cdef int64_t k
        return [
            (self.space.faults[k], self.space.faults[k + 1], self.space.faults[k + 2])
            for k in range(0, self.space.faults_size, 3)
        ]

    def run(
        self, Store store not None, int64_t partition, int64_t leads, Sets events not None, Sets attributes not None,
        const uint32_t[::1] ranks not None, uint32_t first_id, bint repeats,
        const int64_t[::1] ask_start not None, const int64_t[::1] ask_order not None,
        const int64_t[::1] ask_at not None, const uint32_t[::1] ask_attributes not None,
        int64_t[:, ::1] scores not None, int32_t[:, ::1] grades not None, int32_t[::1] rating not None,
        int32_t[::1] label not None, int64_t[:, ::1] lines not None,
    ):
        """Score one partition's leads at their instants; the partition's rows are used up.

        Lead code i is asked ``ask_order[ask_start[i]:ask_start[i + 1]]``, ascending in ``ask_at``; ask k's attributes
        are lead hit set ``ask_attributes[k]``, its answers row k of the outputs (of width 0, or length 0, where not
        wanted; ``lines`` of the plan's width, or twice that with the high words behind the low ones).

        Returns:
            Rows that repeat an ``event_id`` and differ, as a list of (lead code, row, row).
        """
        cdef const plan_t* p = &self.plan.c
        cdef space_t* w = &self.space
        cdef lead_t* a = &self.lead
        cdef const shape_t* shape = &store.c.shape
        cdef int64_t local, i, code, k, e, n, ask, bits = store.c.bits
        cdef int fault = 0
        cdef const uint64_t* records
        cdef uint32_t hits
        cdef int64_t j
        if not 0 <= partition < store.partitions or ask_start.shape[0] < leads + 1:
            raise ValueError("no such partition, or too few leads")
        w.faults_size = 0
        a.wrapped = False
        a.highs = p.lines_size if lines.shape[1] == 2 * p.lines_size else 0
        with nogil:
            fault = space_gather(&self.space, &store.c, partition, leads, &local)
            i = 0
            while not fault and i < local:
                code = (i << bits) + partition
                n = w.starts[i + 1] - w.starts[i]
                if ask_start[code] == ask_start[code + 1] and not (n and repeats):
                    i += 1
                    continue
                records = w.records + w.starts[i] * shape.stride
                fault = space_line_up(
                    w, shape, records, n, &ranks[0] if ranks.shape[0] else NULL, first_id, repeats, &n
                )
                if fault:
                    break
                lead_clear(a, p)
                e = 0
                for k in range(ask_start[code], ask_start[code + 1]):
                    ask = ask_order[k]
                    while e < n and w.keys[e].at <= ask_at[ask]:
                        fault |= self._take(shape, records, e, events)
                        e += 1
                    hits = ask_attributes[ask]
                    lead_say(a, p, attributes.says + attributes.start[hits],
                             attributes.start[hits + 1] - attributes.start[hits])
                    fault |= lead_evaluate(a, p, ask_at[ask], &lines[ask, 0] if lines.shape[1] else NULL)
                    for j in range(p.scores_size):
                        scores[ask, j] = a.scores[j]
                    for j in range(grades.shape[1]):
                        grades[ask, j] = a.grades[j]
                    if rating.shape[0]:
                        rating[ask] = a.rating
                    if label.shape[0]:
                        label[ask] = a.label
                i += 1
        if fault:
            raise MemoryError
        return self._faults()

    def one(
        self, const uint32_t[::1] says not None, const int64_t[::1] at not None, const uint32_t[::1] hits not None,
        const int64_t[::1] offsets not None, const uint32_t[::1] ids not None, const uint32_t[::1] order,
        const uint32_t[::1] content, const uint32_t[:, ::1] codes not None, const double[:, ::1] numbers not None,
        int64_t now, int64_t[::1] lines not None,
    ):
        """Score one lead from the edge's `encode_lead` at ``now``; ``lines`` takes the explanation, or is empty.

        Returns:
            ``(scores, grades, rating, label, faults)``, the faults as in `run` with places as rows.
        """
        cdef const plan_t* p = &self.plan.c
        cdef lead_t* a = &self.lead
        cdef int64_t n = at.shape[0], local, e = 0
        cdef int fault = 0
        cdef bint contents = content is not None
        cdef Store store = Store(0, order is not None, contents, codes.shape[0], numbers.shape[0], now,
                                 INT64_MAX, contents, contents)
        cdef Sets events = Sets.of_events(self.plan, offsets, ids)
        cdef Sets attributes = Sets.of_leads(self.plan, np.array([0, says.shape[0]], np.int64), says)
        nothing = np.empty(0, np.uint32)
        store.push(
            n, np.zeros(n, np.uint32), at, hits, np.arange(n) if content is not None else np.empty(0, np.int64),
            nothing if order is None else order, nothing if content is None else content, codes, numbers,
        )
        self.space.faults_size = 0
        a.wrapped = False
        a.highs = p.lines_size if lines.shape[0] == 2 * p.lines_size else 0
        with nogil:
            fault = space_gather(&self.space, &store.c, 0, 1, &local)
            if not fault:
                n = self.space.starts[1]
                fault = space_line_up(
                    &self.space, &store.c.shape, self.space.records, n, NULL, <uint32_t> 1 << 31, contents, &n
                )
            if not fault:
                lead_clear(a, p)
                while e < n and self.space.keys[e].at <= now:
                    fault |= self._take(&store.c.shape, self.space.records, e, events)
                    e += 1
                lead_say(a, p, attributes.says, attributes.start[1])
                fault |= lead_evaluate(a, p, now, &lines[0] if lines.shape[0] else NULL)
        if fault:
            raise MemoryError
        return (
            tuple([a.scores[e] for e in range(p.scores_size)]), tuple([a.grades[e] for e in range(p.scores_size)]),
            a.rating, a.label, self._faults(),
        )

    def shares(
        self, Store store not None, int64_t partition, int64_t leads, Sets events not None,
        const uint32_t[::1] ranks not None, uint32_t first_id, bint repeats, int64_t code, int64_t now,
    ):
        """What each event of one lead adds to each fold at ``now``: value with it less value without (spec 7).

        The partition's rows are used up; the store must keep rows.

        Returns:
            ``(row, at, fold, micropoints)`` of every event and fold where something changed, in canonical order.
        """
        cdef const plan_t* p = &self.plan.c
        cdef space_t* w = &self.space
        cdef lead_t* a = &self.lead
        cdef const shape_t* shape = &store.c.shape
        cdef int64_t local, e, n, j, which, value
        cdef const uint64_t* records
        cdef const uint64_t* record
        cdef uint32_t hits
        cdef int fault = 0
        if not 0 <= partition < store.partitions or code >> store.c.bits << store.c.bits != code - partition:
            raise ValueError("the lead is not of this partition")
        out = []
        if space_gather(&self.space, &store.c, partition, leads, &local):
            raise MemoryError
        code = code >> store.c.bits
        n = w.starts[code + 1] - w.starts[code]
        records = w.records + w.starts[code] * shape.stride
        if space_line_up(w, shape, records, n, &ranks[0] if ranks.shape[0] else NULL, first_id, repeats, &n):
            raise MemoryError
        lead_clear(a, p)
        for j in range(p.folds_size):
            a.folded[j] = fold_value(&a.folds[j], &p.folds[j], &p.tables, now, &fault)
        for e in range(n):
            if w.keys[e].at > now:
                break
            record = records + w.keys[e].place * shape.stride
            hits = record_hits(record)
            for j in range(events.start[hits], events.start[hits + 1]):
                which = events.acts[j].fold
                if events.acts[j].act == ACT_RESET:  # what came before does not count, so it has no share
                    out = [share for share in out if share[2] != which]
                fault |= lead_act(a, p, &events.acts[j], shape, record)
                fold_advance(&a.folds[which], &p.folds[which], &p.tables, now)
                value = fold_value(&a.folds[which], &p.folds[which], &p.tables, now, &fault)
                if value != a.folded[which] and events.acts[j].act != ACT_RESET:
                    out.append((record_row(shape, record), w.keys[e].at, which, value - a.folded[which]))
                a.folded[which] = value
        if fault:
            raise MemoryError
        return out

    @property
    def wrapped(self):
        """Whether a line of the last run did not fit 64 bits; lines of twice the width hold high words too."""
        return self.lead.wrapped

    def overflow(self):
        """By fold: events left out because a lead had 65,536 values of ``unique_by`` (spec 4.6), since the last call."""
        cdef int64_t i
        out = np.zeros(self.plan.c.folds_size, np.int64)
        for i in range(self.plan.c.folds_size):
            out[i] = self.lead.folds[i].overflow
            self.lead.folds[i].overflow = 0
        return out


include "replay.pxi"
