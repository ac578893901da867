//! The process with the fleet. It starts what is not done, and takes what has ended, until it is
//! killed or all is done.

use std::{
    collections::HashSet,
    env,
    path::Path,
    process::Command,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use lro_redb::RedbStore;
use lro_runtime::{
    Budget, ErrorKind, Fleet, Operations, PollSettings, block_on,
    fleet::{Note, Service, Store, StoreError, Table, Ticket, Write},
};
use serde_json::{Value, json};

use crate::{Load, log, log::Log, scratch::Scratch, service::PLACE};

/// How many polls are in flight at most.
pub(crate) const CONCURRENCY: u32 = 32;

/// What the process is told, in its environment.
const TOLD: &str = "LRO_DURABLE_TEST";

/// Tells a process what to do.
pub(crate) fn describe(command: &mut Command, load: Load, folder: &Scratch, url: &str) {
    let told = json!({
        "operations": load.operations,
        "delay": u64::try_from(load.delay.as_millis()).unwrap(),
        "starters": load.starters,
        "pause": u64::try_from(load.pause.as_millis()).unwrap(),
        "folder": folder.join(""),
        "url": url,
    });
    command.env(TOLD, told.to_string());
}

/// Does what this process was told, if it is one that a test has started.
pub(crate) fn run() -> bool {
    let Ok(told) = env::var(TOLD) else { return false };
    let told: Value = serde_json::from_str(&told).unwrap();
    let number = |name: &str| told[name].as_u64().unwrap();
    let load = Load {
        operations: usize::try_from(number("operations")).unwrap(),
        delay: Duration::from_millis(number("delay")),
        starters: usize::try_from(number("starters")).unwrap(),
        pause: Duration::from_millis(number("pause")),
    };
    Work::new(load, Path::new(told["folder"].as_str().unwrap()), told["url"].as_str().unwrap()).run();
    true
}

/// A store that says which notes it has written, once they are.
struct Noting {
    store: RedbStore,
    log: Log,
}

impl Store for Noting {
    fn read(&self, table: Table, each: &mut dyn FnMut(u64, &[u8]) -> Result<(), StoreError>) -> Result<(), StoreError> {
        self.store.read(table, each)
    }

    fn commit(&self, writes: &[Write]) -> Result<(), StoreError> {
        self.store.commit(writes)
    }

    fn write_notes(&self, notes: &[Note]) -> Result<(), StoreError> {
        self.store.write_notes(notes)?;
        self.log.noted(notes.iter().map(|note| note.place));
        Ok(())
    }

    fn read_notes(&self, each: &mut dyn FnMut(Note)) -> Result<(), StoreError> {
        self.store.read_notes(each)
    }
}

struct Work {
    load: Load,
    fleet: Fleet,
    exports: Operations,
    log: Log,
    /// What was told, by this process and those before it: the program's own record of its work.
    done: Mutex<HashSet<usize>>,
    next: AtomicUsize,
}

impl Work {
    fn new(load: Load, folder: &Path, url: &str) -> Self {
        let done = log::lives(folder).iter().flat_map(|life| &life.told).map(|told| told.key).collect();
        let exports = Operations::builder(url)
            .start_id_in(PLACE)
            .start_retries(5)
            .poll_settings(PollSettings::default().with_delay(load.delay).with_max_delay(load.delay))
            .build()
            .unwrap();
        let store = Noting { store: RedbStore::open(folder.join("fleet.redb")).unwrap(), log: Log::notes(folder) };
        let fleet = Fleet::builder()
            .budget(Budget::per_origin(5_000.0).burst(100).concurrency(CONCURRENCY))
            .service(Service::new("exports", &exports))
            .store(store)
            .build()
            .unwrap();
        let log = Log::new(folder);
        log.began(&fleet.recovered());
        Self { load, fleet, exports, log, done: Mutex::new(done), next: AtomicUsize::new(0) }
    }

    fn run(&self) {
        thread::scope(|scope| {
            scope.spawn(|| self.fleet.run_blocking());
            for _ in 0..self.load.starters {
                scope.spawn(|| self.start_all());
            }
            for _ in 0..4 {
                scope.spawn(|| self.consume());
            }
            self.close_if_done();
        });
    }

    /// Starts what is not done, until nothing is left.
    fn start_all(&self) {
        loop {
            let key = self.next.fetch_add(1, Ordering::Relaxed);
            if key >= self.load.operations {
                return;
            }
            if self.done.lock().unwrap().contains(&key) {
                continue;
            }
            if let Some(ticket) = self.fleet.ticket_of(&key.to_string()) {
                self.log.has_ticket(key, ticket);
            } else {
                thread::sleep(self.load.pause);
                self.start(key);
            }
        }
    }

    fn start(&self, key: usize) {
        let start = || self.exports.post("v1/exports", &json!({ "key": key }));
        let ticket: Ticket = block_on(self.fleet.start(key.to_string(), start)).unwrap();
        self.log.has_ticket(key, ticket);
    }

    fn consume(&self) {
        let mut completions = self.fleet.completions();
        while let Some(completion) = block_on(completions.next()) {
            let (key, ticket): (usize, _) = (completion.key().unwrap().parse().unwrap(), completion.ticket());
            let outcome = match completion.outcome() {
                Ok(operation) => operation.response().unwrap().decode_json::<Value>().unwrap()["key"].to_string(),
                // The process was killed before the call was written down, and so before it was
                // sent: no other call of this program starts exports.
                Err(error) if error.kind() == ErrorKind::Start && error.start_id().is_none() => {
                    self.log.is_unknown(key, ticket);
                    block_on(completion.ack()).unwrap();
                    self.start(key);
                    continue;
                }
                Err(error) => format!("{error:?}"),
            };
            self.log.has_ticket(key, ticket);
            self.log.told(key, &outcome);
            block_on(completion.ack()).unwrap();
            self.log.acked(key);
            self.done.lock().unwrap().insert(key);
            self.close_if_done();
        }
    }

    fn close_if_done(&self) {
        if self.done.lock().unwrap().len() == self.load.operations {
            self.fleet.close();
        }
    }
}
