//! Instants as calendar fields: the only place where microseconds become years (spec 1.1).

pub const SECOND: i64 = 1_000_000;
pub const DAY: i64 = 86_400 * SECOND;

/// A UTC wall clock reading in the proleptic Gregorian calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Civil {
    pub year: i64,
    pub month: u8,
    pub day: u8,
    pub hour: u8,
    pub minute: u8,
    pub second: u8,
    pub micro: u32,
}

/// The UTC reading of an instant. Exact for every 64-bit count: eras of 400 years, days counted from 1 March.
pub fn civil(micros: i64) -> Civil {
    let days = micros.div_euclid(DAY);
    let within = micros.rem_euclid(DAY);
    let (year, month, day) = date_of(days);
    let seconds = within / SECOND;
    Civil {
        year,
        month,
        day,
        hour: (seconds / 3600) as u8,
        minute: (seconds / 60 % 60) as u8,
        second: (seconds % 60) as u8,
        micro: (within % SECOND) as u32,
    }
}

/// Year, month and day of a count of days since 1970-01-01.
pub fn date_of(days: i64) -> (i64, u8, u8) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let of_era = z.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = (of_year - (153 * shifted + 2) / 5 + 1) as u8;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    } as u8;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

/// Append an instant as ISO 8601 with Z, no more digits than it needs (spec 12).
pub fn write_iso(out: &mut Vec<u8>, micros: i64) {
    let c = civil(micros);
    if (0..=9999).contains(&c.year) {
        out.extend_from_slice(&pair(c.year as u32 / 100));
        out.extend_from_slice(&pair(c.year as u32 % 100));
    } else {
        // Outside spec 1.1, but a stream may hold it: the expanded form of ISO 8601 keeps it readable.
        out.extend_from_slice(format!("{:+07}", c.year).as_bytes());
    }
    for (mark, part) in [
        (b'-', c.month),
        (b'-', c.day),
        (b'T', c.hour),
        (b':', c.minute),
        (b':', c.second),
    ] {
        out.push(mark);
        out.extend_from_slice(&pair(part.into()));
    }
    if c.micro != 0 {
        out.push(b'.');
        for part in [c.micro / 10_000, c.micro / 100 % 100, c.micro % 100] {
            out.extend_from_slice(&pair(part));
        }
        while out.last() == Some(&b'0') {
            out.pop();
        }
    }
    out.push(b'Z');
}

/// Two digits.
fn pair(number: u32) -> [u8; 2] {
    [b'0' + (number / 10 % 10) as u8, b'0' + (number % 10) as u8]
}

/// Microseconds of a count in units of `numerator / denominator` microseconds; finer units floor, None when too large.
pub fn to_micros(count: i64, numerator: i64, denominator: i64) -> Option<i64> {
    if denominator > 1 {
        Some(count.div_euclid(denominator))
    } else {
        count.checked_mul(numerator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_of_the_calendar() {
        assert_eq!(date_of(0), (1970, 1, 1));
        assert_eq!(date_of(-719_162), (1, 1, 1));
        assert_eq!(date_of(2_932_896), (9999, 12, 31));
        assert_eq!(date_of(11_016), (2000, 2, 29));
        let mut out = Vec::new();
        write_iso(&mut out, -1);
        assert_eq!(out, b"1969-12-31T23:59:59.999999Z");
    }
}
