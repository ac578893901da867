//! Reading a reply is linear in its length: a server may send whatever fits into the limit of a
//! body. Counted in bytes allocated, for a message and for one of twice its length.

#![expect(clippy::unwrap_used, reason = "tests may fail")]

use bytes::Bytes;
use lro_runtime::{
    Dialect,
    dialect::{Compute, Cursor, Google, GoogleGrpc, Jobs},
    transport::Reply,
};

/// The length of the shorter message, in repeated parts. Growth by the square shows at this length:
/// it is far more than is allowed.
const PARTS: usize = 5_000;

/// Returns how many bytes are allocated by reading `head`, `part` repeated `parts` times, and
/// `tail`.
fn allocated(dialect: &dyn Dialect, status: u16, [head, part, tail]: [&[u8]; 3], parts: usize) -> u64 {
    let mut reply = Reply::new(Bytes::from([head, &part.repeat(parts), tail].concat()));
    *reply.status_mut() = status.try_into().unwrap();
    let cursor = Cursor::new("projects/p/global/operations/1");
    // The first reading initialises what is made once, and shows that the message is read to its
    // end.
    assert_eq!(dialect.read(&cursor, &reply).is_ok(), status == 200, "{}", dialect.id());
    allocation_counter::measure(|| drop(dialect.read(&cursor, &reply))).bytes_total
}

#[track_caller]
fn is_linear(dialect: &dyn Dialect, status: u16, message: [&[u8]; 3]) {
    let (once, twice) = (allocated(dialect, status, message, PARTS), allocated(dialect, status, message, 2 * PARTS));
    let name = String::from_utf8_lossy(message.concat().get(..60).unwrap_or_default()).into_owned();
    // Vectors grow by doubling, which may fall once more into the longer message.
    assert!(twice <= 3 * once + 4096, "{} `{name}`: {once} bytes, then {twice}", dialect.id());
    let length = u64::try_from(message.concat().len().max(1) * PARTS).unwrap();
    assert!(once <= 64 * length, "{} `{name}`: {once} bytes for a message of {length}", dialect.id());
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
