//! A program compiled: fields with their tests, event types with their rules (spec 3, 4).

use serde_json::Value as Json;

use crate::condition::{Condition, Gives, Rule, Test, Value};
use crate::field_plan::FieldPlan;
use crate::patterns::LARGEST_TOGETHER;
use crate::source::{Clause, EventType, Field, Kind, RuleSource, Source};
use crate::text::{TextOp, TextTest, TextTests};

/// Types of events: as many as the entries of a mapping in a document (spec 11).
const MOST_TYPES: usize = 1 << 16;

/// One event type; leads are the single type of their side.
pub struct KindPlan {
    pub name: String,
    /// Its place among all types by name.
    pub rank: u16,
    /// Declared fields in document order.
    pub fields: Vec<usize>,
    /// Declared fields that some rule of this type reads.
    pub reads: Vec<usize>,
    rules: Vec<usize>,
    /// By field: where it stands in `fields`.
    places: Vec<Option<usize>>,
}

impl KindPlan {
    /// Where a field stands among those of this type.
    #[inline]
    pub fn place(&self, field: usize) -> Option<usize> {
        self.places.get(field).copied().flatten()
    }
}

/// Leads or events.
pub struct Side {
    pub fields: Vec<FieldPlan>,
    pub kinds: Vec<KindPlan>,
    rules: Vec<Rule>,
}

pub struct Plan {
    pub leads: Side,
    pub events: Side,
    pub codes: Vec<usize>,
    pub numbers: Vec<usize>,
    pub ordered: bool,
}

impl Plan {
    pub fn new(source: Source) -> Result<Self, String> {
        if source.types.len() > MOST_TYPES {
            return Err(format!("there are more than {MOST_TYPES} types"));
        }
        let mut names: Vec<&str> = source.types.iter().map(|one| one.name.as_str()).collect();
        names.sort_unstable();
        if let Some(twins) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(format!("type {} is there twice", twins[0]));
        }
        let all = EventType {
            name: String::new(),
            fields: (0..source.fields.lead.len()).collect(),
        };
        let mut left = LARGEST_TOGETHER;
        let leads = Side::new(
            "lead_rules",
            source.fields.lead,
            vec![all],
            source.lead_rules,
            &mut left,
        )?;
        let events = Side::new(
            "event_rules",
            source.fields.event,
            source.types,
            source.event_rules,
            &mut left,
        )?;
        if let Some(field) = source
            .codes
            .iter()
            .find(|field| **field >= events.fields.len())
        {
            return Err(format!("codes: there is no event field {field}"));
        }
        for field in &source.numbers {
            match events.fields.get(*field) {
                Some(plan) if plan.kind == Kind::Number => {}
                Some(plan) => return Err(format!("numbers: {} is no number", plan.name)),
                None => return Err(format!("numbers: there is no event field {field}")),
            }
        }
        Ok(Self {
            leads,
            events,
            codes: source.codes,
            numbers: source.numbers,
            ordered: source.ordered,
        })
    }
}

impl Side {
    fn new(
        place: &str,
        fields: Vec<Field>,
        types: Vec<EventType>,
        rules: Vec<RuleSource>,
        left: &mut usize,
    ) -> Result<Self, String> {
        let plan = |(number, field): (usize, Field)| FieldPlan {
            name: field.name,
            kind: field.kind,
            optional: field.optional,
            used: false,
            tests: TextTests::default(),
            numbers: Vec::new(),
            instants: Vec::new(),
            declared: types
                .iter()
                .map(|one| one.fields.contains(&number))
                .collect(),
        };
        let mut side = Self {
            fields: fields.into_iter().enumerate().map(plan).collect(),
            kinds: Vec::new(),
            rules: Vec::new(),
        };
        let count = types.len();
        let mut sorted: Vec<String> = types.iter().map(|one| one.name.clone()).collect();
        sorted.sort_unstable();
        for one in types {
            if let Some(field) = one.fields.iter().find(|field| **field >= side.fields.len()) {
                return Err(format!("type {}: there is no field {field}", one.name));
            }
            let places =
                (0..side.fields.len()).map(|field| one.fields.iter().position(|f| *f == field));
            side.kinds.push(KindPlan {
                rank: sorted.partition_point(|name| *name < one.name) as u16,
                name: one.name,
                places: places.collect(),
                fields: one.fields,
                reads: Vec::new(),
                rules: Vec::new(),
            });
        }
        for (number, rule) in rules.into_iter().enumerate() {
            side.add(rule, number, count)
                .map_err(|reason| format!("{place}[{number}]: {reason}"))?;
        }
        for field in &mut side.fields {
            field.numbers.sort_unstable_by(f64::total_cmp);
            field.numbers.dedup();
            field.instants.sort_unstable();
            field.instants.dedup();
            field
                .tests
                .compile(left)
                .map_err(|reason| format!("{place}: {}: {reason}", field.name))?;
        }
        Ok(side)
    }

