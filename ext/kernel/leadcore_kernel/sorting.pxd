"""Facts of a call put among those kept: repeats found, rows replaced, what comes too late set apart (spec 2.4, 2.5, 10.2)."""

from libc.stdint cimport INT64_MAX, INT64_MIN, int32_t, int64_t, uint32_t, uint8_t
from libc.stdlib cimport free, qsort
from libc.string cimport memcmp

from leadcore_kernel.bytes cimport reader_t
from leadcore_kernel.facts cimport (
    fact_equal, fact_order, fact_same_id, fact_t, facts_t, grown, owner_order, read_facts, read_traits, trait_t,
)
from leadcore_kernel.keep cimport HAS_BASE, KEEP_CONFLICT, KEEP_DAMAGED, KEEP_NO_MEMORY, KEEP_OK, keep_floor, keep_t


cdef inline int compare_facts(const void* a, const void* b) noexcept nogil:
    cdef const fact_t* one = <const fact_t*> a
    cdef const fact_t* other = <const fact_t*> b
    cdef int order = fact_order(one, other)
    if order:
        return order
    return (one.row > other.row) - (one.row < other.row)  # those kept come first


cdef inline int compare_ids(const void* a, const void* b) noexcept nogil:
    cdef const fact_t* one = (<const fact_t* const*> a)[0]
    cdef const fact_t* other = (<const fact_t* const*> b)[0]
    cdef int32_t common = one.key_size if one.key_size < other.key_size else other.key_size
    cdef int order = memcmp(one.key, other.key, <size_t> common)
    if order == 0:
        order = (one.key_size > other.key_size) - (one.key_size < other.key_size)
    return order if order else (one.row > other.row) - (one.row < other.row)


cdef inline int compare_traits(const void* a, const void* b) noexcept nogil:
    cdef const trait_t* one = <const trait_t*> a
    cdef const trait_t* other = <const trait_t*> b
    cdef int order
    if one.since != other.since:
        return -1 if one.since < other.since else 1
    order = owner_order(one, other)
    return order if order else (one.row > other.row) - (one.row < other.row)


cdef inline int keep_twins(keep_t* w) noexcept nogil:
    """Find events told again: equal ones count once, others are a conflict (spec 2.5)."""
    cdef facts_t* f = &w.facts
    cdef const fact_t** ids
    cdef fact_t* e
    cdef int64_t i, n = 0, room = 0, fresh = 0
    cdef void* memory = NULL
    for i in range(f.size):
        if f.items[i].key[0] and not f.items[i].late:
            n += 1
            fresh += f.items[i].row >= 0
    if fresh == 0 or n < 2:
        return KEEP_OK
    if grown(&memory, &room, n, sizeof(void*)):
        return KEEP_NO_MEMORY
    ids = <const fact_t**> memory
    n = 0
    for i in range(f.size):
        if f.items[i].key[0] and not f.items[i].late:
            ids[n] = &f.items[i]
            n += 1
    qsort(ids, <size_t> n, sizeof(void*), compare_ids)
    for i in range(1, n):
        if fact_same_id(ids[i - 1], ids[i]):
            e = <fact_t*> ids[i]
            if not fact_equal(ids[i - 1], e):
                w.conflict = e.row
                free(memory)
                return KEEP_CONFLICT
            e.twin = True
            w.twins += 1
    free(memory)
    return KEEP_OK


cdef inline int keep_sort(keep_t* w) noexcept nogil:
    """Put events in canonical order, and rows of attributes in theirs, those of the call after those kept."""
    cdef facts_t* f = &w.facts
    cdef int64_t i
    for i in range(1, f.size):
        if compare_facts(&f.items[i - 1], &f.items[i]) > 0:
            qsort(f.items, <size_t> f.size, sizeof(fact_t), compare_facts)
            break
    if f.traits_size > 1:
        qsort(f.traits, <size_t> f.traits_size, sizeof(trait_t), compare_traits)
    return KEEP_OK


cdef inline bint traits_alike(const facts_t* f, const trait_t* a, const trait_t* b) noexcept nogil:
    """Whether two rows say the same."""
    return a.ids_size == b.ids_size and memcmp(
        f.ids + a.ids, f.ids + b.ids, <size_t> a.ids_size * sizeof(uint32_t)
    ) == 0


