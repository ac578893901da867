//! The store.

use std::{
    fmt,
    path::Path,
    sync::{OnceLock, PoisonError, RwLock},
};

use lro_runtime::fleet::{Note, Store, StoreError, StoreErrorKind, Table, Write};
use redb::{
    CompactionError, Database, ReadableDatabase, StorageBackend, StorageError, TableDefinition, WriteTransaction,
};

use crate::{create, error::Name, notes::Notes};

/// What redb keeps in memory of the file. A fleet reads once and then only writes: more would be of
/// little use.
const CACHE: usize = 64 * 1024 * 1024;

/// What a file of ours is known by, and the version of what is in it.
const ABOUT: TableDefinition<'_, &str, u64> = TableDefinition::new("lro-redb");
const FORMAT: &str = "format";
const THIS_FORMAT: u64 = 1;

fn definition(table: Table) -> TableDefinition<'static, u64, &'static [u8]> {
    TableDefinition::new(table.name())
}

/// A [`Store`] in a file: see the [crate](crate).
///
/// Only one `RedbStore` at a time has the file. It gives it back when it is dropped; when the
/// process ends otherwise, the system does.
///
/// After a commit that failed, it does nothing more: every later call returns an error that says
/// why. Drop it and open the file again: it has everything that was committed, and what the failed
/// commit wrote either whole or not at all.
pub struct RedbStore {
    name: Name,
    /// Only [`compact`](Self::compact) needs it alone. `None` only while the store is dropped.
    database: RwLock<Option<Database>>,
    notes: Option<Notes>,
    /// How the first commit that failed did.
    failed: OnceLock<StoreError>,
}

impl RedbStore {
    /// Opens the store in the file `path`, or makes one if there is no such file. The folder must
    /// exist.
    ///
    /// The whole file is read and every checksum in it compared, also when it was closed properly.
    ///
    /// Beside it lies the file `path` with `.due` at its end, which has the notes. It may be
    /// deleted while the store is not open, and need not be in a backup. If it cannot be opened,
    /// the store keeps no notes.
    ///
    /// # Errors
    ///
    /// The error names the path, and is of the kind
    ///
    /// - [`InUse`](StoreErrorKind::InUse) if another process, or another `RedbStore` of this one,
    ///   has the file;
    /// - [`Damaged`](StoreErrorKind::Damaged) if a checksum is wrong, or it is not a file that this
    ///   crate wrote: an empty one, a folder, another program's;
    /// - [`Newer`](StoreErrorKind::Newer) if a newer version of this crate wrote it;
    /// - [`Unwritable`](StoreErrorKind::Unwritable) if there is no room or no permission;
    /// - [`Io`](StoreErrorKind::Io) if reading or writing failed otherwise, or there is no such
    ///   folder.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = path.as_ref();
        let name = Name(path.display().to_string());
        let (database, is_new) = create::open_or_create(path, &name)?;
        Ok(Self::new(name, database, Some(Notes::beside(path, is_new))))
    }

    /// Opens the store that a backend of redb's has, or makes one if that is empty: for a disk that
    /// is not a file, or fails in a test. It keeps no notes, and nobody else may use the backend.
    ///
    /// # Errors
    ///
    /// As of [`open`](Self::open), but an empty backend is not damaged.
    pub fn with_backend(backend: impl StorageBackend) -> Result<Self, StoreError> {
        let name = Name("of a backend".to_owned());
        let is_new = backend.len().map_err(|error| name.of_io("opening it", error))? == 0;
        let database = opened(backend, &name, if is_new { with_tables } else { has_tables })?;
        Ok(Self::new(name, database, None))
    }

    fn new(name: Name, database: Database, notes: Option<Notes>) -> Self {
        Self { name, database: RwLock::new(Some(database)), notes, failed: OnceLock::new() }
    }

    /// Makes the file as small as it can be, and returns whether it is smaller. A file grows to
    /// what was needed at most, and what was deleted is used again; it does not shrink by itself.
    ///
    /// It may take long, and commits wait meanwhile: this is a call for quiet hours. The file may
    /// be lost no more than at other times.
    ///
    /// # Errors
    ///
    /// As of [`commit`](Store::commit), and of kind [`Io`](StoreErrorKind::Io) while the store is
    /// being read: nothing has happened then.
    pub fn compact(&self) -> Result<bool, StoreError> {
        const DOING: &str = "compacting it";
        self.works()?;
        let mut database = self.database.write().unwrap_or_else(PoisonError::into_inner);
        let mut is_read = None;
        let mut compact = || database.as_mut().map_or(Err(StorageError::DatabaseClosed.into()), Database::compact);
        let compacted = self.name.guarded(DOING, || match compact() {
            Err(error @ CompactionError::TransactionInProgress) => {
                is_read = Some(self.name.of_redb(DOING, error));
                Ok(false)
            }
            compacted => compacted.map_err(|error| self.name.of_redb(DOING, error)),
        });
        match is_read {
            Some(error) => Err(error),
            None => self.noting_failure(compacted),
        }
    }

    /// Returns an error if a commit has failed.
    fn works(&self) -> Result<(), StoreError> {
        let Some(first) = self.failed.get() else { return Ok(()) };
        let why =
            format!("{first}; what was written since is lost, and nothing is read or written until it is opened again");
        Err(StoreError::new(first.kind(), why).with_source(first.clone()))
    }

    /// Remembers how a commit has failed: after a sync that failed, nobody knows what is on the
    /// disk, and a second one may succeed without having written anything.
    fn noting_failure<T>(&self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        result.inspect_err(|error| drop(self.failed.set(error.clone())))
    }

    fn with_database<T>(&self, call: impl FnOnce(&Database) -> Result<T, redb::Error>) -> Result<T, redb::Error> {
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        call(database.as_ref().ok_or(redb::Error::DatabaseClosed)?)
    }
}

