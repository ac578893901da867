//! Trouble of one origin or one request, which costs the others nothing.

use std::{
    future::ready,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    task::Poll,
};

use futures_lite::future::zip;
use lro_runtime::{
    Budget, ErrorKind, Fleet, Operations,
    testing::VirtualClock,
    transport::{Reply, Request, Transport, TransportError, TransportErrorKind},
};

use crate::{
    SECOND,
    cloud::{beside, take_all},
    world,
};

#[test]
fn an_outage_or_a_throttle_of_the_origin_costs_no_operation_its_error_budget() {
    for (status, hint) in [(429, None), (429, Some(20)), (503, None)] {
        let world = world(|fleet| fleet.budget(Budget::per_origin(100.0)));
        world.cloud.lock().refuses = Some((SECOND * 5, SECOND * 600, status, hint));
        for n in 0..30 {
            world.watch(&format!("operations/{n}"), 60);
        }
        let during = || {
            let log = &world.cloud.lock().log;
            log.iter().filter(|(at, _)| (SECOND * 5..SECOND * 600).contains(at)).count()
        };
        let ended = world.drain();
        assert_eq!(ended.len(), 30);
        assert!(ended.into_iter().all(|(_, outcome)| outcome.unwrap().is_succeeded()), "{status}");
        if hint.is_some() {
            assert!(during() < 200, "{} requests in a pause", during());
        }
    }
}

#[test]
fn operations_of_an_origin_that_stays_down_are_given_up_when_patience_ends() {
    let clock = VirtualClock::new();
    let down = TransportError::new(TransportErrorKind::Connect, "refused");
    let client = Operations::builder("https://api.example.com")
        .transport(move |_| ready(Err(down.clone())))
        .timer(clock.clone())
        .build()
        .unwrap();
    let fleet = Fleet::builder().timer(clock.clone()).origin_patience(SECOND * 90).build().unwrap();
    for n in 0..5 {
        fleet.try_watch(&client.resume(format!("operations/{n}")).unwrap()).unwrap();
    }
    fleet.close();
    let consumer = take_all(&fleet, |completion| {
        let error = completion.outcome().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Poll, "{error}");
        assert!(error.token().is_some());
    });
    let taken = beside(fleet.run(), consumer);
    assert_eq!(taken, 5);
    assert!((90..150).contains(&clock.elapsed().as_secs()), "{:?}", clock.elapsed());
}

#[test]
fn a_transport_that_panics_for_one_operation_stops_no_other() {
    let world = world(|fleet| fleet);
    let cloud = world.cloud.clone();
    let panics = world.client.resume("operations/bad").unwrap().with_transport(move |request: Request| {
        let cloud = cloud.clone();
        async move {
            assert!(!request.uri().path().ends_with("bad"), "out of paper");
            cloud.send(&request, 1 << 20).await
        }
    });
    world.fleet.try_watch(&panics).unwrap();
    world.watch("operations/good", 20);
    let mut ended = world.drain();
    ended.sort_by(|one, other| one.0.cmp(&other.0));
    let error = ended[0].1.as_ref().unwrap_err().to_string();
    assert!(error.contains("the transport or the dialect has panicked: `out of paper`"), "{error}");
    assert!(ended[1].1.as_ref().unwrap().is_succeeded());
}

#[test]
fn a_reply_that_wakes_itself_keeps_no_other_request_waiting() {
    let clock = VirtualClock::new();
    let in_flight = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&in_flight);
    let transport = move |request: Request| {
        let (in_flight, mut polls) = (Arc::clone(&counted), 0);
        in_flight.fetch_add(1, Ordering::Relaxed);
        // It is never ready before the other is there as well.
        std::future::poll_fn(move |context| {
            polls += 1;
            assert!(polls < 1_000, "the other request does not begin");
            context.waker().wake_by_ref();
            if in_flight.load(Ordering::Relaxed) < 2 {
                return Poll::Pending;
            }
            let name = request.uri().path().trim_start_matches("/v1/").to_owned();
            Poll::Ready(Ok(Reply::new(format!(r#"{{"name": "{name}", "done": true, "response": {{}}}}"#).into())))
        })
    };
    let client = Operations::builder("https://api.example.com").transport(transport).timer(clock.clone());
    let client = client.build().unwrap();
    let fleet = Fleet::builder().timer(clock).build().unwrap();
    let watch = |name: &str| fleet.try_watch(&client.resume(name).unwrap()).unwrap();
    let tickets = (watch("a/operations/1"), watch("b/operations/2"));
    let both = zip(fleet.wait_for(tickets.0), fleet.wait_for(tickets.1));
    let (one, other) = beside(fleet.run(), both);
    assert!(one.unwrap().unwrap().is_succeeded() && other.unwrap().unwrap().is_succeeded());
}
