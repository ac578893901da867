//! Finds members of a JSON message by their paths, without decoding them.
//!
//! Every poll of a declared type runs this code, so it does as little as possible for members that
//! are not declared. It relies on:
//!
//! - `serde_json`'s [`RawValue`]: a member is a slice of the body, checked to be JSON, not decoded
//!   and not copied. A payload that is never asked for costs no more than that.
//! - `serde_json`'s way to skip a value ([`IgnoredAny`] and [`RawValue`] alike), which does not
//!   recurse: nesting in the body cannot overflow the stack. The recursion here is as deep as the
//!   longest declared path.
//! - a fixed set of at most 32 paths, known at compile time: a set of paths is a `u32`, and all
//!   tables are arrays.
//!
//! The time is linear in the length of the body: a byte is read once to check for UTF-8, and at
//! most once for each step of the longest path.
//!
//! A struct that derives `Deserialize` would not do: it refuses a member that is there under its
//! key and an alias, it accepts an array in place of the object, and every declared type would
//! bring a reader of its own.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::wire_path::WirePath;
#[cfg(test)]
use crate::dialect::json::counted;
use crate::dialect::json::not_an_object;

/// The number of kinds of keys. A kind is a cheap hash of a key, by which most keys are ruled out
/// without comparing them.
///
/// The number is a trade: each kind takes four bytes in every shape, and two keys of the same kind
/// cost no more than a comparison.
const KEY_KINDS: usize = 16;

/// Returns the kind of a key, from its length and first byte.
const fn kind(key: &[u8]) -> usize {
    match key {
        [first, ..] => (key.len() ^ *first as usize) % KEY_KINDS,
        [] => 0,
    }
}

/// At most 32 paths, with tables that are made at compile time.
///
/// Most keys of a message are on no path. With the tables, the kind of such a key usually suffices
/// to skip it; without them it would be compared with the first key of every path.
#[derive(Clone, Copy, Debug)]
pub(in crate::dialect) struct Paths<const N: usize> {
    all: [WirePath; N],
    /// For each kind, the set of paths whose first step has a key of that kind.
    first_keys: [u32; KEY_KINDS],
    /// The set of paths of one step.
    one_step: u32,
}

impl<const N: usize> Paths<N> {
    /// No paths yet: every slot is one that leads nowhere.
    pub(in crate::dialect) const NONE: Self =
        Self { all: [WirePath::NOWHERE; N], first_keys: [0; KEY_KINDS], one_step: 0 };

    /// Sets the path at `index`.
    #[expect(clippy::indexing_slicing, reason = "an index beyond the paths does not compile: shapes are constants")]
    pub(in crate::dialect) const fn with(mut self, index: usize, path: WirePath) -> Self {
        self.all[index] = path;
        // A slot may be set twice. Its bit in `one_step` is cleared first; bits of the old path in
        // `first_keys` stay, and cost one comparison that fails.
        self.one_step = self.one_step & !(1 << index) | (path.ends_at(0) as u32) << index;
        // `while let`, because a `for` loop is not possible in a `const fn`.
        let mut keys = path.keys(0);
        while let [key, others @ ..] = keys {
            self.first_keys[kind(key.as_bytes())] |= 1 << index;
            keys = others;
        }
        self
    }

    /// Returns the path at `index`.
    #[expect(clippy::indexing_slicing, reason = "an index beyond the paths does not compile: shapes are constants")]
    pub(in crate::dialect) const fn at(&self, index: usize) -> WirePath {
        self.all[index]
    }
}

/// Finds the members at `paths` and stores each in the slot of `found` with its path's index. Fails
/// if `json` is not a JSON object.
///
/// A member that is `null` counts as absent. Of a member that is there twice, such as under its key
/// and under an alias, the last counts, as everywhere in JSON: what was found below the others is
/// forgotten. The found members are slices of `json`: nothing is copied.
pub(in crate::dialect) fn seek<'a, const N: usize>(
    json: &'a [u8],
    paths: &Paths<N>,
    found: &mut [Option<&'a RawValue>; N],
) -> serde_json::Result<()> {
    #[cfg(test)]
    counted::add(json.len());
    if let Some(error) = not_an_object(json) {
        return Err(error);
    }
    let Paths { all, first_keys, one_step } = paths;
    // Slots that lead nowhere are active as well: no key matches them.
    let walk = Walk { paths: all, first_keys: Some(first_keys), ends: *one_step, found, depth: 0, active: u32::MAX };
    // Text is checked for UTF-8 once; from bytes, `serde_json` checks every found member again. A
    // body that is not UTF-8 is read from bytes all the same: the bad bytes may be in a member that
    // is skipped, such as a log.
    match std::str::from_utf8(json) {
        Ok(text) => walk.run(serde_json::Deserializer::from_str(text)),
        Err(_) => walk.run(serde_json::Deserializer::from_slice(json)),
    }
}

