//! Progress bars: waits that end, expire, are dropped and go on, of operations whose service says
//! whatever it likes, in a terminal of any width.
//!
//! Promises: no reply makes a line longer than the terminal is wide, or a second line; each
//! operation has one line, through all of its waits; and that line says how it stands in the end.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a suite panics where a promise is broken")]

use std::{
    future::Future,
    task::{Context, Poll, Waker},
    time::Duration,
};

use fastrand::Rng;
use lro_runtime::{
    ErrorKind, Observed, Operations, PollSettings, RawOperation, State, block_on,
    dialect::Compute,
    progress::{
        Bar,
        indicatif::{InMemoryTerm, MultiProgress, ProgressDrawTarget},
    },
    testing::{Script, ScriptedTransport, VirtualClock},
};
use serde_json::{Value, json};

use crate::round::{Counts, Suite};

/// The suite.
pub const BARS: Suite = Suite { name: "bars", unit: "terminals", case, short: 60, long: 500 };

/// A terminal of fewer columns has no room for a bar and a blank.
const NARROWEST: u16 = 12;

/// One operation that is waited for, perhaps more than once.
struct Waited {
    label: String,
    observed: Observed<RawOperation>,
    /// How it stands, as the last wait has said.
    known: Option<State>,
}

fn case(seed: u64) -> Counts {
    let (mut rng, mut counts, clock) = (Rng::with_seed(seed), Counts::default(), VirtualClock::new());
    let columns = rng.u16(NARROWEST..=120);
    let terminal = InMemoryTerm::new(40, columns);
    let bars = MultiProgress::with_draw_target(ProgressDrawTarget::term_like(Box::new(terminal.clone())));
    let mut all: Vec<Waited> = (0..rng.usize(1..=5)).map(|index| waited(index, &bars, &mut rng, &clock)).collect();
    let lines = |all: usize| {
        let contents = terminal.contents();
        assert!(contents.lines().count() <= all, "seed {seed}: {columns} columns, {all} operations:\n{contents}");
        assert!(
            !contents.lines().any(|line| line.starts_with("EVIL")),
            "seed {seed}: written by the service:\n{contents}"
        );
        contents
    };
    for _ in 0..rng.usize(2..12) {
        let index = rng.usize(0..all.len());
        wait(&mut all[index], &mut rng, &mut counts);
        let (contents, one) = (lines(all.len()), &all[index]);
        // The label is the first text that is cut off.
        if columns >= 100 {
            let line = contents.lines().find(|line| line.contains(&one.label));
            let line = line.unwrap_or_default();
            let word = one.known.map_or_else(|| "left ".to_owned(), |state| format!("{state} "));
            assert!(line.contains(&word), "seed {seed}: `{word}` is not in: {line}");
        }
    }
    let waited = all.len();
    drop(all);
    lines(waited);
    counts
}

/// Waits once more, to the end of the wait or not.
fn wait(one: &mut Waited, rng: &mut Rng, counts: &mut Counts) {
    let timeout = Duration::from_secs(rng.u64(1..8));
    let settings = PollSettings::default().with_delay(Duration::from_secs(1)).with_timeout(timeout);
    let mut waiting = Box::pin(one.observed.poll_until_completed(settings));
    let patience = if rng.bool() { 0 } else { rng.u32(1..40) };
    let mut context = Context::from_waker(Waker::noop());
    let by_hand = (0..patience).map(|_| waiting.as_mut().poll(&mut context)).find(Poll::is_ready);
    let ended = match by_hand {
        Some(Poll::Ready(ended)) => ended,
        _ if patience > 0 => return counts.add("dropped", 1),
        _ => block_on(waiting),
    };
    match ended {
        Ok(done) => {
            one.known = Some(done.state());
            counts.add("ended", 1);
        }
        Err(error) => counts.add(if error.kind() == ErrorKind::Timeout { "expired" } else { "broken" }, 1),
    }
}

/// Makes an operation and its bar.
fn waited(index: usize, bars: &MultiProgress, rng: &mut Rng, clock: &VirtualClock) -> Waited {
    let mut script = Script::new();
    for _ in 0..rng.usize(0..12) {
        script = match rng.u8(0..12) {
            0 => script.unavailable(),
            1 => script.garbage("\u{1b}[2J\u{1b}[HEVIL"),
            _ => script.json(reply("RUNNING", rng)),
        };
    }
    // Again and again: the reply to a poll that is dropped is lost.
    let mut end = reply("DONE", rng);
    if rng.bool() {
        end["error"] = json!({ "errors": [{ "code": message(rng), "message": message(rng) }] });
        end["httpErrorStatusCode"] = json!(500);
    }
    for _ in 0..40 {
        script = script.json(end.clone());
    }
    let transport = ScriptedTransport::new(script).with_clock(clock);
    let builder = Operations::builder("http://scripted.test").dialect(Compute::new());
    let client = builder.timer(clock.clone()).transport(transport).build();
    let operation = client.and_then(|client| client.resume("projects/p/global/operations/o")).unwrap();
    let label = format!("cat-{index}");
    let observed = operation.with_bar(Bar::new(bars).label(label.as_str()));
    Waited { label, observed, known: None }
}

/// Returns a reply of the service.
fn reply(status: &str, rng: &mut Rng) -> Value {
    let progress = rng.choice([json!(null), json!(42), json!(0), json!(100), json!(-5), json!(1e300)]);
    json!({ "name": "o", "status": status, "progress": progress, "statusMessage": message(rng) })
}

/// Returns a message of a service that would like to have the terminal for itself.
fn message(rng: &mut Rng) -> String {
    let parts = [
        "\u{1b}[2J\u{1b}[HEVIL",
        "\n",
        "\r",
        "\t",
        "漢字",
        "\u{202e}",
        "\u{9b}2J",
        "copying",
        "\u{301}",
        "👨‍👩‍👧",
        "👍🏽",
        "لا",
        "☺️",
    ];
    (0..rng.usize(0..20)).filter_map(|_| rng.choice(parts)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_operation_has_one_line_through_all_its_waits() {
        let report = BARS.short_round();
        for what in ["dropped", "ended", "expired", "broken"] {
            assert!(report.counts().of(what) > 0, "{what} is not met");
        }
    }
}
