"""Facts of one lead: its events and rows of attributes, kept so that they can be asked again (spec 10.2).

A fact carries nothing of the run it came with: hits are those of the plan; values of ``unique_by`` and ``distinct`` are
codes of the lead, each for a digest of 16 bytes; the key is what says the place of an event among others of its instant
(spec 2.4), and its first byte whether it has an ``event_id``: comparing keys as bytes is the canonical order.
"""

from libc.stdint cimport INT64_MAX, INT64_MIN, int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memcmp, memcpy, memset

from leadcore_kernel.bytes cimport (
    FIRST_INSTANT, LAST_INSTANT, bytes_int, bytes_put, bytes_t, bytes_uint, read_below, read_bytes, read_int, read_size,
    read_uint, reader_t, text_valid,
)
from leadcore_kernel.image cimport codes_t, code_mapped
from leadcore_kernel.plan cimport plan_t

cdef enum:
    DIGEST = 16
    KEY_MOST = 0x7FFFFFFF

cdef struct fact_t:
    int64_t at
    const uint8_t* key
    const uint8_t* content  # digest of what it says, where the key has an id; else NULL
    int64_t ids             # first of its hits in the pool
    int64_t place           # of its codes and numbers in the pools
    int64_t row             # of the call that brought it, -1: kept from before
    int32_t key_size
    int32_t ids_size
    bint dead               # taken back
    bint late               # too old to be taken
    bint twin               # says again what another says

cdef struct trait_t:
    int64_t since           # INT64_MIN: since ever
    const uint8_t* owner    # key of the record it came with, where that is not the lead's own
    int64_t created         # told with it, INT64_MAX: nothing
    int64_t ids
    int64_t row             # as of a fact
    int32_t owner_size
    int32_t ids_size
    int64_t late_at         # what of it came too late: its `since` or `created`
    bint late
    bint gone               # replaced by another row

cdef struct facts_t:
    fact_t* items
    int64_t size
    int64_t room
    trait_t* traits
    int64_t traits_size
    int64_t traits_room
    uint32_t* ids
    int64_t ids_size
    int64_t ids_room
    uint32_t* codes
    int64_t codes_room
    double* numbers
    int64_t numbers_room
    int64_t places
    # digests by code - 1, and where each is found
    uint8_t* digests
    int64_t digests_size
    int64_t digests_room
    uint32_t* index
    int64_t index_room      # a power of two, or 0


cdef inline void facts_free(facts_t* f) noexcept nogil:
    free(f.items)
    free(f.traits)
    free(f.ids)
    free(f.codes)
    free(f.numbers)
    free(f.digests)
    free(f.index)
    memset(f, 0, sizeof(facts_t))


cdef inline void facts_clear(facts_t* f) noexcept nogil:
    """Begin anew; memory stays."""
    f.size = 0
    f.traits_size = 0
    f.ids_size = 0
    f.places = 0
    f.digests_size = 0
    if f.index_room:
        memset(f.index, 0, <size_t> f.index_room * sizeof(uint32_t))


cdef inline int grown(void** memory, int64_t* room, int64_t wanted, size_t size) noexcept nogil:
    """Make room for ``wanted`` items and keep what is there; -1 when memory runs out."""
    cdef int64_t more
    cdef void* found
    if wanted <= room[0]:
        return 0
    more = 2 * room[0] + wanted + 16
    found = realloc(memory[0], <size_t> more * size)
    if found == NULL:
        return -1
    memory[0] = found
    room[0] = more
    return 0


cdef inline fact_t* facts_add(facts_t* f, const plan_t* p, int64_t codes, int64_t numbers) noexcept nogil:
    """One event more, with room for its codes and numbers; NULL when memory runs out."""
    cdef fact_t* fact
    if (
        grown(<void**> &f.items, &f.room, f.size + 1, sizeof(fact_t))
        or grown(<void**> &f.codes, &f.codes_room, (f.places + 1) * codes, sizeof(uint32_t))
        or grown(<void**> &f.numbers, &f.numbers_room, (f.places + 1) * numbers, sizeof(double))
    ):
        return NULL
    fact = &f.items[f.size]
    memset(fact, 0, sizeof(fact_t))
    fact.place = f.places
    fact.ids = f.ids_size
    fact.row = -1
    f.size += 1
    f.places += 1
    return fact


cdef inline trait_t* facts_trait(facts_t* f) noexcept nogil:
    """One row of attributes more; NULL when memory runs out."""
    cdef trait_t* trait
    if grown(<void**> &f.traits, &f.traits_room, f.traits_size + 1, sizeof(trait_t)):
        return NULL
    trait = &f.traits[f.traits_size]
    memset(trait, 0, sizeof(trait_t))
    trait.ids = f.ids_size
    trait.created = INT64_MAX
    trait.row = -1
    f.traits_size += 1
    return trait


cdef inline int facts_hits(facts_t* f, const uint32_t* ids, int64_t size) noexcept nogil:
    """Add hits to the pool; -1 when memory runs out."""
    if grown(<void**> &f.ids, &f.ids_room, f.ids_size + size, sizeof(uint32_t)):
        return -1
    if size:
        memcpy(f.ids + f.ids_size, ids, <size_t> size * sizeof(uint32_t))
    f.ids_size += size
    return 0


