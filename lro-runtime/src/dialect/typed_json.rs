//! Reads JSON text as a type of the SDK, with little code compiled for each type.

use std::{borrow::Cow, cell::OnceCell, fmt, vec};

use serde::{
    Deserializer,
    de::{self, DeserializeOwned, DeserializeSeed, IntoDeserializer, MapAccess, Visitor},
};
use serde_json::Number;

use super::{
    json::{Object, Text, without},
    scan::Scan,
};

/// Implements methods of `Deserializer` by `serde_json`'s, for a type around a JSON text.
macro_rules! by_serde_json {
    ($($method:ident($($argument:ident: $ty:ty),*);)*) => {$(
        fn $method<V: Visitor<'de>>(self, $($argument: $ty,)* visitor: V) -> Result<V::Value> {
            let mut text = serde_json::Deserializer::from_str(self.text());
            let value = text.$method($($argument,)* visitor)?;
            text.end()?;
            Ok(value)
        }
    )*};
}

/// A JSON text that is to be read as a type.
pub(crate) struct Document<'a> {
    text: Cow<'a, str>,
    /// The name of members of the object that are no part of what is read.
    hidden: Option<&'static str>,
    /// The text without these members, once it is asked for. A struct is read without: its fields
    /// are looked up anyway.
    rest: OnceCell<String>,
}

impl<'a> Document<'a> {
    pub(super) fn new(text: impl Into<Cow<'a, str>>) -> Self {
        Self { text: text.into(), hidden: None, rest: OnceCell::new() }
    }

    pub(super) fn null() -> Self {
        Self::new("null")
    }

    /// An object, of which the members with the name `hidden` are no part.
    pub(super) fn without(text: &'a str, hidden: &'static str) -> Self {
        Self { hidden: Some(hidden), ..Self::new(text) }
    }

    /// Returns the text without what is hidden.
    pub(super) fn text(&self) -> &str {
        let Some(hidden) = self.hidden else { return &self.text };
        self.rest.get_or_init(|| match serde_json::from_str(&self.text) {
            Ok(Object(members)) => without(&members, hidden),
            // What reads it says what is wrong with it.
            Err(_) => self.text.clone().into_owned(),
        })
    }

    /// Reads the text as a `T`.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T> {
        T::deserialize(TypedJson(self))
    }
}

/// A document, as a deserializer.
///
/// The one of `serde_json` is compiled anew for each struct, nearly 5 kB of machine code for one
/// with four fields, and an SDK has hundreds. Here the members of an object, and the plain values
/// among them, are read by code that is compiled once, and what is compiled for each struct is its
/// visitor. Everything else is left to `serde_json`, with its limit of nesting.
///
/// An array is no struct here, although `serde_json` would take its elements for the fields.
#[derive(Clone, Copy)]
struct TypedJson<'de>(&'de Document<'de>);

impl<'de> TypedJson<'de> {
    fn text(self) -> &'de str {
        self.0.text()
    }
}

