//! Tests of `LroServer`: its jobs, lists, faults, and what it refuses.

use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use lro_runtime::{
    Code, ErrorKind, Operations, PollSettings, RawOperation, Result, StartIdIn, Status,
    http::Method,
    testing::{Fault, Job, LroServer},
};
use serde_json::{Value, json};

/// Settings with delays of a few milliseconds, without an error budget.
fn quick() -> PollSettings {
    PollSettings::default()
        .with_delay(Duration::from_millis(5))
        .with_multiplier(1.0)
        .with_error_budget(0)
        .with_hint(Duration::from_millis(1)..=Duration::from_millis(5))
}

/// Starts a server with `job`, and an operation of it.
fn begin(job: Job) -> (RawOperation, LroServer) {
    let server = LroServer::builder().on("v1/jobs:run", move |_| job.clone()).start().unwrap();
    let operation = start(&server.operations().unwrap()).unwrap();
    (operation, server)
}

fn start(operations: &Operations) -> Result<RawOperation> {
    smol::block_on(operations.post("v1/jobs:run", &json!({})))
}

fn wait(operation: &RawOperation) -> Result<RawOperation> {
    operation.blocking().poll_until_completed(quick())
}

/// Sends these bytes as a request, without an HTTP library. Returns the status and the body of the
/// reply.
fn raw(server: &LroServer, request: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(server.url().trim_start_matches("http://")).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    let status = reply.split(' ').nth(1).unwrap_or("0").parse().unwrap();
    (status, reply.split_once("\r\n\r\n").unwrap_or_default().1.to_owned())
}

fn get(server: &LroServer, path: &str) -> (u16, Value) {
    let (status, body) = raw(server, &format!("GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"));
    (status, serde_json::from_str(&body).unwrap())
}

fn post(server: &LroServer, path: &str, body: &str) -> (u16, Value) {
    let length = body.len();
    let head = format!("POST {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-type: application/json");
    let (status, body) = raw(server, &format!("{head}\r\ncontent-length: {length}\r\n\r\n{body}"));
    (status, serde_json::from_str(&body).unwrap())
}

