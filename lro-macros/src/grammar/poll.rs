//! The words and the least values of `poll(…)`, which are those of `PollSettings`.

use std::time::Duration;

/// The least legal delay of those that repeat: a shorter one is a hot loop.
pub(crate) const SHORTEST_DELAY: Duration = Duration::from_millis(1);

/// The keys whose value is a duration, each with the least that is legal.
pub(crate) const DURATIONS: [(&str, Duration); 6] = [
    ("delay", SHORTEST_DELAY),
    ("max_delay", SHORTEST_DELAY),
    ("initial_delay", Duration::ZERO),
    ("poll_timeout", SHORTEST_DELAY),
    ("not_found_grace", Duration::ZERO),
    ("long_poll", SHORTEST_DELAY),
];

/// The words of `jitter`, each with the variant of the runtime's `Jitter`.
pub(crate) const JITTER: [(&str, &str); 3] = [("none", "None"), ("full", "Full"), ("equal", "Equal")];

/// The words of `unknown_status`, each with the variant of the runtime's `UnknownStatus`.
pub(crate) const UNKNOWN_STATUS: [(&str, &str); 2] = [("running", "Running"), ("error", "Error")];

/// The word of `hint` for hints that do not count.
pub(crate) const IGNORE: &str = "ignore";

/// The word of `timeout` for waits without a time limit.
pub(crate) const NEVER: &str = "never";

/// The keys of `error_budget(…)` whose value is a duration, each with the least that is legal.
pub(crate) const BUDGET_DURATIONS: [(&str, Duration); 3] =
    [("elapsed", Duration::ZERO), ("delay", SHORTEST_DELAY), ("max_delay", SHORTEST_DELAY)];

/// The delay of an error budget that names none.
pub(crate) const BUDGET_DELAY: Duration = Duration::from_secs(1);

/// The words of `origin` in `error_budget(…)`, each with the setter of the runtime's `ErrorBudget`.
pub(crate) const ORIGIN: [(&str, &str); 2] = [("forgiven", "with_origin_forgiven"), ("counted", "with_origin_counted")];
