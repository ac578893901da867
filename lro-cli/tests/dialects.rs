//! A wait and a get in every dialect, against replies as the services write them.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, missing_docs, reason = "tests may fail")]

mod support;

use support::{Stub, ran};

/// Waits for `name` in a dialect, and returns the paths of the requests, the code and the object.
fn waited(dialect: &str, name: &str, replies: &[(&str, &str)]) -> (Vec<String>, Option<i32>, serde_json::Value) {
    let stub = Stub::new(replies);
    let ran = ran(&["wait", "--json", "-q", "--interval", "5ms", "--dialect", dialect, "--base", &stub.url, name]);
    let lines = stub.requests().iter().map(|request| request.split(" HTTP").next().unwrap().to_owned()).collect();
    let object = ran.objects().pop().unwrap_or_else(|| panic!("{dialect}: {ran:?}"));
    assert_eq!(object["dialect"], dialect);
    (lines, ran.code, object)
}

#[test]
fn every_dialect_polls_at_its_place_and_reads_its_words() {
    let cases: [(&str, &str, &str, &str, i32); 18] = [
        ("google", "operations/1", "GET /v1/operations/1", r#"{"name":"operations/1","done":true,"response":{}}"#, 0),
        (
            "vertex",
            "projects/p/models/m/operations/1",
            "POST /v1/projects/p/models/m:fetchPredictOperation",
            r#"{"name":"projects/p/models/m/operations/1","done":true,"error":{"code":13,"message":"no"}}"#,
            1,
        ),
        ("jobs", "projects/p/jobs/1", "GET /v1/projects/p/jobs/1", r#"{"state":"JOB_STATE_CANCELLED"}"#, 2),
        (
            "compute",
            "projects/p/zones/z/operations/o",
            "GET /compute/v1/projects/p/zones/z/operations/o",
            r#"{"name":"o","status":"DONE","progress":100}"#,
            0,
        ),
        (
            "gke",
            "projects/p/locations/l/operations/o",
            "GET /v1/projects/p/locations/l/operations/o",
            r#"{"status":"DONE"}"#,
            0,
        ),
        ("cloud-sql", "projects/p/operations/o", "GET /v1/projects/p/operations/o", r#"{"status":"DONE"}"#, 0),
        (
            "bigquery",
            "projects/p/locations/l/jobs/j",
            "GET /bigquery/v2/projects/p/jobs/j?location=l",
            r#"{"status":{"state":"DONE","errorResult":{"reason":"x","message":"no"}}}"#,
            1,
        ),
        ("azure", "/monitors/1", "GET /monitors/1", r#"{"status":"Canceled"}"#, 2),
        ("http", "/jobs/1", "GET /jobs/1", r#"{"a":1}"#, 0),
        (
            "lxd",
            "/1.0/operations/1",
            "GET /1.0/operations/1",
            r#"{"type":"sync","status_code":200,"metadata":{"id":"1","status_code":400,"err":"no"}}"#,
            1,
        ),
        ("redfish", "/redfish/v1/Tasks/1", "GET /redfish/v1/Tasks/1", r#"{"TaskState":"Completed"}"#, 0),
        ("openai-response", "resp_1", "GET /responses/resp_1", r#"{"id":"resp_1","status":"completed"}"#, 0),
        ("openai-batch", "b_1", "GET /batches/b_1", r#"{"id":"b_1","status":"failed"}"#, 1),
        ("openai-fine-tuning", "f_1", "GET /fine_tuning/jobs/f_1", r#"{"id":"f_1","status":"succeeded"}"#, 0),
        ("openai-video", "v_1", "GET /videos/v_1", r#"{"id":"v_1","status":"completed"}"#, 0),
        ("replicate", "r1", "GET /v1/predictions/r1", r#"{"id":"r1","status":"canceled"}"#, 2),
        ("replicate-training", "r1", "GET /v1/trainings/r1", r#"{"id":"r1","status":"succeeded"}"#, 0),
        ("meilisearch", "7", "GET /tasks/7", r#"{"uid":7,"status":"succeeded"}"#, 0),
    ];
    for (dialect, name, line, body, code) in cases {
        let (lines, ended, object) = waited(dialect, name, &[("200 OK", body)]);
        assert!(lines[0].starts_with(line), "{dialect}: {lines:?}");
        assert_eq!(ended, Some(code), "{dialect}: {object}");
    }
}

#[test]
fn a_fraction_and_a_message_of_the_service_are_shown() {
    let running = r#"{"name":"o","status":"RUNNING","progress":42,"statusMessage":"copying\u001b[2J"}"#;
    let stub = Stub::new(&[("200 OK", running)]);
    let words = ["get", "--dialect", "compute", "--base", &stub.url, "projects/p/global/operations/o"];
    let text = ran(&words);
    assert_eq!(text.code, Some(3), "{text:?}");
    assert!(
        text.stdout.contains("state     running (RUNNING)\ndone      42 %\nmessage   copying\\u{1b}[2J\n"),
        "{text:?}"
    );
    let json = ran(&[&words[..], &["--json"]].concat());
    assert_eq!(
        (&json.objects()[0]["progress"], &json.objects()[0]["message"]),
        (&0.42.into(), &"copying\u{1b}[2J".into())
    );
}

#[test]
fn a_path_of_ones_own_is_polled() {
    let stub = Stub::new(&[("200 OK", r#"{"name":"models/m/operations/1","done":true,"response":{}}"#)]);
    let ran = ran(&["get", "--path", "v1beta/{name}", "--base", &stub.url, "models/m/operations/1"]);
    assert!(ran.code == Some(0) && stub.requests()[0].starts_with("GET /v1beta/models/m/operations/1 "), "{ran:?}");
}

#[test]
fn a_url_of_the_service_is_followed_only_where_that_is_allowed() {
    let elsewhere = Stub::new(&[("200 OK", r#"{"status":"Succeeded"}"#)]);
    let moved = format!("200 OK\r\nOperation-Location: {}/there", elsewhere.url);
    let stub = Stub::new(&[(&moved, r#"{"status":"Running"}"#)]);
    let secret = support::file("moved", "hunter2");
    let words = ["wait", "-q", "--interval", "5ms", "--dialect", "azure", "--base", &stub.url, "/monitors/1"];
    let with_secret = [&words[..], &["--bearer-file", secret.to_str().unwrap()]].concat();
    let refused = ran(&with_secret);
    assert!(refused.code == Some(5) && elsewhere.requests().is_empty(), "{refused:?}");
    let allowed = ran(&[&with_secret[..], &["--allow-origin", &elsewhere.url]].concat());
    assert_eq!(allowed.code, Some(0), "{allowed:?}");
    assert!(!elsewhere.requests()[0].contains("hunter2"));
}

#[cfg(unix)]
#[test]
fn lxd_is_reached_over_its_unix_socket() {
    let socket = std::env::temp_dir().join(format!("lro-{}.socket", std::process::id()));
    let done = r#"{"type":"sync","status_code":200,"metadata":{"id":"7","class":"task","status_code":200,"metadata":{"download_progress":"12% (82kB/s)"}}}"#;
    let stub = Stub::on_socket(&socket, &[("200 OK", done)]);
    let path = socket.to_str().unwrap();
    let done = ran(&["wait", "-q", "--json", "--dialect", "lxd", "--unix-socket", path, "7"]);
    let requests = stub.requests();
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(
        requests[0].starts_with("GET /1.0/operations/7") && requests[0].contains("host: localhost\r\n"),
        "{requests:?}"
    );
    std::fs::remove_file(&socket).unwrap();
    let gone = ran(&["get", "--dialect", "lxd", "--unix-socket", path, "7"]);
    assert!(gone.code == Some(5) && gone.stderr.contains("No such file"), "{gone:?}");
}

#[test]
fn a_call_that_the_dialect_does_not_have_ends_with_5_before_any_request() {
    let stub = Stub::new(&[("200 OK", "{}")]);
    let cases: [(&str, &str, &[&str]); 3] =
        [("cancel", "compute", &["projects/p/global/operations/o"]), ("delete", "lxd", &["7"]), ("list", "azure", &[])];
    for (command, dialect, name) in cases {
        let ran = ran(&[&[command, "--dialect", dialect, "--base", &stub.url], name].concat());
        assert!(ran.code == Some(5) && ran.stderr.contains(&format!(" no {command} call")), "{ran:?}");
    }
    assert!(stub.requests().is_empty());
}
