"""Numbers as bytes: what a saved state is made of, and a reader that trusts nothing.

Whole numbers take seven bits a byte, lowest first; signed ones alternate (0, -1, 1, -2 ...). A writer that runs out of
memory, and a reader that runs out of bytes or meets what cannot be, raise ``fault`` and go on doing nothing.
"""

from libc.stdint cimport INT64_MIN, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, realloc
from libc.string cimport memcpy

from leadcore_kernel.wide cimport wide_high, wide_join, wide_low, wide_t

cdef extern from *:
    """
    #define LEADCORE_FIRST_INSTANT (-62135596800000000LL)
    #define LEADCORE_LAST_INSTANT 253402300799999999LL
    """
    const int64_t FIRST_INSTANT "LEADCORE_FIRST_INSTANT"  # the years 1 to 9999
    const int64_t LAST_INSTANT "LEADCORE_LAST_INSTANT"

cdef struct bytes_t:
    uint8_t* data
    int64_t size
    int64_t room
    bint fault

cdef struct reader_t:
    const uint8_t* at
    const uint8_t* end
    bint fault


cdef inline void bytes_free(bytes_t* b) noexcept nogil:
    free(b.data)
    b.data = NULL
    b.size = 0
    b.room = 0


cdef inline void bytes_clear(bytes_t* b) noexcept nogil:
    """Begin anew; memory stays."""
    b.size = 0
    b.fault = False


cdef inline uint8_t* bytes_room(bytes_t* b, int64_t size) noexcept nogil:
    """Room for so many bytes more, which count as written; NULL when memory runs out."""
    cdef int64_t room = b.room
    cdef uint8_t* data
    if b.fault:
        return NULL
    if b.size + size > room:
        room = 2 * room + size + 256
        data = <uint8_t*> realloc(b.data, <size_t> room)
        if data == NULL:
            b.fault = True
            return NULL
        b.data = data
        b.room = room
    b.size += size
    return b.data + b.size - size


cdef inline void bytes_put(bytes_t* b, const void* data, int64_t size) noexcept nogil:
    """Append bytes as they are."""
    cdef uint8_t* room
    if size <= 0:
        return
    room = bytes_room(b, size)
    if room != NULL:
        memcpy(room, data, <size_t> size)


cdef inline void bytes_uint(bytes_t* b, uint64_t value) noexcept nogil:
    cdef uint8_t* room = bytes_room(b, 10)
    cdef int64_t used = 0
    if room == NULL:
        return
    while value >= 128:
        room[used] = <uint8_t> (value & 127) | 128
        value >>= 7
        used += 1
    room[used] = <uint8_t> value
    b.size -= 9 - used


cdef inline uint64_t zigzag(int64_t value) noexcept nogil:
    return (<uint64_t> value << 1) ^ (<uint64_t> 0 - (<uint64_t> value >> 63))


cdef inline void bytes_int(bytes_t* b, int64_t value) noexcept nogil:
    bytes_uint(b, zigzag(value))


cdef inline void bytes_when(bytes_t* b, int64_t near, int64_t at) noexcept nogil:
    """An instant by its distance from one near it; INT64_MIN is none."""
    bytes_uint(b, 0 if at == INT64_MIN else zigzag(near - at) + 1)


cdef inline void bytes_wide(bytes_t* b, wide_t value) noexcept nogil:
    """A 128-bit number."""
    cdef uint64_t high = <uint64_t> wide_high(value), low = <uint64_t> wide_low(value)
    cdef uint64_t sign = <uint64_t> 0 - (high >> 63)
    cdef uint8_t* room = bytes_room(b, 19)
    cdef int64_t used = 0
    if room == NULL:
        return
    high ^= sign
    low ^= sign
    high = high << 1 | low >> 63
    low = low << 1 | (sign & 1)
    while high or low >= 128:
        room[used] = <uint8_t> (low & 127) | 128
        low = low >> 7 | high << 57
        high >>= 7
        used += 1
    room[used] = <uint8_t> low
    b.size -= 18 - used


cdef inline void bytes_section(bytes_t* b, const bytes_t* section) noexcept nogil:
    """Append another writer's bytes, their number first."""
    if section.fault:
        b.fault = True
    bytes_uint(b, <uint64_t> section.size)
    bytes_put(b, section.data, section.size)


