//! Regular expressions of a model (spec 3.2, 3.5): limits, and many of them over one text.

use crate::errors::show;
use regex::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};

/// Characters a pattern may have.
pub const LONGEST: usize = 10_000;
/// Bytes a compiled pattern may take.
pub const LARGEST: usize = 1 << 20;
/// Patterns searched in one pass. A set shares one lazy automaton, which pays for a few patterns; with very many its
/// states no longer fit the cache and every search would fall back to the slow simulation.
const TOGETHER: usize = 16;

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
    match compile(pattern, fold) {
        Ok(_) => None,
        Err(regex::Error::CompiledTooBig(_)) => Some(format!(
            "the pattern is too large: compiled it would take more than {LARGEST} bytes (1 MiB)"
        )),
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
    pub fn new(patterns: &[String], fold: bool) -> Result<Self, String> {
        let mut parts = Vec::new();
        for some in patterns.chunks(TOGETHER) {
            let long = some.iter().any(|pattern| pattern.chars().count() > LONGEST);
            // Small together, so each is small: the common case needs no look at each.
            let part = match Self::set(some, fold, LARGEST) {
                Ok(set) if some.len() > 1 && !long => Search::Together(set),
                _ => {
                    let singles = Self::singles(some, fold)?;
                    match Self::set(some, fold, LARGEST * some.len()) {
                        Ok(set) if some.len() > 1 => Search::Together(set),
                        _ => Search::Single(singles),
                    }
                }
            };
            parts.push(part);
        }
        Ok(Self { parts })
    }

    fn set(patterns: &[String], fold: bool, limit: usize) -> Result<RegexSet, regex::Error> {
        RegexSetBuilder::new(patterns)
            .case_insensitive(fold)
            .unicode(true)
            .size_limit(limit)
            .dfa_size_limit(LARGEST * 2)
            .build()
    }

    fn singles(patterns: &[String], fold: bool) -> Result<Vec<Regex>, String> {
        let one = |pattern: &String| {
            if pattern.chars().count() > LONGEST {
                return Err(refused(pattern, fold));
            }
            compile(pattern, fold).map_err(|_| refused(pattern, fold))
        };
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
