//! The live view of `watch`: a table with a line for each operation.

use std::time::{Duration, Instant};

use lro_runtime::State;

use super::Screen;
use crate::{
    describe,
    follow::{Row, View},
    out::Lost,
    outcome::Outcome,
    text::{cut, cut_front, padded, printable, width},
};

/// The live view. It is redrawn when there is news, but not more often than ten times a second, and
/// once a second for the times.
pub struct Table {
    screen: Screen,
    began: Instant,
    drawn: Option<Instant>,
    has_news: bool,
}

/// The time between two frames without news.
const REDRAW: Duration = Duration::from_secs(1);
/// The time between two frames at least.
const SHORTEST: Duration = Duration::from_millis(100);

/// The widths of the columns behind the name.
const STATE: usize = 9;
const DONE: usize = 5;
const AGE: usize = 7;

impl Table {
    pub fn new(screen: Screen) -> Self {
        Self { screen, began: Instant::now(), drawn: None, has_news: true }
    }

    fn draw(&mut self, rows: &[Row]) -> Result<(), Lost> {
        let (columns, height) = Screen::size();
        let lines = frame(rows, self.began, columns, height, self.screen.is_coloured);
        (self.drawn, self.has_news) = (Some(Instant::now()), false);
        self.screen.draw(&lines)
    }
}

impl View for Table {
    fn news(&mut self, rows: &mut [Row], _: usize) -> Result<(), Lost> {
        self.has_news = true;
        if self.drawn.is_none_or(|drawn| drawn.elapsed() >= SHORTEST) { self.draw(rows) } else { Ok(()) }
    }

    fn tick(&mut self, rows: &[Row]) -> Result<(), Lost> {
        if self.has_news || self.drawn.is_none_or(|drawn| drawn.elapsed() >= REDRAW) {
            self.draw(rows)?;
        }
        Ok(())
    }

    /// Leaves the whole table, however long, where the user can scroll.
    fn end(&mut self, rows: &mut [Row]) -> Result<(), Lost> {
        self.screen.leave()?;
        let (columns, _) = Screen::size();
        let layout = Layout::of(rows, columns);
        self.screen.text(&layout.head())?;
        for row in rows {
            self.screen.text(&layout.line(row, self.began, self.screen.is_coloured))?;
            row.is_told = row.ended.is_some();
        }
        Ok(())
    }
}

/// Returns the lines of a frame. Where not all operations fit, those that need attention come
/// first, and the last line counts the others.
fn frame(rows: &[Row], began: Instant, columns: usize, height: usize, is_coloured: bool) -> Vec<String> {
    let layout = Layout::of(rows, columns);
    let mut lines = vec![layout.head()];
    let room = height.saturating_sub(1);
    let mut shown: Vec<&Row> = rows.iter().collect();
    if shown.len() > room {
        shown.sort_by_key(|row| rank(row));
        let hidden = shown.split_off(room.saturating_sub(1));
        lines.extend(shown.iter().map(|row| layout.line(row, began, is_coloured)));
        lines.push(cut(&count(&hidden), columns));
    } else {
        lines.extend(shown.iter().map(|row| layout.line(row, began, is_coloured)));
    }
    lines.truncate(height);
    lines
}

/// Returns in which order operations are shown if there is no room for all: those that go on, then
/// those that did not succeed.
fn rank(row: &Row) -> u8 {
    match (row.ended, row.outcome()) {
        (None, _) => 0,
        (Some(_), Outcome::Succeeded) => 2,
        (Some(_), _) => 1,
    }
}

/// Counts operations by how they stand.
fn count(rows: &[&Row]) -> String {
    let states = [State::Pending, State::Running, State::Succeeded, State::Failed, State::Cancelled].map(Some);
    let counts = [None].iter().chain(&states).filter_map(|state| {
        let count = rows.iter().filter(|row| describe::state(&row.operation) == *state).count();
        (count > 0).then(|| format!("{count} {}", word(*state)))
    });
    format!("… {} more: {}", rows.len(), counts.collect::<Vec<_>>().join(", "))
}

