//! What one bar shows: a line of text beside a bar or a spinner.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use crate::{
    driver::FailedPoll,
    duration,
    error::{Error, ErrorKind},
    operation::RawOperation,
    status::State,
    text::{head, line},
    timer::Timer,
};

/// The length of a bar: its position is the fraction done in thousandths.
const WHOLE: u64 = 1000;

/// How many characters of a name the line shows. The end of a name tells operations apart.
const NAME: usize = 32;

/// How many bytes of the service's text the line has at most. The terminal cuts it to its width.
const SAID: usize = 400;

/// The bar and the spinner are equally wide, so that the text beside them is aligned. The text is
/// one field that indicatif cuts to what is left of the terminal's width.
const BAR: &str = "{bar:10} {wide_msg}";
const SPINNER: &str = "{spinner:10} {wide_msg}";

type Message = Box<dyn Fn(&RawOperation) -> Option<String> + Send>;

/// One operation's line.
pub(super) struct Line {
    bars: MultiProgress,
    pub(super) label: Option<String>,
    pub(super) message: Option<Message>,
    shown: Option<Shown>,
}

/// The line after its first snapshot.
struct Shown {
    bar: ProgressBar,
    /// The clock of the operation's client, which is not the machine's in tests.
    timer: Arc<dyn Timer>,
    began: Instant,
    label: String,
    state: State,
    said: String,
    pace: Pace,
    /// Whether the ticker redraws the line.
    is_ticking: bool,
}

impl Line {
    pub(super) fn new(bars: MultiProgress) -> Self {
        Self { bars, label: None, message: None, shown: None }
    }

    /// Draws a snapshot. Returns whether the ticker has to redraw the line from now on.
    pub(super) fn show(&mut self, operation: &RawOperation) -> bool {
        let (state, fraction) = (operation.state(), operation.progress());
        let said = if state.is_terminal() {
            let status = operation.status().filter(|_| state != State::Succeeded);
            status.map(|status| head(&status.to_string(), SAID).to_owned())
        } else {
            let own = self.message.as_ref().map(|message| message(operation));
            own.unwrap_or_else(|| said(operation)).map(|words| line(head(&words, SAID)))
        };
        let shown = match &mut self.shown {
            Some(shown) => shown,
            none => {
                let label = self.label.as_deref().map_or_else(|| tail(&operation.label()), str::to_owned);
                none.insert(Shown::new(&self.bars, operation, unjoined(&line(&label))))
            }
        };
        if shown.bar.is_finished() {
            shown.bar.reset();
            shown.pace = Pace::default();
        }
        shown.state = state;
        shown.said = said.map(|words| unjoined(&words)).unwrap_or_default();
        shown.pace.reached(fraction, shown.timer.now());
        shown.restyle();
        match state {
            State::Pending | State::Running => shown.bar.set_message(shown.text()),
            State::Succeeded => shown.bar.finish_with_message(shown.ended(&state.to_string())),
            State::Failed | State::Cancelled => shown.bar.abandon_with_message(shown.ended(&state.to_string())),
        }
        // Where nothing is drawn, nothing has to be redrawn.
        let joins = !state.is_terminal() && !shown.is_ticking && !shown.bar.is_hidden();
        shown.is_ticking |= joins;
        joins
    }

    /// Says that a poll has failed, until the next one succeeds.
    pub(super) fn failed_poll(&mut self, failed: FailedPoll<'_>) {
        if let Some(shown) = &mut self.shown {
            let why = failed.failure().to_string();
            shown.said = format!("poll {} failed: {}", failed.attempt(), unjoined(head(&why, SAID)));
            shown.bar.set_message(shown.text());
        }
    }

    /// Says that a wait has ended before its operation: because of an error, or because it was
    /// dropped.
    pub(super) fn leave(&mut self, error: Option<&Error>) {
        let words = error.map_or_else(|| "not waited for any longer".to_owned(), without_name);
        self.abandon(&words);
    }

    /// Leaves the line on the screen with these words, unless it has ended.
    pub(super) fn abandon(&mut self, words: &str) {
        if let Some(shown) = self.shown.as_mut().filter(|shown| !shown.bar.is_finished()) {
            let state = shown.state;
            shown.said = unjoined(head(words, SAID));
            shown.bar.abandon_with_message(shown.ended(&format!("left {state}")));
        }
    }

    /// Redraws the times and the spinner. Returns `false` once there is nothing more to redraw.
    pub(super) fn tick(&mut self) -> bool {
        let Some(shown) = &mut self.shown else { return false };
        shown.is_ticking = !shown.bar.is_finished();
        if shown.is_ticking {
            shown.bar.set_message(shown.text());
            shown.bar.tick();
        }
        shown.is_ticking
    }
}

impl Shown {
    fn new(bars: &MultiProgress, operation: &RawOperation, label: String) -> Self {
        let timer = Arc::clone(operation.client().timer());
        Self {
            bar: bars.add(ProgressBar::new(WHOLE)),
            began: timer.now(),
            timer,
            label,
            state: operation.state(),
            said: String::new(),
            pace: Pace::default(),
            is_ticking: false,
        }
    }

