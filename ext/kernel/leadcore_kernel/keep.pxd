"""One lead of a ledger: its image read, facts taken, the lead brought on, what that told, its image written (spec 10.2).

An image holds rows of attributes, the events that may still be asked again, the log of moves told, and two states: the
*base*, which is behind every event kept, and the *head*, which is where the lead stands. Facts later than the head are
taken by the head alone; any other makes the lead go from its base once more, and what comes out otherwise than it was
told is told. Both are the same loop as a replay's, so the state is a function of the set of facts, not of their order.
"""

from libc.stdint cimport INT64_MAX, INT64_MIN, int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, qsort
from libc.string cimport memcmp, memcpy, memset

from leadcore_kernel.acts cimport acts_most, acts_of
from leadcore_kernel.bytes cimport (
    FIRST_INSTANT, LAST_INSTANT, bytes_clear, bytes_free, bytes_int, bytes_piece, bytes_put, bytes_room, bytes_section, bytes_t,
    bytes_uint, bytes_when, read_below, read_bytes, read_int, read_section, read_size, read_uint, read_when, reader_t,
)
from leadcore_kernel.facts cimport (
    DIGEST, digest_code, digests_read, fact_equal, fact_order, fact_same_id, fact_t, facts_add, facts_clear,
    facts_free, facts_hits, facts_t, facts_trait, grown, key_valid, owner_order, read_facts, read_traits, trait_t, write_fact,
    write_trait,
)
from leadcore_kernel.image cimport code_mapped, codes_t, state_freeze, state_thaw
from leadcore_kernel.layout cimport ACT_ADD_PER, CAUSE_MANUAL, act_t, say_t
from leadcore_kernel.lead cimport lead_act, lead_evaluate, lead_free, lead_refresh, lead_say, lead_start, lead_t
from leadcore_kernel.lifecycle cimport (
    LIFE_NO_MEMORY, LIFE_OK, LIFE_STOPPED, history_t, life_begin, life_due, life_free, life_go, life_resume,
    life_start, life_t, life_unborn,
)
from leadcore_kernel.log cimport move_t
from leadcore_kernel.order cimport key_t
from leadcore_kernel.plan cimport plan_t
from leadcore_kernel.store cimport shape_t, store_shape

cdef enum:
    KEEP_OK = 0
    KEEP_NO_MEMORY = -1       # as LIFE_*
    KEEP_TOO_MANY_MOVES = -2
    KEEP_STOPPED = -3
    KEEP_DAMAGED = -4
    KEEP_CONFLICT = -5        # two events of one id that differ
    KEEP_TOO_EARLY = -6       # asked for before what is kept
    KEEP_FOLDED = 4           # so many events behind the floor are worth a new base

cdef enum:
    HAS_BASE = 1
    HAS_ADOPTION = 2
    HAS_PENDING = 4           # facts later than the head

cdef struct told_t:
    # A move, as the log has it.
    int64_t lead
    int64_t at
    int64_t key               # of the event at hand, among the log's bytes
    int32_t key_size          # 0: there is none, or it has no id
    int32_t from_stage
    int32_t to_stage
    int32_t rule
    int32_t cause
    int32_t ordinal           # how many earlier moves of the lead are like it
    int32_t change            # 1: new, -1: withdrawn, 0: as it stands
    int32_t pad

cdef struct adoption_t:
    # A lead taken over in a stage: it is born there, and then.
    int64_t at
    int64_t entered
    int32_t stage
    int64_t visits[256]
    uint8_t reached[4096]     # thresholds: 0 no, 1 yes, 2 as its score says then

cdef struct image_t:
    # An image taken apart; the readers stand before their sections.
    int64_t flags
    int64_t told              # where the head stands, INT64_MIN: nowhere yet
    int64_t newest            # newest event told, ever
    int64_t created
    int64_t begun             # its earliest fact
    int64_t latest            # its latest, told or not; of an image just written
    int64_t base_at
    int64_t kept              # events kept
    int64_t fold_from         # when the newest event less `late` is later than this, there is enough to fold; or INT64_MIN
    reader_t traits
    reader_t adoption
    reader_t digests
    reader_t base
    reader_t facts
    reader_t moves
    reader_t head

cdef struct keep_t:
    const plan_t* plan
    lead_t lead
    life_t life
    facts_t facts
    shape_t shape
    int64_t late              # -1: all is kept
    const uint32_t* nulls     # hits of attributes that are all null
    int64_t nulls_size
    # input of one lead
    image_t image
    int64_t created           # told by the call; INT64_MAX: nothing
    bint lean                 # the facts kept are not needed, nor read
    bint absorbed             # facts that were kept are others now: the lead goes from its base again
    bint anew                 # the facts of the call are all there are
    # its history
    uint64_t* records
    int64_t records_room
    key_t* keys
    int64_t keys_room
    int64_t* acts_start
    int64_t starts_room
    act_t* acts
    int64_t acts_room
    int64_t* since
    int64_t since_room
    uint32_t* hits
    int64_t hits_room
    int64_t* says_start
    int64_t says_room
    say_t* says
    int64_t said_room
    history_t history
    int64_t* order            # facts of the history
    int64_t order_room
    uint32_t* map
    int64_t map_room
    # output
    int64_t live              # newest event up to where the lead was brought, of those at hand
    bytes_t out
    bytes_t part
    bytes_t base
    bytes_t moves             # log of the image
    bytes_t events            # events of the image
    bytes_t bytes             # keys of the log
    told_t* log
    int64_t log_size
    int64_t log_room
    int64_t* scores           # of each move of the log
    int64_t scores_room
    told_t* old
    int64_t old_size
    int64_t old_room
    int64_t* old_scores
    int64_t old_scores_room
    adoption_t adopted
    int64_t conflict          # row of the event that differs
    int64_t twins             # events and retractions told again
    int64_t lates
    int64_t due
    int64_t open_stage
    int64_t open_entered
    int64_t* before           # scores as last told
    uint8_t* reached          # thresholds as last told


cdef inline void keep_free(keep_t* w) noexcept nogil:
    if w.plan != NULL:
        lead_free(&w.lead, w.plan)
    life_free(&w.life)
    facts_free(&w.facts)
    free(w.records)
    free(w.keys)
    free(w.acts_start)
    free(w.acts)
    free(w.since)
    free(w.hits)
    free(w.says_start)
    free(w.says)
    free(w.order)
    free(w.map)
    bytes_free(&w.out)
    bytes_free(&w.part)
    bytes_free(&w.base)
    bytes_free(&w.moves)
    bytes_free(&w.events)
    bytes_free(&w.bytes)
    free(w.log)
    free(w.scores)
    free(w.old)
    free(w.old_scores)
    free(w.before)
    free(w.reached)
    memset(w, 0, sizeof(keep_t))


