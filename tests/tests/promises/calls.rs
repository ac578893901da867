//! Promises of calls: what a list and a header follow.

use std::hint::black_box;

use lro_runtime::{
    ErrorKind, Operations, RawOperation, Result, http, long_running,
    testing::{Script, ScriptedTransport, VirtualClock},
};
use serde_json::json;

use crate::support::secs;

/// A method whose polls have a limit of their own.
pub struct Bills {
    operations: Operations,
}

#[long_running]
impl Bills {
    #[long_running(response = (), metadata = (), poll(poll_timeout = "3s"))]
    /// Writes a bill.
    pub async fn bill(&self) -> Result<RawOperation> {
        self.operations.post("v1/bills", &json!({})).await
    }
}

#[test]
fn an_annotated_method_does_not_grow_with_its_body() {
    const KEPT: usize = 4096;
    #[long_running(operations = operations, response = (), metadata = ())]
    async fn sweep(operations: &Operations) -> Result<RawOperation> {
        let kept = [0; KEPT];
        let started = operations.post("v1/sweeps", &()).await;
        black_box(&kept);
        started
    }
    let transport = ScriptedTransport::new(Script::new().pending());
    let operations = transport.operations(&VirtualClock::new()).unwrap();
    let size = size_of_val(&sweep(&operations));
    assert!(size < 256, "{size} bytes");
}

#[test]
fn a_list_of_a_method_has_the_time_limit_of_its_polls() {
    let clock = VirtualClock::new();
    let transport = ScriptedTransport::new(Script::new().silence()).with_clock(&clock);
    let bills = Bills { operations: transport.operations(&clock).unwrap() };
    drop(bills.bill()); // a method that nothing calls is a warning
    let mut list = bills.operations.blocking().list_of::<BillOperation>("");
    assert_eq!(list.next().unwrap().unwrap_err().kind(), ErrorKind::Poll);
    assert_eq!(clock.elapsed(), secs(3.0));
}

#[test]
fn a_header_of_a_client_and_one_of_a_call_follow_one_rule() {
    for (value, is_legal) in [("Jürg", true), ("a\tb", true), ("", true), ("a\nb", false), ("a\u{7f}", false)] {
        let transport = ScriptedTransport::new(Script::new().pending());
        let client = Operations::builder("http://a.test").transport(transport.clone()).timer(VirtualClock::new());
        let of_client = client.header("x-of-client", value).build();
        assert_eq!(of_client.is_ok(), is_legal, "{value:?}");
        let client = Operations::builder("http://a.test").transport(transport.clone()).timer(VirtualClock::new());
        let client = if is_legal { client.header("x-of-client", value) } else { client }.build().unwrap();
        let call = client.call(http::Method::POST, "x").header("x-of-call", value);
        assert_eq!(smol::block_on(async { call.await }).is_ok(), is_legal, "{value:?}");
        for request in transport.requests() {
            for name in ["x-of-client", "x-of-call"] {
                assert_eq!(request.headers()[name].as_bytes(), value.as_bytes(), "{name}");
            }
        }
    }
}
