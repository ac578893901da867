//! Drives the embedded test server with Google's published Python client, to prove that its replies
//! are like Google's.
//!
//! Needs `LRO_PYTHON`, the path of a Python with the packages of `servers/requirements.txt`.
//! `.ci/run` installs one.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests may fail")]

use std::process::Command;

use lro_runtime::testing::{Job, LroServer};
use serde_json::json;

#[test]
#[ignore = "needs LRO_PYTHON, a python with tests/servers/requirements.txt: `.ci/run` brings one"]
fn googles_own_client_understands_every_answer_of_the_embedded_server() {
    let python = std::env::var_os("LRO_PYTHON").expect("LRO_PYTHON names a python with tests/servers/requirements.txt");
    let any = "type.googleapis.com/google.protobuf.Struct";
    let metadata = move |done: f64| json!({ "@type": any, "value": { "percent": done * 100.0 } });
    let failure = json!({
        "code": 9,
        "message": "no such bucket",
        "details": [{ "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "BUCKET_MISSING", "domain": "images.example.com" }],
    });
    // Google's REST client accepts only names with a parent.
    let server = LroServer::builder()
        .on("v1/ok:start", move |_| {
            Job::polls(3)
                .named("projects/p/operations/ok")
                .metadata(metadata)
                .responds(json!({ "@type": any, "value": { "value": "done" } }))
        })
        .on("v1/fail:start", move |_| {
            Job::polls(2).named("projects/p/operations/fail").metadata(metadata).fails_with(failure.clone())
        })
        .on("v1/endless:start", move |_| Job::endless().named("projects/p/operations/endless").metadata(metadata))
        .start()
        .unwrap();
    let output = Command::new(python).arg("servers/drive_embedded.py").arg(server.url()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}{errors}\n{}", server.log().join("\n"));
    // The number of checks that a good run prints. Without it, a check that is skipped would go
    // unnoticed.
    assert_eq!(said.lines().filter(|line| line.starts_with("ok")).count(), 16, "{said}");
}
