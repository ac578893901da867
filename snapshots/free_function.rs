/// Exports an image.
#[long_running(response = ExportedImage, metadata = ExportProgress, operations = client.operations())]
pub async fn export_image(client: &Client, request: &ExportRequest) -> Result<RawOperation> {
    client.operations().post("v1/images:export", request).await
}
