//! Messages of protobuf, as a server of gRPC sends them: fields that come again, groups, lengths
//! that lie, details, and pages.

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use bytes::Bytes;
use lro_runtime::{
    Dialect, Operations, Payload, block_on,
    dialect::{Cursor, GoogleGrpc, ListQuery, Observation, Part},
    testing::VirtualClock,
    transport::{Reply, Request},
};

use crate::{
    SAMPLE, SHORT,
    payloads::{look_at_payload, look_at_status},
    work::{Cost, Visit, all_grow_linearly, cost},
};

/// Bytes that grow: what they are, and about so many of them.
struct Growth {
    name: &'static str,
    of_length: fn(usize) -> Vec<u8>,
}

/// Declares growths by repetition: what stands before, the part, and what stands behind.
macro_rules! repeated {
    ($($name:literal: $head:expr, $part:expr, $tail:expr;)*) => {
        &[$(Growth {
            name: $name,
            of_length: |length| {
                let (head, part, tail): (&[u8], &[u8], &[u8]) = ($head, $part, $tail);
                [head, &part.repeat(length / part.len()), tail].concat()
            },
        }),*]
    };
}

const GROWTHS: &[Growth] = repeated! {
    "bytes": b"", b"a", b"";
    "bytes that are no text": b"", b"\xff", b"";
    "half a letter": b"", b"\xc3\xa9\xc3", b"";
    "a name": b"", b"\x0a\x01o", b"";
    "metadata": b"", b"\x12\x02\x0a\0", b"";
    "empty metadata": b"", b"\x12\0", b"";
    "done": b"", b"\x18\x01", b"";
    "an error": b"\x18\x01", b"\x22\x02\x12\0", b"";
    "a response": b"\x18\x01", b"\x2a\x02\x0a\0", b"";
    "errors and responses in turns": b"\x18\x01", b"\x22\x02\x12\0\x2a\x02\x0a\0", b"";
    "responses and a last error": b"\x18\x01", b"\x2a\x03\x12\x01a", b"\x22\x02\x08\x07";
    "an error of many details": b"\x18\x01", b"\x22\x04\x1a\x02\x0a\0", b"";
    "a detail": b"\x08\x07", b"\x1a\x07\x0a\x03t/a\x12\0", b"";
    "a detail whose length is too large": b"", b"\x1a\x02\x0a\x7f", b"";
    "an unknown number": b"", b"\x30\x01", b"";
    "an unknown number of ten bytes": b"", b"\x30\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", b"";
    "a number that does not end": b"\x30", b"\xff", b"";
    "fixed numbers": b"", b"\x31aaaaaaaa\x35aaaa", b"";
    "unknown texts": b"", b"\x32\x02aa", b"";
    "the highest field": b"", b"\xfa\xff\xff\xff\x0f\0", b"";
    "a group": b"", b"\x33\x34", b"";
    "groups in a group": b"\x33", b"\x3b\x3c", b"\x34";
    "groups that do not end": b"", b"\x33", b"";
    "groups in a group that does not end": b"\x33", b"\x3b\x3c", b"";
    "a length too large": b"", b"\x32\x7f", b"";
    "a length too large at the end": b"", b"\x32\0", b"\x32\xff\xff\xff\xff\x0f";
    "a wrong type at the end": b"", b"\x0a\x01o", b"\x08\x01";
    "an entry": b"", b"\x0a\x03\x0a\x01o", b"";
    "an empty entry": b"", b"\x0a\0", b"";
    "an entry whose length is too large": b"", b"\x0a\x05\x0a\x01o\x12\x7f", b"";
    "an entry of a wrong type": b"", b"\x0a\x02\x08\x01", b"";
    "entries, sound and damaged": b"", b"\x0a\x03\x0a\x01o\x0a\x02\x0a\x7f", b"";
    "an entry that failed": b"", b"\x0a\x0a\x0a\x01o\x18\x01\x22\x03\x1a\x01\x0a", b"";
    "a token of the next page": b"", b"\x12\x01a", b"";
    "an unreachable place": b"", b"\x1a\x01a", b"";
    "a packed number": b"", b"\x2a\x03\x01\xff\x01", b"";
    "an entry of a map": b"", b"\x1a\x06\x0a\x01k\x12\x01v", b"";
    "a violation": b"", b"\x0a\x06\x0a\x01f\x12\x01d", b"";
};

