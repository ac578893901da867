//! JSON helpers for dialects: lenient reading of what servers write, and the failures for what
//! cannot be read.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::{
    status::Failure,
    text::{excerpt, reason},
};

/// Parses a part of a message, which was checked to be JSON when the message was read.
///
/// What reads parts of parts calls this, so that tests can count what it reads: a reader that reads
/// the same text again for each level of it is quadratic.
pub(super) fn parse<'a, T: Deserialize<'a>>(json: &'a str) -> serde_json::Result<T> {
    #[cfg(test)]
    counted::add(json.len());
    serde_json::from_str(json)
}

/// Counts the bytes that are handed to a JSON parser. Time would tell the same, but not in a test.
#[cfg(test)]
pub(super) mod counted {
    use std::cell::Cell;

    thread_local! {
        static READ: Cell<usize> = const { Cell::new(0) };
    }

    pub(in crate::dialect) fn add(bytes: usize) {
        READ.with(|read| read.set(read.get() + bytes));
    }

    /// Returns how many bytes `work` reads.
    pub(in crate::dialect) fn during(work: impl FnOnce()) -> usize {
        READ.with(|read| read.set(0));
        work();
        READ.with(Cell::get)
    }
}

/// Writes an object of these members but those with the name `hidden`.
///
/// Values are copied as text, not parsed and written again: a number keeps its digits, whatever
/// their count.
pub(super) fn without(members: &[Member<'_>], hidden: &str) -> String {
    let mut out = String::new();
    for (name, value) in members.iter().filter(|(name, _)| name != hidden) {
        out.push(if out.is_empty() { '{' } else { ',' });
        out.push_str(&serde_json::Value::from(name.as_ref()).to_string());
        out.push(':');
        out.push_str(value.get());
    }
    out.push_str(if out.is_empty() { "{}" } else { "}" });
    out
}

/// Returns the string if the JSON value is one, borrowed if it has no escapes; `None` for any other
/// value.
pub(super) fn string(value: &RawValue) -> Option<Cow<'_, str>> {
    // Every poll reads a name or a status word, nearly always without escapes: the text between the
    // quotes is then the string itself, and a second run of the parser is saved.
    let inside = value.get().strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    match inside {
        Some(plain) if !plain.as_bytes().contains(&b'\\') => Some(Cow::Borrowed(plain)),
        Some(_) => parse(value.get()).ok().map(|Text(text)| text),
        None => None,
    }
}

/// Returns a string as it is, and the beginning of any other value as JSON: what to show of a
/// member that should be text.
pub(super) fn shown(value: &RawValue) -> String {
    string(value).map_or_else(|| excerpt(value.get().as_bytes()), Cow::into_owned)
}

/// Returns the text of a member, which is empty if the member is absent.
///
/// # Errors
///
/// When the value is no string.
pub(super) fn text_of(field: &str, value: Option<&RawValue>) -> Result<String, Failure> {
    present(value)
        .map_or(Ok(String::new()), |raw| string(raw).map(Cow::into_owned).ok_or_else(|| wrong(field, raw, "a string")))
}

/// How many elements of a list are kept that is part of an answer: details of an error, parts of a
/// service that did not answer. The raw message has all of them. An entry of a page keeps fewer.
///
/// An element of two bytes becomes a value of a hundred: without a limit, a reply would take a
/// hundred times its length in memory.
pub(super) const MOST_ELEMENTS: usize = 1000;

/// Returns what to show of each element of a list, up to [`MOST_ELEMENTS`]. A value that is no list
/// is shown as its one element: it says that something is there.
pub(super) fn all_shown(value: Option<&RawValue>) -> Vec<String> {
    let shown_all = |raw: &RawValue| match first_elements(raw, MOST_ELEMENTS) {
        Ok((elements, _)) => elements.into_iter().map(shown).collect(),
        Err(_) => vec![shown(raw)],
    };
    present(value).map(shown_all).unwrap_or_default()
}

