//! Promises of an operation as a value: what it gives away, and how often it decodes for that.

use std::{cell::Cell, error::Error, future::IntoFuture};

use lro_runtime::{
    ErrorKind, LongRunning, Operations, PollSettings, RawOperation, Result, long_running, testing::Script,
};
use serde::{Deserialize, Deserializer};
use serde_json::json;

use crate::support::Stage;

thread_local! {
    /// How many reports this thread has decoded.
    static DECODED: Cell<usize> = const { Cell::new(0) };
}

/// A response that counts how often it is decoded. Not `Clone`: it can only be moved.
#[derive(Debug, PartialEq)]
pub struct Report(String);

impl<'de> Deserialize<'de> for Report {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        DECODED.set(DECODED.get() + 1);
        String::deserialize(deserializer).map(Self)
    }
}

/// A client of reports.
pub struct Reports {
    operations: Operations,
}

#[long_running]
impl Reports {
    /// Writes a report.
    #[long_running(response = Report, metadata = serde_json::Value)]
    pub async fn report(&self) -> Result<RawOperation> {
        self.operations.post("v1/reports", &json!({})).await
    }
}

/// Starts a report that this script answers.
fn started(script: Script) -> ReportOperation {
    let reports = Reports { operations: Stage::new(script).client.operations };
    smol::block_on(reports.report()).unwrap()
}

/// Returns a report that is finished, and forgets what was decoded before.
fn finished() -> ReportOperation {
    DECODED.set(0);
    started(Script::new().done(json!("all is well")))
}

#[test]
fn a_response_is_decoded_once_however_it_is_looked_at_and_taken() {
    let operation = finished();
    assert!(operation.is_succeeded());
    assert_eq!(operation.result().unwrap().0, "all is well");
    assert_eq!(operation.into_result().unwrap().0, "all is well");
    assert_eq!(DECODED.get(), 1);

    assert_eq!(finished().into_result().unwrap().0, "all is well");
    assert_eq!(DECODED.get(), 1, "also if it was not looked at");

    let operation = finished();
    assert!(operation.is_succeeded());
    assert_eq!(smol::block_on(operation.into_future()).unwrap().0, "all is well");
    assert_eq!(DECODED.get(), 1, "also if it is awaited");

    let operation = finished();
    assert!(operation.result().is_ok());
    for same in [
        smol::block_on(operation.poll_once()),
        smol::block_on(operation.poll_until_completed(PollSettings::default())),
        operation.blocking().poll_once(),
        operation.blocking().poll_until_completed(PollSettings::default()),
    ] {
        assert_eq!(same.unwrap().result().unwrap().0, "all is well");
    }
    assert_eq!(DECODED.get(), 1, "also if it is polled again");
}

#[test]
fn a_state_is_given_away_by_value_without_another_decoding() {
    let operation = finished();
    assert!(matches!(operation.state(), ReportState::Succeeded { .. }));
    let ReportState::Succeeded { response, .. } = operation.into_state() else { panic!("it succeeded") };
    assert_eq!((response.0.as_str(), DECODED.get()), ("all is well", 1));

    let operation = finished();
    let kept = operation.clone();
    assert!(kept.is_succeeded());
    assert!(matches!(operation.into_state(), ReportState::Succeeded { .. }), "also while a clone is looked at");
    assert_eq!(kept.result().unwrap().0, "all is well");

    let running = started(Script::new().running_with(json!({ "page": 7 })));
    let ReportState::Running { metadata } = LongRunning::into_state(running) else { panic!("it runs") };
    assert_eq!(metadata, Some(json!({ "page": 7 })));
}

#[test]
fn a_response_that_does_not_decode_is_an_error_each_time_it_is_asked_for() {
    let unreadable = || started(Script::new().done(json!(7)));
    let operation = unreadable();
    assert!(operation.is_failed() && matches!(operation.state(), ReportState::Failed { .. }));
    assert_eq!(operation.into_result().unwrap_err().kind(), ErrorKind::Decode);
    assert_eq!(unreadable().into_result().unwrap_err().kind(), ErrorKind::Decode);
    assert!(matches!(unreadable().into_state(), ReportState::Failed { .. }));
}

#[test]
fn an_error_of_metadata_or_result_outlives_the_operation() {
    fn page(running: &ReportOperation) -> std::result::Result<(), Box<dyn Error + Send + Sync>> {
        running.metadata()?;
        running.result()?;
        Ok(())
    }
    let error = page(&started(Script::new().running_with(json!({ "page": 7 })))).unwrap_err();
    let error = error.downcast::<lro_runtime::Error>().unwrap();
    assert_eq!(error.kind(), ErrorKind::NotCompleted);
}

#[test]
fn operations_go_to_any_thread_and_so_do_their_futures() {
    fn is_shared<T: Clone + Send + Sync + 'static>(_: &T) {}
    fn is_sent<T: Send + 'static>(_: T) {}
    let stage = Stage::new(Script::new().running(1));
    let operation = stage.export();
    is_shared(&operation);
    is_shared(operation.untyped());
    is_shared(operation.client());
    is_shared(&operation.token());
    is_shared(&operation.shared(PollSettings::default()));
    is_sent(operation.poll_once());
    is_sent(operation.poll_until_completed(PollSettings::default()));
    is_sent(operation.cancel_and_wait(PollSettings::default()));
    is_sent(operation.snapshots(PollSettings::default()));
    is_sent(operation.on_progress(|_| {}));
    is_sent(operation.blocking());
    is_sent(operation.into_future());
}
