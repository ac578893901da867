//! Durations as people and protobuf write them.

use std::time::Duration;

/// The units of a human duration, longest first, with their length in nanoseconds.
const UNITS: &[(&str, u64)] = &[
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// Writes `90s` as `1m 30s`: exact, and read back by [`parse`].
pub(crate) fn format(duration: Duration) -> String {
    if duration.is_zero() {
        return "0s".to_owned();
    }
    let mut rest = duration.as_nanos();
    let mut words = Vec::new();
    for &(unit, nanos) in UNITS {
        let count = rest / u128::from(nanos);
        rest %= u128::from(nanos);
        if count > 0 {
            words.push(format!("{count}{unit}"));
        }
    }
    words.join(" ")
}

/// Reads `1m 30s`, `1.5s`, `250ms`, `2h`: numbers, each with its unit of `d h m s ms us ns`.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let legal = "expected numbers with a unit of d, h, m, s, ms, us or ns, such as `1m 30s`";
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(format!("`{text}`: {legal}"));
    }
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        let letters = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let nanos = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, nanos)| *nanos);
        let (Some(nanos), false) = (nanos, number.is_empty()) else {
            return Err(format!("`{text}`: {legal}"));
        };
        let part =
            scaled(number, nanos).ok_or_else(|| format!("`{text}`: `{number}` is not a number that fits; {legal}"))?;
        total = total.checked_add(part).ok_or_else(|| format!("`{text}` is too long"))?;
        rest = after.trim_start();
    }
    Ok(total)
}

/// `number` (decimal digits with at most one point) times `nanos`, exactly.
fn scaled(number: &str, nanos: u64) -> Option<Duration> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let mut total = whole.parse::<u128>().ok()?.checked_mul(u128::from(nanos))?;
    let mut unit = u128::from(nanos);
    for digit in fraction.chars() {
        unit /= 10;
        total = total.checked_add(unit.checked_mul(u128::from(digit.to_digit(10)?))?)?;
    }
    let seconds = u64::try_from(total / 1_000_000_000).ok()?;
    Some(Duration::new(seconds, u32::try_from(total % 1_000_000_000).ok()?))
}

/// `Duration` in settings: written for people, read from `"1m 30s"` or from a number of seconds.
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

/// `google.protobuf.Duration` in JSON: `"1.5s"`.
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
        let text = Option::<String>::deserialize(deserializer)?;
        // A negative duration is legal protobuf; as a delay it is none.
        Ok(text.and_then(|text| if text.starts_with('-') { Some(Duration::ZERO) } else { super::parse(&text).ok() }))
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
