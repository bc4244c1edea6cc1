"""What could happen to a lead while no event comes: bounds of folds and scores over a stretch of time (spec 8.4, 8.6).

Replay asks this before it evaluates grid instants: where no threshold can move and no rule can come to hold, all of them
are passed over. Bounds may be too wide, never too narrow; whoever stays in doubt looks at shorter stretches and in the end
evaluates. A stretch costs the changes of factors that lie in it, up to a number beyond which the bounds are wide at once:
a lead of many events is asked again with each of them. No fold is changed by asking.
"""

from libc.math cimport INFINITY
from libc.stdint cimport INT64_MAX, INT64_MIN, int64_t, uint8_t
from libc.stdlib cimport calloc, free
from libc.string cimport memset

from leadcore_kernel.decay cimport floor_div, growth
from leadcore_kernel.fold cimport fold_count, fold_fallen, fold_shrunk, fold_t, tables_t
from leadcore_kernel.layout cimport (
    COND_AGE_AT_LEAST, COND_AND, COND_DEPTH, COND_EVENT, COND_GRADE_IN, COND_LABEL_IN, COND_LEAF, COND_NOT, COND_OR,
    COND_RATING_IN, COND_SCORE_AT_LEAST, COND_THRESHOLD, COND_VISITS_AT_LEAST, DECAY_EXPIRE, DECAY_HALF_LIFE,
    DECAY_LINEAR, DECAY_STEPS, FOLD_EVENT, FOLD_FREQUENCY, FOLD_RECENCY, cond_t, criterion_t, fold_spec_t, group_t,
    part_t, score_t, span_t,
)
from leadcore_kernel.lead cimport ANEW, MOVED, lead_t
from leadcore_kernel.plan cimport plan_t
from leadcore_kernel.stepped cimport item_t, ring_item, stepped_after, stepped_by
from leadcore_kernel.wide cimport (
    wide_add, wide_hold, wide_less, wide_low, wide_mul, wide_of, wide_scale, wide_shr, wide_sub, wide_t,
    wide_times_millionths,
)

cdef extern from *:
    """
    #define LEADCORE_EVER 4000000000000000000LL
    """
    const int64_t EVER "LEADCORE_EVER"  # later than any instant, and far from the end of 64 bits

cdef enum:
    MOST_CHANGES = 64     # of one fold looked at in one stretch

cdef enum:
    NO = 0
    YES = 1
    MAYBE = 2

cdef struct bounds_t:
    int64_t low
    int64_t high

cdef struct reach_t:
    bounds_t* folds
    wide_t* least         # of the sums of groups' criteria
    wide_t* most
    wide_t* lows          # of groups
    wide_t* highs
    uint8_t* stale        # groups whose bounds are to be worked out: ANEW or MOVED, 0: none
    bint anew             # all groups: the attributes have changed
    bounds_t* scores
    bounds_t* grades      # indices
    bounds_t label        # indices
    int64_t age_low
    int64_t age_high


cdef inline int reach_start(reach_t* r, const plan_t* p) noexcept nogil:
    """Make room for one plan's bounds; -1 when memory runs out."""
    memset(r, 0, sizeof(reach_t))
    r.folds = <bounds_t*> calloc(<size_t> p.folds_size + 1, sizeof(bounds_t))
    r.scores = <bounds_t*> calloc(<size_t> p.scores_size + 1, sizeof(bounds_t))
    r.grades = <bounds_t*> calloc(<size_t> p.scores_size + 1, sizeof(bounds_t))
    r.least = <wide_t*> calloc(<size_t> p.groups_size + 1, sizeof(wide_t))
    r.most = <wide_t*> calloc(<size_t> p.groups_size + 1, sizeof(wide_t))
    r.lows = <wide_t*> calloc(<size_t> p.groups_size + 1, sizeof(wide_t))
    r.highs = <wide_t*> calloc(<size_t> p.groups_size + 1, sizeof(wide_t))
    r.stale = <uint8_t*> calloc(<size_t> p.groups_size + 1, 1)
    if not (r.folds and r.scores and r.grades and r.least and r.most and r.lows and r.highs and r.stale):
        reach_free(r)
        return -1
    return 0


cdef inline void reach_free(reach_t* r) noexcept nogil:
    free(r.folds)
    free(r.scores)
    free(r.grades)
    free(r.least)
    free(r.most)
    free(r.lows)
    free(r.highs)
    free(r.stale)
    memset(r, 0, sizeof(reach_t))


