cdef class Replayer:
    """One thread's work space for the replay of one plan (spec 8); not shared between threads at a time."""

    cdef Plan plan
    cdef lead_t lead
    cdef space_t space
    cdef life_t life
    cdef ground_t ground
    cdef Sets attributes      # what `ground` is of
    cdef object held

    def __cinit__(self, Plan plan not None, const piece_t[::1] grid not None, int64_t every, bint changes,
                  const int32_t[::1] stop not None):
        """``grid`` are the pieces of the run's grid, ``every`` its duration or 0; ``stop`` is the run's flag."""
        self.plan = plan
        self.held = (grid, stop)
        memset(&self.space, 0, sizeof(space_t))
        memset(&self.life, 0, sizeof(life_t))
        memset(&self.ground, 0, sizeof(ground_t))
        if plan.c.stages_size == 0 or stop.shape[0] == 0:
            raise ValueError("the plan has no lifecycle, or there is no flag")
        if lead_start(&self.lead, &plan.c, True) or life_start(&self.life, &plan.c):
            raise MemoryError
        self.life.grid.pieces = &grid[0] if grid.shape[0] else NULL
        self.life.grid.size = grid.shape[0]
        self.life.grid.every = every if grid.shape[0] else 0
        self.life.changes = changes
        self.life.stop = &stop[0]
        self.space.stop = &stop[0]

    def __dealloc__(self):
        if self.plan is not None:
            lead_free(&self.lead, &self.plan.c)
        space_free(&self.space)
        life_free(&self.life)
        ground_free(&self.ground)

    def run(
        self, Store store not None, int64_t partition, int64_t leads, Sets events not None, Sets attributes not None,
        const uint32_t[::1] ranks not None, uint32_t first_id, bint repeats, int64_t end,
        const int64_t[::1] place not None, const int64_t[::1] born not None, const int32_t[::1] begins not None,
        const int64_t[::1] rows not None, const int64_t[::1] since not None, const uint32_t[::1] says not None,
        int32_t[::1] stage not None, int64_t[::1] entered not None, int64_t[:, ::1] scores not None,
        uint8_t[:, ::1] thresholds not None,
    ):
        """Replay one partition's leads up to ``end``; the partition's rows are used up.

        Lead code i is row ``place[i]`` of the outputs, -1 for one that is not replayed; it is born at ``born[i]`` at the
        latest (INT64_MAX: known from events alone), or exactly then, into stage ``begins[i]``, where that is not -1. Its
        rows of attributes are ``rows[i]`` to ``rows[i + 1]`` of ``since`` (ascending) and ``says`` (lead hit sets).
        ``stage`` is -1 for a lead without one, -2 for one born after the end.

        Returns:
            ``(faults, ambiguous, circling)``: rows that repeat an ``event_id`` and differ, as a list of (lead code, row,
            row); whether events of one lead at one instant differ and nothing says which comes first (then nothing else
            holds); and None, or the code and the newest stages of a lead with too many transitions.
        """
        cdef const plan_t* p = &self.plan.c
        cdef space_t* w = &self.space
        cdef life_t* f = &self.life
        cdef const shape_t* shape = &store.c.shape
        cdef int64_t local, i, j, k, code = 0, n, bits = store.c.bits
        cdef int fault = 0
        cdef bint ambiguous = False
        cdef history_t h
        if (
            not 0 <= partition < store.partitions or place.shape[0] < leads or born.shape[0] < leads
            or begins.shape[0] < leads or rows.shape[0] < leads + 1
        ):
            raise ValueError("no such partition, or too few leads")
        if self.attributes is not attributes:
            self.attributes = None
            if ground_start(&self.ground, p, attributes.size):
                raise MemoryError
            self.attributes = attributes
        w.faults_size = 0
        h.shape = shape
        h.ground = &self.ground
        h.acts_start = events.start
        h.acts = events.acts
        h.says_start = attributes.start
        h.says = attributes.says
        h.end = end
        with nogil:
            fault = space_gather(w, &store.c, partition, leads, &local)
            i = 0
            while not fault and i < local:
                code = store_code(bits, partition, i)
                n = w.starts[i + 1] - w.starts[i]
                if place[code] < 0 and not (n and repeats):
                    i += 1
                    continue
                h.records = w.records + w.starts[i] * shape.stride
                fault = space_line_up(
                    w, shape, h.records, n, &ranks[0] if ranks.shape[0] else NULL, first_id, repeats, &n
                )
                if fault or place[code] < 0:
                    i += 1
                    continue
                while n and w.keys[n - 1].at > end:
                    n -= 1
                if not shape.identities:
                    for j in range(1, n):
                        if w.keys[j].at == w.keys[j - 1].at and memcmp(
                            h.records + w.keys[j].place * shape.stride, h.records + w.keys[j - 1].place * shape.stride,
                            <size_t> shape.stride * 8,
                        ):
                            ambiguous = True
                            break
                    if ambiguous:
                        break
                h.keys = w.keys
                h.events_size = n
                h.since = &since[rows[code]] if rows[code] < rows[code + 1] else NULL
                h.attributes = &says[rows[code]] if rows[code] < rows[code + 1] else NULL
                h.attributes_size = rows[code + 1] - rows[code]
                h.birth = born[code]
                h.stage = begins[code]
                if h.stage < 0:
                    h.stage = <int32_t> p.initial
                    if n and w.keys[0].at < h.birth:
                        h.birth = w.keys[0].at
                k = place[code]
                if h.birth > end and h.birth != INT64_MAX:
                    stage[k] = -2
                    i += 1
                    continue
                f.place = k
                fault = life_run(f, &self.lead, p, &h)
                stage[k] = f.stage
                entered[k] = f.entered
                for j in range(p.scores_size):
                    scores[k, j] = self.lead.scores[j]
                for j in range(p.thresholds_size):
                    thresholds[k, j] = self.lead.reached[j]
                i += 1
        if fault == LIFE_STOPPED or (fault and self.life.stop[0]):
            raise KeyboardInterrupt
        if fault == LIFE_TOO_MANY_MOVES:
            n = f.log.moves_size
            return [], False, (code, [f.log.moves[j].to_stage for j in range(n - 1, max(n - 1000, 0), -1)])
        if fault:
            raise MemoryError
        return (
            [(w.faults[k], w.faults[k + 1], w.faults[k + 2]) for k in range(0, w.faults_size, 3)], ambiguous, None
        )

    def moves(self):
        """The transitions of all runs so far: records (dtype ``move``) and their scores, micropoints."""
        cdef life_t* f = &self.life
        cdef int64_t n = f.log.moves_size, width = self.plan.c.scores_size
        records = np.empty(n, _DTYPES["move"])
        scores = np.empty((n, width), np.int64)
        cdef move_t[::1] taken = records
        cdef int64_t[:, ::1] values = scores
        if n:
            memcpy(&taken[0], f.log.moves, <size_t> n * sizeof(move_t))
            if width:
                memcpy(&values[0, 0], f.log.scores, <size_t> (n * width) * sizeof(int64_t))
        return records, scores

    def changes(self):
        """The score changes of all runs so far (dtype ``change``)."""
        cdef life_t* f = &self.life
        records = np.empty(f.log.changes_size, _DTYPES["change"])
        cdef change_t[::1] taken = records
        if f.log.changes_size:
            memcpy(&taken[0], f.log.changes, <size_t> f.log.changes_size * sizeof(change_t))
        return records

    def counts(self):
        """By rule how often it was passed over; manual moves to the current stage; to no stage of the model."""
        cdef life_t* f = &self.life
        return (
            np.array([f.passed_over[i] for i in range(self.plan.c.rules_size)], np.int64),
            f.manual_current, f.manual_unknown,
        )

    def overflow(self):
        """By fold: events left out because a lead had 65,536 values of ``unique_by`` (spec 4.6)."""
        return np.array([self.lead.folds[i].overflow for i in range(self.plan.c.folds_size)], np.int64)
