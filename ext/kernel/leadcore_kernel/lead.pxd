"""One lead at work: its folds, and the scores, grades, labels and thresholds at an instant (spec 6, 7)."""

from libc.stdint cimport INT64_MAX, INT64_MIN, int32_t, int64_t, uint8_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memset

from leadcore_kernel.decay cimport points_by
from leadcore_kernel.fold cimport (
    fold_add, fold_advance, fold_bring, fold_clear, fold_free, fold_start, fold_t, fold_take, fold_track, fold_value,
)
from leadcore_kernel.layout cimport (
    ACT_ADD_PER, ACT_RESET, COND_AGE_AT_LEAST, COND_AND, COND_DEPTH, COND_EVENT, COND_GRADE_IN,
    COND_LABEL_IN, COND_LEAF, COND_NOT, COND_OR, COND_RATING_IN, COND_SCORE_AT_LEAST, COND_THRESHOLD,
    COND_VISITS_AT_LEAST, SAY_VALUE, act_t, cond_t, criterion_t, fold_spec_t, group_t, part_t, say_t, score_t,
    span_t,
)
from leadcore_kernel.plan cimport plan_t
from leadcore_kernel.store cimport record_at, record_code, record_number, shape_t
from leadcore_kernel.wide cimport (
    wide_add, wide_high, wide_hold, wide_low, wide_of, wide_sub, wide_t, wide_times_millionths,
)

cdef extern from *:
    """
    #define LEADCORE_HELD 1000000000000000000LL
    """
    const int64_t HELD "LEADCORE_HELD"  # spec 9.6: values are held within +-10^18

cdef enum:
    ANEW = 1              # to be added up anew
    MOVED = 2             # its sum is there

cdef struct lead_t:
    fold_t* folds
    int64_t* folded       # value of each fold
    int64_t* blank        # value of each fold without events
    int32_t* touched      # folds that an event acted on; all others are blank
    int64_t touched_size
    uint8_t* is_touched
    int64_t* values       # value of each attribute criterion
    uint8_t* leaves       # conditions on attributes
    bint scored           # whether scores were worked out with these attributes
    uint8_t* moved        # scores that moved when they were
    int64_t* scores       # this and the next, `summed` and `grouped` are one allocation
    int32_t* grades       # index of each score's grade, 0 for none
    int32_t rating
    int32_t label
    wide_t* summed        # sum of each group's criteria
    wide_t* grouped       # value of each group
    uint8_t* stale        # groups whose value is to be worked out: ANEW or MOVED, 0: none
    int64_t* due          # of a tracked lead: until when each fold's value stands still
    int64_t stands        # of a tracked lead: until when all stand still
    uint8_t* reached      # thresholds (spec 6.5)
    uint8_t* happened     # conditions on the event at hand
    int64_t age           # time in stage
    int64_t visits        # of the stage
    int64_t highs         # where a line's high word stands behind its low word; 0: low words only
    bint wrapped          # a line did not fit its one word
    int fault             # 1 when memory ran out


cdef inline void lead_free(lead_t* a, const plan_t* p) noexcept nogil:
    cdef int64_t i
    if a.folds != NULL:
        for i in range(p.folds_size):
            fold_free(&a.folds[i])
    free(a.folds)
    free(a.folded)
    free(a.blank)
    free(a.touched)
    free(a.is_touched)
    free(a.values)
    free(a.leaves)
    free(a.moved)
    free(a.summed)
    free(a.stale)
    free(a.due)
    free(a.reached)
    free(a.happened)
    memset(a, 0, sizeof(lead_t))


cdef inline size_t lead_told(const plan_t* p) noexcept nogil:
    """Bytes of what a lead came to: sums and values of groups, scores, grades."""
    return <size_t> p.groups_size * 2 * sizeof(wide_t) + <size_t> p.scores_size * (sizeof(int64_t) + sizeof(int32_t))


