//! Plays every scenario with a long-running operation of the test server of Azure's SDK generators
//! (autorest.testserver) over real connections.
//!
//! Each is played twice, with a wait and through tokens, and judged by its outcome, its result and
//! its error. The four that want a header of the caller on every poll are not played through
//! tokens, which have no headers.
//!
//! Needs `LRO_AUTOREST_URL`, the URL of the server. `.ci/run` starts one, with Node:
//!
//! ```sh
//! sh tests/servers/autorest.sh /tmp/autorest 3000
//! LRO_AUTOREST_URL=http://127.0.0.1:3000 cargo test -p lro-tests --test autorest -- --ignored
//! ```

#![expect(clippy::unwrap_used, clippy::too_many_lines, reason = "tests may fail")]

use std::time::Duration;

use http::{Method, Request};
use lro_runtime::{
    Error, ErrorBudget, ErrorKind, HintPolicy, Operations, PollSettings, RawOperation, State, Status, Token,
    dialect::{Azure, FinalStateVia},
};
use serde_json::{Value, json};

/// One scenario: the start call, and how the operation ends.
struct Scenario {
    method: Method,
    path: &'static str,
    via: Option<FinalStateVia>,
    end: End,
}

/// How an operation ends.
enum End {
    /// With a result that has these members, or with none.
    Succeeded(Option<Value>),
    /// With a status whose message is this.
    Failed(&'static str),
    Cancelled,
    /// The wait ends with an error of this kind, because a reply breaks the protocol or a poll
    /// cannot succeed.
    Error(ErrorKind),
}

fn scenarios() -> Vec<Scenario> {
    let product = || Some(json!({ "id": "100", "name": "foo" }));
    let made = || {
        End::Succeeded(Some(json!({ "properties": { "provisioningState": "Succeeded" }, "id": "100", "name": "foo" })))
    };
    let sku = || End::Succeeded(Some(json!({ "id": "100", "name": "sku" })));
    let part = || End::Succeeded(Some(json!({ "id": "100", "subresource": "sub1" })));
    let patched = |id: &str| End::Succeeded(Some(json!({ "id": id, "name": "foo" })));
    let nothing = || End::Succeeded(None);
    let gives = |body: Value| End::Succeeded(Some(body));
    let put = |path, end| Scenario { method: Method::PUT, path, via: None, end };
    let patch = |path, end| Scenario { method: Method::PATCH, path, via: None, end };
    let post = |path, end| Scenario { method: Method::POST, path, via: None, end };
    let delete = |path, end| Scenario { method: Method::DELETE, path, via: None, end };
    let via = |via, scenario: Scenario| Scenario { via: Some(via), ..scenario };
    let error = End::Error;
    let failed = "the service reported `Failed` without an error";
    vec![
        // Finished at once.
        put("lro/put/200/succeeded", made()),
        put("lro/put/201/succeeded", made()),
        put("lro/put/200/succeeded/nostate", End::Succeeded(product())),
        delete("lro/delete/204/succeeded", nothing()),
        delete("lro/error/delete/204/nolocation", nothing()),
        // The resource is polled.
        put("lro/put/201/creating/succeeded/200", made()),
        put("lro/put/200/updating/succeeded/200", made()),
        put("lro/put/201/created/failed/200", End::Failed(failed)),
        put("lro/put/200/accepted/canceled/200", End::Cancelled),
        put("lro/customheader/put/201/creating/succeeded/200", made()),
        // A `Location` is polled.
        put("lro/put/202/retry/200", End::Succeeded(product())),
        put("lro/put/noheader/202/200", made()),
        put("lro/putsubresource/202/200", part()),
        put("lro/putnonresource/202/200", sku()),
        delete("lro/delete/202/retry/200", nothing()),
        delete("lro/delete/202/noretry/204", nothing()),
        delete("lro/delete/noheader", nothing()),
        delete("lro/delete/provisioning/202/accepted/200/succeeded", made()),
        delete("lro/delete/provisioning/202/deleting/200/failed", End::Failed(failed)),
        delete("lro/delete/provisioning/202/deleting/200/canceled", End::Cancelled),
        post("lro/post/202/retry/200", made()),
        post("lro/post/202/noretry/204", nothing()),
        post("lro/post/payload/200", End::Succeeded(Some(json!({ "id": "1", "name": "product" })))),
        post("lro/customheader/post/202/retry/200", nothing()),
        post("lroParameterizedEndpoints", gives(json!("success"))),
        post("lroConstantParameterizedEndpoints/iAmConstant", gives(json!("success"))),
        // A status monitor is polled; it answers 202 while it runs.
        put("lro/putasync/retry/succeeded", made()),
        put("lro/putasync/noretry/succeeded", made()),
        put("lro/putasync/retry/failed", End::Failed(failed)),
        put("lro/putasync/noretry/canceled", End::Cancelled),
        put("lro/putasync/noheader/201/200", made()),
        put("lro/putsubresourceasync/202/200", part()),
        put("lro/putnonresourceasync/202/200", sku()),
        put("lro/customheader/putasync/retry/succeeded", made()),
        patch("lro/patch/201/retry/onlyAsyncHeader", patched("/lro/patch/201/retry/onlyAsyncHeader")),
        patch("lro/patch/202/retry/asyncAndLocationHeader", patched("/lro/patch/202/retry/asyncAndLocationHeader")),
        delete("lro/deleteasync/retry/succeeded", nothing()),
        delete("lro/deleteasync/noretry/succeeded", nothing()),
        delete("lro/deleteasync/retry/failed", End::Failed(failed)),
        delete("lro/deleteasync/retry/canceled", End::Cancelled),
        delete("lro/deleteasync/noheader/202/204", nothing()),
        post("lro/postasync/retry/succeeded", made()),
        post("lro/postasync/noretry/succeeded", made()),
        post("lro/postasync/retry/failed", End::Failed("Internal Server Error")),
        post("lro/postasync/retry/canceled", End::Cancelled),
        post("lro/list", gives(json!([{ "id": "100", "name": "foo" }]))),
        post("lro/customheader/postasync/retry/succeeded", gives(json!({ "status": "Succeeded" }))),
        post("lro/LROPostDoubleHeadersFinalAzureHeaderGetDefault", End::Succeeded(product())),
        via(
            FinalStateVia::AzureAsyncOperation,
            post("lro/LROPostDoubleHeadersFinalAzureHeaderGet", gives(json!({ "status": "succeeded", "id": "100" }))),
        ),
        via(FinalStateVia::Location, post("lro/LROPostDoubleHeadersFinalLocationGet", End::Succeeded(product()))),
        // Every call fails with 500 at first, the start call included.
        put("lro/retryerror/put/201/creating/succeeded/200", made()),
        put("lro/retryerror/putasync/retry/succeeded", made()),
        delete("lro/retryerror/delete/provisioning/202/accepted/200/succeeded", made()),
        delete("lro/retryerror/delete/202/retry/200", made()),
        delete("lro/retryerror/deleteasync/retry/succeeded", nothing()),
        post("lro/retryerror/post/202/retry/200", made()),
        post("lro/retryerror/postasync/retry/succeeded", sku()),
        // The service refuses: the start call, or what was seen running.
        put("lro/nonretryerror/put/400", error(ErrorKind::Start)),
        delete("lro/nonretryerror/delete/400", error(ErrorKind::Start)),
        post("lro/nonretryerror/post/400", error(ErrorKind::Start)),
        put("lro/nonretryerror/put/201/creating/400", End::Failed("Error from the server")),
        delete("lro/nonretryerror/delete/202/retry/400", End::Failed("Expected bad request message")),
        post("lro/nonretryerror/post/202/retry/400", End::Failed("Expected bad request message")),
        // A body that is no error, and a monitor, which has a word for failure: failed polls.
        put("lro/nonretryerror/put/201/creating/400/invalidjson", error(ErrorKind::Poll)),
        put("lro/nonretryerror/putasync/retry/400", error(ErrorKind::Poll)),
        delete("lro/nonretryerror/deleteasync/retry/400", error(ErrorKind::Poll)),
        post("lro/nonretryerror/postasync/retry/400", error(ErrorKind::Poll)),
        // The service breaks the protocol. None of these is a success.
        put("lro/error/put/201/noprovisioningstatepayload", error(ErrorKind::Protocol)),
        put("lro/error/put/200/invalidjson", error(ErrorKind::Protocol)),
        put("lro/error/putasync/retry/nostatus", error(ErrorKind::Protocol)),
        put("lro/error/putasync/retry/nostatuspayload", error(ErrorKind::Protocol)),
        put("lro/error/putasync/retry/invalidjsonpolling", error(ErrorKind::Protocol)),
        delete("lro/error/deleteasync/retry/nostatus", error(ErrorKind::Protocol)),
        delete("lro/error/deleteasync/retry/invalidjsonpolling", error(ErrorKind::Protocol)),
        post("lro/error/post/202/nolocation", error(ErrorKind::Protocol)),
        post("lro/error/postasync/retry/nopayload", error(ErrorKind::Protocol)),
        post("lro/error/postasync/retry/invalidjsonpolling", error(ErrorKind::Protocol)),
        // The URL that is polled does not exist.
        put("lro/error/putasync/retry/invalidheader", error(ErrorKind::Poll)),
        delete("lro/error/delete/202/retry/invalidheader", error(ErrorKind::Poll)),
        delete("lro/error/deleteasync/retry/invalidheader", error(ErrorKind::Poll)),
        post("lro/error/post/202/retry/invalidheader", error(ErrorKind::Poll)),
        post("lro/error/postasync/retry/invalidheader", error(ErrorKind::Poll)),
        // The one scenario that is optional there, and read in another way here: the reply says
        // `provisioningState: Succeeded` and names a monitor. The server wants the monitor ignored.
        // But of an update the state in the reply may be that before it began, so the monitor
        // decides; this one is on an origin that is not trusted.
        patch("lro/patch/200/succeeded/ignoreheaders", error(ErrorKind::UntrustedUrl)),
    ]
}

/// The header that the scenarios below `customheader` want on every call.
const CUSTOM: (&str, &str) = ("x-ms-client-request-id", "9C4D50EE-2D56-4CD3-8152-34347DC9F2B0");

async fn start(scenario: &Scenario, client: &Operations) -> Result<RawOperation, Error> {
    let mut request = Request::builder().method(scenario.method.clone()).uri(format!("/{}", scenario.path));
    if scenario.path.contains("customheader") {
        request = request.header(CUSTOM.0, CUSTOM.1);
    }
    client.start(request.body("").unwrap()).await
}

async fn wait(scenario: &Scenario, client: &Operations) -> Result<RawOperation, Error> {
    start(scenario, client).await?.poll_until_completed(PollSettings::default()).await
}

/// Polls by a worker that has nothing but a token, and stops at an error for which another poll is
/// not worthwhile.
async fn through_tokens(scenario: &Scenario, client: &Operations) -> Result<RawOperation, Error> {
    let mut operation = start(scenario, client).await?;
    let mut failed = 0;
    while !operation.is_completed() {
        let token: Token = operation.token().to_string().parse().unwrap();
        // A token has no headers: those of the caller are the client's here.
        match client.resume(token)?.poll_once().await {
            Ok(next) => operation = next,
            Err(error) if failed == 3 || error.kind() != ErrorKind::Poll => return Err(error),
            Err(_) => failed += 1,
        }
    }
    Ok(operation)
}

/// Returns what is wrong with the outcome of a scenario, or `None`.
fn wrong(scenario: &Scenario, outcome: &Result<RawOperation, Error>) -> Option<String> {
    let is_right = match (&scenario.end, outcome) {
        (End::Succeeded(result), Ok(done)) if done.state() == State::Succeeded => {
            let found = done.response().map(|payload| payload.decode_json::<Value>().unwrap());
            match (result, &found) {
                (Some(expected), Some(found)) => has(found, expected),
                (None, found) => found.is_none(),
                (Some(_), None) => false,
            }
        }
        (End::Failed(message), Ok(done)) if done.state() == State::Failed => {
            done.status().map(Status::message) == Some(message)
        }
        (End::Cancelled, Ok(done)) => done.state() == State::Cancelled,
        (End::Error(kind), Err(error)) => error.kind() == *kind,
        _ => false,
    };
    if is_right {
        return None;
    }
    let found = match outcome {
        Ok(done) => format!("{done:?} with {:?}", done.response()),
        Err(error) => format!("{:?}: {error}", error.kind()),
    };
    Some(format!("{} {}: {found}", scenario.method, scenario.path))
}

/// Whether everything in `part` is also in `whole`.
fn has(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            part.iter().all(|(key, value)| whole.get(key).is_some_and(|whole| has(whole, value)))
        }
        _ => whole == part,
    }
}

