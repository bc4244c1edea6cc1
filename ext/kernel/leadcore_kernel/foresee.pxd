"""What will change next if nothing happens: thresholds crossed, stages left (spec 6.5, 8.4).

A crossing is found to the microsecond: a stretch of time is passed over where the bounds of `reach.pxd` show that no
score gets there, and halved where they do not; what is left to the end is evaluated instant by instant. Bounds that make
room for rounding would leave days of it: within one epoch, or between two changes, the ends of a stretch are exact ones.
Where what rises and what falls hold each other in balance within micropoints of a threshold, it is given up.
"""

from libc.stdint cimport INT64_MAX, INT64_MIN, int64_t

from leadcore_kernel.applying cimport keep_marks
from leadcore_kernel.asking cimport keep_stand
from leadcore_kernel.decay cimport floor_div
from leadcore_kernel.fold cimport fold_fallen, fold_shrunk, fold_t
from leadcore_kernel.keep cimport KEEP_STOPPED, KEEP_TOO_LONG, keep_t
from leadcore_kernel.layout cimport DECAY_HALF_LIFE, DECAY_LINEAR, FOLD_EVENT, fold_spec_t, threshold_t
from leadcore_kernel.lead cimport lead_refresh, lead_t
from leadcore_kernel.lifecycle cimport life_go
from leadcore_kernel.plan cimport plan_t
from leadcore_kernel.reach cimport bounds_t, reach_conclude, reach_find, reach_t, reach_take
from leadcore_kernel.wide cimport wide_add, wide_hold, wide_t

cdef extern from *:
    """
    #define LEADCORE_FIRST_STEP 86400000000LL
    """
    const int64_t FIRST_STEP "LEADCORE_FIRST_STEP"  # a day

cdef enum:
    MOST_LOOKS = 300_000  # at one threshold: less than a second


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


cdef inline bint foresee_end(
    const lead_t* a, const plan_t* p, int64_t which, int64_t now, int64_t until, int64_t* later
) noexcept nogil:
    """A fold's value at ``until``, if it goes one way from ``now`` on, the instant the lead was refreshed at.

    Within one epoch a half-life's value does (g of spec 9.4 never falls), and a linear decay's between two changes of what
    it adds up.
    """
    cdef const fold_t* f = &a.folds[which]
    cdef const fold_spec_t* s = &p.folds[which]
    cdef wide_t sum
    if s.kind != FOLD_EVENT:
        return False
    if s.decay == DECAY_HALF_LIFE:
        if f.head < f.tail and until - f.items[f.head].at >= s.delay:
            return False
        if f.epoch == INT64_MIN or floor_div(now, s.span) != floor_div(until, s.span):
            return False
        sum = wide_add(fold_shrunk(f.sum, f.epoch, s, until), f.waiting)
    elif s.decay == DECAY_LINEAR:
        if f.mid < f.tail and until - f.items[f.mid].at >= s.delay:
            return False
        if f.head < f.mid and until - f.items[f.head].at >= s.delay + s.span:
            return False
        sum = fold_fallen(f.sum, f.waiting, f.moment, s, until)
    else:
        return False
    later[0] = wide_hold(wide_add(sum, f.kept), INT64_MIN, INT64_MAX)
    return True


cdef inline void foresee_bounds(keep_t* w, int64_t now, int64_t until) noexcept nogil:
    """Bounds of everything in (now, until]."""
    cdef reach_t* r = &w.life.reach
    cdef const lead_t* a = &w.lead
    cdef const plan_t* p = w.plan
    cdef int64_t i, later
    cdef bounds_t b
    reach_find(r, &w.lead, p, now, until, now)
    for i in range(p.folds_size):
        if a.due[i] <= until and foresee_end(a, p, i, now, until, &later):
            b.low = later if later < a.folded[i] else a.folded[i]
            b.high = later if later > a.folded[i] else a.folded[i]
            reach_take(r, a, p, i, b)
    reach_conclude(r, a, p)


cdef inline int foresee_crossing(
    keep_t* w, int64_t which, int64_t as_of, int64_t until, int64_t* at, bint* reached
) noexcept nogil:
    """When a threshold changes first in [as_of, until], INT64_MAX if it does not; and whether it is reached then.

    Where that takes too long, ``at`` is how far it was looked.
    """
    cdef const threshold_t* t = &w.plan.thresholds[which]
    cdef int64_t now = as_of, step = until - as_of, ahead, looks = 0
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
        looks += 1
        if w.life.stop[0]:
            return KEEP_STOPPED
        if looks > MOST_LOOKS:
            at[0] = now
            return KEEP_TOO_LONG
        ahead = now + step if step < until - now else until
        foresee_bounds(w, now, ahead)
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
