//! Every reader, through the public interface: bytes of a reply become an observation or a failure
//! that keeps the promises of both.

#![expect(clippy::expect_used, reason = "a suite panics where a promise is broken")]

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Uri};
use lro_runtime::{
    Dialect, Failure, Payload, PollSettings, Resume, State, Status, Token,
    details::Detail,
    dialect::{Cursor, Encoding, Hint, ListPage, ListQuery, Observation, Part, encode_name, url_in},
    transport::{Reply, Request},
};

use self::{
    case::Case,
    client::through_a_client,
    coverage::{covered, found_again},
    promises::{SECRET, decoded, detailed, fit_error, fit_line, fit_to_show, judged_status, stored},
};
use crate::{
    recorded::{Service, recorded},
    round::{Counts, Suite},
};

pub mod case;
mod client;
mod coverage;
pub(crate) mod damage;
pub mod generate;
mod promises;
pub(crate) mod protobuf;

/// Damaged replies of every dialect.
pub const READERS: Suite = Suite { name: "readers", unit: "executions", case: of_seed, short: 600, long: 3000 };

/// How much memory a reading may hold at once: so many times the reply's length, and some for the
/// values themselves.
const TIMES: u64 = 64;
const AT_LEAST: u64 = 128 * 1024;
/// How much memory an entry of a page may hold.
const ENTRY: u64 = 1024;

fn of_seed(seed: u64) -> Counts {
    let (bytes, kinds) = generate::case(seed);
    let mut counts = read(&bytes);
    for kind in kinds {
        counts.add(kind, 1);
    }
    counts
}

/// Reads any bytes as a [`Case`], and as everything else that the library reads from text.
///
/// # Panics
///
/// When a reader breaks a promise.
#[must_use]
pub fn read(bytes: &[u8]) -> Counts {
    let mut counts = Counts::default();
    let mut case = Case::of(bytes);
    // What has the secret from elsewhere may show it.
    if String::from_utf8_lossy(bytes).contains(SECRET) {
        return counts;
    }
    let service = recorded().service(case.service.into());
    counts.add(service.name, 1);
    let request = planted(&mut case);
    let reply = planted_reply(&case);
    loose_texts(&reply, &case, &mut counts);

    let dialect = service.dialect();
    let mut cursors = vec![case.cursor()];
    let name = String::from_utf8_lossy(&case.key).into_owned();
    cursors.extend(judged(dialect.locate(&name, service.options)));
    let read_starts = |dialect: &dyn Dialect| {
        let seen = frugal(&reply, || dialect.read_start(&request, &reply, service.options));
        judged(seen).inspect(|seen| assert!(seen.state.is_terminal() || seen.cursor.is_some(), "no cursor: {seen:?}"))
    };
    let started = read_starts(&dialect);
    same(started.as_ref(), read_starts(&dialect).as_ref());
    let began = started.as_ref().and_then(|seen| seen.cursor.clone());
    cursors.extend(observed(started, &mut counts));
    for cursor in cursors.clone() {
        let seen = judged(frugal(&reply, || dialect.read(&cursor, &reply)));
        same(seen.as_ref(), judged(dialect.read(&cursor, &reply)).as_ref());
        said_again(&dialect, &cursor, &reply, seen.as_ref(), &mut counts);
        if service.name == "google" {
            by_the_parser(&dialect, &cursor, &reply, seen.as_ref(), &mut counts);
        }
        cursors.extend(observed(seen, &mut counts));
    }
    let mut query = ListQuery::default();
    query.parent.clone_from(&name);
    query.options = service.options;
    judged(dialect.list(&query)).iter().for_each(fit_to_show);
    if let Some(page) = judged(frugal_page(&reply, || dialect.read_list(&query, &reply))) {
        counts.add("pages", 1);
        fit_to_show(&page.failure);
        for listed in page.operations {
            let seen = judged(listed.seen).filter(|_| listed.message.len() <= reply.body().len());
            if let Some(seen) = &seen {
                assert!(seen.state.is_terminal() || seen.cursor.is_some(), "listed without a cursor: {seen:?}");
            }
            cursors.extend(observed(seen, &mut counts));
        }
    }
    found_again(&dialect, &query, began.as_ref(), &reply, &mut counts);
    judged(dialect.read_answer(&reply));
    for cursor in &cursors {
        followed(&dialect, cursor);
        covered(&dialect, cursor, service.options, &reply, &mut counts);
    }
    through_a_client(service, &case, &request, &reply, &mut counts);
    counts
}

