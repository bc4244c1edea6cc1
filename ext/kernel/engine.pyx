"""The engine: rows into a store, every lead's scores out (spec 4 to 7)."""

cimport cython
from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.datetime cimport (
    PyDateTime_CheckExact, PyDateTime_DATE_GET_HOUR, PyDateTime_DATE_GET_MICROSECOND, PyDateTime_DATE_GET_MINUTE,
    PyDateTime_DATE_GET_SECOND, PyDateTime_GET_DAY, PyDateTime_GET_MONTH, PyDateTime_GET_YEAR, datetime_tzinfo, get_utc,
    import_datetime,
)
from cpython.dict cimport PyDict_CheckExact, PyDict_GetItemWithError
from cpython.exc cimport PyErr_Clear
from cpython.float cimport PyFloat_AS_DOUBLE, PyFloat_CheckExact
from cpython.long cimport PyLong_CheckExact
from cpython.object cimport PyObject
from cpython.ref cimport Py_DECREF, Py_INCREF
from cpython.unicode cimport PyUnicode_CheckExact
from libc.math cimport NAN
from libc.stdint cimport INT64_MAX, INT64_MIN, int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memcmp, memcpy, memset

from os import urandom

import numpy as np

from leadcore._kernel.records import DTYPES as _DTYPES

from leadcore_kernel.acts cimport acts_most, acts_of
from leadcore_kernel.bytes cimport bytes_clear, bytes_int, bytes_put, bytes_section, bytes_t, bytes_uint, bytes_when
from leadcore_kernel.cell cimport cell_size, cell_t
from leadcore_kernel.facts cimport (
    DIGEST, digest_code, digests_read, fact_t, facts_add, facts_free, facts_hits, facts_t, facts_trait, grown, trait_t,
)
from leadcore_kernel.foresee cimport foresee_crossing, foresee_stage
from leadcore_kernel.applying cimport keep_apply, keep_is_lean, keep_marks
from leadcore_kernel.asking cimport keep_check, keep_score, keep_stand
from leadcore_kernel.keep cimport (
    HAS_ADOPTION, KEEP_DAMAGED, KEEP_NO_MEMORY, KEEP_OK, KEEP_STOPPED, KEEP_TOO_EARLY, keep_clear, keep_free,
    keep_open, keep_start, keep_t, told_t,
)
from leadcore_kernel.sorting cimport keep_here, keep_read, keep_take
from leadcore_kernel.telling cimport keep_read_moves, keep_tell, told_count
from leadcore_kernel.fold cimport fold_advance, fold_value
from leadcore_kernel.ground cimport ground_free, ground_start, ground_t, ground_take
from leadcore_kernel.layout cimport (
    ACT_ADD_PER, ACT_RESET, SAY_VALUE, act_t, band_t, cond_t, criterion_t, fold_spec_t, group_t, part_t, piece_t, rule_t,
    say_t, score_t, span_t, stage_t, step_t, threshold_t, zone_t,
)
from leadcore_kernel.lifecycle cimport (
    LIFE_STOPPED, LIFE_TOO_MANY_MOVES, history_t, life_free, life_run, life_start, life_t,
)
from leadcore_kernel.log cimport change_t, move_t
from leadcore_kernel.lead cimport (
    lead_act, lead_clear, lead_conclude, lead_evaluate, lead_free, lead_say, lead_scores,
    lead_start, lead_t,
)
from leadcore_kernel.plan cimport plan_t
from leadcore_kernel.space cimport space_free, space_gather, space_line_up, space_t
from leadcore_kernel.store cimport (
    page_t, record_hits, record_row, shape_t, store_code, store_drop, store_free, store_leads, store_local,
    store_partition, store_push, store_shape, store_start, store_t, store_used,
)
from leadcore_kernel.sums cimport (
    sums_add_all, sums_at, sums_clear, sums_free, sums_start, sums_t, sums_take, sums_values,
)
from leadcore_kernel.tally cimport (
    held_free, held_t, roll_free_place, roll_grow, roll_home, roll_remove, roll_t, said_new, said_t, tally_free, tally_look,
    tally_start, tally_still, tally_t, tally_take,
)

cdef enum:
    MOST_SUMS = 1 << 21       # of a partition's leads and folds, or they are walked: 64 MB a worker

cdef extern from *:
    """
    #if defined(__GNUC__) || defined(__clang__)
    #define LEADCORE_PREFETCH(place) __builtin_prefetch(place)
    #else
    #define LEADCORE_PREFETCH(place) ((void)(place))
    #endif
    """
    void prefetch "LEADCORE_PREFETCH"(const void* place) noexcept

cdef extern from "Python.h":
    # Here a null says by itself that something is wrong.
    bint PyUnicode_IS_ASCII(object text) noexcept
    const char* PyUnicode_AsUTF8(object text) noexcept
    long long PyLong_AsLongLongAndOverflow(object value, int* overflow) noexcept
    Py_hash_t PyUnicode_Hash "PyObject_Hash"(object text) noexcept
    int PyUnicode_Compare(object a, object b) noexcept

BLOCK = 65_536

include "plan.pxi"
include "sets.pxi"
include "store.pxi"
include "scoring.pxi"
include "replay.pxi"
include "images.pxi"
include "call.pxi"
include "keeping.pxi"
include "kinds.pxi"
include "tally.pxi"
