//! Declared types of [Google Kubernetes
//! Engine](https://cloud.google.com/kubernetes-engine/docs/reference/rest/v1/projects.locations.operations):
//! operations, which look like those of `google.longrunning` and are not. The base URL is
//! `https://container.googleapis.com`.
//!
//! ```
//! use lro_runtime::{Operations, dialect::Declared, wire::gke::Operation};
//!
//! let gke = Operations::builder("https://container.googleapis.com").dialect(Declared::of::<Operation>()).build()?;
//! let creation = gke.resume("projects/p/locations/europe-west6/operations/operation-1")?;
//! assert!(!creation.is_completed());
//! # Ok::<(), lro_runtime::Error>(())
//! ```

use serde::Deserialize;
use serde_json::Value;

use crate::WireOperation;

/// An
/// [operation](https://cloud.google.com/kubernetes-engine/docs/reference/rest/v1/projects.locations.operations#Operation)
/// on a cluster or a node pool. The operation itself is the response and the metadata.
///
/// The member `name` is a bare id that cannot be polled, so the name here is what follows `/v1/` in
/// `selfLink`. `ABORTING` means running: only `DONE` is terminal. An aborted operation ends with
/// the error code `CANCELLED`.
///
/// Many operations of one location are swept: the list has them all, in every state, on one page.
/// Links have the number of the project, and `zones` where the cluster is in one zone. An operation
/// that was resumed by a name of another form is not found in the list.
///
/// ```json
/// {"name": "operation-1", "status": "RUNNING", "operationType": "CREATE_CLUSTER",
///  "selfLink": "https://container.googleapis.com/v1/projects/7/zones/europe-west6-a/operations/operation-1"}
/// ```
#[derive(Clone, Debug, Deserialize, WireOperation)]
#[serde(rename_all = "camelCase")]
#[operation(crate = crate, id = "gke.operation", response = self, metadata = self)]
#[operation(poll = "v1/{name}", cancel = "POST v1/{name}:cancel {}")]
// The service has no pages and no filter.
#[operation(list = "v1/{parent}/operations", items = "operations", most = 10_000)]
#[non_exhaustive]
pub struct Operation {
    /// The URL of the operation, from which the name is taken. It is not followed: polls go below
    /// the base URL.
    #[operation(name, after = "/v1/")]
    pub self_link: String,
    /// The URL of the resource that the operation works on.
    pub target_link: Option<String>,
    /// The kind of operation, such as `CREATE_CLUSTER`.
    pub operation_type: Option<String>,
    /// The status word.
    #[operation(state, pending = "PENDING", running = ["RUNNING", "ABORTING"], done = "DONE")]
    pub status: String,
    /// The current step, in words.
    pub detail: Option<String>,
    /// The stages of the operation.
    pub progress: Option<Value>,
    /// The error: a
    /// [`google.rpc.Status`](https://github.com/googleapis/googleapis/blob/master/google/rpc/status.proto).
    // The canonical name of the error's `code`, which is 1.
    #[operation(error, cancelled = "CANCELLED")]
    pub error: Option<Value>,
    /// The error in words, as older servers write it. It counts only if `error` is absent or empty.
    #[operation(error)]
    pub status_message: Option<String>,
}
