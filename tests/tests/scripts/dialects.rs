//! The dialects that scripts may name. To add one, add a line to [`dialect`].

use std::sync::Arc;

use http::Request;
use lro_runtime::{
    Dialect, Failure, WireOperation,
    dialect::{
        Acceptor, Azure, Call, Comparator, Compute, Coverage, Cursor, Declared, Google, Http, Jobs, ListPage,
        ListQuery, Lxd, Matcher, Meaning, Observation, Options, Redfish, Vertex, Waiter,
    },
    wire::{bigquery, cloud_sql, gke, meilisearch, openai, replicate},
};
use serde::Deserialize;

/// Returns the dialect with this name.
pub(crate) fn dialect(name: &str) -> Option<Arc<dyn Dialect>> {
    Some(match name {
        "azure" => Arc::new(Azure::new()),
        "compute" => Arc::new(Compute::new()),
        "declared render" => declared::<Render>(),
        "declared flag" => declared::<Flag>(),
        "openai response" => declared::<openai::Response>(),
        "openai batch" => declared::<openai::Batch>(),
        "openai fine-tuning" => declared::<openai::FineTuningJob>(),
        "openai run" => declared::<openai::Run>(),
        "openai video" => declared::<openai::Video>(),
        "replicate prediction" => declared::<replicate::Prediction>(),
        "replicate training" => declared::<replicate::Training>(),
        "meilisearch" => declared::<meilisearch::Task>(),
        "gke" => declared::<gke::Operation>(),
        "cloud_sql" => declared::<cloud_sql::Operation>(),
        "bigquery" => declared::<bigquery::Job>(),
        "google" => Arc::new(Google::new()),
        "http" => Arc::new(Http::new()),
        "jobs" => Arc::new(Jobs::new()),
        "lxd" => Arc::new(Lxd::new()),
        "redfish" => Arc::new(Redfish),
        "vertex" => Arc::new(Vertex::new()),
        "waiter instance" => Arc::new(INSTANCE),
        "waiter deleted" => Arc::new(DELETED),
        "waiter named" => Arc::new(NAMED),
        "waiter fleet" => Arc::new(FLEET),
        "waiter rpc" => Arc::new(RPC),
        _ => return None,
    })
}

fn declared<T: WireOperation>() -> Arc<dyn Dialect> {
    Arc::new(Declared::of::<T>())
}

/// A service whose replies have URLs, hints and counts.
#[derive(Deserialize, WireOperation)]
#[serde(rename_all = "camelCase")]
#[operation(delete = "DELETE v1/renders/{name}")]
#[expect(clippy::struct_field_names, reason = "the service calls it renderId")]
struct Render {
    #[operation(name)]
    render_id: String,
    #[operation(
        state,
        pending = "waiting",
        running = "rendering",
        succeeded = "ready",
        failed = "broken",
        cancelled = "stopped"
    )]
    phase: String,
    #[operation(next)]
    monitor: Option<String>,
    #[operation(hint, unit = "ms")]
    ask_again_in: Option<u64>,
    #[operation(progress = "done", of = "total")]
    frames: Option<serde_json::Value>,
    #[operation(response)]
    film: Option<String>,
    #[operation(error)]
    problem: Option<serde_json::Value>,
}

/// A service whose state is a flag, which is missing at first.
#[derive(Deserialize, WireOperation)]
#[operation(poll = "v1/flags/{name}")]
struct Flag {
    #[operation(name)]
    id: u64,
    #[operation(state, running = false, done = true, missing = pending, absent(cancelled))]
    done: Option<bool>,
    #[operation(progress)]
    fraction: Option<f64>,
    #[operation(response)]
    value: Option<String>,
    #[operation(error)]
    error: Option<serde_json::Value>,
}

/// Waits until a resource is `running`. Its name is in the reply of the start call.
const INSTANCE: Waiter =
    Waiter::get("v1/instances/{name}").name_at("instance.id").response_at("instance").acceptors(&[
        Acceptor::success_when("instance.state", "running"),
        Acceptor::failure_when("instance.state", "terminated"),
        Acceptor::retry_when("instance.state", "starting"),
        Acceptor::retry_on_error("NotFound"),
        Acceptor::failure_on_error("QuotaExceeded"),
    ]);

/// Waits until a resource is gone.
const DELETED: Waiter = Waiter::start_url()
    .acceptors(&[Acceptor::success_on_error("NotFound"), Acceptor::new(Meaning::Retry, Matcher::Success(true))]);

