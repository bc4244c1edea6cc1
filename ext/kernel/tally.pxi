cdef enum:
    MOST_NUMBERS = 32     # numbers beside an event that are read without the edge
    MOST_PATHS = 1 << 18  # classes of events remembered

cdef enum:
    LIKE_INTEGER = 1
    LIKE_TEXT = 2

cdef int64_t FIRST_INSTANT = -62135596800000000LL
cdef int64_t LAST_INSTANT = 253402300799999999LL


cdef inline int id_like(object lead_id, int64_t* value) noexcept:
    """What an id is, 0 where it is no integer of 64 bits and no text, or of another class.

    ``value`` takes what stands for it; among integers no two are alike.
    """
    cdef int overflow = 0
    if PyLong_CheckExact(lead_id):
        value[0] = PyLong_AsLongLongAndOverflow(lead_id, &overflow)
        return 0 if overflow else LIKE_INTEGER
    if PyUnicode_CheckExact(lead_id):
        if PyUnicode_IS_ASCII(lead_id) or PyUnicode_AsUTF8(lead_id) != NULL:
            value[0] = PyUnicode_Hash(lead_id)
            return LIKE_TEXT
        PyErr_Clear()
    return 0


@cython.final
@cython.no_gc
cdef class _Said:
    """What the attributes of leads say, shared by all leads of which they say the same."""

    cdef bytes hits
    cdef said_t* c

    def __dealloc__(self):
        free(self.c)


cdef inline int64_t path_place(Tally w, uint64_t key) noexcept:
    """Where a path is, or would go."""
    cdef int64_t i = <int64_t> ((key * 0x9E3779B97F4A7C15ULL) >> 32) & (w.paths_room - 1)
    while w.keys[i] and w.keys[i] != key:
        i = (i + 1) & (w.paths_room - 1)
    return i


cdef inline int64_t path_follow(Tally w, int64_t node, int64_t klass) noexcept:
    """The next node, or -1."""
    cdef int64_t i = path_place(w, <uint64_t> node << 32 | <uint64_t> (klass + 1))
    return w.nodes[i] if w.keys[i] else -1


cdef inline int64_t path_end(Tally w, _Kind kind, PyObject* properties, double* numbers) except -2:
    """The set of acts of an event like one seen before, or -1; ``properties`` are a dict or NULL, ``numbers`` take some."""
    cdef int64_t node = kind.root, klass, i
    cdef PyObject* item
    cdef const field_t* f
    cdef double number
    for i in range(kind.size):
        f = &kind.fields[i]
        klass = 0
        if properties != NULL:
            item = PyDict_GetItemWithError(<object> properties, <object> f.name)
            if item != NULL and item != <PyObject*> None:
                klass = field_class(f, <object> item, &number)
                if klass < 0:
                    return -1
                if f.number >= 0:
                    numbers[f.number] = number
        if f.read:
            node = path_follow(w, node, klass)
            if node < 0:
                return -1
    return node if kind.reads else w.plain[node]


cdef inline held_t* roll_find(Tally w, object lead_id, int like, int64_t value) noexcept:
    """A lead by its id and what `id_like` says of it, or NULL."""
    cdef int64_t i, mask = (<int64_t> 1 << w.roll.bits) - 1
    cdef held_t* e
    if w.roll.size == 0 or like != w.like:
        return NULL
    i = roll_home(&w.roll, value)
    while True:
        e = &w.roll.leads[i]
        if e.key == NULL:
            return NULL
        if e.value == value and (
            like == LIKE_INTEGER or e.key == <void*> lead_id or PyUnicode_Compare(<object> e.key, lead_id) == 0
        ):
            return e
        i = (i + 1) & mask


cdef inline held_t* roll_of(Tally w, object lead_id) noexcept:
    """A lead by its id, or NULL."""
    cdef int64_t value = 0
    cdef int like = id_like(lead_id, &value)
    return roll_find(w, lead_id, like, value) if like else NULL


