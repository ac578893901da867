//! Tests of the keys `waiter` and `dialect`, from the attribute to what a user sees.

#![expect(clippy::unwrap_used, reason = "tests may fail")]

use lro_fixture_sdk::{Bucket, BucketClient, CreateBucketState};
use lro_runtime::{
    ErrorKind, Operations, PollSettings, Result,
    dialect::{Http, Waiter},
    testing::{Script, ScriptedTransport, VirtualClock},
};
use serde_json::{Value, json};
use smol::block_on;

fn client(script: Script) -> Result<(BucketClient, ScriptedTransport)> {
    let transport = ScriptedTransport::new(script);
    Ok((BucketClient::new(transport.operations(&VirtualClock::new())?), transport))
}

/// Returns a script that begins with the reply to the call that creates a bucket.
fn accepted() -> Script {
    Script::new().http(201, r#"{"bucket": {"id": "b-7"}}"#).to("POST", "/v1/buckets")
}

/// Adds a poll that finds this output.
fn with_poll(script: Script, output: &Value) -> Script {
    script.json(output).to("GET", "/v1/buckets/b-7")
}

/// Waits for a bucket whose first poll finds this output.
fn ends(output: &Value) -> Result<Bucket> {
    let (client, transport) = client(with_poll(accepted(), output))?;
    let result = block_on(async { client.create_bucket().await?.poll_until_completed(PollSettings::default()).await })?;
    transport.assert_finished();
    result.into_result()
}

#[test]
fn a_creation_waits_until_a_word() -> Result<()> {
    let script = accepted().http(404, "").to("GET", "/v1/buckets/b-7");
    let script = with_poll(script, &json!({"bucket": {"id": "b-7", "state": "CREATING"}}));
    let script = with_poll(script, &json!({"bucket": {"id": "b-7", "state": "READY"}, "took": 3}));
    let (client, transport) = client(script)?;
    let started = block_on(client.create_bucket())?;
    assert_eq!(started.name(), "b-7", "`name_at` finds it in the reply of the start call");
    assert!(matches!(started.state(), CreateBucketState::Pending), "not polled yet");
    let done = block_on(started.poll_until_completed(PollSettings::default()))?;
    assert_eq!(done.raw_status(), Some("READY"));
    match done.state() {
        CreateBucketState::Succeeded { response, metadata: Some(metadata) } => {
            assert_eq!(response.state, "READY", "`response_at` finds it in the output");
            assert_eq!(metadata.get("took"), Some(&json!(3)), "the metadata is the whole output");
        }
        _ => assert!(done.is_succeeded(), "the first `success` matches"),
    }
    transport.assert_finished();
    Ok(())
}

#[test]
fn a_deletion_waits_until_not_found() -> Result<()> {
    let script = Script::new().http(202, "").to("DELETE", "/v1/buckets/b-7");
    let script = with_poll(script, &json!({"state": "DELETING"})).http(404, "").to("GET", "/v1/buckets/b-7");
    let (client, transport) = client(script)?;
    let started = block_on(client.delete_bucket("b-7")).ok();
    let done = started.map(|started| block_on(started.poll_until_completed(PollSettings::default()))).transpose()?;
    assert!(done.is_some_and(|done| done.is_succeeded() && done.raw_status() == Some("NotFound")));
    transport.assert_finished();
    Ok(())
}

#[test]
fn the_first_acceptor_that_matches_decides() {
    let kind = |output: Value| ends(&output).map(|bucket| bucket.state).map_err(|error| error.kind());
    let bucket = |state: &str, frozen: bool| json!({"state": state, "frozen": frozen});
    assert_eq!(kind(json!({"bucket": bucket("FAILED", false)})), Err(ErrorKind::Failed));
    assert_eq!(kind(json!({"bucket": bucket("READY", true)})), Ok("READY".to_owned()), "`success` is written first");
    assert_eq!(kind(json!({"bucket": bucket("NEW", true)})), Err(ErrorKind::Failed), "`is = true`");
    let replicas = |states: [&str; 2]| {
        let replicas: Vec<Value> = states.iter().map(|state| json!({ "state": state })).collect();
        json!({"bucket": bucket("NEW", false), "replicas": replicas})
    };
    assert_eq!(kind(replicas(["READY", "LOST"])), Err(ErrorKind::Failed), "`any`");
    assert_eq!(kind(replicas(["READY", "READY"])), Ok("NEW".to_owned()), "`all`");
}

#[test]
fn an_error_that_no_acceptor_matches_is_failure() -> Result<()> {
    let (client, transport) = client(accepted().http(403, r#"{"code": "Frozen"}"#))?;
    let started = block_on(client.create_bucket())?;
    let done = block_on(started.poll_until_completed(PollSettings::default()))?;
    assert!(done.is_failed() && done.raw_status() == Some("Frozen"));
    transport.assert_finished();
    Ok(())
}

#[test]
fn a_known_name_is_waited_for_without_a_start_call() -> Result<()> {
    let output = json!({"bucket": {"state": "READY"}});
    let (client, transport) = client(with_poll(Script::new(), &output))?;
    let resumed = client.resume_create_bucket("b-7")?;
    assert_eq!(block_on(resumed.poll_once())?.into_result()?.state, "READY");
    transport.assert_finished();
    Ok(())
}

#[test]
fn a_post_waiter_sends_its_body_and_headers() -> Result<()> {
    let script = Script::new().json(json!({"Table": {"Name": "t"}})).to("POST", "/");
    let script = script.json(json!({"Table": {"Status": "ACTIVE"}})).to("POST", "/");
    let (client, transport) = client(script)?;
    let started = block_on(client.create_table())?;
    block_on(started.poll_until_completed(PollSettings::default()))?.into_result()?;
    transport.assert_finished();
    let requests = transport.requests();
    let poll = requests.last();
    assert_eq!(poll.map(|poll| poll.body().as_ref()), Some(br#"{"TableName":"t"}"#.as_slice()));
    let target = poll.and_then(|poll| poll.headers().get("x-target")).map(http::HeaderValue::as_bytes);
    assert_eq!(target, Some(b"Tables.Describe".as_slice()));
    Ok(())
}

#[test]
fn a_method_has_the_dialect_of_its_expression_and_not_the_clients() -> Result<()> {
    let script = Script::new().json(json!({})).to("PUT", "/v1/buckets/b-7");
    let transport = ScriptedTransport::new(with_poll(script, &json!({"state": "MOVED"})));
    let builder = lro_runtime::Operations::builder("http://scripted.test").dialect(Http::new());
    let operations = builder.transport(transport.clone()).timer(VirtualClock::new()).build()?;
    let client = BucketClient::new(operations);
    let started = block_on(client.move_bucket("b-7"))?;
    let resumed = client.resume_move_bucket(started.token())?;
    assert_eq!(block_on(resumed.poll_once())?.into_result()?.state, "MOVED");
    transport.assert_finished();
    Ok(())
}

#[test]
fn a_constant_whose_path_cannot_be_parsed_is_refused_before_anything_is_sent() {
    const BROKEN: Waiter = Waiter::get("v1/buckets/{name}").response_at("bucket[");
    let transport = ScriptedTransport::new(Script::new());
    let operations = Operations::builder("http://scripted.test").dialect(BROKEN).transport(transport).build().unwrap();
    let started = block_on(operations.post("v1/buckets", &())).unwrap_err();
    let resumed = operations.resume("b-7").unwrap_err();
    for error in [started, resumed] {
        assert!(error.to_string().contains("`bucket[`"), "{error}");
    }
}
