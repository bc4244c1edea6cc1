@cython.final
cdef class Worker:
    """One thread's work space for one plan; not shared between threads at a time."""

    cdef Plan plan
    cdef lead_t lead
    cdef space_t space
    cdef sums_t sums
    cdef int by_sums          # whether sums tell every fold's value
    cdef Sets attributes      # those `ground` is of
    cdef ground_t ground
    cdef bint gated           # whether attributes have a part in anything that events move

    def __cinit__(self, Plan plan not None):
        cdef int64_t i
        self.plan = plan
        memset(&self.space, 0, sizeof(space_t))
        self.gated = plan.c.labels_size > 0
        for i in range(plan.c.criteria_size):
            self.gated = self.gated or (plan.c.criteria[i].fold >= 0 and plan.c.criteria[i].gate >= 0)
        self.by_sums = sums_start(&self.sums, &plan.c)
        if self.by_sums < 0 or lead_start(&self.lead, &plan.c, False):
            raise MemoryError

    def __dealloc__(self):
        if self.plan is not None:
            lead_free(&self.lead, &self.plan.c)
        space_free(&self.space)
        sums_free(&self.sums)
        ground_free(&self.ground)

    cdef _ground(self, Sets attributes):
        """Make room for what leads without events come to, by hit set of the attributes."""
        if self.attributes is attributes:
            return
        self.attributes = None
        if ground_start(&self.ground, &self.plan.c, attributes.size):
            raise MemoryError
        self.attributes = attributes

    cdef void _stand(self, uint32_t hits, bint explained) noexcept nogil:
        """Begin with a lead without events, whose attributes have that hit set; ``explained``: all is worked out anew."""
        cdef const plan_t* p = &self.plan.c
        cdef lead_t* a = &self.lead
        cdef const int64_t* start = self.attributes.start
        memcpy(a.folded, a.blank, <size_t> p.folds_size * sizeof(int64_t))
        if explained or self.gated or self.ground.told == NULL or not self.ground.known[hits]:
            lead_say(a, p, self.attributes.says + start[hits], start[hits + 1] - start[hits])
        if not explained:
            ground_take(&self.ground, a, p, hits)

    cdef void _answer(self, int64_t* scores, int32_t* grades, int32_t* rating, int32_t* label) noexcept nogil:
        """Write what the lead at work came to; NULL: not wanted."""
        cdef const lead_t* a = &self.lead
        cdef int64_t j
        for j in range(self.plan.c.scores_size):
            scores[j] = a.scores[j]
        if grades != NULL:
            for j in range(self.plan.c.scores_size):
                grades[j] = a.grades[j]
        if rating != NULL:
            rating[0] = a.rating
        if label != NULL:
            label[0] = a.label

    cdef int _sum_up(
        self, store_t* store, int64_t partition, int64_t leads, Sets events, const int64_t[::1] ask_start,
        const int64_t[::1] ask_order, const int64_t[::1] ask_at, const uint32_t[::1] ask_attributes,
        int64_t[:, ::1] scores, int32_t[:, ::1] grades, int32_t[::1] rating, int32_t[::1] label, int64_t[:, ::1] lines,
    ) noexcept nogil:
        """Score a partition's leads, each asked at most once, from sums: 1 if done, 0 if sums cannot tell, -1 for a fault.

        The partition's rows stay.
        """
        cdef const plan_t* p = &self.plan.c
        cdef lead_t* a = &self.lead
        cdef sums_t* w = &self.sums
        cdef const shape_t* shape = &store.shape
        cdef const page_t* page = store.partitions[partition].first
        cdef int64_t bits = store.bits, local, i, used, code, ask
        local = store_leads(bits, partition, leads)
        if local * p.folds_size > MOST_SUMS:
            return 0
        if sums_clear(w, p, local):
            return -1
        for i in range(local):
            code = store_code(bits, partition, i)
            if ask_start[code + 1] - ask_start[code] > 1:
                return 0
            if ask_start[code + 1] > ask_start[code]:
                w.asks[i] = ask_order[ask_start[code]]
                w.asked[i] = ask_at[w.asks[i]]
        while page != NULL:
            if self.space.stop != NULL and self.space.stop[0]:
                return -1
            used = store_used(&store.partitions[partition], page)
            sums_take(w, p, shape, bits, page.words, page.words + used, events.start, events.acts)
            page = page.next
        sums_add_all(w, p)
        for i in range(local):
            ask = w.asks[i]
            if ask < 0:
                continue
            if w.asked[i] != w.now:
                sums_at(w, p, w.asked[i])
            self._stand(ask_attributes[ask], lines.shape[1] > 0)
            if not sums_values(w, a, p, i):
                return 0
            lead_scores(a, p, &lines[ask, 0] if lines.shape[1] else NULL)
            lead_conclude(a, p, True)
            self._answer(
                &scores[ask, 0], &grades[ask, 0] if grades.shape[1] else NULL, &rating[ask] if rating.shape[0] else NULL,
                &label[ask] if label.shape[0] else NULL,
            )
        w.used = False
        return 1

    cdef int _take(self, const shape_t* shape, const uint64_t* records, int64_t place, Sets events) noexcept nogil:
        """Let one event act; -1 when memory runs out."""
        cdef const uint64_t* record = records + self.space.keys[place].place * shape.stride
        cdef uint32_t hits = record_hits(record)
        cdef int64_t j
        cdef int fault = 0
        for j in range(events.start[hits], events.start[hits + 1]):
            fault |= lead_act(&self.lead, &self.plan.c, &events.acts[j], shape, record)
        return fault

    cdef list _faults(self):
        cdef int64_t k
        return [
            (self.space.faults[k], self.space.faults[k + 1], self.space.faults[k + 2])
            for k in range(0, self.space.faults_size, 3)
        ]

    def run(
        self, Store store not None, int64_t partition, int64_t leads, Sets events not None, Sets attributes not None,
        const uint32_t[::1] ranks not None, uint32_t first_id, bint repeats,
        const int64_t[::1] ask_start not None, const int64_t[::1] ask_order not None,
        const int64_t[::1] ask_at not None, const uint32_t[::1] ask_attributes not None,
        int64_t[:, ::1] scores not None, int32_t[:, ::1] grades not None, int32_t[::1] rating not None,
        int32_t[::1] label not None, int64_t[:, ::1] lines not None,
    ):
        """Score one partition's leads at their instants; the partition's rows are used up.

        Lead code i is asked ``ask_order[ask_start[i]:ask_start[i + 1]]``, ascending in ``ask_at``; ask k's attributes
        are lead hit set ``ask_attributes[k]``, its answers row k of the outputs (of width 0, or length 0, where not
        wanted; ``lines`` of the plan's width, or twice that with the high words behind the low ones).

        Returns:
            Rows that repeat an ``event_id`` and differ, as a list of (lead code, row, row).
        """
        cdef const plan_t* p = &self.plan.c
        cdef space_t* w = &self.space
        cdef lead_t* a = &self.lead
        cdef const shape_t* shape = &store.c.shape
        cdef int64_t local, i, code, k, e, n, ask, bits = store.c.bits
        cdef int fault = 0
        cdef const uint64_t* records
        cdef uint32_t hits
        cdef bint done
        if not 0 <= partition < store.partitions or ask_start.shape[0] < leads + 1:
            raise ValueError("no such partition, or too few leads")
        w.faults_size = 0
        a.wrapped = False
        a.highs = p.lines_size if lines.shape[1] == 2 * p.lines_size else 0
        self._ground(attributes)
        with nogil:
            if self.by_sums and not repeats:
                fault = self._sum_up(
                    &store.c, partition, leads, events, ask_start, ask_order, ask_at, ask_attributes, scores, grades,
                    rating, label, lines,
                )
                memcpy(a.folded, a.blank, <size_t> p.folds_size * sizeof(int64_t))
            done = fault == 1
            if done:
                fault = 0
                store_drop(&store.c.partitions[partition])
            elif fault == 0:
                fault = space_gather(&self.space, &store.c, partition, leads, &local)
            i = 0
            while not done and not fault and i < local:
                code = store_code(bits, partition, i)
                n = w.starts[i + 1] - w.starts[i]
                if ask_start[code] == ask_start[code + 1] and not (n and repeats):
                    i += 1
                    continue
                records = w.records + w.starts[i] * shape.stride
                fault = space_line_up(
                    w, shape, records, n, &ranks[0] if ranks.shape[0] else NULL, first_id, repeats, &n
                )
                if fault:
                    break
                lead_clear(a, p)
                e = 0
                for k in range(ask_start[code], ask_start[code + 1]):
                    ask = ask_order[k]
                    while e < n and w.keys[e].at <= ask_at[ask]:
                        fault |= self._take(shape, records, e, events)
                        e += 1
                    hits = ask_attributes[ask]
                    lead_say(a, p, attributes.says + attributes.start[hits],
                             attributes.start[hits + 1] - attributes.start[hits])
                    fault |= lead_evaluate(a, p, ask_at[ask], &lines[ask, 0] if lines.shape[1] else NULL)
                    self._answer(
                        &scores[ask, 0], &grades[ask, 0] if grades.shape[1] else NULL,
                        &rating[ask] if rating.shape[0] else NULL, &label[ask] if label.shape[0] else NULL,
                    )
                i += 1
        if fault:
            raise MemoryError
        return self._faults()

    def one(
        self, const uint32_t[::1] says not None, const int64_t[::1] at not None, const uint32_t[::1] hits not None,
        const int64_t[::1] offsets not None, const uint32_t[::1] ids not None, const uint32_t[::1] order,
        const uint32_t[::1] content, const uint32_t[:, ::1] codes not None, const double[:, ::1] numbers not None,
        int64_t now, int64_t[::1] lines not None,
    ):
        """Score one lead from the edge's `encode_lead` at ``now``; ``lines`` takes the explanation, or is empty.

        Returns:
            ``(scores, grades, rating, label, faults)``, the faults as in `run` with places as rows.
        """
        cdef const plan_t* p = &self.plan.c
        cdef lead_t* a = &self.lead
        cdef int64_t n = at.shape[0], local, e = 0
        cdef int fault = 0
        cdef bint contents = content is not None
        cdef Store store = Store(0, order is not None, contents, codes.shape[0], numbers.shape[0], now,
                                 INT64_MAX, contents, contents)
        cdef Sets events = Sets.of_events(self.plan, offsets, ids)
        cdef Sets attributes = Sets.of_leads(self.plan, np.array([0, says.shape[0]], np.int64), says)
        nothing = np.empty(0, np.uint32)
        store.push(
            n, np.zeros(n, np.uint32), at, hits, np.arange(n) if content is not None else np.empty(0, np.int64),
            nothing if order is None else order, nothing if content is None else content, codes, numbers,
        )
        self.space.faults_size = 0
        a.wrapped = False
        a.highs = p.lines_size if lines.shape[0] == 2 * p.lines_size else 0
        with nogil:
            fault = space_gather(&self.space, &store.c, 0, 1, &local)
            if not fault:
                n = self.space.starts[1]
                fault = space_line_up(
                    &self.space, &store.c.shape, self.space.records, n, NULL, <uint32_t> 1 << 31, contents, &n
                )
            if not fault:
                lead_clear(a, p)
                while e < n and self.space.keys[e].at <= now:
                    fault |= self._take(&store.c.shape, self.space.records, e, events)
                    e += 1
                lead_say(a, p, attributes.says, attributes.start[1])
                fault |= lead_evaluate(a, p, now, &lines[0] if lines.shape[0] else NULL)
        if fault:
            raise MemoryError
        return (
            tuple([a.scores[e] for e in range(p.scores_size)]), tuple([a.grades[e] for e in range(p.scores_size)]),
            a.rating, a.label, self._faults(),
        )

    def shares(
        self, Store store not None, int64_t leads, Sets events not None, const uint32_t[::1] ranks not None,
        uint32_t first_id, bint repeats, int64_t code, int64_t now,
    ):
        """What each event of one lead adds to each fold at ``now``: value with it less value without (spec 7).

        The rows of the lead's partition are used up; the store must keep rows.

        Returns:
            ``(row, at, fold, micropoints)`` of every event and fold where something changed, in canonical order.
        """
        cdef const plan_t* p = &self.plan.c
        cdef space_t* w = &self.space
        cdef lead_t* a = &self.lead
        cdef const shape_t* shape = &store.c.shape
        cdef int64_t local, e, n, j, which, value
        cdef const uint64_t* records
        cdef const uint64_t* record
        cdef uint32_t hits
        cdef int fault = 0
        if not 0 <= code < leads:
            raise ValueError("there is no such lead")
        out = []
        if space_gather(&self.space, &store.c, store_partition(store.c.bits, code), leads, &local):
            raise MemoryError
        code = store_local(store.c.bits, code)
        n = w.starts[code + 1] - w.starts[code]
        records = w.records + w.starts[code] * shape.stride
        if space_line_up(w, shape, records, n, &ranks[0] if ranks.shape[0] else NULL, first_id, repeats, &n):
            raise MemoryError
        lead_clear(a, p)
        for j in range(p.folds_size):
            a.folded[j] = fold_value(&a.folds[j], &p.folds[j], &p.tables, now, &fault)
        for e in range(n):
            if w.keys[e].at > now:
                break
            record = records + w.keys[e].place * shape.stride
            hits = record_hits(record)
            for j in range(events.start[hits], events.start[hits + 1]):
                which = events.acts[j].fold
                if events.acts[j].act == ACT_RESET:  # what came before does not count, so it has no share
                    out = [share for share in out if share[2] != which]
                fault |= lead_act(a, p, &events.acts[j], shape, record)
                fold_advance(&a.folds[which], &p.folds[which], &p.tables, now)
                value = fold_value(&a.folds[which], &p.folds[which], &p.tables, now, &fault)
                if value != a.folded[which] and events.acts[j].act != ACT_RESET:
                    out.append((record_row(shape, record), w.keys[e].at, which, value - a.folded[which]))
                a.folded[which] = value
        if fault:
            raise MemoryError
        return out

    @property
    def wrapped(self):
        """Whether a line of the last run did not fit 64 bits; lines of twice the width hold high words too."""
        return self.lead.wrapped

    def overflow(self):
        """By fold: events left out because a lead had 65,536 values of ``unique_by`` (spec 4.6), since the last call."""
        cdef int64_t i
        out = np.zeros(self.plan.c.folds_size, np.int64)
        for i in range(self.plan.c.folds_size):
            out[i] = self.lead.folds[i].overflow
            self.lead.folds[i].overflow = 0
        return out
