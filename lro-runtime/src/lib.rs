//! Typed long-running operations: the "accepted, come back later" half of every cloud API.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        reason = "tests may fail"
    )
)]

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
mod adopt;
mod blocking;
mod client;
mod cookies;
mod credentials;
mod detail;
pub mod dialect;
mod driver;
mod engine;
mod error;
mod failure;
#[cfg(feature = "grpc")]
#[cfg_attr(docsrs, doc(cfg(feature = "grpc")))]
pub mod grpc;
mod handle;
mod hint;
mod human;
mod list;
mod method;
mod observation;
mod operation;
mod payload;
mod proto;
mod scope;
mod settings;
mod snapshot;
mod start;
mod state;
mod status;
#[cfg(feature = "testing")]
pub mod testing;
mod text;
pub mod timer;
mod token;
pub mod transport;
mod typed;
mod url;

pub use self::{
    blocking::BlockingOperations,
    client::{Operations, OperationsBuilder},
    credentials::{Credentials, CredentialsError, bearer},
    detail::{
        BadRequest, DebugInfo, Detail, ErrorInfo, FieldViolation, Help, HelpLink, LocalizedMessage,
        PreconditionFailure, PreconditionViolation, QuotaFailure, QuotaViolation, RequestInfo, ResourceInfo, RetryInfo,
    },
    dialect::Dialect,
    driver::{Blocking, Notify, Observed, Snapshots},
    error::{Error, ErrorKind, Result},
    failure::{Cause, Failure, FailurePolicy, Verdict},
    handle::Handle,
    hint::Hint,
    list::{BlockingList, ListOperations},
    method::Method,
    observation::{Call, Cursor, Observation, Part},
    operation::RawOperation,
    payload::{Encoding, Payload},
    settings::{Deadline, ErrorBudget, Expiration, HintPolicy, Jitter, PollSettings, UnknownStatus},
    state::State,
    status::{Code, Status},
    timer::{Timer, park::block_on},
    token::{Resume, Token},
    transport::{Transport, TransportError, TransportErrorKind},
    typed::{Cancellable, Deletable, LongRunning, Operation, OperationState, StateParts},
};
#[cfg(feature = "macros")]
pub use lro_macros::long_running;