cdef inline int keep_start(keep_t* w, const plan_t* p, int64_t codes, int64_t numbers) noexcept nogil:
    """Make the work space of one thread; -1 when memory runs out."""
    cdef int64_t room = 0
    memset(w, 0, sizeof(keep_t))
    if lead_start(&w.lead, p, True):
        return KEEP_NO_MEMORY
    w.plan = p
    w.shape = store_shape(True, False, <int32_t> codes, <int32_t> numbers)
    if (
        life_start(&w.life, p)
        or grown(<void**> &w.before, &room, p.scores_size + 1, sizeof(int64_t))
    ):
        keep_free(w)
        return KEEP_NO_MEMORY
    room = 0
    if grown(<void**> &w.reached, &room, p.thresholds_size + 1, 1):
        keep_free(w)
        return KEEP_NO_MEMORY
    return KEEP_OK


cdef inline void keep_clear(keep_t* w) noexcept nogil:
    """Begin with another lead; what was logged stays."""
    facts_clear(&w.facts)
    memset(&w.image, 0, sizeof(image_t))
    w.image.told = INT64_MIN
    w.image.newest = INT64_MIN
    w.image.created = INT64_MAX
    w.image.begun = INT64_MAX
    w.image.base_at = INT64_MIN
    w.image.fold_from = INT64_MIN
    w.created = INT64_MAX
    w.lean = False
    w.absorbed = False
    w.anew = False
    w.twins = 0
    w.lates = 0
    w.due = INT64_MAX
    w.live = INT64_MIN
    w.life.log.moves_size = 0
    w.life.stage = -1


cdef inline int64_t instant_or(int64_t at, int64_t none) noexcept nogil:
    return none if at == INT64_MIN else at


cdef inline int keep_open(keep_t* w, const uint8_t* data, int64_t size) noexcept nogil:
    """Take an image apart; no bytes are a lead nothing is known of."""
    cdef reader_t r
    cdef image_t* m = &w.image
    if size == 0:
        return KEEP_OK
    r.at = data
    r.end = data + size
    r.fault = False
    m.flags = read_below(&r, 8)
    m.told = read_when(&r, 0)
    m.newest = read_when(&r, 0)
    m.created = instant_or(read_when(&r, 0), INT64_MAX)
    m.begun = instant_or(read_when(&r, 0), INT64_MAX)
    m.base_at = read_when(&r, 0)
    m.kept = <int64_t> (read_uint(&r) & 0xFFFFFFFFFFFFULL)
    m.fold_from = read_when(&r, 0)
    m.traits = read_section(&r)
    m.adoption = read_section(&r)
    m.digests = read_section(&r)
    m.base = read_section(&r)
    m.facts = read_section(&r)
    m.moves = read_section(&r)
    m.head = read_section(&r)
    if (
        r.fault or r.at != r.end or (m.flags & HAS_BASE and (m.base_at == INT64_MIN or m.base_at >= m.told))
        or (m.told == INT64_MIN and m.head.at != m.head.end)
    ):
        return KEEP_DAMAGED
    if m.flags & HAS_ADOPTION and keep_adopted(w):
        return KEEP_DAMAGED
    return KEEP_OK


cdef inline int keep_adopted(keep_t* w) noexcept nogil:
    """Read how a lead was taken over; not 0 for damage."""
    cdef reader_t r = w.image.adoption
    cdef adoption_t* a = &w.adopted
    cdef const plan_t* p = w.plan
    cdef const uint8_t* bits
    cdef int64_t i, k, n
    memset(a.visits, 0, sizeof(a.visits))
    a.at = read_int(&r)
    a.stage = <int32_t> read_below(&r, p.stages_size)
    a.entered = read_int(&r)
    n = read_size(&r, 2)
    for i in range(n):
        k = read_below(&r, p.stages_size)
        if r.fault:
            return KEEP_DAMAGED
        a.visits[k] = read_below(&r, 1_000_001)
    bits = read_bytes(&r, p.thresholds_size)
    if (
        r.fault or r.at != r.end or p.thresholds_size > 4096 or a.at < FIRST_INSTANT or a.at > LAST_INSTANT
        or a.entered < FIRST_INSTANT or a.entered > a.at
    ):
        return KEEP_DAMAGED
    for i in range(p.thresholds_size):
        if bits[i] > 2:
            return KEEP_DAMAGED
        a.reached[i] = bits[i]
    return KEEP_OK


cdef inline int64_t keep_floor(const keep_t* w, int64_t newest) noexcept nogil:
    """Facts before this instant are too late."""
    if w.late < 0 or newest == INT64_MIN:
        return INT64_MIN
    return newest - w.late


# the log


cdef inline int log_told(
    told_t** log, int64_t* size, int64_t* room, int64_t** scores, int64_t* scores_room, int64_t width, told_t** found
) noexcept nogil:
    """Room for one move more and its scores; -1 when memory runs out."""
    if (
        grown(<void**> log, room, size[0] + 1, sizeof(told_t))
        or grown(<void**> scores, scores_room, (size[0] + 1) * width, sizeof(int64_t))
    ):
        return KEEP_NO_MEMORY
    found[0] = &log[0][size[0]]
    memset(found[0], 0, sizeof(told_t))
    size[0] += 1
    return KEEP_OK


cdef inline int keep_read_moves(keep_t* w, int64_t lead) noexcept nogil:
    """Read the log of an image into ``old``; keys go to the log's bytes."""
    cdef const plan_t* p = w.plan
    cdef reader_t r = w.image.moves
    cdef told_t* t
    cdef int64_t i, k
    cdef int32_t stage = -1
    cdef const uint8_t* key
    cdef int64_t before = INT64_MIN
    w.old_size = 0
    while r.at < r.end and not r.fault:
        if log_told(&w.old, &w.old_size, &w.old_room, &w.old_scores, &w.old_scores_room, p.scores_size, &t):
            return KEEP_NO_MEMORY
        t.lead = lead
        t.at = read_int(&r)
        t.from_stage = <int32_t> read_below(&r, p.stages_size + 1) - 1
        t.to_stage = <int32_t> read_below(&r, p.stages_size)
        t.rule = <int32_t> read_below(&r, p.rules_size + 1) - 1
        t.cause = <int32_t> read_below(&r, CAUSE_MANUAL + 1)
        k = read_size(&r, 1)
        key = read_bytes(&r, k)
        if r.fault or (k and not key_valid(key, k, True)) or t.at < before or t.at > LAST_INSTANT or t.at < FIRST_INSTANT:
            return KEEP_DAMAGED
        before = t.at
        t.key = w.bytes.size
        t.key_size = <int32_t> k
        bytes_put(&w.bytes, key, k)
        for i in range(p.scores_size):
            w.old_scores[(w.old_size - 1) * p.scores_size + i] = read_int(&r)
        stage = t.to_stage
    return KEEP_DAMAGED if r.fault else KEEP_NO_MEMORY if w.bytes.fault else KEEP_OK


