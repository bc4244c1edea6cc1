"""One fold: what one criterion remembers of one lead (spec 4, 5, 9).

``fold_add`` takes matching events in canonical order, ``fold_advance`` moves the clock, ``fold_value`` answers at the
instant advanced to, ``fold_copy`` duplicates. Score, replay and ledger are loops around these four. A fold owns
``items`` and ``seen``; ``fold_start`` makes an empty one, ``fold_clear`` empties it (spec 4.8), ``fold_free`` gives its memory back.

A fold that is ``tracked`` is asked again and again: stepped decays and distinct counts are kept current at constant work
per event and per change of a factor, and ``fold_due`` says until when the value stands still. One that is not is asked
once or seldom: they are summed when asked.
"""

from libc.stdint cimport INT64_MAX, INT64_MIN, int64_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memcpy, memmove, memset

from leadcore_kernel.decay cimport epoch_of, growth, unit_of
from leadcore_kernel.layout cimport (
    DECAY_COMPOUND, DECAY_EXPIRE, DECAY_HALF_LIFE, DECAY_LINEAR, DECAY_NONE, DECAY_PERIODIC, DECAY_STEPS,
    FOLD_EVENT, FOLD_FREQUENCY, FOLD_RECENCY, UNIT_NONE, band_t, fold_spec_t, step_t, zone_t,
)
from leadcore_kernel.stepped cimport (
    item_t, ring_advance, ring_due, ring_push, ring_reserve, ring_t, stepped_after, stepped_by,
)
from leadcore_kernel.wide cimport (
    wide_add, wide_high, wide_hold, wide_low, wide_mul, wide_of, wide_rne_div, wide_rne_shr, wide_scale, wide_shr,
    wide_sub, wide_t, wide_times_millionths,
)

cdef enum:
    UNIQUE_MOST = 65_536  # spec 4.6
    MOST_STEPS = 64       # spec 11

cdef struct tables_t:
    # What specs point into; owned by the plan.
    const step_t* steps
    const int64_t* factors
    const band_t* bands
    const zone_t* zones
    int64_t zones_size
    int64_t cycle_begin

cdef struct fold_t:
    wide_t sum            # points of the events in force; half-life: S of spec 9.4 at `epoch`
    wide_t moment         # linear: sum of points x instant
    wide_t waiting        # half-life, linear: points of events younger than the delay
    wide_t kept           # the part that never decays
    wide_t size           # points without their sign, where signs differ: half-life as `sum`, linear those in `items`
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
    bint tracked
    bint open             # no filter stands between an event and its points, and no part of them is kept for ever
    int64_t dropped       # items moved out of the array: items[i] is the fold's event number dropped + i
    int64_t* latest       # beside `seen`: number of the code's newest event
    int64_t different     # codes in the window
    int64_t* cursors      # by step: number of the first event that has not reached it
    ring_t ring


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
    f.size = wide_of(0)
    f.dropped = 0
    f.different = 0
    f.ring.head = 0
    f.ring.size = 0
    if f.cursors != NULL:
        memset(f.cursors, 0, MOST_STEPS * sizeof(int64_t))
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
    free(f.latest)
    free(f.cursors)
    free(f.ring.items)
    f.items = NULL
    f.seen = NULL
    f.latest = NULL
    f.cursors = NULL
    memset(&f.ring, 0, sizeof(ring_t))


cdef inline int fold_track(fold_t* f, const fold_spec_t* s) noexcept nogil:
    """Make an empty fold a tracked one; -1 when memory runs out."""
    f.tracked = True
    f.open = (
        s.kind == FOLD_EVENT and s.unique < 0 and s.cooldown == 0 and s.unit == UNIT_NONE and s.keep == 0
    )
    if s.decay == DECAY_STEPS and f.cursors == NULL:
        f.cursors = <int64_t*> calloc(MOST_STEPS, sizeof(int64_t))
        return -1 if f.cursors == NULL else 0
    return 0


cdef inline int fold_push(fold_t* f, int64_t at, int64_t points) noexcept nogil:
    """Append an item; -1 when memory runs out."""
    cdef int64_t room
    cdef item_t* items
    if f.tail == f.room and f.head > f.room >> 1:  # make room by dropping what was let go
        memmove(f.items, f.items + f.head, <size_t> (f.tail - f.head) * sizeof(item_t))
        f.dropped += f.head
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


