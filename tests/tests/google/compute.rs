//! Tests of extended operations that scripts cannot express: lists, other fields, declared results,
//! tokens.

use std::sync::{Arc, Mutex};

use lro_runtime::{
    ErrorKind, Operations, RawOperation, Result, State, block_on,
    dialect::{Compute, ExtendedFields},
    long_running,
};
use serde::Deserialize;

use crate::answers::Answers;

const BASE: &str = "https://compute.googleapis.com";

fn operation(status: &str) -> String {
    format!(
        r#"{{"name": "o", "selfLink": "{BASE}/compute/v1/projects/p/zones/z/operations/o", "targetLink": "{BASE}/compute/v1/projects/p/zones/z/instances/i", {status}}}"#
    )
}

#[derive(Debug, Deserialize, PartialEq)]
pub(crate) struct Instance {
    name: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Progress {
    status_message: Option<String>,
    progress: u8,
}

pub(crate) struct Instances {
    operations: Operations,
}

#[long_running(metadata = Progress)]
impl Instances {
    #[long_running(response = Instance, result = "target_link")]
    pub(crate) async fn insert(&self, name: &str) -> Result<RawOperation> {
        self.operations.post("compute/v1/projects/p/zones/z/instances", name).await
    }
}

#[test]
fn a_declared_resource_is_the_response_and_progress_and_message_are_metadata() {
    let answers = Answers::new(|n, _| match n {
        0 => operation(r#""status": "RUNNING", "progress": 25, "statusMessage": "copying""#),
        1 => operation(r#""status": "DONE", "progress": 100"#),
        _ => r#"{"name": "i"}"#.to_owned(),
    });
    let (operations, _) = answers.operations(BASE, Compute::new());
    let started = block_on(Instances { operations }.insert("i")).unwrap();
    assert_eq!(started.progress(), Some(0.25));
    let metadata = started.metadata().unwrap().unwrap();
    assert_eq!((metadata.status_message.as_deref(), metadata.progress), (Some("copying"), 25));
    assert_eq!((started.raw_status(), started.status_message()), (Some("RUNNING"), Some("copying")));
    let done = started.blocking().poll_until_completed(lro_runtime::PollSettings::default()).unwrap();
    assert_eq!(done.metadata().unwrap().unwrap().progress, 100);
    assert_eq!(done.status_message(), None, "copying is over");
    assert_eq!(done.into_result().unwrap(), Instance { name: "i".to_owned() });
    assert_eq!(answers.lines()[2], format!("GET {BASE}/compute/v1/projects/p/zones/z/instances/i"));
}

#[test]
fn the_status_message_is_that_of_the_last_reply_or_of_the_failure() {
    let answers = Answers::new(|n, _| match n {
        0 => operation(r#""status": "PENDING", "statusMessage": """#),
        1 | 2 => operation(r#""status": "RUNNING", "statusMessage": "copying""#),
        3 => operation(r#""status": "RUNNING", "statusMessage": "booting""#),
        _ => operation(r#""status": "DONE", "httpErrorStatusCode": 409, "httpErrorMessage": "it is in use""#),
    });
    let (operations, _) = answers.operations(BASE, Compute::new());
    let started = block_on(operations.post("compute/v1/projects/p/zones/z/instances", "i")).unwrap();
    assert_eq!(started.status_message(), None);
    let said = Arc::new(Mutex::new(vec![]));
    let log = Arc::clone(&said);
    let done = started
        .on_progress(move |snapshot| log.lock().unwrap().push(snapshot.status_message().map(str::to_owned)))
        .poll_until_completed_blocking(lro_runtime::PollSettings::default())
        .unwrap();
    assert_eq!(done.status_message(), Some("it is in use"));
    let said = said.lock().unwrap();
    assert_eq!(
        said.iter().map(Option::as_deref).collect::<Vec<_>>(),
        [None, Some("copying"), Some("booting"), Some("it is in use")]
    );
}

#[test]
fn another_service_declares_its_own_fields_and_a_flag_is_a_status() {
    let fields = ExtendedFields { name: "id", status: "finished", error_code: "code", error_message: "why" };
    let answers = Answers::new(|n, _| match n {
        0 => r#"{"id": "o", "finished": false}"#,
        _ => r#"{"id": "o", "finished": true, "code": 409, "why": "it is in use"}"#,
    });
    let dialect = Compute::new().with_prefix("disks/v2").with_fields(fields);
    let (operations, _) = answers.operations("https://disks.example.com", dialect);
    let started = block_on(operations.post("disks/v2/projects/p/regions/r/disks", "d")).unwrap();
    assert_eq!((started.state(), started.name()), (State::Running, "projects/p/regions/r/operations/o"));
    assert_eq!(started.raw_status(), Some("RUNNING"), "false is a word as well");
    let done = started.blocking().poll_once().unwrap();
    assert_eq!(done.status().unwrap().to_string(), "ABORTED: it is in use");
    assert!(answers.lines()[1].ends_with("/disks/v2/projects/p/regions/r/operations/o"), "{:?}", answers.lines());
}

#[test]
fn operations_of_a_place_are_listed() {
    let answers = Answers::new(|n, _| match n {
        0 => format!(r#"{{"items": [{}], "nextPageToken": "t"}}"#, operation(r#""status": "RUNNING""#)),
        _ => format!(r#"{{"items": [{}]}}"#, operation(r#""status": "DONE""#)),
    });
    let (operations, _) = answers.operations(BASE, Compute::new());
    let listed: Result<Vec<_>> =
        operations.list("status=DONE").parent("projects/p/zones/z").page_size(1).blocking().collect();
    let listed = listed.unwrap();
    assert_eq!((listed[0].state(), listed[1].state()), (State::Running, State::Succeeded));
    assert_eq!(listed[0].name(), "projects/p/zones/z/operations/o");
    let path = format!("GET {BASE}/compute/v1/projects/p/zones/z/operations?filter=status%3DDONE&maxResults=1");
    assert_eq!(answers.lines(), [path.clone(), format!("{path}&pageToken=t")]);
    let everywhere = operations.list("").blocking().next().unwrap().unwrap_err();
    assert_eq!(everywhere.kind(), ErrorKind::Unsupported);
    assert!(everywhere.to_string().contains("projects/p/zones/z"), "{everywhere}");
}

#[test]
fn there_is_no_cancel_and_nothing_is_sent_to_find_out() {
    let answers = Answers::new(|_, _| "{}");
    let (operations, _) = answers.operations(BASE, Compute::new());
    let error = operations.blocking().cancel("projects/p/global/operations/o").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(answers.requests().is_empty());
}

#[test]
fn a_name_that_is_not_an_operations_path_cannot_be_resumed() {
    let (operations, _) = Answers::new(|_, _| "{}").operations(BASE, Compute::new());
    for name in [
        "",
        "o",
        "operations/o",
        "projects/p/zones/z/instances/i",
        "projects/p/zones/../operations/o",
        "projects/p/global/operations/..",
    ] {
        assert_eq!(operations.resume(name).unwrap_err().kind(), ErrorKind::InvalidToken, "{name}");
    }
}