/// Plants the secret in the start call and in the body, and returns the start call.
fn planted(case: &mut Case) -> Request {
    let mut request = case.request();
    request.headers_mut().insert("x-mine", HeaderValue::from_static(SECRET));
    if case.planted & 1 > 0 {
        let separator = if request.uri().query().is_some() { '&' } else { '?' };
        let uri = format!("{}{separator}sig={SECRET}", request.uri());
        *request.uri_mut() = uri.parse().unwrap_or_default();
    }
    if case.planted & 2 > 0 && case.body.starts_with(b"{") {
        let url = format!("https://api.test/x?api-version=1&sig={SECRET}");
        let members = format!(r#"{{"message":"see {url} for more","nextLink":"{url}","resourceLocation":"{url}","#);
        case.body.splice(..1, members.into_bytes());
    }
    request
}

/// Returns the reply, with the secret planted in its headers.
fn planted_reply(case: &Case) -> Reply {
    let mut reply = case.reply();
    let url = HeaderValue::from_static("https://api.test/ops/7?api-version=1&sig=Pl4ntedS3cret");
    for (bit, name) in [(4, "location"), (8, "operation-location"), (16, "azure-asyncoperation")] {
        if case.planted & bit > 0 {
            reply.headers_mut().insert(name, url.clone());
        }
    }
    if case.planted & 32 > 0 {
        reply.headers_mut().append("set-cookie", HeaderValue::from_static("session=Pl4ntedS3cret; Path=/"));
    }
    reply
}

/// Reads what is text by itself: hints, names, URLs, tokens, settings, payloads, details.
fn loose_texts(reply: &Reply, case: &Case, counts: &mut Counts) {
    if let Some(hint) = Hint::from_headers(reply.headers()) {
        let _ = hint.delay(std::time::SystemTime::UNIX_EPOCH);
        fit_to_show(&hint);
    }
    let base = Uri::from_static("https://api.test/base/start?api-version=1");
    for name in reply.headers().keys().filter(|name| **name != http::header::SET_COOKIE) {
        if let Some(url) = judged(url_in(reply, name.as_str(), &base)).flatten() {
            assert!(url.parse::<Uri>().is_ok_and(|uri| uri.scheme().is_some()), "not an absolute URL: {url}");
        }
    }
    let body = String::from_utf8_lossy(&case.body);
    for text in [&*String::from_utf8_lossy(&case.key), &*body] {
        if let Some(path) = judged(encode_name(text)) {
            let safe = |byte: u8| byte.is_ascii_graphic() && !b"?#\\".contains(&byte);
            assert!(path.bytes().all(safe), "not a path: {path}");
            assert!(path.split('/').all(|segment| !["", ".", ".."].contains(&segment)), "leaves: {path}");
        }
        match text.parse::<Token>() {
            Ok(token) => {
                counts.add("tokens read", 1);
                stored(&token);
            }
            Err(error) => fit_error(&error),
        }
        fit_to_show(&Resume::from(text));
        fit_to_show(&Resume::token_only(text));
    }
    if let Ok(settings) = serde_json::from_str::<PollSettings>(&body) {
        counts.add("settings read", 1);
        let text = serde_json::to_string(&settings).expect("settings are written as text");
        let again: PollSettings = serde_json::from_str(&text).expect("settings that were written can be read");
        assert_eq!(serde_json::to_string(&again).ok(), Some(text), "settings are written alike");
        settings.validate().err().iter().for_each(fit_error);
    }
    for encoding in [Encoding::Json, Encoding::JsonAny, Encoding::ProtoAny] {
        decoded(&Payload::new(&case.body, encoding));
    }
    detailed(&Detail::from_message("type.googleapis.com/google.rpc.BadRequest", Bytes::from(case.body.clone())));
    if let Ok(status) = serde_json::from_slice::<Status>(&case.body) {
        counts.add("statuses read", 1);
        judged_status(&status);
    }
}

/// Reads a page, of which an entry may take two bytes on the wire, and counts what that allocates.
fn frugal_page<'a>(
    reply: &Reply,
    read: impl FnOnce() -> Result<ListPage<'a>, Failure>,
) -> Result<ListPage<'a>, Failure> {
    let entries = |page: &Result<ListPage<'_>, Failure>| page.as_ref().map_or(0, |page| page.operations.len());
    frugal_beside(reply, |page| ENTRY * entries(page) as u64, read)
}

