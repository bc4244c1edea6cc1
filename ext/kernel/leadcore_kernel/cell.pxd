"""A fold in short, for leads that are asked at each event: what `fold` keeps, in one line of the cache where that can be.

A cell takes events in order of time, and of those at one instant in any order. The commonest folds are sums: points that
stay, fall by half-lives, or leave a window; the bits are those of `fold_value`. Every other fold stands behind its cell
as a tracked `fold_t`. A cell owns what is behind it, a window in its slab; ``cell_free`` gives its memory back.
"""

from libc.stdint cimport INT64_MAX, INT64_MIN, int32_t, int64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memmove, memset

from leadcore_kernel.decay cimport floor_div, growth
from leadcore_kernel.fold cimport (
    fold_add, fold_advance, fold_aged, fold_copy, fold_counted, fold_fallen, fold_free, fold_start, fold_t, fold_track,
    fold_value, tables_t,
)
from leadcore_kernel.layout cimport (
    DECAY_EXPIRE, DECAY_HALF_LIFE, DECAY_LINEAR, DECAY_NONE, FOLD_FREQUENCY, FOLD_RECENCY, UNIT_NONE, fold_spec_t,
)
from leadcore_kernel.slab cimport LINE, slab_give, slab_t, slab_take
from leadcore_kernel.stepped cimport item_t
from leadcore_kernel.wide cimport (
    wide_add, wide_hold, wide_low, wide_mul, wide_of, wide_rne_shr, wide_scale, wide_shr, wide_sub, wide_t,
)

cdef enum:
    CELL_SUM = 0          # points that stay
    CELL_HALF_LIFE = 1
    CELL_WINDOW = 2       # points that leave all at once; of a frequency each event is one
    CELL_LINEAR = 3
    CELL_COUNT = 4        # frequency without a window
    CELL_NEWEST = 5       # recency
    CELL_FOLD = 6         # everything else

cdef struct clock_t:
    # One half-life, and where an instant lies in it.
    int64_t span
    int64_t reciprocal
    int64_t shift
    int64_t now           # INT64_MIN: none yet
    int64_t epoch
    int64_t rest
    int64_t factor        # d of spec 9.4

cdef struct form_t:
    # How the cells of one fold are kept.
    const fold_spec_t* spec
    int64_t span          # window: from an event until it leaves
    int32_t form
    int32_t clock         # half-life: which

cdef struct window_t:
    int32_t head          # items[head:tail] are in the window
    int32_t tail
    int32_t room
    int32_t lines
    item_t items[1]       # and more behind it

cdef struct cell_t:
    int32_t fold
    int32_t form
    int64_t mark          # half-life: epoch; window: when its oldest event leaves; count: events; newest: its instant
    wide_t sum
    wide_t moment         # linear: sum of points x instant
    void* more            # window_t, or fold_t
    int64_t pad           # to a line of the cache


cdef inline int32_t form_of(const fold_spec_t* s) noexcept nogil:
    """How a fold's cells are kept."""
    if s.kind == FOLD_RECENCY:
        return CELL_NEWEST
    if s.kind == FOLD_FREQUENCY:
        return CELL_FOLD if s.distinct >= 0 else CELL_WINDOW if s.span else CELL_COUNT
    if s.unique >= 0 or s.cooldown or s.unit != UNIT_NONE or s.keep:
        return CELL_FOLD
    if s.decay == DECAY_NONE:
        return CELL_SUM
    if s.decay == DECAY_EXPIRE:
        return CELL_WINDOW
    if s.delay == 0 and s.decay == DECAY_HALF_LIFE:
        return CELL_HALF_LIFE
    if s.delay == 0 and s.decay == DECAY_LINEAR:
        return CELL_LINEAR
    return CELL_FOLD


cdef inline void clock_set(clock_t* c, int64_t now) noexcept nogil:
    """Take a clock to an instant."""
    cdef int64_t rest
    if now == c.now:
        return
    c.now = now
    rest = now - c.epoch * c.span
    if rest < 0 or rest >= c.span:
        c.epoch = floor_div(now, c.span)
        rest = now - c.epoch * c.span
    c.rest = rest
    c.factor = growth(c.span - rest, c.reciprocal, c.shift) if rest else <int64_t> 1 << 43


