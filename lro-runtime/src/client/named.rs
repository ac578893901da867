//! What the operations of a client share that are polled where their names say.

use std::sync::{Arc, Mutex, PoisonError};

use http::Uri;

use crate::{
    dialect::{Cursor, Dialect},
    operation::snapshot::Named,
};

/// How many URLs with names at their end a client keeps. Most have one or two for each dialect;
/// what is polled at another keeps its URL itself.
const MOST: usize = 64;

/// The URLs that the names of a client's operations were seen at the end of.
#[derive(Default)]
pub(super) struct NamedTargets(Mutex<Vec<Arc<Named>>>);

impl NamedTargets {
    /// Returns what the operation of `cursor`, which is polled at `uri`, shares with others; `None`
    /// if it is not polled where its name says. Only with a `dialect` that is kept it is kept for
    /// others.
    pub(super) fn get(
        &self,
        dialect: &Arc<dyn Dialect>,
        is_kept: impl FnOnce() -> bool,
        cursor: &Cursor,
        uri: &Uri,
    ) -> Option<Arc<Named>> {
        if !cursor.is_name_alone() {
            return None;
        }
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_same = |named: &&Arc<Named>| Arc::ptr_eq(&named.dialect, dialect) && named.is_of(uri, cursor.key());
        if let Some(named) = known.iter().find(is_same) {
            return Some(Arc::clone(named));
        }
        if known.len() >= MOST || !is_kept() {
            return None;
        }
        let named = Arc::new(Named::new(Arc::clone(dialect), uri, cursor.key())?);
        known.push(Arc::clone(&named));
        Some(named)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Google;

    #[test]
    fn operations_of_one_collection_share_where_they_are_polled_and_the_list_is_bounded() {
        let (targets, dialect): (_, Arc<dyn Dialect>) = (NamedTargets::default(), Arc::new(Google::new()));
        let named = |name: &str, url: &str| targets.get(&dialect, || true, &Cursor::new(name), &url.parse().unwrap());
        let first = named("operations/1", "http://h/v1/operations/1").unwrap();
        assert!(Arc::ptr_eq(&first, &named("operations/2", "http://h/v1/operations/2").unwrap()));
        assert!(named("operations/1", "http://h/v1/operations/1:wait").is_none());
        let alone: Arc<dyn Dialect> = Arc::new(Google::new());
        let uri = "http://h/v1/operations/1".parse().unwrap();
        assert!(targets.get(&alone, || false, &Cursor::new("operations/1"), &uri).is_none(), "nobody else has it");
        let of_caller = Cursor::default().at_own("operations/1");
        assert!(targets.get(&dialect, || true, &of_caller, &uri).is_none(), "tokens need to know");
        let kept = (0..2 * MOST).filter(|at| named("x", &format!("http://h/{at}/x")).is_some()).count();
        assert_eq!(kept, MOST - 1);
        assert!(named("operations/3", "http://h/v1/operations/3").is_some(), "the first stay");
    }
}
