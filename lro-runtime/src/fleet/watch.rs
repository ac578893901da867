//! Taking an operation in.

use std::{
    future::{Future, IntoFuture, poll_fn},
    sync::Arc,
    task::Poll,
};

use super::{
    Fleet,
    journal::Number,
    lanes::Priority,
    resting::Common,
    shared::{Entrant, Keyed, Shared, Stored},
    tails::LONGEST,
    ticket::Ticket,
};
use crate::{
    driver::opening_of,
    error::{Error, ErrorKind, Result},
    operation::{Method, RawOperation},
    settings::{Expiration, PollSettings},
    status::Failure,
    text::excerpt,
    transport::BoxFuture,
};

/// An operation that is about to be watched, and how: made by [`Fleet::watch`], and awaited.
///
/// ```
/// # use std::time::Duration;
/// # use lro_runtime::{Fleet, Operations, PollSettings, fleet::Priority};
/// # async fn watch(fleet: Fleet, operation: lro_runtime::RawOperation) -> lro_runtime::Result<()> {
/// let ticket = fleet
///     .watch(&operation)
///     .key("order-17")
///     .priority(Priority::Urgent)
///     .lane("tenant-4")
///     .poll_settings(PollSettings::batch().with_timeout(Duration::from_secs(86_400)))
///     .await?;
/// # let _ = ticket;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing is watched before it is awaited"]
pub struct Watch {
    pub(super) fleet: Fleet,
    pub(super) operation: RawOperation,
    pub(super) how: How,
}

/// How an operation is watched.
#[derive(Clone, Debug, Default)]
pub(super) struct How {
    pub(super) key: Option<Arc<str>>,
    pub(super) priority: Priority,
    pub(super) lane: Option<Arc<str>>,
    pub(super) settings: PollSettings,
}

impl How {
    /// As usual, under this key.
    pub(super) fn under(key: Arc<str>) -> Self {
        Self { key: Some(key), ..Self::default() }
    }
}

impl Watch {
    pub(super) fn new(fleet: Fleet, operation: RawOperation) -> Self {
        Self { fleet, operation, how: How::default() }
    }

    /// Sets a name of the caller's own for the work, such as that of an order. Completions have it,
    /// and an operation under a key that the fleet has already is not watched a second time: the
    /// ticket is that of the first. Default: none.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.how.key = Some(Arc::from(key.into()));
        self
    }

    /// Sets how urgent its polls are. Default: [`Priority::Normal`].
    pub fn priority(mut self, priority: Priority) -> Self {
        self.how.priority = priority;
        self
    }

    /// Sets the lane in which its polls stand in line. The lanes of an origin take turns, so that
    /// whoever has many operations does not keep the others waiting. Default: a lane for each
    /// method of each client.
    pub fn lane(mut self, lane: impl Into<String>) -> Self {
        self.how.lane = Some(Arc::from(lane.into()));
        self
    }

    /// Sets when to poll and until when. What is not set comes from the method, else from the
    /// client, else from the library, as in
    /// [`poll_until_completed`](RawOperation::poll_until_completed).
    ///
    /// Two things differ in a fleet: failures of the [origin](crate::FailureScope::Origin) are
    /// never counted to an operation, unless its error budget is zero; and polls are held only if
    /// the settings say so, because a held poll takes a place that others need.
    pub fn poll_settings(mut self, settings: PollSettings) -> Self {
        self.how.settings = settings;
        self
    }

    /// Watches the operation at once. In a fleet with a store, this blocks until that is durable:
    /// for as long as the disk takes.
    ///
    /// # Errors
    ///
    /// Of kind [`Full`](ErrorKind::Full) if the fleet has no room now, which has the operation as
    /// its snapshot; else as awaiting does.
    pub fn try_now(self) -> Result<Ticket> {
        let operation = self.operation.clone();
        let taken = self.take_in()?;
        let durable = match &taken.fleet.shared.journal {
            Some(journal) => journal.durable_blocking(taken.number),
            None => Ok(()),
        };
        taken.settled(&operation, durable)
    }

    fn take_in(self) -> Result<Taken> {
        let Self { fleet, operation, how } = self;
        let entrant = entrant(&operation, how, &fleet.shared)?;
        admit(&fleet, entrant)
    }
}

impl IntoFuture for Watch {
    type Output = Result<Ticket>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    /// Watches the operation, once there is room for it. Dropping the future watches nothing.
    ///
    /// # Errors
    ///
    /// Of kind [`InvalidSettings`](ErrorKind::InvalidSettings) if a setting is illegal,
    /// [`Closed`](ErrorKind::Closed) if the fleet takes no more operations,
    /// [`Protocol`](ErrorKind::Protocol) if the operation cannot be polled. In a fleet with a store
    /// also of kind `InvalidSettings` if the operation is of no [service](super::Service) of the
    /// fleet, and [`Store`](ErrorKind::Store) if it was not written down: then it is not watched.
    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            loop {
                match self.clone().take_in() {
                    Err(error) if error.kind() == ErrorKind::Full => room(&self.fleet).await,
                    Err(error) => return Err(error),
                    Ok(taken) => {
                        let durable = self.fleet.shared.durable(taken.number).await;
                        return taken.settled(&self.operation, durable);
                    }
                }
            }
        })
    }
}

/// An operation that was taken in, and may not be durable yet. It is not watched unless it is told
/// that it is: the caller may well watch it elsewhere.
struct Taken {
    fleet: Fleet,
    ticket: Ticket,
    number: Number,
    /// Whether this call has taken it in, and not an earlier one.
    is_new: bool,
    /// Whether the caller was told that it is watched.
    is_told: bool,
}

