"""Leads scored at each of their events: what is kept of them, and the one pass that takes an event and scores the lead."""

from libc.stdint cimport INT64_MIN, int32_t, int64_t, uint8_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset

from leadcore_kernel.cell cimport (
    CELL_HALF_LIFE, cell_foreseen, cell_free, cell_start, cell_t, cell_take, clock_t, form_of, form_t,
)
from leadcore_kernel.decay cimport points_by
from leadcore_kernel.fold cimport fold_start, fold_t, fold_value
from leadcore_kernel.layout cimport ACT_ADD_PER, act_t, criterion_t, group_t, part_t, score_t
from leadcore_kernel.plan cimport plan_t
from leadcore_kernel.slab cimport leadcore_pages, slab_free, slab_give, slab_t, slab_take
from leadcore_kernel.wide cimport wide_add, wide_hold, wide_low, wide_of, wide_sub, wide_t, wide_times_millionths

cdef struct said_t:
    # What attributes say, in one allocation.
    void* owner
    int64_t users         # leads of which it is said
    int64_t* values       # of attribute criteria
    uint8_t* leaves       # conditions on attributes
    int64_t scores[1]     # of scores that only attributes move; and more behind it

cdef struct held_t:
    # One lead, in one line of the cache; its cells are its own.
    void* key             # its id; NULL: no lead is here
    int64_t value         # of an integer id itself, of text its hash
    int64_t number        # how many leads came before it
    int64_t newest        # its newest event, INT64_MIN before the first
    said_t* said
    cell_t* cells         # one for each fold that an event acted on, each a line of the slab
    int32_t size
    int32_t room
    int64_t pad

cdef struct roll_t:
    # All leads by id: open addressing.
    void* memory
    held_t* leads
    int64_t bits          # there is room for 2^bits
    int64_t size
    uint64_t seed         # random, so that ids cannot be made to collide

cdef struct acting_t:
    # A fold, and what the event at hand does to it.
    form_t form
    int64_t points
    int64_t low           # bounds of its criterion
    int64_t high
    int64_t rest          # what its criterion is worth without events
    int32_t group         # where it is added up, or -1: its value is asked for by itself
    int32_t users         # criteria and fades of it
    bint acted
    bint counted          # whether the score given back takes it

cdef struct adding_t:
    # A group of criteria that are added up as they are valued: no attribute has a part in it.
    wide_t rest           # what it is worth without events, before its bounds
    wide_t more           # what events add to that; nothing between calls
    bint plain            # whether it is such a group

cdef struct tally_t:
    # Work space, shared by all leads.
    const plan_t* plan
    slab_t slab
    acting_t* folds
    adding_t* groups
    clock_t* clocks
    int64_t* folded       # value of each fold; blank between calls
    bint loose            # whether one of them is not
    int64_t* blank
    int64_t* scores
    int32_t* wanted       # scores that the one given back takes, each after those it combines
    int64_t wanted_size


cdef inline void tally_free(tally_t* w) noexcept nogil:
    slab_free(&w.slab)
    free(w.folds)
    free(w.groups)
    free(w.clocks)
    free(w.folded)
    free(w.blank)
    free(w.scores)
    free(w.wanted)
    memset(w, 0, sizeof(tally_t))


cdef inline void tally_clock(tally_t* w, form_t* form) noexcept nogil:
    """Give a fold the clock of its half-life."""
    cdef int32_t i = 0
    while w.clocks[i].span and w.clocks[i].span != form.spec.span:
        i += 1
    form.clock = i
    w.clocks[i].span = form.spec.span
    w.clocks[i].reciprocal = form.spec.reciprocal
    w.clocks[i].shift = form.spec.shift
    w.clocks[i].now = INT64_MIN


cdef inline void tally_count(tally_t* w, const group_t* g) noexcept nogil:
    """Note the folds of a group that is asked for."""
    cdef int64_t k
    if g.fade >= 0:
        w.folds[g.fade].counted = True
        w.folds[g.fade].users += 1
    for k in range(g.criteria, g.criteria + g.criteria_size):
        if w.plan.criteria[k].fold >= 0:
            w.folds[w.plan.criteria[k].fold].counted = True
            w.folds[w.plan.criteria[k].fold].users += 1


