//! Cookies that a client keeps: many and long ones, that replies set and the next requests send.

use http::{HeaderMap, HeaderValue, StatusCode, header::SET_COOKIE};
use lro_runtime::{
    Operations, block_on,
    dialect::Http,
    testing::VirtualClock,
    transport::{Reply, Request},
};

use crate::{
    LONG_HEAD,
    hostile::{numbered, repeated},
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

/// The longest line that is read. The lengths of all lists of lines are multiples of twice as many
/// bytes, so that a list of four times the length has four times as many lines.
const LONGEST: usize = 4 << 10;

/// The length of the shorter list of cookies, in bytes.
const LINES_LENGTH: usize = 16 << 10;

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
            let text = [head, &*repeated(part, length), tail].concat();
            poll(HeaderMap::from_iter([(SET_COOKIE, value(&text))]))
        });
    }
}

/// Returns so many lines, each filled up to a length.
fn lines(line: &str, count: usize, filled: usize) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for number in 0..count {
        let line = numbered(line, number);
        headers.append(SET_COOKIE, value(&format!("{line}{}", "; a".repeat(filled.saturating_sub(line.len()) / 3))));
    }
    headers
}

fn each_list_of_lines(visit: &mut Visit<'_>) {
    for line in LINES {
        for filled in [0, LONGEST / 2, 2 * LONGEST] {
            visit(&format!("lines of `{line}`, filled to {filled}"), &mut |length| {
                poll(lines(line, length / (line.len() + 8).max(filled), filled))
            });
        }
    }
    // The names, the values and the paths of those that are kept are as long as can be.
    for line in [("pin#", "a", "=7"), ("pin#=", "a", ""), ("pin#=7; Path=/", "a", "")] {
        visit(&format!("long lines of {line:?}"), &mut |length| {
            let (head, part, tail) = line;
            let others = head.len() + tail.len() + 16;
            poll(lines(&[head, &*part.repeat(LONGEST - others), tail].concat(), length / LONGEST, 0))
        });
    }
}

fn each_case(visit: &mut Visit<'_>) {
    each_value(visit);
    each_list_of_lines(visit);
}

#[test]
fn hostile_cookies_are_read_in_linear_time_and_memory() {
    let cases = all_grow_linearly(each_case, 1, LINES_LENGTH);
    assert!(cases > 40, "{cases}");
}

#[test]
#[ignore = "several minutes"]
fn the_longest_heads_of_hostile_cookies_are_read_in_linear_time_and_memory() {
    all_grow_linearly(each_case, 1, LONG_HEAD);
}

#[test]
fn as_many_cookies_as_a_reply_may_set_are_read_in_linear_time_and_memory() {
    grows_linearly("cookies that differ", 64 << 10, &mut |length| poll(lines("pin#=7; Path=/", length / 16, 0)));
}
