//! [Meilisearch](https://www.meilisearch.com/docs/reference/api/tasks): tasks. The base URL is the server's own.
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

/// A [task](https://www.meilisearch.com/docs/reference/api/tasks#task-object): its name is a number, called `taskUid` by start calls and `uid` ever after.
///
/// Cancelling and deleting are tasks of their own: the reply says that they were accepted.
///
/// ```json
/// {"uid": 17, "indexUid": "movies", "status": "processing", "type": "documentAdditionOrUpdate", "details": {"receivedDocuments": 7}, "error": null}
/// ```
#[derive(Clone, Debug, Deserialize, WireOperation)]
#[serde(rename_all = "camelCase")]
#[operation(crate = crate, id = "meilisearch.task", response = self)]
#[operation(poll = "tasks/{name}", cancel = "POST tasks/cancel?uids={name}", delete = "DELETE tasks?uids={name}")]
#[operation(list = "tasks?limit={page_size}&from={page_token}", items = "results", next_page = "next")]
#[non_exhaustive]
pub struct Task {
    /// The number.
    #[serde(alias = "taskUid")]
    #[operation(name)]
    pub uid: u64,
    /// The index it works on.
    pub index_uid: Option<String>,
    /// The word of its state.
    #[operation(
        state,
        pending = "enqueued",
        running = "processing",
        succeeded = "succeeded",
        failed = "failed",
        cancelled = "canceled"
    )]
    pub status: String,
    /// What it does, such as `documentAdditionOrUpdate`.
    #[serde(rename = "type")]
    pub kind: String,
    /// How far it is; the members depend on what it does.
    #[operation(metadata)]
    pub details: Option<Value>,
    /// Why it failed.
    #[operation(error)]
    pub error: Option<Value>,
    /// How long it took, in ISO 8601.
    pub duration: Option<String>,
}
