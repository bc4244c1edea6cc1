//! Records of a CSV file (spec 12).
//!
//! A splitter of its own: spec 12 tells a quoted empty field from an empty one, which csv-core does not show, and a
//! stray quote must spoil one row, not all rows to the next quote, as it does in simd-csv.

use std::io;

use memchr::{memchr, memchr2, memchr_iter};

use crate::blocks::{Blocks, LONGEST};

/// One field of a record, without its quotes.
#[derive(Clone, Copy)]
pub struct Span {
    pub start: usize,
    pub end: usize,
    pub quoted: bool,
    /// Quotes stand twice in it.
    pub doubled: bool,
    /// There is text between its closing quote and the next comma.
    pub torn: bool,
}

/// What stands at the beginning of the bytes at hand.
enum Found {
    /// A record of so many bytes, its line end included.
    Record(usize),
    Blank(usize),
    /// A quote opens whose partner is in another line and does not close a field of it: told so many bytes on.
    Broken(usize),
    /// The bytes end before the record does.
    Unfinished,
}

/// How a record is to be split.
struct How {
    /// Fields it has to have; 0 where that is not known yet.
    columns: usize,
    /// Whether a quoted field may have more than one line.
    lines: bool,
    /// Nothing follows the bytes.
    ended: bool,
}

/// Split the first record. A quote opens a field only at its start (RFC 4180); elsewhere in an unquoted field it is
/// itself, as most programs read it.
fn split(bytes: &[u8], how: &How, spans: &mut Vec<Span>) -> Found {
    spans.clear();
    let ended = how.ended;
    let breaks = |from: usize, to: usize| memchr(b'\n', &bytes[from..to]).is_some();
    let mut at = 0;
    loop {
        let start = at;
        let mut span = Span {
            start,
            end: start,
            quoted: false,
            doubled: false,
            torn: false,
        };
        if bytes.get(start) == Some(&b'"') {
            span.quoted = true;
            span.start += 1;
            let mut from = span.start;
            loop {
                let quote = memchr(b'"', &bytes[from..]).map(|i| from + i);
                if !how.lines && breaks(from, quote.unwrap_or(bytes.len())) {
                    return Found::Broken(from);
                }
                let Some(quote) = quote else {
                    return Found::Unfinished;
                };
                match bytes.get(quote + 1) {
                    Some(b'"') => {
                        span.doubled = true;
                        from = quote + 2;
                    }
                    None if !ended => return Found::Unfinished,
                    _ => {
                        span.end = quote;
                        at = quote + 1;
                        break;
                    }
                }
            }
        }
        let stop = memchr2(b',', b'\n', &bytes[at..]).map(|i| at + i);
        if stop.is_none() && !ended {
            return Found::Unfinished;
        }
        let stop = stop.unwrap_or(bytes.len());
        let comma = bytes.get(stop) == Some(&b',');
        let mut end = stop;
        if !comma && end > at && bytes[end - 1] == b'\r' {
            end -= 1;
        }
        if span.quoted {
            span.torn = end > at;
            if span.torn && breaks(span.start, span.end) {
                return Found::Broken(stop);
            }
        } else {
            span.end = end;
        }
        if spans.is_empty() && !comma && !span.quoted && span.end == span.start {
            return Found::Blank((stop + 1).min(bytes.len()));
        }
        spans.push(span);
        if !comma {
            if how.columns != 0 && spans.len() != how.columns && breaks(0, stop) {
                return Found::Broken(stop);
            }
            return Found::Record((stop + 1).min(bytes.len()));
        }
        at = stop + 1;
    }
}

