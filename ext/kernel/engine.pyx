"""The engine: rows into a store, every lead's scores out (spec 4 to 7)."""

from libc.stdint cimport INT64_MAX, int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcmp, memcpy, memset

import numpy as np

from leadcore._kernel.records import DTYPES as _DTYPES

from leadcore_kernel.fold cimport fold_advance, fold_value
from leadcore_kernel.layout cimport (
    ACT_ADD_PER, ACT_RESET, act_t, band_t, cond_t, criterion_t, fold_spec_t, group_t, part_t, piece_t, rule_t, say_t,
    score_t, span_t, stage_t, step_t, threshold_t, zone_t,
)
from leadcore_kernel.lifecycle cimport (
    LIFE_STOPPED, LIFE_TOO_MANY_MOVES, history_t, life_free, life_run, life_start, life_t,
)
from leadcore_kernel.log cimport change_t, move_t
from leadcore_kernel.lead cimport lead_act, lead_clear, lead_evaluate, lead_free, lead_say, lead_start, lead_t
from leadcore_kernel.plan cimport plan_t
from leadcore_kernel.space cimport space_free, space_gather, space_line_up, space_t
from leadcore_kernel.store cimport (
    record_hits, record_row, shape_t, store_free, store_push, store_shape, store_start, store_t,
)

BLOCK = 65_536

include "plan.pxi"
include "sets.pxi"
include "store.pxi"
include "scoring.pxi"
include "replay.pxi"
