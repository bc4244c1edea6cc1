cdef class Store:
    """Rows of a run, partitioned by lead (see `leadcore_kernel/store.pxd`)."""

    cdef store_t c
    cdef const uint32_t[::1] alias
    cdef readonly int64_t partitions

    def __cinit__(
        self, int64_t bits, bint identities, bint row, int codes, int numbers, int64_t horizon=INT64_MAX,
        int64_t known=INT64_MAX, bint keep_idle=False, bint keep_later=False, alias=None,
    ):
        """Make an empty store of 2^bits partitions; ``alias`` maps lead codes to the code they stand for (spec 2.8)."""
        if not 0 <= bits <= 12:
            raise ValueError("bits must be 0 to 12")
        self.alias = np.empty(0, np.uint32) if alias is None else alias
        if store_start(&self.c, store_shape(identities, row, codes, numbers), bits):
            raise MemoryError
        self.c.horizon = horizon
        self.c.known = known
        self.c.keep_idle = keep_idle
        self.c.keep_later = keep_later
        self.partitions = 1 << bits

    def __dealloc__(self):
        store_free(&self.c)

    def push(
        self, int64_t n, const uint32_t[::1] lead not None, const int64_t[::1] at not None,
        const uint32_t[::1] hits not None, const int64_t[::1] row not None, const uint32_t[::1] order not None,
        const uint32_t[::1] content not None, const uint32_t[:, ::1] codes not None,
        const double[:, ::1] numbers not None,
    ):
        """Take the first ``n`` rows of a block."""
        cdef int fault
        cdef const shape_t* s = &self.c.shape
        if (
            n < 0 or lead.shape[0] < n or at.shape[0] < n or hits.shape[0] < n or (s.row and row.shape[0] < n)
            or (s.identities and order.shape[0] < n) or codes.shape[0] < s.codes_size
            or numbers.shape[0] < s.numbers_size or (s.codes_size and codes.shape[1] < n)
            or (s.numbers_size and numbers.shape[1] < n) or (content.shape[0] and content.shape[0] < n)
        ):
            raise ValueError("the block's arrays are shorter than its rows")
        if n == 0:
            return
        with nogil:
            fault = store_push(
                &self.c, n, &lead[0], &at[0], &hits[0], &row[0] if row.shape[0] else NULL,
                &order[0] if order.shape[0] else NULL, &content[0] if content.shape[0] else NULL,
                &codes[0, 0] if s.codes_size else NULL, codes.shape[1],
                &numbers[0, 0] if s.numbers_size else NULL, numbers.shape[1],
                &self.alias[0] if self.alias.shape[0] else NULL, self.alias.shape[0],
            )
        if fault:
            raise MemoryError

    @property
    def later(self):
        """Rows beyond the horizon."""
        return self.c.later

    @property
    def kept(self):
        """Records in the store."""
        return self.c.kept

    @property
    def earliest(self):
        """Instant of the first record, INT64_MAX where there is none."""
        return self.c.earliest

    def first_seen(self, int64_t leads):
        """Instant of the first declared event of each of ``leads`` codes, 2^63 - 1 where none was watched for."""
        cdef int64_t i, j
        out = np.full(leads, INT64_MAX, np.int64)
        cdef int64_t[::1] view = out
        for i in range(self.c.first_size):
            j = self.c.known + i
            if j >= leads:
                break
            view[j] = self.c.first[i]
        return out
