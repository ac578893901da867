//! Operations in a given state, without a service.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use lro_runtime::{Code, ErrorKind, Operations, RawOperation, Result, Status, block_on, long_running, testing};
use serde_json::{Value, json};

#[derive(Debug, serde::Deserialize)]
struct Image {
    uri: String,
}

#[derive(Debug, serde::Deserialize)]
struct Progress {
    percent: f64,
    #[serde(default)]
    queued: bool,
}

/// Nothing starts its operations here: the test kit makes them.
struct Client {
    operations: Operations,
}

#[long_running(
    response = Image,
    metadata = Progress,
    pending = |metadata| metadata.queued,
    progress(percent, of = 100),
    waiter(get = "v1/images/{name}", name_at = "id", success(output = "state", is = "READY")),
)]
#[expect(dead_code, reason = "only its types are used")]
impl Client {
    #[long_running(classify = |image| image.uri.is_empty().then(|| Status::new(Code::NotFound, "no image")))]
    async fn export(&self) -> Result<RawOperation> {
        self.operations.post("v1/images:export", &json!({})).await
    }

    #[long_running(response = ())]
    async fn purge(&self) -> Result<RawOperation> {
        self.operations.post("v1/images:purge", &json!({})).await
    }
}

/// Returns what the panic says that these calls end in.
fn panic_of(calls: impl FnOnce()) -> String {
    let caught = catch_unwind(AssertUnwindSafe(calls)).unwrap_err();
    caught.downcast_ref::<String>().cloned().unwrap()
}

#[test]
fn an_operation_is_in_the_state_that_its_message_says_in_any_dialect() {
    let pending: ExportOperation = testing::operation(json!({}));
    assert!(matches!(pending.state(), ExportState::Pending));
    assert_eq!(pending.name(), "operations/1");
    let queued: ExportOperation = testing::operation(json!({ "metadata": { "percent": 0, "queued": true } }));
    assert!(matches!(queued.state(), ExportState::Pending), "`pending` of the method applies");
    let running = testing::operation::<ExportState>(json!({ "name": "exports/7", "metadata": { "percent": 25 } }));
    assert!(matches!(running.state(), ExportState::Running { metadata: Some(Progress { percent: 25.0, .. }) }));
    assert_eq!((running.name(), running.progress()), ("exports/7", Some(0.25)));
    assert_eq!(running.token().method(), "Client.export");
    let done = testing::operation::<ExportState>(json!({ "response": { "uri": "gs://cat" } }));
    assert_eq!(done.into_result().unwrap().uri, "gs://cat");
    let classified = testing::operation::<ExportState>(json!({ "response": { "uri": "" } }));
    assert_eq!(classified.status().map(Status::code), Some(Code::NotFound), "`classify` of the method applies");
    assert!(testing::operation::<PurgeState>(json!({ "done": true })).is_succeeded());
    let error = |code: i32| json!({ "error": { "code": code, "message": "no" }, "metadata": { "percent": 99 } });
    let failed = testing::operation::<ExportState>(error(8));
    assert!(matches!(failed.state(), ExportState::Failed { status, metadata: Some(_) } if status.message() == "no"));
    assert!(matches!(testing::operation::<ExportState>(error(1)).state(), ExportState::Cancelled { .. }));
}

#[test]
fn a_payload_of_another_type_is_a_decode_error_as_in_production() {
    let done = testing::operation::<ExportState>(json!({ "response": { "url": "gs://cat" } }));
    assert_eq!(block_on(async { done.await }).unwrap_err().kind(), ErrorKind::Decode);
}

#[test]
fn a_message_that_is_a_mistake_of_the_test_panics_and_says_why() {
    let cases: [(Value, &str); 6] = [
        (json!("operations/1"), "expected an object"),
        (json!({ "reponse": {} }), "`reponse` is not a member of an operation's message: legal are name, metadata"),
        (json!({ "response": {}, "error": {} }), "not both"),
        (json!({ "response": {}, "done": false }), "leave `done` out"),
        (json!({ "done": "yes" }), "`done`"),
        (json!({ "name": "../7" }), "../7"),
    ];
    for (message, expected) in cases {
        let said = panic_of(|| drop(testing::operation::<ExportState>(&message)));
        assert!(said.contains(expected), "{message}: {said}");
    }
}

#[test]
fn the_panic_names_the_line_of_the_test() {
    let before = Arc::new(std::panic::take_hook());
    let (mine, others) = (std::thread::current().id(), Arc::clone(&before));
    let (send, places) = std::sync::mpsc::channel();
    std::panic::set_hook(Box::new(move |panic| {
        // Other tests panic at the same time, some of them on purpose.
        if std::thread::current().id() == mine {
            _ = send.send(panic.location().map(|place| place.file().to_owned()));
        } else {
            others(panic);
        }
    }));
    let mistakes = [json!({ "reponse": {} }), json!({ "name": "../7" }), json!({ "done": "yes" })];
    for message in &mistakes {
        let _ = catch_unwind(AssertUnwindSafe(|| drop(testing::operation::<ExportState>(message))));
    }
    std::panic::set_hook(Box::new(move |panic| before(panic)));
    let places: Vec<String> = places.try_iter().flatten().collect();
    assert_eq!(places, [file!(), file!(), file!()]);
}

#[test]
fn a_request_of_an_operation_without_a_service_fails_the_test() {
    let running = testing::operation::<ExportState>(json!({ "metadata": { "percent": 25 } }));
    let said = panic_of(|| drop(block_on(running.poll_once())));
    assert!(said.starts_with("unexpected request: GET /v1/operations/1; ") && said.contains("`ScriptedTransport`"));
    let said = panic_of(|| drop(block_on(async { running.await })));
    assert!(said.starts_with("unexpected request"), "after a virtual delay: {said}");
}
