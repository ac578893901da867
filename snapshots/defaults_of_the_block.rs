#[long_running(response = Image, metadata = (), cancel, operations = &self.service, path = "v1/{name}")]
impl ImageClient {
    #[long_running]
    pub async fn import_image(&self) -> Result<RawOperation> {
        self.service.post("v1/images:import", &()).await
    }

    #[long_running(response = ExportedImage, cancel = false, path = "v2/{name}")]
    pub async fn export_image(&self) -> Result<RawOperation> {
        self.service.post("v1/images:export", &()).await
    }
}
