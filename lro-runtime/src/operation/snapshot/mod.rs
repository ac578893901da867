//! The snapshot: everything that is known of an operation, and how the next snapshot follows from
//! it and an observation.

use std::{borrow::Cow, sync::Arc};

use bytes::Bytes;

use crate::{
    dialect::{Cursor, Dialect, Encoding, Observation, Part, Payload},
    hint::Hint,
    operation::{Method, left_out::LeftOut},
    status::{Failure, State, Status},
};

mod alike;
#[cfg(feature = "fleet")]
mod kept;
mod target;
mod times;
#[cfg(feature = "fleet")]
pub(crate) use self::kept::KeptReply;
pub(crate) use self::{
    alike::{Alike, Samples},
    target::{Named, Place, PlaceRequest, PollRequest, PollTarget, Target},
    times::{Replied, ReplyTime, StartTime},
};

/// Everything that is known of an operation at one time. Payloads stay raw bytes.
///
/// A program may hold a hundred thousand of these, so that what most operations do not have is
/// apart.
#[derive(Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each says one thing of its own about the operation")]
pub(crate) struct Snapshot {
    pub(crate) name: Arc<str>,
    /// Whether the name is a URL that the caller wrote, as the cursor says that it was made with.
    pub(crate) name_is_own: bool,
    pub(crate) state: State,
    pub(crate) is_known_status: bool,
    /// The body of the reply that this snapshot was made from; payloads are ranges of it. `None`
    /// while a wait keeps it packed.
    pub(crate) body: Option<Bytes>,
    /// Whether that was the reply to a poll, which led nowhere else. A start call is answered by
    /// other rules.
    pub(crate) repeats: bool,
    pub(crate) metadata: Option<StoredPayload>,
    /// Whether the reply said to poll again at once: the monitor is done, and the result is
    /// elsewhere.
    pub(crate) follow: bool,
    /// How this process came by the operation, where there is more to say than that it was started.
    pub(crate) provenance: Option<Arc<Provenance>>,
    /// Where to poll; `None` if the server has named no place, as it may for an operation that is
    /// finished at once.
    pub(crate) target: Option<Target>,
    /// When the operation was started; `None` if that is not known.
    pub(crate) started: Option<StartTime>,
    /// When the last reply was read; `None` if the operation was resumed and not polled yet.
    pub(crate) replied: Option<Replied>,
    /// Whether that was the reply to the start call.
    pub(crate) answers_start: bool,
    /// Whether a poll has found the operation where it is polled. The reply to the start call is no
    /// proof of that, and a reply that leads elsewhere says nothing of that place.
    pub(crate) is_found: bool,
    pub(crate) more: Option<Arc<More>>,
}

/// What a snapshot may have besides. With Google's dialect an operation that runs has none of it.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct More {
    pub(crate) raw_status: Option<Arc<str>>,
    pub(crate) response: Option<StoredPayload>,
    pub(crate) status: Option<Arc<Status>>,
    pub(crate) progress: Option<f64>,
    /// What the last reply says in words about how the operation stands.
    pub(crate) status_message: Option<Arc<str>>,
    pub(crate) hint: Option<Hint>,
}

/// What most snapshots have besides.
static NOTHING: More =
    More { raw_status: None, response: None, status: None, progress: None, status_message: None, hint: None };

/// How this process came by an operation. It is the same for all snapshots of it, which share it.
#[derive(Clone, Default)]
pub(crate) struct Provenance {
    /// The id that the start call was sent with; `None` if it had none, or is not known.
    pub(crate) start_id: Option<Arc<str>>,
    /// The method of the token that an untyped resume has read: the operation is of no other.
    pub(crate) token_method: Option<Arc<str>>,
    /// What the token that the operation was resumed from does not have of it.
    pub(crate) left_out: LeftOut,
    /// The word of the dialect that the operation was read or resumed in, unless its target has it:
    /// a finished operation may have no target, and its token is of a dialect all the same.
    dialect: Option<&'static str>,
}

/// What an operation that was started here, without a start id, has to say of that.
static STARTED: Provenance =
    Provenance { start_id: None, token_method: None, left_out: LeftOut::NOTHING, dialect: None };

/// A payload: a range of the snapshot's body, or bytes of its own.
#[derive(Clone, PartialEq)]
pub(crate) enum StoredPayload {
    /// The bytes `start..end` of the snapshot's body.
    InBody { start: u32, end: u32, encoding: Encoding },
    /// Bytes that are not in the snapshot's body: the dialect made them, or they came with an
    /// earlier reply. Boxed, because they are rare and every snapshot has place for two payloads.
    Own(Box<(Bytes, Encoding)>),
}

