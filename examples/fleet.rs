//! A fleet: 10,000 operations of two clients and two methods, one driver, one budget.
//!
//! Run it with `cargo run --example fleet`. It shows once a second how the fleet is, and ends by
//! itself. The service is in this process, and not all goes well there.

use std::{
    fmt,
    io::{self, IsTerminal, Write},
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use futures_lite::{
    StreamExt,
    future::{or, zip},
};
use lro_examples::{ExportImageOperation, ExportRequest, ImageClient};
use lro_runtime::{
    Budget, Code, Fleet, Operations, PollSettings, Result,
    fleet::{Health, Priority},
    testing::{Fault, Job, LroServer},
};
use serde_json::{Value, json};

const OPERATIONS: usize = 10_000;
/// Started here, by the SDK. The others are found running.
const EXPORTS: usize = 500;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = service()?;
    let images = ImageClient::new(server.operations()?);
    let backups = server.operations()?;

    let fleet = Fleet::builder()
        .budget(Budget::per_origin(3_000.0).burst(100).concurrency(32)) // of requests: per second, at once, in flight
        .max_unacknowledged(1_000)
        .build()?;
    let tally = Tally::default();
    let work = async {
        let ((), (watched, consumed)) =
            zip(fleet.run(), zip(watch(&fleet, &images, &backups, &server), consume(&fleet, &tally))).await;
        watched.and(consumed)
    };
    let began = Instant::now();
    smol::block_on(or(work, show(&fleet, &tally)))?;

    let sent: u64 = fleet.health().origins.iter().map(|origin| origin.requests).sum();
    println!("{OPERATIONS} operations in {:.1} s: {tally}", began.elapsed().as_secs_f64());
    println!("{sent} requests; a loop for each operation sends about {}", requests_of_loops());
    Ok(())
}

/// Watches every operation. Some are started under a key of the program's own, so that none is
/// started twice; the others were started before, and are resumed by name.
async fn watch(fleet: &Fleet, images: &ImageClient, backups: &Operations, server: &LroServer) -> Result<()> {
    for n in EXPORTS..OPERATIONS {
        let operation = backups.resume(server.add(backup(n)))?;
        fleet.watch(&operation).poll_settings(settings()).priority(Priority::Background).await?;
    }
    for n in 0..EXPORTS {
        let request = ExportRequest::new(format!("image-{n}"), "pictures");
        fleet.start(format!("export-{n}"), || images.export_image(&request)).await?;
    }
    fleet.close(); // there will be no more: the driver and the consumers end with the last one
    Ok(())
}

/// Takes the completions. What is not acknowledged is handed out again.
async fn consume(fleet: &Fleet, tally: &Tally) -> Result<()> {
    let mut completions = fleet.completions();
    while let Some(completion) = completions.next().await {
        let counter = match completion.operation::<ExportImageOperation>() {
            Some(Ok(export)) if export.is_succeeded() => &tally.exported,
            _ => match completion.outcome() {
                Ok(operation) if operation.is_succeeded() => &tally.backed_up,
                Ok(_) => &tally.failed,
                Err(_) => &tally.given_up, // the error has the token: it may be watched again
            },
        };
        counter.fetch_add(1, Ordering::Relaxed);
        completion.ack().await?;
    }
    Ok(())
}

/// Shows how the fleet is: in a terminal a line that is drawn anew, else one line a second.
async fn show<T>(fleet: &Fleet, tally: &Tally) -> T {
    let (second, mut before) = (Duration::from_secs(1), 0);
    let mut ticks = smol::Timer::interval(second);
    while ticks.next().await.is_some() {
        let health = fleet.health();
        let sent = health.origins.iter().map(|origin| origin.requests).sum();
        let line = line(&health, sent - before, tally.done());
        before = sent;
        if io::stdout().is_terminal() {
            print!("\r\x1b[2K{line}");
            let _ = io::stdout().flush(); // a view that cannot be shown ends no work
        } else {
            println!("{line}");
        }
    }
    std::future::pending().await
}

fn line(health: &Health, rate: u64, done: usize) -> String {
    let Health { waiting, in_flight, unacknowledged, oldest_due, origins, .. } = health;
    let late = oldest_due.unwrap_or_default().as_millis();
    let saturation = origins.iter().map(|origin| origin.saturation).fold(0.0, f64::max);
    let pause =
        origins.iter().find_map(|origin| origin.pause).map_or(String::new(), |pause| format!(", {:?}", pause.why));
    format!(
        "waiting {waiting:>5}, oldest due {late:>4} ms, in flight {in_flight:>2}, done {done:>5}, {rate:>4} requests/s, \
         unacknowledged {unacknowledged}, saturation {saturation:.2}{pause}"
    )
}

/// How the operations have ended.
#[derive(Default)]
struct Tally {
    exported: AtomicUsize,
    backed_up: AtomicUsize,
    failed: AtomicUsize,
    given_up: AtomicUsize,
}

impl Tally {
    fn counts(&self) -> [usize; 4] {
        [&self.exported, &self.backed_up, &self.failed, &self.given_up].map(|count| count.load(Ordering::Relaxed))
    }

    fn done(&self) -> usize {
        self.counts().iter().sum()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [exported, backed_up, failed, given_up] = self.counts();
        write!(f, "{exported} exported, {backed_up} backed up, {failed} failed, {given_up} given up")
    }
}

/// Once a second at most. Without a list, that is a request a second for each operation.
fn settings() -> PollSettings {
    PollSettings::default().with_delay(Duration::from_secs(1)).with_max_delay(Duration::from_secs(1))
}

/// A service whose operations last one to five seconds.
fn service() -> io::Result<LroServer> {
    let export = |_: &Value| Job::lasting(duration(0)).responds(json!({ "uri": "gs://pictures/cat.png" }));
    LroServer::builder().on("v1/images:export", export).start()
}

/// A backup, of which some fail, and about some of which the service answers badly.
fn backup(n: usize) -> Job {
    let job = Job::lasting(duration(n)).named(format!("projects/p/operations/backup-{n}"));
    match n % 1_000 {
        0..10 => job.fails(Code::DataLoss, "a tape is torn"),
        100 | 300 | 500 => job.fault(1, Fault::Reset),
        200 | 600 => job.fault(1, Fault::HalfBody),
        700 => job.expires_at(1), // the service has forgotten it
        800 if n < 3_000 => job.fault(1, Fault::Status(503)),
        _ => job,
    }
}

fn duration(n: usize) -> Duration {
    Duration::from_millis(1_000 + n as u64 * 7 % 4_000)
}

/// How many requests as many loops send: a poll a second for each operation, and a last one.
fn requests_of_loops() -> u64 {
    let of_backups = (EXPORTS..OPERATIONS).map(|n| duration(n).as_secs() + 1);
    let of_exports = (0..EXPORTS).map(|_| 3); // the start call, and two polls
    of_backups.chain(of_exports).sum()
}
