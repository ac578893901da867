//! What a deployment consists of: services, budgets, and where completions go.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use lro_runtime::{Fleet, Result, fleet::Service};
use restate_sdk::{context::RequestTarget, endpoint};

use crate::{budget::LroBudget, group::LroGroup, kept::Kept, meta::Meta};

/// The requests per second that all groups of a service send together, where nothing else is set.
const RATE: f64 = 20.0;

/// The groups of operations that a deployment drives: made by [`Groups::builder`], and added to an
/// endpoint by [`bind`](Self::bind).
#[derive(Clone)]
pub struct Groups {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) services: Vec<Service>,
    rates: HashMap<String, f64>,
    target: Option<Target>,
    pub(crate) turn: Duration,
    pub(crate) limit: Duration,
    /// The groups that this process has in memory, as they were after their last turn.
    warm: Mutex<HashMap<String, Warm>>,
    most_warm: usize,
}

/// Where completions go.
enum Target {
    Service { name: String, handler: String },
    Object { name: String, handler: String },
}

/// A group in memory. What it has beside its state is learned, as what an origin's lists are good
/// for: without it a few requests are sent too many.
pub(crate) struct Warm {
    pub(crate) fleet: Fleet,
    pub(crate) kept: Arc<Kept>,
    version: u64,
    mark: u64,
}

/// Why [`Groups`] are not made: a setting that cannot be meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsError(String);

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SettingsError {}

/// Settings of [`Groups`].
#[must_use = "a builder does nothing unless it is built"]
pub struct GroupsBuilder {
    inner: Inner,
}

impl Groups {
    /// Returns the settings of a deployment.
    pub fn builder() -> GroupsBuilder {
        GroupsBuilder {
            inner: Inner {
                services: Vec::new(),
                rates: HashMap::new(),
                target: None,
                turn: Duration::from_millis(500),
                limit: Duration::from_secs(90),
                warm: Mutex::default(),
                most_warm: 1000,
            },
        }
    }

    /// Adds the objects `LroGroup` and `LroBudget` to an endpoint.
    #[must_use]
    pub fn bind(&self, endpoint: endpoint::Builder) -> endpoint::Builder {
        endpoint.bind(LroGroup::new(self.clone())).bind(LroBudget::new(self.clone()))
    }
}

impl GroupsBuilder {
    /// Adds a client, whose operations are then watched in groups that begin with its name. All
    /// deployments must have the services whose operations are watched: what a deployment does not
    /// have waits for one that has.
    pub fn service(mut self, service: Service) -> Self {
        self.inner.services.push(service);
        self
    }

    /// Sets how many requests per second all groups of a service send together, on all machines.
    /// Default: 20.
    pub fn requests_per_second(mut self, service: impl Into<String>, rate: f64) -> Self {
        self.inner.rates.insert(service.into(), rate);
        self
    }

    /// Has every completion sent to this handler of a Restate service, which takes an
    /// [`Ended`](crate::Ended) as JSON. Restate calls it once for each, and again while it fails.
    pub fn completions_to(mut self, service: impl Into<String>, handler: impl Into<String>) -> Self {
        self.inner.target = Some(Target::Service { name: service.into(), handler: handler.into() });
        self
    }

    /// As [`completions_to`](Self::completions_to), to a virtual object: that of the key under
    /// which the operation is watched, or of its name.
    pub fn completions_to_object(mut self, object: impl Into<String>, handler: impl Into<String>) -> Self {
        self.inner.target = Some(Target::Object { name: object.into(), handler: handler.into() });
        self
    }

    /// Sets for how long a turn goes on sending requests that are due, during which the group
    /// answers no other call but `look`. Default: half a second.
    pub fn turn(mut self, duration: Duration) -> Self {
        self.inner.turn = duration;
        self
    }

    /// Sets how long a turn may take with all its requests: what is in flight then is given up, and
    /// sent again. It must be less than the inactivity timeout of the group's handlers, which is
    /// five minutes. Default: 90 seconds.
    pub fn turn_limit(mut self, duration: Duration) -> Self {
        self.inner.limit = duration;
        self
    }

    /// Sets how many groups a process keeps in memory between their turns. Default: 1,000.
    pub fn max_warm(mut self, groups: usize) -> Self {
        self.inner.most_warm = groups;
        self
    }