/// The members of an object that a dialect reads.
pub(super) trait Members<'a> {
    /// Returns where the value of this member goes; `None` if nobody reads it.
    fn slot(&mut self, name: &str) -> Option<&mut Option<&'a RawValue>>;
}

/// Reads the members of a JSON object into `members`.
///
/// A member that is `null` counts as absent. Of several with one name the last counts, as in most
/// JSON readers. serde's derive refuses such an object, and with it an operation that goes on
/// ([RFC 8259, 4](https://www.rfc-editor.org/rfc/rfc8259#section-4) leaves it to the reader).
///
/// # Errors
///
/// When `json` is not an object.
pub(super) fn read_members<'a>(json: &'a [u8], members: &mut impl Members<'a>) -> Result<(), serde_json::Error> {
    struct Each<'m, M>(&'m mut M);
    impl<'de, M: Members<'de>> Visitor<'de> for Each<'_, M> {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
            while let Some(name) = map.next_key_seed(Name)? {
                match name.and_then(|name| self.0.slot(&name)) {
                    Some(slot) => *slot = map.next_value::<Option<&'de RawValue>>()?.or(*slot),
                    None => drop(map.next_value::<IgnoredAny>()?),
                }
            }
            Ok(())
        }
    }
    if let Some(error) = not_an_object(json) {
        return Err(error);
    }
    // `from_str` checks for UTF-8 once, `from_slice` once per member. A body with invalid UTF-8 may
    // still be readable, if the bad bytes are in a member that is not read.
    if let Ok(text) = std::str::from_utf8(json) {
        let mut reader = serde_json::Deserializer::from_str(text);
        reader.deserialize_map(Each(members)).and_then(|()| reader.end())
    } else {
        let mut reader = serde_json::Deserializer::from_slice(json);
        reader.deserialize_map(Each(members)).and_then(|()| reader.end())
    }
}

/// Calls `visit` with each element of a list.
///
/// # Errors
///
/// When `json` is not a list; after the elements before the fault.
pub(super) fn each_element<'a>(json: &'a RawValue, visit: &mut dyn FnMut(&'a RawValue)) -> serde_json::Result<()> {
    struct Each<'f, 'a>(&'f mut dyn FnMut(&'a RawValue));
    impl<'de> Visitor<'de> for Each<'_, 'de> {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
            while let Some(element) = list.next_element()? {
                (self.0)(element);
            }
            Ok(())
        }
    }
    #[cfg(test)]
    counted::add(json.get().len());
    if !json.get().starts_with('[') {
        return Err(serde::de::Error::custom("expected a list"));
    }
    serde_json::Deserializer::from_str(json.get()).deserialize_seq(Each(visit))
}

/// Calls `visit` with each member of an object: its name, which is `None` if it is not Unicode, and
/// its value. A member that occurs twice is visited twice.
///
/// # Errors
///
/// When `json` is not an object; after the members before the fault.
pub(super) fn each_member<'a>(
    json: &'a RawValue,
    visit: &mut dyn FnMut(Option<Cow<'a, str>>, &'a RawValue),
) -> serde_json::Result<()> {
    struct Each<'f, 'a>(&'f mut dyn FnMut(Option<Cow<'a, str>>, &'a RawValue));
    impl<'de> Visitor<'de> for Each<'_, 'de> {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
            while let Some(name) = map.next_key_seed(Name)? {
                (self.0)(name, map.next_value()?);
            }
            Ok(())
        }
    }
    #[cfg(test)]
    counted::add(json.get().len());
    if let Some(error) = not_an_object(json.get().as_bytes()) {
        return Err(error);
    }
    serde_json::Deserializer::from_str(json.get()).deserialize_map(Each(visit))
}

/// Returns the first elements of a list, up to `most`, and how many more there are.
///
/// # Errors
///
/// When `json` is not a list.
pub(super) fn first_elements(json: &RawValue, most: usize) -> serde_json::Result<(Vec<&RawValue>, usize)> {
    let (mut first, mut more) = (Vec::new(), 0_usize);
    each_element(json, &mut |element| {
        if first.len() < most { first.push(element) } else { more = more.saturating_add(1) }
    })?;
    Ok((first, more))
}

