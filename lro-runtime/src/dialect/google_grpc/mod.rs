//! The dialect `google.longrunning` over gRPC, and the reading of gRPC errors.

use std::{borrow::Cow, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use prost::Message;

use self::longrunning::{
    CancelOperationRequest, DeleteOperationRequest, GetOperationRequest, ListOperationsRequest, WaitOperationRequest,
};
use super::{
    Coverage, Dialect, ListPage, ListQuery, Listed, Options, error_reply,
    google::{Google, LONGEST_DURATION, PAGE_SIZE, UNFINISHED, accepted, observation, sweep_of, with_cursor},
    json::MOST_ELEMENTS,
    list_page::MOST_ENTRIES,
};
use crate::{
    dialect::{Call, Cursor, Encoding, Observation, Part, encode_name},
    hint::Hint,
    message::{Reply, Request},
    percent::decoded,
    protobuf::{Any, Fields, Malformed, Value, merge},
    status::{Cause, Code, Failure, Status, details::Detail},
    text::excerpt,
    url::encode_query,
};

/// The messages of
/// [`google/longrunning/operations.proto`](https://github.com/googleapis/googleapis/blob/master/google/longrunning/operations.proto).
/// The `google.rpc` messages in them are those of [`tonic_types::pb`].
#[rustfmt::skip] // a test generates the file again and compares it byte for byte
pub mod longrunning;

/// `google.longrunning` over gRPC
/// ([operations.proto](https://github.com/googleapis/googleapis/blob/master/google/longrunning/operations.proto)),
/// for [`GrpcTransport`](crate::transport::GrpcTransport).
///
/// Payloads are `google.protobuf.Any`, so methods declare `encoding = proto`. Each call of the
/// Operations service has the routing header `x-goog-request-params` with the operation's name, by
/// which Google's services route the call. Operations have the same names as over REST, so a token
/// made with one dialect resumes with the other.
///
/// Many operations of one collection are swept as over REST, with the filter `done=false`.
#[derive(Clone, Copy, Debug, Default)]
pub struct GoogleGrpc;

impl GoogleGrpc {
    /// Creates the dialect. It has no settings.
    #[must_use]
    pub fn new() -> Self {
        Self
    }
}

impl Dialect for GoogleGrpc {
    fn id(&self) -> &'static str {
        Google::ID
    }

    fn prepare_start(&self, request: &mut Request, _options: &Options) -> Result<(), Failure> {
        // A call made with `post` or `put` has a JSON body, which is not a protobuf message. It is
        // refused before anything is sent.
        if request.headers().get(http::header::CONTENT_TYPE).is_some_and(|kind| kind == "application/json") {
            return Err(Failure::unsupported(
                "a gRPC call cannot have a JSON body: start the operation with `start_message`",
            ));
        }
        if request.uri().query().is_some() {
            return Err(Failure::unsupported(
                "a gRPC call cannot have a query: what would stand there is a field of the message, or metadata",
            ));
        }
        Ok(())
    }

    fn read_start<'a>(
        &self,
        _request: &Request,
        reply: &'a Reply,
        options: &Options,
    ) -> Result<Observation<'a>, Failure> {
        let message = expect_ok(reply)?;
        let seen = read_operation(message, None).or_else(|why| accepted(name_in(message), why))?;
        let mut seen = with_cursor(seen, options)?;
        seen.hint = Hint::from_headers(reply.headers());
        Ok(seen)
    }

    fn locate(&self, name: &str, options: &Options) -> Result<Cursor, Failure> {
        // Over gRPC a name is not part of a path, but its token may be resumed over REST, where
        // such a name is refused.
        encode_name(name)?;
        Ok(Google::cursor_at(name, options))
    }

    fn poll(&self, cursor: &Cursor) -> Result<Call, Failure> {
        call("GetOperation", cursor.key(), &GetOperationRequest { name: cursor.key().to_owned() })
    }

    fn read<'a>(&self, _cursor: &Cursor, reply: &'a Reply) -> Result<Observation<'a>, Failure> {
        read_operation(expect_ok(reply)?, Hint::from_headers(reply.headers()))
    }

    fn reads_the_same(&self, reply: &Reply) -> bool {
        expect_ok(reply).is_ok()
    }

    fn read_answer(&self, reply: &Reply) -> Result<(), Failure> {
        expect_ok(reply).map(drop)
    }

    fn cancel(&self, cursor: &Cursor) -> Result<Call, Failure> {
        call("CancelOperation", cursor.key(), &CancelOperationRequest { name: cursor.key().to_owned() })
    }

    fn delete(&self, cursor: &Cursor) -> Result<Call, Failure> {
        call("DeleteOperation", cursor.key(), &DeleteOperationRequest { name: cursor.key().to_owned() })
    }

    fn wait(&self, cursor: &Cursor, timeout: Duration) -> Result<Call, Failure> {
        let timeout = prost_types::Duration::try_from(timeout.min(LONGEST_DURATION)).ok();
        call("WaitOperation", cursor.key(), &WaitOperationRequest { name: cursor.key().to_owned(), timeout })
    }

    fn list(&self, query: &ListQuery) -> Result<Call, Failure> {
        // The default HTTP binding of operations.proto has the name `operations`. Services that
        // override the binding take the parent resource, without the collection below it.
        let name = if query.parent.is_empty() { "operations" } else { &query.parent };
        let request = ListOperationsRequest {
            name: name.to_owned(),
            filter: query.filter.clone(),
            // Zero leaves the size to the service.
            page_size: query.page_size.map_or(0, |size| i32::try_from(size).unwrap_or(i32::MAX)),
            page_token: query.page_token.clone(),
            return_partial_success: query.return_partial_success,
        };
        call("ListOperations", name, &request)
    }

    fn read_list<'a>(&self, query: &ListQuery, reply: &'a Reply) -> Result<ListPage<'a>, Failure> {
        let mut page = ListPage::default();
        let mut fields = Fields::of(expect_ok(reply)?);
        let read = |message| with_cursor(read_operation(message, None)?, query.options);
        let (mut is_damaged, mut left_out) = (false, 0_usize);
        loop {
            match fields.next() {
                Ok(Some((1, Value::Bytes(_)))) if page.operations.len() >= MOST_ENTRIES => left_out += 1,
                Ok(Some((1, Value::Bytes(message)))) => page.operations.push(Listed::read(message, read, name_in)),
                Ok(Some((2, Value::Bytes(token)))) => match text(token) {
                    Ok(token) => token.clone_into(&mut page.next_page_token),
                    Err(Malformed) => is_damaged = true,
                },
                Ok(Some((3, Value::Bytes(_)))) if page.unreachable.len() >= MOST_ELEMENTS => {}
                Ok(Some((3, Value::Bytes(name)))) => {
                    page.unreachable.push(String::from_utf8_lossy(name).into_owned());
                }
                // A known field with another wire type is damage; an unknown field is a newer
                // version of the message.
                Ok(Some((1..=3, _))) => is_damaged = true,
                Ok(Some(_)) => {}
                Ok(None) => break,
                // What was read before the damage counts.
                Err(Malformed) => {
                    is_damaged = true;
                    break;
                }
            }
        }
        page.failure = is_damaged.then(|| malformed("a page of operations", reply.body()));
        Ok(page.with_left_out(left_out))
    }

    fn coverage(&self, cursor: &Cursor, options: &'static Options) -> Option<Coverage> {
        sweep_of(cursor, options, UNFINISHED, PAGE_SIZE)
    }
}