cdef inline uint64_t digest_hash(const uint8_t* digest) noexcept nogil:
    cdef uint64_t word
    memcpy(&word, digest, 8)
    return word


cdef inline int64_t digest_slot(const facts_t* f, const uint8_t* digest) noexcept nogil:
    """Where a digest's code is in the index, or would go."""
    cdef int64_t i = <int64_t> (digest_hash(digest) & <uint64_t> (f.index_room - 1))
    while f.index[i] and memcmp(f.digests + (f.index[i] - 1) * DIGEST, digest, DIGEST):
        i = (i + 1) & (f.index_room - 1)
    return i


cdef inline int digests_reserve(facts_t* f, int64_t size) noexcept nogil:
    """Make room for so many digests in all; -1 when memory runs out."""
    cdef int64_t room = 16 if f.index_room == 0 else f.index_room, i
    cdef uint32_t* index
    if grown(<void**> &f.digests, &f.digests_room, size, DIGEST):
        return -1
    if 2 * size <= f.index_room:
        return 0
    while room < 2 * size:
        room *= 2
    index = <uint32_t*> malloc(<size_t> room * sizeof(uint32_t))
    if index == NULL:
        return -1
    free(f.index)
    f.index = index
    f.index_room = room
    memset(index, 0, <size_t> room * sizeof(uint32_t))
    for i in range(f.digests_size):
        index[digest_slot(f, f.digests + i * DIGEST)] = <uint32_t> i + 1
    return 0


cdef inline int64_t digest_code(facts_t* f, const uint8_t* digest) noexcept nogil:
    """The code of a digest, a new one where it is new, 0 for that of null (all zeros); -1 when memory runs out."""
    cdef int64_t i
    for i in range(DIGEST):
        if digest[i]:
            break
    else:
        return 0
    if digests_reserve(f, f.digests_size + 1):
        return -1
    i = digest_slot(f, digest)
    if f.index[i] == 0:
        memcpy(f.digests + f.digests_size * DIGEST, digest, DIGEST)
        f.digests_size += 1
        f.index[i] = <uint32_t> f.digests_size
    return f.index[i]


cdef inline int digests_read(facts_t* f, reader_t* r) noexcept nogil:
    """Take the digests of a state, codes from 1 on; -1 when memory runs out."""
    cdef int64_t size = (r.end - r.at) // DIGEST, i
    if r.end - r.at != size * DIGEST:
        r.fault = True
        return 0
    if size == 0:
        return 0
    if digests_reserve(f, size):
        return -1
    for i in range(size):
        if digest_code(f, r.at + i * DIGEST) != i + 1:
            r.fault = True
            return 0
    return 0


cdef inline int read_hits(facts_t* f, reader_t* r, int64_t size, int64_t bound) noexcept nogil:
    """Ascending hits of a plan; -1 when memory runs out."""
    cdef int64_t i, hit = -1
    cdef uint32_t id
    for i in range(size):
        hit += 1 + read_below(r, bound)
        if hit >= bound:
            r.fault = True
        if r.fault:
            return 0
        id = <uint32_t> hit
        if facts_hits(f, &id, 1):
            return -1
    return 0


cdef inline void write_hits(bytes_t* b, const uint32_t* ids, int64_t size) noexcept nogil:
    cdef int64_t i, before = -1
    for i in range(size):
        bytes_uint(b, <uint64_t> (<int64_t> ids[i] - before - 1))
        before = <int64_t> ids[i]


cdef inline void write_fact(bytes_t* b, const facts_t* f, const fact_t* e, int64_t codes, int64_t numbers, codes_t* mapped) noexcept nogil:
    """Write one event."""
    cdef int64_t k
    bytes_int(b, e.at)
    bytes_uint(b, <uint64_t> e.ids_size << 1 | <uint64_t> e.dead)
    write_hits(b, f.ids + e.ids, e.ids_size)
    bytes_uint(b, <uint64_t> e.key_size)
    bytes_put(b, e.key, e.key_size)
    if e.key[0]:
        bytes_put(b, e.content, DIGEST)
    for k in range(codes):
        bytes_uint(b, code_mapped(mapped, f.codes[e.place * codes + k], &b.fault))
    bytes_put(b, f.numbers + e.place * numbers, numbers * <int64_t> sizeof(double))


cdef inline bint key_valid(const uint8_t* key, int64_t size, bint id) noexcept nogil:
    """Whether bytes are the key of an ``id``, or else of an event."""
    if size < 1 or size > KEY_MOST or (id and key[0] == 0):
        return False
    return key[0] == 0 or (key[0] == 1 and size == 9) or (key[0] == 2 and text_valid(key + 1, size - 1))


