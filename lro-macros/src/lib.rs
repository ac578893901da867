//! The macros of [`lro-runtime`](https://docs.rs/lro-runtime). An implementation detail: depend on `lro-runtime`.

use proc_macro::TokenStream;

mod grammar;
mod list;
mod long_running;
mod nearest;
mod report;
mod runtime_path;
mod wire_operation;

/// Turns methods that start long-running work into methods that return a typed operation.
///
/// Write it twice: on the `impl` block or trait, bare, and on each method, with the two types of that method. A free
/// function needs it once, with `operations`.
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
/// Beside the block this writes the alias `ExportImageOperation` and the enum `ExportImageState`; into it, the method
/// `resume_export_image`. `export_image` itself then returns `Result<ExportImageOperation>`. The method is an `async fn`,
/// or a `fn` that returns `impl Future<Output = Result<RawOperation>>`, `Pin<Box<dyn Future<…>>>` or a `BoxFuture`.
/// Its error type is the author's choice.
///
/// In a trait, a method may have a default body or none; one without is implemented by a method that returns the typed
/// operation. The attribute goes on the trait and never on the blocks that implement it.
///
/// # Keys
///
/// | key | value |
/// |---|---|
/// | `response` | type of the result of success. Mandatory, `()` is legal |
/// | `metadata` | type of what the server says about progress. Mandatory, `()` is legal |
/// | `name` | `"…"`: base of the names of the alias and the enum, in `UpperCamelCase` |
/// | `operations` | expression that gives the `Operations` to resume with. Without it `&self.operations` in an `impl` block, `self.operations()` in a trait; mandatory where there is no `self`, where arguments it names become arguments of the resume function |
/// | `poll` | `poll(delay = "1s", multiplier = 1.5, max_delay = "30s", timeout = "10m", initial_delay = "500ms")`: this method's defaults |
/// | `cancel`, `delete` | flags: the service can cancel, or delete, operations of this method |
/// | `pending` | closure or function from `&M` to `bool`: when the metadata means that work has not begun |
/// | `progress` | field of the metadata (`percent`, `stats.done`), integers are per cent and floats fractions; or closure from `&M` to `f64` or `Option<f64>`, 0 to 1 |
/// | `classify` | closure or function from `&R` to `Option<Status>`: when a response is a failure in disguise |
/// | `response_type`, `metadata_type` | `"…"`: the type URL to expect on the wire |
/// | `encoding` | `json` (default) or `proto`: how response and metadata are written |
/// | `wire` | type that declares how the service writes an operation |
/// | `dialect` | expression that gives the dialect of this method: `Azure::new()`, or a constant such as a `Waiter` |
/// | `waiter` | `waiter(get = "v1/buckets/{name}", name_at = "bucket.id", success(output = "state", is = "READY"))`: the call to repeat, and ordered acceptors of its replies; see below |
/// | `result`, `final_state_via`, `path` | `"…"`: options of the dialect |
/// | `crate` | path of `lro_runtime`, where it is not a direct dependency |
///
/// On the block they are defaults for its methods (all but `name`); a method takes a flag back with `cancel = false`. `encoding`, `wire`, `dialect` and
/// `waiter` exclude each other; a method's own goes before the block's.
///
/// # Keys of `waiter(…)`
///
/// | key | value |
/// |---|---|
/// | `get`, or `post` and `body` | `"…"`: the call to repeat, below the base URL, in which `{name}` is filled in. Without them, `GET` of the start call's URL |
/// | `headers` | `headers("x-target" = "Tables.Describe")`: headers of that call |
/// | `name_at` | path, in the reply of the start call, of the operation's name |
/// | `response_at` | path of the response in the output that succeeded. Without it, all of the output |
/// | `success(…)`, `failure(…)`, `retry(…)` | an acceptor: what the replies mean that match. As many as needed; the first that matches decides |
///
/// An acceptor matches by one of these. What a path is, and what a reply means that none matches, is in the documentation of `Waiter` in `lro_runtime`.
///
/// | acceptor | matches |
/// |---|---|
/// | `output = "state", is = "READY"` | outputs in which the path finds this word, or with `is = true` this boolean |
/// | `output = "nodes[].state", all = "READY"` | … a list that is not empty, and of which every element is this word |
/// | `output = "nodes[].state", any = "LOST"` | … a list of which at least one element is this word |
/// | `error = "NotFound"` | errors of this type: the service's own word, or the name of the HTTP status |
/// | `success = true` | every reply that is no error; with `false` every error |
#[proc_macro_attribute]
pub fn long_running(args: TokenStream, item: TokenStream) -> TokenStream {
    long_running::expand(args.into(), item.into()).into()
}

/// Says on a serde type how a service writes its operations: which member is the name, the state, the response, and which words mean which state.
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
/// A method then says `wire = Prediction`, a client `.dialect(Declared::of::<Prediction>())`. The keys, and what they mean, are in the module `wire`
/// of `lro_runtime`. The derive writes a constant and nothing else; it calls no code of the type.
#[proc_macro_derive(WireOperation, attributes(operation))]
pub fn wire_operation(item: TokenStream) -> TokenStream {
    wire_operation::expand(item.into()).into()
}