cdef inline void cell_free(cell_t* c, slab_t* slab) noexcept nogil:
    if c.form != CELL_FOLD:
        if c.more != NULL:
            slab_give(slab, c.more, (<window_t*> c.more).lines)
    elif c.more != NULL:
        fold_free(<fold_t*> c.more)
        free(c.more)
    c.more = NULL


cdef inline int cell_start(cell_t* c, int32_t fold, const form_t* form) noexcept nogil:
    """Make an empty cell out of raw memory; -1 when memory runs out."""
    cdef fold_t* whole
    memset(c, 0, sizeof(cell_t))
    c.fold = fold
    c.form = form.form
    c.mark = 0 if form.form == CELL_COUNT else INT64_MAX if form.form == CELL_WINDOW or form.form == CELL_LINEAR else INT64_MIN
    if form.form == CELL_FOLD:
        whole = <fold_t*> malloc(sizeof(fold_t))
        if whole == NULL:
            return -1
        fold_start(whole)
        c.more = whole
        if fold_track(whole, form.spec):
            fold_free(whole)
            free(whole)
            return -1
    return 0


cdef inline void cell_let_go(cell_t* c, int32_t* head, int64_t span, int64_t now) noexcept nogil:
    """Take what has left a window out of its sums; ``head`` is where its oldest event stands."""
    cdef const window_t* w = <const window_t*> c.more
    cdef const item_t* item
    while head[0] < w.tail and now - w.items[head[0]].at >= span:
        item = &w.items[head[0]]
        c.sum = wide_sub(c.sum, wide_of(item.points))
        if c.form == CELL_LINEAR:
            c.moment = wide_sub(c.moment, wide_mul(item.points, item.at))
        head[0] += 1
    c.mark = w.items[head[0]].at + span if head[0] < w.tail else INT64_MAX


