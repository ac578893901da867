//! One look at an operation, and how the next one follows from it.

use std::{
    borrow::Cow,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use bytes::Bytes;

use crate::{
    dialect::{Cursor, Dialect, Encoding, Observation, Part, Payload},
    hint::Hint,
    message::Request,
    operation::Method,
    status::{State, Status},
};

/// Where to look, and the request that does: the same for every poll until the server says otherwise.
pub(crate) struct PollTarget {
    pub(crate) dialect: Arc<dyn Dialect>,
    pub(crate) cursor: Cursor,
    pub(crate) request: Request,
}

/// When an operation was started, on both clocks.
#[derive(Clone, Copy)]
pub(crate) struct StartTime {
    pub(crate) at: Instant,
    pub(crate) system: SystemTime,
}

/// When a reply was read, how long it took, and whether it was that of the start call.
#[derive(Clone, Copy)]
pub(crate) struct ReplyTime {
    pub(crate) at: Instant,
    pub(crate) round_trip: Duration,
    pub(crate) to_start: bool,
}

/// Everything one snapshot knows. Payloads stay raw bytes.
#[derive(Clone)]
pub(crate) struct Snapshot {
    pub(crate) name: Arc<str>,
    pub(crate) state: State,
    pub(crate) raw_status: Option<Arc<str>>,
    pub(crate) is_known_status: bool,
    pub(crate) body: Bytes,
    pub(crate) metadata: Option<StoredPayload>,
    pub(crate) response: Option<StoredPayload>,
    pub(crate) status: Option<Arc<Status>>,
    pub(crate) progress: Option<f64>,
    pub(crate) hint: Option<Hint>,
    pub(crate) follow: bool,
    pub(crate) target: Option<Arc<PollTarget>>,
    pub(crate) started: Option<StartTime>,
    pub(crate) replied: Option<ReplyTime>,
}

/// A payload: a range of the snapshot's own body, or bytes of their own.
#[derive(Clone)]
pub(crate) enum StoredPayload {
    InBody { start: usize, end: usize, encoding: Encoding },
    Own(Bytes, Encoding),
}

impl StoredPayload {
    /// `part` as a range of `body` where it lies in it: nothing is copied.
    fn new(part: Part<'_>, body: &[u8]) -> Self {
        match part.bytes {
            Cow::Borrowed(bytes) => {
                let start = (bytes.as_ptr() as usize).wrapping_sub(body.as_ptr() as usize);
                let end = start.wrapping_add(bytes.len());
                match body.get(start..end) {
                    Some(same) if same.as_ptr() == bytes.as_ptr() => {
                        Self::InBody { start, end, encoding: part.encoding }
                    }
                    _ => Self::Own(Bytes::copy_from_slice(bytes), part.encoding),
                }
            }
            Cow::Owned(bytes) => Self::Own(bytes.into(), part.encoding),
        }
    }

    fn payload<'a>(&'a self, body: &'a [u8]) -> Payload<'a> {
        match self {
            Self::InBody { start, end, encoding } => {
                Payload::new(body.get(*start..*end).unwrap_or_default(), *encoding)
            }
            Self::Own(bytes, encoding) => Payload::new(bytes, *encoding),
        }
    }

    /// The same payload, independent of `body`.
    fn apart(&self, body: &Bytes) -> Self {
        match self {
            Self::InBody { start, end, encoding } if *end <= body.len() => {
                Self::Own(body.slice(*start..*end), *encoding)
            }
            held => held.clone(),
        }
    }
}

/// What follows a snapshot: one with a body of its own, or the old one.
pub(crate) enum Successor {
    Fresh(Snapshot),
    Stale(Snapshot),
}

impl Successor {
    /// The snapshot, with the body that its payloads are ranges of.
    pub(crate) fn with_body(self, body: impl FnOnce() -> Bytes) -> Snapshot {
        match self {
            Self::Fresh(snapshot) => Snapshot { body: body(), ..snapshot },
            Self::Stale(snapshot) => snapshot,
        }
    }
}

impl Snapshot {
    /// A snapshot of an operation that was never looked at.
    pub(crate) fn unseen(name: &str, target: Option<PollTarget>, started: Option<StartTime>) -> Self {
        Self {
            name: Arc::from(name),
            state: State::Pending,
            raw_status: None,
            is_known_status: true,
            body: Bytes::new(),
            metadata: None,
            response: None,
            status: None,
            progress: None,
            hint: None,
            follow: false,
            target: target.map(Arc::new),
            started,
            replied: None,
        }
    }

    /// The next snapshot: what was `seen`. Its body, and where to look if that has changed, are set by the caller.
    ///
    /// Where `seen` goes backwards, or comes after the end, this snapshot with a newer time: an older replica knows nothing that is not known.
    pub(crate) fn after(
        &self,
        seen: Observation<'_>,
        body: &[u8],
        method: Option<&Method>,
        replied: ReplyTime,
    ) -> Successor {
        let (state, status) = self.judge(&seen, method);
        if self.state.is_terminal() || !self.state.can_become(state) {
            return Successor::Stale(Self { hint: seen.hint, follow: false, replied: Some(replied), ..self.clone() });
        }
        let name = match seen.name.as_deref() {
            Some(name) if !name.is_empty() && *name != *self.name && self.target.is_none() => Arc::from(name),
            _ => Arc::clone(&self.name),
        };
        let raw_status = seen.raw_status.map(|word| match &self.raw_status {
            Some(known) if **known == *word => Arc::clone(known),
            _ => Arc::from(&*word),
        });
        let metadata = seen.metadata.map(|part| StoredPayload::new(part, body));
        Successor::Fresh(Self {
            name,
            state,
            raw_status,
            is_known_status: seen.is_known_status,
            body: Bytes::new(),
            metadata: metadata.or_else(|| self.metadata.as_ref().map(|held| held.apart(&self.body))),
            response: seen.response.map(|part| StoredPayload::new(part, body)),
            status: status.map(Arc::new),
            progress: seen.progress.or(self.progress),
            hint: seen.hint,
            follow: seen.follow,
            target: self.target.clone(),
            started: self.started,
            replied: Some(replied),
        })
    }

    /// The state that `seen` means for this method, and why.
    fn judge(&self, seen: &Observation<'_>, method: Option<&Method>) -> (State, Option<Status>) {
        let queued =
            |pending: fn(Payload<'_>) -> bool| seen.metadata.as_ref().is_some_and(|part| pending(part.payload()));
        let refused = |classify: fn(Payload<'_>) -> Option<Status>| {
            seen.response.as_ref().and_then(|part| classify(part.payload()))
        };
        match seen.state {
            State::Running
                if self.state == State::Pending && method.and_then(|method| method.pending).is_some_and(queued) =>
            {
                (State::Pending, None)
            }
            State::Succeeded => match method.and_then(|method| method.classify).and_then(refused) {
                Some(status) => (State::Failed, Some(status)),
                None => (State::Succeeded, None),
            },
            state => (state, seen.status.clone()),
        }
    }

    pub(crate) fn metadata(&self) -> Option<Payload<'_>> {
        self.metadata.as_ref().map(|held| held.payload(&self.body))
    }

    pub(crate) fn response(&self) -> Option<Payload<'_>> {
        self.response.as_ref().map(|held| held.payload(&self.body))
    }
}

#[cfg(test)]
mod tests;
