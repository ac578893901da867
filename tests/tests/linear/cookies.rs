//! Cookies that a client keeps: many and long ones, that replies set and the next requests send.

use http::{HeaderMap, HeaderValue, StatusCode, header::SET_COOKIE};
use lro_runtime::{
    Operations, block_on,
    dialect::Http,
    testing::VirtualClock,
    transport::{Reply, Request},
};

use crate::{
    SHORT,
    hostile::repeated,
    work::{Cost, Visit, all_grow_linearly, cost, grows_linearly},
};

/// A `Set-Cookie` that grows: what stands before, the part that is repeated, and what stands
/// behind. A `#` in the part is its number.
type Growth = (&'static str, &'static str, &'static str);

/// One long value. The longest that is read has 4,096 bytes.
const VALUES: &[Growth] = &[
    ("pin=", "a", ""),
    ("", "a", "=7"),
    ("", "=", ""),
    ("", ";", ""),
    ("pin=7", "; ", ""),
    ("pin=7", ";a=b", ""),
    ("pin=7", ";Path=/x/#", ""),
    ("pin=7;Path=", "/x", ""),
    ("pin=7", ";Expires=Thu, 01 Jan 2037 00:00:00 GMT", ""),
    ("pin=7;Expires=", "Thu, 01 Jan 2037 ", ""),
    ("pin=7", ";Max-Age=9", ""),
    ("pin=7;Max-Age=", "9", ""),
    ("pin=7;", "A", "=b"),
    ("", " ", "pin=7"),
    ("pin=7", "\u{e4}", ""),
];

/// Lines, each a cookie. A `#` is the number of the line.
const LINES: &[&str] = &[
    "pin=7",
    "pin=#",
    "pin#=7; Path=/",
    "pin=7; Path=/x/#",
    "pin#=7; Path=/; Max-Age=-1",
    "pin=7; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
    "a b=#",
    "=",
    "",
];

/// What follows in a long line: a line of this length is not read, and one of half of it is.
const LONG: usize = 4_000;

/// Polls an operation three times, with a client that keeps cookies. Each reply has these headers,
/// and each request the cookies that it sets.
fn poll(headers: HeaderMap) -> Cost {
    let mut reply = Reply::default();
    *reply.status_mut() = StatusCode::ACCEPTED;
    *reply.headers_mut() = headers;
    let transport = move |_: Request| std::future::ready(Ok(reply.clone()));
    let client = Operations::builder("https://h.test").dialect(Http::new()).transport(transport).cookies(true);
    let operation = client.timer(VirtualClock::new()).build().unwrap().resume("operations/1").unwrap();
    cost(|| {
        for _ in 0..3 {
            let _ = block_on(operation.poll_once()).unwrap();
        }
    })
}

fn value(text: &str) -> HeaderValue {
    HeaderValue::from_bytes(text.as_bytes()).unwrap()
}

fn each_value(visit: &mut Visit<'_>) {
    for (head, part, tail) in VALUES {
        visit(&format!("{head}, `{part}` and {tail}"), &mut |length| {
            let text = [head, &*repeated(part, length / part.len()), tail].concat();
            poll(HeaderMap::from_iter([(SET_COOKIE, value(&text))]))
        });
    }
}

/// Returns so many lines, each filled up to a length.
fn lines(line: &str, count: usize, filled: usize) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for number in 0..count {
        let line = line.replace('#', &number.to_string());
        headers.append(SET_COOKIE, value(&format!("{line}{}", "; a".repeat(filled.saturating_sub(line.len()) / 3))));
    }
    headers
}

fn each_list_of_lines(visit: &mut Visit<'_>) {
    for line in LINES {
        for filled in [0, LONG / 2, 2 * LONG] {
            visit(&format!("lines of `{line}`, filled to {filled}"), &mut |length| {
                poll(lines(line, length / (line.len() + 8).max(filled), filled))
            });
        }
    }
    // The names, the values and the paths of those that are kept are as long as can be.
    for line in [("pin#", "a", "=7"), ("pin#=", "a", ""), ("pin#=7; Path=/", "a", "")] {
        visit(&format!("long lines of {line:?}"), &mut |length| {
            let (head, part, tail) = line;
            poll(lines(&[head, &*part.repeat(LONG), tail].concat(), length / LONG, 0))
        });
    }
}

fn each_case(visit: &mut Visit<'_>) {
    each_value(visit);
    each_list_of_lines(visit);
}

#[test]
fn hostile_cookies_are_read_in_linear_time_and_memory() {
    let cases = all_grow_linearly(each_case, 1, SHORT);
    assert!(cases > 40, "{cases}");
}

#[test]
#[ignore = "several minutes"]
fn hostile_cookies_of_four_mebibytes_are_read_in_linear_time_and_memory() {
    all_grow_linearly(each_case, 1, 1 << 20);
}

#[test]
fn as_many_cookies_as_a_reply_may_set_are_read_in_linear_time_and_memory() {
    grows_linearly("cookies that differ", 64 << 10, &mut |length| poll(lines("pin#=7; Path=/", length / 16, 0)));
}
