//! The waits: one thread runs those of all operations, and sends the news of them to another, which
//! writes. So no slow terminal holds up a poll.

use std::{
    io,
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, Sender, channel},
    },
    thread,
};

use async_executor::LocalExecutor;
use lro_runtime::{Error, PollSettings, RawOperation, block_on};

use crate::{
    describe,
    outcome::{Outcome, Problem},
};

/// What has happened.
pub enum Event {
    /// There is news of the operation at this place in the list.
    News(usize, News),
    /// The user has pressed Ctrl-C, or the process is asked to end.
    Interrupted,
}

/// News of one operation.
pub enum News {
    /// It has changed.
    Changed(RawOperation),
    /// A poll has failed. The wait goes on.
    FailedPoll(String),
    /// The wait has ended: with the terminal snapshot, or without one.
    Ended(Result<RawOperation, Error>),
}

/// Waits for all operations with the same settings, on a thread of its own.
pub fn begin(operations: Vec<RawOperation>, settings: PollSettings) -> Result<Receiver<Event>, Problem> {
    allow_many_files();
    let (sender, events) = channel();
    on_interrupt(sender.clone())?;
    let run = move || {
        let executor = LocalExecutor::new();
        let waits = operations.into_iter().enumerate();
        let waits: Vec<_> = waits
            .map(|(index, operation)| executor.spawn(wait(index, operation, settings.clone(), sender.clone())))
            .collect();
        block_on(executor.run(async {
            for wait in waits {
                wait.await;
            }
        }));
    };
    thread::Builder::new().name("lro-waits".to_owned()).spawn(run).map_err(|error| not_started("waits", &error))?;
    Ok(events)
}

/// Waits for one operation. News that nobody takes any longer is lost, and the process about to
/// end.
async fn wait(index: usize, operation: RawOperation, settings: PollSettings, sender: Sender<Event>) {
    let (of_changes, of_failures) = (sender.clone(), sender.clone());
    // The library's own rule takes the snapshot that a wait begins with for the first change.
    // Nobody has seen that one, unless it is of a token.
    let mut shown: Option<RawOperation> = None;
    let mut observed = operation
        .on_progress(move |operation| {
            let is_known = describe::state(operation).is_some();
            if is_known && shown.as_ref().is_none_or(|shown| is_changed(shown, operation)) {
                shown = Some(operation.clone());
                let _ = of_changes.send(Event::News(index, News::Changed(operation.clone())));
            }
        })
        .every_poll()
        .on_failed_poll(move |failed| {
            let words = format!("poll {} failed: {}", failed.attempt(), failed.failure());
            let _ = of_failures.send(Event::News(index, News::FailedPoll(words)));
        });
    let ended = observed.poll_until_completed(settings).await;
    let _ = sender.send(Event::News(index, News::Ended(ended)));
}

/// Whether there is something to see in a snapshot that was not in the one before.
fn is_changed(before: &RawOperation, now: &RawOperation) -> bool {
    let metadata = |operation: &RawOperation| operation.metadata().map(|metadata| metadata.bytes().to_vec());
    (before.state(), before.raw_status(), before.status_message())
        != (now.state(), now.raw_status(), now.status_message())
        || metadata(before) != metadata(now)
}

/// Raises how many files may be open to what the system allows: each wait has a connection of its
/// own, and many systems begin with 1,024 or 256. Polls beyond that fail and are repeated.
fn allow_many_files() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, getrlimit, setrlimit};
        let mut limit = getrlimit(Resource::Nofile);
        limit.current = limit.maximum;
        // Not raised is not wrong.
        let _ = setrlimit(Resource::Nofile, limit);
    }
}

/// Sends an event for the first Ctrl-C, and ends the process at the second: what should answer the
/// first may be stuck.
fn on_interrupt(sender: Sender<Event>) -> Result<(), Problem> {
    let is_second = AtomicBool::new(false);
    let handler = move || {
        if is_second.swap(true, Ordering::Relaxed) || sender.send(Event::Interrupted).is_err() {
            std::process::exit(i32::from(Outcome::Interrupted.code()));
        }
    };
    ctrlc::set_handler(handler).map_err(|error| not_started("Ctrl-C handler", &io::Error::other(error)))
}

fn not_started(what: &str, error: &io::Error) -> Problem {
    Problem { message: format!("the {what} cannot be started: {error}"), outcome: Outcome::Unknown }
}
