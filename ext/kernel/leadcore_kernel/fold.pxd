"""One fold: what one criterion remembers of one lead (spec 4, 5, 9).

``fold_add`` takes matching events in canonical order, ``fold_advance`` moves the clock, ``fold_value`` answers at the
instant advanced to, ``fold_copy`` duplicates. Score, replay and ledger are loops around these four. A fold owns
``items`` and ``seen``; ``fold_start`` makes an empty one, ``fold_clear`` empties it (spec 4.8), ``fold_free`` gives its memory back.
"""

from libc.stdint cimport INT64_MAX, INT64_MIN, int32_t, int64_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memcpy, memmove, memset

from leadcore_kernel.decay cimport floor_div, growth, unit_of
from leadcore_kernel.layout cimport (
    DECAY_COMPOUND, DECAY_EXPIRE, DECAY_HALF_LIFE, DECAY_LINEAR, DECAY_NONE, DECAY_PERIODIC, DECAY_STEPS,
    FOLD_EVENT, FOLD_FREQUENCY, FOLD_RECENCY, UNIT_NONE, band_t, fold_spec_t, step_t, zone_t,
)
from leadcore_kernel.wide cimport (
    wide_add, wide_hold, wide_low, wide_mul, wide_of, wide_rne_div, wide_rne_shr, wide_scale, wide_shr, wide_sub,
    wide_t, wide_times_millionths,
)

cdef enum:
    UNIQUE_MOST = 65_536  # spec 4.6

cdef struct tables_t:
    # What specs point into; owned by the plan.
    const step_t* steps
    const int64_t* factors
    const band_t* bands
    const zone_t* zones
    int64_t zones_size
    int64_t cycle_begin

cdef struct item_t:
    int64_t at
    int64_t points        # frequency with `distinct`: the code

cdef struct fold_t:
    wide_t sum            # points of the events in force; half-life: S of spec 9.4 at `epoch`
    wide_t moment         # linear: sum of points x instant
    wide_t waiting        # half-life, linear: points of events younger than the delay
    wide_t kept           # the part that never decays
    int64_t epoch         # INT64_MIN before the first event
    int64_t last          # newest matching event, INT64_MIN before the first
    int64_t passed        # newest event the cooldown let through
    int64_t unit
    int64_t unit_count
    int64_t head          # items[head:mid] are in force, items[mid:tail] wait for the end of their delay
    int64_t mid
    int64_t tail
    int64_t room
    item_t* items
    uint64_t* seen        # open addressing; an entry is stamp << 32 | code
    int64_t seen_room
    int64_t seen_count
    int64_t stamp         # 1 .. 2^32 - 1
    int64_t overflow      # events left out because `unique_by` was full; survives a reset


cdef inline void fold_start(fold_t* f) noexcept nogil:
    """Make an empty fold out of raw memory."""
    memset(f, 0, sizeof(fold_t))
    f.stamp = 1
    f.epoch = INT64_MIN
    f.last = INT64_MIN
    f.passed = INT64_MIN
    f.unit = INT64_MIN


cdef inline void fold_clear(fold_t* f) noexcept nogil:
    """Forget every event; memory stays for the next."""
    f.sum = wide_of(0)
    f.moment = wide_of(0)
    f.waiting = wide_of(0)
    f.kept = wide_of(0)
    f.epoch = INT64_MIN
    f.last = INT64_MIN
    f.passed = INT64_MIN
    f.unit = INT64_MIN
    f.unit_count = 0
    f.head = 0
    f.mid = 0
    f.tail = 0
    fold_unsee(f)


cdef inline void fold_unsee(fold_t* f) noexcept nogil:
    """Forget every code seen: entries of another stamp count as empty."""
    f.seen_count = 0
    f.stamp += 1
    if f.stamp >> 32:
        f.stamp = 1
        if f.seen_room:
            memset(f.seen, 0, <size_t> f.seen_room * sizeof(uint64_t))


cdef inline void fold_free(fold_t* f) noexcept nogil:
    free(f.items)
    free(f.seen)
    f.items = NULL
    f.seen = NULL


