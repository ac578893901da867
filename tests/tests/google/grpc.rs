//! Tests of gRPC over a channel without a network: what is sent, and how replies are read.

use std::{future::IntoFuture, time::Duration};

use lro_runtime::{
    Dialect, ErrorKind, Operations, PollSettings, RawOperation, Result, State, block_on,
    dialect::{Cursor, GoogleGrpc},
    grpc::longrunning::{
        CancelOperationRequest, DeleteOperationRequest, GetOperationRequest, ListOperationsRequest,
        ListOperationsResponse, Operation, WaitOperationRequest, operation,
    },
    long_running,
    testing::VirtualClock,
    transport::{GrpcTransport, Transport},
};
use prost::Message;
use prost_types::Timestamp;
use tonic_types::pb;

use crate::channel::{Called, Channel};

pub(crate) fn client(channel: &Channel) -> Operations {
    let builder = Operations::builder("https://images.example.com").grpc_over(channel.clone());
    builder.timer(VirtualClock::new()).header("x-goog-user-project", "p").build().unwrap()
}

/// Packs a message.
pub(crate) fn any(url: &str, message: &impl Message) -> prost_types::Any {
    prost_types::Any { type_url: url.to_owned(), value: message.encode_to_vec() }
}

const TIMESTAMP: &str = "type.googleapis.com/google.protobuf.Timestamp";
pub(crate) const AT_ONE: Timestamp = Timestamp { seconds: 1, nanos: 0 };

fn running() -> Operation {
    Operation { name: "operations/1".to_owned(), metadata: Some(any(TIMESTAMP, &AT_ONE)), done: false, result: None }
}

fn done(result: Option<operation::Result>) -> Operation {
    Operation { done: true, result, ..running() }
}

pub(crate) fn succeeded() -> Operation {
    done(Some(operation::Result::Response(any(TIMESTAMP, &AT_ONE))))
}

pub(crate) fn failed() -> Operation {
    let info = pb::ErrorInfo { reason: "R".to_owned(), ..Default::default() };
    let details = vec![any("type.googleapis.com/google.rpc.ErrorInfo", &info)];
    done(Some(operation::Result::Error(pb::Status { code: 9, message: "no".to_owned(), details })))
}

pub(crate) struct Images {
    pub(crate) operations: Operations,
}

#[long_running(encoding = proto, metadata = Timestamp, cancel)]
impl Images {
    #[long_running(response = Timestamp, response_type = "google.protobuf.Timestamp")]
    pub(crate) async fn export(&self, since: Timestamp) -> Result<RawOperation> {
        self.operations.start_message("/example.Images/Export", &since).await
    }

    #[long_running(response = ())]
    pub(crate) async fn purge(&self, started: &Operation) -> Result<RawOperation> {
        self.operations.adopt_message(started)
    }
}

#[test]
fn a_hold_is_no_longer_than_the_longest_duration_of_protobuf() {
    let longest = prost_types::Duration { seconds: 315_576_000_000, nanos: 0 };
    for hold in [Duration::from_secs(315_576_000_001), Duration::from_secs(1 << 62), Duration::MAX] {
        let call = GoogleGrpc::new().wait(&Cursor::new("operations/1"), hold).unwrap();
        let request = WaitOperationRequest::decode(call.body).unwrap();
        assert_eq!(request.timeout, Some(longest), "{hold:?}");
    }
}

#[test]
fn an_annotated_method_starts_polls_and_decodes() {
    let channel = Channel::new(|n, _| Ok(if n < 2 { running() } else { succeeded() }.encode_to_vec()));
    let images = Images { operations: client(&channel) };
    let started = block_on(images.export(AT_ONE)).unwrap();
    assert!(matches!(started.state(), ExportState::Running { metadata: Some(at) } if *at == AT_ONE));
    assert_eq!(block_on(started.into_future()).unwrap(), AT_ONE);
    let calls = channel.calls();
    let paths: Vec<_> = calls.iter().map(|call| call.path.as_str()).collect();
    let get = "/google.longrunning.Operations/GetOperation";
    assert_eq!(paths, ["/example.Images/Export", get, get]);
    assert_eq!(calls[0].read::<Timestamp>(), AT_ONE);
    assert_eq!(calls[1].read::<GetOperationRequest>().name, "operations/1");
}