cdef inline void write_move(bytes_t* b, const bytes_t* keys, const told_t* t, const int64_t* scores, int64_t width) noexcept nogil:
    cdef int64_t i
    bytes_int(b, t.at)
    bytes_uint(b, <uint64_t> (t.from_stage + 1))
    bytes_uint(b, <uint64_t> t.to_stage)
    bytes_uint(b, <uint64_t> (t.rule + 1))
    bytes_uint(b, <uint64_t> t.cause)
    bytes_uint(b, <uint64_t> t.key_size)
    bytes_put(b, keys.data + t.key, t.key_size)
    for i in range(width):
        bytes_int(b, scores[i])


cdef inline bint told_alike(const keep_t* w, const told_t* a, const told_t* b) noexcept nogil:
    """Whether two moves are one but for their scores."""
    return (
        a.at == b.at and a.from_stage == b.from_stage and a.to_stage == b.to_stage and a.rule == b.rule
        and a.cause == b.cause and a.key_size == b.key_size
        and (a.key_size == 0 or memcmp(w.bytes.data + a.key, w.bytes.data + b.key, <size_t> a.key_size) == 0)
    )


cdef inline void told_count(const keep_t* w, told_t* log, int64_t which) noexcept nogil:
    """Number a move among those of its instant that are like it."""
    cdef int64_t i = which - 1
    log[which].ordinal = 0
    while i >= 0 and log[i].at == log[which].at:
        if told_alike(w, &log[i], &log[which]):
            log[which].ordinal = log[i].ordinal + 1
            return
        i -= 1


cdef inline int keep_tell(keep_t* w, const told_t* t, const int64_t* scores, int32_t change) noexcept nogil:
    """Hand a move out."""
    cdef told_t* out
    cdef int64_t width = w.plan.scores_size
    if log_told(&w.log, &w.log_size, &w.log_room, &w.scores, &w.scores_room, width, &out):
        return KEEP_NO_MEMORY
    out[0] = t[0]
    out.change = change
    if width:
        memcpy(w.scores + (w.log_size - 1) * width, scores, <size_t> width * sizeof(int64_t))
    return KEEP_OK


# history


cdef inline int64_t keep_birth(const keep_t* w) noexcept nogil:
    """When the lead is born by what is known of it, INT64_MAX: never (spec 8.3)."""
    cdef int64_t birth = w.created if w.created < w.image.created else w.image.created, i
    cdef const facts_t* f = &w.facts
    for i in range(f.traits_size):
        if not f.traits[i].gone and f.traits[i].since != INT64_MIN and f.traits[i].since < birth:
            birth = f.traits[i].since
    for i in range(f.size):
        if not (f.items[i].dead or f.items[i].twin or f.items[i].late) and f.items[i].at < birth:
            birth = f.items[i].at
    return birth


cdef inline int keep_attributes(keep_t* w, history_t* h, bint kept) noexcept nogil:
    """Rows of attributes over time, all or those ``kept`` from before: of those of one instant the one that counts."""
    cdef const plan_t* p = w.plan
    cdef const facts_t* f = &w.facts
    cdef int64_t i, j, n = 0, total = 0, k, size
    cdef const uint32_t* ids
    for i in range(f.traits_size):
        for k in range(f.traits[i].ids, f.traits[i].ids + f.traits[i].ids_size):
            total += p.hit_says[f.ids[k]].size
    for k in range(w.nulls_size):
        total += p.hit_says[w.nulls[k]].size
    size = f.traits_size + 2
    if (
        grown(<void**> &w.since, &w.since_room, size, sizeof(int64_t))
        or grown(<void**> &w.hits, &w.hits_room, size, sizeof(uint32_t))
        or grown(<void**> &w.says_start, &w.says_room, size + 1, sizeof(int64_t))
        or grown(<void**> &w.says, &w.said_room, total + 1, sizeof(say_t))
    ):
        return KEEP_NO_MEMORY
    w.says_start[0] = 0
    w.says_start[1] = keep_spell(w, w.nulls, w.nulls_size, 0)
    for i in range(f.traits_size):  # sorted by `keep_sort_traits`: the row that counts comes first of its instant
        if f.traits[i].gone or (kept and f.traits[i].row >= 0) or (n and w.since[n - 1] == f.traits[i].since):
            continue
        w.since[n] = f.traits[i].since
        w.hits[n] = <uint32_t> n + 1
        w.says_start[n + 2] = keep_spell(w, f.ids + f.traits[i].ids, f.traits[i].ids_size, w.says_start[n + 1])
        n += 1
    h.since = w.since
    h.attributes = w.hits
    h.attributes_size = n
    h.says_start = w.says_start
    h.says = w.says
    return KEEP_OK


cdef inline int64_t keep_spell(keep_t* w, const uint32_t* ids, int64_t size, int64_t used) noexcept nogil:
    """What hits of a row of attributes say; where it ends among all that is said."""
    cdef const plan_t* p = w.plan
    cdef int64_t i
    for i in range(size):
        if p.hit_says[ids[i]].size:
            memcpy(w.says + used, p.says + p.hit_says[ids[i]].begin, <size_t> p.hit_says[ids[i]].size * sizeof(say_t))
            used += p.hit_says[ids[i]].size
    return used


cdef inline int keep_history(keep_t* w, int64_t after, int64_t to, const codes_t* mapped) noexcept nogil:
    """Spell out the events in (after, to] as rows of a replay, in canonical order."""
    cdef const plan_t* p = w.plan
    cdef const facts_t* f = &w.facts
    cdef const fact_t* e
    cdef history_t* h = &w.history
    cdef int64_t i, j, n = 0, total = 0, stride = w.shape.stride, used = 0
    cdef int32_t k, codes = w.shape.codes_size, numbers = w.shape.numbers_size
    cdef uint64_t* words
    cdef uint32_t code
    if grown(<void**> &w.order, &w.order_room, f.size + 1, sizeof(int64_t)):
        return KEEP_NO_MEMORY
    for i in range(f.size):
        e = &f.items[i]
        if e.dead or e.twin or e.late or e.at <= after or e.at > to:
            continue
        w.order[n] = i
        n += 1
        total += acts_most(p, f.ids + e.ids, e.ids_size)
    if (
        grown(<void**> &w.records, &w.records_room, n * stride + 1, sizeof(uint64_t))
        or grown(<void**> &w.keys, &w.keys_room, n + 1, sizeof(key_t))
        or grown(<void**> &w.acts_start, &w.starts_room, n + 1, sizeof(int64_t))
        or grown(<void**> &w.acts, &w.acts_room, total + 1, sizeof(act_t))
    ):
        return KEEP_NO_MEMORY
    for i in range(n):
        e = &f.items[w.order[i]]
        words = w.records + i * stride
        words[0] = <uint64_t> i
        words[1] = <uint64_t> e.at
        words[w.shape.identities] = <uint64_t> i << 32
        for k in range(codes):
            code = f.codes[e.place * codes + k]
            if mapped != NULL:
                code = mapped.map[code]
            j = w.shape.codes + (k >> 1)
            words[j] = words[j] | <uint64_t> code << 32 if k & 1 else code
        if numbers:
            memcpy(words + w.shape.numbers, f.numbers + e.place * numbers, <size_t> numbers * 8)
        w.keys[i].at = e.at
        w.keys[i].rank = 0
        w.keys[i].place = <uint32_t> i
        w.acts_start[i] = used
        used += acts_of(p, f.ids + e.ids, e.ids_size, w.acts + used)
    w.acts_start[n] = used
    h.shape = &w.shape
    h.records = w.records
    h.keys = w.keys
    h.events_size = n
    h.acts_start = w.acts_start
    h.acts = w.acts
    h.end = to
    return KEEP_OK


