"""One lead's way through the stages: evaluations in the order of spec 8.4, each by the rules of spec 8.5."""

from libc.math cimport INFINITY
from libc.stdint cimport INT64_MAX, INT64_MIN, int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset

from leadcore_kernel.falls cimport falls_add, falls_slack, falls_start, falls_steady
from leadcore_kernel.grid cimport grid_before, grid_from, grid_t
from leadcore_kernel.ground cimport ground_t, ground_take
from leadcore_kernel.layout cimport (
    ACT_ADD_PER, ACT_LEAF, ACT_RESET, CAUSE_ATTRIBUTE, CAUSE_BIRTH, CAUSE_EVENT, CAUSE_GRID, CAUSE_MANUAL,
    CAUSE_TIMER, act_t, rule_t, say_t, score_t, span_t, stage_t, threshold_t,
)
from leadcore_kernel.lead cimport (
    lead_clear, lead_criterion, lead_holds, lead_points, lead_refresh, lead_say, lead_t, lead_take,
)
from leadcore_kernel.log cimport change_t, log_change, log_free, log_move, log_t, move_t
from leadcore_kernel.order cimport key_t
from leadcore_kernel.plan cimport plan_t
from leadcore_kernel.reach cimport (
    EVER, NO, reach_act, reach_conclude, reach_find, reach_free, reach_holds, reach_start, reach_t, reach_widen,
)
from leadcore_kernel.store cimport record_at, record_hits, record_order, shape_t
from leadcore_kernel.wide cimport wide_less, wide_of, wide_sub, wide_t, wide_times_millionths

cdef extern from *:
    """
    #define LEADCORE_SHORTEST_LOOK 3600000000LL
    #define LEADCORE_LONGEST_LOOK 31557600000000LL
    #define LEADCORE_MOST_ROOM 1000000000000LL
    """
    const int64_t SHORTEST_LOOK "LEADCORE_SHORTEST_LOOK"  # an hour
    const int64_t LONGEST_LOOK "LEADCORE_LONGEST_LOOK"  # a year
    const int64_t MOST_ROOM "LEADCORE_MOST_ROOM"  # micropoints, where no threshold is near

cdef enum:
    MOST_STAGES = 256     # spec 11
    MOST_MOVES = 1_000_000
    LIFE_OK = 0
    LIFE_NO_MEMORY = -1
    LIFE_TOO_MANY_MOVES = -2
    LIFE_STOPPED = -3     # by the flag of the run

cdef struct history_t:
    # One lead's rows, as the caller brought them together.
    const shape_t* shape
    const uint64_t* records
    const key_t* keys
    int64_t events_size
    const int64_t* acts_start     # by hit set
    const act_t* acts
    const int64_t* since          # of each row of attributes, ascending
    const uint32_t* attributes    # its hit set
    int64_t attributes_size
    const int64_t* says_start     # by lead hit set
    const say_t* says
    ground_t* ground              # of these hit sets, or NULL
    int64_t birth                 # INT64_MAX: never
    int32_t stage                 # stage at birth
    int64_t end

cdef struct life_t:
    reach_t reach
    log_t log
    grid_t grid
    const int32_t* stop   # the run's flag: not 0 asks to stop
    bint changes          # whether every change of a score is written down
    int64_t* values       # by criterion, at the evaluation before
    int64_t* before       # by score, at the evaluation before
    int64_t* passed_over  # by rule
    uint8_t* falls        # by score: whether it rises at events only, as long as attributes stay
    uint8_t* steady       # by stage: see `falls_steady`
    int64_t manual_current
    int64_t manual_unknown
    # of the lead at hand
    int64_t place         # in the result
    int32_t stage         # -1: none
    int64_t entered
    int64_t timer         # next of the stage's timers
    int64_t moves
    int64_t visits[256]
    uint8_t left[256]     # stages left in this evaluation
    bint leaving          # whether there are any
    bint withheld         # a rule was passed over in the last evaluation
    int64_t evaluated     # when it was last
    bint falling          # it is quiet since all scores in question fall: only room and depth are kept, no bounds
    bint quiet            # up to `until` nothing can happen but by an event, a change of attributes or a timer
    int64_t until
    double room           # by how much bounds of scores may widen, or scores rise, before that has to be asked again
    double depth          # how far scores may be lowered while `falling`
    int64_t stride        # how far ahead the last look could see
    int64_t now           # it was brought to
    int64_t event         # next of its events
    int64_t row           # next of its rows of attributes
    int64_t grid_next     # grid instant not looked at yet, as far as known


