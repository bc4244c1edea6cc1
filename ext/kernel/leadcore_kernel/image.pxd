"""What a lead remembers, as bytes: folds and life of one instant, frozen and thawed (spec 10.2).

A state is written relative to its instant and to its plan, and only where it differs from that of a lead without events.
What follows from the rest is not written: sums of linear and expiring points come from their events. Reading trusts
nothing: whatever the bytes, either the state is one that arithmetic can go on with, or the reader's ``fault`` is raised.
"""

from libc.stdint cimport INT64_MAX, INT64_MIN, int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memset

from leadcore_kernel.bytes cimport (
    FIRST_INSTANT, LAST_INSTANT, bytes_int, bytes_room, bytes_t, bytes_uint, bytes_when, bytes_wide, read_below,
    read_bytes, read_int, read_size, read_uint, read_when, read_wide, reader_t,
)
from leadcore_kernel.decay cimport floor_div
from leadcore_kernel.fold cimport (
    UNIQUE_MOST, fold_clear, fold_distinct, fold_push, fold_see, fold_t,
)
from leadcore_kernel.layout cimport (
    DECAY_COMPOUND, DECAY_EXPIRE, DECAY_HALF_LIFE, DECAY_LINEAR, DECAY_NONE, DECAY_PERIODIC, DECAY_STEPS,
    FOLD_FREQUENCY, FOLD_RECENCY, UNIT_NONE, fold_spec_t,
)
from leadcore_kernel.lead cimport lead_clear, lead_t, lead_touch
from leadcore_kernel.lifecycle cimport MOST_MOVES, life_t, life_timer
from leadcore_kernel.plan cimport plan_t
from leadcore_kernel.stepped cimport item_t, ring_item, ring_push, ring_reserve
from leadcore_kernel.wide cimport wide_add, wide_mul, wide_of, wide_t

cdef extern from *:
    """
    #define LEADCORE_MOST_POINTS 1000000000000LL
    """
    const int64_t MOST_POINTS "LEADCORE_MOST_POINTS"  # of one event, micropoints: more than spec 4 allows

cdef enum:
    SUM_BITS = 67         # 10^8 events of 10^11 micropoints (spec 9)
    GROWN_BITS = 110      # the same, grown (spec 9.4)

cdef struct codes_t:
    # How the codes of a state become those of the lead at work.
    uint32_t* map         # by code, 0: not met yet; NULL: as they are
    int64_t size          # codes from 1 to this
    uint32_t next         # the next new one is this


cdef inline uint32_t code_mapped(codes_t* c, uint64_t code, bint* fault) noexcept nogil:
    if code == 0:
        return 0
    if code > <uint64_t> c.size:
        fault[0] = True
        return 0
    if c.map == NULL:
        return <uint32_t> code
    if c.map[code] == 0:
        c.map[code] = c.next
        c.next += 1
    return c.map[code]


cdef inline void freeze_item(bytes_t* b, const item_t* item, bint coded, int64_t* near, bint first) noexcept nogil:
    if first:
        bytes_when(b, near[0], item.at)
    else:
        bytes_uint(b, <uint64_t> (item.at - near[0]))
    near[0] = item.at
    if coded:
        bytes_uint(b, <uint64_t> item.points)
    else:
        bytes_int(b, item.points)


cdef inline void freeze_items(bytes_t* b, const fold_t* f, bint coded, int64_t now) noexcept nogil:
    """The events a fold holds, oldest first."""
    cdef int64_t i, near = now
    bytes_uint(b, <uint64_t> (f.tail - f.head))
    for i in range(f.head, f.tail):
        freeze_item(b, &f.items[i], coded, &near, i == f.head)


cdef inline void freeze_seen(bytes_t* b, const fold_t* f) noexcept nogil:
    cdef int64_t i
    bytes_uint(b, <uint64_t> f.seen_count)
    for i in range(f.seen_room):
        if f.seen[i] >> 32 == <uint64_t> f.stamp:
            bytes_uint(b, f.seen[i] & 0xFFFFFFFFULL)