cdef inline void bounds_take(bounds_t* b, int64_t value) noexcept nogil:
    if value < b.low:
        b.low = value
    if value > b.high:
        b.high = value


cdef inline void bounds_about(bounds_t* b, int64_t value, wide_t down, wide_t up) noexcept nogil:
    """From ``value`` less ``down`` to ``value`` and ``up``; both at least 0."""
    b.low = wide_hold(wide_sub(wide_of(value), down), INT64_MIN, INT64_MAX)
    b.high = wide_hold(wide_add(wide_of(value), up), INT64_MIN, INT64_MAX)


cdef inline bounds_t bounds_between(int64_t a, int64_t b, int64_t slack) noexcept nogil:
    """From the lower to the higher of two values, and a little more."""
    cdef bounds_t found
    found.low = wide_hold(wide_sub(wide_of(a if a < b else b), wide_of(slack)), INT64_MIN, INT64_MAX)
    found.high = wide_hold(wide_add(wide_of(b if a < b else a), wide_of(slack)), INT64_MIN, INT64_MAX)
    return found


cdef inline void bounds_step(wide_t* down, wide_t* up, int64_t change) noexcept nogil:
    if change < 0:
        down[0] = wide_sub(down[0], wide_of(change))
    else:
        up[0] = wide_add(up[0], wide_of(change))


cdef inline bounds_t reach_ever(const fold_t* f, const fold_spec_t* s, int64_t value) noexcept nogil:
    """Points of one sign that only shrink: between what never decays and what is there now, whenever that is."""
    return bounds_between(value, wide_hold(f.kept, INT64_MIN, INT64_MAX), ((value if value >= 0 else -(value + 1)) >> 30) + 4)


cdef inline bounds_t reach_recency(const fold_t* f, const fold_spec_t* s, const tables_t* t, int64_t now, int64_t until) noexcept nogil:
    """Every band the age passes through."""
    cdef bounds_t b
    cdef int64_t i, begin = 0, age, end
    if f.last == INT64_MIN:
        b.low = b.high = s.never
        return b
    age = now - f.last
    end = until - f.last
    b.low = INT64_MAX
    b.high = INT64_MIN
    for i in range(s.bands, s.bands + s.bands_size):
        if age < t.bands[i].bound and end >= begin:
            bounds_take(&b, t.bands[i].points)
        begin = t.bands[i].bound
    if end >= begin:
        bounds_take(&b, s.otherwise)
    return b


cdef inline bounds_t reach_frequency(fold_t* f, const fold_spec_t* s, const tables_t* t, int64_t until) noexcept nogil:
    """Every band the count may pass through while events leave the window."""
    cdef bounds_t b
    cdef int64_t i, most = fold_count(f, s), least = most, stays = f.tail, middle
    b.low = INT64_MAX
    b.high = INT64_MIN
    if s.span:
        i = f.head
        while i < stays:  # the first that does not leave the window
            middle = i + ((stays - i) >> 1)
            if until - f.items[middle].at >= s.span:
                i = middle + 1
            else:
                stays = middle
        least -= stays - f.head
        if least < 0:
            least = 0
    if s.bands_size == 0 or least < t.bands[s.bands].bound:
        bounds_take(&b, 0)
    for i in range(s.bands, s.bands + s.bands_size):
        if t.bands[i].bound <= most and (i + 1 == s.bands + s.bands_size or t.bands[i + 1].bound > least):
            bounds_take(&b, t.bands[i].points)
    return b


