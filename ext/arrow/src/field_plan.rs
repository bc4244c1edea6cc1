//! A declared field with everything rules ask of it: its tests, and the classes its values fall into.

use crate::source::Kind;
use crate::text::TextTests;

/// A null instant wherever instants stand in arrays; no valid instant is near it (spec 1.1).
pub const NO_INSTANT: i64 = i64::MIN;
/// The class of a null.
pub const NULL_CLASS: u32 = 0;

/// One field with everything rules ask of it.
pub struct FieldPlan {
    pub name: String,
    pub kind: Kind,
    pub optional: bool,
    /// Some rule reads it.
    pub used: bool,
    pub tests: TextTests,
    pub numbers: Vec<f64>,
    pub instants: Vec<i64>,
    /// By event type: whether it declares this field.
    pub declared: Vec<bool>,
}

/// Bounds compared one after the other with a whole stretch; more are searched row by row.
const FEW: usize = 8;

/// The class of a value among ascending bounds: each bound is a class, and each gap between two. 0 is left to null.
fn class_among<T: PartialOrd + Copy>(bounds: &[T], value: T) -> u32 {
    let below = bounds.partition_point(|bound| *bound < value);
    let equal = bounds.get(below).is_some_and(|bound| *bound == value);
    1 + 2 * below as u32 + u32::from(equal)
}

fn classes_among<T: PartialOrd + Copy>(
    bounds: &[T],
    values: &[T],
    out: &mut [u32],
    null: impl Fn(T) -> bool,
) {
    if bounds.len() > FEW {
        for (class, value) in out.iter_mut().zip(values) {
            *class = if null(*value) {
                NULL_CLASS
            } else {
                class_among(bounds, *value)
            };
        }
        return;
    }
    for (class, value) in out.iter_mut().zip(values) {
        *class = u32::from(!null(*value));
    }
    for bound in bounds {
        // A null is below every bound: NaN compares false, and no instant is less than `NO_INSTANT`.
        for (class, value) in out.iter_mut().zip(values) {
            *class += u32::from(*bound < *value) + u32::from(*bound <= *value);
        }
    }
}

impl FieldPlan {
    /// How many classes there are; of texts only a guess.
    pub fn classes(&self) -> u32 {
        match self.kind {
            Kind::Text => 16,
            Kind::Boolean => 3,
            Kind::Number => 2 + 2 * self.numbers.len() as u32,
            Kind::Instant => 2 + 2 * self.instants.len() as u32,
        }
    }

    /// Numbers of one class get the same answer from every rule.
    #[inline]
    pub fn number_class(&self, value: f64) -> u32 {
        if value.is_nan() {
            NULL_CLASS
        } else {
            class_among(&self.numbers, value)
        }
    }

    pub fn number_classes(&self, values: &[f64], out: &mut [u32]) {
        classes_among(&self.numbers, values, out, f64::is_nan);
    }

    pub fn instant_classes(&self, values: &[i64], out: &mut [u32]) {
        classes_among(&self.instants, values, out, |value| value == NO_INSTANT);
    }

    #[inline]
    pub fn instant_class(&self, value: i64) -> u32 {
        if value == NO_INSTANT {
            NULL_CLASS
        } else {
            class_among(&self.instants, value)
        }
    }
}