/// Builds a call of the Operations service, with the routing header for `name`
/// ([AIP-4222](https://google.aip.dev/client-libraries/4222)).
fn call(method: &str, name: &str, message: &impl Message) -> Result<Call, Failure> {
    let mut call = Call::new(Method::POST, format!("google.longrunning.Operations/{method}"));
    // Percent-encoded, because the header has the form of a URL query: a `&` in the name would
    // begin another parameter.
    let routing = HeaderValue::try_from(format!("name={}", encode_query(name)));
    call.headers.insert("x-goog-request-params", routing.map_err(|e| Failure::protocol(e.to_string()))?);
    call.body = message.encode_to_vec().into();
    Ok(call)
}

/// Returns the message of a reply, or the failure that its status describes.
fn expect_ok(reply: &Reply) -> Result<&[u8], Failure> {
    // A gRPC server answers every call with HTTP 200: any other status comes from something in
    // front of it.
    if reply.status() != StatusCode::OK {
        return Err(error_reply(reply));
    }
    // A message that was adopted, not received, has no headers at all.
    match reply.headers().get("grpc-status").map(HeaderValue::as_bytes) {
        None | Some(b"0") => Ok(reply.body()),
        Some(code) => Err(failure_in_headers(code, reply.headers())),
    }
}

/// Returns the failure for a [`tonic::Status`].
pub(crate) fn failure_of_status(status: &tonic::Status) -> Failure {
    // Through the headers, so that both ways of getting an error read its details and its hint in
    // one place.
    let mut headers = HeaderMap::new();
    match status.add_header(&mut headers) {
        Ok(()) => failure_in_headers(i32::from(status.code()).to_string().as_bytes(), &headers),
        // The message or the metadata does not fit into headers: the code and the message still
        // count.
        Err(_) => {
            Failure::new(Cause::Rpc(Status::new(Code::from_number(i32::from(status.code()).into()), status.message())))
        }
    }
}

