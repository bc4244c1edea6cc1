//! Unicode simple case folding with the tables of the regex crate (spec 3.4).

use std::borrow::Cow;
use std::sync::OnceLock;

use regex_syntax::hir::{ClassUnicode, ClassUnicodeRange};

const PAGE: usize = 256;
/// Cased letters stand in the first two planes; all beyond is ideographs, tags and private use.
const PAGES: usize = 0x20000 / PAGE;

/// Representatives of 256 neighbouring characters, or None where none of them has a case.
type Page = Option<Box<[char; PAGE]>>;

/// Filled page by page at first use: regex-syntax keeps its table to itself, and asking it for all characters at once
/// would cost a caller who folds one word some 10 ms.
static TABLE: [OnceLock<Page>; PAGES] = [const { OnceLock::new() }; PAGES];

/// One character per class of case variants: the ASCII small letter if there is one, else the lowest code point.
fn representative(c: char) -> char {
    let mut class = ClassUnicode::new([ClassUnicodeRange::new(c, c)]);
    if class.try_case_fold_simple().is_err() {
        return c;
    }
    let lowest = class.ranges().first().map_or(c, |range| range.start());
    lowest.to_ascii_lowercase()
}

fn page(number: usize) -> Page {
    let mut changed = false;
    let mut page = Box::new(['\0'; PAGE]);
    for (i, slot) in page.iter_mut().enumerate() {
        let Some(c) = char::from_u32((number * PAGE + i) as u32) else {
            continue;
        };
        *slot = representative(c);
        changed |= *slot != c;
    }
    changed.then_some(page)
}

fn fold_char(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    let code = c as usize;
    match TABLE.get(code / PAGE) {
        Some(cell) => cell
            .get_or_init(|| page(code / PAGE))
            .as_ref()
            .map_or(c, |page| page[code % PAGE]),
        None => c,
    }
}

/// The text with every character replaced by the representative of its case variants.
pub fn fold(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Cow::Owned(text.to_ascii_lowercase());
        }
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(fold_char).collect())
}
