//! The states of an operation.

/// The states, as they are written and as they are generated.
pub(crate) const STATES: [(&str, &str); 5] = [
    ("pending", "Pending"),
    ("running", "Running"),
    ("succeeded", "Succeeded"),
    ("failed", "Failed"),
    ("cancelled", "Cancelled"),
];
