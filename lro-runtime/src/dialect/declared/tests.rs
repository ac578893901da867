//! Tests of declared dialects: what is found in a message, and the calls that are made of a name.

use std::{borrow::Cow, time::Duration};

use bytes::Bytes;

use super::*;
use crate::{
    dialect::json::counted,
    hint::Hint,
    status::{Cause, State},
};

/// A hand-written declaration that uses everything that can be declared.
struct Job;

impl WireOperation for Job {
    const SHAPE: &'static WireShape = &WireShape::new("declared:Job")
        .name(WirePath::at(&[&["id"]]))
        .state(WirePath::at(&[&["status"], &["state"]]))
        .words(&[
            ("queued", WireState::Pending),
            ("running", WireState::Running),
            ("done", WireState::Done),
            ("broken", WireState::Failed),
            ("stopped", WireState::Cancelled),
        ])
        .response(WirePath::at(&[&["result"]]))
        .metadata(WirePath::at(&[&["stats"]]))
        .error(WirePath::at(&[&["status"], &["error"]]))
        .error(WirePath::at(&[&["problem"]]))
        .cancelled_errors(&["stopped", "CANCELLED"])
        .progress(WirePath::at(&[&["stats"], &["done"]]), Total::At(WirePath::at(&[&["stats"], &["all"]])))
        .next(WirePath::at(&[&["links"], &["self"]]))
        .hint(WirePath::at(&[&["wait"]]), HintUnit::Milliseconds)
        .poll("v1/jobs/{name}")
        .cancel("POST v1/jobs/{name}/cancel {\"hard\":true}")
        .list(WireList::new(
            "v1/jobs?limit={page_size}&after={page_token}",
            WirePath::at(&[&["data"]]),
            WirePath::at(&[&["next"]]),
        ));
}

const JOB: Declared = Declared::of::<Job>();

fn reply(body: &str) -> Reply {
    Reply::new(Bytes::copy_from_slice(body.as_bytes()))
}

fn request() -> Request {
    let mut request = Request::new(Bytes::new());
    *request.uri_mut() = "https://jobs.example.com/api/v1/jobs".parse().unwrap();
    request
}

fn state_of(body: &str) -> State {
    JOB.read(&Cursor::new("7"), &reply(body)).unwrap().state
}

