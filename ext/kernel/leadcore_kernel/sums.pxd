"""Scores at one instant from sums alone: a faster special case of `fold` for models whose events may come in any order.

Where nothing depends on what came before (no cooldown, limit, ``unique_by``, ``distinct``, reset), a fold asked once
needs two sums per lead: no record is sorted, or looked at twice. The value is that of `fold_value` to the last bit.

A half-life's sum of spec 9.4, S = floor(p x sum of g 2^(e - E)), is kept as sums of g alone, which takes a fold whose
events all have the same points p: those of up to 56 epochs with 56 bits behind the point, older ones with 112. Beyond 112
epochs a share is no longer kept exactly, but within one unit of the last place and never as nothing: where that could
change S, ``sums_value`` says so, and the lead has to be scored the other way.
"""

from libc.stdint cimport INT64_MAX, INT64_MIN, int64_t, uint8_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memset

from leadcore_kernel.cell cimport cell_halved, clock_set, clock_t
from leadcore_kernel.decay cimport epoch_of, growth
from leadcore_kernel.fold cimport fold_aged, fold_counted, fold_fallen
from leadcore_kernel.layout cimport (
    ACT_ADD_PER, ACT_RESET, DECAY_EXPIRE, DECAY_HALF_LIFE, DECAY_LINEAR, DECAY_NONE, DECAY_STEPS, FOLD_EVENT,
    FOLD_FREQUENCY, FOLD_RECENCY, UNIT_NONE, act_t, fold_spec_t,
)
from leadcore_kernel.lead cimport lead_fold, lead_points, lead_t
from leadcore_kernel.plan cimport plan_t
from leadcore_kernel.space cimport space_room
from leadcore_kernel.store cimport record_at, record_hits, record_lead, shape_t, store_local
from leadcore_kernel.stepped cimport stepped_after, stepped_by
from leadcore_kernel.wide cimport (
    wide_add, wide_high, wide_hold, wide_less, wide_low, wide_mul, wide_of, wide_scale, wide_shr, wide_sub, wide_t,
)

cdef extern from *:
    """
    #if defined(__GNUC__) || defined(__clang__)
    #define LEADCORE_LOWEST(word) __builtin_ctzll(word)
    #else
    static inline int LEADCORE_LOWEST(uint64_t word) { int i = 0; while (!(word >> i & 1)) i++; return i; }
    #endif
    """
    int lowest "LEADCORE_LOWEST"(uint64_t word) noexcept nogil  # bit that is set; there is one
    bint seldom "unlikely"(bint condition) noexcept nogil       # Cython's own

cdef enum:
    NEAR = 56             # bits behind the point, and epochs, of the first sum
    FAR = 112             # the same of the second
    MOST_EVENTS = 1 << 27 # of one lead: more than spec 9 allows
    HITS = 64             # of one fold at hand

cdef enum:
    # Ways to add hits up. Those of one fold wait until there are many, so that none is taken by a branch that is as good
    # as random, and what its fold asks for is at hand.
    WAY_HALF_LIFE = 0
    WAY_LINEAR = 1
    WAY_CONSTANT = 2      # its points, until it expires
    WAY_OTHER = 3

cdef struct hit_t:
    int64_t lead
    int64_t at
    int64_t points

cdef struct sums_t:
    int64_t now           # the instant that events are aged to
    clock_t* clocks       # by fold: of its half-life; taken to `now` when it is asked
    int64_t* points       # by fold: of each of its events, where it matters
    uint8_t* ways         # by fold
    hit_t* hits           # by fold, `HITS` of each
    int64_t* next         # by fold: where its next hit goes
    int64_t leads
    wide_t* near          # by fold and lead. Half-life: see above; recency: newest event; frequency: events; else points
    wide_t* far           # half-life: see above; linear: points x instant; recency: 1 where there is an event
    int64_t near_room
    int64_t far_room
    uint64_t* moved       # by 64 folds and lead: bits of those whose sums may not be zero
    int64_t moved_room
    bint used             # there may be such folds
    int64_t* asks         # by lead: the ask it is scored for, -1: none
    int64_t asks_room
    int64_t* asked        # by lead: its instant, INT64_MIN: none
    int64_t asked_room
    uint8_t* inexact      # by lead: whether an event was too old for its sum
    int64_t inexact_room


cdef inline void sums_free(sums_t* w) noexcept nogil:
    free(w.points)
    free(w.ways)
    free(w.hits)
    free(w.clocks)
    free(w.near)
    free(w.far)
    free(w.moved)
    free(w.next)
    free(w.asks)
    free(w.asked)
    free(w.inexact)
    memset(w, 0, sizeof(sums_t))


