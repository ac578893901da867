//! Durations as people write them, as the attribute reads them: `"1m 30s"`, `"500ms"`, `"1.5h"`.

use std::time::Duration;

/// The units, longest first, each with its length in nanoseconds.
const UNITS: [(&str, u128); 7] = [
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// Reads one or more amounts, each with its unit, in any order.
///
/// The error is a clause that says why the text is not a duration, for use after a colon.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err("it is empty".to_owned());
    }
    let mut nanos = 0_u128;
    while !rest.is_empty() {
        let (amount, unit, tail) = split(rest)?;
        nanos = nanos.checked_add(length(amount, unit)?).ok_or("it is too long")?;
        rest = tail.trim_start();
    }
    let seconds = u64::try_from(nanos / 1_000_000_000).map_err(|_| "it is too long")?;
    let subsecond = u32::try_from(nanos % 1_000_000_000).map_err(|_| "it is too long")?;
    Ok(Duration::new(seconds, subsecond))
}

/// Splits off the first amount and its unit: `"1m 30s"` → `("1", "m", " 30s")`.
fn split(text: &str) -> Result<(&str, &str, &str), String> {
    let (amount, tail) = text.split_at(text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len()));
    if amount.is_empty() {
        return Err(format!("`{text}` does not begin with a number"));
    }
    let tail = tail.trim_start();
    let (unit, tail) = tail.split_at(tail.find(|c: char| !c.is_alphabetic()).unwrap_or(tail.len()));
    if unit.is_empty() {
        return Err(format!("`{amount}` has no unit; write `{amount}s` for seconds"));
    }
    Ok((amount, unit, tail))
}

/// Returns the nanoseconds in an amount of a unit. A fraction must be a whole number of
/// nanoseconds.
fn length(amount: &str, unit: &str) -> Result<u128, String> {
    let scale = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, scale)| *scale);
    let scale = scale.ok_or_else(|| format!("`{unit}` is not a unit; legal are d, h, m, s, ms, us, ns"))?;
    let (whole, fraction) = amount.split_once('.').unwrap_or((amount, "0"));
    let not_a_number = || format!("`{amount}` is not a number");
    let whole: u128 = whole.parse().map_err(|_| not_a_number())?;
    let digits: u128 = fraction.parse().map_err(|_| not_a_number())?;
    let too_fine = || format!("`{amount}{unit}` is finer than a nanosecond");
    // Integers, not floats: settings write durations exactly, and macro and runtime must read the
    // same nanosecond.
    let divisor = u32::try_from(fraction.len()).ok().and_then(|n| 10_u128.checked_pow(n)).ok_or_else(too_fine)?;
    let scaled = digits.checked_mul(scale).ok_or_else(too_fine)?;
    if scaled % divisor != 0 {
        return Err(too_fine());
    }
    whole.checked_mul(scale).and_then(|n| n.checked_add(scaled / divisor)).ok_or_else(|| "it is too long".to_owned())
}