/// A record taken from the file: its bytes stay in the blocks until they are consumed.
pub enum Taken {
    Record(usize),
    Blank(usize),
    /// A quote in it is not closed where it should be: its first line, and what is wrong.
    Broken(usize, &'static str),
    End,
}

/// The records of a file, one after another.
pub struct Records {
    blocks: Blocks,
    /// Fields of the record taken last.
    pub spans: Vec<Span>,
    /// The header, once it is read, and the lines up to its end.
    pub names: Vec<String>,
    pub lines: u64,
    /// Bytes left behind, and bytes looked through in vain for the end of a broken record.
    behind: u64,
    vain: u64,
}

impl Records {
    /// Read the header; the text is why it cannot be.
    pub fn open(blocks: Blocks) -> io::Result<Result<Records, String>> {
        let mut records = Records {
            blocks,
            spans: Vec::new(),
            names: Vec::new(),
            lines: 0,
            behind: 0,
            vain: 0,
        };
        let names: Option<Vec<String>> = loop {
            let (names, bytes) = match records.take()? {
                Taken::Blank(bytes) => (None, bytes),
                Taken::End => {
                    return Ok(Err(String::from(
                        "the file is empty, not even a header is there",
                    )))
                }
                Taken::Broken(..) => {
                    return Ok(Err(String::from("a quote in the header is never closed")))
                }
                Taken::Record(bytes) => {
                    let name = |span| text_of(records.blocks.rest(), span);
                    (Some(records.spans.iter().map(name).collect()), bytes)
                }
            };
            records.lines += records.line_ends(bytes);
            records.consume(bytes);
            if let Some(names) = names {
                break names;
            }
        };
        let Some(names) = names else {
            return Ok(Err(String::from("the header is not UTF-8")));
        };
        for (i, name) in names.iter().enumerate() {
            if names[..i].contains(name) {
                return Ok(Err(format!(
                    "two columns of the header are called {name:?}"
                )));
            }
        }
        records.names = names;
        Ok(Ok(records))
    }

    /// The next record.
    ///
    /// Of one whose quote is not closed where it should be only the first line is given up, and the next line begins a
    /// record: a quote that somebody forgot then costs no other row, though the next quote, of another row, would
    /// close it. Where so much is looked through in vain that it might not end, quotes have to close in their line.
    pub fn take(&mut self) -> io::Result<Taken> {
        let lines = self.vain <= self.behind + LONGEST as u64;
        loop {
            let (rest, ended) = (self.blocks.rest(), self.blocks.ended());
            if rest.is_empty() && ended {
                return Ok(Taken::End);
            }
            let how = How {
                columns: self.names.len(),
                lines,
                ended,
            };
            let (looked, reason) = match split(rest, &how, &mut self.spans) {
                Found::Record(bytes) => return Ok(Taken::Record(bytes)),
                Found::Blank(bytes) => return Ok(Taken::Blank(bytes)),
                Found::Broken(bytes) => (bytes, "a quote opens here that is not closed properly"),
                Found::Unfinished if ended => {
                    (rest.len(), "a quote opens here that is never closed")
                }
                Found::Unfinished if rest.len() >= LONGEST => (
                    LONGEST,
                    "the row is longer than 64 MiB: is a quote never closed?",
                ),
                Found::Unfinished => {
                    self.blocks.fill()?;
                    continue;
                }
            };
            self.vain += looked as u64;
            let line = memchr(b'\n', rest).map_or(rest.len(), |i| i + 1);
            return Ok(Taken::Broken(line, reason));
        }
    }

    /// The bytes from the record taken last on.
    pub fn rest(&self) -> &[u8] {
        self.blocks.rest()
    }

    pub fn consume(&mut self, bytes: usize) {
        self.blocks.consume(bytes);
        self.behind += bytes as u64;
    }

    /// How many lines end in so many bytes of the rest.
    pub fn line_ends(&self, bytes: usize) -> u64 {
        memchr_iter(b'\n', &self.rest()[..bytes]).count() as u64
    }

    /// A blank line separates nothing; only where there is one column it is a row, its field empty.
    pub fn blank_is_row(&self) -> bool {
        self.names.len() == 1
    }

    /// Bytes of the file taken so far.
    pub fn taken(&self) -> u64 {
        self.blocks.taken()
    }
}

fn text_of(bytes: &[u8], span: &Span) -> Option<String> {
    let text = std::str::from_utf8(bytes.get(span.start..span.end)?).ok()?;
    Some(if span.doubled {
        text.replace("\"\"", "\"")
    } else {
        text.to_owned()
    })
}