#[test]
fn each_call_is_routed_limited_and_carries_the_clients_headers_and_nothing_of_http() {
    let channel = Channel::new(|_, _| Ok(succeeded().encode_to_vec()));
    let name = "projects/example.com:p/operations/a b";
    let operation = client(&channel).resume(name).unwrap();
    let settings = PollSettings::default().with_poll_timeout(Duration::from_millis(2500));
    assert!(block_on(operation.poll_until_completed(settings)).unwrap().is_succeeded());
    let call: &Called = &channel.calls()[0];
    assert_eq!(call.header("x-goog-request-params"), "name=projects%2Fexample.com%3Ap%2Foperations%2Fa%20b");
    assert_eq!(call.header("x-goog-user-project"), "p");
    assert_eq!(call.header("grpc-timeout"), "2500000u");
    assert_eq!(call.header("content-type"), "application/grpc");
    assert_eq!((call.header("te"), call.header("accept"), call.header("content-length")), ("trailers", "", ""));
    assert_eq!(call.read::<GetOperationRequest>().name, name, "a name is sent as it is");
}

#[test]
fn a_start_that_was_accepted_is_an_operation_whatever_its_name() {
    let name = "operations/../../admin";
    let channel = Channel::new(|_, _| Ok(Operation { name: name.to_owned(), ..running() }.encode_to_vec()));
    let started = block_on(client(&channel).start_message("/example.Images/Export", &AT_ONE)).unwrap();
    assert_eq!((started.name(), started.state()), (name, State::Running));
    let error = block_on(started.into_future()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UntrustedUrl);
    assert!(error.to_string().contains("would leave its collection"), "{error}");
    assert_eq!(channel.calls().len(), 1, "only the start call was sent");
}

#[test]
fn a_start_that_was_accepted_is_an_operation_if_its_name_can_be_read() {
    // `metadata` as a number: the wire type of another field.
    let odd = || [running().encode_to_vec(), vec![0x10, 1]].concat();
    let channel = Channel::new(move |n, _| Ok(if n == 0 { odd() } else { succeeded().encode_to_vec() }));
    let started = block_on(client(&channel).start_message("/example.Images/Export", &AT_ONE)).unwrap();
    assert_eq!((started.name(), started.state()), ("operations/1", State::Running));
    assert!(block_on(started.poll_once()).unwrap().is_succeeded());
}

#[test]
fn a_start_call_is_sent_again_as_over_http() {
    let starts = |retries: u32, refusals: usize, refusal: fn() -> tonic::Status| {
        let channel =
            Channel::new(move |n, _| if n < refusals { Err(refusal()) } else { Ok(running().encode_to_vec()) });
        let builder = Operations::builder("https://images.example.com").grpc_over(channel.clone());
        let operations = builder.timer(VirtualClock::new()).start_retries(retries).build().unwrap();
        let outcome = block_on(operations.start_message("/example.Images/Export", &AT_ONE));
        (outcome.map(|operation| operation.name().to_owned()), channel.calls().len())
    };
    let busy = || tonic::Status::unavailable("busy");
    let (outcome, calls) = starts(2, 2, busy);
    assert_eq!((outcome.unwrap().as_str(), calls), ("operations/1", 3));
    let (outcome, calls) = starts(1, 2, busy);
    let error = outcome.unwrap_err();
    assert_eq!((error.kind(), calls), (ErrorKind::Start, 2));
    assert!(error.to_string().contains("`start_retries`"), "{error}");
    let wrong: [fn() -> tonic::Status; 4] = [
        || tonic::Status::invalid_argument("no"),
        || tonic::Status::deadline_exceeded("late"),
        || tonic::Status::internal("broke"),
        || tonic::Status::unknown("broke"),
    ];
    for wrong in wrong {
        let (outcome, calls) = starts(2, 2, wrong);
        assert_eq!((outcome.unwrap_err().kind(), calls), (ErrorKind::Start, 1));
    }
    let (outcome, calls) = starts(2, 2, || tonic::Status::unimplemented("no such method"));
    let error = outcome.unwrap_err();
    assert_eq!((error.kind(), calls), (ErrorKind::Unsupported, 1));
    assert!(error.to_string().contains("the service does not have this call"), "{error}");
}

#[test]
fn a_start_call_is_routed_by_the_fields_that_the_caller_names() {
    let channel = Channel::new(|_, _| Ok(running().encode_to_vec()));
    let operations = client(&channel);
    let call = operations.call_message("/example.Images/Export", &AT_ONE).routing("parent", "projects/a:b/c d&e=f");
    let call = call.routing("instance.name", 7).routing("app_profile_id", "").header("x-goog-user-project", "q");
    assert!(block_on(call).is_ok());
    assert!(block_on(operations.start_message("/example.Images/Export", &AT_ONE)).is_ok());
    let calls = channel.calls();
    let routed = "parent=projects%2Fa%3Ab%2Fc%20d%26e%3Df&instance.name=7";
    assert_eq!(calls[0].header("x-goog-request-params"), routed);
    assert_eq!((calls[0].path.as_str(), calls[0].read::<Timestamp>()), ("/example.Images/Export", AT_ONE));
    assert_eq!(calls[0].header("x-goog-user-project"), "q");
    assert_eq!(calls[0].headers.get_all("x-goog-request-params").iter().count(), 1);
    assert_eq!(calls[1].header("x-goog-request-params"), "", "no field was named");
}

