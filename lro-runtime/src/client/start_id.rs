//! Start ids: the word by which a service knows that a repeated start call is one start, where it
//! stands in the request, and how it gets there.

use std::{
    hash::{BuildHasher, RandomState},
    time::SystemTime,
};

use http::{HeaderName, HeaderValue};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::path_template::push_parameter;
use crate::{dialect::Call, percent::decoded, text::excerpt};

/// Where a start call has its start id, the idempotency key of the service.
///
/// | service | place |
/// |---|---|
/// | Azure | `Header("Operation-Id")`, or `Header("Repeatability-Request-ID")`, which also sends `Repeatability-First-Sent` |
/// | services that follow the `Idempotency-Key` draft | `Header("Idempotency-Key")` |
/// | Google Compute Engine | `Query("requestId")` |
/// | AWS | `Body("clientToken")` |
/// | BigQuery, where the caller names the job | `Body("jobReference.jobId")` |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StartIdIn {
    /// A header of this name.
    Header(&'static str),
    /// A query parameter of this name.
    Query(&'static str),
    /// A member of the JSON body; `a.b` is the member `b` of the object `a`. A call without a body
    /// gets one.
    Body(&'static str),
}

/// The place of a start id, checked.
#[derive(Clone, Debug)]
pub(crate) enum StartIdPlace {
    Header(HeaderName),
    Query(String),
    Body(String),
}

impl StartIdPlace {
    /// Checks a place. The error says what was found and what is legal.
    pub(crate) fn of(place: StartIdIn) -> Result<Self, String> {
        match place {
            StartIdIn::Header(name) => Self::header(name),
            StartIdIn::Query("") => Err("the query parameter of the start id has no name".to_owned()),
            StartIdIn::Query(name) => Ok(Self::Query(name.to_owned())),
            StartIdIn::Body(path) if path.split('.').any(str::is_empty) => Err(format!(
                "`{path}` is not a member of a body: expected a name such as `requestId`, or names joined by dots"
            )),
            StartIdIn::Body(path) => Ok(Self::Body(path.to_owned())),
        }
    }

    /// The header `name` as the place.
    pub(crate) fn header(name: &str) -> Result<Self, String> {
        name.parse().map(Self::Header).map_err(|_| format!("`{}`: not a header name", excerpt(name.as_bytes())))
    }

    /// Returns the id that the caller has put into the call already.
    pub(crate) fn found_in(&self, call: &Call) -> Option<String> {
        let found = match self {
            Self::Header(name) => call.headers.get(name).and_then(|id| id.to_str().ok()).map(str::to_owned),
            Self::Query(name) => {
                let query = call.target.split_once('?').map_or("", |(_, query)| query);
                query.split('&').find_map(|pair| parameter(pair, name)).map(|id| decoded(id.as_bytes()).into_owned())
            }
            Self::Body(path) => member(&call.body, path),
        };
        found.filter(|id| !id.is_empty())
    }

    /// Puts `id` into the call. The error says why it does not fit.
    pub(crate) fn put(&self, id: &str, call: &mut Call) -> Result<(), String> {
        match self {
            Self::Header(name) => {
                let value = HeaderValue::try_from(id).map_err(|_| {
                    format!("the start id `{}` is not legal in a header: expected ASCII", excerpt(id.as_bytes()))
                })?;
                call.headers.insert(name.clone(), value);
            }
            Self::Query(name) => {
                // A parameter of this name without a value gives way: many services read the first.
                if let Some((path, query)) = call.target.split_once('?') {
                    let kept: Vec<_> = query.split('&').filter(|pair| parameter(pair, name).is_none()).collect();
                    let mark = if kept.is_empty() { "" } else { "?" };
                    call.target = format!("{path}{mark}{}", kept.join("&"));
                }
                push_parameter(&mut call.target, name, id);
            }
            Self::Body(path) => {
                let body = with_member(&call.body, path, id).ok_or_else(|| {
                    format!("the start id belongs at `{path}`, and the body is not a JSON object there")
                })?;
                // A body that is JSON keeps its content type, such as that of a merge patch.
                let content_type = call.headers.entry(http::header::CONTENT_TYPE);
                content_type.or_insert(HeaderValue::from_static("application/json"));
                call.body = body.into();
            }
        }
        Ok(())
    }

    /// Adds `Repeatability-First-Sent` to a call with the header `Repeatability-Request-ID`: they
    /// come together, in services that follow
    /// <https://docs.oasis-open.org/odata/repeatable-requests/v1.0/repeatable-requests-v1.0.html>.
    pub(crate) fn date(&self, now: SystemTime, call: &mut Call) {
        if matches!(self, Self::Header(name) if name == "repeatability-request-id")
            && let Ok(date) = HeaderValue::try_from(httpdate::fmt_http_date(now))
        {
            call.headers.entry("repeatability-first-sent").or_insert(date);
        }
    }
}

/// Returns the value of a query parameter, as it stands there, if it has this name.
fn parameter<'a>(pair: &'a str, name: &str) -> Option<&'a str> {
    let (known, value) = pair.split_once('=').unwrap_or((pair, ""));
    (decoded(known.as_bytes()) == name).then_some(value)
}

