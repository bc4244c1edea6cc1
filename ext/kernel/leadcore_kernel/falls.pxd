"""Scores that rise at events only: what needs no bounds to know that a threshold is not moved.

Where all that a score is made of falls between events, or stays, two numbers do for it: how far it may rise to a threshold,
and how far it may be lowered above the release of one that was reached. Events take from them; whatever is used up is
evaluated. All other scores have bounds (`reach`).
"""

from libc.stdint cimport int32_t, int64_t, uint8_t

from leadcore_kernel.layout cimport (
    COND_AGE_AT_LEAST, COND_GRADE_IN, COND_LABEL_IN, COND_RATING_IN, COND_SCORE_AT_LEAST, DECAY_NONE, DECAY_STEPS,
    FOLD_EVENT, fold_spec_t, group_t, rule_t, score_t, stage_t,
)
from leadcore_kernel.lead cimport lead_t
from leadcore_kernel.plan cimport plan_t


cdef inline bint fold_falls(const fold_spec_t* s) noexcept nogil:
    """Whether a fold's value never rises without an event, up to rounding."""
    if s.kind != FOLD_EVENT:
        return False
    return s.decay == DECAY_NONE or (s.sign > 0 and s.decay != DECAY_STEPS)


cdef inline void falls_start(uint8_t* falls, const plan_t* p) noexcept nogil:
    """Which scores rise at events only, as long as attributes stay: all they are made of falls, or stays, or is added."""
    cdef const score_t* s
    cdef const group_t* g
    cdef int64_t k, i, j
    cdef bint all
    for k in range(p.scores_size):
        s = &p.scores[p.order[k]]
        all = True
        for i in range(s.groups, s.groups + s.groups_size):
            g = &p.groups[i]
            all = all and g.fade < 0 and g.weight >= 0
            for j in range(g.criteria, g.criteria + g.criteria_size):
                all = all and (p.criteria[j].fold < 0 or fold_falls(&p.folds[p.criteria[j].fold]))
        for i in range(s.parts, s.parts + s.parts_size):
            all = all and p.parts[i].factor >= 0 and falls[p.parts[i].score]
        falls[p.order[k]] = all


cdef inline double falls_slack(const lead_t* a, const plan_t* p) noexcept nogil:
    """How far rounding alone may raise a score whose folds fall (`reach_ever`)."""
    cdef const group_t* g
    cdef double slack = 0
    cdef int64_t k, value
    for k in range(a.touched_size):
        g = &p.groups[p.folds[a.touched[k]].group]
        value = a.folded[a.touched[k]]
        slack += <double> (((value if value >= 0 else -(value + 1)) >> 30) + 4) * g.lever + g.slack
    return slack


cdef inline void falls_add(
    const plan_t* p, int64_t which, bint reset, int64_t points, double* room, double* depth
) noexcept nogil:
    """Take from ``room`` how far an event may raise a score whose folds fall, from ``depth`` how far it may lower it."""
    cdef const group_t* g = &p.groups[p.folds[which].group]
    if reset:
        room[0] = depth[0] = -1
    elif points > 0:
        room[0] -= <double> (points + (points >> 30) + 1) * g.lever + g.slack
        depth[0] -= g.lever + g.slack  # rounding
    else:
        room[0] -= g.lever + g.slack
        depth[0] -= <double> ((-points >> 30) + 1 - points) * g.lever + g.slack


cdef inline bint falls_steady(const plan_t* p, const stage_t* stage) noexcept nogil:
    """Whether all that the rules of a stage ask for stays as it is until there is an event, a timer or a threshold moves.

    Grades, ratings and labels are taken for what moves, whatever they are made of.
    """
    cdef const rule_t* rule
    cdef int64_t i, j
    cdef int32_t op
    for i in range(stage.rules, stage.rules + stage.rules_size):
        rule = &p.rules[p.leaving[i]]
        for j in range(rule.when, rule.when + rule.when_size):
            op = p.conditions[j].op
            if op == COND_SCORE_AT_LEAST and p.scores[p.conditions[j].arg].still:
                continue
            if (
                op == COND_SCORE_AT_LEAST or op == COND_GRADE_IN or op == COND_RATING_IN or op == COND_LABEL_IN
                or op == COND_AGE_AT_LEAST
            ):
                return False
    return True