cdef inline int fold_push(fold_t* f, int64_t at, int64_t points) noexcept nogil:
    """Append an item; -1 when memory runs out."""
    cdef int64_t room
    cdef item_t* items
    if f.tail == f.room and f.head > f.room >> 1:  # make room by dropping what was let go
        memmove(f.items, f.items + f.head, <size_t> (f.tail - f.head) * sizeof(item_t))
        f.mid -= f.head
        f.tail -= f.head
        f.head = 0
    if f.tail == f.room:
        room = 16 if f.room == 0 else 2 * f.room
        items = <item_t*> realloc(f.items, <size_t> room * sizeof(item_t))
        if items == NULL:
            return -1
        f.items = items
        f.room = room
    f.items[f.tail].at = at
    f.items[f.tail].points = points
    f.tail += 1
    return 0


cdef inline int fold_see(fold_t* f, uint32_t code) noexcept nogil:
    """Remember a code: 1 if it is new, 0 if it was seen since the last clear, -1 when memory runs out."""
    cdef int64_t room, i, j
    cdef uint64_t entry
    cdef uint64_t* seen
    if 2 * (f.seen_count + 1) > f.seen_room:
        room = 16 if f.seen_room == 0 else 2 * f.seen_room
        seen = <uint64_t*> calloc(<size_t> room, sizeof(uint64_t))
        if seen == NULL:
            return -1
        for i in range(f.seen_room):
            entry = f.seen[i]
            if entry >> 32 == <uint64_t> f.stamp:
                j = <int64_t> (((entry & 0xFFFFFFFFULL) * 0x9E3779B97F4A7C15ULL) >> 32) & (room - 1)
                while seen[j]:
                    j = (j + 1) & (room - 1)
                seen[j] = entry
        free(f.seen)
        f.seen = seen
        f.seen_room = room
    entry = <uint64_t> f.stamp << 32 | code
    i = <int64_t> ((<uint64_t> code * 0x9E3779B97F4A7C15ULL) >> 32) & (f.seen_room - 1)
    while f.seen[i] >> 32 == <uint64_t> f.stamp:
        if f.seen[i] == entry:
            return 0
        i = (i + 1) & (f.seen_room - 1)
    f.seen[i] = entry
    f.seen_count += 1
    return 1


cdef inline void fold_grow(fold_t* f, const fold_spec_t* s, int64_t at, int64_t points) noexcept nogil:
    """Add points to the half-life sum at instant ``at``, not before the fold's epoch (spec 9.4)."""
    cdef int64_t epoch = floor_div(at, s.span)
    if f.epoch == INT64_MIN:
        f.epoch = epoch
    elif epoch != f.epoch:
        f.sum = wide_shr(f.sum, epoch - f.epoch)
        f.epoch = epoch
    f.sum = wide_add(f.sum, wide_mul(points, growth(at - epoch * s.span, s.reciprocal, s.shift)))


cdef inline int fold_add(
    fold_t* f, const fold_spec_t* s, const tables_t* t, int64_t at, int64_t points, uint32_t unique, uint32_t distinct
) noexcept nogil:
    """Take one matching event, not before the last one; -1 when memory runs out."""
    cdef int64_t unit, kept
    cdef int seen
    f.last = at
    if s.kind == FOLD_RECENCY:
        return 0
    if s.kind == FOLD_FREQUENCY:
        if s.distinct >= 0:
            if distinct == 0:  # null is not counted (spec 4.5)
                return 0
            return fold_push(f, at, distinct)
        if s.span:
            return fold_push(f, at, 0)
        f.tail += 1  # counted only; no window, no items
        return 0
    if s.unique >= 0:
        if f.seen_count >= UNIQUE_MOST:
            seen = fold_holds(f, unique)
            if not seen:
                f.overflow += 1
            return 0
        seen = fold_see(f, unique)
        if seen <= 0:
            return seen
    if s.cooldown:
        if f.passed != INT64_MIN and at - f.passed < s.cooldown:
            return 0
        f.passed = at
    if s.unit != UNIT_NONE:
        unit = unit_of(at, s.unit, t.zones, t.zones_size, t.cycle_begin)
        if unit != f.unit:
            f.unit = unit
            f.unit_count = 0
        if f.unit_count >= s.limit:
            return 0
        f.unit_count += 1
    if s.keep:
        kept = wide_low(wide_times_millionths(points, s.keep))
        f.kept = wide_add(f.kept, wide_of(kept))
        points -= kept
    if s.decay == DECAY_NONE:
        f.sum = wide_add(f.sum, wide_of(points))
        return 0
    if s.decay == DECAY_HALF_LIFE:
        if s.delay == 0:
            fold_grow(f, s, at, points)
            return 0
        f.waiting = wide_add(f.waiting, wide_of(points))
        return fold_push(f, at, points)
    f.sum = wide_add(f.sum, wide_of(points))
    if s.decay == DECAY_LINEAR:
        if s.delay:
            f.waiting = wide_add(f.waiting, wide_of(points))
        else:
            f.moment = wide_add(f.moment, wide_mul(points, at))
            f.mid += 1
    return fold_push(f, at, points)


