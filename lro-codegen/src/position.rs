//! Where something stands in a description.

use std::{fmt, sync::Arc};

/// A place in a file: what diagnostics name. Shown as `file:line:column`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The file, as it was given or found.
    pub file: Arc<str>,
    /// The line, counted from 1; 0 if only the file is known.
    pub line: u32,
    /// The column in characters, counted from 1; 0 if only the line is known.
    pub column: u32,
}

impl Position {
    /// A whole file.
    #[must_use]
    pub fn file(file: impl Into<Arc<str>>) -> Self {
        Self { file: file.into(), line: 0, column: 0 }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        if self.column > 0 {
            write!(f, ":{}", self.column)?;
        }
        Ok(())
    }
}
