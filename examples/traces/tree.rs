//! An exporter that keeps the spans, and shows them as a tree beside a line of time.

use std::{
    fmt::Write,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use opentelemetry::{
    KeyValue, Value,
    trace::{SpanId, Status},
};
use opentelemetry_sdk::{
    error::OTelSdkResult,
    trace::{SpanData, SpanExporter},
};

/// The spans that have ended.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tree(Arc<Mutex<Vec<SpanData>>>);

impl SpanExporter for Tree {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(batch);
        Ok(())
    }
}

/// A span in its place.
struct Row {
    depth: usize,
    /// When it began, from the first span on.
    from: Duration,
    lasted: Duration,
    name: String,
    what: String,
    is_error: bool,
    events: Vec<String>,
}

/// The attributes that a span has from its parent.
const INHERITED: [&str; 2] = ["lro.method", "lro.operation.name"];

/// The attributes that tell a span from its neighbours.
const SHOWN: [&str; 8] = [
    "lro.method",
    "lro.operation.name",
    "lro.poll.attempt",
    "lro.delay",
    "lro.delay.reason",
    "lro.state",
    "lro.outcome",
    "error.type",
];

impl Tree {
    /// Returns a line for each span and event, with the milliseconds from and to.
    pub(crate) fn text(&self) -> String {
        let mut out = String::from("  from     to  span\n");
        for row in self.rows() {
            let indent = "  ".repeat(row.depth);
            let (from, to) = (row.from.as_millis(), (row.from + row.lasted).as_millis());
            let _ = writeln!(out, "{from:>6} {to:>6}  {indent}{} {}", row.name, row.what);
            for event in row.events {
                let _ = writeln!(out, "{:15}{indent}  - {event}", "");
            }
        }
        out
    }

    /// Returns a picture of the same: a bar for each span.
    pub(crate) fn svg(&self) -> String {
        const WIDTH: f64 = 960.0;
        const LINE: f64 = 34.0;
        let rows = self.rows();
        let whole = rows.iter().map(|row| row.from + row.lasted).max().unwrap_or_default().as_secs_f64().max(1e-9);
        let height = rows.iter().fold(16.0, |height, _| height + LINE);
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" font-family=\"system-ui, sans-serif\" font-size=\"13\">\n\
             <title>The spans of one operation</title>\n<rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#ffffff\"/>\n"
        );
        let mut top = 8.0;
        for row in &rows {
            let left = 12.0 + row.from.as_secs_f64() / whole * (WIDTH - 24.0);
            let width = (row.lasted.as_secs_f64() / whole * (WIDTH - 24.0)).max(3.0);
            let color = match (row.is_error, row.name.as_str()) {
                (true, _) => "#d9534f",
                (_, "lro.wait") => "#7aa6da",
                (_, "lro.poll") => "#3b6ea5",
                (_, "lro.start") => "#5a9367",
                _ => "#b8b8b8",
            };
            // The words stand where the bar begins, or end where it ends.
            let (x, anchor) = if left > WIDTH * 0.55 { (WIDTH - 12.0, "end") } else { (left, "start") };
            let words = escaped(&format!("{} {}", row.name, row.what));
            let _ = writeln!(
                out,
                "<text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\" fill=\"#222222\">{words}</text>\n\
                 <rect x=\"{left:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"9\" rx=\"2\" fill=\"{color}\"/>",
                top + 12.0,
                top + 17.0
            );
            top += LINE;
        }
        out.push_str("</svg>\n");
        out
    }

    fn rows(&self) -> Vec<Row> {
        let mut spans = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        spans.sort_by_key(|span| span.start_time);
        let mut rows = vec![];
        if let Some(first) = spans.first() {
            add(&spans, None, 0, first.start_time, &mut rows);
        }
        rows
    }
}

/// Adds the children of a span, and theirs.
fn add(spans: &[SpanData], parent: Option<&SpanData>, depth: usize, zero: SystemTime, rows: &mut Vec<Row>) {
    let id = parent.map_or(SpanId::INVALID, |parent| parent.span_context.span_id());
    for span in spans.iter().filter(|span| span.parent_span_id == id) {
        let attributes = SHOWN.iter().filter_map(|name| {
            let is_it = |attribute: &&KeyValue| attribute.key.as_str() == *name;
            let attribute = span.attributes.iter().find(is_it)?;
            let of_parent = parent.and_then(|parent| parent.attributes.iter().find(is_it));
            // Whose it is, is not said again below the one that it is said of.
            let is_repeated = INHERITED.contains(name) && of_parent == Some(attribute);
            let attribute = (!is_repeated).then_some(attribute)?;
            let name = name.trim_start_matches("lro.").trim_start_matches("poll.");
            Some(match &attribute.value {
                Value::F64(seconds) => format!("{name}={seconds:.3}"),
                value => format!("{name}={value}"),
            })
        });
        rows.push(Row {
            depth,
            from: span.start_time.duration_since(zero).unwrap_or_default(),
            lasted: span.end_time.duration_since(span.start_time).unwrap_or_default(),
            name: span.name.to_string(),
            what: attributes.collect::<Vec<_>>().join(" "),
            is_error: matches!(span.status, Status::Error { .. }),
            events: span.events.iter().map(|event| event.name.to_string()).collect(),
        });
        add(spans, Some(span), depth + 1, zero, rows);
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
