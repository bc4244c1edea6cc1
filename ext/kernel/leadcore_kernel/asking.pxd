"""Questions to a lead that change nothing: its scores, where it stands, and whether its image is sound."""

from libc.stdint cimport INT64_MAX, INT64_MIN, int32_t, int64_t

from leadcore_kernel.facts cimport facts_t
from leadcore_kernel.image cimport codes_t
from leadcore_kernel.keep cimport (
    HAS_ADOPTION, HAS_BASE, HAS_PENDING, KEEP_DAMAGED, KEEP_FOLDED, KEEP_TOO_EARLY, image_t, keep_t,
)
from leadcore_kernel.lead cimport lead_evaluate
from leadcore_kernel.lifecycle cimport life_begin, life_resume, life_unborn
from leadcore_kernel.plan cimport plan_t
from leadcore_kernel.recall cimport (
    keep_adopt, keep_attributes, keep_birth, keep_fold, keep_go, keep_history, keep_thaw,
)
from leadcore_kernel.sorting cimport compare_traits, keep_here, keep_sort
from leadcore_kernel.telling cimport keep_read_moves


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
        if not fault and w.plan.stages_size and w.life.stage < 0 and not (
            m.flags & HAS_ADOPTION and w.adopted.at > m.base_at
        ):
            return KEEP_DAMAGED
    if not fault and m.head.at < m.head.end:
        fault = keep_thaw(w, m.head, m.told, &codes)
        if not fault and w.plan.stages_size and w.life.stage != stage:
            return KEEP_DAMAGED
    return fault