cdef inline int keep_fold(keep_t* w, int64_t to) noexcept nogil:
    """Without a lifecycle: let the events of the history act up to ``to``, and bring the scores there."""
    cdef history_t* h = &w.history
    cdef life_t* f = &w.life
    cdef const plan_t* p = w.plan
    cdef int64_t i, row = -1
    cdef int fault = 0
    while f.event < h.events_size and h.keys[f.event].at <= to:
        if f.event & 0xFFFF == 0 and f.stop[0]:
            return KEEP_STOPPED
        for i in range(h.acts_start[f.event], h.acts_start[f.event + 1]):
            if h.acts[i].act <= ACT_ADD_PER:
                fault |= lead_act(&w.lead, p, &h.acts[i], &w.shape, h.records + f.event * w.shape.stride)
        f.event += 1
    while row + 1 < h.attributes_size and h.since[row + 1] <= to:
        row += 1
    keep_say(w, row)
    f.now = to
    return fault | lead_refresh(&w.lead, p, to)


cdef inline void keep_say(keep_t* w, int64_t row) noexcept nogil:
    """Put a row of attributes in force; -1: all are null."""
    cdef history_t* h = &w.history
    cdef uint32_t hits = h.attributes[row] if row >= 0 else 0
    lead_say(&w.lead, w.plan, h.says + h.says_start[hits], h.says_start[hits + 1] - h.says_start[hits])


cdef inline int keep_adopt(keep_t* w) noexcept nogil:
    """Take a lead over: what was before counts for its scores and moves nothing."""
    cdef life_t* f = &w.life
    cdef lead_t* a = &w.lead
    cdef const plan_t* p = w.plan
    cdef const adoption_t* d = &w.adopted
    cdef int64_t i, events
    cdef int fault = keep_fold(w, d.at)
    events = f.event
    f.stage = d.stage
    f.entered = d.entered
    f.moves = 1
    memcpy(f.visits, d.visits, sizeof(f.visits))
    a.visits = f.visits[f.stage]
    for i in range(p.thresholds_size):
        a.reached[i] = d.reached[i] if d.reached[i] < 2 else a.scores[p.thresholds[i].score] >= p.thresholds[i].at
    f.timer = 0
    while f.timer < p.stages[f.stage].timers_size and f.entered + p.timers[p.stages[f.stage].timers + f.timer] <= d.at:
        f.timer += 1
    fault |= life_resume(f, a, p, &w.history, d.at)
    f.event = events
    return fault


cdef inline int keep_go(keep_t* w, int64_t to) noexcept nogil:
    """Bring a lead on."""
    if w.plan.stages_size == 0:
        return keep_fold(w, to)
    return life_go(&w.life, &w.lead, w.plan, &w.history, to)


cdef inline int keep_thaw(keep_t* w, reader_t section, int64_t at, codes_t* codes) noexcept nogil:
    """Take a state up, before any event of the history."""
    if state_thaw(&section, &w.life, &w.lead, w.plan, codes, at):
        return KEEP_NO_MEMORY
    w.life.event = 0
    return KEEP_DAMAGED if section.fault else KEEP_OK


# facts of a call among those kept


cdef inline int compare_facts(const void* a, const void* b) noexcept nogil:
    cdef const fact_t* one = <const fact_t*> a
    cdef const fact_t* other = <const fact_t*> b
    cdef int order = fact_order(one, other)
    if order:
        return order
    return (one.row > other.row) - (one.row < other.row)  # those kept come first


cdef inline int compare_ids(const void* a, const void* b) noexcept nogil:
    cdef const fact_t* one = (<const fact_t* const*> a)[0]
    cdef const fact_t* other = (<const fact_t* const*> b)[0]
    cdef int32_t common = one.key_size if one.key_size < other.key_size else other.key_size
    cdef int order = memcmp(one.key, other.key, <size_t> common)
    if order == 0:
        order = (one.key_size > other.key_size) - (one.key_size < other.key_size)
    return order if order else (one.row > other.row) - (one.row < other.row)


cdef inline int compare_traits(const void* a, const void* b) noexcept nogil:
    cdef const trait_t* one = <const trait_t*> a
    cdef const trait_t* other = <const trait_t*> b
    cdef int order
    if one.since != other.since:
        return -1 if one.since < other.since else 1
    order = owner_order(one, other)
    return order if order else (one.row > other.row) - (one.row < other.row)


cdef inline int keep_twins(keep_t* w) noexcept nogil:
    """Find events told again: equal ones count once, others are a conflict (spec 2.5)."""
    cdef facts_t* f = &w.facts
    cdef const fact_t** ids
    cdef fact_t* e
    cdef int64_t i, n = 0, room = 0, fresh = 0
    cdef void* memory = NULL
    for i in range(f.size):
        if f.items[i].key[0] and not f.items[i].late:
            n += 1
            fresh += f.items[i].row >= 0
    if fresh == 0 or n < 2:
        return KEEP_OK
    if grown(&memory, &room, n, sizeof(void*)):
        return KEEP_NO_MEMORY
    ids = <const fact_t**> memory
    n = 0
    for i in range(f.size):
        if f.items[i].key[0] and not f.items[i].late:
            ids[n] = &f.items[i]
            n += 1
    qsort(ids, <size_t> n, sizeof(void*), compare_ids)
    for i in range(1, n):
        if fact_same_id(ids[i - 1], ids[i]):
            e = <fact_t*> ids[i]
            if not fact_equal(ids[i - 1], e):
                w.conflict = e.row
                free(memory)
                return KEEP_CONFLICT
            e.twin = True
            w.twins += 1
    free(memory)
    return KEEP_OK


cdef inline int keep_sort(keep_t* w) noexcept nogil:
    """Put events in canonical order, and rows of attributes in theirs, those of the call after those kept."""
    cdef facts_t* f = &w.facts
    cdef int64_t i
    for i in range(1, f.size):
        if compare_facts(&f.items[i - 1], &f.items[i]) > 0:
            qsort(f.items, <size_t> f.size, sizeof(fact_t), compare_facts)
            break
    if f.traits_size > 1:
        qsort(f.traits, <size_t> f.traits_size, sizeof(trait_t), compare_traits)
    return KEEP_OK


