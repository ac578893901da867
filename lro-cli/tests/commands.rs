//! Every command against the embedded server: what it prints, and its exit code.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, missing_docs, reason = "tests may fail")]

mod support;

use std::time::Duration;

use lro_runtime::{
    Code, State, Token,
    testing::{Job, LroServer},
};
use serde_json::json;
use support::{ran, ran_with_stdin};

const NAME: &str = "projects/p/operations/7";

/// Starts a server with one job, which is called [`NAME`].
fn server(job: Job) -> (LroServer, String) {
    let server = LroServer::builder().start().unwrap();
    server.add(job.named(NAME));
    let url = server.url();
    (server, url)
}

#[test]
fn wait_ends_with_0_for_a_success_and_prints_the_response() {
    let (server, url) = server(Job::polls(2).responds(json!({ "uri": "gs://x" })));
    let ran = ran(&["wait", "--base", &url, NAME, "--interval", "10ms"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stdout.starts_with("name      projects/p/operations/7\nstate     succeeded\n"), "{ran:?}");
    assert!(ran.stdout.contains(r#"response  {"uri":"gs://x"}"#), "{ran:?}");
    assert!(ran.stderr.contains(r#"lro: projects/p/operations/7 running: {"percent":50}"#), "{ran:?}");
    assert_eq!(server.polls(NAME), 2);
}

#[test]
fn wait_ends_with_1_for_a_failure_and_says_why() {
    let detail = json!({ "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "DISK_BROKEN" });
    let (_server, url) =
        server(Job::polls(1).fails_with(json!({ "code": 15, "message": "it is gone", "details": [detail] })));
    let text = ran(&["wait", "--quiet", "--base", &url, NAME]);
    assert_eq!((text.code, text.stderr.as_str()), (Some(1), ""), "{text:?}");
    assert!(text.stdout.contains("status    DATA_LOSS (DISK_BROKEN): it is gone\n"), "{text:?}");
    let json = ran(&["wait", "--quiet", "--json", "--base", &url, NAME]);
    let object = &json.objects()[0];
    assert_eq!(
        (json.code, &object["state"], &object["status"]["code"]),
        (Some(1), &json!("failed"), &json!("DATA_LOSS"))
    );
    assert_eq!(object["status"]["details"][0]["reason"], "DISK_BROKEN");
}

#[test]
fn wait_ends_with_2_for_a_cancelled_operation() {
    let (_server, url) = server(Job::polls(1).fails(Code::Cancelled, "somebody else stopped it"));
    let ran = ran(&["wait", "--base", &url, NAME]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
}

#[test]
fn wait_ends_with_3_at_its_time_limit_and_the_token_goes_on() {
    let (server, url) = server(Job::endless());
    let first = ran(&["wait", "--json", "--base", &url, NAME, "--timeout", "200ms", "--interval", "20ms"]);
    assert_eq!(first.code, Some(3), "{first:?}");
    let object = &first.objects()[0];
    assert_eq!((&object["name"], &object["error"]["kind"]), (&json!(NAME), &json!("timeout")));
    let token = object["token"].as_str().unwrap();
    assert_eq!(token.parse::<Token>().unwrap().state(), State::Running);
    let words = format!("to go on: lro wait --dialect google --base {url} {token}");
    assert!(first.stderr.contains(&words), "{first:?}");
    let polls = server.polls(NAME);
    let second = ran(&["wait", "--base", &url, token, "--deadline", "2020-01-01T00:00:00Z"]);
    assert_eq!(second.code, Some(3), "{second:?}");
    let third = ran(&["wait", "--base", &url, token, "--timeout", "200ms", "--interval", "20ms"]);
    assert_eq!(third.code, Some(3), "{third:?}");
    assert!(server.polls(NAME) > polls && third.stdout.contains(token.split('-').next().unwrap()), "{third:?}");
}

#[test]
fn wait_ends_with_5_where_the_service_does_not_say() {
    let (_server, url) = server(Job::endless().expires_at(1));
    let ran = ran(&["wait", "--base", &url, NAME]);
    assert_eq!(ran.code, Some(5), "{ran:?}");
    assert!(ran.stderr.contains("404") && ran.stderr.contains(NAME) && ran.stdout.contains("lro1-"), "{ran:?}");
}

#[test]
fn of_many_operations_each_is_told_and_the_highest_code_counts() {
    let server = LroServer::builder().start().unwrap();
    server.add(Job::polls(1).named("operations/good"));
    server.add(Job::polls(2).fails(Code::Internal, "no").named("operations/bad"));
    server.add(Job::polls(1).fails(Code::Cancelled, "no").named("operations/stopped"));
    let url = server.url();
    let all = "operations/good\n\n  operations/bad\noperations/stopped\noperations/good\n";
    let text = ran_with_stdin(&["wait", "--base", &url, "-", "--quiet"], all);
    assert_eq!((text.code, text.stdout.matches("name      ").count()), (Some(2), 3), "{text:?}");
    let two = ran(&["wait", "--json", "--base", &url, "operations/good", "operations/bad"]);
    assert_eq!((two.code, two.objects().len()), (Some(1), 2), "{two:?}");
}

#[test]
fn get_polls_once_and_ends_with_3_before_the_end() {
    let (server, url) = server(Job::polls(2).responds(json!({ "uri": "gs://x" })));
    let first = ran(&["get", "--base", &url, NAME]);
    assert_eq!((first.code, server.polls(NAME)), (Some(3), 1), "{first:?}");
    assert!(first.stdout.contains("state     running\nmetadata  {\"percent\":50}\ntoken     lro1-"));
    let second = ran(&["get", "--json", "--base", &url, NAME]);
    let object = &second.objects()[0];
    assert_eq!((second.code, &object["state"], &object["progress"]), (Some(0), &json!("succeeded"), &json!(1.0)));
    assert_eq!(object["response"]["uri"], "gs://x");
}

#[test]
fn watch_writes_a_line_for_each_change_where_there_is_no_terminal() {
    let (_server, url) = server(Job::polls(3).responds_nothing());
    let text = ran(&["watch", "--base", &url, NAME, "--interval", "10ms"]);
    let lines: Vec<&str> = text.stdout.lines().collect();
    assert_eq!(text.code, Some(0), "{text:?}");
    assert_eq!(
        (lines[0], lines.last().copied()),
        (format!("{NAME} running: {{\"percent\":33}}").as_str(), Some(format!("{NAME} succeeded").as_str()))
    );
    assert!(lines.len() == 3 && !text.stdout.contains('\u{1b}'), "{text:?}");
    let json = ran(&["watch", "--json", "--base", &url, NAME]);
    assert!(json.objects().iter().all(|object| object["name"] == NAME), "{json:?}");
}

#[test]
fn members_of_the_metadata_are_the_fraction_and_the_message() {
    let job = Job::endless().metadata(|_| json!({ "stage": { "percent": "42", "text": "copying" } }));
    let (_server, url) = server(job);
    let words = ["get", "--base", &url, NAME, "--percent", "stage.percent", "--message", "stage.text"];
    let text = ran(&words);
    assert!(text.stdout.contains("\ndone      42 %\nmessage   copying\n"), "{text:?}");
    let object = &ran(&[&words[..], &["--json"]].concat()).objects()[0];
    assert_eq!((&object["progress"], &object["message"]), (&json!(0.42), &json!("copying")));
    let list = ran(&["list", "--base", &url, "--percent", "stage.percent", "--parent", "projects/p"]);
    assert!(list.stdout.contains("running, 42 %"), "{list:?}");
    let none = ran(&["get", "--base", &url, NAME, "--percent", "stage.text", "--message", "nothing"]);
    assert!(none.code == Some(3) && !none.stdout.contains("done "), "{none:?}");
}

#[test]
fn cancel_asks_and_wait_tells_what_came_of_it() {
    let (server, url) = server(Job::endless().cancelled_after(1));
    let asked = ran(&["cancel", "--base", &url, NAME]);
    assert_eq!(
        (asked.code, asked.stdout.as_str()),
        (Some(0), "projects/p/operations/7 asked to cancel\n"),
        "{asked:?}"
    );
    assert_eq!(ran(&["wait", "--base", &url, NAME]).code, Some(2));
    assert_eq!(server.requests(NAME) - server.polls(NAME), 1);
    let json = ran(&["cancel", "--json", "--base", &url, "operations/none", NAME]);
    assert_eq!((json.code, json.objects().len()), (Some(5), 2), "{json:?}");
    assert_eq!(json.objects()[0]["asked"], "cancel");
    assert!(json.objects()[0]["error"]["message"].as_str().unwrap().contains("404"));
}

#[test]
fn delete_forgets_and_list_lists() {
    let server = LroServer::builder().start().unwrap();
    for index in 1..=3 {
        server.add(Job::endless().named(format!("projects/p/operations/{index}")));
    }
    let url = server.url();
    let list = ran(&["list", "--base", &url, "--parent", "projects/p"]);
    assert_eq!((list.code, list.stdout.lines().count()), (Some(0), 3), "{list:?}");
    let gone = ran(&["delete", "--base", &url, "projects/p/operations/2"]);
    assert_eq!((gone.code, gone.stdout.as_str()), (Some(0), "projects/p/operations/2 deleted\n"), "{gone:?}");
    let list = ran(&["list", "--json", "--base", &url, "--parent", "projects/p", "--page-size", "1"]);
    let names: Vec<_> = list.objects().into_iter().map(|object| object["name"].clone()).collect();
    assert_eq!(names, ["projects/p/operations/1", "projects/p/operations/3"]);
    assert_eq!(ran(&["list", "--base", &url, "--parent", "projects/p", "--limit", "1"]).stdout.lines().count(), 1);
}

#[test]
fn base_and_dialect_come_from_the_environment_as_well() {
    let (_server, url) = server(Job::polls(1));
    let mut command = support::lro(&["wait", NAME, "--quiet"]);
    command.env("LRO_BASE", &url).env("LRO_DIALECT", "google");
    assert_eq!(support::run(command).code, Some(0));
}

#[test]
fn completions_and_man_pages_are_of_all_commands() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = ran(&["completions", shell]);
        assert!(script.code == Some(0) && script.stdout.contains("bearer-file"), "{shell}");
    }
    let man = ran(&["man"]);
    assert!(man.code == Some(0) && man.stdout.contains(".TH lro 1") && man.stdout.contains("Exit codes"), "{man:?}");
    let wait = ran(&["man", "wait"]);
    assert!(wait.code == Some(0) && wait.stdout.contains("deadline"), "{wait:?}");
    let none = ran(&["man", "sing"]);
    assert!(none.code == Some(4) && none.stderr.contains("get, wait, watch"), "{none:?}");
}

#[cfg(unix)]
#[test]
fn more_operations_can_be_waited_for_than_files_are_open_at_first() {
    let server = LroServer::builder().start().unwrap();
    let names: Vec<String> = (0..300).map(|_| server.add(Job::lasting(Duration::from_millis(50)))).collect();
    let list = support::file("names", &names.join("\n"));
    let words = "ulimit -S -n 64; exec \"$0\" wait --json --base \"$1\" --interval 50ms - < \"$2\"";
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", words, env!("CARGO_BIN_EXE_lro"), &server.url()]).arg(list);
    let done = support::run(shell);
    assert_eq!((done.code, done.objects().len()), (Some(0), 300), "{}", done.stderr);
    assert!(!done.stderr.contains("failed"), "{}", done.stderr);
}
