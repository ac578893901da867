//! What the operations of a client share that are polled where their names say.

use std::sync::{Arc, Mutex, PoisonError};

use http::Uri;

use super::Operations;
use crate::{
    dialect::{Cursor, Dialect},
    operation::snapshot::Named,
};

/// How many URLs with a name at their end a client keeps. Most services have one or two; what is
/// polled at another keeps its URL itself.
const MOST: usize = 16;

/// The URLs that the names of a client's operations were seen at the end of.
#[derive(Default)]
pub(super) struct NamedTargets(Mutex<Vec<Arc<Named>>>);

impl Operations {
    /// Returns what the operation of `cursor`, which is polled at `uri`, shares with others of this
    /// client; `None` if it is not polled where its name says, or speaks a dialect of its own.
    pub(super) fn named(&self, dialect: &Arc<dyn Dialect>, cursor: &Cursor, uri: &Uri) -> Option<Arc<Named>> {
        if !cursor.is_name_alone() || !Arc::ptr_eq(dialect, self.dialect()) {
            return None;
        }
        let NamedTargets(known) = &*self.inner.named;
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(named) = known.iter().find(|named| named.is_of(uri, cursor.key())) {
            return Some(Arc::clone(named));
        }
        if known.len() >= MOST {
            return None;
        }
        let named = Arc::new(Named::new(Arc::clone(dialect), uri, cursor.key())?);
        known.push(Arc::clone(&named));
        Some(named)
    }
}
