//! Drivers: they run the engine. They send the polls that it asks for, sleep as long as it says,
//! and return snapshots.
//!
//! Every call is boxed once, at its entry. Unboxed, each caller's future would contain the engine,
//! the snapshot and the exchange in progress; such futures grow with every `async fn` around them
//! until they overflow small stacks. A box is one pointer. It also has one type, so that the loop
//! is compiled once for all operations of a program.

mod blocking;
mod cancel_and_wait;
mod ended;
mod latest;
mod observed;
mod observers;
mod reports;
mod shared_wait;
mod single_calls;
mod snapshots;
mod wait;

#[cfg(feature = "indicatif")]
pub(crate) use self::observers::ObserveWait;
pub use self::{
    blocking::Blocking,
    observed::Observed,
    observers::{FailedPoll, Notify},
    shared_wait::{Shared, Waiting},
    single_calls::CancelOutcome,
    snapshots::Snapshots,
};
pub(crate) use self::{
    cancel_and_wait::cancel_and_wait,
    observers::{ObservedRaw, Observers},
    single_calls::{cancel, delete, poll_once, wait},
    wait::{UntilCompleted, observe_until_completed, poll_until_completed},
};
#[cfg(feature = "fleet")]
pub(crate) use self::{
    ended::{error_of, unknown_status},
    reports::{is_not_held, poll_outcome, wait_ended},
    single_calls::place_of,
    wait::opening_of,
};
