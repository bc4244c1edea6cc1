"""What a lead remembers as the history of a replay: events in canonical order, attributes over time, states taken up."""

from libc.stdint cimport INT64_MAX, INT64_MIN, int32_t, int64_t, uint32_t, uint64_t
from libc.string cimport memcpy

from leadcore_kernel.acts cimport acts_most, acts_of
from leadcore_kernel.bytes cimport reader_t
from leadcore_kernel.facts cimport fact_t, facts_t, grown
from leadcore_kernel.image cimport codes_t, state_thaw
from leadcore_kernel.keep cimport KEEP_DAMAGED, KEEP_NO_MEMORY, KEEP_OK, KEEP_STOPPED, adoption_t, keep_t
from leadcore_kernel.layout cimport ACT_ADD_PER, act_t, say_t
from leadcore_kernel.lead cimport lead_act, lead_refresh, lead_say, lead_t
from leadcore_kernel.lifecycle cimport history_t, life_go, life_resume, life_t
from leadcore_kernel.order cimport key_t
from leadcore_kernel.plan cimport plan_t


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
