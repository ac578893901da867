//! Tests of polls that a server holds until something changes, and of servers that cannot hold
//! them.

use std::time::Duration;

use lro_runtime::{ErrorKind, PollSettings, block_on, dialect::Google};

use crate::answers::{Answer, Answers, http};

const RUNNING: &str = r#"{"name": "operations/1", "metadata": {}}"#;
const DONE: &str = r#"{"name": "operations/1", "done": true, "response": {}}"#;
const SECOND: Duration = Duration::from_secs(1);

/// Returns settings that ask the server to hold each poll for 30 s.
fn held() -> PollSettings {
    PollSettings::default()
        .with_delay(SECOND)
        .with_multiplier(1.0)
        .with_timeout(SECOND * 600)
        .with_long_poll(SECOND * 30)
}

fn wait(answers: &Answers, settings: PollSettings) -> (lro_runtime::Result<lro_runtime::RawOperation>, Duration) {
    let (operations, clock) = answers.operations("https://images.example.com", Google::new());
    let operation = operations.resume("operations/1").unwrap();
    let result = block_on(operation.poll_until_completed(settings));
    (result, clock.elapsed())
}

/// Returns the method of every request, and what follows the operation's name in its URL.
fn verbs(answers: &Answers) -> Vec<String> {
    answers.lines().iter().map(|line| line.replace(" https://images.example.com/v1/operations/1", "")).collect()
}

#[test]
fn a_service_without_the_call_is_asked_for_it_once() {
    let unimplemented = r#"{"error": {"code": 501, "status": "UNIMPLEMENTED", "message": ""}}"#;
    for (status, body) in [(501, unimplemented), (404, "<html>no route</html>"), (405, "")] {
        let answers =
            Answers::new(
                move |n, _| if n == 0 { http(status, body) } else { http(200, if n < 3 { RUNNING } else { DONE }) },
            );
        assert!(wait(&answers, held()).0.unwrap().is_succeeded(), "{status}");
        assert_eq!(verbs(&answers), ["POST:wait", "GET", "GET", "GET"], "{status}");
    }
}

#[test]
fn an_operation_that_does_not_exist_is_told_from_a_call_that_does_not() {
    let answers = Answers::new(|_, _| http(404, r#"{"error": {"code": 404, "status": "NOT_FOUND", "message": ""}}"#));
    let error = wait(&answers, held()).0.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Poll);
    assert_eq!(verbs(&answers), ["POST:wait", "GET"]);
}

#[test]
fn answers_that_come_at_once_make_no_hot_loop() {
    let answers = Answers::new(|_, _| RUNNING);
    let (result, took) = wait(&answers, held().with_timeout(SECOND * 60));
    assert_eq!(result.unwrap_err().kind(), ErrorKind::Timeout);
    assert_eq!(took, SECOND * 60);
    assert!((58..=62).contains(&answers.requests().len()), "{} requests in a minute", answers.requests().len());
}

#[test]
fn a_server_that_holds_for_longer_than_asked_is_polled_as_usual() {
    let answers = Answers::new(|n, request| match request.method().as_str() {
        "POST" => Answer::Silence,
        _ if n < 3 => RUNNING.into(),
        _ => DONE.into(),
    });
    let (result, _) = wait(&answers, held().with_error_budget(0));
    assert!(result.unwrap().is_succeeded());
    assert_eq!(verbs(&answers), ["POST:wait", "GET", "GET", "GET"]);
}

#[test]
fn a_poll_that_is_held_beyond_the_deadline_ends_on_it() {
    let answers = Answers::new(|_, _| Answer::Silence);
    let (result, took) = wait(&answers, held().with_timeout(SECOND * 7));
    assert_eq!(result.unwrap_err().kind(), ErrorKind::Timeout);
    assert_eq!(took, SECOND * 7);
}

#[test]
fn the_time_asked_for_is_written_exactly() {
    let answers = Answers::new(|_, _| DONE);
    let (operations, _) = answers.operations("https://images.example.com", Google::new());
    assert!(block_on(operations.wait("operations/1", Duration::from_nanos(1_500_000_001))).unwrap().is_completed());
    assert_eq!(&answers.requests()[0].body()[..], br#"{"timeout":"1.500000001s"}"#);
}