cdef inline int64_t fold_slot(const uint64_t* seen, int64_t room, uint64_t stamp, uint32_t code) noexcept nogil:
    """Where a code is, or would go."""
    cdef int64_t i = <int64_t> ((<uint64_t> code * 0x9E3779B97F4A7C15ULL) >> 32) & (room - 1)
    while seen[i] >> 32 == stamp and (seen[i] & 0xFFFFFFFFULL) != code:
        i = (i + 1) & (room - 1)
    return i


cdef inline int fold_widen(fold_t* f) noexcept nogil:
    """Make room for one code more; -1 when memory runs out."""
    cdef int64_t room = 16 if f.seen_room == 0 else 2 * f.seen_room, i, j
    cdef uint64_t* seen
    cdef int64_t* latest = NULL
    if 2 * (f.seen_count + 1) <= f.seen_room:
        return 0
    seen = <uint64_t*> calloc(<size_t> room, sizeof(uint64_t))
    if f.tracked:
        latest = <int64_t*> malloc(<size_t> room * sizeof(int64_t))
    if seen == NULL or (f.tracked and latest == NULL):
        free(seen)
        free(latest)
        return -1
    for i in range(f.seen_room):
        if f.seen[i] >> 32 == <uint64_t> f.stamp:
            j = fold_slot(seen, room, <uint64_t> f.stamp, <uint32_t> f.seen[i])
            seen[j] = f.seen[i]
            if f.tracked:
                latest[j] = f.latest[i]
    free(f.seen)
    free(f.latest)
    f.seen = seen
    f.latest = latest
    f.seen_room = room
    return 0


cdef inline int fold_see(fold_t* f, uint32_t code) noexcept nogil:
    """Remember a code: 1 if it is new, 0 if it was seen since the last clear, -1 when memory runs out."""
    cdef int64_t i
    cdef uint64_t entry = <uint64_t> f.stamp << 32 | code
    if fold_widen(f):
        return -1
    i = fold_slot(f.seen, f.seen_room, <uint64_t> f.stamp, code)
    if f.seen[i] == entry:
        return 0
    f.seen[i] = entry
    f.seen_count += 1
    return 1


cdef inline bint fold_holds(const fold_t* f, uint32_t code) noexcept nogil:
    """Whether a code was seen since the last clear; there is at least one."""
    return f.seen[fold_slot(f.seen, f.seen_room, <uint64_t> f.stamp, code)] == (<uint64_t> f.stamp << 32 | code)


cdef inline int fold_distinct(fold_t* f, uint32_t code) noexcept nogil:
    """Count the event about to be pushed among the different codes of the window; -1 when memory runs out."""
    cdef int64_t i
    cdef int new = fold_see(f, code)
    if new < 0:
        return -1
    i = fold_slot(f.seen, f.seen_room, <uint64_t> f.stamp, code)
    if new or f.latest[i] < f.dropped + f.head:
        f.different += 1
    f.latest[i] = f.dropped + f.tail
    return 0


cdef inline void fold_grow(fold_t* f, const fold_spec_t* s, int64_t at, int64_t points) noexcept nogil:
    """Add points to the half-life sum at instant ``at``, not before the fold's epoch (spec 9.4)."""
    cdef int64_t epoch = epoch_of(at, s.span, s.reciprocal, s.shift), grown
    if f.epoch == INT64_MIN:
        f.epoch = epoch
    elif epoch != f.epoch:
        f.sum = wide_shr(f.sum, epoch - f.epoch)
        f.size = wide_shr(f.size, epoch - f.epoch)
        f.epoch = epoch
    grown = growth(at - epoch * s.span, s.reciprocal, s.shift)
    f.sum = wide_add(f.sum, wide_mul(points, grown))
    if s.sign == 0 and f.tracked:
        f.size = wide_add(f.size, wide_mul(points if points >= 0 else -points, grown))


cdef inline wide_t fold_shrunk(wide_t sum, int64_t epoch, const fold_spec_t* s, int64_t now) noexcept nogil:
    """Micropoints of a half-life sum S of ``epoch`` at ``now`` (spec 9.4)."""
    cdef int64_t later = epoch_of(now, s.span, s.reciprocal, s.shift)
    cdef int64_t rest = now - later * s.span
    sum = wide_shr(sum, later - epoch + 24)
    return wide_rne_shr(wide_scale(sum, growth(s.span - rest, s.reciprocal, s.shift) if rest else <int64_t> 1 << 43), 61)


