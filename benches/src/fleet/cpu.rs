//! What polls and entries of lists cost the processor, and what a fleet costs that waits.

use std::{
    error::Error,
    future::Future,
    hint::black_box,
    pin::Pin,
    sync::{Arc, atomic::Ordering::Relaxed},
    task::{Context, Waker},
    time::Duration,
};

use bytes::Bytes;
use lro_runtime::{
    Fleet, Jitter, Operations, PollSettings, Transport,
    timer::TokioTimer,
    transport::{BoxFuture, Reply, Request, TransportError},
};

use super::service::{LOAD, Service, boundless, fleet, name, watch};
use crate::{
    callgrind::instructions,
    in_flight::{hand, running},
    process::processor_seconds,
    report::Subject,
    virtual_time::{Clock, run},
};

/// How many operations are polled where instructions are counted, in each round.
const COUNTED: u64 = 10_000;

/// The most entries of a page, as the dialect asks for.
const PAGE: u64 = 500;

/// How many sweeps a round has where instructions are counted.
const SWEEPS: u64 = 20;

/// Prints the processor time of a poll by the whole driver, in virtual time, with replies that are
/// there at once.
pub fn polls(operations: u64) -> Result<(), Box<dyn Error>> {
    let (service, _fleet, mut driver) = polled(operations);
    let variant = format!("fleet-{operations}");
    let subject = Subject { bench: "fleet-poll", variant: &variant };
    poll_rounds(&service, driver.as_mut(), 1);
    let seconds = processor_seconds()?;
    poll_rounds(&service, driver.as_mut(), 4);
    let of_fleet = (processor_seconds()? - seconds) / (4 * operations) as f64;
    let seconds = processor_seconds()?;
    floor(&service, operations);
    let of_floor = (processor_seconds()? - seconds) / operations as f64;
    subject.print("processor", of_fleet * 1e6, "microseconds/poll");
    subject.print("of-which-transport", of_floor * 1e6, "microseconds/poll");
    Ok(())
}

/// Returns a fleet of operations that do not end, with its driver.
fn polled(operations: u64) -> (Arc<Service>, Fleet, Pin<Box<impl Future>>) {
    let clock = Clock::new();
    let service = Arc::new(Service::new(operations, clock.clone()));
    let client = service.client(clock.clone(), Jitter::Equal);
    let fleet = fleet(boundless(), clock);
    (0..operations).for_each(|number| watch(&fleet, &client, number));
    let driver = Box::pin(fleet.run());
    (service, fleet, driver)
}

/// Runs the driver until there were as many polls as `rounds` of all operations.
fn poll_rounds(service: &Service, mut driver: Pin<&mut impl Future>, rounds: u64) {
    let until = service.polls.load(Relaxed) + rounds * service.operations;
    while service.polls.load(Relaxed) < until {
        let _ = driver.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    }
}

/// Requests an operation of the transport so many times.
fn floor(service: &Service, times: u64) {
    let request = http::Request::get(format!("http://localhost/v1/{}", name(0))).body(Bytes::new()).unwrap();
    for _ in 0..times {
        black_box(run(service.send(&request, usize::MAX)).unwrap());
    }
}

