//! A recorder of the facade `metrics` that hands on to a meter of `OpenTelemetry`.
//!
//! It is here, and not a dependency, because none of the crates that do this is right for every
//! use: the one for this version of `OpenTelemetry` begins a gauge anew each time it is looked up,
//! and forgets the unit of a metric after the first of its series.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};
use opentelemetry::{
    KeyValue,
    metrics::{self as otel, Meter},
};

/// The recorder.
pub(crate) struct OpenTelemetryRecorder {
    meter: Meter,
    known: Mutex<Known>,
}

/// What was described and looked up before.
#[derive(Default)]
struct Known {
    descriptions: HashMap<KeyName, (Option<Unit>, SharedString)>,
    counters: HashMap<Key, Counter>,
    gauges: HashMap<Key, Gauge>,
    histograms: HashMap<Key, Histogram>,
}

/// The bounds of a histogram, in seconds. Those of `OpenTelemetry` are for milliseconds.
const BOUNDS: [f64; 9] = [0.01, 0.1, 0.5, 1.0, 10.0, 60.0, 600.0, 3600.0, 21600.0];

impl OpenTelemetryRecorder {
    /// Creates a recorder for this meter.
    pub(crate) fn new(meter: Meter) -> Self {
        Self { meter, known: Mutex::default() }
    }

    fn describe(&self, name: KeyName, unit: Option<Unit>, what: SharedString) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).descriptions.insert(name, (unit, what));
    }
}

/// One series: an instrument with its attributes.
struct Series<I> {
    instrument: I,
    attributes: Vec<KeyValue>,
}

impl<I> Series<I> {
    fn new(instrument: I, key: &Key) -> Arc<Self> {
        let attributes = key.labels().map(|label| KeyValue::new(label.key().to_owned(), label.value().to_owned()));
        Arc::new(Self { instrument, attributes: attributes.collect() })
    }
}

/// Adds the unit and the description that a metric was given. A macro, because the builders are of
/// several types.
macro_rules! described {
    ($builder:expr, $descriptions:ident, $key:ident) => {{
        let builder = $builder;
        match $descriptions.get($key.name()) {
            Some((unit, what)) => {
                builder.with_description(what.to_string()).with_unit(unit.map_or("", |unit| unit.as_canonical_label()))
            }
            None => builder,
        }
    }};
}

impl Recorder for OpenTelemetryRecorder {
    fn describe_counter(&self, name: KeyName, unit: Option<Unit>, what: SharedString) {
        self.describe(name, unit, what);
    }

    fn describe_gauge(&self, name: KeyName, unit: Option<Unit>, what: SharedString) {
        self.describe(name, unit, what);
    }

    fn describe_histogram(&self, name: KeyName, unit: Option<Unit>, what: SharedString) {
        self.describe(name, unit, what);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        let Known { descriptions, counters, .. } = &mut *self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let make = || {
            let builder = described!(self.meter.u64_counter(key.name().to_owned()), descriptions, key);
            Counter::from_arc(Series::new(builder.build(), key))
        };
        counters.entry(key.clone()).or_insert_with(make).clone()
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        let Known { descriptions, gauges, .. } = &mut *self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let make = || {
            let builder = described!(self.meter.f64_up_down_counter(key.name().to_owned()), descriptions, key);
            Gauge::from_arc(Series::new(builder.build(), key))
        };
        gauges.entry(key.clone()).or_insert_with(make).clone()
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        let Known { descriptions, histograms, .. } = &mut *self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let make = || {
            let builder = described!(self.meter.f64_histogram(key.name().to_owned()), descriptions, key);
            Histogram::from_arc(Series::new(builder.with_boundaries(BOUNDS.to_vec()).build(), key))
        };
        histograms.entry(key.clone()).or_insert_with(make).clone()
    }
}

impl CounterFn for Series<otel::Counter<u64>> {
    fn increment(&self, value: u64) {
        self.instrument.add(value, &self.attributes);
    }

    /// Not used by the library: a counter of `OpenTelemetry` has no such call.
    fn absolute(&self, _: u64) {}
}

impl GaugeFn for Series<otel::UpDownCounter<f64>> {
    fn increment(&self, value: f64) {
        self.instrument.add(value, &self.attributes);
    }

    fn decrement(&self, value: f64) {
        self.instrument.add(-value, &self.attributes);
    }

    /// Not used by the library: its gauge goes up and down.
    fn set(&self, _: f64) {}
}

impl HistogramFn for Series<otel::Histogram<f64>> {
    fn record(&self, value: f64) {
        self.instrument.record(value, &self.attributes);
    }
}
