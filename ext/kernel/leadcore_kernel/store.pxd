"""The rows of a run, kept compactly and partitioned by lead until every lead's rows are together.

A record is a few 64-bit words: lead and hit set; instant; then, where the run asks for them, identity and content;
row; codes, two a word; numbers. Runs of 64 consecutive lead codes take turns among the partitions, so that what is kept
by lead code elsewhere is walked in pieces of some length; a partition's records lie in pages that are never moved. The
store owns its pages; ``store_free`` gives them back.
"""

from libc.stdint cimport INT64_MAX, int32_t, int64_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memcpy, memset

cdef enum:
    PAGE_WORDS = 2_046
    PICKED = 512          # rows of a block looked at before those kept are taken
    RUN = 6               # 2^RUN codes are a run
    STORE_OK = 0
    STORE_NO_MEMORY = -1

cdef struct page_t:
    page_t* next
    int64_t used          # words; of a partition's last page, see `store_used`
    uint64_t words[2_046] # or one record, where that is longer

cdef struct partition_t:
    page_t* first
    page_t* last
    uint64_t* room        # in the last page: where the next record goes ...
    uint64_t* full        # ... unless that is beyond this
    int64_t records       # in all pages but the last

cdef struct shape_t:
    int32_t identities    # word of identity << 32 | content, or 0
    int32_t row           # word of the row number, or 0
    int32_t codes         # first word of the codes
    int32_t codes_size
    int32_t numbers       # first word of the numbers
    int32_t numbers_size
    int32_t stride        # words a record

cdef struct store_t:
    shape_t shape
    partition_t* partitions
    int64_t bits          # 2^bits partitions
    int64_t horizon       # later rows are counted and left out, unless `keep_later`
    int64_t known         # lead codes from here on are watched for their first event
    bint keep_idle        # keep rows without hits
    bint keep_later       # keep rows beyond the horizon: their identities matter
    int64_t* first        # by lead code - known: instant of the first declared event
    int64_t first_size
    int64_t later
    int64_t kept
    int64_t earliest      # instant of the first row kept


cdef inline shape_t store_shape(bint identities, bint row, int32_t codes, int32_t numbers) noexcept nogil:
    cdef shape_t shape
    cdef int32_t word = 2
    shape.identities = word if identities else 0
    word += 1 if identities else 0
    shape.row = word if row else 0
    word += 1 if row else 0
    shape.codes = word
    shape.codes_size = codes
    word += (codes + 1) >> 1
    shape.numbers = word
    shape.numbers_size = numbers
    shape.stride = word + numbers
    return shape


cdef inline int64_t store_partition(int64_t bits, int64_t code) noexcept nogil:
    """Which partition a lead code belongs to."""
    return code >> RUN & ((<int64_t> 1 << bits) - 1)


cdef inline int64_t store_local(int64_t bits, int64_t code) noexcept nogil:
    """The number of a lead code in its partition."""
    return code >> (RUN + bits) << RUN | code & ((1 << RUN) - 1)


cdef inline int64_t store_code(int64_t bits, int64_t partition, int64_t local) noexcept nogil:
    """The lead code of that number in a partition."""
    return local >> RUN << (RUN + bits) | partition << RUN | local & ((1 << RUN) - 1)


cdef inline int64_t store_leads(int64_t bits, int64_t partition, int64_t leads) noexcept nogil:
    """How many of the codes below ``leads`` belong to a partition."""
    cdef int64_t rest = (leads & ((<int64_t> 1 << (RUN + bits)) - 1)) - (partition << RUN)
    rest = 0 if rest < 0 else 1 << RUN if rest > 1 << RUN else rest
    return (leads >> (RUN + bits) << RUN) + rest


cdef inline int store_start(store_t* s, shape_t shape, int64_t bits) noexcept nogil:
    memset(s, 0, sizeof(store_t))
    s.shape = shape
    s.bits = bits
    s.horizon = INT64_MAX
    s.known = INT64_MAX
    s.earliest = INT64_MAX
    s.partitions = <partition_t*> calloc(<size_t> 1 << bits, sizeof(partition_t))
    return STORE_NO_MEMORY if s.partitions == NULL else STORE_OK


cdef inline int64_t store_used(const partition_t* p, const page_t* page) noexcept nogil:
    """Words of a page that hold records."""
    return p.room - page.words if page == p.last else page.used


cdef inline int64_t store_records(const partition_t* p, const shape_t* shape) noexcept nogil:
    """How many records a partition holds."""
    return p.records + store_used(p, p.last) // shape.stride if p.last != NULL else 0


cdef inline void store_drop(partition_t* p) noexcept nogil:
    """Give the pages of one partition back."""
    cdef page_t* page = p.first
    cdef page_t* following
    while page != NULL:
        following = page.next
        free(page)
        page = following
    memset(p, 0, sizeof(partition_t))


cdef inline void store_free(store_t* s) noexcept nogil:
    cdef int64_t i
    if s.partitions != NULL:
        for i in range(<int64_t> 1 << s.bits):
            store_drop(&s.partitions[i])
    free(s.partitions)
    free(s.first)
    s.partitions = NULL
    s.first = NULL


