//! The SDK that the smaller examples share, written as an SDK author would write it, and a service
//! for it to talk to.
//!
//! Start with `quickstart.rs`, which has both in one file. Two other SDKs are generated from their
//! descriptions, which stand beside them in `generated/`.

use std::{fmt, io, time::Duration};

use lro_runtime::{
    Operations, RawOperation, Result, long_running,
    testing::{Job, LroServer},
};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// The SDK of the images, generated from their proto, and formatted by the generator.
#[rustfmt::skip]
#[path = "../generated/images/sdk/mod.rs"]
pub mod image_sdk;

/// The SDK of the machines, generated from their swagger, and formatted by the generator.
#[rustfmt::skip]
#[path = "../generated/machines/sdk.rs"]
pub mod machine_sdk;

/// The request of an export: which image, and where to.
#[derive(Debug, Serialize)]
pub struct ExportRequest {
    /// The name of the image.
    pub image: String,
    /// The bucket to export to.
    pub bucket: String,
}

impl ExportRequest {
    /// Creates a request to export `image` to `bucket`.
    pub fn new(image: impl Into<String>, bucket: impl Into<String>) -> Self {
        Self { image: image.into(), bucket: bucket.into() }
    }
}

/// The response of an export: where the image is now.
#[derive(Debug, Deserialize)]
pub struct ExportedImage {
    /// The URI of the exported image.
    pub uri: String,
}

/// The metadata of an export: its progress.
#[derive(Debug, Deserialize)]
pub struct ExportProgress {
    /// How much is done, from 0 to 100.
    pub percent: f64,
}

/// A client of the image service.
pub struct ImageClient {
    operations: Operations,
}

#[long_running]
impl ImageClient {
    /// Creates a client that starts its operations through `operations`.
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

/// Starts the image service in this process. An export takes one second.
///
/// # Errors
///
/// Fails if there is no free port.
pub fn service() -> io::Result<LroServer> {
    let export = |request: &serde_json::Value| {
        let text = |member: &str| request[member].as_str().unwrap_or("?").to_owned();
        let uri = format!("gs://{}/{}.png", text("bucket"), text("image"));
        Job::lasting(Duration::from_secs(1)).queued(1).responds(json!({ "uri": uri }))
    };
    LroServer::builder().on("v1/images:export", export).start()
}
