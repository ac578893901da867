//! Finds members of a JSON message by their paths, in one pass, and decodes nothing.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::wire_path::WirePath;

/// How many kinds of keys are told apart before they are compared.
const KINDS: usize = 16;

/// The kind of a key, by its length and first byte.
const fn kind(key: &str) -> usize {
    match key.as_bytes() {
        [first, ..] => (key.len() ^ *first as usize) % KINDS,
        [] => 0,
    }
}

/// At most 32 paths, and what of them can be known before there is a message: most of its keys are on no path, which their kind tells alone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paths<const N: usize> {
    all: [WirePath; N],
    /// Those that begin with a key of this kind.
    begin_with: [u32; KINDS],
    /// Those of one step.
    ends: u32,
}

impl<const N: usize> Paths<N> {
    pub(super) const NONE: Self = Self { all: [WirePath::NOWHERE; N], begin_with: [0; KINDS], ends: 0 };

    #[expect(clippy::indexing_slicing, reason = "an index beyond the paths does not compile: shapes are constants")]
    pub(super) const fn with(mut self, index: usize, path: WirePath) -> Self {
        self.all[index] = path;
        self.ends = self.ends & !(1 << index) | (path.ends_at(0) as u32) << index;
        let mut keys = path.keys(0);
        while let [key, others @ ..] = keys {
            self.begin_with[kind(key)] |= 1 << index;
            keys = others;
        }
        self
    }

    #[expect(clippy::indexing_slicing, reason = "an index beyond the paths does not compile: shapes are constants")]
    pub(super) const fn at(&self, index: usize) -> WirePath {
        self.all[index]
    }
}

/// The members at `paths`, each in the slot of `found` with its path's index.
///
/// Allocates nothing. `null` is as if it were not there. Of a member that is there twice, under its key and an alias say, the first counts.
pub(super) fn seek<'a, const N: usize>(
    json: &'a [u8],
    paths: &Paths<N>,
    found: &mut [Option<&'a RawValue>; N],
) -> serde_json::Result<()> {
    let Paths { all, begin_with, ends } = paths;
    let walk = Walk { paths: all, begin_with: Some(begin_with), ends: *ends, found, depth: 0, active: u32::MAX };
    // Checked for UTF-8 once, not once per member. What is not may still have members that can be read.
    match std::str::from_utf8(json) {
        Ok(text) => walk.over(serde_json::Deserializer::from_str(text)),
        Err(_) => walk.over(serde_json::Deserializer::from_slice(json)),
    }
}

/// Visits the indices in a set.
fn each(mut set: u32, mut visit: impl FnMut(usize)) {
    while set != 0 {
        visit(set.trailing_zeros() as usize);
        set &= set - 1;
    }
}

/// The indices in a set that pass.
fn filter(set: u32, mut passes: impl FnMut(usize) -> bool) -> u32 {
    let mut kept = 0;
    each(set, |index| kept |= u32::from(passes(index)) << index);
    kept
}

/// One object: the paths in `active` may go through it, with their step `depth`.
struct Walk<'p, 'f, 'a> {
    paths: &'p [WirePath],
    /// Of the outermost object: which paths a key of some kind may be on.
    begin_with: Option<&'p [u32; KINDS]>,
    /// The paths that end in this object, if they go through it.
    ends: u32,
    found: &'f mut [Option<&'a RawValue>],
    depth: usize,
    active: u32,
}

impl<'a> Walk<'_, '_, 'a> {
    fn over<R: serde_json::de::Read<'a>>(
        self,
        mut deserializer: serde_json::Deserializer<R>,
    ) -> serde_json::Result<()> {
        self.deserialize(&mut deserializer)?;
        deserializer.end()
    }

    /// The paths that go through this key.
    fn hits(&self, key: &str) -> u32 {
        let of_kind = self.begin_with.and_then(|sets| sets.get(kind(key))).copied().unwrap_or(u32::MAX);
        let goes = |path: &WirePath| path.keys(self.depth).contains(&key);
        filter(self.active & of_kind, |index| self.paths.get(index).is_some_and(goes))
    }

    #[inline]
    fn take(&mut self, raw: &'a RawValue, hits: u32) {
        if raw.get() == "null" {
            return;
        }
        each(hits & self.ends, |index| {
            if let Some(slot @ None) = self.found.get_mut(index) {
                *slot = Some(raw);
            }
        });
        self.active &= !(hits & self.ends); // no later key is held against them
        let deeper = hits & !self.ends;
        if deeper != 0 && raw.get().starts_with('{') {
            self.descend(raw, deeper);
        }
    }

    fn descend(&mut self, object: &'a RawValue, active: u32) {
        let (paths, depth, found) = (self.paths, self.depth + 1, &mut *self.found);
        let ends = filter(active, |index| paths.get(index).is_some_and(|path| path.ends_at(depth)));
        let walk = Walk { paths, begin_with: None, ends, found, depth, active };
        // It was read as a value before, so that it is one.
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
                self.take(map.next_value()?, hits);
            }
        }
        Ok(())
    }
}

/// A key, read as the set of paths that go through it.
struct Key<'w, 'p, 'f, 'a>(&'w Walk<'p, 'f, 'a>);

impl<'de> DeserializeSeed<'de> for Key<'_, '_, '_, '_> {
    type Value = u32;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<u32, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_, '_, '_, '_> {
    type Value = u32;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<u32, E> {
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
    }

    #[test]
    fn null_is_as_if_it_were_not_there_and_of_two_the_first_counts() {
        const ALIASED: WirePath = WirePath::at(&[&["uid", "taskUid"]]);
        const DEEP: WirePath = WirePath::at(&[&["status", "state"], &["code"]]);
        assert_eq!(at(r#"{"uid": null}"#, ALIASED), None);
        assert_eq!(at(r#"{"taskUid": 1, "uid": 2, "taskUid": 3}"#, ALIASED).as_deref(), Some("1"));
        assert_eq!(at(r#"{"state": {"code": 1}, "status": {"code": 2}}"#, DEEP).as_deref(), Some("1"));
        assert_eq!(at(r#"{"state": {"code": null}, "status": {"code": 2}}"#, DEEP).as_deref(), Some("2"));
    }

    #[test]
    fn keys_of_one_kind_are_told_apart() {
        const LONG: WirePath = WirePath::at(&[&["a_key_of_more_than_sixteen_bytes", ""]]);
        assert_eq!(at(r#"{"a_key_of_more_than_sixteen_bytez": 1, "": 2}"#, LONG).as_deref(), Some("2"));
        assert_eq!(at(r#"{"a_key_of_16_byte": 1, "a_key_of_more_than_sixteen_bytes": 2}"#, LONG).as_deref(), Some("2"));
    }

    #[test]
    fn what_is_no_object_is_an_error() {
        for body in ["", "[]", "7", "null", "{", "{}x", "<html>"] {
            assert!(seek(body.as_bytes(), &Paths::NONE, &mut []).is_err(), "{body}");
        }
        assert!(seek(b"{\"\xff\": 1}", &Paths::NONE, &mut []).is_err());
    }
}
