"""Record layouts of a plan: what the compiled model looks like to the kernel.

The numpy dtypes are derived from these structs (`records.pyx`), never written twice. `VERSION` changes with any of
them. Indices are int32, -1 where there is none; points, factors and instants int64.
"""

from libc.stdint cimport int32_t, int64_t

cdef enum:
    VERSION = 4

# What a fold adds up (spec 4).
cdef enum:
    FOLD_EVENT = 1
    FOLD_FREQUENCY = 2
    FOLD_RECENCY = 3

# How the weight of an event falls (spec 5).
cdef enum:
    DECAY_NONE = 0
    DECAY_HALF_LIFE = 1
    DECAY_LINEAR = 2
    DECAY_EXPIRE = 3
    DECAY_STEPS = 4
    DECAY_PERIODIC = 5
    DECAY_COMPOUND = 6

# Calendar units (spec 4.6).
cdef enum:
    UNIT_NONE = 0
    UNIT_HOUR = 1
    UNIT_DAY = 2
    UNIT_WEEK = 3
    UNIT_EVER = 4

# What one hit of an event row does to a fold.
cdef enum:
    ACT_RESET = 0
    ACT_ADD = 1
    ACT_ADD_PER = 2
    ACT_LEAF = 3          # a condition on the event holds: `fold` is its number
    ACT_MANUAL = 4        # the event names a stage: `points`, or -1 for none of the model

# What one hit of a lead row says.
cdef enum:
    SAY_VALUE = 0
    SAY_LEAF = 1

# Steps of a condition program, in postfix order.
cdef enum:
    COND_CONST = 0
    COND_LEAF = 1
    COND_SCORE_AT_LEAST = 2
    COND_GRADE_IN = 3
    COND_RATING_IN = 4
    COND_NOT = 5
    COND_AND = 6
    COND_OR = 7
    COND_LABEL_IN = 8
    COND_THRESHOLD = 9
    COND_EVENT = 10
    COND_AGE_AT_LEAST = 11
    COND_VISITS_AT_LEAST = 12
    COND_DEPTH = 256

# Why a lead was evaluated (spec 8.10), in the order of spec 8.4 at one instant; a manual move is an event.
cdef enum:
    CAUSE_BIRTH = 0
    CAUSE_ATTRIBUTE = 1
    CAUSE_EVENT = 2
    CAUSE_TIMER = 3
    CAUSE_GRID = 4
    CAUSE_MANUAL = 5

cdef struct fold_spec_t:
    int32_t kind
    int32_t decay
    int64_t span          # half-life, linear, expire, period; frequency: window, or 0 for ever
    int64_t reciprocal    # half-life: floor(2^shift / span), as uint64
    int64_t shift         # half-life: 64 + floor(log2 span)
    int64_t delay
    int64_t keep          # millionths that never decay, 0 for none
    int32_t table         # first row of `steps` (steps), of `factors` (periodic)
    int32_t table_size
    int32_t bands         # first row of `bands` (frequency: counts; recency: ages)
    int32_t bands_size
    int64_t otherwise     # recency
    int64_t never         # recency
    int32_t unique        # index into a row's codes
    int32_t distinct      # index into a row's codes
    int64_t cooldown
    int64_t limit
    int32_t unit
    int32_t number        # index into a row's numbers
    int32_t sign          # 1: no event takes points away, -1: none gives any, 0: either may be
    int32_t group         # the group it belongs to
    int32_t criterion     # the criterion whose value it is, or -1: a fade
    int32_t pad
    double rate
    double low
    double high

cdef struct step_t:
    int64_t after
    int64_t factor

cdef struct band_t:
    int64_t bound
    int64_t points

cdef struct zone_t:
    int64_t begin         # instant from which `offset` holds
    int64_t offset        # wall clock minus UTC, microseconds
    int64_t reached       # latest wall clock reached before `begin`

cdef struct act_t:
    int32_t fold
    int32_t act
    int64_t points

cdef struct say_t:
    int32_t kind
    int32_t index
    int64_t points

cdef struct criterion_t:
    int32_t fold          # or -1: an attribute criterion
    int32_t value         # attribute criteria: index into a lead's values
    int32_t gate          # leaf, or -1
    int32_t pad
    int64_t low
    int64_t high

cdef struct group_t:
    int32_t criteria
    int32_t criteria_size
    int32_t fade          # fold, or -1
    int32_t pad
    int64_t low
    int64_t high
    int64_t weight        # millionths
    double lever          # how far a score moves at most when the sum of the group's criteria moves by one ...
    double slack          # ... and how far beyond that rounding takes it

cdef struct part_t:
    int32_t score
    int32_t pad
    int64_t factor        # millionths

cdef struct score_t:
    int32_t groups
    int32_t groups_size
    int32_t parts
    int32_t parts_size
    int32_t grades
    int32_t grades_size   # bounds given; one grade more than that, 0 for no grades
    int32_t line
    int32_t still         # whether only attributes move it
    int64_t low
    int64_t high

cdef struct threshold_t:
    int32_t score
    int32_t latch
    int64_t at
    int64_t release

cdef struct cond_t:
    int32_t op
    int32_t arg
    int64_t value

cdef struct span_t:
    int32_t begin
    int32_t size

cdef struct stage_t:
    int32_t rules         # first of `leaving`: transitions out of this stage, in document order
    int32_t rules_size
    int32_t free          # first of `leaving`: those of them without `on`
    int32_t free_size
    int32_t timers        # first of `timers`: the lengths of `after` out of this stage, ascending
    int32_t timers_size

cdef struct rule_t:
    int32_t to
    int32_t on            # condition on the event, or -1
    int64_t after         # 0 for none
    int32_t when          # first step of its condition
    int32_t when_size     # 0: always

cdef struct piece_t:
    int64_t start         # grid instants lie in [start, stop) ...
    int64_t stop
    int64_t residue       # ... where instant mod `every` is this
