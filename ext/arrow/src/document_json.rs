//! JSON documents (RFC 8259, strictly) as events, scalars as text.
//!
//! A reader of its own because serde_json neither says where a value stands nor keeps a number's decimals.

use std::iter::Peekable;
use std::str::Chars;

use crate::document::{Event, Events, Place, Refusal};

/// What may come next. The open collections stand in a list, so nesting never recurses.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Value,
    /// Right behind `[`.
    ValueOrEnd,
    /// Right behind `{`.
    KeyOrEnd,
    Key,
    Colon,
    CommaOrEnd,
    Nothing,
}

/// The events of a JSON document.
pub fn events(text: &str, out: &mut Events) -> Result<(), Refusal> {
    let mut reader = Reader {
        chars: text.chars().peekable(),
        line: 1,
        column: 1,
    };
    let mut open: Vec<u8> = Vec::new();
    let mut next = Next::Value;
    loop {
        reader.skip_space();
        let at = reader.place();
        let Some(c) = reader.peek() else {
            if next == Next::Nothing {
                return Ok(());
            }
            return Err(reader.expected(next, open.last()));
        };
        next = match (next, c) {
            (Next::Value | Next::ValueOrEnd, '{') => {
                reader.bump();
                out.add(Event::MapStart(at), at)?;
                open.push(b'}');
                Next::KeyOrEnd
            }
            (Next::Value | Next::ValueOrEnd, '[') => {
                reader.bump();
                out.add(Event::ListStart(at), at)?;
                open.push(b']');
                Next::ValueOrEnd
            }
            (Next::KeyOrEnd | Next::CommaOrEnd, '}') if open.last() == Some(&b'}') => {
                reader.bump();
                open.pop();
                out.add(Event::MapEnd, at)?;
                after_value(&open)
            }
            (Next::ValueOrEnd | Next::CommaOrEnd, ']') if open.last() == Some(&b']') => {
                reader.bump();
                open.pop();
                out.add(Event::ListEnd, at)?;
                after_value(&open)
            }
            (Next::Value | Next::ValueOrEnd | Next::Key | Next::KeyOrEnd, '"') => {
                let text = reader.string()?;
                out.add(
                    Event::Scalar {
                        text,
                        plain: false,
                        place: at,
                    },
                    at,
                )?;
                if matches!(next, Next::Key | Next::KeyOrEnd) {
                    Next::Colon
                } else {
                    after_value(&open)
                }
            }
            (Next::Value | Next::ValueOrEnd, '-' | '0'..='9') => {
                let text = reader.number()?;
                out.add(
                    Event::Scalar {
                        text,
                        plain: true,
                        place: at,
                    },
                    at,
                )?;
                after_value(&open)
            }
            (Next::Value | Next::ValueOrEnd, 't' | 'f' | 'n') => {
                let text = reader.word();
                if !matches!(text.as_str(), "true" | "false" | "null") {
                    return Err(Refusal::new(
                        format!("expected a value, found `{text}`"),
                        at,
                    ));
                }
                out.add(
                    Event::Scalar {
                        text,
                        plain: true,
                        place: at,
                    },
                    at,
                )?;
                after_value(&open)
            }
            (Next::Colon, ':') => {
                reader.bump();
                Next::Value
            }
            (Next::CommaOrEnd, ',') => {
                reader.bump();
                if open.last() == Some(&b'}') {
                    Next::Key
                } else {
                    Next::Value
                }
            }
            _ => return Err(reader.expected(next, open.last())),
        };
    }
}

fn after_value(open: &[u8]) -> Next {
    if open.is_empty() {
        Next::Nothing
    } else {
        Next::CommaOrEnd
    }
}

/// Characters with their place.
struct Reader<'a> {
    chars: Peekable<Chars<'a>>,
    line: usize,
    column: usize,
}

