//! How a fleet is made.

use std::{collections::HashMap, fmt, sync::Arc, time::Duration};

use super::{
    Fleet,
    budget::Budget,
    journal::{Journal, Keep},
    recovery,
    services::{Service, Services},
    shared::{Config, Shared},
    store::{Seal, Store},
};
use crate::{
    client::default_timer,
    error::{Error, ErrorKind, Result},
    text::excerpt,
    timer::Timer,
    url::Origin,
};

/// Settings of a [`Fleet`]: made by [`Fleet::builder`].
#[must_use = "a builder does nothing unless it is built"]
pub struct FleetBuilder {
    budget: Budget,
    budgets: Vec<(String, Budget)>,
    max_operations: usize,
    max_unacknowledged: usize,
    redeliver_after: Duration,
    origin_patience: Option<Duration>,
    timer: Option<Arc<dyn Timer>>,
    services: Vec<Service>,
    store: Option<Box<dyn Store>>,
    seal: Option<Box<dyn Seal>>,
    keep: Keep,
    is_inline: bool,
}

impl FleetBuilder {
    pub(super) fn new() -> Self {
        Self {
            budget: Budget::per_origin(20.0),
            budgets: Vec::new(),
            max_operations: 1_000_000,
            max_unacknowledged: 10_000,
            redeliver_after: Duration::from_secs(60),
            origin_patience: None,
            timer: None,
            services: Vec::new(),
            store: None,
            seal: None,
            keep: Keep::default(),
            is_inline: false,
        }
    }

    /// Sets what every origin may be asked that has no budget of its own. Default: 20 requests per
    /// second, which is the quota of several clouds, 20 at once after a pause, 64 in flight.
    pub fn budget(mut self, budget: Budget) -> Self {
        self.budget = budget;
        self
    }

    /// Sets what one origin may be asked, such as `https://compute.example.com`. What is behind the
    /// port is not looked at.
    pub fn budget_of(mut self, origin: impl Into<String>, budget: Budget) -> Self {
        self.budgets.push((origin.into(), budget));
        self
    }

    /// Sets how many operations there may be at once, those whose completions were not acknowledged
    /// included. Default: 1,000,000.
    pub fn max_operations(mut self, operations: usize) -> Self {
        self.max_operations = operations;
        self
    }

    /// Sets how many completions may wait to be acknowledged. With more, nothing is polled until
    /// some are, so that those who cannot keep up do not fill the memory; deadlines go on. Default:
    /// 10,000.
    pub fn max_unacknowledged(mut self, completions: usize) -> Self {
        self.max_unacknowledged = completions;
        self
    }

    /// Sets after how long a completion is handed out again that was not acknowledged. Default: one
    /// minute.
    pub fn redeliver_after(mut self, duration: Duration) -> Self {
        self.redeliver_after = duration;
        self
    }

    /// Sets for how long an origin may be down before the operations that are due there are given
    /// up, with an error of kind [`Poll`](ErrorKind::Poll). Default: for as long as it takes, or
    /// until they expire.
    pub fn origin_patience(mut self, patience: Duration) -> Self {
        self.origin_patience = Some(patience);
        self
    }

    /// Uses this timer. It must tell the time of the timers of the clients whose operations are
    /// watched. Default: as of [a client](crate::OperationsBuilder::timer).
    pub fn timer(mut self, timer: impl Timer) -> Self {
        self.timer = Some(Arc::new(timer));
        self
    }

    /// Keeps what must not be lost in this store, such as that of the crate `lro-redb`, and goes on
    /// with what it finds there. Default: nothing is stored, and what the fleet knows is gone with
    /// the process.
    ///
    /// The clients of all operations must be [services](Self::service) then.
    pub fn store(mut self, store: impl Store) -> Self {
        self.store = Some(Box::new(store));
        self
    }

    /// Names a client, so that another process knows what to do with its operations: see
    /// [`Service`]. Needed for the operations of a fleet with a [store](Self::store).
    pub fn service(mut self, service: Service) -> Self {
        self.services.push(service);
        self
    }

    /// Sets how much of the end of a wait the store keeps until its completion is acknowledged.
    /// Default: [`Keep::Body`], all of it.
    pub fn outcomes(mut self, keep: Keep) -> Self {
        self.keep = keep;
        self
    }

    /// Changes the bytes of records on their way to the store and back: the place for encryption.
    pub fn seal(mut self, seal: impl Seal) -> Self {
        self.seal = Some(Box::new(seal));
        self
    }

    /// Has each change committed by whoever makes it, on the same thread and on its own. For a
    /// store that is in memory, as of an engine that makes it durable itself: no thread is started,
    /// and the store has every change as soon as the call returns that made it. Default: one thread
    /// gathers changes, and commits many at once.
    pub fn commits_inline(mut self) -> Self {
        self.is_inline = true;
        self
    }

    /// Makes the fleet. Without a [store](Self::store) there is no I/O, and nothing is spawned.
    /// With one this reads what it has, on this thread, and starts the thread that writes, which
    /// ends when the last clone of the fleet is dropped and all is written.
    ///
    /// # Errors
    ///
    /// Of kind [`InvalidSettings`](ErrorKind::InvalidSettings) if a budget lets nothing through, an
    /// origin is none, a number or `redeliver_after` is zero, or there is no timer because the
    /// feature `smol` is off, or two services have one name. Of kind [`Store`](ErrorKind::Store) if
    /// the store cannot be read, is damaged, or was written by a newer version of this library.
    pub fn build(self) -> Result<Fleet> {
        let invalid = |message: String| Error::new(ErrorKind::InvalidSettings, message);
        self.budget.validate().map_err(invalid)?;
        let mut budgets = HashMap::new();
        for (address, budget) in self.budgets {
            let shown = excerpt(address.as_bytes());
            let origin = address.parse().ok().and_then(|uri| Origin::of(&uri)).ok_or_else(|| {
                invalid(format!(
                    "the origin `{shown}` is none: expected a scheme and a host, such as `https://api.example.com`"
                ))
            })?;
            budget.validate().map_err(|why| invalid(format!("of `{shown}`, {why}")))?;
            budgets.insert(origin, budget);
        }
        for (name, value) in [("max_operations", self.max_operations), ("max_unacknowledged", self.max_unacknowledged)]
        {
            if value == 0 {
                return Err(invalid(format!("`{name}` is 0: must be at least 1")));
            }
        }
        if self.redeliver_after.is_zero() {
            return Err(invalid(
                "`redeliver_after` is 0 s: must be more, for a consumer to deal with a completion".into(),
            ));
        }
        let config = Config {
            timer: self.timer.map_or_else(default_timer, Ok)?,
            budget: self.budget,
            budgets,
            max_operations: self.max_operations,
            max_unacknowledged: self.max_unacknowledged,
            redeliver_after: self.redeliver_after,
            origin_patience: self.origin_patience,
            services: Services::new(self.services)?,
            journal: self.store.map(|store| Journal::new(store, self.seal, self.keep, self.is_inline)),
        };
        let shared = Arc::new(Shared::new(config));
        if let Some(journal) = &shared.journal {
            recovery::recover(&shared, journal)?;
            if !self.is_inline {
                shared.start_writer(journal).map_err(|error| {
                    Error::new(ErrorKind::Store, "the system has no thread for the store").with_source(error)
                })?;
            }
        }
        Ok(Fleet { shared })
    }
}

impl fmt::Debug for FleetBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FleetBuilder")
            .field("budget", &self.budget)
            .field("max_operations", &self.max_operations)
            .finish_non_exhaustive()
    }
}
