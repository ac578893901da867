//! Measures one poll step in memory: prepared replies, no network, no delays.
//!
//! An operation here is one start call and 99 polls, the last of which is a success. A step is a
//! hundredth of it. The variants differ in the code that runs the loop. All use the same
//! [`Prepared`] transport, whose cost alone is the variant `floor`.

use std::{
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    time::Instant,
};

use bytes::Bytes;
use lro_runtime::{
    Transport,
    transport::{BoxFuture, Reply, Request, TransportError},
};
use serde::{Deserialize, Serialize};

use crate::{
    callgrind,
    count::allocated,
    report::{Subject, median},
};

#[cfg(feature = "peers")]
pub mod azure_core;
#[cfg(feature = "peers")]
mod google_cloud_lro;
pub mod hand;
pub mod ours;

/// Requests per operation.
pub const STEPS: usize = 100;

pub const RUNNING: &str = r#"{"name":"operations/export-7","metadata":{"@type":"type.googleapis.com/example.ExportProgress","verb":"export","createTime":"2026-11-20T12:34:56.789Z","stage":"copying","percent":42},"done":false}"#;
const RUNNING_ON: &str = r#"{"name":"operations/export-7","metadata":{"@type":"type.googleapis.com/example.ExportProgress","verb":"export","createTime":"2026-11-20T12:34:56.789Z","stage":"copying","percent":43},"done":false}"#;
pub const SUCCEEDED: &str = r#"{"name":"operations/export-7","metadata":{"@type":"type.googleapis.com/example.ExportProgress","verb":"export","createTime":"2026-11-20T12:34:56.789Z","stage":"done","percent":100},"done":true,"response":{"@type":"type.googleapis.com/example.ExportedImage","uri":"gs://bucket/image.tar","sizeBytes":1048576}}"#;

/// The metadata of the operation.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExportProgress {
    pub verb: String,
    pub create_time: String,
    pub stage: String,
    pub percent: u32,
}

/// The response of the operation.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExportedImage {
    pub uri: String,
    pub size_bytes: u64,
}

/// A transport with replies from memory, of which every hundredth is a success.
#[derive(Default)]
pub struct Prepared {
    sent: AtomicUsize,
    /// Whether each reply differs from the one before.
    is_changing: bool,
}

impl Prepared {
    /// Returns the transport whose replies differ from one another.
    pub fn changing() -> Self {
        Self { is_changing: true, ..Self::default() }
    }

    /// Returns the text of the next reply.
    pub fn next(&self) -> &'static str {
        let sent = self.sent.fetch_add(1, Relaxed) + 1;
        match () {
            () if sent.is_multiple_of(STEPS) => SUCCEEDED,
            () if self.is_changing && sent.is_multiple_of(2) => RUNNING_ON,
            () => RUNNING,
        }
    }
}

impl Transport for Prepared {
    fn send<'a>(&'a self, _request: &'a Request, _max: usize) -> BoxFuture<'a, Result<Reply, TransportError>> {
        Box::pin(async { Ok(Reply::new(Bytes::from_static(self.next().as_bytes()))) })
    }
}

/// One way to run operations: each call of `operation` runs one to its end.
pub struct Variant {
    pub name: &'static str,
    pub operation: Box<dyn FnMut()>,
}

fn variants() -> Vec<Variant> {
    let mut all = vec![
        hand::floor(),
        ours::awaited(),
        ours::awaited_while_changing(),
        ours::reading_metadata(),
        hand::ignoring_metadata(),
        hand::typed(),
    ];
    #[cfg(feature = "peers")]
    all.extend([google_cloud_lro::text(), google_cloud_lro::prepared(), azure_core::text()]);
    // Does nothing but use `all` as mutable, which only the peers need.
    #[cfg(not(feature = "peers"))]
    all.truncate(all.len());
    all
}

/// Runs this many operations of one variant. This is what callgrind counts.
pub fn repeat(name: &str, operations: usize) {
    for mut variant in variants().into_iter().filter(|variant| variant.name == name) {
        for _ in 0..operations {
            (variant.operation)();
        }
    }
}

/// Prints all figures.
pub fn run(instructions: bool) {
    let mut variants = variants();
    let subject = |variant| Subject { bench: "step", variant };
    for Variant { name, operation } in &mut variants {
        operation();
        let ((), allocated) = allocated(|| (0..10).for_each(|_| operation()));
        let per_step = |count: u64| count as f64 / (10 * STEPS) as f64;
        subject(name).print("allocations", per_step(allocated.calls), "allocations/step");
        subject(name).print("allocated", per_step(allocated.bytes), "bytes/step");
    }
    // Variants take turns, so that the load of the machine is spread evenly over them.
    let mut times = vec![vec![]; variants.len()];
    for _ in 0..41 {
        for (Variant { operation, .. }, times) in variants.iter_mut().zip(&mut times) {
            let began = Instant::now();
            (0..20).for_each(|_| operation());
            times.push(began.elapsed().as_secs_f64() * 1e9 / (20 * STEPS) as f64);
        }
    }
    for (Variant { name, .. }, times) in variants.iter().zip(times) {
        subject(name).print("time", median(times), "ns/step");
    }
    for Variant { name, .. } in variants.iter().filter(|_| instructions) {
        if let Some(per_operation) = callgrind::instructions(&["repeat", "step", name], 20, 120) {
            subject(name).print("instructions", per_operation / STEPS as f64, "instructions/step");
        }
    }
}
