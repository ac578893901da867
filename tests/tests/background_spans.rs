//! What other threads do for a call is in the span of the caller. A test binary of its own, because
//! threads that a test has not started have only the subscriber of the whole process.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may fail")]
#![expect(unreachable_pub, reason = "shared with other test binaries")]

#[path = "support/capture.rs"]
mod capture;

use std::{
    net::SocketAddr,
    sync::{Arc, LazyLock},
    thread,
    time::Duration,
};

use lro_runtime::{
    Operations, PollSettings, Result,
    testing::{Job, LroServer},
    transport::ReqwestTransport,
};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tracing::{Level, info_span};

use self::capture::Spans;

static SPANS: LazyLock<Spans> = LazyLock::new(|| {
    let spans = Spans::default();
    tracing::subscriber::set_global_default(spans.subscriber(Level::DEBUG)).unwrap();
    spans
});

fn tree() -> String {
    SPANS.tree_of(|_| false)
}

fn server() -> LroServer {
    LroServer::builder().on("v1/x", |_| Job::polls(1)).start().unwrap()
}

/// Resolves every name to this host, and says so.
struct Loopback;

impl Resolve for Loopback {
    fn resolve(&self, _: Name) -> Resolving {
        tracing::info!("resolved");
        Box::pin(async { Ok(Box::new([SocketAddr::from(([127, 0, 0, 1], 0))].into_iter()) as Addrs) })
    }
}

#[test]
fn what_reqwest_does_on_its_own_thread_is_in_the_span_of_the_call() -> Result<()> {
    let server = server();
    let port = server.url().rsplit_once(':').unwrap().1.to_owned();
    let transport = ReqwestTransport::build(reqwest::Client::builder().dns_resolver(Arc::new(Loopback))).unwrap();
    let operations = Operations::builder(format!("http://sdk.test:{port}")).transport(transport).build()?;
    LazyLock::force(&SPANS);
    let started = info_span!("by reqwest").in_scope(|| smol::block_on(operations.post("v1/x", &())))?;
    drop(started.blocking().poll_until_completed(PollSettings::interactive())?);
    assert!(tree().contains("INFO by reqwest\n    INFO lro.start\n        - INFO: resolved\n"), "{}", tree());
    Ok(())
}

mod sdk {
    use lro_runtime::{Operations, RawOperation, Result, long_running};

    pub(super) struct Client {
        pub(super) operations: Operations,
    }

    #[long_running]
    impl Client {
        /// Runs for ever.
        #[long_running(response = (), metadata = (), cancel)]
        pub(super) async fn run(&self) -> Result<RawOperation> {
            self.operations.post("v1/x", &()).await
        }
    }
}

#[test]
fn the_cancel_call_of_a_dropped_guard_is_in_the_span_in_which_it_was_dropped() -> Result<()> {
    LazyLock::force(&SPANS);
    let server = server();
    let client = sdk::Client { operations: server.operations()? };
    let guard = smol::block_on(client.run())?.cancel_on_drop();
    info_span!("where it is dropped").in_scope(|| drop(guard));
    while !server.log().iter().any(|line| line.contains(":cancel")) {
        thread::sleep(Duration::from_millis(5));
    }
    assert!(tree().contains("INFO where it is dropped\n    INFO lro.cancel\n"), "{}", tree());
    Ok(())
}