/// Calls `visit` with each index in a set, from the lowest.
fn each(mut set: u32, mut visit: impl FnMut(usize)) {
    while set != 0 {
        visit(set.trailing_zeros() as usize);
        // Clears the lowest bit. The subtraction cannot overflow: the set is not empty.
        set &= set - 1;
    }
}

/// Returns the subset of the indices that pass.
fn filter(set: u32, mut passes: impl FnMut(usize) -> bool) -> u32 {
    let mut kept = 0;
    each(set, |index| kept |= u32::from(passes(index)) << index);
    kept
}

/// The visit of one object of the message.
struct Walk<'p, 'f, 'a> {
    paths: &'p [WirePath],
    /// The table of kinds, for the outermost object only: inside a member, the key that led there
    /// has already narrowed `active` to a few paths.
    first_keys: Option<&'p [u32; KEY_KINDS]>,
    /// The set of paths whose last step is in this object.
    ends: u32,
    found: &'f mut [Option<&'a RawValue>],
    /// Which step of a path the keys of this object are compared with.
    depth: usize,
    /// The set of paths that lead into this object.
    active: u32,
}

impl<'a> Walk<'_, '_, 'a> {
    /// Visits the whole text, after which nothing but white space may follow.
    fn run<R: serde_json::de::Read<'a>>(self, mut deserializer: serde_json::Deserializer<R>) -> serde_json::Result<()> {
        self.deserialize(&mut deserializer)?;
        deserializer.end()
    }

    /// Returns the set of paths whose step at this depth is `key`.
    fn hits(&self, key: &[u8]) -> u32 {
        // The kind only rules paths out; whether a path has the key is decided by comparing it.
        let of_kind = self.first_keys.and_then(|sets| sets.get(kind(key))).copied().unwrap_or(u32::MAX);
        let goes = |path: &WirePath| path.keys(self.depth).iter().any(|wanted| wanted.as_bytes() == key);
        filter(self.active & of_kind, |index| self.paths.get(index).is_some_and(goes))
    }

    /// Stores a member for the paths that end here, and visits it for those that go on inside.
    #[inline]
    fn store(&mut self, raw: &'a RawValue, hits: u32) {
        if raw.get() == "null" {
            return;
        }
        each(hits & self.ends, |index| {
            if let Some(slot) = self.found.get_mut(index) {
                *slot = Some(raw);
            }
        });
        let deeper = hits & !self.ends;
        // What is below a member goes with it when the member comes again.
        each(deeper, |index| {
            if let Some(slot) = self.found.get_mut(index) {
                *slot = None;
            }
        });
        // A path that goes on inside a string or an array finds nothing. The text of a raw value
        // begins with the value itself, never with white space.
        if deeper != 0 && raw.get().starts_with('{') {
            self.descend(raw, deeper);
        }
    }

    /// Visits an object inside a member, for the paths in `active`.
    fn descend(&mut self, object: &'a RawValue, active: u32) {
        let (paths, depth, found) = (self.paths, self.depth + 1, &mut *self.found);
        let ends = filter(active, |index| paths.get(index).is_some_and(|path| path.ends_at(depth)));
        let walk = Walk { paths, first_keys: None, ends, found, depth, active };
        #[cfg(test)]
        counted::add(object.get().len());
        // The text was read as a value before, so it is well-formed, and nothing here decodes more
        // of it than was checked then.
        let _ = walk.deserialize(&mut serde_json::Deserializer::from_str(object.get()));
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_, '_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(hits) = map.next_key_seed(Key(&self))? {
            if hits == 0 {
                map.next_value::<IgnoredAny>()?;
            } else {
                self.store(map.next_value()?, hits);
            }
        }
        Ok(())
    }
}

/// Reads a key as the set of paths that it is on. The key is compared while it is in the parser's
/// buffer: a `String` per key would be an allocation per key.
struct Key<'w, 'p, 'f, 'a>(&'w Walk<'p, 'f, 'a>);