cdef inline bint fold_blank(const fold_t* f, const fold_spec_t* s) noexcept nogil:
    """Whether a fold is as it was made, as far as any later value shows."""
    if f.overflow:
        return False
    if s.kind == FOLD_FREQUENCY:
        return f.head == f.tail
    return f.last == INT64_MIN


cdef inline void fold_freeze(bytes_t* b, const fold_t* f, const fold_spec_t* s, int64_t now) noexcept nogil:
    """Write a tracked fold that was advanced to ``now``."""
    cdef int64_t i, near = now
    if s.kind == FOLD_RECENCY:
        bytes_when(b, now, f.last)
        return
    if s.kind == FOLD_FREQUENCY:
        if s.span:
            freeze_items(b, f, s.distinct >= 0, now)
        elif s.distinct >= 0:
            freeze_seen(b, f)
        else:
            bytes_uint(b, <uint64_t> (f.tail - f.head))
        return
    bytes_when(b, now, f.last)
    if s.unique >= 0:
        freeze_seen(b, f)
        bytes_uint(b, <uint64_t> f.overflow)
    if s.cooldown:
        bytes_when(b, now, f.passed)
    if s.unit != UNIT_NONE:
        bytes_int(b, f.unit)
        bytes_uint(b, <uint64_t> f.unit_count)
    if s.keep:
        bytes_wide(b, f.kept)
    if s.decay == DECAY_NONE:
        bytes_wide(b, f.sum)
    elif s.decay == DECAY_HALF_LIFE:
        bytes_uint(b, f.epoch != INT64_MIN)
        if f.epoch != INT64_MIN:
            bytes_uint(b, <uint64_t> (floor_div(now, s.span) - f.epoch))
            bytes_wide(b, f.sum)
            if s.sign == 0:
                bytes_wide(b, f.size)
        if s.delay:
            freeze_items(b, f, False, now)
    elif s.decay == DECAY_LINEAR:
        freeze_items(b, f, False, now)
        bytes_uint(b, <uint64_t> (f.mid - f.head))
    elif s.decay == DECAY_EXPIRE:
        freeze_items(b, f, False, now)
    elif s.decay == DECAY_STEPS:
        bytes_wide(b, f.sum)
        freeze_items(b, f, False, now)
        for i in range(s.table_size):
            bytes_uint(b, <uint64_t> (f.cursors[i] - f.dropped - f.head))
    else:
        bytes_wide(b, f.sum)
        bytes_when(b, now, f.ring.clock if f.ring.size else INT64_MIN)
        bytes_uint(b, <uint64_t> f.ring.size)
        for i in range(f.ring.size):  # in order of their next loss, not of time
            bytes_when(b, now, ring_item(&f.ring, i).at)
            bytes_int(b, ring_item(&f.ring, i).points)
        if s.delay:
            freeze_items(b, f, False, now)


cdef inline int64_t read_past(reader_t* r, int64_t now) noexcept nogil:
    """An instant up to ``now``, or INT64_MIN."""
    cdef int64_t at = read_when(r, now)
    if at > now:
        r.fault = True
        return INT64_MIN
    return at


cdef inline int thaw_items(
    reader_t* r, fold_t* f, codes_t* codes, int64_t now, bint distinct
) noexcept nogil:
    """Push the events of a fold; -1 when memory runs out."""
    cdef int64_t n = read_size(r, 2), i, at = now, points
    cdef uint64_t step
    for i in range(n):
        if i == 0:
            at = read_when(r, now)
        else:
            step = read_uint(r)
            if step > <uint64_t> (LAST_INSTANT - FIRST_INSTANT):
                r.fault = True
                return 0
            at += <int64_t> step
        points = <int64_t> code_mapped(codes, read_uint(r), &r.fault) if distinct else read_int(r)
        if r.fault or at == INT64_MIN or at > now or points > MOST_POINTS or points < -MOST_POINTS:
            r.fault = True
            return 0
        if distinct and fold_distinct(f, <uint32_t> points):
            return -1
        if fold_push(f, at, points):
            return -1
    return 0


