//! A service that works behind a server that does not: replies that break off, lie, drip, never
//! come or come unasked, and a server that is killed and started again.
//!
//! Faults come from the seed; how requests interleave on the sockets does not. After every case the
//! process holds what it held after the first: as many file descriptors and threads.

#![expect(clippy::unwrap_used, reason = "what the machine refuses ends the attack")]

use std::{
    future::Future,
    sync::{Arc, OnceLock},
    time::Duration,
};

use lro_runtime::{
    ErrorBudget, PollSettings,
    transport::{HyperTransport, ReqwestTransport, SurfTransport, Transport, UreqTransport},
};
use smol::{Timer, future::or};

mod fault;
mod guards;
mod held;
mod misbehaving;
mod restart;
mod server;

pub use self::{fault::Fault, guards::GUARDS, misbehaving::FAULTS, restart::RESTART};

/// How long a case may take before it counts as hanging.
const PATIENCE: Duration = Duration::from_secs(60);

/// Returns every adapter with its name. They are new but for reqwest's, because their pools keep
/// connections that a server has closed until they are asked for or have rested for too long;
/// reqwest's is kept from case to case, as a program keeps it.
fn adapters() -> [(&'static str, Arc<dyn Transport>); 4] {
    static KEPT: OnceLock<ReqwestTransport> = OnceLock::new();
    let reqwest = KEPT.get_or_init(|| ReqwestTransport::new().unwrap()).clone();
    [
        ("hyper", Arc::new(HyperTransport::new())),
        ("surf", Arc::new(SurfTransport::new())),
        ("reqwest", Arc::new(reqwest)),
        ("ureq", Arc::new(UreqTransport::new())),
    ]
}

/// The pause before a poll, also after failures: they double it up to 20 s otherwise, and on a busy
/// machine polls time out that nothing is wrong with.
const MOMENT: Duration = Duration::from_millis(2);

/// Returns settings that poll fast and forgive much, so that faults end no wait by their number.
fn settings() -> PollSettings {
    PollSettings::default()
        .with_delay(MOMENT)
        .with_max_delay(MOMENT)
        .with_hint(Duration::from_millis(1)..=Duration::from_millis(50))
        .with_poll_timeout(Duration::from_millis(40))
        .with_timeout(PATIENCE / 2)
        .with_error_budget(ErrorBudget::new(1_000).with_delay(MOMENT).with_max_delay(MOMENT))
}

/// Runs the waits of a case.
fn patiently<T>(waits: impl Future<Output = T>) -> T {
    let hanging = async {
        Timer::after(PATIENCE).await;
        unreachable!("a wait hangs: it has not ended within {PATIENCE:?}")
    };
    smol::block_on(or(waits, hanging))
}
