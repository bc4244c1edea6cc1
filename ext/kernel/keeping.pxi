cdef struct pending_t:
    int64_t slot
    uint8_t* data
    int64_t size
    int64_t told
    int64_t newest
    int64_t begun
    int64_t latest
    int64_t due


cdef class Keeper:
    """One thread's work space over the images of a ledger; not shared between threads at a time.

    New images wait until `commit`: a call that fails changes nothing.

    Attributes:
        twins: Events and retractions told before, since it was put to `rest`.
    """

    cdef Plan plan
    cdef keep_t w
    cdef object held
    cdef pending_t* pending
    cdef int64_t pending_size, pending_room
    cdef list late
    cdef readonly int64_t twins

    def __cinit__(
        self, Plan plan not None, int64_t codes, int64_t numbers, int64_t late, const uint32_t[::1] nulls not None,
        const piece_t[::1] grid not None, int64_t every, const int32_t[::1] stop not None,
    ):
        """``late`` is in microseconds, -1: all is kept; ``nulls`` are the hits of attributes that are all null.

        The other arguments are those of a replayer.
        """
        cdef int64_t i
        self.plan = plan
        self.held = (nulls, grid, stop)
        memset(&self.w, 0, sizeof(keep_t))
        if stop.shape[0] == 0:
            raise ValueError("there is no flag")
        for i in range(nulls.shape[0]):
            if nulls[i] >= plan.c.lead_hits_size:
                raise ValueError(f"lead hit id {nulls[i]} is not of this plan")
        if keep_start(&self.w, &plan.c, codes, numbers):
            raise MemoryError
        self.w.late = late
        self.w.nulls = &nulls[0] if nulls.shape[0] else NULL
        self.w.nulls_size = nulls.shape[0]
        self.w.life.stop = &stop[0]
        self.w.life.grid.pieces = &grid[0] if grid.shape[0] else NULL
        self.w.life.grid.size = grid.shape[0]
        self.w.life.grid.every = every if grid.shape[0] and plan.c.stages_size else 0
        self.late = []

    def __dealloc__(self):
        self._discard()
        free(self.pending)
        if self.plan is not None:
            keep_free(&self.w)

    cdef _discard(self):
        cdef int64_t i
        for i in range(self.pending_size):
            free(self.pending[i].data)
        self.pending_size = 0

    def rest(self):
        """Let go of new images and of what was told."""
        self._discard()
        self.twins = 0
        self.w.log_size = 0
        bytes_clear(&self.w.bytes)
        if self.late:
            self.late = []

    def commit(self, Images images not None):
        """Put the new images in the place of the old ones."""
        cdef int64_t i
        cdef pending_t* n
        for i in range(self.pending_size):
            n = &self.pending[i]
            free(images.data[n.slot])
            images.data[n.slot] = n.data
            images.sizes[n.slot] = n.size
            images._told[n.slot] = n.told
            images._newest[n.slot] = n.newest
            images._begun[n.slot] = n.begun
            images._latest[n.slot] = n.latest
            images._due[n.slot] = n.due
        self.pending_size = 0

    cdef int _keep(self, int64_t slot) noexcept nogil:
        """Remember the image just written; -1 when memory runs out."""
        cdef pending_t* n
        if grown(<void**> &self.pending, &self.pending_room, self.pending_size + 1, sizeof(pending_t)):
            return -1
        n = &self.pending[self.pending_size]
        n.data = <uint8_t*> malloc(<size_t> self.w.out.size + 1)
        if n.data == NULL:
            return -1
        memcpy(n.data, self.w.out.data, <size_t> self.w.out.size)
        n.size = self.w.out.size
        n.slot = slot
        n.told = self.w.image.told
        n.newest = self.w.image.newest
        n.begun = self.w.image.begun
        n.latest = self.w.image.latest
        n.due = self.w.due
        self.pending_size += 1
        return 0

    cdef int _open(self, Images images, int64_t slot) noexcept nogil:
        """Begin with a lead: its image taken apart."""
        cdef int fault
        keep_clear(&self.w)
        fault = keep_open(&self.w, images.data[slot], images.sizes[slot])
        if not fault:
            fault = digests_read(&self.w.facts, &self.w.image.digests)
        return fault if fault else KEEP_DAMAGED if self.w.image.digests.fault else KEEP_OK

    cdef int _events(self, Facts facts, int64_t r) noexcept nogil:
        """Take the facts of one lead of a call."""
        cdef facts_t* f = &self.w.facts
        cdef fact_t* e
        cdef trait_t* t
        cdef int64_t i, k, row, n, codes = self.w.shape.codes_size, numbers = self.w.shape.numbers_size, code
        for i in range(facts.first[r], facts.first[r + 1]):
            row = facts.events[i]
            e = facts_add(f, &self.plan.c, codes, numbers)
            if e == NULL:
                return KEEP_NO_MEMORY
            e.row = row
            e.at = facts.at[row]
            n = facts.identity[row]
            e.key = &facts.keys[facts.key_start[n]]
            e.key_size = <int32_t> (facts.key_start[n + 1] - facts.key_start[n])
            e.content = &facts.contents[n, 0]
            k = facts.set_start[facts.sets[row]]
            n = facts.set_start[facts.sets[row] + 1] - k
            e.ids_size = <int32_t> n
            if n and facts_hits(f, &facts.set_ids[k], n):
                return KEEP_NO_MEMORY
            for k in range(codes):
                n = facts.codes[k, row]
                code = 0 if n == 0 or n >= facts.digests_size[k] else digest_code(f, facts.digests[k] + n * DIGEST)
                if code < 0:
                    return KEEP_NO_MEMORY
                f.codes[e.place * codes + k] = <uint32_t> code
            for k in range(numbers):
                f.numbers[e.place * numbers + k] = facts.numbers[k, row]
        for i in range(facts.first_trait[r], facts.first_trait[r + 1]):
            row = facts.traits[i]
            t = facts_trait(f)
            if t == NULL:
                return KEEP_NO_MEMORY
            t.row = row
            t.since = facts.since[row]
            t.created = facts.created[row]
            t.owner_size = <int32_t> (facts.owner_start[row + 1] - facts.owner_start[row])
            t.owner = &facts.owners[facts.owner_start[row]] if t.owner_size else NULL
            k = facts.lead_start[facts.lead_sets[row]]
            n = facts.lead_start[facts.lead_sets[row] + 1] - k
            t.ids_size = <int32_t> n
            if n and facts_hits(f, &facts.lead_ids[k], n):
                return KEEP_NO_MEMORY
        return KEEP_OK

    cdef int _run(
        self, Images images, int64_t slot, int64_t lead, int64_t clock, int64_t until, Outcome outcome
    ) noexcept nogil:
        """Let the facts taken act on the lead, and write down what it outcome."""
        cdef keep_t* w = &self.w
        cdef int64_t i, before = w.image.told
        cdef int fault = keep_apply(w, lead, clock, until)
        if fault:
            return fault
        outcome.before_at[lead] = before
        outcome.after_at[lead] = w.image.told
        outcome.open_stage[lead] = w.open_stage
        outcome.open_entered[lead] = w.open_entered
        outcome.stage[lead] = w.life.stage
        outcome.entered[lead] = w.life.entered
        outcome.live[lead] = w.live
        self.twins += w.twins
        for i in range(self.plan.c.scores_size):
            outcome.scores_before[lead * outcome.scores + i] = w.before[i]
            outcome.scores_after[lead * outcome.scores + i] = w.lead.scores[i]
        for i in range(self.plan.c.thresholds_size):
            outcome.reached_before[lead * outcome.thresholds + i] = w.reached[i]
            outcome.reached_after[lead * outcome.thresholds + i] = w.lead.reached[i]
        return self._keep(slot)

    cdef _note_late(self):
        """List the facts that were too late."""
        cdef facts_t* f = &self.w.facts
        cdef int64_t i
        for i in range(f.size):
            if f.items[i].late:
                self.late.append(("events", f.items[i].row, f.items[i].at))
        for i in range(f.traits_size):
            if f.traits[i].late:
                self.late.append(("leads", f.traits[i].row, f.traits[i].late_at))

    def apply(self, Images images not None, Facts facts not None, int64_t begin, int64_t end, int64_t clock,
              int64_t until, Outcome outcome not None, bint anew=False):
        """Take the facts of leads [begin, end) of a call; ``anew``: they are all that is known of them.

        Each lead is brought to its newest fact up to ``until``, or to the clock if that is later.

        Returns:
            None, or ``(fault, lead, row)``.
        """
        cdef int64_t r
        cdef int fault = 0
        self._fits(outcome, begin, end)
        for r in range(begin, end):
            with nogil:
                fault = self._open(images, facts.slots[r])
                self.w.anew = anew
                if not fault:
                    fault = self._events(facts, r)
                if not fault:
                    self.w.lean = keep_is_lean(&self.w, until)
                    fault = keep_read(&self.w)
                if not fault:
                    fault = self._run(images, facts.slots[r], r, clock, until, outcome)
            if fault:
                return self._fault(fault, r)
            if self.w.lates:
                self._note_late()
        return None

    cdef _fits(self, Outcome outcome, int64_t begin, int64_t end):
        if (
            begin < 0 or end > outcome.rows or outcome.scores != self.plan.c.scores_size
            or outcome.thresholds != self.plan.c.thresholds_size
        ):
            raise ValueError("the outcome has no room for these leads")

    cdef _fault(self, int fault, int64_t lead):
        if fault == KEEP_NO_MEMORY:
            raise MemoryError
        if fault == KEEP_STOPPED:
            raise KeyboardInterrupt
        return fault, lead, self.w.conflict

    def add(
        self, Images images not None, int64_t slot, int64_t at, bytes ids not None, bytes key not None,
        bytes content not None, bytes codes not None, bytes numbers not None, int64_t clock, Outcome outcome not None,
    ):
        """Take one event straight from the edge's `encode_event`."""
        cdef facts_t* f = &self.w.facts
        cdef fact_t* e
        cdef int64_t k, code, width = self.w.shape.codes_size, n = self.w.shape.numbers_size
        cdef const uint8_t* digests = <const uint8_t*> <const char*> codes
        cdef int fault
        if len(codes) != width * DIGEST or len(numbers) != n * 8 or len(key) == 0 or len(content) != DIGEST or len(ids) & 3:
            raise ValueError("this is no event of this plan")
        images._check(slot)
        self._fits(outcome, 0, 1)
        fault = self._open(images, slot)
        if not fault:
            e = facts_add(f, &self.plan.c, width, n)
            if e == NULL:
                fault = KEEP_NO_MEMORY
            else:
                e.row = 0
                e.at = at
                e.key = <const uint8_t*> <const char*> key
                e.key_size = <int32_t> len(key)
                e.content = <const uint8_t*> <const char*> content
                e.ids_size = <int32_t> (len(ids) // 4)
                fault = facts_hits(f, <const uint32_t*> <const char*> ids, e.ids_size)
                for k in range(width):
                    code = digest_code(f, digests + k * DIGEST)
                    if code < 0:
                        fault = KEEP_NO_MEMORY
                    f.codes[e.place * width + k] = <uint32_t> code
                if n:
                    memcpy(f.numbers + e.place * n, <const char*> numbers, <size_t> n * 8)
        if not fault:
            with nogil:
                self.w.lean = keep_is_lean(&self.w, INT64_MAX)
                fault = keep_read(&self.w)
                if not fault:
                    fault = self._run(images, slot, 0, clock, INT64_MAX, outcome)
        if fault:
            return self._fault(fault, 0)
        if self.w.lates:
            self._note_late()
        return None

    def advance(
        self, Images images not None, const int64_t[::1] slots not None, int64_t begin, int64_t end, int64_t clock,
        Outcome outcome not None,
    ):
        """Bring leads ``slots[begin:end]`` to the clock."""
        cdef int64_t r = begin
        cdef int fault = 0
        self._fits(outcome, begin, end)
        with nogil:
            for r in range(begin, end):
                fault = self._open(images, slots[r])
                if not fault:
                    self.w.lean = keep_is_lean(&self.w, clock)
                    fault = keep_read(&self.w)
                if not fault:
                    fault = self._run(images, slots[r], r, clock, clock, outcome)
                if fault:
                    break
        return self._fault(fault, r) if fault else None

    def retract(
        self, Images images not None, int64_t slot, int64_t lead, list keys not None, int64_t clock, Outcome outcome not None
    ):
        """Take events of a lead back by the keys of their ids.

        Returns:
            ``(fault, unknown)``: None or a fault as of `apply`, whose row is the place of a key too late; and how many
            are not known.
        """
        cdef int64_t n = len(keys), i, unknown = 0
        cdef const uint8_t** pointers = <const uint8_t**> calloc(<size_t> n + 1, sizeof(void*))
        cdef int32_t* sizes = <int32_t*> calloc(<size_t> n + 1, sizeof(int32_t))
        cdef int fault
        cdef bytes key
        images._check(slot)
        self._fits(outcome, lead, lead + 1)
        try:
            if pointers == NULL or sizes == NULL:
                raise MemoryError
            for i in range(n):
                key = keys[i]
                pointers[i] = <const uint8_t*> <const char*> key
                sizes[i] = <int32_t> len(key)
            with nogil:
                fault = self._open(images, slot)
                if not fault:
                    fault = keep_read(&self.w)
                if not fault:
                    fault = keep_take(&self.w, pointers, sizes, n, &unknown)
                if not fault and self.w.lates == 0:
                    fault = self._run(images, slot, lead, clock, INT64_MAX, outcome)
            if not fault and self.w.lates:
                return (KEEP_TOO_EARLY, lead, self.w.conflict), unknown
        finally:
            free(pointers)
            free(sizes)
        return (self._fault(fault, lead) if fault else None), unknown

    def absorb(
        self, Images images not None, int64_t slot, int64_t other, bytes owner not None, int64_t lead, int64_t clock,
        Outcome outcome not None,
    ):
        """Make the record in slot ``other``, whose id has the key ``owner``, part of a lead (spec 2.8).

        Returns:
            None or a fault as of `apply`, whose row is of no use; also where facts of the record come too late.
        """
        cdef facts_t theirs
        cdef int64_t created, until
        cdef const uint8_t* key = <const uint8_t*> <const char*> owner
        cdef int32_t size = <int32_t> len(owner)
        cdef int fault
        images._check(slot)
        images._check(other)
        self._fits(outcome, lead, lead + 1)
        memset(&theirs, 0, sizeof(facts_t))
        fault = self._open(images, other)
        if not fault:
            fault = keep_read(&self.w)
        created = self.w.image.created
        if not fault:
            theirs = self.w.facts
            memset(&self.w.facts, 0, sizeof(facts_t))
            fault = self._open(images, slot)
        if not fault:
            fault = self._copy(&theirs, key, size)
        facts_free(&theirs)
        self.w.created = created
        self.w.absorbed = True
        if not fault:
            fault = keep_read(&self.w)
        if not fault:  # what was only kept of either is still to come
            until = images._told[other] if images._told[other] > clock else clock
            fault = self._run(images, slot, lead, until, until, outcome)
        if not fault and self.w.lates:
            fault = KEEP_TOO_EARLY
        return self._fault(fault, lead) if fault else None

    cdef int _copy(self, const facts_t* theirs, const uint8_t* owner, int32_t size) noexcept nogil:
        """Take another record's facts as those of a call."""
        cdef facts_t* f = &self.w.facts
        cdef fact_t* e
        cdef trait_t* t
        cdef int64_t i, k, at, code, codes = self.w.shape.codes_size, numbers = self.w.shape.numbers_size
        for i in range(theirs.size):
            e = facts_add(f, &self.plan.c, codes, numbers)
            if e == NULL or facts_hits(f, theirs.ids + theirs.items[i].ids, theirs.items[i].ids_size):
                return KEEP_NO_MEMORY
            at = e.place
            k = e.ids
            e[0] = theirs.items[i]
            e.row = 0
            e.place = at
            e.ids = k
            for k in range(codes):
                code = theirs.codes[theirs.items[i].place * codes + k]
                if code:
                    code = digest_code(f, theirs.digests + (code - 1) * DIGEST)
                if code < 0:
                    return KEEP_NO_MEMORY
                f.codes[at * codes + k] = <uint32_t> code
            for k in range(numbers):
                f.numbers[at * numbers + k] = theirs.numbers[theirs.items[i].place * numbers + k]
        for i in range(theirs.traits_size):
            t = facts_trait(f)
            if t == NULL or facts_hits(f, theirs.ids + theirs.traits[i].ids, theirs.traits[i].ids_size):
                return KEEP_NO_MEMORY
            k = t.ids
            t[0] = theirs.traits[i]
            t.row = 0
            t.ids = k
            t.created = INT64_MAX
            if t.owner_size == 0:
                t.owner = owner
                t.owner_size = size
        return KEEP_OK

    def withdraw(self, Images images not None, int64_t slot, int64_t lead):
        """Hand out every move of a lead as withdrawn."""
        cdef int64_t i, width = self.plan.c.scores_size
        cdef int fault
        with nogil:
            fault = self._open(images, slot)
            if not fault:
                fault = keep_read_moves(&self.w, lead)
        for i in range(self.w.old_size if not fault else 0):
            told_count(&self.w, self.w.old, i)
            if keep_tell(&self.w, &self.w.old[i], self.w.old_scores + i * width, -1):
                fault = KEEP_NO_MEMORY
                break
        return self._fault(fault, lead) if fault else None

    def read(self, Images images not None, int64_t slot, int64_t lead):
        """Hand out the moves of a lead as they stand."""
        cdef int64_t i, width = self.plan.c.scores_size
        cdef int fault
        with nogil:
            fault = self._open(images, slot)
            if not fault:
                fault = keep_read_moves(&self.w, lead)
        for i in range(self.w.old_size if not fault else 0):
            told_count(&self.w, self.w.old, i)
            if keep_tell(&self.w, &self.w.old[i], self.w.old_scores + i * width, 0):
                fault = KEEP_NO_MEMORY
                break
        return self._fault(fault, lead) if fault else None

    def log(self):
        """What was told since this was asked last, None for nothing.

        Records (dtype ``told``), their scores, the bytes of their keys, and facts too late as (table, row, instant).
        """
        cdef keep_t* w = &self.w
        if w.log_size == 0 and not self.late:
            bytes_clear(&w.bytes)
            return None
        cdef int64_t n = w.log_size, width = self.plan.c.scores_size
        records = np.empty(n, _DTYPES["told"])
        scores = np.empty((n, width), np.int64)
        cdef told_t[::1] taken = records
        cdef int64_t[:, ::1] values = scores
        if n:
            memcpy(&taken[0], w.log, <size_t> n * sizeof(told_t))
            if width:
                memcpy(&values[0, 0], w.scores, <size_t> (n * width) * sizeof(int64_t))
        keys = PyBytes_FromStringAndSize(<const char*> w.bytes.data, w.bytes.size) if w.bytes.size else b""
        w.log_size = 0
        bytes_clear(&w.bytes)
        late, self.late = self.late, []
        return records, scores, keys, late

    def put(self, Images images not None, int64_t slot, bytes image not None):
        """Take an image from outside.

        Raises:
            ValueError: These bytes are no image of a lead of this plan.
        """
        cdef keep_t* w = &self.w
        cdef const uint8_t* data = <const uint8_t*> <const char*> image
        cdef int64_t size = len(image)
        cdef int fault
        images._check(slot)
        keep_clear(w)
        with nogil:
            fault = keep_open(w, data, size)
            if not fault:
                fault = digests_read(&w.facts, &w.image.digests)
            if not fault and w.image.digests.fault:
                fault = KEEP_DAMAGED
            if not fault:
                fault = keep_read(w)
            if not fault:
                fault = keep_check(w)
        bytes_clear(&w.bytes)
        w.log_size = 0
        if fault == KEEP_NO_MEMORY:
            raise MemoryError
        if fault:
            raise ValueError("these bytes are no state of a lead of this model")
        bytes_clear(&w.out)
        bytes_put(&w.out, data, len(image))
        w.due = w.image.told if len(image) else INT64_MAX  # not known: to be looked at
        if w.out.fault or self._keep(slot):
            raise MemoryError
        self.commit(images)

    def score(
        self, Images images not None, const int64_t[::1] slots not None, const int64_t[::1] at not None, int64_t begin,
        int64_t end, int64_t[:, ::1] scores not None, int32_t[:, ::1] grades not None, int32_t[::1] rating not None,
        int32_t[::1] label not None, int64_t[:, ::1] lines not None, uint8_t[::1] here not None,
    ):
        """Score leads ``slots[begin:end]``, each at its instant; the outputs are as of `Worker.run`.

        ``here`` takes whether the lead is there: one known from events alone is from its first event on (spec 2.6).

        Returns:
            None or a fault as of `apply`: the lead is the place among the slots.
        """
        cdef const plan_t* p = &self.plan.c
        cdef lead_t* a = &self.w.lead
        cdef int64_t i, j
        cdef int fault = 0
        a.highs = p.lines_size if lines.shape[1] == 2 * p.lines_size else 0
        with nogil:
            for i in range(begin, end):
                fault = self._open(images, slots[i])
                if not fault:
                    fault = keep_read(&self.w)
                if not fault:
                    fault = keep_score(&self.w, at[i], &lines[i, 0] if lines.shape[1] else NULL)
                if fault:
                    break
                here[i] = keep_here(&self.w, at[i])
                for j in range(p.scores_size):
                    scores[i, j] = a.scores[j]
                for j in range(grades.shape[1]):
                    grades[i, j] = a.grades[j]
                if rating.shape[0]:
                    rating[i] = a.rating
                if label.shape[0]:
                    label[i] = a.label
        return self._fault(fault, i) if fault else None

    def stand(self, Images images not None, int64_t slot, int64_t at):
        """How a lead stands at an instant by the rules of its lifecycle, from facts up to then alone.

        Returns:
            ``(fault, stage, entered, visits, reached)``, the fault as of `apply`.
        """
        cdef keep_t* w = &self.w
        cdef const plan_t* p = &self.plan.c
        cdef int64_t i
        cdef int fault
        with nogil:
            fault = self._open(images, slot)
            if not fault:
                fault = keep_read(w)
            if not fault:
                fault = keep_stand(w, at)
        if fault:
            return self._fault(fault, 0), -1, 0, [], []
        keep_marks(w)
        if not keep_here(w, at):  # nobody is who reaches anything
            memset(w.lead.reached, 0, <size_t> p.thresholds_size)
        return (
            None, w.life.stage, w.life.entered, [w.life.visits[i] for i in range(p.stages_size)],
            [w.lead.reached[i] for i in range(p.thresholds_size)],
        )

    def facts(self, Images images not None, int64_t slot):
        """What is kept of a lead.

        Returns:
            ``(fault, events, rows)``: a fault as of `apply`; events as ``(instant, key, taken back)`` in canonical order; rows
            of attributes as ``(since, record)``, the record empty for the lead's own.
        """
        cdef const facts_t* f = &self.w.facts
        cdef int64_t i
        cdef int fault = self._open(images, slot)
        if not fault:
            fault = keep_read(&self.w)
        if fault:
            return self._fault(fault, 0), [], []
        return None, [
            (f.items[i].at, PyBytes_FromStringAndSize(<const char*> f.items[i].key, f.items[i].key_size), f.items[i].dead != 0)
            for i in range(f.size)
        ], [
            (f.traits[i].since, PyBytes_FromStringAndSize(<const char*> f.traits[i].owner, f.traits[i].owner_size))
            for i in range(f.traits_size)
        ]

    def seed(
        self, Images images not None, int64_t slot, int64_t told, int64_t newest, list moves not None, adoption,
        list dead not None,
    ):
        """Begin a lead with a log of moves, and taken over as ``adoption`` says.

        ``newest`` is its newest event told; ``dead`` are instants and keys of events taken back, in canonical order;
        ``moves`` are ``(at, from, to, rule, cause, key, scores)``; ``adoption`` is None or
        ``(at, stage, entered, visits, reached)``, thresholds being 0, 1, or 2 for as the score says then. The facts of the lead come after, as all that is known.
        """
        cdef keep_t* w = &self.w
        cdef bytes_t* out = &w.out
        cdef bytes_t* part = &w.part
        cdef int64_t i, n
        keep_clear(w)
        bytes_clear(out)
        bytes_uint(out, HAS_ADOPTION if adoption is not None else 0)
        bytes_when(out, 0, told)
        bytes_when(out, 0, newest)
        for i in range(3):
            bytes_when(out, 0, INT64_MIN)
        bytes_uint(out, len(dead))
        bytes_when(out, 0, INT64_MIN)
        bytes_uint(out, 0)
        bytes_clear(part)
        if adoption is not None:
            at, stage, entered, visits, reached = adoption
            bytes_int(part, at)
            bytes_uint(part, stage)
            bytes_int(part, entered)
            bytes_uint(part, len([n for n in visits if n]))
            for i, n in enumerate(visits):
                if n:
                    bytes_uint(part, i)
                    bytes_uint(part, n)
            packed = bytes(reached)
            bytes_put(part, <const char*> packed, len(packed))
        bytes_section(out, part)
        bytes_uint(out, 0)
        bytes_uint(out, 0)
        bytes_clear(part)
        for at, key in dead:
            bytes_int(part, at)
            bytes_uint(part, 1)
            bytes_uint(part, len(key))
            bytes_put(part, <const char*> <bytes> key, len(key))
            blank = bytes(DIGEST + 8 * w.shape.numbers_size)
            bytes_put(part, <const char*> blank, DIGEST)
            for i in range(w.shape.codes_size):
                bytes_uint(part, 0)
            bytes_put(part, <const char*> blank, 8 * w.shape.numbers_size)
        bytes_section(out, part)
        bytes_clear(part)
        for at, before, after, rule, cause, key, scores in moves:
            bytes_int(part, at)
            bytes_uint(part, before + 1)
            bytes_uint(part, after)
            bytes_uint(part, rule + 1)
            bytes_uint(part, cause)
            bytes_uint(part, len(key))
            bytes_put(part, <const char*> <bytes> key, len(key))
            for value in scores:
                bytes_int(part, value)
        bytes_section(out, part)
        bytes_uint(out, 0)
        if out.fault or part.fault:
            raise MemoryError
        w.image.told = w.image.latest = told
        w.image.newest = newest
        w.due = INT64_MIN
        if self._keep(slot):
            raise MemoryError
        self.commit(images)

    def foresee(self, Images images not None, int64_t slot, int64_t as_of, int64_t until):
        """What changes next for a lead in [as_of, until] if nothing happens.

        Returns:
            ``(fault, crossings, move)``: a fault as of `apply`, with the threshold as lead and how far it was looked as row;
            by threshold ``(at, reached)`` or None; ``(at, stage)``
            or None.
        """
        cdef const plan_t* p = &self.plan.c
        cdef int64_t i, at, stage = -1
        cdef bint reached = False
        cdef int fault = 0
        crossings = []
        for i in range(p.thresholds_size):
            with nogil:
                fault = self._open(images, slot)
                if not fault:
                    fault = keep_read(&self.w)
                if not fault:
                    fault = foresee_crossing(&self.w, i, as_of, until, &at, &reached)
            if fault:
                self.w.conflict = at
                return self._fault(fault, i), [], None
            crossings.append((at, reached) if at != INT64_MAX else None)
        if p.stages_size == 0:
            return None, crossings, None
        with nogil:
            fault = self._open(images, slot)
            if not fault:
                fault = keep_read(&self.w)
            if not fault:
                fault = foresee_stage(&self.w, as_of, until, &at, &stage)
        if fault:
            return self._fault(fault, 0), [], None
        return None, crossings, (at, stage) if at != INT64_MAX else None