cdef inline int life_start(life_t* f, const plan_t* p) noexcept nogil:
    """Make the work space of one thread; -1 when memory runs out."""
    cdef int64_t i
    memset(f, 0, sizeof(life_t))
    f.values = <int64_t*> calloc(<size_t> p.criteria_size + 1, sizeof(int64_t))
    f.before = <int64_t*> calloc(<size_t> p.scores_size + 1, sizeof(int64_t))
    f.passed_over = <int64_t*> calloc(<size_t> p.rules_size + 1, sizeof(int64_t))
    f.falls = <uint8_t*> calloc(<size_t> p.scores_size + 1, 1)
    f.steady = <uint8_t*> calloc(<size_t> p.stages_size + 1, 1)
    if reach_start(&f.reach, p) or not (f.values and f.before and f.passed_over and f.falls and f.steady):
        life_free(f)
        return LIFE_NO_MEMORY
    falls_start(f.falls, p)
    for i in range(p.stages_size):
        f.steady[i] = falls_steady(p, &p.stages[i])
    return LIFE_OK


cdef inline void life_free(life_t* f) noexcept nogil:
    log_free(&f.log)
    reach_free(&f.reach)
    free(f.values)
    free(f.before)
    free(f.passed_over)
    free(f.falls)
    free(f.steady)
    memset(f, 0, sizeof(life_t))


cdef inline int life_enter(
    life_t* f, lead_t* a, const plan_t* p, int32_t to, int32_t rule, int32_t cause, int64_t event, int64_t now
) noexcept nogil:
    """Write a transition down and begin the stay."""
    cdef move_t* move = log_move(&f.log, p.scores_size)
    if move == NULL:
        return LIFE_NO_MEMORY
    move.lead = f.place
    move.at = now
    move.event = event
    move.from_stage = f.stage
    move.to_stage = to
    move.rule = rule
    move.cause = cause
    memcpy(
        f.log.scores + (f.log.moves_size - 1) * p.scores_size, a.scores, <size_t> p.scores_size * sizeof(int64_t)
    )
    if f.stage >= 0:
        f.left[f.stage] = 1
        f.leaving = True
    f.moves += 1
    if f.moves > MOST_MOVES:
        return LIFE_TOO_MANY_MOVES
    f.stage = to
    f.entered = now
    f.timer = 0
    f.visits[to] += 1
    a.age = 0
    a.visits = f.visits[to]
    return LIFE_OK


cdef inline int32_t life_rule(life_t* f, lead_t* a, const plan_t* p, bint event) noexcept nogil:
    """The first rule that fires now, or -1; rules with ``on`` take part where an event is at hand (spec 8.5)."""
    cdef const stage_t* stage = &p.stages[f.stage]
    cdef int64_t first = stage.rules if event else stage.free
    cdef int64_t size = stage.rules_size if event else stage.free_size, i
    cdef const rule_t* rule
    cdef span_t when
    for i in range(first, first + size):
        rule = &p.rules[p.leaving[i]]
        if rule.on >= 0 and not a.happened[rule.on]:
            continue
        if rule.after and a.age < rule.after:
            continue
        if rule.when_size:
            when.begin = rule.when
            when.size = rule.when_size
            if not lead_holds(a, p, when):
                continue
        if f.left[rule.to]:
            f.passed_over[p.leaving[i]] += 1
            f.withheld = True
            continue
        return p.leaving[i]
    return -1


