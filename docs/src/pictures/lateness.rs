//! What the presets and the schedules of other clients cost: polls against lateness.

use lro_runtime::Result;

use super::{
    simulation::{self, Figure, MEDIANS, Row},
    svg::Svg,
};

const WIDTH: f64 = 800.0;
/// Where the panels' plots begin and end, from the left.
const LEFT: f64 = 84.0;
const RIGHT: f64 = WIDTH - 28.0;
/// How high a panel is with its title and its numbers, and its plot alone.
const PANEL: f64 = 356.0;
const PLOT: f64 = 268.0;
const TOP: f64 = 50.0;
/// The numbers at the axes.
const TICKS: [f64; 9] = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0];

/// Draws the picture.
pub(super) fn draw() -> Result<String> {
    let rows = simulation::rows()?;
    let description = format!(
        "Three charts, for operations with a median duration of 5, 60 and 600 seconds. Each sets the polls per \
         operation against the mean seconds from the end of an operation to the poll that sees it, for {}. \
         The table of the same page has the numbers.",
        rows.iter().map(|row| row.name).collect::<Vec<_>>().join(", ")
    );
    let mut svg = Svg::new(800, 1080, "Polls against lateness: the presets, and other clients", &description);
    for (place, median) in (0..).zip(MEDIANS) {
        let points: Vec<(&Row, Figure)> = rows.iter().filter_map(|row| Some((row, *row.figures.get(place)?))).collect();
        let top = TOP + PANEL * f64::from(u32::try_from(place).unwrap_or(0));
        panel(&mut svg, top, median, &points);
    }
    Ok(svg.finish())
}

/// Draws the chart of one median.
fn panel(svg: &mut Svg, top: f64, median: f64, points: &[(&Row, Figure)]) {
    let bottom = top + PLOT;
    let polls = Axis::over(points.iter().map(|(_, figure)| figure.polls), LEFT, RIGHT);
    let late = Axis::over(points.iter().map(|(_, figure)| figure.late), bottom, top);
    svg.write("strong", (LEFT, top - 16.0), &format!("Operations of {median} s (median)"));
    for (tick, x) in polls.ticks() {
        svg.straight("thin", (x, top), (x, bottom));
        svg.write("small quiet middle", (x, bottom + 22.0), &tick.to_string());
    }
    for (tick, y) in late.ticks() {
        svg.straight("thin", (LEFT, y), (RIGHT, y));
        svg.write("small quiet end", (LEFT - 10.0, y + 6.0), &format!("{tick} s"));
    }
    svg.write("small quiet end", (RIGHT, top - 16.0), "up: seen later · right: more polls");

    let place = |figure: &Figure| (polls.place(figure.polls), late.place(figure.late));
    let mut taken: Vec<Area> = points.iter().map(|(_, figure)| Area::around(place(figure), 8.0)).collect();
    let plot = Area { left: LEFT, right: RIGHT, top, bottom };
    for (row, figure) in points {
        let at = place(figure);
        svg.disc(if row.is_ours { "blue" } else { "grey" }, at, if row.is_ours { 8.0 } else { 6.0 });
        let label = Label::beside(at, row.name, &plot, &taken);
        let class = if row.is_ours { "small strong blue" } else { "small" };
        svg.write(&format!("{class}{}", label.anchor), label.from, row.name);
        taken.push(label.area);
    }
}

/// A logarithmic axis: what it reaches from and to, and where these are.
struct Axis {
    numbers: (f64, f64),
    pixels: (f64, f64),
}

impl Axis {
    /// An axis that all these numbers fit on, with some room.
    fn over(numbers: impl Iterator<Item = f64>, from: f64, to: f64) -> Self {
        let (least, most) =
            numbers.fold((f64::MAX, 0.0_f64), |(least, most), number| (least.min(number), most.max(number)));
        Self { numbers: (least / 1.5, most * 1.4), pixels: (from, to) }
    }

    fn place(&self, number: f64) -> f64 {
        let share = (number / self.numbers.0).ln() / (self.numbers.1 / self.numbers.0).ln();
        self.pixels.0 + share * (self.pixels.1 - self.pixels.0)
    }

    fn ticks(&self) -> impl Iterator<Item = (f64, f64)> {
        let fits = |tick: &f64| (self.numbers.0..self.numbers.1).contains(tick);
        TICKS.into_iter().filter(fits).map(|tick| (tick, self.place(tick)))
    }
}

/// A rectangle of the picture.
#[derive(Clone, Copy)]
struct Area {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

impl Area {
    fn around((x, y): (f64, f64), reach: f64) -> Self {
        Self { left: x - reach, right: x + reach, top: y - reach, bottom: y + reach }
    }

    fn meets(&self, other: &Self) -> bool {
        self.left < other.right && other.left < self.right && self.top < other.bottom && other.top < self.bottom
    }

    fn is_within(&self, outer: &Self) -> bool {
        self.left >= outer.left && self.right <= outer.right && self.top >= outer.top && self.bottom <= outer.bottom
    }
}

/// Where the name of a point stands.
struct Label {
    /// The class that says which end of the text is at `from`.
    anchor: &'static str,
    from: (f64, f64),
    area: Area,
}

impl Label {
    /// Finds a place beside a point that is free; to the right of it if there is none.
    fn beside((x, y): (f64, f64), name: &str, plot: &Area, taken: &[Area]) -> Self {
        // No font is at hand to measure with: no letter of the name is much wider than this.
        let width = 9.2 * f64::from(u32::try_from(name.len()).unwrap_or(0));
        let at = |anchor, from_x: f64, left: f64, base: f64| Self {
            anchor,
            from: (from_x, base),
            area: Area { left, right: left + width, top: base - 15.0, bottom: base + 5.0 },
        };
        let right = || at("", x + 12.0, x + 12.0, y + 6.0);
        let candidates = [
            right(),
            at(" end", x - 12.0, x - 12.0 - width, y + 6.0),
            at(" middle", x, x - width / 2.0, y - 14.0),
            at(" middle", x, x - width / 2.0, y + 26.0),
            at("", x + 8.0, x + 8.0, y - 10.0),
            at("", x + 8.0, x + 8.0, y + 24.0),
            at(" end", x - 8.0, x - 8.0 - width, y - 10.0),
            at(" end", x - 8.0, x - 8.0 - width, y + 24.0),
        ];
        let is_free = |label: &Self| label.area.is_within(plot) && !taken.iter().any(|area| area.meets(&label.area));
        candidates.into_iter().find(is_free).unwrap_or_else(right)
    }
}
