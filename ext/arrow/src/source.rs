//! The JSON form of a program, as the stub of this module describes it.

use serde::Deserialize;
use serde_json::Value as Json;

/// Brackets a source may nest: conditions nest 64 deep (spec 3.1), each level is an object and a list.
const DEEPEST: usize = 400;

#[derive(Clone, Copy, Deserialize, PartialEq, Eq, Debug)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Text,
    Number,
    Boolean,
    Instant,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: Kind,
    #[serde(default)]
    pub optional: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fields {
    #[serde(default)]
    pub lead: Vec<Field>,
    #[serde(default)]
    pub event: Vec<Field>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventType {
    pub name: String,
    #[serde(default)]
    pub fields: Vec<usize>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clause {
    pub all: Option<Vec<Clause>>,
    pub any: Option<Vec<Clause>>,
    pub not: Option<Box<Clause>>,
    pub field: Option<usize>,
    pub op: Option<String>,
    pub values: Option<Vec<Json>>,
    pub fold: Option<bool>,
    pub types: Option<Vec<usize>>,
}

#[derive(Deserialize)]
#[serde(tag = "rule", rename_all = "lowercase", deny_unknown_fields)]
pub enum RuleSource {
    Test {
        types: Option<Vec<usize>>,
        hit: u32,
        when: Clause,
    },
    Table {
        types: Option<Vec<usize>>,
        when: Option<Clause>,
        field: usize,
        fold: bool,
        rows: Vec<(String, u32)>,
        otherwise: Option<u32>,
        missing: Option<u32>,
    },
    Bands {
        types: Option<Vec<usize>>,
        when: Option<Clause>,
        field: usize,
        rows: Vec<(f64, u32)>,
        otherwise: Option<u32>,
        missing: Option<u32>,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    pub fields: Fields,
    #[serde(default)]
    pub types: Vec<EventType>,
    #[serde(default)]
    pub lead_rules: Vec<RuleSource>,
    #[serde(default)]
    pub event_rules: Vec<RuleSource>,
    #[serde(default)]
    pub codes: Vec<usize>,
    #[serde(default)]
    pub numbers: Vec<usize>,
    #[serde(default)]
    pub ordered: bool,
}

/// How deep the brackets nest, outside strings.
fn depth(source: &[u8]) -> usize {
    let (mut depth, mut deepest, mut quoted, mut escaped) = (0usize, 0, false, false);
    for byte in source {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// Read a source. The parser's own limit of 128 levels is below what conditions may need, hence ours.
pub fn parse(source: &[u8]) -> Result<Source, String> {
    if depth(source) > DEEPEST {
        return Err(format!("the source nests deeper than {DEEPEST} levels"));
    }
    let mut reader = serde_json::Deserializer::from_slice(source);
    reader.disable_recursion_limit();
    let parsed = Source::deserialize(&mut reader).map_err(|error| error.to_string())?;
    reader.end().map_err(|error| error.to_string())?;
    Ok(parsed)
}