    /// Makes the groups.
    ///
    /// # Errors
    ///
    /// If there is no place for completions, a rate is none or of no service, two services have one
    /// name, a service's name has a `/`, or a turn may take as long as the inactivity timeout.
    pub fn build(self) -> Result<Groups, SettingsError> {
        let invalid = |message: String| Err(SettingsError(message));
        let Inner { services, rates, target, limit, turn, .. } = &self.inner;
        if target.is_none() {
            return invalid("completions go nowhere: name a handler with `completions_to`".to_owned());
        }
        if let Some(service) = services.iter().find(|service| service.name().contains('/')) {
            return invalid(format!(
                "the name of the service `{}` has a `/`, which ends it in names of groups",
                service.name()
            ));
        }
        for (service, rate) in rates {
            if !services.iter().any(|known| known.name() == service) {
                return invalid(format!("there is a rate for the service `{service}`, and no such service"));
            }
            if !rate.is_finite() || *rate <= 0.0 {
                return invalid(format!("the rate of the service `{service}` is {rate}: must be more than 0"));
            }
        }
        if *limit >= INACTIVITY || turn > limit {
            return invalid(format!("a turn lasts {turn:?}, and {limit:?} at most: must be less than {INACTIVITY:?}"));
        }
        // What is wrong with the services is told now, and not in the first turn.
        drop(fleet_builder(&self.inner, RATE).build().map_err(|error| SettingsError(error.to_string()))?);
        Ok(Groups { inner: Arc::new(self.inner) })
    }
}

/// After how long without a step of the handler Restate suspends it.
pub(crate) const INACTIVITY: Duration = Duration::from_secs(300);

fn fleet_builder(inner: &Inner, rate: f64) -> lro_runtime::fleet::FleetBuilder {
    // The groups of a service share its rate by leases; alone, each is held to it as well.
    let builder = Fleet::builder()
        .budget(lro_runtime::Budget::per_origin(rate))
        .max_operations(crate::kept::MOST_OPERATIONS)
        .max_unacknowledged(crate::kept::MOST_OPERATIONS)
        .commits_inline();
    inner.services.iter().cloned().fold(builder, lro_runtime::fleet::FleetBuilder::service)
}

impl Inner {
    /// Returns the requests per second of a service.
    pub(crate) fn rate(&self, service: &str) -> f64 {
        self.rates.get(service).copied().unwrap_or(RATE)
    }

    /// Returns to whom the end of an operation is told, that was watched under this key.
    pub(crate) fn target(&self, key: &str) -> Option<RequestTarget> {
        Some(match self.target.as_ref()? {
            Target::Service { name, handler } => RequestTarget::service(name, handler),
            Target::Object { name, handler } => RequestTarget::object(name, key, handler),
        })
    }

    /// Makes the fleet of a group from its state.
    ///
    /// # Errors
    ///
    /// When the state is damaged, or was written by a newer version.
    pub(crate) fn fleet(&self, group: &str, kept: &Arc<Kept>) -> Result<Fleet> {
        fleet_builder(self, self.rate(service_of(group))).store(Arc::clone(kept)).build()
    }

    /// Takes a group out of the memory, if it is there as the state says.
    pub(crate) fn take_warm(&self, group: &str, meta: &Meta) -> Option<Warm> {
        let warm = self.warm.lock().unwrap_or_else(PoisonError::into_inner).remove(group)?;
        (warm.version == meta.version && warm.mark == meta.mark).then_some(warm)
    }

    /// Keeps a group in memory until its next turn.
    pub(crate) fn put_warm(&self, group: &str, fleet: Fleet, kept: Arc<Kept>, meta: &Meta) {
        let mut warm = self.warm.lock().unwrap_or_else(PoisonError::into_inner);
        if warm.len() >= self.most_warm {
            // Any one: it is read again when it has a turn.
            let Some(other) = warm.keys().next().cloned() else { return };
            warm.remove(&other);
        }
        warm.insert(group.to_owned(), Warm { fleet, kept, version: meta.version, mark: meta.mark });
    }
}

/// Returns the service whose operations a group has.
pub(crate) fn service_of(group: &str) -> &str {
    group.split_once('/').map_or(group, |(service, _)| service)
}

/// Returns the group, the key of an object `LroGroup`, that an operation of a service belongs in:
/// operations that one list shows come together. Where a collection has more than 25,000 at once,
/// `parts` spreads them over so many groups; else it is 1. It must not change while operations are
/// watched, for they stay where they are.
///
/// ```
/// use lro_restate::group_of;
///
/// assert_eq!(group_of("images", "projects/cats/operations/17", 1), "images/projects/cats/operations");
/// assert_eq!(group_of("images", "operations/17", 4), "images/operations/0");
/// ```
#[must_use]
pub fn group_of(service: &str, name: &str, parts: u32) -> String {
    let parent = name.rsplit_once('/').map_or("", |(parent, _)| parent);
    if parts <= 1 {
        return format!("{service}/{parent}");
    }
    // FNV-1a: the same on all machines, for ever.
    let hash = name
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    format!("{service}/{parent}/{}", hash % u64::from(parts))
}

impl fmt::Debug for Groups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Groups").field("services", &self.inner.services).finish_non_exhaustive()
    }
}

impl fmt::Debug for GroupsBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupsBuilder").field("services", &self.inner.services).finish_non_exhaustive()
    }
}