/// The members of a JSON object in their order, each value as it was written: what is not the start
/// id must reach the service unchanged.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;

        impl<'de> Visitor<'de> for Read {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(members)
            }
        }

        deserializer.deserialize_map(Read).map(Self)
    }
}

/// Returns the text or the number at `path` in a JSON body.
fn member(body: &[u8], path: &str) -> Option<String> {
    let Members(members) = serde_json::from_slice(body).ok()?;
    let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
    let value = members.iter().find(|(known, _)| known == name).map(|(_, value)| value.get())?;
    match rest {
        Some(rest) => member(value.as_bytes(), rest),
        None => match serde_json::from_str(value).ok()? {
            serde_json::Value::String(id) => Some(id),
            serde_json::Value::Number(id) => Some(id.to_string()),
            _ => None,
        },
    }
}

/// Returns `body` with the text `id` at `path`; `None` if it is not a JSON object there. An empty
/// body and `null` count as an empty object.
fn with_member(body: &[u8], path: &str, id: &str) -> Option<String> {
    let body = if body.is_empty() || body == b"null" { b"{}" } else { body };
    let Members(members) = serde_json::from_slice(body).ok()?;
    let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
    let old = members.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.get());
    let new = match rest {
        Some(rest) => with_member(old.as_bytes(), rest, id)?,
        None => serde_json::Value::from(id).to_string(),
    };
    // The id replaces the member where it stands, and else comes last.
    let mut written: Vec<String> = Vec::with_capacity(members.len() + 1);
    for (known, value) in &members {
        let value = if known == name { new.as_str() } else { value.get() };
        written.push(format!("{}:{value}", serde_json::Value::from(known.as_str())));
    }
    if !members.iter().any(|(known, _)| known == name) {
        written.push(format!("{}:{new}", serde_json::Value::from(name)));
    }
    Some(format!("{{{}}}", written.join(",")))
}

/// Returns a fresh random id: a version 4 UUID.
pub(crate) fn fresh() -> String {
    uuid(random(), random())
}

/// Returns 64 random bits that differ between processes. `fastrand` is seeded from a clock and a
/// thread id, which two processes may share, so its bits are hashed with the standard library's
/// hash keys, which come from the operating system.
fn random() -> u64 {
    RandomState::new().hash_one(fastrand::u64(..))
}

/// Formats these bits as a version 4 UUID ([RFC 9562,
/// 5.4](https://www.rfc-editor.org/rfc/rfc9562#section-5.4)).
fn uuid(high: u64, low: u64) -> String {
    // Four bits are the version, 4; two bits are the variant, 10.
    let high = (high & !0xf000) | 0x4000;
    let low = (low & !(0b11 << 62)) | (0b10 << 62);
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xffff,
        low >> 48,
        low & 0xffff_ffff_ffff
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_version_4_uuid_and_never_the_same() {
        assert_eq!(uuid(0, 0), "00000000-0000-4000-8000-000000000000");
        assert_eq!(uuid(u64::MAX, u64::MAX), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        let ids: std::collections::HashSet<_> = (0..1000).map(|_| fresh()).collect();
        assert_eq!(ids.len(), 1000);
    }

    #[test]
    fn an_id_in_the_query_is_read_as_it_was_given_and_replaces_an_empty_one() {
        let place = StartIdPlace::of(StartIdIn::Query("$id")).unwrap();
        for before in ["x", "x?$id", "x?%24id=", "x?a=1", "x?a=1&$id=&b=2"] {
            let mut call = Call::get(before);
            assert_eq!(place.found_in(&call), None, "{before}");
            place.put("a b&%ä", &mut call).unwrap();
            assert_eq!(place.found_in(&call).as_deref(), Some("a b&%ä"), "{}", call.target);
            assert_eq!(call.target.matches("id=").count(), 1, "{}", call.target);
            assert_eq!(call.target.contains("a=1"), before.contains("a=1"));
        }
    }

    #[test]
    fn an_id_in_the_body_leaves_everything_else_as_it_was_written() {
        let cases = [
            ("", "id", r#"{"id":"7"}"#),
            (r#"{"n":1.10, "b":{"z":1,"a":2}}"#, "id", r#"{"n":1.10,"b":{"z":1,"a":2},"id":"7"}"#),
            (r#"{"id":"","n":12345678901234567890123}"#, "id", r#"{"id":"7","n":12345678901234567890123}"#),
            (r#"{"id":null}"#, "id", r#"{"id":"7"}"#),
            (r#"{"job":{"x":1}}"#, "job.id", r#"{"job":{"x":1,"id":"7"}}"#),
            ("{}", "job.ref.id", r#"{"job":{"ref":{"id":"7"}}}"#),
            (r#"{"job":null}"#, "job.id", r#"{"job":{"id":"7"}}"#),
        ];
        for (body, path, expected) in cases {
            assert_eq!(with_member(body.as_bytes(), path, "7").as_deref(), Some(expected), "{body}");
            assert_eq!(member(expected.as_bytes(), path).as_deref(), Some("7"), "{expected}");
        }
        for not_an_object in ["[]", "1", "x", r#"{"job":"x"}"#] {
            assert_eq!(with_member(not_an_object.as_bytes(), "job.id", "7"), None, "{not_an_object}");
        }
    }
}