#[test]
fn every_call_of_the_service_is_there() {
    let channel = Channel::new(|_, call| {
        let list = ListOperationsResponse {
            operations: vec![running(), failed()],
            next_page_token: String::new(),
            unreachable: vec!["projects/q".to_owned()],
        };
        Ok(match call.path.rsplit('/').next().unwrap() {
            "ListOperations" => list.encode_to_vec(),
            "WaitOperation" => succeeded().encode_to_vec(),
            _ => vec![],
        })
    });
    let operations = client(&channel);
    block_on(async {
        operations.cancel("operations/1").await.unwrap();
        operations.delete("operations/1").await.unwrap();
        assert!(operations.wait("operations/1", Duration::from_millis(1500)).await.unwrap().is_succeeded());
        let mut list = operations.list("done=true").parent("projects/p").page_size(5).return_partial_success();
        assert_eq!(list.next().await.unwrap().unwrap().state(), State::Running);
        let second = list.next().await.unwrap().unwrap();
        assert_eq!(second.status().unwrap().to_string(), "FAILED_PRECONDITION (R): no");
        assert_eq!(&second.raw()[..], failed().encode_to_vec());
        assert!(list.next().await.is_none());
        assert_eq!(list.unreachable(), ["projects/q"]);
    });
    let calls = channel.calls();
    assert_eq!(calls[0].read::<CancelOperationRequest>().name, "operations/1");
    assert_eq!(calls[1].read::<DeleteOperationRequest>().name, "operations/1");
    let timeout = Some(prost_types::Duration { seconds: 1, nanos: 500_000_000 });
    assert_eq!(
        calls[2].read::<WaitOperationRequest>(),
        WaitOperationRequest { name: "operations/1".to_owned(), timeout }
    );
    let asked = ListOperationsRequest {
        name: "projects/p".to_owned(),
        filter: "done=true".to_owned(),
        page_size: 5,
        page_token: String::new(),
        return_partial_success: true,
    };
    assert_eq!(calls[3].read::<ListOperationsRequest>(), asked);
}

#[test]
fn an_entry_of_a_page_that_is_damaged_costs_the_others_nothing() {
    // An operation whose `done` is not a number, between two that can be read.
    let damaged = [b"\x0a\x0coperations/2".as_slice(), b"\x1a\x01x"].concat();
    let page = [running().encode_to_vec(), damaged.clone(), succeeded().encode_to_vec()]
        .iter()
        .flat_map(|entry| [&[0x0a, u8::try_from(entry.len()).unwrap()], &entry[..]].concat())
        .collect::<Vec<u8>>();
    let channel = Channel::new(move |_, _| Ok(page.clone()));
    let mut list = client(&channel).list("").blocking();
    assert_eq!(list.next().unwrap().unwrap().state(), State::Running);
    let error = list.next().unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
    assert_eq!(
        (error.snapshot().unwrap().name(), &error.snapshot().unwrap().raw()[..]),
        ("operations/2", &damaged[..])
    );
    assert_eq!(list.next().unwrap().unwrap().state(), State::Succeeded);
    assert!(list.next().is_none());
}

#[test]
fn an_operation_of_a_users_own_stub_is_taken_over_and_polled() {
    let channel = Channel::new(|_, _| Ok(succeeded().encode_to_vec()));
    let images = Images { operations: client(&channel) };
    let purge = block_on(images.purge(&running())).unwrap();
    assert_eq!(purge.metadata().unwrap(), Some(&AT_ONE));
    assert!(channel.calls().is_empty());
    block_on(purge.into_future()).unwrap();
    let typed = images.operations.adopt_message(&succeeded()).unwrap().typed::<ExportState>();
    assert_eq!(typed.into_result().unwrap(), AT_ONE);
}