impl<'de> Deserializer<'de> for TypedJson<'de> {
    type Error = Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        visitor.visit_map(Fields::of(self.0)?)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.0.text.trim_ascii() == "null" { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    by_serde_json! {
        deserialize_any();
        deserialize_bool();
        deserialize_i8();
        deserialize_i16();
        deserialize_i32();
        deserialize_i64();
        deserialize_i128();
        deserialize_u8();
        deserialize_u16();
        deserialize_u32();
        deserialize_u64();
        deserialize_u128();
        deserialize_f32();
        deserialize_f64();
        deserialize_char();
        deserialize_str();
        deserialize_string();
        deserialize_bytes();
        deserialize_byte_buf();
        deserialize_unit();
        deserialize_unit_struct(name: &'static str);
        deserialize_newtype_struct(name: &'static str);
        deserialize_seq();
        deserialize_tuple(len: usize);
        deserialize_tuple_struct(name: &'static str, len: usize);
        deserialize_map();
        deserialize_enum(name: &'static str, variants: &'static [&'static str]);
        deserialize_identifier();
        deserialize_ignored_any();
    }
}

/// The members of a JSON object that are not read yet.
///
/// Behind a trait, because its drop would be code of its own in each visitor; so it is a call.
struct Fields<'de>(Box<dyn Remaining<'de> + 'de>);

/// What [`Fields`] asks of its members.
trait Remaining<'de> {
    /// Goes to the next member and returns its name.
    fn next_name(&mut self) -> Option<&str>;
    /// Returns the value of the member whose name was read last.
    fn value(&self) -> Member<'de>;
}

struct Members<'de> {
    remaining: vec::IntoIter<Field<'de>>,
    hidden: Option<&'static str>,
    /// The member whose name was read last.
    current: Option<Field<'de>>,
}

/// The name of a member, and the text of its value.
type Field<'de> = (Cow<'de, str>, &'de str);

/// Returns the members of an object in their order, if it has the usual form.
fn usual_members(text: &str) -> Option<Vec<Field<'_>>> {
    let (mut scan, mut members) = (Scan::of(text.as_bytes()), Vec::with_capacity(8));
    // By their place in the text: it is known to be UTF-8, which is not checked again for each.
    let part = |bytes: &[u8]| {
        let start = (bytes.as_ptr() as usize).wrapping_sub(text.as_ptr() as usize);
        text.get(start..start.wrapping_add(bytes.len()))
    };
    scan.members(|name, scan| {
        members.push((Cow::Borrowed(part(name)?), part(scan.text()?)?));
        Some(())
    })?;
    scan.ahead().is_none().then_some(members)
}

/// Returns the members of any object in their order.
fn members(text: &str) -> Result<Vec<Field<'_>>> {
    if let Some(members) = usual_members(text) {
        return Ok(members);
    }
    let Object(members) = serde_json::from_str(text)?;
    Ok(members.into_iter().map(|(name, value)| (name, value.get())).collect())
}

impl<'de> Remaining<'de> for Members<'de> {
    fn next_name(&mut self) -> Option<&str> {
        self.current = self.remaining.find(|(name, _)| self.hidden.is_none_or(|hidden| name != hidden));
        self.current.as_ref().map(|(name, _)| name.as_ref())
    }

    fn value(&self) -> Member<'de> {
        // No value is asked for before its name; if one is, it is no JSON.
        Member(self.current.as_ref().map_or("", |(_, value)| *value))
    }
}

impl<'de> Fields<'de> {
    // Not inlined: its callers are compiled once per type.
    #[inline(never)]
    fn of(document: &'de Document<'de>) -> Result<Self> {
        let members = members(&document.text)?;
        Ok(Self(Box::new(Members { remaining: members.into_iter(), hidden: document.hidden, current: None })))
    }
}

impl<'de> MapAccess<'de> for Fields<'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        match self.0.next_name() {
            Some(name) => seed.deserialize(name.into_deserializer()).map(Some),
            None => Ok(None),
        }
    }

    // Not inlined: fields of one type, of whatever struct, are read by one function.
    #[inline(never)]
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value> {
        seed.deserialize(self.0.value())
    }
}

/// The value of a member, without space around it.
struct Member<'de>(&'de str);

// None of these is inlined: their callers are compiled once per type.
impl<'de> Member<'de> {
    fn text(&self) -> &'de str {
        self.0
    }

    #[inline(never)]
    fn str(&self) -> Result<Cow<'de, str>> {
        // It is known to be JSON: what has no escapes stands for itself.
        let inside = self.0.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        if let Some(plain) = inside.filter(|inside| !inside.as_bytes().contains(&b'\\')) {
            return Ok(Cow::Borrowed(plain));
        }
        let Text(string) = serde_json::from_str(self.0)?;
        Ok(string)
    }

    #[inline(never)]
    fn string(&self) -> Result<String> {
        self.str().map(Cow::into_owned)
    }

    #[inline(never)]
    fn number(&self) -> Result<Number> {
        Ok(serde_json::from_str(self.0)?)
    }

    #[inline(never)]
    fn bool(&self) -> Result<bool> {
        Ok(serde_json::from_str(self.0)?)
    }
}

/// Implements the methods of `Deserializer` for numbers. As in `serde_json`, the name of the method
/// is no more than a hint, and the visitor is given what there is.
macro_rules! numbers {
    ($($number:ident)*) => {
        $(fn $number<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
            Ok(self.number()?.deserialize_any(visitor)?)
        })*
    };
}

