#[long_running(poll(delay = "1s", timeout = "1h"), cancel)]
impl ImageClient {
    #[long_running(
        response = ExportedImage,
        metadata = ExportProgress,
        poll(multiplier = 2, max_delay = "1m 30s", initial_delay = "500ms", timeout = "10m")
    )]
    pub async fn export_image(&self) -> Result<RawOperation> {
        self.operations.post("v1/images:export", &()).await
    }
}
