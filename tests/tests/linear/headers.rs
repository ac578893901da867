//! Headers of replies: long values, and many lines of one name or of many.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use lro_runtime::{
    Dialect, Operations, block_on,
    dialect::{Cursor, GoogleGrpc, Hint, ListQuery, url_in},
    testing::VirtualClock,
    transport::{Reply, Request},
};

use crate::{
    LONG_HEAD, SAMPLE, SHORT,
    hostile::{repeated, subjects},
    work::{Cost, Visit, all_grow_linearly, cost},
};

/// The headers that some dialect reads, and one that none does.
const NAMES: &[&str] = &[
    "retry-after",
    "retry-after-ms",
    "x-ms-retry-after-ms",
    "openai-poll-after-ms",
    "location",
    "operation-location",
    "azure-asyncoperation",
    "x-ms-operation-id",
    "x-ms-error-code",
    "x-amzn-errortype",
    "grpc-status",
    "grpc-message",
    "grpc-status-details-bin",
    "grpc-retry-pushback-ms",
    "link",
];

/// What values are made of. A `#` is the number of the part.
const PARTS: &[&str] = &[
    "0",
    "9",
    "0.",
    "a",
    "a/",
    "/",
    "../",
    "/./",
    "%25",
    "%",
    "=",
    "://a@",
    "&sig=a#",
    "Sun, 06 Nov 1994 08:49:37 GMT,",
    "<https://h.test/#>; rel=next, ",
    " ",
    "\u{e4}",
];

/// A value: what stands before the parts, and whether each part is a line of its own.
const FORMS: &[(&str, bool)] =
    &[("", false), ("/", false), ("https://h.test/x?", false), ("1", false), ("1e", false), ("", true), ("/", true)];