cdef inline int lead_start(lead_t* a, const plan_t* p, bint tracked) noexcept nogil:
    """Make the work space of one lead, ``tracked`` for one asked at many instants; -1 when memory runs out."""
    cdef int64_t i
    cdef int fault = 0
    memset(a, 0, sizeof(lead_t))
    a.folds = <fold_t*> calloc(<size_t> p.folds_size + 1, sizeof(fold_t))
    a.folded = <int64_t*> calloc(<size_t> p.folds_size + 1, sizeof(int64_t))
    a.blank = <int64_t*> calloc(<size_t> p.folds_size + 1, sizeof(int64_t))
    a.touched = <int32_t*> calloc(<size_t> p.folds_size + 1, sizeof(int32_t))
    a.is_touched = <uint8_t*> calloc(<size_t> p.folds_size + 1, 1)
    a.values = <int64_t*> calloc(<size_t> p.values_size + 1, sizeof(int64_t))
    a.leaves = <uint8_t*> calloc(<size_t> p.leaves_size + 1, 1)
    a.moved = <uint8_t*> calloc(<size_t> p.scores_size + 1, 1)
    a.summed = <wide_t*> calloc(lead_told(p) + 1, 1)
    a.grouped = a.summed + p.groups_size
    a.scores = <int64_t*> (a.grouped + p.groups_size)
    a.grades = <int32_t*> (a.scores + p.scores_size)
    a.stale = <uint8_t*> calloc(<size_t> p.groups_size + 1, 1)
    a.due = <int64_t*> calloc(<size_t> p.folds_size + 1, sizeof(int64_t))
    a.reached = <uint8_t*> calloc(<size_t> p.thresholds_size + 1, 1)
    a.happened = <uint8_t*> calloc(<size_t> p.happenings_size + 1, 1)
    if not (
        a.folds and a.folded and a.blank and a.touched and a.is_touched and a.values and a.leaves and a.moved
        and a.summed and a.stale and a.due and a.reached and a.happened
    ):
        lead_free(a, p)
        return -1
    for i in range(p.folds_size):
        fold_start(&a.folds[i])
        if tracked:
            fault |= fold_track(&a.folds[i], &p.folds[i])
        if not fault:
            a.blank[i] = a.folded[i] = fold_value(&a.folds[i], &p.folds[i], &p.tables, 0, &fault)
        a.due[i] = INT64_MAX
    if fault:
        lead_free(a, p)
    return fault


cdef inline void lead_clear(lead_t* a, const plan_t* p) noexcept nogil:
    """Forget every event, for the next lead."""
    cdef int64_t i
    cdef int32_t which
    for i in range(a.touched_size):
        which = a.touched[i]
        fold_clear(&a.folds[which])
        a.folded[which] = a.blank[which]
        a.due[which] = INT64_MAX
        a.is_touched[which] = 0
        a.stale[p.folds[which].group] = ANEW
    a.touched_size = 0
    a.stands = INT64_MIN


cdef inline void lead_touch(lead_t* a, int32_t which) noexcept nogil:
    """Know that a fold is not blank any more, and its value to be worked out anew."""
    a.due[which] = INT64_MIN
    a.stands = INT64_MIN
    if not a.is_touched[which]:
        a.is_touched[which] = 1
        a.touched[a.touched_size] = which
        a.touched_size += 1


cdef inline int64_t lead_points(
    const plan_t* p, const act_t* act, const shape_t* shape, const uint64_t* record
) noexcept nogil:
    """Micropoints of one hit."""
    cdef const fold_spec_t* spec = &p.folds[act.fold]
    if act.act == ACT_ADD_PER:
        return points_by(record_number(shape, record, spec.number), spec.rate, spec.low, spec.high)
    return act.points


cdef inline int lead_act(
    lead_t* a, const plan_t* p, const act_t* act, const shape_t* shape, const uint64_t* record
) noexcept nogil:
    """Let one hit of an event act on its fold; -1 when memory runs out."""
    return lead_take(a, p, act, shape, record, lead_points(p, act, shape, record))


cdef inline int lead_take(
    lead_t* a, const plan_t* p, const act_t* act, const shape_t* shape, const uint64_t* record, int64_t points
) noexcept nogil:
    """Let one hit of an event, of so many points, act on its fold; -1 when memory runs out."""
    cdef fold_t* fold = &a.folds[act.fold]
    cdef const fold_spec_t* spec = &p.folds[act.fold]
    lead_touch(a, act.fold)
    if act.act == ACT_RESET:
        fold_clear(fold)
        return 0
    if fold.open:
        return fold_take(fold, spec, &p.tables, record_at(record), points)
    return fold_add(
        fold, spec, &p.tables, record_at(record), points,
        record_code(shape, record, spec.unique) if spec.unique >= 0 else 0,
        record_code(shape, record, spec.distinct) if spec.distinct >= 0 else 0,
    )


cdef inline void lead_say(lead_t* a, const plan_t* p, const say_t* says, int64_t size) noexcept nogil:
    """Take what the attributes in force say."""
    cdef int64_t i
    memset(a.values, 0, <size_t> p.values_size * sizeof(int64_t))
    memset(a.leaves, 0, <size_t> p.leaves_size)
    memset(a.stale, ANEW, <size_t> p.groups_size)
    a.stands = INT64_MIN
    a.scored = False
    for i in range(size):
        if says[i].kind == SAY_VALUE:
            a.values[says[i].index] = says[i].points
        else:
            a.leaves[says[i].index] = 1


