"""Half-life growth, calendar units and points by property: the leaf arithmetic of spec 4.4, 4.6 and 9."""

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t

from leadcore_kernel.layout cimport UNIT_DAY, UNIT_EVER, UNIT_HOUR, zone_t
from leadcore_kernel.wide cimport word_mul_shr

cdef extern from "leadcore_kernel/growth_table.h" nogil:
    const uint64_t leadcore_growth[1024]


cdef inline int64_t floor_div(int64_t a, int64_t b) noexcept nogil:
    """floor(a / b) for b > 0."""
    cdef int64_t q = a // b  # C division: towards zero
    return q - 1 if a % b < 0 else q


cdef inline int64_t epoch_of(int64_t at, int64_t span, int64_t reciprocal, int64_t shift) noexcept nogil:
    """floor(at / H), given floor(2^shift / H): by a multiplication where that is at most one too few."""
    cdef int64_t epoch
    if at < 0:
        return floor_div(at, span)
    epoch = <int64_t> (word_mul_shr(<uint64_t> at, <uint64_t> reciprocal, 64) >> (shift - 64))
    return epoch + 1 if at - epoch * span >= span else epoch


cdef inline int64_t growth(int64_t r, int64_t reciprocal, int64_t shift) noexcept nogil:
    """g(r) of spec 9.4: 2^(42 + r/H) for 0 <= r < H, given floor(2^shift / H)."""
    cdef uint64_t u, y, z, c, p, base
    if shift < 106:  # floor(r x reciprocal / 2^(shift - 42)), from the high word of a product either way
        u = word_mul_shr(<uint64_t> r << (106 - shift), <uint64_t> reciprocal, 64)
    else:
        u = word_mul_shr(<uint64_t> r, <uint64_t> reciprocal, 64) >> (shift - 106)
    y = ((u & 0xFFFFFFFFULL) * 2977044472ULL) >> 20
    z = y >> 14
    c = y >> 24
    p = y + ((z * z) >> 27) + (<uint32_t> (((c * c) >> 30) * c) // 6 >> 6)  # less than 2^29: half a word
    base = leadcore_growth[u >> 32]
    return <int64_t> (base + word_mul_shr(base, p, 54))


cdef inline int64_t unit_of(
    int64_t at, int32_t unit, const zone_t* zones, int64_t size, int64_t cycle_begin
) noexcept nogil:
    """Number of the calendar unit an instant lies in (spec 1.3, 4.6).

    The wall clock's running maximum makes every unit one stretch of time. From ``cycle_begin`` on the zone repeats
    every 400 years (146,097 days, whole weeks), and ``zones`` holds one such cycle after it.
    """
    cdef int64_t cycle = 12622780800000000LL
    cdef int64_t shift = 0, wall, low = 0, high = size - 1, middle
    if unit == UNIT_EVER:
        return 0
    if size > 1:
        if at >= cycle_begin and at - cycle_begin >= cycle:
            shift = (at - cycle_begin) // cycle * cycle
            at -= shift
        while low < high:
            middle = (low + high + 1) >> 1
            if zones[middle].begin <= at:
                low = middle
            else:
                high = middle - 1
    wall = at + zones[low].offset
    if wall < zones[low].reached:
        wall = zones[low].reached
    wall += shift
    if unit == UNIT_HOUR:
        return floor_div(wall, 3600000000LL)
    if unit == UNIT_DAY:
        return floor_div(wall, 86400000000LL)
    return floor_div(wall - 345600000000LL, 604800000000LL)  # 1970-01-05 is a Monday


cdef inline int64_t points_by(double value, double rate, double low, double high) noexcept nogil:
    """Micropoints of clamp(rate x value, low, high), rounded half-even and held (spec 9.1); 0 on null (NaN)."""
    cdef double x = rate * value
    cdef double rest
    cdef int64_t whole
    if x != x:
        return 0
    if x < low:
        x = low
    if x > high:
        x = high
    x *= 1e6
    if x >= 1e11:
        return 100000000000LL
    if x <= -1e11:
        return -100000000000LL
    whole = <int64_t> x  # towards zero, exact below 2^52; no rounding mode is asked
    rest = x - <double> whole
    if rest > 0.5 or (rest == 0.5 and whole & 1):
        return whole + 1
    if rest < -0.5 or (rest == -0.5 and whole & 1):
        return whole - 1
    return whole
