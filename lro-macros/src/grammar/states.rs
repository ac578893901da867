//! The states of an operation.

/// Each state as an attribute writes it, and as a variant of generated enums.
pub(crate) const STATES: [(&str, &str); 5] = [
    ("pending", "Pending"),
    ("running", "Running"),
    ("succeeded", "Succeeded"),
    ("failed", "Failed"),
    ("cancelled", "Cancelled"),
];
