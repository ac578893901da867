//! Declared types of [OpenAI](https://platform.openai.com/docs/api-reference): responses, batches,
//! fine-tuning jobs, runs and videos.
//!
//! The base URL includes the version (`https://api.openai.com/v1`), as in the service's own SDKs.
//! Compatible services work with a base URL of their own. Each object is its own response and
//! metadata. Members that these types do not have are reachable through
//! [`raw`](crate::Operation::raw), or with a type of your own under the same declaration.
//!
//! Every object has words of its own: `completed` is a success for a response and unknown for a
//! fine-tuning job.
//!
//! ```
//! use lro_runtime::{Operations, RawOperation, Result, long_running, wire::openai::Batch};
//!
//! struct Batches { operations: Operations }
//!
//! #[long_running]
//! impl Batches {
//!     /// Starts a batch.
//!     #[long_running(response = Batch, metadata = Batch, wire = Batch, cancel)]
//!     async fn create(&self, input_file: &str) -> Result<RawOperation> {
//!         let request = [("input_file_id", input_file), ("endpoint", "/v1/responses"), ("completion_window", "24h")];
//!         self.operations.post("batches", &std::collections::BTreeMap::from(request)).await
//!     }
//! }
//! ```

use serde::Deserialize;
use serde_json::Value;

use crate::WireOperation;

/// A [response](https://platform.openai.com/docs/api-reference/responses/object) made in the
/// background (`background: true`).
///
/// `incomplete` (out of tokens, or filtered) is a failure, with `incomplete_details` as its reason.
/// The partial output is in the metadata.
///
/// ```json
/// {"id": "resp_1", "object": "response", "status": "in_progress", "output": [], "error": null, "incomplete_details": null}
/// ```
#[derive(Clone, Debug, Deserialize, WireOperation)]
#[operation(crate = crate, id = "openai.response", response = self, metadata = self)]
#[operation(poll = "responses/{name}", cancel = "POST responses/{name}/cancel", delete = "DELETE responses/{name}")]
#[non_exhaustive]
pub struct Response {
    /// `resp_…`.
    #[operation(name)]
    pub id: String,
    /// The status word.
    #[operation(state, pending = "queued", running = "in_progress", succeeded = "completed", failed = ["failed", "incomplete"], cancelled = "cancelled")]
    pub status: String,
    /// Messages, tool calls and reasoning, as JSON.
    #[serde(default)]
    pub output: Vec<Value>,
    /// The error, if it failed.
    #[operation(error)]
    pub error: Option<Value>,
    /// Why it is incomplete.
    #[operation(error)]
    pub incomplete_details: Option<Value>,
    /// The tokens used.
    pub usage: Option<Value>,
}

/// A [batch](https://platform.openai.com/docs/api-reference/batch/object) of requests.
///
/// `expired` is a failure. The requests that were done by then are in the output file, which the
/// metadata names.
///
/// Many batches are swept: the list has all of a project, the latest first, 100 on a page.
///
/// ```json
/// {"id": "batch_1", "object": "batch", "status": "finalizing", "errors": null, "request_counts": {"total": 100, "completed": 95, "failed": 5}}
/// ```
#[derive(Clone, Debug, Deserialize, WireOperation)]
#[operation(crate = crate, id = "openai.batch", response = self, metadata = self)]
#[operation(poll = "batches/{name}", cancel = "POST batches/{name}/cancel")]
#[operation(list = "batches?limit={page_size}&after={page_token}", items = "data", next_page = "last_id", most = 100)]
#[non_exhaustive]
pub struct Batch {
    /// `batch_…`.
    #[operation(name)]
    pub id: String,
    /// The status word.
    #[operation(state, pending = "validating", running = ["in_progress", "finalizing", "cancelling"], succeeded = "completed")]
    #[operation(failed = ["failed", "expired"], cancelled = "cancelled")]
    pub status: String,
    /// The errors in the input.
    #[operation(error)]
    pub errors: Option<Value>,
    /// The number of requests, from which the progress is computed.
    #[operation(progress = "completed", of = "total")]
    pub request_counts: Option<RequestCounts>,
    /// The file with the results.
    pub output_file_id: Option<String>,
    /// The file with the errors of single requests.
    pub error_file_id: Option<String>,
}

/// The number of requests of a [`Batch`], by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct RequestCounts {
    /// All requests. 0 while the input is validated.
    pub total: u64,
    /// The requests that succeeded.
    pub completed: u64,
    /// The requests that failed.
    pub failed: u64,
}

