//! What a subscriber and a recorder get: spans and events as a tree, and metrics as a table.

#![allow(dead_code, clippy::allow_attributes, reason = "each test binary uses its part")]

use std::{
    collections::BTreeMap,
    fmt::{Debug, Write},
    sync::{Arc, Mutex},
};

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, SharedString, Unit};
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
    level_filters::LevelFilter,
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt},
    registry::{LookupSpan, Registry},
};

/// The spans and events of a subscriber, in the order in which they came.
#[derive(Clone, Default)]
pub struct Spans(Arc<Mutex<Vec<Node>>>);

/// A span or an event.
struct Node {
    parent: Option<usize>,
    text: String,
    fields: Vec<(&'static str, String)>,
    /// Whether it is an event, or a span that has ended.
    is_closed: bool,
}

/// Where a span is in the list, kept with the span: ids are used again.
struct Place(usize);

/// Reads fields into a list, in which a field that is recorded again has its last value.
struct Reader<'a>(&'a mut Vec<(&'static str, String)>);

impl Reader<'_> {
    fn set(&mut self, field: &Field, value: String) {
        self.0.retain(|(name, _)| *name != field.name());
        self.0.push((field.name(), value));
    }
}

impl Visit for Reader<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.set(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field, value.to_owned());
    }
}

impl Spans {
    /// Runs `f` with a subscriber of everything up to `level`, and returns what it has seen.
    pub fn of<T>(level: Level, f: impl FnOnce() -> T) -> (T, Self) {
        let spans = Self::default();
        let subscriber = spans.subscriber(level);
        (tracing::subscriber::with_default(subscriber, f), spans)
    }

    pub fn subscriber(&self, level: Level) -> impl Subscriber + Send + Sync + use<> {
        Registry::default().with(self.clone().with_filter(LevelFilter::from_level(level)))
    }

    /// Returns the tree as text: a line for each span and event, with its fields.
    pub fn tree(&self) -> String {
        self.tree_of(|_| true)
    }

    /// Returns the tree with only those fields whose names are given to `shows` and liked.
    pub fn tree_of(&self, shows: impl Fn(&str) -> bool) -> String {
        let mut out = String::new();
        self.print(None, 0, &shows, &mut out);
        out
    }

    /// Returns how many of the spans are open.
    pub fn open(&self) -> usize {
        self.0.lock().unwrap().iter().filter(|node| !node.is_closed).count()
    }

    fn print(&self, parent: Option<usize>, depth: usize, shows: &dyn Fn(&str) -> bool, out: &mut String) {
        let children: Vec<usize> = {
            let nodes = self.0.lock().unwrap();
            (0..nodes.len()).filter(|index| nodes[*index].parent == parent).collect()
        };
        for child in children {
            {
                let nodes = self.0.lock().unwrap();
                write!(out, "{}{}", "    ".repeat(depth), nodes[child].text).unwrap();
                for (name, value) in nodes[child].fields.iter().filter(|(name, _)| shows(name)) {
                    write!(out, " {name}={value}").unwrap();
                }
                out.push('\n');
            }
            self.print(Some(child), depth + 1, shows, out);
        }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Spans {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let span = context.span(id).unwrap();
        let parent = span.parent().and_then(|parent| parent.extensions().get::<Place>().map(|place| place.0));
        let mut fields = vec![];
        attributes.record(&mut Reader(&mut fields));
        let text = format!("{} {}", attributes.metadata().level(), attributes.metadata().name());
        let mut nodes = self.0.lock().unwrap();
        span.extensions_mut().insert(Place(nodes.len()));
        nodes.push(Node { parent, text, fields, is_closed: false });
    }

    fn on_record(&self, id: &Id, record: &Record<'_>, context: Context<'_, S>) {
        let span = context.span(id).unwrap();
        let place = span.extensions().get::<Place>().unwrap().0;
        record.record(&mut Reader(&mut self.0.lock().unwrap()[place].fields));
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let parent = context.event_span(event).and_then(|span| span.extensions().get::<Place>().map(|place| place.0));
        let mut fields = vec![];
        event.record(&mut Reader(&mut fields));
        let message = fields.iter().position(|(name, _)| *name == "message").map(|at| fields.remove(at).1);
        let text = format!("- {}: {}", event.metadata().level(), message.unwrap_or_default());
        self.0.lock().unwrap().push(Node { parent, text, fields, is_closed: true });
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let place = context.span(&id).unwrap().extensions().get::<Place>().unwrap().0;
        self.0.lock().unwrap()[place].is_closed = true;
    }
}

/// The metrics of a recorder.
#[derive(Clone, Default)]
pub struct Meters(Arc<Mutex<Known>>);

#[derive(Default)]
struct Known {
    descriptions: BTreeMap<String, String>,
    counts: BTreeMap<String, f64>,
    values: BTreeMap<String, Vec<f64>>,
}

/// One metric, by its name and labels as they are printed.
struct Meter(Meters, String);

impl Meters {
    /// Runs `f` with a recorder, and returns what it has recorded.
    pub fn of<T>(f: impl FnOnce() -> T) -> (T, Self) {
        let meters = Self::default();
        (metrics::with_local_recorder(&meters, f), meters)
    }

