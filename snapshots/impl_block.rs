#[long_running]
impl ImageClient {
    /// Exports an image to a bucket.
    #[long_running(response = ExportedImage, metadata = ExportProgress)]
    pub async fn export_image(&self, request: &ExportRequest) -> Result<RawOperation> {
        self.operations.post("v1/images:export", request).await
    }
}