/// Reads, and counts what the reading allocates.
fn frugal<T>(reply: &Reply, read: impl FnOnce() -> T) -> T {
    frugal_beside(reply, |_| 0, read)
}

/// Reads, and counts what the reading allocates beside what the value itself may take.
fn frugal_beside<T>(reply: &Reply, value: impl FnOnce(&T) -> u64, read: impl FnOnce() -> T) -> T {
    let mut out = None;
    let info = allocation_counter::measure(|| out = Some(read()));
    let length = reply.body().len() + reply.headers().values().map(HeaderValue::len).sum::<usize>();
    let out = out.expect("it was read");
    let most = TIMES * length as u64 + AT_LEAST + value(&out);
    assert!(info.bytes_max <= most, "{} bytes held for a reply of {length}", info.bytes_max);
    out
}

/// Looks at a failure, and keeps what is none.
fn judged<T>(outcome: Result<T, Failure>) -> Option<T> {
    outcome
        .inspect_err(|failure| {
            fit_to_show(failure);
            fit_line(&failure.to_string());
            let _ = (failure.scope(), failure.verdict(), failure.is_not_found(), failure.is_unsupported());
            failure.status().iter().for_each(|status| judged_status(status));
        })
        .ok()
}

/// Holds an observation to what it promises, and returns its cursor.
fn observed(seen: Option<Observation<'_>>, counts: &mut Counts) -> Option<Cursor> {
    let Some(seen) = seen else {
        counts.add("failures", 1);
        return None;
    };
    counts.add("observations", 1);
    counts.add(word(seen.state), 1);
    fit_to_show(&seen);
    assert!(seen.response.is_none() || seen.state == State::Succeeded, "a response that is none: {seen:?}");
    let has_failed = matches!(seen.state, State::Failed | State::Cancelled);
    assert!(seen.status.is_none() || has_failed, "a status without a failure: {seen:?}");
    assert!(seen.status.is_some() || seen.state != State::Failed, "a failure without a status: {seen:?}");
    assert!(!(seen.follow && seen.state.is_terminal()), "leads on from the end: {seen:?}");
    seen.status.iter().for_each(judged_status);
    [&seen.metadata, &seen.response].into_iter().flatten().for_each(|part| decoded(&part.payload()));
    seen.cursor
}

fn word(state: State) -> &'static str {
    match state {
        State::Pending => "pending",
        State::Running => "running",
        State::Succeeded => "succeeded",
        State::Failed => "failed",
        State::Cancelled => "cancelled",
    }
}

/// Two readings of one reply say the same.
fn same(first: Option<&Observation<'_>>, second: Option<&Observation<'_>>) {
    let (Some(first), Some(second)) = (first, second) else {
        assert_eq!(first.is_some(), second.is_some(), "read only once: {first:?}, {second:?}");
        return;
    };
    let words = |seen: &Observation<'_>| {
        [&seen.name, &seen.raw_status, &seen.status_message].map(|word| word.as_deref().map(str::to_owned))
    };
    let bytes =
        |part: &Option<Part<'_>>| part.as_ref().map(|part| (part.bytes.to_vec(), format!("{:?}", part.encoding)));
    let rest =
        |seen: &Observation<'_>| (seen.state, seen.is_known_status, seen.progress.map(f64::to_bits), seen.follow);
    assert_eq!(words(first), words(second));
    assert_eq!(rest(first), rest(second));
    assert_eq!((bytes(&first.metadata), bytes(&first.response)), (bytes(&second.metadata), bytes(&second.response)));
    assert_eq!((&first.status, &first.cursor, first.hint), (&second.status, &second.cursor, second.hint));
}