cdef inline object given_back(Tally w, int64_t value):
    """A score as it is given back (spec 9.8)."""
    if w.micropoints:
        return value
    if -EXACT <= value <= EXACT:
        return <double> value / 1e6
    return <object> value / 1_000_000  # Python rounds once


cdef class Tally:
    """Scores of leads in memory, brought up to date by one event at a time; `leadcore.Tally` says what it does.

    Everything happens while the interpreter is held: calls are served one at a time.
    """

    cdef Plan plan
    cdef tally_t w
    cdef int64_t target           # the score given back
    cdef bint micropoints
    cdef object checks
    cdef roll_t roll
    cdef int64_t changes          # of the leads there are
    cdef int64_t begun            # leads that there ever were
    cdef int like                 # what all ids are
    cdef dict said                # by hits
    cdef _Said nulls
    cdef dict kinds               # by name
    cdef int64_t kinds_size, numbers_size

    cdef uint64_t* keys           # of paths: node << 32 | class + 1, 0 where there is none
    cdef int32_t* nodes           # where they lead: a node, or at the last field a set of acts
    cdef int64_t paths_room, paths_size, nodes_size
    cdef int32_t* plain           # by kind that no rule reads a field of: its set, or -1
    cdef dict sets                # by hits
    cdef span_t* spans            # acts by set
    cdef int64_t spans_room
    cdef act_t* acts
    cdef int64_t acts_size, acts_room

    def __cinit__(self, *args, **named):
        self.roll.seed = int.from_bytes(urandom(8), "little")
        self.kinds = {}
        self.said = {}
        self.sets = {}

    def __init__(
        self, Plan plan not None, list kinds not None, checks, const uint8_t[::1] wanted not None, int64_t target,
        bytes nulls not None, bint micropoints,
    ):
        """Begin without leads.

        ``kinds`` are those of the edge's classifier. ``checks`` are asked where values are not plain ones, or were not seen
        before: ``lead_id(lead_id)`` gives an integer or text; ``event(type, at, properties)`` what the classifier reads, or
        the instant alone where the type is not declared; ``early(lead_id, at, newest)``, ``too_early`` of the same and
        ``other_kind(table, lead_id)`` raise. ``wanted`` marks, by score, the one given back, ``target``, and those it combines.
        ``nulls`` are the hits of attributes that are all null.
        """
        cdef const plan_t* p = &plan.c
        cdef int64_t i
        if self.plan is not None:
            raise ValueError("this tally has begun")
        if not 0 <= target < p.scores_size or wanted.shape[0] != p.scores_size or not wanted[target]:
            raise ValueError("there is no such score")
        for i in range(p.folds_size):
            if p.folds[i].unique >= 0 or p.folds[i].distinct >= 0:
                raise ValueError("a tally keeps no values of properties")
        for i in range(p.acts_size):
            if p.acts[i].act == ACT_RESET or p.acts[i].act > ACT_ADD_PER:
                raise ValueError("a tally takes events that add, and no others")
        self.kinds_size = len(kinds)
        self.plain = <int32_t*> malloc(<size_t> (self.kinds_size + 1) * sizeof(int32_t))
        if self.plain == NULL or tally_start(&self.w, p, &wanted[0]):
            raise MemoryError
        for i, (name, fields) in enumerate(kinds):
            self.kinds[name] = _Kind(fields, i)
            for field in fields:
                self.numbers_size = max(self.numbers_size, field[3] + 1)
        self.target = target
        self.micropoints = micropoints
        self.checks = checks
        self.plan = plan
        self._forget_paths()
        self.nulls = self._said_of(nulls)
        self.nulls.c.users += 1

    def __dealloc__(self):
        cdef int64_t i
        for i in range(<int64_t> 1 << self.roll.bits if self.roll.memory != NULL else 0):
            if self.roll.leads[i].key != NULL:
                Py_DECREF(<object> self.roll.leads[i].key)
                held_free(&self.roll.leads[i], &self.w.slab)
        free(self.roll.memory)
        tally_free(&self.w)
        free(self.keys)
        free(self.nodes)
        free(self.spans)
        free(self.acts)
        free(self.plain)

    # what was read before

    cdef _forget_paths(self):
        """Begin anew with what classes of events do."""
        cdef int64_t i, room = 1024
        cdef uint64_t* keys = <uint64_t*> calloc(<size_t> room, sizeof(uint64_t))
        cdef int32_t* nodes = <int32_t*> calloc(<size_t> room, sizeof(int32_t))
        if keys == NULL or nodes == NULL:
            free(keys)
            free(nodes)
            raise MemoryError
        free(self.keys)
        free(self.nodes)
        self.keys = keys
        self.nodes = nodes
        self.paths_room = room
        self.paths_size = 0
        self.nodes_size = self.kinds_size
        self.sets.clear()
        self.acts_size = 0
        for i in range(self.kinds_size):
            self.plain[i] = -1

    cdef _lead_to(self, int64_t node, int64_t klass, int64_t following):
        """Remember a path."""
        cdef uint64_t* keys = self.keys
        cdef int32_t* nodes = self.nodes
        cdef int64_t i, k, room = self.paths_room
        if 2 * (self.paths_size + 1) > room:
            self.keys = <uint64_t*> calloc(2 * <size_t> room, sizeof(uint64_t))
            self.nodes = <int32_t*> calloc(2 * <size_t> room, sizeof(int32_t))
            if self.keys == NULL or self.nodes == NULL:
                free(self.keys)
                free(self.nodes)
                self.keys = keys
                self.nodes = nodes
                raise MemoryError
            self.paths_room = 2 * room
            for i in range(room):
                if keys[i]:
                    k = path_place(self, keys[i])
                    self.keys[k] = keys[i]
                    self.nodes[k] = nodes[i]
            free(keys)
            free(nodes)
        k = path_place(self, <uint64_t> node << 32 | <uint64_t> (klass + 1))
        self.paths_size += self.keys[k] == 0
        self.keys[k] = <uint64_t> node << 32 | <uint64_t> (klass + 1)
        self.nodes[k] = <int32_t> following

    cdef int64_t _set_of(self, bytes hits) except -1:
        """The number of a set of acts."""
        cdef const uint32_t* ids = <const uint32_t*> <const char*> hits
        cdef int64_t i, most, number, n = len(hits) >> 2
        found = self.sets.get(hits)
        if found is not None:
            return found
        for i in range(n):
            if ids[i] >= self.plan.c.hits_size:
                raise ValueError(f"hit id {ids[i]} is not of this plan")
        number = len(self.sets)
        most = acts_most(&self.plan.c, ids, n)
        if grown(<void**> &self.spans, &self.spans_room, number + 1, sizeof(span_t)):
            raise MemoryError
        if grown(<void**> &self.acts, &self.acts_room, self.acts_size + most + 1, sizeof(act_t)):
            raise MemoryError
        self.spans[number].begin = <int32_t> self.acts_size
        self.spans[number].size = <int32_t> acts_of(&self.plan.c, ids, n, self.acts + self.acts_size)
        self.acts_size += self.spans[number].size
        self.sets[hits] = number
        return number

    cdef int64_t _learn(self, _Kind kind, object properties, bytes classes, bytes hits) except -1:
        """Remember what the edge said of an event; the number of its set of acts."""
        cdef const uint32_t* found = <const uint32_t*> <const char*> classes if classes is not None else NULL
        cdef int64_t number, node = kind.root, following, i, k = 0
        cdef list values = [
            (<dict> properties).get(<object> kind.fields[i].name) if type(properties) is dict else None
            for i in range(kind.size)
        ]
        # From here on no Python code of others runs, which might come back here.
        if self.paths_size >= MOST_PATHS or len(self.sets) >= MOST_PATHS:
            self._forget_paths()
        number = self._set_of(hits)
        if found == NULL or len(classes) != 4 * kind.reads:
            return number
        if kind.reads == 0:
            self.plain[kind.root] = <int32_t> number
        for i in range(kind.size):
            if not kind.fields[i].read:
                continue
            field_learn(&kind.fields[i], values[i], found[k])
            k += 1
            if k == kind.reads:
                self._lead_to(node, found[k - 1], number)
                break
            following = path_follow(self, node, found[k - 1])
            if following < 0:
                following = self.nodes_size
                self.nodes_size += 1
                self._lead_to(node, found[k - 1], following)
            node = following
        return number

    # attributes

    cdef _Said _said_of(self, bytes hits):
        """What these hits of attributes say."""
        cdef const plan_t* p = &self.plan.c
        cdef const uint32_t* ids = <const uint32_t*> <const char*> hits
        cdef const say_t* say
        cdef int64_t i, k, n = len(hits) >> 2
        cdef _Said said = self.said.get(hits)
        if said is not None:
            return said
        said = _Said.__new__(_Said)
        said.hits = hits
        said.c = said_new(p)
        if said.c == NULL:
            raise MemoryError
        said.c.owner = <void*> said
        for i in range(n):
            if ids[i] >= p.lead_hits_size:
                raise ValueError(f"lead hit id {ids[i]} is not of this plan")
            for k in range(p.hit_says[ids[i]].begin, p.hit_says[ids[i]].begin + p.hit_says[ids[i]].size):
                say = &p.says[k]
                if say.kind == SAY_VALUE:
                    said.c.values[say.index] = say.points
                else:
                    said.c.leaves[say.index] = 1
        tally_still(&self.w, said.c)
        memcpy(said.c.scores, self.w.scores, <size_t> p.scores_size * sizeof(int64_t))
        self.said[hits] = said
        return said

    cdef _let_go(self, said_t* said):
        """One lead fewer of which this is said."""
        said.users -= 1
        if said.users == 0:
            self.said.pop((<_Said> said.owner).hits, None)

    def _put(self, lead_id, bytes hits not None):
        """Let the attributes of a lead be those with these hits."""
        cdef _Said said
        cdef said_t* before
        cdef held_t* e
        self._begun()
        said = self._said_of(hits)
        e = roll_of(self, lead_id)
        if e == NULL:
            try:
                self._new(lead_id, said, "leads")
            finally:
                if said.c.users == 0:
                    self.said.pop(hits, None)
            return
        before = e.said
        e.said = said.c
        said.c.users += 1
        self._let_go(before)

    def add(self, lead_id, at, type, properties=None):
        """Take in one event and give the new score back.

        Args:
            lead_id: Whose it is: an integer or text.
            at: When it happened: a datetime (naive is UTC), ISO 8601 text, or microseconds since 1970 in UTC. Not before
                the newest event of the lead.
            type: Its type; of a type the model does not declare it is ignored.
            properties: Its properties by name; missing ones are null.

        Returns:
            The score at ``at``, in points, or in micropoints where the tally was made so.

        Raises:
            DataError: A value does not fit, or the event is older than the newest one of its lead; nothing has changed.
        """
        cdef held_t* e
        cdef _Kind kind
        cdef PyObject* item
        cdef int64_t micros = 0, acts = -1, changes = self.changes, i
        cdef int64_t value = 0
        cdef int overflow = 0, like
        cdef bint plain, declared = True
        cdef double numbers[MOST_NUMBERS]
        cdef const double* given = numbers
        cdef span_t span
        if self.plan is None:
            self._begun()
        like = id_like(lead_id, &value)
        if like == 0:
            lead_id = self.checks.lead_id(lead_id)
            like = id_like(lead_id, &value)
        e = roll_find(self, lead_id, like, value)
        if e != NULL:
            prefetch(e.said)
            for i in range(e.size):
                prefetch(&e.cells[i])
        plain = plain_instant(at, &micros)
        if not plain and PyLong_CheckExact(at):
            micros = PyLong_AsLongLongAndOverflow(at, &overflow)
            plain = overflow == 0 and FIRST_INSTANT <= micros <= LAST_INSTANT
        if plain and PyUnicode_CheckExact(type) and (properties is None or PyDict_CheckExact(properties)):
            item = PyDict_GetItemWithError(self.kinds, type)
            if item != NULL:
                kind = <_Kind> item
                if self.numbers_size <= MOST_NUMBERS:
                    for i in range(self.numbers_size):
                        numbers[i] = NAN
                    acts = path_end(self, kind, <PyObject*> properties if properties is not None else NULL, numbers)
        if acts < 0:
            read = self.checks.event(type, at, properties)
            micros = read[0]
            declared = read[2] is not None
            if declared:
                kept = <bytes?> read[3]
                given = <const double*> <const char*> kept
                acts = self._learn(self.kinds[type], properties, read[1], read[2])
        if self.changes != changes:
            e = roll_find(self, lead_id, like, value)
        if e != NULL and micros < e.newest:
            self.checks.early(lead_id, micros, e.newest)
        if not declared:
            if tally_look(&self.w, e, self.nulls.c if e == NULL else e.said, micros):
                raise MemoryError
            return given_back(self, self.w.scores[self.target])
        if e == NULL:
            e = self._new(lead_id, self.nulls, "events")
        span = self.spans[acts]
        if tally_take(&self.w, e, micros, self.acts + span.begin, span.size, given):
            raise MemoryError
        return given_back(self, self.w.scores[self.target])

    cdef _begun(self):
        if self.plan is None:
            raise ValueError("this tally has not begun")

    cdef held_t* _new(self, lead_id, _Said said, str table) except NULL:
        """A lead that was not there."""
        cdef held_t* e
        cdef int64_t value = 0
        cdef int like = id_like(lead_id, &value)
        if like == 0:
            raise ValueError("this is no id")
        if self.like and self.like != like:
            self.checks.other_kind(table, lead_id)
        if roll_grow(&self.roll):
            raise MemoryError
        e = roll_free_place(&self.roll, value)
        e.key = <void*> lead_id
        Py_INCREF(lead_id)
        e.value = value
        e.number = self.begun
        e.newest = INT64_MIN
        e.said = said.c
        said.c.users += 1
        self.like = like
        self.begun += 1
        self.changes += 1
        self.roll.size += 1
        return e

    def _scores(self, lead_id, int64_t at):
        """All scores of a lead at an instant not before its newest event; None if it is not there."""
        cdef int64_t i
        cdef held_t* e
        cdef list out
        self._begun()
        out = [None] * self.plan.c.scores_size
        e = roll_of(self, lead_id)
        if e == NULL:
            return None
        if at < e.newest:
            self.checks.too_early(lead_id, at, e.newest)
        if tally_look(&self.w, e, e.said, at):
            raise MemoryError
        for i in range(self.plan.c.scores_size):
            out[i] = given_back(self, self.w.scores[i])
        return out

    def _forget(self, lead_id):
        """Let a lead go; whether it was there."""
        cdef held_t* e = roll_of(self, lead_id)
        cdef said_t* said
        if e == NULL:
            return False
        key = <object> e.key
        said = e.said
        held_free(e, &self.w.slab)
        roll_remove(&self.roll, e)
        Py_DECREF(key)
        self.changes += 1
        self._let_go(said)
        return True

    def _memory(self):
        """Bytes of all leads, their ids not counted."""
        cdef held_t* e
        cdef int64_t i, k, total = 0
        for i in range(<int64_t> 1 << self.roll.bits if self.roll.memory != NULL else 0):
            e = &self.roll.leads[i]
            total += <int64_t> sizeof(held_t) + e.room * <int64_t> sizeof(cell_t)
            for k in range(e.size):
                total += cell_size(&e.cells[k])
        return total

    def __len__(self):
        return self.roll.size

    def __contains__(self, lead_id):
        return roll_of(self, lead_id) != NULL

    def __iter__(self):
        cdef int64_t i
        cdef list found = []
        for i in range(<int64_t> 1 << self.roll.bits if self.roll.memory != NULL else 0):
            if self.roll.leads[i].key != NULL:
                found.append((self.roll.leads[i].number, <object> self.roll.leads[i].key))
        found.sort()
        return iter([key for _, key in found])