cdef inline int keep_merge_traits(keep_t* w, int64_t floor, bint* again) noexcept nogil:
    """Let rows of the call replace those kept of the same instant and record.

    Rows that say what is said already change nothing; others may be too late, or make the lead go from its base again.
    """
    cdef facts_t* f = &w.facts
    cdef trait_t* t
    cdef trait_t* before
    cdef int64_t i, last = -1
    for i in range(f.traits_size):
        t = &f.traits[i]
        before = &f.traits[last] if last >= 0 else NULL
        if before != NULL and (before.since != t.since or owner_order(before, t)):
            before = NULL
        if t.row < 0:
            if not t.gone:
                last = i
            continue
        if t.created < floor and t.created < w.image.begun:
            t.late = True
            t.late_at = t.created
        if before != NULL and traits_alike(f, before, t):
            t.gone = True
        elif (w.image.begun if t.since == INT64_MIN else t.since) < floor:
            t.late = True
            t.late_at = t.since
        if t.late:
            t.gone = True
            w.lates += 1
            continue
        if t.created < w.created:
            w.created = t.created
        if t.gone:
            continue
        if before != NULL:
            before.gone = True
        last = i
        if w.image.told != INT64_MIN and t.since <= w.image.told:
            again[0] = True
    return KEEP_OK


cdef inline int64_t keep_end(const keep_t* w, int64_t clock, int64_t until) noexcept nogil:
    """How far the lead is brought: to its newest fact up to ``until``, and at least to where it stood and the clock.

    Without an ``until``, INT64_MAX, facts kept that lie further ahead than those of the call are still to come.
    """
    cdef bint open = until == INT64_MAX
    cdef const facts_t* f = &w.facts
    cdef int64_t i, at, end = w.image.told if w.image.told > clock else clock
    for i in range(f.size):
        at = f.items[i].at
        if at > end and at <= until and (f.items[i].row >= 0 or not open) and not (
            f.items[i].dead or f.items[i].late or f.items[i].twin
        ):
            end = at
    for i in range(f.traits_size):
        at = f.traits[i].since
        if at > end and at <= until and (f.traits[i].row >= 0 or not open) and not f.traits[i].late:
            end = at
        at = f.traits[i].created
        if at != INT64_MAX and at > end and at <= until and f.traits[i].row >= 0 and not f.traits[i].late:
            end = at
    at = w.image.created
    if not open and at != INT64_MAX and at > end and at <= until:
        end = at
    return end


cdef inline int keep_take(keep_t* w, const uint8_t* const* retracted, const int32_t* sizes, int64_t count,
                          int64_t* unknown) noexcept nogil:
    """Take events back by the keys of their ids."""
    cdef facts_t* f = &w.facts
    cdef int64_t i, k, found, floor = keep_floor(w, w.image.newest)
    for k in range(count):
        found = -1
        for i in range(f.size):
            if f.items[i].key_size == sizes[k] and memcmp(f.items[i].key, retracted[k], <size_t> sizes[k]) == 0:
                found = i
                break
        if found < 0 and w.image.begun >= floor:
            unknown[0] += 1
        elif found < 0 or f.items[found].at < floor:
            w.lates += 1
            w.conflict = k
        elif f.items[found].dead:
            w.twins += 1
        else:
            f.items[found].dead = True
            w.absorbed = True
    return KEEP_OK


cdef inline bint keep_here(const keep_t* w, int64_t at) noexcept nogil:
    """Whether the lead is there: one known from events alone is from its first event on (spec 2.6)."""
    cdef const facts_t* f = &w.facts
    cdef int64_t i
    if w.image.flags & HAS_BASE and not w.anew:
        return True
    for i in range(f.traits_size):
        if not f.traits[i].gone:
            return True
    for i in range(f.size):
        if f.items[i].at <= at and not (f.items[i].dead or f.items[i].twin or f.items[i].late):
            return True
    return False


cdef inline int keep_read(keep_t* w) noexcept nogil:
    """Read what facts the image keeps, after those of the call; where these are all there are, only events taken back."""
    cdef reader_t r = w.image.facts
    cdef facts_t* f = &w.facts
    cdef int64_t fresh = f.size, i
    if not w.lean and read_facts(f, &r, w.plan, w.shape.codes_size, w.shape.numbers_size):
        return KEEP_NO_MEMORY
    if r.fault:
        return KEEP_DAMAGED
    if w.anew:
        i = fresh
        while i < f.size:
            if f.items[i].dead:
                f.items[fresh] = f.items[i]
                fresh += 1
            i += 1
        f.size = fresh
    r = w.image.traits
    if read_traits(&w.facts, &r, w.plan):
        return KEEP_NO_MEMORY
    return KEEP_DAMAGED if r.fault else KEEP_OK
