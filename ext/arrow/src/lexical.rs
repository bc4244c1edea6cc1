//! Values written as text (spec 12, CSV): numbers, booleans and canonical integers.

/// A value text cannot be read as, and why.
pub type Fault = &'static str;

pub const NOT_NUMBER: Fault = "is not a number";
pub const NOT_EXACT: Fault = "is an integer that float64 cannot hold exactly";
pub const INFINITE: Fault = "is infinite";
pub const NOT_BOOLEAN: Fault = "is not true or false";
pub const NOT_INSTANT: Fault = "is not an instant in ISO 8601";
pub const NOT_IN_RANGE: Fault = "is outside the years 1 to 9999";
pub const NOT_UTF8: Fault = "is not UTF-8";
pub const NOT_INTEGER: Fault = "is not an integer of 64 bits";

/// Whether an integer survives float64.
pub fn exact(value: i128) -> bool {
    // Compared as integers: `as` rounds to nearest, and every finite float64 of this size is an integer.
    value as f64 as i128 == value
}

/// A number: decimal digits with an optional fraction and exponent; `NaN` is null (spec 2.7).
pub fn number(text: &str) -> Result<f64, Fault> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits
        .bytes()
        .any(|b| !matches!(b, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'))
    {
        return match digits.to_ascii_lowercase().as_str() {
            "nan" => Ok(f64::NAN),
            "inf" | "infinity" => Err(INFINITE),
            _ => Err(NOT_NUMBER),
        };
    }
    let value: f64 = text.parse().map_err(|_| NOT_NUMBER)?;
    if value.is_infinite() {
        return Err(INFINITE);
    }
    let whole = digits.len() > 15 && digits.bytes().all(|b| b.is_ascii_digit());
    if whole && format!("{:.0}", value.abs()) != digits.trim_start_matches('0') {
        return Err(NOT_EXACT);
    }
    Ok(value + 0.0)
}

pub fn boolean(text: &str) -> Result<bool, Fault> {
    match text {
        "true" | "True" | "TRUE" => Ok(true),
        "false" | "False" | "FALSE" => Ok(false),
        _ => Err(NOT_BOOLEAN),
    }
}

/// The integer a text is the only canonical form of: no plus, no leading zeros, no minus zero.
pub fn canonical(text: &[u8]) -> Option<i64> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let plain = match digits {
        [b'0'] => text.len() == 1,
        [b'1'..=b'9', ..] => digits.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    if plain {
        std::str::from_utf8(text).ok()?.parse().ok()
    } else {
        None
    }
}
