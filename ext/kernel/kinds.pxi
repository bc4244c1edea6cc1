# Types of events and their properties, for whoever takes Python values without the edge: the class of a value (spec 3).

cdef enum:
    MOST_TEXTS = 1 << 16  # texts of a field remembered ...
    MOST_TEXT = 1 << 24   # ... their characters ...
    LONGEST_TEXT = 4096   # ... and those of the longest

cdef enum:
    KIND_TEXT = 0
    KIND_NUMBER = 1
    KIND_BOOLEAN = 2
    KIND_INSTANT = 3

cdef int64_t EXACT = 1 << 53      # float64 holds every integer up to here

import_datetime()


cdef inline int64_t days_before(int64_t year, int64_t month, int64_t day) noexcept nogil:
    """Days from 1970-01-01 to a date of the years 1 to 9999; the year is counted from March."""
    if month <= 2:
        year -= 1
    month = (month + 9) % 12
    return year * 365 + year // 4 - year // 100 + year // 400 + (153 * month + 2) // 5 + day - 719_469


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


cdef struct field_t:
    # A declared property of a type of events.
    PyObject* name            # str
    PyObject* classes         # text: dict by value
    int64_t held              # characters of all of these
    int32_t kind
    int32_t number            # place among the numbers beside an event, or -1
    bint read                 # whether a rule reads it
    double* numbers           # bounds of its classes
    int64_t numbers_size
    int64_t* instants
    int64_t instants_size


@cython.final
cdef class _Kind:
    """A type of events: its fields, and where the paths of its classes begin."""

    cdef list kept            # what the fields point to
    cdef field_t* fields
    cdef int64_t size
    cdef int64_t reads        # how many of them rules read
    cdef int64_t root

    def __init__(self, list fields not None, int64_t root):
        cdef field_t* f
        cdef int64_t i, n = len(fields)
        self.root = root
        self.kept = []
        self.fields = <field_t*> calloc(<size_t> n + 1, sizeof(field_t))
        if self.fields == NULL:
            raise MemoryError
        for name, kind, read, number, numbers, instants in fields:
            f = &self.fields[self.size]
            self.size += 1
            classes = {}
            self.kept += [name, classes]
            f.name = <PyObject*> name
            f.classes = <PyObject*> classes
            f.kind = ("text", "number", "boolean", "instant").index(kind)
            f.number = number
            f.read = read
            self.reads += f.read
            f.numbers = <double*> malloc((len(numbers) + 1) * sizeof(double))
            f.instants = <int64_t*> malloc((len(instants) + 1) * sizeof(int64_t))
            if f.numbers == NULL or f.instants == NULL:
                raise MemoryError
            for i in range(len(numbers)):
                f.numbers[i] = numbers[i]
            for i in range(len(instants)):
                f.instants[i] = instants[i]
            f.numbers_size = len(numbers)
            f.instants_size = len(instants)

    def __dealloc__(self):
        cdef int64_t i
        for i in range(self.size):
            free(self.fields[i].numbers)
            free(self.fields[i].instants)
        free(self.fields)


cdef inline int64_t number_class(const field_t* f, double value) noexcept:
    cdef int64_t i = 0
    if value != value:
        return 0
    while i < f.numbers_size and f.numbers[i] < value:
        i += 1
    return 1 + 2 * i + (i < f.numbers_size and f.numbers[i] == value)


cdef inline int64_t instant_class(const field_t* f, int64_t value) noexcept:
    cdef int64_t i = 0
    while i < f.instants_size and f.instants[i] < value:
        i += 1
    return 1 + 2 * i + (i < f.instants_size and f.instants[i] == value)


cdef inline int64_t field_class(const field_t* f, object value, double* number) except -2:
    """The class of a value that is not None, or -1 where the edge has to be asked; ``number`` takes the number it is."""
    cdef int64_t whole
    cdef int overflow = 0
    cdef PyObject* item
    if f.kind == KIND_TEXT:
        if not PyUnicode_CheckExact(value):
            return -1
        if not f.read:
            return 0 if PyUnicode_IS_ASCII(value) else -1
        item = PyDict_GetItemWithError(<object> f.classes, value)
        return PyLong_AsLongLongAndOverflow(<object> item, &overflow) if item != NULL else -1
    if f.kind == KIND_NUMBER:
        if PyFloat_CheckExact(value):
            number[0] = PyFloat_AS_DOUBLE(value) + 0.0  # no zero is negative
            if number[0] - number[0] != 0:  # infinite, or none
                return -1
        elif PyLong_CheckExact(value):
            whole = PyLong_AsLongLongAndOverflow(value, &overflow)
            if overflow or not -EXACT <= whole <= EXACT:
                return -1
            number[0] = <double> whole
        else:
            return -1
        return number_class(f, number[0])
    if f.kind == KIND_BOOLEAN:
        return 1 if value is False else 2 if value is True else -1
    return instant_class(f, whole) if plain_instant(value, &whole) else -1


cdef inline field_learn(field_t* f, object value, int64_t klass):
    """Remember the class of a text."""
    cdef dict classes = <dict> f.classes
    if f.kind != KIND_TEXT or not PyUnicode_CheckExact(value) or len(<str> value) > LONGEST_TEXT:
        return
    if len(classes) >= MOST_TEXTS or f.held >= MOST_TEXT:
        classes.clear()
        f.held = 0
    classes[value] = klass
    f.held += len(<str> value)
