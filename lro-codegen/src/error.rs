//! Why nothing was written, or what was written is not what would be.

use std::{error, fmt, io, path::PathBuf};

use crate::report::Report;

/// The result of a run that writes.
pub type Result<T> = std::result::Result<T, Error>;

/// Why nothing was written, or why what is there is not what would be written.
///
/// Its debug form is its display form, since that is what a build script that returns it prints.
#[non_exhaustive]
pub enum Error {
    /// A description has an error. The report has all of them, each with its place.
    Description(Report),
    /// Long-running methods are skipped, and
    /// [`deny_skipped`](crate::Generator::deny_skipped) says that none may be.
    Skipped(Report),
    /// The files are not those that would be written: [`check`](crate::Generator::check) says so.
    Stale(Vec<Difference>),
    /// A file stands in the way that was not generated. It is left as it is.
    NotOurs(PathBuf),
    /// A file cannot be read or written.
    File(PathBuf, io::Error),
    /// The environment variable `OUT_DIR` is not set: this is not a build script.
    NoOutDir,
    /// What was written is not Rust: a mistake of this crate, which should be reported to us.
    NotRust(String),
}

/// A file that is not as it would be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The file.
    pub path: PathBuf,
    /// How it differs.
    pub kind: DifferenceKind,
}

/// How a file differs from what would be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DifferenceKind {
    /// It is not there.
    Missing,
    /// It differs from this line on, counted from 1.
    Line(usize),
    /// It would be removed: nothing is written to it any longer.
    Leftover,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match self.kind {
            DifferenceKind::Missing => write!(f, "{path}: stale: the file is missing"),
            DifferenceKind::Line(line) => write!(f, "{path}:{line}: stale: it differs from here on"),
            DifferenceKind::Leftover => write!(f, "{path}: stale: it is no longer generated"),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Description(report) => write!(f, "{report}"),
            Self::Skipped(report) => write!(f, "{report}\nskipped methods are denied"),
            Self::Stale(differences) => {
                for difference in differences {
                    writeln!(f, "{difference}")?;
                }
                f.write_str("generate it again: the description, the overrides or lro-codegen has changed")
            }
            Self::NotOurs(path) => {
                let path = path.display();
                write!(f, "{path}: was not written by lro-codegen; remove it, or write to another place")
            }
            Self::File(path, error) => write!(f, "{}: {error}", path.display()),
            Self::NoOutDir => f.write_str("OUT_DIR is not set: `write` is for build scripts, `write_to` for others"),
            Self::NotRust(message) => write!(f, "{message}; this is a mistake of lro-codegen"),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A program that ends with it writes `Error: ` before it.
        write!(f, "\n{self}")
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::File(_, error) => Some(error),
            _ => None,
        }
    }
}
