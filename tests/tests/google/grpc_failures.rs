//! Calls over gRPC that fail, and what is kept of why.

use std::{sync::Arc, time::Duration};

use lro_runtime::{
    Code, Dialect, ErrorKind, Operations, PollSettings, Status, block_on,
    dialect::{GoogleGrpc, Hint},
    grpc::longrunning::Operation,
    testing::VirtualClock,
    transport::Reply,
};
use prost::Message;
use tonic_types::pb;

use crate::{
    channel::{BoxError, Broken, Channel, Gateway},
    grpc::{AT_ONE, Images, any, client, failed, succeeded},
};

#[test]
fn a_start_call_that_fails_keeps_its_details() {
    let details = pb::Status { code: 8, message: "full".to_owned(), details: failed_details() };
    let bytes = details.encode_to_vec();
    let channel = Channel::new(move |_, _| {
        Err(tonic::Status::with_details(tonic::Code::ResourceExhausted, "voll – 100 %", bytes.clone().into()))
    });
    let error = block_on(Images { operations: client(&channel) }.export(AT_ONE)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Start);
    let status = error.status().unwrap();
    assert_eq!((status.code(), status.message()), (Code::ResourceExhausted, "voll – 100 %"));
    assert_eq!(status.details()[0].error_info().unwrap().reason, "R");
    let converted: lro_runtime::Error =
        tonic::Status::with_details(tonic::Code::NotFound, "gone", details.encode_to_vec().into()).into();
    assert_eq!(converted.kind(), ErrorKind::Start);
    assert_eq!(converted.status().unwrap().details().len(), 1);
}

fn failed_details() -> Vec<prost_types::Any> {
    let info = pb::ErrorInfo { reason: "R".to_owned(), ..Default::default() };
    vec![any("type.googleapis.com/google.rpc.ErrorInfo", &info)]
}

#[test]
fn retry_info_of_a_failed_poll_is_the_next_wait() {
    let retry = pb::RetryInfo { retry_delay: Some(prost_types::Duration { seconds: 7, nanos: 0 }) };
    let details = vec![any("type.googleapis.com/google.rpc.RetryInfo", &retry)];
    let bytes = pb::Status { code: 14, message: String::new(), details }.encode_to_vec();
    let channel = Channel::new(move |n, _| match n {
        0 => Err(tonic::Status::with_details(tonic::Code::Unavailable, "busy", bytes.clone().into())),
        _ => Ok(succeeded().encode_to_vec()),
    });
    let clock = VirtualClock::new();
    let operations =
        Operations::builder("https://h.example.com").grpc_over(channel).timer(clock.clone()).build().unwrap();
    let operation = operations.resume("operations/1").unwrap();
    assert!(block_on(operation.poll_until_completed(PollSettings::default())).unwrap().is_succeeded());
    assert_eq!(clock.elapsed(), Duration::from_secs(7));
}

#[test]
fn which_codes_are_worth_another_poll() {
    // UNKNOWN, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, ABORTED, INTERNAL, UNAVAILABLE.
    let retried = [2, 4, 8, 10, 13, 14];
    for code in 1..=16 {
        let channel = Channel::new(move |n, _| match n {
            0 => Err(tonic::Status::new(code.into(), "first")),
            _ => Ok(succeeded().encode_to_vec()),
        });
        let outcome =
            block_on(client(&channel).resume("operations/1").unwrap().poll_until_completed(PollSettings::default()));
        assert_eq!(outcome.is_ok(), retried.contains(&code), "{:?}", Code::from_number(code.into()));
    }
}

#[test]
fn a_status_without_details_or_with_details_that_do_not_decode_is_a_status() {
    for (details, kept) in [(&b""[..], 0), (b"\x0a\xff\xff", 1), (b"\xff", 1)] {
        let channel = Channel::new(move |_, _| {
            Err(tonic::Status::with_details(tonic::Code::PermissionDenied, "no", details.to_vec().into()))
        });
        let error = client(&channel).blocking().get("operations/1").unwrap_err();
        let status = error.status().unwrap();
        assert_eq!((status.code(), status.message(), status.details().len()), (Code::PermissionDenied, "no", kept));
        assert!(status.details().iter().all(|detail| detail.message() == details && detail.type_url().is_empty()));
    }
}

#[test]
fn a_channel_that_breaks_is_a_failed_poll_like_any_other() {
    let builder = Operations::builder("https://h.example.com").grpc_over(Broken::new(cut));
    let operations = builder.timer(VirtualClock::new()).build().unwrap();
    let operation = operations.resume("operations/1").unwrap();
    let error = block_on(operation.poll_until_completed(PollSettings::default().with_error_budget(2))).unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Poll, Some(3)));
    assert!(std::error::Error::source(&error).is_some());
}

fn cut() -> BoxError {
    std::io::Error::new(std::io::ErrorKind::ConnectionReset, "the wire is cut").into()
}

