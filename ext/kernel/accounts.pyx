"""Account scores from lead scores (spec 6.6, 9.6)."""

from libc.stdint cimport int64_t

import numpy as np

from leadcore_kernel.wide cimport (
    wide_add, wide_hold, wide_mul, wide_of, wide_rne_div, wide_scale, wide_sub, wide_t,
)

cdef enum:
    BY_SUM = 0
    BY_MAX = 1
    BY_MEAN = 2
    BY_TOP = 3
    BY_CHAMPION = 4


def combine(const int64_t[::1] values not None, const int64_t[::1] starts not None, int by, int64_t n, int64_t share):
    """One number per account.

    Args:
        values: Micropoints of the leads, each account's together and descending.
        starts: Where each account begins, and the end; no account is empty.
        by: 0 sum, 1 max, 2 mean, 3 sum of the ``n`` highest, 4 champion with ``share`` in millionths.
    """
    cdef int64_t held = 1_000_000_000_000_000_000
    cdef int64_t i, j, begin, end, size
    cdef wide_t sum
    out = np.empty(starts.shape[0] - 1, np.int64)
    cdef int64_t[::1] view = out
    for i in range(starts.shape[0] - 1):
        begin = starts[i]
        end = starts[i + 1]
        size = end - begin
        if by == BY_MAX or (by == BY_CHAMPION and size == 1):
            view[i] = values[begin]
            continue
        if by == BY_TOP and size > n:
            end = begin + n
        sum = wide_of(0)
        for j in range(begin, end):
            sum = wide_add(sum, wide_of(values[j]))
        if by == BY_MEAN:
            sum = wide_rne_div(sum, size)
        elif by == BY_CHAMPION:
            sum = wide_scale(wide_sub(sum, wide_of(values[begin])), 1_000_000 - share)
            sum = wide_add(sum, wide_scale(wide_mul(values[begin], share), size - 1))
            sum = wide_rne_div(sum, 1_000_000 * (size - 1))
        view[i] = wide_hold(sum, -held, held)
    return out
