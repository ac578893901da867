//! A service in memory with one operation, which is done at a set time. It counts requests.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use bytes::Bytes;
use lro_runtime::{
    Operations, PollSettings, Transport,
    transport::{BoxFuture, Reply, Request, TransportError},
};

use crate::virtual_time::{Clock, run};

/// The service, as a transport.
#[derive(Clone)]
pub struct Service {
    pub clock: Clock,
    requests: Arc<AtomicU64>,
    done_at: Arc<AtomicU64>,
}

impl Service {
    pub fn new() -> Self {
        Self { clock: Clock::new(), requests: Arc::default(), done_at: Arc::default() }
    }

    pub fn client(&self) -> Operations {
        Operations::builder("http://localhost").transport(self.clone()).timer(self.clock.clone()).build().unwrap()
    }

    /// Returns the number of requests since the last start call, which does not count.
    pub fn requests(&self) -> u64 {
        self.requests.load(Relaxed)
    }

    /// Sets how long the next operation takes, in seconds. Returns the time at which it is done.
    pub fn will_take(&self, duration: f64) -> Duration {
        let ends = self.clock.elapsed() + Duration::from_secs_f64(duration);
        self.done_at.store(u64::try_from(ends.as_nanos()).unwrap_or(u64::MAX), Relaxed);
        ends
    }

    /// Starts an operation of this duration, in seconds, and waits for it with our loop.
    ///
    /// Returns the number of requests, and the seconds from the operation's end to the reply that
    /// shows it.
    pub fn wait(&self, client: &Operations, duration: f64, settings: PollSettings) -> (f64, f64) {
        let ends = self.will_take(duration);
        let done = run(async {
            let started = client.post("v1/jobs", &()).await?;
            started.poll_until_completed(settings).await
        });
        assert!(done.unwrap().is_succeeded());
        (self.requests() as f64, self.clock.elapsed().saturating_sub(ends).as_secs_f64())
    }

    /// Advances the clock as a held request does: to the operation's end, or by the timeout in the
    /// request.
    fn hold(&self, request: &Request) {
        let timeout = std::str::from_utf8(request.body()).ok().and_then(|body| body.split('"').nth(3));
        let timeout = timeout.and_then(|text| text.strip_suffix('s')?.parse::<f64>().ok()).unwrap_or_default();
        let remaining = self.done_at().saturating_sub(self.clock.elapsed());
        self.clock.advance(remaining.min(Duration::from_secs_f64(timeout)));
    }

    fn done_at(&self) -> Duration {
        Duration::from_nanos(self.done_at.load(Relaxed))
    }
}

impl Transport for Service {
    fn send<'a>(&'a self, request: &'a Request, _max: usize) -> BoxFuture<'a, Result<Reply, TransportError>> {
        match request.uri().path() {
            "/v1/jobs" => self.requests.store(0, Relaxed),
            path => {
                self.requests.fetch_add(1, Relaxed);
                if path.ends_with(":wait") {
                    self.hold(request);
                }
            }
        }
        let is_done = self.clock.elapsed() >= self.done_at();
        let body =
            if is_done { r#"{"name":"operations/1","done":true,"response":{}}"# } else { r#"{"name":"operations/1"}"# };
        Box::pin(async move { Ok(Reply::new(Bytes::from_static(body.as_bytes()))) })
    }
}
