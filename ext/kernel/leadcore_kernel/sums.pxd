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

from leadcore_kernel.decay cimport epoch_of, floor_div, growth
from leadcore_kernel.fold cimport fold_aged, fold_counted, fold_fallen, fold_shrunk
from leadcore_kernel.layout cimport (
    ACT_ADD, ACT_ADD_PER, ACT_RESET, DECAY_COMPOUND, DECAY_EXPIRE, DECAY_HALF_LIFE, DECAY_LINEAR, DECAY_NONE,
    DECAY_PERIODIC, DECAY_STEPS, FOLD_EVENT, FOLD_FREQUENCY, FOLD_RECENCY, UNIT_NONE, act_t, fold_spec_t,
)
from leadcore_kernel.lead cimport lead_fold, lead_points, lead_t
from leadcore_kernel.plan cimport plan_t
from leadcore_kernel.space cimport space_room
from leadcore_kernel.store cimport record_at, shape_t
from leadcore_kernel.stepped cimport stepped_after, stepped_by
from leadcore_kernel.wide cimport (
    wide_add, wide_high, wide_hold, wide_less, wide_low, wide_mul, wide_of, wide_scale, wide_shr, wide_sub, wide_t,
)

cdef enum:
    NEAR = 56             # bits behind the point, and epochs, of the first sum
    FAR = 112             # the same of the second
    MOST_EVENTS = 1 << 27 # of one lead: more than spec 9 allows
    HITS = 512            # of one way at hand

cdef enum:
    # Ways to add a hit up. Hits wait until there are many of one way, so that none is taken by a branch that is as good
    # as random.
    WAY_HALF_LIFE = 0
    WAY_LINEAR = 1
    WAY_CONSTANT = 2      # its points, until it expires
    WAY_OTHER = 3
    WAY_NONE = 4          # it adds to no fold
    WAYS = 5

cdef struct hit_t:
    const uint64_t* record
    const act_t* act
    int64_t lead

cdef struct sum_t:
    wide_t near           # half-life: see above; linear: points; recency: newest event; frequency: events; else points
    wide_t far            # half-life: see above; linear: points x instant; recency: 1 where there is an event

cdef struct sums_t:
    int64_t* points       # by fold: of each of its events, where it matters
    int64_t* epochs       # by fold: half-life epoch of `now`
    int64_t now           # the instant `epochs` are of
    uint8_t* ways         # by fold, one more for none
    hit_t* hits           # by way, `HITS` of each
    int64_t waiting[5]    # how many of each
    sum_t* sums           # by lead and fold
    int64_t sums_room
    bint used             # they may not be zero
    int64_t* asked        # by lead: the instant it is asked at, INT64_MIN: it is not
    int64_t asked_room
    uint8_t* inexact      # by lead: whether an event was too old for its sum
    int64_t inexact_room


cdef inline void sums_free(sums_t* w) noexcept nogil:
    free(w.points)
    free(w.ways)
    free(w.hits)
    free(w.epochs)
    free(w.sums)
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
    w.epochs = <int64_t*> calloc(<size_t> p.folds_size + 1, sizeof(int64_t))
    w.ways = <uint8_t*> calloc(<size_t> p.folds_size + 1, 1)
    w.hits = <hit_t*> calloc(<size_t> WAYS * HITS, sizeof(hit_t))
    if points == NULL or w.epochs == NULL or w.ways == NULL or w.hits == NULL:
        sums_free(w)
        return -1
    for i in range(p.folds_size):
        points[i] = INT64_MIN
        sums = sums and fold_is_sum(&p.folds[i])
        w.ways[i] = fold_way(&p.folds[i])
    w.ways[p.folds_size] = WAY_NONE
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
    cdef int64_t i, room = w.sums_room
    if (
        space_room(<void**> &w.sums, &w.sums_room, leads * p.folds_size + 1, sizeof(sum_t))
        or space_room(<void**> &w.asked, &w.asked_room, leads + 1, sizeof(int64_t))
        or space_room(<void**> &w.inexact, &w.inexact_room, leads + 1, 1)
    ):
        return -1
    if w.used or room != w.sums_room:
        memset(w.sums, 0, <size_t> w.sums_room * sizeof(sum_t))
    w.used = True
    memset(w.inexact, 0, <size_t> leads)
    memset(w.waiting, 0, sizeof(w.waiting))
    for i in range(leads):
        w.asked[i] = INT64_MIN
    return 0


