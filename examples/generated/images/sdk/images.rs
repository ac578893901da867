// Written by lro-codegen. Do not edit: change the description, or the overrides, and run it again.

use super::types;
use lro_runtime::{
    Operations, OperationsBuilder, RawOperation, Result, StartCall, http::Method,
    long_running,
};

/// Keeps images in albums.
#[derive(Clone, Debug)]
pub struct ImagesClient {
    operations: Operations,
}

impl ImagesClient {
    /// Begins to build what the calls are sent through, to <https://images.example.com>.
    pub fn builder() -> OperationsBuilder {
        Operations::builder("https://images.example.com")
    }

    /// Makes a client that sends its calls through `operations`: those of
    /// [`builder`](Self::builder), with credentials.
    #[must_use]
    pub fn new(operations: Operations) -> Self {
        Self { operations }
    }
}

#[long_running(metadata = types::ExportProgress, progress = progress_percent)]
impl ImagesClient {
    /// Exports an image to a bucket. One with many layers takes minutes.
    #[long_running(response = types::ExportedImage)]
    pub async fn export_image(
        &self,
        name: &str,
        body: &types::ExportImageRequest,
    ) -> Result<RawOperation> {
        self.operations
            .call(Method::POST, "v1/{name=albums/*/images/*}:export")
            .path("name", name)
            .json(body)
            .await
    }

    /// Adds an image to an album, and makes its thumbnails.
    #[long_running(response = types::Image)]
    pub async fn create_image(
        &self,
        parent: &str,
        image: &types::Image,
        image_id: &str,
        options: &CreateImageOptions,
    ) -> Result<RawOperation> {
        let call = self
            .operations
            .call(Method::POST, "v1/{parent=albums/*}/images")
            .path("parent", parent)
            .query("imageId", image_id);
        options.add_to(call).json(image).await
    }

    /// Deletes an album with all its images.
    #[long_running(response = ())]
    pub async fn delete_album(&self, name: &str) -> Result<RawOperation> {
        self.operations
            .call(Method::DELETE, "v1/{name=albums/*}")
            .path("name", name)
            .await
    }
}

/// What `create_image` takes beside what it needs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CreateImageOptions {
    /// Whether to check the request alone.
    pub validate_only: Option<bool>,
}

impl CreateImageOptions {
    fn add_to(&self, call: StartCall) -> StartCall {
        call.query_opt("validateOnly", self.validate_only.as_ref())
    }
}
