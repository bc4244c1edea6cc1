/* 128-bit signed integers for spec 9: the compiler's own, or two words where it has none.
 *
 * Both forms give the same bits; tests/kernel/test_wide.py runs over both. Nothing here can overflow for inputs
 * within the limits of spec 9 (at most 10^8 events of at most 10^11 micropoints a lead and run).
 */
#ifndef LEADCORE_WIDE_H
#define LEADCORE_WIDE_H

#include <stdint.h>

#if defined(__SIZEOF_INT128__) && !defined(LEADCORE_PORTABLE_WIDE)
#define LEADCORE_WIDE_NATIVE 1
#endif

#ifdef LEADCORE_WIDE_NATIVE

typedef __int128 wide_t;

static inline wide_t wide_of(int64_t a) { return a; }
static inline wide_t wide_add(wide_t a, wide_t b) { return a + b; }
static inline wide_t wide_sub(wide_t a, wide_t b) { return a - b; }
static inline wide_t wide_mul(int64_t a, int64_t b) { return (wide_t)a * b; }
/* a * b for a b that is not negative. */
static inline wide_t wide_scale(wide_t a, int64_t b) { return a * b; }
/* floor(a / 2^n) */
static inline wide_t wide_shr(wide_t a, int64_t n) { return a >> (n > 127 ? 127 : n); }
static inline int wide_less(wide_t a, wide_t b) { return a < b; }
static inline int64_t wide_low(wide_t a) { return (int64_t)(uint64_t)a; }
static inline int64_t wide_high(wide_t a) { return (int64_t)(a >> 64); }
static inline wide_t wide_join(int64_t high, int64_t low) {
    return (wide_t)(((unsigned __int128)(uint64_t)high << 64) | (uint64_t)low);
}
/* (a * b) >> n for words, 0 < n < 128 */
static inline uint64_t word_mul_shr(uint64_t a, uint64_t b, int n) {
    return (uint64_t)(((unsigned __int128)a * b) >> n);
}
/* rne(a / d), d > 0: to nearest, ties to even */
static inline wide_t wide_rne_div(wide_t a, int64_t d) {
    wide_t q, r, twice;
    if ((wide_t)(int64_t)a == a) { /* one division of words: that of 128 bits is a function call */
        q = (int64_t)a / d;
        r = (int64_t)a % d;
    } else {
        q = a / d;
        r = a % d;
    }
    if (r < 0) { q -= 1; r += d; }
    twice = r * 2;
    if (twice > d || (twice == d && (q & 1))) q += 1;
    return q;
}
/* rne(a / 2^n), 0 < n < 127 */
static inline wide_t wide_rne_shr(wide_t a, int n) {
    return (a + (((wide_t)1 << (n - 1)) - 1) + ((a >> n) & 1)) >> n; /* a tie goes up from an odd quotient only */
}

#else

typedef struct { uint64_t lo; int64_t hi; } wide_t;

