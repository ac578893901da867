//! Tests of the method that surrounds a call: whatever its body resumes or starts, on whichever
//! task, is read, judged and polled as the method declares.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may fail")]

#[path = "support/mod.rs"]
#[expect(unreachable_pub, reason = "shared with other test binaries")]
mod support;

use std::{thread, time::Duration};

use lro_runtime::{
    Code, ErrorKind, Operations, RawOperation, Result, Resume, State, Status,
    dialect::{Azure, Http},
    long_running,
    testing::VirtualClock,
    transport::{Reply, Request},
};
use serde::Deserialize;
use serde_json::json;
use smol::block_on;

use crate::support::{Server, json_reply, reply};

#[derive(Clone, Debug, Deserialize)]
struct Progress {
    queued: bool,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Film {
    frames: u32,
}

struct FilmClient {
    operations: Operations,
}

impl FilmClient {
    /// Starts an operation on another thread, where no method surrounds the call.
    fn post_elsewhere(&self) -> Result<RawOperation> {
        let operations = self.operations.clone();
        thread::spawn(move || block_on(operations.post("v1/films", &json!({ "cat": true })))).join().unwrap()
    }
}

/// An empty film is a failure, whatever the service says.
fn empty(film: &Film) -> Option<Status> {
    (film.frames == 0).then(|| Status::new(Code::FailedPrecondition, "no frames"))
}

#[long_running(response = Film, metadata = Progress)]
impl FilmClient {
    /// Starts in a dialect that is not the client's.
    #[long_running(dialect = Http::new())]
    async fn render(&self) -> Result<RawOperation> {
        self.operations.post("v1/films", &json!({ "cat": true })).await
    }

    /// Resumes in a dialect that is not the client's.
    #[long_running(dialect = Http::new())]
    async fn take_up(&self, from: Resume) -> Result<RawOperation> {
        self.operations.resume(from)
    }

    /// Resumes before the body is polled, where no method surrounds the call.
    #[long_running(dialect = Http::new())]
    fn take_up_early(&self, name: &str) -> impl Future<Output = Result<RawOperation>> + Send {
        std::future::ready(self.operations.resume(name))
    }

    /// Starts on another thread, and judges.
    #[long_running(pending = |progress| progress.queued, classify = empty)]
    async fn judge(&self) -> Result<RawOperation> {
        self.post_elsewhere()
    }

    /// Resumes on another thread.
    #[long_running]
    async fn adopt(&self, from: Resume) -> Result<RawOperation> {
        let operations = self.operations.clone();
        thread::spawn(move || operations.resume(from)).join().unwrap()
    }

    /// Starts on another thread, in a dialect that is not the client's.
    #[long_running(dialect = Http::new())]
    async fn differ(&self) -> Result<RawOperation> {
        self.post_elsewhere()
    }

    /// Starts on another thread, with a path of its own.
    #[long_running(path = "v2/{name}")]
    async fn follow(&self) -> Result<RawOperation> {
        self.post_elsewhere()
    }

