//! Declared types of [Meilisearch](https://www.meilisearch.com/docs/reference/api/tasks): tasks.
//! The base URL is the server's own.
//!
//! ```
//! use lro_runtime::{Operations, dialect::Declared, wire::meilisearch::Task};
//!
//! let meilisearch = Operations::builder("http://localhost:7700").dialect(Declared::of::<Task>()).build()?;
//! assert_eq!(meilisearch.resume("17")?.name(), "17");
//! # Ok::<(), lro_runtime::Error>(())
//! ```

use serde::Deserialize;
use serde_json::Value;

use crate::WireOperation;

/// A [task](https://www.meilisearch.com/docs/reference/api/tasks#task-object). The task itself is
/// the response.
///
/// The name is a number, which replies of start calls have as `taskUid` and all others as `uid`.
///
/// Cancelling and deleting start tasks of their own. The reply says only that such a task was
/// accepted.
///
/// Many tasks are asked for by their numbers, 500 in one call: `GET tasks?uids=1,2,3`.
///
/// ```json
/// {"uid": 17, "indexUid": "movies", "status": "processing", "type": "documentAdditionOrUpdate", "details": {"receivedDocuments": 7}, "error": null}
/// ```
#[derive(Clone, Debug, Deserialize, WireOperation)]
#[serde(rename_all = "camelCase")]
#[operation(crate = crate, id = "meilisearch.task", response = self)]
#[operation(poll = "tasks/{name}", cancel = "POST tasks/cancel?uids={name}", delete = "DELETE tasks?uids={name}")]
#[operation(list = "tasks?limit={page_size}&from={page_token}", items = "results", next_page = "next")]
// The documentation sets no limit for `limit`. A path with so many numbers is within the 8 kB that
// most proxies take.
#[operation(most = 500, named = "uids")]
#[non_exhaustive]
pub struct Task {
    /// The number of the task.
    #[serde(alias = "taskUid")]
    #[operation(name)]
    pub uid: u64,
    /// The index that the task works on.
    pub index_uid: Option<String>,
    /// The status word.
    // Words are compared exactly: the service writes `canceled`.
    #[operation(
        state,
        pending = "enqueued",
        running = "processing",
        succeeded = "succeeded",
        failed = "failed",
        cancelled = "canceled"
    )]
    pub status: String,
    /// The kind of task, such as `documentAdditionOrUpdate`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The work so far, such as `indexedDocuments`. The members depend on the kind of task.
    #[operation(metadata)]
    pub details: Option<Value>,
    /// The error, if it failed.
    #[operation(error)]
    pub error: Option<Value>,
    /// The duration of the work, in ISO 8601.
    pub duration: Option<String>,
}