cdef inline void tally_plain(tally_t* w, int32_t group) noexcept nogil:
    """Note whether a group can be added up as its criteria are valued."""
    cdef const group_t* g = &w.plan.groups[group]
    cdef const criterion_t* c
    cdef acting_t* f
    cdef int64_t k, blank
    for k in range(g.criteria, g.criteria + g.criteria_size):
        c = &w.plan.criteria[k]
        if c.fold < 0 or c.gate >= 0 or w.folds[c.fold].users != 1:
            return
    w.groups[group].plain = True
    for k in range(g.criteria, g.criteria + g.criteria_size):
        c = &w.plan.criteria[k]
        f = &w.folds[c.fold]
        blank = w.blank[c.fold]
        f.group = group
        f.low = c.low
        f.high = c.high
        f.rest = c.low if blank < c.low else c.high if blank > c.high else blank
        w.groups[group].rest = wide_add(w.groups[group].rest, wide_of(f.rest))


cdef inline int tally_start(tally_t* w, const plan_t* p, const uint8_t* wanted) noexcept nogil:
    """Make the work space, for the scores ``wanted`` and those they combine; -1 when memory runs out."""
    cdef const score_t* s
    cdef fold_t fold
    cdef int64_t i, j
    cdef int fault = 0
    memset(w, 0, sizeof(tally_t))
    w.plan = p
    w.folds = <acting_t*> calloc(<size_t> p.folds_size + 1, sizeof(acting_t))
    w.groups = <adding_t*> calloc(<size_t> p.groups_size + 1, sizeof(adding_t))
    w.clocks = <clock_t*> calloc(<size_t> p.folds_size + 1, sizeof(clock_t))
    w.folded = <int64_t*> calloc(<size_t> p.folds_size + 1, sizeof(int64_t))
    w.blank = <int64_t*> calloc(<size_t> p.folds_size + 1, sizeof(int64_t))
    w.scores = <int64_t*> calloc(<size_t> p.scores_size + 1, sizeof(int64_t))
    w.wanted = <int32_t*> calloc(<size_t> p.scores_size + 1, sizeof(int32_t))
    if not (w.folds and w.groups and w.clocks and w.folded and w.blank and w.scores and w.wanted):
        tally_free(w)
        return -1
    for i in range(p.folds_size):
        w.folds[i].form.spec = &p.folds[i]
        w.folds[i].form.form = form_of(&p.folds[i])
        w.folds[i].form.span = p.folds[i].span + p.folds[i].delay
        w.folds[i].group = -1
        if w.folds[i].form.form == CELL_HALF_LIFE:
            tally_clock(w, &w.folds[i].form)
        fold_start(&fold)
        w.folded[i] = w.blank[i] = fold_value(&fold, &p.folds[i], &p.tables, 0, &fault)
    for i in range(p.scores_size):
        if not wanted[p.order[i]]:
            continue
        w.wanted[w.wanted_size] = p.order[i]
        w.wanted_size += 1
        s = &p.scores[p.order[i]]
        for j in range(s.groups, s.groups + s.groups_size):
            tally_count(w, &p.groups[j])
    for i in range(p.groups_size):
        tally_plain(w, <int32_t> i)
    return 0


cdef inline void held_free(held_t* e, slab_t* slab) noexcept nogil:
    cdef int32_t i
    for i in range(e.size):
        cell_free(&e.cells[i], slab)
    slab_give(slab, e.cells, e.room)
    e.cells = NULL
    e.size = 0
    e.room = 0


cdef inline said_t* said_new(const plan_t* p) noexcept nogil:
    """What attributes say that say nothing; NULL when memory runs out."""
    cdef size_t scores = sizeof(said_t) + <size_t> p.scores_size * sizeof(int64_t)
    cdef size_t values = <size_t> p.values_size * sizeof(int64_t)
    cdef said_t* said = <said_t*> calloc(scores + values + <size_t> p.leaves_size + 1, 1)
    if said != NULL:
        said.values = <int64_t*> (<uint8_t*> said + scores)
        said.leaves = <uint8_t*> said + scores + values
    return said