/// Prints the processor time that a fleet takes over ten seconds in which nothing is due.
pub fn idle(operations: u64) -> Result<(), Box<dyn Error>> {
    const WATCHED: Duration = Duration::from_secs(10);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    let seconds = runtime.block_on(async {
        let service = Arc::new(Service::new(operations, TokioTimer));
        let day = Duration::from_secs(86_400);
        let settings = PollSettings::default().with_delay(day).with_max_delay(day).with_timeout(day * 7);
        let client = Operations::builder("http://localhost").transport(Arc::clone(&service)).timer(TokioTimer);
        let client = client.poll_settings(settings).build()?;
        let fleet = fleet(boundless(), TokioTimer);
        (0..operations).for_each(|number| watch(&fleet, &client, number));
        tokio::spawn(fleet.run());
        // The first poll of an operation that is resumed is due at once.
        while service.polls.load(Relaxed) < operations {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let seconds = processor_seconds()?;
        tokio::time::sleep(WATCHED).await;
        Ok::<_, Box<dyn Error>>(processor_seconds()? - seconds)
    })?;
    let variant = format!("fleet-{operations}");
    let percent = 100.0 * seconds / WATCHED.as_secs_f64();
    Subject { bench: "fleet-idle", variant: &variant }.print("processor", percent, "percent-of-a-core");
    Ok(())
}

/// Prints the processor time of an entry of a list: from the body of the page to the operation's
/// place in the schedule, the rest of the driver included.
pub fn entries(operations: u64) -> Result<(), Box<dyn Error>> {
    let (mut swept, operations) = (Swept::new(operations), operations as f64);
    swept.sweeps(2);
    let seconds = processor_seconds()?;
    swept.sweeps(4);
    let of_entry = (processor_seconds()? - seconds) / (4.0 * operations);
    let variant = format!("fleet-{operations}");
    Subject { bench: "fleet-entry", variant: &variant }.print("processor", of_entry * 1e6, "microseconds/entry");
    Ok(())
}

/// A fleet whose operations are seen by sweeps.
struct Swept {
    pages: Arc<Pages>,
    driver: Pin<Box<dyn Future<Output = ()>>>,
}

/// A transport that has the pages of a list ready.
struct Pages {
    bodies: Vec<Bytes>,
    served: std::sync::atomic::AtomicU64,
}

impl Swept {
    fn new(operations: u64) -> Self {
        let firsts = (0..operations).step_by(PAGE as usize);
        let page = |first: u64| {
            let last = (first + PAGE).min(operations);
            let entries: Vec<String> = (first..last).map(|number| running(&name(number), 0)).collect();
            let next = if last < operations { (last / PAGE).to_string() } else { String::new() };
            Bytes::from(format!(r#"{{"operations":[{}],"nextPageToken":"{next}"}}"#, entries.join(",")))
        };
        let pages = Arc::new(Pages { bodies: firsts.map(page).collect(), served: 0.into() });
        let clock = Clock::new();
        let settings = PollSettings::default()
            .with_delay(LOAD.pause)
            .with_max_delay(LOAD.pause)
            .with_multiplier(1.0)
            .with_timeout(Duration::from_secs(86_400));
        let client = Operations::builder("http://localhost").transport(Arc::clone(&pages)).timer(clock.clone());
        let client = client.poll_settings(settings).build().unwrap();
        let fleet = fleet(boundless(), clock);
        (0..operations).for_each(|number| watch(&fleet, &client, number));
        Self { pages, driver: Box::pin(async move { fleet.run().await }) }
    }

    /// Runs the driver until the whole list was swept so many times.
    fn sweeps(&mut self, times: u64) {
        let until = self.pages.served.load(Relaxed) + times * self.pages.bodies.len() as u64;
        while self.pages.served.load(Relaxed) < until {
            let _ = self.driver.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        }
    }
}

impl Transport for Pages {
    fn send<'a>(&'a self, request: &'a Request, _max: usize) -> BoxFuture<'a, Result<Reply, TransportError>> {
        let uri = request.uri();
        let reply = if uri.path().ends_with("/operations") {
            let token = uri.query().and_then(|query| query.split("pageToken=").nth(1)?.split('&').next()?.parse().ok());
            self.served.fetch_add(1, Relaxed);
            self.bodies[token.unwrap_or(0_usize)].clone()
        } else {
            // The first is watched before there are others to be listed with.
            running(uri.path().trim_start_matches("/v1/"), 0).into()
        };
        Box::pin(std::future::ready(Ok(Reply::new(reply))))
    }
}

/// Prints instructions by valgrind.
pub fn count_instructions() {
    for variant in ["floor", "hand", "ours", "fleet", "sweep"] {
        let Some(count) = instructions(&["repeat", "fleet", variant], 1, 4) else { return };
        let (counted, unit) = match variant {
            "sweep" => (COUNTED * SWEEPS, "instructions/entry"),
            _ => (COUNTED, "instructions/poll"),
        };
        Subject { bench: "fleet", variant }.print("instructions", count / counted as f64, unit);
    }
}

/// Does what instructions are counted of, so many times.
pub fn repeat(what: &str, times: u64) {
    let clock = Clock::new();
    // Of a loop that ends: an operation that was started at zero, and is polled every 15 seconds.
    let ending = |polls: u64| {
        let lasts = LOAD.pause * u32::try_from(polls).unwrap_or(u32::MAX);
        let mut service = Service::new(1, clock.clone());
        service.lasts = Some(lasts);
        Arc::new(service)
    };
    match what {
        "floor" => (0..times).for_each(|_| floor(&Service::new(COUNTED, clock.clone()), COUNTED)),
        "hand" => {
            let service = ending(times * COUNTED);
            run(hand::export_image(service, |_| LOAD.pause, |pause| lro_runtime::Timer::sleep(&clock, pause)));
        }
        "ours" => {
            let client = ending(times * COUNTED).client(clock.clone(), Jitter::None);
            let operation = client.resume(name(0)).unwrap();
            let never = PollSettings::default().with_timeout(Duration::MAX);
            drop(black_box(run(operation.poll_until_completed(never)).unwrap()));
        }
        "lateness" => super::requests::lateness(),
        "quota" => super::requests::quota(),
        "sweep" => Swept::new(COUNTED).sweeps(times * SWEEPS),
        _ => {
            let (service, _fleet, mut driver) = polled(COUNTED);
            poll_rounds(&service, driver.as_mut(), times);
        }
    }
}
