//! Conditions compiled, and their answer for one row (spec 3).

use crate::text::has;

/// What a row says in one field.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    Null,
    /// The answers of the field's text tests to this row's text.
    Text(&'a [u32]),
    Number(f64),
    Boolean(bool),
    Instant(i64),
}

/// A test of numbers or instants.
#[derive(Clone, Debug)]
pub enum Test<T> {
    /// Ascending.
    In(Box<[T]>),
    Less(T),
    AtMost(T),
    Greater(T),
    AtLeast(T),
    Between(T, T),
}

impl<T: PartialOrd + Copy> Test<T> {
    fn holds(&self, value: T) -> bool {
        match self {
            Self::In(values) => {
                let below = values.partition_point(|one| *one < value);
                values.get(below).is_some_and(|one| *one == value)
            }
            Self::Less(bound) => value < *bound,
            Self::AtMost(bound) => value <= *bound,
            Self::Greater(bound) => value > *bound,
            Self::AtLeast(bound) => value >= *bound,
            Self::Between(low, high) => *low <= value && value <= *high,
        }
    }

    /// The values at which the answer can change.
    pub fn bounds(&self) -> Vec<T> {
        match self {
            Self::In(values) => values.to_vec(),
            Self::Less(one) | Self::AtMost(one) | Self::Greater(one) | Self::AtLeast(one) => {
                vec![*one]
            }
            Self::Between(low, high) => vec![*low, *high],
        }
    }
}

/// A condition over the fields of one side (leads or events).
#[derive(Clone, Debug)]
pub enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    Exists(usize),
    /// A text test by its number among the tests of the field.
    Text(usize, u32),
    Number(usize, Test<f64>),
    Instant(usize, Test<i64>),
    /// For `[false, true]`.
    Boolean(usize, [bool; 2]),
    /// By event type.
    Type(Vec<bool>),
}

impl Condition {
    /// Two-valued: every test of a null is false (spec 3.3).
    pub fn holds(&self, kind: usize, row: &[Value<'_>]) -> bool {
        let value = |field: usize| row.get(field).copied().unwrap_or(Value::Null);
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds(kind, row)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(kind, row)),
            Self::Not(part) => !part.holds(kind, row),
            Self::Exists(field) => !matches!(value(*field), Value::Null),
            Self::Text(field, test) => {
                matches!(value(*field), Value::Text(words) if has(words, *test))
            }
            Self::Number(field, test) => {
                matches!(value(*field), Value::Number(number) if test.holds(number))
            }
            Self::Instant(field, test) => {
                matches!(value(*field), Value::Instant(instant) if test.holds(instant))
            }
            Self::Boolean(field, holds) => {
                matches!(value(*field), Value::Boolean(b) if holds[usize::from(b)])
            }
            Self::Type(kinds) => kinds.get(kind).copied().unwrap_or(false),
        }
    }

    /// Call `visit` with every field this condition reads.
    pub fn fields(&self, visit: &mut impl FnMut(usize)) {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.fields(visit)),
            Self::Not(part) => part.fields(visit),
            Self::Exists(field)
            | Self::Text(field, _)
            | Self::Number(field, _)
            | Self::Instant(field, _)
            | Self::Boolean(field, _) => visit(*field),
            Self::Type(_) => {}
        }
    }
}

/// A rule: at most one hit for a row.
#[derive(Clone, Debug)]
pub struct Rule {
    pub when: Option<Condition>,
    pub gives: Gives,
}

/// What a rule adds where its condition holds.
#[derive(Clone, Debug)]
pub enum Gives {
    Hit(u32),
    Table {
        field: usize,
        table: u32,
        hits: Vec<u32>,
        otherwise: Option<u32>,
        missing: Option<u32>,
    },
    /// Rows ascend by bound.
    Bands {
        field: usize,
        rows: Vec<(f64, u32)>,
        otherwise: Option<u32>,
        missing: Option<u32>,
    },
}

impl Rule {
    pub fn fields(&self, visit: &mut impl FnMut(usize)) {
        if let Some(when) = &self.when {
            when.fields(visit);
        }
        match &self.gives {
            Gives::Hit(_) => {}
            Gives::Table { field, .. } | Gives::Bands { field, .. } => visit(*field),
        }
    }

    /// The hit of a row. `row_of` finds a table's row in a text's answers.
    pub fn hit(
        &self,
        kind: usize,
        row: &[Value<'_>],
        row_of: impl Fn(usize, &[u32], u32) -> Option<u32>,
    ) -> Option<u32> {
        if !self.when.as_ref().is_none_or(|when| when.holds(kind, row)) {
            return None;
        }
        let value = |field: usize| row.get(field).copied().unwrap_or(Value::Null);
        match &self.gives {
            Gives::Hit(hit) => Some(*hit),
            Gives::Table {
                field,
                table,
                hits,
                otherwise,
                missing,
            } => match value(*field) {
                Value::Text(words) => match row_of(*field, words, *table) {
                    Some(at) => hits.get(at as usize).copied(),
                    None => *otherwise,
                },
                _ => *missing,
            },
            Gives::Bands {
                field,
                rows,
                otherwise,
                missing,
            } => match value(*field) {
                Value::Number(number) => {
                    match rows.partition_point(|(bound, _)| *bound <= number) {
                        0 => *otherwise,
                        reached => rows.get(reached - 1).map(|(_, hit)| *hit),
                    }
                }
                _ => *missing,
            },
        }
    }
}
