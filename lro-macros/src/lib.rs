//! The procedural macros of `lro-runtime`.
//!
//! This crate is an implementation detail: depend on `lro-runtime`, which re-exports the macros.
//! Read their documentation there, where its links to types lead somewhere.

use proc_macro::TokenStream;

mod grammar;
mod list;
mod long_running;
mod most;
mod nearest;
mod report;
mod runtime_path;
mod total;
mod wire_operation;

/// Turns methods that start long-running work into methods that return a typed operation.
///
/// Put the attribute on the `impl` block or trait, and again on each method that starts an
/// operation, with the response and metadata types of that method. A free function needs it once,
/// with the key `operations`.
///
/// ```
/// use lro_runtime::{Operations, RawOperation, Result, long_running};
///
/// # #[derive(serde::Serialize)]
/// # pub struct ExportRequest;
/// # #[derive(serde::Deserialize)]
/// # pub struct ExportedImage;
/// # #[derive(serde::Deserialize)]
/// # pub struct ExportProgress;
/// pub struct ImageClient {
///     operations: Operations,
/// }
///
/// #[long_running]
/// impl ImageClient {
///     /// Exports an image to a bucket.
///     #[long_running(response = ExportedImage, metadata = ExportProgress)]
///     pub async fn export_image(&self, request: &ExportRequest) -> Result<RawOperation> {
///         self.operations.post("v1/images:export", request).await
///     }
/// }
/// ```
///
/// For each annotated method this generates three items: next to the block, the type alias
/// `ExportImageOperation`, of [`Operation`], and the enum `ExportImageState`; inside the block, the
/// method `resume_export_image`. `export_image` itself then returns `Result<ExportImageOperation>`.
/// The enum is `Debug`, `Clone` and `PartialEq` where both types are.
///
/// The method is an `async fn`, or a `fn` that returns
/// `impl Future<Output = Result<RawOperation>>`, `Pin<Box<dyn Future<…>>>` or an alias of it whose
/// name ends in `BoxFuture`. The error type is the author's choice.
///
/// The body returns the [`RawOperation`] of a start call ([`post`], [`call`] and the others of
/// [`Operations`]), of [`resume`] or of [`adopt`]. Called and awaited in the body, they know the
/// method: its dialect and its options apply. A start call that the body hands to another task is
/// sent in the client's dialect and without options. The method judges its operation all the same;
/// of one whose reply was read in another dialect, the polls fail and say so.
///
/// The resume function takes a [`Resume`]: a name or a [`Token`]. It sends nothing. Text from
/// outside the program, such as a part of a web request, is passed as [`Resume::token_only`], which
/// refuses names.
///
/// A free function takes the attribute once, with its keys:
///
/// ```
/// use lro_runtime::{Operations, RawOperation, Result, long_running};
///
/// /// Builds a branch.
/// #[long_running(operations = operations, response = String, metadata = (), poll(timeout = "2h"))]
/// pub async fn build(operations: &Operations, branch: &str) -> Result<RawOperation> {
///     operations.post("v1/builds", &branch).await
/// }
///
/// async fn release(operations: &Operations, stored: &str) -> Result<String> {
///     let resumed: BuildOperation = resume_build(operations, stored)?;
///     resumed.await
/// }
/// ```
///
/// # Traits
///
/// In a trait, a method may have a default body or none. A method without a default body is
/// implemented by a method that returns the typed operation, which [`Operation::start`] makes:
///
/// ```
/// use std::future::Future;
///
/// use lro_runtime::{Operations, RawOperation, Result, long_running};
///
/// #[long_running(response = String, metadata = ())]
/// pub trait BuildService {
///     fn operations(&self) -> &Operations;
///
///     #[long_running]
///     fn build(&self, branch: &str) -> impl Future<Output = Result<RawOperation>> + Send;
/// }
///
/// struct Farm(Operations);
///
/// impl BuildService for Farm {
///     fn operations(&self) -> &Operations {
///         &self.0
///     }
///
///     async fn build(&self, branch: &str) -> Result<BuildOperation> {
///         BuildOperation::start(self.0.post("v1/builds", &branch)).await
///     }
/// }
/// ```
///
/// Put the attribute on the trait, never on the blocks that implement it, and above other
/// attributes of the trait such as `async_trait` or `automock`, which then see the typed methods.
/// In a trait the resume function takes a [`Resume`], and not what can be turned into one, so that
/// it can be called on a `dyn` and be mocked: `service.resume_export_image(token.into())`.
///
/// # Keys
///
/// `M` is the metadata type of the method, `R` its response type.
///
/// | key | value |
/// |---|---|
/// | `response` | type of the result of success, as visible as the method. Mandatory; `()` is legal |
/// | `metadata` | type of the progress that the server reports, as visible as the method. Mandatory; `()` is legal |
/// | `name` | `"…"`: base of the names of the alias and the enum, in `UpperCamelCase`. Default: the method's name. Two methods of one name in one module need it |
/// | `operations` | expression for the [`Operations`] that the resume function uses. Default: `&self.operations` in an `impl` block, `self.operations()` in a trait. Mandatory where there is no `self`; arguments of the method that the expression names become arguments of the resume function |
/// | `poll` | `poll(delay = "1s", timeout = "10m")`: default poll settings of this method; see below |
/// | `cancel`, `delete` | flags: the service can cancel, or delete, operations of this method. Without them, users of the SDK cannot call `cancel()` or `delete()`. A compile error beside `waiter` and beside a `wire` type that declares no such call, if the types have no type parameters; else, as under another dialect without one, the call is an error of kind [`Unsupported`], before any request |
/// | `pending` | closure or function from `&M` to `bool`: whether the metadata means that the work has not begun |
/// | `progress` | `= percent`, `= stats.done`: field of the metadata, where integers are per cent and floats are fractions. `(percent, of = 100)`, `(stats.done, of = "total")`: field and the total it is a part of, a number or a field beside it. Or a closure from `&M` to `f64` or `Option<f64>`, 0 to 1 |
/// | `classify` | closure or function from `&R` to an `Option` of a [`Status`]: `Some` if the response means that the operation failed |
/// | `response_type`, `metadata_type` | `"…"`: type URL to expect on the wire |
/// | `encoding` | `json` (default) or `proto`: encoding of response and metadata |
/// | `wire` | type that declares how the service writes an operation, with [`WireOperation`] |
/// | `dialect` | expression for the [`Dialect`] of this method: [`Azure::new()`](../lro_runtime/dialect/struct.Azure.html), or a constant such as a [`Waiter`] |
/// | `waiter` | `waiter(get = "v1/buckets/{name}", name_at = "bucket.id", success(output = "state", is = "READY"))`: the call to repeat, and ordered acceptors that judge its replies; see below |
/// | `result`, `final_state_via`, `path` | `"…"`: options of the dialect |
/// | `words` | `words(succeeded = "partiallySucceeded", failed = ["aborted", "expired"])`: what status words of this service mean, beside those of the dialect [`Azure`] |
/// | `crate` | path of `lro_runtime`, if it is not a direct dependency |
///
/// On a block, the keys are defaults for all its methods; only `name` is not allowed there. A
/// method turns a flag off with `cancel = false`. `encoding`, `wire`, `dialect` and `waiter`
/// exclude each other; a method's own key replaces the block's.
///
/// # Keys of `poll(…)`
///
/// Those of [`PollSettings`], which documents what each does and what applies without it. Its
/// `seed` and its failure policy belong to a client or a call.
///
/// | key | value |
/// |---|---|
/// | `delay`, `multiplier`, `max_delay` | `"1s"`, `1.5`, `"30s"`: the delays between polls. At least 1 ms, and at least 1 |
/// | `initial_delay` | `"500ms"`: the delay before the first poll |
/// | `jitter` | `"none"`, `"full"` or `"equal"` |
/// | `timeout` | `"10m"`: the time limit of a wait, or `"never"` |
/// | `poll_timeout` | `"10s"`: the time limit of one poll. At least 1 ms |
/// | `hint` | `= "ignore"`, or bounds within which hints are obeyed: `(floor = "1s", ceiling = "5m")` |
/// | `error_budget` | `= 5`, or `(failures = 5, elapsed = "1m", delay = "1s", max_delay = "20s", origin = …)`, of which only `failures` is mandatory. `origin` is the share of throttles and outages: `= "forgiven"`, `= "counted"`, or `(failures = 20, elapsed = "10m")` |
/// | `not_found_grace` | `"30s"`: for how long after the start a `404` is forgiven |
/// | `long_poll` | `"30s"`: for how long the server may hold a poll. At least 1 ms |
/// | `unknown_status` | `"running"` or `"error"`: what a status word means that the dialect does not know |
///
/// # Keys of `waiter(…)`
///
/// | key | value |
/// |---|---|
/// | `get`, or `post` and `body` | `"…"`: the call to repeat, relative to the base URL; `{name}` stands for the operation's name. Default: `GET` of the start call's URL |
/// | `headers` | `headers("x-target" = "Tables.Describe")`: headers of that call |
/// | `name_at` | path of the operation's name in the reply of the start call |
/// | `response_at` | path of the response in the output that succeeded. Default: all of the output |
/// | `success(…)`, `failure(…)`, `retry(…)` | acceptor: what a reply that matches means. Any number of them; the first that matches decides |
/// | `named` | `named(items = "tasks[]", id = "taskArn", most = 100)`: the call takes several names, in a list of the body or in the query, and the output has what it says of them at `items`, each with its name at `id`. A fleet then asks for up to `most` in one call: [`Waiter::named`](../lro_runtime/dialect/struct.Waiter.html#method.named) |
///
/// An acceptor matches in one of the following ways. The documentation of [`Waiter`] explains
/// paths, and what a reply means that no acceptor matches.
///
/// | acceptor | matches |
/// |---|---|
/// | `output = "state", is = "READY"` | outputs in which the path finds this word, or with `is = true` this boolean |
/// | `output = "nodes[].state", all = "READY"` | outputs in which the path finds a list that is not empty and has no other element than this word |
/// | `output = "nodes[].state", any = "LOST"` | outputs in which the path finds a list with at least one element that is this word |
/// | `error = "NotFound"` | errors of this type: the service's own word, or the name of the HTTP status |
/// | `success = true` | every reply that is not an error; with `false`, every error |
///
/// # Many keys at once
///
/// ```
/// use lro_runtime::{Operations, RawOperation, Result, http::Method, long_running};
///
/// #[derive(serde::Deserialize)]
/// pub struct Cluster {
///     pub endpoint: String,
/// }
///
/// #[derive(serde::Deserialize)]
/// pub struct Steps {
///     pub done: u32,
///     pub total: u32,
/// }
///
/// pub struct Clusters {
///     operations: Operations,
/// }
///
/// // What holds for every method is on the block.
/// #[long_running(poll(delay = "2s", max_delay = "30s", timeout = "1h", hint = "ignore"), cancel)]
/// impl Clusters {
///     /// Creates a cluster.
///     #[long_running(response = Cluster, metadata = Steps, progress(done, of = "total"))]
///     pub async fn create(&self, name: &str) -> Result<RawOperation> {
///         self.operations.post("v1/clusters", &name).await
///     }
///
///     /// Deletes a cluster. The service has no operation for that: the cluster is asked for, until
///     /// it is gone.
///     #[long_running(
///         response = (),
///         metadata = (),
///         cancel = false,
///         waiter(get = "v1/clusters/{name}", name_at = "name", success(error = "NotFound")),
///     )]
///     pub async fn delete(&self, name: &str) -> Result<RawOperation> {
///         self.operations.call(Method::DELETE, "v1/clusters/{name}").path("name", name).no_body().await
///     }
/// }
/// ```
///
/// [`Azure`]: ../lro_runtime/dialect/struct.Azure.html
/// [`Dialect`]: ../lro_runtime/dialect/trait.Dialect.html
/// [`Operation`]: ../lro_runtime/struct.Operation.html
/// [`Operation::start`]: ../lro_runtime/struct.Operation.html#method.start
/// [`Operations`]: ../lro_runtime/struct.Operations.html
/// [`PollSettings`]: ../lro_runtime/struct.PollSettings.html
/// [`RawOperation`]: ../lro_runtime/struct.RawOperation.html
/// [`Resume`]: ../lro_runtime/struct.Resume.html
/// [`Resume::token_only`]: ../lro_runtime/struct.Resume.html#method.token_only
/// [`Status`]: ../lro_runtime/struct.Status.html
/// [`Token`]: ../lro_runtime/struct.Token.html
/// [`Unsupported`]: ../lro_runtime/enum.ErrorKind.html#variant.Unsupported
/// [`Waiter`]: ../lro_runtime/dialect/struct.Waiter.html
/// [`WireOperation`]: ../lro_runtime/derive.WireOperation.html
/// [`adopt`]: ../lro_runtime/struct.Operations.html#method.adopt
/// [`call`]: ../lro_runtime/struct.Operations.html#method.call
/// [`post`]: ../lro_runtime/struct.Operations.html#method.post
/// [`resume`]: ../lro_runtime/struct.Operations.html#method.resume
#[proc_macro_attribute]
pub fn long_running(args: TokenStream, item: TokenStream) -> TokenStream {
    long_running::expand(args.into(), item.into()).into()
}

