//! A file that is opened, or made: whole or not at all.

use std::{
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf},
};

use lro_runtime::fleet::{StoreError, StoreErrorKind};
use redb::{Database, backends::FileBackend};

use crate::{
    error::Name,
    store::{has_tables, opened, with_tables},
};

/// How many names a new file tries: one is taken where a process ended while it made a store.
const ATTEMPTS: u32 = 100;

/// Opens the store in this file, or makes one if there is no file. Returns whether it is new.
pub(crate) fn open_or_create(path: &Path, name: &Name) -> Result<(Database, bool), StoreError> {
    match fs::metadata(path) {
        Ok(found) if !found.is_file() => Err(name.damaged("it is not a file")),
        // An empty file is what is left of one that was cut off. A new store never is one.
        Ok(found) if found.len() == 0 => Err(name.damaged("the file is empty")),
        Ok(_) => {
            let database = open(path, name)?;
            // Its maker may have been killed before it could. If it cannot be done, it is as
            // before.
            let _ = sync_folder(folder_of(path));
            Ok((database, false))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => create(path, name),
        Err(error) => Err(name.of_io("opening it", error)),
    }
}

fn open(path: &Path, name: &Name) -> Result<Database, StoreError> {
    let file = OpenOptions::new().read(true).write(true).open(path);
    opened(backend(file.map_err(|error| name.of_io("opening it", error))?, name)?, name, has_tables)
}

fn backend(file: File, name: &Name) -> Result<FileBackend, StoreError> {
    FileBackend::new(file).map_err(|error| name.of_redb("opening it", error))
}

/// Makes a store under another name and gives it its own when it is whole, so that nobody sees a
/// half of it: not after a crash, and not the process that does the same at the same time.
fn create(path: &Path, name: &Name) -> Result<(Database, bool), StoreError> {
    let folder = folder_of(path);
    if !folder.is_dir() {
        return Err(name.error(StoreErrorKind::Io, format_args!("its folder {} does not exist", folder.display())));
    }
    let (file, unfinished) = unfinished(path).map_err(|error| name.of_io("making it", error))?;
    let made = backend(file, name).and_then(|backend| opened(backend, name, with_tables));
    let placed = made.and_then(|database| match place(&unfinished, path) {
        // Another process was faster: its store is the one.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            drop(database);
            Ok((open(path, name)?, false))
        }
        Err(error) => Err(name.of_io("making it", error)),
        Ok(()) => Ok((database, true)),
    });
    // Where it was renamed, there is none.
    let _ = fs::remove_file(&unfinished);
    let placed = placed?;
    sync_folder(folder).map_err(|error| name.of_io("making it", error))?;
    Ok(placed)
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes a file that no other process has.
fn unfinished(path: &Path) -> io::Result<(File, PathBuf)> {
    let mut attempt = 0;
    loop {
        let mut other = path.as_os_str().to_owned();
        other.push(format!(".{}-{attempt}.new", std::process::id()));
        let other = PathBuf::from(other);
        match OpenOptions::new().read(true).write(true).create_new(true).open(&other) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && attempt < ATTEMPTS => attempt += 1,
            file => return file.map(|file| (file, other)),
        }
    }
}

/// Gives a file its name, unless there is one of that name: a rename would replace it. Not every
/// file system has links, and those that have none are rarely shared.
fn place(unfinished: &Path, path: &Path) -> io::Result<()> {
    match fs::hard_link(unfinished, path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            if path.exists() {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            fs::rename(unfinished, path)
        }
        placed => placed,
    }
}

/// Makes the file's name survive the loss of power.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    match File::open(folder)?.sync_all() {
        // Not every file system can.
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => Ok(()),
        synced => synced,
    }
}

/// Other systems have no way to, or need none.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}