cdef inline int64_t roll_home(const roll_t* r, int64_t value) noexcept nogil:
    """Where a lead is looked for first."""
    return <int64_t> (((<uint64_t> value ^ r.seed) * 0x9E3779B97F4A7C15ULL) >> (64 - r.bits))


cdef inline held_t* roll_free_place(roll_t* r, int64_t value) noexcept nogil:
    cdef int64_t i = roll_home(r, value)
    while r.leads[i].key != NULL:
        i = (i + 1) & ((<int64_t> 1 << r.bits) - 1)
    return &r.leads[i]


cdef inline int roll_grow(roll_t* r) noexcept nogil:
    """Make room for one lead more; -1 when memory runs out."""
    cdef roll_t wide
    cdef int64_t i
    if r.memory != NULL and 3 * (r.size + 1) <= 2 << r.bits:
        return 0
    wide.bits = r.bits + 1 if r.memory != NULL else 4
    wide.size = r.size
    wide.seed = r.seed
    wide.leads = <held_t*> leadcore_pages(sizeof(held_t) << wide.bits, &wide.memory)
    if wide.leads == NULL:
        return -1
    memset(wide.leads, 0, sizeof(held_t) << wide.bits)
    if r.memory != NULL:
        for i in range(<int64_t> 1 << r.bits):
            if r.leads[i].key != NULL:
                roll_free_place(&wide, r.leads[i].value)[0] = r.leads[i]
    free(r.memory)
    r[0] = wide
    return 0


cdef inline void roll_remove(roll_t* r, held_t* e) noexcept nogil:
    """Take a lead away whose memory was given back, and move those up that stand behind it because of it."""
    cdef int64_t mask = (<int64_t> 1 << r.bits) - 1
    cdef int64_t hole = e - r.leads, i = hole, home
    while True:
        i = (i + 1) & mask
        if r.leads[i].key == NULL:
            break
        home = roll_home(r, r.leads[i].value)
        if ((i - home) & mask) >= ((i - hole) & mask):
            r.leads[hole] = r.leads[i]
            hole = i
    memset(&r.leads[hole], 0, sizeof(held_t))
    r.size -= 1


cdef inline wide_t tally_sum(const tally_t* w, const group_t* g, const said_t* said) noexcept nogil:
    """The criteria of a group from the folded values, added up."""
    cdef const criterion_t* c = &w.plan.criteria[g.criteria]
    cdef const criterion_t* end = c + g.criteria_size
    cdef wide_t sum = wide_of(0)
    cdef int64_t raw
    while c < end:
        raw = w.folded[c.fold] if c.fold >= 0 else said.values[c.value]
        raw = c.low if raw < c.low else c.high if raw > c.high else raw
        if c.gate < 0 or said.leaves[c.gate]:
            sum = wide_add(sum, wide_of(raw))
        c += 1
    return sum


cdef inline wide_t tally_group(const tally_t* w, const group_t* g, wide_t sum) noexcept nogil:
    """One group from the sum of its criteria (spec 6.1), as `lead_group` tells it."""
    cdef int64_t held = wide_hold(sum, g.low, g.high)
    if g.fade >= 0:
        held = wide_low(wide_times_millionths(held, w.folded[g.fade]))
    return wide_times_millionths(held, g.weight)


cdef inline void tally_score(tally_t* w, int32_t which, const said_t* said, bint added) noexcept nogil:
    """One score from its groups and the scores it combines (spec 6.2); ``added``: plain groups were added up."""
    cdef const score_t* s = &w.plan.scores[which]
    cdef const part_t* part
    cdef wide_t sum = wide_of(0), part_sum
    cdef int64_t i
    for i in range(s.groups, s.groups + s.groups_size):
        if added and w.groups[i].plain:
            part_sum = wide_add(w.groups[i].rest, w.groups[i].more)
            w.groups[i].more = wide_of(0)
        else:
            part_sum = tally_sum(w, &w.plan.groups[i], said)
        sum = wide_add(sum, tally_group(w, &w.plan.groups[i], part_sum))
    for i in range(s.parts, s.parts + s.parts_size):
        part = &w.plan.parts[i]
        sum = wide_add(sum, wide_times_millionths(w.scores[part.score], part.factor))
    w.scores[which] = wide_hold(sum, s.low, s.high)


