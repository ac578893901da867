//! The terminal that the live view is drawn on.
//!
//! It is drawn on the alternate screen, as `less` and `top` do: there every frame begins at the
//! top, whatever a resize has done to the one before, and what was on the terminal comes back in
//! the end.

use std::io::IsTerminal as _;

use terminal_size::{Height, Width, terminal_size_of};

use crate::out::{Lost, Out};

/// Enters the alternate screen and hides the cursor.
const ENTER: &str = "\u{1b}[?1049h\u{1b}[?25l";
/// Shows the cursor and leaves the alternate screen.
const LEAVE: &str = "\u{1b}[?25h\u{1b}[?1049l";

/// A terminal on stdout.
pub struct Screen {
    out: Out,
    is_entered: bool,
    /// Whether words may be coloured.
    pub is_coloured: bool,
}

impl Screen {
    /// Returns the terminal on stdout; `None` if there is none, or one that cannot be drawn on.
    pub fn of_stdout() -> Option<Self> {
        let is_dumb = std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
        let is_coloured = std::env::var_os("NO_COLOR").is_none_or(|no| no.is_empty());
        let screen = Self { out: Out::stdout(), is_entered: false, is_coloured };
        (std::io::stdout().is_terminal() && !is_dumb).then_some(screen)
    }

    /// Returns the columns and rows, as they are now.
    pub fn size() -> (usize, usize) {
        match terminal_size_of(std::io::stdout()) {
            Some((Width(columns), Height(rows))) if columns > 0 && rows > 0 => (columns.into(), rows.into()),
            _ => (80, 24),
        }
    }

    /// Draws a frame, whose lines are not wider than the terminal.
    pub fn draw(&mut self, lines: &[String]) -> Result<(), Lost> {
        let mut frame = String::from(if self.is_entered { "\u{1b}[H" } else { ENTER });
        self.is_entered = true;
        for (index, line) in lines.iter().enumerate() {
            // Cleared before it is written: a line of the full width leaves the cursor on its last
            // column, which clearing behind it would take.
            frame.push_str(if index == 0 { "\u{1b}[H\u{1b}[2K" } else { "\r\n\u{1b}[2K" });
            frame.push_str(line);
        }
        // What is left of a longer frame. The line end keeps the last line whole; on the last row
        // it would scroll.
        if lines.len() < Self::size().1 {
            frame.push_str("\r\n\u{1b}[J");
        }
        self.out.raw(&frame)
    }

    /// Gives the terminal back as it was.
    pub fn leave(&mut self) -> Result<(), Lost> {
        if std::mem::take(&mut self.is_entered) { self.out.raw(LEAVE) } else { Ok(()) }
    }

    /// Writes a line on the ordinary screen.
    pub fn text(&self, line: &str) -> Result<(), Lost> {
        self.out.text(line)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // A terminal that is gone needs nothing back.
        let _ = self.leave();
    }
}