cdef inline bint traits_alike(const facts_t* f, const trait_t* a, const trait_t* b) noexcept nogil:
    """Whether two rows say the same."""
    return a.ids_size == b.ids_size and memcmp(
        f.ids + a.ids, f.ids + b.ids, <size_t> a.ids_size * sizeof(uint32_t)
    ) == 0


cdef inline int keep_merge_traits(keep_t* w, int64_t floor, bint* again) noexcept nogil:
    """Let rows of the call replace those kept of the same instant and record.

    Rows that say what is said already change nothing; others may be too late, or make the lead go from its base again.
    """
    cdef facts_t* f = &w.facts
    cdef trait_t* t
    cdef trait_t* before
    cdef int64_t i, last = -1
    for i in range(f.traits_size):
        t = &f.traits[i]
        before = &f.traits[last] if last >= 0 else NULL
        if before != NULL and (before.since != t.since or owner_order(before, t)):
            before = NULL
        if t.row < 0:
            if not t.gone:
                last = i
            continue
        if t.created < floor and t.created < w.image.begun:
            t.late = True
            t.late_at = t.created
        if before != NULL and traits_alike(f, before, t):
            t.gone = True
        elif (w.image.begun if t.since == INT64_MIN else t.since) < floor:
            t.late = True
            t.late_at = t.since
        if t.late:
            t.gone = True
            w.lates += 1
            continue
        if t.created < w.created:
            w.created = t.created
        if t.gone:
            continue
        if before != NULL:
            before.gone = True
        last = i
        if w.image.told != INT64_MIN and t.since <= w.image.told:
            again[0] = True
    return KEEP_OK


cdef inline int64_t keep_end(const keep_t* w, int64_t clock, int64_t until) noexcept nogil:
    """How far the lead is brought: to the newest fact of the call up to ``until``, and at least to where it stood and the clock.

    Facts kept that lie further ahead are still to come.
    """
    cdef const facts_t* f = &w.facts
    cdef int64_t i, at, end = w.image.told if w.image.told > clock else clock
    for i in range(f.size):
        at = f.items[i].at
        if at > end and at <= until and f.items[i].row >= 0 and not (
            f.items[i].dead or f.items[i].late or f.items[i].twin
        ):
            end = at
    for i in range(f.traits_size):
        at = f.traits[i].since
        if at > end and at <= until and f.traits[i].row >= 0 and not f.traits[i].late:
            end = at
        at = f.traits[i].created
        if at != INT64_MAX and at > end and at <= until and f.traits[i].row >= 0 and not f.traits[i].late:
            end = at
    return end


cdef inline int keep_take(keep_t* w, const uint8_t* const* retracted, const int32_t* sizes, int64_t count,
                          int64_t* unknown) noexcept nogil:
    """Take events back by the keys of their ids."""
    cdef facts_t* f = &w.facts
    cdef int64_t i, k, found, floor = keep_floor(w, w.image.newest)
    for k in range(count):
        found = -1
        for i in range(f.size):
            if f.items[i].key_size == sizes[k] and memcmp(f.items[i].key, retracted[k], <size_t> sizes[k]) == 0:
                found = i
                break
        if found < 0 and w.image.begun >= floor:
            unknown[0] += 1
        elif found < 0 or f.items[found].at < floor:
            w.lates += 1
            w.conflict = k
        elif f.items[found].dead:
            w.twins += 1
        else:
            f.items[found].dead = True
            w.absorbed = True
    return KEEP_OK


cdef inline bint keep_here(const keep_t* w, int64_t at) noexcept nogil:
    """Whether the lead is there: one known from events alone is from its first event on (spec 2.6)."""
    cdef const facts_t* f = &w.facts
    cdef int64_t i
    if w.image.flags & HAS_BASE and not w.anew:
        return True
    for i in range(f.traits_size):
        if not f.traits[i].gone:
            return True
    for i in range(f.size):
        if f.items[i].at <= at and not (f.items[i].dead or f.items[i].twin or f.items[i].late):
            return True
    return False


cdef inline int keep_read(keep_t* w) noexcept nogil:
    """Read what facts the image keeps, after those of the call; where these are all there are, only events taken back."""
    cdef reader_t r = w.image.facts
    cdef facts_t* f = &w.facts
    cdef int64_t fresh = f.size, i
    if not w.lean and read_facts(f, &r, w.plan, w.shape.codes_size, w.shape.numbers_size):
        return KEEP_NO_MEMORY
    if r.fault:
        return KEEP_DAMAGED
    if w.anew:
        i = fresh
        while i < f.size:
            if f.items[i].dead:
                f.items[fresh] = f.items[i]
                fresh += 1
            i += 1
        f.size = fresh
    r = w.image.traits
    if read_traits(&w.facts, &r, w.plan):
        return KEEP_NO_MEMORY
    return KEEP_DAMAGED if r.fault else KEEP_OK


cdef inline bint keep_has_id(const keep_t* w) noexcept nogil:
    """Whether the facts kept have an event with an id of one of the call; also where they cannot be read."""
    cdef reader_t r = w.image.facts
    cdef const facts_t* f = &w.facts
    cdef int64_t i, k, n
    cdef const uint8_t* key
    while r.at < r.end:
        read_uint(&r)
        n = <int64_t> ((read_uint(&r) >> 1) & 0x7FFFFFFF)
        for i in range(n):
            read_uint(&r)
            if r.fault:
                return True
        k = read_size(&r, 1)
        key = read_bytes(&r, k)
        if r.fault or k == 0:
            return True
        if key[0]:
            read_bytes(&r, DIGEST)
            for i in range(f.size):
                if f.items[i].key_size == k and memcmp(f.items[i].key, key, <size_t> k) == 0:
                    return True
        for i in range(w.shape.codes_size):
            read_uint(&r)
        read_bytes(&r, w.shape.numbers_size * <int64_t> sizeof(double))
        if r.fault:
            return True
    return False


cdef inline bint keep_is_lean(const keep_t* w, int64_t until) noexcept nogil:
    """Whether the head alone can take the facts of the call: all are later, none is a repeat, and nothing is to be folded."""
    cdef const image_t* m = &w.image
    cdef const facts_t* f = &w.facts
    cdef const fact_t* e
    cdef int64_t i, newest = m.newest, oldest = INT64_MAX
    cdef bint ids = False
    if m.flags & HAS_PENDING or w.anew or w.absorbed or m.head.at == m.head.end or f.traits_size:
        return False
    for i in range(f.size):
        e = &f.items[i]
        if e.at <= m.told or e.at > until:
            return False
        ids = ids or e.key[0] != 0
        newest = e.at if e.at > newest else newest
        oldest = e.at if e.at < oldest else oldest
    if w.late >= 0 and newest != INT64_MIN:
        if oldest < newest - w.late or (m.fold_from != INT64_MIN and m.fold_from < newest - w.late):
            return False
    return not (ids and m.kept and keep_has_id(w))


