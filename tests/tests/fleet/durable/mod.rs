//! A fleet that writes down what it must not lose, as its users see it: processes that begin where
//! others have ended, on a store in memory.

use std::{
    future::Future,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    time::Duration,
};

use lro_runtime::{
    Budget, Fleet, Operations, OperationsBuilder, PollSettings, RawOperation, Result, StartIdIn, Ticket, Timer,
    fleet::{Completion, FleetBuilder, Service},
    long_running,
    testing::VirtualClock,
    transport::{BoxFuture, Reply, Request, Transport, TransportError},
};

use crate::{
    SECOND,
    cloud::{Cloud, beside},
};

mod memory;
mod moved;
mod outcomes;
mod poisoned;
mod records;
mod restarts;
mod secrets;
mod services;
mod starts;

use memory::{Memory, Trouble};

/// What is made.
#[derive(Clone, Debug, PartialEq, serde::Deserialize)]
pub(crate) struct Image {
    of: String,
}

/// A client with a method.
pub(crate) struct Images {
    operations: Operations,
}

#[long_running(response = Image, metadata = serde_json::Value)]
impl Images {
    /// Exports an image.
    #[long_running]
    async fn export_image(&self, body: &str) -> Result<RawOperation> {
        self.operations.post("v1/images:export", &body).await
    }
}

/// A service, a store, and what is on its way between them.
struct World {
    clock: VirtualClock,
    cloud: Cloud,
    store: Memory,
    /// What was sent.
    requests: Arc<Mutex<Vec<Request>>>,
    /// Whether replies are lost.
    is_mute: Arc<AtomicBool>,
}

/// One of the processes.
struct Process {
    clock: VirtualClock,
    client: Operations,
    fleet: Fleet,
}

/// The way to the service.
struct Wire {
    cloud: Cloud,
    requests: Arc<Mutex<Vec<Request>>>,
    is_mute: Arc<AtomicBool>,
}

impl Transport for Wire {
    fn send<'a>(&'a self, request: &'a Request, max_body: usize) -> BoxFuture<'a, Result<Reply, TransportError>> {
        Box::pin(async move {
            self.requests.lock().unwrap().push(request.clone());
            let reply = self.cloud.send(request, max_body).await;
            if self.is_mute.load(Ordering::Relaxed) {
                return std::future::pending().await;
            }
            reply
        })
    }
}

impl World {
    fn new() -> Self {
        let clock = VirtualClock::new();
        let (cloud, store) = (Cloud::new(&clock), Memory::default());
        cloud.lock().has_no_lists = true;
        Self { clock, cloud, store, requests: Arc::default(), is_mute: Arc::default() }
    }

    /// The same service, and what its store has after a crash.
    fn after_a_crash(&self) -> Self {
        let Self { clock, cloud, store, requests, .. } = self;
        let (clock, cloud, store) = (clock.clone(), cloud.clone(), store.after_a_crash());
        Self { clock, cloud, store, requests: Arc::clone(requests), is_mute: Arc::default() }
    }

    fn client(&self, settle: impl FnOnce(OperationsBuilder) -> OperationsBuilder) -> Operations {
        let (cloud, requests, is_mute) = (self.cloud.clone(), Arc::clone(&self.requests), Arc::clone(&self.is_mute));
        let builder = Operations::builder("https://api.example.com").transport(Wire { cloud, requests, is_mute });
        settle(builder.timer(self.clock.clone())).build().unwrap()
    }

    /// A client whose start calls have an id.
    fn client_with_ids(&self) -> Operations {
        self.client(|client| client.start_id_in(StartIdIn::Header("x-request-id")))
    }

    /// Returns the settings of a fleet with this store, which has no service yet.
    fn builder(&self) -> FleetBuilder {
        let fast = Budget::per_origin(1000.0).burst(100);
        Fleet::builder().timer(self.clock.clone()).budget(fast).store(self.store.clone())
    }

    /// Begins a process.
    fn process(&self) -> Process {
        self.process_of(self.client(|client| client), |fleet| fleet)
    }

    fn process_of(&self, client: Operations, settle: impl FnOnce(FleetBuilder) -> FleetBuilder) -> Process {
        let service = Service::new("images", &client).with::<ExportImageOperation>();
        let fleet = settle(self.builder().service(service)).build().unwrap();
        Process { clock: self.clock.clone(), client, fleet }
    }

    /// Returns how many requests begin so.
    fn sent(&self, begins: &str) -> usize {
        self.cloud.requests(begins)
    }
}

impl Process {
    fn operation(&self, name: &str) -> RawOperation {
        self.client.resume(name).unwrap()
    }

    fn watch(&self, name: &str, settings: PollSettings) -> Ticket {
        self.fleet.watch(&self.operation(name)).poll_settings(settings).try_now().unwrap()
    }

    /// Has the driver run for so many seconds.
    fn run(&self, seconds: u32) {
        beside(self.fleet.run(), self.clock.sleep(SECOND * seconds));
    }

    /// Takes what completions there are, and acknowledges none.
    fn take(&self) -> Vec<Completion> {
        // Those of a store that has failed are handed out as well.
        drop(lro_runtime::block_on(self.fleet.flush()));
        let mut completions = self.fleet.completions();
        std::iter::from_fn(|| completions.try_next()).collect()
    }

    /// Takes what completions there are, and acknowledges all.
    fn take_and_ack(&self) -> usize {
        let taken = self.take();
        let count = taken.len();
        for completion in taken {
            lro_runtime::block_on(completion.ack()).unwrap();
        }
        count
    }
}

/// Polls after each of so many seconds, and expires never.
fn every(seconds: u32) -> PollSettings {
    let delay = SECOND * seconds;
    let settings = PollSettings::default().with_initial_delay(delay).with_delay(delay).with_max_delay(delay);
    settings.with_multiplier(1.0).with_jitter(lro_runtime::Jitter::None)
}

/// Has `work` done, and fails if that never ends.
fn within<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, when_done) = mpsc::channel();
    let worker = std::thread::spawn(move || done.send(work()));
    match when_done.recv_timeout(Duration::from_secs(120)) {
        Ok(value) => value,
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("it never ends"),
        Err(mpsc::RecvTimeoutError::Disconnected) => std::panic::resume_unwind(worker.join().unwrap_err()),
    }
}

/// Polls `work`, which does not end, until `is_far_enough`. Then its process dies: returns what is
/// left.
fn dies_at(world: &World, work: impl Future, is_far_enough: impl Fn() -> bool) -> World {
    let mut work = Box::pin(work);
    lro_runtime::block_on(async {
        while !is_far_enough() {
            assert!(futures_lite::future::poll_once(&mut work).await.is_none(), "it has ended");
            futures_lite::future::yield_now().await;
        }
    });
    // What is dropped from now on changes the store of the dead.
    world.after_a_crash()
}