cdef inline bint lead_holds(const lead_t* a, const plan_t* p, span_t program) noexcept nogil:
    """Run a condition program over what is known of the lead now (spec 6.4, 8.2)."""
    cdef uint8_t stack[COND_DEPTH]
    cdef int64_t top = 0, i
    cdef const cond_t* c
    for i in range(program.begin, program.begin + program.size):
        c = &p.conditions[i]
        if c.op == COND_AND:
            top -= 1
            stack[top - 1] = stack[top - 1] & stack[top]
        elif c.op == COND_OR:
            top -= 1
            stack[top - 1] = stack[top - 1] | stack[top]
        elif c.op == COND_NOT:
            stack[top - 1] = stack[top - 1] ^ 1
        else:
            if c.op == COND_LEAF:
                stack[top] = a.leaves[c.arg]
            elif c.op == COND_SCORE_AT_LEAST:
                stack[top] = a.scores[c.arg] >= c.value
            elif c.op == COND_GRADE_IN:
                stack[top] = p.members[c.value + a.grades[c.arg]]
            elif c.op == COND_RATING_IN:
                stack[top] = p.members[c.value + a.rating]
            elif c.op == COND_LABEL_IN:
                stack[top] = p.members[c.value + a.label]
            elif c.op == COND_THRESHOLD:
                stack[top] = a.reached[c.arg]
            elif c.op == COND_EVENT:
                stack[top] = a.happened[c.arg]
            elif c.op == COND_AGE_AT_LEAST:
                stack[top] = a.age >= c.value
            elif c.op == COND_VISITS_AT_LEAST:
                stack[top] = a.visits >= c.value
            else:
                stack[top] = c.value != 0
            top += 1
    return stack[0] != 0


cdef inline void lead_line(lead_t* a, int64_t** line, wide_t value) noexcept nogil:
    """Write one line of an explanation and step on."""
    cdef int64_t low = wide_low(value), high = wide_high(value)
    line[0][0] = low
    if a.highs:
        line[0][a.highs] = high
    elif high != (-1 if low < 0 else 0):
        a.wrapped = True
    line[0] += 1


cdef inline int64_t lead_criterion(const lead_t* a, const criterion_t* c) noexcept nogil:
    """A criterion after its gate and bounds (spec 4.1, 4.2)."""
    cdef int64_t raw = a.folded[c.fold] if c.fold >= 0 else a.values[c.value]
    if c.gate >= 0 and not a.leaves[c.gate]:
        return 0
    return c.low if raw < c.low else c.high if raw > c.high else raw


cdef inline void lead_fold(lead_t* a, const plan_t* p, int64_t which, int64_t value) noexcept nogil:
    """Give a fold another value, and its group another sum."""
    cdef const fold_spec_t* s = &p.folds[which]
    cdef int64_t before
    if s.criterion < 0:
        a.folded[which] = value
    else:
        before = lead_criterion(a, &p.criteria[s.criterion])
        a.folded[which] = value
        value = lead_criterion(a, &p.criteria[s.criterion])
        a.summed[s.group] = wide_add(a.summed[s.group], wide_sub(wide_of(value), wide_of(before)))
    if not a.stale[s.group]:
        a.stale[s.group] = MOVED


cdef inline wide_t lead_sum(lead_t* a, const plan_t* p, const group_t* g, int64_t** line) noexcept nogil:
    """The sum of a group's criteria."""
    cdef const criterion_t* c
    cdef wide_t sum = wide_of(0)
    cdef int64_t i, raw, value, held
    for i in range(g.criteria, g.criteria + g.criteria_size):
        c = &p.criteria[i]
        value = lead_criterion(a, c)
        sum = wide_add(sum, wide_of(value))
        if line[0] != NULL:
            raw = a.folded[c.fold] if c.fold >= 0 else a.values[c.value]
            held = 0 if c.gate >= 0 and not a.leaves[c.gate] else raw
            lead_line(a, line, wide_of(raw))
            lead_line(a, line, wide_sub(wide_of(held), wide_of(raw)))
            lead_line(a, line, wide_sub(wide_of(value), wide_of(held)))
    return sum


