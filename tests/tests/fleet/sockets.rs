//! The fleet over real sockets: the embedded server, the default transport, faults of the network.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_lite::future::{or, zip};
use lro_runtime::{
    Budget, Code, Fleet, Operations, PollSettings, Timer,
    testing::{Fault, Job, LroServer},
    timer::AsyncIoTimer,
    transport::{BoxFuture, HyperTransport, Reply, Request, Transport, TransportError},
};

use crate::cloud::take_all;

const CONCURRENCY: u32 = 24;

/// The default transport, which also counts how many requests are in flight.
#[derive(Clone, Default)]
struct Counting {
    transport: HyperTransport,
    in_flight: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
    requests: Arc<AtomicUsize>,
}

/// A request in flight, until it is answered or dropped.
struct InFlight<'a>(&'a AtomicUsize);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Transport for Counting {
    fn send<'a>(&'a self, request: &'a Request, max_body: usize) -> BoxFuture<'a, Result<Reply, TransportError>> {
        Box::pin(async move {
            let in_flight = self.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
            let _guard = InFlight(&self.in_flight);
            self.most.fetch_max(in_flight, Ordering::SeqCst);
            self.requests.fetch_add(1, Ordering::SeqCst);
            self.transport.send(request, max_body).await
        })
    }
}

/// A job that lasts a while, and about some of which the server answers badly.
fn job(n: usize) -> Job {
    let job = Job::lasting(Duration::from_millis(n as u64 * 31 % 1_500)).named(format!("projects/p/operations/{n}"));
    match n % 100 {
        1 => job.fails(Code::DataLoss, "torn"),
        2 | 3 => job.fault(1, Fault::Reset).fault(2, Fault::Close),
        4 => job.fault(1, Fault::HalfBody),
        5 => job.fault(1, Fault::Garbage),
        6 => job.fault(1, Fault::Latency(Duration::from_millis(100))),
        7 if n < 400 => job.fault(1, Fault::Status(503)),
        8 if n < 400 => job.fault(1, Fault::Stall),
        9 => job.expires_at(1),
        _ => job,
    }
}

/// Watches so many operations to their ends, with a driver that is dropped now and then.
fn storm(operations: usize) {
    let server = LroServer::builder().start().unwrap();
    let transport = Counting::default();
    let client = Operations::builder(server.url()).transport(transport.clone()).build().unwrap();
    let budget = Budget::per_origin(20_000.0).burst(200).concurrency(CONCURRENCY);
    let fleet = Fleet::builder().budget(budget).max_operations(operations).build().unwrap();
    let second = Duration::from_secs(1);
    let settings = PollSettings::default().with_delay(second / 2).with_max_delay(second).with_poll_timeout(second);
    for n in 0..operations {
        let operation = client.resume(server.add(job(n))).unwrap();
        fleet.watch(&operation).key(n.to_string()).poll_settings(settings.clone()).try_now().unwrap();
    }
    fleet.close();
    let driver = async {
        for n in 0..20 {
            let cut = async { AsyncIoTimer.sleep(Duration::from_millis(n * 7 % 50 + 20)).await };
            or(async { fleet.run().await }, cut).await;
        }
        fleet.run().await;
    };
    let mut ended = BTreeMap::new();
    let consumer = take_all(&fleet, |completion| {
        let said = match completion.outcome() {
            Ok(operation) => operation.state().to_string(),
            Err(error) => format!("{:?}", error.kind()),
        };
        let n: usize = completion.key().unwrap().parse().unwrap();
        assert_eq!(completion.name(), format!("projects/p/operations/{n}"));
        assert!(ended.insert(n, said).is_none(), "{n} is completed twice");
    });
    futures_lite::future::block_on(zip(driver, consumer));

    assert_eq!(ended.len(), operations);
    for (n, said) in ended {
        let expected = match n % 100 {
            1 => "failed",
            5 => "Protocol",
            9 => "Poll",
            _ => "succeeded",
        };
        // The driver may be dropped after the server has answered: a poll is then repeated, without
        // the fault of the first.
        assert!(said == expected || (n % 100 == 5 && said == "succeeded"), "{n}: {said} instead of {expected}");
    }
    let most = transport.most.load(Ordering::SeqCst);
    assert!(most <= CONCURRENCY as usize, "{most} requests at once");
    assert_eq!(fleet.health().waiting + fleet.health().unacknowledged, 0);
    let requests = transport.requests.load(Ordering::SeqCst);
    assert!(requests < operations * 3, "{requests} requests: lists save most of them");
}

#[test]
fn each_of_two_thousand_operations_over_sockets_with_faults_completes_once_within_the_budget() {
    storm(2_000);
}

#[test]
#[ignore = "takes ten seconds and more"]
fn each_of_ten_thousand_operations_over_sockets_with_faults_completes_once_within_the_budget() {
    storm(10_000);
}
