//! Declared types of [BigQuery](https://cloud.google.com/bigquery/docs/reference/rest/v2/Job):
//! jobs. The base URL is `https://bigquery.googleapis.com`.
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

/// A [job](https://cloud.google.com/bigquery/docs/reference/rest/v2/Job). The job itself is the
/// response, and its statistics are the metadata.
///
/// The name is `projects/{project}/locations/{location}/jobs/{id}`, because a job can be found only
/// in its location.
///
/// A job failed if it is `DONE` and has `status.errorResult`. The elements of `status.errors[]` are
/// problems on the way, which a successful job may have too: they do not count. A job whose error
/// has the reason `stopped` was cancelled.
///
/// Each job is polled alone: a list leaves out the configuration of its jobs, which is part of the
/// response.
///
/// ```json
/// {"jobReference": {"projectId": "p", "jobId": "job_1", "location": "EU"}, "status": {"state": "RUNNING"}, "statistics": {}}
/// ```
#[derive(Clone, Debug, Deserialize, WireOperation)]
#[serde(rename_all = "camelCase")]
#[operation(crate = crate, id = "bigquery.job", response = self)]
#[operation(name = "projects/{jobReference.projectId}/locations/{jobReference.location}/jobs/{jobReference.jobId}")]
// The name has the location in its path, but the service takes it in the query of every call.
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
    /// The parts of the job's name.
    pub job_reference: JobReference,
    /// The state and the errors.
    #[operation(state = "state", pending = "PENDING", running = "RUNNING", done = "DONE")]
    // No word means failed or cancelled: `DONE` with an error is a failure, and the error's reason
    // tells a cancelled job apart.
    #[operation(error = "errorResult", cancelled = "stopped")]
    pub status: Value,
    /// What the job used, such as bytes and slots.
    #[operation(metadata)]
    pub statistics: Option<Value>,
    /// The request: a query, a load, an extract or a copy.
    pub configuration: Option<Value>,
}

/// The parts of a [`Job`]'s name.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct JobReference {
    /// The project.
    pub project_id: String,
    /// The id of the job in its project.
    pub job_id: String,
    /// The location in which the job runs, such as `EU`.
    pub location: String,
}