    /// Returns a line for each metric: its count or value, or all its observations.
    pub fn table(&self) -> String {
        let known = self.0.lock().unwrap();
        let counts = known.counts.iter().map(|(key, count)| (key, format!("{count}")));
        let values = known.values.iter().map(|(key, values)| (key, format!("{values:?}")));
        let lines: BTreeMap<_, _> = counts.chain(values).collect();
        lines.iter().map(|(key, value)| format!("{key} {value}\n")).collect::<Vec<_>>().concat()
    }

    /// Returns a line for each description.
    pub fn descriptions(&self) -> String {
        let known = self.0.lock().unwrap();
        known.descriptions.iter().map(|(name, what)| format!("{name} {what}\n")).collect::<Vec<_>>().concat()
    }

    fn meter(&self, key: &Key) -> Arc<Meter> {
        let labels: Vec<_> = key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        Arc::new(Meter(self.clone(), format!("{}{{{}}}", key.name(), labels.join(","))))
    }

    fn describe(&self, name: &KeyName, kind: &str, unit: Option<Unit>, what: &str) {
        let unit = unit.map_or("", |unit| unit.as_str());
        self.0.lock().unwrap().descriptions.insert(name.as_str().to_owned(), format!("{kind} {unit}: {what}"));
    }
}

impl metrics::Recorder for Meters {
    fn describe_counter(&self, name: KeyName, unit: Option<Unit>, what: SharedString) {
        self.describe(&name, "counter", unit, &what);
    }

    fn describe_gauge(&self, name: KeyName, unit: Option<Unit>, what: SharedString) {
        self.describe(&name, "gauge", unit, &what);
    }

    fn describe_histogram(&self, name: KeyName, unit: Option<Unit>, what: SharedString) {
        self.describe(&name, "histogram", unit, &what);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.meter(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.meter(key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.meter(key))
    }
}

impl Meter {
    fn change(&self, change: impl FnOnce(f64) -> f64) {
        let Self(meters, key) = self;
        let mut known = meters.0.lock().unwrap();
        let count = known.counts.entry(key.clone()).or_default();
        *count = change(*count);
    }
}

impl metrics::CounterFn for Meter {
    fn increment(&self, value: u64) {
        self.change(|count| count + f64::from(u32::try_from(value).unwrap()));
    }

    fn absolute(&self, value: u64) {
        self.change(|_| f64::from(u32::try_from(value).unwrap()));
    }
}

impl metrics::GaugeFn for Meter {
    fn increment(&self, value: f64) {
        self.change(|count| count + value);
    }

    fn decrement(&self, value: f64) {
        self.change(|count| count - value);
    }

    fn set(&self, value: f64) {
        self.change(|_| value);
    }
}

impl metrics::HistogramFn for Meter {
    fn record(&self, value: f64) {
        let Self(meters, key) = self;
        meters.0.lock().unwrap().values.entry(key.clone()).or_default().push(value);
    }
}
