cdef class Facts:
    """Facts of one call, by lead, as arrays: what a keeper takes.

    Lead r of the call has slot ``slots[r]``, the events ``events[first[r]:first[r + 1]]`` (rows of the columns) and the
    rows of attributes ``traits[first_trait[r]:first_trait[r + 1]]``.
    """

    cdef const int64_t[::1] slots, first, events, at, first_trait, traits, since, created, set_start, key_start, lead_start
    cdef const int64_t[::1] owner_start
    cdef const uint32_t[::1] sets, identity, set_ids, lead_sets, lead_ids
    cdef const uint32_t[:, ::1] codes
    cdef const double[:, ::1] numbers
    cdef const uint8_t[::1] keys, owners
    cdef const uint8_t[:, ::1] contents
    cdef const uint8_t** digests
    cdef int64_t* digests_size
    cdef list views

    def __cinit__(
        self, const int64_t[::1] slots not None, const int64_t[::1] first not None, const int64_t[::1] events not None,
        const int64_t[::1] at not None, const uint32_t[::1] sets not None, const uint32_t[::1] identity not None,
        const uint32_t[:, ::1] codes not None, const double[:, ::1] numbers not None,
        const int64_t[::1] set_start not None, const uint32_t[::1] set_ids not None,
        const int64_t[::1] key_start not None, const uint8_t[::1] keys not None, const uint8_t[:, ::1] contents not None,
        list digests not None, const int64_t[::1] first_trait not None, const int64_t[::1] traits not None,
        const int64_t[::1] since not None, const int64_t[::1] created not None, const uint32_t[::1] lead_sets not None,
        const int64_t[::1] lead_start not None, const uint32_t[::1] lead_ids not None,
        const int64_t[::1] owner_start not None, const uint8_t[::1] owners not None,
    ):
        """Bring the arrays of an encoder together; they are only read. ``owners`` are keys of records merged into a lead."""
        cdef const uint8_t[:, ::1] view
        cdef int64_t i
        self.slots, self.first, self.events, self.at, self.sets, self.identity = slots, first, events, at, sets, identity
        self.codes, self.numbers, self.set_start, self.set_ids = codes, numbers, set_start, set_ids
        self.key_start, self.keys, self.contents = key_start, keys, contents
        self.first_trait, self.traits, self.since, self.created = first_trait, traits, since, created
        self.lead_sets, self.lead_start, self.lead_ids = lead_sets, lead_start, lead_ids
        self.owner_start, self.owners = owner_start, owners
        self.views = digests
        self.digests = <const uint8_t**> calloc(<size_t> len(digests) + 1, sizeof(void*))
        self.digests_size = <int64_t*> calloc(<size_t> len(digests) + 1, sizeof(int64_t))
        if self.digests == NULL or self.digests_size == NULL:
            raise MemoryError
        for i in range(len(digests)):
            view = digests[i]
            if view.shape[1] != DIGEST:
                raise ValueError("a digest has 16 bytes")
            self.digests[i] = &view[0, 0] if view.shape[0] else NULL
            self.digests_size[i] = view.shape[0]
        if (
            first.shape[0] < slots.shape[0] + 1 or first_trait.shape[0] < slots.shape[0] + 1
            or codes.shape[0] < len(digests) or contents.shape[0] + 1 < key_start.shape[0]
            or contents.shape[1] != DIGEST or created.shape[0] != since.shape[0] or lead_sets.shape[0] != since.shape[0]
            or owner_start.shape[0] != since.shape[0] + 1
        ):
            raise ValueError("the arrays do not fit together")

    def __dealloc__(self):
        free(self.digests)
        free(self.digests_size)

    @property
    def size(self):
        """How many leads."""
        return self.slots.shape[0]


cdef class Outcome:
    """What a call did to its leads, by row of the call; keepers may write to different rows at once."""

    cdef int64_t* before_at
    cdef int64_t* after_at
    cdef int64_t* open_stage
    cdef int64_t* open_entered
    cdef int64_t* stage
    cdef int64_t* entered
    cdef int64_t* scores_before
    cdef int64_t* scores_after
    cdef uint8_t* reached_before
    cdef uint8_t* reached_after
    cdef int64_t rows, scores, thresholds

    def __cinit__(self, int64_t rows, int64_t scores, int64_t thresholds):
        cdef int64_t i
        if rows < 0 or scores < 0 or thresholds < 0:
            raise ValueError("there are no fewer rows than none")
        self.rows, self.scores, self.thresholds = rows, scores, thresholds
        self.before_at = <int64_t*> calloc(<size_t> (rows * (6 + 2 * scores) + 1), sizeof(int64_t))
        self.reached_before = <uint8_t*> calloc(<size_t> (2 * rows * thresholds + 1), 1)
        if self.before_at == NULL or self.reached_before == NULL:
            raise MemoryError
        self.after_at = self.before_at + rows
        self.open_stage = self.after_at + rows
        self.open_entered = self.open_stage + rows
        self.stage = self.open_entered + rows
        self.entered = self.stage + rows
        self.scores_before = self.entered + rows
        self.scores_after = self.scores_before + rows * scores
        self.reached_after = self.reached_before + rows * thresholds
        for i in range(rows):
            self.before_at[i] = self.after_at[i] = INT64_MIN
            self.open_stage[i] = self.stage[i] = -1

    def __dealloc__(self):
        free(self.before_at)
        free(self.reached_before)

    cdef _column(self, const void* data, int64_t width, kind):
        cdef object shape = (self.rows,)
        if width >= 0:
            shape = (self.rows, width)
        cdef int64_t size = self.rows * (width if width >= 0 else 1)
        size *= 8 if kind is np.int64 else 1
        return np.frombuffer(PyBytes_FromStringAndSize(<const char*> data, size) if size else b"", kind).reshape(shape)

    def column(self, str name not None):
        """One of `before_at`, `after_at`, `open_stage`, `open_entered`, `stage`, `entered`, by row; a copy."""
        cdef const int64_t* data
        if name == "before_at":
            data = self.before_at
        elif name == "after_at":
            data = self.after_at
        elif name == "open_stage":
            data = self.open_stage
        elif name == "open_entered":
            data = self.open_entered
        elif name == "stage":
            data = self.stage
        elif name == "entered":
            data = self.entered
        else:
            raise KeyError(name)
        return self._column(data, -1, np.int64)

    def score_columns(self):
        """Scores before and after, shape (rows, scores)."""
        return self._column(self.scores_before, self.scores, np.int64), self._column(self.scores_after, self.scores, np.int64)

    def threshold_columns(self):
        """Thresholds before and after, shape (rows, thresholds)."""
        return (
            self._column(self.reached_before, self.thresholds, np.uint8),
            self._column(self.reached_after, self.thresholds, np.uint8),
        )

    def tell(self, int64_t row, int64_t at):
        """Note that nothing is told of a row but when it was told."""
        if not 0 <= row < self.rows:
            raise ValueError(f"no row {row}")
        self.before_at[row] = self.after_at[row] = at