cdef inline int thaw_seen(reader_t* r, fold_t* f, codes_t* codes) noexcept nogil:
    cdef int64_t n = read_size(r, 1), i
    cdef int seen
    if n > UNIQUE_MOST:
        r.fault = True
        return 0
    for i in range(n):
        seen = fold_see(f, code_mapped(codes, read_uint(r), &r.fault))
        if seen < 0:
            return -1
        if r.fault or seen == 0:
            r.fault = True
            return 0
    return 0


cdef inline int fold_thaw(reader_t* r, fold_t* f, const fold_spec_t* s, codes_t* codes, int64_t now) noexcept nogil:
    """Read a tracked fold, empty before, as of ``now``; -1 when memory runs out."""
    cdef int64_t i, n, at, points
    if s.kind == FOLD_RECENCY:
        f.last = read_past(r, now)
        return 0
    if s.kind == FOLD_FREQUENCY:
        if s.span:
            return thaw_items(r, f, codes, now, s.distinct >= 0)
        if s.distinct < 0:
            f.tail = <int64_t> (read_uint(r) & 0xFFFFFFFFFFFFULL)
            return 0
        n = read_size(r, 1)
        for i in range(n):
            points = <int64_t> code_mapped(codes, read_uint(r), &r.fault)
            if r.fault:
                return 0
            if fold_distinct(f, <uint32_t> points) or fold_push(f, now, points):
                return -1
        return 0
    f.last = read_past(r, now)
    if s.unique >= 0:
        if thaw_seen(r, f, codes):
            return -1
        f.overflow = <int64_t> (read_uint(r) & 0xFFFFFFFFFFFFULL)
    if s.cooldown:
        f.passed = read_past(r, now)
    if s.unit != UNIT_NONE:
        f.unit = read_int(r)
        f.unit_count = <int64_t> (read_uint(r) & 0xFFFFFFFFFFFFULL)
    if s.keep:
        f.kept = read_wide(r, SUM_BITS)
    if s.decay == DECAY_NONE:
        f.sum = read_wide(r, SUM_BITS)
    elif s.decay == DECAY_HALF_LIFE:
        if read_below(r, 2):
            n = <int64_t> (read_uint(r) & 0x7FFFFFFFFFFFFFULL)
            f.epoch = floor_div(now, s.span) - n
            f.sum = read_wide(r, GROWN_BITS)
            if s.sign == 0:
                f.size = read_wide(r, GROWN_BITS)
        if s.delay:
            if thaw_items(r, f, codes, now, False):
                return -1
            if f.head < f.tail and f.epoch != INT64_MIN and floor_div(f.items[f.head].at + s.delay, s.span) < f.epoch:
                r.fault = True  # it should have joined the sum before
            for i in range(f.head, f.tail):
                f.waiting = wide_add(f.waiting, wide_of(f.items[i].points))
    elif s.decay == DECAY_LINEAR:
        if thaw_items(r, f, codes, now, False):
            return -1
        f.mid = read_below(r, f.tail + 1)
        for i in range(f.tail):
            points = f.items[i].points
            f.sum = wide_add(f.sum, wide_of(points))
            if s.sign == 0:
                f.size = wide_add(f.size, wide_of(points if points >= 0 else -points))
            if i < f.mid:
                f.moment = wide_add(f.moment, wide_mul(points, f.items[i].at + s.delay))
            else:
                f.waiting = wide_add(f.waiting, wide_of(points))
    elif s.decay == DECAY_EXPIRE:
        if thaw_items(r, f, codes, now, False):
            return -1
        for i in range(f.tail):
            f.sum = wide_add(f.sum, wide_of(f.items[i].points))
    elif s.decay == DECAY_STEPS:
        f.sum = read_wide(r, SUM_BITS)
        if thaw_items(r, f, codes, now, False):
            return -1
        n = f.tail
        for i in range(s.table_size):
            n = read_below(r, n + 1)  # a later step is reached by fewer events
            f.cursors[i] = n
        if n:
            r.fault = True  # those at the last step are let go
    else:
        f.sum = read_wide(r, SUM_BITS)
        f.ring.clock = read_past(r, now)
        n = read_size(r, 2)
        if n and f.ring.clock == INT64_MIN:
            r.fault = True
        if r.fault:
            return 0
        if n and ring_reserve(&f.ring, n):
            return -1
        for i in range(n):
            at = read_when(r, now)
            points = read_int(r)
            if r.fault or at == INT64_MIN or at > f.ring.clock or points > MOST_POINTS or points < -MOST_POINTS:
                r.fault = True
                return 0
            ring_push(&f.ring, at, points)
        if s.delay:
            if thaw_items(r, f, codes, now, False):
                return -1
            if ring_reserve(&f.ring, f.ring.size + f.tail - f.head + 1):
                return -1
    return 0


