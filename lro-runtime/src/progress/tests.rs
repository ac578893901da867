//! Bars in a terminal in memory, on a clock that is a number.

use std::time::{Duration, Instant};

use indicatif::{InMemoryTerm, ProgressDrawTarget};
use serde_json::json;

use super::*;
use crate::{
    ErrorKind, Operations, PollSettings, Result, block_on,
    dialect::Compute,
    testing::{Script, ScriptedTransport, VirtualClock},
};

/// A terminal of 24 lines, and the bars that are drawn in it.
fn terminal(columns: u16) -> (InMemoryTerm, MultiProgress) {
    let terminal = InMemoryTerm::new(24, columns);
    let bars = MultiProgress::with_draw_target(ProgressDrawTarget::term_like(Box::new(terminal.clone())));
    (terminal, bars)
}

fn operation(script: Script, clock: &VirtualClock) -> RawOperation {
    let transport = ScriptedTransport::new(script).with_clock(clock);
    transport.operations(clock).unwrap().resume("operations/7").unwrap()
}

/// A client of Compute, whose operations have a fraction and a message, and no transport to use.
fn compute(reply: serde_json::Value, clock: &VirtualClock) -> Operations {
    let transport = ScriptedTransport::new(Script::new().json(reply.clone()).json(reply));
    Operations::builder("http://scripted.test")
        .dialect(Compute::new())
        .transport(transport)
        .timer(clock.clone())
        .build()
        .unwrap()
}

fn every(delay: u64) -> PollSettings {
    PollSettings::default().with_delay(Duration::from_secs(delay)).with_multiplier(1.0)
}

/// Waits with a bar, and returns what the terminal shows in the end.
fn shown(script: Script, settings: PollSettings) -> (Result<RawOperation>, String) {
    let ((terminal, bars), clock) = (terminal(80), VirtualClock::new());
    let mut observed = operation(script, &clock).with_bar(&bars);
    let ended = block_on(observed.poll_until_completed(settings));
    let contents = terminal.contents();
    (ended, contents)
}

#[test]
fn a_terminal_state_is_a_word_with_how_long_it_took_and_why() {
    let (_, contents) = shown(Script::new().running(3).done("cat"), every(4));
    assert_eq!(contents, "██████████ succeeded in 12s  operations/7");
    let broken = Script::new().running(1).failed(crate::Code::DataLoss, "the\ndisk \u{1b}[31mbroke");
    let (_, contents) = shown(broken, every(4));
    assert_eq!(contents.trim(), r"failed after 4s  operations/7: DATA_LOSS: the\ndisk \u{1b}[31mbroke");
    let (_, contents) = shown(Script::new().running(1).cancelled(), every(4));
    assert!(contents.trim().starts_with("cancelled after 4s  operations/7: CANCELLED"), "{contents}");
}

#[test]
fn an_unknown_fraction_is_a_spinner_with_the_time_on_the_clients_clock() {
    let ((terminal, bars), clock) = (terminal(80), VirtualClock::manual());
    let bar = Bar::new(&bars).label("cat");
    let operation = operation(Script::new(), &clock);
    bar.show(&operation);
    let first = terminal.contents();
    assert!(first.trim_end().ends_with("0s  cat: pending") && !first.contains('%'), "{first}");
    clock.advance(Duration::from_secs(80));
    bar.show(&operation);
    assert!(terminal.contents().ends_with(" 1m 20s  cat: pending"), "{}", terminal.contents());
}

#[test]
fn a_known_fraction_is_a_bar_with_per_cent_and_with_the_message_of_the_service() {
    let ((terminal, bars), clock) = (terminal(80), VirtualClock::new());
    let reply = json!({
        "name": "o", "status": "RUNNING", "progress": 42,
        "statusMessage": "copying\u{1b}[2J the \u{202e}disk",
        "selfLink": "http://scripted.test/compute/v1/projects/p/global/operations/o",
    });
    let operation = block_on(compute(reply, &clock).get("projects/p/global/operations/o")).unwrap();
    let bar = Bar::from(&bars);
    bar.show(&operation);
    let said = r"copying\u{1b}[2J the \u{202e}disk";
    let line = format!("████░░░░░░  42 %   0s  projects/p/global/operations/o: running: {said}");
    assert_eq!(terminal.contents(), line.chars().take(80).collect::<String>().trim_end());
}

#[test]
fn a_line_is_never_wider_than_the_terminal() {
    for columns in [12, 20, 33] {
        let ((terminal, bars), clock) = (terminal(columns), VirtualClock::new());
        let operation = operation(Script::new(), &clock);
        let one = Bar::new(&bars).label("漢字".repeat(40));
        let other = Bar::new(&bars).message(|_| Some("x".repeat(5000)));
        // Where the terminal joins no characters, a family is six columns wide and not two.
        let joined = Bar::new(&bars).label("👨‍👩‍👧👍🏽لا".repeat(20));
        one.show(&operation);
        other.show(&operation);
        joined.show(&operation);
        let contents = terminal.contents();
        assert_eq!(contents.lines().count(), 3, "{columns}: {contents}");
    }
}

