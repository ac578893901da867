//! Tests of every form of long-running method: it starts, types and resumes its operation. Public
//! API only.

use std::{
    future::{Future, IntoFuture},
    pin::Pin,
    sync::{Arc, Mutex},
};

use lro_fixture_sdk::{
    BuildOperation, BuildService, ImageClient, RecordService, Records, RestartOperation, RestartService,
};
use lro_runtime::{
    ErrorKind, LongRunning, Operations, Result,
    dialect::Waiter,
    transport::{BoxFuture, Reply, Request, Transport, TransportError, TransportErrorKind},
};

/// A transport that gives replies in order, and records the paths that were requested.
#[derive(Clone, Default)]
struct Replies(Arc<Mutex<(Vec<&'static str>, Vec<String>)>>);

impl Transport for Replies {
    fn send<'a>(&'a self, request: &'a Request, _: usize) -> BoxFuture<'a, Result<Reply, TransportError>> {
        let reply = self.0.lock().ok().and_then(|mut state| {
            state.1.push(request.uri().path().to_owned());
            (!state.0.is_empty()).then(|| state.0.remove(0))
        });
        Box::pin(async move {
            let body =
                reply.ok_or_else(|| TransportError::message(TransportErrorKind::InvalidRequest, "no reply is left"))?;
            Ok(Reply::new(body.into()))
        })
    }
}

/// Returns a client whose replies are these bodies.
fn service(replies: &[&'static str]) -> Result<(Operations, Replies)> {
    let transport = Replies(Arc::new(Mutex::new((replies.to_vec(), Vec::new()))));
    Ok((Operations::builder("http://localhost").transport(transport.clone()).build()?, transport))
}

/// Runs a future or an operation to its end.
fn run<T>(future: impl IntoFuture<Output = T>) -> T {
    smol::block_on(future.into_future())
}

/// Returns the paths that were requested.
fn requested(transport: &Replies) -> Vec<String> {
    transport.0.lock().map(|state| state.1.clone()).unwrap_or_default()
}

const RUNNING: &str = r#"{"name": "operations/1"}"#;
const EMPTY: &str = r#"{"name": "operations/1", "done": true, "response": {}}"#;
const IMAGE: &str = r#"{"name": "operations/1", "metadata": {"percent": 40, "queued": false}, "done": true, "response": {"uri": "gs://b/i", "digest":
    [1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32]}}"#;

#[derive(serde::Deserialize)]
struct Percent {
    percent: f32,
}

struct Meter {
    operations: Operations,
}

#[lro_runtime::long_running(response = serde::de::IgnoredAny, metadata = Percent)]
impl Meter {
    #[long_running(progress = |metadata| f64::from(metadata.percent) / 100.0)]
    async fn plain(&self) -> Result<lro_runtime::RawOperation> {
        self.operations.post("v1/x", &()).await
    }

    #[long_running(progress = |metadata| Some(f64::from(metadata.percent) / 100.0))]
    async fn optional(&self) -> Result<lro_runtime::RawOperation> {
        self.operations.post("v1/x", &()).await
    }

    #[long_running(progress = |_| None)]
    async fn unknown(&self) -> Result<lro_runtime::RawOperation> {
        self.operations.post("v1/x", &()).await
    }
}

#[test]
fn a_closure_under_progress_gives_a_fraction_or_an_option_of_one() -> Result<()> {
    const HALF: &str = r#"{"name": "operations/1", "metadata": {"percent": 50}}"#;
    let (operations, _) = service(&[HALF, HALF, HALF])?;
    let meter = Meter { operations };
    assert_eq!(run(meter.plain())?.progress(), Some(0.5));
    assert_eq!(run(meter.optional())?.progress(), Some(0.5));
    assert_eq!(run(meter.unknown())?.progress(), None);
    Ok(())
}

#[test]
fn a_progress_that_is_no_fraction_is_unknown_and_never_done() -> Result<()> {
    const OVER: &str = r#"{"name": "operations/1", "metadata": {"percent": 101}}"#;
    const UNDER: &str = r#"{"name": "operations/1", "metadata": {"percent": -1}}"#;
    const ENDLESS: &str = r#"{"name": "operations/1", "metadata": {"percent": 1e39}}"#;
    const WHOLE: &str = r#"{"name": "operations/1", "metadata": {"percent": 100}}"#;
    let (operations, _) = service(&[OVER, UNDER, ENDLESS, WHOLE])?;
    let meter = Meter { operations };
    for _ in 0..3 {
        assert_eq!(run(meter.plain())?.progress(), None);
    }
    assert_eq!(run(meter.optional())?.progress(), Some(1.0));
    Ok(())
}

#[derive(serde::Deserialize)]
struct Migration {
    percent: f64,
    rows: Rows,
}

#[derive(serde::Deserialize)]
struct Rows {
    done: String,
    total: Option<u32>,
}

struct Tables {
    operations: Operations,
}

#[lro_runtime::long_running(response = serde::de::IgnoredAny, metadata = Migration)]
impl Tables {
    #[long_running(progress(percent, of = 100))]
    async fn by_per_cent(&self) -> Result<lro_runtime::RawOperation> {
        self.operations.post("v1/x", &()).await
    }

    #[long_running(progress(rows.done, of = "total"))]
    async fn by_rows(&self) -> Result<lro_runtime::RawOperation> {
        self.operations.post("v1/x", &()).await
    }
}

#[test]
fn progress_is_a_part_of_the_total_that_the_attribute_names() -> Result<()> {
    const ONE_PER_CENT: &str =
        r#"{"name": "operations/1", "metadata": {"percent": 1.0, "rows": {"done": "30", "total": 40}}}"#;
    const NO_TOTAL: &str = r#"{"name": "operations/1", "metadata": {"percent": 0.5, "rows": {"done": "30"}}}"#;
    const ZERO_TOTAL: &str =
        r#"{"name": "operations/1", "metadata": {"percent": 0, "rows": {"done": "0", "total": 0}}}"#;
    const NO_NUMBER: &str =
        r#"{"name": "operations/1", "metadata": {"percent": 0, "rows": {"done": "few", "total": 40}}}"#;
    let (operations, _) = service(&[ONE_PER_CENT, NO_TOTAL, ONE_PER_CENT, NO_TOTAL, ZERO_TOTAL, NO_NUMBER])?;
    let tables = Tables { operations };
    assert_eq!(run(tables.by_per_cent())?.progress(), Some(0.01), "1 % is not all of it");
    assert_eq!(run(tables.by_per_cent())?.progress(), Some(0.005));
    assert_eq!(run(tables.by_rows())?.progress(), Some(0.75));
    for _ in [NO_TOTAL, ZERO_TOTAL, NO_NUMBER] {
        assert_eq!(run(tables.by_rows())?.progress(), None);
    }
    Ok(())
}

#[derive(Clone, Debug, PartialEq, serde::Deserialize)]
struct Plain(u8);

/// Not `Debug`, `Clone` or `PartialEq`.
#[derive(serde::Deserialize)]
struct Opaque {}

struct Mixed {
    operations: Operations,
}

#[lro_runtime::long_running]
impl Mixed {
    #[long_running(response = Plain, metadata = Plain)]
    async fn comparable(&self) -> Result<lro_runtime::RawOperation> {
        self.operations.post("v1/x", &()).await
    }

    #[long_running(response = Opaque, metadata = Plain)]
    async fn opaque(&self) -> Result<lro_runtime::RawOperation> {
        self.operations.post("v1/x", &()).await
    }

    #[long_running(response = Vec<T>, metadata = ())]
    async fn generic<T: serde::de::DeserializeOwned>(&self) -> Result<lro_runtime::RawOperation> {
        self.operations.post("v1/x", &()).await
    }
}

/// Clones and compares in generic code, where the bounds are on the parameter.
fn is_like_its_clone<T: Clone + PartialEq + Send + Sync + serde::de::DeserializeOwned + 'static>(
    state: &GenericState<T>,
) -> bool {
    state.clone() == *state
}

