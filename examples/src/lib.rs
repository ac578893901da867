//! The SDK that the smaller examples use, as its author writes it, and a service for it to talk to.
//!
//! `quickstart.rs` has both in one file; begin there.

use std::{fmt, io, time::Duration};

use lro_runtime::{
    Operations, RawOperation, Result, long_running,
    testing::{Job, LroServer},
};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Which image to export, and where to.
#[derive(Debug, Serialize)]
pub struct ExportRequest {
    /// The image.
    pub image: String,
    /// The bucket.
    pub bucket: String,
}

impl ExportRequest {
    /// An export of `image` to `bucket`.
    pub fn new(image: impl Into<String>, bucket: impl Into<String>) -> Self {
        Self { image: image.into(), bucket: bucket.into() }
    }
}

/// An image that was exported.
#[derive(Debug, Deserialize)]
pub struct ExportedImage {
    /// Where it is.
    pub uri: String,
}

/// How far an export is.
#[derive(Debug, Deserialize)]
pub struct ExportProgress {
    /// Per cent done.
    pub percent: f64,
}

/// A client of the image service.
pub struct ImageClient {
    operations: Operations,
}

#[long_running]
impl ImageClient {
    /// A client that starts its operations here.
    #[must_use]
    pub fn new(operations: Operations) -> Self {
        Self { operations }
    }

    /// Exports an image to a bucket.
    #[long_running(response = ExportedImage, metadata = ExportProgress, progress = |m| Some(m.percent / 100.0), cancel)]
    pub async fn export_image(&self, request: &ExportRequest) -> Result<RawOperation> {
        self.operations.post("v1/images:export", request).await
    }
}

impl fmt::Debug for ImageClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImageClient").finish_non_exhaustive()
    }
}

/// The image service, in this process: an export takes one second.
///
/// # Errors
///
/// When there is no free port.
pub fn service() -> io::Result<LroServer> {
    let export = |request: &serde_json::Value| {
        let text = |member: &str| request[member].as_str().unwrap_or("?").to_owned();
        let uri = format!("gs://{}/{}.png", text("bucket"), text("image"));
        Job::lasting(Duration::from_secs(1)).queued(1).responds(json!({ "uri": uri }))
    };
    LroServer::builder().on("v1/images:export", export).start()
}
