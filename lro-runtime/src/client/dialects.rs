//! The dialects that the methods of a client declare.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{dialect::Dialect, operation::Method};

/// The dialects of so many methods a client keeps. That of a further one is made for each
/// operation.
const MOST: usize = 256;

/// The dialects that the methods of a client declare, by the addresses of the methods: made once,
/// so that their operations share them.
#[derive(Default)]
pub(super) struct Dialects(Mutex<HashMap<usize, Arc<dyn Dialect>>>);

impl Dialects {
    /// Returns the dialect of `method`, which `make` makes.
    pub(super) fn of(&self, method: &'static Method, make: fn() -> Arc<dyn Dialect>) -> Arc<dyn Dialect> {
        let address = std::ptr::from_ref(method).addr();
        if let Some(dialect) = self.lock().get(&address) {
            return Arc::clone(dialect);
        }
        // Without the lock: it is code of somebody else.
        let dialect = make();
        let mut known = self.lock();
        if known.len() < MOST {
            return Arc::clone(known.entry(address).or_insert(dialect));
        }
        dialect
    }

    /// Whether this very dialect is kept, so that other operations have it, too.
    pub(super) fn keeps(&self, dialect: &Arc<dyn Dialect>) -> bool {
        self.lock().values().any(|known| Arc::ptr_eq(known, dialect))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<usize, Arc<dyn Dialect>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Azure;

    static EXPORT: Method = Method::new("export");
    static IMPORT: Method = Method::new("import");

    fn azure() -> Arc<dyn Dialect> {
        Arc::new(Azure::new())
    }

    #[test]
    fn the_dialect_of_a_method_is_made_once_and_none_is_kept_beyond_the_bound() {
        let dialects = Dialects::default();
        let export = dialects.of(&EXPORT, azure);
        assert!(Arc::ptr_eq(&export, &dialects.of(&EXPORT, azure)) && dialects.keeps(&export));
        assert!(!Arc::ptr_eq(&export, &dialects.of(&IMPORT, azure)), "it may have other options");
        let methods: Vec<&'static Method> = (0..MOST).map(|_| &*Box::leak(Box::new(Method::new("another")))).collect();
        let others: Vec<_> = methods.iter().map(|method| dialects.of(method, azure)).collect();
        assert_eq!(others.iter().filter(|dialect| dialects.keeps(dialect)).count(), MOST - 2);
        assert!(Arc::ptr_eq(&export, &dialects.of(&EXPORT, azure)), "the first stay");
    }
}