cdef inline int fold_take(fold_t* f, const fold_spec_t* s, const tables_t* t, int64_t at, int64_t points) noexcept nogil:
    """Take points that passed all filters; -1 when memory runs out."""
    f.last = at
    if s.decay == DECAY_NONE:
        f.sum = wide_add(f.sum, wide_of(points))
        return 0
    if s.decay == DECAY_HALF_LIFE:
        if s.delay == 0:
            fold_grow(f, s, at, points)
            return 0
        f.waiting = wide_add(f.waiting, wide_of(points))
        return fold_push(f, at, points)
    if f.tracked and (s.decay == DECAY_PERIODIC or s.decay == DECAY_COMPOUND):
        fold_advance(f, s, t, at)  # the ring is in order of time
        if ring_reserve(&f.ring, f.ring.size + f.tail - f.head + 1):
            return -1
        f.sum = wide_add(f.sum, wide_of(points))
        if s.delay == 0:
            ring_push(&f.ring, at, points)
            return 0
        return fold_push(f, at, points)
    f.sum = wide_add(f.sum, wide_of(points))
    if s.decay == DECAY_LINEAR:
        if s.sign == 0 and f.tracked:
            f.size = wide_add(f.size, wide_of(points if points >= 0 else -points))
        if s.delay:
            f.waiting = wide_add(f.waiting, wide_of(points))
        else:
            f.moment = wide_add(f.moment, wide_mul(points, at))
            f.mid += 1
    return fold_push(f, at, points)


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
            if f.tracked and fold_distinct(f, distinct):
                return -1
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
    return fold_take(f, s, t, at, points)


cdef inline void fold_advance(fold_t* f, const fold_spec_t* s, const tables_t* t, int64_t now) noexcept nogil:
    """Move the clock to ``now``, not before the last event taken: what has left its window is let go."""
    cdef item_t* item
    cdef int64_t end
    if s.kind == FOLD_FREQUENCY:
        if s.span:
            while f.head < f.tail and now - f.items[f.head].at >= s.span:
                if f.tracked and s.distinct >= 0:
                    end = fold_slot(f.seen, f.seen_room, <uint64_t> f.stamp, <uint32_t> f.items[f.head].points)
                    if f.latest[end] == f.dropped + f.head:
                        f.different -= 1
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
            if s.sign == 0 and f.tracked:
                f.size = wide_sub(f.size, wide_of(item.points if item.points >= 0 else -item.points))
            f.head += 1
    elif s.decay == DECAY_HALF_LIFE and s.delay:
        while f.head < f.tail and now - f.items[f.head].at >= s.delay:
            item = &f.items[f.head]
            f.waiting = wide_sub(f.waiting, wide_of(item.points))
            fold_grow(f, s, item.at + s.delay, item.points)
            f.head += 1
    elif s.decay == DECAY_STEPS:
        if f.tracked:
            fold_step(f, s, t, now)
    elif s.decay == DECAY_PERIODIC or s.decay == DECAY_COMPOUND:
        if f.tracked:
            while s.delay and f.head < f.tail and now - f.items[f.head].at >= s.delay:
                item = &f.items[f.head]
                f.sum = wide_add(f.sum, ring_advance(&f.ring, s, t.factors, item.at + s.delay))
                ring_push(&f.ring, item.at + s.delay, item.points)
                f.head += 1
            f.sum = wide_add(f.sum, ring_advance(&f.ring, s, t.factors, now))
            return
        end = s.delay + s.span * s.table_size
        while f.head < f.tail and now - f.items[f.head].at >= end:
            f.head += 1


cdef inline void fold_step(fold_t* f, const fold_spec_t* s, const tables_t* t, int64_t now) noexcept nogil:
    """Take every event to the step it has reached; those at the last one have nothing more to lose."""
    cdef int64_t k, i
    cdef const item_t* item
    for k in range(s.table_size):
        i = f.cursors[k] - f.dropped
        while i < f.tail and now - f.items[i].at - s.delay >= t.steps[s.table + k].after:
            item = &f.items[i]
            f.sum = wide_add(f.sum, wide_of(
                stepped_by(s, t.steps, item.points, k) - stepped_by(s, t.steps, item.points, k - 1)
            ))
            i += 1
        f.cursors[k] = f.dropped + i
    f.head = f.cursors[s.table_size - 1] - f.dropped


