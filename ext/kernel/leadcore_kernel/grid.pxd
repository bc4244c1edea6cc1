"""The grid of evaluations: wall times at whole multiples of a duration, as instants (spec 8.6).

Pieces, ascending by start, each hold the instants of one offset of the wall clock: those in [start, stop) that leave
``residue`` when divided by ``every``. Where clocks are set forward a piece may reach a little into the next.
"""

from libc.stdint cimport INT64_MAX, INT64_MIN, int64_t

from leadcore_kernel.decay cimport floor_div
from leadcore_kernel.layout cimport piece_t

cdef struct grid_t:
    const piece_t* pieces
    int64_t size
    int64_t every         # 0: there is no grid


cdef inline int64_t grid_last(const grid_t* g, int64_t t) noexcept nogil:
    """The last piece that starts at or before an instant, or -1."""
    cdef int64_t low = -1, high = g.size - 1, middle
    while low < high:
        middle = low + ((high - low + 1) >> 1)
        if g.pieces[middle].start <= t:
            low = middle
        else:
            high = middle - 1
    return low


cdef inline int64_t grid_from(const grid_t* g, int64_t t) noexcept nogil:
    """The first grid instant at or after an instant, INT64_MAX where there is none."""
    cdef int64_t i = grid_last(g, t) - 2, best = INT64_MAX, at
    cdef const piece_t* piece
    if i < 0:
        i = 0
    while i < g.size:
        piece = &g.pieces[i]
        if piece.start >= best:
            break
        at = t if t > piece.start else piece.start
        at += piece.residue - (at - floor_div(at, g.every) * g.every)
        if at < t or at < piece.start:
            at += g.every
        if at < piece.stop and at < best:
            best = at
        i += 1
    return best


cdef inline int64_t grid_before(const grid_t* g, int64_t t) noexcept nogil:
    """The last grid instant before an instant, INT64_MIN where there is none."""
    cdef int64_t last = grid_last(g, t), i = last, best = INT64_MIN, at
    cdef const piece_t* piece
    while i >= 0 and (best == INT64_MIN or i >= last - 2):
        piece = &g.pieces[i]
        at = (t if t < piece.stop else piece.stop) - 1
        at -= at - floor_div(at, g.every) * g.every - piece.residue
        if at >= t or at >= piece.stop:
            at -= g.every
        if at >= piece.start and at > best:
            best = at
        i -= 1
    return best
