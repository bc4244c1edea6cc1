cdef class Images:
    """What every lead of a ledger remembers, by slot: bytes, and beside them when it was told, and when to look again.

    Attributes:
        told: Instant up to which each lead was told, -2^63 for none.
        newest: Its newest event told, ever.
        begun: Its earliest fact, 2^63 - 1 for none.
        latest: Its latest, told or not, and at least when it was told.
        due: When it has to be looked at again though nothing comes, 2^63 - 1 for never.
    """

    cdef uint8_t** data
    cdef int64_t* sizes
    cdef readonly int64_t count
    cdef int64_t room
    cdef readonly object told, newest, begun, latest, due
    cdef int64_t[::1] _told, _newest, _begun, _latest, _due

    def __cinit__(self):
        self.count = 0
        self.room = 0
        self.data = NULL
        self.sizes = NULL
        self._widen(64)

    def __dealloc__(self):
        cdef int64_t i
        if self.data != NULL:
            for i in range(self.count):
                free(self.data[i])
        free(self.data)
        free(self.sizes)

    def __len__(self):
        return self.count

    cdef _widen(self, int64_t room):
        cdef uint8_t** data = <uint8_t**> realloc(self.data, <size_t> room * sizeof(void*))
        cdef int64_t* sizes
        if data == NULL:
            raise MemoryError
        self.data = data
        sizes = <int64_t*> realloc(self.sizes, <size_t> room * sizeof(int64_t))
        if sizes == NULL:
            raise MemoryError
        self.sizes = sizes
        columns = []
        for old, blank in (
            (self.told, INT64_MIN), (self.newest, INT64_MIN), (self.begun, INT64_MAX), (self.latest, INT64_MIN),
            (self.due, INT64_MAX),
        ):
            column = np.full(room, blank, np.int64)
            if old is not None:
                column[:self.count] = old[:self.count]
            columns.append(column)
        self.told, self.newest, self.begun, self.latest, self.due = columns
        self._told, self._newest, self._begun, self._latest, self._due = columns
        self.room = room

    def grow(self, int64_t count):
        """Have slots for ``count`` leads."""
        if count > self.room:
            self._widen(max(count, 2 * self.room))
        while self.count < count:
            self.data[self.count] = NULL
            self.sizes[self.count] = 0
            self.count += 1

    def image(self, int64_t slot):
        """The bytes of a lead; none for one that nothing is known of."""
        self._check(slot)
        return PyBytes_FromStringAndSize(<const char*> self.data[slot], self.sizes[slot]) if self.sizes[slot] else b""

    def size(self):
        """Bytes of all images."""
        cdef int64_t total = 0, i
        for i in range(self.count):
            total += self.sizes[i]
        return total

    def drop(self, int64_t slot):
        """Forget a lead."""
        self._check(slot)
        free(self.data[slot])
        self.data[slot] = NULL
        self.sizes[slot] = 0
        self._told[slot] = self._newest[slot] = self._latest[slot] = INT64_MIN
        self._begun[slot] = self._due[slot] = INT64_MAX

    def span(self, int64_t slot):
        """The first and last instant at which something may happen to a lead, but for what is new; a slot may be new."""
        if slot >= self.count or self.sizes[slot] == 0:
            return INT64_MAX, INT64_MIN
        return self._begun[slot], self._latest[slot]

    cdef _check(self, int64_t slot):
        if not 0 <= slot < self.count:
            raise ValueError(f"no slot {slot}")
