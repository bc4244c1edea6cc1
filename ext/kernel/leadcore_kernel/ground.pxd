"""What leads without events come to, kept by the hit set of their attributes: it is the same for all that share one."""

from libc.stdint cimport int64_t, uint8_t, uint32_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy, memset

from leadcore_kernel.lead cimport lead_scores, lead_t, lead_told
from leadcore_kernel.plan cimport plan_t

cdef enum:
    MOST_GROUNDS = 1 << 24    # bytes

cdef struct ground_t:
    uint8_t* told         # by hit set: what a lead came to; NULL: none is kept
    uint8_t* known        # by hit set: whether it is there
    size_t size           # of one, in bytes


cdef inline void ground_free(ground_t* g) noexcept nogil:
    free(g.told)
    free(g.known)
    memset(g, 0, sizeof(ground_t))


cdef inline int ground_start(ground_t* g, const plan_t* p, int64_t sets) noexcept nogil:
    """Begin anew with so many hit sets, or keep none where they are too many; -1 when memory runs out."""
    ground_free(g)
    g.size = lead_told(p)
    if sets * <int64_t> g.size > MOST_GROUNDS:
        return 0
    g.told = <uint8_t*> malloc(<size_t> sets * g.size + 1)
    g.known = <uint8_t*> calloc(<size_t> sets + 1, 1)
    if g.told != NULL and g.known != NULL:
        return 0
    ground_free(g)
    return -1


cdef inline void ground_take(ground_t* g, lead_t* a, const plan_t* p, uint32_t hits) noexcept nogil:
    """Let the lead at work, whose folds are blank, come to what it comes to; its attributes were said, unless it is known."""
    if g.told == NULL:
        return
    if g.known[hits]:
        memcpy(a.summed, g.told + hits * g.size, g.size)
        memset(a.stale, 0, <size_t> p.groups_size)
        a.scored = True
        return
    lead_scores(a, p, NULL)
    memcpy(g.told + hits * g.size, a.summed, g.size)
    g.known[hits] = 1
