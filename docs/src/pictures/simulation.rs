//! How often schedules poll, and how late they notice the end of an operation.
//!
//! The durations of operations are log-normal with sigma 1, and the same for every schedule. For
//! the presets of this library the library itself waits, in virtual time. The schedules of other
//! clients are computed from their defaults. Time limits are left out for all.

use std::{f64::consts::TAU, iter, time::Duration};

use fastrand::Rng;
use lro_runtime::{
    PollSettings, Result, block_on,
    testing::{Script, ScriptedTransport, VirtualClock},
};
use serde_json::json;

use super::peers::{PEERS, Spread};

/// The medians of the durations, in seconds.
pub const MEDIANS: [f64; 3] = [5.0, 60.0, 600.0];

const OPERATIONS: usize = 20_000;
/// How many waits share the operations, where delays are random. Each has a seed of its own.
const RANDOM_WAITS: usize = 256;

/// What a schedule costs, over operations of one median duration.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figure {
    /// Polls per operation, without the start call.
    pub polls: f64,
    /// The mean time from the end of an operation to the poll that sees it, in seconds.
    pub late: f64,
}

/// What a client's schedule costs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row {
    /// The name of the client, or of the preset.
    pub name: &'static str,
    /// Whether it is a preset of this library.
    pub is_ours: bool,
    /// One figure for each of [`MEDIANS`].
    pub figures: [Figure; 3],
}

/// Simulates every schedule. Returns the same at every call.
///
/// # Errors
///
/// Fails if a wait of this library does, which none should.
pub fn rows() -> Result<Vec<Row>> {
    let ours = [
        ("default", PollSettings::default(), 1),
        ("interactive", PollSettings::interactive(), 1),
        ("batch", PollSettings::batch(), RANDOM_WAITS),
    ];
    let ours = ours.into_iter().map(|(name, settings, waits)| {
        let figures = figures(waits, |longest, seed| our_polls(settings.clone().with_seed(seed), longest))?;
        Ok(Row { name, is_ours: true, figures })
    });
    let peers = PEERS.iter().map(|peer| {
        let waits = if peer.spread == Spread::None { 1 } else { RANDOM_WAITS };
        let figures = figures(waits, |longest, seed| Ok(peer.polls(longest, &mut Rng::with_seed(seed))))?;
        Ok(Row { name: peer.name, is_ours: false, figures })
    });
    ours.chain(peers).collect()
}

/// Returns the rows as the table of the book: polls per operation, and how late their end is seen.
#[must_use]
pub fn table(rows: &[Row]) -> String {
    let lines = rows.iter().map(|row| {
        let figures = row.figures.map(|figure| format!("{:.1}, {:.1} s", figure.polls, figure.late));
        let name = if row.is_ours { format!("`{}`", row.name) } else { row.name.to_owned() };
        format!("| {name} | {} |\n", figures.join(" | "))
    });
    let head = "| median duration | 5 s | 60 s | 600 s |\n|---|---|---|---|\n";
    iter::once(head.to_owned()).chain(lines).collect()
}

/// Returns the figures of a schedule, for each median. `polls` returns the times of the polls of
/// one wait, in seconds after the start, up to the first after a duration.
fn figures(waits: usize, polls: impl Fn(f64, u64) -> Result<Vec<f64>>) -> Result<[Figure; 3]> {
    let mut figures = [Figure { polls: 0.0, late: 0.0 }; 3];
    for (figure, median) in figures.iter_mut().zip(MEDIANS) {
        let durations = durations(median);
        for (seed, first) in (0..).zip(0..waits) {
            // One wait serves all its operations: when it polls does not depend on what they take.
            let shared = durations.iter().skip(first).step_by(waits);
            let times = polls(shared.clone().copied().fold(0.0, f64::max), seed)?;
            for &duration in shared {
                let before = times.partition_point(|time| *time < duration);
                figure.polls += count(before + 1);
                figure.late += times.get(before).map_or(0.0, |time| time - duration);
            }
        }
        figure.polls /= count(OPERATIONS);
        figure.late /= count(OPERATIONS);
    }
    Ok(figures)
}

/// Returns the durations of all operations, in seconds: the same at every call.
fn durations(median: f64) -> Vec<f64> {
    let mut rng = Rng::with_seed(1);
    // The Box-Muller transform: two uniform numbers give a normal one.
    let mut normal = move || {
        let (radius, angle) = ((-2.0 * (1.0 - rng.f64()).ln()).sqrt(), TAU * rng.f64());
        radius * angle.cos()
    };
    (0..OPERATIONS).map(|_| median * f64::exp(normal())).collect()
}

/// Waits with the library for an operation that takes this long. Returns the times of its polls.
fn our_polls(settings: PollSettings, duration: f64) -> Result<Vec<f64>> {
    let clock = VirtualClock::new();
    let script = Script::new().running_for(Duration::from_secs_f64(duration)).done(json!({}));
    let transport = ScriptedTransport::new(script);
    let operations = transport.operations(&clock)?;
    let operation = block_on(operations.post("v1/jobs", &json!({})))?;
    let done = operation.blocking().poll_until_completed(settings.without_expiration())?;
    debug_assert!(done.is_succeeded());
    Ok(transport.request_times().iter().skip(1).map(Duration::as_secs_f64).collect())
}

fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}