/// Waits until a resource at the URL of the start call is ready. The reply of the start call may
/// have its name.
const NAMED: Waiter = Waiter::start_url().name_at("id").acceptors(&[Acceptor::success_when("state", "ready")]);

/// Waits for a list of nodes: all are ready, or one is lost. Also has flags and counts.
const FLEET: Waiter = Waiter::get("v1/fleet").acceptors(&[
    Acceptor::new(Meaning::Failure, Matcher::Output("nodes[].state", Comparator::Any("lost"))),
    Acceptor::new(Meaning::Success, Matcher::Output("nodes[].state", Comparator::All("ready"))),
    Acceptor::new(Meaning::Retry, Matcher::Output("nodes[].state", Comparator::All("starting"))),
    Acceptor::new(Meaning::Success, Matcher::Output("length(nodes) == `0`", Comparator::IsTrue(true))),
    Acceptor::new(Meaning::Failure, Matcher::Output("drained", Comparator::IsTrue(false))),
    Acceptor::new(Meaning::Retry, Matcher::ErrorType("Busy")),
    Acceptor::new(Meaning::Success, Matcher::Success(false)),
]);

/// Waits at a service whose calls are all `POST`.
const RPC: Waiter = Waiter::post("", r#"{"TableName":"{name}"}"#)
    .headers(&[("x-amz-target", "Tables.Describe")])
    .name_at("TableDescription.TableName")
    .acceptors(&[
        Acceptor::success_when("Table.TableStatus", "ACTIVE"),
        Acceptor::retry_on_error("ResourceNotFoundException"),
    ]);

/// A dialect that gets the script's options, in place of those that a method's attribute would give
/// it.
pub(crate) struct WithOptions {
    pub(crate) inner: Arc<dyn Dialect>,
    pub(crate) options: &'static Options,
}

impl Dialect for WithOptions {
    fn id(&self) -> &'static str {
        self.inner.id()
    }

    fn prepare_start(&self, request: &mut Request<bytes::Bytes>, _options: &Options) -> Result<(), Failure> {
        self.inner.prepare_start(request, self.options)
    }

    fn read_start<'a>(
        &self,
        request: &Request<bytes::Bytes>,
        reply: &'a http::Response<bytes::Bytes>,
        _options: &Options,
    ) -> Result<Observation<'a>, Failure> {
        self.inner.read_start(request, reply, self.options)
    }

    fn locate(&self, name: &str, _options: &Options) -> Result<Cursor, Failure> {
        self.inner.locate(name, self.options)
    }

    fn poll(&self, cursor: &Cursor) -> Result<Call, Failure> {
        self.inner.poll(cursor)
    }

    fn read<'a>(&self, cursor: &Cursor, reply: &'a http::Response<bytes::Bytes>) -> Result<Observation<'a>, Failure> {
        self.inner.read(cursor, reply)
    }

    fn reads_the_same(&self, reply: &http::Response<bytes::Bytes>) -> bool {
        self.inner.reads_the_same(reply)
    }

    fn read_answer(&self, reply: &http::Response<bytes::Bytes>) -> Result<(), Failure> {
        self.inner.read_answer(reply)
    }

    fn cancel(&self, cursor: &Cursor) -> Result<Call, Failure> {
        self.inner.cancel(cursor)
    }

    fn delete(&self, cursor: &Cursor) -> Result<Call, Failure> {
        self.inner.delete(cursor)
    }

    fn wait(&self, cursor: &Cursor, timeout: std::time::Duration) -> Result<Call, Failure> {
        self.inner.wait(cursor, timeout)
    }

    fn remembers_end(&self) -> Option<std::time::Duration> {
        self.inner.remembers_end()
    }

    fn prefers_held_polls(&self) -> bool {
        self.inner.prefers_held_polls()
    }

    fn list(&self, query: &ListQuery) -> Result<Call, Failure> {
        self.inner.list(query)
    }

    fn read_list<'a>(
        &self,
        query: &ListQuery,
        reply: &'a http::Response<bytes::Bytes>,
    ) -> Result<ListPage<'a>, Failure> {
        self.inner.read_list(query, reply)
    }
    fn coverage(&self, cursor: &Cursor, _options: &'static Options) -> Option<Coverage> {
        self.inner.coverage(cursor, self.options)
    }

    fn poll_named(&self, cursors: &[&Cursor]) -> Result<Call, Failure> {
        self.inner.poll_named(cursors)
    }

    fn read_named<'a>(
        &self,
        cursors: &[&Cursor],
        reply: &'a http::Response<bytes::Bytes>,
    ) -> Result<ListPage<'a>, Failure> {
        self.inner.read_named(cursors, reply)
    }
}
