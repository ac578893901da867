//! Counts requests per operation when the server holds polls (`WaitOperation`), beside plain polls.

use std::time::Duration;

use lro_runtime::PollSettings;

use crate::{report::Subject, schedule, service::Service};

/// Prints all figures.
pub fn run() {
    let hold = |seconds| PollSettings::default().with_long_poll(Duration::from_secs(seconds));
    let ways = [("plain", PollSettings::default()), ("held-30s", hold(30)), ("held-120s", hold(120))];
    for median in schedule::MEDIANS {
        for (variant, settings) in &ways {
            let service = Service::new();
            let client = service.client();
            let settings = settings.clone().without_expiration();
            let (requests, late) =
                schedule::mean(median, |duration, _| service.wait(&client, duration, settings.clone()));
            let subject = Subject { bench: &format!("long-poll-{median}s"), variant };
            subject.print("requests", requests, "requests/operation");
            subject.print("late", late, "s");
        }
    }
}
