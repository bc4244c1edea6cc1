"""The kernel's arithmetic equals exact integers (spec 9)."""

from __future__ import annotations

from fractions import Fraction
from importlib import import_module

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

FORMS = ["leadcore._kernel.arithmetic", "leadcore._kernel.arithmetic_portable"]
wide = st.integers(-(2**126), 2**126)
word = st.integers(-(2**63), 2**63 - 1)


@pytest.fixture(params=FORMS, scope="module")
def form(request):
    """The compiler's 128-bit integers, and two words."""
    return import_module(request.param)


def rne(value: Fraction) -> int:
    """To nearest, ties to even."""
    return round(value)


@given(a=st.integers(-(2**125), 2**125), b=st.integers(-(2**125), 2**125))
def test_adds_and_compares(form, a, b):
    """Sums, differences and order are those of whole numbers."""
    assert form.add(a, b) == a + b
    assert form.subtract(a, b) == a - b
    assert form.less(a, b) == (a < b)


@given(a=word, b=word.filter(lambda b: b > -(2**63)))
def test_multiplies_words(form, a, b):
    """A product of two words is exact."""
    assert form.multiply(a, b) == a * b


@given(a=st.integers(-(2**84), 2**84 - 1), b=st.integers(0, 2**43))
def test_scales(form, a, b):
    """A wide number times a word that is not negative is exact."""
    assert form.scale(a, b) == a * b


@given(a=wide, n=st.integers(0, 200))
def test_shifts_down(form, a, n):
    """A shift floors, however far."""
    assert form.shift_right(a, n) == a >> n


@given(a=st.one_of(wide, st.integers(-1000, 1000)), d=st.one_of(st.integers(1, 2**62), st.integers(1, 10)))
def test_rounds_quotients(form, a, d):
    """Division rounds to nearest, ties to even."""
    assert form.round_divide(a, d) == rne(Fraction(a, d))


@given(a=st.one_of(wide, st.integers(-1000, 1000)), n=st.integers(1, 126))
def test_rounds_shifts(form, a, n):
    """Division by a power of two rounds to nearest, ties to even."""
    assert form.round_shift(a, n) == rne(Fraction(a, 2**n))


@given(a=wide, bounds=st.tuples(word, word).map(sorted))
def test_holds(form, a, bounds):
    """A value is held within its bounds."""
    low, high = bounds
    assert form.hold(a, low, high) == min(max(a, low), high)


def g(r: int, span: int) -> int:
    """Spec 9.4, as written."""
    s = 64 + span.bit_length() - 1
    u = (r * (2**s // span)) >> (s - 42)
    i, f = u >> 32, u & (2**32 - 1)
    y = (f * 2977044472) >> 20
    z, c = y >> 14, y >> 24
    p = y + ((z * z) >> 27) + (((((c * c) >> 30) * c) // 6) >> 6)
    return G[i] + ((G[i] * p) >> 54)


def nearest_root(i: int) -> int:
    """round(2^42 2^(i/1024)): the n whose 1024th power is nearest, by halving over whole numbers."""
    target = 1 << (43 * 1024 + i)  # (2 * 2^42 2^(i/1024))^1024, so n is compared with half units
    low, high = 1 << 43, 1 << 44
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if middle**1024 <= target else (low, middle)
    return (low + 1) // 2


G = [nearest_root(i) for i in range(0, 1024)]


@given(span=st.integers(3600, 36525 * 86400), part=st.floats(0, 1, exclude_max=True))
def test_growth(form, span, part):
    """g(r) has the bits of spec 9.4, its table worked out by whole-number roots."""
    span *= 1_000_000
    r = min(int(span * part), span - 1)
    shift = 64 + span.bit_length() - 1
    assert form.grow(r, (1 << shift) // span, shift) == g(r, span)


@given(
    value=st.floats(-1e9, 1e9), rate=st.floats(-1e5, 1e5), bounds=st.tuples(st.floats(-1e5, 1e5), st.floats(-1e5, 1e5))
)
def test_points_of_a_property(form, value, rate, bounds):
    """A property's points are the product's nearest micropoints, ties to even, held (spec 9.1)."""
    low, high = sorted(bounds)
    expected = round(min(max(rate * value, low), high) * 1e6)
    assert form.points_of(value, rate, low, high) == min(max(expected, -(10**11)), 10**11)


def test_points_of_null(form):
    """A null property is worth nothing (spec 4.4)."""
    assert form.points_of(float("nan"), 3.0, 1.0, 5.0) == 0
    assert form.points_of(1e300, 1e300, -1e300, 1e300) == 10**11
    assert np.isfinite(form.points_of(-1e300, 1e300, -1e300, 1e300))
