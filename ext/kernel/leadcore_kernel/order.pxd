"""Canonical order of one lead's events (spec 2.4), and repeats of one ``event_id`` (spec 2.5)."""

from libc.stdint cimport int32_t, int64_t, uint32_t
from libc.string cimport memcpy

cdef struct key_t:
    int64_t at
    uint32_t rank         # by identity: rows without an id first
    uint32_t place        # position among the lead's records


cdef inline bint key_less(const key_t* a, const key_t* b) noexcept nogil:
    return a.at < b.at or (a.at == b.at and a.rank < b.rank)


cdef inline bint key_rank_less(const key_t* a, const key_t* b) noexcept nogil:
    return a.rank < b.rank or (a.rank == b.rank and (a.at < b.at or (a.at == b.at and a.place < b.place)))


cdef inline void keys_sort(key_t* keys, key_t* spare, int64_t n, bint by_rank, const int32_t* stop) noexcept nogil:
    """Stable merge sort, by instant and rank or by rank first; ``spare`` has room for n. Sorted input costs one look.

    It is given up, with the keys in no order, when the flag ``stop`` (or NULL) is raised.
    """
    cdef int64_t width, i, j, k, left, middle, right
    cdef bint sorted = True
    cdef key_t* source = keys
    cdef key_t* target = spare
    cdef key_t* swap
    for i in range(1, n):
        if (key_rank_less(&keys[i], &keys[i - 1]) if by_rank else key_less(&keys[i], &keys[i - 1])):
            sorted = False
            break
    if sorted:
        return
    width = 1
    while width < n:
        left = 0
        while left < n:
            if stop != NULL and left & 0xFFFF == 0 and stop[0]:
                return
            middle = left + width if left + width < n else n
            right = left + 2 * width if left + 2 * width < n else n
            i = left
            j = middle
            for k in range(left, right):
                if i < middle and (
                    j >= right
                    or not (key_rank_less(&source[j], &source[i]) if by_rank else key_less(&source[j], &source[i]))
                ):
                    target[k] = source[i]
                    i += 1
                else:
                    target[k] = source[j]
                    j += 1
            left += 2 * width
        swap = source
        source = target
        target = swap
        width *= 2
    if source != keys:
        memcpy(keys, source, <size_t> n * sizeof(key_t))