#[test]
fn a_payload_of_another_type_is_a_decode_error_that_names_both() {
    let other = any("type.googleapis.com/google.protobuf.Duration", &AT_ONE);
    let message = done(Some(operation::Result::Response(other)));
    let operations = client(&Channel::new(|_, _| Ok(vec![])));
    let typed = operations.adopt_message(&message).unwrap().typed::<ExportState>();
    let error = typed.result().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(
        error.to_string().contains("expected a `google.protobuf.Timestamp`, found a `google.protobuf.Duration`"),
        "{error}"
    );
    assert_eq!(&typed.raw()[..], message.encode_to_vec());
    let neither = operations.adopt_message(&done(None)).unwrap();
    assert_eq!(neither.clone().typed::<ExportState>().into_result().unwrap_err().kind(), ErrorKind::Decode);
    neither.typed::<PurgeState>().into_result().unwrap();
}

#[test]
fn a_message_that_is_cut_anywhere_never_panics_and_never_reads_as_finished() {
    for message in [failed().encode_to_vec(), succeeded().encode_to_vec()] {
        let done_at = message.len();
        for length in 0..done_at {
            let cut = message[..length].to_vec();
            let channel = Channel::new(move |_, _| Ok(cut.clone()));
            match client(&channel).blocking().get("operations/1") {
                // A cut between two fields leaves a valid message with fewer fields.
                Ok(operation) => {
                    assert!(Operation::decode(&message[..length]).is_ok(), "cut at {length}");
                    let typed = operation.typed::<ExportState>();
                    assert!(!typed.is_completed() || typed.into_result().is_err(), "cut at {length}");
                }
                Err(error) => assert_eq!(error.kind(), ErrorKind::Protocol, "cut at {length}: {error}"),
            }
        }
    }
}

#[test]
fn a_page_token_that_cannot_be_read_ends_the_list_with_an_error_after_the_entries() {
    let list = ListOperationsResponse {
        operations: vec![running()],
        next_page_token: String::new(),
        unreachable: vec!["x".to_owned()],
    };
    let tokens = [b"\x12\x01\xff".as_slice(), b"\x10\x05", b"\x12\x7fcut"];
    for token in tokens {
        let page = [&list.encode_to_vec(), token].concat();
        let channel = Channel::new(move |_, _| Ok(page.clone()));
        let mut list = client(&channel).list("").blocking();
        assert_eq!(list.next().unwrap().unwrap().state(), State::Running);
        let error = list.next().unwrap().unwrap_err();
        assert_eq!((error.kind(), error.snapshot().is_none()), (ErrorKind::Protocol, true), "{error}");
        assert!(list.next().is_none());
        assert_eq!(list.unreachable(), ["x"]);
    }
}

#[test]
fn a_page_that_is_cut_anywhere_is_a_page_or_an_error() {
    let list = ListOperationsResponse {
        operations: vec![running(), failed()],
        next_page_token: String::new(),
        unreachable: vec!["x".to_owned()],
    };
    let page = list.encode_to_vec();
    for length in 0..page.len() {
        let cut = page[..length].to_vec();
        let channel = Channel::new(move |_, _| Ok(cut.clone()));
        for listed in client(&channel).list("").blocking() {
            assert!(
                listed.is_ok_and(|operation| !operation.is_succeeded())
                    || ListOperationsResponse::decode(&page[..length]).is_err()
            );
        }
    }
}

#[test]
fn payloads_are_not_copied_and_fields_that_come_twice_are_merged() {
    let twice = [
        running().encode_to_vec(),
        Operation { metadata: Some(any("", &AT_ONE)), ..Operation::default() }.encode_to_vec(),
    ]
    .concat();
    let operations = client(&Channel::new(|_, _| Ok(vec![])));
    let merged = operations.adopt(twice).unwrap();
    assert_eq!(merged.metadata().unwrap().type_url().as_deref(), Some(TIMESTAMP));
    assert_eq!(merged.metadata().unwrap().decode_message::<Timestamp>().unwrap(), AT_ONE);
    let once = operations.adopt_message(&running()).unwrap();
    assert!(once.raw().as_ptr_range().contains(&once.metadata().unwrap().bytes().as_ptr()));
}

#[test]
fn a_reply_keeps_no_memory_but_its_own() {
    let channel = Channel::new(|_, _| Ok(running().encode_to_vec()));
    let path = "https://h.example.com/google.longrunning.Operations/GetOperation";
    let poll = http::Request::post(path).body(GetOperationRequest::default().encode_to_vec().into()).unwrap();
    let body = block_on(GrpcTransport::over(channel).send(&poll, 4096)).unwrap().into_body();
    let length = body.len();
    assert_eq!(length, running().encoded_len());
    let memory = body.try_into_mut().unwrap();
    assert!(memory.capacity() <= 2 * length, "{} bytes are kept for {length}", memory.capacity());
}