fn client(scenario: &Scenario, url: &str) -> Operations {
    let settings = PollSettings::default()
        .with_delay(Duration::from_millis(5))
        .with_hint(HintPolicy::Ignore)
        .with_timeout(Duration::from_secs(20))
        .with_not_found_grace(Duration::from_millis(20))
        .with_error_budget(ErrorBudget::new(3).with_delay(Duration::from_millis(5)));
    let dialect = scenario.via.map_or_else(Azure::new, |via| Azure::new().with_final_state_via(via));
    let builder = Operations::builder(url).dialect(dialect).poll_settings(settings);
    // The server counts calls in a cookie, and wants every start call repeated after a 500: that
    // takes an id, because after a 500 the operation may have been started.
    builder.cookies(true).start_id("operation-id").start_retries(1).build().unwrap()
}

#[test]
#[ignore = "needs Node: .ci/run starts the server and sets LRO_AUTOREST_URL"]
fn every_scenario_of_autorest_ends_as_it_should() {
    let url = std::env::var("LRO_AUTOREST_URL").unwrap();
    let scenarios = scenarios();
    assert_eq!(scenarios.len(), 83, "all that the server has");
    let mut mistakes = Vec::new();
    for scenario in &scenarios {
        let waited = smol::block_on(wait(scenario, &client(scenario, &url)));
        mistakes.extend(wrong(scenario, &waited).map(|wrong| format!("waiting: {wrong}")));
        if !scenario.path.contains("customheader") {
            let resumed = smol::block_on(through_tokens(scenario, &client(scenario, &url)));
            mistakes.extend(wrong(scenario, &resumed).map(|wrong| format!("through tokens: {wrong}")));
        }
    }
    assert!(mistakes.is_empty(), "{} of {} scenarios:\n{}", mistakes.len(), scenarios.len(), mistakes.join("\n"));
}
