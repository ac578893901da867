//! Jobs of [Vertex AI](https://cloud.google.com/vertex-ai/docs/reference/rest/v1/JobState) and batches of the
//! [Gemini API](https://ai.google.dev/api/batch-api): one list of words, with two prefixes.
//!
//! ```
//! use lro_runtime::{Operations, dialect::Declared, wire::google_jobs::Job};
//!
//! let vertex = Operations::builder("https://europe-west4-aiplatform.googleapis.com").dialect(Declared::of::<Job>()).build()?;
//! assert!(!vertex.resume("projects/p/locations/europe-west4/batchPredictionJobs/7")?.is_completed());
//! # Ok::<(), lro_runtime::Error>(())
//! ```

use serde::Deserialize;
use serde_json::Value;

use crate::WireOperation;

/// A job of Vertex AI: [batch prediction](https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.batchPredictionJobs),
/// custom, tuning. It is its own result.
///
/// `PARTIALLY_SUCCEEDED` is a success, `EXPIRED` a failure; a paused or updating job is running.
///
/// ```json
/// {"name": "projects/p/locations/l/batchPredictionJobs/7", "state": "JOB_STATE_RUNNING", "completionStats": {}}
/// ```
#[derive(Clone, Debug, Deserialize, WireOperation)]
#[operation(crate = crate, id = "google_jobs.job", response = self, metadata = self)]
#[operation(poll = "v1/{name}", cancel = "POST v1/{name}:cancel {}", delete = "DELETE v1/{name}")]
#[non_exhaustive]
pub struct Job {
    /// The full name.
    #[operation(name)]
    pub name: String,
    /// The word of its state.
    #[operation(state, pending = ["JOB_STATE_QUEUED", "JOB_STATE_PENDING"])]
    #[operation(running = ["JOB_STATE_RUNNING", "JOB_STATE_CANCELLING", "JOB_STATE_PAUSED", "JOB_STATE_UPDATING"])]
    #[operation(succeeded = ["JOB_STATE_SUCCEEDED", "JOB_STATE_PARTIALLY_SUCCEEDED"])]
    #[operation(failed = ["JOB_STATE_FAILED", "JOB_STATE_EXPIRED"], cancelled = "JOB_STATE_CANCELLED")]
    pub state: String,
    /// Why it failed.
    #[operation(error)]
    pub error: Option<Value>,
}

/// A [batch](https://ai.google.dev/api/batch-api#GenerateContentBatch) of the Gemini API, written as an operation whose metadata has the state.
///
/// ```json
/// {"name": "batches/7", "metadata": {"state": "BATCH_STATE_RUNNING", "batchStats": {}}, "done": false}
/// ```
#[derive(Clone, Debug, Deserialize, WireOperation)]
#[operation(crate = crate, id = "google_jobs.batch")]
#[operation(poll = "v1beta/{name}", cancel = "POST v1beta/{name}:cancel {}", delete = "DELETE v1beta/{name}")]
#[non_exhaustive]
pub struct Batch {
    /// The full name.
    #[operation(name)]
    pub name: String,
    /// How it stands.
    #[operation(metadata)]
    #[operation(state = "state", pending = ["BATCH_STATE_QUEUED", "BATCH_STATE_PENDING"])]
    #[operation(running = ["BATCH_STATE_RUNNING", "BATCH_STATE_CANCELLING", "BATCH_STATE_PAUSED", "BATCH_STATE_UPDATING"])]
    #[operation(succeeded = ["BATCH_STATE_SUCCEEDED", "BATCH_STATE_PARTIALLY_SUCCEEDED"])]
    #[operation(failed = ["BATCH_STATE_FAILED", "BATCH_STATE_EXPIRED"], cancelled = "BATCH_STATE_CANCELLED")]
    pub metadata: Option<Value>,
    /// The results, or where they are.
    #[operation(response)]
    pub response: Option<Value>,
    /// Why it failed.
    #[operation(error)]
    pub error: Option<Value>,
}