/// A [fine-tuning job](https://platform.openai.com/docs/api-reference/fine-tuning/object).
///
/// `paused` means running. A job without an error has `"error": {}`, which does not count as one.
///
/// ```json
/// {"id": "ftjob-1", "object": "fine_tuning.job", "status": "running", "fine_tuned_model": null, "error": {}}
/// ```
#[derive(Clone, Debug, Deserialize, WireOperation)]
#[operation(crate = crate, id = "openai.fine_tuning_job", response = self, metadata = self)]
#[operation(poll = "fine_tuning/jobs/{name}", cancel = "POST fine_tuning/jobs/{name}/cancel")]
#[operation(list = "fine_tuning/jobs?limit={page_size}&after={page_token}", items = "data", next_page = "last_id")]
#[non_exhaustive]
pub struct FineTuningJob {
    /// `ftjob-…`.
    #[operation(name)]
    pub id: String,
    /// The status word.
    #[operation(state, pending = ["validating_files", "queued"], running = ["running", "paused"], succeeded = "succeeded", failed = "failed", cancelled = "cancelled")]
    pub status: String,
    /// The error, if it failed.
    #[operation(error)]
    pub error: Option<Value>,
    /// The name of the model that the job made.
    pub fine_tuned_model: Option<String>,
    /// The files with the measurements of the training.
    #[serde(default)]
    pub result_files: Vec<String>,
    /// The number of tokens that the model was trained on.
    pub trained_tokens: Option<u64>,
}

/// A [run](https://platform.openai.com/docs/api-reference/runs/object) of an assistant on a thread.
/// It needs the header `OpenAI-Beta: assistants=v2`.
///
/// `requires_action` means that the run waits for the caller. The state is running;
/// [`raw_status`](crate::RawOperation::raw_status) tells it apart. The name is
/// `threads/{thread_id}/runs/{id}`, because a run is found only below its thread.
///
/// ```json
/// {"id": "run_1", "object": "thread.run", "thread_id": "thread_1", "status": "requires_action", "required_action": {}, "last_error": null}
/// ```
#[derive(Clone, Debug, Deserialize, WireOperation)]
#[operation(crate = crate, id = "openai.run", name = "threads/{thread_id}/runs/{id}", response = self, metadata = self)]
// The name is already the path below the base URL.
#[operation(poll = "{name}", cancel = "POST {name}/cancel")]
#[non_exhaustive]
pub struct Run {
    /// `run_…`.
    pub id: String,
    /// `thread_…`.
    pub thread_id: String,
    /// The status word.
    #[operation(state, pending = "queued", running = ["in_progress", "requires_action", "cancelling"], succeeded = "completed")]
    #[operation(failed = ["failed", "incomplete", "expired"], cancelled = "cancelled")]
    pub status: String,
    /// What the run needs from the caller.
    pub required_action: Option<Value>,
    /// The error, if it failed.
    #[operation(error)]
    pub last_error: Option<Value>,
    /// Why it is incomplete.
    #[operation(error)]
    pub incomplete_details: Option<Value>,
    /// The tokens used.
    pub usage: Option<Value>,
}

/// A [video](https://platform.openai.com/docs/api-reference/videos/object) that is generated. Its
/// content is at `videos/{id}/content`; the response is the object that describes it.
///
/// ```json
/// {"id": "video_1", "object": "video", "status": "in_progress", "progress": 33, "error": null}
/// ```
#[derive(Clone, Debug, Deserialize, WireOperation)]
#[operation(crate = crate, id = "openai.video", response = self, metadata = self)]
#[operation(poll = "videos/{name}", delete = "DELETE videos/{name}")]
#[operation(list = "videos?limit={page_size}&after={page_token}", items = "data", next_page = "last_id")]
#[non_exhaustive]
pub struct Video {
    /// `video_…`.
    #[operation(name)]
    pub id: String,
    /// The status word.
    #[operation(
        state,
        pending = "queued",
        running = "in_progress",
        succeeded = "completed",
        failed = "failed",
        absent(cancelled)
    )]
    pub status: String,
    /// The approximate progress, in per cent.
    #[operation(progress)]
    pub progress: Option<u32>,
    /// The error, if it failed.
    #[operation(error)]
    pub error: Option<Value>,
    /// The time at which the content is deleted, in seconds since 1970.
    pub expires_at: Option<u64>,
}