/// Which columns there is room for, and how wide the names are.
#[derive(Clone, Copy)]
struct Layout {
    name: usize,
    has_done: bool,
    has_age: bool,
    /// The columns that are left for the message.
    message: usize,
}

impl Layout {
    fn of(rows: &[Row], columns: usize) -> Self {
        let longest = rows.iter().map(|row| width(&printable(row.operation.name()))).max().unwrap_or(0).max(4);
        let (has_done, has_age) = (columns >= 30, columns >= 44);
        let others = 2 + STATE + if has_done { 2 + DONE } else { 0 } + if has_age { 2 + AGE } else { 0 };
        let room = columns.saturating_sub(others);
        // With room for a message, names take a part of it at most.
        let name = longest.min(if room >= 40 { room * 3 / 5 } else { room });
        Self { name, has_done, has_age, message: room.saturating_sub(name + 2) }
    }

    fn head(self) -> String {
        self.cells("NAME", "STATE", "DONE", "AGE", "MESSAGE").trim_end().to_owned()
    }

    fn line(self, row: &Row, began: Instant, is_coloured: bool) -> String {
        let operation = &row.operation;
        let name = cut_front(&printable(operation.name()), self.name);
        let done = describe::done(operation).unwrap_or_default();
        let state = word(describe::state(operation));
        // Where there is no room for both, the fraction says that it runs.
        let is_short = !self.has_done && operation.state() == State::Running && !done.is_empty();
        let word = if is_short { &done } else { &state };
        let age = seconds(row.ended.unwrap_or_else(Instant::now).saturating_duration_since(began));
        let said = describe::said(operation, row.failed_poll.as_deref(), row.error.as_ref());
        let line = self.cells(&name, word, &done, &age, &said);
        let line = line.trim_end();
        match colour(row).filter(|_| is_coloured) {
            // The name may have the same word in it: the state is what stands behind it.
            Some(colour) => {
                let at = line.len().min(padded(&name, self.name).len() + 2);
                let (before, behind) = line.split_at_checked(at).unwrap_or((line, ""));
                format!("{before}{}", behind.replacen(word.as_str(), &format!("\u{1b}[{colour}m{word}\u{1b}[0m"), 1))
            }
            None => line.to_owned(),
        }
    }

    fn cells(self, name: &str, state: &str, done: &str, age: &str, message: &str) -> String {
        let mut cells = vec![padded(name, self.name), padded(state, STATE)];
        if self.has_done {
            cells.push(format!("{done:>DONE$}"));
        }
        if self.has_age {
            cells.push(format!("{age:>AGE$}"));
        }
        if self.message > 0 {
            cells.push(cut(message, self.message));
        }
        cells.join("  ")
    }
}

/// Returns the word of a state, which is not known before the first reply.
fn word(state: Option<State>) -> String {
    state.map_or_else(|| "-".to_owned(), |state| state.to_string())
}

/// Returns the colour of a state; `None` for those that are not remarkable.
fn colour(row: &Row) -> Option<u8> {
    match (row.ended, row.outcome()) {
        (_, Outcome::Succeeded) => Some(32),
        (_, Outcome::Failed | Outcome::Unknown) => Some(31),
        (_, Outcome::Cancelled) | (Some(_), _) => Some(33),
        _ => None,
    }
}

/// Returns a time in at most seven characters.
fn seconds(duration: Duration) -> String {
    let all = duration.as_secs();
    let (days, hours, minutes, seconds) = (all / 86_400, all / 3600 % 24, all / 60 % 60, all % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, _) => format!("{minutes}m {seconds:02}s"),
        (0, _, _) => format!("{hours}h {minutes:02}m"),
        _ => format!("{days}d {hours:02}h"),
    }
}
