//! Tests of declared wire types, from the author's declaration to what a user sees.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::float_cmp, reason = "tests may fail")]

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use lro_fixture_sdk::{Metrics, ModelClient, PredictState};
use lro_runtime::{
    ErrorKind, Operations, Result, Token,
    dialect::Declared,
    transport::{BoxFuture, Reply, Request, Transport, TransportError, TransportErrorKind},
    wire::{openai, replicate},
};
use smol::block_on;

/// A transport that gives replies in order, and records the requests.
#[derive(Clone, Default)]
struct Replies {
    replies: Arc<Mutex<VecDeque<&'static str>>>,
    requested: Arc<Mutex<Vec<String>>>,
}

impl Transport for Replies {
    fn send<'a>(&'a self, request: &'a Request, _: usize) -> BoxFuture<'a, std::result::Result<Reply, TransportError>> {
        let requested = format!("{} {}", request.method(), request.uri().path_and_query().expect("a path"));
        self.requested.lock().expect("no test panics here").push(requested);
        let reply = self.replies.lock().expect("no test panics here").pop_front();
        Box::pin(async move {
            let none = || TransportError::message(TransportErrorKind::InvalidRequest, "no reply is left");
            reply.map(|body| Reply::new(body.into())).ok_or_else(none)
        })
    }
}

impl Replies {
    fn of(replies: &[&'static str]) -> Self {
        Self { replies: Arc::new(Mutex::new(replies.iter().copied().collect())), requested: Arc::default() }
    }

    fn operations(&self) -> Result<Operations> {
        Operations::builder("https://api.test").transport(self.clone()).build()
    }

    fn requested(&self) -> Vec<String> {
        self.requested.lock().expect("no test panics here").clone()
    }
}

const STARTING: &str = r#"{"id": "p1", "status": "starting", "output": null, "error": null}"#;
const PROCESSING: &str = r#"{"id": "p1", "status": "processing", "metrics": {"predict_time": 1.5}}"#;
const SUCCEEDED: &str =
    r#"{"id": "p1", "status": "succeeded", "output": ["a", "b"], "metrics": {"predict_time": 4.5}}"#;

#[test]
fn a_declared_type_makes_a_method_typed() -> Result<()> {
    let transport = Replies::of(&[STARTING, PROCESSING, SUCCEEDED]);
    let client = ModelClient::new(transport.operations()?);
    let started = block_on(client.predict("a cat"))?;
    assert!(matches!(started.state(), PredictState::Pending));
    assert_eq!(started.name(), "p1");
    let running = block_on(started.poll_once())?;
    assert!(
        matches!(running.state(), PredictState::Running { metadata: Some(Metrics { predict_time, .. }) } if *predict_time == 1.5)
    );
    let resumed = client.resume_predict(running.token())?;
    let done = block_on(resumed.poll_once())?;
    match done.state() {
        PredictState::Succeeded { response, metadata: Some(metadata) } => {
            assert_eq!(
                (response.as_slice(), metadata.predict_time),
                (["a".to_owned(), "b".to_owned()].as_slice(), 4.5)
            );
        }
        _ => panic!("{done:?}"),
    }
    assert_eq!(done.raw().len(), SUCCEEDED.len(), "the message is reachable as received");
    assert_eq!(transport.requested(), ["POST /v1/predictions", "GET /v1/predictions/p1", "GET /v1/predictions/p1"]);
    Ok(())
}

#[test]
fn cancelling_goes_where_the_declaration_says() -> Result<()> {
    let transport = Replies::of(&[PROCESSING, "{}", r#"{"id": "p1", "status": "canceled"}"#]);
    let client = ModelClient::new(transport.operations()?);
    let started = block_on(client.predict("a cat"))?;
    block_on(started.cancel())?;
    let done = block_on(started.poll_once())?;
    assert!(done.is_cancelled());
    assert_eq!(done.into_result().unwrap_err().kind(), ErrorKind::Cancelled);
    assert_eq!(transport.requested().get(1).map(String::as_str), Some("POST /v1/predictions/p1/cancel"));
    Ok(())
}

#[test]
fn an_output_of_another_type_is_told_and_kept() -> Result<()> {
    let transport = Replies::of(&[
        r#"{"id": "p1", "status": "succeeded", "output": {"url": "x"}}"#,
        r#"{"id": "p1", "status": "succeeded", "output": null}"#,
    ]);
    let client = ModelClient::new(transport.operations()?);
    for _ in 0..2 {
        let done = block_on(client.predict("a cat"))?;
        assert!(done.is_failed() && done.raw().starts_with(b"{\"id\""), "an undecodable response reads as data loss");
        assert_eq!(done.into_result().unwrap_err().kind(), ErrorKind::Decode);
    }
    Ok(())
}

#[test]
fn an_unknown_word_is_running_and_visible_though_the_enum_does_not_know_it() -> Result<()> {
    let transport = Replies::of(&[r#"{"id": "p1", "status": "warming_up"}"#]);
    let started = block_on(ModelClient::new(transport.operations()?).predict("a cat"))?;
    assert!(matches!(started.state(), PredictState::Running { metadata: None }));
    assert_eq!(started.raw_status(), Some("warming_up"));
    Ok(())
}

#[test]
fn a_generic_type_and_a_flag_are_declared_as_well() -> Result<()> {
    let transport =
        Replies::of(&[r#"{"id": 9, "done": false, "steps": "3.5"}"#, r#"{"id": 9, "done": true, "output": 42}"#]);
    let started = block_on(ModelClient::new(transport.operations()?).count())?;
    assert_eq!((started.name(), started.progress()), ("9", Some(0.5)));
    assert_eq!(block_on(started.poll_once())?.into_result()?, 42);
    Ok(())
}

#[test]
fn a_token_is_of_one_wire_type() -> Result<()> {
    let responses = Operations::builder("https://api.test").dialect(Declared::of::<openai::Response>()).build()?;
    let predictions =
        Operations::builder("https://api.test").dialect(Declared::of::<replicate::Prediction>()).build()?;
    let token: Token = responses.resume("resp_1")?.token();
    assert_eq!(responses.resume(token.clone())?.name(), "resp_1");
    let error = predictions.resume(token).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidToken);
    assert!(error.to_string().contains("declared:openai.response"), "{error}");
    Ok(())
}

#[test]
fn operations_are_listed_page_by_page() -> Result<()> {
    let transport = Replies::of(&[
        r#"{"results": [{"id": "p1", "status": "starting"}, {"id": "p2", "status": "succeeded", "output": 1}], "next": "https://api.test/v1/predictions?cursor=2"}"#,
        r#"{"results": [{"id": "p3", "status": "failed", "error": "no"}], "next": null}"#,
    ]);
    let dialect = Declared::of::<replicate::Prediction>();
    let client = Operations::builder("https://api.test").transport(transport.clone()).dialect(dialect).build()?;
    let mut list = client.list("");
    let mut seen = Vec::new();
    while let Some(operation) = block_on(list.next()) {
        let operation = operation?;
        seen.push(format!("{} {}", operation.name(), operation.state()));
    }
    assert_eq!(seen, ["p1 pending", "p2 succeeded", "p3 failed"]);
    assert_eq!(transport.requested(), ["GET /v1/predictions", "GET /v1/predictions?cursor=2"]);
    Ok(())
}
