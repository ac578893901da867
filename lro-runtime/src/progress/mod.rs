//! Progress bars of [indicatif](https://docs.rs/indicatif) for operations that are waited for.
//!
//! [`with_bar`](crate::RawOperation::with_bar) on an operation adds an observer that draws one line
//! for it: a bar where the fraction done is known, a spinner where it is not, how long it takes,
//! how long it still takes, and what the service says.
//!
//! ```text
//! ██████████ succeeded in 3m 12s  elephant
//! ████░░░░░░  42 % 1m 20s, 1m 50s left  cat: running: copying the disk
//! ⠹          7s  dog: pending
//! ███░░░░░░░ failed after 12s  cow: DATA_LOSS: the disk is broken
//! ```
//!
//! The bars of many operations belong to one [`MultiProgress`], which draws to stderr unless it is
//! told otherwise. Where that is not a terminal, nothing is drawn, and no thread is started. Text
//! of the service is escaped, and every line is cut to the width of the terminal.
//!
//! For a notebook or a web page a bar is of no use: the stream of
//! [`snapshots`](crate::Observed::snapshots) is what a program of its own draws from.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// indicatif 0.18, whose [`MultiProgress`] the bars of this module are drawn in.
pub use indicatif;
use indicatif::MultiProgress;

mod line;
mod ticker;

use self::line::Line;
use crate::{
    driver::Observed,
    operation::{Handle, Operation, OperationState, RawOperation},
};

/// One operation's line in a [`MultiProgress`].
///
/// Most programs need none: `operation.with_bar(&bars)` makes it. It is made by hand to give it a
/// [`label`](Self::label) or a [`message`](Self::message), and to draw snapshots that come from
/// elsewhere than a wait with observers: [`show`](Self::show).
///
/// While it is shown in a terminal, one thread for all bars of the program redraws the times and
/// the spinners ten times a second; it ends with the last of them.
///
/// A bar that is dropped before its operation has ended stays on the screen and says that nobody
/// waits any longer.
///
/// ```
/// use lro_runtime::progress::{Bar, indicatif::MultiProgress};
///
/// # fn of(operation: lro_runtime::RawOperation) {
/// let bars = MultiProgress::new();
/// let observed = operation.with_bar(Bar::new(&bars).label("elephant"));
/// # drop(observed) }
/// ```
#[must_use = "a bar shows nothing until it has an operation"]
pub struct Bar {
    line: Arc<Mutex<Line>>,
}

impl Bar {
    /// Makes a bar below those that `bars` has already. Nothing is drawn before the first snapshot.
    pub fn new(bars: &MultiProgress) -> Self {
        Self { line: Arc::new(Mutex::new(Line::new(bars.clone()))) }
    }

    /// Sets what the line calls the operation. Default: its name, of which a long one is shown in
    /// part.
    pub fn label(self, label: impl Into<String>) -> Self {
        self.lock().label = Some(label.into());
        self
    }

    /// Sets what the line says behind the state while the operation has not ended. Default: the
    /// [status message](RawOperation::status_message), in dialects that have one.
    ///
    /// The function gets each snapshot, and reads the metadata of services that say in it what they
    /// do. Its text is escaped as the service's is.
    ///
    /// ```
    /// use lro_runtime::progress::{Bar, indicatif::MultiProgress};
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Progress {
    ///     step: String,
    /// }
    ///
    /// let bar = Bar::new(&MultiProgress::new())
    ///     .message(|operation| Some(operation.metadata()?.decode_json::<Progress>().ok()?.step));
    /// # drop(bar);
    /// ```
    pub fn message(self, message: impl Fn(&RawOperation) -> Option<String> + Send + 'static) -> Self {
        self.lock().message = Some(Box::new(message));
        self
    }

    /// Draws a snapshot: the first makes the line, a terminal one ends it.
    ///
    /// ```
    /// use lro_runtime::{Operations, progress::{Bar, indicatif::MultiProgress}};
    ///
    /// let bar = Bar::new(&MultiProgress::new());
    /// let operations = Operations::builder("https://images.example.com").build()?;
    /// bar.show(&operations.resume("operations/7")?);
    /// # Ok::<(), lro_runtime::Error>(())
    /// ```
    pub fn show<H: Handle>(&self, operation: &H) {
        let mut line = self.lock();
        if line.show(operation.raw_operation()) {
            ticker::join(Arc::downgrade(&self.line));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Line> {
        lock(&self.line)
    }
}

/// Locks a line. What a panic of a message function left is drawn as it is.
fn lock(line: &Mutex<Line>) -> MutexGuard<'_, Line> {
    line.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.lock().abandon("not waited for any longer");
    }
}

impl From<&MultiProgress> for Bar {
    fn from(bars: &MultiProgress) -> Self {
        Self::new(bars)
    }
}

impl fmt::Debug for Bar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bar").finish_non_exhaustive()
    }
}

impl<H: Handle> Observed<H> {
    /// Adds a progress bar, which is drawn while the operation is waited for: `&bars` of a
    /// [`MultiProgress`], or a [`Bar`] with a label of its own.
    ///
    /// It shows every poll, failed ones included. A wait that ends without a terminal snapshot
    /// leaves the bar on the screen, with words that say why; the next wait goes on with it.
    pub fn with_bar(self, bar: impl Into<Bar>) -> Self {
        self.with_whole_wait(Observer(bar.into()))
    }
}

impl RawOperation {
    /// Adds a progress bar: see [`Observed::with_bar`].
    ///
    /// ```
    /// use lro_runtime::{PollSettings, RawOperation, Result, progress::indicatif::MultiProgress};
    ///
    /// async fn wait(operation: RawOperation) -> Result<RawOperation> {
    ///     let bars = MultiProgress::new(); // one for all operations that are waited for at once
    ///     operation.with_bar(&bars).poll_until_completed(PollSettings::interactive()).await
    /// }
    /// ```
    #[cfg_attr(docsrs, doc(cfg(feature = "indicatif")))]
    pub fn with_bar(&self, bar: impl Into<Bar>) -> Observed<Self> {
        Observed::new(self).with_bar(bar)
    }
}

impl<S: OperationState> Operation<S> {
    /// Adds a progress bar: see [`Observed::with_bar`].
    #[cfg_attr(docsrs, doc(cfg(feature = "indicatif")))]
    pub fn with_bar(&self, bar: impl Into<Bar>) -> Observed<Self> {
        Observed::new(self).with_bar(bar)
    }
}

/// The bar as an observer of waits.
struct Observer(Bar);

impl crate::driver::ObserveWait for Observer {
    fn snapshot(&mut self, operation: &RawOperation) {
        self.0.show(operation);
    }

    fn failed_poll(&mut self, failed: crate::driver::FailedPoll<'_>) {
        self.0.lock().failed_poll(failed);
    }

    fn left(&mut self, error: Option<&crate::Error>) {
        self.0.lock().leave(error);
    }
}

#[cfg(test)]
mod tests;
