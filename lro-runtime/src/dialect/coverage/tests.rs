//! Tests of the coverage of every dialect: which list has an operation, what is asked of the
//! service, and that an entry is known by its cursor.

use bytes::Bytes;

use super::*;
use crate::{
    dialect::{
        Azure, Call, Compute, Cursor, Dialect, ExtendedFields, Google, Http, Jobs, Lxd, Options, Redfish, Vertex,
        Waiter,
    },
    message::{Reply, Request},
    status::Failure,
};

/// Returns the sweep that covers the operation at this cursor.
fn sweep(dialect: &dyn Dialect, cursor: &Cursor, options: &'static Options) -> Sweep {
    match dialect.coverage(cursor, options) {
        Some(Coverage::Sweep(sweep)) => sweep,
        other => panic!("{cursor:?}: {other:?}"),
    }
}

/// Returns the sweep of an operation that this reply to a `POST` of `url` began, after proving that
/// the operation is found in `page` by its cursor; resumed by its name as well.
fn found(dialect: &dyn Dialect, url: &str, began: Bytes, page: Bytes, options: &'static Options) -> Sweep {
    let mut request = Request::new(Bytes::new());
    *request.uri_mut() = url.parse().unwrap();
    let began = Reply::new(began);
    let seen = dialect.read_start(&request, &began, options).unwrap();
    let started = seen.cursor.unwrap();
    let resumed = dialect.locate(seen.name.as_deref().unwrap_or(started.key()), options).unwrap();
    let covered = sweep(dialect, &started, options);
    let page = Reply::new(page);
    let page = dialect.read_list(&covered.query, &page).unwrap();
    let listed: Vec<_> = page.operations.into_iter().filter_map(|entry| entry.seen.ok()?.cursor).collect();
    assert!(listed.contains(&started), "{started:?} is not in {listed:?}");
    assert_eq!(resumed, started);
    assert_eq!(sweep(dialect, &resumed, options), covered);
    covered
}

/// As [`found`], with JSON.
fn found_json(dialect: &dyn Dialect, url: &str, began: &str, page: &str, options: &'static Options) -> Sweep {
    found(dialect, url, Bytes::copy_from_slice(began.as_bytes()), Bytes::copy_from_slice(page.as_bytes()), options)
}

fn target(call: Result<Call, Failure>) -> String {
    call.unwrap().target
}

/// Returns the target of the list that covers the operation of this name.
fn lists(dialect: &dyn Dialect, name: &str) -> Option<String> {
    let cursor = dialect.locate(name, &[]).unwrap();
    dialect.coverage(&cursor, &[]).map(|_| target(dialect.list(&sweep(dialect, &cursor, &[]).query)))
}

const BETA: &Options = &[("path", "v1beta1/{name}"), ("other", "x")];
const OTHER: &Options = &[("other", "x")];

#[test]
fn operations_of_google_are_swept_by_the_collection_that_their_names_are_in() {
    let asked = "?filter=done%3Dfalse&pageSize=500";
    for (name, list) in [
        ("operations/7", "v1/operations"),
        ("projects/p/locations/l/operations/7", "v1/projects/p/locations/l/operations"),
        // Bigtable's names have the word twice.
        ("operations/projects/p/instances/i/operations/7", "v1/operations/projects/p/instances/i/operations"),
    ] {
        assert_eq!(lists(&Google::new(), name), Some(format!("{list}{asked}")), "{name}");
    }
    for name in ["7", "operations", "projects/p/jobs/7", "operations/a/b", "myoperations/7", "x/operations/7/steps/1"] {
        assert_eq!(lists(&Google::new(), name), None, "{name}");
    }
    let run = Google::new().with_path("v2/{name}").with_sweep("done:false", 100);
    let list = "v2/projects/p/operations?filter=done%3Afalse&pageSize=100";
    assert_eq!(lists(&run, "projects/p/operations/7").as_deref(), Some(list));
    assert_eq!(lists(&Google::new().with_path("v1/{name}:get"), "operations/7"), None, "its list is not known");
    let all = Google::new().with_sweep("", 50);
    let cursor = all.locate("operations/7", &[]).unwrap();
    assert_eq!(sweep(&all, &cursor, &[]).shows, Shows::All);
}

