"""The dtypes of plan records, derived from the structs of `leadcore_kernel/layout.pxd`."""

import numpy as np

from leadcore_kernel.layout cimport (
    VERSION, act_t, band_t, cond_t, criterion_t, fold_spec_t, group_t, part_t, piece_t, rule_t, say_t, score_t, span_t,
    stage_t, step_t, threshold_t, zone_t,
)
from leadcore_kernel.keep cimport told_t
from leadcore_kernel.log cimport change_t, move_t

cdef act_t _act
cdef band_t _band
cdef change_t _change
cdef cond_t _cond
cdef criterion_t _criterion
cdef fold_spec_t _fold
cdef group_t _group
cdef move_t _move
cdef part_t _part
cdef piece_t _piece
cdef rule_t _rule
cdef say_t _say
cdef score_t _score
cdef span_t _span
cdef stage_t _stage
cdef step_t _step
cdef threshold_t _threshold
cdef told_t _told
cdef zone_t _zone

LAYOUT_VERSION = VERSION
DTYPES = {
    "act": np.asarray(<act_t[:1]> &_act).dtype,
    "band": np.asarray(<band_t[:1]> &_band).dtype,
    "change": np.asarray(<change_t[:1]> &_change).dtype,
    "cond": np.asarray(<cond_t[:1]> &_cond).dtype,
    "criterion": np.asarray(<criterion_t[:1]> &_criterion).dtype,
    "fold": np.asarray(<fold_spec_t[:1]> &_fold).dtype,
    "group": np.asarray(<group_t[:1]> &_group).dtype,
    "move": np.asarray(<move_t[:1]> &_move).dtype,
    "part": np.asarray(<part_t[:1]> &_part).dtype,
    "piece": np.asarray(<piece_t[:1]> &_piece).dtype,
    "rule": np.asarray(<rule_t[:1]> &_rule).dtype,
    "say": np.asarray(<say_t[:1]> &_say).dtype,
    "score": np.asarray(<score_t[:1]> &_score).dtype,
    "span": np.asarray(<span_t[:1]> &_span).dtype,
    "stage": np.asarray(<stage_t[:1]> &_stage).dtype,
    "step": np.asarray(<step_t[:1]> &_step).dtype,
    "told": np.asarray(<told_t[:1]> &_told).dtype,
    "threshold": np.asarray(<threshold_t[:1]> &_threshold).dtype,
    "zone": np.asarray(<zone_t[:1]> &_zone).dtype,
}
