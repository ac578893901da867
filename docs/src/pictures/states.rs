//! The states of an operation and the changes between them, drawn from [`State::TRANSITIONS`].

use std::cmp::Ordering;

use lro_runtime::State;

use super::svg::Svg;

const BOX: (f64, f64) = (176.0, 76.0);
/// How far apart the columns are, and the rows of the last one.
const STEP: (f64, f64) = (281.0, 104.0);
/// The middle of the first state.
const FIRST: (f64, f64) = (128.0, 196.0);

/// Draws the picture.
pub(super) fn draw() -> String {
    let mut svg = Svg::new(800, 392, "The states of an operation", &description());
    let (start, (x, y)) = ((FIRST.0 - 112.0, FIRST.1), FIRST);
    svg.arrow([start, start, (x - BOX.0 / 2.0 - 4.0, y), (x - BOX.0 / 2.0 - 1.0, y)]);
    svg.disc("head", start, 6.0);
    for &(from, to) in State::TRANSITIONS {
        svg.arrow(curve(from, to));
    }
    for &state in State::ALL {
        let (x, y) = middle(state);
        svg.rect(class(state), (x - BOX.0 / 2.0, y - BOX.1 / 2.0), BOX);
        if state.is_terminal() {
            let inner = (BOX.0 - 8.0, BOX.1 - 8.0);
            svg.rect(class(state), (x - inner.0 / 2.0, y - inner.1 / 2.0), inner);
        }
        svg.write("strong middle", (x, y - 4.0), &format!("{state:?}"));
        svg.write("small quiet middle", (x, y + 20.0), meaning(state));
    }
    svg.write(
        "small quiet",
        (40.0, 368.0),
        "An operation may stay in a state; it never goes back. A double frame is the end.",
    );
    svg.finish()
}

/// Says what the picture shows.
fn description() -> String {
    let changes = State::ALL.iter().map(|from| {
        let to: Vec<String> = after(*from).iter().map(ToString::to_string).collect();
        if to.is_empty() { format!("{from} is terminal") } else { format!("{from} becomes {}", to.join(" or ")) }
    });
    format!("An operation begins as pending. {}.", changes.collect::<Vec<_>>().join("; "))
}

fn after(state: State) -> Vec<State> {
    State::TRANSITIONS.iter().filter(|(from, _)| *from == state).map(|(_, to)| *to).collect()
}

/// The column of a state: the most changes that lead to it.
fn column(state: State) -> u32 {
    let before = State::TRANSITIONS.iter().filter(|(_, to)| *to == state);
    before.map(|(from, _)| column(*from) + 1).max().unwrap_or(0)
}

/// The middle of a state's box: its column, and its place among the states of that column.
fn middle(state: State) -> (f64, f64) {
    let column_of = column(state);
    let beside: Vec<State> = State::ALL.iter().copied().filter(|other| column(*other) == column_of).collect();
    let place = beside.iter().take_while(|other| **other != state).count();
    let rows = |count: usize| f64::from(u32::try_from(count).unwrap_or(0));
    let from_middle = rows(place) - (rows(beside.len()) - 1.0) / 2.0;
    (FIRST.0 + f64::from(column_of) * STEP.0, FIRST.1 + from_middle * STEP.1)
}

/// The way from one state to another. A change that skips a column goes around what is there, above
/// or below, and arrives beside those that skip none.
fn curve(from: State, to: State) -> [(f64, f64); 4] {
    let ((x, y), (to_x, to_y)) = (middle(from), middle(to));
    let (right, left) = (x + BOX.0 / 2.0, to_x - BOX.0 / 2.0 - 1.0);
    if column(to) == column(from) + 1 {
        let between = right.midpoint(left);
        return [(right, y), (between, y), (between, to_y), (left, to_y)];
    }
    let side = if to_y < y { -1.0 } else { 1.0 };
    // What goes around to the same row leaves further ahead, so that two ways below do not meet.
    let (ahead, height, into) = match to_y.total_cmp(&y) {
        Ordering::Equal => (34.0, STEP.1 + 36.0, (left - 150.0, y + STEP.1 + 36.0)),
        _ => (0.0, STEP.1 + 30.0, (left - 120.0, to_y + side * 26.0)),
    };
    let out = (x + ahead + 70.0, y + side * height);
    [(x + ahead, y + side * BOX.1 / 2.0), out, into, (left, to_y + side * 18.0)]
}

fn class(state: State) -> &'static str {
    match state {
        State::Pending | State::Running => "of-blue",
        State::Succeeded => "of-green",
        State::Failed => "of-red",
        State::Cancelled => "of-yellow",
    }
}

fn meaning(state: State) -> &'static str {
    match state {
        State::Pending => "not started",
        State::Running => "started, not ended",
        State::Succeeded => "with a response",
        State::Failed => "with a status",
        State::Cancelled => "before it ended",
    }
}