cdef inline int32_t life_moved_most(life_t* f, lead_t* a, const plan_t* p, int64_t which) noexcept nogil:
    """The criterion behind a score's change: of its criteria the one that moved most, of its components likewise."""
    cdef const score_t* s = &p.scores[which]
    cdef int64_t i, j
    cdef int32_t found = -1, best = -1
    cdef wide_t most = wide_of(0), moved
    while s.parts_size:
        best = -1
        most = wide_of(0)
        for i in range(s.parts, s.parts + s.parts_size):
            moved = wide_sub(
                wide_times_millionths(a.scores[p.parts[i].score], p.parts[i].factor),
                wide_times_millionths(f.before[p.parts[i].score], p.parts[i].factor),
            )
            if wide_less(moved, wide_of(0)):
                moved = wide_sub(wide_of(0), moved)
            if wide_less(most, moved):
                most = moved
                best = p.parts[i].score
        if best < 0:
            return -1
        s = &p.scores[best]
    most = wide_of(0)
    for i in range(s.groups, s.groups + s.groups_size):
        for j in range(p.groups[i].criteria, p.groups[i].criteria + p.groups[i].criteria_size):
            moved = wide_sub(wide_of(lead_criterion(a, &p.criteria[j])), wide_of(f.values[j]))
            if wide_less(moved, wide_of(0)):
                moved = wide_sub(wide_of(0), moved)
            if wide_less(most, moved):
                most = moved
                found = <int32_t> j
    return found


cdef inline int life_note(life_t* f, lead_t* a, const plan_t* p, int32_t cause, int64_t event, int64_t now) noexcept nogil:
    """Write every changed score down, and remember this evaluation for the next."""
    cdef int64_t i
    cdef change_t* change
    for i in range(p.scores_size):
        if a.scores[i] == f.before[i]:
            continue
        change = log_change(&f.log)
        if change == NULL:
            return LIFE_NO_MEMORY
        change.lead = f.place
        change.at = now
        change.event = event
        change.cause = cause
        change.score = <int32_t> i
        change.before = f.before[i]
        change.after = a.scores[i]
        change.criterion = life_moved_most(f, a, p, i)
    memcpy(f.before, a.scores, <size_t> p.scores_size * sizeof(int64_t))
    for i in range(p.criteria_size):
        f.values[i] = lead_criterion(a, &p.criteria[i])
    return LIFE_OK


cdef inline int life_evaluate(
    life_t* f, lead_t* a, const plan_t* p, int32_t cause, int32_t manual, int64_t event, int64_t now
) noexcept nogil:
    """One evaluation (spec 8.5); with cause ``manual`` the lead goes to stage ``manual`` first, at birth into it."""
    cdef const threshold_t* threshold
    cdef int64_t i
    cdef int fault = lead_refresh(a, p, now)
    cdef int32_t rule
    cdef bint at_hand = cause == CAUSE_EVENT
    for i in range(p.thresholds_size):
        threshold = &p.thresholds[i]
        if not a.reached[i]:
            a.reached[i] = a.scores[threshold.score] >= threshold.at
        elif not threshold.latch:
            a.reached[i] = a.scores[threshold.score] >= threshold.release
    f.withheld = False
    f.quiet = False
    f.evaluated = now
    if f.leaving:
        memset(f.left, 0, sizeof(f.left))
        f.leaving = False
    a.age = now - f.entered
    if f.changes and not fault:
        fault = life_note(f, a, p, cause, event, now)
    if manual >= 0 and not fault:
        fault = life_enter(f, a, p, manual, -1, cause, event, now)
        at_hand = False
    while not fault:
        rule = life_rule(f, a, p, at_hand)
        if rule < 0:
            break
        fault = life_enter(f, a, p, p.rules[rule].to, rule, cause, event, now)
        at_hand = False
    return fault


cdef inline bint life_in_reach(life_t* f, lead_t* a, const plan_t* p, int64_t now, bint event) noexcept nogil:
    """Whether, by the bounds, a threshold might move or a rule fire: at any time, or at the event of ``now``."""
    cdef const stage_t* stage = &p.stages[f.stage]
    cdef const threshold_t* threshold
    cdef const rule_t* rule
    cdef int64_t first = stage.rules if event else stage.free
    cdef int64_t size = stage.rules_size if event else stage.free_size, i
    cdef span_t when
    for i in range(p.thresholds_size):
        threshold = &p.thresholds[i]
        if not a.reached[i]:
            if f.reach.scores[threshold.score].high >= threshold.at:
                return True
        elif not threshold.latch and f.reach.scores[threshold.score].low < threshold.release:
            return True
    for i in range(first, first + size):
        rule = &p.rules[p.leaving[i]]
        if rule.on >= 0 and not a.happened[rule.on]:
            continue
        if rule.after and now - f.entered < rule.after:
            continue  # its end has an evaluation of its own, and no stretch goes beyond it
        when.begin = rule.when
        when.size = rule.when_size
        if rule.when_size == 0 or reach_holds(&f.reach, a, p, when) != NO:
            return True
    return False


