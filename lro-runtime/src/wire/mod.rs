//! Declared wire types: attributes on a serde type that say how a service writes its operations.
//!
//! Many services answer with a job object that has a status member. Words, members and paths differ
//! between services, and between the objects of one service; everything else is the same. So a type
//! *declares* them, the dialect [`Declared`](crate::dialect::Declared) interprets the declaration,
//! and waiting, retrying, resuming and trust work as for every other dialect:
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
//! `wire = Prediction` applies to one method. A client whose operations are all of one type sets it
//! once, with `Operations::builder(…).dialect(Declared::of::<Prediction>())`.
//!
//! # What a poll costs
//!
//! The declaration is a constant, a [`WireShape`]: paths, words, templates. A poll searches the
//! body for the members that have a role. It does not decode the body as the type. The response and
//! the metadata are decoded to the method's types when they are asked for.
//!
//! # What a word means
//!
//! Words are compared exactly. A word that is not declared means running, and is readable as
//! [`raw_status`](crate::Operation::raw_status); a [setting](crate::UnknownStatus) makes it an
//! error. A message without a word is a protocol error, unless `missing = …` says what it means. On
//! the wire, the state's member may be a string, a number or a bool. In Rust, the field may be of
//! any type, such as an enum: the words are those of the wire.
//!
//! An error counts only if the word is terminal. With `failed` and `cancelled` it is the status,
//! with `done` it decides between success and failure, and with any other word it is ignored.
//! Without an error, or with one that says nothing, the word is the
//! [reason](crate::Status::reason). An error may be a string, an object or an array of either. Its
//! [details](crate::Status::details) are the elements of a list in it, or the whole object if it
//! has none.
//!
//! # Keys
//!
//! A key stands on a field, or on the type with the path of the member (`state = "status.state"`,
//! with the keys of the wire). On a field, a path leads to a member inside it. The names of fields
//! are serde's: `rename`, `rename_all`, `alias` and `flatten` are respected.
//!
//! | key | the member is | beside it |
//! |---|---|---|
//! | `name` | the operation's name, a string or a number | `after = "/v1/"`: the name begins after this text. On the type, `name = "threads/{thread_id}/runs/{id}"` makes it of several members |
//! | `state` | the status word | `pending`, `running`, `succeeded`, `failed`, `cancelled` = a word or `[…]`; `done` = words that mean success or, if there is an error, failure; `absent(…)` = states that never occur; `missing = state` |
//! | `response` | the response; on the type also `self`, the whole message, and `()`, no response | |
//! | `metadata` | the metadata; on the type also `self` | |
//! | `error` | the error; up to three members, of which the first that holds an error counts | `cancelled = …` = the reasons or codes that mean that the operation was cancelled |
//! | `progress` | how much is done: an integer field is per cent, a float field a fraction | `of = 100`, or `of = "total"`, a member beside it |
//! | `next` | the URL of the next poll, followed on [trusted](crate::OperationsBuilder::allow_origin) origins only | |
//! | `hint` | the delay until the next poll, unless a header has one | `unit = "ms"` instead of seconds |
//!
//! On the type only:
//!
//! | key | |
//! |---|---|
//! | `poll` | the path of a poll, below the base URL: `v1/jobs/{name}`. Mandatory without `next` |
//! | `cancel`, `delete` | the call, such as `POST v1/jobs/{name}/cancel`; after another space, its JSON body |
//! | `list`, `items`, `next_page` | the path of a page, with the placeholders `{page_size}`, `{page_token}`, `{filter}` and `{parent}`; in the page, the path of the operations, and the path of the next page's token or URL |
//! | `most` | how many operations a page of the list has at most, from 1 to 10,000. It says that an entry is what a poll reads, so that a [fleet](crate::dialect::Coverage) may list many operations instead of polling each |
//! | `unfinished` | beside `most`: the filter with which the list has only operations that have not finished, for the place of `{filter}` |
//! | `named` | beside `most`: the parameter of the list that takes names, separated by commas, such as `uids`. Operations are then asked for by name, as many as `most` in one call |
//! | `id` | the word that identifies the type in tokens. Default: its name |
//! | `crate` | the path of `lro_runtime`, if it is not a direct dependency |
//!
//! The compiler checks that every state has words or is declared absent, that no word appears
//! twice, that a type which can succeed declares its response, and that the fields with a role can
//! be deserialised. What the attributes cannot express is declared by hand: see
//! [`WireOperation`](trait@WireOperation).
//!
//! # Types that come with the crate
//!
//! The feature `wire` adds them. Each is a declaration of a few lines, and an example for others.

pub use crate::dialect::declared::{HintUnit, Total, WireList, WireOperation, WirePath, WireShape, WireState};

// The types of services are behind a feature, because an SDK declares its own: they cost about a
// twentieth of the crate's compile time.
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