/// Growth that repetition of bytes does not make.
const MORE: &[Growth] = &[
    // As deep as is read, and then from the beginning.
    Growth { name: "towers of groups", of_length: |length| [[0x33; 60], [0x34; 60]].concat().repeat(length / 120) },
    Growth { name: "a message in a message", of_length: |length| nested(0x22, length) },
    Growth { name: "an Any in an Any", of_length: |length| nested(0x12, length) },
    Growth { name: "an unknown message in one", of_length: |length| nested(0x32, length) },
    Growth {
        name: "entries of a map that differ",
        of_length: |length| {
            let entry = |number: usize| field(0x1a, &field(0x0a, number.to_string().as_bytes()));
            (0..length / 12).flat_map(entry).collect()
        },
    },
    Growth {
        name: "entries of one page, in order",
        of_length: |length| {
            let entry = |number: usize| field(0x0a, &field(0x0a, format!("operations/{number}").as_bytes()));
            (0..length / 20).flat_map(entry).collect()
        },
    },
];

/// Returns a field of this tag, whose wire type is 2.
fn field(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut all = vec![tag];
    prost::encoding::encode_varint(content.len().try_into().unwrap(), &mut all);
    all.extend_from_slice(content);
    all
}

/// Returns fields of this tag in each other.
fn nested(tag: u8, length: usize) -> Vec<u8> {
    // From the inside, and so from the end.
    let mut reversed = Vec::with_capacity(length + 8);
    while reversed.len() < length {
        let mut head = vec![tag];
        prost::encoding::encode_varint(reversed.len().try_into().unwrap(), &mut head);
        reversed.extend(head.into_iter().rev());
    }
    reversed.reverse();
    reversed
}

/// A message around what grows, by its name.
type Place = (&'static str, fn(&[u8]) -> Vec<u8>);

/// Where in an operation or a page the bytes that grow stand.
const PLACES: &[Place] = &[
    ("a message", <[u8]>::to_vec),
    ("a named operation", |grown| [b"\x0a\x01o", grown].concat()),
    ("a name", |grown| field(0x0a, grown)),
    ("metadata", |grown| [b"\x0a\x01o".to_vec(), field(0x12, grown)].concat()),
    ("a type of metadata", |grown| [b"\x0a\x01o".to_vec(), field(0x12, &field(0x0a, grown))].concat()),
    ("a message of metadata", |grown| field(0x12, &any(b"t/a.Export", grown))),
    ("a response", |grown| [b"\x18\x01".to_vec(), field(0x2a, &any(b"t/a.Export", grown))].concat()),
    ("an entry of a page", |grown| field(0x0a, &[b"\x0a\x01o", grown].concat())),
    ("an error of an entry of a page", |grown| field(0x0a, &failed(grown))),
    ("the token of the next page", |grown| field(0x12, grown)),
    ("a place on a page that cannot be reached", |grown| field(0x1a, grown)),
];

/// Where in a `google.rpc.Status` the bytes that grow stand.
const STATUSES: &[Place] = &[
    ("an error", <[u8]>::to_vec),
    ("words of an error", |grown| field(0x12, grown)),
    ("a detail", |grown| field(0x1a, grown)),
    ("an ErrorInfo", |grown| field(0x1a, &any(b"t/google.rpc.ErrorInfo", grown))),
    ("a BadRequest", |grown| field(0x1a, &any(b"t/google.rpc.BadRequest", grown))),
    ("a QuotaFailure", |grown| field(0x1a, &any(b"t/google.rpc.QuotaFailure", grown))),
    ("a DebugInfo", |grown| field(0x1a, &any(b"t/google.rpc.DebugInfo", grown))),
    ("a detail of the caller's", |grown| field(0x1a, &any(b"t/a.Image", grown))),
];

fn any(type_url: &[u8], value: &[u8]) -> Vec<u8> {
    [field(0x0a, type_url), field(0x12, value)].concat()
}

fn failed(status: &[u8]) -> Vec<u8> {
    [b"\x0a\x01o\x18\x01".to_vec(), field(0x22, status)].concat()
}

fn look_at(seen: &Observation<'_>) {
    let payloads = seen.metadata.iter().chain(&seen.response);
    payloads.for_each(|Part { bytes, encoding, .. }| look_at_payload(Payload::new(bytes, *encoding)));
    seen.status.iter().for_each(look_at_status);
    drop(format!("{seen:?}"));
}

/// Reads a reply in every way in which it may have to be, and looks at what was read.
fn read_by(reply: &Reply) -> Cost {
    let grpc = GoogleGrpc::new();
    let cursor = Cursor::new("operations/1");
    let (start, query) = (Request::default(), ListQuery::default());
    cost(|| {
        for seen in [grpc.read(&cursor, reply), grpc.read_start(&start, reply, &[])] {
            match seen {
                Ok(seen) => look_at(&seen),
                Err(failure) => {
                    drop(format!("{failure} {failure:?}"));
                    failure.status().into_iter().for_each(look_at_status);
                }
            }
        }
        let Ok(page) = grpc.read_list(&query, reply) else { return };
        drop(format!("{page:?}"));
        page.operations.iter().filter_map(|listed| listed.seen.as_ref().ok()).for_each(look_at);
    })
}

/// Lists operations as a caller does, whose page is this one.
fn list(page: Bytes) -> Cost {
    let is_first = std::sync::atomic::AtomicBool::new(true);
    let transport = move |_: Request| {
        let first = is_first.swap(false, std::sync::atomic::Ordering::Relaxed);
        std::future::ready(Ok(Reply::new(if first { page.clone() } else { Bytes::new() })))
    };
    let client = Operations::builder("https://h.test").dialect(GoogleGrpc::new()).transport(transport);
    let client = client.timer(VirtualClock::new()).build().unwrap();
    cost(|| {
        let mut entries = client.list("");
        while let Some(entry) = block_on(entries.next()) {
            let _ = std::hint::black_box(entry);
        }
    })
}

fn growths() -> impl Iterator<Item = &'static Growth> {
    GROWTHS.iter().chain(MORE)
}

