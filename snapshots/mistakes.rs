#[long_running(retries = 3)]
impl ImageClient {
    #[long_running(response = &str, poll(delay = "soon"))]
    pub async fn export_image(&self) -> Result<RawOperation> {
        self.operations.post("v1/images:export", &()).await
    }

    #[long_running(response = (), metadata = ())]
    pub async fn import_image(&self) -> Result<Image> {
        self.operations.post("v1/images:import", &()).await
    }
}
