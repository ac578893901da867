//! Typed long-running operations: the "202 Accepted, come back later" half of every cloud API.
//!
//! Some calls start work that takes seconds or days. The service replies at once with an
//! *operation*, and the caller polls the operation until the work has ended and its result is
//! available. This crate polls, chooses the delay between polls, retries failed polls, and writes
//! down what is needed to resume an operation later, in another process if need be.
//!
//! ```toml
//! [dependencies]
//! lro-runtime = "0.1"
//! serde = { version = "1", features = ["derive"] }
//! ```
//!
//! It needs Rust 1.88 or later. The [features](#features) are below. The book begins with
//! [the first ten minutes][first], from `cargo new` to an SDK, a program and a test; [its other
//! pages][book] are recipes, and what to call here for each call of another library.
//!
//! [first]: https://github.com/lro-rs/lro/blob/main/docs/book/first-steps.md
//! [book]: https://github.com/lro-rs/lro/blob/main/docs/book/SUMMARY.md
//!
//! # Who uses it
//!
//! **Authors of an SDK** put one attribute on each method that starts such work, and declare the
//! types of its response and its metadata:
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
//! **Users of that SDK** get an [`Operation`]: an immutable snapshot that can be printed, matched
//! on, stored and sent to other threads. From it they
//!
//! - poll once ([`poll_once`](Operation::poll_once)),
//! - poll until the operation has ended ([`poll_until_completed`](Operation::poll_until_completed),
//!   or `.await` for the response),
//! - observe it on the way ([`snapshots`](Operation::snapshots),
//!   [`on_progress`](Operation::on_progress), [`on_failed_poll`](Operation::on_failed_poll)),
//! - cancel it, or resume it from its name or a token.
//!
//! All of this works on any executor, or on none ([`blocking`](Operation::blocking), [`block_on`]).
//! Neither a dropped future nor a failed poll loses the operation.
//!
//! **Operators of such programs** decide how services are polled: [`PollSettings`] per client, per
//! method or per call, [`Credentials`], and a [`Transport`] or [`Timer`] of their own. They store a
//! [`Token`] of every operation that must outlive the process.
//!
//! # Concepts
//!
//! | word | meaning | here |
//! |---|---|---|
//! | operation | the remote work; in code, one snapshot of it and the means to poll it again | [`Operation`], untyped [`RawOperation`], [`LongRunning`] for any |
//! | state | pending, running, succeeded, failed or cancelled; the last three are *terminal* | [`State`], and the enum generated for each method |
//! | metadata | what the service reports about progress | [`Operation::metadata`], [`Operation::progress`] |
//! | response | the typed result of a success | [`Operation::result`], [`Operation::into_result`] |
//! | status | why the operation failed: code, message, typed details | [`Status`], [`Code`], [`Detail`](details::Detail) |
//! | client | starts the operations of one service, lists them and gets them by name | [`Operations`] |
//! | dialect | how one family of APIs writes an operation on the wire | [`Dialect`]; by default [`dialect::Google`] |
//! | transport | sends one request and returns one reply | [`Transport`] and its adapters in [`transport`] |
//! | timer | tells the time and sleeps | [`Timer`] and its adapters in [`timer`] |
//! | token | a snapshot written down as one word: bound to its method, free of secrets | [`Token`], [`Resume`] |
//!
//! # States
//!
#![doc = include_str!("states.svg")]
//!
//! An operation never goes back to an earlier state, and the last three states are terminal: no
//! later reply changes them.
//!
//! # Waiting
//!
//! A *wait* polls until the operation is terminal. The delay between polls starts at
//! [`delay`](PollSettings::with_delay) and grows by a factor up to a maximum; a hint from the
//! server, such as `Retry-After`, replaces one delay. A wait ends when the operation does, exactly
//! at its [expiration](PollSettings::with_timeout), or when polling fails for good. A setting that
//! the call does not give comes from the method, else from the client, else from the library;
//! [`PollSettings`] lists the library's values and the reasons for them.
//!
//! A failed poll is not a failed operation. It changes no state. It spends an [error
//! budget](ErrorBudget), or ends the wait at once if another poll could not succeed either
//! ([`FailurePolicy`]). A throttle or an outage of the origin ([`FailureScope`]) does neither by
//! default: the wait goes on until it expires. The [kind](ErrorKind) of an [`Error`] tells a failed
//! poll from a failed operation, and the error leads back to the operation: [`Error::snapshot`] and
//! [`Error::token`].
//!
//! # Trust
//!
//! An argument of a start call stays in its place: [`Operations::call`] encodes it for the path,
//! the query or the header where it stands, and refuses one that would leave it.
//!
//! A URL given by a server is followed only on the origin of the client, on an origin that was
//! [allowed](OperationsBuilder::allow_origin), which gets nothing of the client's own, or on one
//! that was [allowed with credentials](OperationsBuilder::allow_origin_with_credentials). An
//! operation that leads elsewhere has started all the same: it has its name and its token, and its
//! polls fail. Bodies are read up to a [limit](OperationsBuilder::max_body).
//!
//! Errors and `Debug` output show no header values, of a query the names and only values that are
//! known to be harmless, and of a body the beginning, without members that are known secrets.
//! [Tokens](Token) have no secrets either, and [say what they left out](Token::left_out). A key
//! that the service wants in the query belongs on the client: [`OperationsBuilder::query`]. A token
//! is an address and [proves nothing](Token#what-a-token-proves).
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `macros` | yes | `#[long_running]` and `#[derive(WireOperation)]` |
//! | `hyper` | yes | the default transport: hyper 1 and rustls, on any executor |
//! | `smol` | yes | the default timer: async-io 2, on any executor |
//! | `tokio` | | `timer::TokioTimer`: tokio 1 |
//! | `surf` | | `transport::SurfTransport`: the client and middleware of surf 2, on the wire of `hyper` |
//! | `reqwest` | | `transport::ReqwestTransport`: the client of reqwest 0.13 |
//! | `ureq` | | `transport::UreqTransport`: the agent of ureq 3, for blocking programs |
//! | `grpc` | | `grpc`: `google.longrunning` over gRPC, on any channel of tonic 0.14, with messages of prost 0.14 |
//! | `wire` | | `wire`: declared types of OpenAI, Replicate, Meilisearch, GKE, Cloud SQL and BigQuery |
//! | `indicatif` | | `progress`: progress bars of indicatif 0.18 for operations that are waited for |
//! | `fleet` | | `fleet`: many operations by one driver, within budgets; with a store they survive the process |
//! | `tracing` | | spans and events of starts, waits and polls, for tracing 0.1 |
//! | `metrics` | | counts and durations of them, for any recorder of metrics 0.24 |
//! | `testing` | | `testing`: a clock that jumps, a transport that follows a script, a server on loopback |
//!
//! A type of another version of a crate is another type. Where an adapter takes one, its module
//! re-exports the crate: `transport::reqwest`, `transport::surf`, `transport::ureq`, `grpc::tonic`,
//! `grpc::prost`, `progress::indicatif`.

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
        clippy::cast_precision_loss,
        clippy::needless_pass_by_value,
        clippy::unnecessary_wraps,
        reason = "tests may fail"
    )
)]

