cdef enum:
    MOST_NUMBERS = 32     # numbers beside an event that are read without the edge
    MOST_PATHS = 1 << 18  # classes of events remembered
    MOST_TEXTS = 1 << 16  # texts of a field remembered ...
    MOST_TEXT = 1 << 24   # ... and their characters

cdef enum:
    KIND_TEXT = 0
    KIND_NUMBER = 1
    KIND_BOOLEAN = 2
    KIND_INSTANT = 3

cdef int64_t EXACT = 1 << 53      # float64 holds every integer up to here
cdef int64_t FIRST_INSTANT = -62135596800000000LL
cdef int64_t LAST_INSTANT = 253402300799999999LL

import_datetime()


cdef inline int64_t days_before(int64_t year, int64_t month, int64_t day) noexcept nogil:
    """Days from 1970-01-01 to a date of the years 1 to 9999; the year is counted from March."""
    if month <= 2:
        year -= 1
    month = (month + 9) % 12
    return year * 365 + year // 4 - year // 100 + year // 400 + (153 * month + 2) // 5 + day - 719_469


cdef inline bint plain_id(object value) noexcept:
    """Whether a value is an integer of 64 bits or text, and of no other class."""
    cdef int overflow = 0
    if PyUnicode_CheckExact(value):
        if PyUnicode_IS_ASCII(value) or PyUnicode_AsUTF8(value) != NULL:
            return True
        PyErr_Clear()
        return False
    if PyLong_CheckExact(value):
        PyLong_AsLongLongAndOverflow(value, &overflow)
        return overflow == 0
    return False


cdef inline bint plain_instant(object at, int64_t* micros) noexcept:
    """Microseconds of a datetime that is naive or in UTC; False for everything else."""
    if not PyDateTime_CheckExact(at):
        return False
    if datetime_tzinfo(at) is not None and datetime_tzinfo(at) is not get_utc():
        return False
    micros[0] = (
        days_before(PyDateTime_GET_YEAR(at), PyDateTime_GET_MONTH(at), PyDateTime_GET_DAY(at)) * 86_400
        + PyDateTime_DATE_GET_HOUR(at) * 3_600 + PyDateTime_DATE_GET_MINUTE(at) * 60 + PyDateTime_DATE_GET_SECOND(at)
    ) * 1_000_000 + PyDateTime_DATE_GET_MICROSECOND(at)
    return True


@cython.final
@cython.no_gc
cdef class _Said:
    """What the attributes of leads say, shared by all leads of which they say the same."""

    cdef bytes hits
    cdef int64_t users
    cdef int64_t* values      # of attribute criteria
    cdef uint8_t* leaves      # conditions on attributes
    cdef int64_t* scores      # of scores that only attributes move

    def __dealloc__(self):
        free(self.values)
        free(self.leaves)
        free(self.scores)


@cython.final
@cython.no_gc
@cython.freelist(64)
cdef class _Entry:
    """One lead of a tally."""

    cdef _Said said
    cdef int64_t newest       # its newest event, INT64_MIN before the first
    cdef cell_t* cells        # one for each fold that an event acted on
    cdef int32_t size
    cdef int32_t room

    def __dealloc__(self):
        cdef int32_t i
        for i in range(self.size):
            cell_free(&self.cells[i])
        free(self.cells)