/// Returns the failure for a gRPC error, from its status code and its headers.
fn failure_in_headers(code: &[u8], headers: &HeaderMap) -> Failure {
    let code = text(code).ok().and_then(|code| code.parse().ok()).map_or(Code::Unknown, Code::from_number);
    // What is encoded wrongly stays as it is: gRPC forbids to [drop a
    // message](https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#responses) because of
    // its encoding.
    let message = headers.get("grpc-message").map(|message| decoded(message.as_bytes())).unwrap_or_default();
    let details = headers.get("grpc-status-details-bin").map(|details| read_details(details.as_bytes()));
    let status = Status::new(code, message).with_details(details.unwrap_or_default());
    // As in `error_reply`: a header first, else the `RetryInfo` among the details.
    let hint = pushback(headers).or_else(|| status.retry_delay().map(Hint::After));
    Failure::new(Cause::Rpc(status)).with_hint(hint)
}

/// Returns the hint in the headers: `grpc-retry-pushback-ms`, with which a server delays the next
/// attempt ([gRPC A6](https://github.com/grpc/proposal/blob/master/A6-client-retries.md#pushback)),
/// else one of HTTP's headers.
fn pushback(headers: &HeaderMap) -> Option<Hint> {
    let milliseconds = headers.get("grpc-retry-pushback-ms").and_then(|value| value.to_str().ok()?.parse().ok());
    milliseconds.map(Duration::from_millis).map(Hint::After).or_else(|| Hint::from_headers(headers))
}

/// Reads `grpc-status-details-bin`: a `google.rpc.Status` in base64.
///
/// The base64 may be padded or not: gRPC asks receivers to [accept
/// both](https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#requests). Bytes that do
/// not decode are kept as one detail without a type, so that they are neither lost nor hide the
/// error's code and message.
fn read_details(header: &[u8]) -> Vec<Detail> {
    let unpadded = header.trim_ascii_end().split(|byte| *byte == b'=').next().unwrap_or_default();
    let Ok(message) = STANDARD_NO_PAD.decode(unpadded) else {
        return vec![Detail::from_message("", header.to_vec())];
    };
    read_status(&message).unwrap_or_else(|Malformed| unread(&message)).details().to_vec()
}

