//! Measures what an operation in flight costs: memory while it waits, and processor time per poll.
//!
//! Every operation has a task of its own, except in a fleet, and is polled every five seconds, or
//! as another bench says, evenly spread. All
//! variants get their replies, of 342 bytes, from the same transport in memory, and each runs in a
//! process of its own, so that none finds the memory that another left. The operations do not end:
//! the process does, when it has its figures.

use std::{
    error::Error,
    future::Future,
    pin::Pin,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};

use bytes::Bytes;
use lro_runtime::{
    Transport,
    http::StatusCode,
    transport::{BoxFuture, Reply, Request, TransportError},
};

use crate::{
    count,
    process::{processor_seconds, resident},
    report::Subject,
};

#[cfg(feature = "peers")]
mod azure_core;
#[cfg(feature = "fleet")]
mod fleet;
#[cfg(feature = "peers")]
mod google_cloud_lro;
pub mod hand;
mod ours;

/// What all operations of a bench have in common.
#[derive(Clone, Copy)]
pub struct Load {
    pub bench: &'static str,
    /// What names begin with. Eight digits follow.
    pub stem: &'static str,
    /// The time from one poll of an operation to the next.
    pub pause: Duration,
    /// Whether each pause is drawn between half of that and the whole.
    pub has_jitter: bool,
}

const LOAD: Load = Load { bench: "in-flight", stem: "operations/", pause: Duration::from_secs(5), has_jitter: false };

impl Load {
    /// Returns the time to the next poll of an operation.
    pub fn next_pause(&self) -> Duration {
        if self.has_jitter { self.pause.mul_f64(0.5 + fastrand::f64() / 2.0) } else { self.pause }
    }
}

/// The operations begin in this many batches over one pause.
const BATCHES: u32 = 500;
/// The time over which processor time is counted.
const COUNTED: Duration = Duration::from_secs(15);

/// One operation: starts it and polls it for ever.
type Operation = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A way to run operations.
struct Variant {
    name: &'static str,
    /// Whether the tasks run on tokio and sleep there, or on async-executor with async-io.
    is_tokio: bool,
    /// Returns what begins an operation.
    prepare: fn(Arc<Endless>) -> Box<dyn Fn() -> Operation>,
}

/// Not `const`: the peers are a feature.
fn variants() -> Vec<Variant> {
    let mut all = vec![
        Variant {
            name: "floor-sleeping-tasks",
            is_tokio: true,
            prepare: |service| Box::new(move || Box::pin(hand::sleep_only(Arc::clone(&service)))),
        },
        Variant { name: "hand-tokio", is_tokio: true, prepare: hand::tokio },
        Variant { name: "hand-async-io", is_tokio: false, prepare: hand::async_io },
        Variant { name: "ours-tokio", is_tokio: true, prepare: ours::tokio },
        Variant { name: "ours-async-io", is_tokio: false, prepare: ours::async_io },
    ];
    #[cfg(feature = "fleet")]
    all.push(Variant { name: "fleet", is_tokio: true, prepare: fleet::prepare });
    #[cfg(feature = "peers")]
    all.extend([
        Variant { name: "google-cloud-lro", is_tokio: true, prepare: google_cloud_lro::prepare },
        Variant { name: "azure_core", is_tokio: true, prepare: azure_core::prepare },
    ]);
    // Does nothing but use `all` as mutable, which only the peers need.
    #[cfg(not(feature = "peers"))]
    all.truncate(all.len());
    all
}

/// A transport in memory whose operations do not end. It has no lists.
pub struct Endless {
    pub load: Load,
    started: AtomicU64,
    polls: AtomicU64,
    /// Whether each reply says more progress than the one before, or the same.
    is_changing: bool,
}

impl Endless {
    /// Returns the body of a reply to a start call, which names a new operation.
    pub fn start(&self) -> Bytes {
        running(&format!("{}{:08}", self.load.stem, self.started.fetch_add(1, Relaxed)), 0).into()
    }

    /// Returns the body of a reply to a poll.
    pub fn poll(&self, name: &str) -> Bytes {
        let polls = self.polls.fetch_add(1, Relaxed);
        running(name, if self.is_changing { polls } else { 0 }).into()
    }
}

/// Returns the message of an operation that runs: 342 bytes with the shortest names, in memory of
/// their own, as from a socket. As with a service, what it says of each operation besides its name
/// differs as well: when it was created, and what it works on.
pub fn running(name: &str, progress: u64) -> String {
    let number: u64 = name.get(name.len().saturating_sub(8)..).and_then(|digits| digits.parse().ok()).unwrap_or(0);
    let digest = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let (minute, second, millisecond) = (number / 60_000 % 60, number / 1000 % 60, number % 1000);
    format!(
        r#"{{"name":"{name}","metadata":{{"@type":"type.googleapis.com/example.ExportProgress","verb":"export","createTime":"2026-11-20T12:{minute:02}:{second:02}.{millisecond:03}Z","stage":"copying layer sha256:{digest:016x}{digest:016x}{digest:016x}{digest:016x} to the bucket gs://images-of-the-project","percent":{progress:8}}},"done":false}}"#
    )
}