#[test]
fn a_state_can_be_cloned_and_compared_where_its_types_can() -> Result<()> {
    const PENDING: &str = r#"{"name": "operations/1"}"#;
    const STARTED: &str = r#"{"name": "operations/1", "metadata": 1}"#;
    const DONE: &str = r#"{"name": "operations/1", "metadata": 1, "done": true, "response": 2}"#;
    const FAILED: &str = r#"{"name": "operations/1", "done": true, "error": {"code": 5, "message": "gone"}}"#;
    const CANCELLED: &str = r#"{"name": "operations/1", "done": true, "error": {"code": 1, "message": "gone"}}"#;
    const LIST: &str = r#"{"name": "operations/1", "done": true, "response": [2]}"#;
    const EMPTY: &str = r#"{"name": "operations/1", "done": true, "response": {}}"#;
    let (operations, _) = service(&[PENDING, STARTED, DONE, FAILED, CANCELLED, LIST, EMPTY])?;
    let mixed = Mixed { operations };
    let mut states: Vec<ComparableState> = Vec::new();
    for _ in 0..5 {
        states.push(run(mixed.comparable())?.state().clone());
    }
    assert_eq!(states.get(1), Some(&ComparableState::Running { metadata: Some(Plain(1)) }));
    assert_eq!(states.get(2), Some(&ComparableState::Succeeded { response: Plain(2), metadata: Some(Plain(1)) }));
    assert!(matches!(states.last(), Some(ComparableState::Cancelled { status, .. }) if status.message() == "gone"));
    for (at, state) in states.iter().enumerate() {
        assert_eq!(states.iter().position(|other| *other == state.clone()), Some(at), "{state:?}");
    }
    let generic = run(mixed.generic::<u8>())?;
    assert!(is_like_its_clone(generic.state()));
    assert!(matches!(run(mixed.opaque())?.state(), OpaqueState::Succeeded { .. }), "it compiles without them");
    Ok(())
}

