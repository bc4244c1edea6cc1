"""Facts taken: the lead brought on from its head or from its base, and its new image written (spec 10.2)."""

from libc.stdint cimport INT64_MAX, INT64_MIN, int32_t, int64_t, uint32_t, uint64_t, uint8_t
from libc.string cimport memcmp, memcpy, memset

from leadcore_kernel.bytes cimport (
    bytes_clear, bytes_piece, bytes_put, bytes_room, bytes_section, bytes_t, bytes_uint, bytes_when, read_bytes,
    read_size, read_uint, reader_t,
)
from leadcore_kernel.facts cimport DIGEST, fact_t, facts_t, grown, trait_t, write_fact, write_trait
from leadcore_kernel.image cimport code_mapped, codes_t, state_freeze
from leadcore_kernel.keep cimport (
    HAS_ADOPTION, HAS_BASE, HAS_PENDING, KEEP_FOLDED, KEEP_NO_MEMORY, KEEP_OK, image_t, keep_floor, keep_t,
)
from leadcore_kernel.lifecycle cimport life_begin, life_due, life_resume, life_t, life_unborn
from leadcore_kernel.plan cimport plan_t
from leadcore_kernel.recall cimport (
    keep_adopt, keep_attributes, keep_birth, keep_fold, keep_go, keep_history, keep_thaw,
)
from leadcore_kernel.sorting cimport keep_end, keep_here, keep_merge_traits, keep_sort, keep_twins
from leadcore_kernel.telling cimport keep_log


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
    if w.plan.stages_size and m.head.at[0] == 0:  # no stage: it takes all facts to say whether the lead is born now
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