@cython.final
cdef class _Field:
    """A declared property of a type of events."""

    cdef str name
    cdef int kind
    cdef bint read            # whether a rule reads it
    cdef int number           # place among the numbers beside an event, or -1
    cdef double[::1] numbers
    cdef int64_t[::1] instants
    cdef dict classes         # text: by value
    cdef int64_t held         # characters of all of them

    def __init__(self, str name, str kind, bint read, int number, list numbers, list instants):
        self.name = name
        self.kind = ("text", "number", "boolean", "instant").index(kind)
        self.read = read
        self.number = number
        self.numbers = np.array(numbers, np.float64)
        self.instants = np.array(instants, np.int64)
        self.classes = {}

    cdef int64_t number_class(self, double value) noexcept:
        cdef int64_t i = 0, n = self.numbers.shape[0]
        if value != value:
            return 0
        while i < n and self.numbers[i] < value:
            i += 1
        return 1 + 2 * i + (i < n and self.numbers[i] == value)

    cdef int64_t instant_class(self, int64_t value) noexcept:
        cdef int64_t i = 0, n = self.instants.shape[0]
        while i < n and self.instants[i] < value:
            i += 1
        return 1 + 2 * i + (i < n and self.instants[i] == value)

    cdef int64_t look(self, object value, double* number):
        """The class of a value, 0 for null, -1 where the edge has to be asked; ``number`` takes the number it is."""
        cdef int64_t whole
        cdef int overflow = 0
        cdef PyObject* item
        number[0] = NAN
        if value is None:
            return 0
        if self.kind == KIND_TEXT:
            if not PyUnicode_CheckExact(value):
                return -1
            if not self.read:
                return 0 if PyUnicode_IS_ASCII(value) else -1
            item = PyDict_GetItemWithError(self.classes, value)
            return <int64_t> <object> item if item != NULL else -1
        if self.kind == KIND_NUMBER:
            if PyFloat_CheckExact(value):
                number[0] = PyFloat_AS_DOUBLE(value) + 0.0
                if number[0] - number[0] != 0:  # infinite, or none
                    return -1
            elif PyLong_CheckExact(value):
                whole = PyLong_AsLongLongAndOverflow(value, &overflow)
                if overflow or not -EXACT <= whole <= EXACT:
                    return -1
                number[0] = <double> whole
            else:
                return -1
            return self.number_class(number[0])
        if self.kind == KIND_BOOLEAN:
            return 1 if value is False else 2 if value is True else -1
        return self.instant_class(whole) if plain_instant(value, &whole) else -1

    cdef learn(self, object value, int64_t klass):
        """Remember the class of a text."""
        if self.kind != KIND_TEXT or not self.read or not PyUnicode_CheckExact(value):
            return
        if len(self.classes) >= MOST_TEXTS or self.held >= MOST_TEXT:
            self.classes.clear()
            self.held = 0
        if len(<str> value) < MOST_TEXT >> 6:
            self.classes[value] = klass
            self.held += len(<str> value)


@cython.final
cdef class _Kind:
    """A type of events: its fields, and where the paths of its classes begin."""

    cdef list fields
    cdef int64_t reads        # how many of them rules read
    cdef int64_t root


