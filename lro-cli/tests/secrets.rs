//! Credentials arrive at the service and nowhere else.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, missing_docs, reason = "tests may fail")]

mod support;

use lro_runtime::testing::{Fault, Job, LroServer};
use support::{Ran, Stub, file, lro, ran, run};

const SECRET: &str = "hunter2-hunter2";

fn without_secret(ran: &Ran) {
    assert!(!ran.stdout.contains(SECRET) && !ran.stderr.contains(SECRET), "{ran:?}");
}

#[test]
fn a_bearer_token_is_accepted_and_shown_in_no_output() {
    let server = LroServer::builder().bearer(SECRET).start().unwrap();
    let name = server.add(Job::polls(3).fault(1, Fault::Status(503)));
    let endless = server.add(Job::endless());
    let url = server.url();
    let secret = file("bearer", &format!("{SECRET}\n"));
    let by_file = ["--bearer-file", secret.to_str().unwrap()];
    for (command, name) in [("get", &name), ("wait", &name), ("watch", &name), ("cancel", &endless), ("delete", &name)]
    {
        for json in [&["--verbose"] as &[_], &["--verbose", "--json"]] {
            let words = [&[command, "--base", &url, name.as_str()], json, &by_file].concat();
            let by_file = ran(&words);
            assert_ne!(by_file.code, Some(4), "{by_file:?}");
            without_secret(&by_file);
            assert!(by_file.stderr.contains("lro: GET /v1/") || command != "get", "{by_file:?}");
        }
    }
    let mut by_variable = lro(&["list", "--verbose", "--base", &url, "--bearer-env", "LRO_TEST_BEARER"]);
    by_variable.env("LRO_TEST_BEARER", SECRET);
    let by_variable = run(by_variable);
    assert_eq!(by_variable.code, Some(0), "{by_variable:?}");
    without_secret(&by_variable);
    // A wait that ends early says how to go on.
    let endless = server.add(Job::endless());
    let expired = ran(&[&["wait", "--base", &url, &endless, "--timeout", "50ms"] as &[&str], &by_file].concat());
    assert!(expired.stderr.contains("--bearer-file"), "{expired:?}");
    without_secret(&expired);
}

#[cfg(unix)]
#[test]
fn a_pipe_is_read_once_and_its_token_kept() {
    let server = LroServer::builder().bearer(SECRET).start().unwrap();
    let (name, url) = (server.add(Job::polls(2)), server.url());
    let words = ["wait", "--base", &url, &name, "--interval", "10ms", "--bearer-file", "/dev/stdin"];
    let ran = support::ran_with_stdin(&words, SECRET);
    assert_eq!((ran.code, server.polls(&name)), (Some(0), 2), "{ran:?}");
    without_secret(&ran);
}

#[test]
fn a_wrong_bearer_token_is_an_answer_that_does_not_show_it() {
    let server = LroServer::builder().bearer("right").start().unwrap();
    let name = server.add(Job::endless());
    let wrong = file("wrong", SECRET);
    let ran = ran(&["wait", "-v", "--base", &server.url(), &name, "--bearer-file", wrong.to_str().unwrap()]);
    assert!(ran.code == Some(5) && ran.stderr.contains("401"), "{ran:?}");
    without_secret(&ran);
}

