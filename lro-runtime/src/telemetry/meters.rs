//! Counts and durations, by the facade `metrics`.
//!
//! Labels are few and of few values: the declared method, the dialect, a state, an outcome, the
//! scope and the type of a failure. Names and URLs are in none.

use std::{
    collections::HashMap,
    sync::{
        Arc, LazyLock, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use metrics::{Key, Label, Level, Metadata, Recorder, SharedString, Unit, with_recorder};

use super::{
    CallKind, CallOutcome, Done, Outcome, PollBegun, Seen, Subject, WaitEnded,
    report::{error_type, scope_word, state_word},
};
use crate::status::Failure;

const STARTS: &str = "lro.starts";
const POLLS: &str = "lro.polls";
const POLL_FAILURES: &str = "lro.poll.failures";
const POLL_DURATION: &str = "lro.poll.duration";
const POLL_LATENESS: &str = "lro.poll.lateness";
const WAITS: &str = "lro.waits";
const WAITS_ACTIVE: &str = "lro.waits.active";
const WAIT_DURATION: &str = "lro.wait.duration";
const OPERATION_DURATION: &str = "lro.operation.duration";

/// The label of an operation whose method is not known.
const NO_METHOD: &str = "unknown";

static METADATA: Metadata<'static> = Metadata::new("lro_runtime", Level::INFO, None);

/// The keys of one method in one dialect: made once, because making one allocates.
///
/// Keys are kept and not the counters behind them, which are those of one recorder: a program may
/// install its recorder after its first operation.
struct Keys {
    polls: Key,
    poll_duration: Key,
    poll_lateness: Key,
    waits_active: Key,
    labels: [Label; 2],
}

type KnownKeys = Mutex<HashMap<(Option<&'static str>, &'static str), Arc<Keys>>>;

/// All keys of the process. As many as there are methods and dialects, because both names are
/// constants of the program.
static KNOWN: LazyLock<KnownKeys> = LazyLock::new(KnownKeys::default);

impl Keys {
    fn of(subject: Subject<'_>) -> Arc<Self> {
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        let keys = known
            .entry((subject.method, subject.dialect))
            .or_insert_with(|| Arc::new(Self::new(subject.method, subject.dialect)));
        Arc::clone(keys)
    }

    fn new(method: Option<&'static str>, dialect: &'static str) -> Self {
        let labels = [Label::new("lro.method", method.unwrap_or(NO_METHOD)), Label::new("lro.dialect", dialect)];
        let key = |name| Key::from_parts(name, labels.to_vec());
        Self {
            polls: key(POLLS),
            poll_duration: key(POLL_DURATION),
            poll_lateness: key(POLL_LATENESS),
            waits_active: key(WAITS_ACTIVE),
            labels,
        }
    }

    /// Returns the key of a metric with more labels than these.
    fn with(&self, name: &'static str, more: impl IntoIterator<Item = Label>) -> Key {
        Key::from_parts(name, self.labels.iter().cloned().chain(more).collect::<Vec<_>>())
    }

    /// Reports a poll or a start that has ended.
    fn ended(&self, done: &Done<'_>) {
        match &done.outcome {
            CallOutcome::Started(seen) => {
                count(&self.with(STARTS, []));
                self.seen(seen);
            }
            CallOutcome::StartFailed(failure) | CallOutcome::Unreadable(failure) => {
                count(&self.with(STARTS, [type_label(failure)]));
            }
            CallOutcome::Seen(seen) => {
                self.polled(done.took);
                self.seen(seen);
            }
            CallOutcome::Failed(failure) => {
                self.polled(done.took);
                let scope = Label::new("lro.failure.scope", scope_word(failure));
                count(&self.with(POLL_FAILURES, [scope, type_label(failure)]));
            }
            CallOutcome::NotHeld => self.polled(done.took),
            CallOutcome::Accepted => {}
        }
    }

    fn polled(&self, took: Duration) {
        recorder(|recorder| {
            recorder.register_counter(&self.polls, &METADATA).increment(1);
            recorder.register_histogram(&self.poll_duration, &METADATA).record(took.as_secs_f64());
        });
    }

    /// Reports the end of an operation, if that is what was seen.
    fn seen(&self, seen: &Seen<'_>) {
        if let Some(since_start) = seen.since_start {
            let state = Label::new("lro.state", state_word(seen.subject.state));
            observe(&self.with(OPERATION_DURATION, [state]), since_start);
        }
    }

    fn wait_ended(&self, outcome: Outcome, lasted: Option<Duration>) {
        let outcome = Label::new("lro.outcome", outcome.word());
        count(&self.with(WAITS, [outcome.clone()]));
        if let Some(lasted) = lasted {
            observe(&self.with(WAIT_DURATION, [outcome]), lasted);
        }
        recorder(|recorder| recorder.register_gauge(&self.waits_active, &METADATA).decrement(1.0));
    }
}

/// The wait's keys until it ends.
pub(super) struct OfWait(Option<Arc<Keys>>);

impl OfWait {
    pub(super) fn begin<'a>(subject: &impl Fn() -> Subject<'a>) -> Self {
        let keys = Keys::of(subject());
        recorder(|recorder| recorder.register_gauge(&keys.waits_active, &METADATA).increment(1.0));
        Self(Some(keys))
    }

    pub(super) fn is_on(&self) -> bool {
        self.0.is_some()
    }

    pub(super) fn poll(&mut self, begun: &PollBegun<'_>) {
        if let Some(keys) = &self.0 {
            observe(&keys.poll_lateness, begun.late);
        }
    }

    pub(super) fn polled(&mut self, done: &Done<'_>) {
        if let Some(keys) = &self.0 {
            keys.ended(done);
        }
    }

    pub(super) fn ended(&mut self, ended: &WaitEnded<'_>) {
        if let Some(keys) = self.0.take() {
            keys.wait_ended(ended.outcome, Some(ended.lasted));
        }
    }
}

/// A wait that has not ended is dropped with its future. How long it lasted says nothing.
impl Drop for OfWait {
    fn drop(&mut self) {
        if let Some(keys) = self.0.take() {
            keys.wait_ended(Outcome::Dropped, None);
        }
    }
}

/// The keys of a start or a poll. Of other calls there are no metrics.
pub(super) struct OfCall(Option<Arc<Keys>>);

impl OfCall {
    pub(super) fn begin<'a>(kind: CallKind, subject: &impl Fn() -> Subject<'a>) -> Self {
        Self(matches!(kind, CallKind::Start | CallKind::Poll(_)).then(|| Keys::of(subject())))
    }

    pub(super) fn is_on(&self) -> bool {
        self.0.is_some()
    }

    pub(super) fn ended(&mut self, done: &Done<'_>) {
        if let Some(keys) = &self.0 {
            keys.ended(done);
        }
    }
}

