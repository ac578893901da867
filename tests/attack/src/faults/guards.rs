//! The suite `guards`: many guards that are dropped at once against a server that does not answer,
//! and then is gone.

use std::{
    collections::BTreeSet,
    sync::{Arc, mpsc},
    time::Duration,
};

use lro_runtime::{Operations, RawOperation, Result, long_running};

use super::{
    PATIENCE, adapters,
    fault::Fault,
    held::{Idle, assert_ended, max_fds, threads_named},
    server::{Answer, Server},
    settings,
};
use crate::round::{Counts, Suite};

/// Guards that are dropped at once against a server that does not answer.
pub const GUARDS: Suite = Suite { name: "guards", unit: "cases", case, short: 2, long: 8 };

/// The guards of a large case, where the process may hold that many connections.
const LARGE: usize = 1_000;

static IDLE: Idle = Idle::new();

struct Images {
    operations: Operations,
}

#[long_running(metadata = (), response = ())]
impl Images {
    #[expect(dead_code, reason = "a silent server starts nothing: the operations are resumed")]
    #[long_running(cancel)]
    async fn export(&self) -> Result<RawOperation> {
        self.operations.post("v1/images:export", &()).await
    }
}

/// Returns how many guards the process has file descriptors for: each takes both ends of a
/// connection, and the rest of the process takes some.
fn most_guards() -> usize {
    max_fds().map_or(LARGE, |most| most.saturating_sub(100) / 2)
}

fn case(seed: u64) -> Counts {
    let mut random = fastrand::Rng::with_seed(seed);
    // Every fourth case is a large one.
    let is_large = seed % 4 == 1;
    let guards = if is_large { LARGE.min(most_guards()) } else { random.usize(3..100) };

    let (arrived, requests) = mpsc::channel();
    let server = Server::start(Arc::new(move |path| {
        let _ = arrived.send(path.to_owned()); // the case may have ended
        Answer::new(200, String::new(), Fault::Silent)
    }));
    let settings = settings().with_poll_timeout(PATIENCE);
    // Not the last adapter, ureq, which has a thread for each request, and says so.
    let clients: Vec<_> = adapters()
        .into_iter()
        .take(3)
        .map(|(_, transport)| Operations::builder(server.url()).transport(transport).poll_settings(settings.clone()))
        .map(|builder| Images { operations: builder.build().unwrap() })
        .collect();
    let (failed, failures) = mpsc::channel();
    for (number, images) in (0..guards).zip(clients.iter().cycle()) {
        let failed = failed.clone();
        let guard = images.resume_export(format!("operations/{number}")).unwrap().cancel_on_drop();
        drop(guard.on_failure(move |error| failed.send(error).unwrap()));
    }
    let at_once = guards.min(25);
    let paths: BTreeSet<String> = (0..at_once).map(|_| requests.recv_timeout(PATIENCE).unwrap()).collect();
    assert_eq!(paths, (0..at_once).map(|number| format!("/v1/operations/{number}:cancel")).collect());
    assert!(requests.try_recv().is_err(), "a request before its turn");
    // The calls go on, because the server is silent.
    if let Some(threads) = threads_named("lro-cancel") {
        assert_eq!(threads, 1, "one thread sends all cancel calls");
    }

    drop(server);
    let names: BTreeSet<String> = (0..guards)
        .map(|_| {
            let error = failures.recv_timeout(PATIENCE).unwrap();
            let name = error.snapshot().map(|operation| operation.name().to_owned()).unwrap_or_default();
            assert!(!name.is_empty() && error.to_string().contains(&name), "{error} does not name its operation");
            name
        })
        .collect();
    assert_eq!(names.len(), guards, "each guard hears of its own operation, once");
    assert!(failures.recv_timeout(Duration::ZERO).is_err());
    drop(clients);
    assert_ended("lro-cancel");
    let mut counts = Counts::default();
    counts.add("guards", guards.try_into().unwrap());
    counts.add("large", is_large.into());
    IDLE.assert_reached(&mut counts);
    counts
}
