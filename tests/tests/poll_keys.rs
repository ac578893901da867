//! Checks that each key of `poll(…)` changes the waits of its method, and of no other.

#![expect(clippy::unwrap_used, reason = "tests may fail")]

use std::time::Duration;

use lro_runtime::{
    Code, Error, ErrorKind, Operation, OperationState, Operations, PollSettings, RawOperation, Result, WireOperation,
    block_on, long_running,
    testing::{Script, ScriptedTransport, VirtualClock},
};
use serde_json::json;

#[derive(serde::Deserialize, WireOperation)]
#[operation(poll = "v1/jobs/{name}", response = ())]
struct Job {
    #[operation(name)]
    id: String,
    #[operation(state, running = "busy", succeeded = "over", failed = "broken", absent(pending, cancelled))]
    state: String,
}

struct Client {
    operations: Operations,
}

#[long_running(response = (), metadata = (), poll(delay = "1s", multiplier = 1))]
impl Client {
    #[long_running]
    async fn plain(&self) -> Result<RawOperation> {
        self.operations.post("v1/exports", &json!({})).await
    }

    #[long_running(poll(timeout = "never"))]
    async fn endless(&self) -> Result<RawOperation> {
        self.operations.post("v1/exports", &json!({})).await
    }

    #[long_running(poll(jitter = "equal"))]
    async fn spread(&self) -> Result<RawOperation> {
        self.operations.post("v1/exports", &json!({})).await
    }

    #[long_running(poll(poll_timeout = "2s", error_budget = 0))]
    async fn impatient(&self) -> Result<RawOperation> {
        self.operations.post("v1/exports", &json!({})).await
    }

    #[long_running(poll(hint = "ignore"))]
    async fn deaf(&self) -> Result<RawOperation> {
        self.operations.post("v1/exports", &json!({})).await
    }

    #[long_running(poll(hint(floor = "3s", ceiling = "5s")))]
    async fn bounded(&self) -> Result<RawOperation> {
        self.operations.post("v1/exports", &json!({})).await
    }

    #[long_running(poll(error_budget(failures = 2, elapsed = "1h", delay = "7s", max_delay = "8s")))]
    async fn forgiving(&self) -> Result<RawOperation> {
        self.operations.post("v1/exports", &json!({})).await
    }

    #[long_running(poll(error_budget = 1))]
    async fn budgeted(&self) -> Result<RawOperation> {
        self.operations.post("v1/exports", &json!({})).await
    }

    #[long_running(poll(error_budget(failures = 0, origin = "forgiven")))]
    async fn forgiving_outages(&self) -> Result<RawOperation> {
        self.operations.post("v1/exports", &json!({})).await
    }

    #[long_running(poll(error_budget(failures = 1, origin = "counted")))]
    async fn counting_outages(&self) -> Result<RawOperation> {
        self.operations.post("v1/exports", &json!({})).await
    }

    #[long_running(poll(error_budget(failures = 1, origin(failures = 3, elapsed = "1h"))))]
    async fn forgiving_three_outages(&self) -> Result<RawOperation> {
        self.operations.post("v1/exports", &json!({})).await
    }

    #[long_running(poll(error_budget(failures = 1, origin(elapsed = "10s"))))]
    async fn forgiving_outages_of_seconds(&self) -> Result<RawOperation> {
        self.operations.post("v1/exports", &json!({})).await
    }

    #[long_running(poll(not_found_grace = "1m", delay = "30s"))]
    async fn lagging(&self) -> Result<RawOperation> {
        self.operations.post("v1/exports", &json!({})).await
    }

    #[long_running(poll(long_poll = "20s"))]
    async fn held(&self) -> Result<RawOperation> {
        self.operations.post("v1/exports", &json!({})).await
    }

    #[long_running(wire = Job, poll(unknown_status = "error"))]
    async fn strict(&self) -> Result<RawOperation> {
        self.operations.post("v1/jobs", &json!({})).await
    }

    #[long_running(wire = Job)]
    async fn lenient(&self) -> Result<RawOperation> {
        self.operations.post("v1/jobs", &json!({})).await
    }
}

/// Starts an operation and waits for it with the method's own settings. Returns the end, the times
/// of all requests, and the paths of all requests.
fn waited<S: OperationState>(
    script: Script,
    start: impl AsyncFnOnce(&Client) -> Result<Operation<S>>,
) -> (Result<Operation<S>, Error>, Vec<Duration>, Vec<String>) {
    let clock = VirtualClock::new();
    let transport = ScriptedTransport::new(script);
    let client = Client { operations: transport.operations(&clock).unwrap() };
    let operation = block_on(start(&client)).unwrap();
    let end = block_on(operation.poll_until_completed(PollSettings::default()));
    let paths = transport.requests().iter().map(|request| request.uri().to_string()).collect();
    (end, transport.request_times(), paths)
}

fn seconds(times: &[Duration]) -> Vec<u64> {
    times.iter().map(Duration::as_secs).collect()
}

fn hinted() -> Script {
    Script::new().running(1).hint(Duration::from_secs(60)).done(json!({}))
}

