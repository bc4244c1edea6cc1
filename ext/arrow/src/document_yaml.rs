//! YAML 1.2 documents as events, by saphyr-parser.

use std::cell::Cell;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::rc::Rc;

use saphyr_parser::{Event as Found, Input, Marker, Parser, ScalarStyle, ScanError, StrInput};

use crate::document::{Event, Events, Place, Refusal, DEPTH};

/// How often the scanner may look ahead for a token before the parser must have an event to show.
///
/// A flow collection may turn out to be a key, so the scanner holds its tokens, 104 bytes each, until it is closed,
/// and each closing bracket may move them all. This bounds both, where the depth and number of events cannot yet be
/// seen: at most some 130 MB.
const STEPS: usize = 1_000_000;

/// The text, counting the scanner's steps; when they are used up, it reads as ended.
struct Metered<'a> {
    text: StrInput<'a>,
    steps: Rc<Cell<usize>>,
}

impl Metered<'_> {
    fn spent(&self) -> bool {
        self.steps.get() >= STEPS
    }
}

impl Input for Metered<'_> {
    #[inline]
    fn lookahead(&mut self, count: usize) {
        // The scanner asks for four characters once for each token, and for less within tokens.
        if count == 4 {
            self.steps.set(self.steps.get() + 1);
        }
        self.text.lookahead(count);
    }

    fn buflen(&self) -> usize {
        self.text.buflen()
    }

    fn bufmaxlen(&self) -> usize {
        self.text.bufmaxlen()
    }

    #[inline]
    fn raw_read_ch(&mut self) -> char {
        self.text.raw_read_ch()
    }

    #[inline]
    fn raw_read_non_breakz_ch(&mut self) -> Option<char> {
        self.text.raw_read_non_breakz_ch()
    }

    #[inline]
    fn skip(&mut self) {
        self.text.skip();
    }

    #[inline]
    fn skip_n(&mut self, count: usize) {
        self.text.skip_n(count);
    }

    #[inline]
    fn peek(&self) -> char {
        if self.spent() {
            return '\0';
        }
        self.text.peek()
    }

    #[inline]
    fn peek_nth(&self, n: usize) -> char {
        if self.spent() {
            return '\0';
        }
        self.text.peek_nth(n)
    }

    #[inline]
    fn peek_opt(&self) -> Option<char> {
        if self.spent() {
            return None;
        }
        self.text.peek_opt()
    }
}

fn place(mark: &Marker) -> Place {
    // The parser counts lines from 1 and columns from 0.
    Place {
        line: mark.line(),
        column: mark.col() + 1,
    }
}

/// The events of a YAML document. Never recurses: the parser keeps its states in a list.
pub fn events(text: &str, out: &mut Events) -> Result<(), Refusal> {
    // The parser indexes and asserts in many places, and its text comes from strangers: a fault in it is a refusal.
    let guarded = catch_unwind(AssertUnwindSafe(|| parse(text, out)));
    guarded.unwrap_or_else(|_| {
        Err(Refusal::new(
            "the YAML parser gave up",
            Place { line: 1, column: 1 },
        ))
    })
}

fn parse(text: &str, out: &mut Events) -> Result<(), Refusal> {
    let steps = Rc::new(Cell::new(0));
    let mut parser = Parser::new(Metered {
        text: StrInput::new(text),
        steps: steps.clone(),
    });
    let mut documents = 0;
    while let Some(found) = parser.next_event() {
        if steps.get() >= STEPS {
            let at = found.map_or_else(|e| place(e.marker()), |(_, span)| place(&span.start));
            return Err(Refusal::new(
                "a collection in brackets or a scalar is too long",
                at,
            ));
        }
        steps.set(0);
        let (event, span) = found.map_err(refusal)?;
        let at = place(&span.start);
        let tagged = matches!(
            &event,
            Found::Scalar(_, _, _, Some(_))
                | Found::SequenceStart(_, Some(_))
                | Found::MappingStart(_, Some(_))
        );
        if tagged {
            return Err(Refusal::new(
                "tags (`!`) are not used here: leave it out",
                at,
            ));
        }
        match event {
            Found::Nothing | Found::StreamStart | Found::DocumentEnd => {}
            Found::StreamEnd => break,
            Found::DocumentStart(_) => {
                documents += 1;
                if documents > 1 {
                    return Err(Refusal::new("more than one document", at));
                }
            }
            Found::Alias(id) => out.add(Event::Alias(id, at), at)?,
            Found::Scalar(text, style, anchor, _) => {
                mark(anchor, at, out)?;
                let plain = style == ScalarStyle::Plain;
                out.add(
                    Event::Scalar {
                        text: text.into_owned(),
                        plain,
                        place: at,
                    },
                    at,
                )?;
            }
            Found::SequenceStart(anchor, _) => {
                mark(anchor, at, out)?;
                out.add(Event::ListStart(at), at)?;
            }
            Found::MappingStart(anchor, _) => {
                mark(anchor, at, out)?;
                out.add(Event::MapStart(at), at)?;
            }
            Found::SequenceEnd => out.add(Event::ListEnd, at)?,
            Found::MappingEnd => out.add(Event::MapEnd, at)?,
        }
    }
    Ok(())
}

fn mark(anchor: usize, at: Place, out: &mut Events) -> Result<(), Refusal> {
    if anchor > 0 {
        out.add(Event::Anchor(anchor), at)?;
    }
    Ok(())
}

fn refusal(error: ScanError) -> Refusal {
    let reason = match error.info() {
        // Its own limit, on brackets, which it meets before it has an event to show.
        "recursion limit exceeded" => format!("nested deeper than {DEPTH}"),
        info => info.to_owned(),
    };
    Refusal::new(reason, place(error.marker()))
}
