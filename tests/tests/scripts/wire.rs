//! The transport of a script, and a clock that jumps.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant, SystemTime},
};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response};
use lro_runtime::{
    Timer, Transport,
    transport::{BoxFuture, TransportError, TransportErrorKind},
};

use crate::parse::{Reply, Step};

/// A clock on which every sleep is over at once and moves the time.
///
/// It starts at Sun, 06 Nov 1994 08:49:37 GMT, the example date of RFC 9110, so that scripts can
/// have `Retry-After` dates.
#[derive(Clone)]
pub(crate) struct Clock {
    origin: Instant,
    elapsed: Arc<Mutex<Duration>>,
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self { origin: Instant::now(), elapsed: Arc::default() }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        *self.elapsed.lock().unwrap()
    }
}

impl Timer for Clock {
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let elapsed = Arc::clone(&self.elapsed);
        Box::pin(async move { *elapsed.lock().unwrap() += duration })
    }

    fn now(&self) -> Instant {
        self.origin + self.elapsed()
    }

    fn system_time(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777) + self.elapsed()
    }

    fn is_virtual(&self) -> bool {
        true
    }
}

/// A transport that replies as the script says, and records every difference between the requests
/// and the script.
#[derive(Clone)]
pub(crate) struct Wire {
    shared: Arc<Mutex<Shared>>,
    clock: Clock,
    base: String,
    steps: Arc<[Step]>,
    /// The headers that are expected even after a resume from a token. `None` means all headers of
    /// the script.
    kept: Option<Arc<[String]>>,
    checks_time: bool,
}

#[derive(Default)]
struct Shared {
    served: usize,
    last_reply: Duration,
    wrong: Vec<String>,
    sent: Vec<String>,
}

impl Wire {
    pub(crate) fn new(clock: Clock, base: &str, steps: &[Step]) -> Self {
        Self {
            shared: Arc::default(),
            clock,
            base: base.to_owned(),
            steps: steps.into(),
            kept: None,
            checks_time: true,
        }
    }

    /// Makes the wire fit for operations that go through tokens: delays are not checked, and only
    /// these headers are.
    pub(crate) fn through_tokens(mut self, kept: Vec<String>) -> Self {
        self.kept = Some(kept.into());
        self.checks_time = false;
        self
    }

    /// Returns how many requests were answered.
    pub(crate) fn served(&self) -> usize {
        self.shared.lock().unwrap().served
    }

    /// Returns every difference between the requests and the script.
    pub(crate) fn wrong(&self) -> Vec<String> {
        self.shared.lock().unwrap().wrong.clone()
    }

    /// Returns method and URL of every request.
    pub(crate) fn sent(&self) -> Vec<String> {
        self.shared.lock().unwrap().sent.clone()
    }

    fn answer(&self, request: &Request<Bytes>) -> Reply {
        let mut shared = self.shared.lock().unwrap();
        shared.sent.push(format!("{} {}", request.method(), request.uri()));
        let index = shared.served;
        shared.served += 1;
        let Some(step) = self.steps.get(index) else {
            shared.wrong.push(format!(
                "request {}: `{} {}` is not in the script",
                index + 1,
                request.method(),
                request.uri()
            ));
            return Reply::Drop;
        };
        let waited = self.clock.elapsed().saturating_sub(shared.last_reply);
        let differences = self.differences(step, request, waited);
        shared.wrong.extend(differences.into_iter().map(|what| format!("request {}: {what}", index + 1)));
        shared.last_reply = self.clock.elapsed();
        step.reply.clone()
    }

    /// Returns the differences between a request and its step.
    fn differences(&self, step: &Step, request: &Request<Bytes>, waited: Duration) -> Vec<String> {
        let mut found = Vec::new();
        let target =
            if step.target.contains("://") { step.target.clone() } else { format!("{}{}", self.base, step.target) };
        let sent = format!("{} {}", request.method(), request.uri());
        if sent != format!("{} {target}", step.method) {
            found.push(format!("sent `{sent}`, expected `{} {target}`", step.method));
        }
        if let Some(after) =
            step.after.filter(|after| self.checks_time && waited.abs_diff(*after) > Duration::from_micros(1))
        {
            found.push(format!("sent after {waited:?}, expected after {after:?}"));
        }
        for (name, value) in &step.headers {
            let kept = self.kept.as_ref().is_none_or(|kept| kept.contains(name));
            let values: Vec<_> = request
                .headers()
                .get_all(name)
                .iter()
                .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
                .collect();
            if kept && values != [value.as_str()] && !(value == "*" && values.len() == 1) {
                found.push(format!("`{name}` is {values:?}, expected `{value}`"));
            }
        }
        for name in &step.absent {
            if request.headers().contains_key(name) {
                found.push(format!("`{name}` is there"));
            }
        }
        if let Some(body) = &step.body {
            let same = match (
                serde_json::from_slice::<serde_json::Value>(request.body()),
                serde_json::from_str::<serde_json::Value>(body),
            ) {
                (Ok(sent), Ok(expected)) => sent == expected,
                _ => request.body() == body.as_bytes(),
            };
            if !same {
                found.push(format!("the body is `{}`, expected `{body}`", String::from_utf8_lossy(request.body())));
            }
        }
        found
    }
}

impl Transport for Wire {
    fn send<'a>(
        &'a self,
        request: &'a Request<Bytes>,
        max_body: usize,
    ) -> BoxFuture<'a, Result<Response<Bytes>, TransportError>> {
        let reply = self.answer(request);
        let clock = self.clock.clone();
        let shared = Arc::clone(&self.shared);
        Box::pin(async move {
            match reply {
                Reply::None | Reply::Drop => {
                    Err(TransportError::message(TransportErrorKind::Closed, "as the script says"))
                }
                Reply::Hang => {
                    // The poll's time limit drops this future. The next delay is then counted from
                    // that moment, and only a `Drop` notices it.
                    struct Note(Arc<Mutex<Shared>>, Clock);
                    impl Drop for Note {
                        fn drop(&mut self) {
                            self.0.lock().unwrap().last_reply = self.1.elapsed();
                        }
                    }
                    let _note = Note(shared, clock);
                    std::future::pending().await
                }
                Reply::Http { body, .. } if body.len() > max_body => Err(TransportError::body_too_large(max_body)),
                Reply::Http { status, headers, body } => {
                    let mut reply = Response::new(Bytes::from(body));
                    *reply.status_mut() = status.try_into().unwrap();
                    for (name, value) in headers {
                        let name: HeaderName = name.parse().unwrap();
                        reply.headers_mut().append(name, HeaderValue::from_bytes(&value).unwrap());
                    }
                    Ok(reply)
                }
            }
        })
    }
}