cdef inline void bytes_piece(bytes_t* b, const reader_t* piece) noexcept nogil:
    """Append what a reader has before it, the number of bytes first."""
    bytes_uint(b, <uint64_t> (piece.end - piece.at))
    bytes_put(b, piece.at, piece.end - piece.at)


cdef inline uint64_t read_uint(reader_t* r) noexcept nogil:
    cdef uint64_t value = 0, byte
    cdef int shift = 0
    while r.at < r.end and shift < 64:
        byte = r.at[0]
        r.at += 1
        if shift == 63 and byte > 1:
            break
        value |= (byte & 127) << shift
        if byte < 128:
            return value
        shift += 7
    r.fault = True
    r.at = r.end
    return 0


cdef inline int64_t read_int(reader_t* r) noexcept nogil:
    cdef uint64_t value = read_uint(r)
    return <int64_t> ((value >> 1) ^ (<uint64_t> 0 - (value & 1)))


cdef inline int64_t read_size(reader_t* r, int64_t each) noexcept nogil:
    """How many things follow that take at least so many bytes each."""
    cdef uint64_t size = read_uint(r)
    if size > <uint64_t> ((r.end - r.at) // each):
        r.fault = True
        r.at = r.end
        return 0
    return <int64_t> size


cdef inline int64_t read_below(reader_t* r, int64_t bound) noexcept nogil:
    """A number from 0 up to, not with, ``bound``."""
    cdef uint64_t value = read_uint(r)
    if bound <= 0 or value >= <uint64_t> bound:
        r.fault = True
        return 0
    return <int64_t> value


cdef inline int64_t read_when(reader_t* r, int64_t near) noexcept nogil:
    """An instant by its distance from one near it; INT64_MIN is none."""
    cdef uint64_t value = read_uint(r)
    cdef int64_t away
    if value == 0:
        return INT64_MIN
    value -= 1
    away = <int64_t> ((value >> 1) ^ (<uint64_t> 0 - (value & 1)))
    if away > near - FIRST_INSTANT or away < near - LAST_INSTANT:
        r.fault = True
        return INT64_MIN
    return near - away


cdef inline wide_t read_wide(reader_t* r, int bits) noexcept nogil:
    """A 128-bit number of a size below 2^bits."""
    cdef uint64_t low = 0, high = 0, byte, sign
    cdef int shift = 0
    while True:
        if r.at >= r.end or shift > 126:
            r.fault = True
            return wide_join(0, 0)
        byte = r.at[0]
        r.at += 1
        if shift < 64:
            low |= (byte & 127) << shift
            if shift > 57:
                high |= (byte & 127) >> (64 - shift)
        else:
            high |= (byte & 127) << (shift - 64)
        if byte < 128:
            break
        shift += 7
    sign = <uint64_t> 0 - (low & 1)
    low = low >> 1 | high << 63
    high >>= 1
    if (high >> (bits - 64) if bits >= 64 else high or low >> bits):
        r.fault = True
        return wide_join(0, 0)
    return wide_join(<int64_t> (high ^ sign), <int64_t> (low ^ sign))


cdef inline reader_t read_section(reader_t* r) noexcept nogil:
    """A reader of the next section."""
    cdef reader_t section
    cdef int64_t size = read_size(r, 1)
    section.at = r.at
    section.end = r.at + size
    section.fault = r.fault
    r.at += size
    return section


cdef inline const uint8_t* read_bytes(reader_t* r, int64_t size) noexcept nogil:
    """The next bytes as they are; NULL when there are fewer."""
    cdef const uint8_t* found = r.at
    if r.fault or size < 0 or size > r.end - r.at:
        r.fault = True
        return NULL
    r.at += size
    return found


cdef inline bint text_valid(const uint8_t* text, int64_t size) noexcept nogil:
    """Whether bytes are UTF-8: no longer forms than needed, no halves of pairs, nothing beyond U+10FFFF."""
    cdef int64_t i = 0, more, k
    cdef uint32_t code
    while i < size:
        if text[i] < 0x80:
            i += 1
            continue
        more = 1 if text[i] >> 5 == 6 else 2 if text[i] >> 4 == 14 else 3 if text[i] >> 3 == 30 else 0
        if more == 0 or i + more >= size:
            return False
        code = text[i] & (0x3F >> more)
        for k in range(1, more + 1):
            if text[i + k] >> 6 != 2:
                return False
            code = code << 6 | (text[i + k] & 0x3F)
        if code < (0x80 if more == 1 else 0x800 if more == 2 else 0x10000) or code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
            return False
        i += more + 1
    return True