/// Declares on a serde type how a service writes its operations.
///
/// The declaration says which member is the name, the state, the response, and which words mean
/// which state.
///
/// ```
/// use lro_runtime::WireOperation;
/// use serde::Deserialize;
///
/// # #[derive(Deserialize)]
/// # struct Metrics {}
/// #[derive(Deserialize, WireOperation)]
/// #[operation(poll = "v1/predictions/{name}", cancel = "POST v1/predictions/{name}/cancel")]
/// struct Prediction {
///     #[operation(name)]
///     id: String,
///     #[operation(state, pending = "starting", running = "processing", succeeded = "succeeded", failed = "failed", cancelled = "canceled")]
///     status: String,
///     #[operation(response)]
///     output: Option<Vec<String>>,
///     #[operation(error)]
///     error: Option<String>,
///     #[operation(metadata)]
///     metrics: Option<Metrics>,
/// }
/// ```
///
/// A method uses the type with `wire = Prediction`, a client with
/// `.dialect(`[`Declared::of`]`::<Prediction>())`. The module [`wire`] documents the keys. The
/// derive implements the trait [`WireOperation`], which is one constant; at run time, no code of
/// the type is called.
///
/// [`Declared::of`]: ../lro_runtime/dialect/struct.Declared.html#method.of
/// [`WireOperation`]: ../lro_runtime/wire/trait.WireOperation.html
/// [`wire`]: ../lro_runtime/wire/index.html
#[proc_macro_derive(WireOperation, attributes(operation))]
pub fn wire_operation(item: TokenStream) -> TokenStream {
    wire_operation::expand(item.into()).into()
}