cdef inline bint life_served(const life_t* f, const lead_t* a, const plan_t* p) noexcept nogil:
    """Whether a rule waits for the event at hand."""
    cdef const stage_t* stage = &p.stages[f.stage]
    cdef int64_t i
    cdef int32_t on
    for i in range(stage.rules, stage.rules + stage.rules_size):
        on = p.rules[p.leaving[i]].on
        if on >= 0 and a.happened[on]:
            return True
    return False


cdef inline void life_settle(life_t* f, lead_t* a, const plan_t* p, int64_t now) noexcept nogil:
    """Widen the bounds of a quiet lead as far as it stays quiet, so that few events have to ask again."""
    cdef const threshold_t* threshold
    cdef int64_t i, most = MOST_ROOM, margin, by
    f.quiet = True
    f.room = 0
    for i in range(p.thresholds_size):
        threshold = &p.thresholds[i]
        if p.scores[threshold.score].still or (a.reached[i] and threshold.latch):
            continue
        if not a.reached[i]:
            margin = threshold.at - 1 - f.reach.scores[threshold.score].high
        else:
            margin = f.reach.scores[threshold.score].low - threshold.release
        if margin < most:
            most = margin
    by = 0
    for i in range(3):
        reach_widen(&f.reach, a, p, most - by)
        by = most
        if not life_in_reach(f, a, p, now, False):
            f.room = <double> most
            return
        most //= 8
    reach_widen(&f.reach, a, p, -by)


cdef inline bint life_falls(life_t* f, lead_t* a, const plan_t* p) noexcept nogil:
    """Whether all that thresholds are asked of a lead just evaluated falls; how far it may rise yet."""
    cdef const threshold_t* threshold
    cdef int64_t i, most = MOST_ROOM
    if f.withheld or not f.steady[f.stage]:
        return False
    f.depth = INFINITY
    for i in range(p.thresholds_size):
        threshold = &p.thresholds[i]
        if p.scores[threshold.score].still or (a.reached[i] and threshold.latch):
            continue
        if not f.falls[threshold.score]:
            return False
        if a.reached[i]:
            f.depth = 0  # not known yet
        elif threshold.at - 1 - a.scores[threshold.score] < most:
            most = threshold.at - 1 - a.scores[threshold.score]
    f.room = <double> most - falls_slack(a, p)
    return f.room >= 0


cdef inline double life_depth(const life_t* f, const lead_t* a, const plan_t* p) noexcept nogil:
    """How far, by the bounds, the lowest score lies above the release of its threshold."""
    cdef const threshold_t* threshold
    cdef double least = INFINITY, margin
    cdef int64_t i
    for i in range(p.thresholds_size):
        threshold = &p.thresholds[i]
        if a.reached[i] and not threshold.latch and not p.scores[threshold.score].still:
            margin = <double> (f.reach.scores[threshold.score].low - threshold.release)
            if margin < least:
                least = margin
    return least


cdef inline void life_look(life_t* f, lead_t* a, const plan_t* p, int64_t now) noexcept nogil:
    """See how long the lead will be quiet: for ever, or as far as it pays to look."""
    cdef int64_t i
    f.falling = f.evaluated == now and life_falls(f, a, p)
    if f.falling and f.depth > 0:  # nothing that is reached can be lost
        f.quiet = True
        f.until = EVER
        return
    for i in range(2):
        f.until = now + f.stride if f.stride < LONGEST_LOOK else EVER
        if not life_may_move(f, a, p, now, f.until):
            if f.falling:
                f.quiet = True
                f.depth = life_depth(f, a, p)
            else:
                life_settle(f, a, p, now)
            f.stride *= 2 if f.stride < LONGEST_LOOK else 1
            return
        if f.withheld or f.stride <= SHORTEST_LOOK:
            return
        f.stride //= 8