cdef inline wide_t lead_group(lead_t* a, const plan_t* p, const group_t* g, wide_t sum, int64_t** line) noexcept nogil:
    """One group: clamp(sum of criteria), then x fade, then x weight (spec 6.1)."""
    cdef wide_t faded, weighted
    cdef int64_t held = wide_hold(sum, g.low, g.high)
    faded = wide_of(held)
    if g.fade >= 0:
        faded = wide_times_millionths(held, a.folded[g.fade])
    weighted = faded
    if g.weight != 1_000_000:
        weighted = wide_times_millionths(wide_low(faded), g.weight)
    if line[0] != NULL:
        lead_line(a, line, wide_sub(wide_of(held), sum))
        lead_line(a, line, wide_sub(faded, wide_of(held)))
        lead_line(a, line, wide_sub(weighted, faded))
    return weighted


cdef inline void lead_scores(lead_t* a, const plan_t* p, int64_t* lines) noexcept nogil:
    """Every score from the folded values; ``lines`` (or NULL) takes the explanation (spec 6, 7)."""
    cdef const score_t* s
    cdef const part_t* part
    cdef int64_t k, i, which
    cdef int64_t before
    cdef wide_t sum, share
    cdef int64_t* line
    cdef bint moved
    for k in range(p.scores_size):
        which = p.order[k]
        s = &p.scores[which]
        line = lines + s.line if lines != NULL else NULL
        moved = lines != NULL or not a.scored
        sum = wide_of(0)
        for i in range(s.groups, s.groups + s.groups_size):
            if a.stale[i]:
                if a.stale[i] == ANEW:
                    a.summed[i] = lead_sum(a, p, &p.groups[i], &line)
                a.grouped[i] = lead_group(a, p, &p.groups[i], a.summed[i], &line)
                a.stale[i] = 0
                moved = True
            sum = wide_add(sum, a.grouped[i])
        for i in range(s.parts, s.parts + s.parts_size):
            moved = moved or a.moved[p.parts[i].score]
        if not moved:
            a.moved[which] = 0
            continue
        for i in range(s.parts, s.parts + s.parts_size):
            part = &p.parts[i]
            share = wide_times_millionths(a.scores[part.score], part.factor)
            sum = wide_add(sum, share)
            if line != NULL:
                lead_line(a, &line, share)
        before = a.scores[which]
        a.scores[which] = wide_hold(sum, s.low, s.high)
        a.moved[which] = not a.scored or a.scores[which] != before
        if line != NULL:
            lead_line(a, &line, wide_sub(wide_of(a.scores[which]), sum))
        a.grades[which] = 0
        while (
            a.grades[which] < s.grades_size
            and a.scores[which] < p.grades[s.grades + a.grades[which]]
        ):
            a.grades[which] += 1
    a.scored = True


cdef inline void lead_conclude(lead_t* a, const plan_t* p, bint label) noexcept nogil:
    """Rating, and the label if it is wanted, from scores and grades (spec 6.4)."""
    cdef int64_t i
    a.rating = 0
    for i in range(p.rating_size):
        a.rating = a.rating * (p.scores[p.rating[i]].grades_size + 1) + a.grades[p.rating[i]]
    a.label = 0
    while label and a.label < p.labels_size - 1 and not lead_holds(a, p, p.labels[a.label]):
        a.label += 1


cdef inline int lead_evaluate(lead_t* a, const plan_t* p, int64_t now, int64_t* lines) noexcept nogil:
    """Scores, grades, rating and label at ``now``; the attributes were said before. -1 when memory runs out."""
    cdef int64_t k, i
    for k in range(a.touched_size):
        i = a.touched[k]
        fold_advance(&a.folds[i], &p.folds[i], &p.tables, now)
        a.folded[i] = fold_value(&a.folds[i], &p.folds[i], &p.tables, now, &a.fault)
    memset(a.stale, ANEW, <size_t> p.groups_size)
    lead_scores(a, p, lines)
    lead_conclude(a, p, True)
    return -1 if a.fault else 0


cdef inline int lead_refresh(lead_t* a, const plan_t* p, int64_t now) noexcept nogil:
    """The same for a tracked lead: only what may have moved since the last time is worked out anew."""
    cdef int64_t k, i, value
    if now < a.stands:
        return 0
    a.stands = INT64_MAX
    for k in range(a.touched_size):
        i = a.touched[k]
        if a.due[i] <= now:
            value = fold_bring(&a.folds[i], &p.folds[i], &p.tables, now, &a.due[i], &a.fault)
            if value != a.folded[i]:
                lead_fold(a, p, i, value)
        if a.due[i] < a.stands:
            a.stands = a.due[i]
    lead_scores(a, p, NULL)
    lead_conclude(a, p, p.labelled)
    return -1 if a.fault else 0
