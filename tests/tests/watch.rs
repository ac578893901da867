//! Tests of the exit codes of the example `watch`, on which shell scripts rely.
//!
//! Cargo builds only the examples of the package under test. So the binary is taken from where a
//! build of the workspace puts it, and is built first if it is not there.

#![expect(clippy::unwrap_used, reason = "tests may fail")]

use std::{
    path::PathBuf,
    process::{Command, Output},
    sync::Once,
};

use lro_runtime::{
    Code,
    testing::{Fault, Job, LroServer},
};
use serde_json::json;

/// Returns the path of the built example.
fn binary() -> PathBuf {
    static BUILD: Once = Once::new();
    let mut path = std::env::current_exe().unwrap();
    path.pop(); // the test
    path.pop(); // deps
    let path = path.join("examples").join(format!("watch{}", std::env::consts::EXE_SUFFIX));
    BUILD.call_once(|| {
        if !path.exists() {
            let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
            let built = Command::new(cargo)
                .args(["build", "--quiet", "--package", "lro-examples", "--example", "watch"])
                .status();
            assert!(built.unwrap().success());
        }
    });
    path
}

struct Watched {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

fn watch(arguments: &[&str], secret: &str) -> Watched {
    let Output { status, stdout, stderr } =
        Command::new(binary()).args(arguments).env("WATCH_TEST_TOKEN", secret).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Watched { code: status.code(), stdout: text(stdout), stderr: text(stderr) }
}

/// Watches `job` on a server of its own, with these arguments after its name.
fn watch_job(job: Job, more: &[&str]) -> (Watched, LroServer) {
    let server = LroServer::builder().start().unwrap();
    let name = server.add(job.named("projects/p/operations/7"));
    let url = server.url();
    let watched = watch(&[&[url.as_str(), name.as_str()], more].concat(), "");
    (watched, server)
}

#[test]
fn succeeded_is_0_and_the_response_is_on_stdout() {
    let (watched, server) = watch_job(Job::polls(2).responds(json!({ "uri": "gs://x" })), &[]);
    assert_eq!(watched.code, Some(0), "{}", watched.stderr);
    assert_eq!(watched.stdout, "{\n  \"uri\": \"gs://x\"\n}\n");
    assert!(
        watched.stderr.contains("to resume: watch http://") && watched.stderr.contains(r#"running {"percent":50.0}"#)
    );
    assert_eq!(server.polls("projects/p/operations/7"), 2);
}

#[test]
fn failed_is_1_and_the_status_is_on_stderr() {
    let detail = json!({ "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "DISK_BROKEN" });
    let status = json!({ "code": 15, "message": "it is gone", "details": [detail] });
    let (watched, _server) = watch_job(Job::polls(1).fails_with(status), &[]);
    assert_eq!((watched.code, watched.stdout.as_str()), (Some(1), ""), "{}", watched.stderr);
    assert!(watched.stderr.contains("DATA_LOSS (DISK_BROKEN): it is gone"), "{}", watched.stderr);
    assert!(watched.stderr.contains(r#""reason":"DISK_BROKEN""#), "{}", watched.stderr);
}

#[test]
fn cancelled_is_2() {
    let job = Job::polls(1).fails(Code::Cancelled, "somebody else stopped it");
    let (watched, _server) = watch_job(job, &[]);
    assert_eq!(watched.code, Some(2), "{}", watched.stderr);
}

#[test]
fn a_timeout_is_3_and_the_token_on_stdout_resumes() {
    // Without an end, so that no machine is too slow to see the timeout first.
    let (watched, server) = watch_job(Job::endless(), &["--timeout", "200ms"]);
    assert_eq!(watched.code, Some(3), "{}", watched.stderr);
    let (url, token, polls) = (server.url(), watched.stdout.trim(), server.polls("projects/p/operations/7"));
    let resumed = watch(&[&url, "--resume", token, "--timeout", "200ms"], "");
    assert_eq!((resumed.code, resumed.stdout.trim()), (Some(3), token), "{}", resumed.stderr);
    assert!(server.polls("projects/p/operations/7") > polls, "{}", resumed.stderr);
}

#[test]
fn anything_else_is_4_and_says_what() {
    let (gone, server) = watch_job(Job::endless().expires_at(1), &[]);
    assert_eq!(gone.code, Some(4));
    assert!(gone.stderr.contains("404"), "{}", gone.stderr);
    let url = server.url();
    let wrong: [(&[&str], &str); 8] = [
        (&[], "usage:"),
        (&[&url], "usage:"),
        (&[&url, "operations/1", "operations/2"], "usage:"),
        (&[&url, "operations/1", "--forever"], "unknown option --forever"),
        (&[&url, "operations/1", "--timeout"], "--timeout needs a value"),
        (&[&url, "operations/1", "--timeout", "soon"], "--timeout soon"),
        (&[&url, "operations/1", "--token-env", "NO_SUCH_VARIABLE"], "NO_SUCH_VARIABLE"),
        (&[&url, "--resume", "lro1-00000000-broken"], "token"),
    ];
    for (arguments, said) in wrong {
        let watched = watch(arguments, "");
        assert_eq!(watched.code, Some(4), "{arguments:?}");
        assert!(watched.stderr.contains(said), "{arguments:?}: {}", watched.stderr);
    }
}

#[test]
fn the_bearer_token_comes_from_the_environment_and_is_shown_nowhere() {
    let server = LroServer::builder().bearer("hunter2").start().unwrap();
    let name = server.add(Job::polls(2).fault(1, Fault::Status(503)));
    let url = server.url();
    let arguments = [url.as_str(), name.as_str(), "--token-env", "WATCH_TEST_TOKEN"];
    let watched = watch(&arguments, "hunter2");
    assert_eq!(watched.code, Some(0), "{}", watched.stderr);
    assert!(!watched.stderr.contains("hunter2") && !watched.stdout.contains("hunter2"));
    let denied = watch(&arguments, "letmein");
    assert_eq!(denied.code, Some(4), "{}", denied.stderr);
    assert!(denied.stderr.contains("401") && !denied.stderr.contains("letmein"), "{}", denied.stderr);
}