cdef inline void sums_at(sums_t* w, const plan_t* p, int64_t now) noexcept nogil:
    """Make an instant the one that events are aged to."""
    cdef int64_t i
    if now == w.now:
        return
    w.now = now
    for i in range(p.folds_size):
        if p.folds[i].decay == DECAY_HALF_LIFE:
            w.epochs[i] = floor_div(now, p.folds[i].span)


cdef inline void sums_take(
    sums_t* w, const plan_t* p, int64_t lead, const act_t* acts, int64_t size, const shape_t* shape, const uint64_t* record
) noexcept nogil:
    """Take what one event does, not after the instant asked; events of a lead come in any order."""
    cdef int64_t i, way
    cdef hit_t* hit
    for i in range(size):
        way = w.ways[acts[i].fold if acts[i].act <= ACT_ADD_PER else p.folds_size]
        hit = &w.hits[way * HITS + w.waiting[way]]
        hit.record = record
        hit.act = &acts[i]
        hit.lead = lead
        w.waiting[way] += 1
        if w.waiting[way] == HITS:
            sums_add_up(w, p, shape)


cdef inline void sums_add_up(sums_t* w, const plan_t* p, const shape_t* shape) noexcept nogil:
    """Add up all hits that wait."""
    cdef const fold_spec_t* s
    cdef const hit_t* hit
    cdef sum_t* sum
    cdef int64_t i, at, fold, epoch, grown, k
    for i in range(w.waiting[WAY_HALF_LIFE]):
        hit = &w.hits[WAY_HALF_LIFE * HITS + i]
        fold = hit.act.fold
        s = &p.folds[fold]
        sum = &w.sums[hit.lead * p.folds_size + fold]
        at = record_at(hit.record)
        epoch = epoch_of(at, s.span, s.reciprocal, s.shift)
        grown = growth(at - epoch * s.span, s.reciprocal, s.shift)
        k = w.epochs[fold] - epoch
        if k <= NEAR:
            sum.near = wide_add(sum.near, wide_mul(grown, <int64_t> 1 << (NEAR - k)))
        elif k <= FAR:
            sum.far = wide_add(sum.far, wide_mul(grown, <int64_t> 1 << (FAR - k)))
        else:
            k -= FAR
            sum.far = wide_add(sum.far, wide_of((grown >> (k if k < 63 else 63)) | 1))
            w.inexact[hit.lead] = 1
    for i in range(w.waiting[WAY_LINEAR]):
        hit = &w.hits[WAY_LINEAR * HITS + i]
        fold = hit.act.fold
        sum = &w.sums[hit.lead * p.folds_size + fold]
        at = record_at(hit.record)
        k = lead_points(p, hit.act, shape, hit.record) if w.now - at < p.folds[fold].span else 0
        sum.near = wide_add(sum.near, wide_of(k))
        sum.far = wide_add(sum.far, wide_mul(k, at))
    for i in range(w.waiting[WAY_CONSTANT]):
        hit = &w.hits[WAY_CONSTANT * HITS + i]
        fold = hit.act.fold
        s = &p.folds[fold]
        sum = &w.sums[hit.lead * p.folds_size + fold]
        at = w.now - record_at(hit.record)
        k = lead_points(p, hit.act, shape, hit.record) if s.decay == DECAY_NONE or at < s.delay + s.span else 0
        sum.near = wide_add(sum.near, wide_of(k))
    for i in range(w.waiting[WAY_OTHER]):
        hit = &w.hits[WAY_OTHER * HITS + i]
        sums_add(w, p, hit.lead, hit.act.fold, record_at(hit.record), lead_points(p, hit.act, shape, hit.record))
    memset(w.waiting, 0, sizeof(w.waiting))


