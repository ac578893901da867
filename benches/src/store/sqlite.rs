//! SQLite, with a log of its own that is synced at every commit (`journal_mode=WAL`,
//! `synchronous=FULL`).

use std::{path::Path, sync::Mutex};

use lro_runtime::fleet::{Note, Store, StoreError, StoreErrorKind, Table, Write};
use rusqlite::{Connection, params};

pub struct Sqlite(Mutex<Connection>);

impl Sqlite {
    pub fn open(path: &Path) -> rusqlite::Result<Self> {
        let connection = Connection::open(path)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        for table in Table::ALL {
            let name = table.name();
            connection.execute(&format!("CREATE TABLE {name} (key INTEGER PRIMARY KEY, value BLOB NOT NULL)"), [])?;
        }
        Ok(Self(Mutex::new(connection)))
    }

    fn write(&self, writes: &[Write]) -> rusqlite::Result<()> {
        let mut connection = self.0.lock().unwrap();
        let transaction = connection.transaction()?;
        for Write { table, key, value } in writes {
            let (name, key) = (table.name(), key.cast_signed());
            match value {
                Some(value) => {
                    let put = format!("INSERT OR REPLACE INTO {name} (key, value) VALUES (?1, ?2)");
                    transaction.prepare_cached(&put)?.execute(params![key, value])?;
                }
                None => {
                    let delete = format!("DELETE FROM {name} WHERE key = ?1");
                    transaction.prepare_cached(&delete)?.execute([key])?;
                }
            }
        }
        transaction.commit()
    }
}

impl Store for Sqlite {
    fn read(&self, _: Table, _: &mut dyn FnMut(u64, &[u8]) -> Result<(), StoreError>) -> Result<(), StoreError> {
        Ok(()) // it is new
    }

    fn commit(&self, writes: &[Write]) -> Result<(), StoreError> {
        let failed = |error| StoreError::new(StoreErrorKind::Io, "SQLite failed").with_source(error);
        self.write(writes).map_err(failed)
    }

    fn write_notes(&self, _: &[Note]) -> Result<(), StoreError> {
        Ok(())
    }

    fn read_notes(&self, _: &mut dyn FnMut(Note)) -> Result<(), StoreError> {
        Ok(())
    }
}