impl Transport for Endless {
    fn send<'a>(&'a self, request: &'a Request, _max: usize) -> BoxFuture<'a, Result<Reply, TransportError>> {
        let reply = match request.uri().path() {
            "/v1/images:export" => Reply::new(self.start()),
            path if path.ends_with("/operations") => {
                let mut refusal = Reply::new(Bytes::new());
                *refusal.status_mut() = StatusCode::NOT_IMPLEMENTED;
                refusal
            }
            path => Reply::new(self.poll(path.trim_start_matches("/v1/"))),
        };
        Box::pin(std::future::ready(Ok(reply)))
    }
}

/// Runs every variant on one core and on two, with bodies that stay and that change, and with
/// delays that are not all the same.
pub fn run(operations: u64) -> Result<(), Box<dyn Error>> {
    for (cores, kind) in [(1, "unchanged"), (1, "changing"), (1, "jitter"), (2, "unchanged")] {
        for Variant { name, .. } in variants() {
            run_alone(LOAD.bench, name, kind, cores, operations)?;
        }
    }
    Ok(())
}

/// Runs one variant in a process of its own.
pub fn run_alone(bench: &str, variant: &str, kind: &str, cores: usize, operations: u64) -> Result<(), Box<dyn Error>> {
    let list = if cores == 1 { "0" } else { "0,1" };
    let mut child = Command::new("taskset");
    child.args(["-c", list]).arg(std::env::current_exe()?).args(["repeat", bench, variant, kind]);
    let status = child.args([cores.to_string(), operations.to_string()]).status()?;
    if status.success() { Ok(()) } else { Err(format!("{variant}: {status}").into()) }
}

/// Runs one variant and prints its figures. `kind` is `unchanged`, `changing` (each reply says more
/// progress) or `jitter` (pauses are drawn).
pub fn repeat(name: &str, kind: &str, cores: usize, operations: u64) -> Result<(), Box<dyn Error>> {
    repeat_with(LOAD, name, kind, cores, operations)
}

/// As [`repeat`], with operations of another kind.
pub fn repeat_with(load: Load, name: &str, kind: &str, cores: usize, operations: u64) -> Result<(), Box<dyn Error>> {
    let variant = variants().into_iter().find(|variant| variant.name == name).ok_or("no such variant")?;
    let load = Load { has_jitter: kind == "jitter", ..load };
    let is_changing = kind == "changing";
    let service = Arc::new(Endless { load, started: AtomicU64::new(0), polls: AtomicU64::new(0), is_changing });
    let begin = (variant.prepare)(Arc::clone(&service));
    let bench = format!("{}-{kind}-{cores}", load.bench);
    let subject = Subject { bench: &bench, variant: variant.name };
    if variant.is_tokio {
        let mut builder = match cores {
            1 => tokio::runtime::Builder::new_current_thread(),
            _ => tokio::runtime::Builder::new_multi_thread(),
        };
        let runtime = builder.worker_threads(cores).enable_time().build()?;
        let spawn = |operation| drop(tokio::spawn(operation));
        runtime.block_on(measure(subject, &service, operations, begin, spawn, tokio::time::sleep))
    } else {
        let executor: &'static async_executor::Executor<'static> = Box::leak(Box::default());
        for _ in 1..cores {
            thread::spawn(|| async_io::block_on(executor.run(std::future::pending::<()>())));
        }
        let spawn = |operation| executor.spawn(operation).detach();
        async_io::block_on(executor.run(measure(subject, &service, operations, begin, spawn, hand::sleep_on_async_io)))
    }
}

async fn measure<S: Future<Output = ()>>(
    subject: Subject<'_>,
    service: &Endless,
    operations: u64,
    begin: Box<dyn Fn() -> Operation>,
    spawn: impl Fn(Operation),
    sleep: impl Fn(Duration) -> S,
) -> Result<(), Box<dyn Error>> {
    // What is made once, for the first operation, is not the memory of each.
    spawn(begin());
    sleep(Duration::from_millis(100)).await;
    let before = resident()?;
    count::begin();
    for batch in 0..BATCHES {
        let of_batch =
            operations * u64::from(batch + 1) / u64::from(BATCHES) - operations * u64::from(batch) / u64::from(BATCHES);
        (0..of_batch).for_each(|_| spawn(begin()));
        sleep(service.load.pause / BATCHES).await;
    }
    sleep(service.load.pause * 2).await;
    let allocated = count::end();
    let per_operation = |bytes: f64| bytes / operations as f64;
    subject.print("allocated", per_operation(allocated.live as f64), "bytes/operation");
    subject.print("resident", per_operation(resident()? - before), "bytes/operation");

    let (polls, seconds) = (service.polls.load(Relaxed), processor_seconds()?);
    sleep(COUNTED).await;
    let (polls, seconds) = (service.polls.load(Relaxed) - polls, processor_seconds()? - seconds);
    subject.print("polls", polls as f64, "polls");
    subject.print("processor", seconds * 1e6 / polls as f64, "microseconds/poll");
    // The operations are still in flight: ending them one by one would take time and show nothing.
    std::process::exit(0);
}
