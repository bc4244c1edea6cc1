"""Stepped decays kept current: constant work per event and per change of its factor (spec 5.5, 5.6, 9.2).

Each event's share is rounded by itself, so a sum must be told whenever a factor changes. Steps: one cursor per step over
the events, which are in order of time. Periodic: a ring of events in the order of their next loss; an event that has just
lost comes up again after all others, one period later, so the ring stays in order by itself.
"""

from libc.stdint cimport INT64_MAX, int64_t
from libc.stdlib cimport free, malloc

from leadcore_kernel.layout cimport DECAY_COMPOUND, fold_spec_t, step_t
from leadcore_kernel.wide cimport wide_add, wide_low, wide_mul, wide_of, wide_rne_shr, wide_t, wide_times_millionths

cdef struct item_t:
    int64_t at
    int64_t points        # frequency with `distinct`: the code

cdef struct ring_t:
    # Events whose delay is over, by next loss. `at` is when their delay ended; losses up to `clock` are done.
    item_t* items
    int64_t room          # a power of two, or 0
    int64_t head
    int64_t size
    int64_t clock


cdef inline int64_t stepped_by(const fold_spec_t* s, const step_t* steps, int64_t points, int64_t k) noexcept nogil:
    """What an event is worth that has reached step k; -1 is before the first."""
    if k < 0:
        return points
    return wide_low(wide_times_millionths(points, steps[s.table + k].factor))


cdef inline int64_t stepped_after(const fold_spec_t* s, const int64_t* factors, int64_t points, int64_t n) noexcept nogil:
    """What an event is worth after n losses."""
    if n >= s.table_size:  # the table ends where nothing is left of the largest points
        return 0
    if s.decay == DECAY_COMPOUND:
        return wide_low(wide_rne_shr(wide_mul(points, factors[s.table + n]), 62))
    return wide_low(wide_times_millionths(points, factors[s.table + n]))


cdef inline int ring_reserve(ring_t* r, int64_t wanted) noexcept nogil:
    """Make room for ``wanted`` events; -1 when memory runs out."""
    cdef int64_t room = 16 if r.room == 0 else r.room, i
    cdef item_t* items
    if wanted <= r.room:
        return 0
    while room < wanted:
        room *= 2
    items = <item_t*> malloc(<size_t> room * sizeof(item_t))
    if items == NULL:
        return -1
    for i in range(r.size):
        items[i] = r.items[(r.head + i) & (r.room - 1)]
    free(r.items)
    r.items = items
    r.room = room
    r.head = 0
    return 0


cdef inline item_t* ring_item(const ring_t* r, int64_t i) noexcept nogil:
    return &r.items[(r.head + i) & (r.room - 1)]


cdef inline void ring_push(ring_t* r, int64_t at, int64_t points) noexcept nogil:
    """Append an event; room was reserved."""
    cdef item_t* item = &r.items[(r.head + r.size) & (r.room - 1)]
    item.at = at
    item.points = points
    r.size += 1


cdef inline int64_t ring_due(const ring_t* r, const fold_spec_t* s) noexcept nogil:
    """When the next loss happens, or INT64_MAX."""
    cdef int64_t at
    if r.size == 0:
        return INT64_MAX
    at = ring_item(r, 0).at
    return at + ((r.clock - at) // s.span + 1) * s.span


cdef inline wide_t ring_advance(ring_t* r, const fold_spec_t* s, const int64_t* factors, int64_t now) noexcept nogil:
    """Let every loss up to ``now`` happen; what the sum gains by it."""
    cdef wide_t gain = wide_of(0)
    cdef int64_t i, n, rounds, left, due
    cdef item_t item
    if r.size and now - r.clock >= s.span:  # whole rounds of the ring leave its order as it is
        rounds = (now - r.clock) // s.span
        left = 0
        for i in range(r.size):
            item = ring_item(r, i)[0]
            n = (r.clock - item.at) // s.span
            gain = wide_add(gain, wide_of(
                stepped_after(s, factors, item.points, n + rounds) - stepped_after(s, factors, item.points, n)
            ))
            if n + rounds < s.table_size:
                ring_item(r, left)[0] = item
                left += 1
        r.size = left
        r.clock += rounds * s.span
    while r.size:
        due = ring_due(r, s)
        if due > now:
            break
        i = r.size
        while i and ring_due(r, s) == due:  # those that lose at the same instant; what was put behind is done
            i -= 1
            item = ring_item(r, 0)[0]
            n = (due - item.at) // s.span
            r.head = (r.head + 1) & (r.room - 1)
            r.size -= 1
            gain = wide_add(gain, wide_of(
                stepped_after(s, factors, item.points, n) - stepped_after(s, factors, item.points, n - 1)
            ))
            if n < s.table_size:
                ring_push(r, item.at, item.points)
        r.clock = due
    r.clock = now
    return gain
