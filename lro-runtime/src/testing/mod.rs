//! Test kit for code that waits: a clock that jumps, a transport that follows a script, and a
//! server on loopback.
//!
//! It is for SDK authors and for the users of their SDKs. This is a test of code that waits for an
//! hour:
//!
//! ```
//! use std::time::Duration;
//!
//! use lro_runtime::{
//!     Operations, PollSettings, RawOperation, Result, block_on, long_running,
//!     testing::{Script, ScriptedTransport, VirtualClock},
//! };
//! use serde::Deserialize;
//! use serde_json::json;
//!
//! # #[derive(Deserialize)]
//! # pub struct ExportedImage { pub uri: String }
//! # #[derive(Deserialize)]
//! # pub struct ExportProgress { pub percent: u8 }
//! # pub struct ImageClient { operations: Operations }
//! # #[long_running]
//! # impl ImageClient {
//! #     #[long_running(response = ExportedImage, metadata = ExportProgress)]
//! #     pub async fn export_image(&self, image: &str) -> Result<RawOperation> {
//! #         self.operations.post("v1/images:export", &json!({ "image": image })).await
//! #     }
//! # }
//! // What is tested: it starts an export and waits for up to two hours.
//! async fn export(client: &ImageClient) -> Result<String> {
//!     let settings = PollSettings::default().with_timeout(Duration::from_secs(7200));
//!     let operation = client.export_image("cat").await?;
//!     Ok(operation.poll_until_completed(settings).await?.into_result()?.uri)
//! }
//!
//! // The test: the job takes an hour, one poll fails on the way, and nobody waits.
//! let clock = VirtualClock::new();
//! let transport = ScriptedTransport::new(
//!     Script::new()
//!         .pending()
//!         .running_for(Duration::from_secs(3600))
//!         .unavailable()
//!         .done(json!({ "uri": "gs://pictures/cat.png" })),
//! );
//! let client = ImageClient { operations: transport.operations(&clock)? };
//!
//! assert_eq!(block_on(export(&client))?, "gs://pictures/cat.png");
//! assert!(clock.elapsed() > Duration::from_secs(3600));
//! transport.assert_finished();
//! # Ok::<(), lro_runtime::Error>(())
//! ```
//!
//! | type | what it is |
//! |---|---|
//! | [`VirtualClock`] | a [`Timer`](crate::Timer) on which an hour passes at once, for async code and for the blocking calls |
//! | [`ScriptedTransport`] | a [`Transport`](crate::Transport) that gives the replies of its [`Script`] and fails the test on any other request |
//! | [`LroServer`] | a service on loopback whose operations behave as their [`Job`] says: real sockets, real time, real faults |
//! | [`operation`](fn@operation) | an operation in a given state, without a service |
//! | [`check_store`] | a test of a [`Store`](crate::fleet::Store) of your own (feature `fleet`) |
//!
#![doc = include_str!("your_sdk.md")]

mod clock;
mod operation;
mod script;
mod scripted;
mod server;
#[cfg(feature = "fleet")]
mod store;

#[cfg(feature = "fleet")]
#[cfg_attr(docsrs, doc(cfg(feature = "fleet")))]
pub use self::store::check_store;
pub use self::{
    clock::VirtualClock,
    operation::operation,
    script::Script,
    scripted::ScriptedTransport,
    server::{Fault, Job, LroServer, LroServerBuilder},
};
