#![doc = include_str!("../README.md")]

mod budget;
mod digest;
mod ended;
mod fail;
mod group;
mod groups;
mod kept;
mod meta;
mod turn;

/// The crate [`restate_sdk`], in the version to whose endpoints [`Groups::bind`] adds.
pub use restate_sdk;

pub use self::{
    ended::{Ended, EndedState, Problem},
    groups::{Groups, GroupsBuilder, SettingsError, group_of},
    turn::{Look, Watch, Watched},
};