fn type_label(failure: &Failure) -> Label {
    Label::new("error.type", error_type(failure).to_owned())
}

fn count(key: &Key) {
    recorder(|recorder| recorder.register_counter(key, &METADATA).increment(1));
}

fn observe(key: &Key, duration: Duration) {
    recorder(|recorder| recorder.register_histogram(key, &METADATA).record(duration.as_secs_f64()));
}

/// Calls `report` with the recorder of the program, which knows the metrics by then.
fn recorder(report: impl FnOnce(&dyn Recorder)) {
    with_recorder(|recorder| {
        describe_once(recorder);
        report(recorder);
    });
}

/// Describes the metrics to a recorder that is another than the last.
///
/// Recorders are told apart by their address. One that is where another was before is not told,
/// which costs it the descriptions and no more.
fn describe_once(recorder: &dyn Recorder) {
    static TOLD: AtomicUsize = AtomicUsize::new(0);
    let address = std::ptr::from_ref(recorder).cast::<()>().addr();
    if TOLD.load(Ordering::Relaxed) != address {
        TOLD.store(address, Ordering::Relaxed);
        describe(recorder);
    }
}

fn describe(recorder: &dyn Recorder) {
    let text = SharedString::const_str;
    let counters = [
        (STARTS, "Start calls, with the type of the failure where one failed"),
        (POLLS, "Polls that have ended"),
        (POLL_FAILURES, "Polls that failed"),
        (WAITS, "Waits that have ended"),
    ];
    for (name, what) in counters {
        recorder.describe_counter(name.into(), Some(Unit::Count), text(what));
    }
    let histograms = [
        (POLL_DURATION, "How long a poll took"),
        (POLL_LATENESS, "How much later than planned a poll of a wait was sent"),
        (WAIT_DURATION, "How long a wait took that was not dropped"),
        (OPERATION_DURATION, "How long after its start an operation was seen to have ended"),
    ];
    for (name, what) in histograms {
        recorder.describe_histogram(name.into(), Some(Unit::Seconds), text(what));
    }
    recorder.describe_gauge(WAITS_ACTIVE.into(), Some(Unit::Count), text("Waits that go on now"));
}
