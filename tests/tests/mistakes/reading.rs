//! Mistakes of reading: what a reply means, and what it does not mean.

use std::{
    borrow::Cow,
    sync::{Arc, Mutex},
};

use lro_runtime::{
    CancelOutcome, Code, Dialect, ErrorKind, Failure, Operations, PollSettings, RawOperation, Result, State,
    UnknownStatus,
    dialect::{Call, Cursor, Observation},
    testing::{Script, ScriptedTransport, VirtualClock},
    transport::{Reply, Request, TransportErrorKind},
};
use serde_json::{Value, json};

use crate::support::{ExportImageOperation, ExportImageState, Stage, cat, percent, secs};

/// Returns the snapshot after one poll with this reply. The start reply was a running operation at
/// 40 per cent.
fn polled(body: Value) -> ExportImageOperation {
    let stage = Stage::new(Script::new().running_with(percent(40)).json(body));
    smol::block_on(stage.export().poll_once()).unwrap()
}

/// Returns an operation that is done with this response.
fn done(response: &Value) -> ExportImageOperation {
    polled(json!({ "name": "operations/1", "done": true, "response": response }))
}

/// A dialect whose replies are one status word and nothing else.
struct Words;

impl Dialect for Words {
    fn id(&self) -> &'static str {
        "words"
    }

    fn read_start<'a>(
        &self,
        _: &Request,
        reply: &'a Reply,
        _: &[(&'static str, &'static str)],
    ) -> Result<Observation<'a>, Failure> {
        let cursor = Cursor::new("jobs/1");
        let mut seen = self.read(&cursor, reply)?;
        seen.cursor = Some(cursor);
        Ok(seen)
    }

    fn locate(&self, name: &str, _: &[(&'static str, &'static str)]) -> Result<Cursor, Failure> {
        Ok(Cursor::new(name))
    }

    fn poll(&self, cursor: &Cursor) -> Result<Call, Failure> {
        Ok(Call::get(cursor.key()))
    }

    fn read<'a>(&self, _: &Cursor, reply: &'a Reply) -> Result<Observation<'a>, Failure> {
        let word = std::str::from_utf8(reply.body()).unwrap_or_default();
        let state = match word {
            "Succeeded" => Some(State::Succeeded),
            "Failed" => Some(State::Failed),
            "Running" => Some(State::Running),
            _ => None,
        };
        let mut seen = Observation::new(state.unwrap_or(State::Running));
        seen.is_known_status = state.is_some();
        seen.raw_status = Some(Cow::Borrowed(word));
        Ok(seen)
    }
}

