//! The adapters under test: the limits of each, and how a case sends requests through them.

use std::{
    future::{Future, pending},
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use async_io::Timer;
use bytes::Bytes;
use futures_lite::future::or;
use lro_runtime::transport::{
    BoxFuture, HyperTransport, ReqwestTransport, SurfTransport, Transport, TransportError, UreqTransport,
};
use tokio::{runtime, task::JoinSet};

/// The limit of a reply's body in cases that are not about it.
pub(crate) const MAX_BODY: usize = 4 << 20;

/// How long anything may take before it counts as hanging.
pub(crate) const PATIENCE: Duration = Duration::from_secs(25);

pub(crate) type Request = http::Request<Bytes>;
pub(crate) type Outcome = Result<http::Response<Bytes>, TransportError>;

/// An adapter under test.
#[derive(Clone)]
pub(crate) struct Subject {
    pub(crate) transport: Arc<dyn Transport>,
    /// How many headers a reply may have at most.
    pub(crate) max_headers: usize,
    /// How many new connections that end without a reply one `GET` may meet before it fails.
    pub(crate) tries_anew: usize,
    /// Number of replies in the fuzz case. Each costs a connection, and with some adapters a
    /// thread.
    pub(crate) fuzz: u64,
}

pub(crate) fn over_hyper() -> Subject {
    subject(HyperTransport::new(), 1_000, 1, 2_000)
}

pub(crate) fn over_surf() -> Subject {
    subject(SurfTransport::new(), 1_000, 1, 500)
}

pub(crate) fn over_reqwest() -> Subject {
    subject(ReqwestTransport::new().unwrap(), 1_000, 1, 500)
}

/// Sends in a task of a runtime of one thread, which the transport's requests run on.
pub(crate) fn over_reqwest_on_a_runtime() -> Subject {
    let (handle, started) = mpsc::channel();
    thread::spawn(move || {
        let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
        handle.send(runtime.handle().clone()).unwrap();
        runtime.block_on(pending::<()>());
    });
    let runtime = started.recv().unwrap();
    let transport = ReqwestTransport::new().unwrap().on(runtime.clone());
    subject(Inside { transport: Arc::new(transport), runtime }, 1_000, 1, 500)
}

/// A transport whose requests are sent by tasks of a runtime.
struct Inside {
    transport: Arc<ReqwestTransport>,
    runtime: runtime::Handle,
}

impl Transport for Inside {
    fn send<'a>(&'a self, request: &'a Request, max_body: usize) -> BoxFuture<'a, Outcome> {
        let (transport, request) = (Arc::clone(&self.transport), request.clone());
        let mut tasks = JoinSet::new(); // aborts its tasks when it is dropped
        tasks.spawn_on(async move { transport.send(&request, max_body).await }, &self.runtime);
        Box::pin(async move { tasks.join_next().await.unwrap().unwrap() })
    }
}

pub(crate) fn over_ureq() -> Subject {
    subject(UreqTransport::new(), 128, 2, 500)
}

fn subject(transport: impl Transport, max_headers: usize, tries_anew: usize, fuzz: u64) -> Subject {
    Subject { transport: Arc::new(transport), max_headers, tries_anew, fuzz }
}

impl Subject {
    pub(crate) fn get(&self, url: &str) -> Outcome {
        self.send(&request("GET", url, ""))
    }

    pub(crate) fn send(&self, request: &Request) -> Outcome {
        self.send_to_limit(request, MAX_BODY)
    }

    pub(crate) fn send_to_limit(&self, request: &Request, max_body: usize) -> Outcome {
        patiently(self.transport.send(request, max_body))
    }

    /// Sends a request and drops it after `limit`. Returns `None` if it was dropped.
    pub(crate) fn send_for(&self, request: &Request, limit: Duration) -> Option<Outcome> {
        let leaving = async {
            Timer::after(limit).await;
            None
        };
        patiently(or(async { Some(self.transport.send(request, MAX_BODY).await) }, leaving))
    }
}

pub(crate) fn request(method: &str, url: &str, body: impl Into<Bytes>) -> Request {
    http::Request::builder().method(method).uri(url).body(body.into()).unwrap()
}

/// Blocks until `future` is ready, and fails the case if that takes too long.
pub(crate) fn patiently<T>(future: impl Future<Output = T>) -> T {
    let hanging = async {
        Timer::after(PATIENCE).await;
        panic!("no outcome within {PATIENCE:?}");
    };
    async_io::block_on(or(future, hanging))
}

/// Returns the body of a reply as text.
pub(crate) fn text(outcome: Outcome) -> String {
    String::from_utf8(outcome.unwrap().into_body().to_vec()).unwrap()
}