    fn add(&mut self, source: RuleSource, number: usize, count: usize) -> Result<(), String> {
        let (types, when, gives) = match source {
            RuleSource::Test { types, hit, when } => (types, Some(when), Gives::Hit(hit)),
            RuleSource::Table {
                types,
                when,
                field,
                fold,
                rows,
                otherwise,
                missing,
            } => {
                self.expect(field, Kind::Text)?;
                let (texts, hits): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
                let table = self.fields[field].tests.add_table(texts, fold);
                (
                    types,
                    when,
                    Gives::Table {
                        field,
                        table,
                        hits,
                        otherwise,
                        missing,
                    },
                )
            }
            RuleSource::Bands {
                types,
                when,
                field,
                mut rows,
                otherwise,
                missing,
            } => {
                self.expect(field, Kind::Number)?;
                rows.sort_by(|a, b| a.0.total_cmp(&b.0));
                // -0.0 would stand apart from 0.0 in a total order of bits.
                rows.iter_mut().for_each(|(bound, _)| *bound += 0.0);
                self.fields[field]
                    .numbers
                    .extend(rows.iter().map(|(bound, _)| *bound));
                (
                    types,
                    when,
                    Gives::Bands {
                        field,
                        rows,
                        otherwise,
                        missing,
                    },
                )
            }
        };
        let when = when
            .map(|clause| self.condition(clause, count))
            .transpose()?;
        let rule = Rule { when, gives };
        let mut read = Vec::new();
        rule.fields(&mut |field| read.push(field));
        for field in &read {
            self.fields[*field].used = true;
        }
        let all = types.unwrap_or_else(|| (0..count).collect());
        for kind in all {
            let plan = self
                .kinds
                .get_mut(kind)
                .ok_or_else(|| format!("there is no type {kind}"))?;
            plan.rules.push(number);
            for field in &read {
                if plan.fields.contains(field) && !plan.reads.contains(field) {
                    plan.reads.push(*field);
                }
            }
        }
        self.rules.push(rule);
        Ok(())
    }

    fn expect(&self, field: usize, kind: Kind) -> Result<(), String> {
        match self.fields.get(field) {
            Some(plan) if plan.kind == kind => Ok(()),
            Some(plan) => Err(format!("{} is {:?}, not {kind:?}", plan.name, plan.kind)),
            None => Err(format!("there is no field {field}")),
        }
    }

    fn condition(&mut self, clause: Clause, count: usize) -> Result<Condition, String> {
        match clause {
            Clause {
                all: Some(parts),
                any: None,
                not: None,
                field: None,
                op: None,
                ..
            } => Ok(Condition::All(self.conditions(parts, count)?)),
            Clause {
                all: None,
                any: Some(parts),
                not: None,
                field: None,
                op: None,
                ..
            } => Ok(Condition::Any(self.conditions(parts, count)?)),
            Clause {
                all: None,
                any: None,
                not: Some(part),
                field: None,
                op: None,
                ..
            } => Ok(Condition::Not(Box::new(self.condition(*part, count)?))),
            Clause {
                all: None,
                any: None,
                not: None,
                field: None,
                op: Some(op),
                types: Some(types),
                ..
            } if op == "type" => {
                let mut kinds = vec![false; count];
                for kind in types {
                    *kinds
                        .get_mut(kind)
                        .ok_or_else(|| format!("there is no type {kind}"))? = true;
                }
                Ok(Condition::Type(kinds))
            }
            Clause {
                all: None,
                any: None,
                not: None,
                field: Some(field),
                op: Some(op),
                values,
                fold,
                ..
            } => self.test(
                field,
                &op,
                values.unwrap_or_default(),
                fold.unwrap_or(false),
            ),
            _ => Err(String::from(
                "a condition is one of all, any, not, a field with an op, or the op type",
            )),
        }
    }

