//! Every error names the store, what could not be done with it, and why.

use std::{
    any::Any,
    fmt, io,
    panic::{AssertUnwindSafe, catch_unwind},
};

use lro_runtime::fleet::{StoreError, StoreErrorKind};

/// What a store is called in errors: its path.
#[derive(Clone)]
pub(crate) struct Name(pub(crate) String);

impl Name {
    pub(crate) fn error(&self, kind: StoreErrorKind, what: impl fmt::Display) -> StoreError {
        StoreError::new(kind, format!("the store {}: {what}", self.0))
    }

    pub(crate) fn damaged(&self, what: impl fmt::Display) -> StoreError {
        self.error(StoreErrorKind::Damaged, what)
    }

    pub(crate) fn of_io(&self, doing: &str, error: io::Error) -> StoreError {
        let kind = match error.kind() {
            io::ErrorKind::PermissionDenied
            | io::ErrorKind::ReadOnlyFilesystem
            | io::ErrorKind::StorageFull
            | io::ErrorKind::QuotaExceeded
            | io::ErrorKind::FileTooLarge => StoreErrorKind::Unwritable,
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => StoreErrorKind::Damaged,
            _ => StoreErrorKind::Io,
        };
        self.error(kind, format_args!("{doing} failed: {error}")).with_source(error)
    }

    pub(crate) fn of_redb(&self, doing: &str, error: impl Into<redb::Error>) -> StoreError {
        match error.into() {
            redb::Error::Io(error) => self.of_io(doing, error),
            redb::Error::DatabaseAlreadyOpen => {
                self.error(StoreErrorKind::InUse, "another process, or another fleet of this one, has it")
            }
            error => {
                let kind = match error {
                    redb::Error::LockProtocolMismatch => StoreErrorKind::InUse,
                    redb::Error::Corrupted(_)
                    | redb::Error::UpgradeRequired(_)
                    | redb::Error::TableTypeMismatch { .. }
                    | redb::Error::TableIsMultimap(_)
                    | redb::Error::TypeDefinitionChanged { .. }
                    | redb::Error::TableDoesNotExist(_) => StoreErrorKind::Damaged,
                    _ => StoreErrorKind::Io,
                };
                self.error(kind, format_args!("{doing} failed: {error}")).with_source(error)
            }
        }
    }

    /// Calls redb. Should it panic over a file that breaks the rules of its format, that is an
    /// error. None is known that passes the check of all checksums and does.
    pub(crate) fn guarded<T>(
        &self,
        doing: &str,
        call: impl FnOnce() -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        // What a panic may leave behind is not used again: the caller drops the database, or writes
        // nothing more to it.
        catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|panic| {
            let why = message(&*panic);
            Err(self.damaged(format_args!("{doing} failed: it breaks the rules of its format: {why}")))
        })
    }
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let owned = panic.downcast_ref::<String>().map(String::as_str);
    owned.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no reason was given")
}
