//! Reads and writes durations, in the forms that people (`1m 30s`) and protobuf (`"1.5s"`) use.
//!
//! `lro-macros/src/grammar/duration.rs` has the same grammar for `poll(…)`, because neither crate
//! can use the other's code. `tests/tests/grammars.rs` tests that both agree.

use std::time::Duration;

/// The units and their lengths in nanoseconds. Longest first: [`format`] writes them in this order.
const UNITS: [(&str, u128); 7] = [
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// Writes a duration for people: 90 seconds become `1m 30s`. Exact; [`parse`] reads it back.
pub(crate) fn format(duration: Duration) -> String {
    if duration.is_zero() {
        return "0s".to_owned();
    }
    let mut rest = duration.as_nanos();
    let mut words = Vec::new();
    for (unit, nanos) in UNITS {
        let count = rest / nanos;
        rest %= nanos;
        if count > 0 {
            words.push(format!("{count}{unit}"));
        }
    }
    words.join(" ")
}

/// Reads one or more amounts, each followed by a unit (`d h m s ms us ns`): `1m 30s`, `1.5s`,
/// `250 ms`, `2h`. A fraction must come to whole nanoseconds.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    read(text.trim()).map_err(|reason| format!("`{text}` is not a duration: {reason}; write it like `1m 30s`"))
}

fn read(mut rest: &str) -> Result<Duration, String> {
    if rest.is_empty() {
        return Err("it is empty".to_owned());
    }
    // `u128`, because `Duration::MAX` in nanoseconds does not fit 64 bits.
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

/// Returns the nanoseconds in an amount of a unit.
fn length(amount: &str, unit: &str) -> Result<u128, String> {
    let scale = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, nanos)| *nanos);
    let scale = scale.ok_or_else(|| format!("`{unit}` is not a unit; legal are d, h, m, s, ms, us, ns"))?;
    let (whole, fraction) = amount.split_once('.').unwrap_or((amount, "0"));
    let not_a_number = || format!("`{amount}` is not a number");
    let whole: u128 = whole.parse().map_err(|_| not_a_number())?;
    let digits: u128 = fraction.parse().map_err(|_| not_a_number())?;
    let too_fine = || format!("`{amount}{unit}` is finer than a nanosecond");
    // Integers instead of `f64`: `0.1s` is then exactly 100 ms, and what is finer than a nanosecond
    // is refused instead of rounded.
    let divisor = u32::try_from(fraction.len()).ok().and_then(|n| 10_u128.checked_pow(n)).ok_or_else(too_fine)?;
    let scaled = digits.checked_mul(scale).ok_or_else(too_fine)?;
    if scaled % divisor != 0 {
        return Err(too_fine());
    }
    whole.checked_mul(scale).and_then(|n| n.checked_add(scaled / divisor)).ok_or_else(|| "it is too long".to_owned())
}

/// The serde form of an optional duration in settings: written as `"1m 30s"`, read from such a text
/// or from a number of seconds.
pub(crate) mod serde_option {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    #[derive(Deserialize)]
    #[serde(untagged, expecting = "a duration such as \"1m 30s\", or a number of seconds")]
    enum Written {
        Text(String),
        Seconds(f64),
    }

    #[expect(clippy::ref_option, reason = "the signature is serde's")]
    pub(crate) fn serialize<S: Serializer>(value: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(duration) => serializer.serialize_str(&super::format(*duration)),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
        match Option::<Written>::deserialize(deserializer)? {
            None => Ok(None),
            Some(Written::Text(text)) => super::parse(&text).map(Some).map_err(serde::de::Error::custom),
            Some(Written::Seconds(seconds)) => Duration::try_from_secs_f64(seconds)
                .map(Some)
                .map_err(|e| serde::de::Error::custom(format!("{seconds} seconds: {e}"))),
        }
    }
}

/// The JSON form of an optional `google.protobuf.Duration`: `"1.5s"`.
pub(crate) mod proto {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    #[expect(clippy::ref_option, reason = "the signature is serde's")]
    pub(crate) fn serialize<S: Serializer>(value: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(d) if d.subsec_nanos() == 0 => serializer.serialize_str(&format!("{}s", d.as_secs())),
            Some(d) => serializer.serialize_str(&format!("{}.{:09}s", d.as_secs(), d.subsec_nanos())),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
        // A text that is not a duration becomes `None`, not an error: it must not cost the rest of
        // the detail that it is part of.
        let text = Option::<String>::deserialize(deserializer)?;
        Ok(text.and_then(|text| seconds(&text)))
    }

    /// Reads seconds with at most nine decimals and the letter `s`, which [`super::parse`] covers.
    /// A negative duration is legal protobuf; as a delay it is zero.
    fn seconds(text: &str) -> Option<Duration> {
        if text.starts_with('-') { Some(Duration::ZERO) } else { super::parse(text).ok() }
    }
}

/// The serde form of a duration that is not optional, the same text as for the optional ones.
pub(crate) mod serde_required {
    use std::time::Duration;

    use serde::{Deserializer, Serializer, de::Error};

    use super::serde_option;

    pub(crate) fn serialize<S: Serializer>(value: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serde_option::serialize(&Some(*value), serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        serde_option::deserialize(deserializer)?
            .ok_or_else(|| D::Error::custom("expected a duration such as \"1m 30s\""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back_exactly() {
        for nanos in [0, 1, 999, 1_500_000, 90_000_000_000, 86_400_000_000_001, u64::MAX] {
            let duration = Duration::from_nanos(nanos);
            assert_eq!(parse(&format(duration)), Ok(duration));
        }
        assert_eq!(format(Duration::from_secs(90)), "1m 30s");
        assert_eq!(parse("1.5s"), Ok(Duration::from_millis(1500)));
    }

    #[test]
    fn nonsense_is_refused_with_what_is_legal() {
        for text in ["", "5", "s", "1.2.3s", "-1s", "1 minute", "99999999999999999999999999999999999999999s", "1s ?"] {
            let message = parse(text).unwrap_err();
            assert!(message.contains(text.trim()), "{message}");
        }
    }
}