#[test]
fn a_word_means_what_is_declared_and_nothing_else() {
    assert_eq!(state_of(r#"{"status": {"state": "queued"}}"#), State::Pending);
    assert_eq!(state_of(r#"{"status": {"state": "running"}}"#), State::Running);
    assert_eq!(state_of(r#"{"status": {"state": "done"}}"#), State::Succeeded);
    assert_eq!(state_of(r#"{"status": {"state": "broken"}}"#), State::Failed);
    assert_eq!(state_of(r#"{"status": {"state": "stopped"}}"#), State::Cancelled);
    for unknown in ["Done", "DONE", "notdone", "done ", ""] {
        let body = reply(&format!(r#"{{"status": {{"state": "{unknown}"}}}}"#));
        let seen = JOB.read(&Cursor::new("7"), &body).unwrap();
        assert_eq!(
            (seen.state, seen.is_known_status, seen.raw_status.as_deref()),
            (State::Running, false, Some(unknown))
        );
    }
}

#[test]
fn an_error_counts_only_where_it_is_over() {
    assert_eq!(state_of(r#"{"status": {"state": "running", "error": "oops"}}"#), State::Running);
    assert_eq!(state_of(r#"{"status": {"state": "done", "error": "oops"}}"#), State::Failed);
    assert_eq!(state_of(r#"{"status": {"state": "done", "error": {}}}"#), State::Succeeded);
    assert_eq!(state_of(r#"{"status": {"state": "done"}, "problem": "oops"}"#), State::Failed);
    assert_eq!(state_of(r#"{"status": {"state": "done", "error": {"code": 1}}}"#), State::Cancelled);
    assert_eq!(state_of(r#"{"status": {"state": "done", "error": {"reason": "stopped"}}}"#), State::Cancelled);
}

#[test]
fn three_members_may_hold_the_error_and_a_fourth_takes_the_place_of_the_third() {
    static FOUR: WireShape = WireShape::new("declared:Four")
        .state(WirePath::at(&[&["state"]]))
        .words(&[("done", WireState::Done)])
        .error(WirePath::at(&[&["a"]]))
        .error(WirePath::at(&[&["b"]]))
        .error(WirePath::at(&[&["c"]]))
        .error(WirePath::at(&[&["d"]]));
    for (member, state) in [("a", State::Failed), ("b", State::Failed), ("c", State::Succeeded), ("d", State::Failed)] {
        let body = reply(&format!(r#"{{"state": "done", "{member}": "oops"}}"#));
        assert_eq!(Declared::new(&FOUR).read(&Cursor::new("7"), &body).unwrap().state, state, "{member}");
    }
}

#[test]
fn an_end_without_an_error_says_its_word() {
    let body = reply(r#"{"status": {"state": "broken"}}"#);
    assert_eq!(JOB.read(&Cursor::new("7"), &body).unwrap().status.unwrap().to_string(), "UNKNOWN (broken)");
    let body = reply(r#"{"status": {"state": "stopped"}}"#);
    assert_eq!(JOB.read(&Cursor::new("7"), &body).unwrap().status.unwrap().to_string(), "CANCELLED (stopped)");
}

#[test]
fn a_message_without_a_word_is_a_protocol_error_unless_declared() {
    static LENIENT: WireShape = Job::SHAPE.missing(State::Pending);
    for body in ["{}", r#"{"status": "done"}"#, r#"{"status": {"state": null}}"#, r#"{"status": {"state": {}}}"#] {
        let failure = JOB.read(&Cursor::new("7"), &reply(body)).unwrap_err();
        assert!(matches!(failure.cause(), Cause::Protocol(_)), "{body}: {failure}");
        assert!(failure.to_string().contains("status.state"), "{failure}");
    }
    assert_eq!(Declared::new(&LENIENT).read(&Cursor::new("7"), &reply("{}")).unwrap().state, State::Pending);
}

#[test]
fn payloads_are_parts_of_the_body() {
    let body = reply(r#"{"status": {"state": "done"}, "result": [1, 2], "stats": {"done": 1, "all": 4}}"#);
    let seen = JOB.read(&Cursor::new("7"), &body).unwrap();
    for (part, text) in [(seen.response.unwrap(), "[1, 2]"), (seen.metadata.unwrap(), r#"{"done": 1, "all": 4}"#)] {
        assert!(matches!(part.bytes, Cow::Borrowed(_)));
        assert_eq!(std::str::from_utf8(&part.bytes).unwrap(), text);
    }
    assert_eq!(seen.progress, Some(0.25));
    let early = reply(r#"{"status": {"state": "running"}, "result": [1]}"#);
    assert!(JOB.read(&Cursor::new("7"), &early).unwrap().response.is_none(), "a partial result is not the response");
}

#[test]
fn progress_without_a_total_or_a_number_is_none() {
    for stats in [r#"{"done": 0, "all": 0}"#, r#"{"done": 1}"#, r#"{"done": "x", "all": 1}"#, "[]", "null"] {
        let body = reply(&format!(r#"{{"status": {{"state": "running"}}, "stats": {stats}}}"#));
        assert_eq!(JOB.read(&Cursor::new("7"), &body).unwrap().progress, None, "{stats}");
    }
}

#[test]
fn a_hint_in_the_message_counts_where_no_header_says_more() {
    let mut body = reply(r#"{"status": {"state": "running"}, "wait": 1500}"#);
    let hint = |reply: &Reply| JOB.read(&Cursor::new("7"), reply).unwrap().hint;
    assert_eq!(hint(&body), Some(Hint::After(Duration::from_millis(1500))));
    body.headers_mut().insert("retry-after", http::HeaderValue::from_static("9"));
    assert_eq!(hint(&body), Some(Hint::After(Duration::from_secs(9))));
    for strange in ["-5", "1e300", "\"soon\"", "{}", "null"] {
        let _ = hint(&reply(&format!(r#"{{"status": {{"state": "running"}}, "wait": {strange}}}"#)));
    }
}

#[test]
fn the_url_that_the_service_gives_is_polled_and_may_move() {
    let first = reply(r#"{"id": 7, "status": {"state": "queued"}, "links": {"self": "/api/v1/jobs/7?x=1"}}"#);
    let seen = JOB.read_start(&request(), &first, &[]).unwrap();
    assert_eq!(seen.name.as_deref(), Some("7"));
    let cursor = seen.cursor.unwrap();
    assert_eq!(JOB.poll(&cursor).unwrap().target, "https://jobs.example.com/api/v1/jobs/7?x=1");
    let same =
        reply(r#"{"status": {"state": "running"}, "links": {"self": "https://jobs.example.com/api/v1/jobs/7?x=1"}}"#);
    assert!(JOB.read(&cursor, &same).unwrap().cursor.is_none());
    let moved = reply(r#"{"status": {"state": "running"}, "links": {"self": "8"}}"#);
    let cursor = JOB.read(&cursor, &moved).unwrap().cursor.unwrap();
    assert_eq!((cursor.key(), &*JOB.poll(&cursor).unwrap().target), ("7", "https://jobs.example.com/api/v1/jobs/8"));
}

#[test]
fn names_stay_below_their_collection() {
    assert_eq!(JOB.poll(&JOB.locate("a b", &[]).unwrap()).unwrap().target, "v1/jobs/a%20b");
    assert_eq!(JOB.poll(&JOB.locate("7", &[("path", "v2/{name}")]).unwrap()).unwrap().target, "v2/7");
    assert!(JOB.locate("../secrets", &[]).is_err());
    assert!(JOB.locate("https://elsewhere.example.com/7", &[]).is_err(), "where names are polled, a URL is a name");
    let hostile = reply(r#"{"id": "../secrets", "status": {"state": "queued"}}"#);
    // The work has begun: the name is refused where it would be sent.
    let cursor = JOB.read_start(&request(), &hostile, &[]).unwrap().cursor.unwrap();
    assert!(matches!(cursor.refusal().unwrap().cause(), Cause::Untrusted(_)));
    assert!(JOB.poll(&cursor).is_err() && JOB.cancel(&cursor).is_err());
}

#[test]
fn a_start_needs_a_name_unless_it_is_over() {
    assert!(JOB.read_start(&request(), &reply(r#"{"status": {"state": "queued"}}"#), &[]).is_err());
    assert!(JOB.read_start(&request(), &reply(r#"{"status": {"state": "done"}}"#), &[]).unwrap().cursor.is_none());
}

#[test]
fn calls_are_made_as_declared() {
    let cancel = JOB.cancel(&Cursor::new("7")).unwrap();
    assert_eq!(
        (cancel.method, &*cancel.target, &*cancel.body),
        (Method::POST, "v1/jobs/7/cancel", &b"{\"hard\":true}"[..])
    );
    assert!(matches!(JOB.delete(&Cursor::new("7")).unwrap_err().cause(), Cause::Unsupported(_)));
}

#[test]
fn pages_are_read_and_followed() {
    let query = ListQuery { page_size: Some(2), page_token: "a b".to_owned(), ..ListQuery::default() };
    assert_eq!(JOB.list(&query).unwrap().target, "v1/jobs?limit=2&after=a%20b");
    let body = reply(
        r#"{"data": [{"id": "7", "status": {"state": "done"}}, {"id": 8, "status": {"state": "new"}}], "next": 9}"#,
    );
    let page = JOB.read_list(&ListQuery::default(), &body).unwrap();
    assert_eq!(page.next_page_token, "9");
    let names: Vec<_> = page
        .operations
        .iter()
        .map(|listed| listed.seen.as_ref().unwrap())
        .map(|seen| (seen.name.as_deref().unwrap(), seen.state))
        .collect();
    assert_eq!(names, [("7", State::Succeeded), ("8", State::Running)]);
    let url = "https://jobs.example.com/v1/jobs?cursor=x";
    assert_eq!(JOB.list(&ListQuery { page_token: url.to_owned(), ..ListQuery::default() }).unwrap().target, url);
}

#[test]
fn a_filter_and_a_parent_are_written_where_they_are_declared() {
    static OF_PARENT: WireShape = Job::SHAPE.list(WireList::new(
        "v1/{parent}/jobs?filter={filter}",
        WirePath::at(&[&["data"]]),
        WirePath::at(&[&["next"]]),
    ));
    let query = ListQuery { filter: "state=done".to_owned(), parent: "projects/p".to_owned(), ..ListQuery::default() };
    assert_eq!(Declared::new(&OF_PARENT).list(&query).unwrap().target, "v1/projects/p/jobs?filter=state%3Ddone");
}

#[test]
fn a_shape_has_the_calls_that_it_declares_and_no_others() {
    let bare = WireShape::new("declared:Bare");
    for (shape, cancels, deletes) in [
        (bare, false, false),
        (bare.cancel("POST v1/jobs/{name}/cancel"), true, false),
        (bare.delete("DELETE v1/jobs/{name}"), false, true),
    ] {
        assert_eq!((shape.has_cancel(), shape.has_delete()), (cancels, deletes), "{shape:?}");
    }
}

#[test]
fn a_malformed_message_is_a_protocol_error() {
    for body in ["", "<html>", "[]", "{\"status\":", "\"done\"", "\u{feff}{}"] {
        let failure = JOB.read(&Cursor::new("7"), &reply(body)).unwrap_err();
        assert!(matches!(failure.cause(), Cause::Protocol(_)), "{body}: {failure}");
    }
    let mut error = reply(r#"{"error": {"message": "slow down"}}"#);
    *error.status_mut() = http::StatusCode::TOO_MANY_REQUESTS;
    assert!(matches!(JOB.read(&Cursor::new("7"), &error).unwrap_err().cause(), Cause::Http(..)));
}

#[test]
fn messages_and_pages_are_read_in_time_linear_in_their_length() {
    let of = |json: &str, n: usize| json.repeat(n);
    let nested = |open: &str, n: usize, close: &str| [of(open, n), "1".to_owned(), of(close, n)].concat();
    let n = 4_000;
    for body in [
        nested(r#"{"status":"#, n, "}"),
        nested(r#"{"id":7,"status":{"state":"broken","error":{"errors":["#, n, "]}}}"),
        format!(r#"{{"status":{{"state":"broken","error":{}}}}}"#, nested(r#"{"errors":["#, n, "]}")),
        format!("{{{}\"id\":7}}", of(r#""status":{"error":{},"x":[]},"#, n)),
        format!("{{{}\"id\":7}}", of(r#""stats":{"done":"x"},"links":{"self":null},"#, n)),
        format!(r#"{{"{}":1,"id":"{}","status":{{"state":"done"}}}}"#, of("\\u0073", n), of("\\u0061", n)),
    ] {
        let reply = reply(&body);
        let read = counted::during(|| drop(JOB.read(&Cursor::new("7"), &reply)));
        assert!((1..=25).contains(&(read / body.len())), "{read} of {}: {}", body.len(), &body[..60]);
    }
    for item in [r#"{"id":"7","status":{"state":"new"}},"#, r#"{"id":[]},"#, "[],", r#"{"status":{"state":[[[]]]}},"#] {
        let body = format!(r#"{{"data":[{}{{}}],"next":9}}"#, of(item, n));
        let reply = reply(&body);
        let query = ListQuery::default();
        let read = counted::during(|| assert_eq!(JOB.read_list(&query, &reply).unwrap().operations.len(), n + 1));
        assert!((1..=6).contains(&(read / body.len())), "{read} of {}: {item}", body.len());
    }
}

/// A list with a parent, whose operations may also be polled elsewhere.
struct Step;

impl WireOperation for Step {
    const SHAPE: &'static WireShape = &WireShape::new("declared:Step")
        .name(WirePath::at(&[&["id"]]))
        .state(WirePath::at(&[&["state"]]))
        .words(&[("busy", WireState::Running)])
        .next(WirePath::at(&[&["next"]]))
        .poll("v1/{name}")
        .list(
            WireList::new("v1/{parent}/steps?only={filter}", WirePath::at(&[&["data"]]), WirePath::at(&[]))
                .most(20)
                .unfinished("open"),
        );
}

#[test]
fn an_operation_is_swept_only_where_its_list_leads_to_the_same_poll() {
    const PATH: &Options = &[("path", "v2/{name}")];
    let step = Declared::of::<Step>();
    let started = |body: &str| step.read_start(&request(), &reply(body), &[]).unwrap().cursor.unwrap();
    let cursor = started(r#"{"id":"runs/1/steps/7","state":"busy"}"#);
    let Some(Coverage::Sweep(sweep)) = step.coverage(&cursor, &[("other", "x")]) else { panic!("not swept") };
    assert_eq!(step.list(&sweep.query).unwrap().target, "v1/runs/1/steps?only=open");
    assert_eq!((sweep.shows, sweep.query.page_size, sweep.query.options.len()), (Shows::Running, Some(20), 0));
    let mut headers = http::HeaderMap::new();
    headers.insert("x-a", "1".parse().unwrap());
    for other in [
        started(r#"{"id":"runs/1/steps/7","state":"busy","next":"/elsewhere"}"#),
        started(r#"{"id":"runs/1/../7","state":"busy"}"#),
        cursor.clone().with_headers(headers),
        step.locate("runs/1/jobs/7", &[]).unwrap(),
        step.locate("7", &[]).unwrap(),
        step.locate("runs/1/steps/7", PATH).unwrap(),
    ] {
        assert_eq!(step.coverage(&other, &[]), None, "{other:?}");
    }
    assert_eq!(step.coverage(&step.locate("runs/1/steps/7", PATH).unwrap(), PATH), None, "the list is elsewhere");
    assert_eq!(JOB.coverage(&Cursor::new("7"), &[]), None, "it does not say that its entries are whole");
}
