//! What a turn gave: what is journaled of it, in place of replies and pages.

use bytes::{Buf, BufMut, Bytes};
use restate_sdk::serde::{Deserialize as Read, Serialize as Write};
use serde::{Deserialize, Serialize};

use crate::{ended::Ended, meta::Meta, turn::Watched};

/// See the module.
#[derive(Clone, Debug, Default)]
pub(crate) struct Digest {
    pub(crate) head: Head,
    /// The keys of the state that have changed; `None` for what is gone.
    pub(crate) changes: Vec<(String, Option<Bytes>)>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Head {
    /// Nothing was done, because this process does not have the group in memory.
    pub(crate) is_cold: bool,
    pub(crate) meta: Meta,
    /// When it was made, in milliseconds since 1970.
    pub(crate) at: u64,
    /// After how many milliseconds something is due; `None` if nothing is left.
    pub(crate) due_in: Option<u64>,
    /// How many requests were sent.
    pub(crate) requests: u64,
    /// For how many milliseconds the origin is not to be asked.
    pub(crate) pause: u64,
    pub(crate) ended: Vec<Ended>,
    pub(crate) watched: Vec<Watched>,
    /// Whether there was such an operation.
    pub(crate) is_known: bool,
    /// Why what was asked for cannot be.
    pub(crate) refused: Option<String>,
    /// Keys and lengths of the changes.
    pub(crate) lengths: Vec<(String, Option<usize>)>,
}

impl Write for Digest {
    type Error = serde_json::Error;

    /// The length of the head, the head as JSON, and the changes one after the other: they are no
    /// JSON, and as such would be four times as long.
    fn serialize(&self) -> Result<Bytes, Self::Error> {
        let mut head = self.head.clone();
        head.lengths = self.changes.iter().map(|(key, value)| (key.clone(), value.as_ref().map(Bytes::len))).collect();
        let head = serde_json::to_vec(&head)?;
        let mut bytes = Vec::with_capacity(head.len() + 4);
        bytes.put_u32(u32::try_from(head.len()).unwrap_or(u32::MAX));
        bytes.put_slice(&head);
        self.changes.iter().filter_map(|(_, value)| value.as_ref()).for_each(|value| bytes.put_slice(value));
        Ok(bytes.into())
    }
}

impl Read for Digest {
    type Error = serde_json::Error;

    fn deserialize(bytes: &mut Bytes) -> Result<Self, Self::Error> {
        let short = || serde::de::Error::custom("the digest of a turn is too short");
        let mut bytes = bytes.clone();
        let length = bytes.try_get_u32().map_err(|_| short())? as usize;
        if bytes.len() < length {
            return Err(short());
        }
        let mut head: Head = serde_json::from_slice(&bytes.split_to(length))?;
        let mut changes = Vec::with_capacity(head.lengths.len());
        for (key, length) in std::mem::take(&mut head.lengths) {
            if length.is_some_and(|length| bytes.len() < length) {
                return Err(short());
            }
            changes.push((key, length.map(|length| bytes.split_to(length))));
        }
        Ok(Self { head, changes })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests may fail")]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_read_as_it_was_written_and_a_cut_one_is_an_error() {
        let changes = vec![
            ("ops/0".to_owned(), Some(Bytes::from_static(&[1, 2, 255]))),
            ("ops/1".to_owned(), None),
            ("due/0".to_owned(), Some(Bytes::from_static(b"due"))),
        ];
        let digest = Digest { head: Head { at: 17, ..Head::default() }, changes };
        let written = digest.serialize().unwrap();
        let read = Digest::deserialize(&mut written.clone()).unwrap();
        assert_eq!((read.head.at, read.changes), (17, digest.changes));
        for length in 0..written.len() {
            assert!(Digest::deserialize(&mut written.slice(..length)).is_err(), "{length}");
        }
    }
}