cdef inline int read_facts(facts_t* f, reader_t* r, const plan_t* p, int64_t codes, int64_t numbers) noexcept nogil:
    """Take the events of a state, in canonical order; -1 when memory runs out."""
    cdef fact_t* e
    cdef fact_t* before
    cdef int64_t k
    cdef uint64_t code
    while r.at < r.end and not r.fault:
        e = facts_add(f, p, codes, numbers)
        if e == NULL:
            return -1
        e.at = read_int(r)
        k = <int64_t> (read_uint(r) & 0xFFFFFFFFULL)
        e.dead = k & 1
        e.ids_size = <int32_t> (k >> 1)
        if e.at < FIRST_INSTANT or e.at > LAST_INSTANT or e.ids_size > r.end - r.at:
            r.fault = True
            return 0
        if read_hits(f, r, e.ids_size, p.hits_size):
            return -1
        k = read_size(r, 1)
        e.key = read_bytes(r, k)
        if r.fault or not key_valid(e.key, k, False):
            r.fault = True
            return 0
        e.key_size = <int32_t> k
        if e.key[0]:
            e.content = read_bytes(r, DIGEST)
        for k in range(codes):
            code = read_uint(r)
            if code > <uint64_t> f.digests_size:
                r.fault = True
            f.codes[e.place * codes + k] = <uint32_t> code
        if numbers:
            if r.fault or numbers * <int64_t> sizeof(double) > r.end - r.at:
                r.fault = True
                return 0
            memcpy(f.numbers + e.place * numbers, r.at, <size_t> numbers * sizeof(double))
            r.at += numbers * <int64_t> sizeof(double)
        if f.size > 1 and not r.fault:
            before = &f.items[f.size - 2]
            if before.row < 0 and fact_order(before, e) > 0:
                r.fault = True
    return 0


cdef inline int fact_order(const fact_t* a, const fact_t* b) noexcept nogil:
    """Canonical order of two events: below, at or above 0 (spec 2.4)."""
    cdef int32_t common = a.key_size if a.key_size < b.key_size else b.key_size
    cdef int order
    if a.at != b.at:
        return -1 if a.at < b.at else 1
    order = memcmp(a.key, b.key, <size_t> common)
    return order if order else (a.key_size > b.key_size) - (a.key_size < b.key_size)


cdef inline bint fact_same_id(const fact_t* a, const fact_t* b) noexcept nogil:
    """Whether two events have the same ``event_id``."""
    return (
        a.key[0] != 0 and a.key_size == b.key_size and memcmp(a.key, b.key, <size_t> a.key_size) == 0
    )


cdef inline bint fact_equal(const fact_t* a, const fact_t* b) noexcept nogil:
    """Whether two events of one id say the same (spec 2.5); of one taken back under another model only its id is known."""
    return (a.at == b.at and memcmp(a.content, b.content, DIGEST) == 0) or fact_bare(a) or fact_bare(b)


cdef inline bint fact_bare(const fact_t* e) noexcept nogil:
    """Whether only the id of an event taken back is known."""
    cdef int64_t i
    if not e.dead:
        return False
    for i in range(DIGEST):
        if e.content[i]:
            return False
    return True


cdef inline void write_trait(bytes_t* b, const facts_t* f, const trait_t* t) noexcept nogil:
    """Write one row of attributes."""
    bytes_uint(b, <uint64_t> t.ids_size << 1 | <uint64_t> (t.since == INT64_MIN))
    if t.since != INT64_MIN:
        bytes_int(b, t.since)
    bytes_uint(b, <uint64_t> t.owner_size)
    bytes_put(b, t.owner, t.owner_size)
    write_hits(b, f.ids + t.ids, t.ids_size)


cdef inline int read_traits(facts_t* f, reader_t* r, const plan_t* p) noexcept nogil:
    """Take the rows of attributes of a state; -1 when memory runs out."""
    cdef trait_t* t
    cdef int64_t k
    while r.at < r.end and not r.fault:
        t = facts_trait(f)
        if t == NULL:
            return -1
        k = <int64_t> (read_uint(r) & 0xFFFFFFFFULL)
        t.ids_size = <int32_t> (k >> 1)
        t.since = INT64_MIN if k & 1 else read_int(r)
        if t.since != INT64_MIN and (t.since < FIRST_INSTANT or t.since > LAST_INSTANT):
            r.fault = True
        k = read_size(r, 1)
        t.owner = read_bytes(r, k)
        t.owner_size = <int32_t> k
        if r.fault or t.ids_size > r.end - r.at or (k and not key_valid(t.owner, k, True)):
            r.fault = True
            return 0
        if read_hits(f, r, t.ids_size, p.lead_hits_size):
            return -1
    return 0


cdef inline int owner_order(const trait_t* a, const trait_t* b) noexcept nogil:
    """Of two rows of one instant the lead's own counts, else that of the lower id (spec 2.8): that one is below."""
    cdef int32_t common = a.owner_size if a.owner_size < b.owner_size else b.owner_size
    cdef int order
    if a.owner_size == 0 or b.owner_size == 0:
        return (a.owner_size != 0) - (b.owner_size != 0)
    order = memcmp(a.owner, b.owner, <size_t> common)
    return order if order else (a.owner_size > b.owner_size) - (a.owner_size < b.owner_size)
