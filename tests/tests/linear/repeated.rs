//! Messages of so many parts are read in one pass, by what reading them allocates.

use bytes::Bytes;
use lro_runtime::{
    Dialect, Operations,
    dialect::{
        Acceptor, Azure, Comparator, Compute, Cursor, Google, GoogleGrpc, Jobs, Lxd, Matcher, Meaning, Redfish, Waiter,
    },
    testing::{Script, ScriptedTransport, VirtualClock},
    transport::Reply,
};
use serde_json::json;

use crate::PARTS;

/// Returns how many bytes are allocated by reading `head`, `part` repeated `parts` times, and
/// `tail`.
fn allocated(dialect: &dyn Dialect, status: u16, [head, part, tail]: [&[u8]; 3], parts: usize) -> u64 {
    let mut reply = Reply::new(Bytes::from([head, &part.repeat(parts), tail].concat()));
    *reply.status_mut() = status.try_into().unwrap();
    let cursor = Cursor::new("projects/p/global/operations/1");
    // The first reading initialises what is made once, and shows that the message is read to its
    // end.
    assert_eq!(dialect.read(&cursor, &reply).is_ok(), status < 300, "{}", dialect.id());
    allocation_counter::measure(|| drop(dialect.read(&cursor, &reply))).bytes_total
}

#[track_caller]
fn is_linear(dialect: &dyn Dialect, status: u16, message: [&[u8]; 3]) {
    is_linear_for(1, dialect, status, message);
}

/// As [`is_linear`], where the message is looked through so many times.
#[track_caller]
fn is_linear_for(readings: u64, dialect: &dyn Dialect, status: u16, message: [&[u8]; 3]) {
    let (once, twice) = (allocated(dialect, status, message, PARTS), allocated(dialect, status, message, 2 * PARTS));
    let name = String::from_utf8_lossy(message.concat().get(..60).unwrap_or_default()).into_owned();
    // Vectors grow by doubling, which may fall once more into the longer message.
    assert!(twice <= 3 * once + 4096, "{} `{name}`: {once} bytes, then {twice}", dialect.id());
    let length = u64::try_from(message.concat().len().max(1) * PARTS).unwrap();
    assert!(once <= 64 * readings * length, "{} `{name}`: {once} bytes for a message of {length}", dialect.id());
}

#[test]
fn a_field_that_comes_again_and_again_is_merged_in_one_pass() {
    // `done`, and then metadata, an error or a response in so many pieces: an empty string field.
    for tag in [0x12, 0x22, 0x2a] {
        is_linear(&GoogleGrpc::new(), 200, [&[0x18, 1], &[tag, 2, 0x0a, 0], &[]]);
        is_linear(&GoogleGrpc::new(), 200, [&[0x18, 1], &[tag, 2, 0x12, 0], &[0x2a, 0]]);
    }
    // An error and a response in turns, of which the last counts.
    is_linear(&GoogleGrpc::new(), 200, [&[0x18, 1], &[0x22, 2, 0x12, 0, 0x2a, 2, 0x0a, 0], &[]]);
    // One error with so many details.
    let details: Vec<u8> = [0x22, 2 + 2, 0x1a, 2, 0x0a, 0].to_vec();
    is_linear(&GoogleGrpc::new(), 200, [&[0x18, 1], &details, &[]]);
}

