cdef class Sets:
    """Hit sets spelled out: what an event row does, what a lead row says. Made once per run, then read only."""

    cdef int64_t* start
    cdef act_t* acts
    cdef say_t* says
    cdef readonly int64_t size

    def __cinit__(self):
        self.start = NULL
        self.acts = NULL
        self.says = NULL

    def __dealloc__(self):
        free(self.start)
        free(self.acts)
        free(self.says)

    @staticmethod
    def of_events(Plan plan not None, const int64_t[::1] offsets not None, const uint32_t[::1] ids not None):
        """Acts by event hit set; within a set resets come first and a fold that is reset takes nothing (spec 4.8)."""
        cdef Sets sets = Sets.__new__(Sets)
        cdef int64_t total = 0, i, used = 0
        sets.size = offsets.shape[0] - 1
        for i in range(ids.shape[0]):
            if ids[i] >= plan.c.hits_size:
                raise ValueError(f"hit id {ids[i]} is not of this plan")
        if ids.shape[0]:
            total = acts_most(&plan.c, &ids[0], ids.shape[0])
        sets.start = <int64_t*> malloc((<size_t> sets.size + 1) * sizeof(int64_t))
        sets.acts = <act_t*> malloc(<size_t> (total + 1) * sizeof(act_t))
        if sets.start == NULL or sets.acts == NULL:
            raise MemoryError
        for i in range(sets.size):
            sets.start[i] = used
            if offsets[i] < offsets[i + 1]:
                used += acts_of(&plan.c, &ids[offsets[i]], offsets[i + 1] - offsets[i], sets.acts + used)
        sets.start[sets.size] = used
        return sets

    @staticmethod
    def of_leads(Plan plan not None, const int64_t[::1] offsets not None, const uint32_t[::1] ids not None):
        """What the attributes say, by lead hit set."""
        cdef Sets sets = Sets.__new__(Sets)
        cdef int64_t total = 0, i, j, used = 0
        cdef const span_t* span
        sets.size = offsets.shape[0] - 1
        for i in range(ids.shape[0]):
            if ids[i] >= plan.c.lead_hits_size:
                raise ValueError(f"lead hit id {ids[i]} is not of this plan")
            total += plan.c.hit_says[ids[i]].size
        sets.start = <int64_t*> malloc((<size_t> sets.size + 1) * sizeof(int64_t))
        sets.says = <say_t*> malloc(<size_t> (total + 1) * sizeof(say_t))
        if sets.start == NULL or sets.says == NULL:
            raise MemoryError
        for i in range(sets.size):
            sets.start[i] = used
            for j in range(offsets[i], offsets[i + 1]):
                span = &plan.c.hit_says[ids[j]]
                if span.size:
                    memcpy(&sets.says[used], &plan.c.says[span.begin], <size_t> span.size * sizeof(say_t))
                    used += span.size
        sets.start[sets.size] = used
        return sets
