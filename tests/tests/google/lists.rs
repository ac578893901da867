//! Tests of lists: pages, queries, pages that never end, and services without lists.

use lro_runtime::{CancelOutcome, ErrorKind, Operations, Result, State, block_on, dialect::Google};
use serde_json::json;

use crate::answers::{Answers, http};

fn client(answers: &Answers) -> Operations {
    answers.operations("https://images.example.com", Google::new()).0
}

fn page(names: impl IntoIterator<Item = String>, next: &str) -> String {
    let operations: Vec<_> = names.into_iter().map(|name| json!({ "name": name, "done": false })).collect();
    json!({ "operations": operations, "nextPageToken": next }).to_string()
}

fn three_pages() -> Answers {
    Answers::new(|n, _| {
        let next = ["two", "three", ""];
        page((0..2).map(|i| format!("operations/{n}{i}")), next[n])
    })
}

#[test]
fn pages_follow_each_other_and_the_query_goes_with_each() {
    let answers = three_pages();
    let list = client(&answers).list("done=false AND a=\"b c\"").parent("projects/p/locations/l").page_size(2);
    let names: Result<Vec<_>> = list.return_partial_success().blocking().map(|o| Ok(o?.name().to_owned())).collect();
    assert_eq!(
        names.unwrap().join(" "),
        "operations/00 operations/01 operations/10 operations/11 operations/20 operations/21"
    );
    let path = "GET https://images.example.com/v1/projects/p/locations/l/operations";
    let query = "filter=done%3Dfalse%20AND%20a%3D%22b%20c%22&pageSize=2";
    assert_eq!(
        answers.lines(),
        [
            format!("{path}?{query}&returnPartialSuccess=true"),
            format!("{path}?{query}&pageToken=two&returnPartialSuccess=true"),
            format!("{path}?{query}&pageToken=three&returnPartialSuccess=true"),
        ]
    );
}

#[test]
fn a_list_that_is_dropped_fetches_no_further_page() {
    let answers = three_pages();
    let operations = client(&answers);
    block_on(async {
        let mut list = operations.list("");
        assert_eq!(list.next().await.unwrap().unwrap().name(), "operations/00");
        assert_eq!(list.next().await.unwrap().unwrap().name(), "operations/01");
    });
    assert_eq!(answers.lines(), ["GET https://images.example.com/v1/operations"]);
}

#[test]
fn a_listed_operation_can_be_polled_and_holds_its_own_message_only() {
    let answers = Answers::new(|n, _| {
        match n {
        0 => json!({ "operations": [{ "name": "operations/a", "metadata": { "percent": 1 } }, { "name": "operations/b", "done": true, "response": {} }] }),
        _ => json!({ "name": "operations/a", "done": true, "response": {} }),
    }.to_string()
    });
    let listed: Vec<_> = client(&answers).list("").blocking().map(Result::unwrap).collect();
    assert_eq!((listed[0].state(), listed[1].state()), (State::Running, State::Succeeded));
    assert_eq!(&listed[0].raw()[..], br#"{"metadata":{"percent":1},"name":"operations/a"}"#);
    assert_eq!(listed[0].metadata().unwrap().bytes(), br#"{"percent":1}"#);
    assert!(listed[0].blocking().poll_once().unwrap().is_succeeded());
}

#[test]
fn what_could_not_be_reached_is_named() {
    let answers = Answers::new(|n, _| match n {
        0 => r#"{"operations": [], "nextPageToken": "2", "unreachable": ["projects/p/locations/a"]}"#,
        _ => r#"{"operations": [{"name": "operations/1"}], "unreachable": ["projects/p/locations/b"]}"#,
    });
    block_on(async {
        let mut list = client(&answers).list("").return_partial_success();
        assert_eq!(list.next().await.unwrap().unwrap().name(), "operations/1");
        assert!(list.next().await.is_none());
        assert_eq!(list.unreachable(), ["projects/p/locations/a", "projects/p/locations/b"]);
    });
}

#[test]
fn pages_that_go_round_in_a_circle_end_in_an_error_whatever_its_length() {
    for length in [1, 2, 3, 7, 100] {
        let answers = Answers::new(move |n, _| page([format!("operations/{n}")], &format!("token-{}", n % length)));
        let mut list = client(&answers).list("").blocking();
        let error = list.find_map(Result::err).unwrap();
        assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
        // Brent's algorithm compares with one kept page token, and so notices a circle after a few
        // rounds.
        assert!(answers.requests().len() <= 4 * length + 2, "{} requests for {length}", answers.requests().len());
        assert!(list.next().is_none());
    }
}

#[test]
fn a_page_of_ten_thousand_operations_is_fine() {
    let answers = Answers::new(|_, _| page((0..10_000).map(|i| format!("projects/p/operations/{i}")), ""));
    let listed: Vec<_> = client(&answers).list("").blocking().map(Result::unwrap).collect();
    assert_eq!(listed.len(), 10_000);
    assert_eq!(listed[9_999].name(), "projects/p/operations/9999");
}

#[test]
fn a_service_without_lists_is_unsupported_and_the_error_says_what_to_do() {
    let body = r#"{"error": {"code": 501, "status": "UNIMPLEMENTED", "message": "no lists here"}}"#;
    let answers = Answers::new(move |_, _| http(501, body));
    let error = client(&answers).list("").blocking().next().unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("store each operation's token"), "{error}");
}

#[test]
fn a_list_that_fails_speaks_of_no_operation() {
    let answers = Answers::new(|_, _| http(503, "busy"));
    let error = client(&answers).list("").blocking().next().unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Poll);
    assert!(error.to_string().ends_with("; try the call again"), "there is no snapshot to poll from: {error}");
}

#[test]
fn calls_that_a_service_lacks_say_what_to_do_instead() {
    let body = r#"{"error": {"code": 501, "status": "UNIMPLEMENTED", "message": "not here"}}"#;
    let answers = Answers::new(move |_, _| http(501, body));
    let operations = client(&answers).blocking();
    let said = |result: Result<()>, advice: &str| {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains(advice), "{error}");
    };
    said(operations.cancel("operations/1").map(drop), "poll until it ends");
    said(operations.delete("operations/1"), "services remove finished operations");
    said(operations.wait("operations/1", std::time::Duration::from_secs(1)).map(drop), "poll instead");
}

#[test]
fn what_has_ended_is_not_asked_to_cancel() {
    let answers = Answers::new(|_, _| "{}");
    let done = client(&answers).adopt(r#"{"name": "operations/1", "done": true, "response": {}}"#).unwrap();
    assert_eq!(done.blocking().cancel().unwrap(), CancelOutcome::AlreadyCompleted);
    assert_eq!(block_on(done.cancel()).unwrap(), CancelOutcome::AlreadyCompleted);
    assert!(answers.requests().is_empty());
    let operations = client(&answers);
    assert_eq!(block_on(operations.cancel("operations/1")).unwrap(), CancelOutcome::Requested);
    assert_eq!(operations.blocking().cancel("operations/1").unwrap(), CancelOutcome::Requested);
    assert_eq!(answers.requests().len(), 2, "a name does not say whether it has ended");
}
