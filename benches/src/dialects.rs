//! Measures one poll step per dialect, as in [`step`](crate::step), and the requests when the start
//! reply is terminal.
//!
//! To add a dialect, add a [`Case`] to [`cases`].

use std::{
    hint::black_box,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Instant,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use lro_runtime::{
    Dialect, Operations, PollSettings, Transport,
    dialect::{Azure, Declared, Google, Http},
    transport::{BoxFuture, Reply, Request, TransportError},
    wire::replicate::Prediction,
};

use crate::{
    callgrind,
    count::allocated,
    report::{Subject, median},
    step::{RUNNING, STEPS, SUCCEEDED},
    virtual_time::{Clock, run as run_future},
};

/// How one dialect writes an operation. All cases have the same facts, in texts of about the same
/// length.
struct Case {
    name: &'static str,
    dialect: Arc<dyn Dialect>,
    start: Text,
    running: Text,
    succeeded: Text,
}

/// One reply.
#[derive(Clone)]
struct Text {
    status: StatusCode,
    headers: HeaderMap,
    body: &'static str,
}

const AZURE_RUNNING: &str = r#"{"id":"/subscriptions/s/operations/export-7","name":"export-7","status":"Running","startTime":"2026-11-20T12:34:56.789Z","percentComplete":42,"properties":{"verb":"export","stage":"copying"}}"#;
const AZURE_SUCCEEDED: &str = r#"{"id":"/subscriptions/s/operations/export-7","name":"export-7","status":"Succeeded","startTime":"2026-11-20T12:34:56.789Z","percentComplete":100,"result":{"uri":"gs://bucket/image.tar","sizeBytes":1048576}}"#;
const JOB_RUNNING: &str = r#"{"id":"export-7","model":"images/export","status":"processing","created_at":"2026-11-20T12:34:56.789Z","output":null,"error":null,"metrics":{"verb":"export","stage":"copying","predict_time":42}}"#;
const JOB_SUCCEEDED: &str = r#"{"id":"export-7","model":"images/export","status":"succeeded","created_at":"2026-11-20T12:34:56.789Z","output":{"uri":"gs://bucket/image.tar","sizeBytes":1048576},"error":null,"metrics":{"predict_time":100}}"#;
const RESULT: &str = r#"{"uri":"gs://bucket/image.tar","sizeBytes":1048576}"#;

fn cases() -> Vec<Case> {
    let ok = |body| Text { status: StatusCode::OK, headers: HeaderMap::new(), body };
    let accepted = |name, value, body| {
        let headers = HeaderMap::from_iter([(name, HeaderValue::from_static(value))]);
        Text { status: StatusCode::ACCEPTED, headers, body }
    };
    let operation_location = header::HeaderName::from_static("operation-location");
    vec![
        Case {
            name: "google",
            dialect: Arc::new(Google::new()),
            start: ok(RUNNING),
            running: ok(RUNNING),
            succeeded: ok(SUCCEEDED),
        },
        Case {
            name: "azure",
            dialect: Arc::new(Azure::new()),
            start: accepted(operation_location, "/operations/export-7?api-version=2026-01-01", AZURE_RUNNING),
            running: ok(AZURE_RUNNING),
            succeeded: ok(AZURE_SUCCEEDED),
        },
        Case {
            name: "job",
            dialect: Arc::new(Declared::of::<Prediction>()),
            start: ok(JOB_RUNNING),
            running: ok(JOB_RUNNING),
            succeeded: ok(JOB_SUCCEEDED),
        },
        Case {
            name: "http",
            dialect: Arc::new(Http),
            start: accepted(header::LOCATION, "/jobs/export-7", AZURE_RUNNING),
            running: Text { status: StatusCode::ACCEPTED, ..ok(AZURE_RUNNING) },
            succeeded: ok(RESULT),
        },
    ]
}

/// A transport with replies from memory: one start, 98 running, one success, and again; or always a
/// success.
struct Replies {
    case: Case,
    ends_at_once: bool,
    sent: Arc<AtomicUsize>,
}

impl Transport for Replies {
    fn send<'a>(&'a self, _request: &'a Request, _max: usize) -> BoxFuture<'a, Result<Reply, TransportError>> {
        let text = match self.sent.fetch_add(1, Relaxed) % STEPS {
            _ if self.ends_at_once => &self.case.succeeded,
            0 => &self.case.start,
            last if last == STEPS - 1 => &self.case.succeeded,
            _ => &self.case.running,
        };
        Box::pin(async {
            let mut reply = Reply::new(Bytes::from_static(text.body.as_bytes()));
            *reply.status_mut() = text.status;
            reply.headers_mut().clone_from(&text.headers);
            Ok(reply)
        })
    }
}

/// A client that runs operations, and the number of requests it sent.
struct Runner {
    client: Operations,
    sent: Arc<AtomicUsize>,
}

impl Runner {
    fn new(case: Case, ends_at_once: bool) -> Self {
        let (dialect, sent) = (Arc::clone(&case.dialect), Arc::<AtomicUsize>::default());
        let replies = Replies { case, ends_at_once, sent: Arc::clone(&sent) };
        let builder = Operations::builder("http://localhost").dialect(dialect).transport(replies).timer(Clock::new());
        Self { client: builder.build().unwrap(), sent }
    }

    fn operation(&self) {
        let done = run_future(async {
            let started = self.client.post("v1/images:export", &()).await?;
            started.poll_until_completed(PollSettings::default()).await
        });
        assert!(black_box(done.unwrap()).is_succeeded());
    }
}

/// Runs this many operations of one dialect. This is what callgrind counts.
pub fn repeat(name: &str, operations: usize) {
    for case in cases().into_iter().filter(|case| case.name == name) {
        let runner = Runner::new(case, false);
        (0..operations).for_each(|_| runner.operation());
    }
}

/// Prints all figures.
pub fn run(instructions: bool) {
    let subject = |variant| Subject { bench: "dialects", variant };
    let all: Vec<(&str, Runner)> = cases().into_iter().map(|case| (case.name, Runner::new(case, false))).collect();
    for (name, runner) in &all {
        runner.operation();
        assert_eq!(runner.sent.load(Relaxed), STEPS, "{name} polls as often as the others");
        let ((), allocated) = allocated(|| (0..10).for_each(|_| runner.operation()));
        subject(name).print("allocations", allocated.calls as f64 / (10 * STEPS) as f64, "allocations/step");
    }
    let mut times = vec![vec![]; all.len()];
    for _ in 0..41 {
        for ((_, runner), times) in all.iter().zip(&mut times) {
            let began = Instant::now();
            (0..20).for_each(|_| runner.operation());
            times.push(began.elapsed().as_secs_f64() * 1e9 / (20 * STEPS) as f64);
        }
    }
    for ((name, _), times) in all.iter().zip(times) {
        subject(name).print("time", median(times), "ns/step");
    }
    for (name, _) in all.iter().filter(|_| instructions) {
        if let Some(per_operation) = callgrind::instructions(&["repeat", "dialects", name], 20, 120) {
            subject(name).print("instructions", per_operation / STEPS as f64, "instructions/step");
        }
    }
    for case in cases() {
        let (name, runner) = (case.name, Runner::new(case, true));
        runner.operation();
        subject(name).print("requests-when-the-start-reply-is-terminal", runner.sent.load(Relaxed) as f64, "requests");
    }
}
