//! All text tests of one field in one pass over a text (spec 3.2, 3.4).

use hashbrown::HashMap;

use crate::fold::fold;
use crate::literals::Literals;
use crate::patterns::Patterns;

/// A table row that is none: no row fits the text.
pub const NO_ROW: u32 = u32::MAX;

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TextOp {
    In,
    Contains,
    HasWord,
    StartsWith,
    EndsWith,
    Matches,
}

impl TextOp {
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "in" => Self::In,
            "contains" => Self::Contains,
            "has_word" => Self::HasWord,
            "starts_with" => Self::StartsWith,
            "ends_with" => Self::EndsWith,
            "matches" => Self::Matches,
            _ => return None,
        })
    }
}

/// One test: true if the text stands in relation `op` to any of the values.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct TextTest {
    pub op: TextOp,
    pub values: Vec<String>,
    pub fold: bool,
}

/// What an exact value decides.
#[derive(Clone, Copy)]
enum Decides {
    Test(u32),
    Row { table: u32, row: u32 },
}

/// What all tests and tables of a field say of one text: bits of the tests, then a row for each table. Equal answers
/// are one class.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Answer {
    words: Vec<u32>,
}

impl Answer {
    pub fn set(&mut self, test: u32) {
        self.words[test as usize / 32] |= 1 << (test % 32);
    }

    pub fn words(&self) -> &[u32] {
        &self.words
    }
}

/// Whether a test of an answer holds.
#[inline]
pub fn has(words: &[u32], test: u32) -> bool {
    words
        .get(test as usize / 32)
        .is_some_and(|word| word >> (test % 32) & 1 == 1)
}

/// The tests and tables of one field, compiled.
#[derive(Default)]
pub struct TextTests {
    tests: Vec<TextTest>,
    known: HashMap<TextTest, u32>,
    tables: Vec<(Vec<String>, bool)>,
    exact: [HashMap<String, Vec<Decides>>; 2],
    literals: [Literals; 2],
    patterns: [Patterns; 2],
    pattern_uses: [Vec<Vec<u32>>; 2],
}

impl TextTests {
    /// Number of a test; equal tests are one.
    pub fn add(&mut self, test: TextTest) -> u32 {
        let next = self.tests.len() as u32;
        let number = *self.known.entry(test.clone()).or_insert(next);
        if number == next {
            self.tests.push(test);
        }
        number
    }

    /// Number of a table of texts; a text that is there twice after folding belongs to its first row.
    pub fn add_table(&mut self, rows: Vec<String>, fold: bool) -> u32 {
        self.tables.push((rows, fold));
        self.tables.len() as u32 - 1
    }

    pub fn is_empty(&self) -> bool {
        self.tests.is_empty() && self.tables.is_empty()
    }

    /// Build the automata, once all tests are there; `left` is what patterns may take (`LARGEST_TOGETHER`).
    pub fn compile(&mut self, left: &mut usize) -> Result<(), String> {
        self.known = HashMap::new();
        let mut patterns: [Vec<String>; 2] = Default::default();
        let mut places: [HashMap<String, usize>; 2] = Default::default();
        for (number, test) in self.tests.iter_mut().enumerate() {
            let (number, side) = (number as u32, usize::from(test.fold));
            for value in std::mem::take(&mut test.values) {
                if test.op == TextOp::Matches {
                    let next = patterns[side].len();
                    let place = *places[side].entry(value.clone()).or_insert(next);
                    if place == next {
                        patterns[side].push(value);
                        self.pattern_uses[side].push(Vec::new());
                    }
                    let uses = &mut self.pattern_uses[side][place];
                    if uses.last() != Some(&number) {
                        uses.push(number);
                    }
                    continue;
                }
                let value = if test.fold {
                    fold(&value).into_owned()
                } else {
                    value
                };
                match test.op {
                    TextOp::In => self.exact[side]
                        .entry(value)
                        .or_default()
                        .push(Decides::Test(number)),
                    op => self.literals[side].add(value, op, number),
                }
            }
        }
        for (table, (rows, folded)) in self.tables.iter_mut().enumerate() {
            for (row, text) in std::mem::take(rows).into_iter().enumerate() {
                let text = if *folded {
                    fold(&text).into_owned()
                } else {
                    text
                };
                let decides = Decides::Row {
                    table: table as u32,
                    row: row as u32,
                };
                self.exact[usize::from(*folded)]
                    .entry(text)
                    .or_default()
                    .push(decides);
            }
        }
        for (side, patterns) in patterns.iter().enumerate() {
            self.literals[side].compile()?;
            self.patterns[side] = Patterns::new(patterns, side == 1, left)?;
        }
        Ok(())
    }

    /// The answer to a text.
    pub fn answer(&self, text: &str) -> Answer {
        let bits = self.tests.len().div_ceil(32);
        let mut answer = Answer {
            words: vec![0; bits + self.tables.len()],
        };
        answer.words[bits..].fill(NO_ROW);
        let folds = !self.exact[1].is_empty() || !self.literals[1].is_empty();
        let folded = if folds { fold(text) } else { text.into() };
        for (side, text) in [text, &folded].into_iter().enumerate() {
            if let Some(decided) = self.exact[side].get(text) {
                for decides in decided {
                    match *decides {
                        Decides::Test(test) => answer.set(test),
                        Decides::Row { table, row } => {
                            let place = &mut answer.words[bits + table as usize];
                            *place = row.min(*place);
                        }
                    }
                }
            }
            self.literals[side].search(text, &mut answer);
        }
        for side in 0..2 {
            self.patterns[side].search(text, |pattern| {
                self.pattern_uses[side][pattern]
                    .iter()
                    .for_each(|test| answer.set(*test));
            });
        }
        answer
    }

    /// The row of a table in an answer.
    pub fn row(&self, words: &[u32], table: u32) -> Option<u32> {
        words
            .get(self.tests.len().div_ceil(32) + table as usize)
            .copied()
            .filter(|row| *row != NO_ROW)
    }
}