    /// Makes the line a bar at the fraction done, or a spinner if that is not known.
    fn restyle(&self) {
        let template = if self.pace.fraction().is_some() { BAR } else { SPINNER };
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style);
        }
        self.bar.set_position(self.pace.fraction().map_or(0, thousandths));
    }

    /// The text of an operation that is waited for.
    fn text(&self) -> String {
        let now = self.timer.now();
        let done = self.pace.fraction().map(|done| format!("{} %", thousandths(done) / 10)).unwrap_or_default();
        let left = self.pace.left(now).map(|left| format!(", {} left", seconds(left))).unwrap_or_default();
        let Self { label, state, .. } = self;
        format!("{done:>5} {:>4}{left}  {label}: {state}{}", self.elapsed(now), self.said())
    }

    /// The text of a line that is not redrawn any more: how it ended comes first.
    fn ended(&self, how: &str) -> String {
        let joint = if self.state == State::Succeeded { "in" } else { "after" };
        format!("{how} {joint} {}  {}{}", self.elapsed(self.timer.now()), self.label, self.said())
    }

    fn elapsed(&self, now: Instant) -> String {
        seconds(now.saturating_duration_since(self.began))
    }

    fn said(&self) -> String {
        if self.said.is_empty() { String::new() } else { format!(": {}", self.said) }
    }
}

/// How fast an operation gets on, by the fractions that its snapshots have.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pace {
    first: Option<(Instant, f64)>,
    last: Option<(Instant, f64)>,
}

impl Pace {
    /// Takes the fraction of a snapshot that came `now`.
    pub(super) fn reached(&mut self, fraction: Option<f64>, now: Instant) {
        let Some(fraction) = fraction else { return };
        match self.last {
            // The service has begun anew: what was before says nothing about the rest.
            Some((_, before)) if fraction < before => (self.first, self.last) = (Some((now, fraction)), None),
            // The same fraction again: the time since it was reached counts against the rest.
            Some((_, before)) if fraction <= before => return,
            _ => {}
        }
        self.first.get_or_insert((now, fraction));
        self.last = Some((now, fraction));
    }

    /// Returns the fraction done, 0 to 1, if one is known.
    fn fraction(&self) -> Option<f64> {
        self.last.map(|(_, fraction)| fraction)
    }

    /// Returns how long the rest takes if it gets on as it did; `None` while that is not known, and
    /// in the last second of it and after it.
    pub(super) fn left(&self, now: Instant) -> Option<Duration> {
        let ((began, from), (at, to)) = (self.first?, self.last?);
        let took = at.saturating_duration_since(began).as_secs_f64();
        let rest = Duration::try_from_secs_f64(took * (1.0 - to) / (to - from)).ok()?;
        rest.checked_sub(now.saturating_duration_since(at)).filter(|left| left.as_secs() > 0)
    }
}

/// Returns a fraction from 0 to 1 in thousandths.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a fraction is from 0 to 1")]
fn thousandths(fraction: f64) -> u64 {
    (fraction * 1000.0) as u64
}

/// Returns a duration in words, in whole seconds.
fn seconds(duration: Duration) -> String {
    duration::format(Duration::from_secs(duration.as_secs()))
}

/// Returns what the service says about an operation that has not ended: its message, else its own
/// word for the state.
fn said(operation: &RawOperation) -> Option<String> {
    let is_other = |word: &&str| !word.eq_ignore_ascii_case(&operation.state().to_string());
    operation.status_message().or_else(|| operation.raw_status().filter(is_other)).map(str::to_owned)
}

/// Returns text whose characters are as wide together as each of them by itself.
///
/// Many scripts have characters that join others and make the text shorter: families of emoji, the
/// Arabic lam with an alef. indicatif cuts lines by the joined width, and where a terminal joins
/// nothing they would be wider than it. A character between them that has no width keeps them apart
/// everywhere.
fn unjoined(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let apart = out.width() + c.width().unwrap_or(0);
        out.push(c);
        if out.width() < apart {
            out.pop();
            out.extend(['\u{200c}', c]);
        }
    }
    out
}

/// Returns the end of a name.
fn tail(name: &str) -> String {
    match name.char_indices().rev().nth(NAME - 1) {
        Some((at, _)) if at > 0 => format!("…{}", name.get(at..).unwrap_or_default()),
        _ => name.to_owned(),
    }
}

/// Returns what an error says, without what the line has already: the name of the operation, and of
/// a wait that has expired the state and the time.
fn without_name(error: &Error) -> String {
    if error.kind() == ErrorKind::Timeout {
        return "the wait expired".to_owned();
    }
    let said = error.to_string();
    let name = error.snapshot().map(|operation| format!("operation `{}`: ", line(&operation.label())));
    name.and_then(|name| said.strip_prefix(&name).map(str::to_owned)).unwrap_or(said)
}
