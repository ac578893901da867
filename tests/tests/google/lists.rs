//! Tests of lists: pages, queries, pages that never end, and services without lists.

use std::{
    future::{pending, poll_fn},
    pin::pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use lro_runtime::{
    CancelOutcome, Code, Dialect, ErrorKind, Operations, PollSettings, RawOperation, Result, State, Status, block_on,
    dialect::{Compute, Declared, Google, Lxd, Vertex},
    long_running,
    wire::replicate,
};
use serde::Deserialize;
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
fn a_list_that_is_refused_says_what_to_do() {
    let cases = [
        (400, "INVALID_ARGUMENT", "check the arguments of the call"),
        (403, "PERMISSION_DENIED", "check the credentials"),
        (503, "UNAVAILABLE", "try the call again"),
    ];
    for (code, status, advice) in cases {
        let body = json!({ "error": { "code": code, "status": status, "message": "no" } }).to_string();
        let answers = Answers::new(move |_, _| http(code, &body));
        let error = client(&answers).list("done=fals").blocking().next().unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Poll);
        assert!(error.to_string().ends_with(advice), "{error}");
    }
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

/// Returns what a list gives: the names, and for an entry that cannot be read the raw entry after
/// its name, if that could be read.
fn listed(dialect: impl Dialect, page: &'static str) -> Vec<String> {
    let answers = Answers::new(move |_, _| page);
    let operations = answers.operations("https://images.example.com", dialect).0;
    let entry = |entry: Result<RawOperation>| match entry {
        Ok(operation) => operation.name().to_owned(),
        Err(error) => {
            assert!(matches!(error.kind(), ErrorKind::Protocol | ErrorKind::UntrustedUrl), "{error}");
            let snapshot = error.snapshot().unwrap();
            assert_eq!(error.token().is_some(), snapshot.name().ends_with('b'), "only b can be resumed: {error}");
            format!("{} {}", snapshot.name(), String::from_utf8_lossy(snapshot.raw()))
        }
    };
    operations.list("").parent("projects/p/zones/z").blocking().map(entry).collect()
}

#[test]
fn an_entry_that_cannot_be_read_costs_the_others_nothing_in_any_dialect() {
    const LINK: &str = "https://compute.googleapis.com/compute/v1/projects/p/global/operations/";
    const GOOGLE: &str = r#"{"operations":[{"name":"operations/a"},{"name":"m/operations/b","done":"yes"},7,{"name":"../x"},{"name":"operations/c"}]}"#;
    let google = ["operations/a", r#"m/operations/b {"name":"m/operations/b","done":"yes"}"#, " 7"];
    let entries = listed(Google::new(), GOOGLE);
    assert_eq!(entries[..3], google);
    assert_eq!(entries[4], "operations/c", "{entries:?}");
    assert_eq!(listed(Vertex::new(), GOOGLE)[1], google[1]);

    let page = r#"{"items":[{"name":"a","selfLink":"LINKa","status":"DONE"},{"name":"b","selfLink":"LINKb"},{"name":"c","selfLink":"LINKc","status":"DONE"},{"status":{}},{"name":"d","status":"RUNNING"}]}"#;
    let page: &'static str = page.replace("LINK", LINK).leak();
    let entries = listed(Compute::new(), page);
    let lost = format!(r#"{{"name":"b","selfLink":"{LINK}b"}}"#);
    assert_eq!(entries[0], "projects/p/global/operations/a");
    assert_eq!(entries[1], format!("projects/p/global/operations/b {lost}"));
    assert_eq!(entries[2], "projects/p/global/operations/c");
    assert_eq!(entries[3], r#" {"status":{}}"#);
    assert!(entries[4].ends_with(r#"{"name":"d","status":"RUNNING"}"#), "no place to poll it: {entries:?}");

    let entries = listed(
        Lxd::new(),
        r#"{"type":"sync","metadata":{"failure":"none","running":[{"id":"a","status_code":103},{"id":"b"},{"status_code":103},{"id":"c","status_code":103}]}}"#,
    );
    let path = "/1.0/operations/";
    let lxd = [r#" "none""#.to_owned(), format!("{path}a"), format!(r#"{path}b {{"id":"b"}}"#)];
    assert_eq!(entries[..3], lxd);
    assert_eq!(entries[3..], [r#" {"status_code":103}"#.to_owned(), format!("{path}c")]);

    let entries = listed(
        Declared::of::<replicate::Prediction>(),
        r#"{"results":[{"id":"a","status":"starting"},{"id":"b","status":[]},[],{"id":{},"status":"starting"},{"id":"c","status":"starting"}]}"#,
    );
    assert_eq!(entries[..3], ["a", r#"b {"id":"b","status":[]}"#, " []"]);
    assert_eq!(entries[3..], [r#" {"id":{},"status":"starting"}"#, "c"]);
}

#[test]
fn a_page_that_is_no_list_is_an_error_of_the_list_that_ends_it() {
    let dialects: [(Arc<dyn Dialect>, &str); 5] = [
        (Arc::new(Google::new()), r#"{"operations":{}}"#),
        (Arc::new(Google::new()), "<html>"),
        (Arc::new(Compute::new()), r#"{"items":7}"#),
        (Arc::new(Lxd::new()), r#"{"type":"sync","metadata":[]}"#),
        (Arc::new(Declared::of::<replicate::Prediction>()), r#"{"results":"none"}"#),
    ];
    for (dialect, page) in dialects {
        let answers = Answers::new(move |_, _| page);
        let operations = answers.operations("https://images.example.com", dialect).0;
        let mut list = operations.list("").parent("projects/p/zones/z").blocking();
        let error = list.next().unwrap().unwrap_err();
        assert_eq!((error.kind(), error.snapshot().is_none()), (ErrorKind::Protocol, true), "{error}");
        assert!(list.next().is_none());
    }
}

#[test]
fn an_entry_that_cannot_be_read_can_be_polled_by_its_name_and_the_error_says_which_it_is() {
    let answers = Answers::new(|n, _| match n {
        0 => r#"{"operations":[{"name":"operations/a"},{"name":"operations/b","done":"yes"}],"unreachable":["x",7]}"#,
        _ => r#"{"name":"operations/b","done":true,"response":{}}"#,
    });
    let mut list = client(&answers).list("").blocking();
    assert!(list.next().unwrap().is_ok());
    let error = list.next().unwrap().unwrap_err();
    let said = error.to_string();
    assert!(said.starts_with("operation `operations/b`: the entry at index 1"), "{said}");
    assert!(said.contains("`done`: found `\"yes\"`"), "{said}");
    assert!(error.snapshot().unwrap().blocking().poll_once().unwrap().is_succeeded());
    assert_eq!(client(&answers).resume(error.token().unwrap()).unwrap().name(), "operations/b");
    assert!(list.next().is_none());
    assert_eq!(list.unreachable(), ["x", "7"]);
}

#[derive(Debug, Deserialize)]
pub(crate) struct Stage {
    stage: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Report {
    kept: u32,
}

pub(crate) struct Pipelines {
    operations: Operations,
}

#[expect(dead_code, reason = "these operations are listed, not started")]
#[long_running(metadata = Stage)]
impl Pipelines {
    #[long_running(
        response = Report,
        path = "v1beta1/{name}",
        pending = |metadata| metadata.stage == "QUEUED",
        classify = |report| (report.kept == 0).then(|| Status::new(Code::DataLoss, "nothing was kept")),
    )]
    pub(crate) async fn run_pipeline(&self) -> Result<RawOperation> {
        self.operations.post("v1beta1/pipelines:run", "").await
    }

    #[long_running(response = Report, dialect = Compute::new(), result = "target_link")]
    pub(crate) async fn insert(&self) -> Result<RawOperation> {
        self.operations.post("compute/v1/projects/p/zones/z/instances", "").await
    }
}

#[test]
fn a_list_and_a_get_agree_on_what_the_method_makes_of_an_operation() {
    let answers = Answers::new(|_, request| {
        let operations = json!([
            { "name": "operations/queued", "metadata": { "stage": "QUEUED" } },
            { "name": "operations/running", "metadata": { "stage": "MERGING" } },
            { "name": "operations/empty", "done": true, "response": { "kept": 0 } },
            { "name": "operations/full", "done": true, "response": { "kept": 3 } },
        ]);
        let last = request.uri().path().rsplit('/').next().unwrap().to_owned();
        let one = operations.as_array().unwrap().iter().find(|one| one["name"].as_str().unwrap().ends_with(&last));
        one.cloned().unwrap_or(json!({ "operations": operations })).to_string()
    });
    let pipelines = Pipelines { operations: client(&answers) };
    let list = pipelines.operations.blocking().list_of::<RunPipelineOperation>("");
    let listed: Vec<RunPipelineOperation> = list.map(Result::unwrap).collect();
    let states: Vec<_> = listed.iter().map(|operation| operation.untyped().state()).collect();
    assert_eq!(states, [State::Pending, State::Running, State::Failed, State::Succeeded]);
    assert_eq!(listed[2].status().unwrap().to_string(), "DATA_LOSS: nothing was kept");
    assert_eq!(listed[3].result().unwrap().kept, 3);
    for operation in &listed {
        let got = pipelines.resume_run_pipeline(operation.name()).unwrap().blocking().poll_once().unwrap();
        assert_eq!(got.untyped().state(), operation.untyped().state(), "{}", operation.name());
        assert_eq!(got.token(), operation.token(), "its method, its path and its cursor are the same");
    }
    let below = "GET https://images.example.com/v1beta1/operations";
    assert_eq!(answers.lines()[..2], [below.to_owned(), format!("{below}/queued")], "the path is the method's");
}

#[test]
fn a_listed_operation_that_is_done_leads_to_the_resource_that_the_method_declares() {
    const LINK: &str = "https://compute.googleapis.com/compute/v1/projects/p/zones/z/";
    let answers = Answers::new(|n, _| match n {
        0 => format!(
            r#"{{"items":[{{"name":"o","selfLink":"{LINK}operations/o","targetLink":"{LINK}instances/i","status":"DONE"}}]}}"#
        ),
        _ => r#"{"kept":7}"#.to_owned(),
    });
    let pipelines = Pipelines { operations: client(&answers) };
    let list = pipelines.operations.list_of::<InsertOperation>("").parent("projects/p/zones/z");
    let listed = list.blocking().next().unwrap().unwrap();
    assert!(!listed.is_completed(), "its resource is not fetched yet");
    assert_eq!(listed.blocking().poll_until_completed(PollSettings::default()).unwrap().result().unwrap().kept, 7);
}

#[test]
fn a_list_goes_on_where_another_stopped() {
    let answers = three_pages();
    let operations = client(&answers);
    let mut list = operations.list("").blocking();
    assert_eq!((list.next_page_token(), list.left_on_page()), ("", 0), "nothing was requested");
    assert!(list.next().unwrap().is_ok());
    assert_eq!((list.next_page_token(), list.left_on_page()), ("two", 1));
    let token = list.next_page_token().to_owned();
    let mut rest = operations.list("").page_token(token).blocking();
    assert_eq!(rest.next_page_token(), "two");
    assert!(rest.next().unwrap().is_ok());
    assert_eq!(answers.lines().last().unwrap(), "GET https://images.example.com/v1/operations?pageToken=two");
    let mut all = client(&three_pages()).list("").blocking();
    assert_eq!(all.by_ref().count(), 6);
    assert_eq!((all.next_page_token(), all.left_on_page()), ("", 0), "there is no further page");
}

#[test]
fn a_list_that_failed_in_the_middle_says_which_page_is_missing() {
    let answers =
        Answers::new(|n, _| if n == 0 { page(["operations/1".to_owned()], "two").into() } else { http(503, "") });
    let mut list = client(&answers).list("").blocking();
    assert!(list.next().unwrap().is_ok());
    assert_eq!(list.next().unwrap().unwrap_err().kind(), ErrorKind::Poll);
    assert!(list.next().is_none());
    assert_eq!(list.next_page_token(), "two");
}

#[test]
fn a_blocking_list_needs_no_timer_of_the_clients_also_for_a_page_on_its_way() {
    let answers = Answers::new(|_, _| crate::answers::Answer::Silence);
    // A timer that needs an executor which does not run: its sleeps never end.
    let builder = Operations::builder("https://images.example.com").transport(answers.clone());
    let settings = PollSettings::default().with_poll_timeout(Duration::from_millis(1));
    let operations = builder.timer(|_: Duration| pending()).poll_settings(settings).build().unwrap();
    let mut list = operations.list("");
    block_on(async {
        let mut next = pin!(list.next());
        let is_pending = poll_fn(|context| Poll::Ready(next.as_mut().poll(context).is_pending())).await;
        assert!(is_pending);
    });
    let error = list.blocking().next().unwrap().unwrap_err();
    assert!(error.to_string().contains("no reply within 1ms"), "{error}");
}

#[test]
fn an_odd_page_token_ends_the_list_with_an_error_after_the_entries_in_any_dialect() {
    const LINK: &str = "https://compute.googleapis.com/compute/v1/projects/p/global/operations/a";
    let item = format!(r#"{{"name":"a","selfLink":"{LINK}","status":"DONE"}}"#);
    let dialects: [(Arc<dyn Dialect>, String); 3] = [
        (Arc::new(Google::new()), r#"{"nextPageToken":5,"operations":[{"name":"operations/a"}]}"#.to_owned()),
        (Arc::new(Compute::new()), format!(r#"{{"nextPageToken":{{}},"items":[{item}],"unreachables":[5,"x"]}}"#)),
        (
            Arc::new(Declared::of::<replicate::Prediction>()),
            r#"{"next":["x"],"results":[{"id":"a","status":"starting"}]}"#.to_owned(),
        ),
    ];
    for (dialect, page) in dialects {
        let answers = Answers::new(move |_, _| page.clone());
        let operations = answers.operations("https://images.example.com", dialect).0;
        let mut list = operations.list("").parent("projects/p/zones/z").page_token("two").blocking();
        assert!(list.next().unwrap().unwrap().name().ends_with('a'));
        let error = list.next().unwrap().unwrap_err();
        assert_eq!((error.kind(), error.snapshot().is_none()), (ErrorKind::Protocol, true), "{error}");
        assert!(error.to_string().starts_with("the list cannot go on after this page: "), "{error}");
        assert!(error.to_string().contains("expected a string"), "{error}");
        assert!(list.next().is_none());
        assert_eq!((list.next_page_token(), answers.requests().len()), ("two", 1), "the page can be asked for again");
    }
}

#[test]
fn a_member_that_is_twice_on_a_page_costs_no_entry_in_any_dialect() {
    let page = r#"{"nextPageToken":"","operations":[{"name":"operations/a"}],"nextPageToken":"","unreachable":7,"unreachable":[]}"#;
    assert_eq!(listed(Google::new(), page), ["operations/a"]);
    let page = r#"{"type":5,"type":"sync","operation":"","operation":[],"metadata":{"running":[{"id":"a","status_code":103}],"running":[{"id":"c","status_code":103}]}}"#;
    assert_eq!(listed(Lxd::new(), page), ["/1.0/operations/a", "/1.0/operations/c"]);
    let page = r#"{"next":null,"results":[{"id":"a","status":"starting"}],"next":null}"#;
    assert_eq!(listed(Declared::of::<replicate::Prediction>(), page), ["a"]);
}