#[test]
fn the_rest_is_estimated_from_the_fractions_of_this_wait_alone() {
    let start = Instant::now();
    let at = |seconds| start + Duration::from_secs(seconds);
    let left = |pace: &line::Pace, now| (pace.left(now).unwrap() + Duration::from_millis(500)).as_secs();
    let mut pace = line::Pace::default();
    // Resumed at 60 %: nothing is known of how fast it got there.
    pace.reached(Some(0.6), at(0));
    assert_eq!(pace.left(at(0)), None);
    pace.reached(Some(0.7), at(10));
    assert_eq!(left(&pace, at(10)), 30);
    // The same fraction again, and no fraction: the time runs on.
    pace.reached(Some(0.7), at(15));
    pace.reached(None, at(15));
    assert_eq!(left(&pace, at(15)), 25);
    assert_eq!(pace.left(at(41)), None, "later than estimated");
    // Begun anew: the time before says nothing.
    pace.reached(Some(0.1), at(50));
    assert_eq!(pace.left(at(50)), None);
    pace.reached(Some(0.2), at(60));
    assert_eq!(left(&pace, at(60)), 80);
}

#[test]
fn a_failed_poll_is_shown_until_the_next_one_succeeds() {
    let ((terminal, bars), clock) = (terminal(80), VirtualClock::new());
    let script = Script::new().running(1).unavailable().running(1).done("cat");
    let (seen, screen) = (Arc::new(Mutex::new(Vec::new())), terminal.clone());
    let observed = operation(script, &clock).with_bar(&bars);
    let (failed, polled) = (Arc::clone(&seen), Arc::clone(&seen));
    let (at_failure, at_poll) = (screen.clone(), screen);
    let mut observed = observed
        .on_failed_poll(move |_| failed.lock().unwrap().push(at_failure.contents()))
        .on_progress(move |_| polled.lock().unwrap().push(at_poll.contents()))
        .every_poll();
    let _ = block_on(observed.poll_until_completed(every(1))).unwrap();
    let seen = seen.lock().unwrap();
    assert!(seen[2].contains("operations/7: running: poll 2 failed: HTTP 503"), "{seen:?}");
    assert!(!seen[3].contains("failed"), "{seen:?}");
}

#[test]
fn many_bars_are_drawn_below_each_other() {
    let ((terminal, bars), clock) = (terminal(80), VirtualClock::new());
    let mut waits = Vec::new();
    for (name, script) in [("cat", Script::new().done(1)), ("dog", Script::new().cancelled())] {
        waits.push(operation(script, &clock).with_bar(Bar::new(&bars).label(name)));
    }
    for wait in &mut waits {
        let _ = block_on(wait.poll_until_completed(every(1))).unwrap();
    }
    let contents = terminal.contents();
    let lines: Vec<&str> = contents.lines().collect();
    assert!(lines.len() == 2 && lines[0].contains("succeeded in 0s  cat"), "{contents}");
    assert!(lines[1].contains("cancelled after 0s  dog"), "{contents}");
}

#[test]
fn a_wait_that_ends_early_leaves_words_and_the_next_goes_on_with_the_same_line() {
    let ((terminal, bars), clock) = (terminal(80), VirtualClock::new());
    let mut observed = operation(Script::new().running(9).done("cat"), &clock).with_bar(&bars);
    let error = block_on(observed.poll_until_completed(every(1).with_timeout(Duration::from_secs(3)))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(terminal.contents().trim(), "left running after 3s  operations/7: the wait expired");
    // A wait that is dropped.
    let mut waiting = Box::pin(observed.poll_until_completed(every(1)));
    let _ = waiting.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop()));
    drop(waiting);
    assert!(terminal.contents().ends_with("operations/7: not waited for any longer"), "{}", terminal.contents());
    let _ = block_on(observed.poll_until_completed(every(1))).unwrap();
    assert!(terminal.contents().contains("██████████ succeeded in "), "{}", terminal.contents());
    assert_eq!(terminal.contents().lines().count(), 1);
}

#[test]
fn a_poll_that_fails_for_good_is_told_in_words() {
    let (ended, contents) = shown(Script::new().running(1).http(403, "no"), every(1));
    let words = "left running after 1s  operations/7: the poll failed: HTTP 403";
    assert!(ended.is_err() && contents.trim().starts_with(words), "{contents}");
}

#[test]
fn a_dropped_bar_stays_with_words_and_stops_the_thread() {
    let ((terminal, bars), clock) = (terminal(80), VirtualClock::new());
    let observed = operation(Script::new().running_forever(), &clock).with_bar(&bars);
    let mut stream = observed.snapshots(every(1));
    let first = std::pin::Pin::new(&mut stream);
    let _ = futures_core::Stream::poll_next(first, &mut std::task::Context::from_waker(std::task::Waker::noop()));
    assert!(terminal.contents().contains("pending"), "{}", terminal.contents());
    drop(stream);
    assert!(terminal.contents().ends_with("operations/7: not waited for any longer"), "{}", terminal.contents());
    let line = Mutex::new(Line::new(bars));
    assert!(!lock(&line).tick(), "a line without a snapshot is not redrawn");
}

#[test]
fn nothing_is_drawn_and_nothing_ticks_where_bars_are_hidden() {
    let clock = VirtualClock::new();
    let bars = MultiProgress::with_draw_target(ProgressDrawTarget::hidden());
    let mut line = Line::new(bars);
    assert!(!line.show(&operation(Script::new(), &clock)), "the ticker has nothing to do");
}

#[test]
fn the_thread_redraws_the_lines_and_ends_with_the_last() {
    let ((terminal, bars), clock) = (terminal(80), VirtualClock::manual());
    let bar = Bar::new(&bars);
    bar.show(&operation(Script::new(), &clock));
    let spins = |from: &str| {
        (0..100).any(|_| {
            std::thread::sleep(Duration::from_millis(100));
            terminal.contents() != from
        })
    };
    assert!(spins(&terminal.contents()), "the spinner turns between polls");
    drop(bar);
    // Other tests have bars of their own.
    let ends = (0..100).any(|_| {
        std::thread::sleep(Duration::from_millis(100));
        !ticker::is_running()
    });
    assert!(ends);
}