#[test]
fn headers_and_parameters_from_outside_the_arguments_arrive() {
    let stub = Stub::new(&[("200 OK", r#"{"name":"operations/1","done":true,"response":{}}"#)]);
    let headers = file("sent", &format!("# mine\nx-api-key: {SECRET}\nx-goog-user-project: p\n"));
    let mut command = lro(&[
        "get",
        "-v",
        "--json",
        "--base",
        &stub.url,
        "operations/1",
        "--headers-file",
        headers.to_str().unwrap(),
        "--query",
        "alt=json",
        "--query-env",
        "key=LRO_TEST_KEY",
    ]);
    command.env("LRO_TEST_KEY", SECRET);
    let ran = run(command);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    without_secret(&ran);
    let request = &stub.requests()[0];
    assert!(request.starts_with(&format!("GET /v1/operations/1?alt=json&key={SECRET} HTTP/1.1")), "{request}");
    assert!(request.contains(&format!("x-api-key: {SECRET}\r\n")), "{request}");
    assert!(request.contains("x-goog-user-project: p\r\n"), "{request}");
}

#[test]
fn what_a_service_repeats_of_its_credentials_is_hidden() {
    let echo = format!(r#"{{"name":"operations/1","metadata":{{"sent":"Bearer {SECRET}"}}}}"#);
    let refusal = format!(r#"{{"error":{{"code":403,"message":"{SECRET} may not","status":"PERMISSION_DENIED"}}}}"#);
    let secret = file("echoed", SECRET);
    for (head, body) in [("200 OK", &echo), ("403 Forbidden", &refusal)] {
        let stub = Stub::new(&[(head, body)]);
        for json in [&[] as &[_], &["--json"]] {
            let words = ["get", "-v", "--base", &stub.url, "operations/1", "--bearer-file", secret.to_str().unwrap()];
            let ran = ran(&[&words, json].concat());
            assert!(ran.stdout.contains('…') || ran.stderr.contains('…'), "{ran:?}");
            without_secret(&ran);
        }
    }
}

#[test]
fn a_token_that_is_given_as_the_name_of_a_variable_is_not_repeated() {
    let ran = ran(&["get", "--base", "http://127.0.0.1:9", "operations/1", "--bearer-env", SECRET]);
    assert!(ran.code == Some(4) && ran.stderr.contains("not shown"), "{ran:?}");
    without_secret(&ran);
}

#[test]
fn a_token_that_is_given_as_an_argument_is_refused_and_not_repeated() {
    for words in [["--bearer", SECRET], ["--header", SECRET]] {
        let ran = support::ran(&[&["get", "--base", "http://127.0.0.1:9", "operations/1"] as &[&str], &words].concat());
        assert_eq!(ran.code, Some(4), "{ran:?}");
        without_secret(&ran);
    }
    let joined = ran(&["get", "operations/1", &format!("--bearer={SECRET}")]);
    assert_eq!(joined.code, Some(4), "{joined:?}");
    without_secret(&joined);
}

#[cfg(unix)]
#[test]
fn a_file_that_other_users_can_read_is_warned_of() {
    use std::os::unix::fs::PermissionsExt as _;
    let server = LroServer::builder().bearer(SECRET).start().unwrap();
    let (name, url) = (server.add(Job::polls(0)), server.url());
    let secret = file("shared", SECRET);
    let words = ["get", "--base", &url, &name, "--bearer-file", secret.to_str().unwrap()];
    let quiet = ran(&words);
    assert_eq!((quiet.code, quiet.stderr.as_str()), (Some(0), ""), "{quiet:?}");
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o644)).unwrap();
    let warned = ran(&words);
    assert!(warned.code == Some(0) && warned.stderr.contains("warning: other users can read"), "{warned:?}");
    without_secret(&warned);
}

#[test]
fn the_bearer_file_is_read_again_before_each_request() {
    let stub = Stub::new(&[
        ("200 OK", r#"{"name":"operations/1"}"#),
        ("200 OK", r#"{"name":"operations/1"}"#),
        ("200 OK", r#"{"name":"operations/1","done":true,"response":{}}"#),
    ]);
    let secret = file("renewed", "first");
    let child = lro(&["wait", "--quiet", "--base", &stub.url, "operations/1", "--interval", "300ms", "--bearer-file"])
        .arg(&secret)
        .stdout(std::process::Stdio::null())
        .spawn();
    while stub.requests().is_empty() {
        std::thread::yield_now();
    }
    std::fs::write(&secret, "second").unwrap();
    assert!(child.unwrap().wait().unwrap().success());
    let requests = stub.requests();
    assert!(requests[0].contains("authorization: Bearer first\r\n"), "{requests:?}");
    assert!(requests[2].contains("authorization: Bearer second\r\n"), "{requests:?}");
}
