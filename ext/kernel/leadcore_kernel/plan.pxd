"""A compiled model as the kernel sees it: pointers into record tables that Python made and owns."""

from libc.stdint cimport int32_t, int64_t, uint8_t

from leadcore_kernel.fold cimport tables_t
from leadcore_kernel.layout cimport (
    act_t, cond_t, criterion_t, fold_spec_t, group_t, part_t, rule_t, say_t, score_t, span_t, stage_t,
    threshold_t,
)

cdef struct plan_t:
    tables_t tables
    const fold_spec_t* folds
    int64_t folds_size
    const criterion_t* criteria
    int64_t criteria_size
    const group_t* groups
    int64_t groups_size
    const part_t* parts
    const score_t* scores
    int64_t scores_size
    const int32_t* order          # scores, each after those it combines
    const int64_t* grades         # bounds, descending, by score
    const int32_t* rating         # scores whose grades make the rating
    int64_t rating_size
    const span_t* labels          # condition programs
    int64_t labels_size           # 0: no labels; else one label more than programs
    const cond_t* conditions
    const uint8_t* members        # which grades or ratings are in a set
    const threshold_t* thresholds
    int64_t thresholds_size
    const span_t* hit_acts        # by event hit id
    int64_t hits_size
    const act_t* acts
    int64_t acts_size
    const span_t* hit_says        # by lead hit id
    int64_t lead_hits_size
    const say_t* says
    int64_t values_size           # attribute criteria
    int64_t leaves_size           # conditions on attributes
    int64_t lines_size            # lines of an explanation
    const stage_t* stages
    int64_t stages_size
    int64_t initial
    const rule_t* rules
    int64_t rules_size
    const int32_t* leaving        # rules, by stage
    const int64_t* timers         # lengths of `after`, by stage
    int64_t happenings_size       # conditions on events
    bint labelled                 # whether a rule asks for the label