#[test]
fn a_job_counts_polls_and_says_how_far_it_is() {
    let (operation, server) = begin(Job::polls(4).queued(2).responds(json!({ "uri": "x" })));
    let mut seen = vec![];
    for snapshot in operation.blocking().snapshots(quick()) {
        let snapshot = snapshot.unwrap();
        seen.push((
            snapshot.state().to_string(),
            snapshot.metadata().map(|m| String::from_utf8_lossy(m.bytes()).into_owned()),
        ));
    }
    let percent = |n: u8| Some(format!(r#"{{"percent":{n}}}"#));
    let expected = [
        ("pending", None),
        ("pending", None),
        ("running", percent(50)),
        ("running", percent(75)),
        ("succeeded", percent(100)),
    ];
    assert_eq!(seen, expected.map(|(state, metadata)| (state.to_owned(), metadata)));
    assert_eq!((server.polls("operations/1"), server.requests("operations/1")), (4, 4));
    assert_eq!(server.log()[..2], ["POST /v1/jobs:run", "GET /v1/operations/1"]);
}

#[test]
fn a_job_that_lasts_takes_that_long() {
    let began = Instant::now();
    let (operation, _server) = begin(Job::lasting(Duration::from_millis(50)));
    assert!(wait(&operation).unwrap().is_succeeded());
    assert!(began.elapsed() >= Duration::from_millis(50));
}

#[test]
fn a_job_may_be_done_at_once_fail_with_details_or_end_with_nothing() {
    let (done, server) = begin(Job::polls(0).responds(json!(7)));
    assert!(done.is_succeeded());
    assert_eq!(server.requests(done.name()), 0);

    let details = json!([
        { "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "DISK_FULL", "domain": "images.test" },
        { "@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "3.5s" },
    ]);
    let (operation, _server) =
        begin(Job::polls(1).fails_with(json!({ "code": 8, "message": "full", "details": details })));
    let failed = wait(&operation).unwrap();
    let status = failed.status().unwrap();
    assert_eq!((status.code(), status.message(), status.details().len()), (Code::ResourceExhausted, "full", 2));
    assert_eq!(status.details()[0].error_info().map(|info| info.reason), Some("DISK_FULL".to_owned()));
    assert_eq!(status.retry_delay(), Some(Duration::from_millis(3500)));

    let (operation, _server) = begin(Job::polls(1).responds_nothing());
    assert!(wait(&operation).unwrap().response().is_none());
}

#[test]
fn a_job_may_be_refused() {
    let server =
        LroServer::builder().on("v1/jobs:run", |_| Job::refused(Code::PermissionDenied, "not you")).start().unwrap();
    let error = start(&server.operations().unwrap()).unwrap_err();
    assert_eq!((error.kind(), error.status().map(Status::code)), (ErrorKind::Start, Some(Code::PermissionDenied)));
}

#[test]
fn cancelling_works_is_ignored_or_is_not_there() {
    let (operation, _server) = begin(Job::endless().cancelled_after(2));
    let cancelled = smol::block_on(operation.cancel_and_wait(quick())).unwrap();
    assert!(cancelled.is_cancelled());

    let (operation, _server) = begin(Job::polls(3).ignores_cancel());
    assert!(smol::block_on(operation.cancel_and_wait(quick())).unwrap().is_succeeded());

    let (operation, _server) = begin(Job::endless().without_cancel());
    assert_eq!(operation.blocking().cancel().unwrap_err().kind(), ErrorKind::Unsupported);

    let (operation, _server) = begin(Job::polls(1));
    assert!(wait(&operation).unwrap().is_succeeded());
    let again = operation.client().resume(operation.name()).unwrap();
    again.blocking().cancel().unwrap();
    assert!(wait(&again).unwrap().is_succeeded(), "what is done stays done");
}

#[test]
fn what_is_deleted_or_expired_is_not_found() {
    let (operation, server) = begin(Job::endless());
    operation.blocking().delete().unwrap();
    assert_eq!(get(&server, "/v1/operations/1").0, 404);

    let (operation, _server) = begin(Job::endless().expires_at(2));
    let seen = operation.blocking().poll_once().unwrap();
    let error = seen.blocking().poll_until_completed(quick().with_not_found_grace(Duration::ZERO)).unwrap_err();
    assert!(error.to_string().contains("is gone"), "{error}");
}

#[test]
fn a_wait_call_holds_the_request_until_the_job_is_done_or_the_time_is_over() {
    let (operation, _server) = begin(Job::lasting(Duration::from_millis(80)));
    let done = operation.blocking().wait(Duration::from_secs(20)).unwrap();
    assert!(done.is_succeeded());

    let (operation, _server) = begin(Job::endless());
    let began = Instant::now();
    assert!(!operation.blocking().wait(Duration::from_millis(60)).unwrap().is_completed());
    assert!(began.elapsed() >= Duration::from_millis(60));
}

#[test]
fn a_list_has_pages_and_a_filter_and_belongs_to_a_parent() {
    let server = LroServer::builder().start().unwrap();
    for n in 1..=5 {
        // A list counts as a look, and would end a job of one poll.
        let job = if n % 2 == 0 { Job::polls(0) } else { Job::endless() };
        server.add(job.named(format!("projects/p/operations/{n}")));
    }
    assert_eq!(server.add(Job::endless()), "operations/6");
    let names = |page: &Value| -> Vec<String> {
        page["operations"]
            .as_array()
            .unwrap()
            .iter()
            .map(|operation| operation["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let (status, first) = get(&server, "/v1/projects/p/operations?pageSize=3");
    assert_eq!((status, names(&first).len()), (200, 3));
    let token = first["nextPageToken"].as_str().unwrap();
    let (_, second) = get(&server, &format!("/v1/projects/p/operations?pageSize=3&pageToken={token}"));
    assert_eq!((names(&second).len(), second["nextPageToken"].as_str()), (2, Some("")));
    let (_, done) = get(&server, "/v1/projects/p/operations?filter=done%3Dtrue");
    assert_eq!(names(&done), ["projects/p/operations/2", "projects/p/operations/4"]);
    assert_eq!(names(&get(&server, "/v1/operations").1), ["operations/6"]);
    for wrong in ["?filter=name=x", "?pageSize=many", "?pageToken=7", "?page=2"] {
        assert_eq!(get(&server, &format!("/v1/operations{wrong}")).0, 400, "{wrong}");
    }
}

#[test]
fn a_client_lists_it_page_by_page() {
    let server = LroServer::builder().start().unwrap();
    for n in 0..250 {
        server.add(Job::polls(n % 2).named(format!("operations/{n:03}")));
    }
    let operations = server.operations().unwrap();
    let done: Vec<String> =
        operations.blocking().list("done=true").map(|operation| operation.unwrap().name().to_owned()).collect();
    assert_eq!((done.len(), done.first().map(String::as_str)), (125, Some("operations/000")));
    assert_eq!(server.log().len(), 2, "100 to a page");
}

#[test]
fn the_server_refuses_invalid_requests() {
    let (_operation, server) = begin(Job::endless());
    for unknown in
        ["/", "/v1/operations/2", "/v2/operations/1", "/v1/operations/1/x", "/v1/operations/1:wait", "/v1/jobs:run"]
    {
        let (status, body) = get(&server, unknown);
        assert_eq!((status, body["error"]["status"].as_str()), (404, Some("NOT_FOUND")), "{unknown}");
    }
    assert_eq!(get(&server, "/v1/operations/1?x=1").0, 400);
    assert_eq!(get(&server, "/v1/operations%2F1").0, 200, "an encoded name is that name");
    assert_eq!(post(&server, "/v1/jobs:walk", "{}").0, 404);
    assert_eq!(post(&server, "/v1/jobs:run", "{").0, 400);
    assert_eq!(post(&server, "/v1/operations/1:cancel", r#"{"x":1}"#).0, 400);
    assert_eq!(post(&server, "/v1/operations/1:wait", r#"{"timeout":7}"#).0, 400);
    assert_eq!(post(&server, "/v1/operations/2:cancel", "{}").0, 404);
    for malformed in [
        "GET / HTTP/1.0\r\n\r\n",
        "GET /\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nhost\r\n\r\n",
        "GET /%zz HTTP/1.1\r\nhost: a\r\n\r\n",
    ] {
        assert_eq!(raw(&server, malformed).0, 400, "{malformed}");
    }
    let chunked = "POST /v1/jobs:run HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n";
    assert_eq!(raw(&server, chunked).0, 411);
    let large = "POST /v1/jobs:run HTTP/1.1\r\nhost: a\r\ncontent-length: 2000000\r\n\r\n";
    assert_eq!(raw(&server, large).0, 413);
}

#[test]
fn a_refused_request_gets_its_reply_however_much_of_it_is_unread() {
    let server = LroServer::builder().start().unwrap();
    let body = "x".repeat(8_000_000);
    let request = format!("POST /v1/jobs:run HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    assert_eq!(raw(&server, &request).0, 413);
}

#[test]
fn every_fault_is_seen_for_what_it_is_and_forgiven() {
    let faults = [
        (Fault::Status(503), "HTTP 503"),
        (Fault::Busy { retry_after: Duration::from_millis(1500) }, "HTTP 503"),
        (Fault::Reset, "the connection ended"),
        (Fault::Close, "the connection ended"),
        (Fault::HalfBody, "the connection ended"),
        (Fault::Stall, "no reply within"),
        (Fault::Garbage, "not"),
    ];
    for (fault, said) in faults {
        // If a connection that has worked ends without a reply, the default transport sends the
        // poll once more. The server then has to break two connections before the poll fails.
        let polls = if matches!(fault, Fault::Reset | Fault::Close) { 2 } else { 1 };
        let job = (1..=polls).fold(Job::polls(polls + 1), |job, poll| job.fault(poll, fault));
        let (operation, server) = begin(job);
        // Only what never answers needs a limit that a busy machine might exceed as well.
        let limit = if matches!(fault, Fault::Stall) { Duration::from_millis(200) } else { Duration::from_secs(60) };
        let error = operation.blocking().poll_until_completed(quick().with_poll_timeout(limit)).err();
        let error = error.unwrap_or_else(|| panic!("{fault:?} was not seen"));
        assert!(error.to_string().contains(said), "{fault:?}: {error}");
        let again = error.snapshot().unwrap().blocking().poll_until_completed(quick()).unwrap();
        assert!(again.is_succeeded(), "{fault:?}");
        assert_eq!(server.polls(operation.name()), polls + 1, "{fault:?}");
    }
}

#[test]
fn a_late_reply_is_late_and_a_hint_is_given() {
    let (operation, server) =
        begin(Job::polls(2).fault(1, Fault::Latency(Duration::from_millis(60))).hint(Duration::from_millis(300)));
    let began = Instant::now();
    assert!(wait(&operation).unwrap().is_succeeded());
    assert!(began.elapsed() >= Duration::from_millis(60));
    let (_, reply) = (
        server.polls(operation.name()),
        raw(&server, "GET /v1/operations/1 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"),
    );
    assert!(reply.1.contains("done"));
}

#[test]
fn a_start_call_may_go_wrong_too() {
    let server =
        LroServer::builder().on("v1/jobs:run", |_| Job::endless().fault(0, Fault::Status(500))).start().unwrap();
    assert_eq!(start(&server.operations().unwrap()).unwrap_err().kind(), ErrorKind::Start);
}

#[test]
fn a_bearer_token_is_asked_for() {
    let server = LroServer::builder().bearer("hunter2").start().unwrap();
    let name = server.add(Job::polls(1));
    let denied = server.operations().unwrap().resume(name.as_str()).unwrap().blocking().poll_once().unwrap_err();
    assert_eq!(denied.status().map(Status::code), Some(Code::Unauthenticated));
    let operations = Operations::builder(server.url()).header("authorization", "Bearer hunter2").build().unwrap();
    assert!(operations.resume(name).unwrap().blocking().poll_once().unwrap().is_succeeded());
}

/// Starts a job with this start id and body.
fn start_as(operations: &Operations, id: &str, body: &Value) -> Result<RawOperation> {
    let call = operations.call(Method::POST, "v1/jobs:run").json(body).with_start_id(id);
    smol::block_on(call.into_future())
}

#[test]
fn a_start_id_starts_one_operation_wherever_it_stands() {
    for place in [StartIdIn::Header("Idempotency-Key"), StartIdIn::Query("requestId"), StartIdIn::Body("ids.start")] {
        let server = LroServer::builder().on("v1/jobs:run", |_| Job::polls(1)).start_id_in(place).start().unwrap();
        let operations = Operations::builder(server.url()).start_id_in(place).build().unwrap();
        let body = json!({ "image": "cat" });
        let first = start_as(&operations, "a", &body).unwrap();
        assert!(wait(&first).unwrap().is_succeeded());
        assert_eq!(
            start_as(&operations, "a", &body).unwrap().name(),
            first.name(),
            "{place:?}, also when it has ended"
        );
        assert_ne!(start_as(&operations, "b", &body).unwrap().name(), first.name(), "{place:?}");
        let refused = start_as(&operations, "a", &json!({ "image": "dog" })).unwrap_err();
        assert_eq!(refused.status().map(Status::code), Some(Code::InvalidArgument), "{place:?}");
        assert_eq!(server.started(), 2, "{place:?}");
        let other = post(&server, "/v1/jobs:run?other=1", "{}");
        assert_eq!(other.0, 400, "{place:?}");
    }
}

#[test]
fn a_start_id_counts_when_the_reply_is_lost_and_not_when_the_start_is_refused() {
    let calls = AtomicU32::new(0);
    let job = move |_: &Value| match calls.fetch_add(1, Ordering::SeqCst) {
        0 => Job::refused(Code::Unavailable, "later"),
        _ => Job::polls(1).fault(0, Fault::Reset),
    };
    let place = StartIdIn::Header("Idempotency-Key");
    let server = LroServer::builder().on("v1/jobs:run", job).start_id_in(place).start().unwrap();
    let operations = Operations::builder(server.url()).start_id_in(place).build().unwrap();
    let start = || start_as(&operations, "a", &json!({}));
    assert_eq!(start().unwrap_err().status().map(Status::code), Some(Code::Unavailable));
    assert_eq!(server.started(), 0);
    assert_eq!(start().unwrap_err().kind(), ErrorKind::Start);
    assert_eq!(server.started(), 1);
    assert!(wait(&start().unwrap()).unwrap().is_succeeded());
    assert_eq!(server.started(), 1);
}

#[test]
fn many_calls_with_one_start_id_at_once_start_one_operation() {
    let place = StartIdIn::Header("Idempotency-Key");
    let job = |_: &Value| {
        std::thread::sleep(Duration::from_millis(30)); // the others come in meanwhile
        Job::polls(1)
    };
    let server = LroServer::builder().on("v1/jobs:run", job).start_id_in(place).start().unwrap();
    let operations = Operations::builder(server.url()).start_id_in(place).build().unwrap();
    std::thread::scope(|scope| {
        let starts: Vec<_> = (0..12).map(|_| scope.spawn(|| start_as(&operations, "a", &json!({})).unwrap())).collect();
        assert!(starts.into_iter().all(|start| start.join().unwrap().name() == "operations/1"));
    });
    assert_eq!(server.started(), 1);
}

#[test]
fn many_clients_at_once_and_it_ends_when_dropped() {
    let server = LroServer::builder().on("v1/jobs:run", |_| Job::polls(5)).start().unwrap();
    let operations = server.operations().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| assert!(wait(&start(&operations).unwrap()).unwrap().is_succeeded()));
        }
    });
    let idle = TcpStream::connect(server.url().trim_start_matches("http://")).unwrap();
    let began = Instant::now();
    drop(server);
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    assert_eq!((&idle).read(&mut [0]).unwrap_or(0), 0, "the connection has ended");
    assert_eq!(start(&operations).unwrap_err().kind(), ErrorKind::Start);
}