fn each_message(visit: &mut Visit<'_>) {
    for growth in growths() {
        for (place, around) in PLACES {
            visit(&format!("{place} of {}", growth.name), &mut |length| {
                read_by(&Reply::new(around(&(growth.of_length)(length)).into()))
            });
        }
        for (place, around) in STATUSES {
            visit(&format!("{place} of {}, in an operation", growth.name), &mut |length| {
                read_by(&Reply::new(failed(&around(&(growth.of_length)(length))).into()))
            });
            // Errors of gRPC have their status in a header, in base64.
            visit(&format!("{place} of {}, in a header", growth.name), &mut |length| {
                let mut reply = Reply::default();
                reply.headers_mut().insert("grpc-status", "8".parse().unwrap());
                let details = STANDARD_NO_PAD.encode(around(&(growth.of_length)(length)));
                reply.headers_mut().insert("grpc-status-details-bin", details.parse().unwrap());
                read_by(&reply)
            });
        }
    }
}

fn each_list(visit: &mut Visit<'_>) {
    for (place, around) in PLACES.iter().filter(|(place, _)| *place == "a message" || place.contains("page")) {
        for growth in growths() {
            visit(&format!("a list, {place} of {}", growth.name), &mut |length| {
                list(around(&(growth.of_length)(length)).into())
            });
        }
    }
}

fn each_case(visit: &mut Visit<'_>) {
    each_message(visit);
    each_list(visit);
}

#[test]
fn a_sample_of_hostile_messages_of_grpc_is_read_in_linear_time_and_memory() {
    let cases = all_grow_linearly(each_case, 7, SHORT);
    assert!(cases > 1000, "{cases}");
}

#[test]
#[ignore = "several minutes"]
fn every_hostile_message_of_grpc_is_read_in_linear_time_and_memory() {
    all_grow_linearly(each_case, 1, SHORT);
}

#[test]
#[ignore = "several minutes"]
fn a_sample_of_hostile_messages_of_grpc_of_four_mebibytes_is_read_in_linear_time_and_memory() {
    all_grow_linearly(each_case, SAMPLE, 1 << 20);
}

/// What would be linear because it is refused at its first byte is no case.
#[test]
fn hostile_messages_of_grpc_are_read_to_their_end_where_they_are_sound() {
    let message = |name: &str| (growths().find(|growth| growth.name == name).unwrap().of_length)(1 << 10);
    for sound in ["a name", "metadata", "an error", "a response", "unknown texts", "towers of groups", "fixed numbers"]
    {
        let reply = Reply::new(message(sound).into());
        assert!(GoogleGrpc::new().read(&Cursor::new("o"), &reply).is_ok(), "{sound}");
    }
    for (page, entries) in [("an entry", 204), ("an entry whose length is too large", 146), ("an unreachable place", 0)]
    {
        let reply = Reply::new(message(page).into());
        let read = GoogleGrpc::new().read_list(&ListQuery::default(), &reply).unwrap();
        assert_eq!((read.operations.len(), read.failure.is_some()), (entries, false), "{page}");
    }
}
