//! Typed long-running operations: the "accepted, come back later" half of every cloud API.
//!
//! A call starts work that takes seconds or days; the service answers at once with an *operation*, and the work's result is had by looking at it again
//! until it has ended. This crate does the looking, the waiting and the remembering.
//!
//! # Three people
//!
//! **Who writes an SDK** puts one attribute on each method that starts such work, and says of which types its response and its metadata are:
//!
//! ```
//! use lro_runtime::{Operations, RawOperation, Result, long_running};
//! # #[derive(serde::Serialize)]
//! # pub struct ExportRequest;
//! # #[derive(serde::Deserialize)]
//! # pub struct ExportedImage { pub uri: String }
//! # #[derive(serde::Deserialize)]
//! # pub struct ExportProgress;
//!
//! pub struct ImageClient {
//!     operations: Operations,
//! }
//!
//! #[long_running]
//! impl ImageClient {
//!     /// Exports an image to a bucket.
//!     #[long_running(response = ExportedImage, metadata = ExportProgress)]
//!     pub async fn export_image(&self, request: &ExportRequest) -> Result<RawOperation> {
//!         self.operations.post("v1/images:export", request).await
//!     }
//! }
//!
//! // Who uses the SDK:
//! async fn export(client: &ImageClient) -> Result<String> {
//!     let operation = client.export_image(&ExportRequest).await?;
//!     println!("started {}", operation.name());
//!     Ok(operation.await?.uri)
//! }
//! ```
//!
//! **Who uses it** gets an [`Operation`]: an immutable snapshot that can be printed, matched on, stored and sent around, looked at again
//! ([`poll_once`](Operation::poll_once)), waited for ([`poll_until_completed`](Operation::poll_until_completed), or `.await` for the response), watched
//! ([`snapshots`](Operation::snapshots), [`on_progress`](Operation::on_progress)), cancelled and resumed, on any executor, or on none
//! ([`blocking`](Operation::blocking), [`block_on`]). Nothing that is dropped or fails on the way loses the operation.
//!
//! **Who operates it** decides how services are asked: [`PollSettings`] by client, by method or by call, [`Credentials`], an own [`Transport`] or [`Timer`];
//! and keeps a [`Token`] of what must outlive the process.
//!
//! # Concepts
//!
//! | word | meaning | here |
//! |---|---|---|
//! | operation | the remote work; in code one snapshot of it and the means to look again | [`Operation`], untyped [`RawOperation`], [`LongRunning`] for any |
//! | state | pending, running, succeeded, failed, cancelled; the last three are final | [`State`], and the enum generated for each method |
//! | metadata | what the service says about progress | [`Operation::metadata`], [`Operation::progress`] |
//! | response | the result of success | [`Operation::result`], [`Operation::into_result`] |
//! | status | why it failed: code, message, typed details | [`Status`], [`Code`], [`Detail`](details::Detail) |
//! | client | where operations are started, listed and looked at by name | [`Operations`] |
//! | dialect | how a family of APIs writes an operation | [`Dialect`], [`dialect::Google`] unless said otherwise |
//! | transport | sends one request, gives one reply | [`Transport`] and its adapters in [`transport`] |
//! | timer | tells the time and sleeps | [`Timer`] and its adapters in [`timer`] |
//! | token | a snapshot written down, as one word: bound to its method, without secrets | [`Token`], [`Resume`] |
//!
//! # Waiting
//!
//! Waits grow from [`delay`](PollSettings::with_delay) by a factor up to a maximum; a hint of the server replaces one of them. A wait ends when the
//! operation does, at its [expiration](PollSettings::with_timeout) to the moment, or when looking fails for good. What a call does not set is taken from the
//! method, else from the client, else from the library, whose choice [`PollSettings`] explains.
//!
//! A look that fails is not an operation that failed. It changes no state; it spends an [error budget](ErrorBudget), or ends the wait at once where no
//! other look would fare better ([`FailurePolicy`]). The [`Error`] says which of the two it was by its [kind](ErrorKind), and leads back:
//! [`Error::snapshot`] and [`Error::token`].
//!
//! # Trust
//!
//! A URL given by a server is followed on the origin of the client, or on one that was [allowed](OperationsBuilder::allow_origin), and nowhere else.
//! Bodies are read to a [limit](OperationsBuilder::max_body). Neither errors nor `Debug` nor tokens show header values, secrets in a query, or more than
//! the beginning of a body.
//!
//! # Features
//!
//! `macros`, `hyper` (the default transport) and `smol` (the default timer) are on. `surf`, `reqwest` and `ureq` add transports, `grpc` speaks
//! `google.longrunning` over gRPC, `wire` has declared types of six services, `tokio` adds a timer, and `testing` a clock that jumps, a transport that
//! follows a script, and a server on loopback: a test of code that waits for an hour takes milliseconds.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::unchecked_time_subtraction,
        clippy::cast_possible_truncation,
        clippy::unnecessary_wraps,
        reason = "tests may fail"
    )
)]

#[doc(hidden)]
#[path = "macro_support.rs"]
pub mod __private;
mod client;
pub mod dialect;
mod driver;
mod duration;
mod engine;
mod error;
#[cfg(feature = "grpc")]
#[cfg_attr(docsrs, doc(cfg(feature = "grpc")))]
pub mod grpc;
mod hint;
mod message;
#[doc = include_str!("migration.md")]
pub mod migration {}
mod operation;
mod protobuf;
mod settings;
mod status;
#[cfg(feature = "testing")]
#[cfg_attr(docsrs, doc(cfg(feature = "testing")))]
pub mod testing;
mod text;
pub mod timer;
pub mod transport;
mod url;
pub mod wire;

#[cfg(feature = "macros")]
pub use lro_macros::{WireOperation, long_running};

pub use self::{
    client::{
        BlockingList, BlockingOperations, Credentials, CredentialsError, ListOperations, Operations, OperationsBuilder,
        bearer,
    },
    dialect::{Dialect, Payload},
    driver::{Blocking, Notify, Observed, Shared, Snapshots, Waiting},
    error::{Error, ErrorKind, Result},
    operation::{
        CancelOnDrop, Cancellable, Deletable, Handle, LongRunning, Method, Operation, OperationState, RawOperation,
        Resume, StateParts, Token,
    },
    settings::{Deadline, ErrorBudget, Expiration, FailurePolicy, HintPolicy, Jitter, PollSettings, UnknownStatus},
    status::{Cause, Code, Failure, State, Status, Verdict, details},
    timer::{Timer, park::block_on},
    transport::Transport,
    wire::WireOperation,
};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
