//! Many operations, one driver, one budget.
//!
//! A hundred thousand waits are a hundred thousand loops, each of which polls as if it were alone,
//! and every service throttles. A [`Fleet`] is one: it keeps each operation in about two hundred
//! bytes, never asks an origin more than its [`Budget`] allows, and asks for many operations with
//! one request where the service [can](crate::dialect::Coverage) show them together.
//!
//! ```
//! use lro_runtime::{Budget, Fleet};
//! # use lro_runtime::testing::{Script, ScriptedTransport, VirtualClock};
//! # let clock = VirtualClock::new();
//! # let transport = ScriptedTransport::new(Script::new().running(1).done("cat"));
//! # let images = transport.operations(&clock)?;
//!
//! let fleet = Fleet::builder()
//!     .budget(Budget::per_origin(20.0).concurrency(64)) // requests per second, and in flight
//! #   .timer(clock.clone())
//!     .build()?;
//! fleet.try_watch(&images.resume("operations/7")?)?;
//! fleet.close(); // there will be no more
//!
//! # lro_runtime::block_on(async {
//! let driver = fleet.run(); // a future, for any executor
//! let consumer = async {
//!     let mut completions = fleet.completions();
//!     while let Some(completion) = completions.next().await {
//!         match completion.outcome() {
//!             Ok(operation) => println!("{} is {}", operation.name(), operation.state()),
//!             Err(error) => eprintln!("{error}"),
//!         }
//!         completion.ack().await?; // else it is handed out again
//!     }
//!     Ok::<(), lro_runtime::Error>(())
//! };
//! let ((), consumed) = futures_lite::future::zip(driver, consumer).await;
//! consumed
//! # })?;
//! # Ok::<(), lro_runtime::Error>(())
//! ```
//!
//! # What differs from a wait
//!
//! The same engine decides when each operation is polled: same delays, hints, deadlines and error
//! budgets. What a fleet adds:
//!
//! - **The budget.** A poll that the budget does not allow waits in line. Operations of one origin
//!   share what there is: the [lanes](Watch::lane) take turns, and what is
//!   [urgent](Priority::Urgent) goes first, by weight. Nothing is dropped: if all want more than
//!   there is, all waits stretch evenly, and [`Health`] says by how much.
//! - **The origin.** A throttle or an outage is the origin's. It is paused, slowed down or probed,
//!   and no operation pays for it.
//! - **Lists.** Where one request shows many operations, the fleet sends it when it is cheaper than
//!   polls. An operation is then looked at no later than half a delay after it is due, or at the
//!   end of the list that is being read by then. What a list does not show proves nothing, and is
//!   polled; and now and then what it does show is polled as well, because some lists are frozen.
//! - **Memory.** Between two polls a fleet keeps the name, the state and the engine of an
//!   operation, and no reply. So an error that ends a wait has the last state, and of the last
//!   reply only what came with the poll that ended it.
//!
//! # What survives
//!
//! What a fleet in memory knows is gone with the process: keep the
//! [token](crate::RawOperation::token) of each operation where it was started. A fleet with a
//! [store](FleetBuilder::store), such as that of the crate `lro-redb`, writes down what must not be
//! lost: intents to start, operations, cancels, how waits have ended, until each completion is
//! [acknowledged](Completion::ack). Calls return when that is durable, and a poll that says
//! *running* writes nothing that anybody waits for. The next process goes on with all of it:
//! [`Fleet::recovered`] says what it found, operations are polled when they would have been, and
//! start calls that were under way are sent again with the start id that they had. Clients are
//! named, by a [`Service`], so that it knows whose operations these are.

use std::{
    fmt,
    future::{Future, IntoFuture, poll_fn},
    sync::Arc,
    time::Duration,
};

use crate::{
    driver::place_of,
    error::{Error, ErrorKind, Result},
    operation::{Handle, RawOperation},
    timer::park::block_on,
};

mod budget;
mod builder;
mod changes;
mod completions;
mod core;
mod driver;
mod durable;
mod endings;
mod flights;
mod groups;
mod guard;
mod health;
mod ids;
mod journal;
mod kinds;
mod landing;
mod lanes;
mod moment;
mod origin;
mod recovered;
mod recovery;
mod request;
mod restart;
mod restarts;
mod resting;
mod seen;
mod services;
mod shared;
mod start;
mod store;
mod tails;
mod ticket;
mod watch;
mod wheel;

use self::shared::Shared;
pub use self::{
    budget::Budget,
    builder::FleetBuilder,
    changes::{Change, Changes, Lagged},
    completions::{Completion, Completions},
    driver::Run,
    health::{Health, OriginHealth, Pause, PauseReason, StoreHealth},
    journal::Keep,
    lanes::Priority,
    recovered::{Recovered, Unbound},
    services::Service,
    store::{Note, Seal, Store, StoreError, StoreErrorKind, Table, Write},
    ticket::Ticket,
    watch::Watch,
};

