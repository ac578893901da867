//! Google's published client for Python drives the embedded server: what it does not understand, no service would say.
//!
//! Needs `LRO_PYTHON`: a python with what `servers/requirements.txt` names. `.ci/run` brings one.

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
    // Google's REST client takes names with a parent only.
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
    assert_eq!(said.lines().filter(|line| line.starts_with("ok")).count(), 16, "{said}");
}