impl Reader<'_> {
    fn place(&self) -> Place {
        Place {
            line: self.line,
            column: self.column,
        }
    }

    fn peek(&mut self) -> Option<char> {
        self.chars.peek().copied()
    }

    fn bump(&mut self) -> Option<char> {
        let c = self.chars.next()?;
        let ends_line = c == '\n' || c == '\r' && self.peek() != Some('\n');
        if ends_line {
            self.line += 1;
            self.column = 1;
        } else {
            self.column += 1;
        }
        Some(c)
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t' | '\n' | '\r')) {
            self.bump();
        }
    }

    /// What was expected here, and what is found instead.
    fn expected(&mut self, next: Next, open: Option<&u8>) -> Refusal {
        let at = self.place();
        let wanted = match (next, open) {
            (Next::Value, _) => "a value",
            (Next::ValueOrEnd, _) => "a value or `]`",
            (Next::Key, _) => "a key in double quotes",
            (Next::KeyOrEnd, _) => "a key in double quotes or `}`",
            (Next::Colon, _) => "`:`",
            (Next::CommaOrEnd, Some(b'}')) => "`,` or `}`",
            (Next::CommaOrEnd, _) => "`,` or `]`",
            (Next::Nothing, _) => "nothing more",
        };
        let found = self.found();
        Refusal::new(format!("expected {wanted}, found {found}"), at)
    }

    /// The next thing, for people: a word such as NaN whole, else a character.
    fn found(&mut self) -> String {
        match self.peek() {
            None => String::from("the end"),
            Some(c) if c.is_alphanumeric() => {
                let word = self.word();
                if word.chars().count() > 20 {
                    format!("`{}…`", word.chars().take(20).collect::<String>())
                } else {
                    format!("`{word}`")
                }
            }
            Some(c) if c.is_control() || c == '\u{FEFF}' => {
                format!("the character U+{:04X}", u32::from(c))
            }
            Some(c) => format!("`{c}`"),
        }
    }

    fn word(&mut self) -> String {
        let mut word = String::new();
        while let Some(c) = self.peek().filter(|c| c.is_alphanumeric() || *c == '_') {
            word.push(c);
            self.bump();
        }
        word
    }

    fn digits(&mut self, into: &mut String) -> Result<(), Refusal> {
        if !matches!(self.peek(), Some('0'..='9')) {
            let at = self.place();
            return Err(Refusal::new(
                format!("expected a digit, found {}", self.found()),
                at,
            ));
        }
        while let Some(c @ '0'..='9') = self.peek() {
            into.push(c);
            self.bump();
        }
        Ok(())
    }

    fn number(&mut self) -> Result<String, Refusal> {
        let mut text = String::new();
        if self.peek() == Some('-') {
            text.push('-');
            self.bump();
        }
        let first = self.peek();
        let at = self.place();
        self.digits(&mut text)?;
        if first == Some('0') && text.trim_start_matches('-').len() > 1 {
            return Err(Refusal::new("a number does not begin with 0", at));
        }
        if self.peek() == Some('.') {
            text.push('.');
            self.bump();
            self.digits(&mut text)?;
        }
        if let Some(e @ ('e' | 'E')) = self.peek() {
            text.push(e);
            self.bump();
            if let Some(sign @ ('+' | '-')) = self.peek() {
                text.push(sign);
                self.bump();
            }
            self.digits(&mut text)?;
        }
        if self.peek().is_some_and(|c| c.is_alphanumeric() || c == '_') {
            let at = self.place();
            return Err(Refusal::new(
                format!("expected the end of the number, found {}", self.found()),
                at,
            ));
        }
        Ok(text)
    }

    fn string(&mut self) -> Result<String, Refusal> {
        let start = self.place();
        self.bump();
        let mut text = String::new();
        loop {
            let at = self.place();
            match self.bump() {
                None => return Err(Refusal::new("the text that begins here has no end", start)),
                Some('"') => return Ok(text),
                Some('\\') => text.push(self.escape(at)?),
                Some(c) if c < ' ' => {
                    let reason = format!(
                        "the character U+{:04X} must be written as an escape",
                        u32::from(c)
                    );
                    return Err(Refusal::new(reason, at));
                }
                Some(c) => text.push(c),
            }
        }
    }

    /// The character an escape stands for; `at` is its backslash.
    fn escape(&mut self, at: Place) -> Result<char, Refusal> {
        let unknown = |shown: &str| Refusal::new(format!("`\\{shown}` is no escape"), at);
        match self.bump() {
            Some(c @ ('"' | '\\' | '/')) => Ok(c),
            Some('b') => Ok('\u{8}'),
            Some('f') => Ok('\u{c}'),
            Some('n') => Ok('\n'),
            Some('r') => Ok('\r'),
            Some('t') => Ok('\t'),
            Some('u') => {
                let lone = || Refusal::new("half of a surrogate pair is no character", at);
                let high = self.hex(at)?;
                let code = match high {
                    0xD800..=0xDBFF => {
                        if self.bump() != Some('\\') || self.bump() != Some('u') {
                            return Err(lone());
                        }
                        let low = self.hex(at)?;
                        if !(0xDC00..=0xDFFF).contains(&low) {
                            return Err(lone());
                        }
                        0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)
                    }
                    code => code,
                };
                char::from_u32(code).ok_or_else(lone)
            }
            Some(c) if c.is_control() => Err(unknown(&format!("U+{:04X}", u32::from(c)))),
            Some(c) => Err(unknown(&c.to_string())),
            None => Err(unknown("")),
        }
    }

    fn hex(&mut self, at: Place) -> Result<u32, Refusal> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.bump().and_then(|c| c.to_digit(16));
            let Some(digit) = digit else {
                return Err(Refusal::new("`\\u` needs four hexadecimal digits", at));
            };
            code = code * 16 + digit;
        }
        Ok(code)
    }
}