impl StoredPayload {
    /// Stores `part` as a range of `body` where it lies in it, so that it is not copied.
    fn new(part: Part<'_>, body: &[u8]) -> Self {
        let encoding = part.encoding;
        match part.bytes {
            Cow::Borrowed(bytes) => match range_in(body, bytes) {
                Some((start, end)) => Self::InBody { start, end, encoding },
                None => Self::own(Bytes::copy_from_slice(bytes), encoding),
            },
            Cow::Owned(bytes) => Self::own(bytes.into(), encoding),
        }
    }

    fn own(bytes: Bytes, encoding: Encoding) -> Self {
        Self::Own(Box::new((bytes, encoding)))
    }

    /// Returns the payload, whose range is of `body`.
    fn payload<'a>(&'a self, body: &'a [u8]) -> Payload<'a> {
        match self {
            Self::InBody { start, end, encoding } => {
                Payload::new(body.get(*start as usize..*end as usize).unwrap_or_default(), *encoding)
            }
            Self::Own(own) => Payload::new(&own.0, own.1),
        }
    }

    /// Returns the same payload without the need for `body`. Shares the body's memory, so the old
    /// reply lives as long as the payload.
    fn detached(self, body: &Bytes) -> Self {
        match self {
            Self::InBody { start, end, encoding } if end as usize <= body.len() => {
                Self::own(body.slice(start as usize..end as usize), encoding)
            }
            held => held,
        }
    }
}

/// Returns where `part` lies in `body`; `None` if it is a slice of something else (a static, say),
/// or so far behind that the numbers would be too large.
///
/// Dialects hand out slices, not positions, so the range is found by address. For a slice of
/// something else the difference means nothing: `get` refuses it.
fn range_in(body: &[u8], part: &[u8]) -> Option<(u32, u32)> {
    let start = (part.as_ptr() as usize).wrapping_sub(body.as_ptr() as usize);
    let end = start.wrapping_add(part.len());
    let same = body.get(start..end)?;
    (same.as_ptr() == part.as_ptr()).then_some((start.try_into().ok()?, end.try_into().ok()?))
}

/// What an observation changes of a snapshot, apart from its body.
///
/// An observation borrows the body of its reply, and the body can be moved into the snapshot only
/// when the observation is gone. [`Snapshot::change`] therefore uses up the observation and returns
/// this, and [`Snapshot::apply`] takes it with the body that its payloads are ranges of.
pub(crate) enum Change {
    /// The reply has something new.
    Fresh(Fresh),
    /// The reply goes backwards, or comes after the end: a lagging replica has nothing new. Neither
    /// is its body taken.
    ///
    /// The hint counts, because it is about the next poll and not about the operation. `follow`
    /// does not: an observation that is ignored must not make the next poll come at once.
    Stale { hint: Option<Hint>, replied: ReplyTime, is_found: bool },
}

/// What is known from a reply with something new.
pub(crate) struct Fresh {
    state: State,
    is_known_status: bool,
    metadata: Option<StoredPayload>,
    follow: bool,
    replied: ReplyTime,
    is_found: bool,
    more: More,
}

/// The snapshot after an observation, before its body is set.
pub(crate) struct Successor {
    last: Snapshot,
    change: Change,
}

impl Change {
    /// Whether something of the body before is still needed.
    pub(crate) fn keeps_metadata(&self) -> bool {
        matches!(self, Self::Fresh(Fresh { metadata: None, .. }))
    }
}

impl Successor {
    /// Returns the snapshot with the body that its payloads are ranges of. `body` is called only if
    /// it is taken.
    pub(crate) fn with_body(self, body: impl FnOnce() -> Bytes) -> Snapshot {
        let Self { mut last, change } = self;
        last.apply(change, body);
        last
    }
}

impl Snapshot {
    /// Makes the snapshot of an operation that was never polled: pending, with nothing known but
    /// its name and its dialect.
    pub(crate) fn unpolled(
        name: &str,
        dialect: &'static str,
        target: Option<PollTarget>,
        started: Option<StartTime>,
    ) -> Self {
        // Most names are the key of the cursor, and need not be in memory twice.
        let key = target.as_ref().map(|target| target.cursor.shared_key()).filter(|key| ***key == *name);
        let is_target_of = |target: &PollTarget| target.dialect.id() == dialect;
        let dialect = (!target.as_ref().is_some_and(is_target_of)).then_some(dialect);
        Self {
            name: key.map_or_else(|| Arc::from(name), Arc::clone),
            name_is_own: false,
            state: State::Pending,
            is_known_status: true,
            body: Some(Bytes::new()),
            repeats: false,
            metadata: None,
            follow: false,
            provenance: dialect.map(|_| Arc::new(Provenance { dialect, ..Provenance::default() })),
            target: target.map(|target| Target::new(target, name)),
            started,
            replied: None,
            answers_start: false,
            is_found: false,
            more: None,
        }
    }