/// Checks that a reply that need not be read again says the same whatever else comes with its body.
fn said_again(
    dialect: &dyn Dialect,
    cursor: &Cursor,
    reply: &Reply,
    seen: Option<&Observation<'_>>,
    counts: &mut Counts,
) {
    let Some(seen) = seen.filter(|_| dialect.reads_the_same(reply)) else { return };
    assert!(seen.cursor.is_none() && !seen.follow, "it leads elsewhere: {seen:?}");
    assert_eq!(seen.hint, Hint::from_headers(reply.headers()));
    let mut other = Reply::new(reply.body().clone());
    for name in ["location", "operation-location", "azure-asyncoperation"] {
        other.headers_mut().insert(name, HeaderValue::from_static("https://api.test/elsewhere"));
    }
    other.headers_mut().insert("retry-after", HeaderValue::from_static("7"));
    assert!(dialect.reads_the_same(&other));
    let mut again = judged(dialect.read(cursor, &other));
    let hint = again.as_mut().and_then(|again| std::mem::replace(&mut again.hint, seen.hint));
    assert_eq!(hint, Some(Hint::After(Duration::from_secs(7))));
    same(Some(seen), again.as_ref());
    counts.add("said again", 1);
}

/// Checks that an operation is read in one pass as the parser reads it, which a member with an
/// escape in its name asks for.
fn by_the_parser(
    dialect: &dyn Dialect,
    cursor: &Cursor,
    reply: &Reply,
    seen: Option<&Observation<'_>>,
    counts: &mut Counts,
) {
    let Some(members) = reply.body().trim_ascii_start().strip_prefix(b"{") else { return };
    if members.trim_ascii_start().starts_with(b"}") {
        return; // a comma before the brace would be no JSON
    }
    let body = [br#"{"\u0078":0,"#, members].concat();
    let other = reply.clone().map(|_| Bytes::from(body));
    same(seen, judged(dialect.read(cursor, &other)).as_ref());
    counts.add("read by the parser", u64::from(seen.is_some()));
}

/// Makes every call of a cursor, and writes it down and reads it again.
fn followed(dialect: &dyn Dialect, cursor: &Cursor) {
    fit_to_show(cursor);
    cursor.refusal().iter().for_each(|why| fit_line(&why.to_string()));
    let written = serde_json::to_string(cursor).expect("a cursor is written as text");
    let again: Cursor = serde_json::from_str(&written).expect("a cursor that was written can be read");
    assert!(again == cursor.clone().with_headers(HeaderMap::new()), "{cursor:?} is read as {again:?}");
    for wait in [Duration::ZERO, Duration::from_millis(1500), Duration::MAX] {
        judged(dialect.wait(cursor, wait)).iter().for_each(fit_to_show);
    }
    for call in [dialect.poll(cursor), dialect.cancel(cursor), dialect.delete(cursor)] {
        judged(call).iter().for_each(fit_to_show);
    }
}

/// Reads any bytes as the reply of a gRPC call, without a head before them.
///
/// # Panics
///
/// As [`read`].
#[must_use]
pub fn proto(bytes: &[u8]) -> Counts {
    let grpc = recorded().services.iter().position(Service::is_grpc).and_then(|index| u8::try_from(index).ok());
    let key = b"projects/p/operations/1".to_vec();
    let case = Case { service: grpc.unwrap_or_default(), status: 200, key, body: bytes.to_vec(), ..Case::default() };
    read(&case.bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reader_keeps_its_promises_on_damaged_replies() {
        let report = READERS.short_round();
        let counts = report.counts();
        for name in recorded().names().chain(generate::KINDS.iter().copied()) {
            assert!(counts.of(name) > 0, "{name} is not met");
        }
        let read = counts.of("observations") + counts.of("failures");
        assert!(counts.of("observations") * 4 > read, "too few replies can be read");
        for state in State::ALL {
            assert!(counts.of(word(*state)) > 0, "no operation is {state}");
        }
        assert!(counts.of("resumed") * 4 > READERS.short);
        for what in [
            "pages",
            "tokens read",
            "settings read",
            "statuses read",
            "said again",
            "read by the parser",
            "swept",
            "named",
            "found again",
        ] {
            assert!(counts.of(what) > 0, "{what}: none");
        }
    }

    #[test]
    fn a_case_is_the_same_from_its_bytes() {
        for case in generate::clean_cases() {
            assert_eq!(Case::of(&case.bytes()), case);
        }
    }

    #[test]
    fn every_recorded_reply_of_google_is_read_in_one_pass_as_by_the_parser() {
        let google = recorded().services.iter().position(|service| service.name == "google").unwrap_or_default();
        let mut counts = Counts::default();
        for case in generate::clean_cases() {
            let service = u8::try_from(google).unwrap_or_default();
            counts.merge(read(&Case { service, planted: 0, status: 200, ..case }.bytes()));
        }
        assert!(counts.of("read by the parser") > 100, "{counts:?}");
    }
}
