"""128-bit signed integers of spec 9 (`wide.h`)."""

from libc.stdint cimport int64_t, uint64_t

cdef extern from "leadcore_kernel/wide.h" nogil:
    ctypedef struct wide_t:
        pass

    wide_t wide_of(int64_t a)
    wide_t wide_join(int64_t high, int64_t low)
    int64_t wide_low(wide_t a)
    int64_t wide_high(wide_t a)
    wide_t wide_add(wide_t a, wide_t b)
    wide_t wide_sub(wide_t a, wide_t b)
    wide_t wide_mul(int64_t a, int64_t b)
    wide_t wide_scale(wide_t a, int64_t b)
    wide_t wide_shr(wide_t a, int64_t n)
    bint wide_less(wide_t a, wide_t b)
    wide_t wide_rne_div(wide_t a, int64_t d)
    wide_t wide_rne_shr(wide_t a, int n)
    int64_t wide_hold(wide_t a, int64_t low, int64_t high)
    wide_t wide_times_millionths(int64_t value, int64_t factor)
    uint64_t word_mul_shr(uint64_t a, uint64_t b, int n)
