//! Finds members of a JSON message by their paths, in one pass, and decodes nothing.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::shape::WirePath;

/// The members at `paths`, each in the slot of `found` with its path's index. At most 32 paths.
///
/// Allocates nothing. Of a member that is there twice, under its key and an alias say, the first that is not `null` counts.
pub(super) fn seek<'a>(
    json: &'a [u8],
    paths: &[WirePath],
    found: &mut [Option<&'a RawValue>],
) -> serde_json::Result<()> {
    let walk = Walk { paths, found, depth: 0, active: declared(paths) };
    // Checked for UTF-8 once, not once per member. What is not may still have members that can be read.
    match std::str::from_utf8(json) {
        Ok(text) => walk.over(serde_json::Deserializer::from_str(text)),
        Err(_) => walk.over(serde_json::Deserializer::from_slice(json)),
    }
}

/// The paths that lead somewhere: most of a shape's do not, and every key is held against those that do.
fn declared(paths: &[WirePath]) -> u32 {
    let leads = |path: &WirePath| path.step(0).is_some();
    paths.iter().zip(0..u32::BITS).filter(|(path, _)| leads(path)).fold(0, |set, (_, index)| set | 1 << index)
}

/// The indices in a set.
fn indices(mut set: u32) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let index = set.trailing_zeros();
        set &= set.wrapping_sub(1);
        (index < 32).then_some(index as usize)
    })
}

/// One object: the paths in `active` go through it, with their step `depth`.
struct Walk<'p, 'f, 'a> {
    paths: &'p [WirePath],
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

    fn take(&mut self, raw: &'a RawValue, hits: u32) {
        let mut deeper = 0;
        for index in indices(hits) {
            let Some(slot) = self.found.get_mut(index) else { continue };
            match self.paths.get(index).and_then(|path| path.step(self.depth)) {
                Some((_, true)) if slot.is_none_or(|known| known.get() == "null") => {
                    *slot = Some(raw);
                    // Found for good: no later key is held against it.
                    self.active &= !(u32::from(raw.get() != "null") << index);
                }
                Some((_, false)) => deeper |= 1 << index,
                _ => {}
            }
        }
        if deeper != 0 && raw.get().starts_with('{') {
            let mut deserializer = serde_json::Deserializer::from_str(raw.get());
            let walk = Walk { paths: self.paths, found: self.found, depth: self.depth + 1, active: deeper };
            // It was read as a value before, so that it is one.
            let _ = walk.deserialize(&mut deserializer);
        }
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
        while let Some(hits) = map.next_key_seed(Key { paths: self.paths, depth: self.depth, active: self.active })? {
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
struct Key<'p> {
    paths: &'p [WirePath],
    depth: usize,
    active: u32,
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = u32;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<u32, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = u32;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<u32, E> {
        let goes = |path: &WirePath| path.step(self.depth).is_some_and(|(keys, _)| keys.contains(&key));
        let hits = indices(self.active).filter(|index| self.paths.get(*index).is_some_and(goes));
        Ok(hits.fold(0, |hits, index| hits | 1 << index))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(json: &str, path: WirePath) -> Option<String> {
        let mut found = [None];
        seek(json.as_bytes(), &[path], &mut found).unwrap();
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
        let paths = [WirePath::at(&[&["a"]]), WirePath::at(&[&["a"], &["b"]])];
        seek(br#"{"a": {"b": 1}}"#, &paths, &mut found).unwrap();
        assert_eq!(found.map(|raw| raw.unwrap().get()), [r#"{"b": 1}"#, "1"]);
    }

    #[test]
    fn a_member_of_another_object_is_another_member() {
        let mut found = [None; 2];
        let paths = [WirePath::at(&[&["a"], &["x"]]), WirePath::at(&[&["b"], &["y"]])];
        seek(br#"{"a": {"y": 1, "x": 2}, "b": 3, "y": 4}"#, &paths, &mut found).unwrap();
        assert_eq!(found.map(|raw| raw.map(RawValue::get)), [Some("2"), None]);
    }

    #[test]
    fn what_is_no_object_is_an_error() {
        for body in ["", "[]", "7", "null", "{", "{}x", "<html>"] {
            assert!(seek(body.as_bytes(), &[], &mut []).is_err(), "{body}");
        }
        assert!(seek(b"{\"\xff\": 1}", &[], &mut []).is_err());
    }
}
