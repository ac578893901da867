//! What a transport says when the system starts no thread for it.

use std::{env, process::Command};

use lro_runtime::transport::{
    HyperTransport, ReqwestTransport, SurfTransport, Transport, TransportErrorKind::Other, UreqTransport,
};

use crate::subject::{MAX_BODY, request};

/// Set in the process of which every thread needs a stack that no system has room for.
const CHILD: &str = "LRO_TESTS_NO_THREADS";

#[test]
fn a_thread_that_cannot_be_started_is_an_error() {
    if env::var_os(CHILD).is_some() {
        return without_threads();
    }
    let child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "threads::a_thread_that_cannot_be_started_is_an_error", "--test-threads=1"])
        .env(CHILD, "")
        .env("RUST_MIN_STACK", (1_u64 << 47).to_string())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && said.contains("1 passed"), "{said}");
}

fn without_threads() {
    let transports: [(&str, Box<dyn Transport>); 4] = [
        ("async-io", Box::new(HyperTransport::new())),
        ("async-io", Box::new(SurfTransport::new())),
        ("lro-reqwest", Box::new(ReqwestTransport::new().unwrap())),
        ("lro-ureq", Box::new(UreqTransport::new())),
    ];
    let get = request("GET", "http://127.0.0.1:1/", "");
    for (thread, transport) in transports {
        // tokio panics where a runtime is dropped inside another one.
        let inside_tokio = tokio::runtime::Builder::new_current_thread().build().unwrap();
        for error in [
            futures_lite::future::block_on(transport.send(&get, MAX_BODY)).unwrap_err(),
            inside_tokio.block_on(transport.send(&get, MAX_BODY)).unwrap_err(),
        ] {
            assert_eq!(error.kind(), Other);
            assert!(error.is_transient(), "the system may have room for a thread later");
            assert!(error.to_string().contains(&format!("`{thread}` could not be started")), "{error}");
        }
    }
}