cdef inline int store_watch(store_t* s, uint32_t lead, int64_t at) noexcept nogil:
    """Remember the first declared event of a lead that only events name (spec 2.6)."""
    cdef int64_t i = <int64_t> lead - s.known
    cdef int64_t size, j
    cdef int64_t* first
    if i >= s.first_size:
        size = 2 * i + 1024
        first = <int64_t*> realloc(s.first, <size_t> size * sizeof(int64_t))
        if first == NULL:
            return STORE_NO_MEMORY
        for j in range(s.first_size, size):
            first[j] = INT64_MAX
        s.first = first
        s.first_size = size
    if at < s.first[i]:
        s.first[i] = at
    return STORE_OK


cdef inline int store_turn(store_t* s, partition_t* p) noexcept nogil:
    """Begin a partition's next page; -1 when memory runs out."""
    cdef int64_t words = PAGE_WORDS if s.shape.stride < PAGE_WORDS else s.shape.stride
    cdef page_t* page = <page_t*> malloc(sizeof(page_t) + <size_t> (words - PAGE_WORDS) * sizeof(uint64_t))
    if page == NULL:
        return STORE_NO_MEMORY
    page.next = NULL
    if p.last == NULL:
        p.first = page
    else:
        p.last.used = store_used(p, p.last)
        p.records += p.last.used // s.shape.stride
        p.last.next = page
    p.last = page
    p.room = page.words
    p.full = page.words + words - s.shape.stride
    return STORE_OK


cdef inline int store_push(
    store_t* s, int64_t n, const uint32_t* lead, const int64_t* at, const uint32_t* hits, const int64_t* row,
    const uint32_t* order, const uint32_t* content, const uint32_t* codes, int64_t codes_step,
    const double* numbers, int64_t numbers_step, const uint32_t* alias, int64_t aliases,
) noexcept nogil:
    """Take a block of rows; columns a shape does not ask for are not read.

    Rows to keep are picked first, without a branch: whether an event hits anything is as good as random.
    """
    cdef int64_t begin, i, j, picks
    cdef int32_t k, word
    cdef uint32_t who
    cdef uint64_t* words
    cdef partition_t* p
    cdef int32_t picked[512]
    cdef bint later
    begin = 0
    while begin < n:
        picks = 0
        for i in range(begin, begin + PICKED if n - begin > PICKED else n):
            later = at[i] > s.horizon
            s.later += later
            picked[picks] = <int32_t> i
            picks += s.keep_later if later else (hits[i] != 0) | s.keep_idle
            if aliases or lead[i] >= s.known:
                who = alias[lead[i]] if lead[i] < aliases else lead[i]
                if who >= s.known and store_watch(s, who, at[i]):
                    return STORE_NO_MEMORY
        begin += PICKED
        s.kept += picks
        for j in range(picks):
            i = picked[j]
            who = alias[lead[i]] if lead[i] < aliases else lead[i]
            if at[i] < s.earliest:
                s.earliest = at[i]
            p = &s.partitions[store_partition(s.bits, who)]
            if p.room == NULL or p.room > p.full:
                if store_turn(s, p):
                    return STORE_NO_MEMORY
            words = p.room
            p.room += s.shape.stride
            words[0] = <uint64_t> who << 32 | hits[i]
            words[1] = <uint64_t> at[i]
            if s.shape.stride == 2:
                continue
            if s.shape.identities:
                words[s.shape.identities] = <uint64_t> order[i] << 32
                if content != NULL:
                    words[s.shape.identities] |= content[i]
            if s.shape.row:
                words[s.shape.row] = <uint64_t> row[i]
            for k in range(s.shape.codes_size):
                word = s.shape.codes + (k >> 1)
                if k & 1:
                    words[word] |= <uint64_t> codes[k * codes_step + i] << 32
                else:
                    words[word] = codes[k * codes_step + i]
            for k in range(s.shape.numbers_size):
                memcpy(&words[s.shape.numbers + k], &numbers[k * numbers_step + i], 8)
    return STORE_OK


cdef inline uint32_t record_lead(const uint64_t* r) noexcept nogil:
    return <uint32_t> (r[0] >> 32)


cdef inline uint32_t record_hits(const uint64_t* r) noexcept nogil:
    return <uint32_t> r[0]


cdef inline int64_t record_at(const uint64_t* r) noexcept nogil:
    return <int64_t> r[1]


cdef inline uint32_t record_order(const shape_t* s, const uint64_t* r) noexcept nogil:
    return <uint32_t> (r[s.identities] >> 32) if s.identities else 0


cdef inline uint32_t record_content(const shape_t* s, const uint64_t* r) noexcept nogil:
    return <uint32_t> r[s.identities] if s.identities else 0


cdef inline int64_t record_row(const shape_t* s, const uint64_t* r) noexcept nogil:
    return <int64_t> r[s.row] if s.row else -1


cdef inline uint32_t record_code(const shape_t* s, const uint64_t* r, int32_t k) noexcept nogil:
    return <uint32_t> (r[s.codes + (k >> 1)] >> (32 if k & 1 else 0))


cdef inline double record_number(const shape_t* s, const uint64_t* r, int32_t k) noexcept nogil:
    cdef double value
    memcpy(&value, &r[s.numbers + k], 8)
    return value
