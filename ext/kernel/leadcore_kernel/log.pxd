"""What a replay writes down: rows that grow, taken over by Python when a thread has done."""

from libc.stdint cimport int32_t, int64_t
from libc.stdlib cimport free, realloc
from libc.string cimport memset

cdef struct move_t:
    int64_t lead          # place in the result
    int64_t at
    int64_t event         # identity of the event at hand, or -1
    int32_t from_stage
    int32_t to_stage
    int32_t rule
    int32_t cause

cdef struct change_t:
    int64_t lead
    int64_t at
    int64_t event
    int64_t before
    int64_t after
    int32_t cause
    int32_t score
    int32_t criterion
    int32_t pad

cdef struct log_t:
    move_t* moves
    int64_t* scores       # of each move, all of them
    int64_t moves_size
    int64_t moves_room
    change_t* changes
    int64_t changes_size
    int64_t changes_room


cdef inline void log_free(log_t* log) noexcept nogil:
    free(log.moves)
    free(log.scores)
    free(log.changes)
    memset(log, 0, sizeof(log_t))


cdef inline move_t* log_move(log_t* log, int64_t width) noexcept nogil:
    """Room for one move more, with ``width`` scores behind it; NULL when memory runs out."""
    cdef int64_t room
    cdef void* memory
    if log.moves_size == log.moves_room:
        room = 2 * log.moves_room + 64
        memory = realloc(log.moves, <size_t> room * sizeof(move_t))
        if memory == NULL:
            return NULL
        log.moves = <move_t*> memory
        memory = realloc(log.scores, <size_t> (room * width + 1) * sizeof(int64_t))
        if memory == NULL:
            return NULL
        log.scores = <int64_t*> memory
        log.moves_room = room
    log.moves_size += 1
    return &log.moves[log.moves_size - 1]


cdef inline change_t* log_change(log_t* log) noexcept nogil:
    """Room for one change more; NULL when memory runs out."""
    cdef int64_t room
    cdef void* memory
    if log.changes_size == log.changes_room:
        room = 2 * log.changes_room + 64
        memory = realloc(log.changes, <size_t> room * sizeof(change_t))
        if memory == NULL:
            return NULL
        log.changes = <change_t*> memory
        log.changes_room = room
    log.changes_size += 1
    return &log.changes[log.changes_size - 1]