cdef inline bint fold_is_sum(const fold_spec_t* s) noexcept nogil:
    """Whether a fold's value at one instant is a function of sums over its events."""
    if s.kind == FOLD_RECENCY:
        return True
    if s.kind == FOLD_FREQUENCY:
        return s.distinct < 0
    if s.unique >= 0 or s.cooldown or s.unit != UNIT_NONE or s.keep:
        return False
    return s.delay == 0 or s.decay == DECAY_NONE or s.decay == DECAY_EXPIRE or s.decay >= DECAY_STEPS


cdef inline uint8_t fold_way(const fold_spec_t* s) noexcept nogil:
    """How hits are added to a fold."""
    if s.kind != FOLD_EVENT:
        return WAY_OTHER
    if s.decay == DECAY_HALF_LIFE:
        return WAY_HALF_LIFE
    if s.decay == DECAY_LINEAR:
        return WAY_LINEAR
    return WAY_CONSTANT if s.decay == DECAY_NONE or s.decay == DECAY_EXPIRE else WAY_OTHER


cdef inline int sums_start(sums_t* w, const plan_t* p) noexcept nogil:
    """Make the work space: 1 if the plan's folds are sums, 0 if they are not, -1 when memory runs out."""
    cdef int64_t i
    cdef int64_t* points
    cdef bint sums = True
    memset(w, 0, sizeof(sums_t))
    w.now = INT64_MIN
    w.points = points = <int64_t*> calloc(<size_t> p.folds_size + 1, sizeof(int64_t))
    w.clocks = <clock_t*> calloc(<size_t> p.folds_size + 1, sizeof(clock_t))
    w.ways = <uint8_t*> calloc(<size_t> p.folds_size + 1, 1)
    w.hits = <hit_t*> calloc(<size_t> p.folds_size * HITS + 1, sizeof(hit_t))
    w.next = <int64_t*> calloc(<size_t> p.folds_size + 1, sizeof(int64_t))
    if not (points and w.clocks and w.ways and w.hits and w.next):
        sums_free(w)
        return -1
    for i in range(p.folds_size):
        points[i] = INT64_MIN
        sums = sums and fold_is_sum(&p.folds[i])
        w.ways[i] = fold_way(&p.folds[i])
        w.clocks[i].now = INT64_MIN
        w.clocks[i].span = p.folds[i].span
        w.clocks[i].reciprocal = p.folds[i].reciprocal
        w.clocks[i].shift = p.folds[i].shift
    for i in range(p.acts_size):
        if p.acts[i].act == ACT_RESET:
            sums = False
        elif p.acts[i].act <= ACT_ADD_PER and p.folds[p.acts[i].fold].decay == DECAY_HALF_LIFE:
            if p.acts[i].act == ACT_ADD_PER or (
                points[p.acts[i].fold] != INT64_MIN and points[p.acts[i].fold] != p.acts[i].points
            ):
                sums = False
            points[p.acts[i].fold] = p.acts[i].points
    if not sums:
        sums_free(w)
    return sums


cdef inline int sums_clear(sums_t* w, const plan_t* p, int64_t leads) noexcept nogil:
    """Begin with so many leads, none of them asked; -1 when memory runs out.

    Sums are zero then: `sums_values` leaves them so, except where a run ended early.
    """
    cdef int64_t i, room = w.near_room, words = w.moved_room
    w.leads = leads
    if (
        space_room(<void**> &w.near, &w.near_room, leads * p.folds_size + 1, sizeof(wide_t))
        or space_room(<void**> &w.far, &w.far_room, leads * p.folds_size + 1, sizeof(wide_t))
        or space_room(<void**> &w.moved, &w.moved_room, leads * ((p.folds_size + 63) >> 6) + 1, sizeof(uint64_t))
        or space_room(<void**> &w.asks, &w.asks_room, leads + 1, sizeof(int64_t))
        or space_room(<void**> &w.asked, &w.asked_room, leads + 1, sizeof(int64_t))
        or space_room(<void**> &w.inexact, &w.inexact_room, leads + 1, 1)
    ):
        return -1
    if w.used or room != w.near_room or words != w.moved_room:
        memset(w.near, 0, <size_t> w.near_room * sizeof(wide_t))
        memset(w.far, 0, <size_t> w.far_room * sizeof(wide_t))
        memset(w.moved, 0, <size_t> w.moved_room * sizeof(uint64_t))
    w.used = True
    memset(w.inexact, 0, <size_t> leads)
    for i in range(p.folds_size):
        w.next[i] = i * HITS
    for i in range(leads):
        w.asks[i] = -1
        w.asked[i] = INT64_MIN
    return 0