cdef inline int keep_before(keep_t* w, codes_t* codes) noexcept nogil:
    """The head, at the instant it was told: scores and thresholds before the call."""
    cdef int fault
    cdef const plan_t* p = w.plan
    memset(w.before, 0, <size_t> p.scores_size * sizeof(int64_t))
    memset(w.reached, 0, <size_t> p.thresholds_size)
    if w.image.head.at == w.image.head.end:
        life_unborn(&w.life, &w.lead, p)
        return KEEP_OK
    fault = keep_thaw(w, w.image.head, w.image.told, codes)
    if fault:
        return fault
    if life_resume(&w.life, &w.lead, p, &w.history, w.image.told):
        return KEEP_NO_MEMORY
    memcpy(w.before, w.lead.scores, <size_t> p.scores_size * sizeof(int64_t))
    memcpy(w.reached, w.lead.reached, <size_t> p.thresholds_size)
    return KEEP_OK


cdef inline int keep_replay(keep_t* w, int64_t end, int64_t target, codes_t* codes, int64_t* base_at) noexcept nogil:
    """Go from the base, or from the beginning, to ``end``; the state at ``target`` is written as the next base."""
    cdef life_t* f = &w.life
    cdef const plan_t* p = w.plan
    cdef int fault
    cdef bint adopted = (w.image.flags & HAS_ADOPTION) != 0, based = base_at[0] != INT64_MIN
    fault = keep_history(w, base_at[0], end, codes)
    if fault:
        return fault
    f.log.moves_size = 0
    bytes_clear(&w.base)
    if based:
        fault = keep_thaw(w, w.image.base, base_at[0], codes)
        state_freeze(&w.base, f, &w.lead, p, base_at[0])  # its codes are others now
        adopted = adopted and f.stage < 0
        if not fault and not adopted and p.stages_size:
            fault = life_resume(f, &w.lead, p, &w.history, base_at[0])
    else:
        life_unborn(f, &w.lead, p)
        f.event = 0
    if adopted and not fault and target < w.adopted.at:
        if target > base_at[0]:
            fault = keep_fold(w, target)
            f.now = target
    else:
        if adopted and not fault:
            fault = keep_adopt(w)
            adopted = False
        elif not based and not fault and p.stages_size:
            w.history.stage = <int32_t> p.initial
            w.history.birth = keep_birth(w)
            fault = life_begin(f, &w.lead, p, &w.history)
            if f.stage < 0 or w.history.birth > target:
                target = INT64_MIN
        if not fault and target > base_at[0]:
            fault = keep_go(w, target)
    if not fault and target > base_at[0]:
        base_at[0] = target
        bytes_clear(&w.base)
        state_freeze(&w.base, f, &w.lead, p, target)
    if adopted and not fault:
        fault = keep_adopt(w)
    return fault if fault else keep_go(w, end)


cdef inline void keep_marks(keep_t* w) noexcept nogil:
    """Without a lifecycle thresholds are what the scores of the instant say (spec 6.5)."""
    cdef int64_t i
    cdef const plan_t* p = w.plan
    if p.stages_size == 0:
        for i in range(p.thresholds_size):
            w.lead.reached[i] = w.lead.scores[p.thresholds[i].score] >= p.thresholds[i].at


cdef inline int keep_map(keep_t* w, codes_t* codes) noexcept nogil:
    """Begin to number the lead's codes anew: those of facts that stay, and of states as they are thawed."""
    cdef facts_t* f = &w.facts
    cdef int64_t i, k, n = w.shape.codes_size
    cdef bint fault = False
    if grown(<void**> &w.map, &w.map_room, f.digests_size + 1, sizeof(uint32_t)):
        return KEEP_NO_MEMORY
    memset(w.map, 0, <size_t> (f.digests_size + 1) * sizeof(uint32_t))
    codes.map = w.map
    codes.size = f.digests_size
    codes.next = 1
    for i in range(f.size):
        if not (f.items[i].twin or f.items[i].late):
            for k in range(n):
                code_mapped(codes, f.codes[f.items[i].place * n + k], &fault)
    return KEEP_OK


cdef inline int keep_apply(keep_t* w, int64_t lead, int64_t clock, int64_t until) noexcept nogil:
    """Take the facts of the call and bring the lead on; the new image is in ``out``, what is told in the log.

    Not even the clock says when a lead is of whom only undated attributes are known: its image has no head.
    """
    cdef image_t* m = &w.image
    cdef facts_t* f = &w.facts
    cdef const plan_t* p = w.plan
    cdef int64_t floor = keep_floor(w, m.newest), i, end, newest = m.newest, base_at, folded = 0, fixed = 0, target
    cdef codes_t codes
    cdef fact_t* e
    cdef int fault
    cdef bint again = False, here
    codes.map = NULL
    codes.size = f.digests_size
    codes.next = 0
    if w.anew:
        floor = INT64_MIN
    for i in range(f.size):
        if f.items[i].row >= 0 and f.items[i].at < floor:
            f.items[i].late = True
            w.lates += 1
    fault = keep_twins(w)
    if not fault:
        fault = keep_sort(w)
    if not fault:
        fault = keep_attributes(w, &w.history, True)
    if not fault:
        fault = keep_before(w, &codes)
    if fault:
        return fault
    w.open_stage = w.life.stage
    w.open_entered = w.life.entered
    if w.anew:
        for i in range(f.traits_size):
            f.traits[i].gone = f.traits[i].row < 0
    fault = keep_merge_traits(w, floor, &again)
    if not fault:
        fault = keep_attributes(w, &w.history, False)
    if fault:
        return fault
    end = keep_end(w, clock, until)
    here = w.lean or keep_here(w, end)
    if not here:
        end = m.told
    for i in range(f.size):
        e = &f.items[i]
        if e.dead or e.twin or e.late or e.at > end:
            continue
        again = again or (e.row >= 0 and e.at <= m.told)
        newest = e.at if e.at > newest else newest
        w.live = e.at if e.at > w.live else w.live
    target = keep_floor(w, newest)
    if target != INT64_MIN:
        target -= 1
    for i in range(f.size):
        folded += f.items[i].at <= target and not (f.items[i].twin or f.items[i].late)
    again = (
        again or w.anew or w.absorbed or m.head.at == m.head.end or (p.stages_size and w.life.stage < 0)
        or folded >= KEEP_FOLDED or w.created < m.begun
    )
    base_at = INT64_MIN if w.anew else m.base_at
    bytes_clear(&w.out)
    bytes_clear(&w.base)
    if end == INT64_MIN or not here:
        life_unborn(&w.life, &w.lead, p)
        w.life.log.moves_size = 0
        again = True
        memset(w.lead.scores, 0, <size_t> p.scores_size * sizeof(int64_t))
    elif again:
        fault = keep_map(w, &codes)
        if not fault:
            fault = keep_replay(w, end, target if folded >= KEEP_FOLDED else INT64_MIN, &codes, &base_at)
    else:
        fault = keep_history(w, m.told, end, NULL)
        w.life.log.moves_size = 0
        if not fault:
            fault = life_resume(&w.life, &w.lead, p, &w.history, m.told)  # its attributes may be more now
        if not fault:
            fault = keep_go(w, end)
    if fault:
        return fault
    w.due = INT64_MAX
    if end != INT64_MIN and here:
        keep_marks(w)
        w.due = life_due(&w.life, &w.lead, p)
    fault = keep_log(w, lead, again)
    return fault if fault else keep_write(w, end, newest, base_at, again, here, &codes)