impl Drop for RedbStore {
    fn drop(&mut self) {
        if let Some(database) = self.database.get_mut().unwrap_or_else(PoisonError::into_inner).take() {
            close(database, &self.name);
        }
    }
}

impl Store for RedbStore {
    fn read(&self, table: Table, each: &mut dyn FnMut(u64, &[u8]) -> Result<(), StoreError>) -> Result<(), StoreError> {
        const DOING: &str = "reading it";
        self.works()?;
        let name = &self.name;
        // `each` is called outside, so that its panics stay its own, and that it may commit.
        let mut records = name.guarded(DOING, || {
            let reading = self.with_database(|database| Ok(database.begin_read()?));
            let reading = reading.map_err(|error| name.of_redb(DOING, error))?;
            let table = reading.open_table(definition(table)).map_err(|error| name.of_redb(DOING, error))?;
            table.range_owned::<u64>(..).map_err(|error| name.of_redb(DOING, error))
        })?;
        loop {
            let next = name.guarded(DOING, || match records.next() {
                Some(Ok((key, value))) => Ok(Some((key.value(), value))),
                Some(Err(error)) => Err(name.of_redb(DOING, error)),
                None => Ok(None),
            });
            match next? {
                Some((key, value)) => each(key, value.value())?,
                None => return Ok(()),
            }
        }
    }

    fn commit(&self, writes: &[Write]) -> Result<(), StoreError> {
        const DOING: &str = "writing it";
        self.works()?;
        if writes.is_empty() {
            return Ok(());
        }
        let committed = self.name.guarded(DOING, || {
            self.with_database(|database| write(database, writes)).map_err(|error| self.name.of_redb(DOING, error))
        });
        self.noting_failure(committed)
    }

    fn write_notes(&self, notes: &[Note]) -> Result<(), StoreError> {
        self.notes.as_ref().map_or(Ok(()), |file| file.write(notes))
    }

    fn read_notes(&self, each: &mut dyn FnMut(Note)) -> Result<(), StoreError> {
        self.notes.as_ref().map_or(Ok(()), |file| file.read(each))
    }
}

impl fmt::Debug for RedbStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedbStore")
            .field("name", &self.name.0)
            .field("failed", &self.failed.get())
            .finish_non_exhaustive()
    }
}

/// Opens what a backend has, or an empty database, and looks into it or fills it.
pub(crate) fn opened(
    backend: impl StorageBackend,
    name: &Name,
    then: fn(&Database, &Name) -> Result<(), StoreError>,
) -> Result<Database, StoreError> {
    const DOING: &str = "opening it";
    let database = name.guarded(DOING, || {
        Database::builder()
            .set_cache_size(CACHE)
            .set_check_integrity_on_open(true)
            .create_with_backend(backend)
            .map_err(|error| name.of_redb(DOING, error))
    })?;
    match then(&database, name) {
        Ok(()) => Ok(database),
        Err(error) => {
            close(database, name);
            Err(error)
        }
    }
}

/// Closes a database. Where a call has panicked, closing does, too.
fn close(database: Database, name: &Name) {
    // What was committed is there, closed or not.
    let _ = name.guarded("closing it", || {
        drop(database);
        Ok(())
    });
}

/// Makes our tables in an empty database.
pub(crate) fn with_tables(database: &Database, name: &Name) -> Result<(), StoreError> {
    const DOING: &str = "making it";
    let make = || -> Result<(), redb::Error> {
        let writing = begin_write(database)?;
        for table in Table::ALL {
            writing.open_table(definition(table))?;
        }
        writing.open_table(ABOUT)?.insert(FORMAT, THIS_FORMAT)?;
        Ok(writing.commit()?)
    };
    name.guarded(DOING, || make().map_err(|error| name.of_redb(DOING, error)))
}

/// Whether a database is one of ours.
pub(crate) fn has_tables(database: &Database, name: &Name) -> Result<(), StoreError> {
    const DOING: &str = "opening it";
    let format = || -> Result<Option<u64>, redb::Error> {
        let reading = database.begin_read()?;
        let format = reading.open_table(ABOUT)?.get(FORMAT)?.map(|format| format.value());
        for table in Table::ALL {
            reading.open_table(definition(table))?;
        }
        Ok(format)
    };
    match name.guarded(DOING, || format().map_err(|error| name.of_redb(DOING, error)))? {
        Some(THIS_FORMAT) => Ok(()),
        Some(format) if format > THIS_FORMAT => Err(name
            .error(StoreErrorKind::Newer, format_args!("its format {format} is that of a newer version of lro-redb"))),
        _ => Err(name.damaged("it does not say its format")),
    }
}

fn begin_write(database: &Database) -> Result<WriteTransaction, redb::Error> {
    let mut writing = database.begin_write()?;
    // A second sync before the new commit counts: else a part of it that reached the disk might be
    // taken for the whole.
    writing.set_two_phase_commit(true);
    Ok(writing)
}

fn write(database: &Database, writes: &[Write]) -> Result<(), redb::Error> {
    let writing = begin_write(database)?;
    for of in Table::ALL {
        let mut writes = writes.iter().filter(|write| write.table == of).peekable();
        if writes.peek().is_none() {
            continue;
        }
        let mut table = writing.open_table(definition(of))?;
        for Write { key, value, .. } in writes {
            match value {
                Some(value) => drop(table.insert(key, value.as_slice())?),
                None => drop(table.remove(key)?),
            }
        }
    }
    Ok(writing.commit()?)
}
