//! The envelope of a `google.longrunning.Operation` as nearly every reply has it, read in one pass.
//!
//! Half of what a poll costs is a JSON parser that checks, member by member, what it then leaves
//! unread.

use super::scan::Scan;

/// The members of an operation that has not failed, each at most once and none of them `null`. The
/// payloads are JSON texts, checked and not decoded.
#[derive(Default)]
pub(super) struct Envelope<'a> {
    pub(super) name: Option<&'a str>,
    pub(super) done: Option<bool>,
    pub(super) metadata: Option<&'a [u8]>,
    pub(super) response: Option<&'a [u8]>,
}

impl<'a> Envelope<'a> {
    /// Reads an operation; `None` if it must be read by the parser.
    pub(super) fn of(json: &'a [u8]) -> Option<Self> {
        let (mut scan, mut envelope) = (Scan::of(json), Self::default());
        scan.members(|key, scan| envelope.member(key, scan))?;
        let is_text = json.is_ascii() || std::str::from_utf8(json).is_ok();
        (is_text && scan.ahead().is_none()).then_some(envelope)
    }

    fn member(&mut self, key: &[u8], scan: &mut Scan<'a>) -> Option<()> {
        match key {
            b"name" => set(&mut self.name, std::str::from_utf8(scan.plain()?).ok()?),
            b"done" => set(&mut self.done, scan.truth()?),
            b"metadata" => set(&mut self.metadata, payload(scan)?),
            b"response" => set(&mut self.response, payload(scan)?),
            b"error" => None,
            _ => scan.value(),
        }
    }
}

/// Sets a member, which must not have been there before.
fn set<T>(slot: &mut Option<T>, value: T) -> Option<()> {
    slot.replace(value).is_none().then_some(())
}

/// Reads a member that is a payload, and returns its text. `null` would be as if it were not there.
fn payload<'a>(scan: &mut Scan<'a>) -> Option<&'a [u8]> {
    scan.text().filter(|text| *text != b"null")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_services_write_is_read_in_one_pass() {
        let pretty = "{\n  \"name\": \"operations/7\",\r\n\t\"metadata\": { \"a\" : [ 1, -2.50, true, null, \"\u{fc}\\n\" ] , \"b\":{} },\"done\": true, \"response\": []\n}\n";
        let Envelope { name, done, metadata, response } = Envelope::of(pretty.as_bytes()).unwrap();
        assert_eq!((name, done, response), (Some("operations/7"), Some(true), Some(&b"[]"[..])));
        let metadata = std::str::from_utf8(metadata.unwrap()).unwrap();
        assert_eq!(metadata, "{ \"a\" : [ 1, -2.50, true, null, \"\u{fc}\\n\" ] , \"b\":{} }");
        let Envelope { name, done, metadata, response } = Envelope::of(br#"{"other":0}"#).unwrap();
        assert!((name, done, metadata, response) == (None, None, None, None));
    }

    #[test]
    fn what_is_unusual_is_left_to_the_parser() {
        let deep = format!("{{\"metadata\":{}{}}}", "[".repeat(40), "]".repeat(40));
        for json in [
            &deep,
            "",
            "[]",
            "{}x",
            "{} {}",
            "{,}",
            r#"{"name":"a",}"#,
            r#"{"name" "a"}"#,
            r#"{"name":"a" "done":true}"#,
            r#"{"name":"a","name":"b"}"#,
            r#"{"name":"a\/b"}"#,
            r#"{"n\u0061me":"b"}"#,
            r#"{"name":7}"#,
            r#"{"done":"true"}"#,
            r#"{"done":null}"#,
            r#"{"metadata":null}"#,
            r#"{"error":{}}"#,
            r#"{"x":"\u00fc"}"#,
            r#"{"x":"\x"}"#,
            r#"{"x":"\"#,
            "{\"x\":\"\n\"}",
            r#"{"x":01}"#,
            r#"{"x":-}"#,
            r#"{"x":1.}"#,
            r#"{"x":.5}"#,
            r#"{"x":1e3}"#,
            r#"{"x":nul}"#,
            r#"{"x":truest}"#,
            r#"{"x":+1}"#,
            r#"{"x":[1,]}"#,
            r#"{"x":[}"#,
            r#"{"x":"a"#,
            r#"{"x""#,
        ] {
            assert!(Envelope::of(json.as_bytes()).is_none(), "{json}");
        }
        assert!(Envelope::of(b"{\"x\":\"\xff\"}").is_none());
    }
}
