//! Regular expressions of a model (spec 3.2, 3.5): limits, and many of them over one text.

use crate::errors::show;
use regex::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};
use regex_syntax::hir::{Class, Hir, HirKind};
use regex_syntax::ParserBuilder;

/// Characters a pattern may have.
pub const LONGEST: usize = 10_000;
/// Bytes a compiled pattern may take.
pub const LARGEST: usize = 1 << 20;
/// Patterns searched in one pass. A set shares one lazy automaton, which pays for a few patterns; with very many its
/// states no longer fit the cache and every search would fall back to the slow simulation.
const TOGETHER: usize = 16;

/// Bytes all patterns of one program may take, by estimate: with it the time to compile them is bounded.
pub const LARGEST_TOGETHER: usize = 32 << 20;

/// About the bytes a pattern takes compiled, from its syntax tree alone; 0 where it has none.
fn estimate(pattern: &str, fold: bool) -> usize {
    let mut parser = ParserBuilder::new().case_insensitive(fold).build();
    parser.parse(pattern).map_or(0, |tree| bytes_of(&tree))
}

/// Trees are at most 250 deep: the parser sees to that.
fn bytes_of(tree: &Hir) -> usize {
    const STATE: usize = 24;
    let sum = |parts: &[Hir]| {
        parts
            .iter()
            .map(bytes_of)
            .fold(STATE, usize::saturating_add)
    };
    match tree.kind() {
        HirKind::Empty | HirKind::Look(_) | HirKind::Class(Class::Bytes(_)) => STATE,
        HirKind::Literal(literal) => STATE * literal.0.len(),
        HirKind::Class(Class::Unicode(class)) => STATE + 28 * class.ranges().len(),
        HirKind::Repetition(part) => {
            let times = part.max.unwrap_or(part.min).max(part.min).max(1) as usize;
            bytes_of(&part.sub).saturating_mul(times)
        }
        HirKind::Capture(part) => bytes_of(&part.sub).saturating_add(2 * STATE),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => sum(parts),
    }
}

fn compile(pattern: &str, fold: bool) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern)
        .case_insensitive(fold)
        .unicode(true)
        .size_limit(LARGEST)
        .build()
}

/// Why a pattern is refused, or None (spec 3.5).
pub fn refusal(pattern: &str, fold: bool) -> Option<String> {
    if pattern.chars().count() > LONGEST {
        return Some(format!("the pattern has more than {LONGEST} characters"));
    }
    let large = || {
        format!(
            "the pattern is too large: compiled it would take more than {LARGEST} bytes (1 MiB)"
        )
    };
    // An estimate so far off needs no compiler to tell.
    if estimate(pattern, fold) > LARGEST * 4 {
        return Some(large());
    }
    match compile(pattern, fold) {
        Ok(_) => None,
        Err(regex::Error::CompiledTooBig(_)) => Some(large()),
        Err(error) => Some(error.to_string()),
    }
}

fn refused(pattern: &str, fold: bool) -> String {
    format!(
        "pattern {:?}: {}",
        show(pattern),
        refusal(pattern, fold).unwrap_or_default()
    )
}

enum Search {
    /// Some patterns in one pass.
    Together(RegexSet),
    /// One by one: a single pattern, or a set that would be too large.
    Single(Vec<Regex>),
}

/// Patterns of equal case sensitivity; which of them occur in a text.
#[derive(Default)]
pub struct Patterns {
    parts: Vec<Search>,
}

impl Patterns {
    /// Compile, taking from `left` what the patterns are estimated to need of what a whole program may.
    pub fn new(patterns: &[String], fold: bool, left: &mut usize) -> Result<Self, String> {
        let mut parts = Vec::new();
        let (mut begin, mut taken) = (0, 0usize);
        for (i, pattern) in patterns.iter().enumerate() {
            if pattern.chars().count() > LONGEST {
                return Err(refused(pattern, fold));
            }
            let bytes = estimate(pattern, fold);
            // A pattern too large by itself is refused for that.
            *left = match left.checked_sub(bytes) {
                Some(left) => left,
                None if refusal(pattern, fold).is_some() => return Err(refused(pattern, fold)),
                None => {
                    return Err(format!(
                        "pattern {:?}: with it the patterns of the model are too large: compiled they would take more \
                         than {LARGEST_TOGETHER} bytes (32 MiB)",
                        show(pattern)
                    ))
                }
            };
            // A set compiles in one go only if it is small, so large patterns stand alone from the start.
            if i > begin && (i - begin == TOGETHER || taken.saturating_add(bytes) > LARGEST / 2) {
                parts.push(Self::part(&patterns[begin..i], fold)?);
                (begin, taken) = (i, 0);
            }
            taken = taken.saturating_add(bytes);
        }
        if begin < patterns.len() {
            parts.push(Self::part(&patterns[begin..], fold)?);
        }
        Ok(Self { parts })
    }

    fn part(patterns: &[String], fold: bool) -> Result<Search, String> {
        // Small together, so each is small: the common case needs no look at each.
        if patterns.len() > 1 {
            if let Ok(set) = Self::set(patterns, fold) {
                return Ok(Search::Together(set));
            }
        }
        Self::singles(patterns, fold).map(Search::Single)
    }

    fn set(patterns: &[String], fold: bool) -> Result<RegexSet, regex::Error> {
        RegexSetBuilder::new(patterns)
            .case_insensitive(fold)
            .unicode(true)
            .size_limit(LARGEST)
            .dfa_size_limit(LARGEST * 2)
            .build()
    }

    fn singles(patterns: &[String], fold: bool) -> Result<Vec<Regex>, String> {
        let one = |pattern: &String| compile(pattern, fold).map_err(|_| refused(pattern, fold));
        patterns.iter().map(one).collect()
    }

    /// Call `found` with the index of every pattern that matches somewhere in the text.
    pub fn search(&self, text: &str, mut found: impl FnMut(usize)) {
        let mut base = 0;
        for part in &self.parts {
            match part {
                Search::Together(set) => {
                    set.matches(text).iter().for_each(|i| found(base + i));
                    base += set.len();
                }
                Search::Single(all) => {
                    all.iter()
                        .enumerate()
                        .filter(|(_, one)| one.is_match(text))
                        .for_each(|(i, _)| found(base + i));
                    base += all.len();
                }
            }
        }
    }
}
