//! The variant with the poller of google-cloud-lro, which sleeps on tokio.

use std::{fmt, hint::black_box, sync::Arc, time::Duration};

use google_cloud_gax::{
    error::Error, exponential_backoff::ExponentialBackoffBuilder, polling_backoff_policy::PollingBackoffPolicy,
    polling_error_policy::AlwaysContinue, polling_state::PollingState,
};
use google_cloud_lro::{
    Poller,
    internal::{Operation, new_poller},
};

use super::{Endless, Load, Operation as Task};
use crate::step::{ExportProgress, ExportedImage};

type Answer = Result<Operation<ExportedImage, ExportProgress>, Error>;

pub fn prepare(service: Arc<Endless>) -> Box<dyn Fn() -> Task> {
    // Shared, as a generated client shares its policies between calls.
    let errors = Arc::new(AlwaysContinue);
    let pause = service.load.pause;
    let backoff =
        ExponentialBackoffBuilder::new().with_initial_delay(pause).with_maximum_delay(pause).with_scaling(1.0);
    // Its own has no jitter.
    let backoff: Arc<dyn PollingBackoffPolicy> =
        if service.load.has_jitter { Arc::new(Drawn(service.load)) } else { Arc::new(backoff.build().unwrap()) };
    Box::new(move || {
        let (start, query) = (Arc::clone(&service), Arc::clone(&service));
        let poller = new_poller(
            errors.clone(),
            backoff.clone(),
            move || async move { read(&start.start()) },
            move |name: String| {
                let service = Arc::clone(&query);
                async move { read(&service.poll(&name)) }
            },
        );
        Box::pin(async move { drop(black_box(poller.until_done().await)) })
    })
}

/// Pauses with jitter.
struct Drawn(Load);

impl fmt::Debug for Drawn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Drawn")
    }
}

impl PollingBackoffPolicy for Drawn {
    fn wait_period(&self, _: &PollingState) -> Duration {
        self.0.next_pause()
    }
}

fn read(body: &[u8]) -> Answer {
    serde_json::from_slice(body).map(Operation::new).map_err(Error::deser)
}
