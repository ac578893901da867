//! [BigQuery](https://cloud.google.com/bigquery/docs/reference/rest/v2/Job): jobs. The base URL is `https://bigquery.googleapis.com`.
//!
//! ```
//! use lro_runtime::{Operations, dialect::Declared, wire::bigquery::Job};
//!
//! let bigquery = Operations::builder("https://bigquery.googleapis.com").dialect(Declared::of::<Job>()).build()?;
//! assert!(!bigquery.resume("projects/p/locations/EU/jobs/job_1")?.is_completed());
//! # Ok::<(), lro_runtime::Error>(())
//! ```

use serde::Deserialize;
use serde_json::Value;

use crate::WireOperation;

/// A [job](https://cloud.google.com/bigquery/docs/reference/rest/v2/Job): it is its own result, its statistics are the metadata. Its name is
/// `projects/{project}/locations/{location}/jobs/{id}`, because a job is found in its location only.
///
/// `status.errorResult` is why it failed; `status.errors[]` are things that went wrong on the way and do not count. A job that was cancelled is one
/// that failed with the reason `stopped`.
///
/// ```json
/// {"jobReference": {"projectId": "p", "jobId": "job_1", "location": "EU"}, "status": {"state": "RUNNING"}, "statistics": {}}
/// ```
#[derive(Clone, Debug, Deserialize, WireOperation)]
#[serde(rename_all = "camelCase")]
#[operation(crate = crate, id = "bigquery.job", response = self)]
#[operation(name = "projects/{jobReference.projectId}/locations/{jobReference.location}/jobs/{jobReference.jobId}")]
#[operation(
    poll = "bigquery/v2/projects/{jobReference.projectId}/jobs/{jobReference.jobId}?location={jobReference.location}"
)]
#[operation(
    cancel = "POST bigquery/v2/projects/{jobReference.projectId}/jobs/{jobReference.jobId}/cancel?location={jobReference.location} {}"
)]
#[operation(
    delete = "DELETE bigquery/v2/projects/{jobReference.projectId}/jobs/{jobReference.jobId}/delete?location={jobReference.location}"
)]
#[operation(
    list = "bigquery/v2/{parent}/jobs?maxResults={page_size}&pageToken={page_token}",
    items = "jobs",
    next_page = "nextPageToken"
)]
#[non_exhaustive]
pub struct Job {
    /// What identifies it.
    pub job_reference: JobReference,
    /// How it stands.
    #[operation(state = "state", pending = "PENDING", running = "RUNNING", done = "DONE")]
    #[operation(error = "errorResult", cancelled = "stopped")]
    pub status: Value,
    /// What it took.
    #[operation(metadata)]
    pub statistics: Option<Value>,
    /// What it was asked to do.
    pub configuration: Option<Value>,
}

/// What identifies a [`Job`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct JobReference {
    /// The project.
    pub project_id: String,
    /// The id in it.
    pub job_id: String,
    /// Where it runs, such as `EU`.
    pub location: String,
}
