"""One lead of a ledger in one thread's hands: its image taken apart, and everything worked out about it (spec 10.2).

An image holds rows of attributes, the events that may still be asked again, the log of moves told, and two states: the
*base*, which is behind every event kept, and the *head*, which is where the lead stands. Facts later than the head are
taken by the head alone; any other makes the lead go from its base once more, and what comes out otherwise than it was
told is told. Both are the same loop as a replay's, so the state is a function of the set of facts, not of their order.

`recall` spells facts out as the rows of a replay, `sorting` puts those of a call among those kept, `applying` brings the
lead on and writes its new image, `telling` keeps the log of moves, `asking` answers without changing anything.
"""

from libc.stdint cimport INT64_MAX, INT64_MIN, int32_t, int64_t, uint32_t, uint64_t, uint8_t
from libc.stdlib cimport free
from libc.string cimport memset

from leadcore_kernel.bytes cimport (
    FIRST_INSTANT, LAST_INSTANT, bytes_free, bytes_t, read_below, read_bytes, read_int, read_section, read_size,
    read_uint, read_when, reader_t,
)
from leadcore_kernel.facts cimport facts_clear, facts_free, facts_t, grown
from leadcore_kernel.layout cimport act_t, say_t
from leadcore_kernel.lead cimport lead_free, lead_start, lead_t
from leadcore_kernel.lifecycle cimport history_t, life_free, life_start, life_t
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
    KEEP_TOO_LONG = -7        # a score stays too near to a threshold to be foreseen
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