/// For how long a turn lasts at most: a year.
const LONGEST_TURN: Duration = Duration::from_secs(365 * 86_400);

/// Many operations, watched by one driver: see the [module](self).
///
/// Cheap to clone: clones are one fleet. Dropping it cancels nothing remotely.
#[derive(Clone)]
pub struct Fleet {
    shared: Arc<Shared>,
}

impl Fleet {
    /// Returns the settings of a new fleet.
    pub fn builder() -> FleetBuilder {
        FleetBuilder::new()
    }

    /// Watches an operation, once there is room for it: awaited, it gives the [`Ticket`]. Of any
    /// client, dialect and method.
    pub fn watch(&self, operation: &impl Handle) -> Watch {
        Watch::new(self.clone(), operation.raw_operation().clone())
    }

    /// Watches an operation at once.
    ///
    /// # Errors
    ///
    /// As [`Watch::try_now`]: of kind [`Full`](ErrorKind::Full) if there is no room.
    pub fn try_watch(&self, operation: &impl Handle) -> Result<Ticket> {
        self.watch(operation).try_now()
    }

    /// Starts an operation under a key of the caller's own, such as that of an order, and watches
    /// it. If there is an operation under the key already, or one is being started, that one's
    /// ticket is returned and nothing is started: however often the same work comes in, it is
    /// started once.
    ///
    /// Room is kept before `start` is called, so that an operation that has started is never
    /// refused. The key is free again once the completion was acknowledged. If the start fails, or
    /// the future is dropped, it is free at once, and what the service made of the call is not
    /// known: `start_id` makes it safe to repeat.
    ///
    /// In a fleet with a store the key is durable before `start` is called, each start call before
    /// it is sent, and the operation when this returns. A process that is killed meanwhile has the
    /// next one send the call again, or say that nobody knows. A future that is dropped does not:
    /// it is as if the start had failed.
    ///
    /// # Errors
    ///
    /// That of `start`; of kind [`Closed`](ErrorKind::Closed) if the fleet takes no more
    /// operations, before anything is started. In a fleet with a store also of kind
    /// [`Store`](ErrorKind::Store) if something was not written down: the call was not sent if the
    /// error has no [snapshot](Error::snapshot), else it has, and this process watches it; and of
    /// kind [`InvalidSettings`](ErrorKind::InvalidSettings) if the client or the method is of no
    /// [service](Service), before anything is sent.
    pub fn start<O, F>(&self, key: impl Into<String>, start: impl FnOnce() -> F) -> impl Future<Output = Result<Ticket>>
    where
        O: Handle,
        F: IntoFuture<Output = Result<O>>,
    {
        start::start(self, Arc::from(key.into()), start)
    }

    /// Returns the driver: a future that polls until the fleet is [closed](Self::close) and every
    /// completion was acknowledged. See [`Run`].
    pub fn run(&self) -> Run {
        Run::new(Arc::clone(&self.shared), Arc::clone(&self.shared.timer))
    }

    /// Drives the fleet for a while, as [`run`](Self::run) does: until nothing is in flight and
    /// nothing more is due within `at_most`. What is due behind that is not waited for: returned is
    /// in how long it is; `None` if nothing is left that would be. For programs that live in turns,
    /// and have something else wake them.
    ///
    /// After `at_most` nothing more is sent. What is in flight then is waited for, up to its own
    /// time limit, so that no request is sent for nothing. Dropping the future loses nothing: what
    /// was in flight is due again.
    pub async fn run_for(&self, at_most: Duration) -> Option<Duration> {
        self.run_within(at_most, u64::MAX).await
    }

    /// As [`run_for`](Self::run_for), with so many requests at most: for one who was allotted them,
    /// as of a budget that several processes share. Start calls that are sent again are not
    /// counted.
    pub async fn run_within(&self, at_most: Duration, requests: u64) -> Option<Duration> {
        let timer = &self.shared.timer;
        // A time that no clock can tell is never reached.
        let ends = timer.now().checked_add(at_most).or_else(|| timer.now().checked_add(LONGEST_TURN));
        let (mut run, mut left) = (self.run(), requests);
        let due = poll_fn(|context| run.advance(ends, &mut left, context)).await?;
        Some(due.saturating_duration_since(timer.now()))
    }

    /// Runs the driver on the calling thread.
    pub fn run_blocking(&self) {
        let timer = crate::timer::park::blocking_timer(&self.shared.timer);
        block_on(Run::new(Arc::clone(&self.shared), timer));
    }

    /// Returns the completions. Several consumers compete for them.
    pub fn completions(&self) -> Completions {
        Completions::new(Arc::clone(&self.shared))
    }