#[test]
fn json_of_many_parts_is_read_in_one_pass() {
    let details: [&[u8]; 3] = [
        br#"{"name":"o","done":true,"error":{"code":3,"details":[{}"#,
        br#",{"@type":"t/google.rpc.ErrorInfo","reason":""}"#,
        b"]}}",
    ];
    let members: [&[u8]; 3] = [br#"{"name":"o","done":true,"response":{"a":1"#, br#","b":"\u0022""#, b"}}"];
    let nested: [&[u8]; 3] = [br#"{"name":"o","metadata":["#, br#"{"@type":"t/x","a":[{"@type":"t/y"}]},"#, b"1]}"];
    for message in [details, members, nested] {
        is_linear(&Google::new(), 200, message);
    }
    is_linear(&Jobs::new(), 200, [br#"{"state":"JOB_STATE_FAILED","error":{"details":[1"#, b",{}", b"]}}"]);
    let errors: [&[u8]; 3] = [
        br#"{"status":"DONE","error":{"errors":[{}"#,
        br#",{"code":"c","message":"m","errorDetails":[{"errorInfo":{}}]}"#,
        b"]}}",
    ];
    is_linear(&Compute::new(), 200, errors);
    is_linear(&Compute::new(), 200, [br#"{"status":"DONE""#, br#","x":{}"#, b"}"]);
}

#[test]
fn errors_of_many_parts_are_read_in_one_pass() {
    let reasons: [&[u8]; 3] = [br#"{"error":{"code":403,"errors":[{}"#, br#",{"reason":"x"}"#, b"]}}"];
    let quotas: [&[u8]; 3] = [
        br#"{"error":{"code":403,"errors":[{"reason":"quotaExceeded"}],"details":[{}"#,
        br#",{"@type":"t/google.rpc.QuotaFailure","violations":[{"description":"d"}]}"#,
        b"]}}",
    ];
    for message in [reasons, quotas] {
        is_linear(&Google::new(), 403, message);
    }
    is_linear(&Google::new(), 503, [b"<html>", b"<p>busy</p>", b"</html>"]);
}

#[test]
fn monitors_of_many_parts_are_read_in_one_pass() {
    let details: [&[u8]; 3] = [
        br#"{"status":"Failed","error":{"code":"c","details":[{}"#,
        br#",{"code":"d","message":"m","target":"t"}"#,
        b"]}}",
    ];
    let members: [&[u8]; 3] = [br#"{"status":"Running""#, br#","status":"Running","x":{"y":1}"#, b"}"];
    for message in [details, members] {
        is_linear(&Azure::new(), 200, message);
    }
    is_linear(
        &Azure::new(),
        409,
        [br#"{"error":{"code":"c","details":[{}"#, br#",{"code":"d","message":"m"}"#, b"]}}"],
    );

    let task = br#"{"TaskState":"Exception","TaskStatus":"Critical","Messages":[{}"#;
    is_linear(&Redfish, 202, [task, br#",{"MessageId":"Base.1.0.E","Message":"m","MessageArgs":[]}"#, b"]}"]);
    let errors = br#"{"error":{"code":"c","@Message.ExtendedInfo":[{}"#;
    is_linear(&Redfish, 403, [errors, br#",{"MessageId":"Base.1.0.E","Message":"m"}"#, b"]}}"]);

    let running = br#"{"type":"sync","metadata":{"id":"1","status_code":103,"metadata":{"x":"1%""#;
    is_linear(&Lxd::new(), 200, [running, br#","download_progress":"rootfs: 5% (1MB/s)""#, b"}}}"]);
    let failed = br#"{"type":"sync","metadata":{"id":"1","status_code":400,"err":""#;
    is_linear(&Lxd::new(), 200, [failed, br"no \u0022", br#""}}"#]);
}

#[test]
fn what_a_waiter_looks_at_is_read_in_one_pass() {
    const FLEET: Waiter = Waiter::get("v1/fleet").acceptors(&[
        Acceptor::new(Meaning::Failure, Matcher::Output("nodes[].disks[].state", Comparator::Any("lost"))),
        Acceptor::new(Meaning::Success, Matcher::Output("nodes[*].state", Comparator::All("ready"))),
        Acceptor::new(Meaning::Success, Matcher::Output("length(nodes) == `0`", Comparator::IsTrue(true))),
        Acceptor::new(Meaning::Retry, Matcher::ErrorType("Busy")),
        Acceptor::new(Meaning::Retry, Matcher::Success(true)),
    ]);
    let node = br#",{"state":"ready","disks":[{"state":"new"},{"state":"ready"}]}"#;
    // Once for each acceptor.
    is_linear_for(5, &FLEET, 200, [br#"{"nodes":[{"state":"starting"}"#, node, b"]}"]);
    is_linear_for(5, &FLEET, 200, [br#"{"nodes":[{"state":"starting"}]"#, br#","nodes":[[]]"#, b"}"]);
    is_linear(&FLEET, 503, [b"<E><Errors>", b"<Error><Code>Odd", b"</E>"]);
    is_linear(&FLEET, 503, [br#"{"__type":"Odd""#, br#","a":{"code":"x"}"#, b"}"]);
}

/// A token stores the words of a failure, however long they are, without the secrets of URLs.
#[test]
fn words_are_cleaned_of_secrets_in_one_pass() {
    let stored = |part: &str, parts: usize| {
        let error = json!({ "code": 9, "message": format!("?{}=", part.repeat(parts)) });
        let script = ScriptedTransport::new(Script::new().failed_with(error));
        let client = Operations::builder("https://h.test").transport(script).timer(VirtualClock::new()).build();
        let operation = smol::block_on(client.unwrap().post("x", &json!({}))).unwrap();
        allocation_counter::measure(|| drop(operation.token())).bytes_total
    };
    for part in ["?sig=x&", "%25", "\\", "&amp;", "\\u0026sig=", "://a@", "?sig", "=", "\n", "https://x/?u=%3Fsig%3Da"]
    {
        let (once, twice) = (stored(part, PARTS), stored(part, 2 * PARTS));
        assert!(twice <= 3 * once + 4096, "`{part}`: {once} bytes, then {twice}");
    }
}