cdef inline bint fold_holds(const fold_t* f, uint32_t code) noexcept nogil:
    """Whether a code was seen since the last clear; there is at least one."""
    cdef uint64_t stamp = <uint64_t> f.stamp
    cdef int64_t i = <int64_t> ((<uint64_t> code * 0x9E3779B97F4A7C15ULL) >> 32) & (f.seen_room - 1)
    while f.seen[i] >> 32 == stamp:
        if (f.seen[i] & 0xFFFFFFFFULL) == code:
            return True
        i = (i + 1) & (f.seen_room - 1)
    return False


cdef inline void fold_advance(fold_t* f, const fold_spec_t* s, int64_t now) noexcept nogil:
    """Move the clock to ``now``, not before the last event taken: what has left its window is let go."""
    cdef item_t* item
    cdef int64_t end
    if s.kind == FOLD_FREQUENCY:
        if s.span:
            while f.head < f.tail and now - f.items[f.head].at >= s.span:
                f.head += 1
        return
    if s.kind != FOLD_EVENT:
        return
    if s.decay == DECAY_EXPIRE:
        end = s.delay + s.span
        while f.head < f.tail and now - f.items[f.head].at >= end:
            f.sum = wide_sub(f.sum, wide_of(f.items[f.head].points))
            f.head += 1
    elif s.decay == DECAY_LINEAR:
        while s.delay and f.mid < f.tail and now - f.items[f.mid].at >= s.delay:
            item = &f.items[f.mid]
            f.waiting = wide_sub(f.waiting, wide_of(item.points))
            f.moment = wide_add(f.moment, wide_mul(item.points, item.at + s.delay))
            f.mid += 1
        end = s.delay + s.span
        while f.head < f.mid and now - f.items[f.head].at >= end:
            item = &f.items[f.head]
            f.sum = wide_sub(f.sum, wide_of(item.points))
            f.moment = wide_sub(f.moment, wide_mul(item.points, item.at + s.delay))
            f.head += 1
    elif s.decay == DECAY_HALF_LIFE and s.delay:
        while f.head < f.tail and now - f.items[f.head].at >= s.delay:
            item = &f.items[f.head]
            f.waiting = wide_sub(f.waiting, wide_of(item.points))
            fold_grow(f, s, item.at + s.delay, item.points)
            f.head += 1
    elif s.decay == DECAY_PERIODIC or s.decay == DECAY_COMPOUND:
        end = s.delay + s.span * s.table_size
        while f.head < f.tail and now - f.items[f.head].at >= end:
            f.head += 1


cdef inline wide_t fold_stepped(const fold_t* f, const fold_spec_t* s, const tables_t* t, int64_t now) noexcept nogil:
    """Steps and periodic: each event's own rounding, summed (spec 9.2)."""
    cdef wide_t sum = wide_of(0)
    cdef int64_t i, j, age, n
    for i in range(f.head, f.tail):
        age = now - f.items[i].at - s.delay
        if age < 0:
            age = 0
        if s.decay == DECAY_STEPS:
            j = s.table + s.table_size - 1
            while j >= s.table and age < t.steps[j].after:
                j -= 1
            n = 1_000_000 if j < s.table else t.steps[j].factor
            sum = wide_add(sum, wide_times_millionths(f.items[i].points, n))
            continue
        n = age // s.span
        if n >= s.table_size:
            continue  # the table ends where nothing is left of the largest points
        n = t.factors[s.table + n]
        if s.decay == DECAY_COMPOUND:
            sum = wide_add(sum, wide_rne_shr(wide_mul(f.items[i].points, n), 62))
        else:
            sum = wide_add(sum, wide_times_millionths(f.items[i].points, n))
    return sum


