"""What hits of an event row do, spelled out (spec 4.8)."""

from libc.stdint cimport int64_t, uint32_t

from leadcore_kernel.layout cimport ACT_ADD_PER, ACT_RESET, act_t, span_t
from leadcore_kernel.plan cimport plan_t


cdef inline int64_t acts_most(const plan_t* p, const uint32_t* ids, int64_t size) noexcept nogil:
    """How many acts these hits make at most."""
    cdef int64_t i, total = 0
    for i in range(size):
        total += p.hit_acts[ids[i]].size
    return total


cdef inline int64_t acts_of(const plan_t* p, const uint32_t* ids, int64_t size, act_t* acts) noexcept nogil:
    """Write the acts of a row's hits and count them: resets come first, and a fold that is reset takes nothing.

    What is no act on a fold comes last.
    """
    cdef int64_t used = 0, resets, j, k, r
    cdef const span_t* span
    cdef const act_t* act
    cdef bint reset
    for j in range(size):
        span = &p.hit_acts[ids[j]]
        for k in range(span.begin, span.begin + span.size):
            if p.acts[k].act == ACT_RESET:
                acts[used] = p.acts[k]
                used += 1
    resets = used
    for j in range(size):
        span = &p.hit_acts[ids[j]]
        for k in range(span.begin, span.begin + span.size):
            act = &p.acts[k]
            if act.act == ACT_RESET or act.act > ACT_ADD_PER:
                continue
            reset = False
            for r in range(resets):
                if acts[r].fold == act.fold:
                    reset = True
                    break
            if not reset:
                acts[used] = act[0]
                used += 1
    for j in range(size):
        span = &p.hit_acts[ids[j]]
        for k in range(span.begin, span.begin + span.size):
            if p.acts[k].act > ACT_ADD_PER:
                acts[used] = p.acts[k]
                used += 1
    return used