cdef inline wide_t fold_stepped(const fold_t* f, const fold_spec_t* s, const tables_t* t, int64_t now) noexcept nogil:
    """Steps and periodic of a fold that is not tracked: each event's own rounding, summed (spec 9.2)."""
    cdef wide_t sum = wide_of(0)
    cdef int64_t i, j, age
    for i in range(f.head, f.tail):
        age = now - f.items[i].at - s.delay
        if age < 0:
            age = 0
        if s.decay == DECAY_STEPS:
            j = s.table_size - 1
            while j >= 0 and age < t.steps[s.table + j].after:
                j -= 1
            sum = wide_add(sum, wide_of(stepped_by(s, t.steps, f.items[i].points, j)))
        else:
            sum = wide_add(sum, wide_of(stepped_after(s, t.factors, f.items[i].points, age // s.span)))
    return sum


cdef inline int64_t fold_count(fold_t* f, const fold_spec_t* s) noexcept nogil:
    """Matching events, or distinct codes, in the window (spec 4.5); -1 when memory runs out."""
    cdef int64_t i, count = 0
    cdef int seen
    if s.distinct < 0:
        return f.tail - f.head
    if f.tracked:
        return f.different
    fold_unsee(f)
    for i in range(f.head, f.tail):
        seen = fold_see(f, <uint32_t> f.items[i].points)
        if seen < 0:
            return -1
        count += seen
    return count


cdef inline wide_t wide_scale_signed(wide_t a, int64_t b) noexcept nogil:
    """a * b for any b."""
    if b < 0:
        return wide_sub(wide_of(0), wide_scale(a, -b))
    return wide_scale(a, b)


cdef inline wide_t fold_fallen(wide_t sum, wide_t waiting, wide_t moment, const fold_spec_t* s, int64_t now) noexcept nogil:
    """Micropoints of a linear decay (spec 9.3); what waits for the end of its delay has no part in the fall."""
    return wide_sub(sum, wide_rne_div(wide_sub(wide_scale_signed(wide_sub(sum, waiting), now), moment), s.span))


cdef inline int64_t fold_counted(const fold_spec_t* s, const tables_t* t, int64_t count) noexcept nogil:
    """Points of a count (spec 4.5): those of the highest band reached."""
    cdef int64_t i
    for i in range(s.bands + s.bands_size - 1, s.bands - 1, -1):
        if count >= t.bands[i].bound:
            return t.bands[i].points
    return 0


cdef inline int64_t fold_aged(const fold_spec_t* s, const tables_t* t, int64_t age) noexcept nogil:
    """Points of the age of the newest event (spec 4.7): those of the first band it lies in."""
    cdef int64_t i
    for i in range(s.bands, s.bands + s.bands_size):  # ascending, made so by the plan
        if age < t.bands[i].bound:
            return t.bands[i].points
    return s.otherwise


cdef inline int64_t fold_value(
    fold_t* f, const fold_spec_t* s, const tables_t* t, int64_t now, int* fault
) noexcept nogil:
    """Raw value in micropoints at ``now``, the instant last advanced to; a fade's value is millionths.

    ``fault`` is set to 1 when memory runs out and is not touched otherwise.
    """
    cdef int64_t count
    cdef wide_t sum
    if s.kind == FOLD_RECENCY:
        return s.never if f.last == INT64_MIN else fold_aged(s, t, now - f.last)
    if s.kind == FOLD_FREQUENCY:
        count = fold_count(f, s)
        if count < 0:
            fault[0] = 1
        return fold_counted(s, t, count)
    if s.decay == DECAY_HALF_LIFE:
        if f.epoch == INT64_MIN:
            return wide_hold(wide_add(f.waiting, f.kept), INT64_MIN, INT64_MAX)
        sum = wide_add(fold_shrunk(f.sum, f.epoch, s, now), f.waiting)
    elif s.decay == DECAY_LINEAR:
        sum = fold_fallen(f.sum, f.waiting, f.moment, s, now)
    elif s.decay == DECAY_NONE or s.decay == DECAY_EXPIRE or f.tracked:
        sum = f.sum
    else:
        sum = fold_stepped(f, s, t, now)
    return wide_hold(wide_add(sum, f.kept), INT64_MIN, INT64_MAX)


cdef inline int64_t fold_due(const fold_t* f, const fold_spec_t* s, const tables_t* t, int64_t now) noexcept nogil:
    """Until when a tracked fold's value stands still without a further event: before this instant it is that of ``now``.

    INT64_MIN where it moves all the time, INT64_MAX where it never will.
    """
    cdef int64_t i, due, age
    cdef wide_t sum
    if s.kind == FOLD_RECENCY:
        if f.last != INT64_MIN:
            age = now - f.last
            for i in range(s.bands, s.bands + s.bands_size):
                if age < t.bands[i].bound:
                    return f.last + t.bands[i].bound
        return INT64_MAX
    if s.kind == FOLD_FREQUENCY:
        return f.items[f.head].at + s.span if s.span and f.head < f.tail else INT64_MAX
    if s.decay == DECAY_NONE:
        return INT64_MAX
    if s.decay == DECAY_EXPIRE:
        return f.items[f.head].at + s.delay + s.span if f.head < f.tail else INT64_MAX
    if s.decay == DECAY_LINEAR:
        if f.head < f.mid:
            return INT64_MIN
        return f.items[f.mid].at + s.delay if f.mid < f.tail else INT64_MAX
    if s.decay == DECAY_HALF_LIFE:
        if f.epoch != INT64_MIN:
            sum = wide_shr(f.sum, epoch_of(now, s.span, s.reciprocal, s.shift) - f.epoch + 24)
            if not (wide_high(sum) == 0 and wide_low(sum) == 0) and not (wide_high(sum) == -1 and wide_low(sum) == -1):
                return INT64_MIN
        return f.items[f.head].at + s.delay if f.head < f.tail else INT64_MAX
    if s.decay == DECAY_STEPS:
        due = INT64_MAX
        for i in range(s.table_size):
            if f.cursors[i] - f.dropped < f.tail:
                age = f.items[f.cursors[i] - f.dropped].at + s.delay + t.steps[s.table + i].after
                if age < due:
                    due = age
        return due
    due = ring_due(&f.ring, s)
    if f.head < f.tail and f.items[f.head].at + s.delay < due:
        due = f.items[f.head].at + s.delay  # nothing changes then, but the ring grows
    return due


cdef inline int64_t fold_bring(
    fold_t* f, const fold_spec_t* s, const tables_t* t, int64_t now, int64_t* due, int* fault
) noexcept nogil:
    """Bring a tracked fold to ``now``: its value, and in ``due`` until when that stands still."""
    cdef int64_t value
    if f.open and s.decay == DECAY_HALF_LIFE and s.delay == 0:  # the usual case
        value = 0
        if f.epoch != INT64_MIN:
            value = wide_hold(fold_shrunk(f.sum, f.epoch, s, now), INT64_MIN, INT64_MAX)
        due[0] = INT64_MIN if value else fold_due(f, s, t, now)
        return value
    fold_advance(f, s, t, now)
    value = fold_value(f, s, t, now, fault)
    due[0] = fold_due(f, s, t, now)
    return value


cdef inline void* copied(const void* memory, size_t size, int* fault) noexcept nogil:
    """An allocation's copy, NULL for NULL; ``fault`` is set to -1 when memory runs out."""
    cdef void* copy
    if memory == NULL:
        return NULL
    copy = malloc(size)
    if copy == NULL:
        fault[0] = -1
    else:
        memcpy(copy, memory, size)
    return copy


cdef inline int fold_copy(fold_t* to, const fold_t* f) noexcept nogil:
    """Make ``to`` (raw memory) an independent copy; -1 when memory runs out."""
    cdef int fault = 0
    to[0] = f[0]
    to.items = <item_t*> copied(f.items, f.room * sizeof(item_t), &fault)
    to.seen = <uint64_t*> copied(f.seen, f.seen_room * sizeof(uint64_t), &fault)
    to.latest = <int64_t*> copied(f.latest, f.seen_room * sizeof(int64_t), &fault)
    to.cursors = <int64_t*> copied(f.cursors, MOST_STEPS * sizeof(int64_t), &fault)
    to.ring.items = <item_t*> copied(f.ring.items, f.ring.room * sizeof(item_t), &fault)
    if fault:
        fold_free(to)
    return fault
