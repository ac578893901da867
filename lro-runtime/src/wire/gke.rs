//! [Google Kubernetes Engine](https://cloud.google.com/kubernetes-engine/docs/reference/rest/v1/projects.locations.operations): not
//! `google.longrunning`, though it looks like it. The base URL is `https://container.googleapis.com`.
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

/// An [operation](https://cloud.google.com/kubernetes-engine/docs/reference/rest/v1/projects.locations.operations#Operation) on a cluster or a node pool.
///
/// The member `name` is a short one that cannot be looked at; the name here is what follows `/v1/` in `selfLink`. `ABORTING` is running: only `DONE` is over.
///
/// ```json
/// {"name": "operation-1", "status": "RUNNING", "operationType": "CREATE_CLUSTER",
///  "selfLink": "https://container.googleapis.com/v1/projects/7/zones/europe-west6-a/operations/operation-1"}
/// ```
#[derive(Clone, Debug, Deserialize, WireOperation)]
#[serde(rename_all = "camelCase")]
#[operation(crate = crate, id = "gke.operation", response = self, metadata = self)]
#[operation(poll = "v1/{name}", cancel = "POST v1/{name}:cancel {}")]
#[non_exhaustive]
pub struct Operation {
    /// Its URL.
    #[operation(name, after = "/v1/")]
    pub self_link: String,
    /// What it works on.
    pub target_link: Option<String>,
    /// What it does, such as `CREATE_CLUSTER`.
    pub operation_type: Option<String>,
    /// The word of its state.
    #[operation(state, pending = "PENDING", running = ["RUNNING", "ABORTING"], done = "DONE")]
    pub status: String,
    /// What it does now, in words.
    pub detail: Option<String>,
    /// Its stages.
    pub progress: Option<Value>,
    /// Why it failed: a [`google.rpc.Status`](https://github.com/googleapis/googleapis/blob/master/google/rpc/status.proto).
    #[operation(error, cancelled = "CANCELLED")]
    pub error: Option<Value>,
    /// The same in words, from older servers.
    #[operation(error)]
    pub status_message: Option<String>,
}
