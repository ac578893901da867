//! Declared types of [Cloud
//! SQL](https://cloud.google.com/sql/docs/mysql/admin-api/rest/v1/operations): operations. The base
//! URL is `https://sqladmin.googleapis.com`.
//!
//! ```
//! use lro_runtime::{Operations, dialect::Declared, wire::cloud_sql::Operation};
//!
//! let sql = Operations::builder("https://sqladmin.googleapis.com").dialect(Declared::of::<Operation>()).build()?;
//! assert!(!sql.resume("projects/p/operations/0b1c")?.is_completed());
//! # Ok::<(), lro_runtime::Error>(())
//! ```

use serde::Deserialize;
use serde_json::Value;

use crate::WireOperation;

/// An [operation](https://cloud.google.com/sql/docs/mysql/admin-api/rest/v1/operations#Operation)
/// on an instance. The operation itself is the response and the metadata.
///
/// The name is `projects/{project}/operations/{id}`, made of two members: `name` alone is a bare
/// id.
///
/// The error is a list, `error.errors[]`. The first element gives the reason and the message; all
/// elements are details.
///
/// Many operations of one project are swept: the list is asked for `status != DONE`. The service
/// does not say how many it gives on a page; 500 are asked for. An operation that was resumed by
/// the number of its project is not found in the list, which has its id.
///
/// ```json
/// {"kind": "sql#operation", "name": "0b1c", "targetProject": "p", "status": "DONE", "operationType": "CREATE",
///  "error": {"kind": "sql#operationErrors", "errors": [{"code": "ERROR_RDBMS", "message": "…"}]}}
/// ```
#[derive(Clone, Debug, Deserialize, WireOperation)]
#[serde(rename_all = "camelCase")]
// The name needs the project: polls, cancel calls and list calls are all below
// `projects/{project}`.
#[operation(crate = crate, id = "cloud_sql.operation", name = "projects/{targetProject}/operations/{name}")]
#[operation(response = self, metadata = self, poll = "v1/{name}", cancel = "POST v1/{name}/cancel {}")]
#[operation(
    list = "v1/{parent}/operations?maxResults={page_size}&pageToken={page_token}&filter={filter}",
    items = "items",
    next_page = "nextPageToken",
    most = 500,
    unfinished = "status != DONE"
)]
#[non_exhaustive]
pub struct Operation {
    /// The id.
    pub name: String,
    /// The project.
    pub target_project: String,
    /// The instance.
    pub target_id: Option<String>,
    /// The URL of the instance.
    pub target_link: Option<String>,
    /// The kind of operation, such as `CREATE`.
    pub operation_type: Option<String>,
    /// The status word. None of them means cancelled.
    #[operation(state, pending = "PENDING", running = "RUNNING", done = "DONE", absent(cancelled))]
    pub status: String,
    /// The errors, if it failed.
    #[operation(error)]
    pub error: Option<Value>,
}