struct Buckets {
    operations: Operations,
}

#[lro_runtime::long_running]
impl Buckets {
    #[long_running(response = (), metadata = (), cancel, dialect = Waiter::get("v1/buckets/{name}").name_at("name"))]
    async fn fill(&self) -> Result<lro_runtime::RawOperation> {
        self.operations.post("v1/buckets", &()).await
    }
}

#[test]
fn cancel_under_a_dialect_without_it_is_unsupported_before_any_request() -> Result<()> {
    let (operations, transport) = service(&[r#"{"name": "b-7"}"#])?;
    let buckets = Buckets { operations };
    let error = run(run(buckets.fill())?.cancel()).err();
    assert_eq!(error.map(|error| error.kind()), Some(ErrorKind::Unsupported));
    assert_eq!(requested(&transport), ["/v1/buckets"], "nothing but the start");
    Ok(())
}

/// Returns the name of an operation of any method, by the trait that all of them implement.
fn name_of(operation: &impl LongRunning) -> String {
    operation.name().to_owned()
}

#[test]
fn an_async_method_starts_and_resumes_and_is_typed() -> Result<()> {
    let (operations, transport) = service(&[RUNNING, IMAGE])?;
    let client = ImageClient::new(operations);
    let started: lro_fixture_sdk::ExportImageOperation = run(client.export_image("b"))?;
    assert_eq!(name_of(&started), "operations/1");
    let resumed = client.resume_export_image(started.name())?;
    assert_eq!(requested(&transport), ["/v1/images:export"], "resuming asks nothing");
    let done = run(resumed.poll_once())?;
    match done.state() {
        lro_fixture_sdk::ExportImageState::Succeeded { response, metadata: Some(metadata) } => {
            assert_eq!((response.uri.as_str(), metadata.percent), ("gs://b/i", 40));
        }
        _ => assert!(done.is_succeeded(), "the reply says so"),
    }
    Ok(())
}

#[test]
fn keys_reach_the_method() -> Result<()> {
    const QUEUED: &str = r#"{"name": "operations/1", "metadata": {"percent": 40, "queued": true}}"#;
    let (operations, _) = service(&[QUEUED])?;
    let queued = run(ImageClient::new(operations).export_image("b"))?;
    assert!(matches!(queued.state(), lro_fixture_sdk::ExportImageState::Pending), "`pending` says that it waits");
    assert_eq!(format!("{:?}", queued.state()), "Pending");
    assert_eq!(queued.progress(), Some(0.4), "`progress` reads per cent");
    drop(queued.cancel());
    drop(queued.delete());
    Ok(())
}

#[test]
fn a_response_that_is_a_failure_in_disguise_fails() -> Result<()> {
    const DISGUISED: &str = r#"{"name": "operations/1", "done": true, "response": {"uri": "", "digest":
        [0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]}}"#;
    let (operations, _) = service(&[DISGUISED])?;
    let operation = run(ImageClient::new(operations).export_image("b"))?;
    assert!(operation.is_failed(), "`classify` says so");
    Ok(())
}