static inline wide_t wide_join(int64_t high, int64_t low) {
    wide_t w; w.lo = (uint64_t)low; w.hi = high; return w;
}
static inline wide_t wide_of(int64_t a) { return wide_join(a < 0 ? -1 : 0, a); }
static inline int64_t wide_low(wide_t a) { return (int64_t)a.lo; }
static inline int64_t wide_high(wide_t a) { return a.hi; }
static inline wide_t wide_add(wide_t a, wide_t b) {
    wide_t w;
    w.lo = a.lo + b.lo;
    w.hi = (int64_t)((uint64_t)a.hi + (uint64_t)b.hi + (w.lo < a.lo));
    return w;
}
static inline wide_t wide_neg(wide_t a) {
    wide_t w;
    w.lo = ~a.lo + 1;
    w.hi = (int64_t)(~(uint64_t)a.hi + (w.lo == 0));
    return w;
}
static inline wide_t wide_sub(wide_t a, wide_t b) { return wide_add(a, wide_neg(b)); }
static inline void word_mul(uint64_t a, uint64_t b, uint64_t *hi, uint64_t *lo) {
    uint64_t a0 = (uint32_t)a, a1 = a >> 32, b0 = (uint32_t)b, b1 = b >> 32;
    uint64_t low = a0 * b0, mid = a1 * b0 + (low >> 32), other = a0 * b1 + (uint32_t)mid;
    *hi = a1 * b1 + (mid >> 32) + (other >> 32);
    *lo = (other << 32) | (uint32_t)low;
}
static inline uint64_t word_mul_shr(uint64_t a, uint64_t b, int n) {
    uint64_t hi, lo;
    word_mul(a, b, &hi, &lo);
    if (n >= 64) return hi >> (n - 64);
    return (lo >> n) | (hi << (64 - n));
}
/* a * b for a b that is not negative. */
static inline wide_t wide_scale(wide_t a, int64_t b) {
    uint64_t hi, lo;
    word_mul(a.lo, (uint64_t)b, &hi, &lo);
    return wide_join((int64_t)(hi + (uint64_t)a.hi * (uint64_t)b), (int64_t)lo);
}
static inline wide_t wide_mul(int64_t a, int64_t b) {
    return b < 0 ? wide_neg(wide_scale(wide_of(a), (int64_t)(~(uint64_t)b + 1))) : wide_scale(wide_of(a), b);
}
/* floor(a / 2^n); the sign is spread without shifting a negative number, which C leaves open. */
static inline wide_t wide_shr(wide_t a, int64_t n) {
    uint64_t fill = a.hi < 0 ? ~(uint64_t)0 : 0, hi = (uint64_t)a.hi;
    if (n == 0) return a;
    if (n > 127) return wide_join((int64_t)fill, (int64_t)fill);
    if (n == 64) return wide_join((int64_t)fill, a.hi);
    if (n > 64) return wide_join((int64_t)fill, (int64_t)((hi >> (n - 64)) | (fill << (128 - n))));
    return wide_join((int64_t)((hi >> n) | (fill << (64 - n))), (int64_t)((a.lo >> n) | (hi << (64 - n))));
}
static inline int wide_less(wide_t a, wide_t b) { return a.hi < b.hi || (a.hi == b.hi && a.lo < b.lo); }
/* rne(a / d), d > 0: to nearest, ties to even */
static inline wide_t wide_rne_div(wide_t a, int64_t d) {
    int negative = a.hi < 0, bit;
    wide_t n = negative ? wide_neg(a) : a, q = wide_of(0);
    uint64_t rest = 0, by = (uint64_t)d;
    for (bit = 127; bit >= 0; bit--) {
        uint64_t next = bit >= 64 ? ((uint64_t)n.hi >> (bit - 64)) & 1 : (n.lo >> bit) & 1;
        rest = (rest << 1) | next; /* rest < 2^63 before the shift */
        if (rest >= by) {
            rest -= by;
            if (bit >= 64) q.hi |= (int64_t)((uint64_t)1 << (bit - 64));
            else q.lo |= (uint64_t)1 << bit;
        }
    }
    if (rest > by - rest || (rest == by - rest && (q.lo & 1))) q = wide_add(q, wide_of(1));
    return negative ? wide_neg(q) : q;
}
/* rne(a / 2^n), 0 < n < 127 */
static inline wide_t wide_rne_shr(wide_t a, int n) {
    wide_t q = wide_shr(a, n), half, rest;
    if (n - 1 >= 64) half = wide_join((int64_t)((uint64_t)1 << (n - 65)), 0);
    else half = wide_join(0, (int64_t)((uint64_t)1 << (n - 1)));
    if (n >= 64) rest = wide_join(n == 64 ? 0 : (int64_t)((uint64_t)a.hi & (((uint64_t)1 << (n - 64)) - 1)), (int64_t)a.lo);
    else rest = wide_join(0, (int64_t)(a.lo & (((uint64_t)1 << n) - 1)));
    if (wide_less(half, rest) || (!wide_less(rest, half) && (q.lo & 1))) q = wide_add(q, wide_of(1));
    return q;
}

#endif

/* a held within [low, high] */
static inline int64_t wide_hold(wide_t a, int64_t low, int64_t high) {
    if (wide_less(a, wide_of(low))) return low;
    if (wide_less(wide_of(high), a)) return high;
    return wide_low(a);
}

/* rne(value * factor / 10^6): a factor of at most six places times a whole number (spec 9.2, 9.6) */
static inline wide_t wide_times_millionths(int64_t value, int64_t factor) {
    if (factor == 1000000) return wide_of(value);
    return wide_rne_div(wide_mul(value, factor), 1000000);
}

#endif
