//! Replies of `google.longrunning` as messages of protobuf.

use bytes::Bytes;
use fastrand::Rng;
use http::{HeaderValue, StatusCode};
use lro_runtime::transport::Reply;
use serde_json::Value;

use super::{
    case::Case,
    damage::{flip, repeat},
    generate::pick,
};

/// Turns a body of `google.longrunning` in JSON into its protobuf message, and damages that.
pub(super) fn as_message(rng: &mut Rng, case: &mut Case) {
    let Some(body) = message(&case.body) else { return };
    case.body = body;
    for _ in 0..rng.usize(..3) {
        match rng.u8(..5) {
            0 => drop(flip(rng, &mut case.body)),
            1 => drop(repeat(rng, &mut case.body)),
            2 => case.body.truncate(rng.usize(..=case.body.len())),
            3 => {
                // A field of any number and wire type, with a length that may be too long.
                let at = rng.usize(..=case.body.len());
                let length = pick(rng, &[0, 1, 127, 128, u64::from(u32::MAX), u64::MAX]).unwrap_or_default();
                let mut piece = varint(rng.u64(..64));
                piece.extend(varint(length));
                case.body.splice(at..at, piece);
            }
            _ => {
                let tag = rng.u64(..7);
                let again = field(tag, &case.body.clone());
                case.body.extend(again);
            }
        }
    }
    case.headers.extend(
        pick(
            rng,
            &[&b""[..], b"", b"grpc-status: 0\n", b"grpc-status: 5\ngrpc-message: no%20%ff\n", b"grpc-status: x\n"],
        )
        .unwrap_or_default(),
    );
    if rng.u8(..4) > 0 {
        case.status = 200;
    }
}

/// Turns a reply of Google's REST interface into that of its gRPC interface; leaves alone what has
/// no body in JSON.
pub(crate) fn as_grpc(reply: &mut Reply) {
    let code = match reply.status().as_u16() {
        200..300 => "0",
        404 => "5",
        _ => "14",
    };
    let Some(body) = message(reply.body()) else { return };
    *reply.body_mut() = if code == "0" { body.into() } else { Bytes::new() };
    *reply.status_mut() = StatusCode::OK;
    reply.headers_mut().insert("grpc-status", HeaderValue::from_static(code));
}

/// Encodes a body of `google.longrunning` in JSON as its protobuf message; `None` if it is no JSON.
fn message(body: &[u8]) -> Option<Vec<u8>> {
    let value = serde_json::from_slice::<Value>(body).ok()?;
    let Some(listed) = value.get("operations").and_then(Value::as_array) else { return Some(operation(&value)) };
    let mut out: Vec<_> = listed.iter().flat_map(|one| field(1, &operation(one))).collect();
    out.extend(field(2, b"next"));
    Some(out)
}

/// Encodes an operation as its protobuf message.
fn operation(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    if let Some(name) = value.get("name").and_then(Value::as_str) {
        out.extend(field(1, name.as_bytes()));
    }
    if let Some(metadata) = value.get("metadata") {
        out.extend(field(2, &any(metadata)));
    }
    if value.get("done").and_then(Value::as_bool).unwrap_or_default() {
        out.extend([0x18, 1]);
    }
    if let Some(error) = value.get("error") {
        let mut status = vec![0x08];
        status.extend(varint(error.get("code").and_then(Value::as_u64).unwrap_or(2)));
        status.extend(field(2, error.get("message").and_then(Value::as_str).unwrap_or_default().as_bytes()));
        let details = error.get("details").and_then(Value::as_array);
        status.extend(details.into_iter().flatten().flat_map(|detail| field(3, &any(detail))));
        out.extend(field(4, &status));
    }
    if let Some(response) = value.get("response") {
        out.extend(field(5, &any(response)));
    }
    out
}

fn any(value: &Value) -> Vec<u8> {
    let url = value.get("@type").and_then(Value::as_str).unwrap_or("type.googleapis.com/google.protobuf.Empty");
    // As text in every field, because nothing here knows the type's own.
    let text = field(1, value.to_string().as_bytes());
    [field(1, url.as_bytes()), field(2, &text)].concat()
}

fn field(number: u64, bytes: &[u8]) -> Vec<u8> {
    let mut out = varint(number << 3 | 2);
    out.extend(varint(bytes.len() as u64));
    out.extend(bytes);
    out
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    loop {
        let byte = u8::try_from(value & 0x7f).unwrap_or_default();
        value >>= 7;
        if value == 0 {
            out.push(byte);
            return out;
        }
        out.push(byte | 0x80);
    }
}
