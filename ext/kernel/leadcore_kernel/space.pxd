"""Work space of one thread: a partition's records brought together by lead, and each lead's put in order.

It grows as needed and is used again and again; ``space_free`` gives it back.
"""

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memset

from leadcore_kernel.order cimport key_t, keys_sort
from leadcore_kernel.store cimport (
    page_t, partition_t, record_at, record_content, record_lead, record_order, record_row, shape_t, store_drop,
    store_leads, store_local, store_records, store_t, store_used,
)

cdef struct space_t:
    uint64_t* records
    int64_t records_room
    int64_t* starts
    int64_t starts_room
    key_t* keys
    int64_t keys_room
    int64_t* faults       # pairs of rows that repeat an id and differ
    int64_t faults_size
    int64_t faults_room
    const int32_t* stop   # the run's flag, or NULL: not 0 asks to stop


cdef inline void space_free(space_t* w) noexcept nogil:
    free(w.records)
    free(w.starts)
    free(w.keys)
    free(w.faults)
    memset(w, 0, sizeof(space_t))


cdef inline int space_room(void** memory, int64_t* room, int64_t wanted, size_t size) noexcept nogil:
    """Make room for ``wanted`` items; -1 when memory runs out. What was there is not kept."""
    if wanted <= room[0]:
        return 0
    free(memory[0])
    memory[0] = malloc(<size_t> wanted * size)
    room[0] = wanted if memory[0] != NULL else 0
    return 0 if memory[0] != NULL else -1


cdef inline int space_fault(space_t* w, int64_t lead, int64_t a, int64_t b) noexcept nogil:
    cdef int64_t* faults
    if w.faults_size + 3 > w.faults_room:
        faults = <int64_t*> realloc(w.faults, <size_t> (2 * w.faults_room + 30) * sizeof(int64_t))
        if faults == NULL:
            return -1
        w.faults = faults
        w.faults_room = 2 * w.faults_room + 30
    w.faults[w.faults_size] = lead
    w.faults[w.faults_size + 1] = a
    w.faults[w.faults_size + 2] = b
    w.faults_size += 3
    return 0


cdef inline int space_drop_repeats(
    space_t* w, const shape_t* shape, const uint64_t* records, key_t* keys, int64_t* n, uint32_t first_id,
) noexcept nogil:
    """Drop repeats of an ``event_id``; rows of one id that differ are listed and all dropped (spec 2.5)."""
    cdef int64_t i, j, k, out = 0
    cdef const uint64_t* a
    cdef const uint64_t* b
    cdef bint differ
    keys_sort(keys, keys + n[0], n[0], True, w.stop)
    i = 0
    while i < n[0]:
        j = i + 1
        if keys[i].rank >= first_id:
            differ = False
            a = records + keys[i].place * shape.stride
            while j < n[0] and keys[j].rank == keys[i].rank:
                b = records + keys[j].place * shape.stride
                differ = differ or record_content(shape, a) != record_content(shape, b)
                j += 1
            if differ:
                for k in range(i + 1, j):
                    b = records + keys[k].place * shape.stride
                    if space_fault(w, record_lead(a), record_row(shape, a), record_row(shape, b)):
                        return -1
                i = j
                continue
        keys[out] = keys[i]
        out += 1
        i = j if keys[i].rank >= first_id else i + 1
    n[0] = out
    return 0


cdef inline int space_gather(
    space_t* w, store_t* store, int64_t which, int64_t leads, int64_t* local
) noexcept nogil:
    """Copy one partition's records so that each lead's are together; its pages are given back."""
    cdef partition_t* p = &store.partitions[which]
    cdef int64_t bits = store.bits, stride = store.shape.stride, i, k, n, place, used
    cdef int64_t lead
    cdef page_t* page
    cdef uint64_t* record
    n = store_leads(bits, which, leads)
    local[0] = n
    if space_room(<void**> &w.starts, &w.starts_room, n + 2, sizeof(int64_t)):
        return -1
    if space_room(<void**> &w.records, &w.records_room, store_records(p, &store.shape) * stride + 1, sizeof(uint64_t)):
        return -1
    memset(w.starts, 0, <size_t> (n + 2) * sizeof(int64_t))
    page = p.first
    while page != NULL:
        i = 0
        used = store_used(p, page)
        while i < used:
            w.starts[store_local(bits, record_lead(&page.words[i])) + 2] += 1
            i += stride
        page = page.next
    for i in range(2, n + 2):
        w.starts[i] += w.starts[i - 1]
    page = p.first
    while page != NULL:
        if w.stop != NULL and w.stop[0]:
            return -1
        i = 0
        used = store_used(p, page)
        while i < used:
            record = &page.words[i]
            lead = store_local(bits, record_lead(record))
            place = w.starts[lead + 1]
            w.starts[lead + 1] = place + 1
            for k in range(stride):  # a few words: no call
                w.records[place * stride + k] = record[k]
            i += stride
        page = page.next
    store_drop(p)
    return 0


cdef inline int space_line_up(
    space_t* w, const shape_t* shape, const uint64_t* records, int64_t count, const uint32_t* ranks, uint32_t first_id,
    bint repeats, int64_t* n,
) noexcept nogil:
    """Keys of one lead's records in canonical order, repeats dropped."""
    cdef int64_t i
    cdef const uint64_t* record
    if space_room(<void**> &w.keys, &w.keys_room, 2 * count, sizeof(key_t)):
        return -1
    for i in range(count):
        record = records + i * shape.stride
        w.keys[i].at = record_at(record)
        w.keys[i].rank = record_order(shape, record)
        if ranks != NULL:  # else identities are ranks already, or there are none
            w.keys[i].rank = ranks[w.keys[i].rank]
        w.keys[i].place = <uint32_t> i
    n[0] = count
    if repeats and space_drop_repeats(w, shape, records, w.keys, n, first_id):
        return -1
    keys_sort(w.keys, w.keys + n[0], n[0], False, w.stop)
    return -1 if w.stop != NULL and w.stop[0] else 0
