//! Server hints: how long the server asks the client to wait before the next poll.

use std::time::{Duration, SystemTime};

use http::HeaderMap;

/// When a server asks to be polled next, as the server wrote it.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Hint {
    /// After this long. A negative number reads as zero, one too large for a [`Duration`] as
    /// [`Duration::MAX`]; the settings of the wait clamp both.
    After(Duration),
    /// At this wall-clock time.
    At(SystemTime),
}

impl Hint {
    /// Returns the delay that the hint asks for, seen at `now`. For a date in the past it is zero.
    #[must_use]
    pub fn delay(self, now: SystemTime) -> Duration {
        match self {
            Self::After(duration) => duration,
            Self::At(date) => date.duration_since(now).unwrap_or(Duration::ZERO),
        }
    }

    /// Reads the hint in a reply's headers: the first of `retry-after-ms`, `x-ms-retry-after-ms`,
    /// `openai-poll-after-ms` (milliseconds) and `Retry-After` (seconds or a date, [RFC 9110,
    /// 10.2.3](https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3)) that can be read. A value
    /// that cannot be read is ignored.
    #[must_use]
    pub fn from_headers(headers: &HeaderMap) -> Option<Self> {
        // One pass instead of four lookups by name: this runs on every poll, and the lookups took a
        // tenth of a poll's time.
        let mut best: Option<(usize, Self)> = None;
        for (name, value) in headers {
            let rank = match name.as_str() {
                "retry-after-ms" => 0,
                "x-ms-retry-after-ms" => 1,
                "openai-poll-after-ms" => 2,
                "retry-after" => 3,
                _ => continue,
            };
            // `<`, not `<=`: of two headers with the same name, the first that can be read wins.
            // `or(best)` keeps what is known if a better header cannot be read, so that
            // `retry-after-ms: soon` does not hide a good `Retry-After`.
            if best.is_none_or(|(known, _)| rank < known) {
                best = value.to_str().ok().and_then(|text| read(text.trim(), rank)).map(|hint| (rank, hint)).or(best);
            }
        }
        best.map(|(_, hint)| hint)
    }
}

fn read(text: &str, rank: usize) -> Option<Hint> {
    match rank {
        3 => number(text, 1.0).or_else(|| httpdate::parse_http_date(text).ok().map(Hint::At)),
        _ => number(text, 1000.0),
    }
}

/// Reads a number of units, `per_second` of which are a second. A number too large for an `f64` is
/// legal; words such as `NaN` are not.
fn number(text: &str, per_second: f64) -> Option<Hint> {
    // `f64::from_str` also reads `NaN`, `inf` and `infinity`, hence the check of the first
    // character.
    let numeric = text.strip_prefix('-').unwrap_or(text).starts_with(|c: char| c.is_ascii_digit() || c == '.');
    let seconds = text.parse::<f64>().ok().filter(|_| numeric)? / per_second;
    // `Retry-After: -5` and 10^300 are legal input. A `Duration` can hold neither, and other
    // clients panicked on them.
    Some(Hint::After(Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hint(name: &'static str, value: &str) -> Option<Hint> {
        Hint::from_headers(&HeaderMap::from_iter([(http::HeaderName::from_static(name), value.parse().unwrap())]))
    }

    #[test]
    fn every_way_to_write_a_hint_is_read_and_none_panics() {
        let seconds = |s| Some(Hint::After(Duration::from_secs_f64(s)));
        assert_eq!(hint("retry-after", "120"), seconds(120.0));
        assert_eq!(hint("retry-after", "1.5"), seconds(1.5));
        assert_eq!(hint("retry-after", "0"), seconds(0.0));
        assert_eq!(hint("retry-after", "-5"), seconds(0.0));
        assert_eq!(hint("retry-after-ms", "250"), seconds(0.25));
        assert_eq!(hint("x-ms-retry-after-ms", "250"), seconds(0.25));
        assert_eq!(hint("openai-poll-after-ms", "250"), seconds(0.25));
        assert_eq!(hint("retry-after", &format!("1{}", "0".repeat(300))), Some(Hint::After(Duration::MAX)));
        assert_eq!(hint("retry-after", "1e400"), Some(Hint::After(Duration::MAX)));
        for nonsense in ["", "soon", "NaN", "inf", "-", "1 s", "Thu, 99 Foo"] {
            assert_eq!(hint("retry-after", nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn milliseconds_go_before_seconds_wherever_they_stand() {
        let names = ["retry-after", "openai-poll-after-ms", "x-ms-retry-after-ms", "retry-after-ms"];
        let mut headers = HeaderMap::new();
        for (seconds, name) in (1..).zip(names) {
            let value = if seconds == 1 { 1 } else { seconds * 1000 };
            headers.insert(http::HeaderName::from_static(name), http::HeaderValue::from(value));
            assert_eq!(Hint::from_headers(&headers), Some(Hint::After(Duration::from_secs(seconds))), "{name}");
        }
        headers.insert("retry-after-ms", http::HeaderValue::from_static("soon"));
        assert_eq!(Hint::from_headers(&headers), Some(Hint::After(Duration::from_secs(3))));
    }

    #[test]
    fn all_three_date_forms_are_read_and_a_past_date_is_a_zero_delay() {
        let date = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        for written in ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"] {
            assert_eq!(hint("retry-after", written), Some(Hint::At(date)));
        }
        assert_eq!(Hint::At(date).delay(date - Duration::from_secs(5)), Duration::from_secs(5));
        assert_eq!(Hint::At(date).delay(date + Duration::from_secs(5)), Duration::ZERO);
    }
}
