//! What one execution reads, as bytes: one form for a seed's generator and for a fuzzer that
//! mutates bytes.

use http::{HeaderName, HeaderValue};
use lro_runtime::{
    dialect::Cursor,
    transport::{Reply, Request},
};

use crate::recorded::start_request;

/// A start call, a cursor, and the reply that is read.
///
/// In bytes: the service, what is planted, the status in two bytes; then, each ended by a zero, the
/// start call (`METHOD TARGET`), the cursor's key, its parts (`name=value` lines), the headers
/// (`name: value` lines); then the body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Case {
    /// Which service reads it; counted round and round.
    pub service: u8,
    /// Where a secret is planted, a bit for each place.
    pub planted: u8,
    /// The status of the reply; one that HTTP does not have reads as another.
    pub status: u16,
    /// The start call.
    pub start: Vec<u8>,
    /// The cursor's key.
    pub key: Vec<u8>,
    /// The cursor's parts.
    pub parts: Vec<u8>,
    /// The reply's headers.
    pub headers: Vec<u8>,
    /// The reply's body.
    pub body: Vec<u8>,
}

impl Case {
    /// Reads a case from any bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let (head, rest) = bytes.split_at(bytes.len().min(4));
        let mut head = head.iter().copied().chain(std::iter::repeat(0));
        let mut next = || head.next().unwrap_or_default();
        let (service, planted, status) = (next(), next(), u16::from_be_bytes([next(), next()]));
        let mut texts = rest.splitn(5, |byte| *byte == 0).map(<[u8]>::to_vec);
        let mut next = || texts.next().unwrap_or_default();
        let (start, key, parts, headers) = (next(), next(), next(), next());
        Self { service, planted, status, start, key, parts, headers, body: next() }
    }

    /// Writes the case as bytes. A zero inside a text but the body is left out.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut out = vec![self.service, self.planted];
        out.extend(self.status.to_be_bytes());
        for text in [&self.start, &self.key, &self.parts, &self.headers] {
            out.extend(text.iter().filter(|byte| **byte != 0));
            out.push(0);
        }
        out.extend(&self.body);
        out
    }

    /// Returns the request of the start call.
    #[must_use]
    pub fn request(&self) -> Request {
        start_request(&String::from_utf8_lossy(&self.start))
    }

    /// Returns the reply. A header that could not arrive is left out.
    #[must_use]
    pub fn reply(&self) -> Reply {
        let mut reply = Reply::new(self.body.clone().into());
        let status = if (100..1000).contains(&self.status) { self.status } else { 100 + self.status % 900 };
        *reply.status_mut() = status.try_into().unwrap_or_default();
        for line in self.headers.split(|byte| *byte == b'\n') {
            let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
            let (name, value) = line.split_at(colon);
            let value = value.get(1..).unwrap_or_default().trim_ascii();
            if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.trim_ascii()), HeaderValue::from_bytes(value)) {
                reply.headers_mut().append(name, value);
            }
        }
        reply
    }

    /// Returns the cursor: of this key and these parts.
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        let parts = String::from_utf8_lossy(&self.parts);
        let parts = parts.lines().filter_map(|line| line.split_once('='));
        let cursor = Cursor::new(String::from_utf8_lossy(&self.key));
        parts.fold(cursor, |cursor, (name, value)| cursor.with(name.to_owned(), value))
    }
}
