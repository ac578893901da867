//! What goes wrong around the command: arguments, files, closed pipes, full disks. Each is told on
//! stderr, has its exit code, and loses no operation.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, missing_docs, reason = "tests may fail")]

mod support;

use std::process::Stdio;

use lro_runtime::testing::{Job, LroServer};
use support::{Ran, Stub, file, lro, ran, ran_with_stdin};

/// A command about an operation that no server has: it must not come to a request.
fn refused(arguments: &[&str]) -> Ran {
    let common = ["get", "--base", "http://127.0.0.1:9"];
    let ran = ran(&[&common, arguments].concat());
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(4), ""), "{ran:?}");
    assert!(!ran.stderr.contains("panicked"), "{ran:?}");
    ran
}

#[test]
fn an_unknown_dialect_lists_the_legal_ones() {
    let ran = refused(&["--dialect", "gogle", "operations/1"]);
    assert!(ran.stderr.contains("gogle") && ran.stderr.contains("google, vertex, jobs, compute"), "{ran:?}");
}

#[test]
fn arguments_that_are_wrong_end_with_4_and_say_what_is_right() {
    let cases: [(&[&str], &str); 10] = [
        (&[], "<NAME-OR-TOKEN>"),
        (&["a/../../b"], "is not an operation's name in the dialect `google`"),
        (&[""], "the name of an operation is empty"),
        (&["lro1-00000000-broken"], "the token is damaged"),
        (&["lro9-00000000-e30"], "version 9"),
        (&["operations/1", "--forever"], "--forever"),
        (&["operations/1", "--dialect", "azure", "--path", "v2"], "google, vertex, jobs and compute"),
        (&["operations/1", "--query", "hunter2"], "`NAME=VALUE`"),
        (&["operations/1", "--ca-file", "/nowhere.pem"], "/nowhere.pem"),
        (&["operations/1", "--allow-origin", "nonsense"], "--allow-origin = `nonsense`"),
    ];
    for (arguments, said) in cases {
        let ran = refused(arguments);
        assert!(ran.stderr.contains(said), "{arguments:?}: {}", ran.stderr);
    }
    let base = ran(&["get", "operations/1"]);
    assert!(base.code == Some(4) && base.stderr.contains("--base is missing"), "{base:?}");
    let base = ran(&["get", "operations/1", "--base", "images.example.com"]);
    assert!(base.code == Some(4) && base.stderr.contains("--base = "), "{base:?}");
    for (option, value, said) in [
        ("--timeout", "soon", "`soon` is not a duration"),
        ("--interval", "5", "not a duration"),
        ("--deadline", "tomorrow", "tomorrow"),
    ] {
        let ran = ran(&["wait", "operations/1", "--base", "http://127.0.0.1:9", option, value]);
        assert!(ran.code == Some(4) && ran.stderr.contains(said), "{ran:?}");
    }
    let nothing = ran_with_stdin(&["get", "--base", "http://127.0.0.1:9", "-"], "\n\n");
    assert!(nothing.code == Some(4) && nothing.stderr.contains("stdin"), "{nothing:?}");
}

#[test]
fn a_token_of_another_dialect_is_refused() {
    let server = LroServer::builder().start().unwrap();
    let name = server.add(Job::endless());
    let token = server.operations().unwrap().resume(name).unwrap().token().to_string();
    let ran = refused(&["--dialect", "azure", &token]);
    assert!(ran.stderr.contains("google") && ran.stderr.contains("azure"), "{ran:?}");
}

#[test]
fn credentials_that_cannot_be_read_are_named() {
    let cases: [(&[&str], &str); 6] = [
        (&["--bearer-file", "/nowhere/token"], "cannot read `/nowhere/token`"),
        (&["--bearer-file", "/"], "cannot read `/`"),
        (&["--bearer-env", "NO_SUCH_VARIABLE"], "`NO_SUCH_VARIABLE` is not set"),
        (&["--headers-env", "NO_SUCH_VARIABLE"], "`NO_SUCH_VARIABLE` is not set"),
        (&["--headers-file", "/nowhere/headers"], "cannot read `/nowhere/headers`"),
        (&["--query-env", "key=NO_SUCH_VARIABLE"], "`NO_SUCH_VARIABLE` is not set"),
    ];
    for (arguments, said) in cases {
        let ran = refused(&[arguments, &["operations/1"]].concat());
        assert!(ran.stderr.contains(said), "{arguments:?}: {}", ran.stderr);
    }
    let empty = file("empty", " \n");
    assert!(refused(&["--bearer-file", empty.to_str().unwrap(), "operations/1"]).stderr.contains("it is empty"));
    let headers = file("headers", "# mine\nx-one: 1\nhunter2\n");
    let ran = refused(&["--headers-file", headers.to_str().unwrap(), "operations/1"]);
    assert!(ran.stderr.contains("line 3 has no `:`") && !ran.stderr.contains("hunter2"), "{ran:?}");
}

