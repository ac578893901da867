//! The dialects of a client: its own, and those that methods declare.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use super::Operations;
use crate::{dialect::Dialect, operation::Method};

/// The dialects of so many methods a client keeps. That of a further one is made for each
/// operation.
const MOST: usize = 256;

/// The dialects that the methods of a client declare, by the addresses of the methods: made once,
/// so that their operations share them.
#[derive(Default)]
pub(super) struct Dialects(Mutex<HashMap<usize, Arc<dyn Dialect>>>);

impl Operations {
    /// Returns the dialect that `method` declares, else the client's.
    pub(crate) fn dialect_of(&self, method: Option<&'static Method>) -> Arc<dyn Dialect> {
        let Some((method, make)) = method.and_then(|method| Some((method, method.dialect?))) else {
            return Arc::clone(self.dialect());
        };
        let Dialects(known) = &*self.inner.dialects;
        let lock = || known.lock().unwrap_or_else(PoisonError::into_inner);
        let address = std::ptr::from_ref(method).addr();
        if let Some(dialect) = lock().get(&address) {
            return Arc::clone(dialect);
        }
        // Without the lock: it is code of somebody else.
        let dialect = make();
        let mut known = lock();
        if known.len() < MOST {
            return Arc::clone(known.entry(address).or_insert(dialect));
        }
        dialect
    }

    /// Whether the client keeps this very dialect: other operations have it, too.
    pub(super) fn keeps(&self, dialect: &Arc<dyn Dialect>) -> bool {
        let Dialects(known) = &*self.inner.dialects;
        let is_same = |known: &Arc<dyn Dialect>| Arc::ptr_eq(known, dialect);
        is_same(self.dialect()) || known.lock().unwrap_or_else(PoisonError::into_inner).values().any(is_same)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        dialect::Azure,
        testing::{Script, ScriptedTransport, VirtualClock},
    };

    static EXPORT: Method = Method::new("export").dialect(|| Arc::new(Azure::new()));
    static IMPORT: Method = Method::new("import");

    #[test]
    fn the_dialect_of_a_method_is_made_once_and_others_have_the_clients() {
        let client = ScriptedTransport::new(Script::new()).operations(&VirtualClock::new()).unwrap();
        let of = |method| client.dialect_of(method);
        assert!(Arc::ptr_eq(&of(Some(&EXPORT)), &of(Some(&EXPORT))) && of(Some(&EXPORT)).id() == "azure");
        assert!(Arc::ptr_eq(&of(Some(&IMPORT)), client.dialect()) && Arc::ptr_eq(&of(None), client.dialect()));
    }
}