cdef inline void sums_take(
    sums_t* w, const plan_t* p, const shape_t* shape, int64_t bits, const uint64_t* record, const uint64_t* end,
    const int64_t* start, const act_t* acts,
) noexcept nogil:
    """Take records, in any order; hit set i does ``acts[start[i]:start[i + 1]]``."""
    cdef const act_t* act
    cdef const act_t* last
    cdef int64_t lead, at, next, stride = shape.stride
    cdef hit_t* hit
    while record < end:
        lead = store_local(bits, record_lead(record))
        at = record_at(record)
        if at <= w.asked[lead]:
            if seldom(w.asked[lead] != w.now):
                sums_at(w, p, w.asked[lead])
            act = acts + start[record_hits(record)]
            last = acts + start[record_hits(record) + 1]
            while act < last:
                if act.act <= ACT_ADD_PER:
                    next = w.next[act.fold]
                    hit = &w.hits[next]
                    hit.lead = lead
                    hit.at = at
                    hit.points = lead_points(p, act, shape, record)
                    next += 1
                    w.next[act.fold] = next
                    if seldom(next % HITS == 0):
                        sums_add_up(w, p, act.fold)
                act += 1
        record += stride


cdef inline void sums_add_all(sums_t* w, const plan_t* p) noexcept nogil:
    """Add up all hits that wait."""
    cdef int64_t i
    for i in range(p.folds_size):
        if w.next[i] > i * HITS:
            sums_add_up(w, p, i)


cdef inline void sums_at(sums_t* w, const plan_t* p, int64_t now) noexcept nogil:
    """Make an instant the one that events are aged to, once those taken so far are added up."""
    sums_add_all(w, p)
    w.now = now


cdef inline void sums_add_up(sums_t* w, const plan_t* p, int64_t fold) noexcept nogil:
    """Add up the hits of a fold that wait."""
    cdef const fold_spec_t* s = &p.folds[fold]
    cdef clock_t clock
    cdef wide_t* near = w.near + fold * w.leads
    cdef wide_t* far = w.far + fold * w.leads
    cdef uint64_t* moved = w.moved + (fold >> 6) * w.leads
    cdef uint64_t one = <uint64_t> 1 << (fold & 63)
    cdef const hit_t* hit = &w.hits[fold * HITS]
    cdef const hit_t* end = &w.hits[w.next[fold]]
    cdef int64_t now = w.now, lasts, epoch, grown, k
    cdef uint8_t way = w.ways[fold]
    w.next[fold] = fold * HITS
    if way == WAY_HALF_LIFE:
        clock_set(&w.clocks[fold], now)
        clock = w.clocks[fold]
        while hit < end:
            epoch = epoch_of(hit.at, clock.span, clock.reciprocal, clock.shift)
            grown = growth(hit.at - epoch * clock.span, clock.reciprocal, clock.shift)
            k = clock.epoch - epoch
            moved[hit.lead] |= one
            if not seldom(k > NEAR):
                near[hit.lead] = wide_add(near[hit.lead], wide_mul(grown, <int64_t> 1 << (NEAR - k)))
            elif k <= FAR:
                far[hit.lead] = wide_add(far[hit.lead], wide_mul(grown, <int64_t> 1 << (FAR - k)))
            else:
                k -= FAR
                far[hit.lead] = wide_add(far[hit.lead], wide_of((grown >> (k if k < 63 else 63)) | 1))
                w.inexact[hit.lead] = 1
            hit += 1
    elif way == WAY_LINEAR:
        while hit < end:
            k = hit.points if now - hit.at < s.span else 0
            near[hit.lead] = wide_add(near[hit.lead], wide_of(k))
            far[hit.lead] = wide_add(far[hit.lead], wide_mul(k, hit.at))
            moved[hit.lead] |= one if k else 0
            hit += 1
    elif way == WAY_CONSTANT:
        lasts = INT64_MAX if s.decay == DECAY_NONE else s.delay + s.span
        while hit < end:
            k = hit.points if now - hit.at < lasts else 0
            near[hit.lead] = wide_add(near[hit.lead], wide_of(k))
            moved[hit.lead] |= one if k else 0
            hit += 1
    else:
        while hit < end:
            sums_add(p, s, now - hit.at, hit, &near[hit.lead], &far[hit.lead])
            moved[hit.lead] |= one
            hit += 1