#[test]
fn a_host_that_does_not_answer_ends_with_5_and_leaves_the_token() {
    let ran = ran(&["get", "--base", "http://127.0.0.1:9", "operations/1"]);
    assert!(ran.code == Some(5) && ran.stdout.contains("token     lro1-"), "{ran:?}");
    assert!(ran.stderr.contains("operations/1"), "{ran:?}");
}

/// Runs with stdout closed by its reader.
fn ran_into_a_closed_pipe(arguments: &[&str]) -> Ran {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let child = lro(arguments).stdout(Stdio::from(writer)).stderr(Stdio::piped()).spawn().unwrap();
    let output = child.wait_with_output().unwrap();
    Ran { code: output.status.code(), stdout: String::new(), stderr: String::from_utf8(output.stderr).unwrap() }
}

#[test]
fn a_closed_pipe_ends_with_6_and_loses_no_operation() {
    let server = LroServer::builder().start().unwrap();
    let (name, url) = (server.add(Job::endless()), server.url());
    for command in ["get", "watch", "cancel"] {
        let ran = ran_into_a_closed_pipe(&[command, "--base", &url, &name]);
        assert_eq!(ran.code, Some(6), "{command}: {ran:?}");
        assert!(!ran.stderr.contains("panicked") && ran.stderr.contains("stdout was closed"), "{command}: {ran:?}");
        assert!(ran.stderr.contains(&name) && ran.stderr.contains(" lro1-"), "{command}: {ran:?}");
    }
    for arguments in [&["list", "--base", &url] as &[_], &["man"], &["completions", "bash"], &["--help"]] {
        let ran = ran_into_a_closed_pipe(arguments);
        assert!(ran.code == Some(6) && !ran.stderr.contains("panicked"), "{arguments:?}: {ran:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_ends_with_6_and_the_name_and_the_token_are_on_stderr() {
    let server = LroServer::builder().start().unwrap();
    let (name, url) = (server.add(Job::polls(1).responds("done")), server.url());
    let other = server.add(Job::endless());
    for command in ["wait", "get", "watch"] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let child = lro(&[command, "--json", "--base", &url, &name, &other])
            .stdout(Stdio::from(full))
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(6), "{command}: {stderr}");
        assert!(stderr.contains("cannot write to stdout: No space left on device"), "{command}: {stderr}");
        assert!(stderr.contains(&name) && stderr.contains(" lro1-") && !stderr.contains("panicked"), "{stderr}");
        // Those that still run, too.
        assert!(command == "get" || stderr.contains(&other), "{command}: {stderr}");
    }
}

#[test]
fn a_closed_stderr_changes_nothing() {
    let server = LroServer::builder().start().unwrap();
    let (name, url) = (server.add(Job::polls(2).responds("done")), server.url());
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let child =
        lro(&["wait", "--base", &url, &name]).stderr(Stdio::from(writer)).stdout(Stdio::piped()).spawn().unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8(output.stdout).unwrap().contains("state     succeeded"));
}

#[test]
fn no_reply_makes_the_command_panic_or_control_the_terminal() {
    let nasty = "\\u001b[2J\u{9b}2J\u{202e}\\n";
    let deep = "[".repeat(100_000);
    let replies = [
        format!(r#"{{"name":"{nasty}","metadata":{{"a":"{nasty}"}}}}"#),
        format!(r#"{{"name":"{nasty}","done":true,"error":{{"code":99999999999,"message":"{nasty}"}}}}"#),
        format!(r#"{{"name":"a","done":true,"response":{{"{nasty}":1e999}}}}"#),
        format!(r#"{{"name":"a","done":true,"response":{deep}}}"#),
        format!(r#"{{"name":"a","metadata":"{}"}}"#, "x".repeat(1 << 20)),
        format!(r#"{{"operations":[{{"name":"{nasty}"}},{{"name":7}},{nasty}],"nextPageToken":"{nasty}"}}"#),
        deep,
        nasty.to_owned(),
        String::new(),
    ];
    for body in &replies {
        let begin = body.get(..40).unwrap_or(body);
        for head in ["200 OK", "418 \u{9b}", "503 Busy\r\nRetry-After: \u{9b}"] {
            let stub = Stub::new(&[(head, body)]);
            for command in [&["get", "operations/1"] as &[_], &["list"], &["wait", "operations/1", "--timeout", "30ms"]]
            {
                for form in [&[] as &[_], &["--json"]] {
                    let ran = ran(&[command, &["--base", &stub.url, "-v"], form].concat());
                    let printed = format!("{}{}", ran.stdout, ran.stderr);
                    let is_safe = |c: char| c == '\n' || !c.is_control() && c != '\u{202e}';
                    assert!(printed.chars().all(is_safe) && !printed.contains("panicked"), "{begin}: {printed:.500}");
                    assert!(ran.code.is_some_and(|code| code <= 5 && code != 4), "{begin}: {:?}", ran.code);
                    assert!(
                        form.is_empty()
                            || ran
                                .stdout
                                .lines()
                                .all(|line| serde_json::from_str::<&serde_json::value::RawValue>(line).is_ok())
                    );
                }
            }
        }
    }
}
