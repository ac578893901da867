//! The thread that redraws the lines between polls: one for all of the program.

use std::{
    sync::{Mutex, PoisonError, Weak},
    thread,
    time::Duration,
};

use super::{line::Line, lock};

/// The time between two redraws.
const INTERVAL: Duration = Duration::from_millis(100);

/// The lines that are redrawn, and whether a thread does it.
struct Ticker {
    lines: Vec<Weak<Mutex<Line>>>,
    is_running: bool,
}

static TICKER: Mutex<Ticker> = Mutex::new(Ticker { lines: Vec::new(), is_running: false });

/// Redraws a line from now on, until it has ended or is dropped.
pub(super) fn join(line: Weak<Mutex<Line>>) {
    let mut ticker = TICKER.lock().unwrap_or_else(PoisonError::into_inner);
    ticker.lines.push(line);
    if !ticker.is_running {
        // Where no thread can be had, the lines change with the polls alone.
        ticker.is_running = thread::Builder::new().name("lro-progress".to_owned()).spawn(run).is_ok();
    }
}

/// Redraws until no line is left.
fn run() {
    loop {
        thread::sleep(INTERVAL);
        // Not under the lock: drawing may take long on a slow terminal.
        let mut lines = {
            let mut ticker = TICKER.lock().unwrap_or_else(PoisonError::into_inner);
            if ticker.lines.is_empty() {
                ticker.is_running = false;
                return;
            }
            std::mem::take(&mut ticker.lines)
        };
        lines.retain(|line| line.upgrade().is_some_and(|line| lock(&line).tick()));
        TICKER.lock().unwrap_or_else(PoisonError::into_inner).lines.append(&mut lines);
    }
}

/// Whether the thread runs.
#[cfg(test)]
pub(super) fn is_running() -> bool {
    TICKER.lock().unwrap_or_else(PoisonError::into_inner).is_running
}
