//! Follows waits to their end, and shows them in a view.

use std::{
    error::Error as _,
    sync::mpsc::{Receiver, RecvTimeoutError},
    time::{Duration, Instant},
};

use lro_runtime::{Cause, Error, ErrorKind, Failure, RawOperation};

use crate::{
    args::Service,
    client, describe,
    out::{Lost, tell},
    outcome::Outcome,
    text::printable,
    waits::{Event, News},
    words,
};

/// One operation that is followed.
pub struct Row {
    /// The latest snapshot.
    pub operation: RawOperation,
    /// Why the last poll failed, if it did.
    pub failed_poll: Option<String>,
    /// The error that ended the wait.
    pub error: Option<Error>,
    /// Whether the wait has ended, and when.
    pub ended: Option<Instant>,
    /// Whether how it ended was written to stdout.
    pub is_told: bool,
}

impl Row {
    pub fn new(operation: RawOperation) -> Self {
        Self { operation, failed_poll: None, error: None, ended: None, is_told: false }
    }

    /// Returns how it stands.
    pub fn outcome(&self) -> Outcome {
        self.error.as_ref().map_or_else(|| Outcome::of(&self.operation), Outcome::of_error)
    }

    /// Returns how it stands on one line.
    pub fn line(&self) -> String {
        describe::line(&self.operation, self.failed_poll.as_deref(), self.error.as_ref())
    }

    fn take(&mut self, news: News) {
        match news {
            News::Changed(operation) => (self.operation, self.failed_poll) = (operation, None),
            News::FailedPoll(words) => self.failed_poll = Some(words),
            News::Ended(ended) => {
                (self.ended, self.failed_poll) = (Some(Instant::now()), None);
                match ended {
                    Ok(operation) => self.operation = operation,
                    Err(error) => {
                        if let Some(operation) = error.snapshot() {
                            self.operation = operation.clone();
                        }
                        self.error = Some(error);
                    }
                }
            }
        }
    }
}

/// Shows operations while they are waited for.
pub trait View {
    /// Shows that there is news of the operation at this place.
    fn news(&mut self, rows: &mut [Row], index: usize) -> Result<(), Lost>;

    /// Shows what has changed by time alone. Is called ten times a second.
    fn tick(&mut self, rows: &[Row]) -> Result<(), Lost> {
        let _ = rows;
        Ok(())
    }

    /// Shows how everything stands in the end.
    fn end(&mut self, rows: &mut [Row]) -> Result<(), Lost> {
        let _ = rows;
        Ok(())
    }
}

/// Why following ended.
pub enum Ending {
    /// All waits have ended.
    Done,
    Interrupted,
    Lost(Lost),
}

/// The time between two ticks of a view.
const TICK: Duration = Duration::from_millis(100);

/// Follows all waits until they have ended.
pub fn follow(rows: &mut [Row], events: &Receiver<Event>, view: &mut dyn View) -> Ending {
    let ending = until_ended(rows, events, view);
    // The view ends in any case: a terminal must be as it was before.
    match (view.end(rows), ending) {
        (_, Err(lost)) | (Err(lost), Ok(Ending::Done)) => Ending::Lost(lost),
        (_, Ok(ending)) => ending,
    }
}

fn until_ended(rows: &mut [Row], events: &Receiver<Event>, view: &mut dyn View) -> Result<Ending, Lost> {
    let mut left = rows.len();
    while left > 0 {
        match events.recv_timeout(TICK) {
            Ok(Event::Interrupted) => return Ok(Ending::Interrupted),
            Ok(Event::News(index, news)) => {
                if let Some(row) = rows.get_mut(index) {
                    row.take(news);
                    left -= usize::from(row.ended.is_some());
                }
                view.news(rows, index)?;
            }
            Err(RecvTimeoutError::Timeout) => view.tick(rows)?,
            // The waits are over in a way that is not foreseen: they are reported as they stand.
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    Ok(Ending::Done)
}

/// Tells on stderr what is not on stdout, and returns how the command ends.
pub fn report(rows: &[Row], ending: &Ending, service: &Service) -> Outcome {
    if let Ending::Lost(lost) = ending {
        tell(&lost.to_string());
    }
    let is_lost = matches!(ending, Ending::Lost(_));
    for row in rows {
        if let Some(doubt) = words::of_doubt(&row.operation, service.dialect) {
            tell(&doubt);
        }
        match &row.error {
            Some(error) => tell(&words::of(error)),
            None if row.ended.is_none() || (is_lost && !row.is_told) => tell(&format!("operation {}", row.line())),
            None => continue,
        }
        // There is nothing to go on with.
        if row.error.as_ref().is_some_and(is_gone) {
            continue;
        }
        let command = if row.ended.is_some() && row.error.is_none() { "get" } else { "wait" };
        tell(&format!("to go on: lro {command} {} {}", client::words(service), row.operation.token()));
    }
    let worst = rows.iter().map(Row::outcome).max().unwrap_or(Outcome::Succeeded);
    match ending {
        Ending::Done => worst,
        Ending::Interrupted => {
            tell("interrupted; nothing was cancelled");
            Outcome::Interrupted
        }
        Ending::Lost(_) => Outcome::OutputLost,
    }
}

/// Whether the service has said that there is no such operation, or none any longer.
fn is_gone(error: &Error) -> bool {
    let failure = error.source().and_then(|source| source.downcast_ref::<Failure>());
    let is_gone = |failure: &Failure| {
        failure.is_not_found() || matches!(failure.cause(), Cause::Http(code, _) if code.as_u16() == 410)
    };
    // A wait that has run out of time goes on, whatever its last poll has met.
    error.kind() == ErrorKind::Poll && failure.is_some_and(is_gone)
}

/// Tells on stderr that a call about an operation could not be written to stdout.
pub fn report_lost(lost: &Lost, operation: &RawOperation, service: &Service) {
    tell(&lost.to_string());
    let state = describe::state(operation).map(|state| format!(" {state}")).unwrap_or_default();
    tell(&format!("operation {}{state}", printable(operation.name())));
    tell(&format!("to go on: lro get {} {}", client::words(service), operation.token()));
}
