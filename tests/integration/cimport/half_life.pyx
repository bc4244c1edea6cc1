"""A decaying sum of one's own, on leadcore's fold: an example of ``cimport leadcore_kernel``.

Compile it with ``leadcore.get_include()`` among the include directories, of Cython (``-I``) and of the C compiler::

    cython -3 -I $(python -c 'import leadcore; print(leadcore.get_include())') half_life.pyx

Nothing is linked and nothing imported at run time: the kernel's leaf code is inline. It is not part of leadcore's
stable surface; a wheel's files go with that release.
"""

from libc.stdint cimport int64_t, uint64_t
from libc.string cimport memset

from leadcore_kernel.fold cimport fold_add, fold_advance, fold_copy, fold_free, fold_start, fold_t, fold_value, tables_t
from leadcore_kernel.layout cimport DECAY_HALF_LIFE, FOLD_EVENT, fold_spec_t


cdef fold_spec_t specify(int64_t span):
    """An event criterion with a half-life of ``span`` microseconds and no filters (spec 4.4, 9.4)."""
    cdef fold_spec_t spec
    cdef int64_t shift = 63 + (<object> span).bit_length()
    memset(&spec, 0, sizeof(fold_spec_t))
    spec.kind = FOLD_EVENT
    spec.decay = DECAY_HALF_LIFE
    spec.span = span
    spec.shift = shift
    spec.reciprocal = <int64_t> <uint64_t> ((<object> 1 << shift) // span)
    spec.unique = -1
    spec.distinct = -1
    spec.number = -1
    return spec


def values(const int64_t[::1] at not None, const int64_t[::1] points not None, int64_t span, const int64_t[::1] asked not None):
    """Micropoints at each of ``asked``, of events ``at`` worth ``points``; both ascending, in microseconds."""
    cdef fold_spec_t spec = specify(span)
    cdef tables_t tables
    cdef fold_t fold, copy
    cdef Py_ssize_t i, event = 0
    cdef int fault = 0
    out = []
    memset(&tables, 0, sizeof(tables_t))  # half-lives need no tables
    fold_start(&fold)
    for i in range(asked.shape[0]):
        while event < at.shape[0] and at[event] <= asked[i]:
            fault |= fold_add(&fold, &spec, &tables, at[event], points[event], 0, 0)
            event += 1
        fault |= fold_copy(&copy, &fold)  # asking a copy leaves the fold as it was
        fold_advance(&copy, &spec, &tables, asked[i])
        out.append(fold_value(&copy, &spec, &tables, asked[i], &fault))
        fold_free(&copy)
    fold_free(&fold)
    if fault:
        raise MemoryError
    return out