#[test]
fn operations_of_google_are_found_in_their_list() {
    let name = "projects/p/operations/7";
    let began = format!(r#"{{"name":"{name}"}}"#);
    let page = format!(r#"{{"operations":[{{"name":"operations/1"}},{{"name":"{name}","done":true}}]}}"#);
    let google = Google::new();
    let plain = found_json(&google, "https://g.test/v1/x", &began, &page, &[]);
    assert_eq!((plain.shows, plain.whole), (Shows::Running, true));
    assert_eq!(plain, found_json(&google, "https://g.test/v1/x", &began, &page, OTHER), "one list of two methods");
    let beta = found_json(&google, "https://g.test/v1/x", &began, &page, BETA);
    assert_eq!(target(google.list(&beta.query)), "v1beta1/projects/p/operations?filter=done%3Dfalse&pageSize=500");
    // Resumed with another path than its method has, or than it was started with.
    for (at, covered) in [(BETA, &[] as &'static Options), (&[], BETA)] {
        assert_eq!(google.coverage(&google.locate(name, at).unwrap(), covered), None);
    }
    let refused = Cursor::new("operations/7").refused(&Failure::untrusted("it leaves its collection"));
    for cursor in [refused, Cursor::new("operations/.."), Cursor::new("https://g.test/v1/operations/7")] {
        assert_eq!(google.coverage(&cursor, &[]), None, "{cursor:?}");
    }
}

#[cfg(feature = "grpc")]
#[test]
fn operations_over_grpc_are_found_in_their_list() {
    use prost::Message as _;

    use crate::dialect::{GoogleGrpc, google_grpc::longrunning as pb};

    let operation = |name: &str| pb::Operation { name: name.to_owned(), ..pb::Operation::default() };
    let page = |name: &str| pb::ListOperationsResponse {
        operations: vec![operation("operations/1"), operation(name)],
        ..pb::ListOperationsResponse::default()
    };
    for (name, parent) in [("projects/p/operations/7", "projects/p"), ("operations/7", "operations")] {
        let (began, page) = (operation(name).encode_to_vec().into(), page(name).encode_to_vec().into());
        let covered = found(&GoogleGrpc::new(), "https://g.test/x", began, page, &[]);
        let call = GoogleGrpc::new().list(&covered.query).unwrap();
        let asked = pb::ListOperationsRequest::decode(call.body).unwrap();
        assert_eq!((asked.name.as_str(), asked.filter.as_str(), asked.page_size), (parent, "done=false", 500));
    }
}

const RESULT: &Options = &[("result", "target_link")];

#[test]
fn operations_of_compute_are_found_in_the_list_of_their_place() {
    let compute = Compute::new();
    for place in ["zones/z", "regions/r", "global"] {
        let link = format!("https://www.googleapis.com/compute/v1/projects/p/{place}/operations/o");
        let began = format!(r#"{{"name":"o","status":"RUNNING","selfLink":"{link}"}}"#);
        let page = format!(r#"{{"items":[{began}]}}"#);
        let covered = found_json(&compute, "https://c.test/compute/v1/projects/p/x", &began, &page, &[]);
        let list = format!("compute/v1/projects/p/{place}/operations?filter=status%20%21%3D%20DONE&maxResults=500");
        assert_eq!(target(compute.list(&covered.query)), list);
        assert_eq!((covered.shows, covered.whole), (Shows::Running, true));
        let with_result = found_json(&compute, "https://c.test/compute/v1/projects/p/x", &began, &page, RESULT);
        assert!(!with_result.whole, "its result is elsewhere");
        assert_ne!(with_result, covered, "its entries lead elsewhere at the end");
    }
}

#[test]
fn operations_of_compute_that_no_list_shows_are_polled_alone() {
    let compute = Compute::new();
    let covered = |name: &str| compute.coverage(&compute.locate(name, &[]).unwrap(), &[]);
    assert!(covered("projects/p1/zones/z/operations/o").is_some());
    for name in [
        "projects/1234/zones/z/operations/o",
        "organizations/1/locations/global/operations/o",
        "locations/global/operations/o",
    ] {
        assert_eq!(covered(name), None, "{name}");
    }
    let fields = ExtendedFields { status: "done", ..ExtendedFields::COMPUTE };
    let place = compute.locate("projects/p/global/operations/o", RESULT).unwrap();
    assert_eq!(Compute::new().with_fields(fields).coverage(&place, RESULT), None);
    assert_eq!(compute.coverage(&place, &[]), None, "resumed without its method");
    assert_eq!(compute.coverage(&place.with("target", "https://c.test/x"), RESULT), None, "it leads to its target");
}

#[test]
fn operations_of_lxd_are_found_in_the_list_of_their_project() {
    let lxd = Lxd::new();
    let page = r#"{"type":"sync","metadata":{"running":[{"id":"a-1","status_code":103}]}}"#;
    for (query, list) in [
        ("", "1.0/operations?recursion=1"),
        ("?project=p", "1.0/operations?recursion=1&project=p"),
        ("?project=a%20b", "1.0/operations?recursion=1&project=a%20b"),
    ] {
        let began = format!(r#"{{"type":"async","operation":"/1.0/operations/a-1{query}"}}"#);
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = "http://lxd/1.0/instances".parse().unwrap();
        let reply = Reply::new(began.into());
        let started = lxd.read_start(&request, &reply, &[]).unwrap().cursor.unwrap();
        let covered = sweep(&lxd, &started, &[]);
        assert_eq!(target(lxd.list(&covered.query)), list);
        assert_eq!((covered.shows, covered.whole, covered.query.page_size), (Shows::All, true, None));
        let reply = Reply::new(page.into());
        let listed = lxd.read_list(&covered.query, &reply).unwrap().operations.remove(0).seen.unwrap();
        assert_eq!((listed.cursor.unwrap(), listed.name.as_deref()), (started, Some("/1.0/operations/a-1")));
    }
    assert_eq!(lists(&lxd, "a-1").as_deref(), Some("1.0/operations?recursion=1"));
    let mut headers = http::HeaderMap::new();
    headers.insert("x-a", "1".parse().unwrap());
    let cursor = || Cursor::new("1.0/operations/a-1");
    for other in [
        cursor().with_headers(headers),
        Cursor::new("1.0/operations/a-1?target=n"),
        Cursor::new("1.0/operations/a-1?project=p&x=1"),
        Cursor::new("https://other.test/1.0/operations/a-1"),
        cursor().refused(&Failure::protocol("no URL")),
    ] {
        assert_eq!(lxd.coverage(&other, &[]), None, "{other:?}");
    }
}

#[test]
fn what_no_list_shows_is_polled_alone() {
    let vertex = "projects/p/locations/l/publishers/google/models/veo/operations/7";
    let dialects: [(&dyn Dialect, &str); 6] = [
        (&Vertex::new(), vertex),
        (&Jobs::new(), "projects/p/locations/l/batchPredictionJobs/7"),
        (&Redfish, "/redfish/v1/TaskService/TaskMonitors/5"),
        (&Azure::new(), "https://a.test/operations/7"),
        (&Http::new(), "https://a.test/operations/7"),
        (&Waiter::get("v1/instances/{name}"), "i-7"),
    ];
    for (dialect, name) in dialects {
        let cursor = dialect.locate(name, &[]).unwrap();
        assert_eq!(dialect.coverage(&cursor, &[]), None, "{name}");
        assert!(dialect.poll_named(&[&cursor]).is_err(), "{name}");
    }
}