    /// Returns the changes of state and metadata from now on. Every reader gets all.
    pub fn changes(&self) -> Changes {
        self.shared.lock().changed.subscribe()
    }

    /// Returns how the fleet is. It looks at every operation, so that its time grows with their
    /// number.
    #[must_use]
    pub fn health(&self) -> Health {
        health::of(&self.shared)
    }

    /// Takes no more operations. Those that are watched are watched to their end.
    pub fn close(&self) {
        let mut state = self.shared.lock();
        state.is_closed = true;
        let wakers = [state.room.take(), state.endings.consumers.take()];
        drop(state);
        self.shared.wake_drivers();
        wakers.into_iter().for_each(endings::Wakers::wake);
    }

    /// Returns an operation as it is known, without I/O; `None` if the fleet does not have it.
    ///
    /// Before its end that is its name and its state: what polls say besides is not kept. Readers
    /// of [`changes`](Self::changes) get whole snapshots.
    #[must_use]
    pub fn snapshot(&self, ticket: Ticket) -> Option<RawOperation> {
        self.shared.lock().operation(ticket)
    }

    /// Waits for the end of one operation, and returns it as
    /// [`Completion::outcome`] does; `None` if the fleet does not have the operation, or forgets it
    /// meanwhile.
    ///
    /// The completion is still handed out to those who take [`completions`](Self::completions).
    /// Where nobody takes them, [`remove`](Self::remove) the operation when its end is known.
    pub async fn wait_for(&self, ticket: Ticket) -> Option<Result<RawOperation>> {
        let waiter = {
            let mut state = self.shared.lock();
            if let Some(ending) = state.endings.get(ticket) {
                return Some(ending.outcome.clone());
            }
            state.core.kind(ticket)?;
            state.endings.wait(ticket)
        };
        poll_fn(|context| waiter.poll(context)).await
    }

    /// Has an operation polled ahead of its time, and ahead of others. Returns whether the fleet
    /// waits for it.
    #[expect(clippy::must_use_candidate, reason = "what is gone needs no poll")]
    pub fn poll_soon(&self, ticket: Ticket) -> bool {
        let now = self.shared.timer.now();
        let is_watched = self.shared.lock().core.poll_soon(ticket, now);
        self.shared.wake_drivers();
        is_watched
    }

    /// Has the service asked to cancel an operation: within the budget, and again if the call
    /// fails. The wait goes on: whether the operation was cancelled its completion says. Returns
    /// whether the fleet waits for it.
    ///
    /// # Errors
    ///
    /// Of kind [`Unsupported`](ErrorKind::Unsupported) where the dialect has no cancel call.
    pub fn cancel(&self, ticket: Ticket) -> Result<bool> {
        let brief = self.shared.lock().brief(ticket);
        let Some(brief) = brief else { return Ok(false) };
        let operation = brief.operation();
        let call = place_of(&operation).and_then(|place| place.dialect().cancel(&place.cursor()));
        call.map_err(|failure| {
            Error::from_failure(ErrorKind::Poll, "the operation cannot be cancelled", failure)
                .with_operation(&operation)
        })?;
        let mut state = self.shared.lock();
        let is_watched = state.core.cancel(ticket);
        if is_watched {
            state.write_amendment(ticket);
        }
        drop(state);
        self.shared.wake_drivers();
        Ok(is_watched)
    }

    /// Forgets an operation: it goes on at the service, and no completion comes. Returns whether
    /// the fleet had it.
    #[expect(clippy::must_use_candidate, reason = "what is gone need not be removed")]
    pub fn remove(&self, ticket: Ticket) -> bool {
        self.shared.forget(ticket)
    }

    /// Returns what the fleet has found in its store when it was built.
    #[must_use]
    pub fn recovered(&self) -> Recovered {
        self.shared.lock().recovered.clone()
    }

    /// Waits until all that was asked of the fleet so far is durable, such as a
    /// [`remove`](Self::remove) and a [`cancel`](Self::cancel), which do not wait themselves. At
    /// once for a fleet in memory.
    ///
    /// # Errors
    ///
    /// Of kind [`Store`](ErrorKind::Store) if it was not written down.
    pub async fn flush(&self) -> Result<()> {
        let number = self.shared.lock().last_change();
        self.shared.durable(number).await
    }

    /// Returns the ticket of the operation that is watched under this key.
    #[must_use]
    pub fn ticket_of(&self, key: &str) -> Option<Ticket> {
        match self.shared.lock().keys.get(key) {
            Some(shared::Keyed::Watched(ticket)) => Some(*ticket),
            _ => None,
        }
    }
}

impl fmt::Debug for Fleet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.shared.lock();
        f.debug_struct("Fleet")
            .field("operations", &state.core.len())
            .field("drivers", &state.drivers())
            .finish_non_exhaustive()
    }
}
