"""Leads without events, by the hit set of their attributes: hundreds of thousands of leads have a few hundred of those."""

from libc.stdint cimport INT64_MAX, int32_t, int64_t, uint8_t, uint32_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy, memset

from leadcore_kernel.layout cimport say_t
from leadcore_kernel.lead cimport lead_conclude, lead_say, lead_scores, lead_t
from leadcore_kernel.plan cimport plan_t
from leadcore_kernel.wide cimport wide_t

cdef enum:
    MOST_GROUNDS = 1 << 20  # values kept

cdef struct ground_t:
    uint8_t* known        # by hit set; NULL where they are too many to be kept
    wide_t* summed        # by hit set and group
    wide_t* grouped
    int64_t* scores       # by hit set and score
    int32_t* grades
    int32_t* concluded    # by hit set: rating and label


cdef inline void ground_free(ground_t* g) noexcept nogil:
    free(g.known)
    free(g.summed)
    free(g.grouped)
    free(g.scores)
    free(g.grades)
    free(g.concluded)
    memset(g, 0, sizeof(ground_t))


cdef inline int ground_start(ground_t* g, const plan_t* p, int64_t sets) noexcept nogil:
    """Begin anew, for so many hit sets; -1 when memory runs out."""
    ground_free(g)
    if sets * (p.groups_size + p.scores_size + 1) > MOST_GROUNDS:
        return 0
    g.known = <uint8_t*> calloc(<size_t> sets + 1, 1)
    g.summed = <wide_t*> malloc(<size_t> (sets * p.groups_size + 1) * sizeof(wide_t))
    g.grouped = <wide_t*> malloc(<size_t> (sets * p.groups_size + 1) * sizeof(wide_t))
    g.scores = <int64_t*> malloc(<size_t> (sets * p.scores_size + 1) * sizeof(int64_t))
    g.grades = <int32_t*> malloc(<size_t> (sets * p.scores_size + 1) * sizeof(int32_t))
    g.concluded = <int32_t*> malloc(<size_t> (2 * sets + 1) * sizeof(int32_t))
    if not (g.known and g.summed and g.grouped and g.scores and g.grades and g.concluded):
        ground_free(g)
        return -1
    return 0


cdef inline void ground_take(
    ground_t* g, lead_t* a, const plan_t* p, const say_t* says, int64_t size, uint32_t hits
) noexcept nogil:
    """Give a lead whose folds are all blank the attributes of a hit set, and if it is kept all that follows from them."""
    cdef wide_t* summed = g.summed + hits * p.groups_size
    cdef wide_t* grouped = g.grouped + hits * p.groups_size
    cdef int64_t* scores = g.scores + hits * p.scores_size
    cdef int32_t* grades = g.grades + hits * p.scores_size
    cdef size_t groups = <size_t> p.groups_size, count = <size_t> p.scores_size
    lead_say(a, p, says, size)
    if g.known == NULL:
        return
    if not g.known[hits]:
        lead_scores(a, p, NULL)
        lead_conclude(a, p, p.labelled)
        memcpy(summed, a.summed, groups * sizeof(wide_t))
        memcpy(grouped, a.grouped, groups * sizeof(wide_t))
        memcpy(scores, a.scores, count * sizeof(int64_t))
        memcpy(grades, a.grades, count * sizeof(int32_t))
        g.concluded[2 * hits] = a.rating
        g.concluded[2 * hits + 1] = a.label
        g.known[hits] = 1
    else:
        memcpy(a.summed, summed, groups * sizeof(wide_t))
        memcpy(a.grouped, grouped, groups * sizeof(wide_t))
        memcpy(a.scores, scores, count * sizeof(int64_t))
        memcpy(a.grades, grades, count * sizeof(int32_t))
        memset(a.stale, 0, groups)
        a.rating = g.concluded[2 * hits]
        a.label = g.concluded[2 * hits + 1]
        a.scored = True
    a.stands = INT64_MAX
