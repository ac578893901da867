//! The adapters under test, what each of them cannot do, and how a case talks to them.

use std::{future::Future, sync::Arc, time::Duration};

use async_io::Timer;
use bytes::Bytes;
use futures_lite::future::or;
use lro_runtime::transport::{
    HyperTransport, ReqwestTransport, SurfTransport, Transport, TransportError, UreqTransport,
};

/// The limit of a body where a case is not about it.
pub(crate) const MAX_BODY: usize = 4 << 20;

/// How long anything may take before it counts as hanging.
const PATIENCE: Duration = Duration::from_secs(25);

pub(crate) type Request = http::Request<Bytes>;
pub(crate) type Outcome = Result<http::Response<Bytes>, TransportError>;

#[derive(Clone)]
pub(crate) struct Subject {
    pub(crate) transport: Arc<dyn Transport>,
    /// How many headers a reply may have.
    pub(crate) max_headers: usize,
    /// Whether a `GET` survives a connection that the server closes when the request arrives on it.
    pub(crate) replaces_stale: bool,
    /// Replies in the fuzz case: each costs a connection, and with some adapters a thread.
    pub(crate) fuzz: u64,
}

pub(crate) fn over_hyper() -> Subject {
    subject(HyperTransport::new(), 1_000, true, 2_000)
}

pub(crate) fn over_surf() -> Subject {
    subject(SurfTransport::new(), 1_000, true, 500)
}

pub(crate) fn over_reqwest() -> Subject {
    subject(ReqwestTransport::new().unwrap(), 1_000, false, 500)
}

pub(crate) fn over_ureq() -> Subject {
    subject(UreqTransport::new(), 128, false, 500)
}

fn subject(transport: impl Transport, max_headers: usize, replaces_stale: bool, fuzz: u64) -> Subject {
    Subject { transport: Arc::new(transport), max_headers, replaces_stale, fuzz }
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

    /// Sends and goes away after `limit`.
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

/// The text of a body.
pub(crate) fn text(outcome: Outcome) -> String {
    String::from_utf8(outcome.unwrap().into_body().to_vec()).unwrap()
}
