//! Declared wire types: how a service writes its operations, said on the type that an SDK has anyway.
//!
//! Many services answer with a job object whose member says how it stands. Words, members and paths differ from service to service, and from object to
//! object of one service; the rest is the same. So a type *declares* them, [`Declared`](crate::dialect::Declared) interprets the declaration, and waiting,
//! retrying, resuming and trust are what they are for every other dialect:
//!
//! ```
//! use lro_runtime::{Operations, RawOperation, Result, WireOperation, long_running};
//! use serde::Deserialize;
//!
//! #[derive(Deserialize, WireOperation)]
//! #[operation(poll = "v1/predictions/{name}", cancel = "POST v1/predictions/{name}/cancel")]
//! struct Prediction {
//!     #[operation(name)]
//!     id: String,
//!     #[operation(state, pending = "starting", running = "processing", succeeded = "succeeded", failed = "failed", cancelled = "canceled")]
//!     status: String,
//!     #[operation(response)]
//!     output: Option<Vec<String>>,
//!     #[operation(error)]
//!     error: Option<String>,
//!     #[operation(metadata)]
//!     metrics: Option<Metrics>,
//! }
//!
//! #[derive(Deserialize)]
//! struct Metrics { predict_time: f64 }
//!
//! struct ModelClient { operations: Operations }
//!
//! #[long_running]
//! impl ModelClient {
//!     /// Runs a model.
//!     #[long_running(response = Vec<String>, metadata = Metrics, wire = Prediction, cancel)]
//!     async fn predict(&self, prompt: &str) -> Result<RawOperation> {
//!         self.operations.post("v1/predictions", prompt).await
//!     }
//! }
//! ```
//!
//! `wire = Prediction` is for one method; a client whose operations are all of one type says it once, with
//! `Operations::builder(…).dialect(Declared::of::<Prediction>())`.
//!
//! # What a poll costs
//!
//! The declaration is a constant, a [`WireShape`]: paths, words, templates. A poll goes once over the body for the members that have a role and decodes
//! nothing; the type itself is never read. The response and the metadata are decoded to the method's types when somebody looks.
//!
//! # What a word means
//!
//! Words are compared exactly. One that is not declared is running, and readable as [`raw_status`](crate::Operation::raw_status); a
//! [setting](crate::UnknownStatus) makes it an error. A message without a word breaks the rules, unless `missing = …` says what it means. The state's member
//! may be a string, a number or a bool, and of any type in Rust, an enum included: its words are the wire's.
//!
//! An error counts only where the word says that it is over: with `failed` and `cancelled` it is why, with `done` it decides between success and
//! failure, with any other it is ignored. Without one, the word is the [reason](crate::Status::reason). A string, an object and an array of either are read,
//! and kept whole in the [details](crate::Status::details).
//!
//! # Keys
//!
//! On a field, or on the type with the path of the member (`state = "status.state"`, keys as on the wire). On a field, a path is that of a member inside.
//! The names are serde's: `rename`, `rename_all`, `alias` and `flatten` count.
//!
//! | key | the member is | beside it |
//! |---|---|---|
//! | `name` | the operation's name, a string or a number | `after = "/v1/"`: it begins after this text. On the type, `name = "threads/{thread_id}/runs/{id}"` is made of several members |
//! | `state` | the status word | `pending`, `running`, `succeeded`, `failed`, `cancelled` = a word or `[…]`; `done` = words that mean that it is over, one way or the other; `absent(…)` = states that never occur; `missing = state` |
//! | `response` | the response; on the type also `self`, the whole message, and `()`, none | |
//! | `metadata` | the metadata; on the type also `self` | |
//! | `error` | the error; up to three members, the first that is there counts | `cancelled = …` = its reasons or codes that mean that it was cancelled |
//! | `progress` | how much is done: an integer is per cent, a float a fraction | `of = 100`, or `of = "total"`, a member beside it |
//! | `next` | the URL to look at next, followed on [trusted](crate::OperationsBuilder::allow_origin) origins only | |
//! | `hint` | how long to wait, unless a header says it | `unit = "ms"` instead of seconds |
//!
//! On the type only:
//!
//! | key | |
//! |---|---|
//! | `poll` | the path to look at, below the base URL: `v1/jobs/{name}`. Mandatory where there is no `next` |
//! | `cancel`, `delete` | the call, as `POST v1/jobs/{name}/cancel`; after another space, its body |
//! | `list`, `items`, `next_page` | the path of a page, with `{page_size}`, `{page_token}`, `{filter}` and `{parent}` where they go; in it the path of the operations, and that of the next page's token or URL |
//! | `id` | the word that tells the type apart in tokens, instead of its name |
//! | `crate` | path of `lro_runtime`, where it is not a direct dependency |
//!
//! Every state has words or is declared absent, no word is there twice, a type that can succeed says what its response is, and fields are types that can be
//! read: all that is checked when the type is compiled. What cannot be declared is written by hand: see [`WireOperation`](trait@WireOperation).
//!
//! # Types that come with the crate
//!
//! With the feature `wire`: each is a declaration of a few lines, and an example for others.

pub use crate::dialect::declared::{HintUnit, Total, WireList, WireOperation, WirePath, WireShape, WireState};

#[cfg(feature = "wire")]
#[cfg_attr(docsrs, doc(cfg(feature = "wire")))]
pub mod bigquery;
#[cfg(feature = "wire")]
#[cfg_attr(docsrs, doc(cfg(feature = "wire")))]
pub mod cloud_sql;
#[cfg(feature = "wire")]
#[cfg_attr(docsrs, doc(cfg(feature = "wire")))]
pub mod gke;
#[cfg(feature = "wire")]
#[cfg_attr(docsrs, doc(cfg(feature = "wire")))]
pub mod meilisearch;
#[cfg(feature = "wire")]
#[cfg_attr(docsrs, doc(cfg(feature = "wire")))]
pub mod openai;
#[cfg(feature = "wire")]
#[cfg_attr(docsrs, doc(cfg(feature = "wire")))]
pub mod replicate;

#[cfg(all(test, feature = "wire"))]
mod tests;
