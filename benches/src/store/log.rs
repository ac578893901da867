//! The least that a store can do: it appends, and waits until that is on the disk. Nothing is found
//! again in it.

use std::{
    fs::File,
    io::{self, Write as _},
    path::Path,
    sync::Mutex,
};

use lro_runtime::fleet::{Note, Store, StoreError, StoreErrorKind, Table, Write};

pub struct Log(Mutex<File>);

impl Log {
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self(Mutex::new(File::create(path)?)))
    }
}

fn failed(error: io::Error) -> StoreError {
    StoreError::new(StoreErrorKind::Io, "the log failed").with_source(error)
}

impl Store for Log {
    fn read(&self, _: Table, _: &mut dyn FnMut(u64, &[u8]) -> Result<(), StoreError>) -> Result<(), StoreError> {
        Ok(())
    }

    fn commit(&self, writes: &[Write]) -> Result<(), StoreError> {
        let mut bytes = Vec::new();
        for Write { table, key, value } in writes {
            bytes.push(table.name().as_bytes()[0]);
            bytes.extend_from_slice(&key.to_le_bytes());
            let value = value.as_deref().unwrap_or_default();
            bytes.extend_from_slice(&(value.len() as u64).to_le_bytes());
            bytes.extend_from_slice(value);
        }
        let mut file = self.0.lock().unwrap();
        file.write_all(&bytes).and_then(|()| file.sync_data()).map_err(failed)
    }

    fn write_notes(&self, _: &[Note]) -> Result<(), StoreError> {
        Ok(())
    }

    fn read_notes(&self, _: &mut dyn FnMut(Note)) -> Result<(), StoreError> {
        Ok(())
    }
}
