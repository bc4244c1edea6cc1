"""What will change next if nothing happens: thresholds crossed, stages left (spec 6.5, 8.4).

A crossing is found to the microsecond: a stretch of time is passed over where the bounds of `reach.pxd` show that no
score gets there, and halved where they do not; what is left to the end is evaluated instant by instant.
"""

from libc.stdint cimport INT64_MAX, INT64_MIN, int64_t

from leadcore_kernel.applying cimport keep_marks
from leadcore_kernel.asking cimport keep_stand
from leadcore_kernel.keep cimport keep_t
from leadcore_kernel.layout cimport threshold_t
from leadcore_kernel.lead cimport lead_refresh
from leadcore_kernel.lifecycle cimport life_go
from leadcore_kernel.reach cimport reach_find

cdef extern from *:
    """
    #define LEADCORE_FIRST_STEP 86400000000LL
    """
    const int64_t FIRST_STEP "LEADCORE_FIRST_STEP"  # a day


cdef inline int64_t foresee_release(const keep_t* w, const threshold_t* t) noexcept nogil:
    """Below this score a threshold is reached no more: release and latch are of a lifecycle (spec 6.5)."""
    if w.plan.stages_size == 0:
        return t.at
    return INT64_MIN if t.latch else t.release


cdef inline bint foresee_met(const keep_t* w, const threshold_t* t, bint reached) noexcept nogil:
    """Whether a threshold that is ``reached``, or is not, would change by the score of now."""
    if reached:
        return w.lead.scores[t.score] < foresee_release(w, t)
    return w.lead.scores[t.score] >= t.at


cdef inline bint foresee_may(const keep_t* w, const threshold_t* t, bint reached) noexcept nogil:
    """The same of the bounds last found."""
    if reached:
        return w.life.reach.scores[t.score].low < foresee_release(w, t)
    return w.life.reach.scores[t.score].high >= t.at


cdef inline int foresee_crossing(
    keep_t* w, int64_t which, int64_t as_of, int64_t until, int64_t* at, bint* reached
) noexcept nogil:
    """When a threshold changes first in [as_of, until], INT64_MAX if it does not; and whether it is reached then."""
    cdef const threshold_t* t = &w.plan.thresholds[which]
    cdef int64_t now = as_of, step = until - as_of, ahead
    cdef bint before
    cdef int fault = keep_stand(w, as_of)
    at[0] = INT64_MAX
    if fault:
        return fault
    keep_marks(w)
    before = w.lead.reached[which]
    reached[0] = not before
    if before and foresee_release(w, t) == INT64_MIN:
        return 0
    if foresee_met(w, t, before):
        at[0] = as_of
        return 0
    w.life.reach.anew = True
    while now < until:
        if w.life.stop[0]:
            return -3
        ahead = now + step if step < until - now else until
        reach_find(&w.life.reach, &w.lead, w.plan, now, ahead, now)
        if foresee_may(w, t, before):
            if ahead > now + 1:
                step = (ahead - now) // 2
                continue
            if lead_refresh(&w.lead, w.plan, ahead):
                return -1
            if foresee_met(w, t, before):
                at[0] = ahead
                return 0
        else:
            step *= 2
            if lead_refresh(&w.lead, w.plan, ahead):
                return -1
        now = ahead
    return 0


cdef inline int foresee_stage(keep_t* w, int64_t as_of, int64_t until, int64_t* at, int64_t* stage) noexcept nogil:
    """When the lead moves first in (as_of, until], INT64_MAX if it does not; and where to."""
    cdef int64_t now = as_of, step = FIRST_STEP
    cdef int fault = keep_stand(w, as_of)
    at[0] = INT64_MAX
    w.life.log.moves_size = 0
    while not fault and now < until and w.life.stage >= 0 and w.life.log.moves_size == 0:
        now = now + step if step < until - now else until
        step *= 2
        fault = life_go(&w.life, &w.lead, w.plan, &w.history, now)
    if not fault and w.life.log.moves_size:
        at[0] = w.life.log.moves[0].at
        stage[0] = w.life.log.moves[0].to_stage
    return fault
