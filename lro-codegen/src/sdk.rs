//! What was generated, in memory and on disk.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use crate::{
    error::{Error, Result},
    report::Report,
    write::{Modules, Row},
};

mod disk;

/// What was generated.
#[derive(Clone, Debug)]
pub struct Sdk {
    pub(crate) modules: Modules,
    pub(crate) rows: Vec<Row>,
    /// What the run has to say.
    pub report: Report,
    /// The files that were read.
    pub read: Vec<PathBuf>,
}

impl Sdk {
    /// Returns the generated methods, in the order of the descriptions.
    #[must_use]
    pub fn list(&self) -> &[Row] {
        &self.rows
    }

    /// Returns a folder of files, by their names: `mod.rs`, one for each service, and one for the
    /// types.
    ///
    /// # Errors
    ///
    /// [`Error::NotRust`], which is a mistake of this crate.
    pub fn files(&self) -> Result<BTreeMap<PathBuf, String>> {
        self.modules.files().map_err(Error::NotRust)
    }

    /// Returns one file with all modules. It can be included anywhere.
    ///
    /// # Errors
    ///
    /// [`Error::NotRust`], which is a mistake of this crate.
    pub fn one_file(&self) -> Result<String> {
        self.modules.one_file().map_err(Error::NotRust)
    }

    /// Writes it, as [`Generator::write_to`](crate::Generator::write_to) does, and returns the
    /// files that have changed.
    ///
    /// # Errors
    ///
    /// If a file cannot be written, or stands in the way and was not generated.
    pub fn write_to(&self, path: impl AsRef<Path>) -> Result<Vec<PathBuf>> {
        disk::write(&self.output(path.as_ref())?)
    }

    /// Checks that [`write_to`](Self::write_to) would change nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Stale`] with each file that differs.
    pub fn check(&self, path: impl AsRef<Path>) -> Result<()> {
        let differences = disk::differences(&self.output(path.as_ref())?)?;
        if differences.is_empty() { Ok(()) } else { Err(Error::Stale(differences)) }
    }

    fn output(&self, path: &Path) -> Result<disk::Output> {
        if path.extension().is_some_and(|extension| extension == "rs") {
            let files = BTreeMap::from([(path.to_owned(), self.one_file()?)]);
            return Ok(disk::Output { files, folder: None });
        }
        let files = self.files()?.into_iter().map(|(name, text)| (path.join(name), text)).collect();
        Ok(disk::Output { files, folder: Some(path.to_owned()) })
    }
}
