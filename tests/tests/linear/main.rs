//! Reading is linear in the length of what is read, in time and in memory: a server may send
//! whatever fits into the limit of a body.

#![expect(clippy::unwrap_used, reason = "tests may fail")]

mod hostile;
mod work;

use bytes::Bytes;
use lro_runtime::{
    Dialect, Operations,
    dialect::{
        Acceptor, Azure, Comparator, Compute, Cursor, Google, GoogleGrpc, Jobs, ListQuery, Listed, Lxd, Matcher,
        Meaning, Redfish, Waiter,
    },
    testing::{Script, ScriptedTransport, VirtualClock},
    transport::Reply,
};
use serde_json::json;

use crate::{
    hostile::{ERRORS, GROWTHS, HOLE, subjects},
    work::{Cost, cost, grows_linearly},
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

/// Reads this body in every way in which the dialect may be asked to, and returns the cost of the
/// dearest.
fn read_by(dialect: &dyn Dialect, status: u16, body: String) -> Cost {
    let mut reply = Reply::new(Bytes::from(body));
    *reply.status_mut() = status.try_into().unwrap();
    let cursor = Cursor::new("https://h.test/operations/1");
    let start = http::Request::post("https://h.test/start").body(Bytes::new()).unwrap();
    let query = ListQuery::default();
    let mut all = cost(|| drop(dialect.read(&cursor, &reply)));
    if status < 300 {
        for other in
            [cost(|| drop(dialect.read_start(&start, &reply, &[]))), cost(|| drop(dialect.read_list(&query, &reply)))]
        {
            all.time += other.time;
            all.allocations += other.allocations;
            all.bytes += other.bytes;
            all.peak = all.peak.max(other.peak);
        }
    }
    all
}

/// Calls `visit` with each hostile reply: a name of it, and what reads it at a length.
fn each_hostile_reply(mut visit: impl FnMut(&str, &mut dyn FnMut(usize) -> Cost)) {
    for subject in subjects() {
        let dialect = &*subject.dialect;
        let good = subject.messages.iter().flat_map(|message| [(200, message)]);
        let bad = ERRORS.iter().map(|message| (409, message));
        for (status, message) in good.chain(bad) {
            for growth in GROWTHS {
                let name = format!("{} {status} {message} of `{}`", dialect.id(), growth.part());
                let holes = message.matches(HOLE).count();
                visit(&name, &mut |length| {
                    let body = message.replace(HOLE, &growth.of_length(length / holes));
                    read_by(dialect, status, body)
                });
            }
        }
    }
}

/// How much of a kind of case `cargo test` looks at: with all of them it would take minutes. The
/// number is prime, so that no dialect, message or growth is left out.
const SAMPLE: usize = 31;

#[test]
fn a_sample_of_hostile_replies_is_read_in_linear_time_and_memory() {
    let mut cases = 0;
    each_hostile_reply(|name, read| {
        cases += 1;
        if cases % SAMPLE == 0 {
            grows_linearly(name, 4 << 10, read);
        }
    });
    assert!(cases > 5000, "{cases}");
}

#[test]
#[ignore = "several minutes"]
fn every_hostile_reply_is_read_in_linear_time_and_memory() {
    each_hostile_reply(|name, read| {
        grows_linearly(name, 16 << 10, read);
    });
}

#[test]
#[ignore = "several minutes"]
fn a_sample_of_hostile_replies_of_four_mebibytes_is_read_in_linear_time_and_memory() {
    let mut cases = 0;
    each_hostile_reply(|name, read| {
        cases += 1;
        if cases % (3 * SAMPLE) == 0 {
            grows_linearly(name, 1 << 20, read);
        }
    });
}

/// What is kept of a reply is bounded where it is larger than its text: the elements of a list.
/// Beyond that, memory grows by at most 3.5 times what the reply grows by.
fn memory_is_in_proportion(every: usize) {
    let mut cases = 0;
    let mut above = Vec::new();
    each_hostile_reply(|name, read| {
        cases += 1;
        if cases % every != 0 {
            return;
        }
        let percent = (read(128 << 10).peak.saturating_sub(read(96 << 10).peak)) * 100 / (32 << 10);
        if percent > 350 && !is_page_of_many(name) {
            above.push((percent, name.to_owned()));
        }
    });
    above.sort();
    assert!(above.is_empty(), "per cent of a reply's length: {above:#?}");
}

/// Whether the entries of a page grow. They are bounded in number, which
/// `a_page_of_any_length_costs_bounded_memory` shows.
fn is_page_of_many(name: &str) -> bool {
    let is_list = name.contains("of `,");
    is_list && [r#""operations":$"#, r#""items":$"#, "lxd 200"].iter().any(|place| name.contains(place))
}

#[test]
fn a_sample_of_hostile_replies_costs_memory_in_proportion_to_the_reply() {
    memory_is_in_proportion(SAMPLE);
}

#[test]
#[ignore = "several minutes"]
fn a_third_of_the_hostile_replies_costs_memory_in_proportion_to_the_reply() {
    memory_is_in_proportion(3);
}

#[test]
fn a_reply_to_a_waiter_costs_less_than_its_length_where_a_tree_of_it_costs_many_times_that() {
    const READY: Waiter = Waiter::get("v1/fleet").response_at("nodes[].state").acceptors(&[
        Acceptor::new(Meaning::Failure, Matcher::Output("nodes[].state", Comparator::Any("lost"))),
        Acceptor::new(Meaning::Success, Matcher::Output("length(nodes[*].disks[]) > `1`", Comparator::IsTrue(true))),
    ]);
    let node = r#"{"id":1,"state":"up","disks":[1,2,3,{}]},"#;
    let body = format!(r#"{{"nodes":[{}{{}}]}}"#, node.repeat((4 << 20) / node.len()));
    let length = u64::try_from(body.len()).unwrap();
    let tree = cost(|| drop(serde_json::from_str::<serde_json::Value>(&body))).peak;
    println!("a tree of {length} bytes of JSON: {tree} bytes");
    assert!(tree > 10 * length, "{tree} bytes for a reply of {length}");
    let reply = Reply::new(Bytes::from(body));
    let seen = READY.read(&Cursor::default(), &reply).unwrap();
    assert!(seen.response.unwrap().bytes.starts_with(br#"["up","up","#));
    let peak = cost(|| drop(READY.read(&Cursor::default(), &reply))).peak;
    assert!(peak < length, "{peak} bytes for a reply of {length}");
}

#[test]
fn a_page_of_any_length_costs_bounded_memory() {
    let pages = [
        ("google", r#"{"operations":$,"nextPageToken":"x"}"#),
        ("compute", r#"{"items":$}"#),
        ("lxd", r#"{"type":"sync","metadata":{"running":$}}"#),
        ("declared:meilisearch.task", r#"{"results":$}"#),
    ];
    for (id, page) in pages {
        let subjects = subjects();
        let dialect = &subjects.iter().find(|subject| subject.dialect.id() == id).unwrap().dialect;
        for element in ["1", "{}", r#"{"name":"operations/1","uid":1,"status":"RUNNING"}"#] {
            let list = format!("[{element}{}]", format!(",{element}").repeat((1 << 20) / (element.len() + 1)));
            let reply = Reply::new(Bytes::from(page.replace(HOLE, &list)));
            let query = ListQuery::default();
            let read = dialect.read_list(&query, &reply).unwrap();
            assert_eq!(read.operations.len(), 10_000, "{id}: {element}");
            let why = read.failure.unwrap().to_string();
            assert!(why.contains("entries behind the first 10000"), "{why}");
            let peak = cost(|| drop(dialect.read_list(&query, &reply))).peak;
            assert!(peak < 16 << 20, "{id}: {peak} bytes for a page of {element}");
        }
    }
}

#[test]
fn a_page_of_entries_with_many_details_costs_bounded_memory() {
    let ones = format!("[1{}]", ",1".repeat(999));
    let failed = [
        ("google", r#"{"operations":$}"#, r#"{"name":"o","done":true,"error":{"details":$}}"#),
        ("compute", r#"{"items":$}"#, r#"{"name":"o","status":"DONE","error":{"errors":$}}"#),
        ("declared:meilisearch.task", r#"{"results":$}"#, r#"{"uid":1,"status":"failed","error":{"details":$}}"#),
    ];
    for (id, page, entry) in failed {
        let subjects = subjects();
        let dialect = &subjects.iter().find(|subject| subject.dialect.id() == id).unwrap().dialect;
        let entry = entry.replace(HOLE, &ones);
        let list = format!("[{entry}{}]", format!(",{entry}").repeat(1_999));
        let reply = Reply::new(Bytes::from(page.replace(HOLE, &list)));
        let query = ListQuery::default();
        let read = dialect.read_list(&query, &reply).unwrap();
        assert_eq!(read.operations.len(), 2_000, "{id}");
        let details = |listed: &Listed<'_>| listed.seen.as_ref().unwrap().status.as_ref().unwrap().details().len();
        assert!(read.operations.iter().all(|listed| details(listed) == 8), "{id}");
        let peak = cost(|| drop(dialect.read_list(&query, &reply))).peak;
        assert!(peak < 8 << 20, "{id}: {peak} bytes for a page of {}", reply.body().len());
    }
}

#[test]
fn an_error_of_compute_with_many_details_in_many_errors_costs_bounded_memory() {
    let details = format!(r#"{{"errorDetails":[{{"help":1}}{}]}}"#, r#",{"help":1}"#.repeat(999));
    let errors = format!("[{details}{}]", format!(",{details}").repeat(299));
    let body = r#"{"name":"o","status":"DONE","error":{"errors":$}}"#.replace(HOLE, &errors);
    let (reply, cursor) = (Reply::new(Bytes::from(body)), Cursor::new("projects/p/global/operations/1"));
    let seen = Compute::new().read(&cursor, &reply).unwrap();
    assert_eq!(seen.status.unwrap().details().len(), 1_000);
    let peak = cost(|| drop(Compute::new().read(&cursor, &reply))).peak;
    assert!(peak < 1 << 20, "{peak} bytes for a reply of {}", reply.body().len());
}
