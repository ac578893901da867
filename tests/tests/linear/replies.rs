//! Replies of every dialect whose messages are JSON, and errors in JSON and XML.

use bytes::Bytes;
use lro_runtime::{
    Dialect,
    dialect::{Cursor, ListQuery},
    transport::Reply,
};

use crate::{
    SAMPLE,
    hostile::{ERRORS, GROWTHS, HOLE, subjects},
    work::{Cost, Visit, all_grow_linearly, cost},
};

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
        all.add(&cost(|| drop(dialect.read_start(&start, &reply, &[]))));
        all.add(&cost(|| drop(dialect.read_list(&query, &reply))));
    }
    all
}

/// Calls `visit` with each hostile reply: a name of it, and what reads it at a length.
pub(crate) fn each_hostile_reply(visit: &mut Visit<'_>) {
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

#[test]
fn a_sample_of_hostile_replies_is_read_in_linear_time_and_memory() {
    let cases = all_grow_linearly(each_hostile_reply, SAMPLE, 4 << 10);
    assert!(cases > 5000, "{cases}");
}

#[test]
#[ignore = "several minutes"]
fn every_hostile_reply_is_read_in_linear_time_and_memory() {
    all_grow_linearly(each_hostile_reply, 1, 16 << 10);
}

#[test]
#[ignore = "several minutes"]
fn a_sample_of_hostile_replies_of_four_mebibytes_is_read_in_linear_time_and_memory() {
    all_grow_linearly(each_hostile_reply, 7 * SAMPLE, 1 << 20);
}
