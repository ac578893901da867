//! Drivers: they run the engine. They send the polls that it asks for, sleep as long as it says,
//! and return snapshots.
//!
//! Every call is boxed once, at its entry. Unboxed, each caller's future would contain the engine,
//! the snapshot and the exchange in progress; such futures grow with every `async fn` around them
//! until they overflow small stacks. A box is one pointer. It also has one type, so that the loop
//! is compiled once for all operations of a program.

mod blocking;
mod call;
mod observed;
mod observers;
mod shared;
mod snapshots;
mod wait;

pub use self::{
    blocking::Blocking,
    call::CancelOutcome,
    observed::Observed,
    observers::{FailedPoll, Notify},
    shared::{Shared, Waiting},
    snapshots::Snapshots,
};
pub(crate) use self::{
    call::{cancel, delete, poll_once, wait},
    observers::Observers,
    wait::{observe_until_completed, poll_until_completed},
};