/// Reads a `google.longrunning.Operation` from the protobuf wire format.
///
/// The generated message is not decoded here, because that would copy both payloads at every poll:
/// the payloads of the observation borrow from `message`.
fn read_operation(message: &[u8], hint: Option<Hint>) -> Result<Observation<'_>, Failure> {
    let read = || {
        let (mut name, mut done) = ("", false);
        let (mut metadata, mut error, mut response) = (None, None, None);
        let mut fields = Fields::of(message);
        while let Some(field) = fields.next()? {
            match field {
                (1, Value::Bytes(bytes)) => name = text(bytes)?,
                (2, Value::Bytes(any)) => metadata = Some(merge(metadata, any)),
                (3, Value::Varint(flag)) => done = flag != 0,
                // `error` and `response` are a `oneof`, of which the last field on the wire counts;
                // a message field that comes twice is merged with its first part
                // (https://protobuf.dev/programming-guides/encoding/#last-one-wins).
                (4, Value::Bytes(status)) => (error, response) = (Some(merge(error, status)), None),
                (5, Value::Bytes(any)) => (error, response) = (None, Some(merge(response, any))),
                // A known field with another wire type is damage; an unknown field is a newer
                // version of the message.
                (1..=5, _) => return Err(Malformed),
                _ => {}
            }
        }
        // An error that cannot be read is an error all the same: the operation failed.
        let error = error.map(|status| read_status(&status).unwrap_or_else(|Malformed| unread(&status)));
        Ok(observation(Cow::Borrowed(name), done, metadata.map(any), error, response.map(any), hint))
    };
    read().map_err(|Malformed| malformed("a `google.longrunning.Operation`", message))
}

/// Returns the name in a message that [`read_operation`] cannot read: what was found before the
/// message ceased to be protobuf counts.
fn name_in(message: &[u8]) -> Option<Cow<'_, str>> {
    let mut fields = Fields::of(message);
    let mut name = None;
    while let Ok(Some(field)) = fields.next() {
        if let (1, Value::Bytes(bytes)) = field {
            name = text(bytes).ok();
        }
    }
    name.map(Cow::Borrowed)
}

/// A payload of an operation.
fn any(bytes: Cow<'_, [u8]>) -> Part<'_> {
    Part { bytes, encoding: Encoding::ProtoAny }
}

/// Returns the status for bytes that are no `google.rpc.Status`: they are its one detail, without a
/// type.
fn unread(message: &[u8]) -> Status {
    Status::new(Code::Unknown, "").with_details(vec![Detail::from_message("", Bytes::copy_from_slice(message))])
}

/// Reads a `google.rpc.Status`. A detail that is not an `Any` is kept, without a type, and a
/// message that is not UTF-8 as far as it is.
fn read_status(message: &[u8]) -> Result<Status, Malformed> {
    let (mut code, mut words, mut details) = (0, Cow::default(), vec![]);
    let mut fields = Fields::of(message);
    while let Some(field) = fields.next()? {
        match field {
            (1, Value::Varint(number)) => code = number,
            (2, Value::Bytes(bytes)) => words = String::from_utf8_lossy(bytes),
            (3, Value::Bytes(_)) if details.len() >= MOST_ELEMENTS => {}
            (3, Value::Bytes(bytes)) => details.push(match Any::of(bytes) {
                Ok(any) => Detail::from_message(any.type_url, Bytes::copy_from_slice(any.value)),
                Err(Malformed) => Detail::from_message("", Bytes::copy_from_slice(bytes)),
            }),
            (1..=3, _) => return Err(Malformed),
            _ => {}
        }
    }
    // A negative `int32` is sent as a varint of 64 bits, which does not fit `i64`: an unassigned
    // code like any other.
    Ok(Status::new(i64::try_from(code).map_or(Code::Unknown, Code::from_number), words).with_details(details))
}

/// A `string` field: UTF-8, or the message is malformed.
fn text(bytes: &[u8]) -> Result<&str, Malformed> {
    std::str::from_utf8(bytes).map_err(|_| Malformed)
}

/// The failure for bytes that are not the message that the call returns.
fn malformed(wanted: &str, found: &[u8]) -> Failure {
    Failure::protocol(format!("the reply is not {wanted}: found {} bytes, `{}`", found.len(), excerpt(found)))
}