    /// Starts on another thread, with an option that only the start call can know.
    #[long_running(final_state_via = "original-uri")]
    async fn via(&self) -> Result<RawOperation> {
        self.post_elsewhere()
    }
}

/// A client of the dialect `google`, whose service answers with this function.
fn client(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> (FilmClient, Server) {
    let clock = VirtualClock::new();
    let server = Server::new(&clock, move |_, request| (Duration::ZERO, Ok(answer(request))));
    let operations = Operations::builder("https://films.test").transport(server.clone()).timer(clock).build().unwrap();
    (FilmClient { operations }, server)
}

#[test]
fn a_resume_in_the_body_of_a_method_is_one_of_that_method() {
    let (client, server) = client(|_| json_reply(&json!({ "frames": 7 })));
    for operation in [
        block_on(client.take_up("/jobs/7".into())).unwrap(),
        client.resume_take_up("/jobs/7").unwrap(),
        block_on(client.take_up(client.resume_take_up("/jobs/7").unwrap().token().into())).unwrap(),
    ] {
        assert_eq!(block_on(operation.into_future()).unwrap(), Film { frames: 7 });
        assert_eq!(server.requests().last().unwrap().1.uri(), "https://films.test/jobs/7", "in the dialect `http`");
    }
    let foreign = client.resume_judge("operations/1").unwrap().token();
    let error = block_on(client.take_up(foreign.into())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidToken);
    assert!(error.to_string().contains("FilmClient.judge") && error.to_string().contains("take_up"), "{error}");
}

#[test]
fn outside_of_a_method_a_resume_is_untyped_and_speaks_the_dialect_of_the_client() {
    let (client, server) = client(|_| json_reply(&json!({ "name": "operations/1", "done": false })));
    let polled = block_on(client.operations.resume("operations/1").unwrap().poll_once()).unwrap();
    assert_eq!((polled.state(), polled.token().method()), (State::Pending, ""));
    assert_eq!(server.requests()[0].1.uri(), "https://films.test/v1/operations/1");
}

#[test]
fn a_token_of_another_method_is_refused_on_whichever_task_it_is_read() {
    let (client, server) = client(|_| json_reply(&json!({ "name": "operations/1", "done": false })));
    let own = client.resume_adopt("operations/1").unwrap().token();
    let polled = block_on(block_on(client.adopt((&own).into())).unwrap().poll_once()).unwrap();
    assert_eq!(polled.token().method(), "FilmClient.adopt");
    let foreign = client.resume_judge("operations/1").unwrap().token();
    let operation = block_on(client.adopt((&foreign).into())).unwrap();
    assert_eq!(operation.name(), "operations/1");
    let error = block_on(operation.poll_once()).unwrap_err();
    let said = "the token belongs to the method `FilmClient.judge`, not to `FilmClient.adopt`";
    assert!(error.to_string().contains(said), "{error}");
    assert!(client.resume_adopt(operation.token()).is_err(), "a token does not hide it");
    // Untyped, the operation is still one of the method that wrote the token.
    let untyped = client.operations.resume(&foreign).unwrap();
    assert_eq!(untyped.token(), foreign);
    let polled = block_on(untyped.poll_once()).unwrap();
    assert_eq!(polled.token().method(), "FilmClient.judge");
    assert!(client.resume_judge(polled.token()).is_ok());
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn a_reply_that_came_on_another_task_is_judged_by_the_method() {
    let queued = |queued: bool| json!({ "name": "operations/1", "metadata": { "queued": queued } });
    let done = |frames: u32| json!({ "name": "operations/1", "done": true, "response": { "frames": frames } });
    for (reply, state) in [
        (queued(true), State::Pending),
        (queued(false), State::Running),
        (done(7), State::Succeeded),
        (done(0), State::Failed),
    ] {
        let (client, _) = client(move |_| json_reply(&reply));
        let operation = block_on(client.judge()).unwrap();
        assert_eq!(operation.untyped().state(), state);
        assert_eq!(operation.status().map(Status::message), (state == State::Failed).then_some("no frames"));
        assert_eq!(operation.token().method(), "FilmClient.judge");
    }
}

#[test]
fn what_comes_back_in_another_dialect_is_an_error_that_says_why() {
    // In the dialect `google` the reply is a success. The method's dialect would read another one.
    let (client, server) =
        client(|_| json_reply(&json!({ "name": "operations/1", "done": true, "response": { "frames": 1 } })));
    for operation in [block_on(client.differ()).unwrap(), {
        let stored = json!({ "name": "operations/1", "done": true }).to_string();
        client.operations.adopt(stored).unwrap().typed::<DifferState>()
    }] {
        assert!(!operation.is_completed(), "nothing is believed of it");
        assert_eq!(operation.name(), "operations/1", "and its name is not lost");
        assert!(!operation.raw().is_empty());
        let sent = server.requests().len();
        for error in [
            block_on(operation.poll_once()).unwrap_err(),
            block_on(operation.untyped().cancel()).unwrap_err(),
            block_on(operation.into_future()).unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::Protocol);
            let said = error.to_string();
            let resumed = client.resume_differ(error.token().unwrap()).unwrap();
            let again = block_on(resumed.poll_once()).unwrap_err().to_string();
            for word in ["operations/1", "`google`", "`FilmClient.differ`", "`http`", "another task"] {
                assert!(said.contains(word), "{word}: {said}");
                assert!(again.contains(word), "a token does not hide it: {word}: {again}");
            }
        }
        assert_eq!(server.requests().len(), sent, "nothing is sent");
    }
    let early = block_on(client.take_up_early("operations/1")).unwrap();
    assert!(block_on(early.poll_once()).unwrap_err().to_string().contains("before it"));
}

#[test]
fn what_is_not_believed_leaves_no_more_of_the_callers_url_in_a_token() {
    let clock = VirtualClock::new();
    let server = Server::new(&clock, |_, _| {
        let mut accepted = reply(202, String::new());
        accepted.headers_mut().insert("location", "#there".parse().unwrap());
        (Duration::ZERO, Ok(accepted))
    });
    let operations =
        Operations::builder("https://films.test").dialect(Azure::new()).transport(server).timer(clock).build().unwrap();
    let started = block_on(operations.post("v1/films?api-version=1&pin=hunter2", &json!({}))).unwrap();
    let resumed = operations.resume(started.token()).unwrap();
    for operation in [started, resumed] {
        let operation = operation.typed::<DifferState>();
        assert!(
            block_on(operation.poll_once()).unwrap_err().to_string().contains("`azure`"),
            "the method is of `http`"
        );
        let token = operation.token();
        assert_eq!(token.name(), "https://films.test/v1/films?api-version=1");
        assert_eq!(token.left_out(), ["pin"], "also of what it was resumed without");
    }
}

#[test]
fn options_that_the_call_did_not_know_are_made_up_for_or_said() {
    let (client, server) = client(|_| json_reply(&json!({ "name": "operations/1" })));
    let operation = block_on(client.follow()).unwrap();
    assert!(!block_on(operation.poll_once()).unwrap().is_completed());
    assert_eq!(server.requests().last().unwrap().1.uri(), "https://films.test/v2/operations/1");

    let clock = VirtualClock::new();
    let server = Server::new(&clock, |_, _| {
        let mut accepted = reply(202, String::new());
        accepted.headers_mut().insert("operation-location", "/ops/1".parse().unwrap());
        (Duration::ZERO, Ok(accepted))
    });
    let operations =
        Operations::builder("https://films.test").dialect(Azure::new()).transport(server).timer(clock).build().unwrap();
    let operation = block_on(FilmClient { operations }.via()).unwrap();
    let error = block_on(operation.poll_once()).unwrap_err();
    assert!(error.to_string().contains("final_state_via = original-uri"), "{error}");
    assert_eq!(operation.name(), "https://films.test/ops/1");
}

#[test]
fn the_token_of_an_operation_that_was_finished_at_once_is_of_its_methods_dialect() {
    let (client, _) = client(|_| json_reply(&json!({ "frames": 7 })));
    let operation = block_on(client.render()).unwrap();
    assert!(operation.is_succeeded() && operation.name().is_empty());
    assert!(client.resume_render(operation.token()).unwrap().untyped().is_succeeded());
    assert_eq!(client.operations.resume(operation.token()).unwrap_err().kind(), ErrorKind::InvalidToken);
}