cdef inline bounds_t reach_half_life(const fold_t* f, const fold_spec_t* s, int64_t now, int64_t until, int64_t value) noexcept nogil:
    """Points of one sign only shrink, up to rounding; of both, by no more than their sizes shrink."""
    cdef bounds_t b
    cdef wide_t sum = f.sum, waiting = f.waiting, size
    cdef int64_t i = f.head, epoch = f.epoch, at, later
    cdef const item_t* item
    b.low = INT64_MIN
    b.high = INT64_MAX
    if s.sign == 0:
        if f.head < f.tail:
            return b
        if epoch == INT64_MIN:
            b.low = b.high = value
            return b
        size = fold_shrunk(f.size, epoch, s, now)
        later = (wide_low(size) >> 30) + 4
        size = wide_add(wide_sub(size, fold_shrunk(f.size, epoch, s, until)), wide_of(later))
        bounds_about(&b, value, size, size)
        return b
    while i < f.tail and until - f.items[i].at >= s.delay:
        if i - f.head == MOST_CHANGES:
            return reach_ever(f, s, value)
        item = &f.items[i]
        at = item.at + s.delay
        waiting = wide_sub(waiting, wide_of(item.points))
        later = floor_div(at, s.span)
        if epoch == INT64_MIN:
            epoch = later
        sum = wide_add(wide_shr(sum, later - epoch), wide_mul(item.points, growth(at - later * s.span, s.reciprocal, s.shift)))
        epoch = later
        i += 1
    if epoch == INT64_MIN:
        b.low = b.high = value
        return b
    later = wide_hold(wide_add(wide_add(fold_shrunk(sum, epoch, s, until), waiting), f.kept), INT64_MIN, INT64_MAX)
    return bounds_between(value, later, ((value if value >= 0 else -(value + 1)) >> 30) + 4)