#[test]
fn a_start_that_reached_nobody_is_sent_again_and_one_that_was_cut_is_not() {
    let refused: fn() -> BoxError = || std::io::Error::from(std::io::ErrorKind::ConnectionRefused).into();
    let no_route: fn() -> BoxError = || tonic::ConnectError("no route".into()).into();
    for (error, calls, advice) in
        [(refused, 3, "start again later"), (no_route, 3, "start again later"), (cut, 1, "it may have been started")]
    {
        let channel = Broken::new(error);
        let builder = Operations::builder("https://h.example.com").grpc_over(channel.clone());
        let operations = builder.timer(VirtualClock::new()).start_retries(2).build().unwrap();
        let error = block_on(operations.start_message("/example.Images/Export", &AT_ONE)).unwrap_err();
        assert_eq!((error.kind(), *channel.1.lock().unwrap()), (ErrorKind::Start, calls), "{error}");
        assert!(error.to_string().contains(advice), "{error}");
    }
}

#[test]
fn a_gateway_that_lost_the_service_is_no_refusal_of_a_start() {
    for (status, calls, advice) in [
        (429, 3, "start again later"),
        (503, 3, "start again later"),
        (502, 1, "it may have been started"),
        (504, 1, "it may have been started"),
    ] {
        let gateway = Gateway(status, Arc::default());
        let builder = Operations::builder("https://h.example.com").grpc_over(gateway.clone());
        let operations = builder.timer(VirtualClock::new()).start_retries(2).build().unwrap();
        let error = block_on(operations.start_message("/example.Images/Export", &AT_ONE)).unwrap_err();
        assert_eq!((error.kind(), *gateway.1.lock().unwrap()), (ErrorKind::Start, calls), "{status}: {error}");
        assert!(error.to_string().contains(advice), "{error}");
    }
}

#[test]
fn a_body_beyond_the_limit_is_refused() {
    let channel = Channel::new(|_, _| Ok(Operation { name: "n".repeat(5000), ..Operation::default() }.encode_to_vec()));
    let operations = Operations::builder("https://h.example.com").grpc_over(channel).max_body(4096).build().unwrap();
    let error = operations.blocking().get("operations/1").unwrap_err();
    assert!(error.to_string().contains("larger than the limit of 4096 bytes"), "{error}");
}

#[test]
fn json_and_a_query_are_refused_before_they_are_sent() {
    let channel = Channel::new(|_, _| Ok(vec![]));
    let call = client(&channel).call_message("/example.Images/Export", &AT_ONE).query("requestId", 7);
    let error = block_on(call).unwrap_err();
    assert!(error.kind() == ErrorKind::Unsupported && error.to_string().contains("query"), "{error}");
    let error = block_on(client(&channel).post("v1/images:export", "x")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("start_message"), "{error}");
    assert!(channel.calls().is_empty());
}

#[test]
fn an_error_that_is_no_status_is_a_failure_all_the_same() {
    // Field 4, `error`: a code with the wire type of a string; then a message that is not UTF-8.
    for (error, message) in [(&b"\x0a\x01x"[..], ""), (&b"\x12\x01\xff"[..], "\u{fffd}")] {
        let mut bytes =
            Operation { name: "operations/1".to_owned(), done: true, ..Operation::default() }.encode_to_vec();
        bytes.extend([0x22, u8::try_from(error.len()).unwrap()]);
        bytes.extend(error);
        let channel = Channel::new(move |_, _| Ok(bytes.clone()));
        let operation = block_on(client(&channel).start_message("/example.Images/Export", &AT_ONE)).unwrap();
        assert!(operation.is_failed());
        let status = operation.status().unwrap();
        let code = if message.is_empty() { Code::Unknown } else { Code::Ok };
        assert_eq!((status.code(), status.message()), (code, message));
        assert_eq!(status.details().iter().any(|detail| detail.message() == error), message.is_empty());
        assert!(operation.raw().ends_with(error), "the raw is kept");
    }
}

#[test]
fn the_reason_is_that_of_the_error_info() {
    let channel = Channel::new(|_, _| Ok(failed().encode_to_vec()));
    let operation = block_on(client(&channel).start_message("/example.Images/Export", &AT_ONE)).unwrap();
    assert_eq!(operation.status().unwrap().reason(), Some("R"));
}

#[test]
fn a_cancel_that_is_refused_says_so_and_a_pushback_is_the_next_wait() {
    let mut refusal = Reply::default();
    GoogleGrpc::new().read_answer(&refusal).unwrap();
    refusal.headers_mut().insert("grpc-status", "14".parse().unwrap());
    refusal.headers_mut().insert("grpc-retry-pushback-ms", "1500".parse().unwrap());
    let failure = GoogleGrpc::new().read_answer(&refusal).unwrap_err();
    assert_eq!(failure.status().map(Status::code), Some(Code::Unavailable));
    assert_eq!(failure.hint(), Some(Hint::After(Duration::from_millis(1500))));
}