cdef inline int cell_push(cell_t* c, slab_t* slab, int64_t at, int64_t points) noexcept nogil:
    """Append an event to a window; -1 when memory runs out."""
    cdef window_t* w = <window_t*> c.more
    cdef window_t* wide
    cdef int32_t lines
    if w != NULL and w.tail == w.room and w.head > w.room >> 1:  # make room by dropping what was let go
        memmove(w.items, w.items + w.head, <size_t> (w.tail - w.head) * sizeof(item_t))
        w.tail -= w.head
        w.head = 0
    elif w == NULL or w.tail == w.room:
        lines = 1 if w == NULL else 2 * w.lines
        wide = <window_t*> slab_take(slab, lines)
        if wide == NULL:
            return -1
        wide.head = 0
        wide.tail = 0
        wide.lines = lines
        wide.room = <int32_t> ((lines * <int64_t> LINE - <int64_t> sizeof(window_t)) // <int64_t> sizeof(item_t)) + 1
        if w != NULL:
            wide.tail = w.tail - w.head
            memcpy(wide.items, w.items + w.head, <size_t> wide.tail * sizeof(item_t))
            slab_give(slab, w, w.lines)
        w = wide
        c.more = w
    w.items[w.tail].at = at
    w.items[w.tail].points = points
    w.tail += 1
    return 0


cdef inline int64_t cell_halved(wide_t sum, int64_t epoch, const clock_t* clock) noexcept nogil:
    """Points of a half-life sum of an epoch where its clock stands, as of `fold_shrunk`."""
    return wide_hold(
        wide_rne_shr(wide_scale(wide_shr(sum, clock.epoch - epoch + 24), clock.factor), 61), INT64_MIN, INT64_MAX
    )


cdef inline int64_t cell_in_window(const cell_t* c, const form_t* form, const tables_t* t, int64_t now) noexcept nogil:
    """Points of what is in a window."""
    cdef const fold_spec_t* s = form.spec
    if form.form == CELL_LINEAR:
        if c.mark == INT64_MAX:
            return 0
        return wide_hold(fold_fallen(c.sum, wide_of(0), c.moment, s, now), INT64_MIN, INT64_MAX)
    if s.kind == FOLD_FREQUENCY:
        return fold_counted(s, t, wide_low(c.sum))
    return wide_hold(c.sum, INT64_MIN, INT64_MAX)


cdef inline int64_t cell_take(
    cell_t* c, slab_t* slab, const form_t* form, clock_t* clocks, const tables_t* t, int64_t now, bint acts, int64_t points,
    int* fault,
) noexcept nogil:
    """Raw value at ``now``, not before any instant taken so far, after an event then if one ``acts``; that of `fold_value`.

    ``fault`` is set to 1 when memory runs out and is not touched otherwise.
    """
    cdef clock_t* clock
    if form.form == CELL_HALF_LIFE:
        clock = &clocks[form.clock]
        clock_set(clock, now)
        if acts:
            if c.mark != INT64_MIN:
                c.sum = wide_shr(c.sum, clock.epoch - c.mark)
            c.mark = clock.epoch
            c.sum = wide_add(c.sum, wide_mul(points, growth(clock.rest, clock.reciprocal, clock.shift)))
        return cell_halved(c.sum, c.mark, clock)
    if form.form == CELL_WINDOW or form.form == CELL_LINEAR:
        if c.mark <= now:
            cell_let_go(c, &(<window_t*> c.more).head, form.span, now)
        if acts:
            if form.spec.kind == FOLD_FREQUENCY:
                points = 1
            if cell_push(c, slab, now, points):
                fault[0] = 1
                return 0
            if c.mark == INT64_MAX:
                c.mark = now + form.span
            c.sum = wide_add(c.sum, wide_of(points))
            if form.form == CELL_LINEAR:
                c.moment = wide_add(c.moment, wide_mul(points, now))
        return cell_in_window(c, form, t, now)
    if form.form == CELL_SUM:
        if acts:
            c.sum = wide_add(c.sum, wide_of(points))
        return wide_hold(c.sum, INT64_MIN, INT64_MAX)
    if form.form == CELL_NEWEST:
        if acts:
            c.mark = now
        return fold_aged(form.spec, t, now - c.mark)
    if form.form == CELL_COUNT:
        c.mark += acts
        return fold_counted(form.spec, t, c.mark)
    if acts and fold_add(<fold_t*> c.more, form.spec, t, now, points, 0, 0):
        fault[0] = 1
    fold_advance(<fold_t*> c.more, form.spec, t, now)
    return fold_value(<fold_t*> c.more, form.spec, t, now, fault)


cdef inline int64_t cell_foreseen(
    const cell_t* c, const form_t* form, clock_t* clocks, const tables_t* t, int64_t now, int* fault
) noexcept nogil:
    """Raw value at ``now``, not before any instant taken so far, of a cell that stays as it is."""
    cdef cell_t copy
    cdef fold_t whole
    cdef int32_t head
    cdef int64_t value
    if form.form == CELL_FOLD:
        if fold_copy(&whole, <const fold_t*> c.more):
            fault[0] = 1
            return 0
        fold_advance(&whole, form.spec, t, now)
        value = fold_value(&whole, form.spec, t, now, fault)
        fold_free(&whole)
        return value
    copy = c[0]
    if form.form == CELL_WINDOW or form.form == CELL_LINEAR:
        if c.more != NULL:  # NULL: memory ran out when its first event came
            head = (<const window_t*> c.more).head
            cell_let_go(&copy, &head, form.span, now)
        return cell_in_window(&copy, form, t, now)
    return cell_take(&copy, NULL, form, clocks, t, now, False, 0, fault)  # without an event it takes no memory


cdef inline int64_t cell_size(const cell_t* c) noexcept nogil:
    """Bytes behind a cell."""
    cdef const fold_t* f
    if c.more == NULL:
        return 0
    if c.form != CELL_FOLD:
        return (<const window_t*> c.more).lines * <int64_t> LINE
    f = <const fold_t*> c.more
    return (
        <int64_t> sizeof(fold_t) + (f.room + f.ring.room) * <int64_t> sizeof(item_t)
        + (512 if f.cursors != NULL else 0)
    )
