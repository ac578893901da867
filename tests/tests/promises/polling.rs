//! Promises of a polling function of one's own: it takes the place of the transport, and everything
//! else stays as it is.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use lro_runtime::{
    CancelOutcome, Code, ErrorKind, Operations, PollSettings,
    testing::{Script, ScriptedTransport, VirtualClock},
    transport::{Reply, Request, TransportError, TransportErrorKind},
};
use serde_json::json;

use crate::support::{Stage, cat, json_reply, percent, reply, secs};

#[test]
fn a_wait_polls_with_a_function_of_ones_own_and_keeps_its_delays_and_its_error_budget() {
    let stage = Stage::new(Script::new().running_with(percent(1)));
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let operation = stage.export().with_transport(move |request: Request| {
        assert_eq!(request.uri().path(), "/v1/operations/1");
        let polls = count.fetch_add(1, Ordering::Relaxed);
        async move {
            match polls {
                0 => Err(TransportError::new(TransportErrorKind::Closed, "the cache is away")),
                1 => Ok(json_reply(&json!({ "name": "operations/1", "metadata": percent(50) }))),
                _ => Ok(json_reply(&json!({ "name": "operations/1", "done": true, "response": cat() }))),
            }
        }
    });
    let polls = Arc::new(AtomicUsize::new(0));
    let failures = Arc::clone(&polls);
    let mut observed = operation.on_failed_poll(move |_| {
        failures.fetch_add(1, Ordering::Relaxed);
    });
    let settings = PollSettings::default().with_delay(secs(2.0)).with_multiplier(1.0);
    let done = smol::block_on(observed.poll_until_completed(settings)).unwrap();
    assert_eq!((polls.load(Ordering::Relaxed), asked.load(Ordering::Relaxed)), (1, 3));
    assert!(stage.clock.elapsed() >= secs(4.0), "{:?}", stage.clock.elapsed());
    assert_eq!(stage.requests(), 1, "the client's transport has sent the start call only");
    assert_eq!(done.into_result().unwrap().uri, "gs://pictures/cat.png");
}

#[test]
fn a_polling_function_is_held_to_the_limits_of_every_transport() {
    let clock = VirtualClock::new();
    let transport = ScriptedTransport::new(Script::new());
    let operations = Operations::builder("http://server.test")
        .transport(transport)
        .timer(clock.clone())
        .max_body(8)
        .build()
        .unwrap();
    let operation = operations.resume("operations/1").unwrap();
    let large = operation.with_transport(|_: Request| async { Ok(Reply::new("123456789".into())) });
    let error = large.blocking().poll_once().unwrap_err();
    assert!(error.to_string().contains("larger than the limit of 8 bytes"), "{error}");
    let silent = operation.with_transport(|_: Request| std::future::pending());
    let error = silent.blocking().poll_until_completed(PollSettings::default().with_timeout(secs(9.0))).unwrap_err();
    assert_eq!((error.kind(), clock.elapsed()), (ErrorKind::Timeout, secs(9.0)));
}

#[test]
fn the_calls_about_an_operation_take_its_transport_too() {
    let operations = Stage::new(Script::new()).client.operations;
    let operation = operations.resume("operations/1").unwrap().with_transport(|request: Request| async move {
        Ok(match request.uri().path() {
            "/v1/operations/1:cancel" => json_reply(&json!({})),
            _ => reply(501, ""),
        })
    });
    assert_eq!(operation.blocking().cancel().unwrap(), CancelOutcome::Requested);
    let error = operation.blocking().delete().unwrap_err();
    assert_eq!(error.status().unwrap().code(), Code::Unimplemented);
}