cdef inline void sums_add(
    const plan_t* p, const fold_spec_t* s, int64_t age, const hit_t* hit, wide_t* near, wide_t* far
) noexcept nogil:
    """Add up a hit that goes no way of its own: of a frequency, a recency, or points that fall in steps."""
    cdef int64_t points = hit.points, k
    if s.kind == FOLD_EVENT:
        age = age - s.delay if age > s.delay else 0
        if s.decay == DECAY_STEPS:
            k = s.table_size - 1
            while k >= 0 and age < p.tables.steps[s.table + k].after:
                k -= 1
            points = stepped_by(s, p.tables.steps, points, k)
        else:
            points = stepped_after(s, p.tables.factors, points, age // s.span)
        near[0] = wide_add(near[0], wide_of(points))
    elif s.kind == FOLD_FREQUENCY:
        if s.span == 0 or age < s.span:
            near[0] = wide_add(near[0], wide_of(1))
    elif wide_low(far[0]) == 0 or wide_low(near[0]) < hit.at:
        near[0] = wide_of(hit.at)
        far[0] = wide_of(1)


cdef inline bint wide_is_zero(wide_t a) noexcept nogil:
    return (wide_low(a) | wide_high(a)) == 0


cdef inline wide_t sum_grown(wide_t near, wide_t far, int64_t points) noexcept nogil:
    """floor(points x (near 2^-56 + far 2^-112)): S of spec 9.4."""
    cdef int64_t mask = (<int64_t> 1 << NEAR) - 1
    cdef wide_t low = wide_mul(points, wide_low(near) & mask)
    if not wide_is_zero(far):
        low = wide_add(low, wide_shr(wide_mul(points, wide_low(far) & mask), NEAR))
        low = wide_add(low, wide_times(wide_shr(far, NEAR), points))
    return wide_add(wide_times(wide_shr(near, NEAR), points), wide_shr(low, NEAR))


cdef inline wide_t wide_times(wide_t a, int64_t b) noexcept nogil:
    """a * b for an a that is not negative."""
    return wide_scale(a, b) if b >= 0 else wide_sub(wide_of(0), wide_scale(a, -b))


cdef inline bint sums_value(sums_t* w, const plan_t* p, int64_t lead, int64_t which, int64_t* value) noexcept nogil:
    """The value at ``now`` of a lead's fold that has events; False where the sums cannot tell. They are zero then."""
    cdef const fold_spec_t* s = &p.folds[which]
    cdef int64_t place = which * w.leads + lead
    cdef wide_t near = w.near[place], far, grown, low, high
    cdef uint8_t way = w.ways[which]
    w.near[place] = wide_of(0)
    if way == WAY_CONSTANT:
        value[0] = wide_hold(near, INT64_MIN, INT64_MAX)
        return True
    far = w.far[place]
    w.far[place] = wide_of(0)
    if way == WAY_HALF_LIFE:
        grown = sum_grown(near, far, w.points[which])
        if w.inexact[lead] and not wide_is_zero(far):
            low = wide_sub(far, wide_of(MOST_EVENTS))
            if wide_less(low, wide_of(1)):
                low = wide_of(1)
            low = sum_grown(near, low, w.points[which])
            high = sum_grown(near, wide_add(far, wide_of(MOST_EVENTS)), w.points[which])
            if wide_less(low, high) or wide_less(high, low):
                return False
            grown = low
        if seldom(w.clocks[which].now != w.now):
            clock_set(&w.clocks[which], w.now)
        value[0] = cell_halved(grown, w.clocks[which].epoch, &w.clocks[which])
    elif way == WAY_LINEAR:
        value[0] = wide_hold(fold_fallen(near, wide_of(0), far, s, w.now), INT64_MIN, INT64_MAX)
    elif s.kind == FOLD_EVENT:
        value[0] = wide_hold(near, INT64_MIN, INT64_MAX)
    elif s.kind == FOLD_FREQUENCY:
        value[0] = fold_counted(s, &p.tables, wide_low(near))
    else:
        value[0] = fold_aged(s, &p.tables, w.now - wide_low(near))
    return True


cdef inline bint sums_values(sums_t* w, lead_t* a, const plan_t* p, int64_t lead) noexcept nogil:
    """Give the lead at work, whose folds are blank, the values at ``now`` of its folds that have events.

    Its sums are zero then. False where the values cannot be told from them.
    """
    cdef uint64_t bits
    cdef int64_t i, which, value
    for i in range((p.folds_size + 63) >> 6):
        bits = w.moved[i * w.leads + lead]
        w.moved[i * w.leads + lead] = 0
        while bits:
            which = (i << 6) + lowest(bits)
            bits &= bits - 1
            if not sums_value(w, p, lead, which, &value):
                return False
            lead_fold(a, p, which, value)
    return True