cdef inline int64_t fold_count(fold_t* f, const fold_spec_t* s) noexcept nogil:
    """Matching events, or distinct codes, in the window (spec 4.5); -1 when memory runs out."""
    cdef int64_t i, count = 0
    cdef int seen
    if s.distinct < 0:
        return f.tail - f.head
    fold_unsee(f)
    for i in range(f.head, f.tail):
        seen = fold_see(f, <uint32_t> f.items[i].points)
        if seen < 0:
            return -1
        count += seen
    return count


cdef inline int64_t fold_value(
    fold_t* f, const fold_spec_t* s, const tables_t* t, int64_t now, int* fault
) noexcept nogil:
    """Raw value in micropoints at ``now``, the instant last advanced to; a fade's value is millionths.

    ``fault`` is set to 1 when memory runs out and is not touched otherwise.
    """
    cdef int64_t i, age, epoch, rest
    cdef wide_t sum
    if s.kind == FOLD_RECENCY:
        if f.last == INT64_MIN:
            return s.never
        age = now - f.last
        for i in range(s.bands, s.bands + s.bands_size):  # ascending, made so by the plan
            if age < t.bands[i].bound:
                return t.bands[i].points
        return s.otherwise
    if s.kind == FOLD_FREQUENCY:
        age = fold_count(f, s)
        if age < 0:
            fault[0] = 1
        for i in range(s.bands + s.bands_size - 1, s.bands - 1, -1):
            if age >= t.bands[i].bound:
                return t.bands[i].points
        return 0
    if s.decay == DECAY_HALF_LIFE:
        if f.epoch == INT64_MIN:
            return wide_hold(wide_add(f.waiting, f.kept), INT64_MIN, INT64_MAX)
        epoch = floor_div(now, s.span)
        rest = now - epoch * s.span
        sum = wide_shr(wide_shr(f.sum, epoch - f.epoch), 24)
        sum = wide_scale(sum, growth(s.span - rest, s.reciprocal, s.shift) if rest else <int64_t> 1 << 43)
        sum = wide_add(wide_rne_shr(sum, 61), f.waiting)
    elif s.decay == DECAY_LINEAR:
        # what still waits for the end of its delay has no part in the fall
        sum = wide_sub(wide_scale_signed(wide_sub(f.sum, f.waiting), now), f.moment)
        sum = wide_sub(f.sum, wide_rne_div(sum, s.span))
    elif s.decay == DECAY_NONE or s.decay == DECAY_EXPIRE:
        sum = f.sum
    else:
        sum = fold_stepped(f, s, t, now)
    return wide_hold(wide_add(sum, f.kept), INT64_MIN, INT64_MAX)


cdef inline wide_t wide_scale_signed(wide_t a, int64_t b) noexcept nogil:
    """a * b for any b."""
    if b < 0:
        return wide_sub(wide_of(0), wide_scale(a, -b))
    return wide_scale(a, b)


cdef inline int fold_copy(fold_t* to, const fold_t* f) noexcept nogil:
    """Make ``to`` (raw memory) an independent copy; -1 when memory runs out."""
    to[0] = f[0]
    to.items = NULL
    to.seen = NULL
    if f.room:
        to.items = <item_t*> malloc(<size_t> f.room * sizeof(item_t))
        if to.items == NULL:
            to.seen = NULL
            return -1
        memcpy(to.items, f.items, <size_t> f.tail * sizeof(item_t))
    if f.seen_room:
        to.seen = <uint64_t*> malloc(<size_t> f.seen_room * sizeof(uint64_t))
        if to.seen == NULL:
            fold_free(to)
            return -1
        memcpy(to.seen, f.seen, <size_t> f.seen_room * sizeof(uint64_t))
    return 0