impl<'de> DeserializeSeed<'de> for Key<'_, '_, '_, '_> {
    type Value = u32;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<u32, D::Error> {
        // As bytes, because a string would have to be Unicode: a key with a lone surrogate
        // (`"\ud800"`) is well-formed JSON, and must not hide the members after it. Such a key is
        // on no path, whatever its bytes are.
        deserializer.deserialize_bytes(self)
    }
}

impl Visitor<'_> for Key<'_, '_, '_, '_> {
    type Value = u32;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_bytes<E>(self, key: &[u8]) -> Result<u32, E> {
        Ok(self.0.hits(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(json: &str, path: WirePath) -> Option<String> {
        let mut found = [None];
        seek(json.as_bytes(), &Paths::NONE.with(0, path), &mut found).unwrap();
        found[0].map(|raw| raw.get().to_owned())
    }

    #[test]
    fn members_are_found_at_any_depth_and_under_any_alias() {
        const DEEP: WirePath = WirePath::at(&[&["status"], &["state"]]);
        const ALIASED: WirePath = WirePath::at(&[&["uid", "taskUid"]]);
        assert_eq!(at(r#"{"x": [1], "status": {"y": {}, "state": "DONE"}}"#, DEEP).as_deref(), Some(r#""DONE""#));
        assert_eq!(at(r#"{"status": "DONE"}"#, DEEP), None);
        assert_eq!(at(r#"{"state": "DONE"}"#, DEEP), None);
        assert_eq!(at(r#"{"taskUid": 7}"#, ALIASED).as_deref(), Some("7"));
        assert_eq!(at(r#"{"uid": null, "taskUid": 7}"#, ALIASED).as_deref(), Some("7"));
        assert_eq!(at(r#"{"uid": 7, "taskUid": null}"#, ALIASED).as_deref(), Some("7"));
        assert_eq!(at(r#"{"u\u0069d": 7}"#, ALIASED).as_deref(), Some("7"));
    }

    #[test]
    fn a_path_without_a_step_leads_nowhere() {
        assert_eq!(at(r#"{"a": 1, "": 2}"#, WirePath::at(&[])), None);
        assert_eq!(at(r#"{"a": 1, "": 2}"#, WirePath::at(&[&[]])), None);
    }

    #[test]
    fn one_member_may_be_wanted_whole_and_in_part() {
        let mut found = [None; 2];
        let paths = Paths::NONE.with(0, WirePath::at(&[&["a"]])).with(1, WirePath::at(&[&["a"], &["b"]]));
        seek(br#"{"a": {"b": 1}}"#, &paths, &mut found).unwrap();
        assert_eq!(found.map(|raw| raw.unwrap().get()), [r#"{"b": 1}"#, "1"]);
    }

    #[test]
    fn a_member_of_another_object_is_another_member() {
        let mut found = [None; 2];
        let paths = Paths::NONE.with(0, WirePath::at(&[&["a"], &["x"]])).with(1, WirePath::at(&[&["b"], &["y"]]));
        seek(br#"{"a": {"y": 1, "x": 2}, "b": 3, "y": 4}"#, &paths, &mut found).unwrap();
        assert_eq!(found.map(|raw| raw.map(RawValue::get)), [Some("2"), None]);
        // Nor does the path into one object go on inside another, before or after what is found
        // there.
        let paths =
            Paths::NONE.with(0, WirePath::at(&[&["a"], &["x"]])).with(1, WirePath::at(&[&["b"], &["y"], &["z"]]));
        for json in [r#"{"a": {"y": {"z": 1}, "x": 2}}"#, r#"{"a": {"x": 2, "y": {"z": 1}}}"#] {
            let mut found = [None; 2];
            seek(json.as_bytes(), &paths, &mut found).unwrap();
            assert_eq!(found.map(|raw| raw.map(RawValue::get)), [Some("2"), None], "{json}");
        }
    }

    #[test]
    fn a_slot_that_is_set_twice_has_the_later_path() {
        let paths = Paths::NONE.with(1, WirePath::at(&[&["a"]])).with(1, WirePath::at(&[&["a"], &["b"]]));
        let mut found = [None; 2];
        seek(br#"{"a": {"b": 1}}"#, &paths, &mut found).unwrap();
        assert_eq!(found.map(|raw| raw.map(RawValue::get)), [None, Some("1")]);
    }

    #[test]
    fn what_is_found_whole_is_not_read_again() {
        let json = r#"{"a": {"b": {"c": [1, 2, 3]}}, "d": 4}"#;
        let read = counted::during(|| drop(at(json, WirePath::at(&[&["a"]]))));
        assert_eq!(read, json.len());
    }

    #[test]
    fn null_is_as_if_it_were_not_there_and_of_two_the_last_counts() {
        const ALIASED: WirePath = WirePath::at(&[&["uid", "taskUid"]]);
        const DEEP: WirePath = WirePath::at(&[&["status", "state"], &["code"]]);
        assert_eq!(at(r#"{"uid": null}"#, ALIASED), None);
        assert_eq!(at(r#"{"taskUid": 1, "uid": 2, "taskUid": 3}"#, ALIASED).as_deref(), Some("3"));
        assert_eq!(at(r#"{"state": {"code": 1}, "status": {"code": 2}}"#, DEEP).as_deref(), Some("2"));
        assert_eq!(at(r#"{"state": {"code": null}, "status": {"code": 2}}"#, DEEP).as_deref(), Some("2"));
    }

    #[test]
    fn a_member_that_comes_again_replaces_all_that_was_found_below_it() {
        const DEEP: WirePath = WirePath::at(&[&["a"], &["b"], &["c"]]);
        for json in [
            r#"{"a": {"b": {"c": 1}}, "a": {"x": 2}}"#,
            r#"{"a": {"b": {"c": 1}}, "a": "text"}"#,
            r#"{"a": {"b": {"c": 1}}, "a": [{"b": {"c": 2}}]}"#,
            r#"{"a": {"b": {"c": 1}, "b": 2}}"#,
        ] {
            assert_eq!(at(json, DEEP), None, "{json}");
        }
        // `null` is as if it were not there.
        for json in [
            r#"{"a": {"b": {"c": 1}}, "a": null}"#,
            r#"{"a": {"b": {"c": 1}, "b": null}}"#,
            r#"{"a": 7, "a": {"b": {"c": 1, "c": null}}}"#,
        ] {
            assert_eq!(at(json, DEEP).as_deref(), Some("1"), "{json}");
        }
        // What is found whole, and what is found in it, are of one and the same member.
        let mut found = [None; 3];
        let paths = Paths::NONE
            .with(0, WirePath::at(&[&["a"]]))
            .with(1, WirePath::at(&[&["a"], &["b"]]))
            .with(2, WirePath::at(&[&["d"], &["b"]]));
        seek(br#"{"d": {"b": 3}, "a": {"b": 1}, "a": {"x": 2}}"#, &paths, &mut found).unwrap();
        assert_eq!(found.map(|raw| raw.map(RawValue::get)), [Some(r#"{"x": 2}"#), None, Some("3")]);
    }

    #[test]
    fn keys_of_one_kind_are_told_apart() {
        const LONG: WirePath = WirePath::at(&[&["a_key_of_more_than_sixteen_bytes", ""]]);
        assert_eq!(at(r#"{"a_key_of_more_than_sixteen_bytez": 1, "": 2}"#, LONG).as_deref(), Some("2"));
        assert_eq!(at(r#"{"a_key_of_16_byte": 1, "a_key_of_more_than_sixteen_bytes": 2}"#, LONG).as_deref(), Some("2"));
    }

    #[test]
    fn json_that_is_not_an_object_is_an_error() {
        for body in ["", "[]", "7", "null", "{", "{}x", "<html>"] {
            assert!(seek(body.as_bytes(), &Paths::NONE, &mut []).is_err(), "{body}");
        }
        let error = seek(b"[]", &Paths::NONE, &mut []).unwrap_err().to_string();
        assert!(error.contains("expected an object"), "{error}");
    }

    #[test]
    fn a_key_that_is_not_unicode_hides_no_other_member() {
        const DEEP: WirePath = WirePath::at(&[&["a"], &["b"]]);
        for json in
            [r#"{"\ud800": 1, "a": {"\udc00\ud800": 2, "b": 3}, "\ud800": 4}"#, r#"{"a": {"\ud800b": 1, "b": 3}}"#]
        {
            assert_eq!(at(json, DEEP).as_deref(), Some("3"), "{json}");
        }
        let mut found = [None];
        let bytes = [b"{\"\xff\": {\"\xff\": \"\xff\"}, ".as_slice(), br#""a": {"b": 3}}"#].concat();
        seek(&bytes, &Paths::NONE.with(0, DEEP), &mut found).unwrap();
        assert_eq!(found[0].map(RawValue::get), Some("3"));
    }
}