/// Returns a client whose replies are these words, in this order.
fn words(words: &[&'static str]) -> Operations {
    let clock = VirtualClock::new();
    let script = words.iter().fold(Script::new(), |script, word| script.reply(Reply::new((*word).into())));
    let transport = ScriptedTransport::new(script).with_clock(&clock);
    Operations::builder("http://words.test").dialect(Words).transport(transport).timer(clock).build().unwrap()
}

#[test]
fn a_status_is_a_whole_word_or_nothing() {
    for word in ["NotSucceeded", "FailingOver", "", "succeeded", " Succeeded", "Succeeded\n"] {
        let operation = smol::block_on(words(&[word]).post("jobs", &())).unwrap();
        assert_eq!(operation.state(), State::Running, "{word:?}");
    }
    for done in [json!("true"), json!("false"), json!(1), json!("done"), json!([true]), json!({})] {
        let stage =
            Stage::new(Script::new().running_with(percent(40)).json(json!({ "name": "operations/1", "done": done })));
        let error = smol::block_on(stage.export().poll_once()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol, "{done}");
        assert!(error.to_string().contains("`done`"), "{error}");
    }
}

#[test]
fn an_unknown_word_is_running_and_visible_or_an_error_on_request() {
    let operations = words(&["Running", "Hibernating", "Hibernating", "Succeeded"]);
    let operation = smol::block_on(operations.post("jobs", &())).unwrap();
    let seen = Arc::new(Mutex::new(vec![]));
    let log = Arc::clone(&seen);
    let mut observed =
        operation.on_progress(move |snapshot| log.lock().unwrap().push(snapshot.raw_status().map(str::to_owned)));
    let done = smol::block_on(observed.poll_until_completed(PollSettings::default())).unwrap();
    assert_eq!(done.state(), State::Succeeded);
    let seen: Vec<_> = seen.lock().unwrap().iter().flatten().cloned().collect();
    assert_eq!(seen, ["Running", "Hibernating", "Succeeded"], "a new word is a change");

    let operation = smol::block_on(words(&["Running", "Hibernating"]).post("jobs", &())).unwrap();
    let strict = PollSettings::default().with_unknown_status(UnknownStatus::Error);
    let error = smol::block_on(operation.poll_until_completed(strict)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert!(error.to_string().contains("Hibernating"), "{error}");
    assert_eq!(error.snapshot().unwrap().raw_status(), Some("Hibernating"));
}

#[test]
fn done_without_a_result_is_success_for_nothing_and_a_decode_error_for_anything_else() {
    let stage = Stage::new(Script::new().done_without_result());
    smol::block_on(stage.client.purge()).unwrap().into_result().unwrap();
    let stage = Stage::new(Script::new().done_without_result());
    let operation = stage.export();
    assert!(operation.is_completed() && !operation.is_succeeded());
    assert_eq!(operation.result().unwrap_err().kind(), ErrorKind::Decode);
    assert!(matches!(operation.state(), ExportImageState::Failed { .. }));
    assert!(std::str::from_utf8(operation.raw()).unwrap().contains("\"done\":true"));
    let error = operation.into_result().unwrap_err();
    assert!(error.to_string().contains("found `null`, or no value at all"), "{error}");
    assert_eq!(error.snapshot().unwrap().state(), State::Succeeded, "what the service said");
}

#[test]
fn a_wrong_type_is_a_decode_error_that_names_both() {
    let operation = done(&json!({ "@type": "type.googleapis.com/example.Video", "uri": "gs://pictures/cat.mp4" }));
    let error = operation.into_result().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    let said = error.to_string();
    assert!(said.contains("example.Image") && said.contains("example.Video"), "{said}");
    let any_host = done(&json!({ "@type": "types.example.org/x/example.Image", "uri": "u" }));
    assert_eq!(any_host.into_result().unwrap().uri, "u", "what follows the last `/` counts");
}

#[test]
fn what_does_not_decode_can_be_read_raw() {
    let operation = done(&json!({ "uri": 7 }));
    assert!(operation.is_completed());
    assert_eq!(operation.result().unwrap_err().kind(), ErrorKind::Decode);
    assert_eq!(operation.name(), "operations/1");
    assert!(std::str::from_utf8(operation.raw()).unwrap().contains("\"uri\":7"));
    assert_eq!(operation.untyped().response().unwrap().bytes(), br#"{"uri":7}"#);
    assert_eq!(operation.metadata().unwrap().map(|progress| progress.percent), Some(40));
}

#[test]
fn an_unknown_detail_is_kept_raw_and_fails_nothing() {
    let unknown = json!({ "@type": "type.example.com/never.Heard", "value": { "odd": [1, null] } });
    let details = json!([unknown, 5, null, { "@type": 7 }, { "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "R" }]);
    let error = json!({ "code": 9, "message": "no", "details": details });
    let operation = polled(json!({ "name": "operations/1", "done": true, "error": error }));
    let status = operation.status().unwrap();
    assert_eq!((status.code(), status.details().len()), (Code::FailedPrecondition, 5));
    assert_eq!(serde_json::from_str::<Value>(status.details()[0].json()).unwrap(), unknown);
    assert_eq!(status.details()[4].error_info().unwrap().reason, "R");
}

#[test]
fn metadata_that_does_not_decode_says_so_and_fails_nothing_else() {
    let body = json!({ "name": "operations/1", "metadata": { "percent": "many" }, "done": true, "response": cat() });
    let operation = polled(body);
    assert_eq!(operation.metadata().unwrap_err().kind(), ErrorKind::Decode);
    assert!(matches!(operation.state(), ExportImageState::Succeeded { metadata: None, .. }));
    assert_eq!(operation.untyped().metadata().unwrap().bytes(), br#"{"percent":"many"}"#);
    assert_eq!(operation.into_result().unwrap().uri, "gs://pictures/cat.png");
}

#[test]
fn metadata_is_kept_in_every_state() {
    let endings = [
        json!({ "response": cat() }),
        json!({ "error": { "code": 13, "message": "broken" } }),
        json!({ "error": { "code": 1, "message": "cancelled" } }),
    ];
    for mut ending in endings {
        ending["name"] = json!("operations/1");
        ending["done"] = json!(true);
        let last_known = polled(ending.clone());
        assert_eq!(last_known.metadata().unwrap().unwrap().percent, 40, "{ending}");
        ending["metadata"] = percent(99);
        let newest = polled(ending);
        let metadata = match newest.state() {
            ExportImageState::Succeeded { metadata, .. }
            | ExportImageState::Failed { metadata, .. }
            | ExportImageState::Cancelled { metadata, .. } => metadata.clone(),
            _ => None,
        };
        assert_eq!(metadata.unwrap().percent, 99);
    }
    let running = polled(json!({ "name": "operations/1", "metadata": null }));
    assert_eq!(running.metadata().unwrap().unwrap().percent, 40, "a lagging replica takes nothing away");
    assert_eq!(running.untyped().state(), State::Running, "and moves nothing back");
}

#[test]
fn error_details_are_typed_and_raw() {
    let detail = |name: &str, mut fields: Value| {
        fields["@type"] = json!(format!("type.googleapis.com/google.rpc.{name}"));
        fields
    };
    let details = json!([
        detail("ErrorInfo", json!({ "reason": "STOCKOUT", "domain": "example.com", "metadata": { "zone": "a" } })),
        detail("RetryInfo", json!({ "retryDelay": "1.5s" })),
        detail("QuotaFailure", json!({ "violations": [{ "subject": "project:p", "description": "full" }] })),
        detail("BadRequest", json!({ "fieldViolations": [{ "field": "size", "description": "too large" }] })),
        detail("PreconditionFailure", json!({ "violations": [{ "type": "TOS", "subject": "s", "description": "d" }] })),
        detail(
            "ResourceInfo",
            json!({ "resourceType": "disk", "resourceName": "d1", "owner": "o", "description": "gone" })
        ),
        detail("Help", json!({ "links": [{ "description": "read", "url": "https://example.com" }] })),
        detail("LocalizedMessage", json!({ "locale": "de", "message": "voll" })),
        detail("DebugInfo", json!({ "stackEntries": ["a", "b"], "detail": "x" })),
        detail("RequestInfo", json!({ "requestId": "r", "servingData": "s" })),
    ]);
    let operation = polled(json!({ "done": true, "error": { "code": 8, "message": "full", "details": details } }));
    let error = operation.into_result().unwrap_err();
    let status = error.status().unwrap();
    let details = status.details();
    assert_eq!(details[0].error_info().unwrap().metadata["zone"], "a");
    assert_eq!(status.retry_delay(), Some(secs(1.5)));
    assert_eq!(details[2].quota_failure().unwrap().violations[0].subject, "project:p");
    assert_eq!(details[3].bad_request().unwrap().field_violations[0].field, "size");
    assert_eq!(details[4].precondition_failure().unwrap().violations[0].kind, "TOS");
    assert_eq!(details[5].resource_info().unwrap().resource_name, "d1");
    assert_eq!(details[6].help().unwrap().links[0].url, "https://example.com");
    assert_eq!(details[7].localized_message().unwrap().message, "voll");
    assert_eq!(details[8].debug_info().unwrap().stack_entries, ["a", "b"]);
    assert_eq!(details[9].request_info().unwrap().request_id, "r");
    assert!(details[0].json().contains("STOCKOUT"));
}

#[test]
fn cancelled_is_a_state_of_its_own() {
    let operation =
        polled(json!({ "name": "operations/1", "done": true, "error": { "code": 1, "message": "on request" } }));
    assert!(operation.is_cancelled() && !operation.is_failed() && operation.is_completed());
    assert!(matches!(operation.state(), ExportImageState::Cancelled { .. }));
    let error = operation.into_result().unwrap_err();
    assert_eq!((error.kind(), error.status().unwrap().code()), (ErrorKind::Cancelled, Code::Cancelled));
}

#[test]
fn a_cancellation_is_what_the_server_makes_of_it() {
    let stage = Stage::new(Script::new().running_with(percent(40)).cancel_accepted().running(2).done(cat()));
    let operation = stage.export();
    let ended = smol::block_on(operation.cancel_and_wait(PollSettings::default())).unwrap();
    assert!(ended.is_succeeded(), "finished anyway");
    let stage = Stage::new(Script::new().running_with(percent(40)).cancel_accepted().running(1).cancelled());
    let ended = stage.export().blocking().cancel_and_wait(PollSettings::default()).unwrap();
    assert!(ended.is_cancelled());
    let stage = Stage::new(Script::new().running_with(percent(40)).cancel_accepted());
    let operation = stage.export();
    assert_eq!(smol::block_on(operation.cancel()).unwrap(), CancelOutcome::Requested);
    assert!(matches!(operation.state(), ExportImageState::Running { .. }), "asked, not assumed");
}

#[test]
fn a_refused_cancel_call_on_what_has_just_ended_is_finished_anyway() {
    type Cancel = fn(&ExportImageOperation) -> Result<RawOperation>;
    let forms: [Cancel; 4] = [
        |typed| smol::block_on(typed.cancel_and_wait(PollSettings::default())).map(|ended| ended.untyped().clone()),
        |typed| typed.blocking().cancel_and_wait(PollSettings::default()).map(|ended| ended.untyped().clone()),
        |typed| smol::block_on(typed.untyped().cancel_and_wait(PollSettings::default())),
        |typed| typed.untyped().blocking().cancel_and_wait(PollSettings::default()),
    ];
    let codes = [Code::FailedPrecondition, Code::Aborted, Code::NotFound, Code::InvalidArgument, Code::Unimplemented];
    for (form, code) in forms.into_iter().flat_map(|form| codes.map(|code| (form, code))) {
        let refused =
            || Script::new().running_with(percent(40)).error(code, "not now").to("POST", "/v1/operations/1:cancel");
        let stage = Stage::new(refused().done(cat()));
        assert!(form(&stage.export()).unwrap().is_succeeded(), "{code}");
        stage.transport.assert_finished();

        let stage = Stage::new(refused().running_with(percent(50)).running(5));
        let error = form(&stage.export()).unwrap_err();
        assert_eq!(error.status().unwrap().message(), "not now", "the refusal's");
        assert_eq!(error.snapshot().unwrap().progress(), Some(0.5), "with what was known last");
        assert_eq!(stage.requests(), 3, "one poll after the refusal");

        let stage = Stage::new(refused().unavailable());
        assert_eq!(form(&stage.export()).unwrap_err().status().unwrap().message(), "not now");
    }
}

#[test]
fn the_poll_after_a_refused_cancel_call_has_the_time_limits_of_the_settings() {
    let limits = [
        (PollSettings::default().with_timeout(secs(1.0)), secs(1.0)),
        (PollSettings::default().with_poll_timeout(secs(2.0)), secs(2.0)),
        (PollSettings::default().with_poll_timeout(secs(2.0)).with_timeout(secs(3.0)), secs(2.0)),
        (PollSettings::default().without_expiration(), secs(30.0)),
    ];
    for (settings, limit) in limits {
        let script = Script::new().running_with(percent(40)).error(Code::InvalidArgument, "not now");
        let stage = Stage::new(script.to("POST", "/v1/operations/1:cancel").silence());
        let operation = stage.export();
        let began = stage.clock.elapsed();
        let error = smol::block_on(operation.cancel_and_wait(settings)).unwrap_err();
        assert_eq!(error.status().unwrap().message(), "not now");
        assert_eq!(stage.clock.elapsed(), began + limit);
    }
}

#[test]
fn a_cancel_call_that_the_service_has_not_judged_is_followed_by_no_poll() {
    let unjudged = [
        Script::new().running_with(percent(1)).unavailable(),
        Script::new().running_with(percent(1)).error(Code::ResourceExhausted, "slower"),
        Script::new().running_with(percent(1)).transport_error(TransportErrorKind::Closed),
    ];
    for script in unjudged {
        let stage = Stage::new(script);
        let error = stage.export().blocking().cancel_and_wait(PollSettings::default()).unwrap_err();
        assert_eq!((error.kind(), stage.requests()), (ErrorKind::Poll, 2));
    }
}

#[test]
fn a_failed_operation_is_data_until_its_result_is_taken() {
    let stage = Stage::new(Script::new().running_with(percent(1)).failed(Code::Internal, "disk on fire"));
    let ended = smol::block_on(stage.export().poll_until_completed(PollSettings::default())).unwrap();
    assert!(ended.is_failed());
    let error = ended.into_result().unwrap_err();
    assert_eq!((error.kind(), error.status().unwrap().message()), (ErrorKind::Failed, "disk on fire"));
    let stage = Stage::new(Script::new().running_with(percent(1)).failed(Code::Internal, "disk on fire"));
    assert_eq!(smol::block_on(stage.export().into_future()).unwrap_err().kind(), ErrorKind::Failed);
}

#[test]
fn a_code_in_an_operation_is_canonical_and_one_in_an_http_error_is_http() {
    let operation = polled(json!({ "done": true, "error": { "code": 5, "message": "no such bucket" } }));
    let status = operation.status().unwrap();
    assert_eq!((status.code(), status.http_status()), (Code::NotFound, None));
    let odd = polled(json!({ "done": true, "error": { "code": 404, "message": "" } }));
    assert_eq!(odd.status().unwrap().code(), Code::Unknown, "no canonical code");
    let stage = Stage::new(Script::new().running_with(percent(1)).error(Code::PermissionDenied, "not yours"));
    let error = smol::block_on(stage.export().poll_once()).unwrap_err();
    let status = error.status().unwrap();
    assert_eq!(
        (status.code(), status.http_status(), status.message()),
        (Code::PermissionDenied, Some(403), "not yours")
    );
}

#[test]
fn nothing_counts_before_done() {
    for early in
        [json!({ "error": { "code": 13, "message": "retrying" } }), json!({ "response": cat() }), json!({ "error": 5 })]
    {
        let mut body = early;
        body["name"] = json!("operations/1");
        body["metadata"] = percent(50);
        let operation = polled(body.clone());
        assert!(matches!(operation.state(), ExportImageState::Running { .. }), "{body}");
        assert!(operation.status().is_none() && operation.untyped().response().is_none());
    }
}