cdef inline void sums_add(
    sums_t* w, const plan_t* p, int64_t lead, int64_t fold, int64_t at, int64_t points
) noexcept nogil:
    """Add up an event that goes no way of its own: of a frequency, a recency, or points that fall in steps."""
    cdef const fold_spec_t* s = &p.folds[fold]
    cdef sum_t* sum = &w.sums[lead * p.folds_size + fold]
    cdef int64_t age = w.now - at, k
    if s.kind == FOLD_EVENT:
        age = age - s.delay if age > s.delay else 0
        if s.decay == DECAY_STEPS:
            k = s.table_size - 1
            while k >= 0 and age < p.tables.steps[s.table + k].after:
                k -= 1
            points = stepped_by(s, p.tables.steps, points, k)
        else:
            points = stepped_after(s, p.tables.factors, points, age // s.span)
        sum.near = wide_add(sum.near, wide_of(points))
    elif s.kind == FOLD_FREQUENCY:
        if s.span == 0 or age < s.span:
            sum.near = wide_add(sum.near, wide_of(1))
    elif wide_low(sum.far) == 0 or wide_low(sum.near) < at:
        sum.near = wide_of(at)
        sum.far = wide_of(1)


cdef inline bint wide_is_zero(wide_t a) noexcept nogil:
    return (wide_low(a) | wide_high(a)) == 0


cdef inline wide_t sum_grown(wide_t near, wide_t far, int64_t points) noexcept nogil:
    """floor(points x (near 2^-56 + far 2^-112)): S of spec 9.4."""
    cdef int64_t mask = (<int64_t> 1 << NEAR) - 1
    cdef wide_t low = wide_shr(wide_mul(points, wide_low(far) & mask), NEAR)
    low = wide_add(low, wide_mul(points, wide_low(near) & mask))
    low = wide_add(low, wide_times(wide_shr(far, NEAR), points))
    return wide_add(wide_times(wide_shr(near, NEAR), points), wide_shr(low, NEAR))


cdef inline wide_t wide_times(wide_t a, int64_t b) noexcept nogil:
    """a * b for an a that is not negative."""
    return wide_scale(a, b) if b >= 0 else wide_sub(wide_of(0), wide_scale(a, -b))


cdef inline bint sums_value(const sums_t* w, const plan_t* p, int64_t lead, int64_t which, int64_t* value) noexcept nogil:
    """The value at ``now`` of a lead's fold that has events; False where the sum cannot tell."""
    cdef const sum_t* sum = &w.sums[lead * p.folds_size + which]
    cdef const fold_spec_t* s = &p.folds[which]
    cdef wide_t grown, low, high
    if s.kind == FOLD_EVENT:
        if s.decay == DECAY_HALF_LIFE:
            grown = sum_grown(sum.near, sum.far, w.points[which])
            if w.inexact[lead] and not wide_is_zero(sum.far):
                low = wide_sub(sum.far, wide_of(MOST_EVENTS))
                if wide_less(low, wide_of(1)):
                    low = wide_of(1)
                low = sum_grown(sum.near, low, w.points[which])
                high = sum_grown(sum.near, wide_add(sum.far, wide_of(MOST_EVENTS)), w.points[which])
                if wide_less(low, high) or wide_less(high, low):
                    return False
                grown = low
            grown = fold_shrunk(grown, w.epochs[which], s, w.now)
        elif s.decay == DECAY_LINEAR:
            grown = fold_fallen(sum.near, wide_of(0), sum.far, s, w.now)
        else:
            grown = sum.near
        value[0] = wide_hold(grown, INT64_MIN, INT64_MAX)
        return True
    if s.kind == FOLD_FREQUENCY:
        value[0] = fold_counted(s, &p.tables, wide_low(sum.near))
    else:
        value[0] = fold_aged(s, &p.tables, w.now - wide_low(sum.near))
    return True


cdef inline bint sums_values(sums_t* w, lead_t* a, const plan_t* p, int64_t lead) noexcept nogil:
    """Give the lead at work, whose folds are blank, the values at ``now`` of its folds that have events.

    Its sums are zero then. False where the values cannot be told from them.
    """
    cdef sum_t* sum = &w.sums[lead * p.folds_size]
    cdef int64_t i, value
    for i in range(p.folds_size):
        if not (wide_is_zero(sum[i].near) and wide_is_zero(sum[i].far)):  # no events, or as good as none
            if not sums_value(w, p, lead, i, &value):
                return False
            lead_fold(a, p, i, value)
            memset(&sum[i], 0, sizeof(sum_t))
    return True
