"""The kernel's arithmetic, one function at a time, for tests against exact integers (spec 9)."""

from libc.stdint cimport int32_t, int64_t

from leadcore_kernel.decay cimport growth, points_by, unit_of
from leadcore_kernel.layout cimport zone_t
from leadcore_kernel.wide cimport (
    wide_add, wide_high, wide_hold, wide_join, wide_less, wide_low, wide_mul, wide_rne_div, wide_rne_shr,
    wide_scale, wide_shr, wide_sub, wide_t,
)

cdef wide_t _wide(object value):
    value &= (1 << 128) - 1
    high, low = value >> 64, value & ((1 << 64) - 1)
    return wide_join(high - (1 << 64) if high >> 63 else high, low - (1 << 64) if low >> 63 else low)


cdef object _exact(wide_t value):
    return (<object> wide_high(value) << 64) + (wide_low(value) & ((1 << 64) - 1))


def add(a, b):
    """a + b"""
    return _exact(wide_add(_wide(a), _wide(b)))


def subtract(a, b):
    """a - b"""
    return _exact(wide_sub(_wide(a), _wide(b)))


def multiply(int64_t a, int64_t b):
    """a * b of 64-bit integers"""
    return _exact(wide_mul(a, b))


def scale(a, int64_t b):
    """a * b for b >= 0"""
    return _exact(wide_scale(_wide(a), b))


def shift_right(a, int64_t n):
    """floor(a / 2^n)"""
    return _exact(wide_shr(_wide(a), n))


def less(a, b):
    """a < b"""
    return bool(wide_less(_wide(a), _wide(b)))


def round_divide(a, int64_t d):
    """rne(a / d), d > 0"""
    return _exact(wide_rne_div(_wide(a), d))


def round_shift(a, int n):
    """rne(a / 2^n), 0 < n < 127"""
    return _exact(wide_rne_shr(_wide(a), n))


def hold(a, int64_t low, int64_t high):
    """a within [low, high]"""
    return wide_hold(_wide(a), low, high)


def grow(int64_t r, reciprocal, int64_t shift):
    """g(r) of spec 9.4, given floor(2^shift / H)."""
    return growth(r, <int64_t> (reciprocal - (1 << 64) if reciprocal >> 63 else reciprocal), shift)


def points_of(double value, double rate, double low, double high):
    """Micropoints of spec 9.1."""
    return points_by(value, rate, low, high)


def calendar_unit(int64_t at, int32_t unit, const zone_t[::1] zones not None, int64_t cycle_begin):
    """Number of the calendar unit an instant lies in (spec 4.6)."""
    return unit_of(at, unit, &zones[0], zones.shape[0], cycle_begin)