cdef inline void state_freeze(bytes_t* b, const life_t* f, const lead_t* a, const plan_t* p, int64_t now) noexcept nogil:
    """Write the folds, thresholds and life of a lead that was brought to ``now``."""
    cdef int64_t i, n = 0, last = -1
    cdef uint8_t* room
    if p.stages_size:
        bytes_uint(b, <uint64_t> (f.stage + 1))
        if f.stage >= 0:
            bytes_when(b, now, f.entered)
            bytes_uint(b, <uint64_t> f.timer)
            bytes_uint(b, <uint64_t> f.moves)
            bytes_uint(b, f.withheld)
            for i in range(p.stages_size):
                n += f.visits[i] != 0
            bytes_uint(b, <uint64_t> n)
            for i in range(p.stages_size):
                if f.visits[i]:
                    bytes_uint(b, <uint64_t> i)
                    bytes_uint(b, <uint64_t> f.visits[i])
    room = bytes_room(b, (p.thresholds_size + 7) >> 3)
    if room != NULL:
        memset(room, 0, <size_t> ((p.thresholds_size + 7) >> 3))
        for i in range(p.thresholds_size):
            if a.reached[i]:
                room[i >> 3] |= 1 << (i & 7)
    n = 0
    for i in range(p.folds_size):
        n += not fold_blank(&a.folds[i], &p.folds[i])
    bytes_uint(b, <uint64_t> n)
    for i in range(p.folds_size):
        if not fold_blank(&a.folds[i], &p.folds[i]):
            bytes_uint(b, <uint64_t> (i - last - 1))
            last = i
            fold_freeze(b, &a.folds[i], &p.folds[i], now)


cdef inline int state_thaw(
    reader_t* r, life_t* f, lead_t* a, const plan_t* p, codes_t* codes, int64_t now
) noexcept nogil:
    """Read what `state_freeze` wrote; -1 when memory runs out. What cannot be raises the reader's fault."""
    cdef int64_t i, k, n, which = -1
    cdef const uint8_t* reached
    lead_clear(a, p)
    memset(f.visits, 0, sizeof(f.visits))
    f.stage = -1
    f.entered = 0
    f.timer = 0
    f.moves = 0
    f.withheld = False
    f.quiet = False
    if p.stages_size:
        f.stage = <int32_t> read_below(r, p.stages_size + 1) - 1
        if f.stage >= 0:
            f.entered = read_past(r, now)
            f.timer = read_below(r, p.stages[f.stage].timers_size + 1)
            if f.entered == INT64_MIN or life_timer(f, p) <= now:  # what is due was evaluated
                r.fault = True
            f.moves = read_below(r, MOST_MOVES + 1)
            f.withheld = read_below(r, 2)
            n = read_size(r, 2)
            for i in range(n):
                k = read_below(r, p.stages_size)
                if r.fault:
                    break
                f.visits[k] = read_below(r, MOST_MOVES + 1)
            a.visits = f.visits[f.stage]
    reached = read_bytes(r, (p.thresholds_size + 7) >> 3)
    for i in range(p.thresholds_size):
        a.reached[i] = (reached[i >> 3] >> (i & 7)) & 1 if reached != NULL else 0
    n = read_size(r, 1)
    for i in range(n):
        which += 1 + read_below(r, p.folds_size)
        if which >= p.folds_size:
            r.fault = True
        if r.fault:
            return 0
        lead_touch(a, <int32_t> which)
        if fold_thaw(r, &a.folds[which], &p.folds[which], codes, now):
            return -1
    if r.at != r.end:
        r.fault = True
    return 0
