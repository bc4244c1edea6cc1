"""Memory in lines of the cache, cut from few large pieces, on huge pages where the system offers them.

Thousands of small allocations spread over the heap cost a look-up of their page each time; these lie close together. A
slab owns its pieces; ``slab_free`` gives them back, with all that was cut from them.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memset

cdef extern from *:
    """
    #include <stddef.h>
    #if defined(__linux__)
    #include <sys/mman.h>
    #endif
    /* Memory that begins where a huge page does, or a line of the cache if it is small; `raw` is what to free. */
    static void *leadcore_pages(size_t size, void **raw) {
        size_t align = size >= ((size_t)1 << 20) ? (size_t)1 << 21 : 64;
        char *found = (char *)malloc(size + align);
        *raw = found;
        if (found == NULL) return NULL;
        found += align - (size_t)found % align;
    #if defined(__linux__) && defined(MADV_HUGEPAGE)
        if (align > 64) madvise(found, size, MADV_HUGEPAGE); /* a wish: nothing depends on it */
    #endif
        return found;
    }
    """
    void* leadcore_pages(size_t size, void** raw) nogil

cdef enum:
    LINE = 64
    MOST_LINES = 64           # what takes more is allocated by itself
    FIRST_PIECE = 1 << 12
    LARGEST_PIECE = 1 << 21

cdef struct slab_t:
    void** pieces
    int64_t pieces_size
    int64_t pieces_room
    int64_t total             # bytes of all pieces
    uint8_t* next
    int64_t left              # lines from there to the end of the piece
    void* spare[65]           # by lines: what was given back, each naming the one before


cdef inline void slab_free(slab_t* s) noexcept nogil:
    cdef int64_t i
    for i in range(s.pieces_size):
        free(s.pieces[i])
    free(s.pieces)
    memset(s, 0, sizeof(slab_t))


cdef inline void slab_give(slab_t* s, void* memory, int64_t lines) noexcept nogil:
    """Give back what was taken, with as many lines."""
    if memory == NULL:
        return
    if lines > MOST_LINES:
        free(memory)
        return
    (<void**> memory)[0] = s.spare[lines]
    s.spare[lines] = memory


cdef inline void* slab_take(slab_t* s, int64_t lines) noexcept nogil:
    """Raw memory of at least one line; NULL when memory runs out."""
    cdef void* found
    cdef void* raw = NULL
    cdef void** pieces
    cdef int64_t size, room
    if lines > MOST_LINES:
        return malloc(<size_t> (lines * LINE))
    if s.spare[lines] != NULL:
        found = s.spare[lines]
        s.spare[lines] = (<void**> found)[0]
        return found
    if s.left < lines:
        if s.pieces_size == s.pieces_room:
            room = 2 * s.pieces_room + 16
            pieces = <void**> realloc(s.pieces, <size_t> room * sizeof(void*))
            if pieces == NULL:
                return NULL
            s.pieces = pieces
            s.pieces_room = room
        size = FIRST_PIECE if s.total < FIRST_PIECE else LARGEST_PIECE if s.total > LARGEST_PIECE else s.total
        found = leadcore_pages(<size_t> size, &raw)
        if found == NULL:
            return NULL
        if s.left:
            slab_give(s, s.next, s.left)
        s.pieces[s.pieces_size] = raw
        s.pieces_size += 1
        s.total += size
        s.next = <uint8_t*> found
        s.left = size // LINE
    found = s.next
    s.next += lines * LINE
    s.left -= lines
    return found
