cdef class Plan:
    """The kernel's view of a plan: holds the record tables and points into them. Immutable."""

    cdef plan_t c
    cdef readonly dict tables
    cdef list views

    def __init__(self, dict tables not None):
        """Take record tables by name (dtypes of `records.DTYPES`); every index in them was checked by the planner."""
        cdef const fold_spec_t[::1] folds = tables["folds"]
        cdef const step_t[::1] steps = tables["steps"]
        cdef const int64_t[::1] factors = tables["factors"]
        cdef const band_t[::1] bands = tables["bands"]
        cdef const zone_t[::1] zones = tables["zones"]
        cdef const criterion_t[::1] criteria = tables["criteria"]
        cdef const group_t[::1] groups = tables["groups"]
        cdef const part_t[::1] parts = tables["parts"]
        cdef const score_t[::1] scores = tables["scores"]
        cdef const int32_t[::1] order = tables["order"]
        cdef const int64_t[::1] grades = tables["grades"]
        cdef const int32_t[::1] rating = tables["rating"]
        cdef const span_t[::1] labels = tables["labels"]
        cdef const cond_t[::1] conditions = tables["conditions"]
        cdef const uint8_t[::1] members = tables["members"]
        cdef const threshold_t[::1] thresholds = tables["thresholds"]
        cdef const span_t[::1] hit_acts = tables["hit_acts"]
        cdef const act_t[::1] acts = tables["acts"]
        cdef const span_t[::1] hit_says = tables["hit_says"]
        cdef const say_t[::1] says = tables["says"]
        cdef const stage_t[::1] stages = tables["stages"]
        cdef const rule_t[::1] rules = tables["rules"]
        cdef const int32_t[::1] leaving = tables["leaving"]
        cdef const int64_t[::1] timers = tables["timers"]
        self.tables = tables
        self.views = [folds, steps, factors, bands, zones, criteria, groups, parts, scores, order, grades, rating,
                      labels, conditions, members, thresholds, hit_acts, acts, hit_says, says, stages, rules, leaving, timers]
        memset(&self.c, 0, sizeof(plan_t))
        self.c.tables.steps = &steps[0] if steps.shape[0] else NULL
        self.c.tables.factors = &factors[0] if factors.shape[0] else NULL
        self.c.tables.bands = &bands[0] if bands.shape[0] else NULL
        self.c.tables.zones = &zones[0] if zones.shape[0] else NULL
        self.c.tables.zones_size = zones.shape[0]
        self.c.tables.cycle_begin = tables["cycle_begin"]
        self.c.folds = &folds[0] if folds.shape[0] else NULL
        self.c.folds_size = folds.shape[0]
        self.c.criteria = &criteria[0] if criteria.shape[0] else NULL
        self.c.criteria_size = criteria.shape[0]
        self.c.groups = &groups[0] if groups.shape[0] else NULL
        self.c.groups_size = groups.shape[0]
        self.c.parts = &parts[0] if parts.shape[0] else NULL
        self.c.scores = &scores[0] if scores.shape[0] else NULL
        self.c.scores_size = scores.shape[0]
        self.c.order = &order[0] if order.shape[0] else NULL
        self.c.grades = &grades[0] if grades.shape[0] else NULL
        self.c.rating = &rating[0] if rating.shape[0] else NULL
        self.c.rating_size = rating.shape[0]
        self.c.labels = &labels[0] if labels.shape[0] else NULL
        self.c.labels_size = tables["labels_size"]
        self.c.conditions = &conditions[0] if conditions.shape[0] else NULL
        self.c.members = &members[0] if members.shape[0] else NULL
        self.c.thresholds = &thresholds[0] if thresholds.shape[0] else NULL
        self.c.thresholds_size = thresholds.shape[0]
        self.c.hit_acts = &hit_acts[0] if hit_acts.shape[0] else NULL
        self.c.hits_size = hit_acts.shape[0]
        self.c.acts = &acts[0] if acts.shape[0] else NULL
        self.c.acts_size = acts.shape[0]
        self.c.hit_says = &hit_says[0] if hit_says.shape[0] else NULL
        self.c.lead_hits_size = hit_says.shape[0]
        self.c.says = &says[0] if says.shape[0] else NULL
        self.c.values_size = tables["values_size"]
        self.c.leaves_size = tables["leaves_size"]
        self.c.lines_size = tables["lines_size"]
        self.c.stages = &stages[0] if stages.shape[0] else NULL
        self.c.stages_size = stages.shape[0]
        self.c.initial = tables["initial"]
        self.c.rules = &rules[0] if rules.shape[0] else NULL
        self.c.rules_size = rules.shape[0]
        self.c.leaving = &leaving[0] if leaving.shape[0] else NULL
        self.c.timers = &timers[0] if timers.shape[0] else NULL
        self.c.happenings_size = tables["happenings_size"]
        self.c.labelled = tables["labelled"]