    /// Makes the next snapshot from what was `seen` in `body`.
    pub(crate) fn after(
        self,
        mut seen: Observation<'_>,
        body: &[u8],
        method: Option<&Method>,
        replied: ReplyTime,
    ) -> Successor {
        let change = self.change(&mut seen, body, method, replied);
        Successor { last: self, change }
    }

    /// Returns what changes with what was `seen` in `body`, and takes it from there.
    pub(crate) fn change(
        &self,
        seen: &mut Observation<'_>,
        body: &[u8],
        method: Option<&Method>,
        replied: ReplyTime,
    ) -> Change {
        let (state, status) = judge(self.state, seen, method);
        let is_found = !replied.answers_start && !seen.follow;
        if self.state.is_terminal() || !self.state.can_become(state) {
            return Change::Stale { hint: seen.hint, replied, is_found };
        }
        // Most polls read the same word again: the stored one is shared, which saves an allocation
        // per poll.
        let raw_status = seen.raw_status.take().map(|word| match &self.more().raw_status {
            Some(known) if **known == *word => Arc::clone(known),
            _ => Arc::from(&*word),
        });
        Change::Fresh(Fresh {
            state,
            is_known_status: seen.is_known_status,
            metadata: seen.metadata.take().map(|part| StoredPayload::new(part, body)),
            follow: seen.follow,
            replied,
            is_found,
            more: More {
                raw_status,
                response: seen.response.take().map(|part| StoredPayload::new(part, body)),
                status: status.map(Arc::new),
                progress: seen.progress,
                status_message: seen.status_message.take().filter(|words| !words.is_empty()).map(Arc::from),
                hint: seen.hint,
            },
        })
    }

    /// Makes this snapshot the next one. `body` is called only if it is taken. The caller sets the
    /// target if the cursor has moved.
    ///
    /// Name, method and start stay: callers may have stored the name already, whatever a later
    /// reply says.
    pub(crate) fn apply(&mut self, change: Change, body: impl FnOnce() -> Bytes) {
        let fresh = match change {
            Change::Fresh(fresh) => fresh,
            Change::Stale { hint, replied, is_found } => {
                self.set_hint(hint);
                self.set_replied(replied);
                (self.follow, self.is_found) = (false, is_found);
                return;
            }
        };
        self.state = fresh.state;
        self.is_known_status = fresh.is_known_status;
        // A reply without metadata does not erase it: `metadata()` is the last known, also after
        // the end.
        self.metadata = fresh.metadata.or_else(|| self.metadata.take().map(|held| held.detached(self.body())));
        // Of an earlier reply no more is kept than how far it was: words about a stage that is over
        // would mislead.
        self.set_more(More { progress: fresh.more.progress.or(self.more().progress), ..fresh.more });
        self.follow = fresh.follow;
        self.set_replied(fresh.replied);
        self.is_found = fresh.is_found;
        self.body = Some(body());
        self.repeats = fresh.is_found;
    }

    /// Whether a reply to the next poll with this very `body` says nothing new, if the dialect
    /// reads nothing but the body: the body was that of the last poll, and the snapshot was made of
    /// it. That body is `packed`, if the snapshot has none.
    pub(crate) fn is_of(&self, body: &[u8], packed: Option<&Alike>) -> bool {
        let is_same = || packed.map_or_else(|| **self.body() == *body, |packed| packed.is(body));
        self.repeats && is_same()
    }

    /// Makes this snapshot the next one after a reply that says nothing new but when to poll again.
    pub(crate) fn repeat(&mut self, hint: Option<Hint>, replied: ReplyTime) {
        self.set_hint(hint);
        self.set_replied(replied);
        (self.follow, self.is_found) = (false, true);
    }

    /// Returns this snapshot as `method` judges it, if it was made without its `pending` and
    /// `classify`.
    pub(crate) fn judged_by(mut self, method: &Method) -> Self {
        match self.state {
            State::Running if method.pending.is_some_and(|is_queued| self.metadata().is_some_and(is_queued)) => {
                self.state = State::Pending;
            }
            State::Succeeded => {
                let refused = method.classify.and_then(|classify| self.response().and_then(classify));
                if let Some(status) = refused {
                    self.state = State::Failed;
                    self.more_mut().status = Some(Arc::new(status));
                }
            }
            _ => {}
        }
        self
    }