#[test]
fn a_wait_without_a_time_limit_goes_on() {
    let hours = || Script::new().running_for(Duration::from_secs(5 * 3600)).done(json!({}));
    let (end, ..) = waited(hours(), async |client| client.plain().await);
    assert_eq!(end.unwrap_err().kind(), ErrorKind::Timeout);
    let (end, ..) = waited(hours(), async |client| client.endless().await);
    assert!(end.unwrap().is_succeeded());
}

#[test]
fn jitter_spreads_the_delays() {
    let script = || Script::new().running(20).done(json!({}));
    let gaps = |times: Vec<Duration>| -> Vec<Duration> {
        times.iter().skip(1).zip(&times).map(|(next, one)| next.saturating_sub(*one)).collect()
    };
    let (_, times, _) = waited(script(), async |client| client.plain().await);
    assert!(gaps(times).iter().all(|gap| *gap == Duration::from_secs(1)));
    let (_, times, _) = waited(script(), async |client| client.spread().await);
    let gaps = gaps(times);
    assert!(gaps.iter().all(|gap| (500..=1000).contains(&gap.as_millis())));
    assert!(gaps.iter().any(|gap| *gap < Duration::from_secs(1)), "{gaps:?}");
}

#[test]
fn one_poll_takes_no_longer_than_its_limit_and_a_budget_of_zero_forgives_none() {
    let script = Script::new().running(1).silence();
    let (end, times, _) = waited(script, async |client| client.impatient().await);
    let error = end.unwrap_err();
    assert_eq!((error.kind(), error.elapsed()), (ErrorKind::Poll, Some(Duration::from_secs(3))));
    assert_eq!(seconds(&times), [0, 1]);
}

#[test]
fn hints_are_ignored_or_bounded() {
    let (_, times, _) = waited(hinted(), async |client| client.plain().await);
    assert_eq!(seconds(&times), [0, 60]);
    let (_, times, _) = waited(hinted(), async |client| client.deaf().await);
    assert_eq!(seconds(&times), [0, 1]);
    let (_, times, _) = waited(hinted(), async |client| client.bounded().await);
    assert_eq!(seconds(&times), [0, 5]);
}

#[test]
fn an_error_budget_has_its_own_number_and_delays() {
    let failing = || Code::Internal;
    let script = Script::new().running(1).error(failing(), "a").error(failing(), "b").error(failing(), "c");
    let (end, times, _) = waited(script, async |client| client.forgiving().await);
    assert_eq!(end.unwrap_err().kind(), ErrorKind::Poll);
    assert_eq!(seconds(&times), [0, 1, 8, 16]);
}

#[test]
fn the_share_of_the_origin_in_an_error_budget_is_the_methods() {
    let busy = || (0..9).fold(Script::new().running(1), |script, _| script.error(Code::Unavailable, "busy"));
    let (end, ..) = waited(busy().done(json!({})), async |client| client.budgeted().await);
    assert!(end.unwrap().is_succeeded());
    let (end, ..) = waited(busy().done(json!({})), async |client| client.forgiving_outages().await);
    assert!(end.unwrap().is_succeeded());
    let (end, ..) = waited(busy(), async |client| client.counting_outages().await);
    assert_eq!(end.unwrap_err().attempts(), Some(2));
    let (end, ..) = waited(busy(), async |client| client.forgiving_three_outages().await);
    assert_eq!(end.unwrap_err().attempts(), Some(4));
    // The first one is at 1 s; the delays after it are 1 s, 2 s, 4 s and what is left of the 10 s.
    let (end, times, _) = waited(busy(), async |client| client.forgiving_outages_of_seconds().await);
    assert_eq!(end.unwrap_err().kind(), ErrorKind::Poll);
    assert_eq!(seconds(&times), [0, 1, 2, 4, 8, 11]);
}

#[test]
fn a_404_is_forgiven_for_as_long_as_the_method_says() {
    let script = || Script::new().pending().error(Code::NotFound, "not here yet").done(json!({}));
    let (end, times, _) = waited(script(), async |client| client.lagging().await);
    assert!(end.unwrap().is_succeeded());
    assert_eq!(seconds(&times).get(1), Some(&30), "20 s later than the library forgives it");
}

#[test]
fn the_server_is_asked_to_hold_polls() {
    let script = Script::new().running(1).http(200, r#"{"name": "operations/1", "done": true, "response": {}}"#);
    let (end, _, paths) = waited(script, async |client| client.held().await);
    assert!(end.unwrap().is_succeeded());
    assert!(paths.last().unwrap().contains("/v1/operations/1:wait"), "{paths:?}");
}

#[test]
fn an_unknown_word_is_an_error_where_the_method_says_so() {
    let job = |state: &str| json!({ "id": "7", "state": state });
    let script = || Script::new().json(job("busy")).json(job("resting")).json(job("over"));
    let (end, ..) = waited(script(), async |client| client.strict().await);
    assert_eq!(end.unwrap_err().kind(), ErrorKind::Protocol);
    let (end, ..) = waited(script(), async |client| client.lenient().await);
    assert!(end.unwrap().is_succeeded());
}
