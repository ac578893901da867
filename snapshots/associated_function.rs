#[long_running]
impl ImageClient {
    #[long_running(response = ExportedImage, metadata = (), operations = operations)]
    pub async fn export_image(operations: &Operations, request: &ExportRequest) -> Result<RawOperation> {
        operations.post("v1/images:export", request).await
    }
}
