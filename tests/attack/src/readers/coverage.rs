//! What a dialect says of the coverage of an operation, whoever named it: the call can be made, and
//! an entry of its reply is known again.

use lro_runtime::{
    Dialect,
    dialect::{Coverage, Cursor, ListQuery, Options},
    transport::Reply,
};

use super::{frugal_page, judged, promises::fit_to_show};
use crate::round::Counts;

/// How many entries of a page are looked for in the list that covers them, each of which reads the
/// page once more.
const LOOKED_FOR: usize = 4;

/// Checks that the call which covers an operation can be made, and reads the reply as its.
pub(super) fn covered(
    dialect: &dyn Dialect,
    cursor: &Cursor,
    options: &'static Options,
    reply: &Reply,
    counts: &mut Counts,
) {
    let coverage = dialect.coverage(cursor, options);
    assert!(coverage == dialect.coverage(cursor, options), "another coverage of the same cursor: {cursor:?}");
    fit_to_show(&coverage);
    match coverage {
        Some(Coverage::Sweep(sweep)) => {
            assert!(sweep.query.page_token.is_empty(), "a sweep begins on the first page");
            fit_to_show(&dialect.list(&sweep.query).expect("a sweep can be asked for"));
            counts.add("swept", 1);
        }
        Some(Coverage::Named(named)) => {
            assert!(named.most > 0, "no operation fits into the call");
            fit_to_show(&dialect.poll_named(&[cursor]).expect("what is named can be asked for"));
            if let Some(page) = judged(frugal_page(reply, || dialect.read_named(&[cursor], reply))) {
                assert!(page.next_page_token.is_empty(), "what is named is on one page");
            }
            counts.add("named", 1);
        }
        _ => {}
    }
}

/// Checks that the operation that this reply began, and the one that it is on a page of a list, are
/// found by their cursors on the same page of the lists that cover them.
pub(super) fn found_again(
    dialect: &dyn Dialect,
    query: &ListQuery,
    began: Option<&Cursor>,
    reply: &Reply,
    counts: &mut Counts,
) {
    let page = &page_of(reply.body());
    let cursors = |query: &ListQuery| -> Vec<Cursor> {
        let page = judged(dialect.read_list(query, page)).unwrap_or_default();
        page.operations.into_iter().filter_map(|entry| entry.seen.ok()?.cursor).collect()
    };
    let mut looked_for = cursors(query);
    looked_for.truncate(LOOKED_FOR);
    // The URL of a start call may say where the operation is; an entry without a place has no
    // cursor.
    looked_for.extend(began.filter(|_| !looked_for.is_empty()).cloned());
    for cursor in looked_for {
        if let Some(Coverage::Sweep(sweep)) = dialect.coverage(&cursor, query.options) {
            let again = cursors(&sweep.query);
            assert!(again.contains(&cursor), "{cursor:?} is not found again among {again:?}");
            counts.add("found again", 1);
        }
    }
}

/// Returns a page with this message, wherever a service has its entries.
fn page_of(message: &[u8]) -> Reply {
    let mut page = b"{".to_vec();
    for member in ["operations", "items", "data", "results"] {
        page.extend([b"\"", member.as_bytes(), b"\":[", message, b"],"].concat());
    }
    page.extend(b"\"more\":0}");
    Reply::new(page.into())
}
