//! Writes SVG: plain text, readable in light and in dark, and by screen readers.

use std::fmt::Write;

/// The colours and the letters of all pictures.
///
/// Each picture brings its own paper: a page may be dark on a light screen, and the picture cannot
/// know. Only plain rules, because not every viewer knows variables; one that does not know the
/// dark scheme shows the light one.
const STYLE: &str = "\
text{font:20px system-ui,-apple-system,'Segoe UI',Roboto,sans-serif;fill:#1f2328}
.small{font-size:17px}.quiet{fill:#59636e}.strong{font-weight:600}.end{text-anchor:end}.middle{text-anchor:middle}
.paper{fill:#fff;stroke:#d1d9e0}.box{fill:#f6f8fa;stroke:#59636e;stroke-width:2}
.line{fill:none;stroke:#59636e;stroke-width:2}.thin{fill:none;stroke:#d1d9e0}.faint{fill:none;stroke:#818b98;stroke-width:1.5}
.head{fill:#59636e}.grey{fill:#818b98}
.blue{fill:#0969da}.green{fill:#1a7f37}.red{fill:#cf222e}.yellow{fill:#9a6700}
.of-green{fill:#dafbe1;stroke:#1a7f37;stroke-width:2}.of-red{fill:#ffebe9;stroke:#cf222e;stroke-width:2}
.of-yellow{fill:#fff8c5;stroke:#9a6700;stroke-width:2}.of-blue{fill:#ddf4ff;stroke:#0969da;stroke-width:2}
@media (prefers-color-scheme:dark){
text{fill:#f0f6fc}.quiet{fill:#9198a1}
.paper{fill:#0d1117;stroke:#3d444d}.box{fill:#151b23;stroke:#9198a1}
.line{stroke:#9198a1}.thin{stroke:#3d444d}.faint{stroke:#656c76}
.head{fill:#9198a1}.grey{fill:#9198a1}
.blue{fill:#4493f8}.green{fill:#3fb950}.red{fill:#f85149}.yellow{fill:#d29922}
.of-green{fill:#12261e;stroke:#3fb950}.of-red{fill:#25171c;stroke:#f85149}
.of-yellow{fill:#272115;stroke:#d29922}.of-blue{fill:#121d2f;stroke:#4493f8}
}
";

/// A picture that is being drawn. Places are in pixels from the top left.
pub(super) struct Svg {
    text: String,
}

impl Svg {
    /// Begins a picture of this size. A screen reader reads the title and the description.
    pub(super) fn new(width: u32, height: u32, title: &str, description: &str) -> Self {
        let (title, description) = (escaped(title), escaped(description));
        let mut svg = Self { text: String::new() };
        svg.line(&format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" aria-labelledby="title description">"#
        ));
        svg.line(&format!(r#"<title id="title">{title}</title>"#));
        svg.line(&format!(r#"<desc id="description">{description}</desc>"#));
        svg.line(&format!("<style>\n{STYLE}</style>"));
        svg.line(r#"<defs><marker id="arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" orient="auto-start-reverse"><path class="head" d="M0 1 10 5 0 9z"/></marker></defs>"#);
        svg.line(&format!(
            r#"<rect class="paper" x=".5" y=".5" width="{}" height="{}" rx="8"/>"#,
            width - 1,
            height - 1
        ));
        svg
    }

    /// Draws a rectangle with round corners.
    pub(super) fn rect(&mut self, class: &str, (x, y): (f64, f64), (width, height): (f64, f64)) {
        let (x, y, width, height) = (px(x), px(y), px(width), px(height));
        self.line(&format!(r#"<rect class="{class}" x="{x}" y="{y}" width="{width}" height="{height}" rx="6"/>"#));
    }

    /// Draws a disc.
    pub(super) fn disc(&mut self, class: &str, (x, y): (f64, f64), radius: f64) {
        self.line(&format!(r#"<circle class="{class}" cx="{}" cy="{}" r="{}"/>"#, px(x), px(y), px(radius)));
    }

    /// Draws an arrow along a curve, which leaves `from` and reaches `to` in the directions of the
    /// two points between.
    pub(super) fn arrow(&mut self, [from, out, into, to]: [(f64, f64); 4]) {
        let curve = format!("M{}C{} {} {}", point(from), point(out), point(into), point(to));
        self.path("line", &curve, r#" marker-end="url(#arrow)""#);
    }

    /// Writes a line of text, whose baseline begins at the point, or ends there, as `class` says.
    pub(super) fn write(&mut self, class: &str, (x, y): (f64, f64), text: &str) {
        let attribute = if class.is_empty() { String::new() } else { format!(r#" class="{class}""#) };
        self.line(&format!(r#"<text{attribute} x="{}" y="{}">{}</text>"#, px(x), px(y), escaped(text)));
    }

    /// Returns the whole picture.
    pub(super) fn finish(mut self) -> String {
        self.line("</svg>");
        self.text
    }

    fn path(&mut self, class: &str, path: &str, more: &str) {
        self.line(&format!(r#"<path class="{class}" d="{path}"{more}/>"#));
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }
}

/// A number as SVG has it, to a tenth of a pixel: machines agree on that much.
fn px(number: f64) -> String {
    let mut text = String::new();
    // `+ 0.0` makes a zero of a negative one.
    let _ = write!(text, "{}", (number * 10.0).round() / 10.0 + 0.0);
    text
}

fn point((x, y): (f64, f64)) -> String {
    format!("{} {}", px(x), px(y))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
