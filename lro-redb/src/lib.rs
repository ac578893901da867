#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod create;
mod error;
mod notes;
mod store;

/// The crate [`redb`], in the version that [`RedbStore::with_backend`] takes.
pub use redb;

pub use self::store::RedbStore;
