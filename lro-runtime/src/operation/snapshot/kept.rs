//! What the last reply said, in a stored form: a token has none of it.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{More, Snapshot, StoredPayload};
use crate::{dialect::Encoding, status::State};

/// What the last reply of an operation said. The bytes of its body and of its payloads stand
/// beside it, one behind the other.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeptReply {
    state: State,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    raw_status: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_unknown_status: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    progress: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    /// How many of the bytes are the body's.
    #[serde(default, skip_serializing_if = "is_zero")]
    body: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    metadata: Option<KeptPayload>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    response: Option<KeptPayload>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// Where a payload lies among the bytes: `from` the first `to` the last, which is not part of it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptPayload {
    from: u32,
    to: u32,
    encoding: KeptEncoding,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum KeptEncoding {
    Json,
    JsonAny,
    ProtoAny,
}

impl Snapshot {
    /// Returns what the last reply said, and appends its bytes to `bytes`; without them unless
    /// `with_body`.
    pub(crate) fn kept(&self, with_body: bool, bytes: &mut Vec<u8>) -> KeptReply {
        let first = bytes.len();
        // What does not fit into 4 GiB is as good as not there; no transport reads as much.
        let at = |length: usize| u32::try_from(length - first).unwrap_or_default();
        let mut kept = KeptReply {
            state: self.state,
            raw_status: self.more().raw_status.as_deref().map(str::to_owned),
            is_unknown_status: !self.is_known_status,
            progress: self.more().progress,
            message: self.more().status_message.as_deref().map(str::to_owned),
            body: 0,
            metadata: None,
            response: None,
        };
        if !with_body {
            return kept;
        }
        bytes.extend_from_slice(self.body());
        kept.body = at(bytes.len());
        let mut keep = |payload: &StoredPayload| match payload {
            StoredPayload::InBody { start, end, encoding } => {
                KeptPayload { from: *start, to: *end, encoding: (*encoding).into() }
            }
            StoredPayload::Own(own) => {
                let from = at(bytes.len());
                bytes.extend_from_slice(&own.0);
                KeptPayload { from, to: at(bytes.len()), encoding: own.1.into() }
            }
        };
        kept.metadata = self.metadata.as_ref().map(&mut keep);
        kept.response = self.more().response.as_ref().map(&mut keep);
        kept
    }

    /// Takes over what the last reply said.
    pub(crate) fn restore(&mut self, kept: KeptReply, bytes: &Bytes) {
        let KeptReply { state, raw_status, is_unknown_status, progress, message, body, metadata, response } = kept;
        let part = |from: u32, to: u32| {
            let (from, to) = (from as usize, to as usize);
            if from <= to && to <= bytes.len() { bytes.slice(from..to) } else { Bytes::new() }
        };
        let payload = |kept: KeptPayload| {
            let KeptPayload { from, to, encoding } = kept;
            if to <= body && from <= to {
                StoredPayload::InBody { start: from, end: to, encoding: encoding.into() }
            } else {
                StoredPayload::own(part(from, to), encoding.into())
            }
        };
        self.state = state;
        self.is_known_status = !is_unknown_status;
        self.metadata = metadata.map(payload);
        self.set_more(More {
            raw_status: raw_status.map(Into::into),
            response: response.map(payload),
            progress,
            status_message: message.map(Into::into),
            ..self.more().clone()
        });
        self.body = Some(part(0, body));
    }
}

impl From<Encoding> for KeptEncoding {
    fn from(encoding: Encoding) -> Self {
        match encoding {
            Encoding::Json => Self::Json,
            Encoding::JsonAny => Self::JsonAny,
            Encoding::ProtoAny => Self::ProtoAny,
        }
    }
}

impl From<KeptEncoding> for Encoding {
    fn from(encoding: KeptEncoding) -> Self {
        match encoding {
            KeptEncoding::Json => Self::Json,
            KeptEncoding::JsonAny => Self::JsonAny,
            KeptEncoding::ProtoAny => Self::ProtoAny,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_the_same_after_it_was_kept_and_restored() {
        let mut snapshot = Snapshot::unpolled("operations/7", "google", None, None);
        snapshot.state = State::Succeeded;
        snapshot.body = Some(Bytes::from_static(b"{\"done\":true,\"response\":[1,2]}"));
        snapshot.more_mut().response = Some(StoredPayload::InBody { start: 24, end: 29, encoding: Encoding::JsonAny });
        snapshot.metadata = Some(StoredPayload::own(Bytes::from_static(b"99"), Encoding::Json));
        (snapshot.more_mut().progress, snapshot.more_mut().raw_status) = (Some(0.5), Some("DONE".into()));
        for with_body in [true, false] {
            let mut bytes = b"before".to_vec();
            let kept = snapshot.kept(with_body, &mut bytes);
            let json = serde_json::to_vec(&kept).unwrap();
            let mut restored = Snapshot::unpolled("operations/7", "google", None, None);
            restored.restore(serde_json::from_slice(&json).unwrap(), &Bytes::from(bytes).slice(6..));
            let said = |snapshot: &Snapshot| {
                let payload = |payload: Option<crate::dialect::Payload<'_>>| {
                    payload.map(|payload| (payload.bytes().to_vec(), payload.encoding()))
                };
                (snapshot.body().clone(), payload(snapshot.metadata()), payload(snapshot.response()))
            };
            if with_body {
                assert_eq!(said(&restored), said(&snapshot));
            } else {
                assert_eq!(said(&restored), (Bytes::new(), None, None));
            }
            assert_eq!((restored.state, restored.more().progress), (State::Succeeded, Some(0.5)));
            assert_eq!(restored.more().raw_status.as_deref(), Some("DONE"));
        }
    }

    #[test]
    fn ranges_that_lie_nowhere_are_empty_and_nothing_panics() {
        for (from, to, body) in [(5, 3, 10), (0, 100, 100), (7, 9, 2), (u32::MAX, u32::MAX, u32::MAX)] {
            let kept = format!(
                "{{\"state\":\"failed\",\"body\":{body},\"metadata\":{{\"from\":{from},\"to\":{to},\"encoding\":\"json\"}}}}"
            );
            let mut snapshot = Snapshot::unpolled("operations/7", "google", None, None);
            snapshot.restore(serde_json::from_str(&kept).unwrap(), &Bytes::from_static(b"1234"));
            assert_eq!(snapshot.metadata().unwrap().bytes(), b"");
        }
    }
}