/// The error for JSON that is not an object. Made here, because `serde_json` would put the whole of
/// a string into its message.
pub(super) fn not_an_object(json: &[u8]) -> Option<serde_json::Error> {
    let is_text = json.trim_ascii_start().first() == Some(&b'"');
    is_text.then(|| serde::de::Error::custom("invalid type: string, expected an object"))
}

/// Reads the name of a member; `None` for one that is not Unicode.
///
/// Read as bytes, because a string would have to be Unicode: a name with a lone surrogate
/// (`"\ud800"`) is well-formed JSON, and must not hide the members after it.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Option<Cow<'de, str>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_bytes(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Option<Cow<'de, str>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_bytes<E>(self, name: &'de [u8]) -> Result<Self::Value, E> {
        Ok(std::str::from_utf8(name).ok().map(Cow::Borrowed))
    }

    fn visit_bytes<E>(self, name: &[u8]) -> Result<Self::Value, E> {
        Ok(std::str::from_utf8(name).ok().map(|name| Cow::Owned(name.to_owned())))
    }
}

/// A JSON string, borrowed from the input unless it has escapes.
#[derive(Deserialize)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

/// The name of a member, and its value as unparsed text.
pub(super) type Member<'a> = (Cow<'a, str>, &'a RawValue);

/// All members of a JSON object, in the order of the wire, also those of one name.
pub(super) struct Object<'a>(pub(super) Vec<Member<'a>>);

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((Text(name), value)) = map.next_entry()? {
                    members.push((name, value));
                }
                Ok(Object(members))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

/// Whether JSON text is an object.
///
/// Needed because serde's derive reads an array into a struct, field by field: `[]` would read as
/// an operation that is pending for ever.
pub(super) fn is_object(json: &[u8]) -> bool {
    json.trim_ascii_start().first() == Some(&b'{')
}

/// Returns the value unless it is `null`: in protobuf's JSON mapping, `null` means the same as an
/// absent field.
pub(super) fn present(raw: Option<&RawValue>) -> Option<&RawValue> {
    raw.filter(|raw| raw.get() != "null")
}

/// The failure for a member whose value is not one of the legal ones.
pub(super) fn wrong(field: &str, found: &RawValue, legal: &str) -> Failure {
    Failure::protocol(format!("`{field}`: found `{}`, expected {legal}", excerpt(found.get().as_bytes())))
}

/// The failure for a body that is not what the dialect expects.
pub(super) fn unexpected_body(wanted: &str, why: &dyn fmt::Display, body: &[u8]) -> Failure {
    Failure::protocol(format!("the body is not {wanted}: {}; found `{}`", reason(why), excerpt(body)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_without_escapes_is_not_parsed_again() {
        let read = |json| counted::during(|| drop(string(serde_json::from_str(json).unwrap())));
        assert_eq!((read(r#""RUNNING""#), read(r#""RUN\u004eING""#)), (0, 14));
    }

    #[test]
    fn what_is_no_object_is_refused_by_that_word() {
        struct Nothing;
        impl<'a> Members<'a> for Nothing {
            fn slot(&mut self, _: &str) -> Option<&mut Option<&'a RawValue>> {
                None
            }
        }
        for json in ["[]", "7", r#""{}""#] {
            let error = read_members(json.as_bytes(), &mut Nothing).unwrap_err().to_string();
            assert!(error.contains("expected an object"), "{json}: {error}");
        }
    }

    #[test]
    fn a_string_is_read_with_and_without_escapes_and_nothing_else_is() {
        let read = |json: &'static str| string(serde_json::from_str(json).unwrap());
        assert_eq!(read(r#" "a/b" "#).as_deref(), Some("a/b"));
        assert_eq!(read(r#""a\/b\u0022""#).as_deref(), Some("a/b\""));
        assert_eq!(read(r#""""#).as_deref(), Some(""));
        for other in ["1", "null", "[]", r#"{"a":"b"}"#] {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