cdef inline int keep_log(keep_t* w, int64_t lead, bint again) noexcept nogil:
    """Compare the moves made with those told before, hand out the difference, and write the log of the image to `moves`."""
    cdef const plan_t* p = w.plan
    cdef image_t* m = &w.image
    cdef const move_t* move
    cdef const fact_t* e
    cdef told_t* t
    cdef int64_t width = p.scores_size, made = w.life.log.moves_size, fixed = 0, i, j, first, kept
    cdef int64_t bound = INT64_MIN if w.anew else m.base_at
    cdef int fault
    cdef bint same
    bytes_clear(&w.moves)
    w.old_size = 0
    if again:
        fault = keep_read_moves(w, lead)
        if fault:
            return fault
        if m.flags & HAS_ADOPTION and w.adopted.at > bound:
            bound = w.adopted.at
        while fixed < w.old_size and w.old[fixed].at <= bound:
            fixed += 1
    else:
        bytes_put(&w.moves, m.moves.at, m.moves.end - m.moves.at)
    kept = w.old_size
    for i in range(made):  # they go behind the old ones
        if log_told(&w.old, &w.old_size, &w.old_room, &w.old_scores, &w.old_scores_room, width, &t):
            return KEEP_NO_MEMORY
        move = &w.life.log.moves[i]
        t.lead = lead
        t.at = move.at
        t.from_stage = move.from_stage
        t.to_stage = move.to_stage
        t.rule = move.rule
        t.cause = move.cause
        t.key = w.bytes.size
        if move.event >= 0:
            e = &w.facts.items[w.order[move.event]]
            if e.key[0]:
                t.key_size = e.key_size
                bytes_put(&w.bytes, e.key, e.key_size)
        memcpy(w.old_scores + (kept + i) * width, w.life.log.scores + i * width, <size_t> width * 8)
    if w.bytes.fault:
        return KEEP_NO_MEMORY
    for i in range(fixed):
        write_move(&w.moves, &w.bytes, &w.old[i], w.old_scores + i * width, width)
    for i in range(kept, w.old_size):
        write_move(&w.moves, &w.bytes, &w.old[i], w.old_scores + i * width, width)
    if w.moves.fault:
        return KEEP_NO_MEMORY
    for i in range(fixed, kept):
        told_count(w, w.old + fixed, i - fixed)
    for i in range(made):
        told_count(w, w.old + kept, i)
    first = 0
    while first < made and fixed + first < kept:
        i = fixed + first
        j = kept + first
        if not (
            told_alike(w, &w.old[i], &w.old[j])
            and memcmp(w.old_scores + i * width, w.old_scores + j * width, <size_t> width * 8) == 0
        ):
            break
        first += 1
    if again:
        if fixed + first > 0:
            j = fixed + first - 1
            w.open_stage = w.old[j].to_stage
            w.open_entered = w.old[j].at
        elif m.flags & HAS_ADOPTION:
            w.open_stage = w.adopted.stage
            w.open_entered = w.adopted.entered
        else:
            w.open_stage = -1
            w.open_entered = 0
    keep_match(w, fixed + first, kept, kept + first)
    for i in range(fixed + first, kept):
        if keep_tell(w, &w.old[i], w.old_scores + i * width, w.old[i].change):
            return KEEP_NO_MEMORY
    for i in range(kept + first, w.old_size):
        if keep_tell(w, &w.old[i], w.old_scores + i * width, w.old[i].change):
            return KEEP_NO_MEMORY
    return KEEP_OK


cdef inline void keep_match(keep_t* w, int64_t first, int64_t middle, int64_t second) noexcept nogil:
    """Mark moves told before, [first, middle), and made now, from ``second`` on: 1 and -1 alone, 2 and -2 as before."""
    cdef int64_t i, j, begin = second, width = w.plan.scores_size
    for i in range(first, middle):
        w.old[i].change = -1
    for j in range(second, w.old_size):
        w.old[j].change = 1
    for i in range(first, middle):
        while begin < w.old_size and w.old[begin].at < w.old[i].at:
            begin += 1
        j = begin
        while j < w.old_size and w.old[j].at == w.old[i].at:
            if (
                w.old[j].change == 1 and w.old[j].ordinal == w.old[i].ordinal and told_alike(w, &w.old[i], &w.old[j])
                and memcmp(w.old_scores + i * width, w.old_scores + j * width, <size_t> width * 8) == 0
            ):
                w.old[i].change = -2
                w.old[j].change = 2
                break
            j += 1


cdef inline int keep_write(
    keep_t* w, int64_t end, int64_t newest, int64_t base_at, bint again, bint here, codes_t* codes
) noexcept nogil:
    """Put the image together; a lead that is not there has no head."""
    cdef image_t* m = &w.image
    cdef facts_t* f = &w.facts
    cdef const fact_t* e
    cdef const trait_t* t
    cdef bytes_t* out = &w.out
    cdef int64_t kept = m.kept if w.lean else 0, fold_from = m.fold_from if w.lean else INT64_MIN
    cdef int64_t i, floor = keep_floor(w, newest), begun = m.begun, latest = end
    cdef int64_t created = w.created if w.created < m.created else m.created
    cdef uint8_t* room
    bytes_clear(&w.part)
    if created < begun:
        begun = created
    for i in range(f.size):
        e = &f.items[i]
        if e.twin or e.late:
            continue
        if e.at < begun:
            begun = e.at
        if e.at > end and e.at < w.due and not e.dead:
            w.due = e.at
        if e.at > latest:
            latest = e.at
    for i in range(f.traits_size):
        t = &f.traits[i]
        if t.gone or t.since == INT64_MIN:
            continue
        if t.since < begun:
            begun = t.since
        if t.since > end and t.since < w.due:
            w.due = t.since
        if t.since > latest:
            latest = t.since
    if created > end and created < w.due:
        w.due = created
    if created != INT64_MAX and created > latest:
        latest = created
    bytes_clear(&w.events)
    if w.lean:
        bytes_put(&w.events, m.facts.at, m.facts.end - m.facts.at)
    for i in range(f.size):
        e = &f.items[i]
        if e.twin or e.late or e.at <= base_at or (e.dead and e.at < floor):
            continue
        write_fact(&w.events, f, e, w.shape.codes_size, w.shape.numbers_size, codes)
        kept += 1
        if kept == KEEP_FOLDED:
            fold_from = e.at
    bytes_uint(
        out, (<uint64_t> m.flags & HAS_ADOPTION) | (HAS_BASE if base_at != INT64_MIN else 0)
        | (HAS_PENDING if latest > end else 0)
    )
    bytes_when(out, 0, end)
    bytes_when(out, 0, newest)
    bytes_when(out, 0, INT64_MIN if created == INT64_MAX else created)
    bytes_when(out, 0, INT64_MIN if begun == INT64_MAX else begun)
    bytes_when(out, 0, base_at)
    bytes_uint(out, <uint64_t> kept)
    bytes_when(out, 0, fold_from)
    bytes_clear(&w.part)
    for i in range(f.traits_size):
        if not f.traits[i].gone:
            write_trait(&w.part, f, &f.traits[i])
    bytes_section(out, &w.part)
    bytes_piece(out, &m.adoption)
    if codes.map == NULL:
        bytes_uint(out, <uint64_t> (f.digests_size * DIGEST))
        bytes_put(out, f.digests, f.digests_size * DIGEST)
    else:
        bytes_uint(out, (<uint64_t> codes.next - 1) * DIGEST)
        room = bytes_room(out, (<int64_t> codes.next - 1) * DIGEST)
        if room != NULL:
            for i in range(1, f.digests_size + 1):
                if codes.map[i]:
                    memcpy(room + (<int64_t> codes.map[i] - 1) * DIGEST, f.digests + (i - 1) * DIGEST, DIGEST)
    if again:
        bytes_section(out, &w.base)
    else:
        bytes_piece(out, &m.base)
    bytes_section(out, &w.events)
    bytes_section(out, &w.moves)
    bytes_clear(&w.part)
    if end != INT64_MIN and here:
        state_freeze(&w.part, &w.life, &w.lead, w.plan, end)
    bytes_section(out, &w.part)
    m.told = end
    m.newest = newest
    m.begun = begun
    m.latest = latest
    return KEEP_NO_MEMORY if out.fault else KEEP_OK


