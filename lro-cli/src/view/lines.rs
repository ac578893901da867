//! Views that write lines, for pipes, files and logs.

use crate::{
    describe,
    follow::{Row, View},
    json::Object,
    out::{Lost, Out, tell},
};

/// `watch` where there is no terminal: a line on stdout for each change.
pub struct Lines(pub Out);

impl View for Lines {
    fn news(&mut self, rows: &mut [Row], index: usize) -> Result<(), Lost> {
        let Some(row) = rows.get_mut(index) else { return Ok(()) };
        // The end of a wait repeats the change before it, unless it is an error. That one is told
        // on stderr.
        if row.ended.is_none() {
            self.0.text(&row.line())?;
        }
        row.is_told = row.operation.is_completed();
        Ok(())
    }
}

/// `watch --json`: an object on stdout for each change, and for each error that ends a wait.
pub struct Objects {
    pub out: Out,
    pub dialect: String,
}

impl View for Objects {
    fn news(&mut self, rows: &mut [Row], index: usize) -> Result<(), Lost> {
        let Some(row) = rows.get_mut(index) else { return Ok(()) };
        if row.ended.is_none() || row.error.is_some() {
            let object = Object::of(&row.operation, &self.dialect).failed_poll(row.failed_poll.as_deref());
            self.out.text(&object.error(row.error.as_ref()).line())?;
        }
        row.is_told = row.operation.is_completed() || row.error.is_some();
        Ok(())
    }
}

/// `wait`: what is known of an operation once its wait has ended, on stdout.
pub struct Blocks {
    pub out: Out,
    /// The dialect, if the blocks are JSON objects.
    pub json: Option<String>,
    /// Where changes are told until then.
    pub progress: Option<Progress>,
    /// Whether a block was written.
    pub is_begun: bool,
}

/// Tells of changes on stderr.
pub struct Progress;

impl View for Blocks {
    fn news(&mut self, rows: &mut [Row], index: usize) -> Result<(), Lost> {
        let Some(row) = rows.get_mut(index) else { return Ok(()) };
        if row.ended.is_none() {
            if self.progress.is_some() {
                tell(&row.line());
            }
            return Ok(());
        }
        let error = row.error.as_ref();
        let text = if let Some(dialect) = &self.json {
            Object::of(&row.operation, dialect).error(error).line()
        } else {
            let between = if self.is_begun { "\n" } else { "" };
            format!("{between}{}", describe::block(&row.operation, error))
        };
        self.out.text(&text)?;
        (self.is_begun, row.is_told) = (true, true);
        Ok(())
    }
}