cdef inline bint life_may_move(life_t* f, lead_t* a, const plan_t* p, int64_t now, int64_t until) noexcept nogil:
    """Whether an evaluation in (now, until], without an event, might do anything; the lead was refreshed at ``now``."""
    if f.withheld:
        return True
    reach_find(&f.reach, a, p, now, until, f.entered)
    return life_in_reach(f, a, p, now, False)


cdef inline int64_t life_watch(life_t* f, lead_t* a, const plan_t* p, int64_t now, int64_t first, int64_t last) noexcept nogil:
    """The first grid instant of ``first`` to ``last`` that has to be evaluated, INT64_MAX if none has.

    The lead was refreshed at ``now``, before ``first``. Its clock moves to what was found to be of no interest: where no
    instant has to be evaluated, to ``last``.
    """
    cdef int64_t until, middle
    while first <= last:
        until = last
        while life_may_move(f, a, p, now, until):
            if until == first:
                return first
            middle = grid_from(&f.grid, first + (until - first) // 2)
            if middle >= until:
                middle = grid_before(&f.grid, until)
            until = middle
        if lead_refresh(a, p, until):
            return first  # what went wrong is seen there
        if until == last:
            return INT64_MAX
        now = until
        first = grid_from(&f.grid, until + 1)
    return INT64_MAX


cdef inline int64_t life_identity(const history_t* h, const uint64_t* record) noexcept nogil:
    """What the log says of the event at hand."""
    return <int64_t> record_order(h.shape, record) if h.shape.identities else -1


cdef inline int life_take(
    life_t* f, lead_t* a, const plan_t* p, const history_t* h, int64_t e, bint evaluate, int64_t timer
) noexcept nogil:
    """Let one event act and, unless it lies before birth, evaluate.

    While the lead is quiet the bounds say whether there is anything to evaluate; but not where the time in stage is up
    at this very instant, ``timer``.
    """
    cdef const uint64_t* record = h.records + h.keys[e].place * h.shape.stride
    cdef uint32_t hits = record_hits(record)
    cdef int64_t i, begin = h.acts_start[hits], end = h.acts_start[hits + 1], now = h.keys[e].at, points
    cdef int32_t manual = -1
    cdef int fault = 0
    cdef const act_t* act
    cdef bint leaves = False
    if now >= timer:
        f.quiet = False
    if begin == end and f.quiet:
        return LIFE_OK
    for i in range(begin, end):
        act = &h.acts[i]
        if act.act <= ACT_ADD_PER:
            points = lead_points(p, act, h.shape, record)
            fault |= lead_take(a, p, act, h.shape, record, points)
            if f.quiet and f.falling:
                falls_add(p, act.fold, act.act == ACT_RESET, points, &f.room, &f.depth)
            elif f.quiet:
                f.room -= reach_act(&f.reach, a, p, act.fold, act.act == ACT_RESET, points, now)
        elif act.act == ACT_LEAF:
            a.happened[act.fold] = 1
            leaves = True
        elif evaluate:
            manual = <int32_t> act.points
            if manual < 0:
                f.manual_unknown += 1
            elif manual == f.stage:
                f.manual_current += 1
                manual = -1
    if evaluate and not fault:
        if f.quiet and f.falling:
            f.quiet = f.room >= 0 and f.depth >= 0 and not (leaves and life_served(f, a, p))
        elif f.quiet and f.room < 0:
            reach_conclude(&f.reach, a, p)
            if life_in_reach(f, a, p, now, False):
                f.quiet = False
            else:
                life_settle(f, a, p, now)
        if not f.quiet or manual >= 0 or (leaves and not f.falling and life_in_reach(f, a, p, now, True)):
            fault = life_evaluate(
                f, a, p, CAUSE_EVENT if manual < 0 else CAUSE_MANUAL, manual, life_identity(h, record), now
            )
    if leaves:
        for i in range(begin, end):
            if h.acts[i].act == ACT_LEAF:
                a.happened[h.acts[i].fold] = 0
    return fault


cdef inline int life_pass(
    life_t* f, lead_t* a, const plan_t* p, const history_t* h, int64_t limit, int64_t* e
) noexcept nogil:
    """Let the events before ``limit`` act, from ``e`` on, as long as the lead is quiet since its scores fall.

    Ends before an event that does more than to act on folds, where that matters in its stage.
    """
    cdef const uint64_t* record
    cdef bint served = p.stages[f.stage].free_size < p.stages[f.stage].rules_size
    cdef const act_t* act
    cdef int64_t i, begin, end, points
    cdef uint32_t hits
    cdef int fault = 0
    while e[0] < h.events_size and h.keys[e[0]].at < limit and not f.stop[0]:
        record = h.records + h.keys[e[0]].place * h.shape.stride
        hits = record_hits(record)
        begin = h.acts_start[hits]
        end = h.acts_start[hits + 1]
        while end > begin and h.acts[end - 1].act > ACT_ADD_PER:
            if served or h.acts[end - 1].act != ACT_LEAF:
                return LIFE_OK
            end -= 1
        for i in range(begin, end):
            act = &h.acts[i]
            points = lead_points(p, act, h.shape, record)
            fault |= lead_take(a, p, act, h.shape, record, points)
            falls_add(p, act.fold, act.act == ACT_RESET, points, &f.room, &f.depth)
        e[0] += 1
        if fault:
            return fault
        if f.room < 0 or f.depth < 0:
            return life_evaluate(f, a, p, CAUSE_EVENT, -1, life_identity(h, record), record_at(record))
    return LIFE_OK


cdef inline void life_say(life_t* f, lead_t* a, const plan_t* p, const history_t* h, int64_t row) noexcept nogil:
    """Put a row of attributes in force; -1: all are null."""
    cdef uint32_t hits = h.attributes[row] if row >= 0 else 0
    f.reach.anew = True
    lead_say(a, p, h.says + h.says_start[hits], h.says_start[hits + 1] - h.says_start[hits])
    if h.ground != NULL and a.touched_size == 0:
        ground_take(h.ground, a, p, hits)


cdef inline void life_unborn(life_t* f, lead_t* a, const plan_t* p) noexcept nogil:
    """A lead without events, before its birth."""
    lead_clear(a, p)
    memset(a.reached, 0, <size_t> p.thresholds_size)
    memset(f.visits, 0, <size_t> p.stages_size * sizeof(int64_t))
    f.stage = -1
    f.entered = 0
    f.evaluated = INT64_MIN
    f.moves = 0
    f.timer = 0
    f.withheld = False


cdef inline int life_begin(life_t* f, lead_t* a, const plan_t* p, const history_t* h) noexcept nogil:
    """Take a lead through its birth, if that is not after the end."""
    cdef int fault = 0
    life_unborn(f, a, p)
    f.quiet = False
    f.stride = LONGEST_LOOK
    f.event = 0
    f.row = 0
    f.grid_next = INT64_MIN
    while f.row < h.attributes_size and h.since[f.row] <= h.birth and h.since[f.row] <= h.end:
        f.row += 1
    life_say(f, a, p, h, f.row - 1)
    if h.birth > h.end:
        return LIFE_OK
    if f.changes:
        memset(f.values, 0, <size_t> p.criteria_size * sizeof(int64_t))
        memset(f.before, 0, <size_t> p.scores_size * sizeof(int64_t))
    while not fault and f.event < h.events_size and h.keys[f.event].at < h.birth:
        if f.stop[0]:
            return LIFE_STOPPED
        fault = life_take(f, a, p, h, f.event, False, INT64_MAX)
        f.event += 1
    f.now = h.birth
    return fault if fault else life_evaluate(f, a, p, CAUSE_BIRTH, h.stage, -1, h.birth)


cdef inline int life_resume(life_t* f, lead_t* a, const plan_t* p, const history_t* h, int64_t now) noexcept nogil:
    """Go on from a lead in a stage that was brought to ``now``; its history holds what comes later, and its attributes."""
    f.quiet = False
    f.evaluated = INT64_MIN
    f.stride = LONGEST_LOOK
    f.now = now
    f.event = 0
    f.row = 0
    f.grid_next = grid_from(&f.grid, now + 1) if f.grid.every else INT64_MAX
    while f.row < h.attributes_size and h.since[f.row] <= now:
        f.row += 1
    life_say(f, a, p, h, f.row - 1)
    return lead_refresh(a, p, now)


cdef inline int64_t life_timer(const life_t* f, const plan_t* p) noexcept nogil:
    """When the next time in stage is up, INT64_MAX where none is."""
    cdef const stage_t* stage = &p.stages[f.stage]
    return f.entered + p.timers[stage.timers + f.timer] if f.timer < stage.timers_size else INT64_MAX


cdef inline int64_t life_due(life_t* f, lead_t* a, const plan_t* p) noexcept nogil:
    """No evaluation after now and before this instant does anything without an event or a change of attributes.

    The lead was brought to ``f.now``. Where the grid ends before, that is its end.
    """
    cdef int64_t timer, grid
    if f.stage < 0:
        return INT64_MAX
    timer = life_timer(f, p)
    if f.grid.every == 0:
        return timer
    if not f.quiet or f.until <= f.now:
        f.quiet = False
        life_look(f, a, p, f.now)
    if f.quiet and f.until >= EVER:
        return timer
    grid = grid_from(&f.grid, (f.until if f.quiet else f.now) + 1)
    if grid == INT64_MAX and f.grid.size:
        grid = f.grid.pieces[f.grid.size - 1].stop
    return timer if timer < grid else grid


cdef inline int64_t life_limit(const life_t* f, int64_t change, int64_t timer, int64_t to) noexcept nogil:
    """The first instant that events alone do not decide, of a quiet lead."""
    cdef int64_t limit = change if change < timer else timer
    if limit > to:
        limit = to + 1
    return limit if limit <= f.until else f.until + 1


cdef inline int life_go(life_t* f, lead_t* a, const plan_t* p, const history_t* h, int64_t to) noexcept nogil:
    """Take a lead on to ``to`` (at most the end), where its scores are brought to."""
    cdef int64_t e = f.event, row = f.row, now = f.now, limit, change, event, timer, grid = f.grid_next
    cdef int64_t begun
    cdef int fault = 0
    while not fault and f.stage >= 0:
        if f.stop[0]:
            return LIFE_STOPPED
        change = h.since[row] if row < h.attributes_size else INT64_MAX
        event = h.keys[e].at if e < h.events_size else INT64_MAX
        timer = life_timer(f, p)
        limit = change if change < event else event
        if timer < limit:
            limit = timer
        if f.quiet and limit > f.until and f.until < to:  # that was as far as it could be seen
            f.quiet = False
            if f.grid.every:
                now = f.until
                f.evaluated = now  # that would do nothing
                fault = lead_refresh(a, p, now)
                continue
        elif not f.quiet and not f.changes:
            life_look(f, a, p, now)
            if f.quiet:
                continue
        if f.quiet and f.falling and event == limit and event < life_limit(f, change, timer, to):
            begun = e
            fault = life_pass(f, a, p, h, life_limit(f, change, timer, to), &e)
            if e > begun:
                now = h.keys[e - 1].at
                continue
        if f.grid.every and not f.quiet:
            if grid < now:
                grid = grid_from(&f.grid, now)
            if grid == now and limit > now and not f.withheld and not f.changes:  # just evaluated
                grid = grid_from(&f.grid, now + 1)
            if grid < limit and grid <= to:
                if not f.changes:
                    limit = grid_before(&f.grid, limit if limit <= to else to + 1)
                    grid = life_watch(f, a, p, now, grid, limit)
                    if grid == INT64_MAX:
                        now = limit
                        grid = grid_from(&f.grid, limit + 1)
                        continue
                now = grid
                grid = grid_from(&f.grid, now + 1)
                fault = life_evaluate(f, a, p, CAUSE_GRID, -1, -1, now)
                continue
        if limit > to:
            break
        now = limit
        if change == limit:
            life_say(f, a, p, h, row)
            row += 1
            fault = life_evaluate(f, a, p, CAUSE_ATTRIBUTE, -1, -1, now)
        elif event == limit:
            fault = life_take(f, a, p, h, e, True, timer)
            e += 1
        else:
            f.timer += 1
            fault = life_evaluate(f, a, p, CAUSE_TIMER, -1, -1, now)
    f.event = e
    f.row = row
    f.now = to
    f.grid_next = grid
    return fault if fault else lead_refresh(a, p, to)


cdef inline int life_run(life_t* f, lead_t* a, const plan_t* p, const history_t* h) noexcept nogil:
    """Replay one lead from birth to the end, then bring its scores to the end."""
    cdef int fault = life_begin(f, a, p, h)
    return fault if fault else life_go(f, a, p, h, h.end)