# questions


cdef inline int keep_prepare(keep_t* w, int64_t at, bint later) noexcept nogil:
    """Take the latest state up to ``at`` up, with the history of what follows; ``later``: also attributes after it."""
    cdef image_t* m = &w.image
    cdef const plan_t* p = w.plan
    cdef codes_t codes
    cdef int64_t since = INT64_MIN
    cdef int fault = keep_sort(w)
    codes.map = NULL
    codes.size = w.facts.digests_size
    codes.next = 0
    if not fault:
        fault = keep_attributes(w, &w.history, False)
    while not later and w.history.attributes_size and w.history.since[w.history.attributes_size - 1] > at:
        w.history.attributes_size -= 1
    if fault:
        return fault
    if m.head.at < m.head.end and at >= m.told:
        since = m.told
        fault = keep_thaw(w, m.head, since, &codes)
    elif m.flags & HAS_BASE:
        if at < m.base_at:
            return KEEP_TOO_EARLY
        since = m.base_at
        fault = keep_thaw(w, m.base, since, &codes)
    else:
        life_unborn(&w.life, &w.lead, p)
        w.life.event = 0
    w.life.log.moves_size = 0
    w.life.now = since
    return fault if fault else keep_history(w, since, at, NULL)


cdef inline int keep_score(keep_t* w, int64_t at, int64_t* lines) noexcept nogil:
    """Scores, grades, rating and label at an instant; ``lines`` (or NULL) takes the explanation."""
    cdef int fault = keep_prepare(w, at, True)
    if not fault:
        fault = keep_fold(w, at)
    return fault if fault else lead_evaluate(&w.lead, w.plan, at, lines)


cdef inline int keep_stand(keep_t* w, int64_t at) noexcept nogil:
    """The lead as it stands at an instant by the rules of its lifecycle, facts up to then alone."""
    cdef const plan_t* p = w.plan
    cdef int fault = keep_prepare(w, at, False)
    cdef bint adopted = (w.image.flags & HAS_ADOPTION) != 0 and w.life.stage < 0
    if fault or p.stages_size == 0:
        return fault if fault else keep_fold(w, at)
    if adopted and at < w.adopted.at:
        return KEEP_TOO_EARLY
    if adopted:
        fault = keep_adopt(w)
    elif w.life.stage >= 0:
        fault = life_resume(&w.life, &w.lead, p, &w.history, w.life.now)
    else:
        w.history.stage = <int32_t> p.initial
        w.history.birth = keep_birth(w)
        fault = life_begin(&w.life, &w.lead, p, &w.history)
    return fault if fault else keep_go(w, at)


cdef inline int keep_check(keep_t* w) noexcept nogil:
    """Whether an image, its facts read, is one that was written here: all of it can be read, and its parts agree."""
    cdef image_t* m = &w.image
    cdef facts_t* f = &w.facts
    cdef codes_t codes
    cdef int64_t i
    cdef int32_t stage = -1
    cdef int fault = keep_attributes(w, &w.history, False)
    codes.map = NULL
    codes.size = f.digests_size
    codes.next = 0
    if fault:
        return fault
    if m.newest > m.told or (m.flags & HAS_ADOPTION and w.adopted.at > m.told) or (
        m.told != INT64_MIN and m.head.at == m.head.end and keep_here(w, m.told)
    ):
        return KEEP_DAMAGED
    m.latest = m.told
    if m.created != INT64_MAX and m.created > m.latest:
        m.latest = m.created
    if m.created < m.begun or m.newest < m.base_at or m.kept != f.size:
        return KEEP_DAMAGED
    for i in range(f.size):
        if f.items[i].at <= m.base_at or f.items[i].at < m.begun or (f.items[i].at <= m.told and f.items[i].at > m.newest
                                                                     and not f.items[i].dead):
            return KEEP_DAMAGED
        if f.items[i].at > m.latest:
            m.latest = f.items[i].at
    for i in range(f.traits_size):
        if f.traits[i].since != INT64_MIN and f.traits[i].since < m.begun:
            return KEEP_DAMAGED
        if f.traits[i].since > m.latest:
            m.latest = f.traits[i].since
        if i and compare_traits(&f.traits[i - 1], &f.traits[i]) >= 0:
            return KEEP_DAMAGED
    if ((m.flags & HAS_PENDING) != 0) != (m.latest > m.told) or m.fold_from != (
        f.items[KEEP_FOLDED - 1].at if f.size >= KEEP_FOLDED else INT64_MIN
    ):
        return KEEP_DAMAGED
    fault = keep_read_moves(w, 0)
    if fault:
        return fault
    for i in range(w.old_size):
        if w.old[i].from_stage != stage or w.old[i].at > m.told:
            return KEEP_DAMAGED
        stage = w.old[i].to_stage
    if m.flags & HAS_BASE:
        fault = keep_thaw(w, m.base, m.base_at, &codes)
    if not fault and m.head.at < m.head.end:
        fault = keep_thaw(w, m.head, m.told, &codes)
        if not fault and w.plan.stages_size and w.life.stage != stage:
            return KEEP_DAMAGED
    return fault
