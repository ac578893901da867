//! Drivers on executors and threads, one and several: nothing is lost, and nothing comes twice.

use std::{collections::BTreeSet, sync::Mutex, thread, time::Duration};

use futures_lite::future::block_on;
use lro_runtime::{
    Budget, Fleet, Operations,
    testing::{Job, LroServer},
    timer::{AsyncIoTimer, TokioTimer},
    transport::HyperTransport,
};

const OPERATIONS: usize = 300;

struct Rig {
    server: LroServer,
    fleet: Fleet,
    /// Whether drivers are dropped, with their requests.
    drops: bool,
}

impl Rig {
    fn new(timer: impl lro_runtime::Timer + Clone) -> Self {
        let server = LroServer::builder().start().unwrap();
        let client =
            Operations::builder(server.url()).transport(HyperTransport::new()).timer(timer.clone()).build().unwrap();
        let budget = Budget::per_origin(10_000.0).burst(100).concurrency(16);
        let fleet = Fleet::builder().budget(budget).timer(timer).build().unwrap();
        for n in 0..OPERATIONS {
            let job = Job::lasting(Duration::from_millis(n as u64 % 7 * 50)).named(format!("m/{n}/operations/o"));
            fleet.try_watch(&client.resume(server.add(job)).unwrap()).unwrap();
        }
        fleet.close();
        Self { server, fleet, drops: false }
    }

    /// Takes all completions with two consumers on threads of their own, beside a driver.
    fn check(self, drive: impl FnOnce(Fleet)) {
        let taken = Mutex::new(BTreeSet::new());
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let mut completions = self.fleet.completions();
                    while let Some(completion) = block_on(completions.next()) {
                        assert!(completion.outcome().unwrap().is_succeeded());
                        let name = completion.name().to_owned();
                        assert!(taken.lock().unwrap().insert(name), "{completion:?} came twice");
                        block_on(completion.ack()).unwrap();
                    }
                });
            }
            drive(self.fleet.clone());
        });
        assert_eq!(taken.into_inner().unwrap().len(), OPERATIONS);
        let health = self.fleet.health();
        assert_eq!(health.drivers, 0);
        // None was given up at its time limit, because nobody had woken its driver.
        let sent = self.server.log().len() as u64;
        assert!(self.drops || health.origins[0].requests == sent, "{sent} of {} requests", health.origins[0].requests);
        // A few are polled again at 1 s, because they had not ended.
        let polls: u32 = (0..OPERATIONS).map(|n| self.server.polls(&format!("m/{n}/operations/o"))).sum();
        assert!(polls as usize <= 2 * OPERATIONS, "{polls} polls: two drivers have polled the same");
    }
}

#[test]
fn a_driver_runs_on_the_threads_of_tokio() {
    Rig::new(TokioTimer).check(|fleet| {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let runs = [tokio::spawn(fleet.run()), tokio::spawn(fleet.run())];
            for run in runs {
                run.await.unwrap();
            }
        });
    });
}

#[test]
fn a_driver_runs_on_the_threads_of_smol() {
    Rig::new(AsyncIoTimer).check(|fleet| smol::block_on(smol::spawn(fleet.run())));
}

#[test]
fn drivers_share_a_fleet_on_several_threads_without_an_executor() {
    Rig::new(AsyncIoTimer).check(|fleet| {
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| fleet.run_blocking());
            }
        });
    });
}

#[test]
fn two_drivers_run_at_once_and_one_that_is_dropped_leaves_its_polls_to_the_other() {
    let rig = Rig { drops: true, ..Rig::new(AsyncIoTimer) };
    rig.check(|fleet| {
        thread::scope(|scope| {
            scope.spawn(|| block_on(fleet.run()));
            scope.spawn(|| {
                for milliseconds in [1, 3, 5, 10, 20, 30, 40] {
                    let cut = async {
                        smol::Timer::after(Duration::from_millis(milliseconds)).await;
                    };
                    block_on(futures_lite::future::or(async { fleet.run().await }, cut));
                }
                block_on(fleet.run());
            });
        });
    });
}
