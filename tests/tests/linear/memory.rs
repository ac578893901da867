//! What reading costs in memory at one time: in proportion to a reply, and bounded where its parts
//! become larger than they were.

use bytes::Bytes;
use lro_runtime::{
    Dialect, State,
    details::Detail,
    dialect::{Acceptor, Comparator, Compute, Cursor, ListQuery, Listed, Matcher, Meaning, Waiter},
    transport::Reply,
};

use serde_json::value::RawValue;

use crate::{
    SAMPLE,
    hostile::{HOLE, repeated, subjects},
    replies::each_hostile_reply,
    work::cost,
};

/// What is kept of a reply is bounded where it is larger than its text: the elements of a list.
/// Beyond that, memory grows by at most 3.5 times what the reply grows by.
fn memory_is_in_proportion(every: usize) {
    let mut cases = 0;
    let mut above = Vec::new();
    each_hostile_reply(&mut |name, read| {
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
fn a_seventh_of_the_hostile_replies_costs_memory_in_proportion_to_the_reply() {
    memory_is_in_proportion(7);
}

#[test]
fn a_reply_to_a_waiter_costs_less_than_its_length_where_a_tree_of_it_costs_many_times_that() {
    const READY: Waiter = Waiter::get("v1/fleet").response_at("nodes[].state").acceptors(&[
        Acceptor::new(Meaning::Failure, Matcher::Output("nodes[].state", Comparator::Any("lost"))),
        Acceptor::new(Meaning::Success, Matcher::Output("length(nodes[*].disks[]) > `1`", Comparator::IsTrue(true))),
    ]);
    let node = r#"{"id":1,"state":"up","disks":[1,2,3,{}]},"#;
    let body = format!(r#"{{"nodes":[{}{{}}]}}"#, node.repeat((1 << 20) / node.len()));
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
fn an_object_that_a_waiter_compares_costs_no_more_than_what_it_is_compared_with() {
    const READY: Waiter = Waiter::get("v1/fleet").acceptors(&[
        Acceptor::new(Meaning::Failure, Matcher::Output("instance == `{\"a\":1}`", Comparator::IsTrue(true))),
        Acceptor::new(Meaning::Failure, Matcher::Output("nodes == `[{\"a\":[1,{}]}]`", Comparator::IsTrue(true))),
        Acceptor::new(Meaning::Success, Matcher::Output("length(instance) > `1`", Comparator::IsTrue(true))),
    ]);
    let object = format!(r#"{{"a":1{}}}"#, repeated(r#","a#":1"#, 1 << 20));
    let body = r#"{"instance":$,"nodes":[$]}"#.replace(HOLE, &object);
    let reply = Reply::new(Bytes::from(body));
    assert_eq!(READY.read(&Cursor::default(), &reply).unwrap().state, State::Succeeded);
    let peak = cost(|| drop(READY.read(&Cursor::default(), &reply))).peak;
    assert!(peak < 16 << 10, "{peak} bytes for a reply of {}", reply.body().len());
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
            let times = ((256 << 10) / (element.len() + 1)).max(20_000);
            let list = format!("[{element}{}]", format!(",{element}").repeat(times));
            let reply = Reply::new(Bytes::from(page.replace(HOLE, &list)));
            let query = ListQuery::default();
            let mut read = None;
            let peak = cost(|| read = Some(dialect.read_list(&query, &reply))).peak;
            let read = read.unwrap().unwrap();
            assert_eq!(read.operations.len(), 10_000, "{id}: {element}");
            let why = read.failure.unwrap().to_string();
            assert!(why.contains("entries behind the first 10000"), "{why}");
            assert!(peak < 16 << 20, "{id}: {peak} bytes for a page of {element}");
        }
    }
}

#[test]
fn a_page_of_entries_with_many_details_costs_bounded_memory() {
    let ones = format!("[1{}]", ",1".repeat(99));
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
        let mut read = None;
        let peak = cost(|| read = Some(dialect.read_list(&query, &reply))).peak;
        let read = read.unwrap().unwrap();
        assert_eq!(read.operations.len(), 2_000, "{id}");
        let details = |listed: &Listed<'_>| listed.seen.as_ref().unwrap().status.as_ref().unwrap().details().len();
        assert!(read.operations.iter().all(|listed| details(listed) == 8), "{id}");
        assert!(peak < 4 << 20, "{id}: {peak} bytes for a page of {}", reply.body().len());
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

#[test]
fn a_list_of_empty_entries_in_a_detail_costs_bounded_memory() {
    let (entries, type_url) = (4 << 20, "type.googleapis.com/google.rpc.QuotaFailure");
    let json = |entries| RawValue::from_string(format!(r#"{{"violations":[{{}}{}]}}"#, ",{}".repeat(entries))).unwrap();
    let message = |entries| [0x0a, 0x00].repeat(entries); // the empty message in field 1
    for detail in [Detail::new(type_url, json(entries)), Detail::from_message(type_url, message(entries))] {
        let peak = cost(|| assert_eq!(detail.quota_failure(), None)).peak;
        assert!(peak < 1 << 10, "{peak} bytes for {detail:?}");
    }
    for detail in [Detail::new(type_url, json(80_000)), Detail::from_message(type_url, message(120_000))] {
        assert!(detail.quota_failure().unwrap().violations.len() > 80_000);
    }
}