cdef class Tally:
    """Scores of leads in memory, brought up to date by one event at a time; `leadcore.Tally` says what it does.

    Everything happens while the interpreter is held: calls are served one at a time.
    """

    cdef Plan plan
    cdef object checks
    cdef bint micropoints
    cdef dict entries             # by lead id
    cdef int64_t changes          # of `entries`
    cdef object like              # the class of all ids: int, str, or None while there are none
    cdef dict kinds
    cdef dict said
    cdef _Said nulls
    cdef int64_t numbers_size

    cdef form_t* forms            # by fold
    cdef clock_t* clocks
    cdef int64_t* folded          # value of each fold; blank between calls
    cdef int64_t* blank
    cdef uint8_t* acted           # folds that the event at hand acts on ...
    cdef int64_t* points          # ... and how many points it brings
    cdef int64_t* scores
    cdef uint8_t* wanted          # scores that the one given back takes
    cdef uint8_t* counted         # folds that those take
    cdef int64_t target

    cdef uint64_t* keys           # of paths: node << 32 | class + 1, 0 where there is none
    cdef int32_t* nodes           # where they lead: a node, or at the last field a set of acts
    cdef int64_t paths_room, paths_size, nodes_size
    cdef dict sets                # by hits
    cdef span_t* spans            # acts by set
    cdef int64_t spans_room
    cdef act_t* acts
    cdef int64_t acts_size, acts_room
    cdef int32_t* plain           # by kind that no rule reads a field of: its set, or -1
    cdef int64_t plain_size

    def __cinit__(self, *args, **named):
        self.entries = {}
        self.kinds = {}
        self.said = {}
        self.sets = {}

    def __init__(
        self, Plan plan not None, list kinds not None, checks, const int32_t[::1] wanted not None, int64_t target,
        bytes nulls not None, bint micropoints,
    ):
        """Begin without leads.

        ``kinds`` are those of the edge's classifier. ``checks`` are asked where values are not plain ones, or were not seen
        before: ``lead_id(lead_id)`` gives an integer or text; ``event(type, at, properties)`` what the classifier reads, or
        the instant alone where the type is not declared; ``early(lead_id, at, newest)``, ``too_early`` of the same and
        ``other_kind(lead_id)`` raise. ``wanted`` are the scores that ``target`` takes, itself among them. ``nulls`` are the hits of attributes
        that are all null.
        """
        cdef const plan_t* p = &plan.c
        cdef int64_t i, clocks = 0, n = p.folds_size
        cdef fold_t fold
        cdef int fault = 0
        cdef _Kind kind
        if self.plan is not None:
            raise ValueError("this tally has begun")
        if not 0 <= target < p.scores_size:
            raise ValueError("there is no such score")
        self.forms = <form_t*> calloc(<size_t> n + 1, sizeof(form_t))
        self.clocks = <clock_t*> calloc(<size_t> n + 1, sizeof(clock_t))
        self.folded = <int64_t*> calloc(<size_t> n + 1, sizeof(int64_t))
        self.blank = <int64_t*> calloc(<size_t> n + 1, sizeof(int64_t))
        self.acted = <uint8_t*> calloc(<size_t> n + 1, 1)
        self.counted = <uint8_t*> calloc(<size_t> n + 1, 1)
        self.points = <int64_t*> calloc(<size_t> n + 1, sizeof(int64_t))
        self.scores = <int64_t*> calloc(<size_t> p.scores_size + 1, sizeof(int64_t))
        self.wanted = <uint8_t*> calloc(<size_t> p.scores_size + 1, 1)
        if not (
            self.forms and self.clocks and self.folded and self.blank and self.acted and self.counted and self.points
            and self.scores and self.wanted
        ):
            raise MemoryError
        for i in range(n):
            if p.folds[i].unique >= 0 or p.folds[i].distinct >= 0:
                raise ValueError("a tally keeps no values of properties")
            self.forms[i].spec = &p.folds[i]
            self.forms[i].form = form_of(&p.folds[i])
            self.forms[i].span = p.folds[i].span + p.folds[i].delay
            if self.forms[i].form == CELL_HALF_LIFE:
                clocks = self._clock(i, clocks)
            fold_start(&fold)
            self.folded[i] = self.blank[i] = fold_value(&fold, &p.folds[i], &p.tables, 0, &fault)
        for i in range(p.acts_size):
            if p.acts[i].act == ACT_RESET:
                raise ValueError("a tally takes no resets")
        self._want(p, wanted)
        self.target = target
        self.micropoints = micropoints
        self.checks = checks
        for i, (name, fields) in enumerate(kinds):
            kind = _Kind.__new__(_Kind)
            kind.fields = [_Field(*field) for field in fields]
            kind.reads = len([field for field in fields if field[2]])
            kind.root = i
            self.kinds[name] = kind
            for field in fields:
                self.numbers_size = max(self.numbers_size, field[3] + 1)
        self.plain_size = len(kinds)
        self.plain = <int32_t*> malloc(<size_t> (self.plain_size + 1) * sizeof(int32_t))
        if self.plain == NULL:
            raise MemoryError
        self.like = None
        self.plan = plan
        self._forget_paths()
        self.nulls = self._said_of(nulls)
        self.nulls.users += 1

    def __dealloc__(self):
        free(self.forms)
        free(self.clocks)
        free(self.folded)
        free(self.blank)
        free(self.acted)
        free(self.counted)
        free(self.points)
        free(self.scores)
        free(self.wanted)
        free(self.keys)
        free(self.nodes)
        free(self.spans)
        free(self.acts)
        free(self.plain)

    cdef int64_t _clock(self, int64_t fold, int64_t size) noexcept:
        """Give a fold the clock of its half-life; how many clocks there are then."""
        cdef const fold_spec_t* s = self.forms[fold].spec
        cdef int64_t i = 0
        while i < size and self.clocks[i].span != s.span:
            i += 1
        self.forms[fold].clock = <int32_t> i
        self.clocks[i].span = s.span
        self.clocks[i].reciprocal = s.reciprocal
        self.clocks[i].shift = s.shift
        self.clocks[i].now = INT64_MIN
        return size if i < size else size + 1

    cdef _want(self, const plan_t* p, const int32_t[::1] wanted):
        """Note what the score given back takes."""
        cdef int64_t i, g, k
        for i in range(wanted.shape[0]):
            if not 0 <= wanted[i] < p.scores_size:
                raise ValueError("there is no such score")
            self.wanted[wanted[i]] = 1
            for g in range(p.scores[wanted[i]].groups, p.scores[wanted[i]].groups + p.scores[wanted[i]].groups_size):
                if p.groups[g].fade >= 0:
                    self.counted[p.groups[g].fade] = 1
                for k in range(p.groups[g].criteria, p.groups[g].criteria + p.groups[g].criteria_size):
                    if p.criteria[k].fold >= 0:
                        self.counted[p.criteria[k].fold] = 1

    # what was read before

    cdef _forget_paths(self):
        """Begin anew with what classes of events do."""
        cdef int64_t i
        free(self.keys)
        free(self.nodes)
        self.paths_room = 1024
        self.paths_size = 0
        self.nodes_size = self.plain_size
        self.keys = <uint64_t*> calloc(<size_t> self.paths_room, sizeof(uint64_t))
        self.nodes = <int32_t*> calloc(<size_t> self.paths_room, sizeof(int32_t))
        if self.keys == NULL or self.nodes == NULL:
            self.paths_room = 0
            raise MemoryError
        self.sets.clear()
        self.acts_size = 0
        for i in range(self.plain_size):
            self.plain[i] = -1

    cdef inline int64_t _place(self, uint64_t key) noexcept:
        """Where a path is, or would go."""
        cdef int64_t i = <int64_t> ((key * 0x9E3779B97F4A7C15ULL) >> 32) & (self.paths_room - 1)
        while self.keys[i] and self.keys[i] != key:
            i = (i + 1) & (self.paths_room - 1)
        return i

    cdef inline int64_t _follow(self, int64_t node, int64_t klass) noexcept:
        """The next node, or -1."""
        cdef uint64_t key = <uint64_t> node << 32 | <uint64_t> (klass + 1)
        cdef int64_t i = self._place(key)
        return self.nodes[i] if self.keys[i] else -1

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
                    k = self._place(keys[i])
                    self.keys[k] = keys[i]
                    self.nodes[k] = nodes[i]
            free(keys)
            free(nodes)
        k = self._place(<uint64_t> node << 32 | <uint64_t> (klass + 1))
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
        cdef int64_t number, node = kind.root, following, k = 0
        cdef _Field field
        cdef list values = [
            (<dict> properties).get(field.name) if type(properties) is dict else None for field in kind.fields if field.read
        ]
        if self.paths_size >= MOST_PATHS or len(self.sets) >= MOST_PATHS:
            self._forget_paths()
        # From here on no Python code of others runs, which might come back here.
        number = self._set_of(hits)
        if found == NULL or len(classes) != 4 * kind.reads:
            return number
        if kind.reads == 0:
            self.plain[kind.root] = <int32_t> number
        for field in kind.fields:
            if not field.read:
                continue
            field.learn(values[k], found[k])
            k += 1
            if k == kind.reads:
                self._lead_to(node, found[k - 1], number)
                break
            following = self._follow(node, found[k - 1])
            if following < 0:
                following = self.nodes_size
                self.nodes_size += 1
                self._lead_to(node, found[k - 1], following)
            node = following
        return number

    cdef inline int64_t _recall(self, _Kind kind, object properties, double* numbers) except -2:
        """The set of acts of an event like one seen before, or -1; its ``numbers`` beside it."""
        cdef int64_t node = kind.root, klass
        cdef PyObject* item
        cdef _Field field
        cdef double number
        cdef dict given = <dict> properties if properties is not None else None
        for field in kind.fields:
            klass = 0
            if given is not None:
                item = PyDict_GetItemWithError(given, field.name)
                if item != NULL and <object> item is not None:
                    klass = field.look(<object> item, &number)
                    if klass < 0:
                        return -1
                    if field.number >= 0:
                        numbers[field.number] = number
            if field.read:
                node = self._follow(node, klass)
                if node < 0:
                    return -1
        return self.plain[node] if kind.reads == 0 else node

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
        said.values = <int64_t*> calloc(<size_t> p.values_size + 1, sizeof(int64_t))
        said.leaves = <uint8_t*> calloc(<size_t> p.leaves_size + 1, 1)
        said.scores = <int64_t*> calloc(<size_t> p.scores_size + 1, sizeof(int64_t))
        if said.values == NULL or said.leaves == NULL or said.scores == NULL:
            raise MemoryError
        for i in range(n):
            if ids[i] >= p.lead_hits_size:
                raise ValueError(f"lead hit id {ids[i]} is not of this plan")
            for k in range(p.hit_says[ids[i]].begin, p.hit_says[ids[i]].begin + p.hit_says[ids[i]].size):
                say = &p.says[k]
                if say.kind == SAY_VALUE:
                    said.values[say.index] = say.points
                else:
                    said.leaves[say.index] = 1
        self._score(said, NULL, 1)
        memcpy(said.scores, self.scores, <size_t> p.scores_size * sizeof(int64_t))
        self.said[hits] = said
        return said

    cdef _let_go(self, _Said said):
        """One lead fewer of which this is said."""
        said.users -= 1
        if said.users == 0:
            self.said.pop(said.hits, None)

    def _put(self, lead_id, bytes hits not None):
        """Let the attributes of a lead be those with these hits."""
        cdef _Said said
        cdef _Entry entry
        self._begun()
        said = self._said_of(hits)
        entry = self.entries.get(lead_id)
        if entry is None:
            self._new(lead_id, said)
            return
        said.users += 1
        self._let_go(entry.said)
        entry.said = said

    # scores

    cdef inline wide_t _group(self, const plan_t* p, const group_t* g, _Said said) noexcept:
        """One group (spec 6.1), as `lead_group` tells it."""
        cdef const criterion_t* c
        cdef wide_t sum = wide_of(0)
        cdef int64_t i, raw
        for i in range(g.criteria, g.criteria + g.criteria_size):
            c = &p.criteria[i]
            if c.gate >= 0 and not said.leaves[c.gate]:
                raw = 0
            else:
                raw = self.folded[c.fold] if c.fold >= 0 else said.values[c.value]
                raw = c.low if raw < c.low else c.high if raw > c.high else raw
            sum = wide_add(sum, wide_of(raw))
        sum = wide_of(wide_hold(sum, g.low, g.high))
        if g.fade >= 0 and self.folded[g.fade] != 1_000_000:
            sum = wide_times_millionths(wide_low(sum), self.folded[g.fade])
        if g.weight != 1_000_000:
            sum = wide_times_millionths(wide_low(sum), g.weight)
        return sum

    cdef void _score(self, _Said said, const uint8_t* wanted, bint anew) noexcept:
        """Scores from the folded values: those ``wanted``, or all; ``anew`` also those that only attributes move."""
        cdef const plan_t* p = &self.plan.c
        cdef const score_t* s
        cdef int64_t k, i, which
        cdef wide_t sum, part
        for k in range(p.scores_size):
            which = p.order[k]
            if wanted != NULL and not wanted[which]:
                continue
            s = &p.scores[which]
            if s.still and not anew:
                self.scores[which] = said.scores[which]
                continue
            sum = wide_of(0)
            for i in range(s.groups, s.groups + s.groups_size):
                sum = wide_add(sum, self._group(p, &p.groups[i], said))
            for i in range(s.parts, s.parts + s.parts_size):
                if p.parts[i].factor == 1_000_000:
                    part = wide_of(self.scores[p.parts[i].score])
                else:
                    part = wide_times_millionths(self.scores[p.parts[i].score], p.parts[i].factor)
                sum = wide_add(sum, part)
            self.scores[which] = wide_hold(sum, s.low, s.high)

    cdef int _take(self, _Entry entry, int64_t at, int64_t acts, const double* numbers) noexcept:
        """Let an event act on a lead, and score it then; -1 when memory runs out."""
        cdef const plan_t* p = &self.plan.c
        cdef const tables_t* t = &p.tables
        cdef const act_t* act = &self.acts[self.spans[acts].begin]
        cdef const form_t* form
        cdef cell_t* c
        cdef int64_t points, n = self.spans[acts].size, i
        cdef int32_t room, fold
        cdef int fault = 0
        if entry.size + n > entry.room:
            room = entry.size + <int32_t> n + (entry.size >> 1)
            c = <cell_t*> realloc(entry.cells, <size_t> room * sizeof(cell_t))
            if c == NULL:
                return -1
            entry.cells = c
            entry.room = room
        for i in range(n):
            if act[i].act > ACT_ADD_PER:
                continue
            fold = act[i].fold
            form = &self.forms[fold]
            points = act[i].points
            if act[i].act == ACT_ADD_PER:
                points = points_by(numbers[form.spec.number], form.spec.rate, form.spec.low, form.spec.high)
            self.acted[fold] = 1
            self.points[fold] = points
        for i in range(entry.size):
            c = &entry.cells[i]
            fold = c.fold
            form = &self.forms[fold]
            if self.acted[fold]:
                self.acted[fold] = 0
                fault |= cell_add(c, form, self.clocks, t, at, self.points[fold])
            if self.counted[fold]:
                cell_advance(c, form, t, at)
                self.folded[fold] = cell_value(c, form, self.clocks, t, at, &fault)
        for i in range(n):
            fold = act[i].fold
            if act[i].act > ACT_ADD_PER or not self.acted[fold]:
                continue
            self.acted[fold] = 0
            form = &self.forms[fold]
            c = &entry.cells[entry.size]
            if cell_start(c, fold, form):
                fault = -1
                continue
            entry.size += 1
            fault |= cell_add(c, form, self.clocks, t, at, self.points[fold])
            if self.counted[fold]:
                self.folded[fold] = cell_value(c, form, self.clocks, t, at, &fault)
        entry.newest = at
        self._score(entry.said, self.wanted, False)
        for i in range(entry.size):
            self.folded[entry.cells[i].fold] = self.blank[entry.cells[i].fold]
        return fault

    cdef int _look(self, _Entry entry, int64_t at) noexcept:
        """Score a lead at an instant, all scores, nothing changed; -1 when memory runs out."""
        cdef const tables_t* t = &self.plan.c.tables
        cdef int64_t i
        cdef int32_t fold
        cdef int fault = 0
        if entry is not None:
            for i in range(entry.size):
                fold = entry.cells[i].fold
                self.folded[fold] = cell_foreseen(&entry.cells[i], &self.forms[fold], self.clocks, t, at, &fault)
        self._score(entry.said if entry is not None else self.nulls, NULL, False)
        if entry is not None:
            for i in range(entry.size):
                self.folded[entry.cells[i].fold] = self.blank[entry.cells[i].fold]
        return fault

    cdef object _given(self, int64_t value):
        """A score as it is given back (spec 9.8)."""
        if self.micropoints:
            return value
        if -EXACT <= value <= EXACT:
            return <double> value / 1e6
        return <object> value / 1_000_000  # Python rounds once

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
        cdef _Entry entry = None
        cdef _Kind kind
        cdef PyObject* item
        cdef int64_t micros = 0, acts = -1, changes = self.changes, i
        cdef int overflow = 0
        cdef bint plain, declared = True
        cdef double numbers[MOST_NUMBERS]
        cdef const double* given = numbers
        self._begun()
        if not plain_id(lead_id):
            lead_id = self.checks.lead_id(lead_id)
        item = PyDict_GetItemWithError(self.entries, lead_id)
        if item != NULL:
            entry = <_Entry> item
            for i in range(entry.size):
                prefetch(&entry.cells[i])
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
                    acts = self._recall(kind, properties, numbers)
        if acts < 0:
            read = self.checks.event(type, at, properties)
            micros = read[0]
            declared = read[2] is not None
            if declared:
                kept = <bytes?> read[3]
                given = <const double*> <const char*> kept
                acts = self._learn(self.kinds[type], properties, read[1], read[2])
        if self.changes != changes:
            item = PyDict_GetItemWithError(self.entries, lead_id)
            entry = <_Entry> item if item != NULL else None
        if entry is not None and micros < entry.newest:
            self.checks.early(lead_id, micros, entry.newest)
        if not declared:
            if self._look(entry, micros):
                raise MemoryError
        else:
            if entry is None:
                entry = self._new(lead_id, self.nulls)
            if self._take(entry, micros, acts, given):
                raise MemoryError
        return self._given(self.scores[self.target])

    cdef _begun(self):
        if self.plan is None:
            raise ValueError("this tally has not begun")

    cdef _Entry _new(self, lead_id, _Said said):
        """A lead that was not there."""
        cdef _Entry entry
        if self.like is not None and self.like is not type(lead_id):
            self.checks.other_kind(lead_id)
        entry = _Entry.__new__(_Entry)
        entry.newest = INT64_MIN
        entry.said = said
        self.entries[lead_id] = entry
        self.like = type(lead_id)
        said.users += 1
        self.changes += 1
        return entry

    def _scores(self, lead_id, int64_t at):
        """All scores of a lead that is there, at an instant not before its newest event."""
        cdef int64_t i
        cdef _Entry entry = self.entries[lead_id]
        cdef list out = [None] * self.plan.c.scores_size
        if at < entry.newest:
            self.checks.too_early(lead_id, at, entry.newest)
        if self._look(entry, at):
            raise MemoryError
        for i in range(self.plan.c.scores_size):
            out[i] = self._given(self.scores[i])
        return out

    def _forget(self, lead_id):
        """Let a lead go; whether it was there."""
        cdef _Entry entry = self.entries.pop(lead_id, None)
        if entry is None:
            return False
        self.changes += 1
        self._let_go(entry.said)
        return True

    def _memory(self):
        """Bytes of all leads, the table of their ids and the ids not counted."""
        cdef _Entry entry
        cdef int64_t i, total = 0
        for entry in self.entries.values():
            total += <int64_t> entry.__sizeof__() + entry.room * <int64_t> sizeof(cell_t)
            for i in range(entry.size):
                total += cell_size(&entry.cells[i])
        return total

    def __len__(self):
        return len(self.entries)

    def __contains__(self, lead_id):
        return lead_id in self.entries

    def __iter__(self):
        return iter(list(self.entries))
