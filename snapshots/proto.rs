#[long_running(encoding = proto)]
impl ImageClient {
    #[long_running(response = ExportedImage, metadata = ())]
    pub async fn export_image(&self) -> Result<RawOperation> {
        self.channel.export().await
    }
}