    /// Returns what is left of this snapshot if it was read by rules that are not its method's: the
    /// name, the message as received, and why nothing can be asked about it.
    pub(crate) fn misread(&self, dialect: Arc<dyn Dialect>, why: Failure) -> Self {
        let cursor = Cursor::default();
        let cursor = if self.name_is_own { cursor.at_own(&*self.name) } else { cursor.at(&*self.name) };
        let cursor = cursor.refused(&why);
        let target = PollTarget { dialect, cursor, request: Err(Box::new(why)) };
        Self {
            body: self.body.clone(),
            // What is refused is not worth a delay.
            follow: true,
            provenance: Some(Arc::new(Provenance { dialect: Some(self.dialect()), ..self.provenance().clone() })),
            name_is_own: self.name_is_own,
            replied: self.replied,
            answers_start: self.answers_start,
            ..Self::unpolled(&self.name, self.dialect(), Some(target), self.started)
        }
    }

    /// Returns the body of the reply that this snapshot was made from.
    pub(crate) fn body(&self) -> &Bytes {
        static EMPTY: Bytes = Bytes::new();
        self.body.as_ref().unwrap_or(&EMPTY)
    }

    /// Returns what few snapshots have.
    pub(crate) fn more(&self) -> &More {
        self.more.as_deref().unwrap_or(&NOTHING)
    }

    /// Returns what few snapshots have, for a change.
    pub(crate) fn more_mut(&mut self) -> &mut More {
        Arc::make_mut(self.more.get_or_insert_default())
    }

    fn set_more(&mut self, more: More) {
        match &mut self.more {
            known if more == NOTHING => *known = None,
            // Overwritten where nobody shares it.
            Some(known) => match Arc::get_mut(known) {
                Some(known) => *known = more,
                None => *known = Arc::new(more),
            },
            none => *none = Some(Arc::new(more)),
        }
    }

    fn set_hint(&mut self, hint: Option<Hint>) {
        if self.more().hint != hint {
            self.set_more(More { hint, ..self.more().clone() });
        }
    }

    fn set_replied(&mut self, replied: ReplyTime) {
        (self.replied, self.answers_start) = (Some(Replied::new(replied)), replied.answers_start);
    }

    /// Returns the word of the dialect that the operation was read or resumed in.
    pub(crate) fn dialect(&self) -> &'static str {
        let of_target = || self.place().map(|place| place.dialect().id());
        self.provenance().dialect.or_else(of_target).unwrap_or_default()
    }

    /// Returns where the operation is polled; `None` if the server has named no place.
    pub(crate) fn place(&self) -> Option<Place<'_>> {
        self.target.as_ref().map(|target| Place { target, name: &self.name })
    }

    /// Returns how this process came by the operation.
    pub(crate) fn provenance(&self) -> &Provenance {
        self.provenance.as_deref().unwrap_or(&STARTED)
    }

    /// Returns how this process came by the operation, for a change.
    pub(crate) fn provenance_mut(&mut self) -> &mut Provenance {
        Arc::make_mut(self.provenance.get_or_insert_default())
    }

    /// Returns the last known metadata.
    pub(crate) fn metadata(&self) -> Option<Payload<'_>> {
        self.metadata.as_ref().map(|held| held.payload(self.body()))
    }

    /// Returns the response of an operation that succeeded.
    pub(crate) fn response(&self) -> Option<Payload<'_>> {
        self.more().response.as_ref().map(|held| held.payload(self.body()))
    }
}

/// Returns the state that `seen` means for this method, of an operation whose state is `known`,
/// with the status of a failure.
///
/// The method has two tests of its own: `pending` finds metadata that means "queued",
/// `classify` finds a response that is a failure in disguise.
pub(crate) fn judge(known: State, seen: &Observation<'_>, method: Option<&Method>) -> (State, Option<Status>) {
    let queued = |pending: fn(Payload<'_>) -> bool| seen.metadata.as_ref().is_some_and(|part| pending(part.payload()));
    let refused =
        |classify: fn(Payload<'_>) -> Option<Status>| seen.response.as_ref().and_then(|part| classify(part.payload()));
    match seen.state {
        // Only while the operation is still pending. Once it runs, such an observation would go
        // backwards and its metadata would be lost.
        State::Running if known == State::Pending && method.and_then(|method| method.pending).is_some_and(queued) => {
            (State::Pending, None)
        }
        State::Succeeded => match method.and_then(|method| method.classify).and_then(refused) {
            Some(status) => (State::Failed, Some(status)),
            None => (State::Succeeded, None),
        },
        state => (state, seen.status.clone()),
    }
}

#[cfg(test)]
mod tests;