impl Drop for Taken {
    fn drop(&mut self) {
        if !self.is_new {
            return;
        }
        let shared = &self.fleet.shared;
        // A call that asked for its key meanwhile has the same ticket, and may have been told.
        let is_shared = shared.lock().asked_again.remove(&self.ticket);
        if !self.is_told && !is_shared {
            shared.forget(self.ticket);
        }
    }
}

impl Taken {
    /// Returns the ticket, once it is known whether it is durable.
    fn settled(mut self, operation: &RawOperation, durable: Result<()>) -> Result<Ticket> {
        durable.map_err(|error| error.with_operation(operation))?;
        self.is_told = true;
        Ok(self.ticket)
    }
}

/// Waits until there may be room.
pub(super) fn room(fleet: &Fleet) -> impl Future<Output = ()> + '_ {
    poll_fn(|context| {
        let mut state = fleet.shared.lock();
        if state.is_full() && !state.is_closed {
            state.room.register(context.waker());
            return Poll::Pending;
        }
        Poll::Ready(())
    })
}

/// Takes an operation in, and returns its ticket; or that of the operation under its key.
fn admit(fleet: &Fleet, entrant: Entrant) -> Result<Taken> {
    let mut state = fleet.shared.lock();
    match entrant.key.as_ref().and_then(|key| state.keys.get(key)) {
        Some(Keyed::Watched(ticket)) => {
            let (ticket, number) = (*ticket, state.last_change());
            if fleet.shared.journal.as_ref().is_some_and(|journal| !journal.is_settled(number)) {
                state.asked_again.insert(ticket);
            }
            return Ok(Taken { fleet: fleet.clone(), ticket, number, is_new: false, is_told: false });
        }
        Some(Keyed::Starting(_)) => {
            let key = entrant.key.as_deref().unwrap_or_default();
            let message = format!("an operation is being started under the key `{}`", excerpt(key.as_bytes()));
            return Err(Error::new(ErrorKind::Start, message).with_operation(&entrant.operation));
        }
        None => {}
    }
    let ticket = state.admit(entrant)?;
    let number = state.last_change();
    drop(state);
    fleet.shared.wake_drivers();
    Ok(Taken { fleet: fleet.clone(), ticket, number, is_new: true, is_told: false })
}

/// Prepares an operation for a fleet: all that needs code of others.
///
/// # Errors
///
/// When it cannot be polled, or its settings are illegal; in a fleet with a store also when it
/// could not be polled after a restart.
pub(super) fn entrant(operation: &RawOperation, how: How, shared: &Shared) -> Result<Entrant> {
    let stored = match &shared.journal {
        Some(_) => Some(stored(operation, &how, shared)?),
        None => None,
    };
    let mut entrant = unstored(operation, how, shared)?;
    entrant.stored = stored;
    Ok(entrant)
}

/// Returns what is stored of an operation, and how it is watched.
fn stored(operation: &RawOperation, how: &How, shared: &Shared) -> Result<Stored> {
    let service = shared.services.of(operation)?.name().to_owned();
    let began = shared.timer.system_time();
    let settings = how.settings.clone().stored(shared.timer.now(), began);
    let settings = settings.map_err(|why| Error::new(ErrorKind::InvalidSettings, why).with_operation(operation))?;
    Ok(Stored { service, lane: how.lane.as_deref().map(str::to_owned), priority: how.priority, settings, began })
}

/// As [`entrant`], for what is stored already, or is not.
pub(super) fn unstored(operation: &RawOperation, how: How, shared: &Shared) -> Result<Entrant> {
    let How { key, priority, lane, settings } = how;
    let schedule_of = |settings| operation.schedule(settings).map_err(|error| error.with_operation(operation));
    let own = schedule_of(settings.clone())?;
    // Each wait of a million may have a deadline of its own. What they share is all but that.
    let is_alone = matches!(own.expiration, Expiration::Deadline(_));
    let schedule = if is_alone { schedule_of(settings.with_expiration(Expiration::Never))? } else { Arc::clone(&own) };
    let client = operation.client().clone();
    let place = operation.snapshot.place();
    if place.is_none() && !operation.is_completed() {
        let failure = Failure::protocol("it has no name: it cannot be polled");
        return Err(Error::from_failure(ErrorKind::Protocol, "the operation cannot be watched", failure)
            .with_operation(operation));
    }
    if operation.name().len() > LONGEST {
        let found = operation.name().len();
        let failure = Failure::protocol(format!("its name has {found} bytes: at most {LONGEST} are legal"));
        return Err(Error::from_failure(ErrorKind::Protocol, "the operation cannot be watched", failure)
            .with_operation(operation));
    }
    let options = Method::options_of(operation.method);
    let coverage =
        place.filter(|place| !place.is_refused()).and_then(|place| place.dialect().coverage(&place.cursor(), options));
    let lane = lane.unwrap_or_else(|| {
        let method = operation.method_name().unwrap_or_default();
        Arc::from(format!("{:x}/{method}", client.address()))
    });
    let dialect = place.map_or_else(|| client.dialect_of(operation.method), |place| Arc::clone(place.dialect()));
    let common = Common {
        origin: client.origin_of(place),
        dialect,
        method: operation.method,
        stem: Arc::from(""),
        group: None,
        priority,
        lane,
        schedule,
        client,
    };
    let opening = opening_of(operation, &*shared.timer);
    Ok(Entrant { operation: operation.clone(), opening, own, common, coverage, key, stored: None, past: None })
}
