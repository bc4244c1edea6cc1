//! Instants: ISO 8601 text and the range of years 1 to 9999 (spec 1.1).

/// 0001-01-01T00:00Z and the last microsecond of 9999, in microseconds since 1970.
pub const FIRST: i64 = -62_135_596_800_000_000;
pub const LAST: i64 = 253_402_300_799_999_999;

pub const DAY: i64 = 86_400_000_000;
const SECOND: i64 = 1_000_000;

/// The instant itself if it lies in years 1 to 9999.
#[inline]
pub fn in_range(micros: i64) -> Option<i64> {
    (FIRST..=LAST).contains(&micros).then_some(micros)
}

/// Days since 1970-01-01 of a proleptic Gregorian date (Howard Hinnant's `days_from_civil`).
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year - era * 400;
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn days_of_month(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// What is left of a text while it is read.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    /// Exactly this many digits, as a number from `low` to `high`.
    fn number(&mut self, digits: usize, low: i64, high: i64) -> Option<i64> {
        let (head, tail) = self.0.split_at_checked(digits)?;
        if !head.iter().all(u8::is_ascii_digit) {
            return None;
        }
        self.0 = tail;
        let value = head
            .iter()
            .fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
        (low..=high).contains(&value).then_some(value)
    }

    /// The next byte, if it is one of these.
    fn skip(&mut self, any: &[u8]) -> Option<u8> {
        let (first, tail) = self.0.split_first()?;
        any.contains(first).then(|| {
            self.0 = tail;
            *first
        })
    }

    /// Microseconds of a fraction of any length; what lies beyond six digits floors.
    fn fraction(&mut self) -> Option<i64> {
        let count = self
            .0
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        let (head, tail) = self.0.split_at_checked(count)?;
        self.0 = tail;
        let padded = head.iter().copied().chain(std::iter::repeat(b'0')).take(6);
        (count > 0).then(|| padded.fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0')))
    }
}

/// Read an instant: a date, or a date and a time with `T` or a space between, seconds and their fraction optional,
/// `Z`, an offset like `+02:00`, `+0200` or `+02`, or nothing for UTC.
pub fn parse(text: &[u8]) -> Option<i64> {
    let mut rest = Rest(text);
    let year = rest.number(4, 1, 9999)?;
    rest.skip(b"-")?;
    let month = rest.number(2, 1, 12)?;
    rest.skip(b"-")?;
    let day = rest.number(2, 1, days_of_month(year, month))?;
    let mut micros = days(year, month, day) * DAY;
    if rest.0.is_empty() {
        return Some(micros);
    }
    rest.skip(b"T ")?;
    let hour = rest.number(2, 0, 23)?;
    rest.skip(b":")?;
    let minute = rest.number(2, 0, 59)?;
    micros += (hour * 60 + minute) * 60 * SECOND;
    if rest.skip(b":").is_some() {
        micros += rest.number(2, 0, 59)? * SECOND;
        if rest.skip(b".").is_some() {
            micros += rest.fraction()?;
        }
    }
    if let Some(sign) = rest.skip(b"Z+-") {
        if sign != b'Z' {
            let hours = rest.number(2, 0, 23)?;
            let colon = rest.skip(b":").is_some();
            let minutes = if rest.0.is_empty() && !colon {
                0
            } else {
                rest.number(2, 0, 59)?
            };
            let offset = (hours * 60 + minutes) * 60 * SECOND;
            micros += if sign == b'+' { -offset } else { offset };
        }
    }
    if rest.0.is_empty() {
        in_range(micros)
    } else {
        None
    }
}