/// The replies whose headers grow: HTTP statuses that dialects tell apart, and a body.
const STATUSES: &[(u16, &str)] = &[
    (200, r#"{"name":"o","id":"1","status":"Running","TaskState":"Running"}"#),
    (202, ""),
    (303, ""),
    (409, r#"{"error":{"code":"c","message":"m"}}"#),
    (503, "busy"),
];

/// How many header names differ at most: `HeaderMap` holds no more than 32,768.
const MOST_NAMES: usize = 16_384;

/// Returns headers of about this many bytes.
fn grown(name: &'static str, (head, is_line): (&str, bool), part: &str, length: usize) -> HeaderMap {
    let name = HeaderName::from_static(name);
    let value = |text: &str| HeaderValue::from_bytes(text.as_bytes()).unwrap();
    if !is_line {
        let text = format!("{head}{}", repeated(part, length));
        return HeaderMap::from_iter([(name, value(&text))]);
    }
    let mut headers = HeaderMap::new();
    // A line has a name as well, of about the length of the longest part.
    let lines = length / 32;
    for number in 0..lines {
        headers.append(&name, value(&format!("{head}{}{number:06}", part.replace('#', ""))));
    }
    headers
}

/// Returns an empty reply with these headers.
fn with_headers(headers: HeaderMap) -> Reply {
    let mut reply = Reply::default();
    *reply.headers_mut() = headers;
    reply
}

/// Reads a reply with these headers, a status and a body in every way in which the dialect may be
/// asked to.
fn read_by(dialect: &dyn Dialect, (status, body): (u16, &'static str), reply: &mut Reply) -> Cost {
    *reply.status_mut() = status.try_into().unwrap();
    *reply.body_mut() = Bytes::from_static(body.as_bytes());
    let reply = &*reply;
    let cursor = Cursor::new("https://h.test/operations/1");
    let start = http::Request::post("https://h.test/start").body(Bytes::new()).unwrap();
    let query = ListQuery::default();
    cost(|| {
        drop(dialect.read(&cursor, reply));
        drop(dialect.read_start(&start, reply, &[]));
        drop(dialect.read_list(&query, reply));
        drop(dialect.read_answer(reply));
    })
}

fn each_header(visit: &mut Visit<'_>) {
    // The dialects of declared types read no headers of their own: the first stands for all.
    let is_first = |id: &str| !id.starts_with("declared:") || id == "declared:openai.batch";
    let mut dialects: Vec<_> = subjects().into_iter().map(|subject| subject.dialect).collect();
    dialects.retain(|dialect| is_first(dialect.id()));
    dialects.push(std::sync::Arc::new(GoogleGrpc::new()));
    for name in NAMES {
        for form in FORMS {
            for part in PARTS {
                // Built once for all dialects, because that costs more than reading.
                let mut replies = BTreeMap::new();
                let build = |length: &usize| with_headers(grown(name, *form, part, *length));
                for dialect in &dialects {
                    for &(status, body) in STATUSES {
                        let case = format!("{} {status} {name} {form:?} of `{part}`", dialect.id());
                        visit(&case, &mut |length| {
                            read_by(&**dialect, (status, body), replies.entry(length).or_insert_with_key(build))
                        });
                    }
                }
            }
        }
    }
}

/// The readers of headers that dialects of other crates call.
fn each_header_for_authors(visit: &mut Visit<'_>) {
    let base = http::Uri::from_static("https://h.test/start");
    for name in NAMES {
        for form in FORMS {
            for part in PARTS {
                visit(&format!("{name} {form:?} of `{part}`"), &mut |length| {
                    let reply = with_headers(grown(name, *form, part, length));
                    cost(|| {
                        let url = url_in(&reply, name, &base).map_err(|why| why.to_string());
                        drop((url, Hint::from_headers(reply.headers())));
                    })
                });
            }
        }
    }
}

/// Operations whose start and polls are answered with headers that grow: what they say is kept,
/// shown and written into tokens.
fn each_header_of_an_operation(visit: &mut Visit<'_>) {
    for subject in subjects().into_iter().filter(|subject| ["http", "azure", "lxd"].contains(&subject.dialect.id())) {
        for name in ["location", "operation-location", "retry-after"] {
            for form in FORMS {
                for part in PARTS {
                    let case = format!("an operation of {}, {name} {form:?} of `{part}`", subject.dialect.id());
                    visit(&case, &mut |length| {
                        let mut reply = with_headers(grown(name, *form, part, length));
                        *reply.status_mut() = http::StatusCode::ACCEPTED;
                        let transport = move |_: Request| std::future::ready(Ok(reply.clone()));
                        let client = Operations::builder("https://h.test").dialect(subject.dialect.clone());
                        let client = client.transport(transport).timer(VirtualClock::new()).build().unwrap();
                        cost(|| {
                            let Ok(operation) = block_on(client.post("start", &())) else { return };
                            let polled = block_on(operation.poll_once());
                            let shown = polled.map_or_else(|why| format!("{why} {why:?}"), |seen| format!("{seen:?}"));
                            drop((shown, operation.token().to_string()));
                        })
                    });
                }
            }
        }
    }
}

/// Many names of headers, of which none matters: each poll goes through them all.
fn each_crowd_of_headers(visit: &mut Visit<'_>) {
    for subject in subjects() {
        for &(status, body) in STATUSES {
            visit(&format!("{} {status}, many headers", subject.dialect.id()), &mut |length| {
                let names = (0..(length / 16).min(MOST_NAMES)).map(|number| format!("x-{number:06}").parse().unwrap());
                let headers = names.map(|name: HeaderName| (name, HeaderValue::from_static("a"))).collect();
                read_by(&*subject.dialect, (status, body), &mut with_headers(headers))
            });
        }
    }
}

fn each_case(visit: &mut Visit<'_>) {
    each_header(visit);
    each_header_for_authors(visit);
    each_header_of_an_operation(visit);
    each_crowd_of_headers(visit);
}

#[test]
fn a_sample_of_hostile_headers_is_read_in_linear_time_and_memory() {
    let cases = all_grow_linearly(each_case, 3 * SAMPLE, SHORT);
    assert!(cases > 10_000, "{cases}");
}

#[test]
#[ignore = "several minutes"]
fn a_third_of_hostile_headers_is_read_in_linear_time_and_memory() {
    all_grow_linearly(each_case, 3, SHORT);
}

#[test]
#[ignore = "several minutes"]
fn a_sample_of_the_longest_heads_of_hostile_headers_is_read_in_linear_time_and_memory() {
    all_grow_linearly(each_case, 9 * SAMPLE, LONG_HEAD);
}

#[test]
fn lines_of_a_header_that_differ_are_read_in_one_pass() {
    for (id, name) in [("http", "location"), ("azure", "azure-asyncoperation"), ("redfish", "location")] {
        let subjects = subjects();
        let dialect = &*subjects.iter().find(|subject| subject.dialect.id() == id).unwrap().dialect;
        let cost = crate::work::grows_linearly(&format!("{id} {name}"), 64 << 10, &mut |length| {
            read_by(dialect, (202, ""), &mut with_headers(grown(name, ("/", true), "a", length)))
        });
        assert!(cost.allocations > 0, "{id}: nothing was read");
    }
}