cdef inline bounds_t reach_linear(const fold_t* f, const fold_spec_t* s, int64_t now, int64_t until, int64_t value) noexcept nogil:
    """Points of one sign only fall; of both, by no more than all of them falling the same way."""
    cdef bounds_t b
    cdef wide_t sum = f.sum, waiting = f.waiting, moment = f.moment, fall
    cdef int64_t i, later
    cdef const item_t* item
    if s.sign == 0:
        fall = wide_of(wide_hold(f.size, 0, INT64_MAX) // s.span + 1)
        fall = wide_add(wide_scale(fall, until - now), wide_of(4))
        if wide_less(f.size, fall):
            fall = wide_add(f.size, wide_of(4))
        bounds_about(&b, value, fall, fall)
        return b
    i = f.mid
    while s.delay and i < f.tail and until - f.items[i].at >= s.delay:
        if i - f.mid == MOST_CHANGES:
            return reach_ever(f, s, value)
        item = &f.items[i]
        waiting = wide_sub(waiting, wide_of(item.points))
        moment = wide_add(moment, wide_mul(item.points, item.at + s.delay))
        i += 1
    later = i
    i = f.head
    while i < later and until - f.items[i].at >= s.delay + s.span:
        if i - f.head == MOST_CHANGES:
            return reach_ever(f, s, value)
        item = &f.items[i]
        sum = wide_sub(sum, wide_of(item.points))
        moment = wide_sub(moment, wide_mul(item.points, item.at + s.delay))
        i += 1
    later = wide_hold(wide_add(fold_fallen(sum, waiting, moment, s, until), f.kept), INT64_MIN, INT64_MAX)
    return bounds_between(value, later, 2)


cdef inline bounds_t reach_stepwise(const fold_t* f, const fold_spec_t* s, const tables_t* t, int64_t until, int64_t value) noexcept nogil:
    """Every single change in between, those up and those down apart; no bounds at all where they are too many."""
    cdef bounds_t b
    cdef wide_t down = wide_of(0), up = wide_of(0)
    cdef int64_t i, k, n, at, changes = 0
    cdef const item_t* item
    b.low = INT64_MIN
    b.high = INT64_MAX
    if s.decay == DECAY_EXPIRE:
        i = f.head
        while i < f.tail and until - f.items[i].at >= s.delay + s.span:
            changes += 1
            if changes > MOST_CHANGES:
                return b
            bounds_step(&down, &up, -f.items[i].points)
            i += 1
    elif s.decay == DECAY_STEPS:
        for k in range(s.table_size):
            i = f.cursors[k] - f.dropped
            while i < f.tail and until - f.items[i].at - s.delay >= t.steps[s.table + k].after:
                changes += 1
                if changes > MOST_CHANGES:
                    return b
                item = &f.items[i]
                bounds_step(&down, &up, stepped_by(s, t.steps, item.points, k) - stepped_by(s, t.steps, item.points, k - 1))
                i += 1
    else:
        for i in range(f.ring.size):
            item = ring_item(&f.ring, i)
            n = (f.ring.clock - item.at) // s.span
            k = (until - item.at) // s.span
            if k == n:  # nor do those behind it
                break
            changes += 1
            if changes > MOST_CHANGES:
                return b
            bounds_step(&down, &up, stepped_after(s, t.factors, item.points, k) - stepped_after(s, t.factors, item.points, n))
        i = f.head
        while i < f.tail and until - f.items[i].at - s.delay >= s.span:
            changes += 1
            if changes > MOST_CHANGES:
                return b
            item = &f.items[i]
            at = item.at + s.delay
            bounds_step(&down, &up, stepped_after(s, t.factors, item.points, (until - at) // s.span) - item.points)
            i += 1
    bounds_about(&b, value, down, up)
    return b


cdef inline bounds_t reach_fold(
    fold_t* f, const fold_spec_t* s, const tables_t* t, int64_t now, int64_t until, int64_t value
) noexcept nogil:
    """Bounds of a tracked fold's value in (now, until], where it is ``value`` at ``now``; EVER is without an end."""
    cdef bounds_t b
    if until == EVER:
        if s.kind == FOLD_EVENT and s.sign and s.decay != DECAY_STEPS:
            return reach_ever(f, s, value)
        if s.kind == FOLD_EVENT:
            b.low = INT64_MIN
            b.high = INT64_MAX
            return b
    if s.kind == FOLD_RECENCY:
        return reach_recency(f, s, t, now, until)
    if s.kind == FOLD_FREQUENCY:
        return reach_frequency(f, s, t, until)
    if s.decay == DECAY_HALF_LIFE:
        return reach_half_life(f, s, now, until, value)
    if s.decay == DECAY_LINEAR:
        return reach_linear(f, s, now, until, value)
    return reach_stepwise(f, s, t, until, value)


cdef inline int64_t clamped(int64_t value, int64_t low, int64_t high) noexcept nogil:
    return low if value < low else high if value > high else value


cdef inline void reach_sum(
    const reach_t* r, const lead_t* a, const plan_t* p, const group_t* g, wide_t* least, wide_t* most
) noexcept nogil:
    """Bounds of the sum of a group's criteria."""
    cdef const criterion_t* c
    cdef int64_t i, low, high
    least[0] = wide_of(0)
    most[0] = wide_of(0)
    for i in range(g.criteria, g.criteria + g.criteria_size):
        c = &p.criteria[i]
        if c.gate >= 0 and not a.leaves[c.gate]:
            continue
        low = r.folds[c.fold].low if c.fold >= 0 else a.values[c.value]
        high = r.folds[c.fold].high if c.fold >= 0 else a.values[c.value]
        least[0] = wide_add(least[0], wide_of(clamped(low, c.low, c.high)))
        most[0] = wide_add(most[0], wide_of(clamped(high, c.low, c.high)))


cdef inline void reach_take(reach_t* r, const lead_t* a, const plan_t* p, int64_t which, bounds_t bounds) noexcept nogil:
    """Give a fold other bounds, and the sum of its group."""
    cdef const fold_spec_t* s = &p.folds[which]
    cdef bounds_t* b = &r.folds[which]
    cdef const criterion_t* c
    if b.low == bounds.low and b.high == bounds.high:
        return
    if not r.stale[s.group]:
        r.stale[s.group] = MOVED
    if s.criterion >= 0:
        c = &p.criteria[s.criterion]
        if c.gate < 0 or a.leaves[c.gate]:
            r.least[s.group] = wide_add(
                r.least[s.group],
                wide_sub(wide_of(clamped(bounds.low, c.low, c.high)), wide_of(clamped(b.low, c.low, c.high))),
            )
            r.most[s.group] = wide_add(
                r.most[s.group],
                wide_sub(wide_of(clamped(bounds.high, c.low, c.high)), wide_of(clamped(b.high, c.low, c.high))),
            )
    b[0] = bounds


cdef inline void reach_group(
    const reach_t* r, const plan_t* p, const group_t* g, wide_t least, wide_t most, wide_t* low, wide_t* high
) noexcept nogil:
    """Bounds of a group: those of its sum clamped, faded, weighted (spec 6.1)."""
    cdef wide_t ends[4]
    cdef int64_t i, j, low_value, high_value, factors[2]
    cdef int64_t n = 2
    ends[0] = wide_of(wide_hold(least, g.low, g.high))
    ends[1] = wide_of(wide_hold(most, g.low, g.high))
    if g.fade >= 0:
        factors[0] = r.folds[g.fade].low
        factors[1] = r.folds[g.fade].high
        low_value = wide_low(ends[0])
        high_value = wide_low(ends[1])
        for j in range(2):
            ends[j] = wide_times_millionths(low_value, factors[j])
            ends[2 + j] = wide_times_millionths(high_value, factors[j])
        n = 4
    for i in range(n):
        if g.weight != 1_000_000:
            ends[i] = wide_times_millionths(wide_low(ends[i]), g.weight)
        if i == 0 or wide_less(ends[i], low[0]):
            low[0] = ends[i]
        if i == 0 or wide_less(high[0], ends[i]):
            high[0] = ends[i]


cdef inline void reach_score(reach_t* r, const lead_t* a, const plan_t* p, int64_t which) noexcept nogil:
    """Bounds of a score and of its grade."""
    cdef const score_t* s = &p.scores[which]
    cdef wide_t least = wide_of(0), most = wide_of(0), low, high
    cdef const part_t* part
    cdef bounds_t* b = &r.scores[which]
    cdef int64_t i
    for i in range(s.groups, s.groups + s.groups_size):
        if r.stale[i]:
            if r.stale[i] == ANEW:
                reach_sum(r, a, p, &p.groups[i], &r.least[i], &r.most[i])
            reach_group(r, p, &p.groups[i], r.least[i], r.most[i], &r.lows[i], &r.highs[i])
            r.stale[i] = 0
        least = wide_add(least, r.lows[i])
        most = wide_add(most, r.highs[i])
    for i in range(s.parts, s.parts + s.parts_size):
        part = &p.parts[i]
        low = wide_times_millionths(r.scores[part.score].low, part.factor)
        high = wide_times_millionths(r.scores[part.score].high, part.factor)
        least = wide_add(least, high if part.factor < 0 else low)
        most = wide_add(most, low if part.factor < 0 else high)
    b.low = wide_hold(least, s.low, s.high)
    b.high = wide_hold(most, s.low, s.high)
    reach_grade(r, p, which)


cdef inline void reach_grade(reach_t* r, const plan_t* p, int64_t which) noexcept nogil:
    """First and last grade a score may have."""
    cdef const score_t* s = &p.scores[which]
    cdef const bounds_t* b = &r.scores[which]
    r.grades[which].low = 0
    while r.grades[which].low < s.grades_size and b.high < p.grades[s.grades + r.grades[which].low]:
        r.grades[which].low += 1
    r.grades[which].high = r.grades[which].low
    while r.grades[which].high < s.grades_size and b.low < p.grades[s.grades + r.grades[which].high]:
        r.grades[which].high += 1


cdef inline uint8_t reach_member(const plan_t* p, int64_t first, bounds_t which) noexcept nogil:
    """Whether all, none or some of a run of names are in a set."""
    cdef uint8_t found = p.members[first + which.low]
    cdef int64_t i
    for i in range(which.low + 1, which.high + 1):
        if p.members[first + i] != found:
            return MAYBE
    return found


cdef inline uint8_t reach_rating(const reach_t* r, const plan_t* p, int64_t first) noexcept nogil:
    """Whether the rating is in a set, by the grades that make it: those of the last evaluation may be of the past."""
    cdef int64_t i, which, rating = 0
    for i in range(p.rating_size):
        which = p.rating[i]
        if r.grades[which].low != r.grades[which].high:
            return MAYBE
        rating = rating * (p.scores[which].grades_size + 1) + r.grades[which].low
    return p.members[first + rating]


cdef inline uint8_t reach_holds(const reach_t* r, const lead_t* a, const plan_t* p, span_t program) noexcept nogil:
    """Whether a condition holds all through the stretch, nowhere in it, or it cannot be said."""
    cdef uint8_t stack[COND_DEPTH]
    cdef int64_t top = 0, i
    cdef uint8_t left, right
    cdef const cond_t* c
    for i in range(program.begin, program.begin + program.size):
        c = &p.conditions[i]
        if c.op == COND_AND or c.op == COND_OR:
            top -= 1
            left = stack[top - 1]
            right = stack[top]
            if c.op == COND_AND:
                stack[top - 1] = NO if left == NO or right == NO else YES if left == YES and right == YES else MAYBE
            else:
                stack[top - 1] = YES if left == YES or right == YES else NO if left == NO and right == NO else MAYBE
        elif c.op == COND_NOT:
            if stack[top - 1] != MAYBE:
                stack[top - 1] ^= 1
        else:
            if c.op == COND_LEAF:
                stack[top] = a.leaves[c.arg]
            elif c.op == COND_SCORE_AT_LEAST:
                stack[top] = YES if r.scores[c.arg].low >= c.value else NO if r.scores[c.arg].high < c.value else MAYBE
            elif c.op == COND_GRADE_IN:
                stack[top] = reach_member(p, c.value, r.grades[c.arg])
            elif c.op == COND_RATING_IN:
                stack[top] = reach_rating(r, p, c.value)
            elif c.op == COND_LABEL_IN:
                stack[top] = reach_member(p, c.value, r.label)
            elif c.op == COND_THRESHOLD:
                stack[top] = a.reached[c.arg]  # one that may move was asked for before
            elif c.op == COND_EVENT:
                stack[top] = a.happened[c.arg]
            elif c.op == COND_AGE_AT_LEAST:
                stack[top] = YES if r.age_low >= c.value else NO if r.age_high < c.value else MAYBE
            elif c.op == COND_VISITS_AT_LEAST:
                stack[top] = a.visits >= c.value
            else:
                stack[top] = c.value != 0
            top += 1
    return stack[0]


cdef inline void reach_labels(reach_t* r, const lead_t* a, const plan_t* p) noexcept nogil:
    """First and last label that may be the lead's."""
    cdef int64_t i = 0
    cdef uint8_t holds
    r.label.low = -1
    while i < p.labels_size - 1:
        holds = reach_holds(r, a, p, p.labels[i])
        if holds != NO and r.label.low < 0:
            r.label.low = i
        if holds == YES:
            break
        i += 1
    r.label.high = i
    if r.label.low < 0:
        r.label.low = i


cdef inline void reach_find(reach_t* r, lead_t* a, const plan_t* p, int64_t now, int64_t until, int64_t entered) noexcept nogil:
    """Work out all bounds for (now, until]; the lead was refreshed at ``now``."""
    cdef int64_t k, i, size = p.folds_size if r.anew else a.touched_size
    cdef bounds_t b
    for k in range(size):  # folds that no event touched are as they were
        i = k if r.anew else a.touched[k]
        if a.due[i] > until:
            b.low = b.high = a.folded[i]
        else:
            b = reach_fold(&a.folds[i], &p.folds[i], &p.tables, now, until, a.folded[i])
        reach_take(r, a, p, i, b)
    if r.anew:
        memset(r.stale, ANEW, <size_t> p.groups_size)
        r.anew = False
    r.age_low = now - entered
    r.age_high = until - entered
    reach_conclude(r, a, p)


cdef inline void reach_conclude(reach_t* r, const lead_t* a, const plan_t* p) noexcept nogil:
    """Bounds of scores, grades and label from those of folds."""
    cdef int64_t i
    for i in range(p.scores_size):
        reach_score(r, a, p, p.order[i])
    if p.labelled:
        reach_labels(r, a, p)


cdef inline double reach_act(
    reach_t* r, lead_t* a, const plan_t* p, int64_t which, bint reset, int64_t points, int64_t now
) noexcept nogil:
    """Keep the bounds of a fold that hold for ever true when an event has acted on it at ``now``.

    Of its points an event keeps a part between none and all; a filter may leave it out. Returns by how much bounds of
    scores may have widened.
    """
    cdef const fold_spec_t* s = &p.folds[which]
    cdef bounds_t before = r.folds[which], b = before
    cdef double wider = 0
    cdef int64_t more
    if s.kind != FOLD_EVENT:
        b = reach_fold(&a.folds[which], s, &p.tables, now, EVER, 0)
    elif reset:
        bounds_take(&b, 0)
    else:
        more = points
        if s.decay == DECAY_HALF_LIFE:  # its sum is held to be near, not below, that of the points (spec 9.7)
            more += (points >> 30) + 1 if points > 0 else -((-points >> 30) + 1)
        if points > 0 and b.high < EVER:
            b.high += more
        if points < 0 and b.low > -EVER:
            b.low += more
    reach_take(r, a, p, which, b)
    if which == p.groups[s.group].fade:
        return INFINITY
    if b.high > before.high:
        wider = <double> (b.high - before.high)
    if before.low > b.low:
        wider += <double> (before.low - b.low)
    return wider * p.groups[s.group].lever + p.groups[s.group].slack


cdef inline void reach_widen(reach_t* r, const lead_t* a, const plan_t* p, int64_t by) noexcept nogil:
    """Widen the bounds of all scores that events move, and of what follows from them."""
    cdef int64_t i
    for i in range(p.scores_size):
        if p.scores[i].still:
            continue
        r.scores[i].low -= by
        r.scores[i].high += by
        reach_grade(r, p, i)
    if p.labelled:
        reach_labels(r, a, p)