#[test]
fn methods_that_return_futures_do_the_same() -> Result<()> {
    let (operations, transport) = service(&[EMPTY, EMPTY])?;
    let client = ImageClient::new(operations);
    run(run(client.import_image("gs://b/i"))?)?;
    run(run(client.r#move())?)?;
    assert_eq!(requested(&transport), ["/v1/images:import", "/v1/images:move"]);
    Ok(())
}

#[test]
fn a_token_of_one_method_is_refused_by_another() -> Result<()> {
    let (operations, _) = service(&[RUNNING])?;
    let client = ImageClient::new(operations);
    let token = run(client.burn())?.token();
    assert_eq!(token.method(), "ImageClient.burn");
    let refused = client.resume_copy_image(token.clone()).map(drop);
    assert_eq!(refused.map_err(|error| error.kind()), Err(ErrorKind::InvalidToken));
    client.resume_burn(token).map(drop)
}

#[test]
fn a_generic_method_types_its_operation_by_its_caller() -> Result<()> {
    const RECORDS: &str = r#"{"name": "operations/1", "metadata": "half", "done": true, "response": [1, 2]}"#;
    let (operations, _) = service(&[RECORDS])?;
    let records = Records::<u32, 10>::new(&operations, None);
    let operation = run(records.collect::<String, _>("all"))?;
    assert_eq!(operation.metadata().ok().flatten().map(String::as_str), Some("half"));
    let shown = format!("{:?}", operation.state());
    assert_eq!(shown, r#"Succeeded { response: Page([1, 2]), metadata: Some("half") }"#);
    assert_eq!(operation.into_result()?.0, [1, 2]);
    records.resume_collect::<String>("operations/1").map(drop)
}

#[test]
fn a_free_function_resumes_with_the_arguments_that_its_operations_name() -> Result<()> {
    let (operations, _) = service(&[RUNNING, EMPTY])?;
    let started = run(lro_fixture_sdk::purge(&operations, "p"))?;
    run(lro_fixture_sdk::resume_purge(&operations, started.token())?.poll_once())?.into_result()?;
    lro_fixture_sdk::resume_purge_all(&operations, "operations/1").map(drop)
}

struct Farm(Operations);

impl BuildService for Farm {
    fn operations(&self) -> &Operations {
        &self.0
    }

    async fn build(&self, source: &str) -> Result<BuildOperation> {
        BuildOperation::start(self.0.post("v1/builds", source)).await
    }
}

impl RecordService<u8> for Farm {
    fn service(&self) -> Operations {
        self.0.clone()
    }

    async fn gather(&self) -> Result<lro_fixture_sdk::GatherOperation<u8>> {
        lro_fixture_sdk::GatherOperation::start(async { self.0.post("v1/records", &()).await }).await
    }
}

impl RestartService for Farm {
    fn operations(&self) -> &Operations {
        &self.0
    }

    fn stop(&self) -> Pin<Box<dyn Future<Output = Result<lro_fixture_sdk::StopOperation>> + Send + '_>> {
        Box::pin(lro_fixture_sdk::StopOperation::start(self.0.post("v1/stop", &())))
    }
}

#[test]
fn a_trait_method_without_body_is_implemented_by_one_that_returns_the_typed_operation() -> Result<()> {
    const BUILT: &str = r#"{"name": "operations/1", "done": true, "response": "binary"}"#;
    let (operations, transport) = service(&[RUNNING, BUILT])?;
    let farm = Farm(operations);
    let started = run(farm.build("main.rs"))?;
    assert_eq!(started.token().method(), "BuildService.build");
    assert_eq!(run(farm.resume_build(started.token().into())?.poll_once())?.into_result()?, "binary");
    assert_eq!(requested(&transport).first().map(String::as_str), Some("/v1/builds"));
    Ok(())
}

#[test]
fn a_trait_method_with_a_body_is_inherited() -> Result<()> {
    const DEPLOYED: &str = r#"{"name": "operations/1", "metadata": 7, "done": true, "response": {}}"#;
    let (operations, _) = service(&[DEPLOYED])?;
    let deployed = run(Farm(operations).deploy())?;
    assert_eq!(deployed.metadata().ok().flatten(), Some(&Some(7)));
    Ok(())
}

#[test]
fn a_generic_trait_types_its_operation_by_its_parameter() -> Result<()> {
    const GATHERED: &str = r#"{"name": "operations/1", "done": true, "response": [1, 2]}"#;
    let (operations, _) = service(&[GATHERED])?;
    let farm = Farm(operations);
    assert_eq!(run(run(farm.gather())?)?, [1, 2]);
    RecordService::<u8>::resume_gather(&farm, "operations/1".into()).map(drop)
}

#[test]
fn a_trait_of_boxed_futures_is_used_and_resumed_as_dyn() -> Result<()> {
    let (operations, transport) = service(&[RUNNING, RUNNING, EMPTY])?;
    let service: Box<dyn RestartService> = Box::new(Farm(operations));
    let restarted: RestartOperation = run(service.restart())?;
    drop(run(service.stop())?);
    run(service.resume_restart(restarted.token().into())?.poll_once())?.into_result()?;
    assert_eq!(requested(&transport), ["/v1/restart", "/v1/stop", "/v1/operations/1"]);
    Ok(())
}