impl<'de> Deserializer<'de> for Member<'de> {
    type Error = Error;

    numbers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
        deserialize_f32 deserialize_f64
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.str()? {
            Cow::Borrowed(string) => visitor.visit_borrowed_str(string),
            Cow::Owned(string) => visitor.visit_string(string),
        }
    }

    // A type that asks for a string of its own would copy a borrowed one.
    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_string(self.string()?)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_bool(self.bool()?)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.0 == "null" { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    // It is known to be JSON.
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_unit()
    }

    by_serde_json! {
        deserialize_any();
        deserialize_i128();
        deserialize_u128();
        deserialize_char();
        deserialize_bytes();
        deserialize_byte_buf();
        deserialize_unit();
        deserialize_unit_struct(name: &'static str);
        deserialize_newtype_struct(name: &'static str);
        deserialize_seq();
        deserialize_tuple(len: usize);
        deserialize_tuple_struct(name: &'static str, len: usize);
        deserialize_map();
        deserialize_struct(name: &'static str, fields: &'static [&'static str]);
        deserialize_enum(name: &'static str, variants: &'static [&'static str]);
        deserialize_identifier();
    }
}

pub(super) type Result<T> = std::result::Result<T, Error>;

/// An error of `serde_json`. A type of its own, because derived visitors report each field that is
/// missing or doubled, by functions which serde inlines.
#[derive(Debug)]
pub(crate) struct Error(serde_json::Error);

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self(error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Error {}

impl de::Error for Error {
    #[cold]
    #[inline(never)]
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(de::Error::custom(message))
    }

    #[cold]
    #[inline(never)]
    fn missing_field(field: &'static str) -> Self {
        Self(de::Error::missing_field(field))
    }

    #[cold]
    #[inline(never)]
    fn duplicate_field(field: &'static str) -> Self {
        Self(de::Error::duplicate_field(field))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde::{Deserialize, de::DeserializeOwned};
    use serde_json::{Map, Value, value::RawValue};

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "camelCase")]
    struct Plain {
        a: String,
        b: Option<u32>,
        #[serde(default)]
        c: bool,
        d: Option<f64>,
        #[serde(default, rename = "e\"é")]
        e: i64,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Nested {
        a: Option<Box<Nested>>,
        b: Option<Vec<Plain>>,
        c: Option<Choice>,
        d: Option<Wrapped>,
        e: Option<(u8, String)>,
        f: Option<char>,
        g: Option<()>,
        #[serde(default)]
        h: Option<BTreeMap<String, i8>>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Strict {
        a: Option<Value>,
        b: Option<i128>,
        c: Option<f32>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Flat {
        a: Value,
        #[serde(flatten)]
        rest: BTreeMap<String, Value>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "lowercase")]
    enum Choice {
        A,
        B(u16),
        C { a: String },
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(untagged)]
    enum Either {
        Plain(Plain),
        Text(String),
        Other(Value),
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Wrapped(Plain);

    #[derive(Debug, Deserialize, PartialEq)]
    struct Unit;

    /// Asserts that a `T` is read from `document` as `serde_json` reads it from `text`, and refused
    /// where it refuses it.
    fn agrees<T: DeserializeOwned + PartialEq + fmt::Debug>(document: &Document<'_>, text: &str) {
        let (ours, theirs) = (document.read::<T>(), serde_json::from_str::<T>(text));
        match (&ours, &theirs) {
            (Ok(ours), Ok(theirs)) => assert_eq!(ours, theirs, "{text}"),
            (Err(_), Err(_)) => {}
            (Err(_), Ok(_)) if text.trim_start().starts_with('[') => {} // an array is no struct
            _ => panic!("{text}: {ours:?}, but serde_json says {theirs:?}"),
        }
    }

    fn all_agree(text: &str) {
        all_agree_on(&Document::new(text), text);
    }

    fn all_agree_on(document: &Document<'_>, text: &str) {
        agrees::<Plain>(document, text);
        agrees::<Nested>(document, text);
        agrees::<Strict>(document, text);
        agrees::<Flat>(document, text);
        agrees::<Either>(document, text);
        agrees::<Wrapped>(document, text);
        agrees::<Unit>(document, text);
        agrees::<Choice>(document, text);
        agrees::<Option<Plain>>(document, text);
        agrees::<Vec<Plain>>(document, text);
        agrees::<(String, u8)>(document, text);
        agrees::<BTreeMap<String, Value>>(document, text);
        agrees::<Value>(document, text);
        agrees::<String>(document, text);
        agrees::<f64>(document, text);
        agrees::<u64>(document, text);
        agrees::<bool>(document, text);
        agrees::<()>(document, text);
    }

    /// Values whose members have the names of the structs above.
    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            (-3_i64..300).prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "[abc\\\\\"\né]{0,3}".prop_map(Value::from),
        ];
        let name = prop_oneof!["[a-h]", Just("e\"é".to_owned())];
        leaf.prop_recursive(4, 24, 6, move |inner| {
            let members = prop::collection::vec((name.clone(), inner.clone()), 0..6);
            prop_oneof![
                prop::collection::vec(inner, 0..3).prop_map(Value::from),
                members.prop_map(|members| Value::from(Map::from_iter(members))),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn types_are_read_as_serde_json_reads_them(value in value(), is_spaced in any::<bool>()) {
            let text = if is_spaced { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
            all_agree(&text.unwrap());
        }

        #[test]
        fn members_that_are_hidden_are_as_if_they_were_not_there(value in value(), name in "[@ac]") {
            let Value::Object(mut members) = value else { return Ok(()) };
            // `@` stands in no struct; `a` and `c` do in all of them.
            let hidden = match &*name { "@" => "@type", "a" => "a", _ => "c" };
            members.insert(hidden.to_owned(), "t/a.B".into());
            let whole = Value::from(members.clone()).to_string();
            members.remove(hidden);
            all_agree_on(&Document::without(&whole, hidden), &Value::from(members).to_string());
        }

        #[test]
        fn a_damaged_text_is_refused_as_serde_json_refuses_it(value in value(), at in any::<prop::sample::Index>()) {
            let text = value.to_string();
            let at = text.char_indices().map(|(at, _)| at).nth(at.index(text.chars().count())).unwrap();
            all_agree(&text[..at]);
            all_agree(&[&text[..at], ",", &text[at..]].concat());
            all_agree(&[&text, "}"].concat());
        }
    }

    #[test]
    fn what_is_rare_is_read_as_serde_json_reads_it() {
        for text in [
            r#"{"a":"x","a":"y"}"#,
            r#"{"\u0061":"x","b":1.0,"d":1}"#,
            r#"{"a":"\ud83d\ude00","b":4294967296}"#,
            r#"{"a":"x","b":-1}"#,
            r#"{"a":"x","d":1e400}"#,
            r#"{"a":"x","b":170141183460469231731687303715884105727}"#,
            r#"{"b":170141183460469231731687303715884105727,"c":16777217}"#,
            "{\"a\" : \"x\" , \"c\" : true }\n",
            " null ",
            "",
            "nul",
            "[]",
            r#"["x",1,true,1.5,2]"#,
            r#"{"a":{"a":{"a":{"b":[{"a":"x"}]}}},"f":"é","g":null,"e":[1,"x"],"d":{"a":"x"}}"#,
            r#"{"c":"a"}"#,
            r#"{"c":{"b":7}}"#,
            r#"{"c":{"c":{"a":"x"}}}"#,
            r#"{"unknown":[{}],"a":"x"}"#,
        ] {
            all_agree(text);
        }
        all_agree(&(r#"{"a":"#.repeat(200) + &"}".repeat(200)));
        all_agree(&("[".repeat(100_000) + &"]".repeat(100_000)));
    }

    #[test]
    fn a_field_may_keep_its_text() {
        #[derive(Deserialize)]
        struct Kept {
            kept: Box<RawValue>,
        }
        let kept = Document::new(r#"{"kept":{"n":1.0000000000000000001}}"#).read::<Kept>().unwrap().kept;
        assert_eq!(kept.get(), r#"{"n":1.0000000000000000001}"#);
    }

    #[test]
    fn errors_name_what_is_wrong() {
        let said = |text: &str| Document::new(text).read::<Plain>().unwrap_err().to_string();
        assert_eq!(said("{}"), "missing field `a`");
        assert_eq!(said(r#"{"a":"x","a":"x"}"#), "duplicate field `a`");
        assert!(
            said(r#"{"a":7}"#).starts_with("invalid type: integer `7`, expected a string"),
            "{}",
            said(r#"{"a":7}"#)
        );
        assert!(said("[]").starts_with("invalid type: sequence, expected an object"), "{}", said("[]"));
    }
}
