//! What waits look like: a table on a terminal, lines, or JSON.

mod lines;
mod screen;
mod table;

pub use self::{
    lines::{Blocks, Lines, Objects, Progress},
    screen::Screen,
    table::Table,
};