// Generated code calls this module as `lro_runtime::__private`; the file is named after what it
// holds.
#[doc(hidden)]
#[path = "macro_support.rs"]
pub mod __private;
mod client;
pub mod dialect;
mod driver;
mod duration;
mod engine;
mod error;
#[cfg(feature = "fleet")]
#[cfg_attr(docsrs, doc(cfg(feature = "fleet")))]
pub mod fleet;
#[cfg(feature = "grpc")]
#[cfg_attr(docsrs, doc(cfg(feature = "grpc")))]
pub mod grpc;
mod hint;
mod message;
mod operation;
mod percent;
#[cfg(feature = "indicatif")]
#[cfg_attr(docsrs, doc(cfg(feature = "indicatif")))]
pub mod progress;
mod protobuf;
pub mod quoted;
mod secrets;
mod settings;
mod stamp;
mod status;
mod telemetry;
#[cfg(feature = "testing")]
#[cfg_attr(docsrs, doc(cfg(feature = "testing")))]
pub mod testing;
mod text;
pub mod timer;
pub mod transport;
mod url;
pub mod wire;

/// The crate [`http`], in the version that this crate's interface has: the methods of start
/// calls, their requests and headers.
pub use http;
#[cfg(feature = "macros")]
pub use lro_macros::{WireOperation, long_running};

#[cfg(feature = "fleet")]
#[cfg_attr(docsrs, doc(cfg(feature = "fleet")))]
pub use self::fleet::{Budget, Fleet, Ticket};
pub use self::{
    client::{
        BlockingList, BlockingOperations, Credentials, CredentialsError, ListOperations, Operations, OperationsBuilder,
        StartCall, StartIdIn, bearer, signed_by,
    },
    dialect::{Dialect, Payload},
    driver::{Blocking, CancelOutcome, FailedPoll, Notify, Observed, Shared, Snapshots, Waiting},
    error::{Error, ErrorKind, Result},
    operation::{
        CancelOnDrop, Cancellable, Deletable, Handle, LongRunning, Method, Operation, OperationState, RawOperation,
        Resume, StateParts, Token,
    },
    settings::{
        Deadline, ErrorBudget, Expiration, FailurePolicy, HintPolicy, Jitter, PollSettings, UnknownStatus, Verdict,
    },
    status::{Cause, Code, Failure, FailureScope, State, Status, details},
    timer::{Timer, park::block_on},
    transport::Transport,
    wire::WireOperation,
};

// Exists so that the examples in the README run as doctests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
