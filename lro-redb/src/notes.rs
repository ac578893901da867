//! The notes: a file of numbers, by place, that is never synced.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use lro_runtime::fleet::{Note, StoreError, StoreErrorKind};

use crate::error::Name;

/// The bytes of a note.
const WIDTH: u64 = 8;
/// In which steps the file grows. Each step costs a write of the file system's own.
const STEP: u64 = 64 * 1024;
/// How long the file gets: 16 million places. Notes of others are lost, as any may be.
const LONGEST: u64 = 128 * 1024 * 1024;

/// The file beside the database. Every content of it is legal, so none is an error.
#[derive(Debug)]
pub(crate) struct Notes {
    path: PathBuf,
    /// Or why there is none.
    file: Result<Mutex<File>, io::Error>,
}

impl Notes {
    /// Opens the notes of the store in `database`; those of a store of the same name that was
    /// deleted are forgotten if it `is_new`.
    pub(crate) fn beside(database: &Path, is_new: bool) -> Self {
        let mut path = database.as_os_str().to_owned();
        path.push(".due");
        let path = PathBuf::from(path);
        let file = open(&path, is_new).map(Mutex::new);
        Self { path, file }
    }

    pub(crate) fn write(&self, notes: &[Note]) -> Result<(), StoreError> {
        self.with_file("writing", |file| {
            let mut notes: Vec<Note> = notes.iter().copied().filter(|note| end(note.place) <= LONGEST).collect();
            // Stable: of two notes of one place, the later one stays the later one.
            notes.sort_by_key(|note| note.place);
            let Some(last) = notes.last() else { return Ok(()) };
            let end = end(last.place);
            if file.metadata()?.len() < end {
                file.set_len(end.next_multiple_of(STEP))?;
            }
            // Neighbours are one write.
            for run in notes.chunk_by(|one, next| next.place - one.place <= 1) {
                let mut bytes = Vec::with_capacity(run.len() * 8);
                for place in run.chunk_by(|one, next| one.place == next.place) {
                    bytes.extend(place.last().map_or(0, |note| note.value).to_le_bytes());
                }
                let at = run.first().map_or(0, |note| u64::from(note.place) * WIDTH);
                file.seek(SeekFrom::Start(at))?;
                file.write_all(&bytes)?;
            }
            Ok(())
        })
    }

    pub(crate) fn read(&self, each: &mut dyn FnMut(Note)) -> Result<(), StoreError> {
        // Read as a whole first, so that `each` is not called under the lock.
        let mut bytes = vec![];
        self.with_file("reading", |file| {
            file.seek(SeekFrom::Start(0))?;
            file.take(LONGEST).read_to_end(&mut bytes).map(drop)
        })?;
        let (values, _) = bytes.as_chunks();
        for (place, value) in (0..).zip(values) {
            match u64::from_le_bytes(*value) {
                // Most of them were never written.
                0 => {}
                value => each(Note { place, value }),
            }
        }
        Ok(())
    }

    fn with_file(&self, doing: &str, call: impl FnOnce(&mut File) -> io::Result<()>) -> Result<(), StoreError> {
        let name = Name(self.path.display().to_string());
        match &self.file {
            Ok(file) => {
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                call(&mut file).map_err(|error| name.of_io(&format!("{doing} the notes"), error))
            }
            Err(error) => Err(name.error(StoreErrorKind::Io, format_args!("it keeps no notes: {error}"))),
        }
    }
}

/// Where the note of a place ends.
fn end(place: u32) -> u64 {
    (u64::from(place) + 1) * WIDTH
}

fn open(path: &Path, is_new: bool) -> io::Result<File> {
    // To read a pipe might take for ever.
    match fs::metadata(path) {
        Ok(found) if !found.is_file() => return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file")),
        _ => {}
    }
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
    if is_new {
        file.set_len(0)?;
    }
    Ok(file)
}
