//! Measures a fleet with a store: how long it takes until a change is durable, how many are in a
//! second, and how long a restart takes. Beside the embedded store, two that get the same commits:
//! a plain log, which is the least that can be done, and SQLite.

use std::{
    cell::Cell,
    env,
    error::Error,
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
    process::{self, Command},
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use async_executor::LocalExecutor;
use lro_redb::RedbStore;
use lro_runtime::{
    Budget, Fleet, Operations, PollSettings, Transport, block_on,
    fleet::{Service, Store},
    transport::{BoxFuture, Reply, Request, TransportError},
};

use self::{log::Log, sqlite::Sqlite};
use crate::report::{Subject, median};

mod log;
mod sqlite;

const ROUNDS: usize = 5;

/// How many watches follow each other in a round, and how many there are at once.
const ALONE: usize = 60;
const AT_ONCE: usize = 256;
const OF_MANY: u64 = 10_000;

/// Prints how long `watch` takes with each store, and how many of them are done in a second.
pub fn run(place: &Path) -> Result<(), Box<dyn Error>> {
    let folder = Folder::new(place)?;
    let mut bare = Bare::new(&folder.0.join("bare"))?;
    let mut figures: Vec<Figures> = ["redb", "log", "sqlite"].into_iter().map(Figures::new).collect();
    let mut of_bare = Vec::new();
    for round in 0..ROUNDS {
        of_bare.extend((0..ALONE).map(|_| bare.sync()).collect::<Result<Vec<f64>, _>>()?);
        for turn in 0..figures.len() {
            // They take turns in going first, so that none profits from its place.
            let index = (round + turn) % figures.len();
            let figures = &mut figures[index];
            let path = folder.0.join(format!("{}-{round}", figures.variant));
            match figures.variant {
                "redb" => figures.measure(RedbStore::open(path)?)?,
                "log" => figures.measure(Log::open(&path)?)?,
                _ => figures.measure(Sqlite::open(&path)?)?,
            }
        }
    }
    print_latency("fsync", of_bare);
    for figures in figures {
        let subject = Subject { bench: "store", variant: figures.variant };
        print_latency(figures.variant, figures.alone);
        subject.print("watches", median(figures.rates), "watches/s");
    }
    Ok(())
}

fn print_latency(variant: &str, mut seconds: Vec<f64>) {
    seconds.sort_by(f64::total_cmp);
    let subject = Subject { bench: "store", variant };
    for (metric, share) in [("p50", 0.5), ("p99", 0.99)] {
        let index = (seconds.len() as f64 * share) as usize;
        subject.print(metric, seconds[index.min(seconds.len() - 1)] * 1e3, "ms");
    }
}

/// A file that is written and synced, and nothing else.
struct Bare(File);

impl Bare {
    fn new(path: &Path) -> Result<Self, Box<dyn Error>> {
        Ok(Self(File::create(path)?))
    }

    /// Appends what a record takes, and returns how many seconds it takes until that is durable.
    fn sync(&mut self) -> Result<f64, Box<dyn Error>> {
        let began = Instant::now();
        self.0.write_all(&[7; 300])?;
        self.0.sync_data()?;
        Ok(began.elapsed().as_secs_f64())
    }
}

/// What was measured of one store.
struct Figures {
    variant: &'static str,
    alone: Vec<f64>,
    rates: Vec<f64>,
}

impl Figures {
    fn new(variant: &'static str) -> Self {
        Self { variant, alone: Vec::new(), rates: Vec::new() }
    }

    fn measure(&mut self, store: impl Store) -> Result<(), Box<dyn Error>> {
        let (client, fleet) = fleet(store, &Arc::default())?;
        for number in 0..ALONE as u64 {
            let began = Instant::now();
            block_on(watch(&fleet, &client, number))?;
            self.alone.push(began.elapsed().as_secs_f64());
        }
        let began = Instant::now();
        watch_many(&fleet, &client, ALONE as u64..OF_MANY + ALONE as u64)?;
        self.rates.push(OF_MANY as f64 / began.elapsed().as_secs_f64());
        Ok(())
    }
}

/// A service that never answers, and counts its requests.
#[derive(Clone, Default)]
struct Silent(Arc<AtomicU64>);

impl Transport for Silent {
    fn send<'a>(&'a self, _: &'a Request, _: usize) -> BoxFuture<'a, Result<Reply, TransportError>> {
        self.0.fetch_add(1, Relaxed);
        Box::pin(std::future::pending())
    }
}

fn fleet(store: impl Store, requests: &Arc<AtomicU64>) -> Result<(Operations, Fleet), Box<dyn Error>> {
    let settings = PollSettings::default().with_delay(Duration::from_millis(100));
    let client = Operations::builder("http://localhost").transport(Silent(Arc::clone(requests)));
    let client = client.poll_settings(settings).build()?;
    let fleet = Fleet::builder()
        .budget(Budget::per_origin(1e9).concurrency(64))
        .max_operations(2_000_000)
        .service(Service::new("images", &client))
        .store(store)
        .build()?;
    Ok((client, fleet))
}

/// Watches an operation under a key, as `start` does. Its name has 108 bytes.
async fn watch(fleet: &Fleet, client: &Operations, number: u64) -> lro_runtime::Result<()> {
    const STEM: &str =
        "projects/images-of-the-project/locations/europe-west4/operations/operation-1732278000000-5f3a9c1e7b-";
    let operation = client.resume(format!("{STEM}{number:08}"))?;
    fleet.watch(&operation).key(format!("order-{number}")).await.map(drop)
}

/// Watches these operations, as many at once as there are tasks.
fn watch_many(fleet: &Fleet, client: &Operations, numbers: std::ops::Range<u64>) -> Result<(), Box<dyn Error>> {
    let next = Rc::new(Cell::new(numbers.start));
    let executor = LocalExecutor::new();
    let tasks: Vec<_> = (0..AT_ONCE)
        .map(|_| {
            let (next, end) = (Rc::clone(&next), numbers.end);
            executor.spawn(async move {
                while next.get() < end {
                    let number = next.replace(next.get() + 1);
                    watch(fleet, client, number).await?;
                }
                Ok::<(), lro_runtime::Error>(())
            })
        })
        .collect();
    block_on(executor.run(async {
        for task in tasks {
            task.await?;
        }
        Ok(())
    }))
}

/// Prints how long it takes from opening a store of so many operations to the first poll, and how
/// many bytes each takes on the disk.
pub fn recover(operations: u64) -> Result<(), Box<dyn Error>> {
    let folder = Folder::new(&env::temp_dir())?;
    let path = folder.0.join("fleet.redb");
    let (client, fleet) = fleet(RedbStore::open(&path)?, &Arc::default())?;
    watch_many(&fleet, &client, 0..operations)?;
    drop((client, fleet));
    let mut bytes = 0;
    for entry in fs::read_dir(&folder.0)? {
        bytes += entry?.metadata()?.len();
    }
    let variant = format!("redb-{operations}");
    let subject = Subject { bench: "durable", variant: &variant };
    subject.print("disk", bytes as f64 / operations as f64, "bytes/operation");
    for _ in 0..3 {
        // A process of its own, as after a crash. What it prints is ours.
        let status = Command::new(env::current_exe()?).args(["repeat", "durable"]).arg(&path).status()?;
        if !status.success() {
            return Err("the recovery failed".into());
        }
    }
    Ok(())
}

/// Recovers the fleet of a store, and prints how long that took.
pub fn recover_once(path: &Path) -> Result<(), Box<dyn Error>> {
    let requests = Arc::default();
    let began = Instant::now();
    let store = RedbStore::open(path)?;
    let opened = began.elapsed();
    let (_client, fleet) = fleet(store, &requests)?;
    let built = began.elapsed();
    let first = async {
        while requests.load(Relaxed) == 0 {
            futures_lite::future::yield_now().await;
        }
    };
    block_on(futures_lite::future::or(fleet.run(), first));
    let polled = began.elapsed();
    let waiting = fleet.recovered().waiting;
    let variant = format!("redb-{waiting}");
    let subject = Subject { bench: "durable", variant: &variant };
    for (metric, time) in [("opened", opened), ("recovered", built), ("first-poll", polled)] {
        subject.print(metric, time.as_secs_f64(), "seconds");
    }
    Ok(())
}

/// A folder that is deleted at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(place: &Path) -> Result<Self, Box<dyn Error>> {
        let path = place.join(format!("lro-benches-{}", process::id()));
        fs::create_dir_all(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