cdef inline void tally_still(tally_t* w, const said_t* said) noexcept nogil:
    """Every score of a lead without events."""
    cdef int64_t i
    for i in range(w.plan.scores_size):
        tally_score(w, w.plan.order[i], said, False)


cdef inline void tally_value(tally_t* w, cell_t* c, acting_t* f, int64_t at, int* fault) noexcept nogil:
    """Value a cell, after the event at hand if it acts on it, and add it up."""
    cdef int64_t value = cell_take(c, &w.slab, &f.form, w.clocks, &w.plan.tables, at, f.acted, f.points, fault)
    f.acted = False
    if f.group >= 0:
        value = f.low if value < f.low else f.high if value > f.high else value
        w.groups[f.group].more = wide_add(w.groups[f.group].more, wide_sub(wide_of(value), wide_of(f.rest)))
    else:
        w.folded[c.fold] = value
        w.loose = True


cdef inline int tally_take(
    tally_t* w, held_t* e, int64_t at, const act_t* acts, int64_t acts_size, const double* numbers
) noexcept nogil:
    """Let an event act on a lead, not before its newest one, and score it then; -1 when memory runs out."""
    cdef const plan_t* p = w.plan
    cdef const score_t* s
    cdef acting_t* folds = w.folds
    cdef acting_t* f
    cdef cell_t* c
    cdef cell_t* end
    cdef cell_t fresh
    cdef int64_t i
    cdef int32_t room
    cdef int fault = 0
    if e.size + acts_size > e.room:
        room = e.size + <int32_t> acts_size + (e.size >> 2)
        c = <cell_t*> slab_take(&w.slab, room)
        if c == NULL:
            return -1
        if e.size:
            memcpy(c, e.cells, <size_t> e.size * sizeof(cell_t))
        slab_give(&w.slab, e.cells, e.room)
        e.cells = c
        e.room = room
    for i in range(acts_size):
        f = &folds[acts[i].fold]
        f.acted = True
        f.points = acts[i].points
        if acts[i].act == ACT_ADD_PER:
            f.points = points_by(numbers[f.form.spec.number], f.form.spec.rate, f.form.spec.low, f.form.spec.high)
    e.newest = at
    c = e.cells
    end = c + e.size
    while c < end:
        f = &folds[c.fold]
        if f.counted or f.acted:
            tally_value(w, c, f, at, &fault)
        c += 1
    for i in range(acts_size):
        f = &folds[acts[i].fold]
        if not f.acted:
            continue
        if cell_start(&fresh, acts[i].fold, &f.form):
            f.acted = False
            fault = 1
            continue
        c = &e.cells[e.size]
        while c > e.cells and (c - 1).form > fresh.form:  # the next pass meets one form after the other
            c[0] = (c - 1)[0]
            c -= 1
        c[0] = fresh
        e.size += 1
        tally_value(w, c, f, at, &fault)
    for i in range(w.wanted_size):
        s = &p.scores[w.wanted[i]]
        if s.still:
            w.scores[w.wanted[i]] = e.said.scores[w.wanted[i]]
        else:
            tally_score(w, w.wanted[i], e.said, True)
    if w.loose:
        for i in range(e.size):
            w.folded[e.cells[i].fold] = w.blank[e.cells[i].fold]
        w.loose = False
    return -1 if fault else 0


cdef inline int tally_look(tally_t* w, const held_t* e, const said_t* said, int64_t at) noexcept nogil:
    """Every score of a lead, or of one without events (NULL), at an instant not before its newest event.

    Nothing changes. -1 when memory runs out.
    """
    cdef int64_t i
    cdef int32_t fold
    cdef int fault = 0
    if e != NULL:
        for i in range(e.size):
            fold = e.cells[i].fold
            w.folded[fold] = cell_foreseen(
                &e.cells[i], &w.folds[fold].form, w.clocks, &w.plan.tables, at, &fault
            )
    tally_still(w, said)
    if e != NULL:
        for i in range(e.size):
            w.folded[e.cells[i].fold] = w.blank[e.cells[i].fold]
    return -1 if fault else 0
