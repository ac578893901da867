//! Drivers: feet for the engine. They send what it asks for, wait as long as it says, and hand back snapshots.
//!
//! Every call is boxed once, so that what users hold is small and the loop is compiled once for all operations of a program.

mod blocking;
mod call;
mod observed;
mod observers;
mod shared;
mod snapshots;
mod wait;

pub use self::{
    blocking::Blocking,
    observed::Observed,
    observers::Notify,
    shared::{Shared, Waiting},
    snapshots::Snapshots,
};
pub(crate) use self::{
    call::{cancel, delete, poll_once, wait},
    observers::Observers,
    wait::poll_until_completed,
};