    fn conditions(&mut self, parts: Vec<Clause>, count: usize) -> Result<Vec<Condition>, String> {
        parts
            .into_iter()
            .map(|part| self.condition(part, count))
            .collect()
    }

    fn test(
        &mut self,
        field: usize,
        op: &str,
        values: Vec<Json>,
        fold: bool,
    ) -> Result<Condition, String> {
        let plan = self
            .fields
            .get_mut(field)
            .ok_or_else(|| format!("there is no field {field}"))?;
        let unfit = || {
            format!(
                "{}: op {op} with these values does not fit {:?}",
                plan.name, plan.kind
            )
        };
        if op == "exists" {
            return Ok(Condition::Exists(field));
        }
        match plan.kind {
            Kind::Text => {
                let op = TextOp::parse(op).ok_or_else(unfit)?;
                let values: Option<Vec<String>> = values
                    .iter()
                    .map(|v| v.as_str().map(String::from))
                    .collect();
                let values = values.ok_or_else(unfit)?;
                Ok(Condition::Text(
                    field,
                    plan.tests.add(TextTest { op, values, fold }),
                ))
            }
            Kind::Number => {
                let values: Option<Vec<f64>> =
                    values.iter().map(|v| v.as_f64().map(|x| x + 0.0)).collect();
                let test =
                    test_of(op, values.ok_or_else(unfit)?, f64::total_cmp).ok_or_else(unfit)?;
                plan.numbers.extend(test.bounds());
                Ok(Condition::Number(field, test))
            }
            Kind::Instant => {
                let values: Option<Vec<i64>> = values.iter().map(Json::as_i64).collect();
                let test = test_of(op, values.ok_or_else(unfit)?, i64::cmp).ok_or_else(unfit)?;
                plan.instants.extend(test.bounds());
                Ok(Condition::Instant(field, test))
            }
            Kind::Boolean => {
                let values: Option<Vec<bool>> = values.iter().map(Json::as_bool).collect();
                match (op, values) {
                    ("in", Some(values)) => Ok(Condition::Boolean(
                        field,
                        [values.contains(&false), values.contains(&true)],
                    )),
                    _ => Err(unfit()),
                }
            }
        }
    }

    /// The hits of a row, ascending and distinct.
    pub fn hits(&self, kind: usize, row: &[Value<'_>], hits: &mut Vec<u32>) {
        hits.clear();
        let Some(plan) = self.kinds.get(kind) else {
            return;
        };
        let row_of =
            |field: usize, words: &[u32], table| self.fields[field].tests.row(words, table);
        hits.extend(
            plan.rules
                .iter()
                .filter_map(|rule| self.rules[*rule].hit(kind, row, row_of)),
        );
        hits.sort_unstable();
        hits.dedup();
    }
}

fn test_of<T: PartialOrd + Copy>(
    op: &str,
    mut values: Vec<T>,
    order: impl Fn(&T, &T) -> std::cmp::Ordering,
) -> Option<Test<T>> {
    if op == "in" {
        values.sort_unstable_by(order);
        return Some(Test::In(values.into()));
    }
    match (op, values.as_slice()) {
        ("lt", [bound]) => Some(Test::Less(*bound)),
        ("le", [bound]) => Some(Test::AtMost(*bound)),
        ("gt", [bound]) => Some(Test::Greater(*bound)),
        ("ge", [bound]) => Some(Test::AtLeast(*bound)),
        ("between", [low, high]) => Some(Test::Between(*low, *high)),
        _ => None,
    }
}
