//! The schedules of a client's waits and calls: resolved once for each settings, and shared by all
//! that have the same.

use std::sync::{Arc, Mutex, PoisonError};

use super::Operations;
use crate::{
    dialect::Dialect,
    error::Result,
    operation::Method,
    settings::{PollSettings, Schedule},
};

/// How many schedules a client keeps. A program has a few settings and some methods; with more, the
/// oldest is resolved again.
const MOST: usize = 16;

/// The schedules that a client has resolved.
///
/// A hundred thousand waits would otherwise have as many equal ones, and each would resolve its
/// own.
#[derive(Default)]
pub(super) struct Schedules(Mutex<Vec<Resolved>>);

/// A schedule, and what it was resolved from besides the client's own settings.
struct Resolved {
    argument: PollSettings,
    method: Option<&'static Method>,
    /// What the dialect says of the service, which the schedule is fitted to.
    service: Service,
    schedule: Arc<Schedule>,
}

/// What the dialect of an operation says of its service: see [`Schedule::for_service`].
type Service = (Option<std::time::Duration>, bool);

impl Operations {
    /// Returns the schedule of a wait, or of one call, for operations of `method`: of the argument,
    /// else the method's settings, else the client's, else the library's. It is fitted to the
    /// service that `dialect` speaks with.
    pub(crate) fn schedule(
        &self,
        argument: PollSettings,
        method: Option<&'static Method>,
        dialect: Option<&dyn Dialect>,
    ) -> Result<Arc<Schedule>> {
        let Schedules(known) = &*self.inner.schedules;
        let service =
            dialect.map(|dialect| (dialect.remembers_end(), dialect.prefers_held_polls())).unwrap_or_default();
        // A lock for no longer than the comparison: the dialect is code of somebody else.
        let lock = || known.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |resolved: &&Resolved| {
            resolved.method.map(std::ptr::from_ref) == method.map(std::ptr::from_ref)
                && resolved.service == service
                && resolved.argument == argument
        };
        if let Some(resolved) = lock().iter().find(same) {
            return Ok(Arc::clone(&resolved.schedule));
        }
        let of_method = method.map(Method::poll_settings).unwrap_or_default();
        let settings = argument.clone().or(of_method).or(self.settings().clone());
        let schedule = Arc::new(settings.resolve()?.for_service(service.0, service.1));
        // Kept, settings of one wait would push out those of all others, and a policy would live as
        // long as the client with all that it holds.
        if !argument.is_of_one_wait() {
            let resolved = Resolved { argument, method, service, schedule: Arc::clone(&schedule) };
            let mut known = lock();
            let oldest = (known.len() >= MOST).then(|| known.remove(0));
            known.push(resolved);
            drop(known);
            drop(oldest);
        }
        Ok(schedule)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::{
        status::Failure,
        testing::{Script, ScriptedTransport, VirtualClock},
    };

    #[test]
    fn waits_with_the_same_settings_share_one_schedule_unless_no_other_wait_can_have_them() {
        let client = ScriptedTransport::new(Script::new()).operations(&VirtualClock::new()).unwrap();
        let is_shared = |settings: PollSettings| {
            let [first, second] = [(), ()].map(|()| client.schedule(settings.clone(), None, None).unwrap());
            Arc::ptr_eq(&first, &second)
        };
        assert!(is_shared(PollSettings::default()));
        assert!(is_shared(PollSettings::default().with_timeout(Duration::from_secs(9))));
        assert!(!is_shared(PollSettings::default().with_deadline(Instant::now())));
        assert!(!is_shared(PollSettings::default().with_failure_policy(Failure::verdict)));
    }
}
