"""The log of moves told of a lead: read, compared with what holds now, and written."""

from libc.stdint cimport INT64_MIN, int32_t, int64_t, uint64_t, uint8_t
from libc.string cimport memcmp, memcpy, memset

from leadcore_kernel.bytes cimport (
    FIRST_INSTANT, LAST_INSTANT, bytes_clear, bytes_int, bytes_put, bytes_t, bytes_uint, read_below, read_bytes,
    read_int, read_size, reader_t,
)
from leadcore_kernel.facts cimport fact_t, grown, key_valid
from leadcore_kernel.keep cimport HAS_ADOPTION, KEEP_DAMAGED, KEEP_NO_MEMORY, KEEP_OK, image_t, keep_t, told_t
from leadcore_kernel.layout cimport CAUSE_MANUAL
from leadcore_kernel.log cimport move_t
from leadcore_kernel.plan cimport plan_t


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
