//! Many literals over one text in time linear in the text and in the literals, however these overlap (spec 3.2).

use aho_corasick::automaton::{Automaton, Candidate};
use aho_corasick::{dfa, nfa, Anchored, MatchKind, Span, StartKind};
use hashbrown::HashMap;

use crate::text::{Answer, TextOp};

/// Up to this many literals a full table of transitions is small, and faster.
const FEW: usize = 100;

/// The literal was found, and so was every literal that it ends in.
const SEEN: u8 = 1;
/// The literal was found where a word may end, and every literal that it ends in was tested there as a word.
const TESTED: u8 = 2;
/// The literal was found as a word.
const WORD: u8 = 4;

/// The tests a literal serves.
#[derive(Default)]
struct Uses {
    contains: Vec<u32>,
    words: Vec<u32>,
    starts: Vec<u32>,
    ends: Vec<u32>,
}

enum Machine {
    Few(dfa::DFA),
    Many(nfa::contiguous::NFA),
}

/// Literals of equal case sensitivity, found together by one automaton.
#[derive(Default)]
pub struct Literals {
    index: HashMap<String, usize>,
    uses: Vec<Uses>,
    machine: Option<Machine>,
}

impl Literals {
    pub fn add(&mut self, text: String, op: TextOp, test: u32) {
        let next = self.uses.len();
        let index = *self.index.entry(text).or_insert(next);
        if index == next {
            self.uses.push(Uses::default());
        }
        let uses = &mut self.uses[index];
        let tests = match op {
            TextOp::HasWord => &mut uses.words,
            TextOp::StartsWith => &mut uses.starts,
            TextOp::EndsWith => &mut uses.ends,
            _ => &mut uses.contains,
        };
        // Tests come in order, so a value that its list holds twice comes twice in a row.
        if tests.last() != Some(&test) {
            tests.push(test);
        }
    }

    pub fn is_empty(&self) -> bool {
        self.uses.is_empty()
    }

    pub fn compile(&mut self) -> Result<(), String> {
        let mut texts: Vec<(String, usize)> = std::mem::take(&mut self.index).into_iter().collect();
        texts.sort_unstable_by_key(|(_, index)| *index);
        if texts.is_empty() {
            return Ok(());
        }
        let states = nfa::noncontiguous::Builder::new()
            .match_kind(MatchKind::Standard)
            .build(texts.iter().map(|(text, _)| text.as_bytes()));
        let machine = states.and_then(|states| {
            Ok(if texts.len() <= FEW {
                let mut builder = dfa::Builder::new();
                builder.start_kind(StartKind::Unanchored);
                Machine::Few(builder.build_from_noncontiguous(&states)?)
            } else {
                Machine::Many(nfa::contiguous::Builder::new().build_from_noncontiguous(&states)?)
            })
        });
        self.machine = Some(machine.map_err(|error| error.to_string())?);
        Ok(())
    }

    pub fn search(&self, text: &str, answer: &mut Answer) {
        match &self.machine {
            Some(Machine::Few(states)) => self.run(states, text, answer),
            Some(Machine::Many(states)) => self.run(states, text, answer),
            None => {}
        }
    }

    fn run(&self, states: &impl Automaton, text: &str, answer: &mut Answer) {
        let bytes = text.as_bytes();
        let Ok(mut state) = states.start_state(Anchored::No) else {
            return;
        };
        let mut marks = Vec::new();
        let mut at = 0;
        while at < bytes.len() {
            if let (true, Some(ahead)) = (states.is_start(state), states.prefilter()) {
                match ahead.find_in(bytes, Span::from(at..bytes.len())) {
                    Candidate::None => return,
                    Candidate::Match(found) => at = found.start(),
                    Candidate::PossibleStartOfMatch(start) => at = start,
                }
            }
            state = states.next_state(Anchored::No, state, bytes[at]);
            at += 1;
            if states.is_special(state) && states.is_match(state) {
                if marks.is_empty() {
                    marks.resize(self.uses.len(), 0);
                }
                let found = (0..states.match_len(state)).map(|i| {
                    let literal = states.match_pattern(state, i);
                    (literal.as_usize(), states.pattern_len(literal))
                });
                self.ending(text, at, found, &mut marks, answer);
            }
        }
    }

    /// The literals that end here, longest first. Each but the longest stands within the one before: what is there
    /// of it, and of the literals within it, is so wherever that one is found, and need not be looked at again.
    fn ending(
        &self,
        text: &str,
        end: usize,
        found: impl Iterator<Item = (usize, usize)>,
        marks: &mut [u8],
        answer: &mut Answer,
    ) {
        let word = regex_syntax::is_word_character;
        let after = || text.get(end..).and_then(|tail| tail.chars().next());
        let mut free = None;
        for (literal, length) in found {
            let (uses, before) = (&self.uses[literal], marks[literal]);
            let mut set = |tests: &[u32]| tests.iter().for_each(|test| answer.set(*test));
            if before & SEEN == 0 {
                set(&uses.contains);
            }
            if end == length {
                set(&uses.starts);
            }
            if end == text.len() {
                set(&uses.ends);
            }
            // No literal is a word here if a word goes on behind them.
            let free = *free.get_or_insert_with(|| !after().is_some_and(word));
            let mut now = before | SEEN;
            if free {
                now |= TESTED;
                if before & WORD == 0 && !uses.words.is_empty() {
                    let head = text.get(..end - length);
                    if !head
                        .and_then(|head| head.chars().next_back())
                        .is_some_and(word)
                    {
                        set(&uses.words);
                        now |= WORD;
                    }
                }
            }
            marks[literal] = now;
            if now == before | (now & WORD) && end < text.len() {
                return;
            }
        }
    }
}
